"""Booth's function, a quadratic bowl that stands askew.

    f(x, y) = (x + 2y − 7)² + (2x + y − 5)²

One minimum, f(1, 3) = 0; the curvatures are 2 and 18, so κ = 9. Known from collections of test functions, such as
Jamil & Yang (2013), "A literature survey of benchmark functions for global optimization problems".
"""

from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x, y):
    a = x + 2 * y - 7
    b = 2 * x + y - 5
    return a * a + b * b


def gradient(x, y):
    return 10 * x + 8 * y - 34, 8 * x + 10 * y - 38


@named()
def booth() -> Landscape:
    """Booth's function, (x + 2y − 7)² + (2x + y − 5)², on [−10, 10]²."""
    return Landscape(loss, gradient, domain=[[-10, 10], [-10, 10]], near=[[1, 3]])
