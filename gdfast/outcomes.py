"""From end points to outcomes and basins.

The tile, compiled or reference, tells how each trajectory ended: stationary, diverged, or with its budget spent
(and then with which period its tail repeats). What that means for the problem is decided here, for both alike.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gdfast.elementary import Array
from gdfast.problems import Problem

LONGEST_PERIOD = 16
TAIL = 2 * LONGEST_PERIOD
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
        Updates done, ``int64[n]``.
    stationary, diverged : ndarray
        ``bool[n]``; where neither, the budget was spent.
    period : ndarray
        ``int64[n]``, the period with which the tail repeats, 0 where it does not.
    lane_steps : int
        Steps computed, those of settled lanes included; ``steps.sum() / lane_steps`` is the useful share.
    """

    theta: Array
    steps: NDArray[np.int64]
    stationary: NDArray[np.bool_]
    diverged: NDArray[np.bool_]
    period: NDArray[np.int64]
    lane_steps: int


@dataclass
class Cells:
    """What a result holds of each trajectory of a tile; arrays of length n, `theta` ``float64[d, n]``."""

    outcome: NDArray[np.int8]
    steps: NDArray[np.int32]
    loss: Array
    gradient_norm: Array
    basin: NDArray[np.int16]
    period: NDArray[np.int8]
    theta: Array
    lane_steps: int


def classify(problem: Problem, endings: Endings, gradient_tolerance: float) -> Cells:
    """Turn endings into outcomes, with loss, gradient norm (``max|g|``) and basin of each end point."""
    theta, stationary = endings.theta, endings.stationary
    with np.errstate(all="ignore"):
        loss = problem.loss(theta)
        norm = np.abs(problem.gradient(theta)).max(axis=0)
    outcome = np.full(len(loss), Outcome.unfinished, dtype=np.int8)
    outcome[endings.period > 0] = Outcome.oscillating
    outcome[endings.diverged] = Outcome.diverged
    outcome[stationary] = Outcome.stalled
    basin = np.full(len(loss), -1, dtype=np.int16)
    minima = problem.minima
    if minima and stationary.any():
        at = np.full(len(loss), -1)
        at[stationary] = problem.locate(
            theta[:, stationary], loss[stationary], gradient_tolerance * problem.gradient_scale
        )
        lowest = minima[0].loss + 1e-9 * max(1.0, abs(minima[0].loss))
        for index, point in enumerate(problem.stationary_points):
            if point.kind == "minimum":
                here = at == index
                basin[here] = minima.index(point)
                outcome[here] = Outcome.global_minimum if point.loss <= lowest else Outcome.local_minimum
    return Cells(
        outcome,
        endings.steps.astype(np.int32),
        loss,
        norm,
        basin,
        endings.period.astype(np.int8),
        theta,
        endings.lane_steps,
    )
