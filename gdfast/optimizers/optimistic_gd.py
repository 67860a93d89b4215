"""Optimistic gradient descent: a step back along the gradient before.

    θ ← θ − η ((α + β) g − β g_previous), g itself before there is another

Source: Mokhtari, Ozdaglar & Pattathil (2020), arXiv 1901.08511, the same as ``optax.optimistic_gradient_descent``.
"""

import numpy as np

from gdfast.arguments import NONNEGATIVE
from gdfast.formulas.elementary import select
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, previous, lr, alpha, beta, first):
    previous = select(first > 0, grad, previous)
    theta = theta - lr * ((alpha + beta) * grad - beta * previous)
    return theta, grad


@named(alpha=NONNEGATIVE, beta=NONNEGATIVE)
def optimistic_gd(alpha: float = 1.0, beta: float = 1.0) -> Optimizer:
    """Optimistic gradient descent, θ ← θ − η ((α + β) g − β g_previous).

    Parameters
    ----------
    alpha : float >= 0
        The weight of the gradient.
    beta : float >= 0
        The weight of its change.
    """
    return Optimizer(rule, learning_rate=0.01, step_table=lambda t: {"first": (t == 1).astype(np.float64)})
