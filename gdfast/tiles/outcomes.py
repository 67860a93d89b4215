"""From end points to outcomes and basins.

The tile, compiled or reference, tells how each trajectory ended: stationary, diverged, or with its budget spent
(and then with which period its tail repeats). What that means for the problem is decided here, for both alike.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.problems import Problem
from gdfast.problems._stationary import StationaryPoint, find, nearest
from gdfast.transforms import Transform

LONGEST_PERIOD = 16
TAIL = 2 * LONGEST_PERIOD
_LARGEST_HESSIAN = 64  # coordinates up to which an unknown stationary point is judged by its curvature
REPEATS_WITHIN = 1e-6
"""A tail repeats when it does so within this share of its amplitude, the largest distance from its last point."""


class Outcome(IntEnum):
    """The class a trajectory ends in."""

    not_run = 0
    global_minimum = 1
    local_minimum = 2
    stalled = 3
    oscillating = 4
    unfinished = 5
    diverged = 6


MEANING = {
    Outcome.not_run: "no result yet",
    Outcome.global_minimum: "stationary at the lowest known minimum",
    Outcome.local_minimum: "stationary at another minimum",
    Outcome.stalled: "stationary, but at no minimum: a saddle, a maximum, a plateau",
    Outcome.oscillating: "budget spent; the tail repeats",
    Outcome.unfinished: "budget spent, still moving",
    Outcome.diverged: "the gradient passed the limit or was not finite",
}


@dataclass
class Endings:
    """How the trajectories of a tile ended.

    Attributes
    ----------
    theta : ndarray
        End points, ``float64[d, n]``.
    steps : ndarray
        Updates done, ``int32[n]``.
    outcome : ndarray
        ``int8[n]``, as if no stationary point were known: `Outcome.stalled` for all that became stationary.
    period : ndarray
        ``int8[n]``, the period with which the tail repeats, 0 where it does not.
    lane_steps : int
        Steps computed, those of settled lanes included; ``steps.sum() / lane_steps`` is the useful share.
    memory : ndarray
        What a measure remembers, ``float64[r, n]``: of settled trajectories the loss at the end point included.
    loss, gradient_norm : ndarray, optional
        Loss and largest absolute entry of the gradient at the end points, ``float64[n]``, where the tile has them.
    """

    theta: Array
    steps: NDArray[np.int32]
    outcome: NDArray[np.int8]
    period: NDArray[np.int8]
    lane_steps: int
    memory: Array
    loss: Array | None = None
    gradient_norm: Array | None = None


@dataclass
class Cells:
    """What a result holds of each trajectory of a tile; arrays of length n, `theta` ``float64[d, n]``.

    `measure` is empty where the sweep has none.
    """

    outcome: NDArray[np.int8]
    steps: NDArray[np.int32]
    loss: Array
    gradient_norm: Array
    basin: NDArray[np.int16]
    period: NDArray[np.int8]
    theta: Array
    lane_steps: int
    measure: Array


class Meanings:
    """What it means for a trajectory to have settled at a point, on a problem with penalties.

    Penalties move the stationary points; a moved minimum is in the basin of the nearest minimum of the problem. They
    are found when a trajectory has settled, and once.

    Parameters
    ----------
    problem : Problem
        What is minimized.
    penalties : sequence of Transform
        The transforms that are gradients of a penalty on the loss.
    """

    def __init__(self, problem: Problem, penalties: Sequence[Transform]) -> None:
        self.problem, self.penalties = problem, penalties

    def settled(self, theta: Array, loss: Array, tolerance: float) -> tuple[NDArray[np.int8], NDArray[np.int16]]:
        """Return outcome and basin of each point ``theta (d, n)`` whose gradient is within the tolerance."""
        points, outcomes, basins = self._known
        if not self.penalties:
            at = self.problem.locate(theta, loss, tolerance)
        else:
            at = nearest(points, theta, self._size, tolerance)
        outcome, unknown = outcomes[at], np.flatnonzero(at < 0)
        if unknown.size and self.problem.dimension <= _LARGEST_HESSIAN:
            outcome[unknown[self._curved(theta[:, unknown], tolerance)]] = Outcome.local_minimum
        return outcome, basins[at]

    @property
    def _size(self) -> float:
        return float(np.ptp(self.problem.domain, axis=1).max())

    @functools.cached_property
    def _known(self) -> tuple[tuple[StationaryPoint, ...], NDArray[np.int8], NDArray[np.int16]]:
        """The stationary points, with outcome and basin of each and, last, of none of them."""
        points, minima = self.problem.stationary_points, self.problem.minima
        if self.penalties:  # a minimum that is known by its loss alone cannot be followed
            points, minima = (tuple(point for point in known if point.point) for known in (points, minima))
        place = {point: index for index, point in enumerate(minima)}
        if self.penalties and points:
            near = np.array([point.point for point in points]).T
            points = find(self._objective, self._gradient, self._hessian, self.problem.domain, near)
            known = np.array([point.point for point in minima])
            place = {p: int(np.argmin(np.abs(known - p.point).max(axis=1))) for p in points if p.kind == "minimum"}
        lowest = min((point.loss for point in place), default=-np.inf)
        outcomes = np.full(len(points) + 1, Outcome.stalled, dtype=np.int8)
        basins = np.full(len(points) + 1, -1, dtype=np.int16)
        for index, point in enumerate(points):
            if point in place:
                best = point.loss <= lowest + 1e-9 * max(1.0, abs(lowest))
                outcomes[index] = Outcome.global_minimum if best else Outcome.local_minimum
                basins[index] = min(place[point], np.iinfo(np.int16).max)
        return points, outcomes, basins

    def _objective(self, theta: Array) -> Array:
        total = self.problem.objective(theta)
        return np.asarray(total + sum(penalty(theta)[0].sum(axis=0) for _, penalty in self._penalized))

    def _gradient(self, theta: Array) -> Array:
        grad = self.problem.gradient(theta)
        for transform, _ in self._penalized:
            grad = transform.rule(theta, grad, 0.0, *transform.columns(0)[0])
        return np.asarray(grad)

    def _hessian(self, theta: Array) -> Array:
        bend = self.problem.hessian(theta).copy()
        diagonal = np.arange(self.problem.dimension)
        for _, penalty in self._penalized:
            bend[diagonal, diagonal] += penalty(theta)[1]
        return bend

    @property
    def _penalized(self) -> list[tuple[Transform, Callable[[Array], tuple[Array, Array]]]]:
        return [(transform, transform.penalty) for transform in self.penalties if transform.penalty]

    def _curved(self, theta: Array, tolerance: float) -> NDArray[np.bool_]:
        """Whether each stationary point, which is none of the known, is at a minimum by its curvature."""
        # With smallest eigenvalue λ a minimum is within tolerance/λ; a hundredth of the domain excludes plateaus.
        with np.errstate(all="ignore"):
            bend = np.moveaxis(self._hessian(theta), -1, 0)
        finite = np.isfinite(bend).all(axis=(1, 2))
        flattest = np.zeros(len(bend))
        flattest[finite] = np.linalg.eigvalsh(bend[finite])[:, 0]
        return np.asarray(flattest * 0.01 * self._size > tolerance)


def classify(problem: Problem, meanings: Meanings, endings: Endings, gradient_tolerance: float) -> Cells:
    """Turn endings into outcomes, with loss, gradient norm (``max|g|``) and basin of each end point."""
    theta, outcome, loss, norm = endings.theta, endings.outcome, endings.loss, endings.gradient_norm
    if loss is None or norm is None:
        with np.errstate(all="ignore"):
            loss, norm = problem.judge(theta)
    basin = np.full(len(loss), -1, dtype=np.int16)
    lanes = np.flatnonzero(outcome == Outcome.stalled)
    if lanes.size:
        tolerance = gradient_tolerance * problem.gradient_scale
        outcome[lanes], basin[lanes] = meanings.settled(theta[:, lanes], loss[lanes], tolerance)
    return Cells(outcome, endings.steps, loss, norm, basin, endings.period, theta, endings.lane_steps, np.empty(0))
