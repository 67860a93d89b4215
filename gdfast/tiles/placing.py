"""What the driver tells of the ends of a block: loss, gradient, and for most of them where they are.

It is told for what is stationary at a known point, if there are few, and for all that is at no minimum and not to be
told by the loss alone. `gdfast.tiles.outcomes.Judge` has the whole truth in NumPy, and tells the rest.
"""

import numpy as np

from gdfast.formulas.lane_products import independent
from gdfast.kernels.options import apart, few
from gdfast.kernels.signatures import call_step
from gdfast.tiles.ending import Ending, Trend
from gdfast.tiles.noting import place_of
from gdfast.tiles.outcomes import Outcome

_STATIONARY, _DIVERGED = int(Ending.stationary), int(Ending.diverged)
_FIXED, _CYCLING, _MOVING = int(Ending.fixed), int(Ending.cycling), int(Ending.moving)
_HAS_DIVERGED, _STALLED, _FROZEN = int(Outcome.diverged), int(Outcome.stalled), int(Outcome.frozen)
_OSCILLATING, _WORSE, _UNFINISHED = int(Outcome.oscillating), int(Outcome.worse), int(Outcome.unfinished)
_GLOBAL, _LOCAL = int(Outcome.global_minimum), int(Outcome.local_minimum)
_UP, _LEVEL, _NEITHER = int(Trend.up), int(Trend.level), int(Trend.neither)


def _outcome(ending, trend, loss, norm, before, limits):
    """What an end is if it is at no minimum, as `gdfast.tiles.outcomes.Judge.elsewhere` tells it."""
    if ending == _STATIONARY:
        return _STALLED
    if ending == _DIVERGED or not loss <= limits.highest:
        return _HAS_DIVERGED
    if ending == _FIXED:
        return _FROZEN
    if ending == _CYCLING or trend == _NEITHER or (trend == _LEVEL and not norm <= limits.creeping):
        return _OSCILLATING
    if loss > before:
        return _WORSE
    return _OSCILLATING if trend == _UP else _UNFINISHED


def _distance(theta, at, point):
    """The largest difference of a coordinate of an end from a point."""
    distance = 0.0
    for i in range(theta.shape[0]):
        along = abs(theta[i, at] - point[i])
        distance = along if along > distance else distance
        few()
    return distance


def _tell_stationary(at, limits, ends):
    """Put in what a stationary end is by the nearest point that it is within the reach of; return if it is untold."""
    place, best = -1, np.inf
    for k in range(len(limits.reach)):
        distance = _distance(ends.theta, at, limits.points[k])
        if distance <= limits.reach[k] and distance < best:
            place, best = k, distance
        few()
    if place < 0:
        return True
    ends.outcome[at], ends.basin[at] = limits.outcomes[place], limits.basins[place]
    return ends.outcome[at] != _GLOBAL and ends.loss[at] <= limits.low


def _tell_near(at, recent, limits, ends):
    """Put in what an end is that is not stationary, if its loss is that of a minimum; return if it is untold."""
    place, best, loss = -1, np.inf, ends.loss[at]
    if not len(limits.reach):
        return True
    if not recent - loss <= limits.slack:
        return False  # it passes
    for k in range(len(limits.reach)):
        distance = _distance(ends.theta, at, limits.points[k])
        if limits.basins[k] >= 0 and (
            distance < best or (place >= 0 and distance == best and limits.basins[k] < limits.basins[place])
        ):
            place, best = k, distance
        few()
    if place < 0:
        return True
    if abs(limits.losses[place] - loss) <= limits.slack:
        ends.outcome[at], ends.basin[at] = _LOCAL, limits.basins[place]
    if loss <= limits.low:
        ends.outcome[at] = _GLOBAL
    return False


def _is_far(theta, at, limits):
    """Whether an end is far outside of the domain."""
    for i in range(theta.shape[0]):
        if not (theta[i, at] >= limits.around[0, i] and theta[i, at] <= limits.around[1, i]):
            return True
        few()
    return False


def judge(pair, block, table, settling, grid, limits, per_objective, begin, n, together, ends):
    """Tell loss and largest entry of the gradient at the ends of a block's trajectories, and what they are."""
    apart()
    theta, work = block.theta, block.work
    padded = -(-n // together) * together
    for i in range(theta.shape[0]):
        for lane in range(n):
            theta[i, lane] = ends.theta[i, begin + lane]
            independent()
        for lane in range(n, padded):
            theta[i, lane] = theta[i, 0]
            independent()
    call_step(pair, block, table, settling, len(table) - 1, padded, -1)
    before, heights = limits.before, limits.heights
    start = (grid.first + begin) % len(before)
    for lane in range(n):
        at = begin + lane
        loss, norm, ending = work[0, lane] * per_objective, work[1, lane], ends.ending[at]
        outcome = _outcome(ending, ends.trend[at], loss, norm, before[start], limits)
        near = loss <= limits.low
        if not near and loss <= heights[-1] + limits.slack:
            near = abs(heights[place_of(heights[:-1], loss - limits.slack)] - loss) <= limits.slack
        near = near and ending != _DIVERGED
        ends.loss[at], ends.gradient_norm[at], ends.outcome[at], ends.basin[at] = loss, norm, outcome, -1
        ends.near[at] = near
        if ending == _DIVERGED:
            untold = False
        elif loss < limits.unknown or not limits.settles:
            untold = True
        elif ending == _STATIONARY:
            untold = _tell_stationary(at, limits, ends)
        else:
            untold = ending == _MOVING and (limits.short or ends.trend[at] == _LEVEL)
            untold = untold or (outcome == _UNFINISHED and _is_far(ends.theta, at, limits))
            if near and not untold:
                untold = _tell_near(at, ends.recent[at] * per_objective, limits, ends)
        ends.untold[at] = untold
        start = 0 if start + 1 == len(before) else start + 1
        independent()
