"""From end points to outcomes: what it means for a problem how its trajectories ended, and where.

Two questions are kept apart. How a trajectory ended, its `gdfast.tiles.ending.Ending`, is told by the tile, compiled or
reference. Where that is, is told by the loss:

    excess = (loss − lowest) / scale

with the loss of the lowest minimum that is known inside the domain, and the problem's own scale of losses, see
`gdfast.problems.Problem.loss_scale`. So an outcome does not depend on the units of the loss.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.tiles.ending import STILL_WITHIN, Ending, Endings, is_level, trend
from gdfast.tiles.lower import Lower, below_known
from gdfast.tiles.sweep import Sweep, Tile

_LARGEST_HESSIAN = 64  # coordinates up to which an unknown stationary point is judged by its curvature
_SAME_LOSS = 1e-9  # share of the loss scale by which the losses of equally low minima may differ
_LAST = 3  # samples of the loss that must be as low as at the end
_CREEPING = 1e-3  # share of the ordinary gradient below which a point moves too little for its loss to tell
_FAR_FROM_DOMAIN = 1.0  # widths of the domain outside of it from where a fall without bound is looked for
_DOUBLINGS = 24  # of the distance from the domain, over which a loss must go on falling to be called unbounded
_STEADY = 0.25  # share of the largest fall of a doubling that the last one must have


class Outcome(IntEnum):
    """The class a trajectory ends in."""

    not_run = 0
    global_minimum = 1
    local_minimum = 2
    stalled = 3
    oscillating = 4
    unfinished = 5
    diverged = 6
    frozen = 7
    worse = 8


MEANING = {
    Outcome.not_run: "no result yet",
    Outcome.global_minimum: "at the lowest known minimum, or within the tolerance of its loss",
    Outcome.local_minimum: "at another minimum, or within the tolerance of its loss and nearest to it",
    Outcome.stalled: "stationary, but at no minimum: a saddle, a maximum, a plateau",
    Outcome.oscillating: "budget spent; the tail repeats, or the loss comes down no more, at no minimum",
    Outcome.unfinished: "budget spent, still moving, the loss below that of the start",
    Outcome.diverged: "gradient or loss passed the limit or was not finite, or the loss falls without bound",
    Outcome.frozen: "fixed where the gradient is not small: the step has become nothing, or a penalty holds the point",
    Outcome.worse: "budget spent, the loss above that of the start",
}


@dataclass
class Cells:
    """What a result holds of each trajectory of a tile; arrays of length n, `theta` ``float64[d, n]``.

    `measure` is empty where the sweep has none. `lower` is the lowest end, see `Lower`.
    """

    outcome: NDArray[np.int8]
    ending: NDArray[np.int8]
    steps: NDArray[np.int32]
    loss: Array
    gradient_norm: Array
    basin: NDArray[np.int16]
    period: NDArray[np.int8]
    theta: Array
    lane_steps: int
    measure: Array
    lower: Lower = ()


class Judge:
    """What ends of a sweep's trajectories mean.

    Parameters
    ----------
    sweep : Sweep
        The sweep.
    """

    def __init__(self, sweep: Sweep) -> None:
        self.sweep, self.problem = sweep, sweep.problem

    def cells(self, tile: Tile, endings: Endings) -> Cells:
        """Turn the endings of a tile's trajectories into outcomes, with loss, gradient norm and basin."""
        loss, norm = endings.loss, endings.gradient_norm
        if loss is None or norm is None:
            with np.errstate(all="ignore"):
                loss, norm = self.problem.judge(endings.theta)
        ending, theta, loss = endings.ending, endings.theta, loss.astype(np.float64, copy=False)
        outcome = np.full(len(loss), Outcome.diverged, dtype=np.int8)
        basin = np.full(len(loss), -1, dtype=np.int16)
        lanes = np.flatnonzero(ending == Ending.stationary)
        if lanes.size:
            outcome[lanes], basin[lanes] = self._stationary(theta[:, lanes], loss[lanes])
        low = (loss <= self._bound) & (ending != Ending.diverged)
        lanes = np.flatnonzero((ending >= Ending.fixed) & (ending <= Ending.moving))
        if lanes.size:
            samples = endings.samples[:, lanes] if len(lanes) < len(loss) else endings.samples
            starts = (tile.first + lanes) % len(self.sweep.starts)
            with np.errstate(all="ignore"):
                before = self._start_losses[starts]
            direction = self._direction(samples, loss[lanes], before)
            flat = np.flatnonzero(direction == 0)
            flat = flat[is_level(samples[:, flat])]
            direction[flat[norm[lanes[flat]] <= _CREEPING * self.problem.gradient_scale]] = -1
            outcome[lanes] = self._unsettled(theta[:, lanes], loss[lanes], ending[lanes], direction, before)
            flat = flat[ending[lanes[flat]] == Ending.moving]
            outcome[lanes[flat[self._is_at_start(theta[:, lanes[flat]], starts[flat])]]] = Outcome.frozen
            passing = self._passes(loss[lanes], samples)
            low[lanes[passing]] = False
            lanes = lanes[~passing]
            basin[lanes] = self._nearby(theta[:, lanes], loss[lanes])
            outcome[lanes[basin[lanes] >= 0]] = Outcome.local_minimum
        lanes = np.flatnonzero(low & (outcome != Outcome.global_minimum) & (loss >= below_known(self.sweep)))
        if lanes.size:
            outcome[lanes] = Outcome.global_minimum
            nameless = lanes[basin[lanes] < 0]
            basin[nameless] = self._nearby(theta[:, nameless], loss[nameless])
        return Cells(
            outcome,
            ending,
            endings.steps,
            loss,
            norm,
            basin,
            endings.period,
            theta,
            endings.lane_steps,
            measure=np.empty(0),
            lower=self._lower(theta, loss, ending),
        )

    @cached_property
    def _slack(self) -> float:
        return self.sweep.loss_tolerance * self.problem.loss_scale

    @cached_property
    def _bound(self) -> float:
        """The largest loss that counts as that of the lowest minimum."""
        return self.problem.lowest + self._slack

    @property
    def _width(self) -> float:
        return float(np.ptp(self.problem.domain, axis=1).max())

    def _lower(self, theta: Array, loss: Array, ending: NDArray[np.int8]) -> Lower:
        """The lowest of the ends that are lower than all known minima, inside the domain."""
        bound = below_known(self.sweep)
        lanes = np.flatnonzero((loss < (bound if np.isfinite(bound) else np.inf)) & (ending != Ending.diverged))
        lanes = lanes[np.isfinite(loss[lanes]) & self._is_inside(theta[:, lanes], 0.0)]
        if not lanes.size:
            return ()
        moving, height, at = ending[lanes] != Ending.stationary, loss[lanes], theta[:, lanes]
        first = np.lexsort((*at[::-1], height, moving))[0]
        return (float(moving[first]), float(height[first]), *at[:, first].tolist())

    def _is_inside(self, theta: Array, widths: float) -> NDArray[np.bool_]:
        """Whether points are in the domain, or that far from it at most."""
        low, high = self.problem.domain.T[:, :, None]
        beyond = widths * (high - low)
        return np.asarray(((theta >= low - beyond) & (theta <= high + beyond)).all(axis=0))

    def _stationary(self, theta: Array, loss: Array) -> tuple[NDArray[np.int8], NDArray[np.int16]]:
        """Outcome and basin of points whose gradient is within the tolerance."""
        outcomes, basins = self._known
        tolerance = self.sweep.gradient_tolerance * self.problem.gradient_scale
        at = self.problem.locate(theta, loss, tolerance)
        outcome, unknown = outcomes[at], np.flatnonzero(at < 0)
        if unknown.size and self.problem.dimension <= _LARGEST_HESSIAN:
            outcome[unknown[self._curved(theta[:, unknown], tolerance)]] = Outcome.local_minimum
        return outcome, basins[at]

    @cached_property
    def _known(self) -> tuple[NDArray[np.int8], NDArray[np.int16]]:
        """Outcome and basin of each stationary point of the problem and, last, of none of them."""
        points, minima = self.problem.stationary_points, self.problem.minima
        place = {point: index for index, point in enumerate(minima)}
        outcomes = np.full(len(points) + 1, Outcome.stalled, dtype=np.int8)
        basins = np.full(len(points) + 1, -1, dtype=np.int16)
        for index, point in enumerate(points):
            if point in place:
                best = abs(point.loss - self.problem.lowest) <= _SAME_LOSS * self.problem.loss_scale
                outcomes[index] = Outcome.global_minimum if best else Outcome.local_minimum
                basins[index] = min(place[point], np.iinfo(np.int16).max)
        return outcomes, basins

    def _curved(self, theta: Array, tolerance: float) -> NDArray[np.bool_]:
        """Whether each stationary point, which is none of the known, is at a minimum by its curvature."""
        # With smallest eigenvalue λ a minimum is within tolerance/λ; a hundredth of the domain excludes plateaus.
        with np.errstate(all="ignore"):
            bend = np.moveaxis(self.problem.hessian(theta), -1, 0)
        finite = np.isfinite(bend).all(axis=(1, 2))
        flattest = np.zeros(len(bend))
        flattest[finite] = np.linalg.eigvalsh(bend[finite])[:, 0]
        return np.asarray(flattest * 0.01 * self._width > tolerance)

    def _nearby(self, theta: Array, loss: Array) -> NDArray[np.int16]:
        """The basin of the nearest minimum of each point, −1 where its loss is not that of the point."""
        basin = np.full(len(loss), -1, dtype=np.int16)
        heights = np.array([point.loss for point in self.problem.minima])
        if not heights.size:
            return basin
        order = np.sort(heights)
        found = np.searchsorted(order, loss - self._slack, side="left")
        lanes = np.flatnonzero(order[np.minimum(found, len(order) - 1)] <= loss + self._slack)
        lanes = lanes[found[lanes] < len(order)]
        nearest = self.problem.nearest_minimum(theta[:, lanes])
        same = np.abs(heights[nearest] - loss[lanes]) <= self._slack
        basin[lanes[same]] = np.minimum(nearest[same], np.iinfo(np.int16).max)
        return basin

    def _passes(self, loss: Array, samples: Array) -> NDArray[np.bool_]:
        """Whether trajectories are where they end by chance: a few steps before, the loss was higher.

        Of mini-batches it cannot be told, since the losses of steps are others.
        """
        if self.problem.batch_size is not None:
            return np.zeros(len(loss), dtype=bool)
        last = samples[-_LAST:].astype(np.float64)
        with np.errstate(all="ignore"):
            return np.asarray(~(last.mean(axis=0) * self.problem.loss_per_objective - loss <= self._slack))

    def _direction(self, samples: Array, loss: Array, before: Array) -> NDArray[np.int8]:
        """Whether the loss of trajectories comes down (−1), goes up (1), or neither; of one sample, since the start."""
        if len(samples) > 1:
            return trend(samples, self.sweep.max_steps)
        with np.errstate(all="ignore"):
            return (loss > before).astype(np.int8) - (loss < before).astype(np.int8)

    def _is_at_start(self, theta: Array, starts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether points are where they began, to the rounding of the domain's coordinates."""
        moved = np.abs(theta - self.sweep.starts[starts].T).max(axis=0)
        return np.asarray(moved <= STILL_WITHIN * np.finfo(self.sweep.dtype).eps * self._width)

    def _unsettled(
        self,
        theta: Array,
        loss: Array,
        ending: NDArray[np.int8],
        direction: NDArray[np.int8],
        before: Array,
    ) -> NDArray[np.int8]:
        """Outcome of trajectories whose budget was spent, if they are at no minimum."""
        with np.errstate(all="ignore"):
            height = (loss - self.problem.base) / self.problem.divergence_scales[0]
        outcome = np.full(len(loss), Outcome.unfinished, dtype=np.int8)
        outcome[direction >= 0] = Outcome.oscillating
        outcome[(loss > before) & (direction != 0)] = Outcome.worse
        outcome[ending == Ending.cycling] = Outcome.oscillating
        falling = np.flatnonzero((outcome == Outcome.unfinished) & ~self._is_inside(theta, _FAR_FROM_DOMAIN))
        if falling.size:
            outcome[falling[self._falls_for_ever(theta[:, falling], loss[falling])]] = Outcome.diverged
        outcome[ending == Ending.fixed] = Outcome.frozen
        outcome[~(height <= self.sweep.divergence_limit)] = Outcome.diverged
        return outcome

    @cached_property
    def _start_losses(self) -> Array:
        with np.errstate(all="ignore"):
            return self.problem.loss(np.ascontiguousarray(self.sweep.starts.T))

    def _falls_for_ever(self, theta: Array, loss: Array) -> NDArray[np.bool_]:
        """Whether the loss falls without bound, as far as doublings of the distance from the domain's middle can tell.

        It does if it falls at each of them, and at the last one still by a share of the largest fall: as a logarithm
        does, and not as what comes nearer to a limit.
        """
        middle = self.problem.domain.mean(axis=1)[:, None]
        values = [loss]
        with np.errstate(all="ignore"):
            for doubling in range(1, _DOUBLINGS + 1):
                values.append(self.problem.loss(middle + (theta - middle) * 2.0**doubling))
            falls = -np.diff(np.stack(values), axis=0)
        finite = np.isfinite(falls)
        # A loss that overflows to −∞ has fallen far enough.
        falls = np.where(finite, falls, np.where(np.stack(values[1:]) == -np.inf, np.inf, -1.0))
        return np.asarray((falls > 0).all(axis=0) & (falls[-1] >= _STEADY * np.nanmax(falls, axis=0)))
