"""Adam with an ε̂ that is added before the root is debiased, as TensorFlow and Keras have it.

    m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
    θ ← θ − η √(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε̂)

An ε̂ weighs as an ε of ε̂/√(1 − β₂ᵗ) does in the other form: at first 32 times as much, at the default β₂.

Source: Kingma & Ba (2015), arXiv 1412.6980, the remark before section 2.1; ``keras.optimizers.Adam``.
"""

import numpy as np

from gdfast.formulas.elementary import power, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, v, lr, beta1, beta2, eps, rate):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    theta = theta - lr * rate * m / (sqrt(v) + eps)
    return theta, m, v


def preconditioner(v, eps, rate):
    return (sqrt(v) + eps) / rate


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE)
def adam_eps_hat(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-7) -> Optimizer:
    """Adam with Keras's ε̂, θ ← θ − η √(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε̂).

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        ε̂, added to the root as it is.
    """
    return Optimizer(
        rule,
        learning_rate=0.001,
        preconditioner=preconditioner,
        step_table=lambda t: {"rate": np.sqrt(1.0 - power(beta2, t)) / (1.0 - power(beta1, t))},
    )
