"""Transforms on arrays: what they make of many vectors at once, as kernels compute it."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.arrays import computed, reduced
from gdfast.formulas.elementary import Array
from gdfast.formulas.noise import KEY, standard_normal, uniform
from gdfast.transforms._transform import Transform


def changed(
    transform: Transform,
    at: Sequence[Array],
    memory: Sequence[Array],
    rate: Array,
    row: Array,
    number: NDArray[np.int64],
    arrays: NDArray[np.int64],
) -> list[Array]:
    """Return the gradient, the point to take it at, or the point with state slots and scalars, that a transform makes.

    Parameters
    ----------
    transform : Transform
        The transform.
    at : sequence of ndarray
        Point and gradient, ``dtype[d, n]``; of a transform of the point also where the update began.
    memory : sequence of ndarray
        Its state slots, ``dtype[d, n]``, and scalars, ``dtype[n]``.
    rate : ndarray
        Learning rates, ``dtype[1 or d, n]``.
    row : ndarray
        Its coefficients.
    number : ndarray
        Which trajectory each is, ``int64[n]``, of which noise is.
    arrays : ndarray
        Which arrays of parameters the coordinates are of, as a problem tells it.
    """
    slots, scalars = memory[: len(transform.state)], memory[len(transform.state) :]
    given, key = (row[: -len(KEY)], row[-len(KEY) :]) if transform.noisy else (row, row)
    whole = [at[0] if transform.after or transform.elsewhere else at[1], *slots]
    last = [*scalars]
    for places in _parts(transform, arrays):
        here = [*(each[places] for each in (*at, *slots)), *scalars, rate[places] if len(rate) > 1 else rate]
        sums = reduced(transform, tuple(here), given, rounds=len(at[0]) if transform.rounds else 0)
        if transform.noisy:
            rows = [_random(transform, key, number, i) for i in np.arange(len(at[0]))[places]]
            sums.append(np.stack(rows).astype(rate.dtype, copy=False))
        new = computed(transform.rule, transform.results, *here, *sums, *given)
        last = [each[0] for each in new[len(whole) :]]
        whole = [_with(old, places, part) for old, part in zip(whole, new, strict=False)]
    return [*whole, *last]


def _random(transform: Transform, key: Array, number: NDArray[np.int64], coordinate: int) -> Any:
    """The random numbers of a coordinate."""
    if transform.drawn == "noise":
        return standard_normal(key, number, coordinate)
    with np.errstate(over="ignore"):  # integers wrap around
        return uniform(key[0], key[1], key[2], number, coordinate)


def _with(old: Array, places: Any, part: Array) -> Array:
    """What has other values at some places."""
    if isinstance(places, slice):
        return part
    new = old.copy()
    new[places] = part
    return new


def _parts(transform: Transform, arrays: NDArray[np.int64]) -> Iterator[Any]:
    """The places of the coordinates, once for each of what norms and sums are over; all of them are a slice."""
    if transform.over == "all":
        yield slice(None) if transform.of == "all" else np.flatnonzero(arrays[:, 1])
        return
    first, d = 0, len(arrays)
    while first < d:
        size, rows, columns = (int(count) for count in arrays[first])
        parts = columns if transform.over == "units" else int(transform.of == "all" or rows > 0)
        for part in range(parts):
            yield np.arange(first + part, first + size, parts)
        first += size
