"""The boundary between convergence and divergence in an image, and its box-counting dimension.

An image holds a signed value for each pixel, such as `gdfast.measures.convergence`. Its boundary are the 2×2
neighbourhoods with values of both signs. N(s) is how many boxes of side s the boundary needs; where it is a fractal of
dimension D, N(s) ~ s^−D. Here N(s) is the mean over all places of the grid of boxes: the share of the boxes of side s
inside the image that the boundary enters, times how many boxes cover the image. This has no jumps where s does not
divide the image, and no boxes cut by its edge; a grid at one place, as usual, scatters by some 0.05 about it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.formulas.elementary import Array

_SMALLEST, _LARGEST_SHARE = 2, 1 / 16
"""Sides of boxes go from 2, since pixels are not points, up to a 16th of the image, beyond which few boxes differ."""


def boundary(image: Array) -> NDArray[np.bool_]:
    """Return which 2×2 neighbourhoods of an image ``(h, w)`` have values of both signs, ``bool[h - 1, w - 1]``."""
    image = _image(image)
    corners = image[1:, 1:], image[1:, :-1], image[:-1, 1:], image[:-1, :-1]
    found: NDArray[np.bool_] = (np.minimum.reduce(corners) < 0) & (np.maximum.reduce(corners) > 0)
    return found


def _image(image: Array) -> Array:
    values = arguments.array("image", image, "(h, w)")
    if values.ndim != 2 or min(values.shape) < 2:
        raise ValueError(f"image must have shape (h, w) with h, w >= 2, not {values.shape}")
    return values


class BoxCounts(NamedTuple):
    """How many boxes it takes to cover the boundary of an image.

    Attributes
    ----------
    sizes : ndarray
        Sides of the boxes in pixels, powers of two, ``int64[k]``.
    counts : ndarray
        N, ``float64[k]``.
    """

    sizes: NDArray[np.int64]
    counts: Array

    @property
    def slopes(self) -> Array:
        """The dimension between each scale and the next, ``float64[k - 1]``; NaN where there is no boundary."""
        with np.errstate(all="ignore"):
            return np.asarray(-np.diff(np.log2(self.counts)) / np.diff(np.log2(self.sizes)))

    @property
    def fit(self) -> tuple[float, float]:
        """The dimension over all scales by least squares, and its standard error; NaN where there is no boundary."""
        if not self.counts.all() or len(self.counts) < 3:
            return float("nan"), float("nan")
        scale, count = np.log2(self.sizes), np.log2(self.counts)
        distance = scale - scale.mean()
        slope = (distance * count).sum() / (distance**2).sum()
        rest = count - count.mean() - slope * distance
        return -float(slope), float(np.sqrt((rest**2).sum() / (len(count) - 2) / (distance**2).sum()))


def box_counts(cells: NDArray[np.bool_]) -> BoxCounts:
    """Count the boxes that cover a set of cells ``bool[h, w]``, over all scales that the image has.

    Raises
    ------
    ValueError
        If the image is too small for two scales.
    """
    largest = round(min(cells.shape) * _LARGEST_SHARE)  # an image of 512 has 511 neighbourhoods
    if largest < 2 * _SMALLEST:
        raise ValueError(f"cells must be at least {round(2 * _SMALLEST / _LARGEST_SHARE)} a side, not {cells.shape}")
    sizes = 2 ** np.arange(int(np.log2(_SMALLEST)), int(np.log2(largest)) + 1)
    sums = np.pad(np.cumsum(np.cumsum(cells, axis=0, dtype=np.int64), axis=1), ((1, 0), (1, 0)))
    entered = [(sums[s:, s:] - sums[:-s, s:] - sums[s:, :-s] + sums[:-s, :-s] > 0).mean() for s in sizes]
    return BoxCounts(sizes, np.array(entered) * (cells.size / sizes**2))


class Dimension(NamedTuple):
    """A dimension over scales and images: the median of the slopes, and the middle half of them, low to high."""

    median: float
    low: float
    high: float
    images: int


def dimension(counts: Sequence[BoxCounts]) -> Dimension:
    """Return the median over scales and images of the box-counting slopes, and their quartiles.

    Images without a boundary, and those too small for three scales, are left out; all is NaN if there is no other.
    """
    found = [each.slopes for each in counts if np.isfinite(each.fit).all()]
    if not found:
        return Dimension(np.nan, np.nan, np.nan, 0)
    low, middle, high = np.percentile(np.concatenate(found), [25, 50, 75])
    return Dimension(float(middle), float(low), float(high), len(found))
