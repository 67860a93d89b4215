"""Stored sweeps that are given to a report: how they end, what works best, what was recorded, what a change makes."""

from collections.abc import Iterator
from functools import partial
from pathlib import PurePath

import pandas as pd
import xarray
from matplotlib.figure import Figure

from gdfast import analysis, plot
from gdfast.history import PREFIX
from gdfast.plot.panels import panels
from gdfast.report.chapters.learning_rate import diverging, most_and_least
from gdfast.report.chapters.optimizers import SHARE, costs_of, edges
from gdfast.report.draw import panes, shared_legend
from gdfast.report.lab import Lab
from gdfast.report.section import Chapter, Section, change_cells, outcome_cells

MOST_PANELS = 12
"""Optimizers of which maps are drawn; tables have all."""


def ends(lab: Lab) -> Iterator[Section]:
    """How the trajectories of stored sweeps end, over learning rate and start."""
    for part, (name, result) in _parts(lab):
        shares = analysis.outcome_shares(result)
        yield Section(
            f"How trajectories end: {name}",
            [
                f"{result.attrs.get('title', 'A sweep')}, at most {analysis.budget(result):,} steps.",
                most_and_least(shares),
                diverging(shares),
                *(f"{line}." for line in analysis.account(result)[:MOST_PANELS]),
            ],
            draw=partial(plot.maps, _few(result), "outcome"),
            cells=outcome_cells(panels(_few(result))),
            table=shares.reset_index(),
            results={"outcome": result},
            part=part,
        )


def best(lab: Lab) -> Iterator[Section]:
    """Share of the grid, width of the working rates, best rate and steps there, of stored sweeps."""
    for part, (name, result) in _parts(lab):
        table = analysis.summary(result, SHARE, of=costs_of([result])).reset_index().assign(problem=name)
        table = table.rename(columns={"at edge": "best rate at the grid's edge"})
        yield Section(
            f"Which rates work: {name}",
            [f"A rate works if at least {SHARE:.0%} of the starts reach the lowest loss with it.", edges(table)],
            draw=partial(_draw_best, result),
            table=table,
            part=part,
        )


def _draw_best(result: xarray.Dataset) -> Figure:
    words = {
        "share": "share of starts that reach",
        "loss": "loss at the end",
        "validation_loss": "loss of held-out rows",
    }
    quantities = [quantity for quantity in words if quantity == "share" or quantity in result]
    figure, axes = panes(1, len(quantities), 4.6, 3.4)
    for ax, quantity in zip(axes, quantities, strict=True):
        plot.lr_sensitivity(result, ax, quantity=quantity).set_ylabel(words[quantity])
    shared_legend(figure, axes)
    return figure


def recorded(lab: Lab) -> Iterator[Section]:
    """What stored sweeps recorded along the way, at each optimizer's best rate."""
    for part, (name, result) in _parts(lab):
        quantities = [str(n).removeprefix(PREFIX) for n in result.data_vars if str(n).startswith(PREFIX)]
        shown = [quantity for quantity in quantities if quantity != "theta"]
        if shown:
            yield Section(
                f"Along the way: {name}",
                ["At each optimizer's best rate: the median over the starts, with a band of 10 to 90 %."],
                draw=partial(_draw_recorded, result, shown),
                part=part,
            )


def _draw_recorded(result: xarray.Dataset, quantities: list[str]) -> Figure:
    figure, axes = panes(-(-len(quantities) // 3), min(3, len(quantities)), 4.6, 3.4)
    for ax in axes[len(quantities) :]:
        ax.remove()
    for ax, quantity in zip(axes, quantities, strict=False):
        plot.history_curves(result, ax, quantity=quantity)
    shared_legend(figure, axes[: len(quantities)])
    return figure


def compared(lab: Lab) -> Iterator[Section]:
    """What each stored sweep rescues and breaks of the first, where they are over one grid."""
    parts = _parts(lab)
    for part, (name, result) in parts[1:]:
        try:
            difference = analysis.delta(parts[0][1][1], result)
        except ValueError:  # over another grid, or of other optimizers: nothing to compare cell by cell
            continue
        counts: pd.DataFrame = analysis.change_counts(difference)
        yield Section(
            f"Rescued and broken: {name} against {parts[0][1][0]}",
            ["Cell by cell on the same learning rates and starts."],
            draw=partial(plot.delta_maps, difference),
            cells=change_cells(panels(difference.rename(change="outcome"), steps=False)),
            table=counts.reset_index(),
            part=part,
        )


def _parts(lab: Lab) -> list[tuple[str, tuple[str, xarray.Dataset]]]:
    """Name and result of each stored sweep, behind what tells it apart in the names of files."""
    stems = ["".join(c if c.isalnum() or c in "-_" else "-" for c in PurePath(name).stem) for name in lab.stored]
    return [
        (stem if stems.count(stem) == 1 else f"{stem}-{number}", item)
        for number, (stem, item) in enumerate(zip(stems, lab.stored.items(), strict=True), 1)
    ]


def _few(result: xarray.Dataset) -> xarray.Dataset:
    return result.isel(optimizer=slice(MOST_PANELS))


CHAPTER = Chapter(
    "stored",
    "Stored sweeps",
    "The results that were given to this report, as they stand in their stores.",
    (ends, best, recorded, compared),
)
