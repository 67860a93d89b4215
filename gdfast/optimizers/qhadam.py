"""QHAdam: Adam with both moments mixed with the present gradient.

    θ ← θ − η [(1 − ν₁) g + ν₁ m̂] / (√((1 − ν₂) g² + ν₂ v̂) + ε)

m̂ and v̂ are Adam's debiased moments; ν₁ = ν₂ = 1 is Adam.

Source: Ma & Yarats (2019), arXiv 1810.06801, with the paper's recommended ν₁; the same as
``pytorch_optimizer.QHAdam`` (whose ν are 1 by default).
"""

from gdfast.arguments import UNIT
from gdfast.formulas.elementary import power, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, v, lr, beta1, beta2, nu1, nu2, eps, of_mean, of_square):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    above = (1 - nu1) * grad + nu1 * of_mean * m
    below = (1 - nu2) * grad * grad + nu2 * of_square * v
    theta = theta - lr * above / (sqrt(below) + eps)
    return theta, m, v


@named(beta1=FRACTION, beta2=FRACTION, nu1=UNIT, nu2=UNIT, eps=NONNEGATIVE)
def qhadam(
    beta1: float = 0.995, beta2: float = 0.999, nu1: float = 0.7, nu2: float = 1.0, eps: float = 1e-8
) -> Optimizer:
    """QHAdam, Adam with moments mixed with the present gradient.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    nu1, nu2 : float in [0, 1]
        The weights of m̂ and v̂.
    eps : float >= 0
        Added to the root.
    """
    return Optimizer(
        rule,
        learning_rate=0.001,
        step_table=lambda t: {"of_mean": 1.0 / (1.0 - power(beta1, t)), "of_square": 1.0 / (1.0 - power(beta2, t))},
    )
