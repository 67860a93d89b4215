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
from gdfast.report.words import listed

MARGIN = 0.25
WAYS = {"drawn": "at drawn points", "densest": "at the densest places"}
"""How the points are chosen that a zoom goes to, and how that is said."""


def find(lab: Lab) -> Found:
    """The dimension under each of the six conditions, at ever closer places, which are chosen in two ways."""
    resolution, frames = (128, 2) if lab.quick else (128, 8)
    compared, firsts, between = [], {}, []
    for name in PUBLISHED:
        condition, medians = CONDITIONS[name], []
        for follow, said in WAYS.items():
            view = condition.view(resolution)
            images = [*zoom(condition, optimizers.gd(), view, frames, follow=follow, progress=False)]
            firsts[name] = images[0]._replace(result=None)  # type: ignore[arg-type]  # a figure's process needs no more
            medians.append(dimension([box_counts(boundary(frame.image)) for frame in images]).median)
            compared.append(Compared(f"{name}, {said}", condition.published, medians[-1], MARGIN, "absolute"))
        if medians[0] <= condition.published <= medians[1]:
            between.append(name)
    return Found(
        compared,
        partial(_draw, firsts),
        [
            f"Width 8, 100 steps, {resolution} × {resolution} pixels, {frames} images, each ten times closer: at a "
            "point of the boundary that is drawn again in each image, and at the place of it that has the most of it.",
            f"Between the two lie the published figures of {listed(between)}." if between else None,
        ],
        reason="The figure is one of the place that is looked at. Most points of most of these boundaries lie on "
        "smooth lines, of dimension 1, however close one comes; elsewhere what converges and what does not are mixed "
        "at all scales, up to nearly 2. The paper's places are chosen by hand, in neither of the two ways; its width "
        "is 16, and its images have 4096 × 4096 pixels.",
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
