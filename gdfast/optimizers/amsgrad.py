"""AMSGrad: Adam divided by the root of the largest second moment so far.

    v ← β₂ v + (1 − β₂) g²,   w ← max(w, v),   θ ← θ − (η / (1 − β₁ᵗ)) m / (√w / √(1 − β₂ᵗ) + ε)

With ``debias_first`` the maximum is taken over the debiased moment v / (1 − β₂ᵗ).

Source: Reddi, Kale & Kumar (2018), "On the convergence of Adam and beyond". The default order is that of
``torch.optim.Adam(amsgrad=True)``, the other that of ``optax.amsgrad``; the paper debiases nothing.
"""

from gdfast.formulas.elementary import maximum, power, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named
from gdfast.optimizers.adam import adam


def rule(theta, grad, m, v, largest, lr, beta1, beta2, eps, rate, debias):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    largest = maximum(largest, v * debias)
    theta = theta - lr * rate * m / (sqrt(largest) + eps)
    return theta, m, v, largest


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE)
def amsgrad(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, debias_first: bool = False) -> Optimizer:
    """AMSGrad, Adam with √(largest v so far) below the fraction; by default ``adam(amsgrad=True)`` itself.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        Added to the root.
    debias_first : bool
        Take the maximum over the debiased second moment, as optax does.
    """
    if not debias_first:
        return adam(beta1=beta1, beta2=beta2, eps=eps, amsgrad=True)
    return Optimizer(
        rule,
        learning_rate=0.001,
        step_table=lambda t: {"rate": 1.0 / (1.0 - power(beta1, t)), "debias": 1.0 / (1.0 - power(beta2, t))},
    )
