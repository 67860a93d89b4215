"""Maps of learning rate × size of the initial weights: how sharp it is where training ends."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

import gdfast
from gdfast import optimizers, theory
from gdfast.formulas.elementary import Array
from gdfast.optimizers import Optimizer
from gdfast.report.draw import panes
from gdfast.report.lab import Lab
from gdfast.report.section import Claim, Section
from gdfast.report.sharpening import network
from gdfast.report.words import listed, percent

_ROSE = 1.1  # times the lowest loss before: a catapult


def edge_maps(lab: Lab) -> Iterator[Section]:
    """Learning rate × size of the initial weights: sharpness at the end, catapults, flatness."""
    if lab.problems:
        return
    n, steps = (10, 400) if lab.quick else (24, 1500)
    problem = network("diabetes", (6,), rows=100)
    starts = problem.starts(gain=np.geomspace(0.1, 5.0, n))
    sweep = gdfast.Sweep(
        problem, "gd", np.geomspace(0.01, 3.0, n), starts, steps, settle=False, history=f"sharpness:0/{steps}"
    )
    ends = gdfast.run(sweep, progress=False)
    along = gdfast.run(sweep.replace(history="loss:96"), progress=False)
    maps = _maps(ends, along)
    yield Section(
        "At the edge, by learning rate and initial weights",
        [
            f"Gradient descent on 100 rows of diabetes, 10–6–1, tanh, after {steps} steps: {n} × {n} trajectories. "
            "Sharpness × η at the end (2 is the edge); how far the loss rose above the lowest before, and came down "
            "again (a catapult: Lewkowycz et al. 2020, arXiv 2003.02218); the sharpness at the end over that at "
            "the start.",
        ],
        [_catapults_are_flatter(maps)],
        partial(_draw_maps, maps),
        table=_map_table(maps),
        results={"maps": maps},
    )


def _maps(ends: xarray.Dataset, along: xarray.Dataset) -> xarray.Dataset:
    """What the maps show, over learning rate × gain; not a number where it diverged, or was no catapult."""
    sharp, loss = ends.history_sharpness.values[0], along.history_loss.values[0]
    rate = ends.learning_rate.values[:, None]
    first, last = loss[..., 0], loss[..., -1]
    with np.errstate(all="ignore"):
        rise = np.nanmax(loss[..., 1:] / np.fmin.accumulate(loss, axis=-1)[..., :-1], axis=-1)
    stays = np.isfinite(loss).all(axis=-1) & (last < first)
    with np.errstate(all="ignore"):
        told = {
            "at_end": np.where(stays, sharp[..., 1] * rate, np.nan),
            "at_start": sharp[..., 0] * rate,
            "rise": np.where(stays & (rise > _ROSE), rise, np.nan),
            "flatness": np.where(stays, sharp[..., 1] / sharp[..., 0], np.nan),
        }
    axes = {"learning_rate": ends.learning_rate.values, "gain": ends.gain.values}
    return xarray.Dataset({name: (("learning_rate", "gain"), values) for name, values in told.items()}, axes)


def _draw_maps(maps: xarray.Dataset) -> Figure:
    figure, axes = panes(1, 3, 4.6, 3.8)
    shown: Sequence[tuple[str, str, Any, str]] = (
        ("at_end", "sharpness × η at the end", LogNorm(0.2, 20), "RdBu_r"),
        ("rise", "highest rise of the loss above the lowest before", LogNorm(1, 100), "viridis"),
        ("flatness", "sharpness at the end over that at the start", LogNorm(0.01, 100), "RdBu_r"),
    )
    for ax, (name, title, scale, colours) in zip(axes, shown, strict=True):
        pane(ax, maps, maps[name].values, scale, colours)
        figure.colorbar(ax.collections[0], ax=ax)
        ax.contour(maps.learning_rate, maps.gain, maps.at_start.values.T, [2.0, 4.0], colors="k", linewidths=0.8)
        ax.set(xlabel="learning rate η", ylabel="initial weights × LeCun's")
        ax.set_title(title, fontsize=10)
    figure.supxlabel("black: η = 2 and 4 over the sharpness at the start; grey: diverged, or not so", fontsize=9)
    return figure


def pane(ax: Axes, maps: xarray.Dataset, values: Array, scale: Any, colours: str) -> None:
    """Draw numbers over learning rate × gain."""
    ax.set_facecolor("#9a9a9a")
    ax.pcolormesh(maps.learning_rate, maps.gain, values.T, norm=scale, cmap=colours, shading="nearest", rasterized=True)
    ax.set(xscale="log", yscale="log")


def _map_table(maps: xarray.Dataset) -> pd.DataFrame:
    places = np.digitize(maps.at_start.values, [1.0, 2.0, 4.0])
    names = ("below 1", "1 to 2", "2 to 4", "above 4")
    return pd.DataFrame(
        {
            "sharpness at the start × η": names[i],
            "trajectories": int((places == i).sum()),
            "loss came down": float(np.isfinite(maps.at_end.values[places == i]).mean()),
            "catapults": float(np.isfinite(maps.rise.values[places == i]).mean()),
            "median sharpness × η at the end": float(np.nanmedian(maps.at_end.values[places == i])),
            "median sharpness, end over start": float(np.nanmedian(maps.flatness.values[places == i])),
        }
        for i in range(4)
        if (places == i).any() and np.isfinite(maps.at_end.values[places == i]).any()
    )


def _catapults_are_flatter(maps: xarray.Dataset) -> Claim | None:
    beyond = (maps.at_start.values > 2) & np.isfinite(maps.rise.values)
    if not beyond.any():
        return None
    flatter = maps.flatness.values[beyond] < 1
    return Claim(
        "Above 2/λ the loss rises first, and training ends where it is flatter than at the start",
        "shown" if flatter.all() else "bounded" if flatter.any() else "refuted",
        f"Of {beyond.sum()} trajectories that began above the edge, rose and came down, "
        f"{percent(float(flatter.mean()))} ended flatter, at a median {np.median(maps.flatness.values[beyond]):.2g} "
        "of the sharpness at the start.",
    )


def every_optimizer(lab: Lab) -> Iterator[Section]:
    """The same map of sharpness at the end for every optimizer of the catalogue."""
    if lab.problems:
        return
    n, steps = (5, 200) if lab.quick else (12, 1000)
    problem = network("diabetes", (6,), rows=100)
    starts = problem.starts(gain=np.geomspace(0.1, 5.0, n))
    every = list(lab.chosen) or [make() for make in optimizers.CATALOGUE.values()]
    rules = [rule for rule in every if set(rule.needs) <= problem.provides]
    others = [rule.label for rule in every if rule not in rules]
    sweep = gdfast.Sweep(
        problem,
        [rule.in_units() for rule in rules],
        np.geomspace(0.01, 100.0, n),
        starts,
        steps,
        settle=False,
        history=f"loss,preconditioned_sharpness:0/{steps}",
    )
    result = gdfast.run(sweep, progress=False)
    told = _over_edges(result, rules)
    table = _edge_table(told, rules)
    yield Section(
        "The edge of every optimizer",
        [
            f"Sharpness × η after {steps} steps over the optimizer's own edge of stability, on 100 rows of diabetes, "
            f"10–6–1, tanh, for {len(rules)} optimizers: learning rate, 0.01 to 100 times the default, to the right, "
            "initial weights, 0.1 to 5 times LeCun's, upwards. Of those that divide by a running size of the "
            "gradient it is the preconditioned sharpness. White: at the edge; blue: below; red: beyond it; grey: "
            "the loss did not come down. Where theory tells no edge (the name in brackets) it is sharpness × η over "
            "2. Where coefficients change with the step, as nadam's momentum does, the edge is that of the long run.",
            f"Not among them, since they need what no network provides: {listed(others)}." if others else None,
        ],
        [_sits_at_edge(table)],
        partial(_draw_all, told),
        table=table,
        results={"over_edge": told},
    )


def _over_edges(result: xarray.Dataset, rules: Sequence[Optimizer]) -> xarray.Dataset:
    edges = np.array([theory.edge(rule) or np.nan for rule in rules])
    units = np.array([rule.learning_rate for rule in rules])
    loss, sharp = result.history_loss.values, result.history_preconditioned_sharpness.values[..., -1]
    rates = units[:, None, None] * result.learning_rate.values[:, None]
    over = sharp * rates / np.where(np.isfinite(edges), edges, 2.0)[:, None, None]
    over[~(loss[..., -1] < loss[..., 0])] = np.nan
    return xarray.Dataset(
        {"over_edge": (("optimizer", "learning_rate", "gain"), over), "edge": ("optimizer", edges)},
        {
            "optimizer": [rule.label for rule in rules],
            "learning_rate": result.learning_rate.values,
            "gain": result.gain.values,
        },
    )


def _draw_all(told: xarray.Dataset) -> Figure:
    count = told.sizes["optimizer"]
    columns = min(count, 9)
    rows = -(-count // columns)
    figure, axes = panes(rows, columns, 1.6, 1.6)
    for ax in axes[count:]:
        ax.remove()
    for ax, label in zip(axes, told.optimizer.values, strict=False):
        one = told.sel(optimizer=label)
        pane(ax, told, one.over_edge.values, LogNorm(0.05, 20), "RdBu_r")
        ax.set_title(str(label) if np.isfinite(float(one.edge)) else f"({label})", fontsize=7)
        ax.set(xticks=[], yticks=[])
        ax.minorticks_off()
    bar = figure.colorbar(axes[0].collections[0], ax=axes[:count], shrink=0.5, aspect=40)
    bar.set_label("sharpness × η at the end, over the edge")
    return figure


def _edge_table(told: xarray.Dataset, rules: Sequence[Optimizer]) -> pd.DataFrame:
    over = told.over_edge.values
    came_down = np.isfinite(over)
    with np.errstate(all="ignore"):
        near = came_down & (np.abs(np.log(over)) < np.log(1.25))
        beyond = came_down & (over > 1.25)
    return pd.DataFrame(
        {
            "optimizer": told.optimizer.values,
            "edge": told.edge.values,
            "preconditioned": [rule.preconditioner is not None for rule in rules],
            "loss came down": came_down.mean(axis=(1, 2)),
            "within 25 % of the edge": near.mean(axis=(1, 2)),
            "beyond it": beyond.mean(axis=(1, 2)),
        }
    )


def _sits_at_edge(table: pd.DataFrame) -> Claim | None:
    known = table[table["edge"].notna()]
    if known.empty:
        return None
    seldom = known["beyond it"] <= known["within 25 % of the edge"]
    return Claim(
        "What an optimizer's own edge of stability is, its training seldom ends beyond it",
        "shown" if seldom.all() else "bounded" if seldom.any() else "refuted",
        f"Of {len(known)} optimizers whose edge theory tells, {seldom.sum()} have more trajectories within 25 % of it "
        "than beyond" + ("." if seldom.all() else f"; not {listed(known[~seldom]['optimizer'])}."),
    )
