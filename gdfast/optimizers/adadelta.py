"""Adadelta: steps in the units of the parameter, from two running mean squares.

    E ← ρ E + (1 − ρ) g²
    Δ = √(D + ε) / √(E + ε) · g
    D ← ρ D + (1 − ρ) Δ²
    θ ← θ − η Δ

Source: Zeiler (2012), arXiv 1212.5701, in the form and with the defaults of ``torch.optim.Adadelta``;
``optax.adadelta`` is the same.
"""

from gdfast.formulas.elementary import sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, square, delta_square, lr, rho, eps):
    square = rho * square + (1 - rho) * grad * grad
    delta = sqrt(delta_square + eps) / sqrt(square + eps) * grad
    delta_square = rho * delta_square + (1 - rho) * delta * delta
    theta = theta - lr * delta
    return theta, square, delta_square


@named(rho=FRACTION, eps=NONNEGATIVE)
def adadelta(rho: float = 0.9, eps: float = 1e-6) -> Optimizer:
    """Adadelta, θ ← θ − η √(D + ε)/√(E + ε) g with running mean squares of steps and gradients.

    Parameters
    ----------
    rho : float in [0, 1)
        The share of the mean squares that is kept.
    eps : float >= 0
        Added inside both roots; it sets the size of the first steps.
    """
    return Optimizer(rule, learning_rate=1.0)
