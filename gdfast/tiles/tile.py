"""The compiled driver of one tile: step, settle, compact.

The trajectories of a tile run in blocks of up to 1088 lanes. All lanes of a block share the step counter. After
every `STRIDE` steps the lanes that have settled are written out and the last live lanes are moved into their
places, so that lane-steps are hardly ever wasted. The last `TAIL` steps of the budget are taken one at a time and
kept, to see whether a trajectory that did not settle repeats itself. At some points of the middle and of the end of
the budget the objective is noted, to see whether it still comes down.
"""

import functools
import itertools
import math

import numpy as np
from numba import types
from numba.extending import register_jitable

from gdfast.formulas.elementary import Array
from gdfast.kernels.compiling import compiled
from gdfast.kernels.evaluation import evaluation_kernel
from gdfast.kernels.fuse import step_kernel, work_rows
from gdfast.kernels.numba_internals import Kernel
from gdfast.kernels.options import HELPER
from gdfast.kernels.signatures import (
    DIVERGED,
    KINDS,
    LANES,
    MOVING,
    SETTLED,
    Block,
    Ends,
    Grid,
    Pair,
    Recording,
    Settling,
    call_step,
    driver_signature,
)
from gdfast.optimizers import Optimizer
from gdfast.tiles.ending import (
    LONGEST_PERIOD,
    REPEATS_WITHIN,
    SAMPLE_EVERY,
    STILL_WITHIN,
    TAIL,
    Ending,
    Endings,
    sampled_steps,
)
from gdfast.tiles.prepared import Plan, Prepared
from gdfast.tiles.record import Record
from gdfast.tiles.sweep import Sweep, Tile

# Lanes of a block. A row's length is an odd multiple of 512 bytes, so that the same lane of neighbouring rows never
# lies a multiple of 4096 bytes apart, where stores and loads are taken for one another (up to twice as slow).
WIDTHS = 1088, 576, 320, 192, 64
WORKING_SET = 2 * 2**20  # bytes of a block's arrays; measured for 20 to 2000 coordinates
STRIDE, LONGEST_STRIDE = 24, 96
_STATIONARY, _DIVERGED = int(Ending.stationary), int(Ending.diverged)
_FIXED, _CYCLING, _MOVING = int(Ending.fixed), int(Ending.cycling), int(Ending.moving)


@register_jitable(**HELPER)
def _tell_tails(block, n, within, still, first, ends):
    """Tell of each live lane whether it stands still, or the smallest period > 1 with which its last moves repeat."""
    tail, number, status, amplitude, least = block.tail, block.number, block.status, block.work[0], block.work[1]
    window, d = tail.shape[0] - 1, tail.shape[1]
    longest = min(LONGEST_PERIOD, window // 2)
    for lane in range(n):
        amplitude[lane] = 0.0
        least[lane] = np.inf
    for k in range(window):
        for i in range(d):
            for lane in range(n):
                distance = abs(tail[k, i, lane] - tail[window, i, lane])
                amplitude[lane] = distance if distance > amplitude[lane] else amplitude[lane]
    # Most lanes fail at the last gap of any period already; only those that do not are looked at in full.
    for period in range(2, longest + 1):
        for lane in range(n):
            gap = abs(tail[window, 0, lane] - tail[window - period, 0, lane])
            least[lane] = gap if gap < least[lane] else least[lane]
    for lane in range(n):
        limit = within * amplitude[lane]
        size = abs(tail[window, 0, lane])
        for i in range(1, d):
            coordinate = abs(tail[window, i, lane])
            size = coordinate if coordinate > size else size
        if amplitude[lane] <= still * size and status[lane] & SETTLED == 0:
            ends.ending[number[lane] - first] = _FIXED
        elif least[lane] <= limit and 0.0 < limit < np.inf and status[lane] & SETTLED == 0:
            for period in range(2, longest + 1):
                repeats = True
                for k in range(window - period, -1, -1):
                    for i in range(d):
                        repeats = repeats and abs(tail[k + period, i, lane] - tail[k, i, lane]) <= limit
                    if not repeats:
                        break
                if repeats:
                    ends.ending[number[lane] - first] = _CYCLING
                    ends.period[number[lane] - first] = period
                    break


@register_jitable(**HELPER)
def _any_settled(status):
    """Whether any of a group of lanes has settled."""
    kinds = 0
    for j in range(LANES):
        kinds |= status[j]
    return kinds & SETTLED != 0


@register_jitable(**HELPER)
def _move(block, source, target):
    """Copy one lane into the place of another."""
    theta, state, memory, lr, number, status = (
        block.theta, block.state, block.memory, block.lr, block.number, block.status,
    )  # fmt: skip
    for i in range(theta.shape[0]):
        theta[i, target] = theta[i, source]
        for j in range(state.shape[0]):
            state[j, i, target] = state[j, i, source]
    for j in range(memory.shape[0]):
        memory[j, target] = memory[j, source]
    for j in range(lr.shape[0]):
        lr[j, target] = lr[j, source]
    number[target] = number[source]
    status[target] = status[source]


@register_jitable(**HELPER)
def _fill(block, grid, begin, n):
    """Put n trajectories, from the `begin`-th of the tile on, into the first lanes."""
    theta, state, memory, lr, number, status = (
        block.theta, block.state, block.memory, block.lr, block.number, block.status,
    )  # fmt: skip
    starts, learning_rates = grid.starts, grid.learning_rates
    m = starts.shape[1]
    rate, start = (grid.first + begin) // m, (grid.first + begin) % m
    for lane in range(n):
        for i in range(learning_rates.shape[0]):
            lr[i, lane] = learning_rates[i, rate]
        for i in range(starts.shape[0]):
            theta[i, lane] = starts[i, start]
        start += 1
        if start == m:
            start, rate = 0, rate + 1
    for lane in range(n):
        number[lane] = grid.first + begin + lane
        status[lane] = MOVING
    for j in range(state.shape[0]):
        for i in range(state.shape[1]):
            for lane in range(n):
                state[j, i, lane] = grid.state[j]
    for j in range(memory.shape[0]):
        for lane in range(n):
            memory[j, lane] = grid.memory[j]


@register_jitable(**HELPER)
def _pad(block, n, together):
    """Fill the lanes up to a whole number of groups with copies of the first; return how many there are."""
    padded = -(-n // together) * together
    for lane in range(n, padded):
        _move(block, 0, lane)
    return padded


@register_jitable(**HELPER)
def _take_out_settled(block, n, together, first, ends):
    """Write out the lanes that have settled, move the last live ones into their places, and return how many live."""
    ended, memory, number, status = block.ended, block.memory, block.number, block.status
    of_measure = memory.shape[0] - ends.memory.shape[0]
    lane = 0
    while lane < n:
        if lane % LANES == 0 and together == LANES and not _any_settled(status[lane : lane + LANES]):
            lane += LANES
        elif status[lane] & SETTLED:
            at = number[lane] - first
            for i in range(ended.shape[0]):
                ends.theta[i, at] = ended[i, lane]
            for j in range(ends.memory.shape[0]):
                ends.memory[j, at] = memory[of_measure + j, lane]
            ends.steps[at] = status[lane] // KINDS
            ends.ending[at] = _DIVERGED if status[lane] % KINDS == DIVERGED else _STATIONARY
            n -= 1
            _move(block, n, lane)
            for i in range(ended.shape[0]):
                ended[i, lane] = ended[i, n]
        else:
            lane += 1
    return n


@register_jitable(**HELPER)
def _sample(pair, block, table, settling, t, n, padded, first, samples):  # the step's arguments and two more
    """Note the objective of each lane."""
    call_step(pair, block, table, settling, t, padded, 0)  # type: ignore[call-arg]
    for lane in range(n):
        samples[block.number[lane] - first] = block.work[0, lane]


@register_jitable(**HELPER)
def _record(judging, block, table, settling, n, padded, first, recording, row):  # likewise
    """Note loss, gradient and, where asked for, the point of each lane in a row of what is recorded."""
    number, theta, work, points = block.number, block.theta, block.work, recording.theta
    call_step(judging, block, table, settling, len(table) - 1, padded, 0)  # type: ignore[call-arg]
    for lane in range(n):
        recording.loss[row, number[lane] - first] = work[0, lane]
    for lane in range(n):
        recording.gradient_norm[row, number[lane] - first] = work[1, lane]
    for i in range(points.shape[1] if len(points) else 0):
        for lane in range(n):
            points[row, i, number[lane] - first] = theta[i, lane]


@register_jitable(**HELPER)
def _take_last_steps(pair, block, table, settling, t, n, padded, first, ends):  # likewise
    """Take the last steps of the budget one by one, keep their points, then one more to check the last point."""
    theta, memory, number, status, ended, tail = (
        block.theta, block.memory, block.number, block.status, block.ended, block.tail,
    )  # fmt: skip
    window, of_measure = tail.shape[0] - 1, memory.shape[0] - ends.memory.shape[0]
    for k in range(window + 1):
        for j in range(ends.memory.shape[0] if k == window else 0):
            for lane in range(n):
                ends.memory[j, number[lane] - first] = memory[of_measure + j, lane]
        for i in range(theta.shape[0]):
            for lane in range(n):
                tail[k, i, lane] = theta[i, lane]
        if k % SAMPLE_EVERY == 0:
            row = len(ends.samples) - 1 - window // SAMPLE_EVERY + k // SAMPLE_EVERY
            _sample(pair, block, table, settling, t + k, n, padded, first, ends.samples[row])
        call_step(pair, block, table, settling, t + k, padded, 1)  # type: ignore[call-arg]
    for lane in range(n):
        at = number[lane] - first
        settled = status[lane] & SETTLED
        ends.steps[at] = status[lane] // KINDS if settled else t + window
        ends.ending[at] = _MOVING
        if settled:
            ends.ending[at] = _DIVERGED if status[lane] % KINDS == DIVERGED else _STATIONARY
        for i in range(theta.shape[0]):
            ends.theta[i, at] = ended[i, lane] if settled else tail[window, i, lane]


@register_jitable(**HELPER)
def _judge(pair, block, table, settling, begin, n, together, ends):
    """Tell objective and largest entry of the gradient at the end points of a block's trajectories."""
    theta, work = block.theta, block.work
    padded = -(-n // together) * together
    for i in range(theta.shape[0]):
        for lane in range(n):
            theta[i, lane] = ends.theta[i, begin + lane]
        for lane in range(n, padded):
            theta[i, lane] = theta[i, 0]
    call_step(pair, block, table, settling, len(table) - 1, padded, 0)  # type: ignore[call-arg]
    for lane in range(n):
        ends.loss[begin + lane], ends.gradient_norm[begin + lane] = work[0, lane], work[1, lane]


@functools.cache
def _driver(real: str) -> Kernel:
    number = getattr(np, real)
    within, still = number(REPEATS_WITHIN), number(STILL_WITHIN * np.finfo(real).eps)

    @compiled(driver_signature(getattr(types, real)))
    def drive(pair, judging, grid, table, settling, block, ends, recording, stop):
        width, total, first = block.theta.shape[1], len(ends.steps), grid.first
        last_steps = len(table) - 1 - (len(block.tail) - 1)  # when they begin
        middle, last_sampled = last_steps // 2, len(ends.samples) - 1 - (len(block.tail) - 1) // SAMPLE_EVERY
        together = min(LANES, width)
        lane_steps = 0
        for begin in range(0, total, width):
            n = min(width, total - begin)
            _fill(block, grid, begin, n)
            t = sampled = row = 0
            stride = STRIDE
            padded = _pad(block, n, together)
            while t < last_steps and n > 0 and stop[0] == 0:
                if t == middle + SAMPLE_EVERY * sampled and sampled < last_sampled:
                    _sample(pair, block, table, settling, t, n, padded, first, ends.samples[sampled])
                    sampled += 1
                if row < len(recording.steps) and recording.steps[row] == t:
                    _record(judging, block, table, settling, n, padded, first, recording, row)
                    row += 1
                goal = middle + SAMPLE_EVERY * sampled if sampled < last_sampled else last_steps
                goal = min(goal, recording.steps[row]) if row < len(recording.steps) else goal
                n_steps = min(stride, min(goal, last_steps) - t)
                call_step(pair, block, table, settling, t, padded, n_steps)  # type: ignore[call-arg]
                t += n_steps
                lane_steps += n * n_steps
                before = n
                n = _take_out_settled(block, n, together, first, ends)
                padded = _pad(block, n, together)
                # Where nothing settles there is nothing to take out, and longer strides will do.
                stride = STRIDE if n < before else min(2 * stride, LONGEST_STRIDE)
            if stop[0] != 0:
                break
            if n > 0:
                _take_last_steps(pair, block, table, settling, t, n, padded, first, ends)
                lane_steps += n * (len(block.tail) - 1)
                _tell_tails(block, n, within, still, first, ends)
                while row < len(recording.steps) and recording.steps[row] < len(table) - 1:
                    block.theta[:, :n] = block.tail[recording.steps[row] - last_steps, :, :n]
                    _record(judging, block, table, settling, n, padded, first, recording, row)
                    row += 1
            _judge(judging, block, table, settling, begin, min(width, total - begin), together, ends)
        return lane_steps

    return drive


def run_tile(prepared: Prepared, tile: Tile, stop: Array) -> Endings:
    """Run one tile in compiled lanes.

    Parameters
    ----------
    prepared, tile
        The sweep, and which part of it.
    stop : ndarray
        ``int64[1]``; the tile ends early, with results of no meaning, when it becomes other than zero.
    """
    sweep, plan = prepared.sweep, prepared.plan(tile.optimizer)
    n, dtype, remembered = tile.last - tile.first, sweep.dtype, plan.parts.measure_memory.size
    ends = Ends(
        theta=np.empty((sweep.problem.dimension, n), dtype),
        steps=np.empty(n, dtype=np.int32),
        ending=np.empty(n, dtype=np.int8),
        period=np.zeros(n, dtype=np.int8),
        samples=np.empty((sum(map(len, sampled_steps(sweep.max_steps))), n), dtype),
        loss=np.empty(n, dtype),
        gradient_norm=np.empty(n, dtype),
        memory=np.empty((remembered, n), dtype),
    )
    record = Record.of(sweep, n)
    pair, _held = pair_of(sweep, plan.optimizer)
    lane_steps = _driver(dtype)(
        pair,
        pair._replace(layout=sweep.problem.layout_of_all),
        Grid(prepared.starts, prepared.learning_rates, tile.first, plan.state, plan.memory),
        plan.table,
        Settling(sweep.check_every, prepared.gradient_tolerance, prepared.divergence_limit),
        new_block(sweep, plan),
        ends,
        Recording(*record),
        stop,
    )
    for loss in (ends.loss, record.loss):
        with np.errstate(all="ignore"):  # where nothing was recorded is anything
            loss *= sweep.problem.loss_per_objective
    return Endings(**ends._asdict(), record=record, lane_steps=lane_steps)


def new_block(sweep: Sweep, plan: Plan) -> Block:
    """The arrays of a block of lanes: rows of one buffer that starts at a cache line."""
    problem, optimizer = sweep.problem, plan.optimizer
    d, s, window = problem.dimension, len(plan.state), min(TAIL, sweep.max_steps)
    size = np.dtype(sweep.dtype).itemsize
    width = next((w for w in WIDTHS if (3 + s) * d * w * size <= WORKING_SET), WIDTHS[-1])
    kernel = problem.lane_kernel
    width = kernel.lanes if kernel and kernel.lanes else width
    shapes = {
        "theta": (d,),
        "grad": (d,),
        "work": (work_rows(problem, optimizer),),
        "state": (s, d),
        "memory": (len(plan.memory),),
        "lr": (len(problem.groups),),
        "ended": (d,),
        "tail": (window + 1, d),
    }
    counts = [math.prod(shape) for shape in shapes.values()]
    raw = np.zeros(sum(counts) * width + 64 // size, sweep.dtype)
    lanes = raw[-(raw.ctypes.data // size) % (64 // size) :][: sum(counts) * width].reshape(-1, width)
    arrays = {
        name: lanes[end - count : end].reshape(*shape, width)
        for (name, shape), count, end in zip(shapes.items(), counts, itertools.accumulate(counts), strict=True)
    }
    number, status = np.zeros((2, width), dtype=np.int64)
    return Block(**arrays, number=number, status=status)


def prepare(sweep: Sweep) -> None:
    """Compile, or load from disk, all that the sweep's tiles need."""
    _driver(sweep.dtype)
    for optimizer in sweep.optimizers:
        pair_of(sweep, optimizer)


def pair_of(sweep: Sweep, optimizer: Optimizer) -> tuple[Pair, list[Kernel]]:
    """The compiled step of an optimizer on the sweep's problem, and the kernels to be held as long as it is used."""
    problem = sweep.problem
    kernels = [step_kernel(problem, optimizer, sweep.measure, sweep.dtype, sweep.check_every > 1)]
    if problem.lane_kernel:
        kernels.append(evaluation_kernel(problem.lane_kernel))
    step, evaluation = (*(kernel.address for kernel in kernels), 0)[:2]
    return Pair(step, evaluation, problem.group, *problem.lane_data(sweep.max_steps)), kernels
