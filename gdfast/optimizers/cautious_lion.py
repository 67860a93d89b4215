"""Cautious Lion: only the coordinates whose update agrees with the gradient move.

    u = sign(β₁ m + (1 − β₁) g), Lion's
    keep uᵢ where uᵢ gᵢ > 0, scaled by d / max(number kept, d/1000)
    θ ← (1 − η λ) θ − η u

Source: Liang et al. (2024), arXiv 2411.16085, as in the authors' code. ``pytorch_optimizer``'s ``cautious=True``
scales by d / (number kept + 1).
"""

from gdfast.formulas.elementary import maximum, select, sign
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, lr, kept, beta1, beta2, weight_decay, dimension):
    direction = sign(beta1 * m + (1 - beta1) * grad)
    scale = dimension / maximum(kept, 0.001 * dimension)
    m = beta2 * m + (1 - beta2) * grad
    theta = theta * (1 - lr * weight_decay) - lr * scale * select(direction * grad > 0, direction, 0.0)
    return theta, m


def terms(theta, grad, m, lr, beta1, beta2, weight_decay, dimension):
    direction = sign(beta1 * m + (1 - beta1) * grad)
    return select(direction * grad > 0, 1.0, 0.0)


@named(beta1=FRACTION, beta2=FRACTION, weight_decay=NONNEGATIVE)
def cautious_lion(beta1: float = 0.9, beta2: float = 0.99, weight_decay: float = 0.0) -> Optimizer:
    """Lion whose coordinates move only where direction and gradient agree.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        As in `lion`.
    weight_decay : float >= 0
        λ, decoupled.
    """
    return Optimizer(rule, learning_rate=0.0001, sums=("kept",), terms=terms)
