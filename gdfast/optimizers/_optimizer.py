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
*sums*
    quantities of the whole vector: each the sum over all coordinates of one value of `terms`, a function of the
    rule's other arguments;
``loss``
    the loss at the present point, if the rule has an argument of this name;
*coefficients*
    hyperparameters by their name; columns of the step table, numbers that depend on the step alone; and of the
    problem ``dimension`` and ``lowest``, the loss of its lowest known minimum.

It returns the new ``theta`` and the new state slots, in the order of the arguments.
`gdfast.kernels` states what such a text may contain, and checks it.
"""

import copy
import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gdfast.arguments import FRACTION, NONNEGATIVE, POSITIVE
from gdfast.elementary import Array
from gdfast.named import Named, named
from gdfast.problems import Problem
from gdfast.schedules import Schedule

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
    sums: tuple[str, ...] = ()
    terms: Callable[..., Any] | None = None
    schedule: Schedule | None = field(default=None, init=False)

    def scheduled(self, schedule: Schedule) -> "Optimizer":
        """Return the same optimizer with the learning rate multiplied by a schedule; see `gdfast.schedules`.

        Raises
        ------
        TypeError
            If `schedule` is no schedule.
        """
        if not isinstance(schedule, Schedule):
            raise TypeError(f"schedule must be a schedule, such as gdfast.schedules.cosine(), not {schedule!r}")
        optimizer = copy.copy(self)
        object.__setattr__(optimizer, "schedule", schedule)
        return optimizer

    @property
    def label(self) -> str:
        """Name, changed hyperparameters and schedule: ``adam:beta1=0.8|cosine``."""
        return super().label + (f"|{self.schedule.label}" if self.schedule else "")

    @property
    def specification(self) -> dict[str, Any]:
        """Name, hyperparameters and, if there is one, the schedule, as plain data."""
        return {**super().specification, **({"schedule": self.schedule.specification} if self.schedule else {})}

    def __copy__(self) -> "Optimizer":
        again: Optimizer = self._factory(**self.parameters)
        return again

    def __reduce__(self) -> Any:
        return _again, (functools.partial(self._factory, **self.parameters), self.schedule)

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
        """Names of the coefficients: the rule's arguments after ``lr``, the sums and the loss."""
        names = list(inspect.signature(self.rule).parameters)
        return tuple(names[names.index("lr") + 1 + len(self.sums) + self.uses_loss :])

    @functools.cached_property
    def initial_state(self) -> Array:
        """First value of each state slot, ``float64[s]``."""
        return np.array([self.initial.get(slot, 0.0) for slot in self.state], dtype=np.float64)

    @functools.lru_cache(maxsize=16)  # noqa: B019, few and small; every tile of a sweep needs the same one
    def coefficient_table(self, max_steps: int, problem: Problem) -> Array:
        """The coefficients of every step, ``float64[max_steps + 1, c]``; row ``t`` belongs to update ``t + 1``.

        The last row serves the check after the last update. With a schedule its multipliers are an additional first
        column.
        """
        columns: dict[str, Any] = dict(self.parameters)
        with np.errstate(all="ignore"):  # a table may overflow; what comes of it is the trajectory's fate
            multipliers = self.schedule.multipliers(max_steps) if self.schedule else None
            if self.step_table:
                t = np.arange(1, max_steps + 2, dtype=np.float64)
                given = [t]
                if "multipliers" in inspect.signature(self.step_table).parameters:
                    given.append(np.ones_like(t) if multipliers is None else multipliers)
                columns.update(self.step_table(*given))
        if "dimension" in self.coefficients:
            columns["dimension"] = problem.dimension
        if "lowest" in self.coefficients:
            columns["lowest"] = problem.lowest_objective
        table = np.empty((max_steps + 1, len(self.coefficients)))
        for j, name in enumerate(self.coefficients):
            table[:, j] = columns[name]
        if multipliers is not None:
            table = np.column_stack([multipliers, table])
        return table


def debiasing(beta1: float, beta2: float) -> Callable[[Array], Mapping[str, Array]]:
    """The step table of Adam and its kin: ``rate`` = 1/(1 − β₁ᵗ) and ``debias`` = 1/√(1 − β₂ᵗ)."""
    return lambda t: {"rate": 1.0 / (1.0 - beta1**t), "debias": 1.0 / np.sqrt(1.0 - beta2**t)}


def _again(make: Callable[[], Optimizer], schedule: Schedule | None) -> Optimizer:
    optimizer = make()
    return optimizer.scheduled(schedule) if schedule else optimizer
