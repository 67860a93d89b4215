"""AdaBound: Adam whose rates are bounded, by bounds that close in on a rate of gradient descent.

    m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
    low = η* (1 − 1/(γ t + 1)),   high = η* (1 + 1/(γ t))
    θ ← θ − clip(η √(1 − β₂ᵗ)/(1 − β₁ᵗ) / (√v + ε), low, high) m

η* is `final_lr`, to which a schedule applies too.

Source: Luo, Xiong, Liu & Sun (2019), arXiv 1902.09843, as in the authors' code and ``pytorch_optimizer.AdaBound``.
"""

import numpy as np

from gdfast.arguments import POSITIVE
from gdfast.formulas.elementary import Array, maximum, minimum, power, sqrt
from gdfast.optimizers._optimizer import FRACTION, Optimizer, named


def rule(theta, grad, m, v, lr, beta1, beta2, eps, rate, low, high):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    theta = theta - minimum(maximum(lr * rate / (sqrt(v) + eps), low), high) * m
    return theta, m, v


@named(beta1=FRACTION, beta2=FRACTION, eps=POSITIVE, final_lr=POSITIVE, gamma=POSITIVE)
def adabound(
    beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, final_lr: float = 0.1, gamma: float = 0.001
) -> Optimizer:
    """AdaBound, θ ← θ − clip(η/√v̂, low, high) m with bounds that close in on `final_lr`.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float > 0
        Added to the root.
    final_lr : float > 0
        η*, the rate in the end.
    gamma : float > 0
        γ, how soon.
    """

    def step_table(t: Array, multipliers: Array) -> dict[str, Array]:
        last = final_lr * multipliers
        return {
            "rate": np.sqrt(1.0 - power(beta2, t)) / (1.0 - power(beta1, t)),
            "low": last * (1.0 - 1.0 / (gamma * t + 1.0)),
            "high": last * (1.0 + 1.0 / (gamma * t)),
        }

    return Optimizer(rule, learning_rate=0.001, step_table=step_table)
