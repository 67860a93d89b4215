"""RAdam: Adam that waits with its division until the second moment's variance is tame.

    ρ = 2/(1 − β₂) − 1,   ρₜ = ρ − 2 t β₂ᵗ/(1 − β₂ᵗ)
    ρₜ > 5:   θ ← θ − η m̂ · r √(1 − β₂ᵗ) / (√v + ε),   r² = (ρₜ − 4)(ρₜ − 2) ρ / ((ρ − 4)(ρ − 2) ρₜ)
    else:     θ ← θ − η m̂

Source: Liu et al. (2020), arXiv 1908.03265, in the form and with the defaults of ``torch.optim.RAdam``.
``optax.radam`` divides by √v̂ + ε, as it does here with `debias_first`.
"""

import math

import numpy as np

from gdfast.arguments import Interval
from gdfast.formulas.elementary import Array, power, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, v, lr, beta1, beta2, rate, factor, root, offset):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    theta = theta - lr * rate * m * (factor / (root * sqrt(v) + offset))
    return theta, m, v


def preconditioner(v, rate, factor, root, offset):
    return (root * sqrt(v) + offset) / (rate * factor)


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE, threshold=Interval(4, math.inf, False, False))
def radam(
    beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, threshold: float = 5.0, debias_first: bool = False
) -> Optimizer:
    """RAdam, Adam with its adaptive rate rectified.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        Added to the root.
    threshold : float >= 4
        Of ρₜ, above which steps are rectified; 5 in the formula.
    debias_first : bool
        Debias the root before ε is added to it.
    """

    def step_table(t: Array) -> dict[str, Array]:
        most = 2.0 / (1.0 - beta2) - 1.0
        length = most - 2.0 * t * power(beta2, t) / (1.0 - power(beta2, t))
        rectified = length > threshold
        safe = np.where(rectified, length, 6.0)
        square = (safe - 4.0) * (safe - 2.0) * most / ((most - 4.0) * (most - 2.0) * safe)
        debias = np.sqrt(1.0 - power(beta2, t))
        factor = np.sqrt(np.where(rectified, square, 1.0)) * debias
        return {
            "rate": 1.0 / (1.0 - power(beta1, t)),
            "factor": np.where(rectified, factor, 1.0),  # and 1 / (0 √v + 1) where it is not rectified
            "root": rectified.astype(np.float64),
            "offset": np.where(rectified, eps * debias if debias_first else eps, 1.0),
        }

    return Optimizer(rule, learning_rate=0.001, step_table=step_table, preconditioner=preconditioner)
