"""Lévy's function number 13, a bowl under a fine grid of wells.

    f(x, y) = sin²(3πx) + (x − 1)² (1 + sin²(3πy)) + (y − 1)² (1 + sin²(2πy))

The global minimum is f(1, 1) = 0. In the domain there are 1179 minima, 648 maxima and 1826 saddles, all with x between
−3.6 and 5.6, since farther out the slope of the bowl exceeds that of the ripples. In y there are more beyond the
domain; what settles there is stalled.

Source: Lévy & Montalvo (1985), "The tunneling algorithm for the global minimization of functions".
"""

import functools

import numpy as np

from gdfast.formulas.elementary import cos, sin
from gdfast.named import named
from gdfast.problems._landscape import Landscape

# A spacing of 1/12 is half of the shortest distance between neighbours along a coordinate.
NEAR = np.stack(np.meshgrid(np.arange(-48, 73) / 12, np.arange(-120, 121) / 12), axis=-1).reshape(-1, 2)


def loss(x, y):
    a = sin(9.42477796076938 * x)
    b = sin(9.42477796076938 * y)
    c = sin(6.283185307179586 * y)
    return a * a + (x - 1) * (x - 1) * (1 + b * b) + (y - 1) * (y - 1) * (1 + c * c)


def gradient(x, y):
    b = sin(9.42477796076938 * y)
    c = sin(6.283185307179586 * y)
    along = 9.42477796076938 * sin(18.84955592153876 * x) + 2 * (x - 1) * (1 + b * b)
    wave = 9.42477796076938 * (x - 1) * (x - 1) * sin(18.84955592153876 * y)
    bowl = 2 * (y - 1) * (1 + c * c) + 6.283185307179586 * (y - 1) * (y - 1) * sin(12.566370614359172 * y)
    return along, wave + bowl


def hessian(x, y):
    b = sin(9.42477796076938 * y)
    c = sin(6.283185307179586 * y)
    xx = 177.65287921960845 * cos(18.84955592153876 * x) + 2 * (1 + b * b)
    xy = 18.84955592153876 * (x - 1) * sin(18.84955592153876 * y)
    wave = 177.65287921960845 * (x - 1) * (x - 1) * cos(18.84955592153876 * y)
    bowl = 2 * (1 + c * c) + 25.132741228718345 * (y - 1) * sin(12.566370614359172 * y)
    yy = wave + bowl + 78.95683520871486 * (y - 1) * (y - 1) * cos(12.566370614359172 * y)
    return (xx, xy), (xy, yy)


@functools.cache
def landscape() -> Landscape:  # one for the process, since it takes a second to find its stationary points
    return Landscape(loss, gradient, hessian, domain=[[-10, 10], [-10, 10]], near=NEAR)


@named()
def levy13() -> Landscape:
    """Lévy's function number 13 on [−10, 10]²."""
    return landscape()
