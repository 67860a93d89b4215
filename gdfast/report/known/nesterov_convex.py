"""Nesterov's method for convex functions: a momentum that grows with the step, and an error that falls like 1/N²."""

from functools import partial

import numpy as np

import gdfast
from gdfast import optimizers, problems
from gdfast.formulas.elementary import Array, select
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import one_pane
from gdfast.report.lab import Lab

STEPS = (10, 30, 100, 300, 1000)
POWER = 20  # of a flat function, whose slopes are −p/(p − 2) and −2p/(p − 2)
MARGIN = 0.15


def rule(theta, grad, point, lr, first, momentum):  # type: ignore[no-untyped-def]  # of the formulas' grammar
    """Momentum on the points that gradient steps lead to; θ is where gradients are taken."""
    before = select(first > 0, theta, point)
    point = theta - lr * grad
    theta = point + momentum * (point - before)
    return theta, point


def accelerated(last: int) -> Optimizer:
    """Nesterov's method of so many steps; the last one has no momentum, so that it ends at the judged point."""

    def table(t: Array) -> dict[str, Array]:
        return {"first": (t == 1).astype(np.float64), "momentum": np.where(t < last, (t - 1) / (t + 2), 0.0)}

    return Optimizer(rule, learning_rate=1.0, step_table=table)


def ends(problem: Problem, start: Array, rate: float) -> tuple[list[float], list[float]]:
    """The losses after each number of steps, of Nesterov's method and of gradient descent."""
    path = gdfast.trajectory(problem, optimizers.gd(), start, rate, max(STEPS), gradient_tolerance=1e-100)
    fast = [
        gdfast.trajectory(problem, accelerated(steps), start, rate, steps, gradient_tolerance=1e-100).loss.values[-1]
        for steps in STEPS
    ]
    return [float(loss) for loss in fast], [float(path.loss[steps]) for steps in STEPS]


def find(lab: Lab) -> Found:
    """The losses beside the bound, and their slopes on a flat function."""
    count = np.array(STEPS)
    compared = []
    hard = problems.quadratic(condition=1e6, dimension=100)
    start = 1 / np.sqrt(hard.curvatures)  # as much loss in each coordinate
    fast, _ = ends(hard, start, 1e-6)
    bound = 2 * 1e6 * float(start @ start) / (count + 1.0) ** 2
    compared.append(Compared("largest share of the bound 2LR²/(N + 1)²", 1, float((fast / bound).max()), 0, "at most"))
    curvature = POWER * (POWER - 1.0)  # of x²⁰ on [−1, 1]
    flat = problems.from_expression(f"x**{POWER}", (-1, 1))
    fast, plain = ends(flat, np.ones(1), 1 / curvature)
    bound = 2 * curvature / (count + 1.0) ** 2
    compared.append(Compared("the same on x²⁰", 1, float((fast / bound).max()), 0, "at most"))
    for name, told, losses in (("gradient descent", -1, plain), ("Nesterov's method", -2, fast)):
        slope = float(np.polyfit(np.log(count[2:]), np.log(losses[2:]), 1)[0])
        compared.append(Compared(f"slope of {name} on x²⁰", told, slope, MARGIN))
    ours = {"Nesterov's method": (STEPS, fast), "gradient descent": (STEPS, plain)}
    named = {"xscale": "log", "yscale": "log", "xlabel": "steps N", "ylabel": "loss on x²⁰"}
    return Found(
        compared,
        partial(one_pane, ours, {"2LR²/(N + 1)²": (STEPS, bound)}, **named),
        [
            f"Theory's slopes on x^p are −p/(p − 2) and −2p/(p − 2), {-POWER / (POWER - 2):.3f} and "
            f"{-2 * POWER / (POWER - 2):.3f} for p = {POWER}, and −1 and −2 in the limit."
        ],
    )


KNOWN = Known(
    "nesterov-convex",
    "Nesterov's method falls like 1/N² on convex functions",
    "Nesterov 1983; Beck & Teboulle 2009, theorem 4.4",
    "Momentum (t − 1)/(t + 2) at η = 1/L: a quadratic of 100 dimensions with κ = 10⁶, and x²⁰ on [−1, 1].",
    find,
)
