"""The compiled driver of one tile: step, settle, compact.

The trajectories of a tile run in blocks of up to `WIDTH` lanes. All lanes of a block share the step counter. After
every `STRIDE` steps the lanes that have settled are written out and the last live lanes are moved into their
places, so that lane-steps are hardly ever wasted. The last `TAIL` steps of the budget are taken one at a time and
kept, to see whether a trajectory that did not settle repeats itself.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from gdfast.elementary import Array
from gdfast.kernels.digest import digest
from gdfast.kernels.fuse import compiled, step_kernel, work_rows
from gdfast.kernels.signatures import DIVERGED, KINDS, MOVING, SETTLED, STATIONARY, STEP
from gdfast.outcomes import LONGEST_PERIOD, REPEATS_WITHIN, TAIL, Endings
from gdfast.problems import Landscape
from gdfast.sweep import Sweep, Tile

# 17 × 32 lanes: a row is 4352 bytes, so that the same lane of neighbouring rows never lies a multiple of 4096 bytes
# apart, where stores and loads are taken for one another (rows of 512 measured up to twice as slow).
WIDTH = 544
STRIDE = 24
_VECTORS = 32  # lanes in the unrolled vector loop; a block is padded to a multiple of it with settled lanes


@register_jitable
def _periods(tail, n, window, amplitude, index, status, end_period):
    """For each live lane the smallest period > 1 with which its last `window` moves repeat, 0 for none."""
    d = tail.shape[1]
    for lane in range(n):
        amplitude[lane] = 0.0
        end_period[index[lane]] = 0
    for k in range(window):
        for i in range(d):
            for lane in range(n):
                distance = abs(tail[k, i, lane] - tail[window, i, lane])
                amplitude[lane] = distance if distance > amplitude[lane] else amplitude[lane]
    for period in range(2, min(LONGEST_PERIOD, window // 2) + 1):
        for lane in range(n):
            # Most lanes fail at the last gap already; only those that do not are looked at in full.
            gap = abs(tail[window, 0, lane] - tail[window - period, 0, lane])
            limit = REPEATS_WITHIN * amplitude[lane]
            if gap <= limit and 0.0 < limit < np.inf and status[lane] < SETTLED and end_period[index[lane]] == 0:
                repeats = True
                for k in range(window - period, -1, -1):
                    for i in range(d):
                        repeats = repeats and abs(tail[k + period, i, lane] - tail[k, i, lane]) <= limit
                    if not repeats:
                        break
                end_period[index[lane]] = period if repeats else 0


@register_jitable
def _move(source, target, theta, state, lr, status, index):
    """Copy one lane into the place of another."""
    for i in range(theta.shape[0]):
        theta[i, target] = theta[i, source]
        for j in range(state.shape[0]):
            state[j, i, target] = state[j, i, source]
    lr[target] = lr[source]
    status[target] = status[source]
    index[target] = index[source]


_DRIVE = types.int64(
    types.FunctionType(STEP),
    types.float64[:, ::1],  # starts (d, m)
    types.float64[::1],  # learning rates (k)
    types.int64,  # first trajectory of the tile
    types.float64[::1],  # initial state (s)
    types.float64[:, ::1],  # table (max_steps + 1, c)
    types.float64,  # gradient_tolerance
    types.float64,  # divergence_limit
    types.float64[::1],  # data
    types.int64[::1],  # layout
    types.int64[::1],  # stop (1): a number other than zero ends the tile early
    types.float64[:, ::1],  # theta (d, W)
    types.float64[:, ::1],  # grad (d, W)
    types.float64[:, ::1],  # work (rows, W)
    types.float64[:, :, ::1],  # state (s, d, W)
    types.float64[::1],  # lr (W)
    types.int64[::1],  # status (W)
    types.int64[::1],  # index (W), the lane's place in the tile
    types.float64[:, :, ::1],  # tail (window + 1, d, W)
    types.float64[:, ::1],  # out: theta (d, n)
    types.int64[::1],  # out: status (n)
    types.int64[::1],  # out: period (n)
)


@functools.cache
def _driver() -> Any:
    constants = f"{LONGEST_PERIOD} {REPEATS_WITHIN} {MOVING} {SETTLED}"

    @compiled(_DRIVE, digest([Path(__file__).read_text(), constants]))
    def drive(
        step, starts, learning_rates, first, initial, table, gradient_tolerance, divergence_limit,
        data, layout, stop, theta, grad, work, state, lr, status, index, tail,
        end_theta, end_status, end_period,
    ):  # fmt: skip
        d, m, s = starts.shape[0], starts.shape[1], len(initial)
        total, max_steps = len(end_status), len(table) - 1
        window = len(tail) - 1
        lane_steps = 0
        rate, start = first // m, first % m

        for begin in range(0, total, WIDTH):
            n = min(WIDTH, total - begin)
            for lane in range(n):
                lr[lane] = learning_rates[rate]
                for i in range(d):
                    theta[i, lane] = starts[i, start]
                start += 1
                if start == m:
                    start, rate = 0, rate + 1
            for lane in range(n):
                status[lane] = MOVING
                index[lane] = begin + lane
            for j in range(s):
                for i in range(d):
                    for lane in range(n):
                        state[j, i, lane] = initial[j]
            t = 0
            while True:
                padded = -(-n // _VECTORS) * _VECTORS
                for lane in range(n, padded):
                    for i in range(d):
                        theta[i, lane] = 0.0
                        for j in range(s):
                            state[j, i, lane] = 0.0
                    status[lane] = SETTLED
                if t >= max_steps - window or n == 0 or stop[0] != 0:
                    break
                n_steps = min(STRIDE, max_steps - window - t)
                step(
                    theta, grad, work, state, lr, status, table, t, padded, n_steps,
                    gradient_tolerance, divergence_limit, data, layout,
                )  # fmt: skip
                t += n_steps
                lane_steps += n * n_steps
                settled = 0
                for lane in range(n):
                    settled += 1 if status[lane] >= SETTLED else 0
                if settled > 0:
                    lane = 0
                    while lane < n:
                        if status[lane] >= SETTLED:
                            at = index[lane]
                            for i in range(d):
                                end_theta[i, at] = theta[i, lane]
                            end_status[at] = status[lane]
                            n -= 1
                            _move(n, lane, theta, state, lr, status, index)
                        else:
                            lane += 1
            if stop[0] != 0:
                break
            if n == 0:
                continue
            # The last steps, one by one; then one more, for the check of the last point.
            for k in range(window + 1):
                for i in range(d):
                    for lane in range(n):
                        tail[k, i, lane] = theta[i, lane]
                step(
                    theta, grad, work, state, lr, status, table, t + k, padded, 1,
                    gradient_tolerance, divergence_limit, data, layout,
                )  # fmt: skip
            lane_steps += n * window
            for lane in range(n):
                at = index[lane]
                end_status[at] = status[lane]
                for i in range(d):
                    end_theta[i, at] = tail[window, i, lane]
            _periods(tail, n, window, work[0], index, status, end_period)
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
    theta = np.empty((problem.dimension, n))
    status, period = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    lanes = None if isinstance(problem, Landscape) else problem.lane_kernel  # type: ignore[attr-defined]
    lane_steps = _driver()(
        step_kernel(problem, optimizer),
        np.ascontiguousarray(sweep.starts.T),
        sweep.learning_rates,
        tile.first,
        optimizer.initial_state,
        optimizer.coefficient_table(sweep.max_steps, problem),
        sweep.gradient_tolerance * problem.gradient_scale,
        sweep.divergence_limit * problem.gradient_scale,
        lanes.data if lanes else np.empty(0),
        lanes.layout if lanes else np.empty(0, dtype=np.int64),
        stop,
        *_lanes(problem.dimension, len(optimizer.state), work_rows(problem, optimizer), sweep.max_steps),
        theta,
        status,
        period,
    )
    kind = status % KINDS
    return Endings(
        theta,
        np.where(status >= SETTLED, status // KINDS, sweep.max_steps),
        (status >= SETTLED) & (kind == STATIONARY),
        (status >= SETTLED) & (kind == DIVERGED),
        period,
        lane_steps,
    )


def _lanes(d: int, s: int, rows: int, max_steps: int) -> tuple[Any, ...]:
    """The arrays of a block of lanes, as the driver takes them: rows of one buffer that starts at a cache line."""
    window = min(TAIL, max_steps)
    shapes = [(d,), (d,), (rows,), (s, d), (), (), (), (window + 1, d)]
    counts = [int(np.prod(shape, dtype=np.int64)) for shape in shapes]
    raw = np.zeros(sum(counts) * WIDTH + 8)
    lanes = raw[-(raw.ctypes.data // 8) % 8 :][: sum(counts) * WIDTH].reshape(-1, WIDTH)
    arrays = [
        lanes[end - count : end].reshape(*shape, WIDTH)
        for shape, count, end in zip(shapes, counts, np.cumsum(counts), strict=True)
    ]
    arrays[5:7] = [array.view(np.int64) for array in arrays[5:7]]
    return tuple(arrays)


def prepare(sweep: Sweep) -> None:
    """Compile, or load from disk, all that the sweep's tiles need."""
    _driver()
    for optimizer in sweep.optimizers:
        step_kernel(sweep.problem, optimizer)
