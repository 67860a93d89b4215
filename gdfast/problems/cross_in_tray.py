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

from gdfast.formulas.elementary import absolute, cos, exp, log, select, sign, sin, sqrt
from gdfast.named import named
from gdfast.problems._of_its_domain import OfItsDomain

PI = math.pi
NEAR = [*itertools.product([side * (1.35 + k * 3.1) for k in range(3) for side in (-1, 1)], repeat=2)]


def loss(x, y):
    r = sqrt(x * x + y * y)
    steepness = absolute(100 - r / PI)
    # log(|sin x sin y| exp(steepness) + 1), of which single precision has no exp.
    height = steepness + log(absolute(sin(x) * sin(y)) + exp(-steepness))
    return -0.0001 * exp(0.1 * height)


def gradient(x, y):
    r = sqrt(x * x + y * y)
    steepness = absolute(100 - r / PI)
    waves = sin(x) * sin(y)
    floor = exp(-steepness)
    peaks = absolute(waves) + floor
    k = -0.00001 * exp(0.1 * (steepness + log(peaks)))
    # By the radius, 0 at the origin, and by the waves, 0 on a wall.
    a = (1 - floor / peaks) * sign(r / PI - 100) / (PI * select(r > 0, r, 1))
    b = sign(waves) / peaks
    return k * (a * x + b * cos(x) * sin(y)), k * (a * y + b * sin(x) * cos(y))


@named()
def cross_in_tray() -> OfItsDomain:
    """The cross in a tray, −10⁻⁴ (|sin x sin y exp(|100 − r/π|)| + 1)^0.1, on [−10, 10]²."""
    return OfItsDomain(loss, gradient, domain=[[-10, 10]] * 2, near=NEAR)
