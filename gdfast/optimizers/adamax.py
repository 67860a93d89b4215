"""Adamax: Adam with the largest gradient, decaying, in place of the root mean square.

    m ← β₁ m + (1 − β₁) g
    u ← max(β₂ u, |g| + ε)
    θ ← θ − (η / (1 − β₁ᵗ)) m / u

Source: Kingma & Ba (2015), section 7.1, in the form and with the defaults of ``torch.optim.Adamax``;
``optax.adamax`` is the same.
"""

from gdfast.formulas.elementary import absolute, maximum, power
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, u, lr, beta1, beta2, eps, rate):
    m = beta1 * m + (1 - beta1) * grad
    u = maximum(beta2 * u, absolute(grad) + eps)
    theta = theta - lr * rate * m / u
    return theta, m, u


def preconditioner(u, rate):
    return u / rate


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE)
def adamax(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> Optimizer:
    """Adamax, θ ← θ − η m̂ / u with u the decaying maximum of |g|.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and u that are kept.
    eps : float >= 0
        Added to |g|.
    """
    return Optimizer(
        rule,
        learning_rate=0.002,
        step_table=lambda t: {"rate": 1.0 / (1.0 - power(beta1, t))},
        preconditioner=preconditioner,
    )
