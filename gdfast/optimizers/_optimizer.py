"""What an optimizer is: an update rule with named hyperparameters and named state slots.

A rule is written once, as plain arithmetic on one coordinate. The same text runs on NumPy arrays (the
reference), in compiled lanes (the kernel) and on symbols (theory). Its arguments, in this order, are

``theta, grad``
    the parameter and its gradient;
*state slots*
    any number of names, each a running quantity of the coordinate (a velocity, a second moment), which start at
    zero unless `initial` says otherwise;
``lr``
    the learning rate of the trajectory;
*norms*
    quantities of the whole vector: each the norm over all coordinates of one value of `entries`, a function
    of the rule's other arguments. They neither overflow nor underflow where sums of squares would;
*sums*
    the same with sums over all coordinates of the values of `terms`, a function of the rule's other arguments, norms
    among them;
``loss``
    the loss at the present point, if the rule has an argument of this name;
*coefficients*
    hyperparameters by their name; columns of the step table, numbers that depend on the step alone; and of the
    problem ``dimension`` and ``lowest``, the loss of its lowest known minimum.

It returns the new ``theta`` and the new state slots, in the order of the arguments.
`gdfast.kernels` states what such a text may contain, and checks it.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gdfast import arguments
from gdfast.arguments import FRACTION, NONNEGATIVE, POSITIVE
from gdfast.formulas.elementary import Array
from gdfast.named import Named, named
from gdfast.problems import Problem
from gdfast.schedules import LossSchedule, Schedule
from gdfast.transforms import Transform

__all__ = ["FRACTION", "NONNEGATIVE", "POSITIVE", "Optimizer", "debiasing", "named"]


@dataclass(frozen=True, eq=False, repr=False)
class Optimizer(Named):
    """An update rule with its hyperparameters, its state slots and the numbers that depend on the step alone.

    Parameters
    ----------
    rule : callable
        The update of one coordinate, as the module's docstring describes.
    learning_rate : float
        The default learning rate, as its source gives it.
    step_table : callable, optional
        From the step numbers ``t = 1, 2, …`` (float64 array) to a mapping of column names to arrays of the same
        length (or single numbers). A column hides a hyperparameter of the same name. If it has a second argument
        ``multipliers``, it also gets the schedule's multipliers of the same steps, ones without a schedule.
    initial : mapping, optional
        State slots that do not start at zero, with their first value.
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
    """

    rule: Callable[..., Any]
    learning_rate: float
    step_table: Callable[..., Mapping[str, Any]] | None = None
    initial: Mapping[str, float] = field(default_factory=dict)
    norms: tuple[str, ...] = ()
    entries: Callable[..., Any] | None = None
    euclidean: bool = True
    sums: tuple[str, ...] = ()
    terms: Callable[..., Any] | None = None
    schedule: Schedule | LossSchedule | None = field(default=None, init=False)
    transforms: tuple[Transform, ...] = field(default=(), init=False)

    def scheduled(self, schedule: Schedule | LossSchedule) -> "Optimizer":
        """Return the same optimizer with the learning rate multiplied by a schedule; see `gdfast.schedules`.

        Raises
        ------
        TypeError
            If `schedule` is no schedule.
        """
        if not isinstance(schedule, Schedule | LossSchedule):
            raise TypeError(
                f"schedule must be a schedule, such as gdfast.schedules.cosine(), not {arguments.shown(schedule)}"
            )
        return self._with(schedule, self.transforms)

    def transformed(self, *transforms: Transform) -> "Optimizer":
        """Return the same optimizer with the gradient transformed before it; see `gdfast.transforms`.

        Transforms act from left to right, after those that the optimizer has already.

        Raises
        ------
        TypeError
            If one of them is no transform.
        """
        for transform in transforms:
            if not isinstance(transform, Transform):
                raise TypeError(
                    f"transforms must be such as gdfast.transforms.clip_norm(), not {arguments.shown(transform)}"
                )
        return self._with(self.schedule, self.transforms + transforms)

    def _with(self, schedule: Schedule | LossSchedule | None, transforms: tuple[Transform, ...]) -> "Optimizer":
        optimizer: Optimizer = self._factory(**self.parameters)
        object.__setattr__(optimizer, "schedule", schedule)
        object.__setattr__(optimizer, "transforms", transforms)
        return optimizer

    @property
    def label(self) -> str:
        """Name, changed hyperparameters, schedule and transforms: ``adam:beta1=0.8|cosine|clip_norm``."""
        more = (*([self.schedule] if self.schedule else []), *self.transforms)
        return "|".join([super().label, *(each.label for each in more)])

    @property
    def specification(self) -> dict[str, Any]:
        """Name, hyperparameters and, where there are any, schedule and transforms, as plain data."""
        found = super().specification
        if self.schedule:
            found["schedule"] = self.schedule.specification
        if self.transforms:
            found["transforms"] = [transform.specification for transform in self.transforms]
        return found

    def __reduce__(self) -> Any:
        return _again, (functools.partial(self._factory, **self.parameters), self.schedule, self.transforms)

    @property
    def plateau(self) -> LossSchedule | None:
        """The schedule, if it depends on the trajectory's losses."""
        return self.schedule if isinstance(self.schedule, LossSchedule) else None

    @property
    def scheduled_by_step(self) -> bool:
        """Whether the learning rate is multiplied by a number that depends on the step alone."""
        return isinstance(self.schedule, Schedule)

    @functools.cached_property
    def state(self) -> tuple[str, ...]:
        """Names of the state slots: the rule's arguments between ``grad`` and ``lr``."""
        names = list(inspect.signature(self.rule).parameters)
        return tuple(names[2 : names.index("lr")])

    @functools.cached_property
    def uses_loss(self) -> bool:
        """Whether the rule asks for the loss."""
        return "loss" in inspect.signature(self.rule).parameters

    @functools.cached_property
    def coefficients(self) -> tuple[str, ...]:
        """Names of the coefficients: the rule's arguments after ``lr``, norms, sums and the loss."""
        names = list(inspect.signature(self.rule).parameters)
        return tuple(names[names.index("lr") + 1 + len(self.norms) + len(self.sums) + self.uses_loss :])

    @functools.cached_property
    def initial_state(self) -> Array:
        """First value of each state slot, ``float64[s]``."""
        return np.array([self.initial.get(slot, 0.0) for slot in self.state], dtype=np.float64)

    def multipliers(self, max_steps: int) -> Array:
        """What the learning rate is multiplied by at steps 0 … max_steps, as far as it depends on the step alone."""
        if isinstance(self.schedule, Schedule):
            return self.schedule.multipliers(max_steps)
        return np.broadcast_to(1.0, max_steps + 1)  # of which only one is stored

    def columns(self, max_steps: int, multipliers: Array, problem: Problem) -> Array:
        """The rule's coefficients, ``float64[max_steps + 1, c]``; row ``t`` belongs to update ``t + 1``."""
        values: dict[str, Any] = dict(self.parameters)
        if self.step_table:
            given = [np.arange(1, max_steps + 2, dtype=np.float64)]
            if "multipliers" in inspect.signature(self.step_table).parameters:
                given.append(multipliers)
            values.update(self.step_table(*given))
        if "dimension" in self.coefficients:
            values["dimension"] = problem.dimension
        if "lowest" in self.coefficients:
            values["lowest"] = problem.lowest_objective
        columns = np.empty((max_steps + 1, len(self.coefficients)))
        for j, name in enumerate(self.coefficients):
            columns[:, j] = values[name]
        return columns


def debiasing(beta1: float, beta2: float) -> Callable[[Array], Mapping[str, Array]]:
    """The step table of Adam and its kin: ``rate`` = 1/(1 − β₁ᵗ) and ``debias`` = 1/√(1 − β₂ᵗ)."""
    return lambda t: {"rate": 1.0 / (1.0 - beta1**t), "debias": 1.0 / np.sqrt(1.0 - beta2**t)}


def _again(
    make: Callable[[], Optimizer], schedule: Schedule | LossSchedule | None, transforms: tuple[Transform, ...]
) -> Optimizer:
    return make()._with(schedule, transforms)
