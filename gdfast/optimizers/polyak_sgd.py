"""Polyak's step: the rate that would reach the lowest loss if the loss were linear.

    θ ← θ − η min((f − f*) / ‖g‖², largest) g, no step where g = 0

f* is the loss of the problem's lowest known minimum; η scales the step (1 is Polyak's).

Source: Polyak (1969); bounded: Loizou et al. (2021), arXiv 2002.10542. The same as ``optax.polyak_sgd``, which adds
``eps`` to ‖g‖².
"""

from gdfast.elementary import minimum, select
from gdfast.optimizers._optimizer import POSITIVE, Optimizer, named


def rule(theta, grad, lr, square, loss, largest, lowest):
    step = minimum(select(square == 0, 0.0, (loss - lowest) / square), largest)
    theta = theta - lr * step * grad
    return theta


def terms(theta, grad, lr, largest, lowest):
    return grad * grad


@named(largest=POSITIVE)
def polyak_sgd(largest: float = 1.0) -> Optimizer:
    """Polyak's step, θ ← θ − η min((f − f*)/‖g‖², largest) g.

    Parameters
    ----------
    largest : float > 0
        Upper bound of the step.
    """
    return Optimizer(rule, learning_rate=1.0, sums=("square",), terms=terms)
