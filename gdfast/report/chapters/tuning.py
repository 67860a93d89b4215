"""What `gdfast.tune` found: the answer, the rates on the way to it, and what more steps would give."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from gdfast.formulas.elementary import Array
from gdfast.plot.style import LINE_COLOURS, line_style, literal
from gdfast.report.draw import panes, shared_legend
from gdfast.report.lab import Lab
from gdfast.report.section import Chapter, Section
from gdfast.report.words import listed, number
from gdfast.running.tune import Tuning


def answer(lab: Lab) -> Iterator[Section]:
    """Optimizer, rate and batch size, by the loss of held-out rows."""
    tuning = _tuning(lab)
    edge = [
        f"{row.optimizer} ({_batch(row['batch size'])})" for _, row in tuning.table.iterrows() if row["at the edge"]
    ]
    falling = [
        f"{row.optimizer} ({_batch(row['batch size'])})" for _, row in tuning.table.iterrows() if row["still falling"]
    ]
    yield Section(
        "The answer",
        [
            f"{tuning.line}.",
            *(f"{note[:1].upper()}{note[1:]}." for note in tuning.notes),
            "The held-out loss is where it is lowest along the way and stays while the steps double; bars are "
            "standard errors over other held-out rows, mini-batches and initial weights. Filled: as good as the "
            "lowest, but for less than an error and a twentieth.",
            f"At the edge of the rates tried, so that better ones may lie beyond: {listed(edge)}." if edge else None,
            f"Still falling at the end of the budget, so that more steps may help: {listed(falling)}."
            if falling
            else None,
        ],
        draw=partial(_draw_answer, tuning),
        table=tuning.table.assign(**{"batch size": [_batch(size) for size in tuning.table["batch size"]]}),
    )


def _batch(size: int) -> str:
    return str(size) if size else "all rows"


def _tuning(lab: Lab) -> Tuning:
    if lab.tuning is None:
        raise ValueError("tuning must be what gdfast.tune found, not None")
    return lab.tuning


def _sizes(tuning: Tuning) -> list[int]:
    """The batch sizes, ascending, all rows last."""
    return sorted(tuning.rates["batch size"].unique(), key=lambda size: (size == 0, size))


def _names(tuning: Tuning) -> list[str]:
    return list(tuning.rates["optimizer"].unique())


def _draw_answer(tuning: Tuning) -> Figure:
    names, sizes = _names(tuning), _sizes(tuning)
    figure, (ax,) = panes(1, 1, 7.5, 1.2 + 0.42 * len(names))
    for k, size in enumerate(sizes):
        rows = tuning.table[tuning.table["batch size"] == size]
        rows = rows[np.isfinite(rows["held-out loss"])]
        places = np.array([names.index(name) for name in rows["optimizer"]]) + (k - (len(sizes) - 1) / 2) * 0.16
        colour = LINE_COLOURS[k % len(LINE_COLOURS)]
        for place, (_, row) in zip(places, rows.iterrows(), strict=True):
            ax.errorbar(
                row["held-out loss"],
                place,
                xerr=None if np.isnan(row["standard error"]) else row["standard error"],
                fmt="o",
                markersize=5,
                color=colour,
                markerfacecolor=colour if row["tied"] else "none",
                linewidth=1,
            )
        ax.plot([], [], "o", color=colour, label=f"batches of {size}" if size else "all rows a step")
    ax.set_yticks(range(len(names)), [literal(name) for name in names])
    ax.invert_yaxis()
    ax.set_xlabel("loss of held-out rows")
    ax.set_xscale(_scale(tuning.table["held-out loss"].to_numpy()))
    figure.legend(loc="outside lower center", ncols=min(5, len(sizes)), frameon=False, fontsize=9)
    return figure


def _scale(losses: Array) -> str:
    """Logarithmic where losses are over more than a decade."""
    finite = losses[np.isfinite(losses)]
    return "log" if (finite > 0).all() and finite.max(initial=0.0) > 10 * finite.min(initial=np.inf) else "linear"


def rates(lab: Lab) -> Iterator[Section]:
    """Held-out loss against the learning rate, for each optimizer and batch size."""
    tuning = _tuning(lab)
    yield Section(
        "The learning rates that were tried",
        [
            f"{tuning.trajectories:,} trajectories, {number(tuning.gradients)} gradients of a row, "
            f"{number(round(tuning.seconds, 1))} s with compiling. Rates whose loss is not finite are left out."
        ],
        draw=partial(_draw_rates, tuning),
        table=tuning.rates.sort_values(["optimizer", "batch size", "learning rate"], kind="stable"),
    )


def _draw_rates(tuning: Tuning) -> Figure:
    sizes = _sizes(tuning)
    figure, axes = panes(1, len(sizes), 4.0, 3.4)
    limits, scale = _limits(tuning)
    shown = tuning.rates.loc[tuning.rates["held-out loss"] <= limits[1], "learning rate"]
    for ax, size in zip(axes, sizes, strict=True):
        for i, name in enumerate(_names(tuning)):
            rows = tuning.rates[(tuning.rates["batch size"] == size) & (tuning.rates["optimizer"] == name)]
            rows = rows[np.isfinite(rows["held-out loss"])].sort_values("learning rate")
            ax.plot(
                rows["learning rate"],
                rows["held-out loss"],
                marker=".",
                label=literal(name),
                linewidth=1.2,
                **line_style(i),
            )
        ax.set(xscale="log", xlabel="learning rate η", ylabel="loss of held-out rows", yscale=scale, ylim=limits)
        ax.set_xlim(shown.min() / 3, shown.max() * 3)
        ax.set_title(f"batches of {size}" if size else "all rows a step", fontsize=10)
    shared_legend(figure, axes)
    return figure


def _limits(tuning: Tuning) -> tuple[tuple[float, float], str]:
    """Between which losses is drawn, and on which scale: what is many times the best says only that it is bad."""
    losses = tuning.rates["held-out loss"].to_numpy()
    losses = losses[np.isfinite(losses)]
    low, high = float(losses.min()), float(np.quantile(losses, 0.7))
    if (scale := _scale(losses[losses <= high])) == "log":
        return (low / 1.2, high * 1.2), scale
    margin = 0.05 * (high - low) or 1.0
    return (low - margin, high + margin), scale


def along(lab: Lab) -> Iterator[Section]:
    """Held-out loss against the steps, at the best rate of each optimizer and batch size."""
    tuning = _tuning(lab)
    yield Section(
        "What more steps give",
        ["At the best rate of each: the held-out loss from so many steps to twice as many."],
        draw=partial(_draw_along, tuning),
    )


def _draw_along(tuning: Tuning) -> Figure:
    sizes, scale = _sizes(tuning), _scale(np.concatenate([*tuning.curves.values()]))
    figure, axes = panes(1, len(sizes), 4.0, 3.4)
    for ax, size in zip(axes, sizes, strict=True):
        for i, name in enumerate(_names(tuning)):
            curve = tuning.curves[name, size]
            finite = np.isfinite(curve)
            ax.plot(tuning.steps[finite], curve[finite], label=literal(name), linewidth=1.4, **line_style(i))
        ax.set(xscale="log", xlabel="steps", ylabel="loss of held-out rows", yscale=scale)
        ax.set_title(f"batches of {size}" if size else "all rows a step", fontsize=10)
    shared_legend(figure, axes)
    return figure


CHAPTER = Chapter(
    "tuning",
    "Which optimizer, rate and batch size",
    "Judged by rows that no step learns of, with what each choice costs.",
    (answer, rates, along),
)
