"""Beale's function, with flat corners and a sharp ridge.

    f(x, y) = Σᵢ (cᵢ − x + x yⁱ)², i = 1, 2, 3,   c = (1.5, 2.25, 2.625)

One minimum, f(3, ½) = 0, and in the domain two saddles, at (0, 1), f = 14.203, and at (0.1005, −2.6445), f = 9.8645;
lists that know of the first saddle only leave the second one out. Along y = 1 the slope with respect to x is zero.

Source: Beale (1958), "On an iterative method for finding a local minimum of a function of more than one variable".
"""

from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x, y):
    a = 1.5 - x + x * y
    b = 2.25 - x + x * y * y
    c = 2.625 - x + x * y * y * y
    return a * a + b * b + c * c


def gradient(x, y):
    a = 1.5 - x + x * y
    b = 2.25 - x + x * y * y
    c = 2.625 - x + x * y * y * y
    along = 2 * (a * (y - 1) + b * (y * y - 1) + c * (y * y * y - 1))
    return along, 2 * x * (a + 2 * b * y + 3 * c * y * y)


@named()
def beale() -> Landscape:
    """Beale's function, (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)², on [−4.5, 4.5]²."""
    near = [[3, 0.5], [0, 1], [0.1, -2.6]]
    return Landscape(loss, gradient, domain=[[-4.5, 4.5], [-4.5, 4.5]], near=near)
