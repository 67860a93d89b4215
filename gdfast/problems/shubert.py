"""Shubert's function, a product of waves with 18 equal global minima.

    f(x, y) = g(x) g(y),   g(t) = Σⱼ j cos((j + 1) t + j),   j = 1 … 5

The global minima are −186.730909, at two combinations of −1.425128 and −0.800321, and 2π farther: 18 in the domain, of
722 minima (lists that count 760 include those along its border). Stationary points are where g′(x) = g′(y) = 0, and the
saddles where g(x) = g(y) = 0. They go on with period 2π beyond the domain; what settles there is stalled.

Source: Shubert (1972), "A sequential method seeking the global maximum of a function"; in two dimensions Lévy &
Montalvo (1985).
"""

import functools
import itertools

import numpy as np

from gdfast.formulas.elementary import Array, cos, sin
from gdfast.named import named
from gdfast.problems._landscape import Landscape
from gdfast.problems._of_its_domain import OfItsDomain

REACH = 10


def loss(x, y):
    a = cos(2 * x + 1) + 2 * cos(3 * x + 2) + 3 * cos(4 * x + 3) + 4 * cos(5 * x + 4) + 5 * cos(6 * x + 5)
    b = cos(2 * y + 1) + 2 * cos(3 * y + 2) + 3 * cos(4 * y + 3) + 4 * cos(5 * y + 4) + 5 * cos(6 * y + 5)
    return a * b


def gradient(x, y):
    a = cos(2 * x + 1) + 2 * cos(3 * x + 2) + 3 * cos(4 * x + 3) + 4 * cos(5 * x + 4) + 5 * cos(6 * x + 5)
    b = cos(2 * y + 1) + 2 * cos(3 * y + 2) + 3 * cos(4 * y + 3) + 4 * cos(5 * y + 4) + 5 * cos(6 * y + 5)
    p = 2 * sin(2 * x + 1) + 6 * sin(3 * x + 2) + 12 * sin(4 * x + 3) + 20 * sin(5 * x + 4) + 30 * sin(6 * x + 5)
    q = 2 * sin(2 * y + 1) + 6 * sin(3 * y + 2) + 12 * sin(4 * y + 3) + 20 * sin(5 * y + 4) + 30 * sin(6 * y + 5)
    return -p * b, -a * q


def near() -> Array:
    """Points near the stationary points: the changes of sign of g′, and of g, combined."""
    t = np.linspace(-REACH, REACH, 20_001)
    j = np.arange(1, 6)[:, None]
    turns = (j + 1) * t + j
    points = []
    for wave in ((j * np.cos(turns)).sum(axis=0), (j * (j + 1) * np.sin(turns)).sum(axis=0)):
        crossings = t[:-1][wave[1:] * wave[:-1] <= 0]
        points += list(itertools.product(crossings, crossings))
    return np.array(points)


@functools.cache
def landscape() -> Landscape:  # one for the process, since it takes seconds to find its stationary points
    return OfItsDomain(loss, gradient, domain=[[-REACH, REACH]] * 2, near=near())


@named()
def shubert() -> Landscape:
    """Shubert's function, Σⱼ j cos((j + 1) x + j) times the same of y, on [−10, 10]²."""
    return landscape()
