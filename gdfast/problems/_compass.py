"""Compass search: minima without a slope that leads to them, or with a kink, which Newton's method does not find."""

from collections.abc import Callable

import numpy as np

from gdfast.formulas.elementary import Array

Field = Callable[[Array], Array]

_DESCENTS, _HALVINGS, _MOVES = 64, 44, 64  # how many, how often its step is halved, moves each
_FIRST_STEP = 2.0**-4  # share of the domain's width
_RESOLUTION = 2.0**-45  # share of it to which a place is known
_SAME_LEVEL = 1e-9  # share of the range of losses by which those of a level may differ
_LEVELS = 2.0 ** np.array([4, 14, 24])  # above rounding: at which one looks how far away a loss is so high
_AS_A_POWER = 1.3  # times as far from the second to the third as from the first to the second: so of a power up to 26


def lowest_inside(loss: Field, domain: Array, points: Array, known: float) -> tuple[Array, float] | None:
    """Return the lowest minimum inside a domain with its loss, if it is lower than what is known.

    Parameters
    ----------
    loss : callable
        From points ``(d, n)`` to losses.
    domain, points : ndarray
        ``float64[d, 2]``, and where it is begun, ``float64[d, n]``.
    known : float
        The loss of the lowest minimum that is known; +∞ if none is.
    """
    low, high = domain[:, :1], domain[:, 1:]
    width = high - low
    values = _values(loss, points)
    typical = float(np.median(values))
    chosen = np.argsort(values, kind="stable")[:_DESCENTS]
    points, values = descend(loss, domain, points[:, chosen], values[chosen])
    inside = ((points > low + 1e-6 * width) & (points < high - 1e-6 * width)).all(axis=0)
    if not inside.any() or not np.isfinite(typical):
        return None
    index = int(np.flatnonzero(inside)[np.argmin(values[inside])])
    lowest = float(values[index])
    # Lower at the border of the domain, the loss has no lowest minimum inside; and not lower, it is known.
    slack = _SAME_LEVEL * max(typical - lowest, 0.0)
    if values.min() < lowest - slack or not (lowest < known - slack or not np.isfinite(known)) or typical <= lowest:
        return None
    return None if falls_to_a_limit(loss, domain, points[:, index]) else (points[:, index], lowest)


def descend(loss: Field, domain: Array, points: Array, values: Array) -> tuple[Array, Array]:
    """Go from each point to lower ones along the coordinates, inside a domain, by ever smaller steps."""
    points, values = points.copy(), values.copy()
    low, high = domain[:, :1, None], domain[:, 1:, None]
    directions = np.hstack([np.eye(len(domain)), -np.eye(len(domain))])
    for halving in range(_HALVINGS):
        moves = (high[..., 0] - low[..., 0]) * _FIRST_STEP * 2.0**-halving * directions
        for _ in range(_MOVES):
            tried = np.clip(points[:, :, None] + moves[:, None, :], low, high)
            there = _values(loss, tried.reshape(len(domain), -1)).reshape(points.shape[1], -1)
            best = there.argmin(axis=1)
            lanes = np.flatnonzero(there.min(axis=1) < values)
            if not lanes.size:
                break
            points[:, lanes], values[lanes] = tried[:, lanes, best[lanes]], there[lanes, best[lanes]]
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
