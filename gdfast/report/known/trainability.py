"""The boundary of trainability of small networks, and its dimension."""

from functools import partial

from matplotlib.figure import Figure

from gdfast import optimizers
from gdfast.boundary.dimension import boundary, box_counts, dimension
from gdfast.boundary.figures import boundary_map
from gdfast.boundary.planes import CONDITIONS, PUBLISHED, Frame, zoom
from gdfast.report.draw import panes
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.lab import Lab

MARGIN = 0.25


def find(lab: Lab) -> Found:
    """The dimension under each of the six conditions, from images at ever closer places of the boundary."""
    resolution, frames = (64, 2) if lab.quick else (128, 4)
    compared, firsts = [], {}
    for name in PUBLISHED:
        condition = CONDITIONS[name]
        images = [*zoom(condition, optimizers.gd(), condition.view(resolution), frames, progress=False)]
        found = dimension([box_counts(boundary(frame.image)) for frame in images])
        compared.append(Compared(f"dimension, {name}", condition.published, found.median, MARGIN, "absolute"))
        firsts[name] = images[0]._replace(result=None)  # type: ignore[arg-type]  # a figure's process needs no more
    return Found(
        compared,
        partial(_draw, firsts),
        [f"Width 8, 100 steps, {resolution} × {resolution} pixels, {frames} images, each ten times closer."],
        reason="The paper's images have 4096 × 4096 pixels, of width 16, at places chosen by hand, where the "
        "boundary is roughest; here a place is drawn, and much of the boundary is smooth: `gdfast boundary --follow "
        "densest` goes to the roughest places, and finds 1.1 to 1.8.",
    )


def _draw(frames: dict[str, Frame]) -> Figure:
    figure, axes = panes(2, 3, 4.2, 3.8)
    for ax, (name, frame) in zip(axes, frames.items(), strict=True):
        boundary_map(ax, frame.image, frame.view, CONDITIONS[name])
        ax.set_title(name, fontsize=10)
    return figure


KNOWN = Known(
    "trainability",
    "The boundary of trainability is a fractal, of dimension 1.17 to 1.98 by condition",
    "Sohl-Dickstein 2024, arXiv 2402.06184",
    "One hidden layer, gradient descent, learning rate of the first layer × that of the last; the median of box "
    "counting's slopes over scales and images.",
    find,
)
