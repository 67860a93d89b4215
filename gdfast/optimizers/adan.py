"""Adan: Nesterov momentum from the difference of gradients, over an adaptive root.

    d = g − g_previous (0 at the first step)
    m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) d,   n ← β₃ n + (1 − β₃) (g + β₂ d)²
    θ ← θ − η [m/(1 − β₁ᵗ) + β₂ v/(1 − β₂ᵗ)] / (√n / √(1 − β₃ᵗ) + ε), then θ ← θ / (1 + η λ)

Source: Xie et al. (2022), arXiv 2208.06677, as in the authors' code and ``pytorch_optimizer.Adan``, with their βs
(one minus the paper's). ``optax.adan`` has 1 − β₂ in place of β₂ inside n.
"""

import numpy as np

from gdfast.formulas.elementary import power, select, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(
    theta, grad, m, v, n, previous, lr, beta1, beta2, beta3, eps, weight_decay, first, of_mean, of_difference, debias
):
    difference = select(first > 0, 0.0, grad - previous)
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * difference
    ahead = grad + beta2 * difference
    n = beta3 * n + (1 - beta3) * ahead * ahead
    theta = theta - lr * (of_mean * m + of_difference * v) / (sqrt(n) * debias + eps)
    theta = theta / (1 + lr * weight_decay)
    return theta, m, v, n, grad


def preconditioner(n, eps, debias):
    return sqrt(n) * debias + eps


@named(beta1=FRACTION, beta2=FRACTION, beta3=FRACTION, eps=NONNEGATIVE, weight_decay=NONNEGATIVE)
def adan(
    beta1: float = 0.98, beta2: float = 0.92, beta3: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0
) -> Optimizer:
    """Adan, adaptive Nesterov momentum.

    Parameters
    ----------
    beta1, beta2, beta3 : float in [0, 1)
        The shares of m, v and n that are kept.
    eps : float >= 0
        Added to the root.
    weight_decay : float >= 0
        λ, applied as a proximal step.
    """
    return Optimizer(
        rule,
        learning_rate=0.001,
        preconditioner=preconditioner,
        step_table=lambda t: {
            "first": (t == 1).astype(np.float64),
            "of_mean": 1.0 / (1.0 - power(beta1, t)),
            "of_difference": beta2 / (1.0 - power(beta2, t)),
            "debias": 1.0 / np.sqrt(1.0 - power(beta3, t)),
        },
    )
