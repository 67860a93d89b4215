"""The chapters: each runs its experiment and returns its sections."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
import xarray
from matplotlib.figure import Figure
from numpy.typing import NDArray

import gdfast
from gdfast import optimizers, problems, theory
from gdfast.optimizers import Optimizer
from gdfast.outcomes import Outcome
from gdfast.plot import loss_curves, maps, outcome_image
from gdfast.problems import Problem
from gdfast.report import textbook

STANDARD = ("gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")


@dataclass
class Section:
    """A part of the report.

    Attributes
    ----------
    name : str
        Stem of its files.
    title, text : str
        What the reader reads; the text is HTML made of this run's numbers.
    figure : Figure, optional
        Its picture.
    table : DataFrame, optional
        Its numbers, shown and written as CSV.
    images : dict
        Maps at one pixel a cell, by file stem.
    command : str
        What makes just this again.
    """

    name: str
    title: str
    text: str
    figure: Figure | None = None
    table: pd.DataFrame | None = None
    images: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    command: str = ""


@dataclass
class Chapter:
    """A title and its sections."""

    title: str
    text: str
    sections: list[Section]


@dataclass(frozen=True)
class Ground:
    """A problem and the grid that its standard map covers."""

    problem: Problem
    rates: tuple[float, float]
    starts: tuple[float, float]

    def sweep(self, n: int, chosen: list[Optimizer]) -> gdfast.Sweep:
        """The standard sweep at n × n; starts of several dimensions lie on the diagonal."""
        line = np.linspace(*self.starts, n)[:, None]
        return gdfast.Sweep(
            self.problem,
            chosen,
            np.geomspace(*self.rates, n),
            np.repeat(line, self.problem.dimension, axis=1),
        )


GROUNDS = (
    Ground(problems.quartic(), (1e-4, 10.0), (-4.0, 4.0)),
    Ground(problems.linear_regression(), (1e-4, 10.0), (-4.0, 4.0)),
    Ground(problems.sigmoid(), (1e-3, 1e3), (-25.0, 25.0)),
)


def chapters(quick: bool) -> Iterator[Chapter]:
    """Run all chapters, one after the other."""
    n = 128 if quick else 512
    yield worked_examples()
    yield map_chapter(n)
    yield rules()
    yield timing(256 if quick else 384)


def map_chapter(n: int) -> Chapter:
    """Outcome and steps maps of every standard problem and optimizer."""
    chosen = [optimizers.CATALOGUE[name]() for name in STANDARD]
    sections: list[Section] = []
    for ground in GROUNDS:
        sweep = ground.sweep(n, chosen)
        result = gdfast.run(sweep, progress=False)
        sections.extend(_maps_of(ground, sweep, result))
    return Chapter(
        "Maps: which learning rates work, from where",
        f"Every pixel is a whole trajectory: {n} learning rates × {n} starts for each optimizer at its default "
        "hyperparameters, at most 1,000 steps. A trajectory is stationary once the largest entry of its gradient is "
        "at most 10<sup>−8</sup> (times the size of the gradient at the origin, for a problem with data) twice "
        "running. Dashed lines are the stability limits of theory, one for each minimum.",
        sections,
    )


def _maps_of(ground: Ground, sweep: gdfast.Sweep, result: xarray.Dataset) -> Iterator[Section]:
    problem, name = ground.problem, ground.problem.name
    limits = {
        label: [edge for point in problem.minima if (edge := _limit(problem, optimizer, point.point))]
        for label, optimizer in zip(sweep.labels, sweep.optimizers, strict=True)
    }
    shares = _shares(result)
    best = shares["global_minimum"].idxmax()
    text = (
        f"The lowest minimum is reached from the largest part of this grid by <b>{best}</b> "
        f"({shares['global_minimum'].max():.1%}) and from the smallest by "
        f"<b>{shares['global_minimum'].idxmin()}</b> ({shares['global_minimum'].min():.1%})."
    )
    if shares["diverged"].max() > 0:
        never = [str(label) for label in shares.index[shares["diverged"] == 0]]
        text += f" {shares['diverged'].idxmax()} diverges most often ({shares['diverged'].max():.1%})"
        text += f"; {', '.join(never)} never." if never else "."
    else:
        text += " No trajectory diverged."
    if shares["stalled"].max() > 0:
        text += (
            f" Up to {shares['stalled'].max():.1%} of an optimizer's cells ({shares['stalled'].idxmax()}) stall: "
            "the gradient vanishes where there is no minimum."
        )
    starts = " ".join([f"--start {ground.starts[0]:g}:{ground.starts[1]:g}:{len(sweep.starts)}"] * problem.dimension)
    command = (
        f"gdfast sweep --problem {name} {' '.join(f'--optimizer {o}' for o in sweep.labels)} "
        f"--lr {ground.rates[0]:g}:{ground.rates[1]:g}:{len(sweep.learning_rates)} {starts} --out {name}.zarr"
        f" && gdfast map {name}.zarr -o {name}.png"
        if problem.dimension == 1
        else "gdfast report"
    )
    yield Section(
        f"outcome-{name}",
        f"{name.replace('_', ' ')}: how trajectories end",
        text,
        maps(result, "outcome", limits),
        shares.map("{:.4f}".format).reset_index(),
        {f"cells-{name}-{label}": outcome_image(result, label) for label in sweep.labels},
        command,
    )
    quickest = _quickest(result)
    yield Section(
        f"steps-{name}",
        f"{name.replace('_', ' ')}: how long they take",
        "The table has, for each optimizer, the learning rate whose starts reach the lowest minimum most often "
        "(the smaller median of steps decides between equals), and how many do.",
        maps(result, "steps"),
        quickest,
        command=command.replace(".png", ".png --quantity steps"),
    )


def _limit(problem: Problem, optimizer: Optimizer, point: tuple[float, ...]) -> float | None:
    curvature = float(np.linalg.eigvalsh(problem.hessian(np.array(point)[:, None])[..., 0])[-1])
    return theory.limit(optimizer, curvature)


def _shares(result: xarray.Dataset) -> pd.DataFrame:
    """The share of every outcome in each optimizer's cells."""
    kinds = [o for o in Outcome if o is not Outcome.not_run]
    rows = {
        str(label): {o.name: float((result.outcome.sel(optimizer=label) == o).mean()) for o in kinds}
        for label in result.optimizer.values
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("optimizer")


def _quickest(result: xarray.Dataset) -> pd.DataFrame:
    """The best learning rate of each optimizer: most starts at the lowest minimum, then fewest steps."""
    rows = []
    for label in result.optimizer.values:
        panel = result.sel(optimizer=label)
        good = panel.outcome.values == Outcome.global_minimum
        steps = np.ma.masked_array(panel.steps.values, ~good)
        typical = np.ma.median(steps, axis=1).filled(np.inf)  # type: ignore[no-untyped-call]
        best = int(np.lexsort((typical, -good.sum(axis=1)))[0])
        edge = best in (0, len(good) - 1)
        rows.append(
            {
                "optimizer": str(label),
                "best learning rate": f"{panel.learning_rate.values[best]:.4g}"
                + (" (edge of the grid)" if edge else ""),
                "starts at the lowest minimum": f"{good[best].mean():.1%}",
                "median steps there": int(typical[best]) if np.isfinite(typical[best]) else "–",
            }
        )
    return pd.DataFrame(rows)


def worked_examples() -> Chapter:
    """The three classroom examples, by gradient descent and then by momentum and Adam."""
    return Chapter(
        "Three worked examples",
        "A regression that converges or diverges with its rate, a descent into the worse of two minima, and a unit "
        "that hardly moves: first by plain gradient descent, then by momentum and Adam from the same start.",
        [_regression(), *_one_dimensional()],
    )


def _regression() -> Section:
    problem = problems.linear_regression()
    limit = theory.gd(float(problem.curvatures[-1]))
    rates = {"η = 0.01": 0.01, f"just below 2/λ, η = {0.99 * limit:.4f}": 0.99 * limit}
    rates[f"just above 2/λ, η = {1.01 * limit:.4f}"] = 1.01 * limit
    gd = optimizers.gd()
    left = {label: gdfast.trajectory(problem, gd, [0.0, 0.0], rate, 1000) for label, rate in rates.items()}
    right = {
        optimizer.label: gdfast.trajectory(problem, optimizer, [0.0, 0.0], 0.01, 1000)
        for optimizer in (gd, optimizers.momentum(), optimizers.adam())
    }
    figure, (a, b) = _pair()
    loss_curves({k: p.isel(step=slice(0, 400)) for k, p in left.items()}, a).set_title("gradient descent")
    a.set_yscale("log")
    floor = problem.stationary_points[0].loss
    loss_curves(right, b, above=floor).set_title("η = 0.01, three optimizers")
    table = _ending_table({**left, **{f"{k}, η = 0.01": p for k, p in right.items() if k != "gd"}})
    converging, diverging = (list(left.values())[i] for i in (0, 2))
    change = diverging.loss.values[100] / diverging.loss.values[0]
    text = (
        f"λ = {problem.curvatures[-1]:.4f} is the largest curvature, so 2/λ = {limit:.4f}. "
        f"At η = 0.01 the loss falls from {converging.loss.values[0]:.3f} to {converging.loss.values[-1]:.5f} in "
        f"{converging.attrs['steps']} steps (the least possible is {floor:.5f}); one per cent above 2/λ it is "
        f"{change:.3g} times its first value after 100 steps and the trajectory ends "
        f"{diverging.attrs['outcome'].replace('_', ' ')}."
    )
    return Section(
        "example-regression", "Linear regression on four points", text, figure, table, command="gdfast report"
    )


def _one_dimensional() -> Iterator[Section]:
    cases: list[tuple[Problem, float, float, int]] = [
        (problems.quartic(), 1.5, 0.05, 100),
        (problems.sigmoid(), 5.0, 0.05, 100),
    ]
    for problem, start, rate, budget in cases:
        chosen = (optimizers.gd(), optimizers.momentum(), optimizers.adam())
        paths = {o.label: gdfast.trajectory(problem, o, start, rate, budget) for o in chosen}
        figure, (a, b) = _pair()
        reach = [float(p.theta.values.min()) for p in paths.values()] + [
            float(p.theta.values.max()) for p in paths.values()
        ]
        reach += [point.point[0] for point in problem.stationary_points]
        margin = 0.15 * (max(reach) - min(reach))
        x = np.linspace(min(reach) - margin, max(reach) + margin, 400)
        a.plot(x, problem.loss(x[None]), color="#999999", linewidth=1.5)
        loss_curves(paths, b).set_title(f"loss, η = {rate:g}")
        for line, path in zip(b.get_lines(), paths.values(), strict=True):
            points = path.theta.values[:, 0]
            a.plot(points, path.loss.values, ".", color=line.get_color(), markersize=4, alpha=0.6)
            a.plot(points[-1:], path.loss.values[-1:], "o", color=line.get_color(), markersize=7)
        a.set(xlabel="x", ylabel="loss", title=f"{problem.name}: from x = {start:g}; large dots end a path")
        table = _ending_table(paths)
        plain = paths["gd"]
        moved = abs(float(plain.theta.values[-1, 0]) - start)
        text = (
            f"From x = {start:g} with η = {rate:g}, gradient descent is at x = {float(plain.theta.values[-1, 0]):.4f} "
            f"after {plain.attrs['steps']} steps, {moved:.3g} from its start, with a loss of "
            f"{float(plain.loss.values[-1]):.5g}; the lowest possible is {problem.minima[0].loss:.5g}."
        )
        yield Section(f"example-{problem.name}", f"The {problem.name}", text, figure, table, command="gdfast report")


def _pair() -> tuple[Figure, NDArray[np.object_]]:
    figure = Figure(figsize=(10.0, 3.6), dpi=120, layout="constrained")
    return figure, figure.subplots(1, 2)


def _ending_table(paths: dict[str, xarray.Dataset]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "run": label,
            "steps": path.attrs["steps"],
            "outcome": path.attrs["outcome"].replace("_", " "),
            "end point": ", ".join(f"{v:.5g}" for v in path.theta.values[-1]),
            "loss at the end": f"{float(path.loss.values[-1]):.6g}",
        }
        for label, path in paths.items()
    )


def rules() -> Chapter:
    """What each update rule was compared with."""
    table = pd.DataFrame(optimizers.parity())
    compared = table[~table["largest relative difference"].isin(["differs", "textbook loop"])]
    text = (
        f"{table['optimizer'].str.split(':').str[0].nunique()} update rules; {len(compared)} comparisons with other "
        "libraries over trajectories of 300 steps on three problems. Where a library is known to have another rule, "
        "the last column says how. These numbers are of the run that stored the comparison, not of this one."
    )
    section = Section("parity", "Against other libraries", "", table=table, command="python tests/oracles/make.py")
    return Chapter("Are the rules what they say they are?", text, [section])


def timing(n: int) -> Chapter:
    """Time the textbook loop, NumPy and gdfast on the quartic's grid, with compile time apart."""
    table = pd.concat(
        [_timings(optimizers.gd(), textbook.quartic_gd, n), _timings(optimizers.adam(), textbook.quartic_adam, n)]
    )
    text = (
        f"Quartic, {n} × {n} learning rates × starts, at most 1,000 steps, settled trajectories taken out at every "
        "step; the same results from all. Median of the repetitions, each the whole call."
    )
    section = Section("timing", "The same sweep, four ways", "", table=table, command="pytest --benchmark")
    return Chapter("Timing", text, [section])


def _timings(optimizer: Optimizer, loop: textbook.Loop, n: int) -> pd.DataFrame:
    rates, starts, every = np.logspace(-4, 0, n), np.linspace(-4, 4, n), 16
    sweep = gdfast.Sweep(problems.quartic(), [optimizer], rates, starts[:, None])
    first = gdfast.run(sweep, progress=False)
    part = partial(textbook.over_grid, loop, rates[every // 2 :: every], starts[every // 2 :: every], 1000)
    ways: dict[str, float] = {
        f"textbook loop, plain Python (1 of {every**2} trajectories, scaled up)": every**2 * _median_seconds(part, 1),
        "NumPy over the grid, one core": _median_seconds(partial(gdfast.run, sweep, backend="numpy", workers=1), 1),
        "gdfast, one core": _median_seconds(partial(gdfast.run, sweep, workers=1, progress=False), 3),
        "gdfast, all cores": _median_seconds(partial(gdfast.run, sweep, progress=False), 3),
    }
    table = pd.DataFrame({"optimizer": optimizer.name, "how": list(ways), "seconds": list(ways.values())})
    table["million steps a second"] = (float(first.steps.sum()) / table["seconds"] / 1e6).map("{:.3g}".format)
    table["gdfast on all cores is faster by"] = (table["seconds"] / table["seconds"].iloc[-1]).map("{:.3g}×".format)
    table["seconds"] = table["seconds"].map("{:.4g}".format)
    compiling = "(compiling or loading the kernel, not counted above)"
    table.loc[len(table)] = [optimizer.name, compiling, f"{first.attrs['compile_seconds']:.3g}", "", ""]
    return table


def _median_seconds(call: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return float(np.median(times))
