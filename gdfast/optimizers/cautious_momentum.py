"""Cautious momentum: only the coordinates whose update agrees with the gradient move.

    b ← μ b + g,   u = b
    keep uᵢ where uᵢ gᵢ > 0, scaled by d / max(number kept, d/1000)
    θ ← θ − η u

Source: Liang et al. (2024), arXiv 2411.16085, as in the authors' code. ``pytorch_optimizer``'s ``cautious=True``
scales by d / (number kept + 1).
"""

from gdfast.formulas.elementary import maximum, select
from gdfast.optimizers._optimizer import FRACTION, Optimizer, named


def rule(theta, grad, buffer, lr, kept, momentum, dimension):
    buffer = momentum * buffer + grad
    scale = dimension / maximum(kept, 0.001 * dimension)
    theta = theta - lr * scale * select(buffer * grad > 0, buffer, 0.0)
    return theta, buffer


def terms(theta, grad, buffer, lr, momentum, dimension):
    buffer = momentum * buffer + grad
    return select(buffer * grad > 0, 1.0, 0.0)


@named(momentum=FRACTION)
def cautious_momentum(momentum: float = 0.9) -> Optimizer:
    """Heavy-ball momentum whose coordinates move only where buffer and gradient agree.

    Parameters
    ----------
    momentum : float in [0, 1)
        μ, the share of the buffer that is kept.
    """
    return Optimizer(rule, learning_rate=0.01, sums=("kept",), terms=terms)
