"""ASGD: gradient descent with the decaying rate of averaged stochastic gradient descent.

    ηₜ = η / (1 + λ η (t − 1))^α
    θ ← (1 − λ ηₜ) θ − ηₜ g

Source: Polyak & Juditsky (1992), in the form and with the defaults of ``torch.optim.ASGD``. As there, θ is the
iterate; the average that torch keeps beside it from its step t₀ on is θ of ``averaged(of=asgd(), start=1 + t0)`` here.
For α of 1/2, 3/4 and 1 the power is made of roots.
"""

import numpy as np

from gdfast.arguments import NONNEGATIVE
from gdfast.formulas.elementary import power, sqrt
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, lr, lambd, alpha, elapsed):
    rate = lr / power(1 + lambd * lr * elapsed, alpha)
    theta = theta * (1 - lambd * rate) - rate * grad
    return theta


def whole_rule(theta, grad, lr, lambd, elapsed):
    rate = lr / (1 + lambd * lr * elapsed)
    theta = theta * (1 - lambd * rate) - rate * grad
    return theta


def three_quarters_rule(theta, grad, lr, lambd, elapsed):
    root = sqrt(1 + lambd * lr * elapsed)
    rate = lr / (root * sqrt(root))
    theta = theta * (1 - lambd * rate) - rate * grad
    return theta


def half_rule(theta, grad, lr, lambd, elapsed):
    rate = lr / sqrt(1 + lambd * lr * elapsed)
    theta = theta * (1 - lambd * rate) - rate * grad
    return theta


ROOTS = {0.5: half_rule, 0.75: three_quarters_rule, 1.0: whole_rule}


@named(lambd=NONNEGATIVE, alpha=NONNEGATIVE)
def asgd(lambd: float = 1e-4, alpha: float = 0.75) -> Optimizer:
    """ASGD, θ ← (1 − λ ηₜ) θ − ηₜ g with ηₜ = η / (1 + λ η (t − 1))^α.

    Parameters
    ----------
    lambd : float >= 0
        λ, of the weight decay and of the rate's.
    alpha : float >= 0
        α, the power by which the rate falls.
    """
    chosen = rule if np.ndim(alpha) else ROOTS.get(alpha, rule)
    return Optimizer(chosen, learning_rate=0.01, step_table=lambda t: {"elapsed": t - 1.0})
