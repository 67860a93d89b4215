"""The three-hump camel.

    f(x, y) = 2x² − 1.05x⁴ + x⁶/6 + xy + y²

The global minimum is f(0, 0) = 0; two more at ±(1.747552, −0.873776), f = 0.298638, and saddles between at
±(1.070542, −0.535271), f = 0.877362.

Source: Branin & Hoo (1972), "A method for finding multiple extrema of a function of n variables".
"""

from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x, y):
    s = x * x
    return s * (2 - 1.05 * s + s * s / 6) + x * y + y * y


def gradient(x, y):
    s = x * x
    return x * (4 - 4.2 * s + s * s) + y, x + 2 * y


@named()
def three_hump_camel() -> Landscape:
    """The three-hump camel, 2x² − 1.05x⁴ + x⁶/6 + xy + y², on [−5, 5]²."""
    near = [[0, 0], [1.75, -0.87], [-1.75, 0.87], [1.07, -0.54], [-1.07, 0.54]]
    return Landscape(loss, gradient, domain=[[-5, 5], [-5, 5]], near=near)
