"""Sign descent: every coordinate moves by the learning rate, against the sign of its gradient.

    θ ← θ − η sign(g)

Source: Bernstein et al. (2018), arXiv 1802.04434. The same as ``optax.sign_sgd``.
"""

from gdfast.formulas.elementary import sign
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, lr):
    theta = theta - lr * sign(grad)
    return theta


@named()
def signsgd() -> Optimizer:
    """Sign descent, θ ← θ − η sign(g)."""
    return Optimizer(rule, learning_rate=0.001)
