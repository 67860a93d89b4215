"""The monkey saddle, with a third dip for the tail.

    f(x, y) = x³ − 3xy²,   the real part of (x + iy)³

One stationary point, at the origin, where the Hessian is zero: a degenerate saddle. The gradient has the length 3r² at
the distance r, so that the escape from it is slower than exponential. A standard example of differential geometry;
Hilbert & Cohn-Vossen (1932), "Anschauliche Geometrie", §29.
"""

from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x, y):
    return x * (x * x - 3 * y * y)


def gradient(x, y):
    return 3 * (x * x - y * y), -6 * x * y


@named()
def monkey_saddle() -> Landscape:
    """The monkey saddle, x³ − 3xy², on [−2, 2]²."""
    return Landscape(loss, gradient, domain=[[-2, 2], [-2, 2]], near=[[0, 0]])
