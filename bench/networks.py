"""Ways to train the same networks from many learning rates and starts: one callable each.

All take an optimizer, mostly plain gradient descent, for a fixed number of steps, without settling, and return the
final parameters ``float64[trajectories, d]``, so that what is timed is what was checked.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import gdfast
from bench.contenders.in_jax import jax_module
from gdfast.problems.networks.mlp import MLP

JAX_BLOCK = 32


@dataclass(frozen=True, eq=False)
class Task:
    """What all contenders do: every pair of learning rate (k, groups) and start (m, d), for `steps` updates."""

    problem: MLP
    rates: np.ndarray
    starts: np.ndarray
    steps: int
    optimizer: str = "gd"
    dtype: str = "float64"

    @property
    def sweep(self) -> gdfast.Sweep:
        """The same as gdfast's own; nothing settles."""
        return gdfast.Sweep(
            self.problem,
            self.optimizer,
            self.rates,
            self.starts,
            self.steps,
            gradient_tolerance=0.0,
            divergence_limit=1e300,
            dtype=self.dtype,
        )

    @property
    def trajectory_steps(self) -> int:
        """Updates of all trajectories together."""
        return len(self.rates) * len(self.starts) * self.steps

    @property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Rates (n, groups) and starts (n, d) of all trajectories."""
        rates = self.rates.reshape(len(self.rates), -1)
        return np.repeat(rates, len(self.starts), axis=0), np.tile(self.starts, (len(rates), 1))


def trainability(width: int = 8, k: int = 64, steps: int = 100) -> Task:
    """A map of the paper's network over the two layers' rates; they end below where trajectories overflow."""
    problem = gdfast.problems.trainability_network(width=width)
    rates = np.geomspace(1e-3, 1e1, k)
    pairs = np.stack(np.meshgrid(rates, rates, indexing="ij"), axis=-1).reshape(-1, 2)
    return Task(problem, pairs, problem.starts("normal").points, steps)


def classifier(rates: int = 64, seeds: int = 32, steps: int = 100) -> Task:
    """A relu network with 32 hidden units on digits (61 pixels that vary, 10 classes), with mini-batches of 32."""
    problem = gdfast.problems.mlp((61, 32, 10), "relu", loss="cross_entropy", data="digits", batch_size=32)
    return Task(problem, np.geomspace(1e-3, 1e-1, rates), problem.starts("he_normal", range(seeds)).points, steps)


MUON = "muon:weight_decay=0,eps=0,adam_eps=0,debias=True"  # as optax has it


def classifier_by_muon(rates: int = 16, seeds: int = 16, steps: int = 100) -> Task:
    """The classifier by Muon, whose step is seven times the operations of the gradient."""
    task = classifier(rates, seeds, steps)
    return Task(task.problem, np.geomspace(1e-4, 1e-2, rates), task.starts, steps, MUON)


def single_fused(task: Task) -> Task:
    """The same in single precision by fused multiply-add."""
    problem = task.problem.replace(arithmetic="fused")
    return Task(problem, task.rates, task.starts, task.steps, task.optimizer, "float32")


def gdfast_all_cores(task: Task, workers: int | None = None) -> np.ndarray:
    """Gdfast as users call it."""
    result = gdfast.run(task.sweep, keep_theta=True, progress=False, workers=workers)
    return result.theta.values.reshape(-1, task.problem.dimension)


def gdfast_one_core(task: Task) -> np.ndarray:
    """Gdfast on one thread."""
    return gdfast_all_cores(task, workers=1)


def numpy_batched(task: Task, block: int = 64) -> np.ndarray:
    """NumPy and BLAS over blocks of trajectories at once, as one writes it by hand for this network."""
    rates, points = task.pairs
    step = _numpy_step(task.problem)
    with np.errstate(all="ignore"):
        for first in range(0, len(points), block):
            lr, own = rates[first : first + block], points[first : first + block]
            for t in range(task.steps):
                step(own, lr, t)
    return points


def _numpy_step(problem: MLP) -> Callable[[np.ndarray, np.ndarray, int], None]:
    first, second = problem.layers
    n1 = first.fan_in * first.fan_out
    shape = (-1, first.fan_in, first.fan_out), (-1, second.fan_in, second.fan_out)

    def trainability_step(theta: np.ndarray, lr: np.ndarray, t: int) -> None:
        scale, last = np.sqrt(2 / first.fan_in), 1 / first.fan_out
        w1, w2 = theta[:, :n1].reshape(shape[0]), theta[:, n1:].reshape(shape[1])
        a = np.tanh(np.matmul(problem.X, w1) * scale)
        delta = (np.matmul(a, w2) * last - problem.y) * (2 * last / problem.y.size)
        back = np.matmul(delta, w2.swapaxes(1, 2)) * (1 - a * a) * scale
        theta[:, n1:] -= lr[:, 1:] * np.matmul(a.swapaxes(1, 2), delta).reshape(len(theta), -1)
        theta[:, :n1] -= lr[:, :1] * np.matmul(problem.X.T, back).reshape(len(theta), -1)

    def classifier_step(theta: np.ndarray, lr: np.ndarray, t: int) -> None:
        rows = problem.rows(t)
        X, y = problem.X[rows], problem.y[rows].astype(np.int64)
        w1, b1 = theta[:, :n1].reshape(shape[0]), theta[:, first.bias : first.end]
        w2, b2 = theta[:, second.weight : second.bias].reshape(shape[1]), theta[:, second.bias :]
        z = np.matmul(X, w1) + b1[:, None]
        a = np.maximum(z, 0)
        out = np.matmul(a, w2) + b2[:, None]
        p = np.exp(out - out.max(axis=2, keepdims=True))
        p /= p.sum(axis=2, keepdims=True)
        p[:, np.arange(len(y)), y] -= 1
        p /= len(y)
        back = np.matmul(p, w2.swapaxes(1, 2)) * (z > 0)
        b2 -= lr * p.sum(axis=1)
        theta[:, second.weight : second.bias] -= lr * np.matmul(a.swapaxes(1, 2), p).reshape(len(theta), -1)
        b1 -= lr * back.sum(axis=1)
        theta[:, :n1] -= lr * np.matmul(X.T, back).reshape(len(theta), -1)

    return classifier_step if problem.batch_size else trainability_step


def jax_scan(task: Task) -> np.ndarray:
    """JAX: gradient by `jax.grad`, steps by `lax.scan`, trajectories by `vmap`, all under `jit`, in float64."""
    rates, points = task.pairs
    return np.asarray(_jax_program(task)(rates, points))


def jax_tuned(task: Task) -> np.ndarray:
    """JAX with the gradient by hand, trajectories last, in blocks of 32, and `pmap` over the devices."""
    devices = jax_module().local_device_count()
    rates, points = task.pairs
    n = len(points)
    size = -(-n // (JAX_BLOCK * devices)) * JAX_BLOCK * devices

    def dealt(rows: np.ndarray) -> np.ndarray:  # to (device, block, column, lane)
        return np.resize(rows, (size, rows.shape[1])).reshape(devices, -1, JAX_BLOCK, rows.shape[1]).swapaxes(2, 3)

    ends = np.asarray(_jax_blocks(task)(dealt(rates), dealt(points)))
    return ends.swapaxes(2, 3).reshape(size, -1)[:n]


@functools.lru_cache(maxsize=8)
def _jax_blocks(task: Task) -> Any:
    jax = jax_module()
    jnp, problem, first = jax.numpy, task.problem, task.problem.layers[0]
    X, y = jnp.asarray(problem.X), jnp.asarray(problem.y)
    n1 = first.fan_in * first.fan_out
    scale, last = np.sqrt(2 / first.fan_in), 1 / first.fan_out

    def step(theta: Any, lr: Any) -> Any:
        w1, w2 = theta[:n1].reshape(first.fan_in, first.fan_out, -1), theta[n1:].reshape(first.fan_out, -1)
        a = jnp.tanh(jnp.einsum("ri,ijl->rjl", X, w1) * scale)
        delta = ((a * w2).sum(axis=1) * last - y[:, :1]) * (2 * last / y.size)
        back = delta[:, None] * w2 * (1 - a * a) * scale
        grad1, grad2 = jnp.einsum("ri,rjl->ijl", X, back).reshape(n1, -1), (a * delta[:, None]).sum(axis=0)
        return jnp.concatenate([theta[:n1] - lr[0] * grad1, theta[n1:] - lr[1] * grad2])

    def block(given: Any) -> Any:
        lr, theta = given
        return jax.lax.fori_loop(0, task.steps, lambda t, now: step(now, lr), theta)

    return jax.pmap(lambda lr, theta: jax.lax.map(block, (lr, theta)))


def jax_optax(task: Task) -> np.ndarray:
    """JAX and ``optax.contrib.muon``: gradient by `jax.grad`, steps by `lax.scan`, trajectories by `vmap`."""
    rates, points = task.pairs
    return np.asarray(_optax_program(task)(rates[:, 0], points))


@functools.lru_cache(maxsize=8)
def _optax_program(task: Task) -> Any:
    import optax.contrib

    jax = jax_module()
    loss, problem = _jax_loss(task), task.problem
    ends = [end for layer in problem.layers for end in (layer.weights.stop, layer.end)][:-1]
    shapes = [shape for layer in problem.layers for shape in ((layer.fan_in, layer.fan_out), (layer.fan_out,))]

    def arrays(theta: Any) -> Any:
        parts = jax.numpy.split(theta, ends)
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def train(rate: Any, start: Any) -> Any:
        optimizer = optax.contrib.muon(rate, eps=0.0)

        def step(kept: Any, t: Any) -> Any:
            theta, state = kept
            updates, state = optimizer.update(arrays(jax.grad(loss)(theta, t)), state, arrays(theta))
            flat = jax.numpy.concatenate([update.ravel() for update in updates])
            return (theta + flat, state), None

        (theta, _), _ = jax.lax.scan(step, (start, optimizer.init(arrays(start))), jax.numpy.arange(task.steps))
        return theta

    return jax.jit(jax.vmap(train))


@functools.lru_cache(maxsize=8)
def _jax_program(task: Task) -> Any:
    jax = jax_module()
    loss, group = _jax_loss(task), jax.numpy.asarray(task.problem.group)

    def train(rate: Any, start: Any) -> Any:
        lr = rate[group] if len(rate) > 1 else rate[0]
        steps = jax.numpy.arange(task.steps)
        return jax.lax.scan(lambda w, t: (w - lr * jax.grad(loss)(w, t), None), start, steps)[0]

    return jax.jit(jax.vmap(train))


def _jax_loss(task: Task) -> Any:
    """The loss at a point over the rows of a step."""
    jax = jax_module()
    jnp = jax.numpy
    problem, (first, second) = task.problem, task.problem.layers
    X, y = jnp.asarray(problem.X), jnp.asarray(problem.y)
    n1, n2 = first.fan_in * first.fan_out, second.fan_in * second.fan_out

    def trainability_loss(theta: Any, t: Any) -> Any:
        w1, w2 = theta[:n1].reshape(first.fan_in, -1), theta[n1:].reshape(second.fan_in, -1)
        a = jnp.tanh(np.sqrt(2) * (X @ w1 / np.sqrt(first.fan_in)))
        return jnp.mean((a @ w2 / np.sqrt(first.fan_out) / np.sqrt(first.fan_out) - y) ** 2)

    def classifier_loss(theta: Any, t: Any) -> Any:
        rows = table[t]
        w1, b1 = theta[:n1].reshape(first.fan_in, -1), theta[first.bias : first.end]
        w2, b2 = theta[second.weight : second.weight + n2].reshape(second.fan_in, -1), theta[second.bias :]
        out = jax.nn.relu(X[rows] @ w1 + b1) @ w2 + b2
        chosen = jnp.take_along_axis(out, y[rows].astype(int)[:, None], axis=1)[:, 0]
        return jnp.mean(jax.nn.logsumexp(out, axis=1) - chosen)

    if problem.batch_size:
        table = jnp.asarray(np.stack([problem.rows(t) for t in range(task.steps)]))
    return classifier_loss if problem.batch_size else trainability_loss
