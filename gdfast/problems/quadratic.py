"""Quadratic bowls of any condition number in any dimension.

    f(x) = ½ Σᵢ λᵢ xᵢ²,   λᵢ from 1 to κ in equal ratios

One minimum, f(0) = 0. In one dimension λ = κ. Gradient descent converges for rates below 2/κ; at the best constant
rate, 2/(κ + 1), the error shrinks by (κ − 1)/(κ + 1) a step. The textbook case of ill-conditioning: Nocedal & Wright
(2006), "Numerical optimization", section 3.3.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.elementary import Array
from gdfast.named import named
from gdfast.problems._formula import coordinate_names
from gdfast.problems._problem import LaneKernel, Problem
from gdfast.problems._stationary import StationaryPoint


def lane_gradient(theta, grad, work, n, data, layout, t):
    for i in range(theta.shape[0]):
        for lane in range(n):
            grad[i, lane] = data[i] * theta[i, lane]


def lane_objective(theta, out, work, n, data, layout, t):
    for lane in range(n):
        out[lane] = 0.0
    for i in range(theta.shape[0]):
        for lane in range(n):
            out[lane] += 0.5 * data[i] * theta[i, lane] * theta[i, lane]


class Quadratic(Problem):
    """½ Σᵢ λᵢ xᵢ². The curvatures are data to the kernel, so that one is compiled for all condition numbers.

    Attributes
    ----------
    curvatures : ndarray
        The λᵢ, ascending, ``float64[d]``.
    """

    lane_kernel = LaneKernel(lane_gradient, lane_objective, work_rows=0)

    def __init__(self, curvatures: Array) -> None:
        self.curvatures = curvatures
        self.domain = np.tile([-2.0, 2.0], (len(curvatures), 1))

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates: x, or x and y, or x1, x2 and so on."""
        return coordinate_names(self.dimension)

    def loss(self, theta: Array) -> Array:
        """Return ½ Σᵢ λᵢ xᵢ² for each lane, ``float64[n]``, summed in the order of the coordinates."""
        total = np.zeros(theta.shape[1])
        for curvature, x in zip(self.curvatures, theta, strict=True):
            total += 0.5 * curvature * x * x
        return total

    def gradient(self, theta: Array) -> Array:
        """Return λᵢ xᵢ, ``float64[d, n]``."""
        return self.curvatures[:, None] * theta

    def hessian(self, theta: Array) -> Array:
        """Return the diagonal matrix of the λᵢ for each lane, ``float64[d, d, n]``."""
        return np.repeat(np.diag(self.curvatures)[:, :, None], theta.shape[1], axis=2)

    @functools.cached_property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """The origin."""
        return (StationaryPoint((0.0,) * self.dimension, "minimum", 0.0, float(self.curvatures[0])),)

    def lane_data(self, max_steps: int) -> tuple[Array, NDArray[np.int64]]:
        """Return the curvatures."""
        return self.curvatures, np.empty(0, dtype=np.int64)


@named(condition=arguments.Interval(1))
def quadratic(condition: float = 100.0, dimension: int = 2) -> Quadratic:
    """A quadratic bowl ½ Σ λᵢ xᵢ², λ from 1 to `condition`, on [−2, 2] each.

    Raises
    ------
    TypeError, ValueError
        If the condition number is below 1 or the dimension is not from 1 to 10,000.
    """
    d = arguments.integer("quadratic: dimension", dimension, high=10_000)
    return Quadratic(np.array([condition]) if d == 1 else np.geomspace(1.0, condition, d))
