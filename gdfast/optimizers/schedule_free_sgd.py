"""Schedule-free gradient descent: averaging in place of a decaying rate.

    c = 1/t
    y ← (1 − c) y + c z + η (β (1 − c) − 1) g
    z ← z − η g

θ is y, the point at which gradients are taken; z starts at y. The averaged point that the method's authors
evaluate, x = (y − (1 − β) z)/β, has the same limit.

Source: Defazio et al. (2024), arXiv 2405.15682, as in the authors' ``schedulefree.SGDScheduleFree`` at a constant
learning rate, where its weights η² cancel in c.
"""

import numpy as np

from gdfast.arguments import Interval
from gdfast.elementary import select
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, z, lr, momentum, first, share):
    z = select(first > 0, theta, z)
    theta = theta + share * (z - theta) + lr * (momentum * (1 - share) - 1) * grad
    z = z - lr * grad
    return theta, z


@named(momentum=Interval(0, 1, True, True))
def schedule_free_sgd(momentum: float = 0.9) -> Optimizer:
    """Schedule-free gradient descent.

    Parameters
    ----------
    momentum : float in (0, 1)
        β, the weight of the average in the point where gradients are taken.
    """
    return Optimizer(
        rule,
        learning_rate=1.0,
        step_table=lambda t: {"first": (t == 1).astype(np.float64), "share": 1.0 / t},
    )
