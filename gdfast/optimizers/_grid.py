"""Combinations: one optimizer for every value of its hyperparameters, and with every schedule."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gdfast import memory
from gdfast.arguments import instance, several, shown
from gdfast.optimizers._optimizer import Optimizer
from gdfast.schedules import LossSchedule, Schedule
from gdfast.transforms import Transform

BYTES_OF_AN_OPTIMIZER = 4096  # measured: 1.2 kB, its label and specification some more


def grid(factory: Callable[..., Optimizer], **parameters: Any) -> list[Optimizer]:
    """Make one optimizer for every combination of hyperparameters.

    Parameters
    ----------
    factory : callable
        What makes the optimizers, such as `gdfast.optimizers.momentum`.
    **parameters
        Its hyperparameters. One that is given several values (a list, a tuple, a range or an array of one axis) is an
        axis of the grid; any other is the same for all.

    Returns
    -------
    list of Optimizer
        The product of the axes, the last fastest. All share one compiled kernel, unless a hyperparameter chooses
        between formulas.

    Raises
    ------
    TypeError
        If `factory` makes no optimizers.
    ValueError
        If an axis is empty or has more than one dimension, there would be more optimizers than fit into memory, or the
        factory refuses a value.

    Examples
    --------
    >>> from gdfast.optimizers import momentum
    >>> [optimizer.label for optimizer in grid(momentum, momentum=[0.5, 0.8], dampening=0.1)]
    ['momentum:momentum=0.5,dampening=0.1', 'momentum:momentum=0.8,dampening=0.1']
    """
    if not callable(factory) or isinstance(factory, type):
        raise TypeError(f"grid: factory must make optimizers, as gdfast.optimizers.momentum does, not {shown(factory)}")
    axes = {name: _axis(name, values) for name, values in parameters.items()}
    count = math.prod(map(len, axes.values()))
    memory.fits(f"grid: {count:,} optimizers", BYTES_OF_AN_OPTIMIZER * count)
    made = [factory(**dict(zip(axes, point, strict=True))) for point in itertools.product(*axes.values())]
    if not isinstance(made[0], Optimizer):
        raise TypeError(f"grid: factory must make optimizers, as gdfast.optimizers.momentum does, not {shown(made[0])}")
    return made


def combine(
    optimizers: Sequence[Optimizer],
    schedules: Sequence[Schedule | LossSchedule] = (),
    transforms: Sequence[Transform] = (),
) -> list[Optimizer]:
    """Return each optimizer with each schedule, all with the same transforms behind their own.

    Parameters
    ----------
    optimizers : sequence of Optimizer
        What is combined.
    schedules : sequence of Schedule or LossSchedule
        Of the learning rate; without any, each optimizer keeps its own.
    transforms : sequence of Transform
        Of the gradient, in the order in which they act.

    Returns
    -------
    list of Optimizer
        The product, schedules fastest.

    Raises
    ------
    TypeError, ValueError
        If something is of another kind, there is no optimizer, or there are schedules, and an optimizer has one.

    Examples
    --------
    >>> from gdfast import optimizers, schedules
    >>> rules = [optimizers.gd(), optimizers.adam()]
    >>> [rule.label for rule in optimizers.combine(rules, [schedules.cosine(), schedules.linear()])]
    ['gd|cosine', 'gd|linear', 'adam|cosine', 'adam|linear']
    """
    accepted = "optimizers, such as [gdfast.optimizers.gd()]"
    rules = [instance("optimizers", rule, Optimizer, accepted) for rule in several("optimizers", optimizers, accepted)]
    plans = several("schedules", schedules, "schedules, such as [gdfast.schedules.cosine()]", least=0)
    changes = several("transforms", transforms, "transforms, such as [gdfast.transforms.l2()]", least=0)
    rules = [rule.transformed(*changes) for rule in rules] if changes else rules
    if not plans:
        return rules
    if twice := [rule for rule in rules if rule.schedule]:
        raise ValueError(f"schedule must be given once, with the optimizer {twice[0].label} or for all of them")
    return [rule.scheduled(plan) for rule in rules for plan in plans]


def _axis(name: str, values: Any) -> Sequence[Any]:
    """The values of one hyperparameter; a single one is an axis of length 1."""
    if isinstance(values, np.ndarray):
        if values.ndim > 1 or not values.size:
            raise ValueError(f"grid: {name} must be a value or an array of shape (n,) with n >= 1, not {values.shape}")
        memory.fits(f"grid: {name} of {values.size:,} values", BYTES_OF_AN_OPTIMIZER * values.size)
        return list(np.atleast_1d(values).tolist())
    if not isinstance(values, list | tuple | range):
        return [values]
    if not values:
        raise ValueError(f"grid: {name} must be a value or at least one value in a list, not {shown(values)}")
    count = (values[-1] - values[0]) // values.step + 1 if isinstance(values, range) else len(values)
    memory.fits(f"grid: {name} of {count:,} values", BYTES_OF_AN_OPTIMIZER * count)
    return list(values)
