"""JAX, as people write it and tuned by hand.

Two host devices, one for each core, are asked for when JAX is first imported, which must be after this module is.
"""

import functools
import os
from collections.abc import Callable
from typing import Any

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

DEVICES = "--xla_force_host_platform_device_count=2"
if DEVICES not in os.environ.get("XLA_FLAGS", ""):
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {DEVICES}".strip()
BLOCK, UNROLL = 1024, 16


def jax_module() -> Any:
    """JAX, with 64-bit numbers."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


def jax_fixed_loop(grid: Grid) -> Ends:
    """`jit(vmap(...))` of one trajectory's loop of fixed length, with a mask for what has settled."""
    return _call(_fixed_loop(grid.problem, grid.optimizer, grid.max_steps, False), grid)


def jax_optax(grid: Grid) -> Ends:
    """The same with optax's optimizers."""
    return _call(_fixed_loop(grid.problem, grid.optimizer, grid.max_steps, True), grid)


def jax_while_loop(grid: Grid) -> Ends:
    """`jit(vmap(...))` of one trajectory's `while_loop`, which vmap runs until the last trajectory has settled."""
    return _call(_while_loop(grid.problem, grid.optimizer, grid.max_steps), grid)


def _call(program: Callable[..., Any], grid: Grid) -> Ends:
    lr, starts = grid.trajectories
    steps, point, settled = program(lr, tuple(starts))
    return grid.ends(steps, np.stack(point), settled)


def _optax(optimizer: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Fresh state and update of a point by optax."""
    import optax

    make = {"gd": optax.sgd, "adam": optax.adam}[optimizer]

    def update(point: Any, g: Any, state: Any, lr: Any, t: Any) -> Any:
        updates, state = make(lr).update(g, state)
        return optax.apply_updates(point, updates), state

    return lambda point, lr: make(lr).init(point), update


def _by_hand(optimizer: str, max_steps: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Fresh state and update of a point by the formula."""
    jnp = jax_module().numpy
    tables, own = [jnp.asarray(column) for column in debiasing(max_steps)], update_with(optimizer, jnp.sqrt)

    def update(point: Any, g: Any, state: Any, lr: Any, t: Any) -> Any:
        new = [own(*given, lr, tables[0][t], tables[1][t]) for given in zip(point, g, state, strict=True)]
        return tuple(x for x, _ in new), tuple(slots for _, slots in new)

    def fresh(point: Any, lr: Any) -> Any:
        return tuple(tuple(jnp.zeros_like(x) for _ in range(SLOTS[optimizer])) for x in point)

    return fresh, update


def _checked_step(problem: str, update: Callable[..., Any], max_steps: int, lr: Any) -> Callable[..., Any]:
    """One step of a loop: from (point, state, was_small, steps, settled) to the same."""
    jax = jax_module()
    jnp, gradient = jax.numpy, GRADIENTS[problem]

    def step(t: Any, carry: Any) -> Any:
        point, state, was_small, steps, settled = carry
        g = gradient(*point)
        small, diverged = within(g, TOLERANCE), ~within(g, LIMIT)
        now = (settled == 0) & (diverged | (small & was_small)) & (t <= max_steps)
        steps = jnp.where(now, t, steps)
        settled = jnp.where(now, jnp.where(diverged, DIVERGED, STATIONARY), settled)
        moving = (settled == 0) & (t < max_steps)
        new, new_state = update(point, g, state, lr, t)
        point = tuple(jnp.where(moving, a, b) for a, b in zip(new, point, strict=True))
        return point, new_state, small, steps, settled

    return step


def _fresh(jnp: Any, lr: Any, max_steps: int) -> Any:
    zeros = jnp.zeros(jnp.shape(lr), jnp.int64)
    return zeros != 0, zeros + max_steps, zeros


@functools.cache
def _fixed_loop(problem: str, optimizer: str, max_steps: int, by_optax: bool) -> Any:
    jax = jax_module()
    fresh, update = _optax(optimizer) if by_optax else _by_hand(optimizer, max_steps)

    def trajectory(lr: Any, point: Any) -> Any:
        first = point, fresh(point, lr), *_fresh(jax.numpy, lr, max_steps)
        step = _checked_step(problem, update, max_steps, lr)
        point, _, _, steps, settled = jax.lax.fori_loop(0, max_steps + 1, step, first)
        return steps, point, settled

    return jax.jit(jax.vmap(trajectory))


@functools.cache
def _while_loop(problem: str, optimizer: str, max_steps: int) -> Any:
    jax = jax_module()
    fresh, update = _by_hand(optimizer, max_steps)

    def trajectory(lr: Any, point: Any) -> Any:
        step = _checked_step(problem, update, max_steps, lr)
        first = 0, (point, fresh(point, lr), *_fresh(jax.numpy, lr, max_steps))
        _, (point, _, _, steps, settled) = jax.lax.while_loop(
            lambda now: (now[0] <= max_steps) & (now[1][-1] == 0), lambda now: (now[0] + 1, step(*now)), first
        )
        return steps, point, settled

    return jax.jit(jax.vmap(trajectory))


@functools.cache
def _blocks(problem: str, optimizer: str, max_steps: int) -> Any:
    jax = jax_module()
    jnp = jax.numpy
    fresh, update = _by_hand(optimizer, max_steps)

    def block(given: Any) -> Any:
        lr, point = given
        step = _checked_step(problem, update, max_steps, lr)

        def steps_of(now: Any) -> Any:
            t, carry = now
            for k in range(UNROLL):
                carry = step(t + k, carry)
            return t + UNROLL, carry

        first = 0, (point, fresh(point, lr), *_fresh(jnp, lr, max_steps))
        _, (point, _, _, steps, settled) = jax.lax.while_loop(
            lambda now: (now[0] <= max_steps) & (now[1][-1] == 0).any(), steps_of, first
        )
        return steps, point, settled

    return jax.pmap(lambda lr, point: jax.lax.map(block, (lr, point)))


def jax_tuned(grid: Grid) -> Ends:
    """Blocks of 1024 trajectories that end when all have settled, 16 steps unrolled, `pmap` over the devices."""
    devices = jax_module().local_device_count()
    lr, starts = grid.trajectories
    count = -(-len(lr) // (BLOCK * devices)) * devices

    def dealt(column: np.ndarray) -> np.ndarray:  # neighbouring blocks to different devices
        padded = np.resize(column, count * BLOCK).reshape(-1, devices, BLOCK)
        return padded.swapaxes(0, 1)

    def gathered(column: Any) -> np.ndarray:
        return np.asarray(column).swapaxes(0, 1).reshape(-1)[: len(lr)]

    steps, point, settled = _blocks(grid.problem, grid.optimizer, grid.max_steps)(dealt(lr), tuple(map(dealt, starts)))
    return grid.ends(gathered(steps), np.stack([gathered(x) for x in point]), gathered(settled))
