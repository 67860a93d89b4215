"""Adam with an ε under the root, as optax's ``eps_root``.

    m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
    θ ← θ − η m̂ / (√(v̂ + ε_root) + ε),   m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ)

It bounds the rate where gradients vanish by η/√ε_root, smoothly, so that steps can be differentiated there.

Source: ``optax.adam`` with its ``eps_root``.
"""

from gdfast.formulas.elementary import power, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, v, lr, beta1, beta2, eps, eps_root, rate, debias):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    theta = theta - lr * rate * m / (sqrt(v * debias + eps_root) + eps)
    return theta, m, v


def preconditioner(v, eps, eps_root, rate, debias):
    return (sqrt(v * debias + eps_root) + eps) / rate


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE, eps_root=NONNEGATIVE)
def adam_eps_root(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, eps_root: float = 1e-8) -> Optimizer:
    """Adam with ε under the root, θ ← θ − η m̂ / (√(v̂ + ε_root) + ε).

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        Added to the root.
    eps_root : float >= 0
        Added to what it is taken of.
    """
    return Optimizer(
        rule,
        learning_rate=0.001,
        preconditioner=preconditioner,
        step_table=lambda t: {"rate": 1.0 / (1.0 - power(beta1, t)), "debias": 1.0 / (1.0 - power(beta2, t))},
    )
