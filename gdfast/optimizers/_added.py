"""What may be given to an optimizer, or is refused: schedules, transforms, and never a learning rate."""

import inspect
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gdfast import arguments
from gdfast.formulas.elementary import Array
from gdfast.formulas.vectors import Steps
from gdfast.schedules import LossSchedule, Schedule
from gdfast.transforms import Transform

_LEARNING_RATES = ("lr", "learning_rate", "learning_rates", "eta", "step_size")


def check_schedule(schedule: Any) -> None:
    """Refuse what is no schedule."""
    if not isinstance(schedule, Schedule | LossSchedule | None):
        raise TypeError(
            f"schedule must be a schedule, such as gdfast.schedules.cosine(), not {arguments.shown(schedule)}"
        )


def check_within(name: str, averages: Any) -> None:
    """Refuse schedules of an average whose optimizer has some: the rate that both multiply is that optimizer's."""
    if averages is not None and averages.schedule is not None:
        raise ValueError(f"schedules: {name} has those of {averages.label}; all of them are to stand there")


def check_transforms(name: str, steps: Steps | None, averages: bool, transforms: Any) -> None:
    """Refuse what are no transforms, and those that a part of what the rule takes would not follow.

    Such parts are losses, the Hessian, and the points of an average.
    """
    for transform in arguments.several("transforms", transforms, "a tuple of transforms", least=0):
        if not isinstance(transform, Transform):
            raise TypeError(
                f"transforms must be such as gdfast.transforms.clip_norm(), not {arguments.shown(transform)}"
            )
    if len(several := [transform.label for transform in transforms if transform.elsewhere]) > 1:
        raise ValueError(f"transforms: one may take gradients at another point, not both {several[0]} and {several[1]}")
    for transform in transforms if averages else ():
        if transform.after:
            raise ValueError(
                f"transforms: {transform.label} would change the average that {name} is judged by, but not "
                "the points that it is the average of"
            )
    asked = steps.functions - {"dot", "norm", "gradient_at"} if steps else ()
    for transform in transforms if asked else ():
        if not transform.after:
            raise ValueError(
                f"transforms: {transform.label} would change gradients, but not what {name} holds against them, losses "
                "or the Hessian"
            )


def first_values(initial: Mapping[str, float], slots: Sequence[str], more: Iterable[Iterable[float]]) -> Array:
    """First values of a rule's slots, then those of the transforms'."""
    return np.array([*(initial.get(slot, 0.0) for slot in slots), *itertools.chain(*more)], dtype=np.float64)


def check_call(name: str, signature: inspect.Signature, args: Any, kwargs: Mapping[str, Any]) -> None:
    """Refuse learning rates, which are given to the sweep, and hyperparameters without their names."""
    rate = next((rate for rate in _LEARNING_RATES if rate in kwargs and rate not in signature.parameters), None)
    if rate is None and not args:
        return
    has = ", ".join(f"{parameter}=…" for parameter in signature.parameters)
    what = f"{rate}={arguments.shown(kwargs[rate])}" if rate else arguments.shown(args[0])
    raise TypeError(
        f"{name}: learning rates are given to the sweep, Sweep(problem, {name}(), learning_rates=…), and "
        f"hyperparameters by name, {name}({has}), not as {what}"
    )
