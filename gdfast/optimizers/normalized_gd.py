"""Normalized gradient descent: steps of a given length.

    θ ← θ − η g / ‖g‖, no step where g = 0

Where ‖g‖ is so small that its inverse is infinite, both are multiplied by the same power of two.

Source: Nesterov (1984), "Minimization methods for nonsmooth convex and quasiconvex functions".
"""

from gdfast.formulas.elementary import select, square_scale
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, lr, norm):
    scale = square_scale(norm)
    theta = theta - select(norm == 0, 0.0, lr / (norm * scale)) * (grad * scale)
    return theta


def entries(theta, grad, lr):
    return grad


@named()
def normalized_gd() -> Optimizer:
    """Normalized gradient descent, θ ← θ − η g / ‖g‖."""
    return Optimizer(rule, learning_rate=0.01, norms=("norm",), entries=entries)
