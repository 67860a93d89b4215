"""Cost over size, cores and memory: ``python -m bench scaling [--large]``.

Sweeps of 10⁴ to 10⁷ trajectories, with ``--large`` 10⁸, of quartic × gd with at most 1000 steps. Beside what a sweep of
one trajectory takes, the cost of each is to be the same for all within 20 %, and two workers are to be at least 1.8
times one, also where few steps let show what is not a trajectory's own. It falls with size as long as starting threads
and the files of a store count, up to some 10⁷. In memory it is lowest about 10⁶, where the result of the last round is
overwritten: the system takes 20 ns a trajectory for memory that no one has used yet. Before, the largest is stored
and drawn (with at most 20 steps), each by a process of its own, and the peak of memory told.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import gdfast

BUDGET = 1000  # steps of an ordinary sweep


def sweep(n: int, max_steps: int = 20) -> gdfast.Sweep:
    """A square grid of about n trajectories."""
    side = round(n**0.5)
    rates, starts = np.geomspace(1e-4, 1, side), np.linspace(-4, 4, side)[:, None]
    return gdfast.Sweep(gdfast.problems.quartic(), gdfast.optimizers.gd(), rates, starts, max_steps)


def seconds(grid: gdfast.Sweep, rounds: int, **options: object) -> float:
    """The median time of a whole call of `gdfast.run`."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        gdfast.run(grid, progress=False, **options)  # type: ignore[arg-type]
        times.append(time.perf_counter() - began)
    return sorted(times)[len(times) // 2]


def over_size(largest: int, folder: Path) -> None:
    """Time stored sweeps of growing size, and the same in memory, each less what a sweep of one trajectory takes."""
    fixed = {
        "stored": seconds(sweep(1, BUDGET), 9, store=folder / "one.zarr", overwrite=True),
        "in memory": seconds(sweep(1, BUDGET), 9),
    }
    print("one trajectory:", ", ".join(f"{1e3 * taken:.1f} ms {where}" for where, taken in fixed.items()))
    print(f"{'trajectories':>12} {'stored':>10} {'ns each':>8} {'in memory':>10} {'ns each':>8} {'files':>6}")
    n = 10**4
    while n <= largest:
        grid = sweep(n, BUDGET)
        rounds = max(1, min(9, 10**7 // n))
        path = folder / f"{n}.zarr"
        stored = seconds(grid, rounds, store=path, overwrite=True)
        kept = seconds(grid, rounds) if n <= 10**7 else float("nan")
        files = sum(file.is_file() for file in path.rglob("*"))
        each = 1e9 * (stored - fixed["stored"]) / grid.size
        each_kept = 1e9 * (kept - fixed["in memory"]) / grid.size
        print(f"{grid.size:>12,} {stored:>9.3f}s {each:>8.1f} {kept:>9.3f}s {each_kept:>8.1f} {files:>6}")
        n *= 10


def over_workers() -> None:
    """Time one worker against two, alternating."""
    for grid, name in (
        (sweep(4 * 10**6, BUDGET), "4·10⁶ trajectories"),
        (sweep(4 * 10**6), "as many, of at most 20 steps"),
    ):
        ratios = []
        for _ in range(7):
            one, two = (seconds(grid, 1, workers=workers) for workers in (1, 2))
            ratios.append(one / two)
        print(f"two workers are {sorted(ratios)[3]:.2f} times one: {name}")


def peak(*command: str) -> None:
    """Run a command line of gdfast, and tell its time and the memory that it took at most."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "gdfast", *command], check=True, stdout=subprocess.DEVNULL)
    taken = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # of the largest child so far
    print(f"gdfast {command[0]}: {time.perf_counter() - began:.1f} s, the largest process so far took {taken:,.0f} MiB")


def memory(n: int, folder: Path) -> None:
    """Tell the peak of memory of a stored sweep and of its maps; to be called while this process is small."""
    side, path = round(n**0.5), str(folder / "large.zarr")
    grid = ["--lr", f"1e-4:1:{side}", "--start", f"-4:4:{side}", "--max-steps", "20"]
    peak("list", "problems")  # what there is without a sweep
    peak("map", str(folder / "warm.zarr"), "-o", str(folder / "small.png"))
    peak("sweep", "--problem", "quartic", "--optimizer", "gd", *grid, "--out", path)
    peak("status", path)
    peak("map", path, "-o", str(folder / "outcome.png"))
    peak("map", path, "-o", str(folder / "steps.png"), "--quantity", "steps")


def main(arguments: list[str]) -> None:
    """Run all."""
    parser = argparse.ArgumentParser(prog="python -m bench scaling", description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="up to 10⁸ trajectories")
    largest = 10**8 if parser.parse_args(arguments).large else 10**7
    with tempfile.TemporaryDirectory() as name:
        gdfast.run(sweep(1), store=Path(name) / "warm.zarr", progress=False)
        memory(largest, Path(name))
        over_workers()
        over_size(largest, Path(name))
