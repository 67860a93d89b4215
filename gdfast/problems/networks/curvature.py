"""How a network's loss bends: its Hessian, and products of it with vectors."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.problems._curvature import Products, by_products
from gdfast.problems._data_problem import DataProblem
from gdfast.problems.networks.arithmetic import Ordered
from gdfast.problems.networks.passes import Network
from gdfast.problems.networks.products import HessianProducts

_DIFFERENCE = 1e-5  # step of the Hessian's differences


class NetworkCurvature(DataProblem):
    """What a network's loss tells of its second derivatives."""

    network: Network

    def hessian(self, theta: Array) -> Array:
        """Return the Hessians ``float64[d, d, n]``, by central differences of the gradient, made symmetric.

        They are good to some nine digits for smooth activations; across a kink of relu they are not a derivative.
        """
        step = np.eye(self.dimension)[:, :, None] * _DIFFERENCE
        rows = np.stack([(self.gradient(theta + s) - self.gradient(theta - s)) / (2 * _DIFFERENCE) for s in step])
        return 0.5 * (rows + rows.swapaxes(0, 1))

    def step_product(self, theta: Array, way: Array, t: int) -> Array:
        """Return the Hessian over the rows of step `t` times `way`, ``float64[d, n]``, summed as the kernel does.

        Across kinks of activations and of l1's penalty it is that of both sides.
        """
        return self._products_of_step(HessianProducts.__call__, theta, way, t)

    def step_gauss_newton(self, theta: Array, way: Array, t: int) -> Array:
        """Return the matrix of Gauss and Newton over the rows of step `t` times `way`, ``float64[d, n]``, likewise."""
        return self._products_of_step(HessianProducts.gauss_newton, theta, way, t)

    def step_fisher(self, theta: Array, seeds: Array, t: int) -> Array:
        """Return the estimate of the diagonal by drawn targets over the rows of step `t`, ``float64[d, n]``."""
        X, _ = self._rows_of_step(t)
        ends = np.cumsum([block.shape[1] for block in self._lanes(theta, len(X))])[:-1]
        blocks = zip(self._lanes(theta, len(X)), np.split(seeds, ends), strict=True)
        with np.errstate(over="ignore"):  # integers wrap around
            return np.concatenate([self.network.fisher(a, X, own, Ordered()) for a, own in blocks], axis=1)

    def _products_of_step(self, product: Any, theta: Array, way: Array, t: int) -> Array:
        X, y = self._rows_of_step(t)
        along = np.split(way, np.cumsum([block.shape[1] for block in self._lanes(theta, len(X))])[:-1], axis=1)
        blocks = zip(self._lanes(theta, len(X)), along, strict=True)
        parts = [product(HessianProducts(self.network, a.T, X, y, Ordered()), b.T) for a, b in blocks]
        return np.concatenate(parts).T

    def _rows_of_step(self, t: int) -> tuple[Array, Array]:
        rows: NDArray[np.int64] | None = self.rows(t)
        return (self.X, self.y) if rows is None else (self.X[rows], self.y[rows])

    def step_sharpness(self, theta: Array, t: int) -> Array:
        """Return the sharpness of `step_objective` at step `t`, that of the step's own rows, ``float64[n]``."""
        X, y = self._rows_of_step(t)
        return by_products(lambda points: HessianProducts(self.network, points, X, y), theta)

    @property
    def _hessian_products(self) -> Products | None:
        return lambda points: HessianProducts(self.network, points, self.X, self.y)

    def _lanes(self, theta: Array, rows: int) -> Iterator[Array]:
        raise NotImplementedError
