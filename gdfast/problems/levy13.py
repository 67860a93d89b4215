"""Lévy's function number 13, a bowl under a fine grid of wells.

    f(x, y) = sin²(3πx) + (x − 1)² (1 + sin²(3πy)) + (y − 1)² (1 + sin²(2πy))

The global minimum is f(1, 1) = 0. In the domain there are 1179 minima, 648 maxima and 1826 saddles, all with x between
−3.6 and 5.6, since farther out the slope of the bowl exceeds that of the ripples. In y there are more beyond the
domain; what settles there is stalled.

Source: Lévy & Montalvo (1985), "The tunneling algorithm for the global minimization of functions".
"""

import functools
import math

import numpy as np

from gdfast.formulas.elementary import sin
from gdfast.named import named
from gdfast.problems._landscape import Landscape
from gdfast.problems._of_its_domain import OfItsDomain

PI = math.pi
# A spacing of 1/12 is half of the shortest distance between neighbours along a coordinate.
NEAR = np.stack(np.meshgrid(np.arange(-48, 73) / 12, np.arange(-120, 121) / 12), axis=-1).reshape(-1, 2)


def loss(x, y):
    a = sin(3 * PI * x)
    b = sin(3 * PI * y)
    c = sin(2 * PI * y)
    return a * a + (x - 1) * (x - 1) * (1 + b * b) + (y - 1) * (y - 1) * (1 + c * c)


def gradient(x, y):
    b = sin(3 * PI * y)
    c = sin(2 * PI * y)
    along = 3 * PI * sin(6 * PI * x) + 2 * (x - 1) * (1 + b * b)
    wave = 3 * PI * (x - 1) * (x - 1) * sin(6 * PI * y)
    bowl = 2 * (y - 1) * (1 + c * c) + 2 * PI * (y - 1) * (y - 1) * sin(4 * PI * y)
    return along, wave + bowl


@functools.cache
def landscape() -> Landscape:  # one for the process, since it takes seconds to find its stationary points
    return OfItsDomain(loss, gradient, domain=[[-10, 10], [-10, 10]], near=NEAR)


@named()
def levy13() -> Landscape:
    """Lévy's function number 13 on [−10, 10]²."""
    return landscape()
