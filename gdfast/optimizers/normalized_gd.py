"""Normalized gradient descent: steps of a given length.

    θ ← θ − η g / ‖g‖, no step where g = 0

Source: Nesterov (1984), "Minimization methods for nonsmooth convex and quasiconvex functions".
"""

from gdfast.elementary import select, sqrt
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, lr, square):
    theta = theta - select(square == 0, 0.0, lr / sqrt(square)) * grad
    return theta


def terms(theta, grad, lr):
    return grad * grad


@named()
def normalized_gd() -> Optimizer:
    """Normalized gradient descent, θ ← θ − η g / ‖g‖."""
    return Optimizer(rule, learning_rate=0.01, sums=("square",), terms=terms)
