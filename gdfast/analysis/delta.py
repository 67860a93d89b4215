"""What changes from one result to another on the same grid: cells rescued, cells broken."""

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gdfast.analysis import _results
from gdfast.storing.result import DIMENSIONS
from gdfast.tiles.outcomes import Outcome

if TYPE_CHECKING:
    import xarray


class Change(IntEnum):
    """What became of a cell.

    Examples
    --------
    >>> [change.name for change in Change]
    ['both_reach', 'rescued', 'broken', 'neither_reaches']
    """

    both_reach = 0
    rescued = 1
    broken = 2
    neither_reaches = 3


CHANGES = {
    Change.both_reach: "the lowest minimum is reached before and after",
    Change.rescued: "it is reached after, and was not before",
    Change.broken: "it was reached before, and is not after",
    Change.neither_reaches: "it is reached neither before nor after",
}


def delta(before: "xarray.Dataset", after: "xarray.Dataset", *, of: str = "steps") -> "xarray.Dataset":
    """Compare two results cell by cell.

    Parameters
    ----------
    before, after : xarray.Dataset
        Of `gdfast.run`, over the same learning rates and starts, with the same optimizers, whose schedules and
        transforms may differ, or `before` with one, which all of `after` are then compared with. Starts are compared
        where both results have a ``start_point``.
    of : {"steps", "evaluations"}
        By what costs are told, as in `best_rates`.

    Returns
    -------
    xarray.Dataset
        ``change`` (int8, CF flags: `Change`) and ``steps`` or ``evaluations`` (int32, after minus before, 0 where not
        both reach), over the dimensions and coordinates of `after`.

    Raises
    ------
    TypeError, ValueError
        If one is no result of gdfast, or the two are not over the same grid; the message says in what they differ.

    Examples
    --------
    >>> import gdfast
    >>> before = gdfast.sweep("quartic", "gd", "0.01:1:5", "-3:3:4", max_steps=200, backend="numpy")
    >>> after = gdfast.sweep("quartic", "gd|clip_norm=1", "0.01:1:5", "-3:3:4", max_steps=200, backend="numpy")
    >>> difference = gdfast.analysis.delta(before, after)
    >>> dict(difference.sizes)
    {'optimizer': 1, 'learning_rate': 5, 'start': 4, 'parameter': 1}
    """
    from gdfast.storing.dataset import Result

    before, after = _aligned(before, after, "outcome", "steps")
    was, now = (
        _results.outcomes(argument, result) == Outcome.global_minimum
        for argument, result in (("before", before), ("after", after))
    )
    change = np.full(was.shape, Change.neither_reaches, dtype=np.int8)
    change[was & now], change[~was & now], change[was & ~now] = Change.both_reach, Change.rescued, Change.broken
    more = np.where(was & now, _results.costs(after, of) - _results.costs(before, of), 0)
    flags = {"flag_values": [int(c) for c in Change], "flag_meanings": " ".join(c.name for c in Change)}
    return Result(
        {
            "change": (DIMENSIONS, change, {"long_name": "what became of the cell", **flags}),
            of: (DIMENSIONS, np.rint(more).astype(np.int32), {"long_name": f"{of} after minus {of} before"}),
        },
        coords=after.coords,
    )


def change_counts(difference: "xarray.Dataset") -> pd.DataFrame:
    """Count the cells of each `Change`, and how steps changed where both reach.

    Parameters
    ----------
    difference : xarray.Dataset
        Of `delta`.

    Returns
    -------
    DataFrame
        Index ``optimizer``; columns ``rescued``, ``broken``, ``both_reach``, ``neither_reaches`` (cells) and
        ``median change of steps``, or of evaluations (NaN where none reaches in both).

    Examples
    --------
    >>> import gdfast
    >>> before = gdfast.sweep("quartic", "gd", "0.01:1:5", "-3:3:4", max_steps=200, backend="numpy")
    >>> after = gdfast.sweep("quartic", "gd|clip_norm=1", "0.01:1:5", "-3:3:4", max_steps=200, backend="numpy")
    >>> print(gdfast.analysis.change_counts(gdfast.analysis.delta(before, after)).to_string(index=False))
     rescued  broken  both_reach  neither_reaches  median change of steps
           0       0           4               16                    44.5
    """
    difference = _results.checked("difference", difference, "change")
    of = next((name for name in _results.OF if name in difference.data_vars), "steps")
    difference = _results.checked("difference", difference, "change", of)
    rows = {}
    for label, change, more in zip(
        _results.labels(difference), difference.change.values, difference[of].values, strict=True
    ):
        both = change == Change.both_reach
        rows[label] = {
            **{c.name: int((change == c).sum()) for c in (Change.rescued, Change.broken)},
            **{c.name: int((change == c).sum()) for c in (Change.both_reach, Change.neither_reaches)},
            f"median change of {of}": float(np.median(more[both])) if both.any() else np.nan,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("optimizer")


def transitions(before: "xarray.Dataset", after: "xarray.Dataset") -> pd.DataFrame:
    """Count the cells that went from each outcome (rows) to each outcome (columns), those that do not occur left out.

    Parameters
    ----------
    before, after : xarray.Dataset
        Two results of `gdfast.run` over the same grid.

    Returns
    -------
    DataFrame
        Numbers of cells, one row an outcome before, one column an outcome after.

    Raises
    ------
    TypeError, ValueError
        If one is no result of gdfast, or the two are not over the same grid.

    Examples
    --------
    >>> import gdfast
    >>> before = gdfast.sweep("quartic", "gd", "0.01:1:5", "-3:3:4", max_steps=200, backend="numpy")
    >>> after = gdfast.sweep("quartic", "gd|clip_norm=1", "0.01:1:5", "-3:3:4", max_steps=200, backend="numpy")
    >>> gdfast.analysis.transitions(before, after).loc["diverged"].to_dict()
    {'global_minimum': 0, 'local_minimum': 1, 'oscillating': 9}
    """
    before, after = _aligned(before, after)
    n = len(Outcome)
    pairs = _results.outcomes("before", before).astype(np.int64) * n + _results.outcomes("after", after)
    table = np.bincount(pairs.ravel(), minlength=n * n).reshape(n, n)
    names = [o.name for o in Outcome]
    frame = pd.DataFrame(table, index=pd.Index(names, name="before"), columns=pd.Index(names, name="after"))
    return frame.loc[frame.sum(axis=1) > 0, frame.sum(axis=0) > 0]


def _aligned(
    before: "xarray.Dataset", after: "xarray.Dataset", *needs: str
) -> tuple["xarray.Dataset", "xarray.Dataset"]:
    """Both results with their dimensions in order, and the first with as many optimizers as the second."""
    before, after = _results.checked("before", before, *needs), _results.checked("after", after, *needs)
    for name, words in (("learning_rate", "learning rates"), ("start", "starts")):
        sizes = before.sizes[name], after.sizes[name]
        if sizes[0] != sizes[1]:
            raise ValueError(f"before and after must be over the same grid, but have {sizes[0]} and {sizes[1]} {words}")
    for name, words in (("learning_rate", "learning rates"), ("group_rate", "rates"), ("start_point", "starts")):
        if name in before.coords and name in after.coords:
            first, second = before[name].values, after[name].values
            if not np.array_equal(first, second):
                raise ValueError(f"before and after must be over the same grid, but their {words} differ")
    labels = [_results.labels(result) for result in (before, after)]
    if len(labels[0]) == 1:
        before = before.isel(optimizer=np.zeros(len(labels[1]), dtype=int))
    elif labels[0] != labels[1] and [*map(_rule, labels[0])] != [*map(_rule, labels[1])]:
        raise ValueError(
            "before and after must have the same optimizers, but for schedules and transforms, or before just one, "
            f"not {', '.join(labels[0])} and {', '.join(labels[1])}"
        )
    if not np.array_equal(_results.units_of_rates(before), _results.units_of_rates(after)):
        raise ValueError("before and after must be over the same grid, but their learning rates have other units")
    return before, after


def _rule(label: str) -> str:
    """A label without schedule, transforms and what else stands behind the rule and its hyperparameters."""
    return label.partition("|")[0]
