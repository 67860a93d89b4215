"""Matyas's function, a narrow quadratic bowl along the diagonal.

    f(x, y) = 0.26 (x² + y²) − 0.48 xy

One minimum, f(0, 0) = 0; the curvatures are 0.04 and 1, so κ = 25. Known from collections of test functions, such as
Jamil & Yang (2013), "A literature survey of benchmark functions for global optimization problems".
"""

from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x, y):
    return 0.26 * (x * x + y * y) - 0.48 * x * y


def gradient(x, y):
    return 0.52 * x - 0.48 * y, 0.52 * y - 0.48 * x


@named()
def matyas() -> Landscape:
    """Matyas's function, 0.26 (x² + y²) − 0.48 xy, on [−10, 10]²."""
    return Landscape(loss, gradient, domain=[[-10, 10], [-10, 10]], near=[[0, 0]])
