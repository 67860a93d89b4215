"""Points as arguments of a problem's methods: a column a point, checked wherever they come in."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

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
    "predict",
    "outputs",
    "accuracy",
    "validation_accuracy",
    "validation_loss",
    "layer_gradient_norms",
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
        raise ValueError(
            f"theta must have shape ({dimension}, n), a column a point, or ({dimension},) for one point, "
            f"not {theta.shape}"
        )
    return theta


def _losses(values: Any, theta: Array) -> Array:
    loss = arguments.array("loss", values, f"({theta.shape[1]},)")
    if loss.shape != theta.shape[1:]:
        raise ValueError(f"loss must have shape ({theta.shape[1]},), one for each point, not {loss.shape}")
    return loss


_BESIDE_POINTS: dict[str, Callable[[Any, Array], Any]] = {
    "t": lambda value, theta: value if type(value) is int and value >= 0 else arguments.integer("t", value, low=0),
    "loss": _losses,
    "gradient_tolerance": lambda value, theta: arguments.number("gradient_tolerance", value, arguments.NONNEGATIVE),
}
"""How arguments beside the points are checked, by their name."""
