"""NAdam: Adam with Nesterov's look-ahead.

    m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
    μₜ = β₁ (1 − ½ · 0.96^(t ψ)),   Mₜ = μ₁ μ₂ … μₜ
    θ ← θ − η [(1 − μₜ)/(1 − Mₜ) g + μₜ₊₁/(1 − Mₜ μₜ₊₁) m] / (√(v/(1 − β₂ᵗ)) + ε)

Without the momentum schedule, β₁ m/(1 − β₁ᵗ⁺¹) + (1 − β₁) g/(1 − β₁ᵗ) stands in the brackets.

Source: Dozat (2016), "Incorporating Nesterov momentum into Adam", in the form and with the defaults of
``torch.optim.NAdam``. ``optax.nadam`` has no momentum schedule.
"""

import numpy as np

from gdfast.formulas.elementary import Array, power, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, v, lr, beta1, beta2, eps, of_grad, of_mean, debias):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    theta = theta - lr * (of_grad * grad + of_mean * m) / (sqrt(v) * debias + eps)
    return theta, m, v


def preconditioner(v, eps, debias):
    return sqrt(v) * debias + eps


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE, momentum_decay=NONNEGATIVE)
def nadam(
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    momentum_decay: float = 0.004,
    momentum_schedule: bool = True,
) -> Optimizer:
    """NAdam, Adam with Nesterov's look-ahead.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        Added to the root.
    momentum_decay : float >= 0
        ψ of the momentum schedule.
    momentum_schedule : bool
        Whether there is one.
    """

    def step_table(t: Array) -> dict[str, Array]:
        debias = 1.0 / np.sqrt(1.0 - power(beta2, t))
        if not momentum_schedule:
            return {
                "of_grad": (1.0 - beta1) / (1.0 - power(beta1, t)),
                "of_mean": beta1 / (1.0 - power(beta1, t + 1.0)),
                "debias": debias,
            }
        now, after = (beta1 * (1.0 - 0.5 * power(0.96, k * momentum_decay)) for k in (t, t + 1.0))
        product = np.cumprod(now)
        return {"of_grad": (1.0 - now) / (1.0 - product), "of_mean": after / (1.0 - product * after), "debias": debias}

    return Optimizer(rule, learning_rate=0.002, step_table=step_table, preconditioner=preconditioner)
