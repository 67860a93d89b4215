"""The sweeps that all contenders run, what they return, and the formulas that they share.

A point is a tuple of coordinates, each an array or a number of whatever library; the state of a coordinate is a tuple.
"""

import functools
import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

import gdfast
from gdfast.formulas.elementary import power

COMPILER = shutil.which("cc")
TOLERANCE, LIMIT = 1e-8, 1e12
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8
STATIONARY, DIVERGED = 2, 3  # how a trajectory settled; 0 where its budget was spent


class Contender(NamedTuple):
    """A way to do a task: a sweep, the training of a network, a map of trainability.

    Attributes
    ----------
    run : callable
        From the task to its result, of one type for all contenders of a kind.
    exact : bool
        Whether its arithmetic is gdfast's, so that the ends are the same to the bit.
    cores : int
        How many cores it uses: 1, or 2 for all.
    needs : tuple of str
        Modules without which it is skipped; ``cc`` is a C compiler.
    tasks : tuple of str
        Those that it does, if not all: optimizers of sweeps, or names of networks.
    """

    run: Callable[..., Any]
    exact: bool = True
    cores: int = 2
    needs: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()

    def does(self, task: str) -> bool:
        """Whether a task is among those that it does."""
        return not self.tasks or task in self.tasks

    @property
    def lacking(self) -> list[str]:
        """What it needs and is not there."""
        return [name for name in self.needs if not (COMPILER if name == "cc" else importlib.util.find_spec(name))]

    def on(self, task: Any) -> Callable[[], Any]:
        """What is timed and what is checked: the same call, without arguments."""
        return functools.partial(self.run, task)


@dataclass(frozen=True, eq=False)
class Grid:
    """A sweep: learning rates (k) × starts (m, d), at most `max_steps` steps, settle check at every step."""

    problem: str
    optimizer: str
    learning_rates: np.ndarray
    starts: np.ndarray
    max_steps: int

    @classmethod
    def square(cls, problem: str, optimizer: str, n: int = 512, max_steps: int = 1000) -> "Grid":
        """The standard grid: rates 10⁻⁴ … 1; starts over the quartic's domain, or drawn from Rosenbrock's."""
        made = gdfast.problems.CATALOGUE[problem]()
        starts = made.grid(n) if made.dimension == 1 else made.random(n)
        return cls(problem, optimizer, np.logspace(-4, 0, n), starts, max_steps)

    @property
    def name(self) -> str:
        """How it is called in tables."""
        return f"{self.problem} × {self.optimizer}"

    @property
    def sweep(self) -> gdfast.Sweep:
        """The same as gdfast's own."""
        optimizer = gdfast.optimizers.CATALOGUE[self.optimizer]()
        problem = gdfast.problems.CATALOGUE[self.problem]()
        return gdfast.Sweep(
            problem,
            optimizer,
            self.learning_rates,
            self.starts,
            self.max_steps,
            gradient_tolerance=TOLERANCE / problem.gradient_scale,
            divergence_limit=LIMIT / problem.gradient_scale,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(k, m)."""
        return len(self.learning_rates), len(self.starts)

    @property
    def trajectories(self) -> tuple[np.ndarray, np.ndarray]:
        """Rates ``float64[k m]`` and starts ``float64[d, k m]`` of all trajectories, starts fastest."""
        k, m = self.shape
        return np.repeat(self.learning_rates, m), np.ascontiguousarray(np.tile(self.starts.T, k))

    def ends(self, steps: Any, theta: Any, settled: Any, lane_steps: int | None = None) -> "Ends":
        """What a contender returns, from arrays over all trajectories, points ``(d, k m)``."""
        k, m = self.shape
        theta = np.asarray(theta).reshape(-1, k, m)
        return Ends(np.asarray(steps).reshape(k, m), theta, lambda: np.asarray(settled).reshape(k, m), lane_steps)


@dataclass(frozen=True, eq=False)
class Ends:
    """What a contender returns.

    Attributes
    ----------
    steps : ndarray
        Updates done, (learning rate, start).
    theta : ndarray
        End points, (coordinate, learning rate, start).
    find_settled : callable
        Makes `settled`: a contender may tell it in another form, and what turns it into this one is not timed.
    lane_steps : int, optional
        Steps computed, those of settled trajectories included, where a contender counts them.
    """

    steps: np.ndarray
    theta: np.ndarray
    find_settled: Callable[[], np.ndarray]
    lane_steps: int | None = None

    @functools.cached_property
    def settled(self) -> np.ndarray:
        """How each trajectory settled, (learning rate, start)."""
        return self.find_settled()


def quartic(x: Any) -> tuple[Any]:
    """The gradient of x⁴ − 5x² + 3x."""
    return ((4 * x * x - 10) * x + 3,)


def rosenbrock(x: Any, y: Any) -> tuple[Any, Any]:
    """The gradient of (1 − x)² + 100 (y − x²)²."""
    u = y - x * x
    return -2 * (1 - x) - 400 * x * u, 200 * u


GRADIENTS: dict[str, Callable[..., Any]] = {"quartic": quartic, "rosenbrock": rosenbrock}
SLOTS = {"gd": 0, "adam": 2}  # numbers of state that a coordinate has


def update_with(optimizer: str, sqrt: Callable[[Any], Any]) -> Callable[..., Any]:
    """The update of one coordinate, with a library's own root: from point, gradient, state, rate and table columns."""

    def gd(x: Any, g: Any, state: Any, lr: Any, rate: Any, debias: Any) -> Any:
        return x - lr * g, state

    def adam(x: Any, g: Any, state: Any, lr: Any, rate: Any, debias: Any) -> Any:
        mean = BETA1 * state[0] + (1 - BETA1) * g
        square = BETA2 * state[1] + (1 - BETA2) * g * g
        return x - lr * rate * mean / (sqrt(square) * debias + EPS), (mean, square)

    return {"gd": gd, "adam": adam}[optimizer]


def debiasing(max_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Adam's factors of each step: 1/(1 − β₁ᵗ) and 1/√(1 − β₂ᵗ)."""
    t = np.arange(1, max_steps + 2, dtype=np.float64)
    return 1 / (1 - power(BETA1, t)), 1 / np.sqrt(1 - power(BETA2, t))


def within(g: tuple[Any, ...], bound: float) -> Any:
    """Whether no entry of a gradient is above a bound or not a number."""
    inside = abs(g[0]) <= bound
    for entry in g[1:]:
        inside = inside & (abs(entry) <= bound)
    return inside
