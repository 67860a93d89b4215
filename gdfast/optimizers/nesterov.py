"""Nesterov's accelerated gradient.

    b ← μₜ b + g
    θ ← θ − η (g + μₜ₊₁ b)

Source: Nesterov (1983), in the form of Sutskever et al. (2013) that ``torch.optim.SGD(nesterov=True)`` and
``optax.sgd(nesterov=True)`` use: θ stands for the look-ahead point. They have one μ, which
is constant as a rule; where it depends on the step, θ looks ahead with that of the next, as Nesterov's method does with
``momentum=gdfast.schedules.nesterov_momentum()``, and torch with that of the same.
"""

from typing import Any

import numpy as np

from gdfast.formulas.elementary import Array
from gdfast.optimizers._optimizer import FRACTION, Optimizer, named


def rule(theta, grad, buffer, lr, momentum, ahead):
    buffer = momentum * buffer + grad
    theta = theta - lr * (grad + ahead * buffer)
    return theta, buffer


@named(momentum=FRACTION)
def nesterov(momentum: float = 0.9) -> Optimizer:
    """Nesterov momentum, b ← μ b + g, θ ← θ − η (g + μ b).

    Parameters
    ----------
    momentum : float in [0, 1)
        μ, the share of the buffer that is kept.
    """

    def step_table(t: Array) -> dict[str, Any]:
        every: Any = momentum  # an array of every step where it depends on the step
        return {"ahead": np.append(every[1:], every[-1]) if isinstance(every, np.ndarray) else every}

    return Optimizer(rule, learning_rate=0.01, step_table=step_table)
