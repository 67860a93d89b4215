"""Prodigy: Adam at a rate that is an estimate of the distance to the solution, which only grows.

    w = η d √(1 − β₂ᵗ) / (1 − β₁ᵗ), or η d without debiasing
    m ← β₁ m + (1 − β₁) d g,   v ← β₂ v + (1 − β₂) d² g²
    s ← β₃ s + (d/d₀) w g,   r ← β₃ r + (d/d₀) w ⟨g, θ₀ − θ⟩
    d₊ = max(d, c r / ‖s‖₁)
    θ ← θ − λ w θ − w m / (√v + d₊ ε),   d ← d₊

θ₀ is the start, d₀ the first d. η is 1 in the source, and may have a schedule.

Source: Mishchenko & Defazio (2023), arXiv 2306.06101, the same as ``optax.contrib.prodigy``; the authors' code does not
debias. β₃ is √β₂ there, which is the default here for that of β₂.
"""

import numpy as np

from gdfast.arguments import POSITIVE
from gdfast.formulas.elementary import Array, absolute, maximum, power, select, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(
    theta, grad, origin, m, v, s, d, r, lr, product, length,
    beta1, beta2, beta3, eps, coefficient, weight_decay, first, debias, per_first,
):  # fmt: skip
    origin = select(first > 0, theta, origin)
    weight = d * lr * debias
    share = d * per_first * weight
    m = beta1 * m + (1 - beta1) * (d * grad)
    v = beta2 * v + (1 - beta2) * (d * grad) * (d * grad)
    s = beta3 * s + share * grad
    r = beta3 * r + share * product
    d = select(length == 0, d, maximum(d, coefficient * r / length))
    theta = theta - weight_decay * weight * theta - weight * m / (sqrt(v) + d * eps)
    return theta, origin, m, v, s, d, r


def terms(
    theta, grad, origin, m, v, s, d, r, lr,
    beta1, beta2, beta3, eps, coefficient, weight_decay, first, debias, per_first,
):  # fmt: skip
    share = d * per_first * (d * lr * debias)
    return select(first > 0, 0.0, grad * (origin - theta)), absolute(beta3 * s + share * grad)


@named(
    beta1=FRACTION,
    beta2=FRACTION,
    beta3=FRACTION,
    eps=POSITIVE,
    d0=POSITIVE,
    coefficient=POSITIVE,
    weight_decay=NONNEGATIVE,
)
def prodigy(
    beta1: float = 0.9,
    beta2: float = 0.999,
    beta3: float = 0.999**0.5,
    eps: float = 1e-8,
    d0: float = 1e-6,
    coefficient: float = 1.0,
    weight_decay: float = 0.0,
    bias_correction: bool = True,
) -> Optimizer:
    """Prodigy, Adam at an estimate d of the distance to the solution.

    Parameters
    ----------
    beta1, beta2, beta3 : float in [0, 1)
        The shares of m, of v, and of s and r that are kept.
    eps : float > 0
        Added to the root, times d.
    d0 : float > 0
        The first estimate.
    coefficient : float > 0
        c, what estimates are multiplied by.
    weight_decay : float >= 0
        λ, decoupled.
    bias_correction : bool
        Whether the step is debiased as Adam's is.
    """

    def step_table(t: Array) -> dict[str, Array]:
        debias = np.sqrt(1.0 - power(beta2, t)) / (1.0 - power(beta1, t))
        return {
            "first": (t == 1).astype(np.float64),
            "debias": debias if bias_correction else np.ones_like(t),
            "per_first": np.full_like(t, 1.0 / d0),
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
