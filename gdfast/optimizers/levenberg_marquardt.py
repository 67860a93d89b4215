"""Newton's method with the damping of Levenberg and Marquardt: steps that do not lower the loss are not taken.

    θ' = θ − η (H + λ I)⁻¹ g
    if f(θ') < f(θ):  θ ← θ', λ ← λ / divisor;  else λ ← λ · factor

A large λ makes a short step along the negative gradient, a small one Newton's. With the whole Hessian in place of the
Gauss–Newton matrix losses need not be sums of squares. ``matrix=gauss_newton``, for data and networks, is the original,
with (H + λ I) p = −g solved by conjugate gradients until ‖(H + λ I) p + g‖ ≤ tolerance ‖g‖; each round of them asks for
a product of H with a vector, one evaluation.

Source: Marquardt (1963), SIAM Journal 11; with the Hessian Goldfeld, Quandt & Trotter (1966), Econometrica 34.
"""

from collections.abc import Callable
from typing import Any

from gdfast import arguments
from gdfast.arguments import Interval
from gdfast.formulas.elementary import select
from gdfast.formulas.truncated import MOST
from gdfast.formulas.vectors import gauss_newton_cg, hessian_solve, loss_at
from gdfast.optimizers._optimizer import POSITIVE, Optimizer, named

_ABOVE_ONE = Interval(1, low_open=True)


def by_hessian(theta, grad, damping, lr, loss, factor, divisor):
    p = hessian_solve(grad, damping)
    theta, damping = judged(theta, theta - lr * p, damping, loss, factor, divisor)
    return theta, damping


def by_gauss_newton(theta, grad, damping, lr, loss, factor, divisor, rounds, tolerance):
    p = gauss_newton_cg(grad, damping, 0.0, rounds, tolerance)
    theta, damping = judged(theta, theta + lr * p, damping, loss, factor, divisor)
    return theta, damping


def judged(theta, trial, damping, loss, factor, divisor):
    """Where a trial leads, and the next damping."""
    lower = loss_at(trial) < loss
    theta = select(lower, trial, theta)
    damping = select(lower, damping / divisor, damping * factor)
    return theta, damping


RULES: dict[str, Callable[..., Any]] = {"hessian": by_hessian, "gauss_newton": by_gauss_newton}


def _name_of_matrix(value: Any) -> str:
    return arguments.choice("matrix", value, RULES)


@named(
    damping=POSITIVE,
    factor=_ABOVE_ONE,
    divisor=_ABOVE_ONE,
    matrix=_name_of_matrix,
    tolerance=Interval(0, 1, low_open=True, high_open=True),
)
def levenberg_marquardt(
    damping: float = 0.01,
    factor: float = 10.0,
    divisor: float = 10.0,
    matrix: str = "hessian",
    rounds: int = 50,
    tolerance: float = 1e-3,
) -> Optimizer:
    """Newton's method damped as Levenberg's and Marquardt's, θ ← θ − η (H + λ I)⁻¹ g where the loss falls.

    Parameters
    ----------
    damping : float > 0
        The first λ, in units of curvatures.
    factor : float > 1
        What λ is multiplied by where the loss would not fall.
    divisor : float > 1
        What λ is divided by where it does.
    matrix : {"hessian", "gauss_newton"}
        The Hessian, of landscapes, or the matrix of Gauss and Newton, of data and networks.
    rounds : int
        Rounds of conjugate gradients at most, 1 to 10,000, with the matrix of Gauss and Newton.
    tolerance : float in (0, 1)
        The largest residual that is left of them, in multiples of the gradient.
    """
    arguments.integer("levenberg_marquardt: rounds", rounds, high=MOST)
    return Optimizer(RULES[matrix], learning_rate=1.0, scalars=("damping",), initial={"damping": damping})
