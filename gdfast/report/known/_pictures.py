"""Pictures of curves beside what was published of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from gdfast.plot.style import line_style
from gdfast.report.draw import panes

Curves = Mapping[str, tuple[ArrayLike, ArrayLike]]
PUBLISHED: dict[str, Any] = {"color": "#777777", "linewidth": 1.2, "linestyle": "--"}
"""How what was published is drawn."""


def curves(ax: Axes, ours: Curves, published: Curves | None = None, **axes: Any) -> None:
    """Draw curves, x and y by name, those of the run in colours and the published ones dashed in grey."""
    for i, (name, (x, y)) in enumerate(ours.items()):
        ax.plot(x, y, label=name, **line_style(i, name))
    for name, (x, y) in (published or {}).items():
        ax.plot(x, y, label=name, **PUBLISHED)
    ax.set(**axes)
    ax.legend(fontsize=8, frameon=False)


def one_pane(ours: Curves, published: Curves | None = None, **axes: Any) -> Figure:
    """A figure of such curves."""
    figure, (ax,) = panes(1, 1, 6.5, 3.8)
    curves(ax, ours, published, **axes)
    return figure


def several_panes(panels: Sequence[tuple[Curves, Curves | None, Mapping[str, Any]]]) -> Figure:
    """A figure with several axes of such curves side by side."""
    figure, axes = panes(1, len(panels), 5.2, 3.8)
    for ax, (ours, published, named) in zip(axes, panels, strict=True):
        curves(ax, ours, published, **named)
    return figure
