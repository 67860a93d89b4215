"""Several sweeps along named dimensions: what a sweep over one problem cannot hold, such as its batch size."""

import inspect
import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfast import arguments
from gdfast.problems import Problem
from gdfast.running.run import run
from gdfast.storing import several
from gdfast.storing.result import DIMENSIONS, FIELDS, MORE, coordinates
from gdfast.storing.store import read
from gdfast.tiles.sweep import Sweep

if TYPE_CHECKING:
    import xarray

_TAKEN = {*DIMENSIONS, *FIELDS, *MORE, "parameter", "start_point", "group", "group_rate", "rule", "recorded_step"}


def run_over(
    axes: Mapping[str, Sequence[Any]],
    make: Callable[..., Sweep],
    *,
    store: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    **options: Any,
) -> "xarray.Dataset":
    """Run a sweep for every combination of values and put the results side by side.

    Parameters
    ----------
    axes : mapping of str to sequence
        Values of each new dimension: ``{"batch_size": [8, 32, 128]}``.
    make : callable
        Called with one value of each dimension by name, ``make(batch_size=8)``; returns the `Sweep`. All sweeps must
        have the same learning rates, as many starts with the same names of labels, and optimizers of the same labels.
        The starts themselves, the values of their labels and the problem's number of coordinates may differ.
    store : path, optional
        A folder of Zarr stores to write, or to complete, one a sweep, see `gdfast.storing.several`; the sweeps must
        have the same starts then. Read as a whole, by `gdfast map` and other commands, each optimizer stands in it once
        a value, and the values are coordinates over ``optimizer``.
    overwrite : bool
        Replace what is there of the same values.
    **options
        Of `gdfast.run`, but `reuse`.

    Returns
    -------
    xarray.Dataset
        As of `gdfast.run`, every variable with the new dimensions in front. A new dimension's coordinate is numeric
        where all of its values are numbers, otherwise text. Coordinates stay coordinates; one whose values differ
        between the sweeps, such as ``start_point`` or a label of the starts, has the new dimensions too.
        ``start_point`` is NaN where a problem does not have a coordinate. What losses are judged by, ``lowest_loss``
        and ``loss_scale``, are variables over the new dimensions, since each problem has its own. In the attributes,
        ``specification``, ``minima`` and ``found_minima`` are lists in the order of the sweeps, the last dimension
        fastest; times are sums.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind, or the sweeps do not fit together; nothing has run then.

    Examples
    --------
    >>> import gdfast
    >>> def sweep(condition):
    ...     problem = gdfast.problems.quadratic(condition=condition)
    ...     return gdfast.Sweep(problem, "gd", [0.01, 0.1], [[1.0, 1.0]], 50)
    >>> result = gdfast.run_over({"condition": [1, 10, 100]}, sweep, backend="numpy", progress=False)
    >>> dict(result.outcome.sizes)
    {'condition': 3, 'optimizer': 1, 'learning_rate': 2, 'start': 1}
    """
    values = _values(axes)
    arguments.function("make", make, "a function that returns a gdfast.Sweep")
    try:
        inspect.signature(make).bind(**values)
    except TypeError:
        raise TypeError(f"make must be a function that takes the names of axes, {', '.join(values)}") from None
    except ValueError:  # what is written in C may not tell its arguments
        pass
    accepted = [
        name for name in inspect.signature(run).parameters if name not in ("sweep", "store", "overwrite", "reuse")
    ]
    overwrite = arguments.flag("overwrite", overwrite)
    if store is not None:
        arguments.instance("store", store, (str, os.PathLike), "a path")
    for name in options:
        arguments.choice("run_over: option", name, accepted)
    sweeps = [make(**dict(zip(values, chosen, strict=True))) for chosen in itertools.product(*values.values())]
    for sweep in sweeps:
        _check_alike(sweeps[0], sweep)
    for name in values:
        if name in coordinates(sweeps[0]):
            raise ValueError(f"axes: {name} is a coordinate of every sweep; give the new dimension another name")
    if store is None:
        return several.together([run(sweep, **options) for sweep in sweeps], values)
    for sweep in sweeps:
        _check_starts(sweeps[0], sweep)
    places = several.begin(Path(store), values)
    for place, sweep in zip(places, sweeps, strict=True):
        run(sweep, store=place, overwrite=overwrite and os.path.lexists(place), **options).close()
    return several.together([read(place) for place in places], values)


def problem_at(problem: Problem, values: Mapping[str, Any]) -> Problem:
    """Return a problem with other values of its parameters, or of the numbers of its formula.

    Raises
    ------
    TypeError, ValueError
        If it has no such parameter, or a value is not accepted.

    Examples
    --------
    >>> from gdfast import problems
    >>> problem_at(problems.from_expression("a*x**2", params={"a": 1}), {"a": 2}).loss([3.0])
    array([18.])
    """
    numbers = getattr(problem, "params", {})
    of_formula = {name: value for name, value in values.items() if name in numbers and name not in problem.parameters}
    changes: dict[str, Any] = {name: value for name, value in values.items() if name not in of_formula}
    if of_formula:
        changes["params"] = {**numbers, **of_formula}
    return problem.replace(**changes)


def _values(axes: Any) -> dict[str, list[Any]]:
    """Check the new dimensions."""
    values = arguments.mapping("axes", axes, "a mapping from names to values, such as {'batch_size': [8, 32]}")
    if not values:
        raise ValueError("axes must have at least one dimension, such as {'batch_size': [8, 32]}, not none")
    for name, along in values.items():
        if name in _TAKEN:
            raise ValueError(f"axes: {name} is a dimension or variable of every sweep; give the new one another name")
        if not name.isidentifier():
            raise ValueError(f"axes: a dimension must be a name that make can be called with, not {name!r}"[:200])
        values[name] = arguments.several(f"axes: {name}", along, "values of a dimension")
    return values


def _check_starts(first: Sweep, other: Sweep) -> None:
    """Refuse sweeps that one store cannot hold: from other starts."""
    same = first.problem.coordinates == other.problem.coordinates and np.array_equal(first.starts, other.starts)
    if not same or any(not np.array_equal(first.start_labels[n], other.start_labels[n]) for n in first.start_labels):
        raise ValueError("store must not be given for sweeps from different starts, or of different coordinates")


def _check_alike(first: Sweep, other: Sweep) -> None:
    """Refuse sweeps that cannot stand side by side."""
    arguments.instance("make", other, Sweep, "a function that returns a gdfast.Sweep")
    if not np.array_equal(first.learning_rates, other.learning_rates):
        raise ValueError("make: all sweeps must have the same learning_rates, but those of two differ")
    if first.labels != other.labels:
        raise ValueError(
            f"make: all sweeps must have optimizers of the same labels, not {', '.join(first.labels)} and "
            f"{', '.join(other.labels)}; hyperparameters are an axis of one sweep, in its optimizers"
        )
    if len(first.starts) != len(other.starts):
        raise ValueError(
            f"make: all sweeps must have as many starts as the first, {len(first.starts)}, not {len(other.starts)}"
        )
    if set(first.start_labels) != set(other.start_labels):
        raise ValueError(
            "make: the starts of all sweeps must have the same labels, not "
            f"{' and '.join(', '.join(sweep.start_labels) or 'none' for sweep in (first, other))}"
        )
    if first.learning_rates.ndim == 2 and first.problem.groups != other.problem.groups:
        raise ValueError("make: the problems of all sweeps must have the same groups, but those of two differ")
    if (first.measure is None) != (other.measure is None):
        raise ValueError("make: all sweeps must have a measure, or none, but two differ")
    names = [sweep.history.quantities if sweep.history else () for sweep in (first, other)]
    if names[0] != names[1] or not np.array_equal(first.recorded_steps, other.recorded_steps):
        raise ValueError(
            "make: all sweeps must have the same history, but two differ; with another max_steps each, tell the steps "
            "that are recorded one by one"
        )
    if first.told_at_ends != other.told_at_ends:
        raise ValueError("make: all problems must hold rows out, or none, but two differ")
