"""Bukin's function number 6, a valley whose floor is a kink.

    f(x, y) = 100 √|y − x²/100| + |x + 10|/100

The minimum is f(−10, 1) = 0. Along y = x²/100 the gradient is infinite on either side, so that no method with a
constant rate settles: it jumps to and fro across the floor. The formulas give a slope of 0 across at the floor itself.

Source: Bukin (1997), "New minimization strategies for non-smooth functions", Budker Institute of Nuclear Physics.
"""

from gdfast.formulas.elementary import absolute, maximum, sign, sqrt
from gdfast.named import named
from gdfast.problems._of_its_domain import WithKinks

TINY = 1e-30  # which single precision has too


def loss(x, y):
    return 100 * sqrt(absolute(y - 0.01 * x * x)) + 0.01 * absolute(x + 10)


def gradient(x, y):
    a = y - 0.01 * x * x
    s = 50 * sign(a) / maximum(sqrt(absolute(a)), TINY)
    return 0.01 * sign(x + 10) - 0.02 * x * s, s


@named()
def bukin6() -> WithKinks:
    """Bukin's function number 6, 100 √|y − x²/100| + |x + 10|/100, on [−15, −5] × [−3, 3]."""
    return WithKinks(loss, gradient, domain=[[-15, -5], [-3, 3]], near=[], kinks=((-10.0, 1.0),))
