"""AdGD: gradient descent that finds its rate from the local curvature, with no rate to choose.

    λₜ = min(√(1 + ratioₜ₋₁) λₜ₋₁, ‖θ − θ_previous‖ / (2 ‖g − g_previous‖)),   ratioₜ = λₜ / λₜ₋₁
    θ ← θ − λₜ g

The learning rate is the first step λ₀ (Malitsky & Mishchenko take 1e-10 or so); the first ratio is infinite, so that
the second rate is the curvature's. A ratio of 0 stands for it here, since no other is 0. Where a schedule begins with
rates of 0 the first step is the first that is not.

Source: Malitsky & Mishchenko (2020), arXiv 1910.09529, algorithm 1.
"""

from gdfast.formulas.elementary import minimum, select, sqrt
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, point, slope, rate, ratio, lr, step, change):
    grown = sqrt(1 + ratio) * rate
    local = select(change == 0, grown, 0.5 * step / change)
    after = select(rate == 0, lr, select(ratio == 0, local, minimum(grown, local)))
    ratio = select(rate == 0, 0.0, minimum(after / rate, 1e30))
    moved = theta - after * grad
    return moved, theta, grad, after, ratio


def entries(theta, grad, point, slope, rate, ratio, lr):
    return theta - point, grad - slope


@named()
def adgd() -> Optimizer:
    """AdGD, gradient descent at half the inverse of the local curvature."""
    return Optimizer(rule, learning_rate=1e-6, norms=("step", "change"), entries=entries, scalars=("rate", "ratio"))
