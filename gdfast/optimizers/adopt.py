"""ADOPT: Adam that divides by the second moment of the steps before, so that it converges for every β₂.

    first step:  v ← g²
    after it:    m ← β₁ m + (1 − β₁) clip(g / max(√v, ε), ±(t − 1)^¼),   θ ← θ − η m,   v ← β₂ v + (1 − β₂) g²

Source: Taniguchi et al. (2024), arXiv 2411.02853, algorithm 2 and the authors' code. ``pytorch_optimizer.ADOPT``
clips at t^¼.
"""

import numpy as np

from gdfast.formulas.elementary import maximum, minimum, power, select, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, v, lr, beta1, beta2, eps, first, bound):
    quotient = grad / maximum(sqrt(v), eps)
    quotient = minimum(maximum(quotient, -bound), bound)
    m = select(first > 0, m, beta1 * m + (1 - beta1) * quotient)
    theta = select(first > 0, theta, theta - lr * m)
    v = select(first > 0, grad * grad, beta2 * v + (1 - beta2) * grad * grad)
    return theta, m, v


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE)
def adopt(beta1: float = 0.9, beta2: float = 0.9999, eps: float = 1e-6, clip: bool = True) -> Optimizer:
    """ADOPT, momentum of g / max(√v, ε) with v from the steps before.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        Lower bound of the root.
    clip : bool
        Clip the quotient at ±(t − 1)^¼.
    """
    return Optimizer(
        rule,
        learning_rate=0.001,
        step_table=lambda t: {
            "first": (t == 1).astype(np.float64),
            "bound": np.where(t == 1, 1.0, power(t - 1.0, 0.25)) if clip else np.inf,
        },
    )
