"""Tiger: the sign of a running mean of the gradient, with decoupled weight decay.

    m ← β m + (1 − β) g
    θ ← (1 − η λ) θ − η sign(m)

Source: Su (2023), "Tiger: a tight-fisted optimizer"; Lion with β₁ = β₂. The same as ``pytorch_optimizer.Tiger``.
"""

from gdfast.formulas.elementary import sign
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, lr, beta, weight_decay):
    m = beta * m + (1 - beta) * grad
    theta = theta * (1 - lr * weight_decay) - lr * sign(m)
    return theta, m


@named(beta=FRACTION, weight_decay=NONNEGATIVE)
def tiger(beta: float = 0.965, weight_decay: float = 0.01) -> Optimizer:
    """Tiger, θ ← (1 − η λ) θ − η sign(m).

    Parameters
    ----------
    beta : float in [0, 1)
        The share of m that is kept.
    weight_decay : float >= 0
        λ, decoupled.
    """
    return Optimizer(rule, learning_rate=0.001)
