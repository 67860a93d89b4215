"""Signum: the sign of a momentum.

    b ← μ b + (1 − μ) g
    θ ← θ − η sign(b)

Source: Bernstein et al. (2018), arXiv 1802.04434, algorithm 2. The same as ``pytorch_optimizer.SignSGD``.
"""

from gdfast.formulas.elementary import sign
from gdfast.optimizers._optimizer import FRACTION, Optimizer, named


def rule(theta, grad, buffer, lr, momentum):
    buffer = momentum * buffer + (1 - momentum) * grad
    theta = theta - lr * sign(buffer)
    return theta, buffer


@named(momentum=FRACTION)
def signum(momentum: float = 0.9) -> Optimizer:
    """Signum, θ ← θ − η sign(b) with b a running mean of the gradient.

    Parameters
    ----------
    momentum : float in [0, 1)
        μ, the share of b that is kept.
    """
    return Optimizer(rule, learning_rate=0.001)
