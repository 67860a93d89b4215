"""A strict saddle between two minima.

    f(x, y) = (x² − 1)²/4 + y²/2

Minima with f = 0 at (±1, 0), with curvatures 2 and 1, and a saddle at the origin, f = ¼, with curvatures −1 and 1.
Gradient descent reaches the saddle from the y-axis only; started beside it, it lingers there for a time that grows like
the logarithm of the distance.

Source: Du et al. (2017), "Gradient descent can take exponential time to escape saddle points", and the literature on
strict saddles before it.
"""

from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x, y):
    u = x * x - 1
    return 0.25 * u * u + 0.5 * y * y


def gradient(x, y):
    return x * (x * x - 1), y


@named()
def strict_saddle() -> Landscape:
    """A strict saddle, (x² − 1)²/4 + y²/2, on [−2, 2]²."""
    return Landscape(loss, gradient, domain=[[-2, 2], [-2, 2]], near=[[1, 0], [-1, 0], [0, 0]])
