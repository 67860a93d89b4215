"""Minima of a smooth loss, by Newton's method with a damping of its own for each of many starts.

The step at a point with gradient g and Hessian U⁻¹ V diag(λ) Vᵀ U⁻¹, U = diag(1/√|H_ii|), is

    −U V diag(1 / (|λ| + damping)) Vᵀ U g

which does not depend on the units of the coordinates, goes downhill where the loss bends the other way (Dauphin et al.
2014) and is Newton's where the damping has become nothing. It is taken if the loss falls; the damping grows tenfold
where it does not, and becomes a tenth where it does (Levenberg 1944, Marquardt 1963).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array

_POLISHING = 20  # steps
_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-3, 1e-14, 1e16
_LITTLE_DAMPING = 1e-8
_NULL = 1e-13  # curvatures below this share of the largest, in the units of the coordinates, are rounding of zero
_STILL = 1e-15  # share of the scale by which a step is to lower the loss: less is rounding
_AT_REST = 1e-6  # share of its size by which a coordinate still moves at a minimum, at most
_NEAR_ZERO = 1e-3  # share of what changes the loss by its scale: a coordinate that is smaller is near to zero
_NO_SLOPE = 1e-11  # of the scale's root, along directions without curvature: else the loss nears a limit there
_FAR = 1e6  # times it
_SAME = 1e-5  # shares of their sizes by which the coordinates of one minimum differ


class Surface(NamedTuple):
    """A loss with its derivatives: from points ``float64[d, n]`` to ``[n]``, ``[d, n]`` and ``[d, d, n]``."""

    loss: Callable[[Array], Array]
    gradient: Callable[[Array], Array]
    hessian: Callable[[Array], Array]


class Steps(NamedTuple):
    """Newton's steps from n points, with what tells how near a minimum is."""

    step: Array  # float64[d, n], to be subtracted
    unit: Array  # float64[d, n], by how much a coordinate changes when the loss changes by 1
    gain: Array  # float64[n], by how much the loss falls, to second order
    rest: Array  # float64[n], the largest slope along directions without curvature, in these units
    upwards: NDArray[np.bool_]  # bool[n], whether the loss bends upwards in every direction, or not at all


def _steps(surface: Surface, theta: Array, damping: Array) -> Steps:
    slope, bend = surface.gradient(theta), np.moveaxis(surface.hessian(theta), -1, 0)
    lost = ~(np.isfinite(bend).all(axis=(1, 2)) & np.isfinite(slope).all(axis=0))
    bend[lost], slope = 0.0, np.where(lost, 0.0, slope)
    diagonal = np.abs(np.diagonal(bend, axis1=1, axis2=2))
    unit = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(unit[:, :, None] * bend * unit[:, None, :])
    sizes = np.abs(values)
    largest = sizes.max(axis=1, keepdims=True)
    # With so little damping a direction without curvature is left as it is.
    curved = (sizes > _NULL * largest) | (damping[:, None] > _LITTLE_DAMPING)
    along = np.einsum("nij,ni->nj", vectors, unit * slope.T)
    moves = np.where(curved, along / (np.where(curved, sizes, 1.0) + damping[:, None]), 0.0)
    rest = np.where(curved, 0.0, np.abs(along)).max(axis=1)
    gain = 0.5 * (along * moves).sum(axis=1)
    step = unit * np.einsum("nij,nj->ni", vectors, moves)
    upwards = (values >= -_NULL * largest).all(axis=1) & ~lost
    return Steps(step.T, np.where(diagonal > 0, unit, np.inf).T, np.where(lost, np.nan, gain), rest, upwards)


def sizes(surface: Surface, theta: Array, scale: float) -> Array:
    """Return by how much each coordinate changes where that changes the loss by its scale: the median over points."""
    with np.errstate(all="ignore"):
        unit = _steps(surface, theta, np.full(theta.shape[1], _FIRST_DAMPING)).unit
        return np.asarray(np.sqrt(scale) * np.median(unit, axis=1, keepdims=True))


def descend(
    surface: Surface, theta: Array, scale: float, size: Array, rounds: int
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Go down from points ``float64[d, n]``; return where to, the losses there, and which of them are minima.

    Parameters
    ----------
    surface : Surface
        What is gone down on.
    theta : ndarray
        Where from.
    scale : float
        By how much losses differ: much less is rounding.
    size : ndarray
        How large coordinates are, ``float64[d, 1]``, see `sizes`.
    rounds : int
        How many steps at most.
    """
    with np.errstate(all="ignore"):
        theta, damping = theta.copy(), np.full(theta.shape[1], _FIRST_DAMPING)
        loss = np.nan_to_num(surface.loss(theta), nan=np.inf)
        going = np.isfinite(loss)
        for _ in range(rounds):
            lanes = np.flatnonzero(going)
            if not lanes.size:
                break
            taken = _steps(surface, theta[:, lanes], damping[lanes])
            there = theta[:, lanes] - taken.step
            reached = np.nan_to_num(surface.loss(there), nan=np.inf)
            lower = reached < loss[lanes]
            theta[:, lanes] = np.where(lower, there, theta[:, lanes])
            loss[lanes] = np.where(lower, reached, loss[lanes])
            damping[lanes] = np.clip(damping[lanes] * np.where(lower, 0.1, 10.0), _LEAST_DAMPING, _MOST_DAMPING)
            tiny = np.abs(taken.gain) <= _STILL * scale
            going[lanes] = ~(tiny | np.isnan(taken.gain) | (~lower & (damping[lanes] >= _MOST_DAMPING)))
        theta = _polished(surface, theta)
        final = _steps(surface, theta, np.zeros(theta.shape[1]))
        still = (np.abs(final.step) <= _AT_REST * (np.abs(theta) + _NEAR_ZERO * size)).all(axis=0)
        level = (np.abs(final.gain) <= 1e-9 * scale) & (final.rest <= _NO_SLOPE * np.sqrt(scale))
        near_by = (np.abs(theta) <= _FAR * size).all(axis=0)  # and no limit that the loss nears far away
        return theta, surface.loss(theta), still & level & near_by & final.upwards


def _polished(surface: Surface, theta: Array) -> Array:
    """Points after Newton's steps without damping, as long as these make the gradient smaller."""
    size = np.abs(surface.gradient(theta)).max(axis=0)
    for _ in range(_POLISHING):
        there = theta - _steps(surface, theta, np.zeros(theta.shape[1])).step
        after = np.abs(surface.gradient(there)).max(axis=0)
        better = after < 0.5 * size
        if not better.any():
            break
        theta, size = np.where(better, there, theta), np.where(better, after, size)
    return theta


def distinct(theta: Array, loss: Array, most: int) -> list[int]:
    """Return the places of the lowest of some points, one of each cluster and one of each flat, lowest first."""
    chosen: list[int] = []
    for place in np.argsort(loss, kind="stable"):
        point = theta[:, place]
        if np.isfinite(loss[place]) and not any(
            np.abs(point - theta[:, other]).max(initial=0.0) <= _SAME * np.abs(point).max(initial=0.0)
            for other in chosen
        ):
            chosen.append(int(place))
        if len(chosen) == most:
            break
    return chosen
