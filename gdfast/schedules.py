"""Schedules: multipliers of the learning rate as functions of the step.

A schedule gives each step t = 0, 1, … a factor of the learning rate, whatever the trajectory does; only
`reduce_on_plateau` looks at the trajectory's own losses. ``total`` is the number of steps a schedule is stretched over;
the budget of the run where it is not given. Use one by ``optimizer.scheduled(schedule)``; any function of the step
will do, ``optimizer.scheduled(lambda t: 0.99**t)``, see `of_step`.
"""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from gdfast import arguments
from gdfast.arguments import FRACTION, NONNEGATIVE, POSITIVE, UNIT
from gdfast.formulas.elementary import Array, maximum, select
from gdfast.named import Named, is_factory, named, parameters_of_factory, source
from gdfast.rules import check_coefficients, check_memory


@dataclass(frozen=True, eq=False, repr=False)
class Schedule(Named):
    """A multiplier of the learning rate as a function of the step.

    Parameters
    ----------
    multiplier : callable
        From the step numbers t = 0, 1, … (float64 array) and the budget to the factors, an array of the same length.

    Raises
    ------
    TypeError, ValueError
        If it is no such function.
    """

    multiplier: Callable[..., Any]

    def __post_init__(self) -> None:
        arguments.function("multiplier", self.multiplier, "a function of the steps and the budget")
        with np.errstate(all="ignore"):
            factors = arguments.array("multiplier: what it returns", self.multiplier(np.array([0.0, 1.0]), 1))
        if factors.shape not in ((), (2,)):
            raise ValueError(f"multiplier must return a factor for each of 2 steps, not an array of {factors.shape}")

    def multipliers(self, max_steps: int) -> Array:
        """The factors of steps 0 … max_steps, ``float64[max_steps + 1]``."""
        return self.at(np.arange(max_steps + 1, dtype=np.float64), max_steps)

    def at(self, t: Array, budget: int) -> Array:
        """The factors of some steps, whole numbers in ``float64[n]``, of a run of so many steps, ``float64[n]``."""
        return np.broadcast_to(np.asarray(self.multiplier(t, budget), dtype=np.float64), t.shape)


@dataclass(frozen=True, eq=False, repr=False)
class LossSchedule(Named):
    """A multiplier of the learning rate that depends on the trajectory's own losses.

    Parameters
    ----------
    rule : callable
        From the loss before an update, the memory slots and the factory's parameters to the new memory slots, in the
        grammar of update rules. The first slot is the multiplier, which holds from the next update on.
    initial : mapping
        The memory slots with their first values.
    parameters : mapping
        Coefficients by name; a factory's are its parameters.

    Raises
    ------
    TypeError, ValueError
        If the rule is not in the grammar, or its arguments and what it returns do not fit the rest.
    """

    rule: Callable[..., Any]
    initial: Mapping[str, float]
    parameters: Mapping[str, Any] = field(default_factory=parameters_of_factory)

    def __post_init__(self) -> None:
        check_memory(self.rule, self.initial)
        parameters = arguments.mapping("parameters", self.parameters, "a mapping from names to values")
        check_coefficients(self.rule, self.coefficients, parameters, "a memory slot is told by initial")
        object.__setattr__(self, "parameters", MappingProxyType(parameters))

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Names of the coefficients: the rule's arguments after the loss and the memory slots."""
        return tuple(inspect.signature(self.rule).parameters)[1 + len(self.initial) :]

    @property
    def constants(self) -> list[float]:
        """The coefficients."""
        return [float(self.parameters[name]) for name in self.coefficients]


@dataclass(frozen=True, eq=False, repr=False)
class StepFunction(Schedule):
    """A function of one's own as a schedule, in plain Python: see `of_step`.

    Parameters
    ----------
    multiplier : callable
        From the step, an int from 0 on, to a number; with a second argument, that is the budget.

    Raises
    ------
    TypeError, ValueError
        If it is no such function, or what it returns for the steps 0 and 1 is no finite number.
    """

    def __post_init__(self) -> None:
        arguments.function("schedule", self.multiplier, "a function of the step, such as lambda t: 0.99**t")
        self.at(np.array([0.0, 1.0]), 1)

    @functools.cached_property
    def name(self) -> str:
        """The function's, or the text of a lambda."""
        name = str(getattr(self.multiplier, "__name__", "function"))
        return " ".join(source(self.multiplier).split())[:60] if name == "<lambda>" else name

    @property
    def takes_budget(self) -> bool:
        """Whether the function has an argument without a default behind the step."""
        try:
            told = inspect.signature(self.multiplier).parameters.values()
        except (TypeError, ValueError):  # of what is written in C
            return False
        return sum(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in told) > 1

    def at(self, t: Array, budget: int) -> Array:
        """The factors of some steps; each step is asked for once."""
        return _tabulated(self, max(budget, int(t.max(initial=0))) if self.takes_budget else -1, t.tobytes())

    def __repr__(self) -> str:
        return f"<schedule {self.label}>"


@functools.lru_cache(maxsize=8)
def _tabulated(schedule: StepFunction, budget: int, steps: bytes) -> Array:
    more = (budget,) if schedule.takes_budget else ()
    values = [_factor(schedule, int(t), more) for t in np.frombuffer(steps)]
    factors = np.array(values, dtype=np.float64)
    factors.flags.writeable = False
    return factors


def _factor(schedule: StepFunction, t: int, more: tuple[int, ...]) -> float:
    told = f"schedule {schedule.name}: what it returns for step {t}"
    try:
        factor = schedule.multiplier(t, *more)
    except Exception as error:  # whatever a stranger's function raises
        raise ValueError(
            f"schedule {schedule.name} must return a number for step {t}, but raises {type(error).__name__}: {error}"
        ) from None
    return arguments.number(told, factor.item() if isinstance(factor, np.ndarray) and not factor.ndim else factor)


def of_step(schedule: Any) -> Schedule | LossSchedule:
    """Return a function of the step as a schedule: what it returns for the steps 0, 1, … is tabulated once.

    ``optimizer.scheduled(lambda t: 0.99**t)`` does it by itself.

    Parameters
    ----------
    schedule : callable
        From the step, an int, to what the learning rate is multiplied by, and nothing else: its value must depend on
        the step alone. With a second argument without a default, that is the budget. Workers in other processes need
        one that they can import: a ``def`` of a module, no lambda. A schedule or a factory of one is accepted too.

    Raises
    ------
    TypeError, ValueError
        If it is no such function, or returns no finite number.

    Examples
    --------
    >>> of_step(lambda t: 1 / (1 + t)).multipliers(3)
    array([1.        , 0.5       , 0.33333333, 0.25      ])
    """
    if isinstance(schedule, Schedule | LossSchedule):
        return schedule
    if is_factory(schedule):
        return of_step(schedule())
    if not callable(schedule) or isinstance(schedule, type):
        raise TypeError(
            "schedule must be a schedule, such as gdfast.schedules.cosine(), or a function of the step, not "
            f"{arguments.shown(schedule)}"
        )
    return StepFunction(schedule)


def _steps(name: str, value: int | None) -> int | None:
    return None if value is None else arguments.integer(name, value)


@named(factor=POSITIVE)
def constant(factor: float = 1.0) -> Schedule:
    """The same factor at every step."""
    return Schedule(lambda t, budget: np.full_like(t, factor))


@named(gamma=POSITIVE)
def step(every: int = 30, gamma: float = 0.1) -> Schedule:
    """γ^⌊t / every⌋: a drop by γ after every `every` steps (torch's ``StepLR``)."""
    arguments.integer("step: every", every)
    return Schedule(lambda t, budget: gamma ** np.floor(t / every))


@named(gamma=POSITIVE)
def multi_step(milestones: Sequence[int] = (30, 80), gamma: float = 0.1) -> Schedule:
    """γ^(number of milestones passed) (torch's ``MultiStepLR``)."""
    accepted = arguments.several("multi_step: milestones", milestones, "whole numbers", least=0)
    steps = np.sort([arguments.integer("multi_step: milestones", milestone) for milestone in accepted])
    return Schedule(lambda t, budget: gamma ** np.searchsorted(steps, t, side="right").astype(float))


@named(gamma=POSITIVE)
def exponential(gamma: float = 0.99) -> Schedule:
    """γᵗ (torch's ``ExponentialLR``)."""
    return Schedule(lambda t, budget: gamma**t)


@named(start=NONNEGATIVE, end=NONNEGATIVE)
def linear(start: float = 1.0, end: float = 0.0, total: int | None = None) -> Schedule:
    """A straight line from `start` to `end` over `total` steps, `end` after it (torch's ``LinearLR``)."""
    _steps("linear: total", total)
    return Schedule(lambda t, budget: start + (end - start) * np.minimum(t / (total or budget), 1.0))


@named(power=POSITIVE, end=NONNEGATIVE)
def polynomial(power: float = 2.0, end: float = 0.0, total: int | None = None) -> Schedule:
    """End + (1 − end)(1 − t/total)^power, `end` after `total` steps (torch's ``PolynomialLR`` for end = 0)."""
    _steps("polynomial: total", total)
    return Schedule(lambda t, budget: end + (1 - end) * (1 - np.minimum(t / (total or budget), 1.0)) ** power)


@named()
def inverse_sqrt(warmup: int = 1) -> Schedule:
    """min((t + 1)/warmup, √(warmup/(t + 1))): linear to 1, then falling like 1/√t (Vaswani et al. 2017)."""
    arguments.integer("inverse_sqrt: warmup", warmup)
    return Schedule(lambda t, budget: np.minimum((t + 1) / warmup, np.sqrt(warmup / (t + 1))))


@named(end=UNIT)
def cosine(end: float = 0.0, total: int | None = None) -> Schedule:
    """End + (1 − end)(1 + cos(π t/total))/2, `end` after `total` steps.

    torch's ``CosineAnnealingLR`` is the same up to `total` steps; after them it rises again.
    Source: Loshchilov & Hutter (2017), arXiv 1608.03983.
    """
    _steps("cosine: total", total)
    return Schedule(lambda t, budget: _half_cosine(1.0, end, np.minimum(t / (total or budget), 1.0)))


@named(factor=arguments.Interval(1), end=UNIT)
def cosine_warm_restarts(period: int = 50, factor: float = 1.0, end: float = 0.0) -> Schedule:
    """Half cosines from 1 to `end`, each `factor` times as long as the one before.

    torch's ``CosineAnnealingWarmRestarts``. Source: Loshchilov & Hutter (2017), arXiv 1608.03983.
    """
    arguments.integer("cosine_warm_restarts: period", period)

    def multiplier(t: Array, budget: int) -> Array:
        out, begin, length = np.empty_like(t), 0.0, float(period)
        while begin < len(t):
            inside = (t >= begin) & (t < begin + length)
            out[inside] = _half_cosine(1.0, end, (t[inside] - begin) / length)
            begin, length = begin + length, length * factor
        return out

    return Schedule(multiplier)


@named(start=UNIT)
def warmup(steps: int = 10, start: float = 0.0, then: Schedule | None = None) -> Schedule:
    """A line from `start` to 1 over `steps` steps, then the schedule `then`, counted from there (constant if none)."""
    arguments.integer("warmup: steps", steps, low=0)
    if then is not None and not isinstance(then, Schedule):
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


@named(rise=arguments.Interval(0, 1, True, True), start_divisor=POSITIVE, end_divisor=POSITIVE)
def one_cycle(
    rise: float = 0.3, start_divisor: float = 25.0, end_divisor: float = 1e4, total: int | None = None
) -> Schedule:
    """A half cosine from 1/start_divisor up to 1 over the share `rise`, then one down to the start over `end_divisor`.

    torch's ``OneCycleLR`` with the learning rate as its ``max_lr`` (and no cycling of the momentum); after `total`
    steps it stays. Source: Smith & Topin (2018), arXiv 1708.07120.
    """
    _steps("one_cycle: total", total)

    def multiplier(t: Array, budget: int) -> Array:
        last = float(total or budget)
        top, start = rise * last - 1.0, 1.0 / start_divisor
        up = _half_cosine(start, 1.0, np.clip(t / top, 0.0, 1.0) if top > 0 else np.ones_like(t))
        down = _half_cosine(1.0, start / end_divisor, np.clip((t - top) / max(last - 1.0 - top, 1e-300), 0.0, 1.0))
        return np.where(t <= top, up, down)

    return Schedule(multiplier)


@named(low=UNIT)
def cyclical(low: float = 0.1, up: int = 50, down: int | None = None) -> Schedule:
    """Triangles between `low` and 1: `up` steps up, `down` (as many if not given) down, again and again.

    torch's ``CyclicLR`` with the learning rate as its ``max_lr``. Source: Smith (2017), arXiv 1506.01186.
    """
    arguments.integer("cyclical: up", up)
    _steps("cyclical: down", down)

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

    Raises
    ------
    ValueError
        If the two shares are more than the whole.
    """
    _steps("warmup_stable_decay: total", total)
    if rise + fall > 1:
        raise ValueError(f"warmup_stable_decay: rise + fall must be at most 1, not {rise + fall:g}")

    def multiplier(t: Array, budget: int) -> Array:
        place = np.minimum(t / (total or budget), 1.0)
        up = place / rise if rise else np.ones_like(place)
        down = 1 - (1 - end) * np.maximum(place - (1 - fall), 0.0) / fall if fall else np.ones_like(place)
        return np.minimum(np.minimum(up, 1.0), down)

    return Schedule(multiplier)


def _plateau(loss, multiplier, best, bad, rest, factor, patience, threshold, cooldown, least):
    better = loss < best * (1 - threshold)
    best = select(better, loss, best)
    bad = select(better | (rest > 0), 0.0, bad + 1)
    rest = select(rest > 0, rest - 1, 0.0)
    cut = bad > patience
    multiplier = select(cut, maximum(multiplier * factor, least), multiplier)
    rest = select(cut, cooldown, rest)
    bad = select(cut, 0.0, bad)
    return multiplier, best, bad, rest


def _plateau_absolute(loss, multiplier, best, bad, rest, factor, patience, threshold, cooldown, least):
    better = loss < best - threshold
    best = select(better, loss, best)
    bad = select(better | (rest > 0), 0.0, bad + 1)
    rest = select(rest > 0, rest - 1, 0.0)
    cut = bad > patience
    multiplier = select(cut, maximum(multiplier * factor, least), multiplier)
    rest = select(cut, cooldown, rest)
    bad = select(cut, 0.0, bad)
    return multiplier, best, bad, rest


@named(
    factor=arguments.Interval(0, 1, True, True),
    patience=NONNEGATIVE,
    threshold=NONNEGATIVE,
    cooldown=NONNEGATIVE,
    least=UNIT,
)
def reduce_on_plateau(
    factor: float = 0.1,
    patience: float = 10,
    threshold: float = 1e-4,
    cooldown: float = 0,
    least: float = 0.0,
    absolute: bool = False,
) -> LossSchedule:
    """Times `factor` after more than `patience` steps in which the trajectory's loss has not got better.

    Better is below best · (1 − threshold), or with `absolute` below best − threshold; `cooldown` steps after a cut do
    not count; the multiplier stays at least `least`. torch's ``ReduceLROnPlateau`` stepped with the loss after each
    update. Where losses are negative a relative threshold calls every step better: use `absolute`.
    """
    rule = _plateau_absolute if absolute else _plateau
    return LossSchedule(rule, {"multiplier": 1.0, "best": np.inf, "bad": 0.0, "rest": 0.0})


def _half_cosine(first: float, last: float, place: Array) -> Array:
    """From `first` to `last` along half a cosine, at places 0 … 1."""
    return last + (first - last) * 0.5 * (1.0 + np.cos(np.pi * place))


CATALOGUE: dict[str, Callable[..., Schedule | LossSchedule]] = {
    make.__name__: make
    for make in (
        constant,
        step,
        multi_step,
        exponential,
        linear,
        polynomial,
        inverse_sqrt,
        cosine,
        cosine_warm_restarts,
        warmup,
        one_cycle,
        cyclical,
        warmup_stable_decay,
        reduce_on_plateau,
    )
}
