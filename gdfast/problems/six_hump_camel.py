"""The six-hump camel.

    f(x, y) = (4 − 2.1x² + x⁴/3) x² + xy + (−4 + 4y²) y²

Two global minima at ±(0.089842, −0.712656), f = −1.031628; four more minima, in pairs by the symmetry
f(−x, −y) = f(x, y), two maxima and seven saddles.

Source: Branin (1972), "Widely convergent method for finding multiple solutions of simultaneous nonlinear equations";
Dixon & Szegő (1978), "Towards global optimisation 2".
"""

from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x, y):
    s = x * x
    t = y * y
    return (4 - 2.1 * s + s * s / 3) * s + x * y + (-4 + 4 * t) * t


def gradient(x, y):
    s = x * x
    return x * (8 - 8.4 * s + 2 * s * s) + y, x + y * (-8 + 16 * y * y)


@named()
def six_hump_camel() -> Landscape:
    """The six-hump camel, (4 − 2.1x² + x⁴/3) x² + xy + (−4 + 4y²) y², on [−3, 3] × [−2, 2]."""
    return Landscape(loss, gradient, domain=[[-3, 3], [-2, 2]])
