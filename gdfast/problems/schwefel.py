"""Schwefel's function, whose best minimum is far from the second best.

    f(x) = Σᵢ p(xᵢ),   p(x) = 418.9829 − x sin √|x|

The global minimum of the domain is at 420.968746 each, where the constant, as it is printed, leaves 2.55·10⁻⁵ each.
Stationary points of p are where tan √|x| = −√|x|/2, seven minima and seven maxima in the domain, and their
combinations; at 0, where it is flat, it goes on falling. Beyond it the function falls without bound.

Source: Schwefel (1981), "Numerical optimization of computer models".
"""

import math

from gdfast.formulas.elementary import absolute, cos, sin, sqrt
from gdfast.named import named
from gdfast.problems._of_its_domain import OfItsDomain
from gdfast.problems._problem import Problem
from gdfast.problems._sum import sum_over

OFFSET, REACH = 418.9829, 500
ROOTS = [2.0288, *((k + 0.5) * math.pi + 2 / ((k + 0.5) * math.pi) for k in range(1, 7))]  # of tan s = −s/2, nearly
NEAR = [[side * root * root] for root in ROOTS for side in (-1, 1)]


def loss(x):
    return OFFSET - x * sin(sqrt(absolute(x)))


def gradient(x):
    r = sqrt(absolute(x))
    return -sin(r) - 0.5 * r * cos(r)


@named()
def schwefel(dimension: int = 2) -> Problem:
    """Schwefel's function, Σ (418.9829 − x sin √|x|), on [−500, 500] each."""
    part = OfItsDomain(loss, gradient, domain=[-REACH, REACH], near=NEAR)
    return sum_over("schwefel", part, dimension, [-REACH, REACH])
