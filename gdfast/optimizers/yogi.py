"""Yogi: Adam whose second moment grows and shrinks by at most (1 − β₂) g² a step.

    m ← β₁ m + (1 − β₁) g
    v ← v − (1 − β₂) sign(v − g²) g²
    θ ← θ − (η / (1 − β₁ᵗ)) m / (√v / √(1 − β₂ᵗ) + ε)

Source: Zaheer et al. (2018), "Adaptive methods for nonconvex optimization"; m and v start at 1e-6 and are debiased,
as in ``optax.yogi`` and ``pytorch_optimizer.Yogi`` (whose debiasing of m is optional).
"""

from gdfast.formulas.elementary import sign, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, debiasing, named
from gdfast.optimizers.adam import preconditioner


def rule(theta, grad, m, v, lr, beta1, beta2, eps, rate, debias):
    m = beta1 * m + (1 - beta1) * grad
    v = v - (1 - beta2) * sign(v - grad * grad) * grad * grad
    theta = theta - lr * rate * m / (sqrt(v) * debias + eps)
    return theta, m, v


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE, initial_accumulator_value=NONNEGATIVE)
def yogi(
    beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-3, initial_accumulator_value: float = 1e-6
) -> Optimizer:
    """Yogi, Adam with an additive second moment.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        Of m, and of the step of v.
    eps : float >= 0
        Added to the root.
    initial_accumulator_value : float >= 0
        First value of m and v.
    """
    return Optimizer(
        rule,
        learning_rate=0.01,
        step_table=debiasing(beta1, beta2),
        preconditioner=preconditioner,
        initial={"m": initial_accumulator_value, "v": initial_accumulator_value},
    )
