"""Adam: a running mean of the gradient over the root of a running mean square, both debiased.

    m ← β₁ m + (1 − β₁) g
    v ← β₂ v + (1 − β₂) g²
    θ ← θ − (η / (1 − β₁ᵗ)) · m / (√v / √(1 − β₂ᵗ) + ε)

AMSGrad keeps the largest v so far and divides by its root instead.

Source: Kingma & Ba (2015), arXiv 1412.6980; AMSGrad: Reddi, Kale & Kumar (2018). In the form and with the
defaults of ``torch.optim.Adam`` (``optax.adam`` is the same). torch takes AMSGrad's maximum over v and then
debiases it; optax takes it over the debiased v. The two factors that depend on the step alone are
``rate`` = 1/(1 − β₁ᵗ) and ``debias`` = 1/√(1 − β₂ᵗ).
"""

from gdfast.formulas.elementary import maximum, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, debiasing, named


def rule(theta, grad, m, v, lr, beta1, beta2, eps, rate, debias):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    theta = theta - lr * rate * m / (sqrt(v) * debias + eps)
    return theta, m, v


def amsgrad_rule(theta, grad, m, v, largest, lr, beta1, beta2, eps, rate, debias):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    largest = maximum(largest, v)
    theta = theta - lr * rate * m / (sqrt(largest) * debias + eps)
    return theta, m, v, largest


def preconditioner(v, eps, rate, debias):
    return (sqrt(v) * debias + eps) / rate


def amsgrad_preconditioner(largest, eps, rate, debias):
    return (sqrt(largest) * debias + eps) / rate


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE)
def adam(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, amsgrad: bool = False) -> Optimizer:
    """Adam, θ ← θ − η m̂ / (√v̂ + ε) with debiased running means m̂ of g and v̂ of g².

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        Added to the root.
    amsgrad : bool
        Divide by the root of the largest v so far.
    """
    return Optimizer(
        amsgrad_rule if amsgrad else rule,
        learning_rate=0.001,
        step_table=debiasing(beta1, beta2),
        preconditioner=amsgrad_preconditioner if amsgrad else preconditioner,
    )
