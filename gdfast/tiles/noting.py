"""How the driver notes what a history records of a block of lanes."""

from typing import Any

from numba import types

from gdfast.formulas.lane_products import independent
from gdfast.kernels.options import apart, few
from gdfast.kernels.signatures import call_step
from gdfast.tiles.record import Record


def record_type(real: Any) -> Any:
    """The type of a `Record` in a type of numba's."""
    return types.NamedTuple((types.int64[::1], real[:, ::1], real[:, ::1], real[:, :, ::1], real[:, :, :, ::1]), Record)


def place_of(numbers, number):
    """Where a number belongs in ascending ones: `numpy.searchsorted`, which takes ten times as long to compile."""
    low, high = 0, len(numbers)
    while low < high:
        middle = (low + high) >> 1
        if numbers[middle] < number:
            low = middle + 1
        else:
            high = middle
    return low


def note(judging, block, table, settling, per_objective, n, padded, first, record, row):
    """Note loss, gradient and point of each lane, those of them that a record has places for."""
    apart()
    number, theta, work = block.number, block.theta, block.work
    losses, gradients, points = record.loss, record.gradient_norm, record.theta
    if losses.shape[1] or gradients.shape[1]:
        both = -1 if gradients.shape[1] else 0
        call_step(judging, block, table, settling, len(table) - 1, padded, both)
    for lane in range(n if losses.shape[1] else 0):
        losses[number[lane] - first, row] = work[0, lane] * per_objective
        independent()
    for lane in range(n if gradients.shape[1] else 0):
        gradients[number[lane] - first, row] = work[1, lane]
        independent()
    for i in range(theta.shape[0] if points.shape[1] else 0):
        for lane in range(n):
            points[number[lane] - first, row, i] = theta[i, lane]
            independent()


def note_state(block, n, first, record, t):
    """Note the state of each lane after t updates, if they are recorded and a record has places for it."""
    apart()
    number, state, places = block.number, block.state, record.state
    row = place_of(record.steps, t)
    if places.shape[0] and places.shape[3] and row < len(record.steps) and record.steps[row] == t:
        for j in range(places.shape[0]):
            for i in range(places.shape[1]):
                for lane in range(n):
                    places[j, i, number[lane] - first, row] = state[j, i, lane]
                    independent()


def stay(record, ends, begin, n):
    """Let what is recorded of trajectories stay at their ends."""
    apart()
    steps = record.steps
    for at in range(begin, begin + n):
        row = place_of(steps, ends.steps[at])
        for later in range(row, record.loss.shape[1]):
            record.loss[at, later] = ends.loss[at]
            few()
        for later in range(row, record.gradient_norm.shape[1]):
            record.gradient_norm[at, later] = ends.gradient_norm[at]
            few()
        for later in range(row, record.theta.shape[1]):
            for i in range(record.theta.shape[2]):
                record.theta[at, later, i] = ends.theta[i, at]
                few()
