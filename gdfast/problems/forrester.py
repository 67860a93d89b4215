"""Forrester's function, a wave that grows, in one dimension.

    f(x) = (6x − 2)² sin(12x − 4)

In the domain two minima, f(0.757249) = −6.020740 and f(0.142590) = −0.986325, a maximum near 0.523 and, at ⅓, where
both factors are zero, a flat point that is no extremum. Beyond the domain the waves go on and grow.

Source: Forrester, Sóbester & Keane (2008), "Engineering design via surrogate modelling", appendix A.1.
"""

from gdfast.formulas.elementary import cos, sin
from gdfast.named import named
from gdfast.problems._of_its_domain import OfItsDomain


def loss(x):
    a = 6 * x - 2
    return a * a * sin(12 * x - 4)


def gradient(x):
    a = 6 * x - 2
    b = 12 * x - 4
    return 12 * a * (sin(b) + a * cos(b))


@named()
def forrester() -> OfItsDomain:
    """Forrester's function, (6x − 2)² sin(12x − 4), on [0, 1]."""
    return OfItsDomain(loss, gradient, domain=[0, 1], near=[[0.143], [0.523], [0.757]])
