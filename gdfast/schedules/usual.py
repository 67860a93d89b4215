"""Schedules by the step that torch and others have.

What they are made of has the same bits on every machine, which NumPy's powers and cosines have not.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.polynomial.polynomial import polyval

from gdfast import arguments
from gdfast.arguments import FRACTION, NONNEGATIVE, POSITIVE, UNIT
from gdfast.formulas import elementary
from gdfast.formulas.elementary import Array
from gdfast.named import named
from gdfast.schedules._schedule import Schedule

_EVEN, _ODD = ([(-1.0) ** k / math.factorial(2 * k + first) for k in range(10)] for first in (0, 1))


def _steps(name: str, value: int | None) -> int | None:
    return None if value is None else arguments.integer(name, value, low=0)


def _place(t: Array, total: int | None, budget: int) -> Array:
    """Which share of the steps is done, at most 1; of none at once."""
    length = budget if total is None else total
    return np.minimum(t / length, 1.0) if length else np.ones_like(t)


@named(factor=POSITIVE)
def constant(factor: float = 1.0) -> Schedule:
    """The same factor at every step.

    Parameters
    ----------
    factor : float > 0
        The factor.
    """
    return Schedule(lambda t, budget: np.full_like(t, factor))


@named(gamma=POSITIVE)
def step(every: int = 30, gamma: float = 0.1) -> Schedule:
    """γ^⌊t / every⌋: a drop by γ after every `every` steps (torch's ``StepLR``).

    Parameters
    ----------
    every : int
        Steps between drops.
    gamma : float > 0
        γ.
    """
    arguments.integer("step: every", every)
    return Schedule(lambda t, budget: elementary.power(gamma, np.floor(t / every)))


@named(gamma=POSITIVE)
def multi_step(milestones: Sequence[int] = (30, 80), gamma: float = 0.1) -> Schedule:
    """γ^(number of milestones passed) (torch's ``MultiStepLR``).

    Parameters
    ----------
    milestones : sequence of int
        The steps from which on the rate has dropped once more.
    gamma : float > 0
        γ.
    """
    accepted = arguments.several("multi_step: milestones", milestones, "whole numbers", least=0)
    steps = np.sort([arguments.integer("multi_step: milestones", milestone) for milestone in accepted])
    return Schedule(lambda t, budget: elementary.power(gamma, np.searchsorted(steps, t, side="right").astype(float)))


@named(gamma=POSITIVE)
def exponential(gamma: float = 0.99) -> Schedule:
    """γᵗ (torch's ``ExponentialLR``).

    Parameters
    ----------
    gamma : float > 0
        γ.
    """
    return Schedule(lambda t, budget: elementary.power(gamma, t))


@named(start=NONNEGATIVE, end=NONNEGATIVE)
def linear(start: float = 1.0, end: float = 0.0, total: int | None = None) -> Schedule:
    """A straight line from `start` to `end` over `total` steps, `end` after it (torch's ``LinearLR``).

    Parameters
    ----------
    start, end : float >= 0
        The first factor and the last.
    total : int, optional
        How many steps the line takes; the budget if not given.
    """
    _steps("linear: total", total)
    return Schedule(lambda t, budget: start + (end - start) * _place(t, total, budget))


@named(power=POSITIVE, end=NONNEGATIVE)
def polynomial(power: float = 2.0, end: float = 0.0, total: int | None = None) -> Schedule:
    """End + (1 − end)(1 − t/total)^power, `end` after `total` steps (torch's ``PolynomialLR`` for end = 0).

    Parameters
    ----------
    power : float > 0
        The exponent.
    end : float >= 0
        The last factor.
    total : int, optional
        How many steps it takes; the budget if not given.
    """
    _steps("polynomial: total", total)
    return Schedule(lambda t, budget: end + (1 - end) * elementary.power(1 - _place(t, total, budget), power))


@named()
def inverse_sqrt(warmup: int = 1) -> Schedule:
    """min((t + 1)/warmup, √(warmup/(t + 1))): linear to 1, then falling like 1/√t (Vaswani et al. 2017).

    Parameters
    ----------
    warmup : int
        How many steps the rise takes.
    """
    arguments.integer("inverse_sqrt: warmup", warmup)
    return Schedule(lambda t, budget: np.minimum((t + 1) / warmup, np.sqrt(warmup / (t + 1))))


@named(end=UNIT)
def cosine(end: float = 0.0, total: int | None = None) -> Schedule:
    """End + (1 − end)(1 + cos(π t/total))/2, `end` after `total` steps.

    torch's ``CosineAnnealingLR`` is the same up to `total` steps; after them it rises again.
    Source: Loshchilov & Hutter (2017), arXiv 1608.03983.

    Parameters
    ----------
    end : float in [0, 1]
        The last factor.
    total : int, optional
        How many steps the half cosine takes; the budget if not given.
    """
    _steps("cosine: total", total)
    return Schedule(lambda t, budget: _half_cosine(1.0, end, _place(t, total, budget)))


@named(factor=arguments.Interval(1), end=UNIT)
def cosine_warm_restarts(period: int = 50, factor: float = 1.0, end: float = 0.0) -> Schedule:
    """Half cosines from 1 to `end`, each `factor` times as long as the one before.

    torch's ``CosineAnnealingWarmRestarts``. Source: Loshchilov & Hutter (2017), arXiv 1608.03983.

    Parameters
    ----------
    period : int
        Steps of the first half cosine.
    factor : float >= 1
        How many times as long each is as the one before.
    end : float in [0, 1]
        The lowest factor.
    """
    arguments.integer("cosine_warm_restarts: period", period)

    def multiplier(t: Array, budget: int) -> Array:
        out, begin, length = np.empty_like(t), 0.0, float(period)
        while begin <= t.max(initial=0):
            inside = (t >= begin) & (t < begin + length)
            out[inside] = _half_cosine(1.0, end, (t[inside] - begin) / length)
            begin, length = begin + length, length * factor
        return out

    return Schedule(multiplier)


@named(start=UNIT)
def warmup(steps: int = 10, start: float = 0.0, then: Schedule | None = None) -> Schedule:
    """A line from `start` to 1 over `steps` steps, then the schedule `then`, counted from there (constant if none).

    Parameters
    ----------
    steps : int
        How many the rise takes; may be 0.
    start : float in [0, 1]
        The first factor.
    then : Schedule, optional
        What follows, which depends on the step alone.
    """
    arguments.integer("warmup: steps", steps, low=0)
    if then is not None and (not isinstance(then, Schedule) or then.plateau):
        raise TypeError(
            f"warmup: then must be a schedule, such as gdfast.schedules.cosine(), not {arguments.shown(then)}"
        )

    def multiplier(t: Array, budget: int) -> Array:
        rise = start + (1 - start) * np.minimum(t / steps, 1.0) if steps else np.ones_like(t)
        if then is None:
            return rise
        after = then.at(np.maximum(t - steps, 0.0), max(budget - steps, 1))
        return np.where(t < steps, rise, after)

    return Schedule(multiplier)


@named()
def sequence(schedules: Sequence[Schedule] = (), milestones: Sequence[int] = ()) -> Schedule:
    """Schedules one after the other, the next from each milestone on and counted from there (torch's ``SequentialLR``).

    What has no `total` of its own is stretched over the steps that it has. In notation:
    ``sequence:schedules=(constant:factor=0.1)/(exponential:gamma=0.9),milestones=20/``.

    Parameters
    ----------
    schedules : sequence of Schedule
        Those that depend on the step alone; a constant if there is none.
    milestones : sequence of int
        The first steps of all but the first of them.

    Raises
    ------
    TypeError, ValueError
        If there is not one milestone less than schedules, or they do not increase, or a schedule looks at losses.
    """
    accepted = "schedules, such as (constant(0.1), cosine())"
    several = arguments.several("sequence: schedules", schedules, accepted, least=0) or (constant(),)
    for schedule in several:
        if not isinstance(schedule, Schedule) or schedule.plateau:
            raise TypeError(
                "sequence: schedules must hold schedules that depend on the step alone, such as "
                f"gdfast.schedules.cosine(), not {arguments.shown(schedule)}"
            )
    steps = arguments.several("sequence: milestones", milestones, "whole numbers", least=0)
    begins = [0, *(arguments.integer("sequence: milestones", step, low=0) for step in steps)]
    if len(begins) != len(several) or begins != sorted(begins):
        raise ValueError(
            f"sequence: milestones must be {len(several) - 1} that do not decrease, one less than schedules, not "
            f"{arguments.shown(milestones)}"
        )

    def multiplier(t: Array, budget: int) -> Array:
        factors = np.empty_like(t)
        for begin, end, schedule in zip(begins, [*begins[1:], budget], several, strict=True):
            part = schedule.at(np.maximum(t - begin, 0.0), max(end - begin, 1))
            factors = np.where(t >= begin, part, factors)
        return factors

    return Schedule(multiplier)


@named(rise=arguments.Interval(0, 1, True, True), start_divisor=POSITIVE, end_divisor=POSITIVE)
def one_cycle(
    rise: float = 0.3, start_divisor: float = 25.0, end_divisor: float = 1e4, total: int | None = None
) -> Schedule:
    """A half cosine from 1/start_divisor up to 1 over the share `rise`, then one down to the start over `end_divisor`.

    torch's ``OneCycleLR`` with the learning rate as its ``max_lr`` (and no cycling of the momentum); after `total`
    steps it stays. Source: Smith & Topin (2018), arXiv 1708.07120.

    Parameters
    ----------
    rise : float in (0, 1)
        The share of the steps in which it goes up.
    start_divisor : float > 0
        One over the first factor.
    end_divisor : float > 0
        The first factor over the last.
    total : int, optional
        How many steps it takes; the budget if not given.
    """
    _steps("one_cycle: total", total)

    def multiplier(t: Array, budget: int) -> Array:
        last = float(total or 1) if total is not None else float(budget)
        top, start = rise * last - 1.0, 1.0 / start_divisor
        up = _half_cosine(start, 1.0, np.clip(t / top, 0.0, 1.0) if top > 0 else np.ones_like(t))
        down = _half_cosine(1.0, start / end_divisor, np.clip((t - top) / max(last - 1.0 - top, 1e-300), 0.0, 1.0))
        return np.where(t <= top, up, down)

    return Schedule(multiplier)


@named(low=UNIT)
def cyclical(low: float = 0.1, up: int = 50, down: int | None = None) -> Schedule:
    """Triangles between `low` and 1: `up` steps up, `down` (as many if not given) down, again and again.

    torch's ``CyclicLR`` with the learning rate as its ``max_lr``. Source: Smith (2017), arXiv 1506.01186.

    Parameters
    ----------
    low : float in [0, 1]
        The lowest factor.
    up : int
        Steps from it to 1.
    down : int, optional
        Steps back.
    """
    arguments.integer("cyclical: up", up)
    if down is not None:
        arguments.integer("cyclical: down", down)

    def multiplier(t: Array, budget: int) -> Array:
        fall = down or up
        place = np.mod(t, up + fall)
        height = np.where(place <= up, place / up, 1.0 - (place - up) / fall)
        return low + (1 - low) * height

    return Schedule(multiplier)


@named(rise=FRACTION, fall=UNIT, end=UNIT)
def warmup_stable_decay(rise: float = 0.1, fall: float = 0.2, end: float = 0.0, total: int | None = None) -> Schedule:
    """A line from 0 to 1 over the share `rise` of the steps, 1, and a line to `end` over the last share `fall`.

    Source: Hu et al. (2024), arXiv 2404.06395, with linear decay.

    Parameters
    ----------
    rise : float in [0, 1)
        The share of the steps in which it goes up.
    fall : float in [0, 1]
        The share in which it goes down.
    end : float in [0, 1]
        The last factor.
    total : int, optional
        How many steps it takes; the budget if not given.

    Raises
    ------
    ValueError
        If the two shares are more than the whole.
    """
    _steps("warmup_stable_decay: total", total)
    if rise + fall > 1:
        raise ValueError(f"warmup_stable_decay: rise + fall must be at most 1, not {rise + fall:g}")

    def multiplier(t: Array, budget: int) -> Array:
        place = _place(t, total, budget)
        up = place / rise if rise else np.ones_like(place)
        down = 1 - (1 - end) * np.maximum(place - (1 - fall), 0.0) / fall if fall else np.ones_like(place)
        return np.minimum(np.minimum(up, 1.0), down)

    return Schedule(multiplier)


def _half_cosine(first: float, last: float, place: Array) -> Array:
    """From `first` to `last` along half a cosine, at places 0 … 1."""
    return last + (first - last) * 0.5 * (1.0 + cosine_of_half_turns(place))


def cosine_of_half_turns(place: Array) -> Array:
    """The cosine of π times numbers from 0 to 1, within 2 units in the last place of 1."""
    near = np.minimum(place, 1.0 - place)
    angle = np.pi * np.where(near <= 0.25, near, 0.5 - near)
    square = angle * angle
    cosine = np.where(near <= 0.25, polyval(square, _EVEN), angle * polyval(square, _ODD))
    return np.where(place <= 0.5, cosine, -cosine)
