"""Maps of trainability by gdfast and by JAX: the same pixels, the same measure, one callable each."""

import functools
from typing import Any

import numpy as np

import gdfast
from gdfast.boundary.dimension import boundary
from gdfast.boundary.planes import CONDITIONS, Condition, View

CONDITION = CONDITIONS["tanh"]


def gdfast_map(view: View, max_steps: int = 100, workers: int | None = None) -> np.ndarray:
    """The measure of each pixel, by gdfast as users call it."""
    sweep = CONDITION.sweep(gdfast.optimizers.gd(), view, max_steps=max_steps)
    return CONDITION.image(gdfast.run(sweep, progress=False, workers=workers), view.resolution)


def jax_map(view: View, max_steps: int = 100, batch: int = 16384) -> np.ndarray:
    """The same by JAX: `value_and_grad`, steps by `lax.scan`, pixels by `vmap`, under `jit`, in float64.

    The history of losses is summed up by the measure inside the compiled program, in batches of pixels.
    """
    sweep = CONDITION.sweep(gdfast.optimizers.gd(), view, max_steps=max_steps)
    program = _program(max_steps)
    rates, start = sweep.learning_rates, sweep.starts[0]
    parts = [program(rates[first : first + batch], start) for first in range(0, len(rates), batch)]
    return np.concatenate([np.asarray(part) for part in parts]).reshape(2 * (view.resolution,))


@functools.lru_cache(maxsize=4)
def _program(max_steps: int) -> Any:
    import jax

    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    problem: Any = CONDITION.problem(8, 0)
    first, second = problem.layers
    X, y, n1 = jnp.asarray(problem.X), jnp.asarray(problem.y), first.fan_in * first.fan_out
    group = jnp.asarray(problem.group)

    def loss(theta: Any) -> Any:
        w1, w2 = theta[:n1].reshape(first.fan_in, -1), theta[n1:].reshape(second.fan_in, -1)
        a = jnp.tanh(np.sqrt(2) * (X @ w1 / np.sqrt(first.fan_in)))
        return jnp.mean((a @ w2 / np.sqrt(first.fan_out) / np.sqrt(first.fan_out) - y) ** 2)

    def measure(losses: Any) -> Any:
        v = losses / losses[0]
        v = jnp.where(jnp.isfinite(v), jnp.minimum(v, 1e6), 1e6)
        return jnp.where(jnp.mean(v[-20:]) < 1, -jnp.sum(v), jnp.sum(1 / v))

    def train(rate: Any, start: Any) -> Any:
        def step(theta: Any, _: Any) -> Any:
            value, gradient = jax.value_and_grad(loss)(theta)
            return theta - rate[group] * gradient, value

        return measure(jax.lax.scan(step, start, None, max_steps)[1])

    return jax.jit(jax.vmap(train, in_axes=(0, None)))


def disagreement(got: np.ndarray, expected: np.ndarray) -> tuple[float, float, float]:
    """The shares of pixels of another class: away from either boundary, at it, and how many pixels are at it.

    A share of no pixels at all is 0.
    """
    other = (got < 0) != (expected < 0)
    cells = np.pad(boundary(got) | boundary(expected), 1)
    at = cells[1:, 1:] | cells[:-1, 1:] | cells[1:, :-1] | cells[:-1, :-1]
    share = float(at.mean())
    return float(other[~at].sum() / max((~at).sum(), 1)), float(other[at].sum() / max(at.sum(), 1)), share


def views(resolution: int) -> dict[str, View]:
    """The whole plane, and a place of its boundary at two scales."""
    condition: Condition = CONDITION
    place = 1.18, 1.658
    return {
        "whole plane": condition.view(resolution),
        "zoom 10": condition.view(resolution, place, 10.0),
        "zoom 100": condition.view(resolution, place, 100.0),
    }
