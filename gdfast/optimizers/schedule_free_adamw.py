"""Schedule-free AdamW: averaging in place of a decaying rate, on Adam's preconditioned gradient.

    v ← β₂ v + (1 − β₂) g²,   u = g / (√v / √(1 − β₂ᵗ) + ε) + λ y
    y ← (1 − c) y + c z + η (β₁ (1 − c) − 1) u
    z ← z − η u

θ is y, or with ``average=True`` x, and c the share of the step in the average; see `schedule_free_sgd`.

Source: Defazio et al. (2024), arXiv 2405.15682, as in the authors' ``schedulefree.AdamWScheduleFree``.
"""

import numpy as np

from gdfast.arguments import Interval
from gdfast.formulas.elementary import power, select, sqrt
from gdfast.formulas.vectors import gradient_at
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named
from gdfast.optimizers.schedule_free_sgd import averaging


def rule(theta, grad, z, v, lr, beta1, beta2, eps, weight_decay, first, share, debias):
    z = select(first > 0, theta, z)
    v = beta2 * v + (1 - beta2) * grad * grad
    update = grad / (sqrt(v) * debias + eps) + weight_decay * theta
    theta = theta + share * (z - theta) + lr * (beta1 * (1 - share) - 1) * update
    z = z - lr * update
    return theta, z, v


def average_rule(theta, grad, z, v, lr, beta1, beta2, eps, weight_decay, first, share, debias):
    z = select(first > 0, theta, z)
    y = beta1 * theta + (1 - beta1) * z
    slope = gradient_at(y)
    v = beta2 * v + (1 - beta2) * slope * slope
    z = z - lr * (slope / (sqrt(v) * debias + eps) + weight_decay * y)
    theta = theta + share * (z - theta)
    return theta, z, v


@named(beta1=Interval(0, 1, True, True), beta2=FRACTION, eps=NONNEGATIVE, weight_decay=NONNEGATIVE)
def schedule_free_adamw(
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    average: bool = False,
) -> Optimizer:
    """Schedule-free AdamW.

    Parameters
    ----------
    beta1 : float in (0, 1)
        The weight of the average in the point where gradients are taken.
    beta2 : float in [0, 1)
        The share of v that is kept.
    eps : float >= 0
        Added to the root.
    weight_decay : float >= 0
        λ, at y.
    average : bool
        Whether the average is judged, in place of y.
    """
    return Optimizer(
        average_rule if average else rule,
        learning_rate=0.0025,
        step_table=lambda t, multipliers: {
            **averaging(t, multipliers),
            "debias": 1.0 / np.sqrt(1.0 - power(beta2, t)),
        },
    )
