"""Sums of one formula over the coordinates, or over neighbouring pairs of them, in any number of dimensions.

    f(x) = Σᵢ p(xᵢ)        or        f(x) = Σᵢ p(xᵢ, xᵢ₊₁)

The part p is a landscape of one or two coordinates. Up to 8 coordinates the sum is a `Landscape` whose formulas are
written out; beyond, it is a `Sum` with a lane kernel of loops. In a sum over single coordinates the stationary
points are all combinations of those of p.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.formulas.derivatives import NoDerivativeError, product_of
from gdfast.formulas.elementary import Array
from gdfast.formulas.families import coordinate_names, define
from gdfast.formulas.formula import Formula
from gdfast.formulas.lane_products import independent
from gdfast.problems._landscape import LARGEST_LANDSCAPE, Landscape
from gdfast.problems._problem import Problem
from gdfast.problems._stationary import StationaryPoint
from gdfast.problems._stepping import LaneKernel, real_of

_LARGEST_LIST = 16_000  # stationary points that are listed one by one
_AT_A_TIME = 2**15  # windows of trajectories whose parts are in a core's cache together
LARGEST_DIMENSION = 10_000


@functools.cache
def _lane_kernel(loss_formula: Callable[..., Any], gradient_formula: Callable[..., Any], width: int) -> LaneKernel:
    """The lane kernel of the sum of a part that has `width` coordinates, in the order of the windows."""
    loss = Formula.of(loss_formula, 1).reading("float64")
    gradient = Formula.of(gradient_formula, width).reading("float64")

    def gradient_of_single(theta, grad, work, n, data, layout, t):
        for i in range(theta.shape[0]):
            for lane in range(n):
                grad[i, lane] = gradient(theta[i, lane])
                independent()

    def objective_of_single(theta, out, work, n, data, layout, t):
        for lane in range(n):
            out[lane] = 0.0
            independent()
        for i in range(theta.shape[0]):
            for lane in range(n):
                out[lane] += loss(theta[i, lane])
                independent()

    def gradient_of_pairs(theta, grad, work, n, data, layout, t):
        for lane in range(n):
            grad[0, lane] = 0.0
            independent()
        for i in range(theta.shape[0] - 1):
            for lane in range(n):
                along, across = gradient(theta[i, lane], theta[i + 1, lane])
                grad[i, lane] += along
                grad[i + 1, lane] = across
                independent()

    def objective_of_pairs(theta, out, work, n, data, layout, t):
        for lane in range(n):
            out[lane] = 0.0
            independent()
        for i in range(theta.shape[0] - 1):
            for lane in range(n):
                out[lane] += loss(theta[i, lane], theta[i + 1, lane])
                independent()

    try:
        product: Any = Formula.of(product_of(gradient_formula, width), width).reading("float64")
    except NoDerivativeError:
        product = None

    def product_of_single(theta, way, out, work, n, data, layout, t):
        for i in range(theta.shape[0]):
            for lane in range(n):
                out[i, lane] = product(theta[i, lane], way[i, lane])
                independent()

    def product_of_pairs(theta, way, out, work, n, data, layout, t):
        for lane in range(n):
            out[0, lane] = 0.0
            independent()
        for i in range(theta.shape[0] - 1):
            for lane in range(n):
                along, across = product(theta[i, lane], theta[i + 1, lane], way[i, lane], way[i + 1, lane])
                out[i, lane] += along
                out[i + 1, lane] = across
                independent()

    single, pairs = (
        (gradient_of_single, objective_of_single, product_of_single),
        (gradient_of_pairs, objective_of_pairs, product_of_pairs),
    )
    of_gradient, of_objective, of_product = single if width == 1 else pairs
    return LaneKernel(of_gradient, of_objective, work_rows=0, single=True, product=of_product if product else None)


class Combinations(Problem):
    """What a sum over single coordinates knows of its stationary points: the combinations of those of its part.

    Up to 16,000 they are listed one by one. Beyond, one stands for many: of the minima, the lowest with k
    coordinates that are not in a lowest well of the part, for each k (so that the basin is this k); of the saddles,
    and of the maxima, one.
    """

    part: Landscape

    @functools.cached_property
    def _listed(self) -> bool:
        return bool(len(self.part.stationary_points) ** self.dimension <= _LARGEST_LIST)

    @functools.cached_property
    def _table(self) -> tuple[tuple[StationaryPoint, ...], NDArray[np.int64]]:
        """The points by ascending loss, and the place among them of each in the order of `_number`."""
        single, d = self.part.stationary_points, self.dimension
        if self._listed:
            choices = list(itertools.product(range(len(single)), repeat=d))
        else:
            wells = [i for i, point in enumerate(single) if point.kind == "minimum"]
            others = [i for i in wells if i not in self._best]
            tops = [i for i, point in enumerate(single) if point.kind == "maximum"]
            choices = [(*others[:1] * k, *wells[:1] * (d - k)) for k in range(d + 1)]
            choices += [(*tops[:1], *wells[:1] * (d - 1)), tuple(tops[:1] * d)]
            choices = [choice for choice in choices if len(choice) == d]
        points = [self._combined([single[i] for i in choice]) for choice in choices]
        order = sorted(range(len(points)), key=lambda i: (points[i].loss, points[i].point))
        place = np.empty(len(points), dtype=np.int64)
        place[order] = np.arange(len(points))
        return tuple(points[i] for i in order), place

    @functools.cached_property
    def _best(self) -> list[int]:
        """The lowest minima of the part; several where they are equally low."""
        single = self.part.stationary_points
        lowest = self.part.minima[0].loss
        return [i for i, p in enumerate(single) if p.kind == "minimum" and math.isclose(p.loss, lowest, abs_tol=1e-12)]

    def _combined(self, singles: list[StationaryPoint]) -> StationaryPoint:
        kinds = {point.kind for point in singles}
        loss = 0.0
        for point in singles:
            loss += point.loss
        return StationaryPoint(
            tuple(point.point[0] for point in singles),
            kinds.pop() if len(kinds) == 1 else "degenerate" if "degenerate" in kinds else "saddle",
            loss,
            min(point.flattest for point in singles),
        )

    @property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        return self._table[0]

    @property
    def compares_points(self) -> bool:
        return False

    def locate(self, theta: Array, loss: Array, gradient_tolerance: float) -> NDArray[np.int64]:
        at = np.stack([self.part.locate(row[None], loss, gradient_tolerance) for row in theta])
        return np.where((at >= 0).all(axis=0), self._place(at), -1)

    def _place(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which of the stationary points combines, for each lane, those of the part that stand in ``at (d, n)``."""
        single, d = self.part.stationary_points, self.dimension
        if self._listed:
            number = np.zeros(at.shape[1], dtype=np.int64)
            for row in at:
                number = number * len(single) + np.maximum(row, 0)
        else:
            kinds = np.array([point.kind for point in single])[at]
            wells, best = (kinds == "minimum").all(axis=0), np.isin(at, self._best)
            tops = (kinds == "maximum").all(axis=0)
            representatives = len(self._table[1])
            saddle = representatives - 2
            number = np.where(wells, d - best.sum(axis=0), np.where(tops, saddle + 1, saddle))
        return np.asarray(self._table[1][number])

    def nearest_minimum(self, theta: Array) -> NDArray[np.int64]:
        """The combination of what is nearest to each coordinate."""
        wells = np.array([self.part.stationary_points.index(point) for point in self.part.minima])
        at = wells[np.stack([self.part.nearest_minimum(row[None]) for row in theta])]
        return self._basins[self._place(at)]

    @functools.cached_property
    def _basins(self) -> NDArray[np.int64]:
        """The basin of each stationary point that is a minimum."""
        place = {point: basin for basin, point in enumerate(self.minima)}
        return np.array([place.get(point, -1) for point in self.stationary_points])


class Sum(Problem):
    """A sum over single or neighbouring coordinates, with a lane kernel.

    Parameters
    ----------
    part : Landscape
        Of one coordinate or of two.
    domain : ndarray
        ``float64[d, 2]``.
    near : array_like, optional
        As in `Problem`.
    """

    def __init__(self, part: Landscape, domain: Array, near: Any = None) -> None:
        self.part, self.domain, self.near = part, domain, near
        self.lane_kernel = _lane_kernel(part.loss_formula, part.gradient_formula, part.dimension)

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates: x1, x2 and so on."""
        return coordinate_names(self.dimension)

    def loss(self, theta: Array) -> Array:
        total = np.zeros(theta.shape[1], real_of(theta))
        for _, losses in self._parts(self.part.loss, theta):
            for loss in losses:
                total += loss
        return total

    def gradient(self, theta: Array) -> Array:
        return self._laid_over(theta, self._parts(self.part.gradient, theta))

    def step_product(self, theta: Array, way: Array, t: int) -> Array:
        return self._laid_over(
            theta, self._parts(lambda *rows: self.part.step_product(rows[0], rows[1], t), theta, way)
        )

    def hessian(self, theta: Array) -> Array:
        bend = np.zeros((self.dimension, *theta.shape))
        for at, blocks in self._parts(self.part.hessian, theta):
            for i, j in itertools.product(reversed(range(self.part.dimension)), repeat=2):
                bend[at + i, at + j] += blocks[i, j]
        return bend

    def _parts(self, method: Callable[..., Array], *rows: Array) -> Iterator[tuple[NDArray[np.int64], Array]]:
        """What a method of the part gives for all windows, many at a time: their first coordinates, and the values.

        The values are ``dtype[…, windows, n]``, as the method has them for points.
        """
        width, n = self.part.dimension, rows[0].shape[1]
        windows, most = self.dimension - width + 1, max(1, _AT_A_TIME // max(n, 1))
        for begin in range(0, windows, most):
            at = np.arange(begin, min(begin + most, windows))
            found = method(*(np.stack([row[at + i].ravel() for i in range(width)]) for row in rows))
            yield at, found.reshape(*found.shape[:-1], len(at), n)

    def _laid_over(self, theta: Array, parts: Iterator[tuple[NDArray[np.int64], Array]]) -> Array:
        """The sum of what all windows give for their coordinates, in the order of the lane kernel."""
        total, last = np.zeros_like(theta), self.part.dimension - 1
        for at, values in parts:
            total[at + last] = values[last]
            for i in reversed(range(last)):
                total[at + i] += values[i]
        return total


@dataclass(frozen=True, eq=False, repr=False)
class LandscapeOfCombinations(Combinations, Landscape):
    """A sum over few single coordinates."""

    part: Any = None


class SumOfCombinations(Combinations, Sum):
    """A sum over many single coordinates."""


def sum_over(name: str, part: Landscape, dimension: int, domain: Any, near: Any = None) -> Problem:
    """Return the sum of a landscape over single coordinates (if it has one) or neighbouring ones (if it has two).

    Parameters
    ----------
    name : str
        Of the problem, for messages.
    part : Landscape
        What is summed.
    dimension : int
        d, at least the part's.
    domain : array_like, (2,) or (d, 2)
        Of all coordinates, or of each.
    near : callable, optional
        From d to points ``(k, d)`` from which Newton's method finds the stationary points of a sum over neighbours.

    Raises
    ------
    TypeError, ValueError
        If the dimension is not accepted.
    """
    dimension = arguments.integer(f"{name}: dimension", dimension, low=part.dimension, high=LARGEST_DIMENSION)
    points = near(dimension) if near else None
    box = np.array(np.broadcast_to(np.asarray(domain, dtype=np.float64), (dimension, 2)))
    single = part.dimension == 1
    if dimension > LARGEST_LANDSCAPE:
        return SumOfCombinations(part, box) if single else Sum(part, box, points)
    formulas = written_out(part, dimension)
    if not single:
        return Landscape(*formulas, domain=box, near=points)
    return LandscapeOfCombinations(*formulas, domain=box, part=part)


def written_out(part: Landscape, dimension: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return loss and gradient of the sum of a part, as formulas of all coordinates."""
    names = coordinate_names(dimension)
    sums: list[dict[tuple[int, ...], list[str]]] = [{}, {}]
    assignments: list[list[str]] = [[], []]
    for window in _windows(dimension, part.dimension):
        for order, formula in enumerate((part.loss_formula, part.gradient_formula)):
            results_of = part.dimension if order else 1
            lines, texts = Formula.of(formula, results_of).inlined(names[window], f"_{window.start + 1}")
            assignments[order] += lines
            flat = np.array(texts, dtype=object).ravel()
            for place, text in zip(itertools.product(range(part.dimension), repeat=order), flat, strict=True):
                shifted = tuple(window.start + i for i in place)
                sums[order].setdefault(shifted, []).append(f"({text})")

    def results(order: int, place: tuple[int, ...] = ()) -> Any:
        if len(place) == order:
            return " + ".join(sums[order].get(place, ["0.0"]))
        deeper = [results(order, (*place, i)) for i in range(dimension)]
        return deeper[0] if dimension == 1 else deeper

    loss, gradient = (
        define(name, names, assignments[order], results(order)) for order, name in enumerate(("loss", "gradient"))
    )
    return loss, gradient


def _windows(dimension: int, width: int) -> list[slice]:
    return [slice(i, i + width) for i in range(dimension - width + 1)]
