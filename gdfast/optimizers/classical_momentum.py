"""Classical momentum: the learning rate is inside the velocity.

    v ← μ v − η g
    θ ← θ + v

While η is constant that is `momentum` without dampening; a schedule changes there the velocity that is kept, here only
what is added to it.

Source: Sutskever, Martens, Dahl & Hinton (2013), "On the importance of initialization and momentum in deep learning",
equations 1 and 2; ``keras.optimizers.SGD``.
"""

from gdfast.optimizers._optimizer import FRACTION, Optimizer, named


def rule(theta, grad, velocity, lr, momentum):
    velocity = momentum * velocity - lr * grad
    theta = theta + velocity
    return theta, velocity


@named(momentum=FRACTION)
def classical_momentum(momentum: float = 0.9) -> Optimizer:
    """Classical momentum, v ← μ v − η g, θ ← θ + v.

    Parameters
    ----------
    momentum : float in [0, 1)
        μ, the share of the velocity that is kept.
    """
    return Optimizer(rule, learning_rate=0.01)
