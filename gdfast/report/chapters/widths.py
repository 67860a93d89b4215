"""Maps of learning rate × width of a network: Muon beside Adam."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
import xarray
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from gdfast import optimizers, problems
from gdfast.formulas.elementary import Array
from gdfast.plot.style import line_style
from gdfast.report.draw import panes
from gdfast.report.lab import Lab
from gdfast.report.section import Claim, Section
from gdfast.report.words import listed, number

WIDTHS = (4, 8, 16, 32, 64)
RULES = (optimizers.adam(), optimizers.muon(weight_decay=0.0))
BATCH, HELD_OUT = 32, 0.25
BETTER = 1.01  # times: a difference that counts


def muon_by_width(lab: Lab) -> Iterator[Section]:
    """Muon and Adam on digits, over learning rate × width of the two hidden layers."""
    if lab.problems:
        return
    n, seeds, steps = (8, 2, 60) if lab.quick else (14, 4, 120)
    rates = np.geomspace(10**-3.5, 10**-0.5, n)
    ends = xarray.concat([_ends(lab, width, rates, seeds, steps) for width in WIDTHS], "width")
    table = _table(ends)
    yield Section(
        "Muon beside Adam, by learning rate and width",
        [
            f"Networks 61–w–w–10 on digits, relu, He's initialization, {steps} steps on batches of {BATCH} rows: the "
            f"loss of held-out rows, a quarter of all, at the end, median of {seeds} seeds. Muon orthogonalizes the "
            "momentum of each matrix, so that a step changes it by the same in every direction, whatever its size; "
            "biases are left to Adam. Dots: the best rate of each width, by a parabola through the three points "
            "around it.",
            _best(table),
        ],
        [_moves_less(table), _lower(table)],
        partial(_draw, ends, table),
        table=table,
        results={"ends": ends.to_dataset()},
    )


def _ends(lab: Lab, width: int, rates: Array, seeds: int, steps: int) -> xarray.DataArray:
    """The median held-out loss of a width over optimizer × learning rate, infinite where it is no number."""
    problem = problems.mlp(
        (61, width, width, 10),
        "relu",
        loss="cross_entropy",
        data="digits",
        batch_size=BATCH,
        validation=HELD_OUT,
    )
    result = lab.run(problem, RULES, rates, problem.starts("he_normal", seeds=range(seeds)), steps)
    losses = np.where(np.isfinite(result.validation_loss), result.validation_loss, np.inf)
    axes = {"optimizer": [rule.name for rule in RULES], "learning_rate": rates, "width": width}
    dimensions = "optimizer", "learning_rate"
    return xarray.DataArray(np.median(losses, axis=2), axes, dimensions, "held_out_loss")


def _table(ends: xarray.DataArray) -> pd.DataFrame:
    by_pair = {(w, rule.name): ends.sel(width=w, optimizer=rule.name).values for w in WIDTHS for rule in RULES}
    return pd.DataFrame(
        {
            "width": width,
            "optimizer": name,
            "best held-out loss": losses.min(),
            "at the learning rate": _lowest_at(ends.learning_rate.values, losses),
        }
        for (width, name), losses in by_pair.items()
    )


def _lowest_at(rates: Array, losses: Array) -> float:
    """Where the parabola through the lowest of the losses and its neighbours has its minimum, in logarithms."""
    place = int(losses.argmin())
    if not 0 < place < len(rates) - 1 or not np.isfinite(losses[place - 1 : place + 2]).all():
        return float(rates[place])
    left, middle, right = np.log(losses[place - 1 : place + 2])
    shift = 0.5 * (left - right) / (left - 2 * middle + right)
    return float(rates[place] * (rates[1] / rates[0]) ** shift)


def _draw(ends: xarray.DataArray, table: pd.DataFrame) -> Figure:
    figure, axes = panes(1, 3, 4.6, 3.8)
    lowest, widths = float(ends.min()), np.arange(len(WIDTHS))
    for ax, rule in zip(axes, RULES, strict=False):
        values = np.ma.masked_invalid(ends.sel(optimizer=rule.name).values)
        scale = LogNorm(lowest, np.log(10), clip=True)  # up to the loss of equal probabilities
        image = ax.pcolormesh(
            ends.learning_rate, widths, values, norm=scale, cmap="viridis_r", shading="nearest", rasterized=True
        )
        rates = table[table["optimizer"] == rule.name]["at the learning rate"]
        ax.plot(rates, widths, "o-", color="k", markerfacecolor="w", linewidth=0.8, markersize=5)
        ax.set(xscale="log", xlabel="learning rate η", ylabel="width w", facecolor="#9a9a9a")
        ax.set_yticks(widths, [str(width) for width in WIDTHS])
        ax.set_title(f"{rule.name}: held-out loss at the end", fontsize=10)
    bar = figure.colorbar(image, ax=axes[:2], shrink=0.9)
    _plain_ticks(bar.ax, lowest)
    for i, rule in enumerate(RULES):
        own = table[table["optimizer"] == rule.name]
        axes[2].plot(own["width"], own["best held-out loss"], "o", label=rule.name, **line_style(i, rule.name))
    axes[2].set(xscale="log", yscale="log", xlabel="width w")
    axes[2].set_xticks(WIDTHS, [str(width) for width in WIDTHS])
    _plain_ticks(axes[2], lowest)
    axes[2].set_title("held-out loss at the best rate", fontsize=10)
    axes[2].legend(fontsize=8, frameon=False)
    return figure


def _plain_ticks(ax: Axes, lowest: float) -> None:
    """Write losses as they are, not as powers of ten."""
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1.0, 2.0) if lowest <= tick <= ax.get_ylim()[1]]
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()


def _by_rule(table: pd.DataFrame, column: str) -> pd.DataFrame:
    wide: pd.DataFrame = table.pivot_table(index="width", columns="optimizer", values=column)
    return wide[[rule.name for rule in RULES]]


def _best(table: pd.DataFrame) -> str:
    rates = _by_rule(table, "at the learning rate")
    return (
        "From the narrowest to the widest the best rate goes "
        + listed(f"from {number(r.iloc[0])} to {number(r.iloc[-1])} with {name}" for name, r in rates.items())
        + "."
    )


def _moves_less(table: pd.DataFrame) -> Claim:
    rates = _by_rule(table, "at the learning rate")
    apart = rates.max() / rates.min()
    return Claim(
        "Muon's best learning rate depends less on the width than Adam's",
        "shown" if apart["muon"] < apart["adam"] / BETTER else "refuted",
        f"Over widths from {WIDTHS[0]} to {WIDTHS[-1]} the best rates lie apart by "
        + listed(f"a factor of {number(factor)} with {name}" for name, factor in apart.items())
        + ".",
    )


def _lower(table: pd.DataFrame) -> Claim:
    losses = _by_rule(table, "best held-out loss")
    lower = losses["muon"] * BETTER < losses["adam"]
    pairs = listed(
        f"{number(row['muon'])} against {number(row['adam'])} at {width}" for width, row in losses.iterrows()
    )
    return Claim(
        "Muon ends lower than Adam, each at its best rate",
        "shown" if lower.all() else "bounded" if lower.any() else "refuted",
        f"Held-out losses of Muon and Adam by width: {pairs}.",
    )
