"""diffGrad: Adam, slowed down where the gradient hardly changes.

    ξ = 1 / (1 + e^−|gₜ₋₁ − gₜ|)
    θ ← θ − η (√(1 − β₂ᵗ) / (1 − β₁ᵗ)) ξ m / (√v + ε)

Source: Dubey et al. (2019), arXiv 1909.11015, with ε as in the authors' code and ``pytorch_optimizer.DiffGrad``, and
g₀ = 0.
"""

import math

import numpy as np

from gdfast.formulas.elementary import absolute, power, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named

E = math.e


def rule(theta, grad, m, v, previous, lr, beta1, beta2, eps, rate):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    friction = 1 / (1 + power(E, -absolute(previous - grad)))
    theta = theta - lr * rate * friction * m / (sqrt(v) + eps)
    return theta, m, v, grad


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE)
def diffgrad(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> Optimizer:
    """diffGrad, θ ← θ − η m̂ / ((√v̂ + ε) (1 + e^−|Δg|)).

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        Added to the root.
    """
    return Optimizer(
        rule,
        learning_rate=0.001,
        step_table=lambda t: {"rate": np.sqrt(1.0 - power(beta2, t)) / (1.0 - power(beta1, t))},
    )
