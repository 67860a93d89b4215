"""Truncated Newton: Newton's direction by conjugate gradients, cut short, and a line search along it.

    p ≈ −(H + λ I)⁻¹ g,  by conjugate gradients until ‖(H + λ I) p + g‖ ≤ min(τ, √‖g‖) ‖g‖
    θ ← θ + a p,  a by a line search that tries η first

Where a direction d of these has dᵀ(H + λ I)d ≤ 0, p is what was found before it, or −g where it is the first. No
Hessian is made: each round asks for its product with d, which counts as one evaluation. On mini-batches it is that of
the step's rows.

With ``matrix=gauss_newton`` it is Gauss and Newton's method for data and networks: H is Jᵀ B J, J = ∂outputs/∂θ and
B = ∂²loss/∂outputs², the Hessian without the outputs' own curvature. It has no negative eigenvalue where the loss is a
convex function of the outputs; for least squares H p = −g is the linear problem of Gauss.

Sources: Dembo & Steihaug (1983), Mathematical Programming 26; Nocedal & Wright (2006), Numerical Optimization,
algorithm 7.1 and section 10.3; of networks Schraudolph (2002), Neural Computation 14, and Martens (2010), "Deep
learning via Hessian-free optimization". SciPy's ``Newton-CG`` has sums of entries' sizes in place of the norms.
"""

from typing import Any

from gdfast import arguments
from gdfast.arguments import Interval
from gdfast.formulas.elementary import minimum, sqrt
from gdfast.formulas.truncated import MOST
from gdfast.formulas.vectors import gauss_newton_cg, hessian_cg, line_search, norm
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named
from gdfast.optimizers._searches import SEARCHES, name_of_search

_OPEN = Interval(0, 1, low_open=True, high_open=True)


def by_hessian(theta, grad, lr, damping, rounds, tolerance):
    p = hessian_cg(grad, damping, 0.0, rounds, minimum(tolerance, sqrt(norm(grad))))
    return theta + line_search(p, lr) * p


def by_gauss_newton(theta, grad, lr, damping, rounds, tolerance):
    p = gauss_newton_cg(grad, damping, 0.0, rounds, minimum(tolerance, sqrt(norm(grad))))
    return theta + line_search(p, lr) * p


RULES = {"hessian": by_hessian, "gauss_newton": by_gauss_newton}


def _name_of_matrix(value: Any) -> str:
    return arguments.choice("matrix", value, RULES)


@named(
    matrix=_name_of_matrix,
    damping=NONNEGATIVE,
    tolerance=_OPEN,
    search=name_of_search,
    sufficient=_OPEN,
    curvature=_OPEN,
    shrink=FRACTION,
)
def newton_cg(
    matrix: str = "hessian",
    damping: float = 0.0,
    rounds: int = 50,
    tolerance: float = 0.5,
    search: str = "strong_wolfe",
    sufficient: float = 1e-4,
    curvature: float = 0.9,
    shrink: float = 0.5,
) -> Optimizer:
    """Truncated Newton, θ ← θ + a p with (H + λ I) p ≈ −g by conjugate gradients, and a line search.

    Parameters
    ----------
    matrix : {"hessian", "gauss_newton"}
        H: the Hessian, or the matrix of Gauss and Newton, of data and networks.
    damping : float >= 0
        λ, in units of curvatures.
    rounds : int
        Rounds of conjugate gradients at most, 1 to 10,000.
    tolerance : float in (0, 1)
        τ, the largest residual that is left of them, in multiples of the gradient.
    search : {"strong_wolfe", "zoom", "backtracking", "exact", "fixed"}
        By which conditions a length is chosen; ``exact`` is on quadratics, ``fixed`` takes the first.
    sufficient : float in (0, 1)
        c₁, the share of the slope by which the loss must fall.
    curvature : float in (0, 1)
        c₂, the share of the slope that may be left, by the strong Wolfe conditions.
    shrink : float in [0, 1)
        What a length is multiplied by in backtracking.
    """
    arguments.integer("newton_cg: rounds", rounds, high=MOST)
    return Optimizer(RULES[matrix], learning_rate=1.0, search=SEARCHES[search])
