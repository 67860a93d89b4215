"""At the edge: how the curvature that gradient descent meets grows until its learning rate is just stable."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import gdfast
from gdfast import optimizers, theory
from gdfast.optimizers import Optimizer
from gdfast.plot.style import line_style
from gdfast.problems import Problem
from gdfast.report.chapters.edge_maps import edge_maps, every_optimizer
from gdfast.report.chapters.signals import signals_over_depth
from gdfast.report.draw import panes
from gdfast.report.lab import Lab
from gdfast.report.section import Chapter, Claim, Section
from gdfast.report.sharpening import MARGINS, at_edge, network, settings, sharpening
from gdfast.report.words import listed, number

_ALONG = 48  # points of a history


def edge_of_stability(lab: Lab) -> Iterator[Section]:
    """Sharpness along training, times the learning rate, beside each optimizer's edge."""
    if lab.problems:
        return
    runs = {
        name: {label: sharpening(name, label, lab.quick) for label in setting.rates}
        for name, setting in settings().items()
    }
    table = pd.concat([at_edge(result, name) for name, each in runs.items() for result in each.values()])
    yield Section(
        "The sharpness rises to the edge of stability and stays there",
        [
            "The largest eigenvalue of the Hessian times the learning rate, with full batches and the squared loss, "
            "for three learning rates each; of rmsprop and adam the eigenvalue of the Hessian that their second moment "
            "preconditions. Dashed: the edge, beyond which a minimum of this sharpness would be left: "
            + listed(f"{theory.edge(optimizers.CATALOGUE[label]()):.4g} for {label}" for label in MARGINS)
            + ". At rates so low that the sharpness does not reach the edge within the first half of the run, nothing "
            "holds it, and the table has no verdict on them.",
            _fell_short(table),
        ],
        [_held(table, label) for label in MARGINS],
        partial(_draw_edges, runs),
        table=table,
        results={f"{name}-{label}": result for name, each in runs.items() for label, result in each.items()},
    )


def _draw_edges(runs: Mapping[str, Mapping[str, xarray.Dataset]]) -> Figure:
    columns = max(map(len, runs.values()))
    figure, axes = panes(len(runs), columns, 3.1, 2.6)
    for row, (name, each) in enumerate(runs.items()):
        for column, (label, result) in enumerate(each.items()):
            ax, edge = axes[row * columns + column], float(result.attrs["edge"])
            for i, rate in enumerate(result.learning_rate.values):
                _line(ax, result, i, f"η = {rate:.3g}", "preconditioned_sharpness")
            ax.axhline(edge, color="#777777", linestyle="--", linewidth=1)
            ax.set_ylim(0, 1.6 * edge)
            ax.set_title(f"{label}, {name}", fontsize=9)
            ax.legend(fontsize=7, frameon=False, loc="lower right")
            if column == 0:
                ax.set_ylabel("sharpness × η")
            if row == len(runs) - 1:
                ax.set_xlabel("step")
    return figure


def _line(ax: Axes, result: xarray.Dataset, i: int, label: str, quantity: str = "sharpness") -> None:
    rate = float(result.learning_rate.values[i])
    values = np.median(result[f"history_{quantity}"].values[0, i], axis=0)
    ax.plot(result.recorded_step.values, values * rate, label=label, **line_style(i, label))


def _held(table: pd.DataFrame, label: str) -> Claim | None:
    tried = table[table["optimizer"] == label]
    told = tried[tried["verdict"] != ""]
    if told.empty:
        return None
    good = told["verdict"] == "met"
    low, high = MARGINS[label]
    return Claim(
        f"The sharpness of {label} settles at the edge of stability, {told['edge'].iloc[0]:.4g}/η",
        "shown" if good.all() else "bounded" if good.any() else "refuted",
        f"The median of sharpness × η over the last half of training is within {low:.3g} to {high:.3g} in {good.sum()} "
        f"of {len(told)} runs that reached the edge, on {told['network'].nunique()} networks: "
        f"{told['median × η'].min():.3g} to {told['median × η'].max():.3g}. {len(tried) - len(told)} did not reach it.",
    )


def _fell_short(table: pd.DataFrame) -> str | None:
    missed = table[table["verdict"] == "not met"]
    if missed.empty:
        return None
    told = (
        f"{optimizer} on {name} at η = {rate:.3g} ({middle:.3g})"
        for optimizer, name, rate, middle in missed[["optimizer", "network", "learning rate", "median × η"]].to_numpy()
    )
    return f"Outside their margins: {listed(told)}."


_BASE = {"name": "diabetes", "hidden": (12, 12)}


def _factors() -> dict[str, dict[str, tuple[Problem, Optimizer]]]:
    gd = optimizers.gd()

    def made(rule: Optimizer = gd, **changed: Any) -> tuple[Problem, Optimizer]:
        return network(**{**_BASE, **changed}), rule

    return {
        "width": {f"{n} units": made(hidden=(n, n)) for n in (4, 12, 32)},
        "depth": {f"{n} hidden": made(hidden=(12,) * n) for n in (1, 2, 4)},
        "activation": {name: made(activation=name) for name in ("tanh", "relu", "gelu", "sigmoid")},
        "loss (breast_cancer)": {
            "squared": (network("breast_cancer", (6, 6)), gd),
            "cross_entropy": (network("breast_cancer", (6, 6), loss="cross_entropy"), gd),
        },
        "batch size": {str(n or "all rows"): made(batch_size=n) for n in (None, 110, 28)},
        "batch normalization": {"without": made(), "with": made(batch_norm=True)},
        "warm-up": {"without": made(), "warmup of 400 steps": made(gd.scheduled(gdfast.schedules.warmup(steps=400)))},
        "weight decay": {f"l2 = {x:g}": made(l2=x) for x in (0.0, 0.003, 0.03)},
    }


RATE = 0.08
"""With which sharpening is compared: 2/η is 25."""


def progressive_sharpening(lab: Lab) -> Iterator[Section]:
    """What makes the sharpness rise on its way to the edge, and what keeps it low."""
    if lab.problems:
        return
    steps, done = 1000 if lab.quick else 2500, {}
    runs: dict[str, dict[str, xarray.Dataset]] = {}
    for factor, values in _factors().items():
        for value, (problem, rule) in values.items():
            key = problem, rule
            if key not in done:
                starts = problem.starts(seeds=range(3))
                sweep = gdfast.Sweep(
                    problem, rule, [RATE], starts, steps, settle=False, history=f"loss,sharpness:linear:{_ALONG // 2}"
                )
                done[key] = gdfast.run(sweep, progress=False)
            runs.setdefault(factor, {})[value] = done[key]
    table = pd.DataFrame(_row(factor, value, r) for factor, each in runs.items() for value, r in each.items())
    yield Section(
        "Progressive sharpening, by what the network is and how it is trained",
        [
            f"Sharpness × η of gradient descent at η = {RATE:g} on diabetes, 10–12–12–1, tanh, squared loss, with one "
            "thing changed at a time; medians of three seeds. Dashed: the edge at 2.",
        ],
        [_sharpens(table), _batches_stay_below(table)],
        partial(_draw_factors, runs),
        table=table,
    )


def _row(factor: str, value: str, result: xarray.Dataset) -> dict[str, Any]:
    sharp = np.median(result.history_sharpness.values[0, 0], axis=0)
    late = sharp[len(sharp) // 2 :]
    return {
        "what": factor,
        "value": value,
        "sharpness at the start": sharp[0],
        "highest": np.nanmax(sharp),
        "in the last half": np.median(late),
        "× η in the last half": np.median(late) * RATE,
        "loss at the end": float(np.median(result.history_loss.values[0, 0, :, -1])),
    }


def _draw_factors(runs: Mapping[str, Mapping[str, xarray.Dataset]]) -> Figure:
    figure, axes = panes(2, -(-len(runs) // 2), 3.4, 2.8)
    for ax, (factor, each) in zip(axes, runs.items(), strict=True):
        for i, (value, result) in enumerate(each.items()):
            values = np.median(result.history_sharpness.values[0, 0], axis=0) * RATE
            ax.plot(result.recorded_step.values, values, label=value, **line_style(i, value))
        ax.axhline(2, color="#777777", linestyle="--", linewidth=1)
        ax.set(title=factor, xlabel="step", ylabel="sharpness × η", ylim=(0, 2.6))
        ax.title.set_fontsize(10)
        ax.legend(fontsize=7, frameon=False, loc="best")
    return figure


def _sharpens(table: pd.DataFrame) -> Claim:
    base = table.drop_duplicates(["sharpness at the start", "highest"])
    rose = base["highest"] > 1.2 * base["sharpness at the start"]
    return Claim(
        "Gradient descent moves to where the loss is sharper",
        "shown" if rose.all() else "bounded" if rose.any() else "refuted",
        f"The sharpness rose by more than a fifth in {rose.sum()} of {len(base)} settings"
        + ("." if rose.all() else f"; not with {listed(base[~rose]['what'] + ' ' + base[~rose]['value'])}."),
    )


def _batches_stay_below(table: pd.DataFrame) -> Claim | None:
    late = table[table["what"] == "batch size"]["in the last half"].to_numpy()
    if not np.isfinite(late).all():
        return None
    return Claim(
        "Mini-batches keep the sharpness below what full batches reach",
        "shown" if (np.diff(late) < 0).all() else "bounded" if late[-1] < late[0] else "refuted",
        f"In the last half of training it is {listed(number(x) for x in late)} with all rows, 110 and 28.",
    )


def mini_batches(lab: Lab) -> Iterator[Section]:
    """The sharpness of each step's rows beside that of all rows."""
    if lab.problems:
        return
    steps, runs = 1000 if lab.quick else 4000, {}
    for size in (None, 110, 28):
        problem = network(**_BASE, batch_size=size)
        sweep = gdfast.Sweep(
            problem,
            "gd",
            [0.2],
            problem.starts(seeds=range(2)),
            steps,
            settle=False,
            history=f"sharpness,theta:linear:{_ALONG // 2}",
        )
        runs["all rows" if size is None else f"{size} rows"] = _with_batches(problem, gdfast.run(sweep, progress=False))
    half = _ALONG // 4
    table = pd.DataFrame(
        {
            "rows of a step": name,
            "sharpness × η of all rows": float(np.median(r.history_sharpness.values[..., half:])) * 0.2,
            "of the step's rows": float(np.median(r.history_step_sharpness.values[..., half:])) * 0.2,
        }
        for name, r in runs.items()
    )
    yield Section(
        "What mini-batches do at the edge",
        [
            "Gradient descent at η = 0.2 on diabetes, 10–12–12–1, by the rows of a step: the sharpness of the loss of "
            "all rows (lines) and of the rows of the step that comes next (dotted), × η. Medians of two seeds."
        ],
        [_lower_in_all(table)],
        partial(_draw_batches, runs),
        table=table,
    )


def _with_batches(problem: Problem, result: xarray.Dataset) -> xarray.Dataset:
    theta = result.history_theta.values[0, 0]
    told = np.stack(
        [problem.step_sharpness(theta[:, row].T, int(t)) for row, t in enumerate(result.recorded_step.values)]
    )
    return result.drop_vars("history_theta").assign(
        history_step_sharpness=(("optimizer", "learning_rate", "start", "recorded_step"), told.T[None, None])
    )


def _draw_batches(runs: Mapping[str, xarray.Dataset]) -> Figure:
    figure, (ax,) = panes(1, 1, 7.0, 4.0)
    for i, (name, result) in enumerate(runs.items()):
        _line(ax, result.isel(learning_rate=[0]), 0, name)
        ax.lines[-1].set(**line_style(i, name))
        values = np.median(result.history_step_sharpness.values[0, 0], axis=0) * 0.2
        ax.plot(result.recorded_step.values, values, **{**line_style(i, name), "linestyle": ":"})
    ax.axhline(2, color="#777777", linestyle="--", linewidth=1)
    ax.set(xlabel="step", ylabel="sharpness × η", ylim=(0, 3.2))
    ax.legend(fontsize=8, frameon=False)
    return figure


def _lower_in_all(table: pd.DataFrame) -> Claim:
    ratio = (table["of the step's rows"] / table["sharpness × η of all rows"]).iloc[1:]
    falls = (np.diff(table["sharpness × η of all rows"]) < 0).all()
    return Claim(
        "With fewer rows a step the loss of all rows stays flatter, and that of the step's own rows is sharper",
        "shown" if falls and (ratio > 1).all() else "bounded" if falls or (ratio > 1).all() else "refuted",
        f"Sharpness × η of all rows: {listed(number(x) for x in table['sharpness × η of all rows'])}; of the step's "
        f"rows it is {listed(f'{x:.2f}' for x in ratio)} times as large.",
    )


CHAPTER = Chapter(
    "at-the-edge",
    "At the edge",
    "On networks the curvature is no constant: training moves to where it is sharper, until the learning rate is only "
    "just stable, and goes on there. What the sharpness does along the way, by optimizer, and what sets where it ends.",
    (
        edge_of_stability,
        progressive_sharpening,
        mini_batches,
        edge_maps,
        every_optimizer,
        signals_over_depth,
    ),
    apart=True,
)
