"""Compass search: minima without a slope that leads to them, or with a kink, which Newton's method does not find."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.problems._poles import towards_poles

Field = Callable[[Array], Array]

_DESCENTS, _MOVES = 64, 64  # how many, and moves each before its step is halved
_WORK = 64 * 100**2  # descents times the square of the coordinates, half of what their moves look at
_STEPS = np.ldexp(1.0, -np.arange(4, 48))  # shares of the domain's width
_FINER_STEPS = np.ldexp(1.0, -np.arange(48, 54))  # of a place that may be a pole
_STEPS_BESIDE = np.ldexp(1.0, -np.arange(28, 54))  # of one that a point is beside
_PRECISION = 2.0**-52  # to which a pole can be known: formulas round in the units of their domain
_SHORT_STEPS = _STEPS[2:]  # of as many descents again, where the lowest places are poles
_RESOLUTION = 2.0**-45  # share of it to which a place is known
_SAME_LEVEL = 1e-9  # share of the range of losses by which those of a level may differ
_LEVELS = 2.0 ** np.array([4, 14, 24])  # above rounding: at which one looks how far away a loss is so high
_AS_A_POWER = 1.3  # times as far from the second to the third as from the first to the second: so of a power up to 26


def lowest_inside(loss: Field, domain: Array, points: Array, known: float) -> tuple[Array, float] | None:
    """Return the lowest minimum inside a domain with its loss, if it is lower than what is known.

    Where the lowest places are poles, minima are searched for besides them, by shorter steps from all over the domain.

    Parameters
    ----------
    loss : callable
        From points ``(d, n)`` to losses.
    domain, points : ndarray
        ``float64[d, 2]``, and where it is begun, ``float64[d, n]``.
    known : float
        The loss of the lowest minimum that is known; +∞ if none is.
    """
    values = _values(loss, points)
    typical = float(np.median(values))
    descents = min(_DESCENTS, max(_WORK // len(domain) ** 2, 1))
    chosen = np.argsort(values, kind="stable")[:descents]
    ends, heights = descend(loss, domain, points[:, chosen], values[chosen])
    lowest = _lowest(domain, ends, heights)
    if lowest is not None and is_pole(loss, domain, ends[:, lowest])[0]:
        chosen = np.linspace(0, points.shape[1] - 1, descents).round().astype(np.int64)
        besides = descend(loss, domain, points[:, chosen], values[chosen], _SHORT_STEPS)
        ends, heights = np.hstack([ends, besides[0]]), np.concatenate([heights, besides[1]])
        others = ~is_pole(loss, domain, ends)
        ends, heights = ends[:, others], heights[others]
        lowest = _lowest(domain, ends, heights)
    if lowest is None or not np.isfinite(typical):
        return None
    height = float(heights[lowest])
    # Lower at the border of the domain, the loss has no lowest minimum inside; and not lower, it is known.
    slack = _SAME_LEVEL * max(typical - height, 0.0)
    if heights.min() < height - slack or not (height < known - slack or not np.isfinite(known)) or typical <= height:
        return None
    return None if falls_to_a_limit(loss, domain, ends[:, lowest]) else (ends[:, lowest], height)


def _lowest(domain: Array, points: Array, values: Array) -> int | None:
    """Which is the lowest of the points inside a domain, None if all are at its border."""
    low, high = domain[:, :1], domain[:, 1:]
    margin = 1e-6 * (high - low)
    inside = np.flatnonzero(((points > low + margin) & (points < high - margin)).all(axis=0))
    return int(inside[np.argmin(values[inside])]) if inside.size else None


def is_pole(loss: Field, domain: Array, points: Array) -> NDArray[np.bool_]:
    """Tell of places ``(d, n)`` where a compass search ended, or of one ``(d,)``, whether they are poles, ``bool[n]``.

    Where they look like one they are searched for more precisely, so that wells are not taken for poles until they are
    as narrow as the rounding of their place.
    """
    points = points.reshape(len(domain), -1)
    poles = towards_poles(loss, domain, points, float(_STEPS[-1]))
    if poles.any():
        finer, _ = descend(loss, domain, points[:, poles], _values(loss, points[:, poles]), _FINER_STEPS)
        poles[poles] = towards_poles(loss, domain, finer, _PRECISION)
    return poles


def poles_beside(loss: Field, domain: Array, points: Array) -> NDArray[np.bool_]:
    """Tell of which points ``(d, n)`` a pole of the loss is so near that to Newton's method it is the same place."""
    if not points.size:
        return np.empty(0, dtype=bool)
    around = domain.mean(axis=1, keepdims=True) + 8.0 * (domain - domain.mean(axis=1, keepdims=True))
    ends, _ = descend(loss, around, points, _values(loss, points), _STEPS_BESIDE)
    return towards_poles(loss, domain, ends, _PRECISION)


def descend(loss: Field, domain: Array, points: Array, values: Array, steps: Array = _STEPS) -> tuple[Array, Array]:
    """Go from each point to lower ones along the coordinates, inside a domain, by ever smaller steps."""
    points, values = points.copy(), values.copy()
    low, high = domain[:, :1, None], domain[:, 1:, None]
    directions = np.hstack([np.eye(len(domain)), -np.eye(len(domain))])
    for step in steps:
        moves = (high[..., 0] - low[..., 0]) * step * directions
        for _ in range(_MOVES):
            tried = np.clip(points[:, :, None] + moves[:, None, :], low, high)
            there = _values(loss, tried.reshape(len(domain), -1)).reshape(points.shape[1], -1)
            best = there.argmin(axis=1)
            lanes = np.flatnonzero(there.min(axis=1) < values)
            if not lanes.size:
                break
            points[:, lanes], values[lanes] = tried[:, lanes, best[lanes]], there[lanes, best[lanes]]
        if (tried == points[:, :, None]).all():  # steps as small as the rounding of the points
            break
    return points, values


def is_lowest_around(loss: Field, domain: Array, point: Array) -> bool:
    """Whether no place near to a point is lower, in any direction, beyond rounding."""
    d, width = len(domain), np.ptp(domain, axis=1)[:, None]
    random = np.random.default_rng(0).normal(size=(d, 256))
    shares = np.repeat([1e-6, 1e-4, 1e-2], 256)
    around = point[:, None] + np.tile(random / np.linalg.norm(random, axis=0), 3) * shares * width
    value = _values(loss, point[:, None])[0]
    return bool((_values(loss, around) >= value - 64 * np.finfo(float).eps * np.abs(value)).all())


def falls_to_a_limit(loss: Field, domain: Array, point: Array) -> bool:
    """Whether a loss comes to a point by nearing a limit, as exp(−x) does at x = 800, where it is 0 by rounding.

    Away from a minimum of the order p it is higher by e at distances like e^(1/p): each doubling of e takes longer than
    the one before. Where it leaves a limit they take the same. That is looked at along each coordinate, a little above
    what rounding is there.
    """
    d, width = len(domain), np.ptp(domain, axis=1)[:, None]
    around = _RESOLUTION * width * np.random.default_rng(0).choice([-1.0, 0.0, 1.0], (d, 64))

    def uncertain(at: Array) -> float:
        """By how much the loss at a place differs from that at those which are the same to the search."""
        with np.errstate(all="ignore"):
            change = np.abs(_values(loss, at[:, None] + around) - _values(loss, at[:, None]))
        return float(change[np.isfinite(change)].max(initial=0.0))

    base = float(_values(loss, point[:, None])[0])
    rounding = max(4 * np.finfo(float).eps * abs(base), uncertain(point), float(np.finfo(float).smallest_subnormal))
    directions = np.hstack([np.diag(width[:, 0]), -np.diag(width[:, 0])])

    def above(shares: Array) -> Array:
        at = point[:, None, None] + directions[:, :, None] * shares
        beyond = ((at < domain[:, :1, None]) | (at > domain[:, 1:, None])).any(axis=0)
        return np.where(beyond, np.inf, _values(loss, at.reshape(d, -1)).reshape(beyond.shape) - base)

    def how_far(heights: Array) -> Array:
        """The distance at which the loss is so high for the first time, as a share of the width, by halving."""
        near_by, far = np.zeros((2 * d, len(_LEVELS))), np.ones((2 * d, len(_LEVELS)))
        for _ in range(60):
            middle = (near_by + far) / 2
            is_higher = above(middle) > heights
            near_by, far = np.where(is_higher, near_by, middle), np.where(is_higher, middle, far)
        return far

    shares = np.zeros((2 * d, 1))
    for _ in range(2):  # at the second time from beyond where the loss leaps, as it does where something overflows
        beside = above(shares[:, :1] + 64 * _RESOLUTION)
        heights = _LEVELS * np.maximum(beside, rounding)
        shares = how_far(heights)
    first, second = np.diff(shares, axis=1).T
    height, ends = above(shares)[:, -1], point[:, None] + directions * shares[:, -1]
    return any(
        rise < np.inf and rise > _LEVELS[0] * uncertain(end)
        for rise, end in zip(height[second < _AS_A_POWER * first], ends.T[second < _AS_A_POWER * first], strict=True)
    )


def _values(loss: Field, points: Array) -> Array:
    """Losses, +∞ where they are not numbers."""
    with np.errstate(all="ignore"):
        return np.asarray(np.nan_to_num(loss(points), nan=np.inf, posinf=np.inf, neginf=-np.inf))
