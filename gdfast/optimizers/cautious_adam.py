"""Cautious Adam: only the coordinates whose update agrees with the gradient move.

    u = m̂ / (√v̂ + ε), Adam's
    keep uᵢ where uᵢ gᵢ > 0, scaled by d / max(number kept, d/1000)
    θ ← (1 − η λ) θ − η u

Source: Liang et al. (2024), arXiv 2411.16085, as in the authors' code. ``pytorch_optimizer``'s ``cautious=True``
scales by d / (number kept + 1).
"""

from gdfast.formulas.elementary import maximum, select, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, debiasing, named


def rule(theta, grad, m, v, lr, kept, beta1, beta2, eps, weight_decay, rate, debias, dimension):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    scale = dimension / maximum(kept, 0.001 * dimension)
    update = rate * m / (sqrt(v) * debias + eps)
    theta = theta * (1 - lr * weight_decay) - lr * scale * select(m * grad > 0, update, 0.0)
    return theta, m, v


def terms(theta, grad, m, v, lr, beta1, beta2, eps, weight_decay, rate, debias, dimension):
    m = beta1 * m + (1 - beta1) * grad
    return select(m * grad > 0, 1.0, 0.0)


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE, weight_decay=NONNEGATIVE)
def cautious_adam(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, weight_decay: float = 0.0) -> Optimizer:
    """Adam whose coordinates move only where update and gradient agree.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        Added to the root.
    weight_decay : float >= 0
        λ, decoupled.
    """
    return Optimizer(
        rule,
        learning_rate=0.001,
        step_table=debiasing(beta1, beta2),
        sums=("kept",),
        terms=terms,
    )
