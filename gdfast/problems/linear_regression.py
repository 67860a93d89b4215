"""Linear regression by least squares.

    loss(w) = mean((X w − y)²),   gradient used: Xᵀ(X w − y) / m,   Hessian of that gradient: XᵀX / m

The gradient is that of half the reported loss, as textbooks have it: learning-rate limits are 2/λ with λ the
largest eigenvalue of XᵀX/m. The default data are the four points (1, 2), (2, 3.8), (3, 5.9), (4, 7.8) with a
column of ones for the bias.
"""

import functools
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gdfast.elementary import Array
from gdfast.named import named
from gdfast.problems._problem import LaneKernel, Problem
from gdfast.problems._stationary import StationaryPoint

DEFAULT_X = ((1.0, 1.0), (1.0, 2.0), (1.0, 3.0), (1.0, 4.0))
DEFAULT_Y = (2.0, 3.8, 5.9, 7.8)


def lane_residual(theta, residual, i, n, data, layout):
    m, p = layout[0], layout[1]
    for lane in range(n):
        residual[lane] = data[i * p] * theta[0, lane]
    for j in range(1, p):
        for lane in range(n):
            residual[lane] += data[i * p + j] * theta[j, lane]
    for lane in range(n):
        residual[lane] -= data[m * p + i]


def lane_gradient(theta, grad, work, n, data, layout, t):
    m, p = layout[0], layout[1]
    for j in range(p):
        for lane in range(n):
            grad[j, lane] = 0.0
    residual = work[0]
    for i in range(m):
        lane_residual(theta, residual, i, n, data, layout)
        for j in range(p):
            for lane in range(n):
                grad[j, lane] += data[i * p + j] * residual[lane]
    for j in range(p):
        for lane in range(n):
            grad[j, lane] /= m


def lane_objective(theta, out, work, n, data, layout, t):
    for lane in range(n):
        out[lane] = 0.0
    residual = work[0]
    for i in range(layout[0]):
        lane_residual(theta, residual, i, n, data, layout)
        for lane in range(n):
            out[lane] += residual[lane] * residual[lane]
    for lane in range(n):
        out[lane] = 0.5 * (out[lane] / layout[0])


class LinearRegression(Problem):
    """Least squares on a design matrix ``X (m, p)`` and targets ``y (m)``.

    Attributes
    ----------
    X, y : ndarray
        The data, float64.
    curvatures : ndarray
        Eigenvalues of XᵀX/m, ascending; gradient descent converges for rates below 2/curvatures[-1].
    optimum : ndarray
        The least-squares solution of smallest norm, ``float64[p]``.
    """

    lane_kernel = LaneKernel(lane_gradient, lane_objective, work_rows=1)

    def __init__(self, X: Array, y: Array) -> None:
        self.X, self.y = X, y
        self.curvatures = np.asarray(np.linalg.eigvalsh(X.T @ X / len(y)), dtype=np.float64)
        self.optimum = np.asarray(np.linalg.lstsq(X, y, rcond=None)[0], dtype=np.float64)
        at_origin = float(np.abs(X.T @ y).max() / len(y))
        self.gradient_scale = at_origin if at_origin > 0 else 1.0
        reach = 2 * max(float(np.abs(self.optimum).max()), np.finfo(float).tiny)
        self.domain = np.tile([-reach, reach], (X.shape[1], 1))

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates: w0, w1 and so on."""
        return tuple(f"w{j}" for j in range(self.dimension))

    def loss(self, theta: Array) -> Array:
        """Return mean((X w − y)²) for each lane, ``float64[n]``."""
        residual = self._residual(theta)
        total = np.zeros(theta.shape[1])
        for row in residual:
            total += row * row
        return total / len(self.X)

    def objective(self, theta: Array) -> Array:
        """Return half the loss, which is what `gradient` is the gradient of, ``float64[n]``."""
        return 0.5 * self.loss(theta)

    def gradient(self, theta: Array) -> Array:
        """Return Xᵀ(X w − y)/m, ``float64[p, n]``, summed in the order of the rows."""
        residual = self._residual(theta)
        grad = np.zeros_like(theta)
        for features, row in zip(self.X, residual, strict=True):
            grad += features[:, None] * row
        grad /= len(self.X)
        return grad

    def _residual(self, theta: Array) -> Array:
        """Return X w − y, ``float64[m, n]``, summed in the order of the columns."""
        # Not a matrix product, whose order of summation is the BLAS library's and depends on the number of lanes:
        # the compiled kernel is to agree to the bit, and no result is to depend on the tiles.
        X = self.X
        residual: Array = X[:, :1] * theta[0]
        for j in range(1, X.shape[1]):
            residual += X[:, j : j + 1] * theta[j]
        residual -= self.y[:, None]
        return residual

    def hessian(self, theta: Array) -> Array:
        """Return XᵀX/m for every lane, ``float64[p, p, n]``."""
        matrix = self.X.T @ self.X / len(self.y)
        return np.repeat(matrix[:, :, None], theta.shape[1], axis=2)

    @functools.cached_property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """The optimum; with collinear columns, the one of smallest norm of a whole flat of optima."""
        loss = float(self.loss(self.optimum[:, None])[0])
        return (StationaryPoint(tuple(self.optimum.tolist()), "minimum", loss, float(self.curvatures[0])),)

    def locate(self, theta: Array, loss: Array, gradient_tolerance: float) -> NDArray[np.int64]:
        """Tell whether each end point is at the optimum, by its loss; the loss is convex."""
        # With gradient g the excess of the half loss is ½ gᵀH⁺g; rank-deficient directions have no gradient.
        positive = self.curvatures[self.curvatures > 1e-12 * self.curvatures[-1]]
        excess = self.dimension * gradient_tolerance**2 / positive[0] if len(positive) else 0.0
        rounding = 1e-12 * max(float(np.mean(self.y * self.y)), 1e-300)
        return np.where(loss <= self.stationary_points[0].loss + 2 * excess + rounding, 0, -1)

    @functools.cached_property
    def _lane_data(self) -> tuple[Array, NDArray[np.int64]]:
        return np.concatenate([self.X.ravel(), self.y]), np.array(self.X.shape, dtype=np.int64)

    def lane_data(self, max_steps: int) -> tuple[Array, NDArray[np.int64]]:
        """Return X row by row, then y; and the shape of X."""
        return self._lane_data


@named()
def linear_regression(X: ArrayLike = DEFAULT_X, y: ArrayLike = DEFAULT_Y) -> LinearRegression:
    """Linear regression by least squares.

    Parameters
    ----------
    X : array_like, (m, p)
        Design matrix; put in a column of ones for a bias.
    y : array_like, (m,)
        Targets.

    Raises
    ------
    ValueError
        If the shapes do not fit each other, there is no row, or a value is not a finite number.
    """
    design, target = _finite("X", X), _finite("y", y)
    if design.ndim != 2 or target.ndim != 1 or len(design) != len(target) or design.size == 0:
        raise ValueError(
            f"linear_regression: X and y must have shapes (m, p) and (m,) with m, p >= 1, "
            f"not {design.shape} and {target.shape}"
        )
    return LinearRegression(design, target)


def _finite(name: str, values: Any) -> Array:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"linear_regression: {name} must be an array of numbers") from None
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"linear_regression: {name}{list(where)} is {array[where]}, but must be finite")
    return array
