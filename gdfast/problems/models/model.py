"""A model of one's own on rows of data: what it is as a problem, and where its loss is lowest."""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast.data import Sampling
from gdfast.data.held_out import Rows
from gdfast.formulas.elementary import Array
from gdfast.formulas.records import packed
from gdfast.problems._data_problem import DataProblem
from gdfast.problems._stationary import StationaryPoint, is_inside, nearest
from gdfast.problems.models import solving
from gdfast.problems.models.lanes import SHAPE
from gdfast.problems.models.losses import CLASSES, LOSSES, SMOOTH, best_constant
from gdfast.problems.models.reading import Model, computed, split
from gdfast.problems.models.sums import RowSums, is_linear

DEFAULT_RANGE = 5.0
_STARTS, _FEW_ROWS, _MOST_MINIMA = 64, 512, 8
_FEW_ROUNDS, _MANY_ROUNDS = 50, 100
_WIDTHS = {  # of losses that have one, and for which it is not their own, in turn
    "huber": (1e3, 1e2, 1e1, 1.0),
    "absolute": tuple(10.0**-k for k in range(-2, 10)),
    "hinge": tuple(10.0**-k for k in range(-2, 10)),
}
_AT_POINT = 1e-2  # share of the domain's width within which a stationary end is at a known point
_solutions: dict[bytes, tuple[StationaryPoint, ...]] = {}


@dataclass(frozen=True)
class Fit:
    """How a model is fitted.

    Attributes
    ----------
    model : Model
        The formula.
    order : tuple of str
        The parameters, in the order of the coordinates.
    loss : str
        Name of the loss of a row.
    delta : float
        δ of ``huber``.
    l2 : float
        The penalty.
    domain : mapping
        Lowest and highest value of the parameters that have been given one.
    """

    model: Model
    order: tuple[str, ...]
    loss: str
    delta: float
    l2: float
    domain: Mapping[str, tuple[float, float]]


class ModelProblem(DataProblem):
    """A mean over rows of a loss of a model's value; see `gdfast.problems.from_model`.

    Parameters
    ----------
    fit : Fit
        How it is fitted.
    rows : Rows
        Those learned from and held out, whose targets are numbers, or classes 0 and 1, and their units.
    sampling : Sampling
        How the rows of each step are drawn.

    Attributes
    ----------
    is_convex : bool
        Whether the loss is convex, so that `optimum` is the lowest of all; otherwise it is the lowest that was found.
    """

    def __init__(self, fit: Fit, rows: Rows, sampling: Sampling) -> None:
        data, held_out, units = rows
        super().__init__(data.X, data.y, sampling, None if held_out is None else (held_out.X, held_out.y))
        self.fit, self.data, self.units = fit, data, units
        self._split = split(fit.model, fit.order)
        self._sums = RowSums(self._split, LOSSES[fit.loss], fit.l2)
        self._table = self._table_of(data.X, data.y)
        self.lane_kernel = self._sums.lane_kernel
        self.layout_of_all = self._layout(0)
        self.is_convex = is_linear(self._split)

    @property
    def dimension(self) -> int:
        """D, the number of parameters."""
        return len(self.fit.order)

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return self.fit.order

    # Rows.

    def _table_of(self, X: Array, y: Array) -> Array:
        """What a row's loss reads, ``float64[rows, k]``: what is computed of columns, the target, and δ."""
        target = 1.0 - 2.0 * y if self.has_classes else y
        width = self.fit.delta if self.fit.loss == "huber" else 0.0
        return np.column_stack([self._computed(X), target, np.full(len(X), width)])

    def _computed(self, X: Array) -> Array:
        features = self.data.features
        columns = [X[:, features.index(name)] for name in self.fit.model.columns.values()]
        return computed(self._split.parts, columns, len(X))

    def _rows_at(self, t: int) -> Array:
        rows = self.rows(t)
        return self._table if rows is None else self._table[rows]

    def _lane_numbers(self) -> Array:
        return np.append(self._table.ravel(), self.fit.l2)

    def _layout_of_steps(self) -> NDArray[np.int64]:
        return self._layout(self.batch_size or 0)

    def _layout(self, batch: int) -> NDArray[np.int64]:
        return packed(np.array((len(self._table), batch), dtype=SHAPE))

    # The loss and what the model says of rows.

    def loss(self, theta: Array) -> Array:
        """Return the loss of all rows, with the penalty, ``float64[n]``."""
        return self._sums.loss(theta, self._table)

    def gradient(self, theta: Array) -> Array:
        """Return its gradient, ``float64[d, n]``, summed in the order of the rows."""
        return self._sums.gradient(theta, self._table)

    def hessian(self, theta: Array) -> Array:
        """Return its Hessians, ``float64[d, d, n]``."""
        return self._sums.hessian(theta, self._table)

    def step_gradient(self, theta: Array, t: int) -> Array:
        """Return the gradient over the rows of step `t`, ``float64[d, n]``."""
        return self._sums.gradient(theta, self._rows_at(t))

    def step_objective(self, theta: Array, t: int) -> Array:
        """Return the loss over the rows of step `t`, ``float64[n]``."""
        return self._sums.loss(theta, self._rows_at(t))

    def step_product(self, theta: Array, way: Array, t: int) -> Array:
        """Return the Hessian over the rows of step `t` times `way`, ``float64[d, n]``."""
        return self._sums.product(theta, way, self._rows_at(t))

    def step_gauss_newton(self, theta: Array, way: Array, t: int) -> Array:
        """Return the matrix of Gauss and Newton over the rows of step `t` times `way`, ``float64[d, n]``."""
        return self._sums.gauss_newton(theta, way, self._rows_at(t))

    @property
    def has_classes(self) -> bool:
        """Whether rows have a class: where the loss is ``logistic`` or ``hinge``."""
        return self.fit.loss in CLASSES

    def _loss_on(self, theta: Array, X: Array, y: Array) -> Array:
        return self._sums.mean(theta, self._table_of(X, y))

    def _classes_of(self, theta: Array, X: Array) -> NDArray[np.int64]:
        return (self._outputs(theta, X) > 0).astype(np.int64)

    def _outputs(self, theta: Array, X: Array) -> Array:
        return self._sums.outputs(theta, self._computed(X))

    def outputs(self, theta: Array, X: Any = None) -> Array:
        """Return the values of the model, ``float64[rows, n]``; see `predict` for its arguments.

        They are the logarithm of the odds of the second class for ``logistic``, that of the count for ``poisson``.
        """
        return self._outputs(
            theta, self.X if X is None else self.units.entered(X, set(self.fit.model.columns.values()))
        )

    def predict(self, theta: Array, X: Any = None) -> NDArray[Any]:
        """Return what is expected of rows at points: numbers ``float64[rows, n]``, or classes ``int64[rows, n]``.

        Parameters
        ----------
        theta : ndarray
            Points, ``float64[d, n]`` or ``float64[d]``.
        X : array_like, mapping or DataFrame, optional
            The rows, ``(rows, p)`` with all columns of the data in their order and units, or columns by name; the
            problem's own rows if not given.

        Raises
        ------
        TypeError, ValueError
            If the rows do not have the columns, or a value is not finite.
        """
        z = self.outputs(theta, X)
        if self.has_classes:
            return (z > 0).astype(np.int64)
        return np.exp(z) if self.fit.loss == "poisson" else z

    # What is known: minima.

    @functools.cached_property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """The minima that were found, lowest loss first; none where the loss falls without reaching one."""
        # Kept by content: a process of a pool makes the problem again for each tile.
        fit = self.fit
        told = repr((fit.model.text, fit.order, fit.loss, fit.delta, fit.l2, sorted(fit.domain.items())))
        key = hashlib.sha256(told.encode() + self._table.tobytes()).digest()
        if key not in _solutions:
            if len(_solutions) >= 32:
                _solutions.clear()
            _solutions[key] = self._found_minima()
        return _solutions[key]

    @property
    def optimum(self) -> Array | None:
        """The parameters of the lowest minimum that was found, ``float64[d]``; None if none was."""
        return np.array(self.stationary_points[0].point) if self.stationary_points else None

    def _found_minima(self) -> tuple[StationaryPoint, ...]:
        if self.is_convex:
            starts = np.zeros((self.dimension, 1))
        else:
            # The lowest of many short descents on few rows, evenly taken, are gone on with on all.
            few = self._table[np.unique(np.linspace(0, len(self._table) - 1, _FEW_ROWS).astype(np.int64))]
            (surface, *_), scale = self._surfaces(few), self._scale
            starts = self._many_starts()
            starts, losses, _ = solving.descend(
                surface, starts, scale, solving.sizes(surface, starts, scale), _FEW_ROUNDS
            )
            starts = starts[:, solving.distinct(starts, losses, _MOST_MINIMA)]
        theta, losses = self._descend(starts)
        found = []
        for place in solving.distinct(theta, losses, _MOST_MINIMA):
            point = theta[:, place]
            flattest = float(np.abs(np.linalg.eigvalsh(self.hessian(point[:, None])[..., 0])).min())
            found.append(StationaryPoint(tuple(point.tolist()), "minimum", float(losses[place]), flattest))
        return tuple(found)

    @property
    def _scale(self) -> float:
        return abs(self._constant_loss) or 1.0

    def _surfaces(self, table: Array) -> list[solving.Surface]:
        """The loss of a table; where it has kinks, losses without that come ever nearer to it."""
        loss = self.fit.loss
        sums = RowSums(self._split, SMOOTH[loss], self.fit.l2) if loss in SMOOTH else self._sums
        unit = {"huber": self.fit.delta, "hinge": 1.0}.get(loss, self._scale)
        tables = [table.copy() for _ in _WIDTHS.get(loss, (0.0,))]
        for one, width in zip(tables, _WIDTHS.get(loss, (0.0,)), strict=True):
            one[:, -1] = width * unit
        return [sums.on(one) for one in tables]

    def _descend(self, theta: Array) -> tuple[Array, Array]:
        """Return the minima below points, of all losses that come nearer to that of all rows, and their losses."""
        surfaces = self._surfaces(self._table)
        size = solving.sizes(surfaces[0], self._many_starts(), self._scale)
        for surface in surfaces:
            theta, _, are_minima = solving.descend(surface, theta, self._scale, size, _MANY_ROUNDS)
            theta = theta[:, are_minima]
        return theta, self._sums.loss(theta, self._table)

    def _many_starts(self) -> Array:
        """Where the search begins, ``float64[d, n]``: all over the domain that is given, of all sizes otherwise."""
        rng, d = np.random.default_rng(0), self.dimension
        theta = rng.normal(size=(d, _STARTS)) * 10.0 ** rng.uniform(-3, 1, (1, _STARTS))
        theta[:, 0], theta[:, 1] = 0.0, 1.0
        for i, name in enumerate(self.fit.order):
            if name in self.fit.domain:
                low, high = self.fit.domain[name]
                theta[i] = low + (high - low) * rng.random(_STARTS)
        return np.asarray(theta)

    @functools.cached_property
    def domain(self) -> Array:  # type: ignore[override]
        """What is given; of other parameters, from −r to r, r twice the optimum's and what changes the loss much."""
        reach = self._reach() if len(self.fit.domain) < self.dimension else np.zeros(self.dimension)
        pairs = [self.fit.domain.get(name, (-r, r)) for name, r in zip(self.fit.order, reach.tolist(), strict=True)]
        return np.array(pairs)

    def _reach(self) -> Array:
        """How far from 0 starts of each parameter are, ``float64[d]``.

        Twice as far as the optimum and as from there to where the loss, of that parameter alone, has risen by that of
        the best constant.
        """
        best, d = self.optimum, self.dimension
        if best is None:
            return np.full(d, DEFAULT_RANGE)
        rises = np.zeros((d, len(_DISTANCES)))
        base = float(self.loss(best[:, None])[0])
        with np.errstate(all="ignore"):
            for i in range(d):
                beside = np.repeat(best[:, None], 2 * len(_DISTANCES), axis=1)
                beside[i] += np.concatenate([_DISTANCES, -_DISTANCES])
                rises[i] = np.nan_to_num(self.loss(beside).reshape(2, -1).max(axis=0) - base, nan=np.inf)
        is_far = rises > self.loss_scale_of(base)
        steepness = np.where(is_far.any(axis=1), _DISTANCES[is_far.argmax(axis=1)], DEFAULT_RANGE)
        return 2.0 * np.maximum(np.abs(best), steepness)

    def settled(self, end: Array) -> tuple[float, ...] | None:
        """Return the minimum inside the domain to which Newton's method leads from an end point ``(d,)``, if any."""
        theta, losses = self._descend(np.asarray(end, dtype=np.float64)[:, None])
        lowest_first = np.argsort(losses, kind="stable")
        points = [StationaryPoint(tuple(theta[:, i].tolist()), "minimum", losses[i], np.inf) for i in lowest_first]
        return next((point.point for point in points if is_inside(point, self.domain)), None)

    def locate(self, theta: Array, loss: Array, gradient_tolerance: float) -> NDArray[np.int64]:
        """Tell which of the minima each stationary end point is at: within a hundredth of the domain's widths."""
        points = self._in_widths(self.stationary_points)
        return nearest(points, theta / self._width, np.full(len(points), _AT_POINT))

    def nearest_minimum(self, theta: Array) -> NDArray[np.int64]:
        """Return the basin of the minimum that is nearest, in widths of the domain, to each of ``theta (d, n)``."""
        return np.maximum(nearest(self._in_widths(self.minima), theta / self._width), 0)

    @property
    def _width(self) -> Array:
        return np.asarray(np.ptp(self.domain, axis=1)[:, None])

    def _in_widths(self, points: tuple[StationaryPoint, ...]) -> list[StationaryPoint]:
        widths = self._width[:, 0]
        return [replace(p, point=tuple((np.array(p.point) / widths).tolist())) for p in points]

    @functools.cached_property
    def _constant_loss(self) -> float:
        return best_constant(self.fit.loss, self.y, self.fit.delta)

    def loss_scale_of(self, lowest: float) -> float:
        """By how much the best constant's loss is above the lowest; that loss itself, or 1, where it is not."""
        above = self._constant_loss - lowest
        return above if above > 1e-12 * abs(lowest) else abs(self._constant_loss) or 1.0

    @functools.cached_property
    def loss_scale(self) -> float:
        """By how much the loss of the best value that is the same for all rows is above the lowest."""
        return self.loss_scale_of(self.lowest) if np.isfinite(self.lowest) else abs(self._constant_loss) or 1.0


_DISTANCES = np.geomspace(1e-12, 1e12, 49)
