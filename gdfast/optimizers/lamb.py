"""LAMB: Adam's direction, scaled to the length of the parameters.

    u = m̂ / (√v̂ + ε) + λ θ
    θ ← θ − η (‖θ‖ / ‖u‖) u, the ratio 1 where either norm is 0

The norms are over all parameters of the problem. Where ‖u‖ is so small that its inverse is infinite, it and u are
multiplied by the same power of two.

Source: You et al. (2020), arXiv 1904.00962, the same as ``optax.lamb`` for one array of parameters.
"""

from gdfast.formulas.elementary import select, sqrt, square_scale
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, debiasing, named


def rule(theta, grad, m, v, lr, theta_norm, update_norm, beta1, beta2, eps, weight_decay, rate, debias):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    update = rate * m / (sqrt(v) * debias + eps) + weight_decay * theta
    zero = (theta_norm == 0) | (update_norm == 0)
    scale = select(zero, 1.0, square_scale(update_norm))
    ratio = select(zero, 1.0, theta_norm / (update_norm * scale))
    theta = theta - lr * ratio * (update * scale)
    return theta, m, v


def entries(theta, grad, m, v, lr, beta1, beta2, eps, weight_decay, rate, debias):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    update = rate * m / (sqrt(v) * debias + eps) + weight_decay * theta
    return theta, update


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE, weight_decay=NONNEGATIVE)
def lamb(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-6, weight_decay: float = 0.0) -> Optimizer:
    """LAMB, θ ← θ − η (‖θ‖/‖u‖) u with Adam's direction u.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        Added to the root.
    weight_decay : float >= 0
        λ, added to the direction.
    """
    return Optimizer(
        rule,
        learning_rate=0.001,
        step_table=debiasing(beta1, beta2),
        norms=("theta_norm", "update_norm"),
        entries=entries,
    )
