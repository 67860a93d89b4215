"""Optimistic Adam: Adam with a step back along the direction before.

    u = m̂ / (√v̂ + ε), Adam's direction, or NAdam's without a momentum schedule
    θ ← θ − η ((α + β) u − β u_previous), u itself before there is another

Source: Daskalakis, Ilyas, Syrgkanis & Zeng (2018), arXiv 1711.00141, the same as ``optax.optimistic_adam_v2``, whose
default is NAdam's direction. ``optax.optimistic_adam`` with an ``optimism`` of o is the same with α = 1 and β = o/η,
which is 1 by default.
"""

import numpy as np

from gdfast.formulas.elementary import Array, power, select, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, v, previous, lr, alpha, beta, beta1, beta2, eps, of_mean, of_grad, debias, first):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    update = (of_mean * m + of_grad * grad) / (sqrt(v) * debias + eps)
    previous = select(first > 0, update, previous)
    theta = theta - lr * ((alpha + beta) * update - beta * previous)
    return theta, m, v, update


def preconditioner(v, eps, debias):
    return sqrt(v) * debias + eps


@named(alpha=NONNEGATIVE, beta=NONNEGATIVE, beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE)
def optimistic_adam(
    alpha: float = 1.0,
    beta: float = 1.0,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    nesterov: bool = True,
) -> Optimizer:
    """Optimistic Adam, θ ← θ − η ((α + β) u − β u_previous) with Adam's direction u.

    Parameters
    ----------
    alpha : float >= 0
        The weight of the direction.
    beta : float >= 0
        The weight of its change.
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept.
    eps : float >= 0
        Added to the root.
    nesterov : bool
        Whether the direction looks ahead as NAdam's does.
    """

    def step_table(t: Array) -> dict[str, Array]:
        ahead = {"of_mean": beta1 / (1.0 - power(beta1, t + 1.0)), "of_grad": (1.0 - beta1) / (1.0 - power(beta1, t))}
        plain = {"of_mean": 1.0 / (1.0 - power(beta1, t)), "of_grad": np.zeros_like(t)}
        shared = {"debias": 1.0 / np.sqrt(1.0 - power(beta2, t)), "first": (t == 1).astype(np.float64)}
        return (ahead if nesterov else plain) | shared

    return Optimizer(rule, learning_rate=0.001, step_table=step_table, preconditioner=preconditioner)
