"""Adam that converges to the worst point, on linear losses that depend on the step."""

from functools import partial

import numpy as np

import gdfast
from gdfast import problems
from gdfast.formulas.elementary import maximum, minimum, sqrt
from gdfast.optimizers import Optimizer
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import several_panes
from gdfast.report.lab import Lab

SIZES, STEPS, RATE = (3.0, 15.0), 6000, 0.5
MARGIN = 0.05
SHOWN = 40  # a point in so many is drawn

# The last line of each rule projects onto [−1, 1].


def adam(theta, grad, square, lr, beta):  # type: ignore[no-untyped-def]  # of the formulas' grammar
    """Adam without momentum and debiasing, as in the paper's theorem."""
    square = beta * square + (1 - beta) * grad * grad
    theta = minimum(maximum(theta - lr * grad / sqrt(square), -1.0), 1.0)
    return theta, square


def amsgrad(theta, grad, square, largest, lr, beta):  # type: ignore[no-untyped-def]
    """The same with the largest of the second moments."""
    square = beta * square + (1 - beta) * grad * grad
    largest = maximum(largest, square)
    theta = minimum(maximum(theta - lr * grad / sqrt(largest), -1.0), 1.0)
    return theta, square, largest


def gd(theta, grad, lr):  # type: ignore[no-untyped-def]
    """Gradient descent."""
    return minimum(maximum(theta - lr * grad, -1.0), 1.0)


def rules(size: float) -> dict[str, Optimizer]:
    """The three rules, at the rate η/√t."""
    beta = 1 / (1 + size * size)
    made = {
        "Adam": Optimizer(adam, RATE, parameters={"beta": beta}),
        "AMSGrad": Optimizer(amsgrad, RATE, parameters={"beta": beta}),
        "gd": Optimizer(gd, RATE),
    }
    return {name: rule.scheduled(lambda t: 1 / np.sqrt(t + 1)) for name, rule in made.items()}


def find(lab: Lab) -> Found:
    """The mean of the last three points of each rule, beside the worst point and the best."""
    compared, panels = [], []
    for size in SIZES:
        ours = {}
        told_lowest = -(size - 2) / 3  # the mean of three steps, (C − 2)x/3, at −1
        turning = problems.in_turn([f"{size}*x", "-x"], lengths=[1, 2], domain=(-1, 1), minimum=told_lowest)
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
    f"{STEPS} steps.",
    find,
)
