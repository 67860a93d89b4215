"""NumPy over the whole grid, compacting, and the loops of a textbook."""

import numpy as np

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
    within,
)
from gdfast.report import textbook


def textbook_loop(grid: Grid) -> Ends:
    """One trajectory of the quartic after the other in plain Python."""
    loop = {"gd": textbook.quartic_gd, "adam": textbook.quartic_adam}[grid.optimizer]
    cells = textbook.over_grid(loop, grid.learning_rates, grid.starts[:, 0], grid.max_steps)
    steps = np.array([[t for t, _ in row] for row in cells])
    return grid.ends(steps, [[x for _, x in row] for row in cells], np.full(steps.shape, -1))


def numpy_compacting(grid: Grid) -> Ends:
    """NumPy over the whole grid at once; settled trajectories are taken out at every step."""
    gradient, update = GRADIENTS[grid.problem], update_with(grid.optimizer, np.sqrt)
    rates, debias = debiasing(grid.max_steps)
    lr, starts = grid.trajectories
    n = len(lr)
    steps, settled_as = np.full(n, grid.max_steps), np.zeros(n, dtype=np.int64)
    end = np.empty_like(starts)
    index = np.arange(n)
    point = tuple(starts)
    state = tuple(tuple(np.zeros(n) for _ in range(SLOTS[grid.optimizer])) for _ in point)
    was_small = np.zeros(n, dtype=bool)
    with np.errstate(all="ignore"):
        for t in range(grid.max_steps + 1):
            g = gradient(*point)
            small, diverged = within(g, TOLERANCE), ~within(g, LIMIT)
            settled = diverged | (small & was_small)
            if settled.any():
                out, live = index[settled], ~settled
                steps[out] = t
                settled_as[out] = np.where(diverged[settled], DIVERGED, STATIONARY)
                end[:, out] = [x[settled] for x in point]
                index, lr, small = index[live], lr[live], small[live]
                point, g = tuple(x[live] for x in point), tuple(entry[live] for entry in g)
                state = tuple(tuple(slot[live] for slot in own) for own in state)
                if not index.size:
                    break
            was_small = small
            if t < grid.max_steps:
                new = [update(*given, lr, rates[t], debias[t]) for given in zip(point, g, state, strict=True)]
                point, state = tuple(x for x, _ in new), tuple(own for _, own in new)
    end[:, index] = point
    return grid.ends(steps, end, settled_as)
