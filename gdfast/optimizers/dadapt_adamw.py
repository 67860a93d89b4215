"""D-Adaptation of AdamW: a rate that is an estimate of the distance to the solution, which only grows.

    w = η d √(1 − β₂ᵗ) / (1 − β₁ᵗ),   β = √β₂
    r ← β r + (1 − β) w ⟨g, u s⟩
    m ← β₁ m + (1 − β₁) w g,   v ← β₂ v + (1 − β₂) g²,   s ← β s + (1 − β) w g
    u ← 1 / (√v + ε)
    θ ← θ − λ w θ − u m
    d ← max(d, r / ((1 − β) ‖s‖₁))

η is 1 in the source, and may have a schedule. u is kept for the next step's r, which saves a root and a quotient.

Source: Defazio & Mishchenko (2023), arXiv 2301.07733, the same as ``optax.contrib.dadapt_adamw``.
"""

import numpy as np

from gdfast.arguments import POSITIVE
from gdfast.formulas.elementary import Array, absolute, maximum, power, select, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, v, s, u, d, r, lr, product, length, beta1, beta2, eps, weight_decay, beta, debias):
    weight = d * lr * debias
    r = beta * r + (1 - beta) * weight * product
    m = beta1 * m + (1 - beta1) * weight * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    s = beta * s + (1 - beta) * weight * grad
    d = select(length == 0, d, maximum(d, r / ((1 - beta) * length)))
    u = 1 / (sqrt(v) + eps)
    theta = theta - weight_decay * weight * theta - u * m
    return theta, m, v, s, u, d, r


def terms(theta, grad, m, v, s, u, d, r, lr, beta1, beta2, eps, weight_decay, beta, debias):
    weight = d * lr * debias
    return grad * (u * s), absolute(beta * s + (1 - beta) * weight * grad)


@named(beta1=FRACTION, beta2=FRACTION, eps=POSITIVE, d0=POSITIVE, weight_decay=NONNEGATIVE)
def dadapt_adamw(
    beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, d0: float = 1e-6, weight_decay: float = 0.0
) -> Optimizer:
    """D-Adaptation of AdamW, at an estimate d of the distance to the solution.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept; √β₂ is that of s and r.
    eps : float > 0
        Added to the root.
    d0 : float > 0
        The first estimate.
    weight_decay : float >= 0
        λ, decoupled.
    """

    def step_table(t: Array) -> dict[str, Array]:
        return {
            "beta": np.full_like(t, np.sqrt(beta2)),
            "debias": np.sqrt(1.0 - power(beta2, t)) / (1.0 - power(beta1, t)),
        }

    return Optimizer(
        rule,
        learning_rate=1.0,
        step_table=step_table,
        initial={"d": d0},
        scalars=("d", "r"),
        sums=("product", "length"),
        terms=terms,
    )
