"""Padam: Adam with a smaller power of the second moment below the fraction.

    θ ← θ − η (√(1 − β₂ᵗ) / (1 − β₁ᵗ)) m / (√v + ε)^(2p)

p = ½ is Adam (with ε before the debiasing), p → 0 momentum.

Source: Chen et al. (2018), arXiv 1806.06763, as in ``pytorch_optimizer.PAdam``, which like this debiases the second
moment as if p were ½. What is raised to a power is a running quantity, and a rule has roots but no powers, whose last
bits differ between processors: p is 1/8, 1/4 or 1/2.
"""

import numpy as np

from gdfast.arguments import OneOf
from gdfast.formulas.elementary import sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, v, lr, beta1, beta2, eps, rate):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    theta = theta - lr * rate * m / sqrt(sqrt(v) + eps)
    return theta, m, v


def half_rule(theta, grad, m, v, lr, beta1, beta2, eps, rate):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    theta = theta - lr * rate * m / (sqrt(v) + eps)
    return theta, m, v


def eighth_rule(theta, grad, m, v, lr, beta1, beta2, eps, rate):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    theta = theta - lr * rate * m / sqrt(sqrt(sqrt(v) + eps))
    return theta, m, v


RULES = {0.125: eighth_rule, 0.25: rule, 0.5: half_rule}


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE, partial=OneOf(*RULES))
def padam(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, partial: float = 0.25) -> Optimizer:
    """Padam, θ ← θ − η m̂ / (√v + ε)^(2p).

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        Added to the root.
    partial : float
        p: 0.125, 0.25 or 0.5.
    """
    return Optimizer(
        RULES[partial],
        learning_rate=0.1,
        step_table=lambda t: {"rate": np.sqrt(1.0 - beta2**t) / (1.0 - beta1**t)},
    )
