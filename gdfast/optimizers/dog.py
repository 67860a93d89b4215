"""DoG: gradient descent at a rate of distance over gradients, with no rate to choose.

    r ← max(r, ‖θ − θ₀‖),   G ← G + ‖g‖²
    θ ← θ − η (r / √(G + ε)) g

θ₀ is the start and r begins at r_ε (1 + ‖θ₀‖): a first step that is small enough to do no harm. η is 1 in the source,
which evaluates an average of the points; here the point itself is judged.

Source: Ivgi, Hinder & Carmon (2023), arXiv 2302.12022, the same as ``optax.contrib.dog`` with its ``heuristic``.
"""

import numpy as np

from gdfast.arguments import POSITIVE
from gdfast.formulas.elementary import maximum, select, sqrt
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, origin, far, total, lr, distance, size, square, first, r_eps, eps):
    origin = select(first > 0, theta, origin)
    far = select(first > 0, r_eps * (1 + size), maximum(far, distance))
    total = total + square
    theta = theta - lr * (far / sqrt(total + eps)) * grad
    return theta, origin, far, total


def entries(theta, grad, origin, far, total, lr, first, r_eps, eps):
    return theta - origin, select(first > 0, theta, 0.0)


def terms(theta, grad, origin, far, total, lr, distance, size, first, r_eps, eps):
    return grad * grad


@named(r_eps=POSITIVE, eps=POSITIVE)
def dog(r_eps: float = 1e-6, eps: float = 1e-8) -> Optimizer:
    """DoG, θ ← θ − η max ‖θ − θ₀‖ / √Σ‖g‖² · g.

    Parameters
    ----------
    r_eps : float > 0
        The first distance, as a share of 1 + ‖θ₀‖.
    eps : float > 0
        Added to the sum of squares.
    """
    return Optimizer(
        rule,
        learning_rate=1.0,
        step_table=lambda t: {"first": (t == 1).astype(np.float64)},
        scalars=("far", "total"),
        norms=("distance", "size"),
        entries=entries,
        sums=("square",),
        terms=terms,
    )
