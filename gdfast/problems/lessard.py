"""A strongly convex function on which the heavy ball goes round in a circle.

    f′(x) = 25x for x < 1,   x + 24 for 1 ≤ x < 2,   25x − 24 beyond;   f(0) = 0

One stationary point, the minimum f(0) = 0. Curvatures are between 1 and 25. With the rate 1/9 and momentum 4/9, which
are best on quadratics with these curvatures, the heavy ball from 3.3 ends in a cycle of three points, while gradient
descent and Nesterov's method converge.

Source: Lessard, Recht & Packard (2016), "Analysis and design of optimization algorithms via integral quadratic
constraints", arXiv 1408.3595, section 4.6.
"""

from gdfast.formulas.elementary import select
from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x):
    beyond = select(x < 2, 0.5 * x * x + 24 * x - 12, 12.5 * x * x - 24 * x + 36)
    return select(x < 1, 12.5 * x * x, beyond)


def gradient(x):
    return select(x < 1, 25 * x, select(x < 2, x + 24, 25 * x - 24))


@named()
def lessard() -> Landscape:
    """The piecewise quadratic of Lessard, Recht and Packard, with curvatures 25, 1 and 25, on [−4, 4]."""
    return Landscape(loss, gradient, domain=[-4, 4], near=[[0.1]])
