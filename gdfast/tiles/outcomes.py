"""From end points to outcomes: what it means for a problem how its trajectories ended, and where.

Two questions are kept apart. How a trajectory ended, its `gdfast.tiles.ending.Ending`, is told by the tile, compiled or
reference. Where that is, is told by the loss:

    excess = (loss − lowest) / scale

with the loss of the lowest minimum that is known inside the domain, and the problem's own scale of losses, see
`gdfast.problems.Problem.loss_scale`. So an outcome does not depend on the units of the loss.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.tiles import falling
from gdfast.tiles.ending import SAMPLE_EVERY, STILL_WITHIN, Ending, Endings, Trend
from gdfast.tiles.lower import SAME_LOSS, Lower, below_known, unknown_below

if TYPE_CHECKING:
    from gdfast.tiles.sweep import Sweep


_LARGEST_HESSIAN = 64  # coordinates up to which an unknown stationary point is judged by its curvature
_CREEPING = 1e-3  # share of the ordinary gradient below which a point moves too little for its loss to tell
_FAR_FROM_DOMAIN = 1.0  # widths of the domain outside of it from where a fall without bound is looked for


class Outcome(IntEnum):
    """The class a trajectory ends in.

    Examples
    --------
    >>> Outcome(2).name, int(Outcome["diverged"])
    ('local_minimum', 6)
    """

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
    """What a result holds of each trajectory of a tile; arrays of length n.

    Attributes
    ----------
    outcome, ending, steps : ndarray
        What became of it and how it ended, ``int8[n]``, and the updates until it settled, ``int32[n]``.
    loss, gradient_norm, basin, period : ndarray
        At the end, ``float64[n]``, of the minimum, ``int16[n]``, and of the cycle, ``int8[n]``.
    theta, measure : ndarray
        End points, ``float64[d, n]``, and numbers that the sweep's measure tells; empty where it has none.
    lane_steps : int
        What the tile cost.
    lower : tuple
        The lowest end, see `Lower`.
    told : dict
        What is told beside, by the names of a result's variables, trajectories along the first axis.
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
    told: dict[str, Array] = field(default_factory=dict)

    def values(self, name: str) -> NDArray[Any]:
        """What a variable of the result holds of each trajectory, these along the first axis.

        Parameters
        ----------
        name : str
            Of the variable.

        Returns
        -------
        ndarray
            Of length n along the first axis.
        """
        if name in self.told:
            return self.told[name]
        found: NDArray[Any] = getattr(self, name)
        return found.T if found.ndim == 2 else found


class Limits(NamedTuple):
    """What losses and gradients are compared with where it is told what ends are.

    Attributes
    ----------
    before, heights : ndarray
        The loss at each start, ``float64[m]``, and of the known minima in their order, ``float64[k]``; NaN without one.
    slack, low, highest, unknown : float
        By how much a loss may differ from one of them; the largest loss that is that of the lowest; that of what has
        not diverged; a loss below which all that is known lies higher.
    creeping : float
        The largest gradient of what moves too little for its loss to tell: it creeps if it is level.
    around : ndarray
        The domain and what is near to it, ``float64[2, d]``.
    points, reach, losses, outcomes, basins : ndarray
        Stationary points that ends are compared with, ``float64[k, d]``, none if there are many; how near what is
        stationary must be, ``float64[k]``; their losses, ``float64[k]``; what it is to be there, ``int8[k]`` and
        ``int16[k]``.
    settles, short : bool
        Whether what is stationary has settled, and whether there are too few steps to tell a trend.
    """

    before: Array
    heights: Array
    slack: float
    low: float
    highest: float
    creeping: float
    unknown: float
    around: Array
    points: Array
    reach: Array
    losses: Array
    outcomes: NDArray[np.int8]
    basins: NDArray[np.int16]
    settles: bool
    short: bool


class _Ends(NamedTuple):
    """Some of a tile's `Endings`, copied, or all of them as they are."""

    theta: Array
    loss: Array
    gradient_norm: Array
    ending: NDArray[np.int8]
    outcome: NDArray[np.int8]
    near: NDArray[np.int8]
    trend: NDArray[np.int8]
    recent: Array

    @classmethod
    def of(cls, endings: Endings, lanes: NDArray[np.int64]) -> "_Ends":
        """Those of these lanes."""
        some = slice(None) if len(lanes) == len(endings.loss) else lanes
        parts = {name: getattr(endings, name)[..., some] for name in cls._fields}
        return cls(**{**parts, "loss": parts["loss"].astype(np.float64, copy=False)})


class Judge:
    """What ends of a sweep's trajectories mean.

    Parameters
    ----------
    sweep : Sweep
        The sweep.
    """

    def __init__(self, sweep: "Sweep") -> None:
        self.sweep, self.problem = sweep, sweep.problem

    def cells(self, endings: Endings, first: int) -> Cells:
        """Turn the endings of a tile's trajectories, from number `first` on, into outcomes, with loss and basin.

        Parameters
        ----------
        endings : Endings
            How they ended, and where.
        first : int
            The number of the first trajectory.

        Returns
        -------
        Cells
            What the result holds of them.
        """
        lanes, lower = np.flatnonzero(endings.untold), Lower()
        if lanes.size:
            starts = (first + lanes) % len(self.sweep.starts)
            endings.outcome[lanes], endings.basin[lanes], lower = self._judged(_Ends.of(endings, lanes), starts)
        return Cells(
            endings.outcome,
            endings.ending,
            endings.steps,
            endings.loss.astype(np.float64, copy=False),
            endings.gradient_norm,
            endings.basin,
            endings.period,
            endings.theta,
            endings.lane_steps,
            measure=np.empty(0),
            lower=lower,
        )

    def _judged(self, ends: "_Ends", starts: NDArray[np.int64]) -> tuple[NDArray[np.int8], NDArray[np.int16], Lower]:
        """Outcomes and basins of ends, from these starts, and the lowest end that is lower than all that is known."""
        theta, loss, outcome, basin = ends.theta, ends.loss, ends.outcome, np.full(len(ends.loss), -1, dtype=np.int16)
        at_rest = self._at_rest(ends)
        lanes = np.flatnonzero(at_rest)
        if lanes.size:
            outcome[lanes], basin[lanes] = self._stationary(theta[:, lanes], loss[lanes])
        self._judge_falling(ends)
        self._judge_still(ends, starts, at_rest)
        lanes = np.flatnonzero(ends.near & (outcome != Outcome.global_minimum))
        if lanes.size:
            self._judge_near(ends, lanes, at_rest, basin)
        return outcome, basin, self._lower(theta, loss, ends.ending)

    def _judge_falling(self, ends: "_Ends") -> None:
        """Put in what falls without bound: far outside the domain, or inside, steep and lower than all minima."""
        theta, loss, outcome = ends.theta, ends.loss, ends.outcome
        unfinished = outcome == Outcome.unfinished
        lanes = np.flatnonzero(unfinished & ~self._is_inside(theta, _FAR_FROM_DOMAIN))
        if lanes.size:
            outcome[lanes[falling.outwards(self.problem, theta[:, lanes], loss[lanes])]] = Outcome.diverged
        steep = (loss < self.limits.unknown) & (ends.gradient_norm > falling.STEEP * self.problem.gradient_scale)
        lanes = np.flatnonzero(unfinished & steep & self._is_inside(theta, 0.0))
        if lanes.size:
            outcome[lanes[falling.into_pole(self.problem, theta[:, lanes])]] = Outcome.diverged

    def _judge_still(self, ends: "_Ends", starts: NDArray[np.int64], at_rest: NDArray[np.bool_]) -> None:
        """Put in what moved in too few steps to tell a trend, or by nothing: it is where it began, beside rounding."""
        is_still = self._is_short | (ends.trend == Trend.level)
        lanes = np.flatnonzero((ends.ending == Ending.moving) & is_still & ~at_rest)
        if not lanes.size:
            return
        outcome, loss, starts = ends.outcome, ends.loss[lanes], starts[lanes]
        if self._is_short:
            outcome[lanes[loss < self.limits.before[starts]]] = Outcome.unfinished
            outcome[lanes[loss > self.limits.before[starts]]] = Outcome.worse
            outcome[lanes[~(loss <= self.limits.highest)]] = Outcome.diverged
        moved = np.abs(ends.theta[:, lanes] - self.sweep.starts[starts].T).max(axis=0)
        outcome[lanes[moved <= STILL_WITHIN * np.finfo(self.sweep.dtype).eps * self._width]] = Outcome.frozen

    @property
    def _is_short(self) -> bool:
        """Whether there are too few steps to tell a trend."""
        return self.sweep.max_steps < SAMPLE_EVERY

    def _at_rest(self, ends: "_Ends") -> NDArray[np.bool_]:
        """Which trajectories are stationary: also those that are so where their budget ends, and did not settle."""
        at_rest = ends.ending == Ending.stationary
        if not self.sweep.settles:
            at_rest |= (ends.ending != Ending.diverged) & (ends.gradient_norm <= self.sweep.scaled_tolerances[0])
        return np.asarray(at_rest)

    def _judge_near(
        self, ends: "_Ends", lanes: NDArray[np.int64], at_rest: NDArray[np.bool_], basin: NDArray[np.int16]
    ) -> None:
        """Put in which of these lanes are at a minimum, though they are not stationary, or at no known point."""
        theta, loss, outcome = ends.theta, ends.loss, ends.outcome
        unsettled = ~at_rest[lanes]
        stays = ~(unsettled & self._passes(loss[lanes], ends.recent[lanes]))
        lanes, unsettled = lanes[stays], unsettled[stays]
        beside = lanes[unsettled]
        basin[beside] = self._nearby(theta[:, beside], loss[beside])
        outcome[beside[basin[beside] >= 0]] = Outcome.local_minimum
        lanes = lanes[(loss[lanes] <= self._bound) & (loss[lanes] >= below_known(self.sweep))]
        outcome[lanes] = Outcome.global_minimum
        nameless = lanes[basin[lanes] < 0]
        basin[nameless] = self._nearby(theta[:, nameless], loss[nameless])

    def elsewhere(self, endings: Endings, starts: NDArray[np.int64]) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Tell what ends are if they are at no minimum, and whether their losses are those of one, ``int8[n]`` each.

        Parameters
        ----------
        endings : Endings
            How they ended, and where.
        starts : ndarray
            The number of each one's start, ``int64[n]``.

        Returns
        -------
        tuple of ndarray
            The numbers of outcomes, and 0 or 1.
        """
        ending, trend, loss = endings.ending, endings.trend, endings.loss.astype(np.float64, copy=False)
        limits = self.limits
        down = (trend == Trend.down) | ((trend == Trend.level) & (endings.gradient_norm <= limits.creeping))
        outcome = np.full(len(loss), Outcome.oscillating, dtype=np.int8)
        outcome[down] = Outcome.unfinished
        outcome[(down | (trend == Trend.up)) & (loss > limits.before[starts])] = Outcome.worse
        outcome[ending == Ending.cycling] = Outcome.oscillating
        outcome[ending == Ending.fixed] = Outcome.frozen
        outcome[(ending == Ending.diverged) | ~(loss <= limits.highest)] = Outcome.diverged
        outcome[ending == Ending.stationary] = Outcome.stalled
        nearest = limits.heights[np.searchsorted(limits.heights[:-1], loss - limits.slack)]
        near = (loss <= limits.low) | (np.abs(nearest - loss) <= limits.slack)
        return outcome, (near & (ending != Ending.diverged)).astype(np.int8)

    @cached_property
    def limits(self) -> Limits:
        """What `elsewhere` compares with."""
        problem, minima = self.problem, sorted(self._heights)
        with np.errstate(all="ignore"):
            before = problem.loss(np.ascontiguousarray(self.sweep.starts.T))
        return Limits(
            before,
            np.array(minima or [np.nan]),
            self._slack,
            self._bound,
            problem.base + self.sweep.divergence_limit * problem.divergence_scales[0],
            _CREEPING * problem.gradient_scale,
            unknown_below(self.sweep),
            self._around(_FAR_FROM_DOMAIN),
            *self._places,
            self.sweep.settles,
            self._is_short,
        )

    @cached_property
    def _places(self) -> tuple[Array, Array, Array, NDArray[np.int8], NDArray[np.int16]]:
        """Points, reaches, losses, outcomes and basins of the `Limits`."""
        outcomes, basins = self._known
        points, reach = self.problem.places(self._stationary_within)
        places = np.array([point.point for point in points]).reshape(-1, self.problem.dimension)
        return places, reach, np.array([point.loss for point in points]), outcomes[: len(reach)], basins[: len(reach)]

    @property
    def _stationary_within(self) -> float:
        """The largest entry of the gradient at what is stationary."""
        return self.sweep.gradient_tolerance * self.problem.gradient_scale

    def _around(self, widths: float) -> Array:
        """The domain and so many widths of it around it, ``float64[2, d]``."""
        low, high = self.problem.domain.T
        beyond = widths * (high - low)
        return np.stack([low - beyond, high + beyond])

    @cached_property
    def _heights(self) -> Array:
        """The losses of the known minima, in the order of basins."""
        return np.array([point.loss for point in self.problem.minima])

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
        lanes = np.flatnonzero((loss < self.limits.unknown) & (ending != Ending.diverged))
        lanes = lanes[np.isfinite(loss[lanes]) & self._is_inside(theta[:, lanes], 0.0)]
        if not lanes.size:
            return ()
        moving, height, at = ending[lanes] != Ending.stationary, loss[lanes], theta[:, lanes]
        first = np.lexsort((*at[::-1], height, moving))[0]
        return (float(moving[first]), float(height[first]), *at[:, first].tolist())

    def _is_inside(self, theta: Array, widths: float) -> NDArray[np.bool_]:
        """Whether points are in the domain, or that far from it at most."""
        low, high = self._around(widths)[:, :, None]
        return np.asarray(((theta >= low) & (theta <= high)).all(axis=0))

    def _stationary(self, theta: Array, loss: Array) -> tuple[NDArray[np.int8], NDArray[np.int16]]:
        """Outcome and basin of points whose gradient is within the tolerance."""
        outcomes, basins = self._known
        tolerance = self._stationary_within
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
                best = abs(point.loss - self.problem.lowest) <= SAME_LOSS * self.problem.loss_scale
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
        if self._heights.size and len(loss):
            nearest = self.problem.nearest_minimum(theta)
            same = np.abs(self._heights[nearest] - loss) <= self._slack
            basin[same] = np.minimum(nearest[same], np.iinfo(np.int16).max)
        return basin

    def _passes(self, loss: Array, recent: Array) -> NDArray[np.bool_]:
        """Whether trajectories are where they end by chance: a few steps before, the loss was higher.

        Of mini-batches it cannot be told, since the losses of steps are others.
        """
        if self.problem.batch_size is not None:
            return np.zeros(len(loss), dtype=bool)
        with np.errstate(all="ignore"):
            return np.asarray(~(recent * self.problem.loss_per_objective - loss <= self._slack))
