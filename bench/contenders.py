"""Ways to run the same sweep: one callable each, with one result type, so that what is timed is what was checked.

All run learning rate × start on the quartic with a settle check at every step, and return the updates done, the
end points and how each trajectory settled (2 stationary, 3 diverged, 0 budget spent).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np

import gdfast
from gdfast.outcomes import Outcome
from gdfast.report import textbook

TOLERANCE, LIMIT = 1e-8, 1e12
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Grid:
    """The sweep that all contenders run."""

    optimizer: str
    learning_rates: np.ndarray
    starts: np.ndarray
    max_steps: int

    @classmethod
    def square(cls, optimizer: str, n: int = 512, max_steps: int = 1000) -> "Grid":
        """The standard grid: rates 10⁻⁴ … 1, starts −4 … 4."""
        return cls(optimizer, np.logspace(-4, 0, n), np.linspace(-4, 4, n), max_steps)

    @property
    def sweep(self) -> gdfast.Sweep:
        """The same as gdfast's own."""
        optimizer = gdfast.optimizers.CATALOGUE[self.optimizer]()
        return gdfast.Sweep(
            gdfast.problems.quartic(), optimizer, self.learning_rates, self.starts[:, None], self.max_steps
        )


@dataclass(frozen=True)
class Ends:
    """What a contender returns; arrays (learning rate, start)."""

    steps: np.ndarray
    theta: np.ndarray
    settled: np.ndarray


def _debiasing(max_steps: int) -> tuple[np.ndarray, np.ndarray]:
    t = np.arange(1, max_steps + 2, dtype=np.float64)
    return 1 / (1 - BETA1**t), 1 / np.sqrt(1 - BETA2**t)


def textbook_loop(grid: Grid) -> Ends:
    """One trajectory after the other in plain Python."""
    loop = {"gd": textbook.quartic_gd, "adam": textbook.quartic_adam}[grid.optimizer]
    cells = textbook.over_grid(loop, grid.learning_rates, grid.starts, grid.max_steps)
    steps = np.array([[t for t, _ in row] for row in cells])
    theta = np.array([[x for _, x in row] for row in cells])
    return Ends(steps, theta, np.full(steps.shape, -1))


def numpy_compacting(grid: Grid) -> Ends:
    """NumPy over the whole grid at once; settled trajectories are taken out at every step."""
    k, m = len(grid.learning_rates), len(grid.starts)
    steps, settled_as = np.full(k * m, grid.max_steps), np.zeros(k * m, dtype=np.int64)
    end = np.empty(k * m)
    index = np.arange(k * m)
    x, lr = np.tile(grid.starts, k), np.repeat(grid.learning_rates, m)
    mean, square = np.zeros(k * m), np.zeros(k * m)
    was_small = np.zeros(k * m, dtype=bool)
    rate, debias = _debiasing(grid.max_steps)
    with np.errstate(all="ignore"):
        for t in range(grid.max_steps + 1):
            g = (4 * x * x - 10) * x + 3
            size = np.abs(g)
            small, diverged = size <= TOLERANCE, ~(size <= LIMIT)
            settled = diverged | (small & was_small)
            if settled.any():
                out = index[settled]
                steps[out], end[out] = t, x[settled]
                settled_as[out] = np.where(diverged[settled], 3, 2)
                live = ~settled
                index, x, lr, g, small = index[live], x[live], lr[live], g[live], small[live]
                mean, square = mean[live], square[live]
                if not index.size:
                    break
            was_small = small
            if t == grid.max_steps:
                break
            if grid.optimizer == "gd":
                x = x - lr * g
            else:
                mean = BETA1 * mean + (1 - BETA1) * g
                square = BETA2 * square + (1 - BETA2) * g * g
                x = x - lr * rate[t] * mean / (np.sqrt(square) * debias[t] + EPS)
    end[index] = x
    return Ends(steps.reshape(k, m), end.reshape(k, m), settled_as.reshape(k, m))


@numba.njit(parallel=True, error_model="numpy")
def _prange_gd(rates, starts, max_steps, steps, end, settled_as):
    for i in numba.prange(len(rates)):
        for j in range(len(starts)):
            x, was_small = starts[j], False
            steps[i, j] = max_steps
            for t in range(max_steps + 1):
                g = (4 * x * x - 10) * x + 3
                small, diverged = abs(g) <= TOLERANCE, not abs(g) <= LIMIT
                if diverged or (small and was_small):
                    steps[i, j] = t
                    settled_as[i, j] = 3 if diverged else 2
                    break
                was_small = small
                if t < max_steps:
                    x = x - rates[i] * g
            end[i, j] = x


@numba.njit(parallel=True, error_model="numpy")
def _prange_adam(rates, starts, max_steps, rate, debias, steps, end, settled_as):
    for i in numba.prange(len(rates)):
        for j in range(len(starts)):
            x, mean, square, was_small = starts[j], 0.0, 0.0, False
            steps[i, j] = max_steps
            for t in range(max_steps + 1):
                g = (4 * x * x - 10) * x + 3
                small, diverged = abs(g) <= TOLERANCE, not abs(g) <= LIMIT
                if diverged or (small and was_small):
                    steps[i, j] = t
                    settled_as[i, j] = 3 if diverged else 2
                    break
                was_small = small
                if t < max_steps:
                    mean = BETA1 * mean + (1 - BETA1) * g
                    square = BETA2 * square + (1 - BETA2) * g * g
                    x = x - rates[i] * rate[t] * mean / (np.sqrt(square) * debias[t] + EPS)
            end[i, j] = x


def prange(grid: Grid) -> Ends:
    """A plain compiled loop over the trajectories, parallel over the learning rates, left early."""
    shape = len(grid.learning_rates), len(grid.starts)
    steps, settled = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    end = np.empty(shape)
    if grid.optimizer == "gd":
        _prange_gd(grid.learning_rates, grid.starts, grid.max_steps, steps, end, settled)
    else:
        tables = _debiasing(grid.max_steps)
        _prange_adam(grid.learning_rates, grid.starts, grid.max_steps, *tables, steps, end, settled)
    return Ends(steps, end, settled)


def _gdfast(grid: Grid, **options: object) -> Ends:
    result = gdfast.run(grid.sweep, keep_theta=True, progress=False, **options)  # type: ignore[arg-type]
    outcome = result.outcome.values[0]
    settled = np.where(outcome == Outcome.diverged, 3, 0)
    settled[(outcome >= Outcome.global_minimum) & (outcome <= Outcome.stalled)] = 2
    return Ends(result.steps.values[0], result.theta.values[0, ..., 0], settled)


def gdfast_all_cores(grid: Grid) -> Ends:
    """Gdfast as users call it."""
    return _gdfast(grid)


def gdfast_one_core(grid: Grid) -> Ends:
    """Gdfast on one thread."""
    return _gdfast(grid, workers=1)


def gdfast_reference(grid: Grid) -> Ends:
    """Gdfast's own NumPy reference, tile by tile on one thread."""
    return _gdfast(grid, backend="numpy", workers=1)


CONTENDERS: dict[str, Callable[[Grid], Ends]] = {
    "numpy_compacting": numpy_compacting,
    "prange": prange,
    "gdfast_reference": gdfast_reference,
    "gdfast_one_core": gdfast_one_core,
    "gdfast_all_cores": gdfast_all_cores,
}
