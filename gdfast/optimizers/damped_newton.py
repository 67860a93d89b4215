"""Damped Newton: Newton's direction with a line search, so that the loss falls.

    p = −H⁻¹ g,  −g where that is no descent
    θ ← θ + a p,  a by a line search that tries η first

Source: Boyd & Vandenberghe (2004), Convex Optimization, algorithm 9.5, for convex losses, where p always descends.
"""

from gdfast.arguments import Interval
from gdfast.formulas.elementary import select
from gdfast.formulas.vectors import dot, hessian_solve, line_search
from gdfast.optimizers._optimizer import FRACTION, Optimizer, named
from gdfast.optimizers._searches import SEARCHES, name_of_search

_OPEN = Interval(0, 1, low_open=True, high_open=True)


def rule(theta, grad, lr):
    p = hessian_solve(-grad, 0)
    p = select(dot(p, grad) < 0, p, -grad)
    return theta + line_search(p, lr) * p


@named(search=name_of_search, sufficient=_OPEN, curvature=_OPEN, shrink=FRACTION)
def damped_newton(
    search: str = "backtracking", sufficient: float = 1e-4, curvature: float = 0.9, shrink: float = 0.5
) -> Optimizer:
    """Damped Newton, θ ← θ − a H⁻¹ g, a by a line search.

    Parameters
    ----------
    search : {"backtracking", "strong_wolfe", "zoom", "exact", "fixed"}
        By which conditions a length is chosen; ``exact`` is on quadratics, ``fixed`` takes the first.
    sufficient : float in (0, 1)
        c₁, the share of the slope by which the loss must fall.
    curvature : float in (0, 1)
        c₂, the share of the slope that may be left, by the strong Wolfe conditions.
    shrink : float in [0, 1)
        What a length is multiplied by in backtracking.
    """
    return Optimizer(rule, learning_rate=1.0, search=SEARCHES[search])
