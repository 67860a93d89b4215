"""QHM: a weighted mean of plain and momentum descent.

    b ← μ b + (1 − μ) g
    θ ← θ − η [(1 − ν) g + ν b]

Source: Ma & Yarats (2019), arXiv 1810.06801, with the paper's defaults; the same as ``pytorch_optimizer.QHM``.
"""

from gdfast.arguments import UNIT
from gdfast.optimizers._optimizer import FRACTION, Optimizer, named


def rule(theta, grad, buffer, lr, momentum, nu):
    buffer = momentum * buffer + (1 - momentum) * grad
    theta = theta - lr * ((1 - nu) * grad + nu * buffer)
    return theta, buffer


@named(momentum=FRACTION, nu=UNIT)
def qhm(momentum: float = 0.999, nu: float = 0.7) -> Optimizer:
    """QHM, θ ← θ − η [(1 − ν) g + ν b] with b a running mean of the gradient.

    Parameters
    ----------
    momentum : float in [0, 1)
        μ, the share of b that is kept.
    nu : float in [0, 1]
        ν, the weight of b.
    """
    return Optimizer(rule, learning_rate=1.0)
