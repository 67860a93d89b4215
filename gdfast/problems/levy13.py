"""Lévy's function number 13, a bowl under a fine grid of wells.

    f(x, y) = sin²(3πx) + (x − 1)² (1 + sin²(3πy)) + (y − 1)² (1 + sin²(2πy))

The global minimum is f(1, 1) = 0, amid hundreds of others: between −10 and 10 all stationary points lie at x from −4 to
6, and as many as fit in y.

Source: Lévy & Montalvo (1985), "The tunneling algorithm for the global minimization of functions".
"""

import numpy as np

from gdfast.elementary import cos, sin
from gdfast.named import named
from gdfast.problems._problem import Landscape

# Along either coordinate, stationary points are at least a sixth apart on average; starts are four times as dense.
NEAR = np.stack(np.meshgrid(np.arange(-96, 145) / 24, np.arange(-240, 241) / 24), axis=-1).reshape(-1, 2)


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


@named()
def levy13() -> Landscape:
    """Lévy's function number 13 on [−10, 10]²."""
    return Landscape(loss, gradient, hessian, domain=[[-10, 10], [-10, 10]], near=NEAR)
