"""The compiled driver of one tile: step, settle, compact.

The trajectories of a tile run in blocks of up to 1088 lanes. All lanes of a block share the step counter. After
every `STRIDE` steps the lanes that have settled are written out and the last live lanes are moved into their places, so
that lane-steps are hardly ever wasted. The last `TAIL` steps are taken one at a time and kept, to see whether what did
not settle repeats itself. In the middle and at the end the objective is noted, to see whether it comes down. Strides
end where a history records, and what it records of the last steps is told from the points that were kept.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import types

from gdfast.formulas.lane_products import independent
from gdfast.kernels.compiling import compiled
from gdfast.kernels.evaluation import OBJECTIVE
from gdfast.kernels.lane_math.parts import float_to_bits
from gdfast.kernels.loops.kernel import Kernel
from gdfast.kernels.options import apart, few
from gdfast.kernels.signatures import (
    DIVERGED,
    KINDS,
    LANES,
    MOVING,
    SETTLED,
    SETTLING,
    block_type,
    call_step,
    pair_type,
)
from gdfast.tiles import ahead
from gdfast.tiles.ending import REPEATS_WITHIN, STILL_WITHIN, Ending
from gdfast.tiles.noting import note, note_state, place_of, record_type, stay
from gdfast.tiles.outcomes import Limits
from gdfast.tiles.placing import judge
from gdfast.tiles.telling import tell_tails, tell_trends

STRIDE, LONGEST_STRIDE = 8, 96
_AT_ONCE = 32  # lanes of which one number tells which have settled
_STATIONARY, _DIVERGED = int(Ending.stationary), int(Ending.diverged)
_MOVING = int(Ending.moving)


class Grid(NamedTuple):
    """Where the trajectories of a tile begin."""

    starts: Any  # (d, m)
    learning_rates: Any  # (groups, k)
    first: Any  # int64, the tile's first trajectory
    state: Any  # (s,), the first value of each state slot, `THE_START` for that of the point
    memory: Any  # (r,), of each memory slot


class Samples(NamedTuple):
    """The objective of a block of W lanes at some points of the middle and of the end of the budget."""

    steps: Any  # int64[k], the updates done there
    values: Any  # float64 (k, W)
    work: Any  # float64 (5, W), to scribble on
    batched: Any  # bool, whether each step has an objective of its own
    judged: Any  # bool, whether it is that by which ends are judged, and not that of the steps
    with_steps: Any  # bool, whether steps tell it of the points that they begin at, for little


class Ends(NamedTuple):
    """What the driver tells of the n trajectories of a tile."""

    theta: Any  # (d, n)
    steps: Any  # int32[n], updates done
    ending: Any  # int8[n]
    outcome: Any  # int8[n], what the end is if it is at no minimum
    basin: Any  # int16[n]
    near: Any  # int8[n], whether its loss is that of a minimum
    untold: Any  # int8[n], whether what it is, and its basin, are still to be told
    period: Any  # int8[n]
    trend: Any  # int8[n], how the objective went, if the budget was spent
    recent: Any  # float64[n], its mean over the last samples, likewise
    loss: Any  # (n,)
    gradient_norm: Any  # (n,), the largest entry of the gradient
    memory: Any  # (slots that results are made of, n)


def _signature(real: Any) -> Any:
    """The signature of the driver of tiles that compute in a type, ``float64`` or ``float32`` of numba's."""
    matrix = real[:, ::1]
    small, numbers = types.int8[::1], real[::1]
    ends = (matrix, types.int32[::1], small, small, types.int16[::1], *[small] * 4)
    losses, points = types.float64[::1], types.float64[:, ::1]
    places = points, points, losses, losses, small, types.int16[::1], types.boolean, types.boolean
    return types.int64(
        pair_type(real),
        pair_type(real),  # the same with the layout of all rows, by which end points are judged
        types.NamedTuple((matrix, matrix, types.int64, numbers, numbers), Grid),
        matrix,  # table
        SETTLING,
        block_type(real),
        types.NamedTuple(
            (types.int64[::1], types.float64[:, ::1], types.float64[:, ::1], *[types.boolean] * 3), Samples
        ),
        types.NamedTuple((losses, losses, *[types.float64] * 5, *places), Limits),
        real,  # loss per objective
        types.NamedTuple((*ends, losses, numbers, numbers, matrix), Ends),
        record_type(real),
        types.int64[::1],  # stop (1): a number other than zero ends the tile early
    )


def _list_leaving(status, n, at_once, leaving):
    """List which of n lanes have settled, the last first, and return how many.

    Those of a group are one number with a bit for each lane, which vectors make; its highest bit is the exponent of the
    number as a double.
    """
    found = 0
    for group in range((n - 1) // at_once * at_once, -1, -at_once):
        settled = 0
        for j in range(at_once):
            settled |= (status[group + j] & SETTLED) << j
        settled //= SETTLED
        while settled > 0:
            j = (float_to_bits(float(settled)) >> 52) - 1023
            settled ^= 1 << j
            leaving[found] = group + j
            found += 1
    return found


def _write_out(rows, found, number, leaving, count, first):
    """Copy what lanes that leave have in some rows to the places of their trajectories, row by row."""
    for i in range(found.shape[0]):
        for k in range(count):
            found[i, number[leaving[k]] - first] = rows[i, leaving[k]]
            few()
        few()


def _close_ranks(rows, leaving, count, n):
    """Move the last of n lanes into the places of those that leave, row by row."""
    for i in range(rows.shape[0]):
        for k in range(count):
            rows[i, leaving[k]] = rows[i, n - 1 - k]
            few()
        few()


def _fill(block, grid, begin, n):
    """Put n trajectories, from the `begin`-th of the tile on, into the first lanes."""
    apart()
    theta, state, memory, lr, number, status = (
        block.theta, block.state, block.memory, block.lr, block.number, block.status,
    )  # fmt: skip
    starts, learning_rates = grid.starts, grid.learning_rates
    m = starts.shape[1]
    rate, start = (grid.first + begin) // m, (grid.first + begin) % m
    for lane in range(n):
        for i in range(learning_rates.shape[0]):
            lr[i, lane] = learning_rates[i, rate]
            few()
        for i in range(starts.shape[0]):
            theta[i, lane] = starts[i, start]
            few()
        start += 1
        if start == m:
            start, rate = 0, rate + 1
    for lane in range(n):
        number[lane] = grid.first + begin + lane
        status[lane] = MOVING
        independent()
    for j in range(state.shape[0]):
        for i in range(state.shape[1]):
            for lane in range(n):
                first = grid.state[j]  # not a number where it is the start's own
                state[j, i, lane] = first if first == first else theta[i, lane]
                independent()
    for j in range(memory.shape[0]):
        for lane in range(n):
            memory[j, lane] = grid.memory[j]
            independent()


def _pad(block, n, together):
    """Fill the lanes up to a whole number of groups with copies of the first; return how many there are."""
    carried, number, status = block.carried, block.number, block.status
    padded = -(-n // together) * together
    for lane in range(n, padded):
        number[lane], status[lane] = number[0], status[0]
        few()
    for i in range(carried.shape[0] if n < padded else 0):
        for lane in range(n, padded):
            carried[i, lane] = carried[i, 0]
            few()
        few()
    return padded


def _take_out_settled(block, samples, n, padded, first, ends):
    """Write out the lanes that have settled, move the last live ones into their places, and return how many live."""
    apart()
    memory, number, status, leaving = block.memory, block.number, block.status, block.leaving
    for lane in range(n, padded):
        status[lane] = MOVING
        few()
    count = _list_leaving(status, n, min(_AT_ONCE, len(status)), leaving)
    _write_out(block.ended, ends.theta, number, leaving, count, first)
    _write_out(memory[memory.shape[0] - ends.memory.shape[0] :], ends.memory, number, leaving, count, first)
    for k in range(count):
        lane = leaving[k]
        at = number[lane] - first
        ends.steps[at] = status[lane] // KINDS
        ends.ending[at] = _DIVERGED if status[lane] % KINDS == DIVERGED else _STATIONARY
        number[lane], status[lane] = number[n - 1 - k], status[n - 1 - k]
        few()
    _close_ranks(block.carried, leaving, count, n)
    _close_ranks(samples, leaving, count, n)
    return n - count


def _tolerance_at(settling, t):
    """By what a gradient is small from the step after `t` updates on: before a lane can settle, none is."""
    return settling.gradient_tolerance if t >= settling.begins else -1.0


def _sample(pair, block, table, settling, t, n, sample):  # the step's arguments and one more
    """Note the objective of each lane."""
    call_step(pair, block, table, settling, t, n, 0)
    objective = block.work[0]
    for lane in range(n):
        sample[lane] = objective[lane]
        independent()


def _step_and_sample(pair, block, table, settling, t, n, sample):  # likewise
    """Do one step, and note the objective of each lane at the point that it begins at, which takes no pass more."""
    call_step(pair._replace(noting=OBJECTIVE), block, table, settling, t, n, 1)
    objective = block.work[block.work.shape[0] - 1]
    for lane in range(n):
        sample[lane] = objective[lane]
        independent()


def _take_last_steps(pair, sampled_by, block, table, settling, t, n, padded, noted, first, record, ends):  # likewise
    """Take the last steps of the budget one by one, keep their points, then one more to check the last point."""
    apart()
    theta, memory, number, status, ended, tail = (
        block.theta, block.memory, block.number, block.status, block.ended, block.tail,
    )  # fmt: skip
    sampled = place_of(noted.steps, t)
    window, of_measure = tail.shape[0] - 1, memory.shape[0] - ends.memory.shape[0]
    for k in range(window + 1):
        for j in range(ends.memory.shape[0] if k == window else 0):
            for lane in range(n):
                ends.memory[j, number[lane] - first] = memory[of_measure + j, lane]
                independent()
        for i in range(theta.shape[0]):
            for lane in range(n):
                tail[k, i, lane] = theta[i, lane]
                independent()
        due = sampled < len(noted.steps) and t + k == noted.steps[sampled]
        if due and not noted.with_steps:
            _sample(sampled_by, block, table, settling, t + k, padded, noted.values[sampled])
        note_state(block, n, first, record, t + k)
        now = settling._replace(gradient_tolerance=_tolerance_at(settling, t + k))
        if due and noted.with_steps:
            _step_and_sample(pair, block, table, now, t + k, padded, noted.values[sampled])
        else:
            call_step(pair, block, table, now, t + k, padded, 1)
        if due:
            sampled += 1
    for lane in range(n):
        at = number[lane] - first
        settled = status[lane] & SETTLED
        ends.steps[at] = status[lane] // KINDS if settled else t + window
        ends.ending[at] = _MOVING
        if settled:
            ends.ending[at] = _DIVERGED if status[lane] % KINDS == DIVERGED else _STATIONARY
        for i in range(theta.shape[0]):
            ends.theta[i, at] = ended[i, lane] if settled else tail[window, i, lane]


def _compare_with_ends(pair, block, table, settling, n, padded, noted):  # likewise
    """Take from each sample what the same step's objective is at the end: rows of mini-batches differ by more."""
    apart()
    theta, ended = block.theta, block.tail[block.tail.shape[0] - 1]
    for i in range(theta.shape[0]):
        for lane in range(n):
            theta[i, lane] = ended[i, lane]
            independent()
        for lane in range(n, padded):
            theta[i, lane] = ended[i, 0]
            independent()
    for k in range(len(noted.steps)):
        call_step(pair, block, table, settling, noted.steps[k], padded, 0)
        for lane in range(n):
            noted.values[k, lane] -= block.work[0, lane]
            independent()


@functools.cache
def driver(real: str) -> Kernel:
    """Return the driver of tiles that compute in a type, ``float64`` or ``float32``."""
    number = getattr(np, real)
    within, still, rounding = (
        number(REPEATS_WITHIN), number(STILL_WITHIN * np.finfo(real).eps), STILL_WITHIN * float(np.finfo(real).eps),
    )  # fmt: skip

    ahead.finish()

    @compiled(_signature(getattr(types, real)))
    def drive(pair, judging, grid, table, settling, block, noted, limits, per_objective, ends, record, stop):
        width, total, first = len(block.number), len(ends.steps), grid.first
        last_steps = len(table) - 1 - (len(block.tail) - 1)  # when they begin
        middle = place_of(noted.steps, last_steps)  # samples before them
        together = min(LANES, width)
        sampled_by = judging if noted.judged else pair
        lane_steps = 0
        for begin in range(0, total, width):
            n = min(width, total - begin)
            _fill(block, grid, begin, n)
            t = taken = sampled = row = 0
            stride = STRIDE
            padded = _pad(block, n, together)
            while t < last_steps and n > 0 and stop[0] == 0:
                due = sampled < middle and t == noted.steps[sampled]
                if due:
                    sampled += 1
                    if not noted.with_steps:
                        _sample(sampled_by, block, table, settling, t, padded, noted.values[sampled - 1])
                goal = min(taken + stride, noted.steps[sampled] if sampled < middle else last_steps)
                if t < settling.begins:
                    goal = min(goal, settling.begins)
                if row < len(record.steps) and t == record.steps[row]:
                    note(judging, block, table, settling, per_objective, n, padded, first, record, row)
                    note_state(block, n, first, record, t)
                    row += 1
                n_steps = (min(goal, record.steps[row]) if row < len(record.steps) else goal) - t
                now = settling._replace(gradient_tolerance=_tolerance_at(settling, t))
                if due and noted.with_steps:
                    _step_and_sample(pair, block, table, now, t, padded, noted.values[sampled - 1])
                    if n_steps > 1:
                        call_step(pair, block, table, now, t + 1, padded, n_steps - 1)
                else:
                    call_step(pair, block, table, now, t, padded, n_steps)
                t += n_steps
                lane_steps += n * n_steps
                if t < goal:
                    continue
                before, taken = n, t
                n = _take_out_settled(block, noted.values[:sampled], n, padded, first, ends)
                padded = _pad(block, n, together)
                # Where nothing settles there is nothing to take out, and longer strides will do.
                stride = STRIDE if n < before else min(2 * stride, LONGEST_STRIDE)
            if stop[0] != 0:
                break
            if n > 0:
                _take_last_steps(pair, sampled_by, block, table, settling, t, n, padded, noted, first, record, ends)
                lane_steps += n * (len(block.tail) - 1)
                tell_tails(block, n, within, still, first, ends)
                if noted.batched:
                    _compare_with_ends(pair, block, table, settling, n, padded, noted)
                tell_trends(block, noted, n, middle, rounding, first, ends)
                while row < len(record.steps) and record.steps[row] < len(table) - 1:
                    for i in range(block.theta.shape[0]):
                        for lane in range(n):
                            block.theta[i, lane] = block.tail[record.steps[row] - last_steps, i, lane]
                    note(judging, block, table, settling, per_objective, n, padded, first, record, row)
                    row += 1
            n = min(width, total - begin)
            judge(judging, block, table, settling, grid, limits, per_objective, begin, n, together, ends)
            if len(record.steps):
                stay(record, ends, begin, n)
        return lane_steps

    return drive
