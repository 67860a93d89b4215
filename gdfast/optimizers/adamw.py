"""AdamW: Adam with decoupled weight decay.

    θ ← (1 − η λ) θ, then Adam's update

Source: Loshchilov & Hutter (2019), arXiv 1711.05101, in the form and with the defaults of ``torch.optim.AdamW``;
``optax.adamw`` is the same with λ = 1e-4 by default.
"""

from gdfast.formulas.elementary import maximum, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, debiasing, named
from gdfast.optimizers.adam import amsgrad_preconditioner, preconditioner


def rule(theta, grad, m, v, lr, beta1, beta2, eps, weight_decay, rate, debias):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    theta = theta * (1 - lr * weight_decay) - lr * rate * m / (sqrt(v) * debias + eps)
    return theta, m, v


def amsgrad_rule(theta, grad, m, v, largest, lr, beta1, beta2, eps, weight_decay, rate, debias):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    largest = maximum(largest, v)
    theta = theta * (1 - lr * weight_decay) - lr * rate * m / (sqrt(largest) * debias + eps)
    return theta, m, v, largest


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE, weight_decay=NONNEGATIVE)
def adamw(
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.01,
    amsgrad: bool = False,
) -> Optimizer:
    """AdamW, θ ← (1 − η λ) θ − η m̂ / (√v̂ + ε).

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        Added to the root.
    weight_decay : float >= 0
        λ; the parameters shrink by η λ a step.
    amsgrad : bool
        Divide by the root of the largest v so far.
    """
    return Optimizer(
        amsgrad_rule if amsgrad else rule,
        learning_rate=0.001,
        step_table=debiasing(beta1, beta2),
        preconditioner=amsgrad_preconditioner if amsgrad else preconditioner,
    )
