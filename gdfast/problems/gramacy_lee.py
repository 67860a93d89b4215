"""The function of Gramacy and Lee, waves that die off into a steep bowl, in one dimension.

    f(x) = sin(10πx)/(2x) + (x − 1)⁴

The global minimum is f(0.548563) = −0.869011. There are nine minima and eight maxima in the domain, one in each wave
until the bowl is steeper than the waves.

Source: Gramacy & Lee (2012), "Cases for the nugget in modeling computer experiments", section 3.2.
"""

import math

from gdfast.formulas.elementary import cos, select, sin
from gdfast.named import named
from gdfast.problems._of_its_domain import OfItsDomain

WAVES = 10 * math.pi
NEAR = [[k / 40] for k in range(20, 101)]


# At 0 the waves have a limit, to which no quotient comes.


def loss(x):
    a = x - 1
    away = select(x == 0, 1.0, x)
    return 0.5 * select(x == 0, WAVES, sin(WAVES * x) / away) + a * a * a * a


def gradient(x):
    a = x - 1
    away = select(x == 0, 1.0, x)
    return 0.5 * select(x == 0, 0.0, (WAVES * cos(WAVES * x) - sin(WAVES * x) / away) / away) + 4 * a * a * a


@named()
def gramacy_lee() -> OfItsDomain:
    """The function of Gramacy and Lee, sin(10πx)/(2x) + (x − 1)⁴, on [0.5, 2.5]."""
    return OfItsDomain(loss, gradient, domain=[0.5, 2.5], near=NEAR)
