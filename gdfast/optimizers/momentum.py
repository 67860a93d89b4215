"""Momentum: Polyak's heavy ball.

    b ← g                          at the first step
    b ← μ b + (1 − dampening) g    after it
    θ ← θ − η b

Source: Polyak (1964), "Some methods of speeding up the convergence of iteration methods", in the form of
``torch.optim.SGD``: the learning rate is outside the buffer b. The classical v ← μ v + η g, θ ← θ − v is the
same while η is constant. With ``dampening = momentum`` b is an exponential moving average.
"""

import numpy as np

from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, buffer, lr, momentum, gain):
    buffer = momentum * buffer + gain * grad
    theta = theta - lr * buffer
    return theta, buffer


@named(momentum=FRACTION, dampening=NONNEGATIVE)
def momentum(momentum: float = 0.9, dampening: float = 0.0) -> Optimizer:
    """Heavy-ball momentum, b ← μ b + (1 − dampening) g, θ ← θ − η b.

    Parameters
    ----------
    momentum : float in [0, 1)
        μ, the share of the buffer that is kept.
    dampening : float >= 0
        Damps the gradient's entry into the buffer, from the second step on.
    """
    return Optimizer(rule, learning_rate=0.01, step_table=lambda t: {"gain": np.where(t == 1, 1.0, 1.0 - dampening)})
