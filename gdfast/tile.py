"""The compiled driver of one tile: step, settle, compact.

The trajectories of a tile run in blocks of up to 1088 lanes. All lanes of a block share the step counter. After
every `STRIDE` steps the lanes that have settled are written out and the last live lanes are moved into their
places, so that lane-steps are hardly ever wasted. The last `TAIL` steps of the budget are taken one at a time and
kept, to see whether a trajectory that did not settle repeats itself.
"""

import functools
import itertools
import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from gdfast.elementary import Array
from gdfast.kernels.compiling import compiled
from gdfast.kernels.evaluation import evaluation_kernel
from gdfast.kernels.fuse import step_kernel, work_rows
from gdfast.kernels.numba_internals import Kernel
from gdfast.kernels.options import HELPER
from gdfast.kernels.signatures import DIVERGED, KINDS, LANES, MOVING, SETTLED, call_step
from gdfast.optimizers import Optimizer
from gdfast.outcomes import LONGEST_PERIOD, REPEATS_WITHIN, TAIL, Endings, Outcome
from gdfast.sweep import Sweep, Tile

# Lanes of a block. A row's length is an odd multiple of 512 bytes, so that the same lane of neighbouring rows never
# lies a multiple of 4096 bytes apart, where stores and loads are taken for one another (up to twice as slow).
WIDTHS = 1088, 576, 320, 192, 64
WORKING_SET = 2 * 2**20  # bytes of a block's arrays; measured for 20 to 2000 coordinates
STRIDE, LONGEST_STRIDE = 24, 96
_STALLED, _OSCILLATING = int(Outcome.stalled), int(Outcome.oscillating)
_UNFINISHED, _DIVERGED = int(Outcome.unfinished), int(Outcome.diverged)


@register_jitable(**HELPER)
def _periods(tail, n, window, within, amplitude, least, number, first, status, end_outcome, end_period):
    """For each live lane the smallest period > 1 with which its last `window` moves repeat, 0 for none."""
    d = tail.shape[1]
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
        if least[lane] <= limit and 0.0 < limit < np.inf and status[lane] & SETTLED == 0:
            for period in range(2, longest + 1):
                repeats = True
                for k in range(window - period, -1, -1):
                    for i in range(d):
                        repeats = repeats and abs(tail[k + period, i, lane] - tail[k, i, lane]) <= limit
                    if not repeats:
                        break
                if repeats:
                    end_outcome[number[lane] - first] = _OSCILLATING
                    end_period[number[lane] - first] = period
                    break


@register_jitable(**HELPER)
def _any_settled(status):
    """Whether any of a group of lanes has settled."""
    kinds = 0
    for j in range(LANES):
        kinds |= status[j]
    return kinds & SETTLED != 0


@register_jitable(**HELPER)
def _move(source, target, theta, state, memory, lr, number, status):
    """Copy one lane into the place of another."""
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


@functools.cache
def _signature(real: Any) -> Any:
    """The signature of the driver of tiles that compute in a type, ``float64`` or ``float32`` of numba's."""
    return types.int64(
        types.int64,  # address of the step
        types.int64,  # address of the problem's evaluation
        real[:, ::1],  # starts (d, m)
        real[:, ::1],  # learning rates (groups, k)
        types.int64[::1],  # group (d)
        types.int64,  # first trajectory of the tile
        real[::1],  # initial state (s)
        real[::1],  # initial memory (r)
        real[:, ::1],  # table (max_steps + 1, c)
        types.int64,  # check_every
        types.float64,  # gradient_tolerance
        types.float64,  # divergence_limit
        types.float64[::1],  # data
        types.int64[::1],  # layout
        types.int64[::1],  # layout of all rows, by which end points are judged
        types.int64[::1],  # stop (1): a number other than zero ends the tile early
        real[:, ::1],  # theta (d, W)
        real[:, ::1],  # grad (d, W)
        real[:, ::1],  # work (rows, W)
        real[:, :, ::1],  # state (s, d, W)
        real[:, ::1],  # memory (r, W)
        real[:, ::1],  # lr (groups, W)
        types.int64[::1],  # number (W)
        types.int64[::1],  # status (W)
        real[:, ::1],  # ended (d, W)
        real[:, :, ::1],  # tail (window + 1, d, W)
        real[:, ::1],  # out: theta (d, n)
        types.int32[::1],  # out: updates done (n)
        types.int8[::1],  # out: outcome (n), stalled where stationary
        types.int8[::1],  # out: period (n)
        real[::1],  # out: objective (n)
        real[::1],  # out: largest entry of the gradient (n)
        real[:, ::1],  # out: what a measure remembers (the last slots of memory, n)
    )


@functools.cache
def _driver(real: str) -> Kernel:
    within = getattr(np, real)(REPEATS_WITHIN)

    @compiled(_signature(getattr(types, real)))
    def drive(
        step, evaluation, starts, learning_rates, group, first, initial, initial_memory, table, check_every,
        gradient_tolerance, divergence_limit, data, layout, layout_of_all, stop,
        theta, grad, work, state, memory, lr, number, status, ended, tail,
        end_theta, end_steps, end_outcome, end_period, end_loss, end_norm, end_memory,
    ):  # fmt: skip
        d, m, s, groups = starts.shape[0], starts.shape[1], len(initial), len(learning_rates)
        total, max_steps = len(end_steps), len(table) - 1
        window = len(tail) - 1
        kept = len(initial_memory) - len(end_memory)
        together = min(LANES, theta.shape[1])
        lane_steps = 0
        rate, start = first // m, first % m

        for begin in range(0, total, theta.shape[1]):
            n = min(theta.shape[1], total - begin)
            for lane in range(n):
                for i in range(groups):
                    lr[i, lane] = learning_rates[i, rate]
                for i in range(d):
                    theta[i, lane] = starts[i, start]
                start += 1
                if start == m:
                    start, rate = 0, rate + 1
            for lane in range(n):
                number[lane] = first + begin + lane
                status[lane] = MOVING
            for j in range(s):
                for i in range(d):
                    for lane in range(n):
                        state[j, i, lane] = initial[j]
            for j in range(len(initial_memory)):
                for lane in range(n):
                    memory[j, lane] = initial_memory[j]
            t = 0
            stride = STRIDE
            while True:
                padded = -(-n // together) * together
                for lane in range(n, padded):
                    _move(0, lane, theta, state, memory, lr, number, status)
                if t >= max_steps - window or n == 0 or stop[0] != 0:
                    break
                n_steps = min(stride, max_steps - window - t)
                call_step(  # type: ignore[call-arg]
                    step, evaluation, theta, grad, work, state, memory, lr, group, number, status, ended, table, t,
                    padded, n_steps, check_every, gradient_tolerance, divergence_limit, data, layout,
                )  # fmt: skip
                t += n_steps
                lane_steps += n * n_steps
                before = n
                lane = 0
                while lane < n:
                    if lane % LANES == 0 and together == LANES and not _any_settled(status[lane : lane + LANES]):
                        lane += LANES
                    elif status[lane] & SETTLED:
                        at = number[lane] - first
                        for i in range(d):
                            end_theta[i, at] = ended[i, lane]
                        for j in range(len(end_memory)):
                            end_memory[j, at] = memory[kept + j, lane]
                        end_steps[at] = status[lane] // KINDS
                        end_outcome[at] = _DIVERGED if status[lane] % KINDS == DIVERGED else _STALLED
                        n -= 1
                        _move(n, lane, theta, state, memory, lr, number, status)
                        for i in range(d):
                            ended[i, lane] = ended[i, n]
                    else:
                        lane += 1
                # Where nothing settles there is nothing to take out, and longer strides will do.
                stride = STRIDE if n < before else min(2 * stride, LONGEST_STRIDE)
            if stop[0] != 0:
                break
            if n > 0:
                # The last steps, one by one; then one more, for the check of the last point.
                for k in range(window + 1):
                    for j in range(len(end_memory) if k == window else 0):
                        for lane in range(n):
                            end_memory[j, number[lane] - first] = memory[kept + j, lane]
                    for i in range(d):
                        for lane in range(n):
                            tail[k, i, lane] = theta[i, lane]
                    call_step(  # type: ignore[call-arg]
                        step, evaluation, theta, grad, work, state, memory, lr, group, number, status, ended, table,
                        t + k, padded, 1, check_every, gradient_tolerance, divergence_limit, data, layout,
                    )  # fmt: skip
                lane_steps += n * window
                for lane in range(n):
                    at = number[lane] - first
                    settled = status[lane] & SETTLED
                    end_steps[at] = status[lane] // KINDS if settled else max_steps
                    end_outcome[at] = _UNFINISHED
                    if settled:
                        end_outcome[at] = _DIVERGED if status[lane] % KINDS == DIVERGED else _STALLED
                    for i in range(d):
                        end_theta[i, at] = ended[i, lane] if settled else tail[window, i, lane]
                _periods(tail, n, window, within, work[0], work[1], number, first, status, end_outcome, end_period)
            n = min(theta.shape[1], total - begin)
            padded = -(-n // together) * together
            for i in range(d):
                for lane in range(n):
                    theta[i, lane] = end_theta[i, begin + lane]
                for lane in range(n, padded):
                    theta[i, lane] = theta[i, 0]
            call_step(  # type: ignore[call-arg]
                step, evaluation, theta, grad, work, state, memory, lr, group, number, status, ended, table, t, padded,
                0, check_every, gradient_tolerance, divergence_limit, data, layout_of_all,
            )  # fmt: skip
            for lane in range(n):
                end_loss[begin + lane], end_norm[begin + lane] = work[0, lane], work[1, lane]
        return lane_steps

    return drive


def run_tile(sweep: Sweep, tile: Tile, stop: Array) -> Endings:
    """Run one tile in compiled lanes.

    Parameters
    ----------
    sweep, tile
        The grid, and which part of it.
    stop : ndarray
        ``int64[1]``; the tile ends early, with results of no meaning, when it becomes other than zero.
    """
    problem, optimizer = sweep.problem, sweep.optimizers[tile.optimizer]
    n = tile.last - tile.first
    loss = np.empty(n, sweep.dtype)
    ends = Endings(
        theta=np.empty((problem.dimension, n), sweep.dtype),
        steps=np.empty(n, dtype=np.int32),
        outcome=np.empty(n, dtype=np.int8),
        period=np.zeros(n, dtype=np.int8),
        lane_steps=0,
        memory=np.empty((len(sweep.measure.initial) if sweep.measure else 0, n), sweep.dtype),
        loss=loss,
        gradient_norm=np.empty(n, sweep.dtype),
    )
    step, evaluation = _step(sweep, optimizer), _evaluation(sweep)
    ends.lane_steps = _driver(sweep.dtype)(
        step.address,
        evaluation.address if evaluation else 0,
        np.ascontiguousarray(sweep.starts.T, sweep.dtype),
        sweep.group_rates.astype(sweep.dtype),
        problem.group,
        tile.first,
        optimizer.initial_state.astype(sweep.dtype),
        sweep.initial_memory(tile.optimizer),
        sweep.coefficient_table(tile.optimizer),
        sweep.check_every,
        *sweep.scaled_tolerances,
        *problem.lane_data(sweep.max_steps),
        problem.layout_of_all,
        stop,
        *_lanes(sweep, tile.optimizer),
        ends.theta,
        ends.steps,
        ends.outcome,
        ends.period,
        ends.loss,
        ends.gradient_norm,
        ends.memory,
    )
    loss *= problem.loss_per_objective
    return ends


def _lanes(sweep: Sweep, number: int) -> tuple[Any, ...]:
    """The arrays of a block of lanes, as the driver takes them: rows of one buffer that starts at a cache line."""
    optimizer = sweep.optimizers[number]
    d, s, window = sweep.problem.dimension, len(optimizer.state), min(TAIL, sweep.max_steps)
    groups, rows = len(sweep.problem.groups), work_rows(sweep.problem, optimizer)
    size = np.dtype(sweep.dtype).itemsize
    width = next((w for w in WIDTHS if (3 + s) * d * w * size <= WORKING_SET), WIDTHS[-1])
    kernel = sweep.problem.lane_kernel
    width = kernel.lanes if kernel and kernel.lanes else width
    r = len(sweep.initial_memory(number))
    shapes = [(d,), (d,), (rows,), (s, d), (r,), (groups,), (d,), (window + 1, d)]
    counts = [math.prod(shape) for shape in shapes]
    raw = np.zeros(sum(counts) * width + 64 // size, sweep.dtype)
    lanes = raw[-(raw.ctypes.data // size) % (64 // size) :][: sum(counts) * width].reshape(-1, width)
    arrays = [
        lanes[end - count : end].reshape(*shape, width)
        for shape, count, end in zip(shapes, counts, itertools.accumulate(counts), strict=True)
    ]
    counters = np.zeros((2, width), dtype=np.int64)
    return (*arrays[:6], *counters, *arrays[6:])


def prepare(sweep: Sweep) -> None:
    """Compile, or load from disk, all that the sweep's tiles need."""
    _driver(sweep.dtype)
    _evaluation(sweep)
    for optimizer in sweep.optimizers:
        _step(sweep, optimizer)


def _evaluation(sweep: Sweep) -> Kernel | None:
    return evaluation_kernel(sweep.problem.lane_kernel) if sweep.problem.lane_kernel else None


def _step(sweep: Sweep, optimizer: Optimizer) -> Kernel:
    return step_kernel(sweep.problem, optimizer, sweep.measure, sweep.dtype, sweep.check_every > 1)
