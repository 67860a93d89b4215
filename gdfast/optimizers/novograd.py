"""NovoGrad: momentum over the gradient divided by a running root of its norm's square.

    v ← β₂ v + (1 − β₂) ‖g‖², at the first step ‖g‖²
    m ← β₁ m + g / (√v + ε) + λ θ
    θ ← θ − η m

v is one number for all parameters of the problem, where the source has one for each layer.

Source: Ginsburg et al. (2019), arXiv 1905.11286, the same as ``optax.novograd`` for one array of parameters.
"""

import numpy as np

from gdfast.arguments import POSITIVE
from gdfast.formulas.elementary import sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, v, lr, square, beta1, eps, weight_decay, kept):
    v = kept * v + (1 - kept) * square
    m = beta1 * m + grad / (sqrt(v) + eps) + weight_decay * theta
    theta = theta - lr * m
    return theta, m, v


def terms(theta, grad, m, v, lr, beta1, eps, weight_decay, kept):
    return grad * grad


@named(beta1=FRACTION, beta2=FRACTION, eps=POSITIVE, weight_decay=NONNEGATIVE)
def novograd(beta1: float = 0.9, beta2: float = 0.25, eps: float = 1e-6, weight_decay: float = 0.0) -> Optimizer:
    """NovoGrad, θ ← θ − η m with a momentum m of g/(√v + ε), v a running mean of ‖g‖².

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float > 0
        Added to the root.
    weight_decay : float >= 0
        λ, inside the momentum.
    """
    return Optimizer(
        rule,
        learning_rate=0.01,
        step_table=lambda t: {"kept": np.where(t == 1, 0.0, beta2)},
        scalars=("v",),
        sums=("square",),
        terms=terms,
    )
