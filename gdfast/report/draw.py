"""What several chapters' figures share."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def panes(rows: int, columns: int, width: float = 5.0, height: float = 3.6) -> tuple[Figure, list[Axes]]:
    """A figure of equal axes, row by row."""
    figure = Figure(figsize=(width * columns, height * rows), dpi=110, layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def shared_legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """Put the legend of the first axes under the figure, and remove it from all, which have the same lines."""
    handles, labels = axes[0].get_legend_handles_labels()
    for ax in axes:
        legend = ax.get_legend()
        if legend:
            legend.remove()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(6, len(labels)), frameon=False, fontsize=9)
