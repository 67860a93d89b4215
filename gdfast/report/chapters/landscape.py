"""Local minima, saddles, plateaus, ravines: what the loss itself does to gradient descent."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
import xarray
from matplotlib.figure import Figure
from numpy.typing import NDArray

import gdfast
from gdfast import analysis, optimizers, plot, problems
from gdfast.plot.panels import panels, pixels
from gdfast.plot.room import legend_below
from gdfast.plot.style import BASIN_COLOURS, line_style, outcome_patches, patch
from gdfast.problems import Problem
from gdfast.report.chapters.newton import newton_basins
from gdfast.report.draw import panes, shared_legend
from gdfast.report.lab import RATES, SEED, Lab
from gdfast.report.living import live_view
from gdfast.report.section import Chapter, Claim, Section, basin_cells, outcome_cells
from gdfast.report.words import called, listed, number, percent
from gdfast.tiles.outcomes import Outcome

TRIO = (optimizers.gd(), optimizers.momentum(momentum=0.9), optimizers.adam())


def basins(lab: Lab) -> Iterator[Section]:
    """Which minimum is reached from where, on a plane of starts."""
    for problem in lab.grounds("six_hump_camel"):
        if problem.dimension != 2 or not problem.minima:
            continue
        chosen = list(lab.chosen[:3]) or list(TRIO)
        rates = {o.label: lab.moderate(problem, o) for o in chosen}
        starts = problem.grid(lab.n // 2)
        parts = [lab.run(problem, [o], np.array([rates[o.label]]), starts, 2000) for o in chosen]
        x, y = problem.coordinates
        found = [panels(part, x, y)[0] for part in parts]
        basin = [pixels(part, "basin", x, y) for part in parts]
        minima = [f"({', '.join(number(c) for c in p.point)}), loss {number(p.loss)}" for p in problem.minima]
        table = pd.concat([analysis.outcome_shares(part) for part in parts])
        table.insert(0, "learning rate", [rates[label] for label in table.index])
        mixed = len({round(p.loss, 9) for p in problem.minima}) > 1
        yield Section(
            f"Which minimum, from where: {called(problem)}",
            [
                f"Each pixel is a start; its colour is the minimum that the trajectory ends in, of {len(minima)}.",
                *(_ends_by_start(label, table.loc[label]) for label in table.index),
            ],
            [_trapped(problem, table.iloc[0]) if mixed else None, _leaves(table) if mixed else None],
            partial(_draw_basins, problem, chosen, rates, parts, minima),
            [basin_cells(p, b, minima) for p, b in zip(found, basin, strict=True)],
            first_axes=1,
            table=table.reset_index(),
            results={o.label: part for o, part in zip(chosen, parts, strict=True)},
            live=live_view(
                problem,
                chosen,
                {"map": "start-start", "by": "minimum"},
                learning_rate=rates[chosen[0].label],
                start=_where_they_part(parts),
            ),
            part=problem.name,
        )


def _draw_basins(
    problem: Problem,
    chosen: list[optimizers.Optimizer],
    rates: dict[str, float],
    parts: list[xarray.Dataset],
    minima: list[str],
) -> Figure:
    figure, axes = panes(2, 2, 4.6, 3.7)
    start = _where_they_part(parts)
    paths = {o.label: gdfast.trajectory(problem, o, start, rates[o.label], 1000) for o in chosen}
    plot.trajectory(paths, problem, axes[0]).set_title("paths from a start where they part", fontsize=10)
    for ax, part, optimizer in zip(axes[1:], parts, chosen, strict=False):
        plot.basin_map(part, ax=ax, legend=False).set_title(
            f"{optimizer.label}, η = {rates[optimizer.label]:g}", fontsize=10
        )
    for ax in axes[1 + len(parts) :]:
        ax.remove()
    ends = np.unique(np.concatenate([part.basin.values.ravel() for part in parts]))
    other = {int(o) for part in parts for o in np.unique(part.outcome) if o not in (1, 2)}
    colours = [patch(BASIN_COLOURS[b % len(BASIN_COLOURS)], minima[b]) for b in ends if b >= 0]
    legend_below(figure, colours[:12] + outcome_patches(other), ncols=3, fontsize=8)
    return figure


def _where_they_part(parts: list[xarray.Dataset]) -> NDArray[np.float64]:
    """The start nearest to the middle from which they end in different minima; the first if there is none."""
    basins = np.stack([part.basin.values.ravel() for part in parts])
    points = parts[0].start_point.values
    apart = np.flatnonzero((basins.min(axis=0) != basins.max(axis=0)) & (basins.min(axis=0) >= 0))
    if not apart.size:
        return np.asarray(points[0])
    return np.asarray(points[apart[np.abs(points[apart] - points.mean(axis=0)).max(axis=1).argmin()]])


def _ends_by_start(label: object, shares: pd.Series) -> str | None:
    if not shares["local_minimum"]:
        return None
    return (
        f"{label} ends at a lowest minimum from {percent(shares['global_minimum'])} of the starts "
        f"and is trapped in a higher one from {percent(shares['local_minimum'])}."
    )


def _trapped(problem: Problem, shares: pd.Series) -> Claim | None:
    if not 0 < shares["local_minimum"] < 1:
        return None
    return Claim(
        "Gradient descent gets trapped in local minima, depending on where it starts",
        "shown",
        f"On {called(problem)}, {percent(shares['local_minimum'])} of the starts lead {shares.name} into a minimum "
        f"that is not the lowest, {percent(shares['global_minimum'])} into a lowest one.",
    )


def _leaves(table: pd.DataFrame) -> Claim | None:
    if not {"gd", "momentum"} <= set(table.index):
        return None
    plain, heavy = (table.loc[name, "local_minimum"] for name in ("gd", "momentum"))
    verdict = "bounded" if heavy < plain else "refuted"
    return Claim(
        "Momentum helps to leave local minima, on a plane",
        verdict,
        f"From the same starts at the same rate momentum ends in a higher minimum from {percent(heavy)}, gd from "
        f"{percent(plain)}: it {'leaves some, not all' if heavy < plain else 'does not help here'}.",
    )


def double_well(lab: Lab) -> Iterator[Section]:
    """The essay's descent into the worse of two minima."""
    if not lab.covers("quartic"):
        return
    problem, start, rate, budget = problems.quartic(), 1.5, 0.05, 100
    paths = {o.label: gdfast.trajectory(problem, o, start, rate, budget) for o in TRIO}
    lowest = problem.minima[0]
    trapped = [label for label, path in paths.items() if path.attrs["basin"] > 0]
    lower = [label for label, path in paths.items() if path.loss.values[-1] < problem.minima[1].loss - 0.1]

    yield Section(
        "A worked example: the worse of two minima",
        [
            f"x⁴ − 5x² + 3x from x = {start:g} with η = {rate:g}, {budget} steps. The lowest minimum is "
            f"{lowest.loss:.4f} at x = {lowest.point[0]:.4f}.",
            f"{listed(trapped)} settled in the worse minimum, {problem.minima[1].loss:.4f}." if trapped else None,
            f"{listed(lower)} left it for the better one." if lower else None,
        ],
        draw=partial(_draw_double_well, paths, problem),
        table=endings(paths),
        live=live_view(problem, TRIO, learning_rate=rate, start=[start], max_steps=budget),
    )


def _draw_double_well(paths: dict[str, xarray.Dataset], problem: Problem) -> Figure:
    figure, axes = panes(1, 2)
    plot.trajectory(paths, problem, axes[0], extent=(-2.6, 2.6, -13, 13)).set_title("paths over the loss", fontsize=10)
    plot.loss_curves(paths, axes[1]).set_title("loss", fontsize=10)
    shared_legend(figure, axes)
    return figure


def endings(paths: dict[str, xarray.Dataset]) -> pd.DataFrame:
    """How trajectories ended, a row each."""
    return pd.DataFrame(
        {
            "run": label,
            "steps": path.attrs["steps"],
            "outcome": path.attrs["outcome"].replace("_", " "),
            "end point": ", ".join(f"{v:.5g}" for v in path.theta.values[-1]),
            "loss at the end": float(path.loss.values[-1]),
        }
        for label, path in paths.items()
    )


def saddle(lab: Lab) -> Iterator[Section]:
    """How long a saddle holds trajectories that start near its stable axis."""
    if not lab.covers("strict_saddle"):
        return
    problem, rate = problems.strict_saddle(), 0.05
    x, y = np.geomspace(1e-12, 1, lab.n // 2), np.linspace(-1.5, 1.5, lab.n // 4)
    starts = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    chosen = [optimizers.gd(), optimizers.momentum(momentum=0.9)]
    result = lab.run(problem, chosen, np.array([rate]), starts, 1000)
    on_axis = lab.run(problem, chosen, np.array([rate]), np.column_stack([np.zeros_like(y), y]), 1000)
    near = starts[:, 0] < 1e-6
    rows = []
    for label in result.optimizer.values:
        panel = result.sel(optimizer=label).isel(learning_rate=0)
        rows.append(
            {
                "optimizer": str(label),
                "median steps from x < 10⁻⁶": float(np.median(panel.steps.values[near])),
                "median steps from other starts": float(np.median(panel.steps.values[~near])),
                "share that stalls from x = 0": float((on_axis.outcome.sel(optimizer=label) == Outcome.stalled).mean()),
            }
        )
    table = pd.DataFrame(rows)
    yield Section(
        "Saddles: slow where the gradient is small",
        [
            "(x² − 1)²/4 + y²/2 has a saddle at the origin between its two minima; gradient descent is drawn towards "
            f"it along the axis x = 0. Colour: steps to a minimum at η = {rate:g}, by the distance x of the start from "
            "that axis.",
            _stalls(table),
        ],
        [_slow_near_saddles(table)],
        partial(plot.maps, result, "steps", x="x", y="y"),
        outcome_cells(panels(result, "x", "y")),
        table=table,
        results={"steps": result},
        live=live_view(problem, chosen, {"map": "start-start", "by": "steps"}, learning_rate=rate, start=[1e-6, 1.0]),
    )


def _stalls(table: pd.DataFrame) -> str | None:
    stalled = table.iloc[0, 3]
    if not stalled:
        return None
    return (
        f"From the axis itself {percent(stalled)} of gd's trajectories end at the saddle for good: the gradient never "
        "points away from it."
    )


def _slow_near_saddles(table: pd.DataFrame) -> Claim | None:
    near, far = table.iloc[0, 1], table.iloc[0, 2]
    heavy = table.iloc[1, 1]
    if not near > 1.1 * far:
        return None
    return Claim(
        "Gradient descent slows near saddles",
        "shown",
        f"gd takes a median of {number(near)} steps from starts within 10⁻⁶ of the saddle's stable axis and "
        f"{number(far)} from others"
        + (f"; momentum takes {number(heavy)} from the near ones." if heavy < near else "; momentum is no faster."),
    )


def plateau(lab: Lab) -> Iterator[Section]:
    """Where the gradient is too small to move by: a saturated unit, by every optimizer."""
    if not lab.covers("sigmoid"):
        return
    problem = problems.sigmoid()
    result = lab.standard(problem)
    shares = analysis.outcome_shares(result)
    far = np.abs(result.start_point.values[:, 0]) > 10
    beyond = analysis.outcome_shares(result.isel(start=far))["global_minimum"]
    yield Section(
        "Plateaus: a saturated unit",
        [
            "½(σ(x) − 0.8)² is flat away from its minimum: σ′ is at most ¼ and falls like e^−|x|. Each pixel is one "
            "trajectory of at most 1,000 steps.",
            _never_moves(shares),
        ],
        [_slow_on_plateaus(beyond)],
        partial(plot.maps, result, "outcome"),
        outcome_cells(panels(result)),
        table=shares.reset_index(),
        results={"outcome": result},
        live=live_view(problem, lab.optimizers, learning_rates=RATES[problem.name]),
    )


def _never_moves(shares: pd.DataFrame) -> str | None:
    stalled = shares["stalled"]
    if not stalled.max():
        return None
    return (
        f"Up to {percent(stalled.max())} of an optimizer's cells ({stalled.idxmax()}) count as stationary where there "
        "is no minimum: the gradient is below the tolerance on the plateau itself."
    )


def _slow_on_plateaus(beyond: pd.Series) -> Claim | None:
    if "gd" not in beyond.index or not beyond["gd"] < 0.5:
        return None
    best = beyond.idxmax()
    return Claim(
        "Gradient descent slows on plateaus",
        "shown",
        f"From |x| > 10, gd reaches the minimum of the saturated unit at {percent(beyond['gd'])} of the rates and "
        f"starts"
        + (f"; {best} does at {percent(beyond[best])}." if best != "gd" else ", and no other optimizer at more."),
    )


def ravine(lab: Lab) -> Iterator[Section]:
    """How the condition number decides the largest rate and the number of steps."""
    if not lab.covers("quadratic"):
        return
    conditions = np.geomspace(1, 1000, 7 if lab.quick else 13)
    rates = np.geomspace(1e-4, 10, 201)
    start = np.array([[1.7, 1.3]])
    rows = []
    for condition in conditions:
        result = lab.run(problems.quadratic(condition=float(condition)), TRIO, rates, start, 20_000)
        for label, row in analysis.best_rates(result).iterrows():
            working = analysis.reached(result.sel(optimizer=label)).values.any(axis=1)
            rows.append(
                {
                    "condition number": float(condition),
                    "optimizer": str(label),
                    "largest working rate": float(rates[working][-1]) if working.any() else np.nan,
                    "best rate": row["best rate"],
                    "steps there": row["steps"],
                }
            )
    table = pd.DataFrame(rows)

    yield Section(
        "Ravines: curvature that differs between directions",
        [
            "½(x² + κy²): the steep direction limits the rate at 2/κ, the flat one then needs many steps.",
            _growth(table),
            _cut_off(table, rates[-1]),
        ],
        [_curvature_limits(table)],
        partial(_draw_ravine, table),
        table=table,
        live=live_view(
            problems.quadratic(condition=50.0),
            TRIO,
            {"map": "rate-knob", "by": "steps", "of": 1},
            learning_rate=0.01,
            start=[1.9, 0.9],
        ),
    )


def _draw_ravine(table: pd.DataFrame) -> Figure:
    figure, axes = panes(1, 3, 4.4, 3.8)
    problem = problems.quadratic(condition=50.0)
    limit = 2 / float(problem.curvatures[-1])
    paths = {
        f"gd, {share:g} of 2/λ": gdfast.trajectory(problem, TRIO[0], [1.9, 0.9], share * limit, 60)
        for share in (0.25, 0.95)
    }
    paths["momentum"] = gdfast.trajectory(problem, TRIO[1], [1.9, 0.9], 0.25 * limit, 60)
    plot.trajectory(paths, problem, axes[0], extent=(-2, 2, -1.2, 1.2)).set_title("paths at κ = 50", fontsize=10)
    for ax, column in zip(axes[1:], ("largest working rate", "steps there"), strict=True):
        for i, (label, part) in enumerate(table.groupby("optimizer", sort=False)):
            ax.plot(part["condition number"], part[column], marker="o", label=str(label), markersize=4, **line_style(i))
        ax.set(xscale="log", yscale="log", xlabel="condition number κ")
    conditions = table["condition number"].unique()
    axes[1].plot(conditions, 2 / conditions, "k--", linewidth=1, label="2/λ")
    axes[1].set_title("largest working rate", fontsize=10)
    axes[2].set_title("fewest steps, at the best rate", fontsize=10)
    axes[1].legend(fontsize=8, frameon=False)
    return figure


def _slope(x: "NDArray[np.float64] | pd.Series", y: "NDArray[np.float64] | pd.Series") -> float:
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def _growth(table: pd.DataFrame) -> str | None:
    steep = table[(table["condition number"] > 10) & table["steps there"].notna()]
    powers = {
        str(name): _slope(part["condition number"], part["steps there"])
        for name, part in steep.groupby("optimizer", sort=False)
        if len(part) > 2
    }
    if not powers:
        return None
    said = listed(f"{power:.2f} for {name}" for name, power in powers.items())
    return f"From κ = 10 on, the steps at the best constant rate grow like κ to the power {said}."


def _cut_off(table: pd.DataFrame, highest: float) -> str | None:
    cut = table[table["largest working rate"] == highest]["optimizer"].unique()
    if not len(cut):
        return None
    return f"{listed(cut)} still works at the largest rate tried, {number(highest)}, so its edge lies beyond."


def _curvature_limits(table: pd.DataFrame) -> Claim | None:
    gd = table[(table["optimizer"] == "gd") & table["largest working rate"].notna()]
    if len(gd) < 3:
        return None
    product = gd["largest working rate"] * gd["condition number"]
    power = _slope(gd["condition number"], gd["largest working rate"])
    if not abs(power + 1) < 0.1:
        return None
    return Claim(
        "High curvature asks for a smaller rate",
        "shown",
        f"The largest rate at which gd converges falls like κ to the power {number(round(power, 2))}; times the "
        f"curvature it is {product.min():.2f} to {product.max():.2f}, which theory puts at 2.",
    )


CHAPTER = Chapter(
    "landscape",
    "The landscape",
    "What the loss itself does: other minima, saddles, plateaus and ravines, first by plain gradient descent and "
    f"beside it by what may help. Random starts, where there are any, come from seed {SEED}.",
    (basins, newton_basins, double_well, saddle, plateau, ravine),
)
