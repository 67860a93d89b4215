"""PNM: the difference of two momenta that take gradients in turn, which keeps the noise of steps and not their mean.

    b ← β₁² b_before_last + (1 − β₁²) g
    θ ← θ − η ((1 + β₂) b − β₂ b_last) / √((1 + β₂)² + β₂²)

Source: Xie et al. (2021), arXiv 2103.17182, the same as ``pytorch_optimizer.PNM``.
"""

from gdfast.formulas.elementary import sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, last, before, lr, beta1, beta2):
    new = beta1 * beta1 * before + (1 - beta1 * beta1) * grad
    noise = sqrt((1 + beta2) * (1 + beta2) + beta2 * beta2)
    theta = theta - lr * (((1 + beta2) * new - beta2 * last) / noise)
    return theta, new, last


@named(beta1=FRACTION, beta2=NONNEGATIVE)
def pnm(beta1: float = 0.9, beta2: float = 1.0) -> Optimizer:
    """PNM, θ ← θ − η ((1 + β₂) b − β₂ b_last)/√((1 + β₂)² + β₂²).

    Parameters
    ----------
    beta1 : float in [0, 1)
        β₁² is the share of a momentum that is kept.
    beta2 : float >= 0
        The weight of the other momentum.
    """
    return Optimizer(rule, learning_rate=0.001)
