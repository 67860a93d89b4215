"""Hölder's table, a product of waves that grows outward, with a leg at each corner.

    f(x, y) = −|sin x cos y exp(|1 − r/π|)|,   r = √(x² + y²)

The four global minima are −19.208503, at (±8.055023, ±9.664590), in the corners of the domain; beyond it the legs go on
and are deeper. Between the minima, where sin x or cos y is zero, are ridges with a kink; another kink is the circle r =
π.

Source: Mishra (2006), "Some new test functions for global optimization and performance of repulsive particle swarm
method", MPRA paper 2718.
"""

import itertools
import math

from gdfast.formulas.elementary import absolute, cos, exp, select, sign, sin, sqrt
from gdfast.named import named
from gdfast.problems._of_its_domain import OfItsDomain

PI = math.pi
NEAR = [
    *itertools.product(
        [side * x for x in (1.4, 1.65, 4.9, 8.05) for side in (-1, 1)],
        [0.0, *(side * y for y in (3.25, 3.4, 6.5, 9.66) for side in (-1, 1))],
    )
]


def loss(x, y):
    r = sqrt(x * x + y * y)
    return -absolute(sin(x) * cos(y)) * exp(absolute(1 - r / PI))


def gradient(x, y):
    r = sqrt(x * x + y * y)
    waves = sin(x) * cos(y)
    k = -exp(absolute(1 - r / PI))
    # By the radius, 0 at the origin, and by the waves, 0 on a ridge.
    a = absolute(waves) * sign(r / PI - 1) / (PI * select(r > 0, r, 1))
    b = sign(waves)
    return k * (a * x + b * cos(x) * cos(y)), k * (a * y - b * sin(x) * sin(y))


@named()
def holder_table() -> OfItsDomain:
    """Hölder's table, −|sin x cos y exp(|1 − r/π|)|, on [−10, 10]²."""
    return OfItsDomain(loss, gradient, domain=[[-10, 10]] * 2, near=NEAR)
