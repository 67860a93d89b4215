"""How trajectories end, as far as a tile can tell: by their gradients and their last points, not by the problem.

The compiled tile and the reference tell the same of each trajectory; what it means is told by `gdfast.tiles.outcomes`.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.tiles.record import Record

LONGEST_PERIOD = 16
TAIL = 2 * LONGEST_PERIOD
"""Steps at the end of the budget that are looked at point by point."""
SAMPLE_EVERY = 4
"""Steps between the points of the middle and of the end of the budget at which the objective is noted."""
REPEATS_WITHIN = 1e-6
"""A tail repeats when it does so within this share of its amplitude, the largest distance from its last point."""
STILL_WITHIN = 16.0
"""A point stands still when its last moves are within so many units of the last place of its largest coordinate."""
BEYOND_SCATTER = 2.0
"""Times its scatter by which the objective must have changed to have done so."""
RECENT = 3
"""Samples of the objective that are the last."""


class Trend(IntEnum):
    """How the objective went in the second half of a budget that was spent."""

    down = -1
    neither = 0
    up = 1
    level = 2  # the same at all samples, rounding aside


class Ending(IntEnum):
    """How a trajectory ended, whatever the problem."""

    not_run = 0
    stationary = 1
    fixed = 2
    cycling = 3
    moving = 4
    diverged = 5


MEANING_OF_ENDING = {
    Ending.not_run: "no result yet",
    Ending.stationary: "the gradient of the loss was within the tolerance at two consecutive points",
    Ending.fixed: "budget spent; the point did not change any more, rounding aside",
    Ending.cycling: "budget spent; the last steps repeat",
    Ending.moving: "budget spent; the point was still moving",
    Ending.diverged: "the gradient passed the limit or was not finite",
}


def sampled_steps(max_steps: int) -> tuple[range, range]:
    """The updates done at the points where the objective is noted: in the middle of the budget, and at its end.

    Each are some thirty steps, every fourth of them. Of a budget of at most `TAIL` steps there is no middle.
    """
    tail = min(TAIL, max_steps)
    last_steps = max_steps - tail
    middle = range(last_steps // 2, min(last_steps, last_steps // 2 + tail + 1), SAMPLE_EVERY)
    return middle, range(last_steps, max_steps + 1, SAMPLE_EVERY)


@dataclass
class Endings:
    """How the trajectories of a tile ended.

    Attributes
    ----------
    theta : ndarray
        End points, ``float64[d, n]``.
    steps : ndarray
        Updates done, ``int32[n]``.
    ending : ndarray
        `Ending`, ``int8[n]``.
    outcome : ndarray
        What each end is if it is at no minimum, `gdfast.tiles.outcomes.Outcome`, ``int8[n]``.
    basin : ndarray
        The minimum that it is at, ``int16[n]``, −1 for none.
    near : ndarray
        Whether the loss is so low that it may be at one, ``int8[n]``.
    untold : ndarray
        Whether what the end is, and its basin, are still to be told by `gdfast.tiles.outcomes.Judge`, ``int8[n]``.
    period : ndarray
        ``int8[n]``, the period with which the tail repeats, 0 where it does not.
    trend : ndarray
        `Trend`, ``int8[n]``, of what the gradients of the steps are the gradients of, at the `sampled_steps`; 0 where
        the budget was not spent.
    recent : ndarray
        The mean of its last `RECENT` samples, ``float64[n]``, 0 where the budget was not spent.
    loss, gradient_norm : ndarray
        Loss and largest absolute entry of the gradient at the end points, ``dtype[n]``.
    lane_steps : int
        Steps computed, those of settled lanes included; ``steps.sum() / lane_steps`` is the useful share.
    memory : ndarray
        What a measure remembers, ``float64[r, n]``: of settled trajectories the loss at the end point included.
    record : Record
        What is noted for histories while trajectories are under way.
    """

    theta: Array
    steps: NDArray[np.int32]
    ending: NDArray[np.int8]
    outcome: NDArray[np.int8]
    basin: NDArray[np.int16]
    near: NDArray[np.int8]
    untold: NDArray[np.int8]
    period: NDArray[np.int8]
    trend: NDArray[np.int8]
    recent: Array
    loss: Array
    gradient_norm: Array
    memory: Array
    record: Record
    lane_steps: int


def trend_of(samples: Array, max_steps: int, real: str = "float64") -> NDArray[np.int8]:
    """Tell of each trajectory how its objective went in the second half of its budget, as `Trend`.

    It came down, or went up, if its mean over the samples of the end differs from that of the middle by more than twice
    its scatter: the smaller one, of both, of the standard deviations from a straight line. Cycles, chaos and the noise
    of mini-batches scatter about a level, which is neither; what descends, however slowly, scatters little about its
    way, and where swings die down, or grow, one end of them is small.

    Parameters
    ----------
    samples : ndarray
        The objective at the `sampled_steps`, ``float64[k, n]``; of mini-batches less what that of the same rows is at
        the end point, since rows differ by more than a descent in a few steps.
    max_steps : int
        The budget.
    real : str
        The type that it was computed in.
    """
    rounding = STILL_WITHIN * float(np.finfo(real).eps)
    middle = len(sampled_steps(max_steps)[0]) or len(samples) // 2
    with np.errstate(all="ignore"):
        (before, first), (after, second) = _line(samples[:middle]), _line(samples[middle:])
        change, first, second = after - before, BEYOND_SCATTER * first, BEYOND_SCATTER * second
        down, up = (change < -first) | (change < -second), (change > first) | (change > second)
        level = (np.abs(samples - samples[-1]) <= rounding * np.abs(samples[-1])).all(axis=0)
    return np.where(down, Trend.down, np.where(up, Trend.up, np.where(level, Trend.level, Trend.neither))).astype(
        np.int8
    )


def _line(values: Array) -> tuple[Array, Array]:
    """The mean of each column, and its standard deviation from the straight line that fits it best.

    Row by row, as the kernel does.
    """
    k, n = values.shape
    if k == 0:
        return np.full(n, np.nan), np.zeros(n)
    base = values[k // 2]
    total, slope, squares = np.zeros((3, n))
    for at, row in enumerate(values):
        around = row - base
        total = total + around
        slope = slope + (at - (k - 1) / 2) * around
        squares = squares + around * around
    mean = total / k
    if k < 3:
        return base + mean, np.zeros(n)
    variance = squares / k - mean * mean - slope * slope * (12 / (k * k * (k * k - 1)))
    return base + mean, np.sqrt(np.maximum(variance, 0.0))
