"""The extragradient method: the gradient at the point that gradient descent would go to.

    θ ← θ − η ∇f(θ − η g)

Source: Korpelevich (1976), Ekonomika i Matematicheskie Metody 12, there for saddle points.
"""

from gdfast.formulas.vectors import gradient_at
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, lr):
    return theta - lr * gradient_at(theta - lr * grad)


@named()
def extragradient() -> Optimizer:
    """The extragradient method, θ ← θ − η ∇f(θ − η g)."""
    return Optimizer(rule, learning_rate=0.01)
