"""Starts as people name them: on axes of the coordinates, or of a network's initialization."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gdfast import arguments, grids, memory
from gdfast.formulas.elementary import Array
from gdfast.problems import Problem

_BYTES = 40  # of a value while grids are made of it: measured are four to five copies
_OF_NETWORKS = "; its initialization is init=he_normal/zeros, gain=0.5:2:4, bias=0/0.1, seed=0:31:32"


def named(subject: Problem, starts: Any) -> Any:
    """Return the starts that texts name, ``"x=-1:1:3"`` or several of them; anything else as it is.

    Raises
    ------
    ValueError
        If a text names none.
    """
    texts = [starts] if isinstance(starts, str) else starts
    if isinstance(texts, list | tuple) and texts and all(isinstance(axis, str) for axis in texts):
        return starts_on(subject, grids.parse_starts(texts))
    return starts


def starts_on(subject: Problem, axes: Mapping[str, Array] | Sequence[Array]) -> Any:
    """Return the starts on a grid of axes in the order of the coordinates or by their names, or none without axes.

    One number, without a name, is that of all coordinates.

    Raises
    ------
    ValueError
        If there is not one axis a coordinate, or the starts do not fit into memory.
    """
    if isinstance(axes, Mapping) and hasattr(subject, "starts_along") and not axes.keys() <= {*subject.coordinates}:
        return subject.starts_along(axes)
    if isinstance(axes, Mapping):
        for name in axes:
            arguments.choice("start: coordinate", name, subject.coordinates)
        axes = [axes[name] for name in subject.coordinates if name in axes]
    elif len(axes) == 1 and len(axes[0]) == 1:
        return np.full((1, subject.dimension), axes[0][0])
    if axes and len(axes) != subject.dimension:
        raise ValueError(
            f"start must be given once a coordinate, {subject.dimension} times for {subject.label}, or be one number "
            f"for all, not {len(axes)}" + (_OF_NETWORKS if hasattr(subject, "starts_along") else "")
        )
    return grid_of(axes) if axes else None


def grid_of(axes: Sequence[Array]) -> Array:
    """All combinations of the values of some axes, ``float64[m, d]``, the last axis fastest.

    Raises
    ------
    ValueError
        If they do not fit into memory.
    """
    count = math.prod(len(axis) for axis in axes)
    memory.fits(f"start: {count:,} starts", _BYTES * count * len(axes))
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
