"""Himmelblau's function, with four equal minima.

    f(x, y) = (x² + y − 11)² + (x + y² − 7)²

Four minima with f = 0, at (3, 2), (−2.805118, 3.131313), (−3.779310, −3.283186) and (3.584428, −1.848127); a maximum
at (−0.270845, −0.923039), f = 181.617, and four saddles. Lists that print (−2.805118, 3.131312) and
(3.584428, −1.848126) cut the last digit instead of rounding it.

Source: Himmelblau (1972), "Applied nonlinear programming".
"""

from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x, y):
    a = x * x + y - 11
    b = x + y * y - 7
    return a * a + b * b


def gradient(x, y):
    a = x * x + y - 11
    b = x + y * y - 7
    return 4 * x * a + 2 * b, 2 * a + 4 * y * b


@named()
def himmelblau() -> Landscape:
    """Himmelblau's function, (x² + y − 11)² + (x + y² − 7)², on [−6, 6]²."""
    return Landscape(loss, gradient, domain=[[-6, 6], [-6, 6]])
