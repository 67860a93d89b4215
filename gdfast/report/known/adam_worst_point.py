"""Adam that converges to the worst point, on linear losses that take turns."""

from functools import partial

import gdfast
from gdfast import optimizers, problems, schedules, transforms
from gdfast.optimizers import Optimizer
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import several_panes
from gdfast.report.lab import Lab

SIZES, STEPS, RATE = (3.0, 15.0), 6000, 0.5
MARGIN = 0.05
SHOWN = 40  # a point in so many is drawn


def rules(size: float) -> dict[str, Optimizer]:
    """The three rules at the rate η/√t, projected onto [−1, 1].

    The paper's Adam has no debiasing, which with this β₂ is over after some steps.
    """
    adam, amsgrad = (made(beta1=0.0, beta2=1 / (1 + size * size)) for made in (optimizers.adam, optimizers.amsgrad))
    made = {"Adam": adam, "AMSGrad": amsgrad, "gd": optimizers.gd()}
    projected = transforms.box(-1.0, 1.0)
    return {name: rule.scheduled(schedules.inverse_sqrt()).transformed(projected) for name, rule in made.items()}


def find(lab: Lab) -> Found:
    """The mean of the last three points of each rule, beside the worst point and the best."""
    compared, panels = [], []
    for size in SIZES:
        ours = {}
        lowest = -(size - 2) / 3  # of the mean of three steps, (C − 2)x/3
        turning = problems.in_turn([f"{size}*x", "-x"], lengths=[1, 2], domain=(-1, 1), minimum=lowest)
        for name, rule in rules(size).items():
            path = gdfast.trajectory(turning, rule, 0.0, RATE, STEPS)
            x = path.theta.values[:, 0]
            told = 1.0 if name == "Adam" else -1.0
            compared.append(
                Compared(f"where {name} ends, C = {size:g}", told, float(x[-3:].mean()), MARGIN, "absolute")
            )
            ours[name] = path.step.values[::SHOWN], x[::SHOWN]
        panels.append((ours, None, {"title": f"C = {size:g}: the best point is −1", "xlabel": "step", "ylabel": "x"}))
    return Found(compared, partial(several_panes, panels))


KNOWN = Known(
    "adam-worst-point",
    "Adam can converge to the worst point",
    "Reddi, Kale & Kumar 2018, arXiv 1904.09237, theorem 1",
    f"Losses Cx in every third step and −x else, on [−1, 1] from 0; β₁ = 0, β₂ = 1/(1 + C²), η/√t with η = {RATE}, "
    f"{STEPS} steps. Each C is a problem, gdfast.problems.in_turn, and each rule one of the catalogue, which the "
    "transform box projects.",
    find,
)
