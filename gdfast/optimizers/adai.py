"""Adai: momentum whose inertia is small where gradients are large; the rate is the same for all.

    v ← β₂ v + (1 − β₂) g²,   v̂ = v/(1 − β₂ᵗ),   v̄ = max(mean of v̂, ε)
    β = min(max(1 − β₀ v̂/v̄, 0), 1 − ε),   p ← β p
    m ← β m + (1 − β) g
    θ ← θ − η m / (1 − p)

p starts at 1; the mean is over all parameters of the problem.

Source: Xie et al. (2022), arXiv 2006.15815, the same as ``pytorch_optimizer.Adai`` with its ``dampening`` of 1.
"""

from gdfast.arguments import POSITIVE, Interval
from gdfast.formulas.elementary import maximum, minimum, power
from gdfast.optimizers._optimizer import FRACTION, Optimizer, named


def rule(theta, grad, m, v, p, lr, total, beta0, beta2, eps, debias, dimension):
    v = beta2 * v + (1 - beta2) * grad * grad
    mean = maximum(total / dimension, eps)
    beta = minimum(maximum(1 - v * debias / mean * beta0, 0.0), 1 - eps)
    p = beta * p
    m = beta * m + (1 - beta) * grad
    theta = theta - lr * (m / (1 - p))
    return theta, m, v, p


def terms(theta, grad, m, v, p, lr, beta0, beta2, eps, debias, dimension):
    return (beta2 * v + (1 - beta2) * grad * grad) * debias


@named(beta0=POSITIVE, beta2=FRACTION, eps=Interval(0, 1, True, True))
def adai(beta0: float = 0.1, beta2: float = 0.99, eps: float = 1e-3) -> Optimizer:
    """Adai, momentum with an inertia 1 − β₀ v̂/v̄ of each coordinate's own.

    Parameters
    ----------
    beta0 : float > 0
        How much a gradient of ordinary size takes from the inertia.
    beta2 : float in [0, 1)
        The share of v that is kept.
    eps : float in (0, 1)
        The least share of m that is lost in a step, and the least v̄.
    """
    return Optimizer(
        rule,
        learning_rate=0.01,
        step_table=lambda t: {"debias": 1.0 / (1.0 - power(beta2, t))},
        initial={"p": 1.0},
        sums=("total",),
        terms=terms,
    )
