"""DoWG: gradient descent at a rate of distance over weighted gradients, with no rate to choose.

    r² ← max(r², ‖θ − θ₀‖²),   v ← v + r² ‖g‖²
    θ ← θ − η (r² / (√v + ε)) g

θ₀ is the start. Later gradients weigh more than in DoG, which makes up for r having been too small at first. η is 1 in
the source.

Source: Khaled, Mishchenko & Jin (2023), arXiv 2305.16284, the same as ``optax.contrib.dowg``, whose first r² is its ε.
"""

import numpy as np

from gdfast.arguments import POSITIVE
from gdfast.formulas.elementary import maximum, select, sqrt
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, origin, far, total, lr, distance, square, first, eps):
    origin = select(first > 0, theta, origin)
    far = select(first > 0, far, maximum(far, distance))
    total = total + far * square
    theta = theta - lr * (far / (sqrt(total) + eps)) * grad
    return theta, origin, far, total


def terms(theta, grad, origin, far, total, lr, first, eps):
    step = theta - origin
    return step * step, grad * grad


@named(square_distance=POSITIVE, eps=POSITIVE)
def dowg(square_distance: float = 1e-4, eps: float = 1e-4) -> Optimizer:
    """DoWG, θ ← θ − η r² / √Σ r²‖g‖² · g with the largest distance r = ‖θ − θ₀‖ so far.

    Parameters
    ----------
    square_distance : float > 0
        The first r².
    eps : float > 0
        Added to the root.
    """
    return Optimizer(
        rule,
        learning_rate=1.0,
        step_table=lambda t: {"first": (t == 1).astype(np.float64)},
        initial={"far": square_distance},
        scalars=("far", "total"),
        sums=("distance", "square"),
        terms=terms,
    )
