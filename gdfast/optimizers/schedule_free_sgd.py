"""Schedule-free gradient descent: averaging in place of a decaying rate.

    c = w / Σw, the sum over the steps so far, with w = (the largest multiplier of the learning rate so far)²
    y ← (1 − c) y + c z + η (β (1 − c) − 1) g
    z ← z − η g

θ is y, the point at which gradients are taken; z starts at y. The averaged point that the method's authors
evaluate, x = (y − (1 − β) z)/β, has the same limit; with ``average=True`` it is θ, which is judged then, and a step
takes the gradients at both. At a constant learning rate c = 1/t; with a schedule the steps
of a warm-up weigh less in the average.

Source: Defazio et al. (2024), arXiv 2405.15682, as in the authors' ``schedulefree.SGDScheduleFree``, which weighs by
the largest learning rate so far; what all steps have in common cancels in c. Its ``warmup_steps=n`` is
``schedules.warmup(steps=n - 1, start=1 / n)``.
"""

import numpy as np

from gdfast.arguments import Interval
from gdfast.formulas.elementary import Array, select
from gdfast.formulas.vectors import gradient_at
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, z, lr, momentum, first, share):
    z = select(first > 0, theta, z)
    theta = theta + share * (z - theta) + lr * (momentum * (1 - share) - 1) * grad
    z = z - lr * grad
    return theta, z


def average_rule(theta, grad, z, lr, momentum, first, share):
    z = select(first > 0, theta, z)
    z = z - lr * gradient_at(momentum * theta + (1 - momentum) * z)
    theta = theta + share * (z - theta)
    return theta, z


def averaging(t: Array, multipliers: Array) -> dict[str, Array]:
    """The columns ``first``, 1 at the first step and 0 after it, and ``share``, c (0 while all multipliers are)."""
    weights = np.maximum.accumulate(multipliers) ** 2
    total = np.cumsum(weights)
    share = np.divide(weights, total, out=np.zeros_like(total), where=total > 0)
    return {"first": (t == 1).astype(np.float64), "share": share}


@named(momentum=Interval(0, 1, True, True))
def schedule_free_sgd(momentum: float = 0.9, average: bool = False) -> Optimizer:
    """Schedule-free gradient descent.

    Parameters
    ----------
    momentum : float in (0, 1)
        β, the weight of the average in the point where gradients are taken.
    average : bool
        Whether the average is judged, in place of that point.
    """
    return Optimizer(average_rule if average else rule, learning_rate=1.0, step_table=averaging)
