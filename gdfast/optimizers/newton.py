"""Newton's method: to the stationary point of the second-order model.

    θ ← θ − η H⁻¹ g

H is the Hessian of the loss at θ; η = 1 is Newton's. It goes to saddles and maxima as well as to minima.

Source: Nocedal & Wright (2006), Numerical Optimization, section 3.3.
"""

from gdfast.formulas.vectors import hessian_solve
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, lr):
    return theta - lr * hessian_solve(grad, 0.0)


@named()
def newton() -> Optimizer:
    """Newton's method, θ ← θ − η H⁻¹ g."""
    return Optimizer(rule, learning_rate=1.0)
