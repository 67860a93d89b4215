"""What may be given to an optimizer, or is refused: schedules, transforms, and never a learning rate."""

import inspect
from collections.abc import Mapping
from typing import Any

from gdfast import arguments
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


def check_transforms(transforms: Any) -> None:
    """Refuse what are no transforms."""
    for transform in arguments.several("transforms", transforms, "a tuple of transforms", least=0):
        if not isinstance(transform, Transform):
            raise TypeError(
                f"transforms must be such as gdfast.transforms.clip_norm(), not {arguments.shown(transform)}"
            )


def check_within(name: str, averages: Any) -> None:
    """Refuse schedules of an average whose optimizer has some: the rate that both multiply is that optimizer's."""
    if averages is not None and averages.schedule is not None:
        raise ValueError(f"schedules: {name} has those of {averages.label}; all of them are to stand there")


def check_losses(name: str, steps: Steps | None, averages: bool, transforms: tuple[Transform, ...]) -> None:
    """Refuse transforms where a part of what the rule takes stays: losses, the Hessian, points of an average."""
    for transform in transforms if averages else ():
        if transform.decoupled:
            raise ValueError(
                f"transforms: {transform.label} would change the average that {name} is judged by, but not "
                "the points that it is the average of"
            )
    asked = steps.functions - {"dot", "norm", "gradient_at"} if steps else ()
    for transform in transforms if asked else ():
        if not transform.decoupled or "line_search" in asked:
            raise ValueError(
                f"transforms: {transform.label} would change {'points' if transform.decoupled else 'gradients'}, but "
                f"not what {name} holds against them, losses or the Hessian"
            )


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
