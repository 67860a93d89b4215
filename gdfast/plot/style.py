"""Colours and legends that all figures share.

Outcome colours are from Okabe & Ito's palette for colour-blind readers, with a light and a dark grey for what is
neither good nor special; they differ in lightness too.
"""

import math
from collections.abc import Iterable
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from gdfast import arguments
from gdfast.analysis import Change
from gdfast.plot.look import legend_wanted, line_colours, literal, named_colour
from gdfast.plot.room import legend_below
from gdfast.tiles.outcomes import Outcome

OUTCOME_COLOURS = {
    Outcome.not_run: "#ffffff",
    Outcome.global_minimum: "#009E73",
    Outcome.local_minimum: "#56B4E9",
    Outcome.stalled: "#CC79A7",
    Outcome.oscillating: "#F0E442",
    Outcome.unfinished: "#DADADA",
    Outcome.diverged: "#3B3B3B",
    Outcome.frozen: "#0072B2",
    Outcome.worse: "#D55E00",
}
CHANGE_COLOURS = {
    Change.both_reach: "#BFE8F7",
    Change.rescued: "#009E73",
    Change.broken: "#D55E00",
    Change.neither_reaches: "#8C8C8C",
}
LINE_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
# Those of outcomes that are at no minimum come last.
BASIN_COLOURS = ["#009E73", "#56B4E9", "#E69F00", "#882255", "#999933", "#0072B2", "#D55E00", "#CC79A7"]
DASHES = ["-", "--", "-.", ":"]
_LINE_SIZE = 8  # of the text beside a line, in points

outcome_norm = BoundaryNorm([o - 0.5 for o in Outcome] + [len(Outcome) - 0.5], len(Outcome))
change_norm = BoundaryNorm([c - 0.5 for c in Change] + [len(Change) - 0.5], len(Change))


def ink() -> Any:
    """The colour of text: black, or what a style of matplotlib makes of it."""
    return matplotlib.rcParams["text.color"]


def outcome_colours() -> list[Any]:
    """The colour of each outcome; what was not run is as the paper."""
    usual = {**OUTCOME_COLOURS, Outcome.not_run: matplotlib.rcParams["axes.facecolor"]}
    return [named_colour(outcome.name, usual[outcome]) for outcome in Outcome]


def change_colours() -> list[Any]:
    """The colour of each change."""
    return [named_colour(change.name, CHANGE_COLOURS[change]) for change in Change]


def line_colour(i: int, label: str = "") -> Any:
    """The colour of the i-th of several lines, or of that of this name."""
    colours = line_colours([*LINE_COLOURS[:-1], ink()])
    return named_colour(label, colours[i % len(colours)])


def line_style(i: int, label: str = "") -> dict[str, Any]:
    """Colour and dash of the i-th of several lines; the two repeat with different periods."""
    return {"color": line_colour(i, label), "linestyle": DASHES[i % len(DASHES)]}


def outcome_patches(present: Iterable[int]) -> list[Patch]:
    """Legend entries of the outcomes that are present."""
    here = set(present)
    return [patch(colour, o.name) for o, colour in zip(Outcome, outcome_colours(), strict=True) if int(o) in here]


def change_patches(present: Iterable[int]) -> list[Patch]:
    """Legend entries of the changes that are present."""
    here = set(present)
    return [patch(colour, c.name) for c, colour in zip(Change, change_colours(), strict=True) if int(c) in here]


def patch(colour: Any, name: str) -> Patch:
    """A legend's entry, an underscore in its name shown as a space."""
    return Patch(facecolor=colour, edgecolor="#777777", linewidth=0.5, label=literal(name.replace("_", " ")))


def outcome_legend(figure: Figure, present: set[int], left: bool = False, **options: Any) -> None:
    """Put one legend of the outcomes that are present under a figure's panels, and of the hatching if there is any.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure, with its panels.
    present : set of int
        The numbers of the outcomes that are present.
    left : bool
        Whether something that its trajectory will leave is hatched.
    **options
        Of ``matplotlib.figure.Figure.legend``.

    Raises
    ------
    TypeError, ValueError
        If this is no figure, or `present` holds anything but outcomes.
    """
    arguments.instance("figure", figure, Figure, "a figure of matplotlib")
    codes = {
        arguments.integer("present", code, low=0, high=len(Outcome) - 1)
        for code in arguments.several("present", present, "codes of outcomes", least=0)
    }
    left = arguments.flag("left", left)
    legend_below(figure, outcome_patches(codes) + (leaving_patch() if left else []), **options)


def leaving_patch() -> list[Patch]:
    """The legend's entry of the hatching, as a list of one."""
    return [Patch(facecolor="white", edgecolor="#555555", linewidth=0.5, hatch="/////", label="leaves again")]


def legend_of_map(ax: Axes, patches: list[Patch], alone: bool, columns: int = 3) -> None:
    """Put a legend of a map under it where it has a figure of its own, else into its corner, unless none is wanted."""
    if not legend_wanted():
        return
    if alone:
        legend_below(ax.figure, patches, columns)  # type: ignore[arg-type]
    else:
        ax.legend(handles=patches, loc="upper right", fontsize=7, framealpha=0.85, borderaxespad=0.3)


def legend_of_lines(ax: Axes) -> None:
    """Put a legend of the lines into the axes, in columns that are no higher, unless there are none or none is wanted.

    In a figure of its own `gdfast.plot.room` puts it below, where it covers lines.
    """
    lines = len(ax.get_legend_handles_labels()[0])
    if legend_wanted() and lines:
        points = ax.get_window_extent().height / ax.figure.dpi * 72
        rows = max(1, int(points / (_LINE_SIZE * 1.7)))
        ax.legend(fontsize=_LINE_SIZE, framealpha=0.85, ncols=math.ceil(lines / rows))
