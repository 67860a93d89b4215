"""RMSprop: the gradient divided by a running root mean square of itself.

    v ← α v + (1 − α) g²
    b ← μ b + g / (√v + ε)
    θ ← θ − η b

Centered, the variance v − m² stands for v, with m ← α m + (1 − α) g. Without momentum b is the quotient alone.

Source: Tieleman & Hinton (2012), lecture 6e of "Neural networks for machine learning"; centered: Graves (2013),
"Generating sequences with recurrent neural networks". In the form and with the defaults of
``torch.optim.RMSprop``. ``optax.rmsprop`` has α = 0.9, divides by √(v + ε) and puts η inside b.
"""

from gdfast.elementary import sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, v, lr, alpha, eps):
    v = alpha * v + (1 - alpha) * grad * grad
    theta = theta - lr * grad / (sqrt(v) + eps)
    return theta, v


def rule_with_momentum(theta, grad, v, buffer, lr, alpha, eps, momentum):
    v = alpha * v + (1 - alpha) * grad * grad
    buffer = momentum * buffer + grad / (sqrt(v) + eps)
    theta = theta - lr * buffer
    return theta, v, buffer


def centered_rule(theta, grad, v, m, lr, alpha, eps):
    v = alpha * v + (1 - alpha) * grad * grad
    m = alpha * m + (1 - alpha) * grad
    theta = theta - lr * grad / (sqrt(v - m * m) + eps)
    return theta, v, m


def centered_rule_with_momentum(theta, grad, v, m, buffer, lr, alpha, eps, momentum):
    v = alpha * v + (1 - alpha) * grad * grad
    m = alpha * m + (1 - alpha) * grad
    buffer = momentum * buffer + grad / (sqrt(v - m * m) + eps)
    theta = theta - lr * buffer
    return theta, v, m, buffer


@named(alpha=FRACTION, eps=NONNEGATIVE, momentum=FRACTION)
def rmsprop(alpha: float = 0.99, eps: float = 1e-8, momentum: float = 0.0, centered: bool = False) -> Optimizer:
    """RMSprop, v ← α v + (1 − α) g², θ ← θ − η g / (√v + ε).

    Parameters
    ----------
    alpha : float in [0, 1)
        α, the share of the mean square that is kept.
    eps : float >= 0
        Added to the root.
    momentum : float in [0, 1)
        μ of a buffer over the scaled gradient; 0 means no buffer.
    centered : bool
        Divide by the running standard deviation instead of the root mean square.
    """
    if centered:
        return Optimizer(centered_rule_with_momentum if momentum else centered_rule, learning_rate=0.01)
    return Optimizer(rule_with_momentum if momentum else rule, learning_rate=0.01)
