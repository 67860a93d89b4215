"""Normalized gradient descent: steps of a given length.

    θ ← θ − η g / ‖g‖, no step where g = 0

Source: Nesterov (1984), "Minimization methods for nonsmooth convex and quasiconvex functions".
"""

from gdfast.elementary import select
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, lr, norm):
    theta = theta - select(norm == 0, 0.0, lr / norm) * grad
    return theta


def entries(theta, grad, lr):
    return grad


@named()
def normalized_gd() -> Optimizer:
    """Normalized gradient descent, θ ← θ − η g / ‖g‖."""
    return Optimizer(rule, learning_rate=0.01, norms=("norm",), entries=entries)
