"""Which part of a grid reaches the lowest minimum, at which rates, in how many steps."""

import numbers
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.analysis import _results
from gdfast.formulas.elementary import Array
from gdfast.tiles.outcomes import Outcome

if TYPE_CHECKING:
    import xarray


def reached(result: "xarray.Dataset", tolerance: float | Sequence[float] | None = None) -> "xarray.DataArray":
    """Tell which trajectories were at the lowest known minimum at their end: ``bool`` over the result's dimensions.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    tolerance : float or several, optional
        Count those whose excess (see `gdfast.analysis.excess`) is at most this and which have not diverged, instead of
        those whose outcome is ``global_minimum``, by the tolerance of the sweep. Several become the last dimension,
        ``loss_tolerance``.

    Raises
    ------
    TypeError, ValueError
        If a tolerance is not accepted, or this is no result of gdfast; so do all functions of `gdfast.analysis` and
        `gdfast.plot`.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.run(gdfast.Sweep("quartic", "gd", [1e-3], [-2.5, 1.0], max_steps=200), backend="numpy")
    >>> gdfast.analysis.reached(result, [1e-2, 1e-12]).values.tolist()
    [[[[True, False], [False, False]]]]
    """
    checked = _results.checked("result", result, "outcome", *(["loss"] if tolerance is not None else []), more=True)
    _results.outcomes("result", checked)
    if tolerance is not None:
        lowest, scale = _results.units(checked)
        below: xarray.DataArray = (checked.loss - lowest) / scale <= _tolerances(tolerance)
        return below.where(checked.outcome != int(Outcome.diverged), False).rename("reached")
    there: xarray.DataArray = result.outcome == int(Outcome.global_minimum)
    return there.rename("reached")


def _tolerances(tolerance: Any) -> "float | xarray.DataArray":
    if isinstance(tolerance, numbers.Real):
        return arguments.number("tolerance", tolerance, arguments.NONNEGATIVE)
    import xarray

    several = arguments.several("tolerance", tolerance, "a number or several, such as (1e-2, 1e-4)")
    values = [arguments.number("tolerance", value, arguments.NONNEGATIVE) for value in several]
    return xarray.DataArray(values, dims="loss_tolerance", coords={"loss_tolerance": values})


def budget(result: "xarray.Dataset") -> int:
    """The updates that each trajectory of a result was allowed.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.

    Returns
    -------
    int
        The sweep's ``max_steps``.

    Raises
    ------
    TypeError, ValueError
        If this is no result of gdfast with its attributes, or one of sweeps of several budgets.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> gdfast.analysis.budget(result)
    200
    """
    return _results.budget_of("result", _results.checked("result", result, more=True))


def outcome_shares(result: "xarray.Dataset") -> pd.DataFrame:
    """The share of every outcome among each optimizer's trajectories.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.

    Returns
    -------
    DataFrame
        One row an optimizer (the index), one column an outcome; rows sum to 1 for a result that is complete.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> print(gdfast.analysis.outcome_shares(result).round(2).to_string(index=False))
     global_minimum  local_minimum  stalled  oscillating  unfinished  diverged  frozen  worse
               0.21           0.25      0.0         0.04        0.14      0.36     0.0    0.0
               0.36           0.25      0.0         0.00        0.39      0.00     0.0    0.0
    """
    result = _results.checked("result", result, more=True)
    ends = _results.outcomes("result", result)
    shares = {
        label: {o.name: float((panel == o).mean()) for o in Outcome if o is not Outcome.not_run}
        for label, panel in zip(_results.labels(result), ends, strict=True)
    }
    return pd.DataFrame.from_dict(shares, orient="index").rename_axis("optimizer")


def lr_tolerance(result: "xarray.Dataset", share: float = 0.5) -> pd.DataFrame:
    """Tell how many decades of learning rates work.

    A rate works if at least the given share of its starts reach the lowest minimum. Each rate stands for the part of
    the logarithmic axis that is nearest to it, and reaches as far outwards as inwards at the ends of the grid: of
    evenly spaced rates, one spacing each. The widths of the working rates are added up, so gaps between them are not
    counted; it is what is left to chance when a rate is drawn with a uniform logarithm.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`; its learning rates may be in any order.
    share : float
        In (0, 1].

    Returns
    -------
    DataFrame
        One row an optimizer (the index): ``decades``, ``lowest`` and ``highest`` working rate (NaN where none works),
        and ``cut off``, whether one of these is at an end of the grid, so that the width may be larger. Where groups
        of coordinates have learning rates of their own there is no one axis, and all of it is NaN and False.

    Raises
    ------
    TypeError, ValueError
        If the share is none, or a learning rate is not positive.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> print(gdfast.analysis.lr_tolerance(result).to_string(index=False))
     decades   lowest  highest  cut off
         1.5 0.003162 0.031623    False
         2.0 0.031623 1.000000     True
    """
    share = arguments.number("share", share, arguments.Interval(0, 1, low_open=True))
    result = _results.checked("result", result)
    if "group_rate" in result.coords:
        none = {"decades": np.nan, "lowest": np.nan, "highest": np.nan, "cut off": False}
        return pd.DataFrame.from_dict(dict.fromkeys(_results.labels(result), none), orient="index").rename_axis(
            "optimizer"
        )
    rates = _results.learning_rates("result", result)
    widths, units = _decades(rates), _results.units_of_rates(result)
    rows = {}
    for (label, good), unit in zip(_by_rate(result), units, strict=True):
        working = good.mean(axis=1) >= share
        lowest, highest = rates[working].min(initial=np.inf), rates[working].max(initial=0.0)
        rows[label] = {
            "decades": float(widths[working].sum()),
            "lowest": lowest * unit if working.any() else np.nan,
            "highest": highest * unit if working.any() else np.nan,
            "cut off": bool(working.any() and (lowest == rates.min() or highest == rates.max())),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("optimizer")


def best_rates(result: "xarray.Dataset", *, of: str = "steps") -> pd.DataFrame:
    """Find each optimizer's best learning rate: most starts that reach, then fewest median steps, then the lowest rate.

    Where none reach it is the one that came lowest: that of the lowest median of the end losses.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    of : {"steps", "evaluations"}
        By what costs are told: steps, or the points at which gradient or loss were asked for, of which a step with a
        line search, or with a second gradient, takes several.

    Returns
    -------
    DataFrame
        One row an optimizer (the index): ``best rate`` (NaN where none reach), ``index`` of it or of the one that came
        lowest, ``share`` of its starts that reach, their median ``steps`` or ``evaluations`` (NaN where none does), and
        ``at edge``: whether the best rate is an end of the grid, so that a better one may lie outside. Where groups of
        coordinates have learning rates of their own, the ``index`` alone tells which are best: the rate is NaN, and no
        end. The table's attribute ``tolerance`` tells until which excess costs were counted, see
        `gdfast.measures.steps_to_reach`; None where it was until trajectories settled.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> gdfast.analysis.best_rates(result)["best rate"].round(4).tolist()
    [0.0316, 0.3162]
    """
    result = _results.checked("result", result, "outcome", "steps")
    rates, steps = result.learning_rate.values, _results.costs(result, of)
    units, one_axis = _results.units_of_rates(result), "group_rate" not in result.coords
    medians = _results.median_losses(result) if "loss" in result else None
    rows = {}
    for i, (label, good) in enumerate(_by_rate(result)):
        typical = np.array([np.median(s[g]) if g.any() else np.inf for s, g in zip(steps[i], good, strict=True)])
        best = int(np.lexsort((rates, typical, -good.sum(axis=1)))[0])
        any_good = bool(good[best].any())
        if not any_good and medians is not None:
            best = int(np.lexsort((rates, medians[i]))[0])
        rows[label] = {
            "best rate": float(rates[best] * units[i]) if any_good and one_axis else np.nan,
            "index": best,
            "share": float(good[best].mean()),
            of: float(typical[best]) if any_good else np.nan,
            "at edge": any_good and one_axis and rates[best] in (rates.min(), rates.max()),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("optimizer")
    table.attrs["tolerance"] = _results.tolerance_of(result)
    return table


def summary(result: "xarray.Dataset", share: float = 0.5, *, of: str = "steps") -> pd.DataFrame:
    """Put what is known of each optimizer on one row.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    share : float
        The share of starts that must reach for a learning rate to count as one that works, as in `lr_tolerance`.
    of : {"steps", "evaluations"}
        By what costs are told, as in `best_rates`.

    Returns
    -------
    DataFrame
        Index ``optimizer``; columns ``share of the grid`` that reaches the lowest minimum, ``decades that work`` (of
        `lr_tolerance`), ``best rate``, ``at edge``, ``share there`` and ``median steps there`` (of `best_rates`, as is
        the table's attribute ``tolerance``).

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> gdfast.analysis.summary(result).columns.tolist()
    ['share of the grid', 'decades that work', 'best rate', 'at edge', 'share there', 'median steps there']
    """
    best = best_rates(result, of=of)
    table = pd.DataFrame(
        {
            "share of the grid": outcome_shares(result)["global_minimum"],
            "decades that work": lr_tolerance(result, share)["decades"],
            "best rate": best["best rate"],
            "at edge": best["at edge"],
            "share there": best["share"],
            f"median {of} there": best[of],
        }
    )
    table.attrs.update(best.attrs)
    return table


def _by_rate(result: "xarray.Dataset") -> list[tuple[str, NDArray[np.bool_]]]:
    """Each optimizer's label with what it reached, ``bool[k, m]``."""
    good = _results.outcomes("result", result) == Outcome.global_minimum
    return list(zip(_results.labels(result), good, strict=True))


def _decades(rates: Array) -> Array:
    """The part of the logarithmic axis that each learning rate stands for, in decades."""
    places, which = np.unique(np.log10(rates), return_inverse=True)
    if len(places) == 1:
        return np.zeros(len(rates))
    gaps = np.diff(places)
    widths = (np.append(gaps, gaps[-1]) + np.insert(gaps, 0, gaps[0])) / 2
    return np.asarray((widths / np.bincount(which))[which])  # rates that are given twice share their part
