"""Poles: places to which a loss falls without bound, as 1/x does to x = 0 from below, which are no minima."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array

Field = Callable[[Array], Array]

_OCTAVES = 12  # halvings of the distance from a place over which its loss is looked at
_FROM_THERE = 2.0**12  # times what the place is uncertain by: how near one looks
_WIDEST = 2.0**-3  # share of the domain's width beyond which one does not look
_FEWEST = 2.0**4  # times the nearest that the farthest distance must be to tell anything
_STEADY = 0.9  # share of the largest fall that the last one of a pole has: of |x|^p it is 2^(−11 p)
_DIRECTIONS = 64  # none along a coordinate, as lines of poles often are
_BESIDE = 5  # how many of the distances are right beside a place
_RESOLVED = 0.5  # share of a minimum's depth by which the loss right beside it may be higher


def towards_poles(loss: Field, domain: Array, points: Array, uncertain: float) -> NDArray[np.bool_]:
    """Tell to which of the points ``(d, n)`` a loss falls without bound, or is not resolved by floats, ``bool[n]``.

    Each halving of the distance r from a pole makes the loss fall by as much as the one before, if it is one of log r,
    or by more, if it is one of −1/r^p; near to a finite minimum the falls become ever smaller. What counts is the
    lowest loss at each distance, over many directions. Where rounding leaves nothing of a pole but numbers of any size
    and sign, as in 1/(x² − 2x + 1), each place is far below those beside it, in all directions.

    Parameters
    ----------
    loss : callable
        From points ``(d, n)`` to losses.
    domain, points : ndarray
        ``float64[d, 2]`` and the lowest places that were found, ``float64[d, n]``.
    uncertain : float
        By which share of the domain's width they may be beside what they stand for.
    """
    d, n = points.shape
    width = np.ptp(domain, axis=1)
    nearest = _FROM_THERE * np.maximum(uncertain, (np.spacing(np.abs(points)) / width[:, None]).max(axis=0))
    farthest = np.minimum(nearest * 2.0**_OCTAVES, _WIDEST)
    told = farthest >= _FEWEST * nearest
    distances = nearest * (np.maximum(farthest / nearest, 1.0)) ** np.linspace(1.0, 0.0, _OCTAVES + 1)[:, None]
    distances = np.vstack([np.full(n, _WIDEST / 2), distances])  # the first is how deep it is
    random = np.random.default_rng(0)
    directions = random.normal(size=(d, _DIRECTIONS))
    directions *= random.uniform(0.5, 1.0, _DIRECTIONS) / np.linalg.norm(directions, axis=0)
    places = points[:, :, None, None] + (width[:, None] * directions)[:, None, None, :] * distances.T[:, :, None]
    with np.errstate(all="ignore"):
        base = loss(points)
        values = np.asarray(loss(places.reshape(d, -1))).reshape(places.shape[1:])
        higher = values - base[:, None, None]
        deep = np.abs(higher[:, 0])
        depth = np.median(np.where(np.isfinite(deep), deep, np.inf), axis=1)
        values = values[:, 1:]
        lowest = np.where(np.isnan(values), np.inf, values).min(axis=2)
        falls = -np.diff(lowest, axis=1)
        unbounded = (falls > 0).all(axis=1) & (falls[:, -1] >= _STEADY * falls.max(axis=1))
        beside = higher[:, -_BESIDE:].max(axis=1)
        resolved = (beside <= _RESOLVED * depth[:, None]).any(axis=1)
    infinite = (base == -np.inf) | (lowest == -np.inf).any(axis=1)
    return np.asarray(infinite | (told & (unbounded | ~resolved)))
