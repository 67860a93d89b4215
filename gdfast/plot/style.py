"""Colours and legends that all figures share.

Outcome colours are from Okabe & Ito's palette for colour-blind readers, with a light and a dark grey for what is
neither good nor special; they differ in lightness too.
"""

from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from gdfast import arguments
from gdfast.analysis import Change
from gdfast.arguments import harmless
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
    Change.both_reach: "#C7E3DA",
    Change.rescued: "#009E73",
    Change.broken: "#D55E00",
    Change.neither_reaches: "#DADADA",
}
LINE_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
BASIN_COLOURS = ["#009E73", "#56B4E9", "#E69F00", "#CC79A7", "#0072B2", "#D55E00", "#999933", "#882255"]
DASHES = ["-", "--", "-.", ":"]

outcome_colormap = ListedColormap(list(OUTCOME_COLOURS.values()))
outcome_norm = BoundaryNorm([o - 0.5 for o in Outcome] + [len(Outcome) - 0.5], len(Outcome))
change_colormap = ListedColormap(list(CHANGE_COLOURS.values()))
change_norm = BoundaryNorm([c - 0.5 for c in Change] + [len(Change) - 0.5], len(Change))


def literal(text: object) -> str:
    """A text of a user's, such as the name of a column, so that it is drawn as it is and not read as a formula."""
    return harmless(str(text)).replace("$", r"\$")


def line_style(i: int) -> dict[str, Any]:
    """Colour and dash of the i-th of several lines; the two repeat with different periods."""
    return {"color": LINE_COLOURS[i % len(LINE_COLOURS)], "linestyle": DASHES[i % len(DASHES)]}


def new_axes(ax: Axes | None, width: float = 5.2, height: float = 3.6) -> Axes:
    """The given axes, or those of a new pyplot figure.

    Raises
    ------
    TypeError
        If `ax` is neither None nor axes of matplotlib.
    """
    if ax is not None:
        return arguments.instance("ax", ax, Axes, "axes of matplotlib")
    import matplotlib.pyplot as plt

    return plt.figure(figsize=(width, height), dpi=120, layout="constrained").subplots()


def outcome_patches(present: Iterable[int]) -> list[Patch]:
    """Legend entries of the outcomes that are present."""
    here = set(present)
    return [patch(OUTCOME_COLOURS[o], o.name) for o in Outcome if int(o) in here]


def change_patches(present: Iterable[int]) -> list[Patch]:
    """Legend entries of the changes that are present."""
    here = set(present)
    return [patch(CHANGE_COLOURS[c], c.name) for c in Change if int(c) in here]


def patch(colour: Any, name: str) -> Patch:
    """A legend's entry, an underscore in its name shown as a space."""
    return Patch(facecolor=colour, edgecolor="#777777", linewidth=0.5, label=literal(name.replace("_", " ")))


def outcome_legend(figure: Figure, present: set[int], left: bool = False, **options: Any) -> None:
    """Put one legend of the outcomes that are present under a figure's panels, and of the hatching if there is any.

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
    hatched = [Patch(facecolor="white", edgecolor="#555555", linewidth=0.5, hatch="/////", label="leaves again")]
    legend_below(figure, outcome_patches(codes) + (hatched if left else []), **options)


def legend_below(figure: Figure, patches: list[Patch], **options: Any) -> None:
    """Put a legend under a figure's panels."""
    defaults = {"loc": "outside lower center", "ncols": max(1, min(6, len(patches))), "frameon": False}
    figure.legend(handles=patches, **{**defaults, **options})
