"""What the maps of a figure show, for pages that tell it under the pointer."""

import weakref
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, to_hex

from gdfast.analysis import Change
from gdfast.formulas.elementary import Array
from gdfast.plot.panels import Panel
from gdfast.plot.style import change_colours, outcome_colours
from gdfast.tiles.outcomes import Outcome


class Scale(NamedTuple):
    """What the numbers of a map are, and the ends of their colours."""

    label: str
    low: float
    high: float
    logarithmic: bool


class Shown(NamedTuple):
    """A map: its panel, the names and colours of the panel's codes, and the scale of its numbers if it shows them."""

    panel: Panel
    names: Sequence[str]
    colours: Sequence[str]
    scale: Scale | None = None
    edges: tuple[Array | None, Array | None] = (None, None)
    """Where the cells of each axis end on the drawn axis, if not halfway between its values."""


_shown: "weakref.WeakKeyDictionary[Axes, Shown]" = weakref.WeakKeyDictionary()


def shown_on(ax: Axes) -> Shown | None:
    """What map was drawn onto axes last; None where none was."""
    return _shown.get(ax)


def note(ax: Axes, shown: Shown) -> None:
    """Note what map was drawn onto axes."""
    _shown[ax] = shown


def outcomes_of(panel: Panel) -> Shown:
    """A map of outcomes."""
    return Shown(panel, [_words(o.name) for o in Outcome], [*map(to_hex, outcome_colours())])


def changes_of(panel: Panel) -> Shown:
    """A map of what became of cells."""
    return Shown(panel, [_words(c.name) for c in Change], [*map(to_hex, change_colours())])


def numbers_of(panel: Panel, label: str, scale: Normalize) -> Shown:
    """A map of numbers."""
    ends = (float(scale.vmin or 0.0), float(scale.vmax or 1.0))
    return outcomes_of(panel)._replace(scale=Scale(label, *ends, isinstance(scale, LogNorm)))


def _words(name: str) -> str:
    return name.replace("_", " ")
