"""Nesterov's accelerated gradient with a constant momentum.

    b ← μ b + g
    θ ← θ − η (g + μ b)

Source: Nesterov (1983), in the form of Sutskever et al. (2013) that ``torch.optim.SGD(nesterov=True)`` and
``optax.sgd(nesterov=True)`` use: θ stands for the look-ahead point.
"""

from gdfast.optimizers._optimizer import FRACTION, Optimizer, named


def rule(theta, grad, buffer, lr, momentum):
    buffer = momentum * buffer + grad
    theta = theta - lr * (grad + momentum * buffer)
    return theta, buffer


@named(momentum=FRACTION)
def nesterov(momentum: float = 0.9) -> Optimizer:
    """Nesterov momentum, b ← μ b + g, θ ← θ − η (g + μ b).

    Parameters
    ----------
    momentum : float in [0, 1)
        μ, the share of the buffer that is kept.
    """
    return Optimizer(rule, learning_rate=0.01)
