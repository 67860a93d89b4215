"""LARS: the gradient scaled to a share of the parameters' length, with momentum.

    u = g + λ θ
    b ← μ b + η c (‖θ‖ / (‖u‖ + ε)) u, the ratio with its c being 1 where either norm is 0
    θ ← θ − b

The learning rate is inside the momentum. Where ‖u‖ is so small that its inverse is infinite, it and u are multiplied by
the same power of two. The norms are over all parameters of the problem.

Source: You, Gitman & Ginsburg (2017), arXiv 1708.03888, the same as ``optax.lars`` for one array of parameters.
The paper divides by ‖g‖ + λ ‖θ‖.
"""

from gdfast.formulas.elementary import select, square_scale
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, POSITIVE, Optimizer, named


def rule(theta, grad, buffer, lr, theta_norm, update_norm, momentum, weight_decay, trust_coefficient, eps):
    update = grad + weight_decay * theta
    zero = (theta_norm == 0) | (update_norm == 0)
    scale = select(zero, 1.0, square_scale(update_norm))
    ratio = select(zero, 1.0, trust_coefficient * theta_norm / ((update_norm + eps) * scale))
    buffer = momentum * buffer + lr * ratio * (update * scale)
    theta = theta - buffer
    return theta, buffer


def entries(theta, grad, buffer, lr, momentum, weight_decay, trust_coefficient, eps):
    update = grad + weight_decay * theta
    return theta, update


@named(momentum=FRACTION, weight_decay=NONNEGATIVE, trust_coefficient=POSITIVE, eps=NONNEGATIVE)
def lars(
    momentum: float = 0.9, weight_decay: float = 0.0, trust_coefficient: float = 0.001, eps: float = 0.0
) -> Optimizer:
    """LARS, momentum over the gradient scaled by c ‖θ‖/‖u‖.

    Parameters
    ----------
    momentum : float in [0, 1)
        μ, the share of the buffer that is kept.
    weight_decay : float >= 0
        λ, added to the gradient.
    trust_coefficient : float > 0
        c.
    eps : float >= 0
        Added to the norm of the gradient.
    """
    return Optimizer(rule, learning_rate=1.0, norms=("theta_norm", "update_norm"), entries=entries)
