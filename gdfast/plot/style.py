"""Colours and legends that all figures share.

Outcome colours are from Okabe & Ito's palette for colour-blind readers, with a light and a dark grey for what is
neither good nor special; they differ in lightness too.
"""

from typing import Any

from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from gdfast.outcomes import Outcome

OUTCOME_COLOURS = {
    Outcome.not_run: "#ffffff",
    Outcome.global_minimum: "#009E73",
    Outcome.local_minimum: "#56B4E9",
    Outcome.stalled: "#CC79A7",
    Outcome.oscillating: "#F0E442",
    Outcome.unfinished: "#DADADA",
    Outcome.diverged: "#3B3B3B",
}
LINE_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]

outcome_colormap = ListedColormap(list(OUTCOME_COLOURS.values()))
outcome_norm = BoundaryNorm([o - 0.5 for o in Outcome] + [len(Outcome) - 0.5], len(Outcome))


def outcome_patches(present: set[int]) -> list[Patch]:
    """Legend entries of the outcomes that are present."""
    return [
        Patch(
            facecolor=OUTCOME_COLOURS[o],
            edgecolor="#777777",
            linewidth=0.5,
            label=o.name.replace("_", " "),
        )
        for o in Outcome
        if int(o) in present
    ]


def outcome_legend(figure: Figure, present: set[int], **options: Any) -> None:
    """Put one legend of the outcomes that are present under a figure's panels."""
    patches = outcome_patches(present)
    defaults = {"loc": "outside lower center", "ncols": min(6, len(patches)), "frameon": False}
    figure.legend(handles=patches, **{**defaults, **options})
