"""What an optimizer is: an update rule with named hyperparameters and named state slots.

What a rule is, `gdfast.optimizers._signature` tells.
"""

import functools
import inspect
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from gdfast import arguments, literals
from gdfast.arguments import FRACTION, NONNEGATIVE, POSITIVE
from gdfast.formulas.arrays import computed
from gdfast.formulas.elementary import Array, power
from gdfast.formulas.formula import Formula
from gdfast.formulas.vectors import Steps
from gdfast.named import named, parameters_of_factory
from gdfast.optimizers._added import check_call, check_schedule, check_transforms, check_within, first_values
from gdfast.optimizers._search import Search
from gdfast.optimizers._signature import ForMatrices, Signature, cost_of, for_matrices, needs_of, signature_of
from gdfast.problems import Problem
from gdfast.rules import check_coefficients, in_columns, names_of, sample, steps_of
from gdfast.schedules import LossSchedule, Schedule, Varied, chained
from gdfast.transforms import Transform

__all__ = ["FRACTION", "NONNEGATIVE", "POSITIVE", "Optimizer", "debiasing", "named"]


@dataclass(frozen=True, eq=False, repr=False)
class Optimizer(Varied):
    """An update rule with its hyperparameters, its state slots and the numbers that depend on the step alone.

    Parameters
    ----------
    rule : callable
        The update of one coordinate, as `gdfast.optimizers._signature` describes.
    learning_rate : float
        The default learning rate, as its source gives it.
    step_table : callable, optional
        From the step numbers ``t = 1, 2, …`` (float64 array) to a mapping of column names to arrays of the same
        length (or single numbers). A column hides a hyperparameter of the same name. If it has a second argument
        ``multipliers``, it also gets the schedule's multipliers of the same steps, ones without a schedule.
    initial : mapping, optional
        State slots and scalars that do not start at zero, with their first value.
    scalars : tuple of str
        Names of the rule's arguments that are running numbers of the whole trajectory, the last before ``lr``.
    norms : tuple of str
        Names of the rule's arguments that are norms over all coordinates.
    entries : callable, optional
        Of what: a function of the rule's arguments other than the norms, the sums and the loss, in the same order,
        that returns one value for each norm.
    euclidean : bool
        Whether the norms are Euclidean, or else maximum norms, which take less time.
    sums : tuple of str
        Names of the rule's arguments that are sums over all coordinates.
    terms : callable, optional
        What is summed: a function of the rule's arguments other than the sums and the loss, in the same order,
        that returns one value for each sum.
    preconditioner : callable, optional
        What a coordinate's step is divided by, for rules that divide by a running size of the gradient: a function of
        any of the state slots, as an update leaves them, and of the rule's coefficients of this update, by their names.
        Histories tell the sharpness by it; no step needs it.
    search : Search, optional
        The line search of a rule that calls ``line_search``.
    matrix_rule : callable, optional
        The update of an entry of a matrix, if it differs; `rule` then has neither scalars, norms nor the loss.
    schedule : Schedule or LossSchedule, optional
        What the learning rate is multiplied by; see `scheduled`.
    transforms : tuple of Transform
        What is done to the gradient before, and to the point after; see `transformed`.
    unit : float
        What a learning rate of 1 in a sweep means to it; see `in_units`.
    parameters : mapping
        Hyperparameters by name; a factory's are its parameters.

    Raises
    ------
    TypeError, ValueError
        If the rule is not in the grammar, or its arguments and what it returns do not fit the rest.

    Examples
    --------
    >>> from gdfast.formulas.formula import from_text
    >>> rule = from_text("def rule(theta, grad, lr, beta): return theta - lr * beta * grad")
    >>> Optimizer(rule, learning_rate=0.1, parameters={"beta": 0.9}).replace(beta=0.8)
    <optimizer <rule>:beta=0.8>
    """

    compared: ClassVar[str] = "make one of each, as gdfast.optimizers.grid does"

    rule: Callable[..., Any]
    learning_rate: float
    step_table: Callable[..., Mapping[str, Any]] | None = None
    initial: Mapping[str, float] = field(default_factory=dict)
    scalars: tuple[str, ...] = ()
    norms: tuple[str, ...] = ()
    entries: Callable[..., Any] | None = None
    euclidean: bool = True
    sums: tuple[str, ...] = ()
    terms: Callable[..., Any] | None = None
    preconditioner: Callable[..., Any] | None = None
    search: Search | None = None
    matrix_rule: Callable[..., Any] | None = None
    schedule: Schedule | LossSchedule | None = None
    transforms: tuple[Transform, ...] = ()
    unit: float = 1.0
    parameters: Mapping[str, Any] = field(default_factory=parameters_of_factory)

    within: ClassVar[tuple[Schedule | LossSchedule | None, tuple[Transform, ...], float]] = (None, (), 1.0)
    """Schedule, transforms and unit of what a file has under the name that this has."""
    carrier: ClassVar["Optimizer | None"] = None  # whose points it averages, which tells whether a minimum attracts

    def __post_init__(self) -> None:
        self.pin("rule", "entries", "terms", "matrix_rule", "preconditioner")
        arguments.number("learning_rate", self.learning_rate, POSITIVE)
        for name in ("scalars", "norms", "sums"):
            object.__setattr__(self, name, names_of(name, getattr(self, name)))
        if self.search is not None:
            arguments.instance("search", self.search, Search, "a search, such as gdfast.optimizers.lbfgs().search")
        _ = self._signature
        for slot in arguments.mapping("initial", self.initial, "a mapping from state slots to numbers"):
            arguments.choice("initial: state slot", slot, self.state + self.scalars)
            arguments.number(f"initial: {slot}", self.initial[slot])
        parameters = arguments.mapping("parameters", self.parameters, "a mapping from names to values")
        steps = steps_of(parameters)
        columns = sample(self.step_table, *([steps, np.ones_like(steps)] if self.takes_multipliers else [steps]))
        for rule, coefficients in ((self.rule, self.coefficients), (self.matrix_rule, self.matrix_coefficients)):
            if rule is not None:
                check_coefficients(
                    rule,
                    coefficients,
                    {*parameters, *columns, "dimension", "lowest"},
                    "a value of its own is told by parameters, or behind its name, mine.py:rule:beta=0.9; "
                    "a state slot stands before lr, a norm or a sum is told by norms or sums",
                )
        if self.preconditioner is not None:
            formula = arguments.function("preconditioner", self.preconditioner, "a function of state slots")
            check_coefficients(
                formula,
                Formula.of(formula, 1).arguments,
                {*self.state, *self.coefficients},
                "the preconditioner is made of state slots and of the rule's coefficients",
            )
        object.__setattr__(self, "parameters", MappingProxyType(parameters))
        check_schedule(self.schedule)
        check_transforms(self.name, self.steps, self.carrier is not None, self.transforms)
        arguments.number("unit", self.unit, POSITIVE)

    @classmethod
    def check_call(cls, name: str, signature: inspect.Signature, args: Any, kwargs: Mapping[str, Any]) -> None:
        """Say where the learning rate goes, to whom gives it to the optimizer."""
        check_call(name, signature, args, kwargs)

    def scheduled(self, *schedules: Schedule | LossSchedule | Callable[..., Any]) -> "Optimizer":
        """Return the same optimizer with the learning rate multiplied by schedules; see `gdfast.schedules`.

        Factories of schedules will do, and functions of the step, see `gdfast.schedules.of_step`. The factors of
        several are multiplied, see `gdfast.schedules.chained`.

        Parameters
        ----------
        *schedules
            Schedules, factories of them, or functions of the step.

        Returns
        -------
        Optimizer
            With these in place of the schedule that it had.

        Raises
        ------
        TypeError, ValueError
            If one of them is none of these, or the optimizer is an average of one with schedules.

        Examples
        --------
        >>> from gdfast import optimizers
        >>> optimizers.gd().scheduled(lambda t: 0.5 ** (t // 100))
        <optimizer gd|<lambda t: 0.5 ** (t // 100)>>
        """
        check_within(self.name, self.carrier)
        return self.copied(schedule=chained(*schedules))

    def transformed(self, *transforms: Transform) -> "Optimizer":
        """Return the same optimizer with the gradient transformed before it; see `gdfast.transforms`.

        Transforms act from left to right, after those that the optimizer has already: those of the gradient before the
        rule, those of the point after it.

        Parameters
        ----------
        *transforms
            Of `gdfast.transforms`.

        Returns
        -------
        Optimizer
            With these after its own.

        Raises
        ------
        TypeError
            If one of them is no transform.
        """
        check_transforms(self.name, self.steps, self.carrier is not None, self.transforms + transforms)
        return self.copied(transforms=self.transforms + transforms)

    def in_units(self, rate: float | None = None) -> "Optimizer":
        """Return the same optimizer, to which a sweep's learning rates are multiples of a rate, or of its default.

        So each optimizer of a sweep has a range of its own, about what is usual for it.

        Parameters
        ----------
        rate : float > 0, optional
            What a learning rate of 1 is to mean; the default rate if not given.

        Returns
        -------
        Optimizer
            With this `unit`.

        Raises
        ------
        TypeError, ValueError
            If the rate is no positive number.

        Examples
        --------
        >>> from gdfast.optimizers import adam
        >>> adam().in_units()
        <optimizer adam|unit=0.001>
        """
        return self.copied(unit=self.learning_rate if rate is None else arguments.number("rate", rate, POSITIVE))

    def replace(self, **changes: Any) -> "Optimizer":
        """Return the same with other hyperparameters, another schedule, other transforms or another unit.

        Parameters
        ----------
        **changes
            Hyperparameters, ``schedule``, ``transforms`` or ``unit``, by name.

        Returns
        -------
        Optimizer
            With all others as they are.

        Raises
        ------
        TypeError, ValueError
            If there is no such hyperparameter, or its value is not accepted.
        """
        if self.make is None:
            return super().replace(**changes)
        steps = {name: changes.pop(name, getattr(self, name)) for name in ("schedule", "transforms", "unit")}
        check_schedule(steps["schedule"])
        check_transforms(self.name, self.steps, self.carrier is not None, steps["transforms"])
        arguments.number("unit", steps["unit"], POSITIVE)
        return super().replace(**changes).copied(**steps)

    def content(self) -> Hashable:
        """Return rule, hyperparameters, schedule, transforms and unit."""
        return super().content(), self.schedule, self.transforms, self.unit

    @property
    def label(self) -> str:
        """Name, changed hyperparameters, schedule, transforms, unit: ``adam:beta1=0.8|cosine|clip_norm|unit=0.1``."""
        schedule, transforms, unit = self.within  # which the name of a thing from a file says already
        at_first = len(transforms) if self.transforms[: len(transforms)] == transforms else 0
        more = (*([self.schedule] if self.schedule and self.schedule != schedule else []), *self.transforms[at_first:])
        units = [] if self.unit == unit else [f"unit={literals.write(self.unit)}"]
        return "|".join([super().label, *(each.label for each in more), *units])

    @property
    def specification(self) -> dict[str, Any]:
        """Name, hyperparameters and, where there are any, schedule, transforms and unit, as plain data."""
        told = super().specification
        for name in ("schedule", "transforms", "unit"):
            told["parameters"].pop(name, None)
        if self.schedule:
            told["schedule"] = self.schedule.specification
        if self.transforms:
            told["transforms"] = [transform.specification for transform in self.transforms]
        if self.unit != 1:
            told["unit"] = self.unit
        return told

    def __reduce__(self) -> Any:
        told = super().__reduce__()
        if self.make is None:
            return told
        return _again, (self.make, self._of_factory, self.schedule, self.transforms, self.unit)

    @property
    def plateau(self) -> LossSchedule | None:
        """The schedule, or that of a chain, that depends on the trajectory's losses."""
        return self.schedule.plateau if self.schedule else None

    @property
    def scheduled_by_step(self) -> bool:
        """Whether the learning rate is multiplied by a number that depends on the step alone."""
        return isinstance(self.schedule, Schedule)

    @property
    def _signature(self) -> Signature:
        return signature_of(self.rule, self.norms, self.entries, self.sums, self.terms, self.scalars, self.search)

    @property
    def state(self) -> tuple[str, ...]:
        """Names of the state slots of a coordinate: the rule's arguments between ``grad`` and the scalars or ``lr``."""
        return self._signature.state

    @property
    def uses_loss(self) -> bool:
        """Whether the rule, or its line search, asks for the loss."""
        return self._signature.uses_loss

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Names of the coefficients: the rule's arguments after ``lr``, norms, sums and the loss, and of its search."""
        return self._signature.coefficients

    @property
    def arguments_after_slots(self) -> tuple[str, ...]:
        """The rule's own arguments from ``lr`` on."""
        names = tuple(inspect.signature(self.rule).parameters)
        return names[names.index("lr") :]

    @property
    def steps(self) -> Steps | None:
        """The rule statement by statement, if it calls functions of whole vectors."""
        return self._signature.steps

    @property
    def points(self) -> int:
        """At how many points a step asks for loss, gradient or Hessian, besides what is counted."""
        return (1 + (self.steps.points if self.steps else 0)) * (2 if self.elsewhere else 1)

    @property
    def elsewhere(self) -> bool:
        """Whether a transform takes gradients at another point."""
        return any(transform.elsewhere for transform in self.transforms)

    @property
    def counts(self) -> bool:
        """Whether it is counted what else its steps ask for: trials of a line search, products with the Hessian."""
        return bool(self.steps and self.steps.counts)

    @property
    def cost(self) -> str:
        """What a step asks for, in words: ``2 gradients and 1 loss``."""
        return cost_of(self._signature, self.search, self.elsewhere)

    @property
    def for_matrices(self) -> ForMatrices | None:
        """What the rule for matrices is made of, if there is one."""
        plain = not (self.scalars or self.norms or self.uses_loss or self.steps)
        return for_matrices(self.matrix_rule, self.rule, self.state, plain)

    @property
    def matrix_coefficients(self) -> tuple[str, ...]:
        """Names of the coefficients of the rule for matrices."""
        return self.for_matrices.coefficients if self.for_matrices else ()

    @property
    def needs(self) -> Mapping[str, str]:
        """What a problem must provide for it (see `Problem.provides`), with the words for it."""
        return needs_of(self._signature, self.transforms)

    @property
    def initial_state(self) -> Array:
        """First value of each state slot, those of transforms after the rule's; `THE_START` for the point's own."""
        return first_values(self.initial, self.state, [each.initial_state for each in self.transforms])

    @property
    def initial_scalars(self) -> Array:
        """First value of each scalar, those of transforms after the rule's."""
        return first_values(self.initial, self.scalars, [each.initial_scalars for each in self.transforms])

    @functools.cached_property
    def takes_multipliers(self) -> bool:
        """Whether its step table takes the schedule's multipliers."""
        return self.step_table is not None and "multipliers" in inspect.signature(self.step_table).parameters

    def multipliers(self, max_steps: int) -> Array:
        """What the learning rate is multiplied by at steps 0 … max_steps, as far as it depends on the step alone."""
        if isinstance(self.schedule, Schedule):
            return self.schedule.multipliers(max_steps)
        return np.broadcast_to(1.0, max_steps + 1)  # of which only one is stored

    def preconditioners(self, state: Array, coefficients: Array) -> Array | None:
        """What steps were divided by, ``float64[d, n]``; None where nothing is.

        Parameters
        ----------
        state : ndarray
            The state slots that an update left, ``dtype[s, d, n]``.
        coefficients : ndarray
            The rule's coefficients of this update, ``dtype[c]`` or ``dtype[c, n]``.
        """
        if self.preconditioner is None:
            return None
        names = Formula.of(self.preconditioner, 1).arguments
        told = {**dict(zip(self.coefficients, coefficients, strict=True)), **dict(zip(self.state, state, strict=True))}
        with np.errstate(all="ignore"):
            found: Array = computed(self.preconditioner, 1, *(told[name] for name in names))[0]
        return found.astype(np.float64, copy=False)

    def check(self, budget: int) -> None:
        """Refuse, by a ValueError, schedules of rate or hyperparameters that tell nothing accepted at some step."""
        for part in (self, *self.transforms):
            part.check_courses(budget)
        return self.schedule.check(budget) if self.schedule else None

    def columns(self, max_steps: int, multipliers: Array, problem: Problem, of_matrices: bool = False) -> Array:
        """The rule's coefficients, or those of the rule for matrices, ``float64[max_steps + 1, c]``.

        Row ``t`` belongs to update ``t + 1``.
        """
        if self.courses:
            every: Optimizer = self.at_every_step(max_steps)
            return every.columns(max_steps, multipliers, problem, of_matrices)
        values: dict[str, Any] = dict(self.parameters)
        if self.step_table:
            t = np.arange(1, max_steps + 2, dtype=np.float64)
            values.update(self.step_table(*([t, multipliers] if self.takes_multipliers else [t])))
        names = self.matrix_coefficients if of_matrices else self.coefficients
        if "dimension" in names:
            values["dimension"] = problem.dimension
        if "lowest" in names:
            values["lowest"] = problem.lowest_objective
        return in_columns(names, values, max_steps + 1)


def debiasing(beta1: float, beta2: float) -> Callable[[Array], Mapping[str, Array]]:
    """The step table of Adam and its kin: ``rate`` = 1/(1 − β₁ᵗ) and ``debias`` = 1/√(1 − β₂ᵗ)."""
    return lambda t: {"rate": 1.0 / (1.0 - power(beta1, t)), "debias": 1.0 / np.sqrt(1.0 - power(beta2, t))}


def _again(
    make: Callable[..., Optimizer],
    parameters: Mapping[str, Any],
    schedule: Schedule | LossSchedule | None,
    transforms: tuple[Transform, ...],
    unit: float,
) -> Optimizer:
    return make(**parameters).copied(schedule=schedule, transforms=transforms, unit=unit)
