"""ASGD: gradient descent with the decaying rate of averaged stochastic gradient descent.

    ηₜ = η / (1 + λ η (t − 1))^α
    θ ← (1 − λ ηₜ) θ − ηₜ g

Source: Polyak & Juditsky (1992), in the form and with the defaults of ``torch.optim.ASGD``. As there, θ is the
iterate; torch keeps its average beside it, which is that of ``averaged(of=asgd(), start=1 + t0)`` here.
What is raised to the power α holds the trajectory's own η, so that no table of steps can hold it, and a rule has roots
but no powers: α is 0.5, 0.75 or 1.
"""

from gdfast.arguments import OneOf
from gdfast.formulas.elementary import sqrt
from gdfast.optimizers._optimizer import NONNEGATIVE, Optimizer, named


def rule(theta, grad, lr, lambd, elapsed):
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


RULES = {0.5: half_rule, 0.75: three_quarters_rule, 1.0: rule}


@named(lambd=NONNEGATIVE, alpha=OneOf(*RULES))
def asgd(lambd: float = 1e-4, alpha: float = 0.75) -> Optimizer:
    """ASGD, θ ← (1 − λ ηₜ) θ − ηₜ g with ηₜ = η / (1 + λ η (t − 1))^α.

    Parameters
    ----------
    lambd : float >= 0
        λ, of the weight decay and of the rate's.
    alpha : float
        0.5, 0.75 or 1.
    """
    return Optimizer(RULES[alpha], learning_rate=0.01, step_table=lambda t: {"elapsed": t - 1.0})
