"""What a schedule is: a function of the step, one that looks at losses, several of them together."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from gdfast import arguments
from gdfast.formulas.elementary import Array
from gdfast.formulas.grammar import GrammarError
from gdfast.formulas.reach import full_text
from gdfast.formulas.source import source_of
from gdfast.named import Named, is_factory, parameters_of_factory
from gdfast.rules import check_coefficients, check_memory, in_columns, sample

_COMPARED = "make an optimizer of each, as the text 'gd|cosine:end=0/0.1' does"


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

    Examples
    --------
    >>> Schedule(lambda t, budget: 1 - t / budget).multipliers(4)
    array([1.  , 0.75, 0.5 , 0.25, 0.  ])
    """

    compared: ClassVar[str] = _COMPARED

    multiplier: Callable[..., Any]

    def __post_init__(self) -> None:
        arguments.function("multiplier", self.multiplier, "a function of the steps and the budget")
        with np.errstate(all="ignore"):
            factors = arguments.array("multiplier: what it returns", self.multiplier(np.array([0.0, 1.0]), 1))
        if factors.shape not in ((), (2,)):
            raise ValueError(f"multiplier must return a factor for each of 2 steps, not an array of {factors.shape}")

    @property
    def plateau(self) -> "LossSchedule | None":
        """What of it looks at the trajectory's losses: nothing but in a chain with such a schedule."""
        return None

    def check(self, budget: int) -> None:
        """Refuse what gives no factor at some step of a budget: functions of one's own may.

        Parameters
        ----------
        budget : int
            Of the run.
        """

    def multipliers(self, max_steps: int) -> Array:
        """The factors of steps 0 … max_steps, ``float64[max_steps + 1]``.

        Parameters
        ----------
        max_steps : int
            The budget.

        Returns
        -------
        ndarray
            The factors.
        """
        return self.at(np.arange(max_steps + 1, dtype=np.float64), max_steps)

    def at(self, t: Array, budget: int) -> Array:
        """The factors of some steps, whole numbers in ``float64[n]``, of a run of so many steps, ``float64[n]``.

        Parameters
        ----------
        t : ndarray
            Numbers of steps.
        budget : int
            Of the run.

        Returns
        -------
        ndarray
            The factors.
        """
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
    step_table : callable, optional
        From the step numbers t = 0, 1, … (float64 array) to a mapping of coefficient names to arrays.
    parameters : mapping
        Coefficients by name; a factory's are its parameters.

    Raises
    ------
    TypeError, ValueError
        If the rule is not in the grammar, or its arguments and what it returns do not fit the rest.

    Examples
    --------
    >>> from gdfast.schedules import reduce_on_plateau
    >>> reduce_on_plateau(patience=5).label
    'reduce_on_plateau:patience=5'
    """

    compared: ClassVar[str] = _COMPARED

    rule: Callable[..., Any]
    initial: Mapping[str, float]
    step_table: Callable[[Array], Mapping[str, Any]] | None = None
    parameters: Mapping[str, Any] = field(default_factory=parameters_of_factory)

    def __post_init__(self) -> None:
        self.pin("rule")
        check_memory(self.rule, self.initial)
        parameters = arguments.mapping("parameters", self.parameters, "a mapping from names to values")
        known = {*parameters, *sample(self.step_table, np.array([0.0, 1.0]))}
        check_coefficients(self.rule, self.coefficients, known, "a memory slot is told by initial")
        object.__setattr__(self, "parameters", MappingProxyType(parameters))

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Names of the coefficients: the rule's arguments after the loss and the memory slots."""
        return tuple(inspect.signature(self.rule).parameters)[1 + len(self.initial) :]

    @property
    def plateau(self) -> "LossSchedule":
        """Itself, which looks at the trajectory's losses."""
        return self

    def check(self, budget: int) -> None:
        """Nothing can be refused of it.

        Parameters
        ----------
        budget : int
            Of the run.
        """

    def columns(self, max_steps: int) -> Array:
        """The coefficients of every step, ``float64[max_steps + 1, c]``.

        Parameters
        ----------
        max_steps : int
            The budget.

        Returns
        -------
        ndarray
            A row a step, a column a coefficient.
        """
        t = np.arange(max_steps + 1, dtype=np.float64)
        values = {**self.parameters, **(self.step_table(t) if self.step_table else {})}
        return in_columns(self.coefficients, values, max_steps + 1)


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

    Examples
    --------
    >>> StepFunction(lambda t: 0.5**t).multipliers(2)
    array([1.  , 0.5 , 0.25])
    """

    def __post_init__(self) -> None:
        arguments.function("schedule", self.multiplier, "a function of the step, such as lambda t: 0.99**t")
        self.at(np.array([0.0, 1.0]), 1)

    @functools.cached_property
    def name(self) -> str:
        """The function's, or the text of a lambda."""
        name = str(getattr(self.multiplier, "__name__", "function"))
        if name != "<lambda>":
            return name
        try:
            return " ".join(source_of(self.multiplier).split())[:60]
        except GrammarError:  # as at a prompt
            return "lambda"

    @property
    def takes_budget(self) -> bool:
        """Whether the function has an argument without a default behind the step."""
        try:
            told = inspect.signature(self.multiplier).parameters.values()
        except (TypeError, ValueError):  # of what is written in C
            return False
        return sum(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in told) > 1

    def check(self, budget: int) -> None:
        self.multipliers(budget)

    def at(self, t: Array, budget: int) -> Array:
        """The factors of some steps; each step is asked for once.

        Parameters
        ----------
        t : ndarray
            Numbers of steps, ``float64[n]``.
        budget : int
            Of the run.

        Returns
        -------
        ndarray
            Factors, ``float64[n]``.
        """
        return _tabulated(self, max(budget, int(t.max(initial=0))) if self.takes_budget else -1, t.tobytes())

    def __repr__(self) -> str:
        return f"<schedule {self.label}>"


_MOST_TABLES = 8
_tables: dict[Any, tuple[set[str], Array]] = {}  # with the texts of what made each: before, and as that left itself


def _tabulated(schedule: StepFunction, budget: int, steps: bytes) -> Array:
    key, text = (schedule, budget, steps), full_text(schedule.multiplier)
    texts, factors = _tables.get(key, (set(), None))
    if factors is None or text not in texts:
        more = (budget,) if schedule.takes_budget else ()
        factors = np.array([_factor(schedule, int(t), more) for t in np.frombuffer(steps)], dtype=np.float64)
        factors.flags.writeable = False
        _tables[key] = {text, full_text(schedule.multiplier)}, factors
        for old in [*_tables][:-_MOST_TABLES]:
            _tables.pop(old, None)
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

    Returns
    -------
    Schedule or LossSchedule
        The latter only where it was given.

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
    if isinstance(schedule, tuple | list) and schedule:
        return chained(*schedule)
    if is_factory(schedule):
        return of_step(schedule())
    if not callable(schedule) or isinstance(schedule, type):
        raise TypeError(
            "schedule must be a schedule, such as gdfast.schedules.cosine(), or a function of the step, not "
            f"{arguments.shown(schedule)}"
        )
    return StepFunction(schedule)


def _none(t: Array, budget: int) -> Array:
    raise TypeError("a chain has no multiplier of its own, but schedules that have")


@dataclass(frozen=True, eq=False, repr=False)
class Chain(Schedule):
    """Several schedules that act together: their factors are multiplied (torch's ``ChainedScheduler``).

    Parameters
    ----------
    schedules : tuple of Schedule and LossSchedule
        At least two, of which one may look at losses.

    Raises
    ------
    TypeError, ValueError
        If they are none.

    Examples
    --------
    >>> from gdfast.schedules import cosine, warmup
    >>> chained(warmup(steps=100), cosine()).label
    'warmup:steps=100|cosine'
    """

    multiplier: Callable[..., Any] = field(init=False, default=_none)
    schedules: tuple[Schedule | LossSchedule, ...] = ()

    def __post_init__(self) -> None:
        accepted = "two or more, such as (gdfast.schedules.warmup(), gdfast.schedules.cosine())"
        for schedule in arguments.several("schedules", self.schedules, accepted, least=2):
            if not isinstance(schedule, Schedule | LossSchedule):
                raise TypeError(f"schedules must hold schedules, {accepted}, not {arguments.shown(schedule)}")
        if len(looking := [each for each in self.schedules if each.plateau]) > 1:
            raise ValueError(
                "schedules must hold one that looks at losses at most, not "
                + " and ".join(each.label for each in looking)
            )

    @property
    def plateau(self) -> LossSchedule | None:
        """The one that looks at the trajectory's losses, if there is one."""
        return next((schedule.plateau for schedule in self.schedules if schedule.plateau), None)

    def check(self, budget: int) -> None:
        for schedule in self.schedules:
            schedule.check(budget)

    def at(self, t: Array, budget: int) -> Array:
        """The product of the factors that depend on the step alone.

        Parameters
        ----------
        t : ndarray
            Numbers of steps, ``float64[n]``.
        budget : int
            Of the run.

        Returns
        -------
        ndarray
            Factors, ``float64[n]``.
        """
        factors = np.ones_like(t)
        for schedule in self.schedules:
            if isinstance(schedule, Schedule):
                factors = factors * schedule.at(t, budget)
        return factors

    @property
    def label(self) -> str:
        """Those of its schedules: ``warmup:steps=100|reduce_on_plateau``."""
        return "|".join(schedule.label for schedule in self.schedules)

    @property
    def specification(self) -> dict[str, Any]:
        """Those of its schedules."""
        return {"name": "chained", "parameters": {"schedules": [each.specification for each in self.schedules]}}

    def fields(self) -> dict[str, Any]:
        """Its schedules.

        Returns
        -------
        dict
            The arguments that make it again.
        """
        return {"schedules": self.schedules}


def chained(*schedules: Any) -> Schedule | LossSchedule:
    """Return several schedules as one whose factor is the product of theirs (torch's ``ChainedScheduler``).

    In notation they stand one behind the other: ``adam|warmup:steps=100|reduce_on_plateau:after=100``.

    Parameters
    ----------
    *schedules
        Schedules, or what `of_step` makes some of. One of them may look at losses, such as `reduce_on_plateau`.

    Returns
    -------
    Schedule or LossSchedule
        The latter if one of them looks at losses.

    Raises
    ------
    TypeError, ValueError
        If one is no schedule, there is none, or several look at losses.

    Examples
    --------
    >>> from gdfast.schedules import step, warmup
    >>> chained(warmup(steps=4), step(every=3, gamma=0.5)).multipliers(4)
    array([0.   , 0.25 , 0.5  , 0.375, 0.5  ])
    """
    parts: list[Schedule | LossSchedule] = []
    for schedule in arguments.several("schedules", schedules, "schedules, such as gdfast.schedules.cosine()"):
        each = of_step(schedule)
        parts += each.schedules if isinstance(each, Chain) else [each]
    return parts[0] if len(parts) == 1 else Chain(schedules=tuple(parts))
