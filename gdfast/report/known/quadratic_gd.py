"""Gradient descent on a quadratic at its best constant rate.

With curvatures from λ₁ to λₙ and η = 2/(λ₁ + λₙ), the error shrinks by (κ − 1)/(κ + 1) a step, κ = λₙ/λ₁.
"""

from functools import partial

import numpy as np

import gdfast
from gdfast import optimizers, problems
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import one_pane
from gdfast.report.lab import Lab

CONDITIONS = (10.0, 100.0, 1000.0)
STEPS = 400
MARGIN = 1e-3


def find(lab: Lab) -> Found:
    """The contraction of the distance a step, over the second half of the steps."""
    compared, ours, published = [], {}, {}
    steps = np.arange(STEPS + 1)
    for condition in CONDITIONS:
        problem = problems.quadratic(condition=condition, dimension=8)
        path = gdfast.trajectory(
            problem, optimizers.gd(), np.ones(8), 2 / (1 + condition), STEPS, gradient_tolerance=1e-100
        )
        distance = np.linalg.norm(path.theta.values, axis=1)
        told = (condition - 1) / (condition + 1)
        contraction = float(distance[-1] / distance[STEPS // 2]) ** (2 / STEPS)
        compared.append(Compared(f"contraction a step, κ = {condition:g}", told, contraction, MARGIN))
        ours[f"κ = {condition:g}"] = steps, distance / distance[0]
        published[f"((κ − 1)/(κ + 1))ᵗ, {condition:g}"] = steps, told**steps
    named = {"yscale": "log", "ylim": (1e-16, 2), "xlabel": "step t", "ylabel": "distance to the minimum"}
    return Found(compared, partial(one_pane, ours, published, **named))


KNOWN = Known(
    "quadratic-gd",
    "Gradient descent on a quadratic contracts by (κ − 1)/(κ + 1)",
    "Goh 2017, Why momentum really works",
    f"Quadratics of 8 dimensions from (1, …, 1) at η = 2/(λ₁ + λₙ), {STEPS} steps.",
    find,
)
