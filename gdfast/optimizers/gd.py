"""Gradient descent.

    θ ← θ − η g

Source: Cauchy (1847), "Méthode générale pour la résolution des systèmes d'équations simultanées". The same as
``torch.optim.SGD`` and ``optax.sgd`` without momentum.
"""

from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, lr):
    theta = theta - lr * grad
    return theta


@named()
def gd() -> Optimizer:
    """Gradient descent, θ ← θ − η g."""
    return Optimizer(rule, learning_rate=0.01)
