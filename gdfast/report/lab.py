"""Where experiments are run: what was asked for, the grids they share, and every result once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import gdfast
from gdfast import measures, optimizers, problems, theory
from gdfast.formulas.elementary import Array
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem
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
    """

    quick: bool = False
    problems: Sequence[Problem] = ()
    chosen: Sequence[Optimizer] = ()
    out: Path = Path("reports")
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
        """Whether a problem of this name is asked for."""
        return not self.problems or name in {problem.name for problem in self.problems}

    def grounds(self, *names: str) -> list[Problem]:
        """The problems asked for, or those of the given names if none was."""
        return list(self.problems) or [problems.CATALOGUE[name]() for name in names]

    def rates(self, problem: Problem) -> Array:
        """The learning rates of a problem's grid: n, or half as many where starts fill more than a line."""
        count = self.n if problem.dimension == 1 else self.n // 2
        return np.geomspace(*RATES.get(problem.name, (1e-4, 10.0)), count)

    def starts(self, problem: Problem) -> Any:
        """The starts of a problem's grid: n on a line, or about a quarter as many over the domain.

        Or a few more, where one of so many is a lowest minimum, which every optimizer would have reached at once.
        """
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
