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
_BEYOND_SCATTER = 2.0  # times its scatter by which the objective must have changed to have done so


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
    period : ndarray
        ``int8[n]``, the period with which the tail repeats, 0 where it does not.
    samples : ndarray
        What the gradient of each step is the gradient of, at the `sampled_steps`, ``[k, n]``; anything where the budget
        was not spent.
    lane_steps : int
        Steps computed, those of settled lanes included; ``steps.sum() / lane_steps`` is the useful share.
    memory : ndarray
        What a measure remembers, ``float64[r, n]``: of settled trajectories the loss at the end point included.
    record : Record
        What is noted for histories while trajectories are under way.
    loss, gradient_norm : ndarray, optional
        Loss and largest absolute entry of the gradient at the end points, ``float64[n]``, where the tile has them.
    """

    theta: Array
    steps: NDArray[np.int32]
    ending: NDArray[np.int8]
    period: NDArray[np.int8]
    samples: Array
    lane_steps: int
    memory: Array
    record: Record
    loss: Array | None = None
    gradient_norm: Array | None = None


def trend(samples: Array, max_steps: int) -> NDArray[np.int8]:
    """Tell of each trajectory whether its objective came down (−1) or went up (1) in the second half of its budget.

    It did if its mean over the samples of the end differs from that of the middle by more than twice its scatter: the
    smaller one, of both, of the standard deviations from a straight line. Cycles, chaos and the noise of mini-batches
    scatter about a level (0); what descends, however slowly, scatters little about its way, and where swings die down,
    or grow, one end of them is small.

    Parameters
    ----------
    samples : ndarray
        ``[k, n]``, see `Endings`.
    max_steps : int
        The budget.
    """
    middle = len(sampled_steps(max_steps)[0]) or len(samples) // 2
    with np.errstate(all="ignore"):
        (before, first), (after, second) = _line(samples[:middle]), _line(samples[middle:])
        change, least = after - before, _BEYOND_SCATTER * np.minimum(first, second)
        return np.asarray((change > least).astype(np.int8) - (change < -least).astype(np.int8))


def is_level(samples: Array) -> NDArray[np.bool_]:
    """Tell of each trajectory whether the objective was the same at all `sampled_steps`, rounding aside."""
    rounding = STILL_WITHIN * np.finfo(samples.dtype).eps * np.abs(samples[-1])
    level = np.ones(samples.shape[1], dtype=bool)
    with np.errstate(all="ignore"):
        for row in samples[:-1]:
            level &= np.abs(row - samples[-1]) <= rounding
            if not level.any():
                break
    return level


def _line(values: Array) -> tuple[Array, Array]:
    """The mean of each column, and its standard deviation from the straight line that fits it best.

    Row by row, so that no number depends on which columns are beside it.
    """
    k, n = values.shape
    if k == 0:
        return np.full(n, np.nan), np.zeros(n)
    base = values[k // 2].astype(np.float64)
    total, slope, squares = np.zeros((3, n))
    for at, row in enumerate(values):
        around = row - base
        total += around
        slope += (at - (k - 1) / 2) * around
        around *= around
        squares += around
    mean = total / k
    if k < 3:
        return base + mean, np.zeros(n)
    variance = squares / k - mean * mean - slope * slope * (12 / (k * k * (k * k - 1)))
    return base + mean, np.sqrt(np.maximum(variance, 0.0))
