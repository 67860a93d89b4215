"""A model of one's own on rows of data, against NumPy over trajectories: ``python -m bench models [--full]``.

The model has 6 parameters and 4 columns, the loss is the mean of squares, the optimizer plain gradient descent for a
fixed number of steps. NumPy has the gradient by hand, blocks of trajectories and rows that stay in the cache, no array
that it does not need, and the sums over rows as products of BLAS where they are some. First the ends of both are
compared; then they are timed in turn. ``--full`` is 10,000 rows × 256 rates × 32 starts × 500 steps, which takes NumPy
half an hour; what is timed otherwise is a part of it.
"""

import argparse
from dataclasses import dataclass

import numpy as np

import gdfast
from bench.timing import alternating

MODEL = "a*exp(-b*x0) + c*tanh(d*x1 + g*x2) + f*x3"
TRUE = {"a": 2.0, "b": 0.7, "c": 1.5, "d": 0.8, "f": -0.5, "g": 0.4}


@dataclass(frozen=True, eq=False)
class Task:
    """Every rate from every start for so many steps, on so many rows."""

    problem: gdfast.problems.Problem
    X: np.ndarray
    y: np.ndarray
    rates: np.ndarray
    starts: np.ndarray
    steps: int

    @property
    def sweep(self) -> gdfast.Sweep:
        """The same as gdfast's own; nothing settles."""
        return gdfast.Sweep(
            self.problem,
            gdfast.optimizers.gd(),
            self.rates,
            self.starts,
            self.steps,
            gradient_tolerance=0.0,
            divergence_limit=1e300,
        )


def task(rows: int, rates: int, starts: int, steps: int) -> Task:
    """Draw the rows, from the model and noise, and the starts."""
    rng = np.random.default_rng(0)
    X = rng.uniform(0.0, 3.0, (rows, 4))
    a, b, c, d, f, g = TRUE.values()
    y = a * np.exp(-b * X[:, 0]) + c * np.tanh(d * X[:, 1] + g * X[:, 2]) + f * X[:, 3] + rng.normal(0, 0.1, rows)
    problem = gdfast.problems.from_model(MODEL, data=(X, y), domain=dict.fromkeys(TRUE, (-3, 3)))
    return Task(problem, X, y, np.geomspace(1e-4, 0.1, rates), problem.random(starts), steps)


def in_gdfast(task: Task, workers: int | None = None) -> np.ndarray:
    """Gdfast as users call it: the ends, ``float64[trajectories, 6]``."""
    result = gdfast.run(task.sweep, keep_theta=True, progress=False, workers=workers)
    return np.asarray(result.theta.values.reshape(-1, 6))


def in_numpy(task: Task, lanes: int = 64, rows: int = 256) -> np.ndarray:
    """NumPy over blocks of trajectories."""
    rates, points = np.repeat(task.rates, len(task.starts)), np.tile(task.starts, (len(task.rates), 1)).T.copy()
    blocks = [(task.X[i : i + rows].T.copy(), task.y[i : i + rows, None]) for i in range(0, len(task.y), rows)]
    with np.errstate(all="ignore"):
        for first in range(0, len(rates), lanes):
            theta, rate = points[:, first : first + lanes], rates[first : first + lanes]
            for _ in range(task.steps):
                theta -= (rate * (2.0 / len(task.y))) * sum(_slopes(theta, columns, y) for columns, y in blocks)
    return points.T


def _slopes(theta: np.ndarray, columns: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Half the gradient of the sum of squares over some rows, by hand."""
    a, b, c, d, f, g = theta
    x0, x1, x2, x3 = columns
    decay = x0[:, None] * -b
    np.exp(decay, out=decay)
    bend = x1[:, None] * d
    bend += x2[:, None] * g
    np.tanh(bend, out=bend)
    r = a * decay
    r += c * bend
    r += x3[:, None] * f
    r -= y
    out = np.empty_like(theta)
    out[2] = np.einsum("ij,ij->j", r, bend)
    out[4] = x3 @ r
    decay *= r
    out[0] = decay.sum(axis=0)
    out[1] = -a * (x0 @ decay)
    bend *= bend
    np.subtract(1.0, bend, out=bend)
    bend *= r
    out[3], out[5] = c * (x1 @ bend), c * (x2 @ bend)
    return out


def main(arguments: list[str]) -> None:
    """Compare, then time."""
    parser = argparse.ArgumentParser(prog="python -m bench models", description=__doc__)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--rates", type=int, default=16)
    parser.add_argument("--starts", type=int, default=16)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--full", action="store_true", help="10,000 rows, 256 rates, 32 starts, 500 steps, one round")
    given = parser.parse_args(arguments)
    sizes = (10_000, 256, 32, 500) if given.full else (given.rows, given.rates, given.starts, given.steps)
    work = task(*sizes)
    got, expected = in_gdfast(work), in_numpy(work)
    same = np.isfinite(expected).all(axis=1)
    assert (np.isfinite(got).all(axis=1) == same).all(), "other trajectories have overflowed"
    distance = np.abs(got - expected)[same].max(axis=1) / np.abs(expected)[same].max(axis=1)
    rows, rates, starts, steps = sizes
    print(f"{rows:,} rows × {rates} rates × {starts} starts × {steps} steps of {MODEL}")
    print(
        f"ends differ by {np.median(distance):.1e} (median) and {distance.max():.1e} (at most) of their size, "
        f"{same.mean():.0%} of them finite"
    )
    evaluations = rows * rates * starts * steps
    for workers in (1, None):
        pair = alternating(lambda: in_numpy(work), lambda: in_gdfast(work, workers), 1 if given.full else given.rounds)  # noqa: B023
        print(
            f"gdfast, {'one core' if workers else 'all cores'}: {pair.second:.2f} s "
            f"({1e9 * pair.second / evaluations:.2f} ns a row and step), numpy {pair.first:.2f} s "
            f"({1e9 * pair.first / evaluations:.2f} ns): {pair.ratio:.1f} times as quick"
        )
