"""Padam: Adam with a smaller power of the second moment below the fraction.

    θ ← θ − η (√(1 − β₂ᵗ) / (1 − β₁ᵗ)) m / (√v + ε)^(2p)

p = ½ is Adam (with ε before the debiasing), p → 0 momentum.

Source: Chen et al. (2018), arXiv 1806.06763, as in ``pytorch_optimizer.PAdam``, which like this debiases the second
moment as if p were ½. For p of 1/8, 1/4 and 1/2 the power is a root.
"""

import numpy as np

from gdfast.arguments import UNIT
from gdfast.formulas.elementary import power, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, v, lr, beta1, beta2, eps, partial, rate):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    theta = theta - lr * rate * m / power(sqrt(v) + eps, 2 * partial)
    return theta, m, v


def quarter_rule(theta, grad, m, v, lr, beta1, beta2, eps, rate):
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


ROOTS = {0.125: eighth_rule, 0.25: quarter_rule, 0.5: half_rule}


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE, partial=UNIT)
def padam(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, partial: float = 0.25) -> Optimizer:
    """Padam, θ ← θ − η m̂ / (√v + ε)^(2p).

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        Added to the root.
    partial : float in [0, 1]
        p.
    """
    return Optimizer(
        rule if np.ndim(partial) else ROOTS.get(partial, rule),
        learning_rate=0.1,
        step_table=lambda t: {"rate": np.sqrt(1.0 - power(beta2, t)) / (1.0 - power(beta1, t))},
    )
