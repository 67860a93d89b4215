"""Too low, too high, oscillating, diverging: what the learning rate alone decides."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
import xarray
from matplotlib.figure import Figure

import gdfast
from gdfast import analysis, optimizers, plot, problems, schedules, theory, transforms
from gdfast.optimizers import Optimizer
from gdfast.plot.panels import panels
from gdfast.problems import Problem
from gdfast.report.chapters.landscape import endings
from gdfast.report.draw import panes
from gdfast.report.lab import Lab, limits
from gdfast.report.living import live_view
from gdfast.report.section import Chapter, Claim, Section, outcome_cells
from gdfast.report.words import called, listed, number, percent
from gdfast.tiles.outcomes import Outcome


def regression(lab: Lab) -> Iterator[Section]:
    """The essay's linear regression, below and above its stability limit."""
    if not lab.covers("linear_regression"):
        return
    problem = problems.linear_regression()
    limit = theory.gd(float(problem.curvatures[-1]))
    rates = {
        "η = 0.01": 0.01,
        f"0.99 · 2/λ = {0.99 * limit:.4f}": 0.99 * limit,
        f"1.01 · 2/λ = {1.01 * limit:.4f}": 1.01 * limit,
    }
    gd = optimizers.gd()
    paths = {label: gdfast.trajectory(problem, gd, [0.0, 0.0], rate, 1000) for label, rate in rates.items()}
    others = {
        o.label: gdfast.trajectory(problem, o, [0.0, 0.0], 0.01, 1000)
        for o in (gd, optimizers.momentum(), optimizers.adam())
    }
    floor = problem.stationary_points[0].loss

    plain, above = paths["η = 0.01"], list(paths.values())[-1]
    yield Section(
        "A worked example: four points and a line",
        [
            f"The largest curvature is λ = {problem.curvatures[-1]:.4f}, so theory's limit is 2/λ = {limit:.4f}. At "
            f"η = 0.01 the loss falls from {plain.loss.values[0]:.4f} to {plain.loss.values[-1]:.6f} in "
            f"{plain.attrs['steps']} steps; the least possible is {floor:.6f}.",
            _grows(above),
        ],
        draw=partial(_draw_regression, paths, others, floor),
        table=endings({**paths, **{f"{k}, η = 0.01": p for k, p in others.items() if k != "gd"}}),
    )


def _draw_regression(paths: dict[str, xarray.Dataset], others: dict[str, xarray.Dataset], floor: float) -> Figure:
    figure, axes = panes(1, 2)
    first = {label: path.isel(step=slice(0, 400)) for label, path in paths.items()}
    plot.loss_curves(first, axes[0]).set_title("gradient descent, three rates", fontsize=10)
    axes[0].set_yscale("log")
    axes[0].autoscale(axis="y")
    plot.loss_curves(others, axes[1], above=floor).set_title("η = 0.01, three optimizers", fontsize=10)
    return figure


def _grows(path: xarray.Dataset) -> str | None:
    at = min(100, path.sizes["step"] - 1)
    growth = path.loss.values[at] / path.loss.values[0]
    if not growth > 1:
        return None
    return f"One per cent above 2/λ the loss is {growth:.3g} times its first value after {at} steps."


def rates(lab: Lab) -> Iterator[Section]:
    """How trajectories end, over learning rate and start, with theory's limits."""
    for problem in lab.grounds("quartic"):
        result = lab.standard(problem)
        marks = limits(problem, lab.optimizers)
        shares = analysis.outcome_shares(result)
        yield Section(
            f"How trajectories end: {called(problem)}",
            [
                "Each pixel is one trajectory: learning rate to the right, start upwards, at most "
                f"{analysis.budget(result):,} steps.",
                "Dashed: theory's stability limit at each minimum." if any(marks.values()) else None,
                most_and_least(shares),
                diverging(shares),
                *_hardly_any(result),
                _leaving(result),
                _held(result),
            ],
            [
                _overshoots(problem, result),
                _between_limits(problem, result, marks),
                _crawls(lab, problem, result),
            ],
            partial(plot.maps, result, "outcome", marks),
            outcome_cells(panels(result)),
            table=shares.reset_index(),
            results={"outcome": result},
            live=live_view(problem, lab.optimizers, learning_rates=lab.rates(problem)[[0, -1]]),
            part=problem.name,
        )


def most_and_least(shares: pd.DataFrame) -> str | None:
    """Which optimizers reach the lowest minimum from the largest and the smallest part of a grid."""
    best = shares["global_minimum"]
    if len(best) < 2 or best.max() == best.min():
        return None
    return (
        f"The lowest minimum is reached from the largest part of the grid by {best.idxmax()} ({percent(best.max())}) "
        f"and from the smallest by {best.idxmin()} ({percent(best.min())})."
    )


def _hardly_any(result: xarray.Dataset) -> list[str]:
    """What becomes of the optimizers of which even the best rate brings less than half of the starts there."""
    best = analysis.best_rates(result)["share"] < 0.5
    return [f"{line}." for line, few in zip(analysis.account(result), best, strict=True) if few]


def diverging(shares: pd.DataFrame) -> str:
    """Which optimizers diverge, and which never."""
    diverged = shares["diverged"]
    if not diverged.max():
        return "No trajectory diverged."
    never = [str(label) for label in diverged.index[diverged == 0]]
    said = f"{diverged.idxmax()} diverges most often ({percent(diverged.max())})"
    return f"{said}; {listed(never)} never." if never else f"{said}."


def _leaving(result: xarray.Dataset) -> str | None:
    """Which optimizers reach minima and leave them again."""
    left = analysis.leaves(result).mean(("learning_rate", "start")).values
    shares = dict(zip(result.optimizer.values, left, strict=True))
    leaving = {str(label): float(share) for label, share in shares.items() if share}
    if not leaving:
        return None
    told = listed(f"{label} ({percent(share)})" for label, share in leaving.items())
    reach, leave = ("reaches", "leaves") if len(leaving) == 1 else ("reach", "leave")
    return (
        f"Hatched: {told} {reach} a minimum from here, and {leave} it again when the second moment has decayed: for "
        "the rule at rest it is a fixed point that repels."
    )


def _held(result: xarray.Dataset) -> str | None:
    """Which optimizers would leave minima if rounding did not hold them."""
    told = analysis.attracting(result)
    held = (told.attracting == int(theory.Attraction.held)).any("learning_rate")
    minima = set(held.minimum.values) & set(np.unique(result.basin.values))  # of problems of one's own it has none
    there = [minimum for minimum in sorted(minima) if bool(held.sel(minimum=minimum).any())]
    names = [str(label) for label in told.optimizer.values[held.sel(minimum=there).any("minimum").values]]
    if not names:
        return None
    return (
        f"Rounding holds {listed(names)} at minima that are not hatched: beside them is a number where the computed "
        "gradient is zero to the bit, and what lands there stays."
    )


def _overshoots(problem: Problem, result: xarray.Dataset) -> Claim | None:
    edges = limits(problem, [optimizers.gd()])["gd"]
    if "gd" not in result.optimizer.values or not edges:
        return None
    limit = edges[0]
    shares = [
        analysis.outcome_shares(result.sel(optimizer=["gd"]).isel(learning_rate=part)).loc["gd"]
        for part in (result.learning_rate.values < limit, result.learning_rate.values > limit)
        if part.any()
    ]
    if len(shares) < 2 or not shares[1]["diverged"] > shares[0]["diverged"]:
        return None
    below, above = shares
    return Claim(
        "A high learning rate overshoots, oscillates and diverges",
        "shown",
        f"On {called(problem)}, of gd's trajectories above 2/λ of the lowest minimum ({number(limit)}) "
        f"{percent(above['diverged'])} diverge and {percent(above['oscillating'])} oscillate; below it "
        f"{percent(below['diverged'])} and {percent(below['oscillating'])}.",
    )


def _between_limits(problem: Problem, result: xarray.Dataset, marks: dict[str, list[float]]) -> Claim | None:
    edges = marks.get("gd", [])
    if len(edges) < 2 or not edges[0] < edges[1]:
        return None
    rates = result.learning_rate.values
    between = (rates > edges[0]) & (rates < edges[1])
    if not between.any():
        return None
    shares = analysis.outcome_shares(result.sel(optimizer=["gd"]).isel(learning_rate=between)).loc["gd"]
    if not shares["local_minimum"]:
        return None
    return Claim(
        "The rate decides which minimum is possible at all",
        "shown" if not shares["global_minimum"] else "bounded",
        f"Between the two limits of {called(problem)} ({number(edges[0])} and {number(edges[1])}) "
        f"{percent(shares['local_minimum'])} of gd's trajectories settle in the worse minimum, "
        f"{percent(shares['global_minimum'])} in the lowest.",
    )


def _crawls(lab: Lab, problem: Problem, result: xarray.Dataset) -> Claim | None:
    """What a low rate leaves unfinished, given ten times the budget."""
    if "gd" not in result.optimizer.values:
        return None
    unfinished = result.outcome.sel(optimizer="gd") == int(Outcome.unfinished)
    low = np.flatnonzero(unfinished.values.mean(axis=1) > 0.5)
    low = low[low < len(result.learning_rate) // 2]
    if not low.size:
        return None
    rates = result.learning_rate.values[low]
    longer = lab.run(problem, [optimizers.gd()], rates, result.start_point.values, 10 * analysis.budget(result))
    stuck = unfinished.values[low]
    ended = np.isin(longer.outcome.values[0], [Outcome.global_minimum, Outcome.local_minimum])
    share = float(ended[stuck].mean())
    if not share:
        return None
    return Claim(
        "A low learning rate crawls and can look like non-convergence",
        "shown",
        f"At η ≤ {number(rates[-1])} on {called(problem)}, {percent(float(stuck.mean()))} of gd's trajectories are "
        f"unfinished after {analysis.budget(result):,} steps; with ten times the budget {percent(share)} of those "
        "are at a minimum.",
    )


def steps(lab: Lab) -> Iterator[Section]:
    """How many steps trajectories take, over learning rate and start."""
    for problem in lab.grounds("quartic"):
        result = lab.standard(problem)
        if int(result["steps"].min()) == int(result["steps"].max()):
            continue  # all take the whole budget, as where losses take turns
        best = analysis.best_rates(result).drop(columns="index")
        yield Section(
            f"How long they take: {called(problem)}",
            [
                "Steps until stationary, on one scale for all.",
                _quickest(best),
            ],
            draw=partial(plot.maps, result, "steps", limits(problem, lab.optimizers)),
            cells=outcome_cells(panels(result)),
            table=best.reset_index(),
            results={"steps": result},
            live=live_view(problem, lab.optimizers, {"by": "steps"}, learning_rates=lab.rates(problem)[[0, -1]]),
            part=problem.name,
        )


def _quickest(best: pd.DataFrame) -> str | None:
    reached = best[best["steps"].notna()]
    if reached.empty:
        return None
    quick = reached["steps"].idxmin()
    edge = " (at the edge of the grid)" if reached.loc[quick, "at edge"] else ""
    return (
        f"At the rate that serves most starts, {quick} is quickest: a median of {number(reached.loc[quick, 'steps'])} "
        f"steps at η = {number(reached.loc[quick, 'best rate'])}{edge}."
    )


ORBIT = range(2000, 2064)
"""Budgets at which ends are taken: 64 steps in a row, after the transient."""


def bifurcation(lab: Lab) -> Iterator[Section]:
    """Where gradient descent ends against the learning rate, and what momentum and a schedule make of it."""
    if not lab.covers("quartic"):
        return
    problem, start = problems.quartic(), 1.5
    rates = np.linspace(0.05, 0.21, 400 if lab.quick else 1000)
    chosen = [optimizers.gd(), optimizers.gd().scheduled(schedules.cosine(end=0.1, total=2000))]

    def sweep(budget: int) -> gdfast.Sweep:
        return gdfast.Sweep(problem, chosen, rates, [[start]], budget)

    orbit = gdfast.run_over({"budget": ORBIT}, sweep, keep_theta=True, progress=False)
    last = orbit.isel(budget=-1, start=0, optimizer=0)
    marks = limits(problem, chosen)["gd"]

    periods = {int(p) for p in np.unique(last.period.values) if p > 1}
    yield Section(
        "From fixed point to oscillation to chaos",
        [
            f"x after {ORBIT.start:,} to {ORBIT.stop - 1:,} steps on the quartic: one point for a fixed point, p "
            f"points for a cycle of p steps. Dashed: 2/f″ of the two minima, {listed(number(m) for m in marks)}.",
            f"Cycles of {listed(sorted(periods))} steps occur." if periods else None,
            _settled_again(orbit),
        ],
        draw=partial(_draw_bifurcation, orbit, marks),
        table=_periods(last),
        results={"last": orbit.isel(budget=-1)},
        live=live_view(problem, chosen, learning_rates=rates[[0, -1]], learning_rate=0.1, start=[start]),
    )


def _draw_bifurcation(orbit: xarray.Dataset, marks: list[float]) -> Figure:
    figure, axes = panes(1, 2)
    for ax, label in zip(axes, orbit.optimizer.values, strict=True):
        plot.bifurcation(orbit, ax, optimizer=str(label))
        for edge in marks:
            ax.axvline(edge, color="#777777", linestyle="--", linewidth=1)
    axes[0].set_title("gd at a constant rate", fontsize=10)
    axes[1].set_title("the same with the rate falling to a tenth (cosine)", fontsize=10)
    axes[1].sharey(axes[0])
    return figure


def _periods(last: xarray.Dataset) -> pd.DataFrame:
    outcome, period = last.outcome.values, last.period.values
    names = np.array([Outcome(int(o)).name.replace("_", " ") for o in outcome], dtype=object)
    what = np.where(period > 1, [f"cycle of {p}" for p in period], names)
    frame = pd.DataFrame({"end": what, "rate": last.learning_rate.values})
    found = frame.groupby("end")["rate"].agg(["size", "min", "max"]).reset_index()
    return found.set_axis(["end", "learning rates", "lowest rate", "highest rate"], axis=1)


def _settled_again(orbit: xarray.Dataset) -> str | None:
    settled = np.isin(orbit.isel(budget=-1, start=0).outcome.values, [Outcome.global_minimum, Outcome.local_minimum])
    plain, falling = settled.mean(axis=1)
    if not falling > plain:
        return None
    return f"Kept constant, {percent(plain)} of the rates end at a minimum; falling to a tenth, {percent(falling)} do."


def decay(lab: Lab) -> Iterator[Section]:
    """Schedules beside constant rates where the gradient is noisy."""
    if not lab.covers("quadratic"):
        return
    problem = problems.quadratic(condition=10.0)
    noisy = optimizers.gd().transformed(transforms.noise(1.0, seed=1))
    plans: dict[str, Optimizer] = {
        "constant": noisy,
        "step ÷10 at 70 %": noisy.scheduled(schedules.step(every=700, gamma=0.1)),
        "1/√t": noisy.scheduled(schedules.inverse_sqrt()),
        "linear to 0": noisy.scheduled(schedules.linear()),
        "cosine to 0": noisy.scheduled(schedules.cosine()),
    }
    result = lab.run(
        problem, list(plans.values()), np.geomspace(1e-3, 1, lab.n // 3), problem.random(64, seed=0), 1000
    ).assign_coords(optimizer=list(plans))
    median = pd.DataFrame(np.median(result.loss.values, axis=2).T, columns=list(plans))
    table = pd.DataFrame(
        {
            "schedule": list(plans),
            "lowest median loss": median.min().to_numpy(),
            "at learning rate": result.learning_rate.values[median.to_numpy().argmin(axis=0)],
        }
    )
    yield Section(
        "Schedules beside constant rates",
        [
            "A bowl of condition number 10 with noise of deviation 1 on the gradient: a constant rate ends in a cloud "
            "whose size grows with the rate, and a small rate does not arrive.",
        ],
        [_decay_helps(table)],
        partial(_draw_decay, result),
        table=table,
        results={"loss": result},
        live=live_view(problem, list(plans.values()), learning_rates=(1e-3, 1.0), max_steps=300),
    )


def _draw_decay(result: xarray.Dataset) -> Figure:
    figure, (ax,) = panes(1, 1, 7.0, 4.0)
    plot.lr_sensitivity(result, ax, quantity="loss").set_ylim(top=10)
    return figure


def _decay_helps(table: pd.DataFrame) -> Claim | None:
    losses = table.set_index("schedule")["lowest median loss"]
    best = losses.idxmin()
    if best == "constant":
        return None
    return Claim(
        "No constant rate is best throughout; decaying the rate helps late",
        "shown" if (losses.drop("constant") < losses["constant"]).all() else "bounded",
        f"With noise, the best constant rate ends at a median loss of {losses['constant']:.3g}, {best} at "
        f"{losses[best]:.3g}; {(losses < losses['constant']).sum()} of {len(losses) - 1} schedules beat every constant "
        "rate.",
    )


CHAPTER = Chapter(
    "learning-rate",
    "The learning rate",
    "Too low it crawls, too high it oscillates or diverges. Theory puts the edge, for gradient descent near a minimum "
    "of curvature λ, at 2/λ; the maps show what lies on either side.",
    (regression, rates, steps, bifurcation, decay),
)
