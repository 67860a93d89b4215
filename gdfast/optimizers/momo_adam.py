"""MoMo-Adam: Adam at Polyak's step of a model of the loss, bounded by the learning rate.

    m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²,   D = √(v/(1 − β₂ᵗ)) + ε,   c = 1 − β₁ᵗ
    f̄ ← β₁ f̄ + (1 − β₁) f,   γ ← β₁ γ + (1 − β₁) ⟨g, θ⟩
    τ = min(η/c, max((1 + ηλ)(f̄ − c f* − γ) + ⟨m, θ⟩, 0) / ⟨m, m/D⟩), 0 where m = 0
    θ ← θ − ηλ/(1 + ηλ) θ − τ m/D

f* is the loss of the problem's lowest known minimum.

Source: Schaipp, Ohana, Eickenberg, Defazio & Gower (2023), arXiv 2305.07583, the same as ``optax.contrib.momo_adam``
with f* as its lower bound. optax takes no step where ⟨m, m/D⟩ is below 2.2e-16.
"""

import numpy as np

from gdfast.arguments import POSITIVE
from gdfast.formulas.elementary import Array, maximum, minimum, power, select, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(
    theta, grad, m, v, average, gamma, lr, product, square, inner, loss,
    beta1, beta2, eps, weight_decay, lowest, debias, share, per_share,
):  # fmt: skip
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    average = beta1 * average + (1 - beta1) * loss
    gamma = beta1 * gamma + (1 - beta1) * product
    grown = 1 + lr * weight_decay
    above = maximum(grown * (average - share * lowest - gamma) + inner, 0.0)
    step = minimum(lr * per_share, select(square == 0, 0.0, above / square))
    theta = theta - lr * weight_decay / grown * theta - step * (m / (sqrt(v) * debias + eps))
    return theta, m, v, average, gamma


def terms(theta, grad, m, v, average, gamma, lr, beta1, beta2, eps, weight_decay, lowest, debias, share, per_share):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    return grad * theta, m * (m / (sqrt(v) * debias + eps)), m * theta


@named(beta1=FRACTION, beta2=FRACTION, eps=POSITIVE, weight_decay=NONNEGATIVE)
def momo_adam(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, weight_decay: float = 0.0) -> Optimizer:
    """MoMo-Adam, Adam at Polyak's step of a model of the loss, at most η.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and the averages, and of v, that are kept.
    eps : float > 0
        Added to the root.
    weight_decay : float >= 0
        λ, applied as a proximal step.
    """

    def step_table(t: Array) -> dict[str, Array]:
        share = 1.0 - power(beta1, t)
        return {"debias": 1.0 / np.sqrt(1.0 - power(beta2, t)), "share": share, "per_share": 1.0 / share}

    return Optimizer(
        rule,
        learning_rate=0.01,
        step_table=step_table,
        scalars=("average", "gamma"),
        sums=("product", "square", "inner"),
        terms=terms,
    )
