"""Things whose hyperparameters may be schedules."""

import functools
import inspect
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

from gdfast import arguments
from gdfast.arguments import Interval
from gdfast.named import Named, made_plainly
from gdfast.schedules._schedule import LossSchedule, Schedule, of_step


class Varied(Named):
    """A thing whose hyperparameters may be schedules, whose factors are then the values at each step."""

    _plainly: Callable[..., Any] | None = None

    @classmethod
    def varying(cls, value: Any) -> Schedule | None:
        """A value of a hyperparameter as a schedule, if it is one, or a function of the step; None if it is not.

        Parameters
        ----------
        value : object
            Of the hyperparameter.

        Returns
        -------
        Schedule or None
            What it depends on the step by.
        """
        several = isinstance(value, tuple) and not all(isinstance(each, Real) for each in value)
        if not (isinstance(value, Schedule | LossSchedule) or several or callable(value)) or isinstance(value, type):
            return None
        found = of_step(value)
        if not isinstance(found, Schedule) or found.plateau:
            raise TypeError(f"a schedule that depends on the step alone, not {found.label}")
        return found

    @functools.cached_property
    def courses(self) -> Mapping[str, Schedule]:
        """The hyperparameters that depend on the step."""
        return {name: value for name, value in self.parameters.items() if isinstance(value, Schedule)}

    def check_courses(self, budget: int) -> None:
        """Refuse a hyperparameter that is not accepted at some step of a budget.

        Parameters
        ----------
        budget : int
            Of the run.

        Raises
        ------
        ValueError
            If there is one.
        """
        accepted = getattr(self.make, "accepted", {})
        for name, course in self.courses.items():
            course.check(budget)
            told = f"{self.name}: {name}, {course.label},"
            for t, value in enumerate(course.multipliers(budget)):
                if isinstance(interval := accepted.get(name), Interval) and float(value) not in interval:
                    arguments.number(f"{told} at step {t}", float(value), interval)

    def at_every_step(self, max_steps: int) -> Any:
        """The same, with the hyperparameters that depend on the step as arrays of every step.

        Parameters
        ----------
        max_steps : int
            The budget.

        Returns
        -------
        object
            Of the same kind.
        """
        rows = {name: course.multipliers(max_steps) for name, course in self.courses.items()}
        if self._plainly is None:
            return self.copied(parameters={**self.parameters, **rows})
        names = inspect.signature(self._plainly).parameters
        return made_plainly(self._plainly, {n: v for n, v in {**self.parameters, **rows}.items() if n in names})
