"""RMSprop: the gradient divided by a running root mean square of itself.

    v ← α v + (1 − α) g²
    b ← μ b + g / (√v + ε)
    θ ← θ − η b

Centered, the variance v − m² (0 where rounding makes it negative) stands for v, with m ← α m + (1 − α) g. Without
momentum b is the quotient alone. With ``eps_in_sqrt`` the root is √(v + ε); with ``lr_in_momentum`` the buffer holds η
times the quotient.

Source: Tieleman & Hinton (2012), lecture 6e of "Neural networks for machine learning"; centered: Graves (2013),
"Generating sequences with recurrent neural networks". In the form and with the defaults of
``torch.optim.RMSprop``. ``optax.rmsprop`` has α = 0.9, ``eps_in_sqrt`` and ``lr_in_momentum``.
"""

from collections.abc import Callable
from typing import Any

from gdfast.formulas.elementary import maximum, select, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, v, lr, alpha, inside, outside):
    v = alpha * v + (1 - alpha) * grad * grad
    theta = theta - lr * grad / (sqrt(v + inside) + outside)
    return theta, v


def rule_with_momentum(theta, grad, v, buffer, lr, alpha, inside, outside, momentum, lr_in_momentum):
    v = alpha * v + (1 - alpha) * grad * grad
    quotient = grad / (sqrt(v + inside) + outside)
    buffer = momentum * buffer + select(lr_in_momentum > 0, lr, 1.0) * quotient
    theta = theta - select(lr_in_momentum > 0, 1.0, lr) * buffer
    return theta, v, buffer


def centered_rule(theta, grad, v, m, lr, alpha, inside, outside):
    v = alpha * v + (1 - alpha) * grad * grad
    m = alpha * m + (1 - alpha) * grad
    theta = theta - lr * grad / (sqrt(maximum(v - m * m, 0.0) + inside) + outside)
    return theta, v, m


def centered_rule_with_momentum(theta, grad, v, m, buffer, lr, alpha, inside, outside, momentum, lr_in_momentum):
    v = alpha * v + (1 - alpha) * grad * grad
    m = alpha * m + (1 - alpha) * grad
    quotient = grad / (sqrt(maximum(v - m * m, 0.0) + inside) + outside)
    buffer = momentum * buffer + select(lr_in_momentum > 0, lr, 1.0) * quotient
    theta = theta - select(lr_in_momentum > 0, 1.0, lr) * buffer
    return theta, v, m, buffer


def preconditioner(v, inside, outside):
    return sqrt(v + inside) + outside


def centered_preconditioner(v, m, inside, outside):
    return sqrt(maximum(v - m * m, 0.0) + inside) + outside


@named(alpha=FRACTION, eps=NONNEGATIVE, momentum=FRACTION)
def rmsprop(
    alpha: float = 0.99,
    eps: float = 1e-8,
    momentum: float = 0.0,
    centered: bool = False,
    eps_in_sqrt: bool = False,
    lr_in_momentum: bool = False,
) -> Optimizer:
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
    eps_in_sqrt : bool
        Add ε inside the root.
    lr_in_momentum : bool
        Keep η times the scaled gradient in the buffer. The same unless η changes with the step.
    """
    rules: dict[tuple[bool, bool], Callable[..., Any]] = {
        (False, False): rule,
        (False, True): rule_with_momentum,
        (True, False): centered_rule,
        (True, True): centered_rule_with_momentum,
    }
    return Optimizer(
        rules[centered, momentum > 0],
        learning_rate=0.01,
        preconditioner=centered_preconditioner if centered else preconditioner,
        step_table=lambda t: {"inside": eps if eps_in_sqrt else 0.0, "outside": 0.0 if eps_in_sqrt else eps},
    )
