"""Simplified AdEMAMix: one momentum that forgets slowly, with a share of the present gradient, over Adam's root.

    m ← β₁ m + g,   v ← β₂ v + (1 − β₂) g²
    θ ← θ − η (m + α g) / (√(v/(1 − β₂ᵗ)) + ε)

m is a sum, not a mean, so that rates are by 1 − β₁ smaller than Adam's.

Source: Morwani et al. (2025), arXiv 2502.02431, the same as ``optax.contrib.simplified_ademamix``.
"""

import numpy as np

from gdfast.formulas.elementary import power, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, v, lr, beta1, beta2, alpha, eps, debias):
    m = beta1 * m + grad
    v = beta2 * v + (1 - beta2) * grad * grad
    theta = theta - lr * (m + alpha * grad) / (sqrt(v) * debias + eps)
    return theta, m, v


@named(beta1=FRACTION, beta2=FRACTION, alpha=NONNEGATIVE, eps=NONNEGATIVE)
def simplified_ademamix(beta1: float = 0.99, beta2: float = 0.95, alpha: float = 0.0, eps: float = 1e-8) -> Optimizer:
    """Simplified AdEMAMix, θ ← θ − η (m + α g) / (√v̂ + ε).

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    alpha : float >= 0
        The weight of the present gradient.
    eps : float >= 0
        Added to the root.
    """
    return Optimizer(rule, learning_rate=1e-5, step_table=lambda t: {"debias": 1.0 / np.sqrt(1.0 - power(beta2, t))})
