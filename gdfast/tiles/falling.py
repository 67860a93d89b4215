"""Losses that fall without bound from an end on: outside the domain, or towards a pole inside."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array

if TYPE_CHECKING:
    from gdfast.problems import Problem

STEEP = 10.0
"""Times the ordinary gradient beyond which a pole is looked for."""
_DOUBLINGS = 24  # of a distance, over which a loss must go on falling to be called unbounded
_STEADY = 0.25  # share of the largest fall of a doubling that the last one must have
_NEAR = 2.0**-10  # share of the domain's width within which a pole is looked for
_HALVINGS = 90  # of it, by which a pole is found


def outwards(problem: "Problem", theta: Array, loss: Array) -> NDArray[np.bool_]:
    """Tell of ends ``(d, n)`` whether the loss falls without bound outwards, as far as one can tell.

    It does if it falls at each doubling of the distance from the domain's middle, and at the last one still by a share
    of the largest fall: as a logarithm does, and not as what comes nearer to a limit.
    """
    middle = problem.domain.mean(axis=1)[:, None]
    with np.errstate(all="ignore"):
        further = [problem.loss(middle + (theta - middle) * 2.0**k) for k in range(1, _DOUBLINGS + 1)]
    return _steady(np.stack([loss, *further]))


def into_pole(problem: "Problem", theta: Array) -> NDArray[np.bool_]:
    """Tell of ends ``(d, n)`` whether the loss falls without bound on a short way straight down: there is a pole.

    It is where the slope turns, or the loss leaps up. The loss is looked at as the distance to it halves.
    """
    theta = theta.astype(np.float64)
    with np.errstate(all="ignore"):
        loss, slope = problem.loss(theta), problem.gradient(theta)
        way = slope / np.abs(slope).max(axis=0) * (-_NEAR * np.ptp(problem.domain, axis=1).max())
        before, behind = np.zeros(len(loss)), np.ones(len(loss))
        for _ in range(_HALVINGS):
            middle = (before + behind) / 2
            at = theta + middle * way
            is_before = (problem.loss(at) < loss) & ((problem.gradient(at) * way).sum(axis=0) < 0)
            before, behind = np.where(is_before, middle, before), np.where(is_before, behind, middle)
        nearer = [problem.loss(theta + before * (1 - 2.0**-k) * way) for k in range(_DOUBLINGS + 1)]
    return _steady(np.stack(nearer))


def _steady(losses: Array) -> NDArray[np.bool_]:
    """Whether losses ``(k, n)`` fall from each to the next, and at last still by a share of the largest fall."""
    with np.errstate(all="ignore"):
        falls = -np.diff(losses, axis=0)
    # A loss that overflows to −∞ has fallen far enough.
    falls = np.where(np.isfinite(falls), falls, np.where(losses[1:] == -np.inf, np.inf, -1.0))
    return np.asarray((falls > 0).all(axis=0) & (falls[-1] >= _STEADY * np.nanmax(falls, axis=0)))
