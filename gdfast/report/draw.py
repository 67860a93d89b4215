"""What several chapters' figures share."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def panes(rows: int, columns: int, width: float = 5.0, height: float = 3.6) -> tuple[Figure, list[Axes]]:
    """A figure of equal axes, row by row."""
    figure = Figure(figsize=(width * columns, height * rows), dpi=110, layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def one_legend(axes: Sequence[Axes]) -> None:
    """Leave the legend of the first axes only, where all have the same lines."""
    for ax in axes[1:]:
        legend = ax.get_legend()
        if legend:
            legend.remove()
