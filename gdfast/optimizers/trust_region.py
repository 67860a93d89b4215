"""Newton's method in a trust region: to the least of the second-order model within a radius that follows its success.

    p = argmin m(p),  m(p) = gᵀp + ½ pᵀHp,  ‖p‖ ≤ η r
    ρ = (f(θ + p) − f(θ)) / m(p)
    r ← r/4 if ρ < ¼;  2 r, at most `largest`, if ρ > ¾ and p has reached the radius
    θ ← θ + p if ρ > least

The learning rate η is the first radius, r starts at 1; a schedule multiplies all radii. H need not be positive: at a
saddle p goes down along the negative curvature.

Source: Nocedal & Wright (2006), Numerical Optimization, algorithm 4.1; p, to rounding, as Moré & Sorensen (1983), SIAM
Journal on Scientific and Statistical Computing 4. Defaults are those of SciPy's ``trust-exact``, which finds p to a
tenth of the radius, and whose largest radius is 1000 whatever the first.
"""

from gdfast.arguments import Interval
from gdfast.formulas.elementary import minimum, select
from gdfast.formulas.vectors import dot, hessian_product, loss_at, norm, trust_region_step
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, radius, lr, loss, least, largest):
    p = select(lr > 0, trust_region_step(grad, lr * radius), 0)
    theta, radius = judged(theta, grad, p, radius, lr, loss, least, largest)
    return theta, radius


def judged(theta, grad, p, radius, lr, loss, least, largest):
    """Where a step p leads, and the next radius."""
    model = dot(grad, p) + 0.5 * dot(p, hessian_product(p))
    ratio = (loss_at(theta + p) - loss) / model
    reaches = norm(p) > 0.999 * (lr * radius)
    longer = select((ratio > 0.75) & reaches, minimum(2 * radius, largest), radius)
    radius = select(ratio < 0.25, 0.25 * radius, longer)
    theta = select(ratio > least, theta + p, theta)
    return theta, radius


@named(least=Interval(0, 0.25, high_open=True), largest=Interval(1))
def trust_region(least: float = 0.15, largest: float = 1000.0) -> Optimizer:
    """Newton's method in a trust region, θ ← θ + argmin gᵀp + ½ pᵀHp with ‖p‖ ≤ η r.

    Parameters
    ----------
    least : float in [0, 0.25)
        The share of the fall that the model tells, below which a step is not taken.
    largest : float >= 1
        The largest radius, in multiples of the first, the learning rate.
    """
    return Optimizer(rule, learning_rate=1.0, scalars=("radius",), initial={"radius": 1.0})
