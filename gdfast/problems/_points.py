"""Points as arguments of a problem's methods: a column a point, checked wherever they come in.

Points as results hold them, ``theta (optimizer, learning_rate, start, parameter)`` or a part of that, are told by their
dimension ``parameter``, or as arrays of three axes and more by the coordinates along the last. What is returned then
has their axes in front.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gdfast import arguments
from gdfast.formulas.elementary import Array

_AT_POINTS = (
    "loss",
    "gradient",
    "hessian",
    "objective",
    "judge",
    "distance",
    "sharpness",
    "locate",
    "nearest_minimum",
    "step_gradient",
    "step_objective",
    "step_product",
    "step_gauss_newton",
    "step_fisher",
    "predict",
    "outputs",
    "accuracy",
    "validation_accuracy",
    "validation_loss",
    "layer_gradient_norms",
    "layer_signals",
    "step_sharpness",
)
"""Methods whose first argument are points; every class of problems has them checked."""


class AtPoints:
    """A class whose methods at points, and those of its subclasses, get points as ``float64[d, n]`` or refuse them."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        check_points(cls)


def _at_points(method: Callable[..., Any]) -> Callable[..., Any]:
    """The same method, with its arguments checked: points, and the numbers that go with them."""
    others = [name for name in list(inspect.signature(method).parameters)[2:] if name in _BESIDE_POINTS]

    @functools.wraps(method)
    def checked(self: Any, theta: Any, *more: Any, **named: Any) -> Any:
        # Every step of the reference passes here: what is right already costs a fraction of a microsecond.
        right = type(theta) is np.ndarray and theta.ndim == 2 and theta.dtype.kind == "f"
        if not right or theta.shape[0] != self.dimension:
            if (grid := _grid_of(theta, self)) is not None:
                more = tuple(_flat(value, grid) for value in more)
                named = {name: _flat(value, grid) for name, value in named.items()}
                got = checked(self, grid.theta, *more, **named)
                return _shaped(got, grid, getattr(method, "points_axis", -1), method.__name__)
            theta = _points(theta, self.dimension)
        if others:
            named.update(zip(others, more, strict=False))
            named.update({name: _BESIDE_POINTS[name](value, theta) for name, value in named.items() if name in others})
            more = more[len(others) :]
        return method(self, theta, *more, **named)

    return checked


def check_points(cls: type) -> None:
    """Have the points checked that the methods of this class itself take."""
    for name in set(_AT_POINTS) & set(vars(cls)):
        setattr(cls, name, _at_points(vars(cls)[name]))


def _points(values: Any, dimension: int) -> Array:
    """Points as ``float64[d, n]``."""
    theta = arguments.array("theta", values, f"({dimension}, n)")
    if theta.shape == (dimension,) or (dimension == 1 and theta.ndim == 0):
        return theta.reshape(dimension, 1)
    if theta.ndim != 2 or len(theta) != dimension:
        in_rows = theta.ndim == 2 and theta.shape[1] == dimension
        raise ValueError(
            f"theta must have shape ({dimension}, n), a column a point, or ({dimension},) for one point, "
            f"not {theta.shape}" + ("; points in rows are given as theta.T" if in_rows else "")
        )
    return theta


class _Grid(NamedTuple):
    """Points on a grid, as results hold them."""

    theta: Array  # float64[d, n]
    shape: tuple[int, ...]  # of the grid
    labelled: Any  # the same with coordinates last, where they have names


def _grid_of(values: Any, problem: Any) -> _Grid | None:
    """Points in the shape of results; None if they are not."""
    if hasattr(values, "data_vars"):
        raise TypeError("theta must be points, as the variable theta of a result that keeps it, not a whole result")
    labelled = values if "parameter" in getattr(values, "dims", ()) else None
    if labelled is not None:
        _check_names(labelled, problem)
        labelled = labelled.transpose(..., "parameter")
        values = labelled.values
    elif getattr(values, "ndim", 0) < 3 or not isinstance(values, np.ndarray):
        return None
    theta = arguments.array("theta", values, f"(…, {problem.dimension})")
    if theta.shape[-1] != problem.dimension:
        raise ValueError(
            f"theta must have shape ({problem.dimension}, n), a column a point, or (…, {problem.dimension}), with the "
            f"coordinates last as results have them, not {theta.shape}"
        )
    return _Grid(np.ascontiguousarray(theta.reshape(-1, problem.dimension).T), theta.shape[:-1], labelled)


def _check_names(labelled: Any, problem: Any) -> None:
    """Refuse points of another problem, by the names of their coordinates."""
    names = tuple(map(str, np.asarray(labelled["parameter"].values).tolist()))
    if "parameter" in labelled.coords and names != problem.coordinates:
        told, wanted = (
            ", ".join(map(arguments.one_line, each[:4])) + (", …" if len(each) > 4 else "")
            for each in (names, problem.coordinates)
        )
        raise ValueError(
            f"theta must have the {problem.dimension} coordinates of {problem.label} along parameter, {wanted}, "
            f"not {len(names)}: {told}"
        )


def _flat(value: Any, grid: _Grid) -> Any:
    """An argument beside the points, which may stand on their grid."""
    shape = () if hasattr(value, "data_vars") else np.shape(value)  # of a whole result there is none
    return np.asarray(value).ravel() if shape == grid.shape and grid.shape else value


def _shaped(got: Any, grid: _Grid, axis: int, name: str) -> Any:
    """What a method returns of points, with the axes of their grid in front, and named where theirs are."""
    if isinstance(got, tuple):
        return tuple(_shaped(each, grid, axis, name) for each in got)
    by_point = np.moveaxis(got, axis, 0)
    values = by_point.reshape((*grid.shape, *by_point.shape[1:]))
    if grid.labelled is None:
        return values
    of_points = [key for key, coordinate in grid.labelled.coords.items() if "parameter" in coordinate.dims]
    one = grid.labelled.drop_vars(of_points).isel(parameter=0)
    for like in (one, grid.labelled if "gradient" in name else one):
        if like.shape == values.shape:
            named = like.copy(data=values).rename(name)
            named.attrs.clear()
            return named
    return values


def _one_a_point(name: str, values: Any, theta: Array) -> Array:
    found = arguments.array(name, values, f"({theta.shape[1]},)")
    if found.shape != theta.shape[1:]:
        raise ValueError(f"{name} must have shape ({theta.shape[1]},), one for each point, not {found.shape}")
    return found


def _seeds(values: Any, theta: Array) -> Array:
    seeds = _one_a_point("seeds", values, theta)
    if not ((seeds > 0) & (seeds <= 1)).all():  # in single precision 1 is what the largest are rounded to
        raise ValueError(f"seeds must be numbers in (0, 1), not {arguments.shown(seeds)}")
    return seeds.astype(theta.dtype)


def _like_points(name: str, values: Any, theta: Array) -> Any:
    """One number for each coordinate of each point."""
    found = arguments.array(name, values, f"({theta.shape[0]}, {theta.shape[1]})")
    if found.shape != theta.shape:
        raise ValueError(f"{name} must have the points' shape, ({theta.shape[0]}, {theta.shape[1]}), not {found.shape}")
    return found


_BESIDE_POINTS: dict[str, Callable[[Any, Array], Any]] = {
    "t": lambda value, theta: value if type(value) is int and value >= 0 else arguments.integer("t", value, low=0),
    "loss": lambda value, theta: _one_a_point("loss", value, theta),
    "seeds": _seeds,
    "preconditioner": lambda value, theta: None if value is None else _like_points("preconditioner", value, theta),
    "way": lambda value, theta: (
        value
        if type(value) is np.ndarray and value.shape == theta.shape and value.dtype == theta.dtype
        else _like_points("way", value, theta).astype(theta.dtype)
    ),
    "gradient_tolerance": lambda value, theta: arguments.number("gradient_tolerance", value, arguments.NONNEGATIVE),
}
"""How arguments beside the points are checked, by their name."""
