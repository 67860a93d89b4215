"""Gdfast against every peer, in one run, after checking their answers: ``python -m bench peers``.

Each contender runs the same sweep as gdfast (learning rate × start, settle check at every step) or trains the same
networks, in a process of its own, where the threads of no other library are about. Before any is timed its ends are
compared with gdfast's: they must be the same to the bit where the arithmetic is, and elsewhere the table says which
share of the trajectories settles in the same way and at the same step; chaotic ones, which magnify every rounding, come
apart. Then it is timed in turn with gdfast. A contender that lacks something on this machine is skipped with a note.
The extra ``peers`` has all but the C compiler.
"""

import argparse
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from bench import networks, tables
from bench.contenders.common import Ends, Grid
from bench.registry import NETWORKS, PROBLEMS_AND_OPTIMIZERS, SWEEPS
from bench.required import RATIOS, USEFUL_SHARE
from bench.timing import alternating

Row = dict[str, Any]
ROUNDS = 9


def row(task: str, name: str, cores: int, note: str = "", **got: Any) -> Row:
    """A row of the table, with what is wanted beside what was got."""
    columns = ("seconds", "gdfast seconds", "got", "10⁹ steps/s", "same class %", "same steps %", "same bits %")
    values = {column: got.get(column) for column in columns}
    return {"task": task, "contender": name, "cores": cores, "wanted": RATIOS.get((task, name)), **values, "note": note}


def agreement(ends: Ends, expected: Ends) -> Row:
    """The shares of trajectories, in percent, in which two contenders agree."""
    same_bits = (ends.theta == expected.theta) | (np.isnan(ends.theta) & np.isnan(expected.theta))
    return {
        "same class %": _percent(ends.settled == expected.settled),
        "same steps %": _percent(ends.steps == expected.steps),
        "same bits %": _percent(same_bits.all(axis=0)),
    }


def _percent(which: np.ndarray) -> float:
    return round(100 * float(which.mean()), 3)


def against(pair: tuple[str, str], name: str, quick: bool) -> Row:
    """Check one contender of a sweep, then time it."""
    contender, grid = SWEEPS[name], Grid.square(*pair, 128 if quick else 512)
    if contender.lacking:
        return row(grid.name, name, contender.cores, f"skipped, for want of {', '.join(contender.lacking)}")
    own = SWEEPS["gdfast_all_cores" if contender.cores > 1 else "gdfast_one_core"].on(grid)
    other = contender.on(grid)
    expected, ends = own(), other()
    shares = agreement(ends, expected)
    note = "" if not contender.exact or set(shares.values()) == {100.0} else "ANSWERS DIFFER"
    times = alternating(other, own, 3 if quick else ROUNDS)
    steps = int(expected.steps.sum())
    speed, own_speed = (ends.lane_steps or steps) / times.first / 1e9, steps / times.second / 1e9
    got = times.ratio * steps / (ends.lane_steps or steps)
    print(f"{grid.name}: {name} {times.first:.4f} s, {speed:.3f}·10⁹ steps/s; gdfast {own_speed:.3f}·10⁹, {got:.2f} ×")
    return row(
        grid.name,
        name,
        contender.cores,
        note,
        **{"seconds": times.first, "gdfast seconds": times.second, "got": got, "10⁹ steps/s": speed},
        **shares,
    )


def training(name: str, quick: bool) -> Row:
    """Check one contender that trains the trainability network, then time it."""
    contender = NETWORKS[name]
    if contender.lacking:
        return row("trainability network", name, 2, f"skipped, for want of {', '.join(contender.lacking)}")
    task = networks.trainability(k=32 if quick else 64)
    other, own = contender.on(task), NETWORKS["gdfast_all_cores"].on(task)
    # Rates beyond the limit of stability magnify rounding until nothing of it agrees.
    same = np.isclose(other(), own(), rtol=1e-6, atol=1e-9).all(axis=1)
    times = alternating(other, own, 3 if quick else ROUNDS)
    print(f"trainability network: {name} {times.first:.3f} s, {times.ratio:.2f} ×")
    return row(
        "trainability network",
        name,
        2,
        f"{_percent(same)} % of the end points within 10⁻⁶",
        **{"seconds": times.first, "gdfast seconds": times.second, "got": times.ratio},
        **{"10⁹ steps/s": task.trajectory_steps / times.first / 1e9},
    )


def rows(only: list[str], quick: bool) -> Iterator[Row]:
    """The rows of the table, each made in a fresh process."""
    asked: list[tuple[Any, ...]] = []
    for pair in PROBLEMS_AND_OPTIMIZERS:
        fit = [name for name, contender in SWEEPS.items() if contender.does(pair[1])]
        asked += [(against, pair, name) for name in fit]
    asked += [(training, name) for name, contender in NETWORKS.items() if contender.does("trainability network")]
    for function, *given in asked:
        if not given[-1].startswith("gdfast") and (not only or given[-1] in only):
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
                yield fresh.submit(function, *given, quick).result()


def useful_shares(quick: bool) -> dict[str, float]:
    """The percentage of gdfast's lane-steps that were steps of moving trajectories, of each sweep."""
    import gdfast

    grids = [Grid.square(*pair, 128 if quick else 512) for pair in PROBLEMS_AND_OPTIMIZERS]
    return {grid.name: 100 * gdfast.run(grid.sweep, progress=False).attrs["useful_share"] for grid in grids}


def main(arguments: list[str]) -> None:
    """Check, time, print and write."""
    parser = argparse.ArgumentParser(prog="python -m bench peers", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these contenders only")
    parser.add_argument("--quick", action="store_true", help="128 × 128, three rounds")
    parser.add_argument("--out", type=Path, default=Path("reports"), help="folder of the tables")
    chosen = parser.parse_args(arguments)
    known = sorted({*SWEEPS, *NETWORKS})
    if unknown := set(chosen.only) - set(known):
        parser.error(f"--only must name some of {', '.join(known)}, not {', '.join(sorted(unknown))}")
    table = [*rows(chosen.only, chosen.quick)]
    shares = useful_shares(chosen.quick)
    size = "128 × 128" if chosen.quick else "512 × 512"
    tables.show(f"gdfast against others: learning rate × start {size}, at most 1000 steps; networks 100 steps", table)
    for name, share in shares.items():
        print(f"{name}: {share:.1f} % of the lane-steps useful (wanted: {USEFUL_SHARE})")
    tables.write(chosen.out / "peers.csv", table, useful_share=shares)
