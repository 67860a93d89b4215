"""Whether a minimum attracts: what reaches it stays, or it is left again.

A rule with a running second moment passes a zero of the gradient, rests there, and leaves when the moment has decayed.
For it a minimum is a fixed point that may repel, whatever has reached it. It attracts where the spectral radius of a
step, in displacement and state, at rest, is below 1; see `gdfast.theory.resting`.

A memory that does not decay (AMSGrad's, AdaGrad's) grows with every disturbance. Where a larger one would hold the
minimum, it attracts: what the present one does not hold makes it larger. Sign and normalized steps do not vanish with
the gradient, and never come to rest. Where the rate has become nothing, what is there stays.

In floating point there is one thing more. A minimum that repels still holds what lands on a number where the computed
gradient is exactly zero: there all steps are. Trajectories do land there, if one comes to the minimum while the moment
lasts. It is told apart, as `held`.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem
from gdfast.schedules import LossSchedule
from gdfast.theory.near import LONG, followed, transformed_by
from gdfast.theory.resting import (
    Motion,
    NoRestError,
    Rest,
    fed,
    motion_of,
    positional,
    rest,
    spectral_radii,
    state_at_rest,
)

LARGEST = 16
"""Coordinates up to which attraction is told."""
HOLDS = 1 + 1e-9
"""The largest spectral radius of a minimum that attracts: 1 but for rounding, for rates that are almost nothing."""
_LARGER_MEMORIES = 10.0 ** np.array([2, 4, 6, 8])
"""Times the ordinary gradient that a memory is of, until it holds the minimum."""
_FLAT = 1e-9  # share of the largest curvature below which there is none, and linear theory tells nothing
_GROWN = 1e-3  # share by which a spectral radius has grown in three quarters of `LONG` steps
_MOVES = 1e-12  # share of a coordinate by which a step at the minimum must move it to do so
_SEEN = 1e-10  # likewise, to tell clearly what balances it, by twice as many places as the balance of `_MOVES` has
_ALIKE = 1e-9  # relative
_HALVINGS = 100
_NEIGHBOURS, _MOST_NEIGHBOURS = 4, 20_000  # floating-point numbers on either side, and in all
_NEAR_ZERO = 1e-20  # share of the domain's width


class Attraction(IntEnum):
    """Whether a minimum attracts.

    Examples
    --------
    >>> [each.name for each in Attraction]
    ['not_told', 'repels', 'attracts', 'held']
    """

    not_told = -1
    repels = 0
    attracts = 1
    held = 2


MEANING_OF_ATTRACTION = {
    Attraction.not_told: "not told: chance, no rest, a flat minimum, too many coordinates, moved by a penalty, an edge",
    Attraction.repels: "a small disturbance grows: what has reached it leaves again",
    Attraction.attracts: "a small disturbance dies out: what has reached it stays",
    Attraction.held: "a small disturbance grows, but the computed gradient is zero to the bit at a number beside it",
}
"""What each `Attraction` says, in words."""


class Minimum(NamedTuple):
    """A minimum as its attraction depends on it.

    Attributes
    ----------
    point : ndarray
        Where it is, ``float64[d]``.
    hessian : ndarray
        ``float64[d, d]``.
    size : float
        The size of ordinary gradients, of which memories are.
    slack : float
        By how much the loss of a point may be above that of the minimum to be at it.
    height : float
        The loss above that of the lowest minimum.
    """

    point: Array
    hessian: Array
    size: float = 1.0
    slack: float = 0.0
    height: float = 0.0


def minimum_of(problem: Problem, basin: int, loss_tolerance: float) -> Minimum | None:
    """A minimum of a problem; None where its attraction is not told: steps vary, or coordinates are many."""
    known = problem.minima[basin]
    if not 1 <= len(known.point) <= LARGEST or problem.batch_size is not None or problem.takes_turns:
        return None
    point = np.array(known.point)
    with np.errstate(all="ignore"):
        hessian = problem.hessian(point[:, None])[..., 0]
    unit = problem.loss_per_objective
    slack, height = loss_tolerance * problem.loss_scale / unit, max(known.loss - problem.lowest, 0.0) / unit
    return Minimum(point, hessian, problem.gradient_scale, slack, height)


class Attractions(NamedTuple):
    """Codes of `Attraction`, ``int8[k]``, and spectral radii, ``float64[k]``, NaN where they are not told."""

    codes: NDArray[np.int8]
    radii: Array


def attractions(optimizer: Optimizer, rates: Array, minimum: Minimum, multipliers: Array) -> Attractions:
    """Tell at which learning rates a minimum attracts.

    Parameters
    ----------
    optimizer : Optimizer
        The rule.
    rates : ndarray
        Learning rates of each coordinate, ``float64[d, k]``.
    minimum : Minimum
        Where.
    multipliers : ndarray
        The schedule's, of all steps of the budget.
    """
    codes = np.full(rates.shape[1], Attraction.not_told, dtype=np.int8)
    factor = _last(optimizer, multipliers)
    if factor == 0:
        return Attractions(np.full_like(codes, Attraction.attracts), np.ones(rates.shape[1]))
    motion = None if factor is None else motion_near(optimizer, rates * factor, minimum, multipliers)
    radii = np.full(rates.shape[1], np.nan) if motion is None else radii_at_rest(motion, minimum)
    codes[~np.isnan(radii)] = Attraction.repels
    codes[radii <= HOLDS] = Attraction.attracts
    return Attractions(codes, radii)


def motion_near(
    optimizer: Optimizer, rates: Array, minimum: Minimum, multipliers: Array, long: int = LONG
) -> Motion | None:
    """Steps near a minimum; None if it is flat, or something is in them of which linear theory tells nothing.

    Coefficients in the long run are those of step `long`.
    """
    near = followed(optimizer, minimum.point, rates) if is_curved(minimum.hessian) else None
    if near is None:
        return None
    return motion_of(near, rates, minimum.hessian, multipliers, minimum.height, minimum.point, long)


def radii_at_rest(motion: Motion, minimum: Minimum) -> Array:
    """Spectral radii at rest, with a memory that is large enough if there is such; NaN where they are not told."""
    with np.errstate(all="ignore"):
        try:
            resting = rest(motion, minimum.size)
            moved = _is_moved(motion, resting, minimum)
            told = np.ones(motion.rates.shape[1], dtype=bool)
            if moved:
                resting, told = _balanced(motion, resting, minimum)
        except NoRestError:
            return np.full(motion.rates.shape[1], np.nan)
        radii = spectral_radii(motion, resting)
        if remembers(motion, minimum.size) and not moved:
            told &= _with_larger_memories(motion, radii, minimum.size)
    return np.where(told, radii, np.nan)


def _with_larger_memories(motion: Motion, radii: Array, size: float) -> NDArray[np.bool_]:
    """Replace spectral radii where the memory does not hold by those of a larger one.

    Where steps grow for ever, as MADGRAD's do, no memory lasts, and nothing is told.
    """
    loose = np.flatnonzero((radii > HOLDS) & (radii < np.inf))
    told = np.ones(len(radii), dtype=bool)
    if loose.size:
        part = replace(motion.at(loose), row=motion.earlier)
        told[loose] = radii[loose] <= (1 + _GROWN) * spectral_radii(part, rest(part, size))
    for scale in _LARGER_MEMORIES:
        loose = loose[radii[loose] > HOLDS]
        if loose.size:
            part = motion.at(loose)
            radii[loose] = np.minimum(radii[loose], spectral_radii(part, rest(part, scale * size)))
    return told


def remembers(motion: Motion, size: float) -> bool:
    """Whether the state at rest keeps a memory of the gradients before."""
    with np.errstate(all="ignore"):
        try:
            small, large = (rest(motion, times * size) for times in (1, 10))
        except NoRestError:
            return False
    return any(not np.allclose(a, b, rtol=1e-3, atol=0) for a, b in zip(small.state, large.state, strict=True))


def is_curved(hessian: Array) -> bool:
    """Whether a Hessian has no flat direction and none that descends."""
    if not np.isfinite(hessian).all():
        return False
    bends = np.linalg.eigvalsh(hessian)
    return bool(bends[0] > _FLAT * bends[-1])


def _last(optimizer: Optimizer, multipliers: Array) -> float | None:
    """What the learning rate is multiplied by in the end; None if it still goes up and down then."""
    steps = np.diff(multipliers[len(multipliers) // 2 :])
    if not ((steps >= 0).all() or (steps <= 0).all()):
        return None
    last = float(multipliers[-1])
    return last * _after_a_plateau(optimizer.plateau, len(multipliers)) if optimizer.plateau else last


def _after_a_plateau(schedule: LossSchedule, steps: int) -> float:
    """The multiplier after a budget in which the loss stays the same."""
    slots = [np.float64(value) for value in schedule.initial.values()]
    for row in schedule.columns(steps - 1):
        slots = list(schedule.rule(np.float64(0.0), *slots, *row))
    return float(slots[0])


def _is_moved(motion: Motion, resting: Rest, minimum: Minimum) -> bool:
    """Whether a step without gradient leaves the minimum, as weight decay does."""
    point = minimum.point[:, None] + np.zeros_like(motion.rates)
    there = positional(motion)
    state = [point if i in there else slot for i, slot in enumerate(resting.state)]
    step = motion.of_points().step(point, np.zeros_like(point), state)[0] - point
    return bool((np.abs(step) > _MOVES * np.abs(point)).any())


def _balanced(motion: Motion, resting: Rest, minimum: Minimum) -> tuple[Rest, NDArray[np.bool_]]:
    """The state where the gradient balances what moves the minimum, found by bisection in each coordinate.

    And at which rates there is such a gradient, whose point is still at the minimum by its loss.

    Raises
    ------
    NoRestError
        If a state does not come to rest, or what one coordinate does depends on others.
    """
    optimizer, point = motion.optimizer, minimum.point[:, None] + np.zeros_like(motion.rates)
    if optimizer.norms or optimizer.sums or any(part.norms or part.sums for part in optimizer.transforms):
        raise NoRestError

    whole = motion.of_points()

    def drift(grad: Array) -> tuple[Array, list[Array]]:
        state = state_at_rest(whole, minimum.size, point, grad)
        return whole.step(point, grad, state)[0] - point, state

    high = np.full_like(point, minimum.size)
    low = -high
    told = ((drift(low)[0] > 0) & (drift(high)[0] < 0)).all(axis=0)
    first = np.abs(drift(np.zeros_like(point))[0])
    seen, clear = (told & ((first > share * np.abs(point)) | (point == 0)).all(axis=0) for share in (_MOVES, _SEEN))
    if not seen.any():
        raise NoRestError
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        up = drift(middle)[0] > 0
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    grad = (low + high) / 2
    # Where a rate is so low that a step is lost in the last place, the balance is that of the nearest rate that tells.
    places = np.flatnonzero(clear if clear.any() else seen)
    distance = np.abs(places - np.arange(told.size)[:, None])
    grad = grad.take(places[distance.argmin(axis=1)], axis=1)
    away = np.linalg.solve(minimum.hessian, grad)
    told = (0.5 * (grad * away).sum(axis=0) <= minimum.slack) & _is_alike(motion, point, point + away)
    state = drift(grad)[1]
    return resting.holding({i: state[i] for i, degree in enumerate(resting.degrees) if degree == 2}), told


def _is_alike(motion: Motion, point: Array, other: Array) -> Array:
    """At which rates transforms that add the same everywhere near a minimum add it elsewhere too, ``bool[k]``."""
    alike = np.ones(point.shape[1], dtype=bool)
    for transform, still in zip(motion.optimizer.transforms, motion.still, strict=True):
        if not transform.after:
            here, there = (transformed_by(transform, (at, np.zeros_like(at)), motion.rates) for at in (point, other))
            alike &= (~still | (np.abs(there - here) <= _ALIKE * np.abs(here))).all(axis=0)
    return alike


def lasting(optimizer: Optimizer, rates: Array, minimum: Minimum, multipliers: Array) -> NDArray[np.bool_]:
    """At which rates a minimum attracts as long as the second moment of large enough gradients lasts, ``bool[k]``.

    At none where steps without gradient leave it.
    """
    held = np.zeros(rates.shape[1], dtype=bool)
    factor = _last(optimizer, multipliers)
    motion = None if factor is None else motion_near(optimizer, rates * factor, minimum, multipliers)
    if motion is None:
        return held
    with np.errstate(all="ignore"):
        try:
            resting = rest(motion, minimum.size)
        except NoRestError:
            return held
        for scale in () if _is_moved(motion, resting, minimum) else (1.0, *_LARGER_MEMORIES):
            brought = fed(motion, scale * minimum.size)
            stays = resting.holding({i: brought[i] for i, degree in enumerate(resting.degrees) if degree != 1})
            held |= spectral_radii(motion, stays) <= HOLDS
    return held


def is_exact(gradient: Callable[[Array], Array], point: Array, width: float, real: str) -> bool:
    """Whether the computed gradient is zero to the bit at a number beside a point, where numbers end between others.

    Parameters
    ----------
    gradient : callable
        From ``[d, n]`` to as many.
    point : ndarray
        The minimum, ``float64[d]``.
    width : float
        Of the domain.
    real : str
        The type that is computed in.
    """
    reach = _NEIGHBOURS
    while (2 * reach + 1) ** len(point) > _MOST_NEIGHBOURS:
        reach -= 1
    if reach < 1:
        return False
    axes = []
    for value in point.astype(real):
        spacing = np.spacing(np.abs(value)) if value else np.asarray(_NEAR_ZERO * width, real)
        steps = np.arange(-reach, reach + 1)
        # Numbers are as fine as they come around 0: only where the gradient is zero beside it does it hold anything.
        axes.append((value + steps * spacing).astype(real)[steps != 0 if not value else slice(None)])
    around = np.stack(np.meshgrid(*axes, indexing="ij")).reshape(len(point), -1)
    with np.errstate(all="ignore"):
        return bool((gradient(around) == 0).all(axis=0).any())
