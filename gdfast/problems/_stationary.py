"""Stationary points: found by Newton's method, told apart by the Hessian, recognized at end points."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.problems._compass import descend, falls_to_a_limit, is_lowest_around, is_pole, lowest_inside, poles_beside

Kind = Literal["minimum", "maximum", "saddle", "degenerate"]
Field = Callable[[Array], Array]

_ROUNDS = 80
_PLAIN_ROUNDS = 20  # of them, before the multiplicity of a root is looked at
_STARTS = 4096  # of a search over a domain
_WORK = 2**21  # of them times the cube of the coordinates, which is what a step of Newton's method takes
_ENTRIES = 2**24  # of Hessians that are made at once
FEW = 16  # points that are compared with every end point
_SAME = 1e-5  # points closer than this share of the domain's width are one
_MOST_FLAT = 32  # minima of one loss without curvature; more are those of a curve
_SAME_LEVEL = 1e-9  # share of the range of losses by which those of a level may differ
_SCALES = (1, 8, 64)  # of the domain, around its middle, at which a compass search begins
_BESIDE = 0.05  # share of the domain's width: where one looks whether a degenerate point is one of a line
_SINGULAR = 1e-7  # share of the largest curvature below which one says nothing about the kind
_NEAREST, _FARTHEST = 1e-3, 2e-2  # shares of the domain's width within which an end point is at a stationary point


@dataclass(frozen=True)
class StationaryPoint:
    """A point where the gradient is zero.

    Attributes
    ----------
    point : tuple of float
        Its coordinates.
    kind : str
        ``minimum``, ``maximum``, ``saddle``, or ``degenerate``: the Hessian is singular and it is neither a minimum
        nor a maximum.
    loss : float
        The loss there.
    flattest : float
        Smallest absolute eigenvalue of the Hessian there.

    Examples
    --------
    >>> import gdfast
    >>> [point.kind for point in gdfast.problems.quartic().stationary_points]
    ['minimum', 'minimum', 'maximum']
    """

    point: tuple[float, ...]
    kind: Kind
    loss: float
    flattest: float


def is_inside(point: StationaryPoint, domain: Array) -> bool:
    """Whether a point is inside a domain, rounding aside; one whose coordinates are not known is."""
    if not point.point:
        return True
    at, slack = np.array(point.point), 1e-9 * np.ptp(domain, axis=1)
    return bool(((at >= domain[:, 0] - slack) & (at <= domain[:, 1] + slack)).all())


def find(loss: Field, gradient: Field, hessian: Field, domain: Array, near: Array) -> tuple[StationaryPoint, ...]:
    """Return the stationary points that Newton's method reaches from the points ``near (d, n)``, lowest loss first.

    Points on a plateau, or on a straight line of others, are left out. Of very many minima of one loss without
    curvature, which are those of a curve or a surface, one stands for all.
    """
    width = float(np.ptp(domain, axis=1).max())
    with np.errstate(all="ignore"):
        points = _apart(gradient, _newton(gradient, hessian, near, width), width)
        points = points[:, ~_at_poles(loss, gradient, domain, points, width)]
        bend = np.moveaxis(hessian(points), -1, 0)
        around = np.abs(hessian(_spread(domain, min(64, max(_ENTRIES // len(domain) ** 2, 1)))))
        typical = float(np.median(around[np.isfinite(around)])) if np.isfinite(around).any() else 0.0
        curvatures, directions = np.linalg.eigh(bend)
        losses = loss(points)
        found, degenerate, flats = [], list[Array](), list[StationaryPoint]()
        same_level = _SAME_LEVEL * float(np.ptp(losses)) if losses.size else 0.0
        for point, value, curvature, axes in zip(points.T, losses, curvatures, directions, strict=True):
            flattest, sharpest = float(np.abs(curvature).min()), float(np.abs(curvature).max())
            kind: Kind = "minimum" if curvature[0] > 0 else "maximum" if curvature[-1] < 0 else "saddle"
            rounding = np.finfo(float).eps * abs(value) / width**2  # of a curvature
            if flattest <= _SINGULAR * sharpest or sharpest <= max(_SINGULAR * typical, rounding):
                if len(flats) > _MOST_FLAT and abs(value - flats[0].loss) <= same_level:
                    continue
                level = 1e-11 * width * max(sharpest, typical)
                flat = axes[:, np.abs(curvature) <= _SINGULAR * max(sharpest, typical)]
                if _on_a_line(gradient, point, flat, width, level) or any(
                    np.abs(point - other).max() <= _BESIDE * width
                    and np.abs(gradient((point + other)[:, None] / 2)).max() <= level
                    for other in degenerate
                ):
                    continue
                degenerate.append(point)
                kind = _kind_around(loss, gradient, point, axes, width)
                if kind == "minimum":
                    flats.append(StationaryPoint(tuple(point.tolist()), kind, float(value), flattest))
            found.append(StationaryPoint(tuple(point.tolist()), kind, float(value), flattest))
    if len(flats) > _MOST_FLAT:
        found = [p for p in found if p not in flats or abs(p.loss - flats[0].loss) > same_level or p == flats[0]]
    return tuple(sorted(found, key=lambda p: (p.loss, p.point)))


def search(loss: Field, gradient: Field, hessian: Field, domain: Array) -> tuple[StationaryPoint, ...]:
    """Return the stationary points found from starts all over the domain and as far again on either side."""
    middle, width = domain.mean(axis=1, keepdims=True), np.ptp(domain, axis=1)[:, None]
    wide = middle + width * [-1.5, 1.5]
    starts = min(_STARTS, max(16, _WORK // len(domain) ** 3))
    found = find(loss, gradient, hessian, domain, np.hstack([_spread(domain, starts), _spread(wide, starts)]))
    found = tuple(p for p in found if (np.abs(np.array(p.point) - middle[:, 0]) <= 1.5 * width[:, 0]).all())
    known = [p.loss for p in found if p.kind == "minimum" and is_inside(p, domain)]
    spread = np.hstack([middle + (_spread(domain, _STARTS) - middle) / scale for scale in _SCALES])
    lower = lowest_inside(loss, domain, spread, min(known, default=np.inf))
    if lower is None:
        return found
    point, value = lower
    with np.errstate(all="ignore"):
        around = loss(_spread(domain, 64))
    # What is known outside at its level is of the same line, curve or flat.
    level = value + _SAME_LEVEL * float(np.ptp(around[np.isfinite(around)]))
    found = tuple(p for p in found if p.kind != "minimum" or is_inside(p, domain) or p.loss > level)
    found = (*found, StationaryPoint(tuple(point.tolist()), "minimum", value, np.inf))
    return tuple(sorted(found, key=lambda p: (p.loss, p.point)))


def settle(loss: Field, gradient: Field, hessian: Field, domain: Array, point: Array) -> tuple[float, ...] | None:
    """Return the minimum inside a domain that a point ``(d,)`` is near to, no higher than it; None if there is none.

    Newton's method finds it, or the compass search if it is at a kink or one of a line, and not where the loss falls
    towards the border of the domain, or a limit.
    """
    low, high = domain[:, 0], domain[:, 1]
    with np.errstate(all="ignore"):
        height = float(loss(point[:, None])[0])
    rounding = 64 * float(np.finfo(float).eps) * abs(height)
    for known in find(loss, gradient, hessian, domain, point[:, None]):
        if known.kind == "minimum" and is_inside(known, domain) and known.loss <= height + rounding:
            return known.point
    points, _ = descend(loss, domain, point[:, None], np.array([height]))
    lowest, margin = points[:, 0], 1e-6 * (high - low)
    is_minimum = (
        ((lowest > low + margin) & (lowest < high - margin)).all()
        and is_lowest_around(loss, domain, lowest)
        and not is_pole(loss, domain, lowest)[0]
        and not falls_to_a_limit(loss, domain, lowest)
    )
    return tuple(lowest.tolist()) if is_minimum else None


def _spread(domain: Array, n: int) -> Array:
    """About `n` points all over a domain, ``float64[d, n]``: a grid up to three coordinates, random beyond."""
    d = len(domain)
    if d > 3:
        return np.random.default_rng(0).uniform(domain[:, :1], domain[:, 1:], (d, n))
    axes = [np.linspace(low, high, round(n ** (1 / d))) for low, high in domain]
    return np.stack(np.meshgrid(*axes, indexing="ij")).reshape(d, -1)


def _newton(gradient: Field, hessian: Field, points: Array, width: float) -> Array:
    """The points, of those that Newton's method leads to, where it has come to rest, save on a plateau."""
    h, resting = 1e-3 * width, [points[:, :0]]
    for round_ in range(_ROUNDS):
        grad, bend = gradient(points), np.moveaxis(hessian(points), -1, 0)
        finite = np.isfinite(grad).all(axis=0) & np.isfinite(bend).all(axis=(1, 2))
        points, grad, bend = points[:, finite], grad[:, finite], bend[finite]
        # By eigenvectors, leaving out those without curvature, since degenerate points have singular Hessians.
        values, vectors = np.linalg.eigh(bend)
        curved = np.abs(values) > 1e-14 * np.abs(values).max(axis=1, keepdims=True, initial=0.0)
        along = np.einsum("nij,in->nj", vectors, grad)
        along = np.where(curved, along / np.where(curved, values, 1.0), 0.0)
        step = np.einsum("nij,nj->in", vectors, along)
        length = np.abs(step).max(axis=0)
        step = step * np.minimum(1.0, 0.1 * width / np.where(length > 0, length, 1.0))
        points = points - step * (_multiple(gradient, points, step) if round_ >= _PLAIN_ROUNDS else 1.0)
        still = length <= 1e-11 * width
        resting.append(points[:, still])
        points = points[:, ~still]
        if not points.size:
            break
    points = np.hstack(resting)
    # Where a direction without curvature was left out, the gradient along it may not be zero.
    grad, sharpest = gradient(points), np.abs(hessian(points)).max(axis=(0, 1))
    points = points[:, np.abs(grad).max(axis=0) <= 1e-8 * width * sharpest]
    around = [points + np.eye(len(points))[:, i : i + 1] * move for i in range(len(points)) for move in (-h, h)]
    flat = np.logical_and.reduce([(gradient(shifted) == 0).all(axis=0) for shifted in [points, *around]])
    return np.asarray(points[:, ~flat])


def _multiple(gradient: Field, points: Array, step: Array) -> Array:
    """What to multiply Newton's steps by, ``float64[n]``: 1, or more where that makes the gradient smaller.

    Near a root of multiplicity m the steps are too short by the factor m, and would take hundreds of rounds.
    """
    multiples = 2.0 ** np.arange(7)
    sizes = np.stack([np.abs(gradient(points - multiple * step)).max(axis=0) for multiple in multiples])
    return np.asarray(multiples[np.argmin(np.where(np.isfinite(sizes), sizes, np.inf), axis=0)])


def _apart(gradient: Field, points: Array, width: float) -> Array:
    """One of each cluster of points, the one with the smallest gradient."""
    # Newton's method ends an uncertain last digit away from 1 or 0, where formulas are often exact.
    rounded = np.round(points, 8 + max(0, -math.floor(math.log10(width)))) + 0.0
    better = np.abs(gradient(rounded)).max(axis=0) <= np.abs(gradient(points)).max(axis=0)
    points = np.where(better, rounded, points)
    if not points.size:
        return points
    _, first = np.unique(np.round(points / (_SAME * width)), axis=1, return_index=True)
    rest = points[:, first]
    rest = rest[:, np.argsort(np.abs(gradient(rest)).max(axis=0), kind="stable")]
    chosen = []
    while rest.size:
        chosen.append(rest[:, 0])
        rest = rest[:, np.abs(rest - rest[:, :1]).max(axis=0) > 2 * _SAME * width]
    return np.stack(chosen, axis=1)


def _at_poles(loss: Field, gradient: Field, domain: Array, points: Array, width: float) -> NDArray[np.bool_]:
    """Which of the points, where Newton's steps are short, are beside a pole: the gradient is largest there."""
    moves = np.hstack([np.eye(len(points)), -np.eye(len(points))]) * 1e-3 * width
    around = np.stack([np.abs(gradient(points + move[:, None])).max(axis=0) for move in moves.T])
    poles = np.abs(gradient(points)).max(axis=0) > around.max(axis=0)
    poles[poles] = poles_beside(loss, domain, points[:, poles]) | poles_beside(
        lambda at: -loss(at), domain, points[:, poles]
    )
    return np.asarray(poles)


def _on_a_line(gradient: Field, point: Array, flat: Array, width: float, level: float) -> bool:
    """Whether a point is one of a whole line of them: beside it, along a direction without curvature, is no slope.

    A slope below `level` is none, unless it grows as that of a power does, which rounding errors do not.
    """
    near, farther, far = (
        np.abs(gradient(point[:, None] + share * _BESIDE * width * np.hstack([flat, -flat]))).max(axis=0)
        for share in (1, 2, 4)
    )
    grows = (near > 0) & (farther >= 3.5 * near) & (far >= 3.5 * farther)
    return bool(((near <= level) & ~grows).any())


def _kind_around(loss: Field, gradient: Field, point: Array, axes: Array, width: float) -> Kind:
    """The kind of a point whose Hessian is too flat to tell, from the loss around it.

    Where the loss is the same to the last bit, the slope away from the point tells.
    """
    random = np.random.default_rng(0).normal(size=(len(point), 256))
    directions = np.tile(np.hstack([axes, -axes, random / np.linalg.norm(random, axis=0)]), 2)
    around = point[:, None] + directions * (width * np.repeat([1e-3, 1e-2], directions.shape[1] // 2))
    rise = loss(around) - loss(point[:, None])
    rise = np.where(rise == 0, (gradient(around) * directions).sum(axis=0), rise)
    if (rise > 0).all():
        return "minimum"
    return "maximum" if (rise < 0).all() else "degenerate"


def reaches(points: Sequence[StationaryPoint], width: float, gradient_tolerance: float) -> Array:
    """Return within which distance a settled end point is at each of the points, ``float64[k]``.

    A point with a gradient within the tolerance lies within tolerance/curvature of a stationary point to first
    order. A thousandth of the domain allows for the higher orders; farther than two hundredths it is on a plateau.
    """
    with np.errstate(divide="ignore", over="ignore"):
        reach = 4 * gradient_tolerance / np.array([point.flattest for point in points])
    return np.clip(reach, _NEAREST * width, _FARTHEST * width)


def nearest(points: Sequence[StationaryPoint], theta: Array, reach: Array | None = None) -> NDArray[np.int64]:
    """Return the nearest of the points to each of ``theta (d, n)``, ``int64[n]``, −1 where none is within its reach."""
    found = np.full(theta.shape[1], -1)
    if not points:
        return found
    where = np.array([point.point for point in points]).T
    best = np.full(theta.shape[1], np.inf)
    if reach is None or len(points) <= FEW:
        for index, farthest in enumerate(reach if reach is not None else np.full(len(points), np.inf)):
            distance = np.abs(theta - where[:, index : index + 1]).max(axis=0)
            closer = (distance <= farthest) & (distance < best)
            np.copyto(found, index, where=closer)
            np.copyto(best, distance, where=closer)
        return found
    # Only points whose first coordinate is within the largest reach are looked at.
    order = np.argsort(where[0], kind="stable")
    first = where[0, order]
    low = np.searchsorted(first, theta[0] - reach.max(), side="left")
    high = np.searchsorted(first, theta[0] + reach.max(), side="right")
    for k in range(int((high - low).max(initial=0))):
        lanes = np.flatnonzero(low + k < high)
        index = order[low[lanes] + k]
        distance = np.abs(theta[:, lanes] - where[:, index]).max(axis=0)
        closer = (distance <= reach[index]) & (distance < best[lanes])
        found[lanes[closer]] = index[closer]
        best[lanes[closer]] = distance[closer]
    return found
