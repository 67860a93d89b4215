"""Lion: the sign of an interpolated momentum.

    u = sign(β₁ m + (1 − β₁) g)
    m ← β₂ m + (1 − β₂) g
    θ ← (1 − η λ) θ − η u

Source: Chen et al. (2023), arXiv 2302.06675, the same as ``optax.lion`` (whose λ is 1e-3 by default).
"""

from gdfast.formulas.elementary import sign
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, lr, beta1, beta2, weight_decay):
    direction = sign(beta1 * m + (1 - beta1) * grad)
    m = beta2 * m + (1 - beta2) * grad
    theta = theta * (1 - lr * weight_decay) - lr * direction
    return theta, m


@named(beta1=FRACTION, beta2=FRACTION, weight_decay=NONNEGATIVE)
def lion(beta1: float = 0.9, beta2: float = 0.99, weight_decay: float = 0.0) -> Optimizer:
    """Lion, θ ← θ − η sign(β₁ m + (1 − β₁) g).

    Parameters
    ----------
    beta1 : float in [0, 1)
        The share of the momentum in the direction.
    beta2 : float in [0, 1)
        The share of the momentum that is kept.
    weight_decay : float >= 0
        λ, decoupled.
    """
    return Optimizer(rule, learning_rate=0.0001)
