"""Newton's method with the damping of Levenberg and Marquardt: steps that do not lower the loss are not taken.

    θ' = θ − η (H + λ I)⁻¹ g
    if f(θ') < f(θ):  θ ← θ', λ ← λ / divisor;  else λ ← λ · factor

A large λ makes a short step along the negative gradient, a small one Newton's. With the whole Hessian in place of the
Gauss–Newton matrix, so that losses need not be sums of squares.

Source: Marquardt (1963), SIAM Journal 11; with the Hessian Goldfeld, Quandt & Trotter (1966), Econometrica 34.
"""

from gdfast.arguments import Interval
from gdfast.formulas.elementary import select
from gdfast.formulas.vectors import hessian_solve, loss_at
from gdfast.optimizers._optimizer import POSITIVE, Optimizer, named

_ABOVE_ONE = Interval(1, low_open=True)


def rule(theta, grad, damping, lr, loss, factor, divisor):
    trial = theta - lr * hessian_solve(grad, damping)
    lower = loss_at(trial) < loss
    theta = select(lower, trial, theta)
    damping = select(lower, damping / divisor, damping * factor)
    return theta, damping


@named(damping=POSITIVE, factor=_ABOVE_ONE, divisor=_ABOVE_ONE)
def levenberg_marquardt(damping: float = 0.01, factor: float = 10.0, divisor: float = 10.0) -> Optimizer:
    """Newton's method damped as Levenberg's and Marquardt's, θ ← θ − η (H + λ I)⁻¹ g where the loss falls.

    Parameters
    ----------
    damping : float > 0
        The first λ, in units of curvatures.
    factor : float > 1
        What λ is multiplied by where the loss would not fall.
    divisor : float > 1
        What λ is divided by where it does.
    """
    return Optimizer(rule, learning_rate=1.0, scalars=("damping",), initial={"damping": damping})
