"""Two sines of different waves, a classroom's example of many minima.

    f(x) = sin x + sin(10x/3)

In the domain three minima; the global one is f(5.145735) = −1.899599. The waves go on beyond the domain; what settles
there is stalled.

Source: Gergel (1997), as problem 2 of Hansen, Jaumard & Lu (1992), "Global optimization of univariate Lipschitz
functions: II".
"""

from gdfast.formulas.elementary import cos, sin
from gdfast.named import named
from gdfast.problems._of_its_domain import OfItsDomain

FASTER = 10 / 3
NEAR = [[k / 4] for k in range(11, 31)]


def loss(x):
    return sin(x) + sin(FASTER * x)


def gradient(x):
    return cos(x) + FASTER * cos(FASTER * x)


@named()
def two_sines() -> OfItsDomain:
    """Two sines, sin x + sin(10x/3), on [2.7, 7.5]."""
    return OfItsDomain(loss, gradient, domain=[2.7, 7.5], near=NEAR)
