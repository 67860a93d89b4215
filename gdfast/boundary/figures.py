"""Images of a signed measure, in the colours of arXiv 2402.06184, and what is found of their boundary.

What converges is blue to green, what does not is red to yellow, each the paler the quicker; the values of each sign
are spread evenly over its colours, by their rank, and have the darkest one where all are the same.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.image import AxesImage
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from gdfast.boundary.dimension import BoxCounts
from gdfast.boundary.planes import Condition, View
from gdfast.formulas.elementary import Array
from gdfast.plot.style import LINE_COLOURS

COLOURS = "Spectral"
_PALEST = 0.25


def equalized(image: Array) -> Array:
    """Spread an image's values over −1 … −¼ and ¼ … 1 by rank, the signs turned: what converges is above 0."""
    out = np.empty(image.shape)
    for side, sign in ((image < 0, 1.0), (~(image < 0), -1.0)):
        _, rank = np.unique(-sign * image[side], return_inverse=True)
        most = rank.max(initial=0)
        out[side] = sign * (_PALEST + (1 - _PALEST) * (rank / most if most else 1.0))
    return out


def pixels(image: Array) -> NDArray[np.uint8]:
    """The colours of an image ``(h, w)``, one pixel a value, the first row at the bottom: ``uint8[h, w, 3]``."""
    colours = matplotlib.colormaps[COLOURS](equalized(image)[::-1] / 2 + 0.5, bytes=True)
    return np.asarray(colours[..., :3])


def boundary_map(ax: Axes, image: Array, view: View, condition: Condition) -> AxesImage:
    """Draw an image onto axes whose labels are the hyperparameters."""
    (x, y), (width, height) = view.center, view.span
    shown = ax.imshow(
        pixels(image),
        extent=(x - width / 2, x + width / 2, y - height / 2, y + height / 2),
        aspect="auto",
        interpolation="nearest",
    )
    for axis, kind in ((ax.xaxis, condition.x), (ax.yaxis, condition.y)):
        axis.set_label_text(f"log₁₀ {kind.label}" if kind.logarithmic else kind.label)
    return shown


def colour_scale(ax: Axes, condition: Condition) -> Colorbar:
    """Put the colours of both sides beside an image, and return them."""
    half = np.linspace(_PALEST, 1.0, 128)
    colours = ListedColormap(matplotlib.colormaps[COLOURS](np.concatenate([-half[::-1], half]) / 2 + 0.5))
    palest, darkest = condition.ends
    bar = ax.figure.colorbar(ScalarMappable(Normalize(-1, 1), colours), ax=ax, ticks=[-1, 0, 1])
    bar.ax.set_yticklabels([darkest, palest, darkest])
    return bar


def box_counting(ax: Axes, counts: Sequence[BoxCounts], labels: Sequence[str]) -> Axes:
    """Draw N over s for each image, with the line that fits it best."""
    for place, (each, label) in enumerate(zip(counts, labels, strict=True)):
        colour = LINE_COLOURS[place % len(LINE_COLOURS)]
        slope, error = each.fit
        none = "too few scales to fit a line" if each.counts.all() else "no boundary"
        name = f"{label}: {slope:.2f} ± {error:.2f}" if np.isfinite(slope) else f"{label}: {none}"
        some = each.counts > 0
        ax.plot(each.sizes[some], each.counts[some], "o", color=colour, label=name)
        if np.isfinite(slope):
            middle = np.exp(np.log(each.counts).mean())
            ax.plot(each.sizes, middle * (each.sizes / np.exp(np.log(each.sizes).mean())) ** -slope, color=colour)
    ax.set_xscale("log")
    if any((each.counts > 0).any() for each in counts):
        ax.set_yscale("log")
    ax.set_xticks(counts[0].sizes, [str(size) for size in counts[0].sizes])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("side s of the boxes, in pixels")
    ax.set_ylabel("boxes with a boundary, N(s)")
    ax.legend(title="slope and its standard error", fontsize="small")
    return ax


def animate(frames: Sequence[tuple[View, Array]], path: Path, between: int = 8, milliseconds: int = 60) -> None:
    """Write a zoom as a GIF: from each frame to the next in `between` steps of the same factor.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    from PIL import Image

    pictures = [Image.fromarray(pixels(image)) for _, image in frames]
    shown = []
    for (view, _), (closer, _), picture in zip(frames[:-1], frames[1:], pictures[:-1], strict=True):
        n, factor = view.resolution, view.span[0] / closer.span[0]
        # Where the next view lies in this one, from the top left, in pixels.
        left = n * (0.5 + (closer.center[0] - view.center[0] - closer.span[0] / 2) / view.span[0])
        top = n * (0.5 - (closer.center[1] - view.center[1] + closer.span[1] / 2) / view.span[1])
        for step in range(between):
            side = factor ** (-step / between)
            way = (1 - side) / (1 - 1 / factor)
            x, y = np.clip([left * way, top * way], 0, n * (1 - side))  # a view may reach beyond the one before
            box = (x, y, min(x + n * side, n), min(y + n * side, n))
            shown.append(picture.resize((n, n), Image.Resampling.NEAREST, box=box))
    shown.append(pictures[-1])
    durations = [milliseconds] * (len(shown) - 1) + [20 * milliseconds]
    shown[0].save(path, save_all=True, append_images=shown[1:], duration=durations, loop=0)
