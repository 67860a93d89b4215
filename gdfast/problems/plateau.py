"""A bowl that ends in a plateau.

    f(x) = Σᵢ p(xᵢ),   p(x) = 1 − (1 − x²)³ for |x| < 1, and 1 beyond

p is twice continuously differentiable. Its minimum is p(0) = 0; from |x| = 1 on the gradient is exactly zero, so that
whatever starts or lands there stays, and is stalled at once. It is the smooth step of computer graphics turned into a
landscape: the simplest one with a gradient that does not only become small but vanishes.
"""

from gdfast.formulas.elementary import maximum
from gdfast.named import named
from gdfast.problems._landscape import Landscape
from gdfast.problems._problem import Problem
from gdfast.problems._sum import sum_over


def loss(x):
    u = maximum(1 - x * x, 0.0)
    return 1 - u * u * u


def gradient(x):
    u = maximum(1 - x * x, 0.0)
    return 6 * x * u * u


@named()
def plateau(dimension: int = 1) -> Problem:
    """A bowl that ends in a plateau, Σ (1 − (1 − x²)³) for |x| < 1, on [−2, 2] each."""
    part = Landscape(loss, gradient, domain=[-2, 2], near=[[0]])
    return sum_over("plateau", part, dimension, [-2, 2])
