"""Quadratic bowls of any condition number in any dimension, along the axes or rotated.

    f(x) = ½ Σᵢ λᵢ xᵢ²,   λᵢ from 1 to κ in equal ratios
    f(x) = ½ xᵀ A x,      A = Q diag(λ) Qᵀ with a random orthogonal Q

One minimum, f(0) = 0. In one dimension λ = κ. Gradient descent converges for rates below 2/κ; at the best constant
rate, 2/(κ + 1), the error shrinks by (κ − 1)/(κ + 1) a step. The textbook case of ill-conditioning: Nocedal & Wright
(2006), "Numerical optimization", section 3.3. To gradient descent all rotations are alike; rules that scale each
coordinate by itself, such as Adam, undo the condition number along the axes only.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.formulas.elementary import Array
from gdfast.formulas.families import coordinate_names
from gdfast.formulas.lane_products import independent
from gdfast.formulas.records import fields, packed, record
from gdfast.named import named
from gdfast.problems._problem import Problem
from gdfast.problems._stationary import StationaryPoint
from gdfast.problems._stepping import LaneKernel, real_of
from gdfast.starts import SCHEMES

BOWL = fields(np.int64, "rotated")
"""The layout: whether the data are A row by row, or the λᵢ."""


def lane_gradient(theta, grad, work, n, data, layout, t):
    d, bowl = theta.shape[0], record(layout, 0, BOWL)
    for i in range(d):
        for lane in range(n):
            grad[i, lane] = data[i] * theta[i, lane] if bowl.rotated == 0 else 0.0
            independent()
        if bowl.rotated == 1:
            for j in range(d):
                for lane in range(n):
                    grad[i, lane] += data[i * d + j] * theta[j, lane]
                    independent()


def lane_objective(theta, out, work, n, data, layout, t):
    d, row, bowl = theta.shape[0], work[0], record(layout, 0, BOWL)
    for lane in range(n):
        out[lane] = 0.0
        independent()
    for i in range(d):
        for lane in range(n):
            row[lane] = data[i] * theta[i, lane] if bowl.rotated == 0 else 0.0
            independent()
        if bowl.rotated == 1:
            for j in range(d):
                for lane in range(n):
                    row[lane] += data[i * d + j] * theta[j, lane]
                    independent()
        for lane in range(n):
            out[lane] += 0.5 * row[lane] * theta[i, lane]
            independent()


def lane_product(theta, way, out, work, n, data, layout, t):
    lane_gradient(way, out, work, n, data, layout, t)


class Quadratic(Problem):
    """½ Σᵢ λᵢ xᵢ² or ½ xᵀ A x. The curvatures are data to the kernel: one is compiled for all condition numbers.

    Attributes
    ----------
    curvatures : ndarray
        The λᵢ, ascending, ``float64[d]``.
    matrix : ndarray, optional
        A, ``float64[d, d]``; None along the axes.
    """

    lane_kernel = LaneKernel(lane_gradient, lane_objective, work_rows=1, single=True, product=lane_product)

    def __init__(self, curvatures: Array, rotation: Array | None = None) -> None:
        self.curvatures, self.matrix = curvatures, None
        if rotation is not None:
            product = (rotation * curvatures) @ rotation.T
            self.matrix = (product + product.T) / 2
        self.domain = np.tile([-2.0, 2.0], (len(curvatures), 1))
        self.layout_of_all = packed(np.array((rotation is not None,), dtype=BOWL))

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates: x, or x and y, or x1, x2 and so on."""
        return coordinate_names(self.dimension)

    def loss(self, theta: Array) -> Array:
        """Return the loss of each lane, ``float64[n]``, summed in the order of the coordinates."""
        total = np.zeros(theta.shape[1], real_of(theta))
        for slope, x in zip(self._slopes(theta), theta, strict=True):
            total += 0.5 * slope * x
        return total

    def gradient(self, theta: Array) -> Array:
        """Return λᵢ xᵢ or A x, ``float64[d, n]``, summed in the order of the coordinates."""
        return self._slopes(theta)

    def step_product(self, theta: Array, way: Array, t: int) -> Array:
        """Return λᵢ vᵢ or A v, ``float64[d, n]``, likewise."""
        return self._slopes(way)

    def _slopes(self, theta: Array) -> Array:
        real = real_of(theta)
        if self.matrix is None:
            return np.asarray(self.curvatures.astype(real)[:, None] * theta)
        total = np.zeros(theta.shape, real)
        for column, x in zip(self.matrix.T.astype(real), theta, strict=True):
            total += column[:, None] * x
        return total

    def hessian(self, theta: Array) -> Array:
        """Return the same matrix for each lane, ``float64[d, d, n]``."""
        bend = np.diag(self.curvatures) if self.matrix is None else self.matrix
        return np.repeat(bend[:, :, None], theta.shape[1], axis=2)

    @functools.cached_property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """The origin."""
        return (StationaryPoint((0.0,) * self.dimension, "minimum", 0.0, float(self.curvatures[0])),)

    def lane_data(self, max_steps: int) -> tuple[Array, NDArray[np.int64]]:
        """Return the curvatures or the matrix, and which of them."""
        return self.curvatures if self.matrix is None else self.matrix.ravel(), self.layout_of_all


@named(condition=arguments.Interval(1))
def quadratic(condition: float = 100.0, dimension: int = 2, rotation: int | None = None) -> Quadratic:
    """A quadratic bowl ½ Σ λᵢ xᵢ², λ from 1 to `condition`, on [−2, 2] each.

    Parameters
    ----------
    condition : float
        κ, the largest curvature over the smallest.
    dimension : int
        d, up to 10,000 along the axes and 1000 rotated.
    rotation : int, optional
        Seed of a random rotation of the bowl; along the axes if not given.

    Raises
    ------
    TypeError, ValueError
        If the condition number is below 1, or dimension or rotation are not such numbers.
    """
    d = arguments.integer("quadratic: dimension", dimension, high=10_000 if rotation is None else 1000)
    curvatures = np.array([condition]) if d == 1 else np.geomspace(1.0, condition, d)
    if rotation is None:
        return Quadratic(curvatures)
    rng = np.random.default_rng(arguments.integer("quadratic: rotation", rotation, low=0, high=2**63 - 1))
    return Quadratic(curvatures, SCHEMES["orthogonal"](rng, d, d))
