"""PyTorch, batched over the trajectories."""

import os

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

# Threads that wait for one another are to sleep: spinning, on a busy machine, they take 50 times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def torch_compacting(grid: Grid) -> Ends:
    """Tensors over the whole grid; settled trajectories are taken out at every step."""
    import torch

    gradient, update = GRADIENTS[grid.problem], update_with(grid.optimizer, torch.sqrt)
    rates, debias = (column.tolist() for column in debiasing(grid.max_steps))
    lr, starts = map(torch.from_numpy, grid.trajectories)
    n = len(lr)
    steps, settled_as = torch.full((n,), grid.max_steps), torch.zeros(n, dtype=torch.int64)
    end, index, point = torch.empty_like(starts), torch.arange(n), tuple(starts)
    state = tuple(tuple(torch.zeros_like(x) for _ in range(SLOTS[grid.optimizer])) for x in point)
    was_small = torch.zeros(n, dtype=torch.bool)
    with torch.inference_mode():
        for t in range(grid.max_steps + 1):
            g = gradient(*point)
            small, diverged = within(g, TOLERANCE), ~within(g, LIMIT)
            settled = diverged | (small & was_small)
            if settled.any():
                out, live = index[settled], ~settled
                steps[out] = t
                settled_as[out] = torch.where(diverged[settled], DIVERGED, STATIONARY)
                end[:, out] = torch.stack([x[settled] for x in point])
                index, lr, small = index[live], lr[live], small[live]
                point, g = tuple(x[live] for x in point), tuple(entry[live] for entry in g)
                state = tuple(tuple(slot[live] for slot in own) for own in state)
                if not len(index):
                    break
            was_small = small
            if t < grid.max_steps:
                new = [update(*given, lr, rates[t], debias[t]) for given in zip(point, g, state, strict=True)]
                point, state = tuple(x for x, _ in new), tuple(own for _, own in new)
        if len(index):
            end[:, index] = torch.stack(point)
    return grid.ends(steps.numpy(), np.asarray(end), settled_as.numpy())
