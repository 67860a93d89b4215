"""AdaBelief: Adam divided by how far the gradient is from its running mean.

    m ← β₁ m + (1 − β₁) g
    s ← β₂ s + (1 − β₂) (g − m)² + ε
    θ ← θ − (η / (1 − β₁ᵗ)) m / (√s / √(1 − β₂ᵗ) + ε)

ε accumulates in s.

Source: Zhuang et al. (2020), arXiv 2010.07468, as in the authors' code (without rectification),
``optax.adabelief`` and ``pytorch_optimizer.AdaBelief``; their values of ε differ widely.
"""

from gdfast.formulas.elementary import sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, debiasing, named


def rule(theta, grad, m, s, lr, beta1, beta2, eps, rate, debias):
    m = beta1 * m + (1 - beta1) * grad
    s = beta2 * s + (1 - beta2) * (grad - m) * (grad - m) + eps
    theta = theta - lr * rate * m / (sqrt(s) * debias + eps)
    return theta, m, s


def preconditioner(s, eps, rate, debias):
    return (sqrt(s) * debias + eps) / rate


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE)
def adabelief(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-16) -> Optimizer:
    """AdaBelief, θ ← θ − η m̂ / (√ŝ + ε) with s a running mean of (g − m)².

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and s that are kept.
    eps : float >= 0
        Added to s at every step, and to the root.
    """
    return Optimizer(
        rule,
        learning_rate=0.001,
        step_table=debiasing(beta1, beta2),
        preconditioner=preconditioner,
    )
