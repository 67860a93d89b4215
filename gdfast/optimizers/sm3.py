"""SM3 of a vector: AdaGrad with a running mean over its steps.

    s ← s + g²
    m ← β m + (1 − β) g / √(s + ε), 0 where s = 0
    θ ← θ − η m

Of a matrix the source keeps the largest s of each row and column alone, to save memory; here all parameters of a
problem are one vector, and each has its own.

Source: Anil, Gupta, Koren & Singer (2019), arXiv 1901.11150, the same as ``optax.sm3`` for a vector.
"""

from gdfast.formulas.elementary import select, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, s, m, lr, momentum, eps):
    s = s + grad * grad
    m = momentum * m + (1 - momentum) * select(s > 0, grad / sqrt(s + eps), 0.0)
    theta = theta - lr * m
    return theta, s, m


@named(momentum=FRACTION, eps=NONNEGATIVE)
def sm3(momentum: float = 0.9, eps: float = 1e-8) -> Optimizer:
    """SM3 of a vector, θ ← θ − η m with a running mean m of g / √(Σg² + ε).

    Parameters
    ----------
    momentum : float in [0, 1)
        β, the share of m that is kept.
    eps : float >= 0
        Added under the root.
    """
    return Optimizer(rule, learning_rate=0.1)
