"""Problems, one file each. This list of names is all that a new one is added to."""

from collections.abc import Callable

from gdfast.named import named
from gdfast.problems._problem import Landscape, LaneKernel, Problem, StationaryPoint
from gdfast.problems.linear_regression import linear_regression
from gdfast.problems.logistic_regression import logistic_regression
from gdfast.problems.quartic import quartic
from gdfast.problems.ridge_regression import ridge_regression
from gdfast.problems.rosenbrock import rosenbrock
from gdfast.problems.sigmoid import sigmoid
from gdfast.problems.softmax_regression import softmax_regression

CATALOGUE: dict[str, Callable[..., Problem]] = {
    make.__name__: make
    for make in (
        linear_regression,
        logistic_regression,
        quartic,
        ridge_regression,
        rosenbrock,
        sigmoid,
        softmax_regression,
    )
}

__all__ = [
    "CATALOGUE",
    "Landscape",
    "LaneKernel",
    "Problem",
    "StationaryPoint",
    "linear_regression",
    "logistic_regression",
    "named",
    "quartic",
    "ridge_regression",
    "rosenbrock",
    "sigmoid",
    "softmax_regression",
]
