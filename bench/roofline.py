"""Each pair's share of what this machine allows: ``python -m bench roofline [--all] [--out reports]``.

The limit of a pair is the time that its operations (`bench.operations`) take at the measured throughput of their kinds
(`bench.throughput`), when everything that can be done side by side is: the longest of

- divider: divisions and roots, which share one unit, but for those that are better made by estimates;
- arithmetic: each of additions, products, logic and comparisons alone; each two of them together, by as much as the
  micro-kernels found them to share units; and all of them, by as much as the two that share least. To these the time
  of exp and its kin is added, which are made of the same operations, and that of estimates;
- loads; stores.

Measured is the compiled step at its working width, all lanes moving and none settling, on one core.
"""

import argparse
import itertools
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import gdfast
from bench import tables
from bench.operations import of_pair
from bench.required import ROOFLINE_SHARE
from bench.throughput import measure
from gdfast import optimizers, problems
from gdfast.formulas.operations import FUNCTIONS
from gdfast.kernels.estimates import Units
from gdfast.kernels.signatures import MOVING, Settling
from gdfast.kernels.units import units
from gdfast.optimizers import Optimizer
from gdfast.problems import Landscape
from gdfast.tiles.prepared import Prepared
from gdfast.tiles.tile import new_block, pair_of

ARITHMETIC = ("add", "multiply", "logic", "compare")
STEPS, ROUNDS = 10, 60
PASSES = 30  # over all pairs, so that what disturbs the machine for a while disturbs none in all of its rounds
RATE = 1e-9  # points hardly move, so that their gradients stay ordinary


def limit(operations: Mapping[str, int], each: Mapping[str, float], costs: Units | None = None) -> tuple[float, str]:
    """Return the least nanoseconds that a lane's operations take, and what takes them.

    Where `costs` tells what estimates take, as many roots and quotients are by estimate as is best.
    """
    counts = operations["root"], operations["divide"]
    mixtures = itertools.product(*(range(count + 1) for count in counts)) if costs else [(0, 0)]
    return min(_taken(operations, each, costs, *mixture) for mixture in mixtures)


def _taken(
    operations: Mapping[str, int], each: Mapping[str, float], costs: Units | None, roots: int, quotients: int
) -> tuple[float, str]:
    """The same for so many roots and quotients by estimate."""
    alone = {kind: operations[kind] * each[kind] for kind in ARITHMETIC}
    shares = {pair: 2 * each[", ".join(pair)] / (each[pair[0]] + each[pair[1]]) for pair in _pairs(each)}
    arithmetic = {**alone, **{" and ".join(pair): s * sum(alone[kind] for kind in pair) for pair, s in shares.items()}}
    arithmetic["arithmetic"] = min(shares.values()) * sum(alone.values())
    added = {name: operations[name] * each[name] for name in FUNCTIONS if operations[name]}
    if costs and roots + quotients:
        products = roots * costs.root_by_estimate + quotients * costs.quotient_by_estimate
        added["estimates"] = products * each["multiply"]
    words = [
        word
        for word in ("functions" * any(n in FUNCTIONS for n in added), "estimates" * ("estimates" in added))
        if word
    ]
    taken = {", ".join([*words, name]): sum(added.values()) + ns for name, ns in arithmetic.items()}
    divided = operations["root"] - roots, operations["divide"] - quotients
    taken["divider"] = divided[0] * each["root"] + divided[1] * each["divide"]
    taken.update((f"{kind}s", operations[kind] * each[kind]) for kind in ("load", "store"))
    binding = max(taken, key=lambda name: taken[name])
    return taken[binding], binding


def _pairs(each: Mapping[str, float]) -> list[tuple[str, str]]:
    return [pair for pair in itertools.combinations(sorted(ARITHMETIC), 2) if ", ".join(pair) in each]


class StepTime:
    """The nanoseconds of a checked step of a lane.

    That is the difference of one step and a few, so that the call of the kernel does not count; after more of them
    rules that find their own rate would have settled. Each is the least of all rounds.

    Attributes
    ----------
    moving : bool
        Whether all lanes kept moving.
    """

    def __init__(self, problem: Landscape, optimizer: Optimizer) -> None:
        sweep = gdfast.Sweep(problem, optimizer, [RATE], problem.random(1), STEPS)
        self.plan = Prepared(sweep).plan(0)
        (self.pair, self.kernels), self.block = pair_of(sweep, optimizer), new_block(sweep, self.plan)
        self.settling = Settling(1, sweep.gradient_tolerance, sweep.divergence_limit, 0)
        self.starts = _ordinary(problem, len(self.block.number))
        self.times = {1: np.inf, STEPS: np.inf}
        self.moving = True

    def measure(self) -> None:
        """Add some rounds."""
        plan, block, width = self.plan, self.block, len(self.block.number)
        for _, n_steps in itertools.product(range(ROUNDS), (1, STEPS)):
            block.theta[:, :width], block.lr[:], block.status[:] = self.starts, RATE, MOVING
            block.state[:], block.memory[:] = plan.state[:, None, None], plan.memory[:, None]
            began = time.perf_counter()
            self.kernels[0](self.pair, block, plan.table, self.settling, 0, width, n_steps)
            self.times[n_steps] = min(time.perf_counter() - began, self.times[n_steps])
            self.moving = self.moving and bool((block.status == MOVING).all())

    @property
    def nanoseconds(self) -> float:
        """Of a step of a lane."""
        return (self.times[STEPS] - self.times[1]) / (STEPS - 1) / len(self.block.number) * 1e9


def _ordinary(problem: Landscape, n: int) -> np.ndarray:
    """Points ``float64[d, n]`` at which the gradient is neither small nor large."""
    points = problem.random(64 * n, seed=1).T
    size = np.abs(problem.gradient(points)).max(axis=0)
    return np.resize(points[:, (size > 1e-4) & (size < 1e6)].T, (n, problem.dimension)).T


def pairs(everything: bool) -> Iterator[tuple[Landscape, Optimizer]]:
    """All pairs that go together, or every optimizer on two landscapes and every landscape with two optimizers.

    Rules of whole vectors, which ask for gradients elsewhere or for the Hessian, have no count of their operations.
    """
    landscapes = [made for make in problems.CATALOGUE.values() if isinstance(made := make(), Landscape)]
    for problem, (name, make) in itertools.product(landscapes, optimizers.CATALOGUE.items()):
        fit = problem.minima or "lowest" not in make().coefficients  # some have no minimum, whose loss some rules go by
        if (
            fit
            and not make().steps
            and (everything or problem.name in ("quartic", "rosenbrock") or name in ("gd", "adam"))
        ):
            yield problem, make()


def row(problem: Landscape, optimizer: Optimizer, each: Mapping[str, float], timed: StepTime) -> dict[str, Any]:
    """One row of the table."""
    operations = of_pair(problem, optimizer)
    least, binding = limit(operations, each, units())
    taken = timed.nanoseconds
    functions = ", ".join(f"{operations[name]} {name}" for name in FUNCTIONS if operations[name])
    return {
        "problem": problem.label,
        "optimizer": optimizer.label,
        **{kind: operations[kind] for kind in (*ARITHMETIC, "divide", "root", "load", "store")},
        "functions": functions,
        "limit ns": least,
        "by": binding,
        "measured ns": taken,
        "10⁹ steps/s": 1 / taken,
        "share %": round(100 * least / taken, 1),
        "note": "" if timed.moving else "some lanes settled",
    }


def main(arguments: list[str]) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m bench roofline", description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every optimizer on every landscape")
    parser.add_argument("--out", type=Path, default=Path("reports"), help="folder of the tables")
    chosen = parser.parse_args(arguments)
    each = measure()
    tables.show("one core, nanoseconds of one operation a lane", [{"operation": k, "ns": ns} for k, ns in each.items()])
    timed = {pair: StepTime(*pair) for pair in pairs(chosen.all)}
    for _ in range(PASSES):
        for one in timed.values():
            one.measure()
    rows = [row(*pair, each, one) for pair, one in timed.items()]
    rows.sort(key=lambda row: float(row["share %"]))
    tables.show("checked steps of a lane against the limit of their operations", rows)
    reached = sum(row["share %"] >= ROOFLINE_SHARE for row in rows)
    print(f"{reached} of {len(rows)} pairs reach {ROOFLINE_SHARE} % of their limit (wanted: all)")
    tables.write(chosen.out / "roofline.csv", rows, nanoseconds=each)
