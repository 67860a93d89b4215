"""Sophia: momentum over the Hessian's diagonal, each coordinate's step clipped.

    D = diag(H), exact or by Hutchinson's estimate z H z with random signs z (Sophia-H), or
    D = B ĝ ⊙ ĝ, ĝ the gradient of the step's B rows with targets drawn from the model's own distribution (Sophia-G)
    m ← β₁ m + (1 − β₁) g
    h ← β₂ h + (1 − β₂) D,  at every k-th step
    θ ← θ − η clip(m / max(γ h, ε), ρ)

Where a curvature is negative or small a coordinate goes by the sign of its momentum. The diagonal is exact on
landscapes whose Hessian is a formula of few coordinates, and estimated elsewhere. ρ = 1 and γ = 0.01 are the paper's,
0.05 for Sophia-G; η ρ is the longest step. optax divides m by 1 − β₁ᵗ, ``debias``, and by the h before this step's
look, ``late``.

The estimate by drawn targets, of regressions and networks, is that of Gauss, Newton and Bartlett: its mean is the
diagonal of the matrix of Gauss and Newton, which has no negative entries. Classes are drawn by the probabilities that
the model gives them, numbers from a normal distribution about its outputs, whose logarithm the squared error is.

Source: Liu, Li, Hall, Liang & Ma (2024), arXiv 2305.14342, algorithm 3 with the estimators of algorithms 1 and 2; its
decay is the transform ``weight_decay``, its random vectors are normal.
"""

from typing import Any

import numpy as np

from gdfast import arguments
from gdfast.formulas.elementary import Array, maximum, minimum, power, select
from gdfast.formulas.vectors import fisher_diagonal, hessian_diagonal
from gdfast.optimizers._hutchinson import draws
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, POSITIVE, Optimizer, named


def by_hutchinson(theta, grad, m, h, lr, due, low, middle, high, rate, lag, beta1, beta2, gamma, rho, eps):
    seen = hessian_diagonal(due, low, middle, high)
    theta, m, h = clipped(theta, grad, m, h, seen, lr, due, rate, lag, beta1, beta2, gamma, rho, eps)
    return theta, m, h


def by_drawn_targets(theta, grad, m, h, lr, due, low, middle, high, rate, lag, beta1, beta2, gamma, rho, eps):
    seen = fisher_diagonal(due, low, middle, high)
    theta, m, h = clipped(theta, grad, m, h, seen, lr, due, rate, lag, beta1, beta2, gamma, rho, eps)
    return theta, m, h


def clipped(theta, grad, m, h, seen, lr, due, rate, lag, beta1, beta2, gamma, rho, eps):
    """A step by what was seen of the diagonal."""
    m = beta1 * m + (1 - beta1) * grad
    new = select(due > 0, beta2 * h + (1 - beta2) * seen, h)
    step = rate * m / maximum(gamma * select(lag > 0, h, new), eps)
    return theta - lr * maximum(minimum(step, rho), -rho), m, new


def preconditioner(h, gamma, eps):
    return maximum(gamma * h, eps)


RULES = {"hutchinson": by_hutchinson, "gauss_newton_bartlett": by_drawn_targets}


def _name_of_estimator(value: Any) -> str:
    return arguments.choice("estimator", value, RULES)


@named(estimator=_name_of_estimator, beta1=FRACTION, beta2=FRACTION, gamma=POSITIVE, rho=POSITIVE, eps=NONNEGATIVE)
def sophia(
    beta1: float = 0.965,
    beta2: float = 0.99,
    gamma: float = 0.01,
    rho: float = 1.0,
    eps: float = 1e-12,
    interval: int = 10,
    debias: bool = False,
    late: bool = False,
    seed: int = 0,
    estimator: str = "hutchinson",
) -> Optimizer:
    """Sophia, θ ← θ − η clip(m / max(γ h, ε), ρ), h a memory of the Hessian's diagonal.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        β₁ and β₂, the memories of gradient and diagonal.
    gamma : float > 0
        γ, what curvatures are multiplied by.
    rho : float > 0
        ρ, the longest step of a coordinate, in multiples of η.
    eps : float >= 0
        ε, the least that is divided by, in units of curvatures.
    interval : int
        k, steps from one look at the diagonal to the next, from the first step on.
    debias : bool
        Whether m is divided by 1 − β₁ᵗ.
    late : bool
        Whether a step is divided by what was seen before it.
    seed : int
        Of the random signs or targets, below 2⁶³.
    estimator : {"hutchinson", "gauss_newton_bartlett"}
        How the diagonal is estimated: Sophia-H or, of regressions and networks, Sophia-G.
    """
    debias, lag = arguments.flag("sophia: debias", debias), float(arguments.flag("sophia: late", late))
    looks = draws("sophia", interval, seed)

    def table(t: Array) -> dict[str, Array]:
        rate = 1.0 / (1.0 - power(beta1, t)) if debias else np.ones_like(t)
        return {**looks(t), "rate": rate, "lag": np.full_like(t, lag)}

    return Optimizer(RULES[estimator], learning_rate=1e-3, step_table=table, preconditioner=preconditioner)
