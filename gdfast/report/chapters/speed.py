"""How fast, against what, on how many cores, and what compiling costs."""

import os
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import gdfast
from gdfast import optimizers, problems
from gdfast.optimizers import Optimizer
from gdfast.plot.style import LINE_COLOURS
from gdfast.report import textbook
from gdfast.report.draw import panes
from gdfast.report.lab import Lab
from gdfast.report.section import Chapter, Section
from gdfast.report.words import number

EVERY = 16
"""Of the grid the textbook loop runs one rate in so many and one start in so many."""


def timing(lab: Lab) -> Iterator[Section]:
    """The same sweep by a textbook loop, by NumPy and by gdfast."""
    if not lab.covers("quartic"):
        return
    n = 160 if lab.quick else 256
    table = pd.concat(
        [_timings(optimizers.gd(), textbook.quartic_gd, n), _timings(optimizers.adam(), textbook.quartic_adam, n)]
    )

    yield Section(
        "The same sweep, four ways",
        [
            f"Quartic, {n} × {n} learning rates × starts, at most 1,000 steps; the same results from all. Median of "
            "the repetitions, each the whole call, kernels compiled before. The textbook loop, in plain Python, runs "
            f"one in {EVERY**2} trajectories and is scaled up.",
            _ratios(table),
        ],
        draw=partial(_draw_timing, table),
        table=table,
    )


def _draw_timing(table: pd.DataFrame) -> Figure:
    figure, axes = panes(1, 2, 5.0, 2.6)
    for ax, (name, part) in zip(axes, table.groupby("optimizer", sort=False), strict=True):
        # Dots: on a logarithmic axis the lengths of bars would say nothing.
        ax.plot(part["seconds"], part["how"], "o", color=LINE_COLOURS[0])
        ax.set(xscale="log", xlabel="seconds", title=str(name), ylim=(-0.5, len(part) - 0.5))
        ax.grid(axis="x", alpha=0.4)
        ax.invert_yaxis()
    axes[1].tick_params(labelleft=False)
    return figure


def _timings(optimizer: Optimizer, loop: textbook.Loop, n: int) -> pd.DataFrame:
    rates, starts = np.logspace(-4, 0, n), np.linspace(-4, 4, n)
    sweep = gdfast.Sweep(problems.quartic(), [optimizer], rates, starts[:, None])
    first = gdfast.run(sweep, progress=False)
    half = EVERY // 2
    part = partial(textbook.over_grid, loop, rates[half::EVERY], starts[half::EVERY], 1000)
    seconds = {
        "textbook loop": EVERY**2 * _median_seconds(part, 1),
        "NumPy, one core": _median_seconds(partial(gdfast.run, sweep, backend="numpy", workers=1), 1),
        "gdfast, one core": _median_seconds(partial(gdfast.run, sweep, workers=1, progress=False), 3),
        "gdfast, all cores": _median_seconds(partial(gdfast.run, sweep, progress=False), 3),
    }
    table = pd.DataFrame({"optimizer": optimizer.name, "how": list(seconds), "seconds": list(seconds.values())})
    table["million steps a second"] = float(first.steps.sum()) / table["seconds"] / 1e6
    table["times as long as gdfast on all cores"] = table["seconds"] / table["seconds"].iloc[-1]
    return table


def _median_seconds(call: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def _ratios(table: pd.DataFrame) -> str:
    ratio = table.set_index(["how", "optimizer"])["times as long as gdfast on all cores"]
    return (
        f"On all cores gdfast is {number(ratio['NumPy, one core', 'gd'])} times as fast as NumPy for gd and "
        f"{number(ratio['NumPy, one core', 'adam'])} for adam, and {number(ratio['textbook loop', 'gd'])} and "
        f"{number(ratio['textbook loop', 'adam'])} times as fast as the textbook loop."
    )


def scaling(lab: Lab) -> Iterator[Section]:
    """Steps a second by size of the grid and number of cores."""
    if not lab.covers("quartic"):
        return
    cores = os.cpu_count() or 1
    workers = sorted({1, *(2**k for k in range(1, 10) if 2**k <= cores), cores})
    sizes = (64, 128, 256, 512)
    rows = []
    for n in sizes:
        sweep = gdfast.Sweep(
            problems.quartic(), [optimizers.adam()], np.logspace(-4, 0, n), np.linspace(-4, 4, n)[:, None]
        )
        steps = float(gdfast.run(sweep, progress=False).steps.sum())
        for count in workers:
            seconds = _median_seconds(partial(gdfast.run, sweep, workers=count, progress=False), 3)
            rows.append(
                {
                    "trajectories": n * n,
                    "cores": count,
                    "seconds": seconds,
                    "million steps a second": steps / seconds / 1e6,
                }
            )
    table = pd.DataFrame(rows)

    yield Section(
        "Scaling with size and cores",
        ["Quartic × adam on n × n grids.", _cores_help(table)],
        draw=partial(_draw_scaling, table),
        table=table,
    )


def _draw_scaling(table: pd.DataFrame) -> Figure:
    figure, (ax,) = panes(1, 1, 6.5, 3.6)
    for count, part in table.groupby("cores"):
        ax.plot(
            part["trajectories"],
            part["million steps a second"],
            "o-",
            label=f"{count} core{'s' if count > 1 else ''}",
            markersize=4,
        )
    ax.set(xscale="log", xlabel="trajectories", ylabel="million steps a second", ylim=(0, None))
    ax.legend(fontsize=8, frameon=False)
    return figure


def _cores_help(table: pd.DataFrame) -> str | None:
    largest = table[table["trajectories"] == table["trajectories"].max()].set_index("cores")["seconds"]
    most = largest.index.max()
    if most == 1 or not largest[1] > largest[most]:
        return None
    return f"On the largest grid {most} cores are {largest[1] / largest[most]:.2f} times as fast as one."


def compiling(lab: Lab) -> Iterator[Section]:
    """What compiling cost this run."""
    if not lab.compile_seconds:
        return
    table = pd.DataFrame({"sweep": list(lab.compile_seconds), "seconds": list(lab.compile_seconds.values())})
    total = table["seconds"].sum()
    yield Section(
        "Compiling",
        [
            f"Compiling kernels, or loading them from disk, took {total:.1f} s of this run, "
            f"{table['seconds'].max():.1f} s at most for one sweep. It is not counted in any other time."
        ],
        table=table.sort_values("seconds", ascending=False).head(20),
    )


def peers(lab: Lab) -> Iterator[Section]:
    """Against other libraries, as the benchmarks measured."""
    if not lab.problems:
        yield _measured(lab, "peers", "Against other libraries", "What the same sweep takes elsewhere.")


def roofline(lab: Lab) -> Iterator[Section]:
    """Share of what the processor could do, as the benchmarks measured."""
    if not lab.problems:
        yield _measured(
            lab, "roofline", "Share of the roofline", "How near the kernels are to what the processor can do."
        )


def _measured(lab: Lab, name: str, title: str, text: str) -> Section:
    """A table that a benchmark writes, if it is there; it stays as it is, a copy is written beside it."""
    path = lab.out / f"{name}.csv"
    if not path.is_file():
        return Section(title, [f"Not measured yet: python -m bench {name} writes {name}.csv, which is shown here."])
    return Section(
        title,
        [f"{text} Measured by python -m bench {name}, not in this run."],
        table=pd.read_csv(path),
        part="measured",
    )


CHAPTER = Chapter(
    "speed",
    "Speed",
    "Times are of this run on this machine, under whatever else it was doing.",
    (timing, scaling, compiling, peers, roofline),
    timed=True,
)
