"""LaProp: momentum over gradients that have been divided by their root mean square already.

    v ← β₂ v + (1 − β₂) g²
    m ← β₁ m + (1 − β₁) g / (√(v/(1 − β₂ᵗ)) + ε)
    θ ← θ − (η / (1 − β₁ᵗ)) m

Source: Ziyin, Wang & Ueda (2020), arXiv 2002.04839. ``pytorch_optimizer.LaProp`` debiases √v + ε.
"""

from gdfast.formulas.elementary import sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, debiasing, named
from gdfast.optimizers.adam import preconditioner


def rule(theta, grad, m, v, lr, beta1, beta2, eps, rate, debias):
    v = beta2 * v + (1 - beta2) * grad * grad
    m = beta1 * m + (1 - beta1) * grad / (sqrt(v) * debias + eps)
    theta = theta - lr * rate * m
    return theta, m, v


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE)
def laprop(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-15) -> Optimizer:
    """LaProp, θ ← θ − η m̂ with a running mean m of g / (√v̂ + ε).

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        Added to the root.
    """
    return Optimizer(rule, learning_rate=4e-4, step_table=debiasing(beta1, beta2), preconditioner=preconditioner)
