"""Schedules: multipliers of the learning rate as functions of the step.

A schedule gives each step t = 0, 1, … a factor of the learning rate, whatever the trajectory does; only
`reduce_on_plateau` looks at the trajectory's own losses. ``total`` is the number of steps a schedule is stretched over;
the budget of the run where it is not given. Use one by ``optimizer.scheduled(schedule)``; any function of the step
will do, ``optimizer.scheduled(lambda t: 0.99**t)``, see `of_step`, and several, whose factors are multiplied:
``optimizer.scheduled(warmup(steps=100), reduce_on_plateau(after=100))``.

A hyperparameter may be a schedule, too, of optimizers and of transforms, wherever it is a number of an interval: its
factors are then the values at each step, ``momentum(momentum=linear(0.5, 0.99))`` or
``clip_norm(max_norm=cosine(end=0.1))``.
"""

from collections.abc import Callable

from gdfast.schedules._schedule import Chain, LossSchedule, Schedule, StepFunction, chained, of_step
from gdfast.schedules._varied import Varied
from gdfast.schedules.optimal import chebyshev, nesterov_momentum, silver
from gdfast.schedules.plateau import reduce_on_plateau
from gdfast.schedules.usual import (
    constant,
    cosine,
    cosine_warm_restarts,
    cyclical,
    exponential,
    inverse_sqrt,
    linear,
    multi_step,
    one_cycle,
    polynomial,
    sequence,
    step,
    warmup,
    warmup_stable_decay,
)

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
        sequence,
        one_cycle,
        cyclical,
        warmup_stable_decay,
        silver,
        chebyshev,
        nesterov_momentum,
        reduce_on_plateau,
    )
}
"""The schedules by name."""

__all__ = [
    "CATALOGUE",
    "Chain",
    "LossSchedule",
    "Schedule",
    "StepFunction",
    "Varied",
    "chained",
    "chebyshev",
    "constant",
    "cosine",
    "cosine_warm_restarts",
    "cyclical",
    "exponential",
    "inverse_sqrt",
    "linear",
    "multi_step",
    "nesterov_momentum",
    "of_step",
    "one_cycle",
    "polynomial",
    "reduce_on_plateau",
    "sequence",
    "silver",
    "step",
    "warmup",
    "warmup_stable_decay",
]
