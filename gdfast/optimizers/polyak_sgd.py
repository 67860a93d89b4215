"""Polyak's step: the rate that would reach the lowest loss if the loss were linear.

    θ ← θ − η min((f − f*) / ‖g‖², largest) g, no step where g = 0

f* is the loss of the problem's lowest known minimum, or what the user knows it to be, as ``minimum`` of a problem; η
scales the step. Polyak's own step has largest = ∞ and η = 1. The squares are of g in a unit (a power of two) in which
they neither overflow nor underflow.

Source: Polyak (1969); bounded: Loizou et al. (2021), arXiv 2002.10542. The same as ``optax.polyak_sgd``, which adds
``eps`` to ‖g‖².
"""

from gdfast.arguments import Interval
from gdfast.formulas.elementary import minimum, select, square_scale
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, lr, size, square, loss, largest, lowest):
    scale = square_scale(size)
    step = minimum(select(square == 0, 0.0, (loss - lowest) * scale * scale / square), largest)
    theta = theta - lr * step * grad
    return theta


def entries(theta, grad, lr, largest, lowest):
    return grad


def terms(theta, grad, lr, size, largest, lowest):
    scaled = grad * square_scale(size)
    return scaled * scaled


@named(largest=Interval(0, low_open=True, infinite=True))
def polyak_sgd(largest: float = 1.0) -> Optimizer:
    """Polyak's step, θ ← θ − η min((f − f*)/‖g‖², largest) g.

    Parameters
    ----------
    largest : float > 0
        Upper bound of the step: 1 is optax's, inf Polyak's own.
    """
    return Optimizer(
        rule, learning_rate=1.0, norms=("size",), entries=entries, euclidean=False, sums=("square",), terms=terms
    )
