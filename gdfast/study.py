"""Several sweeps along named dimensions: what a sweep over one problem cannot hold, such as its batch size."""

import itertools
import json
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfast.named import Named
from gdfast.runner import run
from gdfast.sweep import Sweep

if TYPE_CHECKING:
    import xarray

_OWN = ("optimizer", "learning_rate", "start", "parameter", "start_point")


def run_over(axes: Mapping[str, Sequence[Any]], make: Callable[..., Sweep], **options: Any) -> "xarray.Dataset":
    """Run a sweep for every combination of values and put the results side by side.

    Parameters
    ----------
    axes : mapping of str to sequence
        Values of each new dimension: ``{"batch_size": [8, 32, 128]}``.
    make : callable
        Called with one value of each dimension by name, ``make(batch_size=8)``; returns the `Sweep`. All sweeps must
        have the same learning rates, as many starts, and optimizers of the same labels. The starts themselves and
        the problem's number of coordinates may differ.
    **options
        Of `gdfast.run`.

    Returns
    -------
    xarray.Dataset
        As of `gdfast.run`, every variable with the new dimensions in front. A new dimension's coordinate is numeric
        where all of its values are numbers, otherwise text. ``start_point`` has the new dimensions where the starts
        differ, and is NaN where a problem does not have a coordinate. In the attributes, ``specification`` and
        ``minima`` are lists in the order of the sweeps, the last dimension fastest; times are sums.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind, or the sweeps do not fit together; nothing has run then.
    """
    import xarray

    values = {name: list(along) for name, along in axes.items()}
    if not values:
        raise ValueError("axes must have at least one dimension, such as {'batch_size': [8, 32]}, not none")
    for name, along in values.items():
        if name in _OWN:
            raise ValueError(f"axes: {name} is a dimension of every sweep; give the new one another name")
        if not along:
            raise ValueError(f"axes: {name} must have at least one value, not none")
    sweeps = [make(**dict(zip(values, chosen, strict=True))) for chosen in itertools.product(*values.values())]
    for sweep in sweeps:
        _check_alike(sweeps[0], sweep)
    results = [run(sweep, **options) for sweep in sweeps]
    together = _pad_parameters(results)
    shape = [len(along) for along in values.values()]
    data: dict[str, Any] = {}
    for name, first in together[0].variables.items():
        if name in together[0].data_vars or (name == "start_point" and not _same(together)):
            stacked = np.stack([result[name].values for result in together])
            stacked = stacked.reshape(*shape, *first.shape)
            data[name] = ((*values, *first.dims), stacked, first.attrs)
        else:
            data[name] = (first.dims, first.values, first.attrs)
    coordinates = {name: data.pop(name) for name in _OWN if name in data}
    for name, along in values.items():
        coordinates[name] = (name, _coordinate(along))
    attributes = dict(results[0].attrs)
    attributes["title"] = f"gdfast sweeps over {' × '.join(values)}"
    for name in ("specification", "minima"):
        attributes[name] = json.dumps([json.loads(result.attrs[name]) for result in results])
    for name in ("compile_seconds", "run_seconds"):
        attributes[name] = sum(result.attrs[name] for result in results)
    attributes["useful_share"] = min(result.attrs["useful_share"] for result in results)
    return xarray.Dataset(data, coordinates, attributes)


def _check_alike(first: Sweep, other: Sweep) -> None:
    """Refuse sweeps that cannot stand side by side."""
    if not isinstance(other, Sweep):
        raise TypeError(f"make must return a gdfast.Sweep, not {arguments.shown(other)}")
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


def _pad_parameters(results: list[Any]) -> list[Any]:
    """Give all results the same coordinates of the problem, NaN where one does not have them."""
    names = list(dict.fromkeys(str(name) for result in results for name in result.parameter.values))
    return [result.reindex(parameter=np.array(names, dtype=object)) for result in results]


def _same(results: list[Any]) -> bool:
    points = [result.start_point.values for result in results]
    return all(np.array_equal(points[0], other, equal_nan=True) for other in points)


def _coordinate(along: list[Any]) -> Any:
    if all(isinstance(value, numbers.Real) and not isinstance(value, bool) for value in along):
        return np.array(along)
    return np.array([value.label if isinstance(value, Named) else str(value) for value in along], dtype=object)
