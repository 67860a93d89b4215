"""Problems, one file each. This list of names is all that a new one is added to."""

from collections.abc import Callable

from gdfast.named import named
from gdfast.problems._problem import Landscape, LaneKernel, Problem, StationaryPoint
from gdfast.problems.linear_regression import linear_regression
from gdfast.problems.mlp import mlp
from gdfast.problems.quartic import quartic
from gdfast.problems.rosenbrock import rosenbrock
from gdfast.problems.sigmoid import sigmoid
from gdfast.problems.trainability_network import trainability_network

CATALOGUE: dict[str, Callable[..., Problem]] = {
    make.__name__: make for make in (linear_regression, mlp, quartic, rosenbrock, sigmoid, trainability_network)
}

__all__ = [
    "CATALOGUE",
    "Landscape",
    "LaneKernel",
    "Problem",
    "StationaryPoint",
    "linear_regression",
    "mlp",
    "named",
    "quartic",
    "rosenbrock",
    "sigmoid",
    "trainability_network",
]
