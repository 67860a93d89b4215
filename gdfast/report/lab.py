"""Where experiments are run: what was asked for, the grids they share, and every result once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import gdfast
from gdfast import measures, optimizers, problems, theory
from gdfast.formulas.elementary import Array
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem
from gdfast.running.tune import Tuning
from gdfast.tiles.lower import SAME_LOSS

if TYPE_CHECKING:
    import xarray

STANDARD = ("gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
RATES = {"sigmoid": (1e-3, 1e3)}
"""Lowest and highest learning rate of a problem's grid, where it is not the usual 10⁻⁴ to 10."""
STARTS = {"quartic": (-4.0, 4.0), "sigmoid": (-25.0, 25.0)}
"""Lowest and highest start of a problem's grid, where it is not its domain."""
STEPS = {"rosenbrock": 10_000}
"""The budget of a trajectory on a problem's grid, where it is not the usual 1,000 steps."""
GROUNDS = ("quartic", "sigmoid", "quadratic", "rosenbrock", "six_hump_camel")
SEED = 0
_MORE, _GRID = 8, 8  # how many more starts are tried, and coordinates up to which they are a grid
_MOST_PRODUCTS = 200_000  # rows × coordinates × starts of a problem with data
_MOST_MINIMA = 8  # of which stability limits are marked


@dataclass
class Lab:
    """The settings of a report, and what was run for it.

    Attributes
    ----------
    quick : bool
        Coarser grids.
    problems : sequence of Problem
        Those to which the report is restricted; no restriction if empty.
    chosen : sequence of Optimizer
        Those that are compared; the usual six if empty.
    out : Path
        The folder of the report, in which tables of other programs are looked for.
    stored : mapping
        Results that were given, by their names.
    tuning : Tuning, optional
        What was found by `gdfast.tune`.
    """

    quick: bool = False
    problems: Sequence[Problem] = ()
    chosen: Sequence[Optimizer] = ()
    out: Path = Path("reports")
    stored: "Mapping[str, xarray.Dataset]" = field(default_factory=dict)
    tuning: Tuning | None = None
    compile_seconds: dict[str, float] = field(default_factory=dict)
    _results: "dict[str, xarray.Dataset]" = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Learning rates, and starts, of a standard map."""
        return 96 if self.quick else 256

    @property
    def optimizers(self) -> list[Optimizer]:
        """What is compared."""
        return list(self.chosen) or [optimizers.CATALOGUE[name]() for name in STANDARD]

    def covers(self, name: str) -> bool:
        """Whether the problem of this name is asked for, as it is without parameters."""
        return not self.problems or problems.CATALOGUE[name]() in self.problems

    def grounds(self, *names: str) -> list[Problem]:
        """The problems asked for, or those of the given names if none was."""
        return list(self.problems) or [problems.CATALOGUE[name]() for name in names]

    def rates(self, problem: Problem) -> Array:
        """The learning rates of a problem's grid: n, or half as many where starts fill more than a line.

        They reach from a thousandth of gradient descent's limit to ten times it, if the usual ones do not.
        """
        count = self.n if problem.dimension == 1 else self.n // 2
        low, high = RATES.get(problem.name, (1e-4, 10.0))
        if edges := [] if _is_default(problem) else limits(problem, [optimizers.gd()])["gd"]:
            low = min(low, 10.0 ** np.floor(np.log10(1e-3 * min(edges))))
            high = max(high, 10.0 ** np.ceil(np.log10(10 * max(edges))))
        return np.geomspace(low, high, count)

    def starts(self, problem: Problem) -> Any:
        """The starts of a problem's grid: n on a line, or about a quarter as many over the domain.

        Or a few more, where one of so many is a lowest minimum, which every optimizer would have reached at once. Of
        problems with data fewer and at random, where there are so many rows that each step takes long.
        """
        if problem.rows_each_step:
            most = _MOST_PRODUCTS // (problem.rows_each_step * problem.dimension)
            count = int(np.clip(most, 2, self.n // 4))
            return problem.default_starts(count) if hasattr(problem, "starts") else problem.random(count, SEED)
        low, high = STARTS.get(problem.name, problem.domain[0])
        for more in range(_MORE):
            if problem.dimension == 1:
                starts = np.linspace(low, high, self.n + more)[:, None]
            elif problem.dimension <= _GRID:
                starts = problem.grid(max(2, round((self.n // 4) ** (1 / problem.dimension))) + more)
            else:
                return problem.default_starts(self.n // 4)
            if not _at_lowest_minima(problem, starts):
                break
        return starts

    def moderate(self, problem: Problem, optimizer: Optimizer) -> float:
        """A learning rate with which an optimizer moves over the whole domain and does not diverge."""
        plain = optimizer.name in ("gd", "momentum", "nesterov")
        if _is_default(problem):
            return 0.005 if plain else 0.05
        edges = limits(problem, [optimizer])[optimizer.label]
        if plain and edges:
            return float(f"{0.1 * min(edges):.1g}")
        return float(f"{0.01 * np.ptp(problem.domain, axis=1).min():.1g}")

    def standard(self, problem: Problem, chosen: Sequence[Optimizer] | None = None) -> "xarray.Dataset":
        """The result on a problem's grid, by all optimizers or by some."""
        budget = STEPS.get(problem.name, 1000)
        return self.run(problem, chosen or self.optimizers, self.rates(problem), self.starts(problem), budget)

    def run(
        self,
        problem: Problem,
        chosen: Sequence[Optimizer],
        rates: Array,
        starts: Any,
        max_steps: int = 1000,
        **options: Any,
    ) -> "xarray.Dataset":
        """Run a sweep, or give its result if it was run before; formulas tell when the loss was good enough."""
        told = problem.rows_each_step == 0 and np.isfinite(problem.lowest)
        measure = measures.steps_to_reach(problem.loss_tolerance) if told else None
        sweep = gdfast.Sweep(problem, chosen, rates, starts, max_steps, measure=measure)
        key = json.dumps({**sweep.specification, **options})
        if key not in self._results:
            result = gdfast.run(sweep, progress=False, **options)
            self._results[key] = result
            what = f"{problem.label} × {', '.join(sweep.labels)}"
            self.compile_seconds[what] = self.compile_seconds.get(what, 0.0) + result.attrs["compile_seconds"]
        return self._results[key]


def _is_default(problem: Problem) -> bool:
    """Whether a problem is one of the catalogue without parameters, for which the usual grids are made."""
    return problem.name in problems.CATALOGUE and problem == problems.CATALOGUE[problem.name]()


def _at_lowest_minima(problem: Problem, starts: Array) -> bool:
    """Whether a start is at a lowest minimum, to a thousandth of the domain's width."""
    lowest = problem.lowest + SAME_LOSS * problem.loss_scale
    points = np.array([minimum.point for minimum in problem.minima if minimum.point and minimum.loss <= lowest])
    if not points.size:
        return False
    width = np.ptp(problem.domain, axis=1)
    return bool((np.abs(starts[:, None] - points) <= 1e-3 * width).all(axis=2).any())


def limits(problem: Problem, chosen: Sequence[Optimizer]) -> dict[str, list[float]]:
    """Theory's stability limits of each optimizer, one a minimum, by its label; none where minima are very many."""
    if len(problem.minima) > _MOST_MINIMA:
        return {optimizer.label: [] for optimizer in chosen}
    rows = theory.limits(problem, chosen).values
    return {rule.label: row[np.isfinite(row) & (row > 0)].tolist() for rule, row in zip(chosen, rows, strict=True)}
