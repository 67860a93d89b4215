"""From trajectories to pixels: the most frequent outcome of each pixel and the median steps to it.

A result may be far larger than memory, so it is read in slabs. A slab holds every trajectory of its pixels, so that
what is counted in it is final: each trajectory is counted, and none is kept.
"""

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfast.analysis._results import outcomes
from gdfast.formulas.elementary import Array
from gdfast.storing.result import DIMENSIONS
from gdfast.tiles.outcomes import Outcome

if TYPE_CHECKING:
    import xarray

_SLAB = 2**22  # trajectories read at a time: some hundred megabytes with what is computed of them
_LONGEST_BUDGET = 2**20
Places = dict[str, NDArray[np.int64]]


class Along(NamedTuple):
    """How a dimension of a result is laid along an axis of pixels: the pixel of each index, and how many there are."""

    dimension: str
    pixel: NDArray[np.int64]
    pixels: int


def reduce(result: "xarray.Dataset", x: Along, y: Along, steps: bool) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
    """Reduce a result to pixels.

    Parameters
    ----------
    result : xarray.Dataset
        Over `DIMENSIONS`, in this order.
    x, y : Along
        The axes of pixels.
    steps : bool
        Whether the steps are wanted; they are zero if not.

    Returns
    -------
    outcome : ndarray
        ``int8[nx, ny]``, the most frequent outcome, of several as frequent the later one; `not_run` where there is no
        trajectory.
    steps : ndarray
        ``int32[nx, ny]``, the median steps of the trajectories that ended so, the lower one of two.
    """
    outcome = np.full((x.pixels, y.pixels), Outcome.not_run, dtype=np.int8)
    median = np.zeros(outcome.shape, dtype=np.int32)
    for places in _slabs(dict(zip(DIMENSIONS, result.outcome.shape, strict=True)), x, y):
        slab = result[["outcome", *(["steps"] if steps else [])]].isel({n: _slice(p) for n, p in places.items()})
        ends = outcomes("result", slab)
        pixel, columns, rows = _pixels_of(places, x, y)
        frequent, any_here = _most_frequent(pixel, ends.ravel(), len(columns) * len(rows))
        at = np.flatnonzero(any_here)
        where = columns[at // len(rows)], rows[at % len(rows)]
        outcome[where] = frequent[at]
        if steps:
            shown = np.flatnonzero(ends.ravel() == frequent[pixel])
            middle = _medians(pixel[shown], slab.steps.values.ravel()[shown], len(frequent))
            median[where] = middle[at]
    return outcome, median


def medians(
    result: "xarray.Dataset", variable: "str | Callable[[xarray.Dataset], xarray.DataArray]", x: Along, y: Along
) -> Array:
    """Return the median of a variable at each pixel, the lower one of two, ``float64[nx, ny]``; NaN where none is.

    What is not a number does not count, unless nothing else is there. In place of a variable there may be a function of
    a result. The other parameters are those of `reduce`.
    """
    image = np.full((x.pixels, y.pixels), np.nan)
    for places in _slabs(dict(zip(DIMENSIONS, result.outcome.shape, strict=True)), x, y):
        slab = {name: _slice(place) for name, place in places.items()}
        shown = variable(result.isel(slab)) if callable(variable) else result[variable].isel(slab)
        values = shown.values.astype(np.float64)
        pixel, columns, rows = _pixels_of(places, x, y)
        counted = np.flatnonzero(~np.isnan(values.ravel()))
        pixel, values = pixel[counted], values.ravel()[counted]
        at, middle = _middles(pixel, len(columns) * len(rows))
        image[columns[at // len(rows)], rows[at % len(rows)]] = values[np.lexsort((values, pixel))[middle]]
    return image


def _most_frequent(
    pixel: NDArray[np.int64], ends: NDArray[np.int8], n: int
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    kinds = len(Outcome)
    counts = np.bincount(pixel * kinds + ends, minlength=n * kinds).reshape(n, kinds)
    frequent = kinds - 1 - counts[:, ::-1].argmax(axis=1)
    return frequent.astype(np.int8), counts.sum(axis=1) > 0


def _medians(pixel: NDArray[np.int64], steps: NDArray[np.int32], n: int) -> NDArray[np.int32]:
    """The lower median of the steps of each pixel, 0 where there are none."""
    order = np.sort((pixel << 32) + steps)  # by pixel, then by steps
    at, middle = _middles(pixel, n)
    found = np.zeros(n, dtype=np.int32)
    found[at] = order[middle] & 0xFFFFFFFF
    return found


def _middles(pixel: NDArray[np.int64], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pixels that occur, and where in the order by pixels the lower middle one of each stands."""
    many = np.bincount(pixel, minlength=n)
    at = np.flatnonzero(many)
    return at, (np.cumsum(many) - many + (many - 1) // 2)[at]


def quickest(result: "xarray.Dataset", settled: NDArray[np.int8], share: float) -> int:
    """The steps within which this share of the trajectories that ended in one of the given outcomes did."""
    counts = np.zeros(_LONGEST_BUDGET + 1, dtype=np.int64)
    sizes = dict(zip(DIMENSIONS, result.outcome.shape, strict=True))
    first = Along("optimizer", np.arange(sizes["optimizer"]), sizes["optimizer"])
    second = Along("learning_rate", np.arange(sizes["learning_rate"]), sizes["learning_rate"])
    for places in _slabs(sizes, first, second):
        slab = result[["outcome", "steps"]].isel({n: _slice(p) for n, p in places.items()})
        steps = slab.steps.values[np.isin(slab.outcome.values, settled)]
        counts += np.bincount(np.minimum(steps, _LONGEST_BUDGET), minlength=len(counts))
    upto = np.cumsum(counts)
    if not upto[-1]:
        return 1
    place = share * (upto[-1] - 1)
    low, high = (int(np.searchsorted(upto, index, side="right")) for index in (math.floor(place), math.ceil(place)))
    return int(low + (place - math.floor(place)) * (high - low))


def _slabs(sizes: dict[str, int], x: Along, y: Along) -> Iterator[Places]:
    """Cut a result into slabs that hold all trajectories of their pixels, along what is stored the farthest apart."""
    everything = {name: np.arange(size) for name, size in sizes.items()}
    first, *second = sorted({x.dimension, y.dimension}, key=DIMENSIONS.index)
    for places in _cut(everything, first, x, y):
        if second and _cells(places) > _SLAB:
            yield from _cut(places, second[0], x, y)
        else:
            yield places


def _cut(places: Places, dimension: str, x: Along, y: Along) -> Iterator[Places]:
    key = np.zeros(len(places[dimension]), dtype=np.int64)
    for axis in (x, y):
        if axis.dimension == dimension:
            key = key * axis.pixels + axis.pixel[places[dimension]]
    order = np.argsort(key, kind="stable")
    ends = [*(np.flatnonzero(np.diff(key[order])) + 1), len(order)]
    each = _cells(places) // len(order)
    begin = end = 0
    for following in ends:
        if (following - begin) * each > _SLAB and end > begin:
            yield {**places, dimension: np.sort(places[dimension][order[begin:end]])}
            begin = end
        end = following
    yield {**places, dimension: np.sort(places[dimension][order[begin:end]])}


def _cells(places: Places) -> int:
    return math.prod(len(place) for place in places.values())


def _slice(places: NDArray[np.int64]) -> slice | NDArray[np.int64]:
    """Places that follow each other as a slice, which is read without a detour."""
    first, last = int(places[0]), int(places[-1])
    return slice(first, last + 1) if last - first == len(places) - 1 else places


def _pixels_of(places: Places, x: Along, y: Along) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The number of each trajectory's pixel among those of a slab, row by row; and the slab's columns and rows."""
    columns, of_x = np.unique(x.pixel[places[x.dimension]], return_inverse=True)
    rows, of_y = np.unique(y.pixel[places[y.dimension]], return_inverse=True)
    pixel = (_beside(of_x, x.dimension) * len(rows) + _beside(of_y, y.dimension)).astype(np.int64)
    return np.broadcast_to(pixel, [len(places[name]) for name in DIMENSIONS]).ravel(), columns, rows


def _beside(pixel: NDArray[np.int64], dimension: str) -> NDArray[np.int64]:
    return pixel.reshape([-1 if name == dimension else 1 for name in DIMENSIONS])
