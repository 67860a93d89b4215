"""ACProp: the gradient over a root of its variance as it was before this gradient.

    θ ← θ − η g / (√(s/(1 − β₂ᵗ⁻¹)) + ε), at the first step g / (1 + ε)
    s ← β₂ s + (1 − β₂) (g − m)² + ε_root
    m ← β₁ m + (1 − β₁) g

Source: Zhuang et al. (2021), arXiv 2110.05454, in the form and with the defaults of ``optax.contrib.acprop``.
"""

import numpy as np

from gdfast.formulas.elementary import Array, power, select, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, s, lr, beta1, beta2, eps, eps_root, first, debias):
    theta = theta - lr * grad / (select(first > 0, 1.0, sqrt(s) * debias) + eps)
    s = beta2 * s + (1 - beta2) * (grad - m) * (grad - m) + eps_root
    m = beta1 * m + (1 - beta1) * grad
    return theta, m, s


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE, eps_root=NONNEGATIVE)
def acprop(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-16, eps_root: float = 1e-16) -> Optimizer:
    """ACProp, θ ← θ − η g / (√ŝ + ε) with the variance ŝ of the gradients before.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and s that are kept.
    eps : float >= 0
        Added to the root.
    eps_root : float >= 0
        Added to s at every step.
    """

    def step_table(t: Array) -> dict[str, Array]:
        before = np.where(t > 1, t - 1.0, 1.0)
        return {"first": (t == 1).astype(np.float64), "debias": 1.0 / np.sqrt(1.0 - power(beta2, before))}

    return Optimizer(rule, learning_rate=0.001, step_table=step_table)
