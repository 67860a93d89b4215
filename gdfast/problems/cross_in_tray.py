"""The cross in a tray, a product of waves that is raised to a small power.

    f(x, y) = −10⁻⁴ (|sin x sin y exp(|100 − r/π|)| + 1)^0.1,   r = √(x² + y²)

Four global minima, −2.062612 at (±1.349407, ±1.349407), and others near the other peaks of |sin x sin y|: 36 in the
domain. Between them, where sin x or sin y is zero, are walls so thin that double precision hardly meets them: the power
makes of them kinks.

Source: Mishra (2006), "Some new test functions for global optimization and performance of repulsive particle swarm
method", MPRA paper 2718.
"""

import itertools
import math

from gdfast.formulas.elementary import absolute, exp, log, sin, sqrt
from gdfast.named import named
from gdfast.problems._of_its_domain import OfItsDomain

PI = math.pi
NEAR = [*itertools.product([side * (1.35 + k * 3.1) for k in range(3) for side in (-1, 1)], repeat=2)]


def loss(x, y):
    r = sqrt(x * x + y * y)
    peaks = absolute(sin(x) * sin(y)) * exp(absolute(100 - r / PI))
    return -0.0001 * exp(0.1 * log(peaks + 1))


@named()
def cross_in_tray() -> OfItsDomain:
    """The cross in a tray, −10⁻⁴ (|sin x sin y exp(|100 − r/π|)| + 1)^0.1, on [−10, 10]²."""
    return OfItsDomain(loss, domain=[[-10, 10]] * 2, near=NEAR)
