"""Several sweeps along named dimensions: what a sweep over one problem cannot hold, such as its batch size."""

import inspect
import itertools
import json
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfast import arguments
from gdfast.named import Named
from gdfast.running.run import run
from gdfast.storing.result import DIMENSIONS, FIELDS, MORE, coordinates
from gdfast.tiles.sweep import Sweep

if TYPE_CHECKING:
    import xarray

_TAKEN = {*DIMENSIONS, *FIELDS, *MORE, "parameter", "start_point", "group", "group_rate", "rule", "recorded_step"}


def run_over(axes: Mapping[str, Sequence[Any]], make: Callable[..., Sweep], **options: Any) -> "xarray.Dataset":
    """Run a sweep for every combination of values and put the results side by side.

    Parameters
    ----------
    axes : mapping of str to sequence
        Values of each new dimension: ``{"batch_size": [8, 32, 128]}``.
    make : callable
        Called with one value of each dimension by name, ``make(batch_size=8)``; returns the `Sweep`. All sweeps must
        have the same learning rates, as many starts with the same names of labels, and optimizers of the same labels.
        The starts themselves, the values of their labels and the problem's number of coordinates may differ.
    **options
        Of `gdfast.run`, but `store` and `overwrite`: sweeps do not share a store.

    Returns
    -------
    xarray.Dataset
        As of `gdfast.run`, every variable with the new dimensions in front. A new dimension's coordinate is numeric
        where all of its values are numbers, otherwise text. Coordinates stay coordinates; one whose values differ
        between the sweeps, such as ``start_point`` or a label of the starts, has the new dimensions too.
        ``start_point`` is NaN where a problem does not have a coordinate. In the attributes, ``specification``,
        ``minima`` and ``found_minima`` are lists in the order of the sweeps, the last dimension fastest; times are
        sums.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind, or the sweeps do not fit together; nothing has run then.
    """
    import xarray

    values = _values(axes)
    arguments.function("make", make, "a function that returns a gdfast.Sweep")
    try:
        inspect.signature(make).bind(**values)
    except TypeError:
        raise TypeError(f"make must be a function that takes the names of axes, {', '.join(values)}") from None
    except ValueError:  # what is written in C may not tell its arguments
        pass
    accepted = [name for name in inspect.signature(run).parameters if name not in ("sweep", "store", "overwrite")]
    for name in options:
        if name in ("store", "overwrite"):
            raise ValueError(f"{name} must not be given to run_over: each sweep would need a store of its own")
        arguments.choice("run_over: option", name, accepted)
    sweeps = [make(**dict(zip(values, chosen, strict=True))) for chosen in itertools.product(*values.values())]
    for sweep in sweeps:
        _check_alike(sweeps[0], sweep)
    for name in values:
        if name in coordinates(sweeps[0]):
            raise ValueError(f"axes: {name} is a coordinate of every sweep; give the new dimension another name")
    results = [run(sweep, **options) for sweep in sweeps]
    stacked = _stacked(_pad_parameters(results), [*values], [len(along) for along in values.values()])
    stacked = stacked.assign_coords({name: (name, _coordinate(along)) for name, along in values.items()})
    attributes = dict(results[0].attrs)
    attributes["title"] = f"gdfast sweeps over {' × '.join(values)}"
    told = ["specification", "minima", *(["found_minima"] if any("found_minima" in r.attrs for r in results) else [])]
    for name in told:
        attributes[name] = json.dumps([json.loads(result.attrs.get(name, "[]")) for result in results])
    for name in ("compile_seconds", "run_seconds"):
        attributes[name] = sum(result.attrs[name] for result in results)
    attributes["useful_share"] = min(result.attrs["useful_share"] for result in results)
    together: xarray.Dataset = stacked.assign_attrs(attributes)
    return together


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


def _stacked(results: list[Any], dimensions: Sequence[str], sizes: Sequence[int]) -> Any:
    """The results along new dimensions in front, the last one fastest; coordinates get them where they differ."""
    import xarray

    first, *others = results
    differing = [
        name for name in first.coords if not all(first[name].variable.equals(other[name].variable) for other in others)
    ]
    for name, size in zip(reversed(dimensions), reversed(sizes), strict=True):
        results = [
            xarray.concat(
                results[i : i + size],
                name,
                data_vars="all",
                coords=differing,
                compat="override",  # they are the same
                join="exact",
                combine_attrs="override",
            )
            for i in range(0, len(results), size)
        ]
    return results[0]


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
    if first.problem.told_at_ends != other.problem.told_at_ends:
        raise ValueError("make: all problems must hold rows out, or none, but two differ")


def _pad_parameters(results: list[Any]) -> list[Any]:
    """Give all results the same coordinates of the problem, NaN where one does not have them."""
    names = list(dict.fromkeys(str(name) for result in results for name in result.parameter.values))
    return [result.reindex(parameter=np.array(names, dtype=object)) for result in results]


def _coordinate(along: list[Any]) -> Any:
    if all(isinstance(value, numbers.Real) and not isinstance(value, bool) for value in along):
        numbers_ = np.array(along)
        if numbers_.dtype.kind != "O":  # as whole numbers beyond 64 bits would be
            return numbers_
    return np.array([value.label if isinstance(value, Named) else str(value) for value in along], dtype=object)
