"""AdGD: gradient descent that finds its rate from the local curvature, with no rate to choose.

    λₜ = min(√(1 + ratioₜ₋₁) λₜ₋₁, ‖θ − θ_previous‖ / (2 ‖g − g_previous‖)),   ratioₜ = λₜ / λₜ₋₁
    θ ← θ − λₜ g

The learning rate is the first step λ₀ (Malitsky & Mishchenko take 1e-10 or so); the first ratio is infinite, so that
the second rate is the curvature's.

Source: Malitsky & Mishchenko (2020), arXiv 1910.09529, algorithm 1.
"""

import numpy as np

from gdfast.elementary import minimum, select, sqrt
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, point, slope, rate, ratio, lr, step_square, change_square, first, second):
    grown = sqrt(1 + ratio) * rate
    local = select(change_square == 0, grown, 0.5 * sqrt(step_square) / sqrt(change_square))
    after = select(first > 0, lr, select(second > 0, local, minimum(grown, local)))
    ratio = select(first > 0, 0.0, after / rate)
    moved = theta - after * grad
    return moved, theta, grad, after, ratio


def terms(theta, grad, point, slope, rate, ratio, lr, first, second):
    return (theta - point) * (theta - point), (grad - slope) * (grad - slope)


@named()
def adgd() -> Optimizer:
    """AdGD, gradient descent at half the inverse of the local curvature."""
    return Optimizer(
        rule,
        learning_rate=1e-6,
        step_table=lambda t: {"first": (t == 1).astype(np.float64), "second": (t == 2).astype(np.float64)},
        sums=("step_square", "change_square"),
        terms=terms,
    )
