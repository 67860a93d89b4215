"""Steihaug's method: the second-order model within a trust region, by conjugate gradients that end at its border.

    p ≈ argmin m(p),  m(p) = gᵀp + ½ pᵀHp,  ‖p‖ ≤ η r,  until ‖H p + g‖ ≤ min(τ, √‖g‖) ‖g‖
    ρ = (f(θ + p) − f(θ)) / m(p)
    r ← r/4 if ρ < ¼;  2 r, at most `largest`, if ρ > ¾ and p has reached the radius
    θ ← θ + p if ρ > least

Where a direction has no positive curvature, and where p would leave the region, p goes along it to the border. The
learning rate η is the first radius, r starts at 1; a schedule multiplies all radii. No Hessian is made: each round
asks for its product with a vector, which counts as one evaluation, and m(p) for one more.

Source: Steihaug (1983), SIAM Journal on Numerical Analysis 20; Nocedal & Wright (2006), Numerical Optimization,
algorithms 4.1 and 7.2. SciPy's ``trust-ncg`` is the same, with these defaults.
"""

from gdfast import arguments
from gdfast.arguments import Interval
from gdfast.formulas.elementary import minimum, select, sqrt
from gdfast.formulas.truncated import MOST
from gdfast.formulas.vectors import hessian_cg, norm
from gdfast.optimizers._optimizer import Optimizer, named
from gdfast.optimizers.trust_region import judged


def rule(theta, grad, radius, lr, loss, least, largest, rounds, tolerance):
    p = hessian_cg(grad, 0.0, lr * radius, rounds, minimum(tolerance, sqrt(norm(grad))))
    p = select(lr > 0, p, 0)  # a radius of 0 is none there
    theta, radius = judged(theta, grad, p, radius, lr, loss, least, largest)
    return theta, radius


@named(
    least=Interval(0, 0.25, high_open=True),
    largest=Interval(1),
    tolerance=Interval(0, 1, low_open=True, high_open=True),
)
def trust_region_cg(
    least: float = 0.15, largest: float = 1000.0, rounds: int = 50, tolerance: float = 0.5
) -> Optimizer:
    """Steihaug's method, θ ← θ + p with p ≈ argmin gᵀp + ½ pᵀHp, ‖p‖ ≤ η r, by conjugate gradients.

    Parameters
    ----------
    least : float in [0, 0.25)
        The share of the fall that the model tells, below which a step is not taken.
    largest : float >= 1
        The largest radius, in multiples of the first, the learning rate.
    rounds : int
        Rounds of conjugate gradients at most, 1 to 10,000.
    tolerance : float in (0, 1)
        τ, the largest residual that is left of them, in multiples of the gradient.
    """
    arguments.integer("trust_region_cg: rounds", rounds, high=MOST)
    return Optimizer(rule, learning_rate=1.0, scalars=("radius",), initial={"radius": 1.0})
