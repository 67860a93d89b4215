"""Grams: the size of Adam's step in the direction of the present gradient's sign.

    θ ← θ − η |m̂ / (√v̂ + ε)| sign g

Source: Cao, Li, Liang, Sha & Tang (2024), arXiv 2412.17107, the same as ``pytorch_optimizer.Grams``.
"""

from gdfast.formulas.elementary import absolute, sign, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, debiasing, named


def rule(theta, grad, m, v, lr, beta1, beta2, eps, rate, debias):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    theta = theta - lr * absolute(rate * m / (sqrt(v) * debias + eps)) * sign(grad)
    return theta, m, v


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE)
def grams(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-6) -> Optimizer:
    """Grams, θ ← θ − η |m̂ / (√v̂ + ε)| sign g.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        Added to the root.
    """
    return Optimizer(rule, learning_rate=0.001, step_table=debiasing(beta1, beta2))
