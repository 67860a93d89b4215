"""The same tile, and single trajectories, in plain NumPy.

All trajectories of a tile advance together as arrays; those that settle are taken out, so that the arrays shrink.
The rule and the gradient are the very texts that the kernels are compiled from.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gdfast.elementary import Array
from gdfast.optimizers import Optimizer
from gdfast.outcomes import LONGEST_PERIOD, REPEATS_WITHIN, TAIL, Endings, Outcome, classify
from gdfast.problems import Problem
from gdfast.sweep import Sweep, Tile

if TYPE_CHECKING:
    import xarray


def run_tile(sweep: Sweep, tile: Tile, stop: Array) -> Endings:
    """Run one tile in NumPy; the arguments are those of the compiled `gdfast.tile.run_tile`."""
    problem, optimizer = sweep.problem, sweep.optimizers[tile.optimizer]
    index = np.arange(tile.first, tile.last)
    n, m = len(index), len(sweep.starts)
    end = Endings(
        theta=np.empty((problem.dimension, n)),
        steps=np.zeros(n, dtype=np.int64),
        stationary=np.zeros(n, dtype=bool),
        diverged=np.zeros(n, dtype=bool),
        period=np.zeros(n, dtype=np.int64),
        lane_steps=0,
    )
    theta = np.ascontiguousarray(sweep.starts.T[:, index % m])
    lr = sweep.group_rates[:, index // m]
    lr = lr if len(lr) == 1 else lr[problem.group]
    state = [np.full_like(theta, value) for value in optimizer.initial_state]
    table = optimizer.coefficient_table(sweep.max_steps, problem)
    active, was_small = np.arange(n), np.zeros(n, dtype=bool)
    tail: list[Array] = []

    with np.errstate(all="ignore"):
        for t in range(sweep.max_steps + 1):
            if not active.size or stop[0]:
                break
            grad = problem.step_gradient(theta, t)
            size = np.abs(grad).max(axis=0)
            small = size <= sweep.gradient_tolerance * problem.gradient_scale
            diverged = ~(size <= sweep.divergence_limit * problem.gradient_scale)
            settled = diverged | (small & was_small)
            if settled.any():
                out = active[settled]
                end.theta[:, out] = theta[:, settled]
                end.steps[out] = t
                end.diverged[out] = diverged[settled]
                end.stationary[out] = ~diverged[settled]
                live = ~settled
                active, lr, small = active[live], lr[:, live], small[live]
                theta, grad = theta[:, live], grad[:, live]
                state = [slot[:, live] for slot in state]
                tail = [point[:, live] for point in tail]
            if t >= sweep.max_steps - TAIL:
                tail.append(theta)
            if t < sweep.max_steps:
                end.lane_steps += active.size
                theta, *state = update(problem, optimizer, theta, grad, state, lr, table, t)
            was_small = small
    if active.size and not stop[0]:
        end.theta[:, active] = theta
        end.steps[active] = sweep.max_steps
        end.period[active] = _periods(np.stack(tail))
    return end


def update(
    problem: Problem,
    optimizer: Optimizer,
    theta: Array,
    grad: Array,
    state: list[Array],
    lr: Any,
    table: Array,
    t: int,
) -> tuple[Array, ...]:
    """Apply an optimizer's rule once; return the new parameters and state slots, each ``float64[d, n]``."""
    coefficients = table[t]
    if optimizer.schedule:
        lr, coefficients = coefficients[0] * lr, coefficients[1:]
    whole: list[Array] = []
    if optimizer.terms is not None:
        values = optimizer.terms(theta, grad, *state, lr, *coefficients)
        for value in values if len(optimizer.sums) > 1 else (values,):
            total = np.zeros(theta.shape[1])
            for row in np.broadcast_to(value, theta.shape):  # in the order of the coordinates, as the kernel sums
                total = total + row
            whole.append(total)
    if optimizer.uses_loss:
        whole.append(problem.step_objective(theta, t))
    new = optimizer.rule(theta, grad, *state, lr, *whole, *coefficients)
    return new if isinstance(new, tuple) else (new,)


def _periods(tail: Array) -> NDArray[np.int64]:
    """The smallest period > 1 with which each lane of ``tail (window + 1, d, n)`` repeats, 0 for none."""
    window = len(tail) - 1
    amplitude = np.abs(tail - tail[-1]).max(axis=(0, 1))
    period = np.zeros(tail.shape[2], dtype=np.int64)
    moving = (amplitude > 0) & (amplitude < np.inf)
    for p in range(2, min(LONGEST_PERIOD, window // 2) + 1):
        lanes = np.flatnonzero(moving & (period == 0))
        # Most lanes fail at the last gap already; only those that do not are looked at in full.
        gap = np.abs(tail[-1][:, lanes] - tail[-1 - p][:, lanes]).max(axis=0)
        lanes = lanes[gap <= REPEATS_WITHIN * amplitude[lanes]]
        gaps = np.abs(tail[p:, :, lanes] - tail[:-p, :, lanes]).max(axis=(0, 1))
        period[lanes[gaps <= REPEATS_WITHIN * amplitude[lanes]]] = p
    return period


def trajectory(
    problem: Problem,
    optimizer: Optimizer,
    start: ArrayLike,
    learning_rate: float,
    max_steps: int = 1000,
    *,
    gradient_tolerance: float = 1e-8,
    divergence_limit: float = 1e12,
) -> "xarray.Dataset":
    """Run one trajectory by the reference and keep all of its path.

    Parameters
    ----------
    problem, optimizer
        What is minimized, and how.
    start : array_like, (d,)
        The initial point; a number for d = 1.
    learning_rate : float
        Positive.
    max_steps : int
        The budget, in updates. The path ends earlier where the trajectory settles.
    gradient_tolerance, divergence_limit : float
        As in `Sweep`.

    Returns
    -------
    xarray.Dataset
        ``theta (step, parameter)``, ``loss (step)`` and ``gradient_norm (step)`` (``max|g|``) for steps
        0, 1, …; in the attributes ``outcome``, ``steps``, ``basin``, ``period``, ``problem``, ``optimizer`` and
        ``learning_rate``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind; the message names it.
    """
    import xarray

    sweep = Sweep(
        problem,
        [optimizer],
        [learning_rate],
        np.atleast_1d(np.asarray(start))[None],
        max_steps,
        gradient_tolerance,
        divergence_limit,
    )
    endings = run_tile(sweep, Tile(0, 0, 1), np.zeros(1))
    cells = classify(problem, endings, gradient_tolerance)
    path = np.empty((int(endings.steps[0]) + 1, problem.dimension, 1))
    path[0, :, 0] = sweep.starts[0]
    state = [np.full_like(path[0], value) for value in optimizer.initial_state]
    table = optimizer.coefficient_table(max_steps, problem)
    with np.errstate(all="ignore"):
        for t in range(len(path) - 1):
            path[t + 1], *state = update(
                problem, optimizer, path[t], problem.step_gradient(path[t], t), state, learning_rate, table, t
            )
        points = np.ascontiguousarray(path[:, :, 0].T)
        loss, norm = problem.loss(points), np.abs(problem.gradient(points)).max(axis=0)
    return xarray.Dataset(
        {
            "theta": (("step", "parameter"), points.T),
            "loss": ("step", loss),
            "gradient_norm": ("step", norm),
        },
        coords={"step": np.arange(len(path)), "parameter": list(problem.coordinates)},
        attrs={
            "problem": problem.label,
            "optimizer": optimizer.label,
            "learning_rate": float(learning_rate),
            "outcome": Outcome(int(cells.outcome[0])).name,
            "steps": int(cells.steps[0]),
            "basin": int(cells.basin[0]),
            "period": int(cells.period[0]),
        },
    )
