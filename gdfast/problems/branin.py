"""Branin's function, with three equal minima.

    f(x, y) = (y − b x² + c x − 6)² + 10 (1 − t) cos x + 10,   b = 5.1/(4π²), c = 5/π, t = 1/(8π)

Three minima with f = 5/(4π) = 0.397887, at (−π, 12.275), (π, 2.275) and (3π, 2.475), and two saddles between them, at
(0, 6) and (2π, 1.1), f = 19.602113. The minima are where the square is zero and cos x = −1; there are more beyond the
domain, equally low, and what settles there is stalled.

Source: Branin (1972), "Widely convergent method for finding multiple solutions of simultaneous nonlinear equations";
Dixon & Szegő (1978), "Towards global optimisation 2".
"""

import math

from gdfast.formulas.elementary import cos, sin
from gdfast.named import named
from gdfast.problems._landscape import Landscape

A, B, C = 10 * (1 - 1 / (8 * math.pi)), 5.1 / (4 * math.pi**2), 5 / math.pi


def loss(x, y):
    u = y - B * x * x + C * x - 6
    return u * u + A * cos(x) + 10


def gradient(x, y):
    u = y - B * x * x + C * x - 6
    bend = C - 2 * B * x
    return 2 * u * bend - A * sin(x), 2 * u


@named()
def branin() -> Landscape:
    """Branin's function on [−5, 10] × [0, 15]."""
    near = [[-3.1, 12.3], [3.1, 2.3], [9.4, 2.5], [0, 6], [6.3, 1.1]]
    return Landscape(loss, gradient, domain=[[-5, 10], [0, 15]], near=near)
