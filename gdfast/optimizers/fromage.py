"""Fromage: steps of a size relative to the parameters, and the parameters shrunk by what a step adds to them.

    θ ← (θ − η (‖θ‖ / ‖g‖) g) / √(1 + η²)

Norms below `min_norm` count as that. They are over all parameters of the problem, where the source has one a layer.

Source: Bernstein et al. (2020), arXiv 2002.03432, the same as ``optax.fromage`` for one array of parameters.
"""

from gdfast.arguments import POSITIVE
from gdfast.formulas.elementary import maximum, sqrt
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, lr, theta_norm, grad_norm, min_norm):
    ratio = maximum(theta_norm, min_norm) / maximum(grad_norm, min_norm)
    theta = (theta - lr * ratio * grad) / sqrt(1 + lr * lr)
    return theta


def entries(theta, grad, lr, min_norm):
    return theta, grad


@named(min_norm=POSITIVE)
def fromage(min_norm: float = 1e-6) -> Optimizer:
    """Fromage, θ ← (θ − η ‖θ‖/‖g‖ g) / √(1 + η²).

    Parameters
    ----------
    min_norm : float > 0
        The least that a norm counts as.
    """
    return Optimizer(rule, learning_rate=0.01, norms=("theta_norm", "grad_norm"), entries=entries)
