"""What a sweep is given, and what it makes of it: problem, optimizers, learning rates, starts; or a refusal."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from gdfast import arguments
from gdfast.formulas.elementary import Array
from gdfast.problems import Problem


def count(argument: str, value: Any) -> int:
    """A whole number, which may be written as a float, 1e4."""
    return arguments.integer(argument, int(value) if isinstance(value, float) and value.is_integer() else value)


def labels_of(labels: Mapping[str, Any]) -> Mapping[str, Any]:
    """Labels of starts, copied, so that they stay."""
    copies = {name: np.array(values) for name, values in labels.items()}
    for values in copies.values():
        values.flags.writeable = False
    return MappingProxyType(copies)


def rates_of(learning_rates: Any, groups: tuple[str, ...]) -> Array:
    """Learning rates, ``float64[k]`` or ``float64[k, groups]``, all positive and finite."""
    shape = "(k,)" if len(groups) == 1 else f"(k,) or (k, {len(groups)})"
    rates = np.atleast_1d(arguments.array("learning_rates", learning_rates, shape))
    if not rates.size or rates.ndim > 2 or (rates.ndim == 2 and (len(groups) == 1 or rates.shape[1] != len(groups))):
        raise ValueError(f"learning_rates must have shape {shape} with k >= 1 for this problem, not {rates.shape}")
    bad = ~(np.isfinite(rates) & (rates > 0))
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        at = ", ".join(str(i) for i in where)
        raise ValueError(f"learning_rates must be positive and finite, but learning_rates[{at}] is {rates[where]:g}")
    return rates


def _in_order(starts: Any, problem: Problem) -> Any:
    """Points whose coordinates have names, as columns of a table or in a result, in the order of the problem's."""
    if hasattr(starts, "columns") and hasattr(starts, "loc"):
        names = [*starts.columns]
    elif "parameter" in getattr(starts, "dims", ()) and not hasattr(starts, "data_vars"):  # no whole dataset
        starts = starts.transpose(..., "parameter")
        names = starts["parameter"].values.tolist() if "parameter" in starts.coords else []
    else:
        return starts
    if not any(isinstance(name, str) for name in names):  # they are only numbered
        return starts
    places = {name: place for place, name in enumerate(names)}
    if len(names) != problem.dimension or places.keys() != {*problem.coordinates}:
        told, wanted = (
            ", ".join(map(arguments.one_line, map(str, each[:4]))) + (", …" if len(each) > 4 else "")
            for each in (names, problem.coordinates)
        )
        raise ValueError(f"starts must have the coordinates of {problem.label} by their names, {wanted}, not {told}")
    return np.asarray(starts)[..., [places[name] for name in problem.coordinates]]


def points_of(starts: Any, problem: Problem) -> Array:
    """Initial points, ``float64[m, d]``, all finite."""
    dimension = problem.dimension
    points = arguments.array("starts", _in_order(starts, problem), f"(m, {dimension})")
    points = points[:, None] if points.ndim == 1 and dimension == 1 else points
    if points.ndim != 2 or points.shape[1] != dimension or not len(points):
        raise ValueError(f"starts must have shape (m, {dimension}) with m >= 1 for this problem, not {points.shape}")
    bad = ~np.isfinite(points)
    if bad.any():
        i, j = (int(k) for k in np.argwhere(bad)[0])
        raise ValueError(f"starts must be finite, but starts[{i}, {j}] is {points[i, j]:g}")
    return points
