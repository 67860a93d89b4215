"""MADGRAD: dual averaging with momentum and a cube root below the fraction.

    s ← s + (η + ε) √t g,   n ← n + (η + ε) √t g²
    z = x₀ − s / (∛n + ε)
    θ ← μ θ + (1 − μ) z

x₀ is the start.

Source: Defazio & Jelassi (2021), arXiv 2101.11075, as in the authors' code and ``pytorch_optimizer.MADGRAD``.
"""

import numpy as np

from gdfast.formulas.elementary import cube_root, select
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, origin, total, square, lr, momentum, eps, first, root):
    origin = select(first > 0, theta, origin)
    weight = (lr + eps) * root
    total = total + weight * grad
    square = square + weight * grad * grad
    target = origin - total / (cube_root(square) + eps)
    theta = momentum * theta + (1 - momentum) * target
    return theta, origin, total, square


@named(momentum=FRACTION, eps=NONNEGATIVE)
def madgrad(momentum: float = 0.9, eps: float = 1e-6) -> Optimizer:
    """MADGRAD, θ ← μ θ + (1 − μ) (x₀ − s / (∛n + ε)).

    Parameters
    ----------
    momentum : float in [0, 1)
        μ, the share of θ that is kept.
    eps : float >= 0
        Added to the cube root and to the learning rate.
    """
    return Optimizer(
        rule,
        learning_rate=0.01,
        step_table=lambda t: {"first": (t == 1).astype(np.float64), "root": np.sqrt(t)},
    )
