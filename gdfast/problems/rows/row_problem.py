"""What problems with data share: rows of features, one loss a row, a penalty, mini-batches, the optimum.

    objective(w) = mean over rows of l(z, y) + ½ Σ penalty w²

with z the products of a row with the weights of each class. A problem of this family says what l, its slope and its
bend are; all else is here. The compiled form of the same sums is in `_row_lanes`.
"""

import functools
import hashlib
import itertools
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.data import Data, Sampling, Source, load
from gdfast.data.held_out import Rows, parted
from gdfast.formulas.elementary import Array
from gdfast.formulas.noise import uniform_of
from gdfast.formulas.records import packed
from gdfast.problems._data_problem import DataProblem
from gdfast.problems._stationary import StationaryPoint
from gdfast.problems._stepping import LaneKernel, real_of
from gdfast.problems.rows import lanes as _row_lanes

_BLOCK = 2**21  # products computed at a time in NumPy
_NULL = 1e-12  # curvatures below this share of the largest are taken for rounding of zero
_ROUNDING = 4504.0  # units in the last place by which a loss may be off, of the one at the origin
_solutions: dict[bytes, tuple[Array | None, float]] = {}


class RowProblem(DataProblem):
    """A mean over rows of data of a loss of each row's products with the weights, and a penalty of their squares.

    The factories of such problems have these parameters in common:

    data : str, Path, DataFrame, (X, y) or Data
        What to fit: whatever `gdfast.data.load` takes, such as the name of a set, a file, a table of pandas, or
        ``(X, y)``. Its arguments ``target``, ``features``, ``drop``, ``missing``, ``header`` and ``csv`` may stand
        beside it; that features are taken as they are is told by ``load(…)`` itself.
    bias : bool
        Whether a column of ones is put in front.
    batch_size : int, optional
        Rows of each step; all if not given.
    seed : int
        Of the draw.
    sampling : str
        How the rows of steps are drawn, with `batch_size`: ``independent``, each step anew among all rows, or
        ``epochs``, as loaders do: shuffled, taken one batch after another, and shuffled anew when less than a batch is
        left, which is dropped.
    validation : float
        The share of the rows that is held out, in [0, 1): no step learns of them, and a result tells their loss, and
        accuracy where there are classes. They are drawn by the seed, of each class the same share. Features are
        standardized by the other rows alone.

    Parameters
    ----------
    rows : Rows
        Those learned from and held out, with the column for the bias, and their units.
    bias : bool
        Whether the first column is the one for the bias, whose weight is not penalized.
    penalty : float
        Factor of ½‖w‖² in the objective.
    sampling : Sampling
        How the rows of each step are drawn.

    Attributes
    ----------
    X, y : ndarray
        ``float64[m, p]`` and ``float64[m]``.
    products : int
        k, products a row: the weights of class c are the coordinates ``c p`` to ``(c + 1) p``.
    penalty : ndarray
        ``float64[d]``.
    """

    loss_number: ClassVar[int]

    def __init__(self, rows: Rows, bias: bool, penalty: float, sampling: Sampling) -> None:
        data, held_out, units = rows
        super().__init__(data.X, data.y, sampling, None if held_out is None else (held_out.X, held_out.y))
        self.data, self.units, self._bias = data, units, bias
        self.products = self._count_products()
        p = self.X.shape[1]
        penalties = np.full((self.products, p), penalty)
        if bias:
            penalties[:, 0] = 0.0
        self.penalty = penalties.ravel()
        self.layout_of_all = self._layout(0)
        self.lane_kernel = LaneKernel(
            _row_lanes.lane_gradient,
            _row_lanes.lane_objective,
            work_rows=4 * self.products + 4,
            single=True,
            product=_row_lanes.lane_product,
            product_rows=8 * self.products + 3,
            gauss_newton=_row_lanes.lane_product,
            fisher=_row_lanes.lane_fisher,
        )
        at_origin = float(np.abs(self.gradient(np.zeros((p * self.products, 1)))).max())
        self.gradient_scale = at_origin if at_origin > 0 else 1.0

    def _count_products(self) -> int:
        return 1

    @abstractmethod
    def row_losses(self, products: Array, y: Array) -> Array:
        """Return l for products ``float64[k, rows, n]`` and targets ``float64[rows]``: ``float64[rows, n]``."""

    @abstractmethod
    def row_slopes(self, products: Array, y: Array) -> Array:
        """Return the derivative of l by each product, ``float64[k, rows, n]``."""

    @abstractmethod
    def row_bends(self, products: Array, y: Array) -> Array:
        """Return the second derivatives of l by the products, ``float64[k, k, rows, n]``."""

    @abstractmethod
    def row_changes(self, products: Array, changes: Array) -> Array:
        """Return by how much the derivatives change with the products, ``float64[k, rows, n]``: bends times changes."""

    @abstractmethod
    def row_draws(self, products: Array, chances: Array) -> Array:
        """Return the slopes at targets that the products stand for, drawn by ``chances float64[rows, n]`` in (0, 1)."""

    @property
    def dimension(self) -> int:
        """D = k p, the number of weights."""
        return int(self.X.shape[1]) * self.products

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates: the features, with the class in front where each class has weights."""
        features = self.data.features
        if self.products == 1:
            return features
        return tuple(f"{label}: {name}" for label in self.data.classes or () for name in features)

    # The sums. Not matrix products, whose order of summation is the BLAS library's and depends on the number of
    # lanes: the compiled kernel is to agree to the bit, and no result is to depend on the tiles.

    def _rows(self, rows: NDArray[np.int64] | None) -> tuple[Array, Array]:
        return (self.X, self.y) if rows is None else (self.X[rows], self.y[rows])

    def _blocks(self, theta: Array, X: Array, y: Array) -> Iterator[tuple[Array, Array, Array]]:
        """Yield some rows of X at a time, their targets and their products, summed in the order of the columns."""
        weights, real = theta.reshape(self.products, X.shape[1], -1), real_of(theta)
        stride = max(1, _BLOCK // (self.products * max(1, theta.shape[1])))
        for first in range(0, len(X), stride):
            part, targets = (array[first : first + stride].astype(real, copy=False) for array in (X, y))
            products = np.zeros((self.products, len(part), theta.shape[1]), real)
            for j in range(X.shape[1]):
                products += part[:, j, None] * weights[:, None, j]
            yield part, targets, products

    def _objective(self, theta: Array, rows: NDArray[np.int64] | None) -> Array:
        real = real_of(theta)
        penalties = np.zeros(theta.shape[1], real)
        mean = self._mean_of_rows(theta, *self._rows(rows))
        for half, weight in zip((0.5 * self.penalty).astype(real), theta, strict=True):
            penalties += (half * weight) * weight
        return mean + penalties

    def _mean_of_rows(self, theta: Array, X: Array, y: Array) -> Array:
        total, these = np.zeros((2, theta.shape[1]), real_of(theta))
        blocks = (self.row_losses(products, targets) for _, targets, products in self._blocks(theta, X, y))
        for count, loss in enumerate(itertools.chain.from_iterable(blocks), 1):
            these += loss
            if count % _row_lanes.TOGETHER == 0 or count == len(X):
                total += these
                these[:] = 0.0
        mean: Array = total * (1.0 / len(X))
        return mean

    def _loss_on(self, theta: Array, X: Array, y: Array) -> Array:
        return self.loss_per_objective * self._mean_of_rows(theta, X, y)

    def _gradient(self, theta: Array, rows: NDArray[np.int64] | None) -> Array:
        X, y = self._rows(rows)
        slopes = ((part, self.row_slopes(products, targets)) for part, targets, products in self._blocks(theta, X, y))
        return self._mean_of_columns(theta, slopes, len(X))

    def _mean_of_columns(self, weights: Array, of_rows: Iterable[tuple[Array, Array]], rows: int) -> Array:
        """The mean over rows of a row times its factors, ``float64[k, rows, n]``, and the penalty times the weights."""
        real = real_of(weights)
        sums = np.zeros((self.products, self.X.shape[1], weights.shape[1]), real)
        for X, factors in of_rows:
            for features, factor in zip(X, factors.transpose(1, 0, 2), strict=True):
                sums += features[:, None] * factor[:, None]
        found: Array = sums.reshape(weights.shape)
        found *= 1.0 / rows
        found += self.penalty.astype(real)[:, None] * weights
        return found

    def loss(self, theta: Array) -> Array:
        """Return the loss of all rows, ``float64[n]``."""
        return self.loss_per_objective * self.objective(theta)

    def objective(self, theta: Array) -> Array:
        """Return what `gradient` is the gradient of, over all rows, ``float64[n]``."""
        return self._objective(theta, None)

    def gradient(self, theta: Array) -> Array:
        """Return the gradient of `objective`, ``float64[d, n]``, summed in the order of the rows."""
        return self._gradient(theta, None)

    def step_gradient(self, theta: Array, t: int) -> Array:
        """Return the gradient over the rows of step `t`, ``float64[d, n]``."""
        return self._gradient(theta, self.rows(t))

    def step_objective(self, theta: Array, t: int) -> Array:
        """Return the objective over the rows of step `t`, ``float64[n]``."""
        return self._objective(theta, self.rows(t))

    def step_product(self, theta: Array, way: Array, t: int) -> Array:
        """Return the Hessian over the rows of step `t` times `way`, ``float64[d, n]``."""
        X, y = self._rows(self.rows(t))
        both = zip(self._blocks(theta, X, y), self._blocks(way, X, y), strict=True)
        changes = ((part, self.row_changes(products, changes)) for (part, _, products), (_, _, changes) in both)
        return self._mean_of_columns(way, changes, len(X))

    def step_gauss_newton(self, theta: Array, way: Array, t: int) -> Array:
        """Return the same: products are linear in the weights, and the matrix of Gauss and Newton is the Hessian."""
        return self.step_product(theta, way, t)

    def step_fisher(self, theta: Array, seeds: Array, t: int) -> Array:
        """Return the estimate of the diagonal by drawn targets over the rows of step `t`, ``float64[d, n]``."""
        X, y = self._rows(self.rows(t))

        def slopes() -> Iterator[tuple[Array, Array]]:
            first = 0
            for part, _, products in self._blocks(theta, X, y):
                chances = uniform_of(seeds, np.arange(first, first + len(part))[:, None]).astype(products.dtype)
                yield part, self.row_draws(products, chances)
                first += len(part)

        with np.errstate(over="ignore"):  # integers wrap around
            mean = self._mean_of_columns(np.zeros_like(theta), slopes(), len(X))
        return np.asarray(float(len(X)) * (mean * mean))

    def hessian(self, theta: Array) -> Array:
        """Return the Hessians of `objective`, ``float64[d, d, n]``."""
        (m, p), k = self.X.shape, self.products
        sums = np.zeros((k, p, k, p, theta.shape[1]))
        for X, y, products in self._blocks(theta, self.X, self.y):
            bends = self.row_bends(products, y)
            for a, b, lane in np.ndindex(k, k, theta.shape[1]):
                sums[a, :, b, :, lane] += (X.T * bends[a, b, :, lane]) @ X
        hessian: Array = sums.reshape(k * p, k * p, -1) / m
        hessian[np.arange(k * p), np.arange(k * p)] += self.penalty[:, None]
        return hessian

    def predict(self, theta: Array, X: Any = None) -> NDArray[Any]:
        """Return what is expected of rows at points, ``float64[rows, n]``.

        Parameters
        ----------
        theta : ndarray
            Points, ``float64[d, n]`` or ``float64[d]``.
        X : array_like, mapping or DataFrame, optional
            New rows, ``(rows, p)`` with the features of the data in their order and units, or columns by name; the
            rows learned from if not given.

        Raises
        ------
        TypeError, ValueError
            If the rows do not have the features, or a value is not finite.
        """
        return np.asarray(self._products(theta, self._entered(X))[0])

    def _entered(self, X: Any) -> Array:
        """New rows with the column for the bias, or the rows learned from."""
        if X is None:
            return self.X
        rows = self.units.entered(X)
        return np.concatenate([np.ones((len(rows), 1)), rows], axis=1) if self._bias else rows

    def _products(self, theta: Array, X: Array) -> Array:
        return np.concatenate([products for _, _, products in self._blocks(theta, X, X[:, 0])], axis=1)

    def _lane_numbers(self) -> Array:
        return np.concatenate([self.X.ravel(), self.y, self.penalty])

    def _layout_of_steps(self) -> NDArray[np.int64]:
        return self._layout(self.batch_size or 0)

    def _layout(self, batch: int) -> NDArray[np.int64]:
        shape = (*self.X.shape, self.products, self.loss_number, batch)
        return packed(np.array(shape, dtype=_row_lanes.SHAPE))

    # What is known: the optimum, and whether an end point is at it.

    @functools.cached_property
    def _solution(self) -> tuple[Array | None, float]:
        """The optimum (None if there is no finite one) and the infimum of the objective."""
        # Kept by content: a process of a pool makes the problem again for each tile.
        parts = (self.X, self.y, self.penalty)
        key = hashlib.sha256(b"".join([bytes([self.loss_number]), *(part.tobytes() for part in parts)])).digest()
        if key not in _solutions:
            if len(_solutions) >= 32:
                _solutions.clear()
            _solutions[key] = self._solve()
        return _solutions[key]

    @property
    def optimum(self) -> Array | None:
        """The minimizer, ``float64[d]``, the one of smallest norm of a whole flat; None if there is no finite one."""
        return self._solution[0]

    @property
    def lowest_objective(self) -> float:
        """The infimum of the objective, reached or not."""
        return self._solution[1]

    @functools.cached_property
    def curvatures(self) -> Array:
        """Eigenvalues of the Hessian at the optimum, ascending; none where there is no optimum."""
        if self.optimum is None:
            return np.empty(0)
        return np.asarray(np.linalg.eigvalsh(self.hessian(self.optimum[:, None])[..., 0]), dtype=np.float64)

    @functools.cached_property
    def domain(self) -> Array:  # type: ignore[override]
        """Twice the largest weight of the optimum; without one, weights that give rows products of some 10."""
        if self.optimum is not None:
            reach = 2 * max(float(np.abs(self.optimum).max()), float(np.finfo(float).tiny))
        else:
            reach = 10 / float(np.sqrt(np.mean(self.X * self.X)))
        return np.tile([-reach, reach], (self.dimension, 1))

    def _solve(self) -> tuple[Array | None, float]:
        """Find the optimum by Newton's method with backtracking."""
        theta = np.zeros((self.dimension, 1))
        # Coordinates scaled to the same curvature, so that what is called flat does not depend on units.
        bend = self.hessian(theta)[..., 0]
        curvature = np.diag(bend).copy()
        unit = 1.0 / np.sqrt(np.where(curvature > 0, curvature, 1.0))
        rank = self._rank(bend, unit)
        objective, slope = self.objective(theta)[0], self.gradient(theta)
        with np.errstate(over="ignore"):
            for _ in range(200):
                step = self._newton_step(bend, slope[:, 0], unit)[:, None]
                decrease = float((slope * step).sum())
                length = 1.0
                while length > 1e-10:
                    there = theta - length * step
                    reached = self.objective(there)[0]
                    # Near the optimum the objective is all rounding: the gradient judges there.
                    if decrease < 1e-12 * abs(objective) or reached <= objective - 0.1 * length * decrease:
                        break
                    length *= 0.5
                next_slope = self.gradient(there)
                if decrease < 1e-12 * abs(objective) and np.abs(next_slope).max() > 0.5 * np.abs(slope).max():
                    break
                theta, objective, slope = there, reached, next_slope
                bend = self.hessian(theta)[..., 0]
                if self._separates(theta):
                    return None, 0.0
        # At a minimum the Hessian vanishes only in directions that change no product, and so at the origin as well.
        return (theta[:, 0], float(objective)) if self._rank(bend, unit) == rank else (None, float(objective))

    @staticmethod
    def _rank(bend: Array, unit: Array) -> int:
        values = np.linalg.eigvalsh(unit[:, None] * bend * unit)
        return int((values > _NULL * max(values[-1], 0.0)).sum())

    @staticmethod
    def _newton_step(bend: Array, slope: Array, unit: Array) -> Array:
        values, vectors = np.linalg.eigh(unit[:, None] * bend * unit)
        inverse = np.where(values > _NULL * values[-1], 1.0 / np.where(values > 0, values, 1.0), 0.0)
        step: Array = unit * (vectors @ (inverse * (vectors.T @ (unit * slope))))
        return step

    def _separates(self, theta: Array) -> bool:
        """Tell whether going on in the direction of `theta` (``float64[d, 1]``) takes the loss of every row to 0."""
        return False

    @functools.cached_property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """The optimum, one of a whole flat of optima where curvatures are zero; none if there is no finite one."""
        if self.optimum is None:
            return ()
        loss = float(self.loss(self.optimum[:, None])[0])
        flattest = float(np.abs(self.curvatures).min())
        return (StationaryPoint(tuple(self.optimum.tolist()), "minimum", loss, flattest),)

    def locate(self, theta: Array, loss: Array, gradient_tolerance: float) -> NDArray[np.int64]:
        """Tell whether each end point is at the optimum, by its loss; the loss is convex."""
        if self.optimum is None:
            return np.full(theta.shape[1], -1)
        # With gradient g the objective's excess is ½ gᵀH⁺g to first order, at most ½ d tolerance² / the smallest
        # curvature; directions without curvature have no gradient. Twice that allows for higher orders.
        positive = self.curvatures[self.curvatures > _NULL * self.curvatures[-1]]
        excess = self.dimension * gradient_tolerance**2 / positive[0] if len(positive) else 0.0
        rounding = (
            _ROUNDING
            * float(np.finfo(real_of(theta)).eps)
            * max(float(self.loss(np.zeros((self.dimension, 1)))[0]), 1e-300)
        )
        highest = self.stationary_points[0].loss + self.loss_per_objective * excess + rounding
        return np.where(loss <= highest, 0, -1)


class Classification(RowProblem):
    """A row problem whose targets are classes."""

    has_classes = True

    def predict(self, theta: Array, X: Any = None) -> NDArray[np.int64]:
        """Return the class that each row is given, its number ``int64[rows, n]``; of new rows X see `RowProblem`."""
        return self._classes_of(theta, self._entered(X))

    def _classes_of(self, theta: Array, X: Array) -> NDArray[np.int64]:
        products = self._products(theta, X)
        return np.argmax(products, axis=0) if self.products > 1 else np.where(products[0] > 0, 1, 0)


def rows_of(
    problem: str, prepare: Callable[[Data], Data], data: Source, bias: bool, validation: float, seed: int
) -> Rows:
    """Return the rows that a problem's parameters ask for: those to learn from, those that are held out, their units.

    Parameters
    ----------
    problem : str
        Name of the problem, for errors.
    prepare : callable
        What is done to the target.
    data, bias, validation, seed
        The problem's parameters.

    Raises
    ------
    TypeError, ValueError
        If the data cannot be used.
    """
    try:
        source = load(data)
        if source.y.ndim != 1:
            raise ValueError(f"data: y must have shape (m,), one target a row, not {source.y.shape}")
        rows = prepare(source)
        labels = None if rows.classes is None else rows.y
        return parted(rows, arguments.flag("bias", bias), validation, seed, labels)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{problem}: {error}") from None
