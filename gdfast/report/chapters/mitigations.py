"""What each mitigation rescues and what it breaks, cell by cell on the same grid."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd
import xarray
from matplotlib.figure import Figure

import gdfast
from gdfast import analysis, optimizers, plot, problems, schedules, transforms
from gdfast.optimizers import Optimizer
from gdfast.plot.panels import panels
from gdfast.plot.style import LINE_COLOURS, line_style
from gdfast.problems import Problem
from gdfast.problems.networks.mlp import MLP
from gdfast.report.draw import panes
from gdfast.report.lab import GROUNDS, Lab
from gdfast.report.living import live_view
from gdfast.report.section import Chapter, Claim, Section, change_cells
from gdfast.report.words import called, listed, number, percent
from gdfast.tiles.outcomes import Outcome

GD = optimizers.gd()
STEPS = 200
CHANGES: tuple[Optimizer, ...] = (
    optimizers.momentum(momentum=0.9),
    optimizers.rmsprop(),
    optimizers.adam(),
    GD.scheduled(schedules.cosine(end=0.01)),
    GD.transformed(transforms.clip_norm(1.0)),
    GD.transformed(transforms.l2(0.01)),
)
"""What is changed in gradient descent, one thing at a time."""


def rescued(lab: Lab) -> Iterator[Section]:
    """Delta maps from gradient descent to each mitigation, on one-dimensional landscapes."""
    for problem in lab.grounds("quartic", "sigmoid"):
        chosen = list(lab.chosen) or list(CHANGES)
        before = lab.standard(problem, [GD])
        after = lab.standard(problem, chosen)
        difference = analysis.delta(before, after)
        counts = analysis.change_counts(difference)
        yield Section(
            f"Cells rescued and broken: {called(problem)}",
            [
                f"Each panel compares one change with plain gradient descent at the same "
                f"{before.sizes['learning_rate']} × {before.sizes['start']} learning rates and starts; a cell is "
                "rescued if only the changed one reaches the lowest minimum within the budget, broken if "
                "only the plain one does.",
                _most_rescued(counts),
                _always_breaks(counts),
            ],
            [
                _momentum_leaves(problem, before, after),
                _clipping(problem, before, after),
                _regularization(problem, counts),
            ],
            partial(plot.delta_maps, difference),
            change_cells(panels(difference.rename(change="outcome"), steps=False)),
            table=counts.reset_index(),
            results={"before": before, "after": after},
            live=live_view(problem, [GD, *chosen], learning_rates=lab.rates(problem)[[0, -1]]),
            part=problem.name,
        )


def _most_rescued(counts: pd.DataFrame) -> str | None:
    if not counts["rescued"].max():
        return None
    best = counts["rescued"].idxmax()
    return (
        f"{best} rescues most, {counts.loc[best, 'rescued']:,} cells, and breaks {counts.loc[best, 'broken']:,} of the "
        f"{counts.loc[best, 'broken'] + counts.loc[best, 'both_reach']:,} that gd reaches."
    )


def _always_breaks(counts: pd.DataFrame) -> str | None:
    harmless = [str(label) for label in counts.index[(counts["broken"] == 0) & (counts["rescued"] > 0)]]
    harmful = [str(label) for label in counts.index[counts["broken"] > counts["rescued"]]]
    said = [f"{listed(harmless)} break{_s(harmless)} none."] if harmless else []
    said += [f"{listed(harmful)} break{_s(harmful)} more cells than rescued."] if harmful else []
    return " ".join(said) or None


def _s(names: Sequence[str]) -> str:
    """The ending of a verb whose subject is a list of names."""
    return "s" if len(names) == 1 else ""


def _momentum_leaves(problem: Problem, before: xarray.Dataset, after: xarray.Dataset) -> Claim | None:
    """Of what gradient descent leaves in a worse minimum, the share that momentum brings to the lowest."""
    if "momentum" not in after.optimizer.values:
        return None
    plain, heavy = before.outcome.values[0], after.outcome.sel(optimizer="momentum").values
    trapped, there = plain == Outcome.local_minimum, plain == Outcome.global_minimum
    if not trapped.any() or not there.any():
        return None
    left = float((heavy[trapped] == Outcome.global_minimum).mean())
    fell = float((heavy[there] == Outcome.local_minimum).mean())
    return Claim(
        "Momentum helps to leave local minima",
        "refuted" if not left else "bounded" if fell else "shown",
        f"On {called(problem)}, of the cells that gd ends in the worse minimum momentum brings {percent(left)} to the "
        f"lowest; of those that gd brings to the lowest it carries {percent(fell)} into the worse one.",
    )


def _clipping(problem: Problem, before: xarray.Dataset, after: xarray.Dataset) -> Claim | None:
    if "gd|clip_norm" not in after.optimizer.values:
        return None
    diverged = before.outcome.values[0] == Outcome.diverged
    clipped = after.outcome.sel(optimizer="gd|clip_norm").values
    if not diverged.any():
        return None
    still = float((clipped[diverged] == Outcome.diverged).mean())
    there = float((clipped[diverged] == Outcome.global_minimum).mean())
    if not still < 1:
        return None
    return Claim(
        "Clipping keeps gradients from exploding",
        "bounded" if there < 0.9 else "shown",
        f"On {called(problem)}, of the cells in which gd diverges {percent(still)} still do with the gradient's norm "
        f"clipped at 1, but only {percent(there)} reach the lowest minimum: a bounded step does not make a large rate "
        "converge.",
    )


def _regularization(problem: Problem, counts: pd.DataFrame) -> Claim | None:
    label = "gd|l2"
    if label not in counts.index:
        return None
    row = counts.loc[label]
    if row["rescued"] == row["broken"]:
        return None
    helps = row["rescued"] > row["broken"]
    return Claim(
        "Weight regularization helps",
        "bounded" if helps else "refuted",
        f"On {called(problem)}, a penalty of 0.01/2·x² rescues {row['rescued']:,.0f} of gd's cells and breaks "
        f"{row['broken']:,.0f} (judged by the loss without the penalty)"
        + (": it pulls trajectories off the flat parts." if helps else "."),
    )


def landscapes(lab: Lab) -> Iterator[Section]:
    """The same comparison counted over every landscape of the report."""
    chosen, grounds = [o for o in lab.optimizers if o.label != "gd"], lab.grounds(*GROUNDS)
    if not chosen or len(grounds) < 2:
        return
    rows = []
    for problem in grounds:
        difference = analysis.delta(lab.standard(problem, [GD]), lab.standard(problem, chosen))
        counts = analysis.change_counts(difference).reset_index()
        counts.insert(0, "problem", called(problem))
        rows.append(counts)
    table = pd.concat(rows)
    table["net share"] = (table["rescued"] - table["broken"]) / table[
        ["rescued", "broken", "both_reach", "neither_reaches"]
    ].sum(axis=1)

    yield Section(
        "The same on every landscape",
        [
            "Cells rescued less cells broken, against plain gradient descent on the same learning rates and starts.",
            _nowhere_worse(table),
        ],
        draw=partial(_draw_landscapes, table),
        table=table,
    )


def _draw_landscapes(table: pd.DataFrame) -> Figure:
    figure, (ax,) = panes(1, 1, 8.0, 4.0)
    wide = table.pivot_table(index="problem", columns="optimizer", values="net share", sort=False)
    width = 0.8 / len(wide.columns)
    for i, label in enumerate(wide.columns):
        places = np.arange(len(wide)) + (i - (len(wide.columns) - 1) / 2) * width
        ax.bar(places, wide[label], width, label=str(label), color=LINE_COLOURS[i % len(LINE_COLOURS)])
    ax.set_xticks(np.arange(len(wide)), wide.index)
    ax.axhline(0, color="#777777", linewidth=0.8)
    ax.set_ylabel("rescued less broken, share of the grid")
    ax.legend(fontsize=8, frameon=False, ncols=3)
    return figure


def _nowhere_worse(table: pd.DataFrame) -> str | None:
    worst = table.groupby("optimizer", sort=False)["net share"].min()
    good = [str(label) for label in worst.index[worst >= 0]]
    if not good:
        return "Every one of them breaks more than it rescues on some landscape."
    return f"{listed(good)} rescue{_s(good)} at least as much as broken on every landscape."


EVERY = 5
"""How finely the steps to leave a saddle are counted."""


def escape(lab: Lab) -> Iterator[Section]:
    """Steps to leave a saddle by distance from its stable axis: plain, with momentum, with noise."""
    if not lab.covers("strict_saddle"):
        return
    distances, rate, draws = np.geomspace(1e-1, 1e-10, 10), 0.05, 9
    rules = {
        "gd": GD,
        "momentum": optimizers.momentum(momentum=0.9),
        "gd with noise": GD.transformed(transforms.noise(0.1, seed=1)),
    }
    starts = np.repeat(np.column_stack([distances, np.ones_like(distances)]), draws, axis=0)

    def sweep(budget: int) -> gdfast.Sweep:
        return gdfast.Sweep(problems.strict_saddle(), list(rules.values()), [rate], starts, budget)

    budgets = np.arange(EVERY, 601, EVERY)
    ends = gdfast.run_over({"budget": budgets.tolist()}, sweep, keep_theta=True, progress=False)
    left = np.abs(ends.theta.values[:, :, 0, :, 0]) > 0.5  # budget, rule, start
    steps = np.where(left.any(axis=0), budgets[left.argmax(axis=0)].astype(float), np.nan)
    median = np.median(steps.reshape(len(rules), len(distances), draws), axis=2)
    table = pd.DataFrame(
        {
            "distance from the axis": distances,
            **{f"steps of {name}": row for name, row in zip(rules, median, strict=True)},
        }
    )

    yield Section(
        "Leaving a saddle",
        [
            f"Steps until |x| > ½ on the strict saddle from (d, 1) at η = {rate:g}, in fives; with noise the "
            f"median of {draws} draws. Noise of deviation 0.1 on the gradient stands for what mini-batches add.",
        ],
        [_noise_leaves(table), _momentum_faster(table)],
        partial(_draw_escape, table, rate),
        table=table,
    )


def _draw_escape(table: pd.DataFrame, rate: float) -> Figure:
    figure, (ax,) = panes(1, 1, 6.5, 3.8)
    distances = table["distance from the axis"]
    for i, column in enumerate(table.columns[1:]):
        name = column.removeprefix("steps of ")
        ax.plot(distances, table[column], marker="o", label=name, markersize=4, **line_style(i))
    theory = np.log(0.5 / distances) / np.log1p(rate)
    ax.plot(distances, theory, color="#777777", linewidth=1, label="theory for gd, log(½/d)/log(1 + η)")
    ax.set(xscale="log", xlabel="distance d of the start from the saddle's stable axis", ylabel="steps to leave")
    ax.legend(fontsize=8, frameon=False)
    return figure


def _noise_leaves(table: pd.DataFrame) -> Claim | None:
    plain, noisy = table["steps of gd"], table["steps of gd with noise"]
    sooner = noisy < plain
    if not sooner.iloc[-1]:
        return None
    d = table["distance from the axis"]
    return Claim(
        "Mini-batch noise helps to leave saddles",
        "shown" if sooner.all() else "bounded",
        f"From a distance of {d.iloc[-1]:.0e} gd takes {number(plain.iloc[-1])} steps and with noise "
        f"{number(noisy.iloc[-1])}; noise is sooner from {sooner.sum()} of {len(sooner)} distances.",
    )


def _momentum_faster(table: pd.DataFrame) -> Claim | None:
    plain, heavy = table["steps of gd"], table["steps of momentum"]
    if not (heavy < plain).all():
        return None
    ratio = plain / heavy
    return Claim(
        "Momentum leaves saddles sooner",
        "shown",
        f"{ratio.min():.1f} to {ratio.max():.1f} times sooner than gd at the same rate, from every distance tried.",
    )


def initialization(lab: Lab) -> Iterator[Section]:
    """Cells of learning rate × seed in which a deep network trains, by initialization and batch normalization."""
    if not lab.covers("mlp"):
        return
    rates, seeds = np.geomspace(1e-3, 3, 12 if lab.quick else 20), range(8 if lab.quick else 16)
    plain = problems.mlp((2, 8, 8, 8, 8, 1), "relu")
    normal = problems.mlp((2, 8, 8, 8, 8, 1), "relu", batch_norm=True)

    def trained(problem: MLP, init: str, gain: float) -> xarray.Dataset:
        starts = problem.starts(init=init, seeds=seeds, gain=gain)
        result = lab.run(problem, [GD], rates, starts, STEPS)
        return _by_loss(result, float(np.var(problem.y)) / 2)

    before = trained(plain, "normal", 0.1)
    changes = {
        "He": trained(plain, "he_normal", 1.0),
        "Xavier": trained(plain, "xavier_normal", 1.0),
        "batch norm": trained(normal, "normal", 0.1),
    }
    together = xarray.concat(
        [part.assign_coords(optimizer=[name]) for name, part in changes.items()], "optimizer", combine_attrs="override"
    )
    difference = analysis.delta(before, together)
    counts = analysis.change_counts(difference).drop(columns="median change of steps")
    yield Section(
        "Initialization and batch normalization",
        [
            f"A relu network of four hidden layers, {STEPS} steps, learning rate to the right, one row a seed; a cell "
            "counts as reached if the loss is below half of what the best constant output has. Before: weights "
            "N(0, 0.1²).",
            _rescues_networks(counts),
        ],
        draw=partial(plot.delta_maps, difference, y="seed"),
        cells=change_cells(panels(difference.rename(change="outcome"), y="seed", steps=False)),
        table=counts.reset_index(),
    )


def _by_loss(result: xarray.Dataset, target: float) -> xarray.Dataset:
    """A result in which the cells with a loss below a target count as reached, on the grid of rates and seeds."""
    below = result.loss.values < target
    outcome = np.where(below, Outcome.global_minimum, result.outcome.values).astype(np.int8)
    bare = result.drop_vars(["start_point", "parameter", "init", "gain", "bias"], errors="ignore")
    return bare.assign(outcome=(result.outcome.dims, outcome))


def _rescues_networks(counts: pd.DataFrame) -> str | None:
    if not counts["rescued"].max():
        return None
    said: Sequence[str] = [
        f"{label} rescues {row['rescued']} cells and breaks {row['broken']}" for label, row in counts.iterrows()
    ]
    return f"Of {int(counts.iloc[0].sum())} cells, {listed(said)}."


CHAPTER = Chapter(
    "mitigations",
    "Mitigations",
    "Each change to gradient descent on the very same grid: what it rescues, what it breaks, and what stays as it was.",
    (rescued, landscapes, escape, initialization),
)
