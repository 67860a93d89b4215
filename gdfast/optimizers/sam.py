"""Sharpness-aware minimization: the gradient at the worst point of a ball about the present one.

    θ ← θ − η ∇f(θ + ρ g/‖g‖), no step away where g = 0

Source: Foret, Kleiner, Mobahi & Neyshabur (2021), arXiv 2010.01412, algorithm 1, with gradient descent.
"""

from gdfast.formulas.elementary import select
from gdfast.formulas.vectors import gradient_at, norm
from gdfast.optimizers._optimizer import NONNEGATIVE, Optimizer, named


def rule(theta, grad, lr, rho):
    size = norm(grad)
    worst = theta + rho * select(size == 0, 0.0, grad / size)
    return theta - lr * gradient_at(worst)


@named(rho=NONNEGATIVE)
def sam(rho: float = 0.05) -> Optimizer:
    """Sharpness-aware minimization, θ ← θ − η ∇f(θ + ρ g/‖g‖).

    Parameters
    ----------
    rho : float >= 0
        ρ, the radius of the ball.
    """
    return Optimizer(rule, learning_rate=0.1)
