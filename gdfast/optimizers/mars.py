"""MARS: Adam on a gradient with less variance, by a share of its change.

    c = g + γ β₁/(1 − β₁) (g − g_previous), c / ‖c‖ where that is above 1;   g_previous = 0 at first
    m ← β₁ m + (1 − β₁) c,   v ← β₂ v + (1 − β₂) c²
    θ ← θ − η m̂ / (√v̂ + ε)

The norm is over all parameters of the problem.

Source: Yuan et al. (2024), arXiv 2411.10438, in its approximate form, of AdamW. ``pytorch_optimizer.MARS`` adds 1e-15
to v, and debiases √v + ε.
"""

from gdfast.formulas.elementary import maximum, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, debiasing, named


def rule(theta, grad, m, v, previous, lr, norm, beta1, beta2, gamma, eps, rate, debias):
    c = (grad + gamma * (beta1 / (1 - beta1)) * (grad - previous)) / maximum(norm, 1.0)
    m = beta1 * m + (1 - beta1) * c
    v = beta2 * v + (1 - beta2) * c * c
    theta = theta - lr * rate * m / (sqrt(v) * debias + eps)
    return theta, m, v, grad


def entries(theta, grad, m, v, previous, lr, beta1, beta2, gamma, eps, rate, debias):
    return grad + gamma * (beta1 / (1 - beta1)) * (grad - previous)


@named(beta1=FRACTION, beta2=FRACTION, gamma=NONNEGATIVE, eps=NONNEGATIVE)
def mars(beta1: float = 0.95, beta2: float = 0.99, gamma: float = 0.025, eps: float = 1e-8) -> Optimizer:
    """MARS, Adam on g + γ β₁/(1 − β₁) (g − g_previous), clipped to norm 1.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    gamma : float >= 0
        γ, the weight of the gradient's change.
    eps : float >= 0
        Added to the root.
    """
    return Optimizer(rule, learning_rate=0.003, step_table=debiasing(beta1, beta2), norms=("norm",), entries=entries)
