"""MoMo: momentum at Polyak's step of a model of the loss, bounded by the learning rate.

    m ← β m + (1 − β) g,   f̄ ← β f̄ + (1 − β) f,   γ ← β γ + (1 − β) ⟨g, θ⟩, at the first step g, f and ⟨g, θ⟩
    τ = min(η, max((1 + ηλ)(f̄ − f* − γ) + ⟨m, θ⟩, 0) / ‖m‖²), 0 where m = 0
    θ ← θ − ηλ/(1 + ηλ) θ − τ m

f* is the loss of the problem's lowest known minimum.

Source: Schaipp, Ohana, Eickenberg, Defazio & Gower (2023), arXiv 2305.07583, the same as ``optax.contrib.momo`` with
f* as its lower bound. optax takes no step where ‖m‖² is below 2.2e-16.
"""

import numpy as np

from gdfast.formulas.elementary import maximum, minimum, select
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(
    theta, grad, m, average, gamma, lr, product, square, inner, loss, weight_decay, lowest, kept
):  # fmt: skip
    m = kept * m + (1 - kept) * grad
    average = kept * average + (1 - kept) * loss
    gamma = kept * gamma + (1 - kept) * product
    grown = 1 + lr * weight_decay
    above = maximum(grown * (average - lowest - gamma) + inner, 0.0)
    step = minimum(lr, select(square == 0, 0.0, above / square))
    theta = theta - lr * weight_decay / grown * theta - step * m
    return theta, m, average, gamma


def terms(theta, grad, m, average, gamma, lr, weight_decay, lowest, kept):
    m = kept * m + (1 - kept) * grad
    return grad * theta, m * m, m * theta


@named(beta=FRACTION, weight_decay=NONNEGATIVE)
def momo(beta: float = 0.9, weight_decay: float = 0.0) -> Optimizer:
    """MoMo, momentum at Polyak's step of a model of the loss, at most η.

    Parameters
    ----------
    beta : float in [0, 1)
        The share of m and of the averages that is kept.
    weight_decay : float >= 0
        λ, applied as a proximal step.
    """
    return Optimizer(
        rule,
        learning_rate=1.0,
        step_table=lambda t: {"kept": np.where(t == 1, 0.0, beta)},
        scalars=("average", "gamma"),
        sums=("product", "square", "inner"),
        terms=terms,
    )
