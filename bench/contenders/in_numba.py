"""A plain compiled loop, parallel over the learning rates, and gdfast itself."""

import functools
import math
from typing import Any

import numba
import numpy as np

import gdfast
from bench.contenders.common import (
    DIVERGED,
    GRADIENTS,
    LIMIT,
    SLOTS,
    STATIONARY,
    TOLERANCE,
    Ends,
    Grid,
    debiasing,
    update_with,
)
from gdfast.tiles.ending import Ending


@functools.cache
def _loop(problem: str, optimizer: str) -> Any:
    gradient, update = numba.njit(GRADIENTS[problem]), numba.njit(update_with(optimizer, math.sqrt))
    fresh = (0.0,) * SLOTS[optimizer]

    def one(starts, lr, start, max_steps, rates, debias):  # type: ignore[no-untyped-def]
        x, own, was_small = starts[start, 0], fresh, False
        for t in range(max_steps + 1):
            (g,) = gradient(x)
            small, diverged = abs(g) <= TOLERANCE, not abs(g) <= LIMIT
            if diverged or (small and was_small):
                return t, (x,), DIVERGED if diverged else STATIONARY
            was_small = small
            if t < max_steps:
                x, own = update(x, g, own, lr, rates[t], debias[t])
        return max_steps, (x,), 0

    def two(starts, lr, start, max_steps, rates, debias):  # type: ignore[no-untyped-def]
        x, y, of_x, of_y, was_small = starts[start, 0], starts[start, 1], fresh, fresh, False
        for t in range(max_steps + 1):
            g, h = gradient(x, y)
            small = abs(g) <= TOLERANCE and abs(h) <= TOLERANCE
            diverged = not (abs(g) <= LIMIT and abs(h) <= LIMIT)
            if diverged or (small and was_small):
                return t, (x, y), DIVERGED if diverged else STATIONARY
            was_small = small
            if t < max_steps:
                x, of_x = update(x, g, of_x, lr, rates[t], debias[t])
                y, of_y = update(y, h, of_y, lr, rates[t], debias[t])
        return max_steps, (x, y), 0

    trajectory = numba.njit({"quartic": one, "rosenbrock": two}[problem], error_model="numpy")

    @numba.njit(parallel=True, error_model="numpy")
    def over_grid(learning_rates, starts, max_steps, rates, debias, steps, end, settled):  # type: ignore[no-untyped-def]
        for i in numba.prange(len(learning_rates)):
            for j in range(len(starts)):
                steps[i, j], point, settled[i, j] = trajectory(starts, learning_rates[i], j, max_steps, rates, debias)
                for k in range(len(point)):
                    end[k, i, j] = point[k]

    return over_grid


def prange(grid: Grid) -> Ends:
    """A plain compiled loop over the trajectories, parallel over the learning rates, left early."""
    steps, settled = np.zeros(grid.shape, dtype=np.int64), np.zeros(grid.shape, dtype=np.int64)
    end = np.empty((grid.starts.shape[1], *grid.shape))
    tables = debiasing(grid.max_steps)
    loop = _loop(grid.problem, grid.optimizer)
    loop(grid.learning_rates, grid.starts, grid.max_steps, *tables, steps, end, settled)
    return grid.ends(steps, end, settled)


def _gdfast(grid: Grid, **options: Any) -> Ends:
    result = gdfast.run(grid.sweep, keep_theta=True, progress=False, **options)

    def settled() -> np.ndarray:
        ending = result.ending.values[0]
        return np.where(ending == Ending.diverged, DIVERGED, np.where(ending == Ending.stationary, STATIONARY, 0))

    return Ends(result.steps.values[0], np.moveaxis(result.theta.values[0], -1, 0), settled)


def gdfast_all_cores(grid: Grid) -> Ends:
    """Gdfast as users call it."""
    return _gdfast(grid)


def gdfast_one_core(grid: Grid) -> Ends:
    """Gdfast on one thread."""
    return _gdfast(grid, workers=1)


def gdfast_reference(grid: Grid) -> Ends:
    """Gdfast's own NumPy reference, tile by tile on one thread."""
    return _gdfast(grid, backend="numpy", workers=1)
