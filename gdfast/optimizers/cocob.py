"""COCOB: each coordinate bets a share of what it has won on the sign of its next gradient; no rate to choose.

    L ← max(L, |g|),   G ← G + |g|,   R ← max(R − g (θ − θ₀), 0),   c ← c − g,   of g times η
    θ ← θ₀ + c / (L max(G + L, α L)) · (L + R)

θ₀ is the start and ε the first L; L is the largest gradient, G the sum of sizes, R the reward, c the sum of gradients.
What g is multiplied by hardly matters: bets do not depend on the scale of the loss.

Source: Orabona & Tommasi (2017), arXiv 1705.07795, algorithm 2, the same as ``optax.contrib.cocob``.
"""

import numpy as np

from gdfast.arguments import POSITIVE
from gdfast.formulas.elementary import absolute, maximum, select
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, origin, largest, total, reward, gradients, lr, alpha, first):
    origin = select(first > 0, theta, origin)
    gradient = lr * grad
    size = absolute(gradient)
    largest = maximum(largest, size)
    total = total + size
    reward = maximum(reward - gradient * (theta - origin), 0.0)
    gradients = gradients - gradient
    theta = origin + gradients / (largest * maximum(total + largest, alpha * largest)) * (largest + reward)
    return theta, origin, largest, total, reward, gradients


@named(alpha=POSITIVE, eps=POSITIVE)
def cocob(alpha: float = 100.0, eps: float = 1e-8) -> Optimizer:
    """COCOB, coin betting on the gradient's sign.

    Parameters
    ----------
    alpha : float > 0
        How careful the first bets are.
    eps : float > 0
        The first L.
    """
    return Optimizer(
        rule,
        learning_rate=1.0,
        step_table=lambda t: {"first": (t == 1).astype(np.float64)},
        initial={"largest": eps},
    )
