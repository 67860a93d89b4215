"""Bohachevsky's first function, a bowl with ripples near its bottom.

    f(x, y) = x² + 2y² − 0.3 cos 3πx − 0.4 cos 4πy + 0.7

The global minimum is f(0, 0) = 0. Where |x| > 1.42 or |y| > 1.26 the slope of the bowl exceeds that of the ripples, so
that all stationary points are near: 25 minima, 40 saddles and 16 maxima. The customary domain is [−100, 100].

Source: Bohachevsky, Johnson & Stein (1986), "Generalized simulated annealing for function optimization".
"""

import math

import numpy as np

from gdfast.formulas.elementary import cos, sin
from gdfast.named import named
from gdfast.problems._landscape import Landscape

ALONG, ACROSS = 3 * math.pi, 4 * math.pi
NEAR = np.stack(np.meshgrid(np.arange(-18, 19) / 12, np.arange(-21, 22) / 16), axis=-1).reshape(-1, 2)


def loss(x, y):
    return x * x + 2 * y * y - 0.3 * cos(ALONG * x) - 0.4 * cos(ACROSS * y) + 0.7


def gradient(x, y):
    return 2 * x + 0.3 * ALONG * sin(ALONG * x), 4 * y + 0.4 * ACROSS * sin(ACROSS * y)


@named()
def bohachevsky() -> Landscape:
    """Bohachevsky's first function, x² + 2y² − 0.3 cos 3πx − 0.4 cos 4πy + 0.7, on [−2, 2]²."""
    return Landscape(loss, gradient, domain=[[-2, 2]] * 2, near=NEAR)
