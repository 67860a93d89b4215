"""Easom's function, a well in a plain.

    f(x, y) = −h(x) h(y),   h(t) = cos t · exp(−(t − π)²)

One deep minimum, f(π, π) = −1. Around it are ripples that die off like exp(−r²): stationary points are where
h′(x) = h′(y) = 0 or h(x) = h(y) = 0. The thirteen with coordinates between 0 and 2π are listed: the minimum, four
shallow minima, four maxima and four saddles. Farther out the gradient is soon below any tolerance: a plateau.

The customary domain is [−100, 100]², nearly all of it exactly flat in double precision.

Source: Easom (1990), "A survey of global optimization techniques", thesis, University of Louisville.
"""

import math

from gdfast.formulas.elementary import cos, exp, sin
from gdfast.named import named
from gdfast.problems._landscape import Landscape

PI = math.pi
EXTREMA, ZEROS = (1.3, 3.14, 4.98), (1.57, 4.71)  # of h between 0 and 2π, nearly
NEAR = [[a, b] for group in (EXTREMA, ZEROS) for a in group for b in group]


def loss(x, y):
    p = x - PI
    q = y - PI
    return -cos(x) * cos(y) * exp(-(p * p + q * q))


def gradient(x, y):
    p = x - PI
    q = y - PI
    e = exp(-(p * p + q * q))
    return (sin(x) + 2 * p * cos(x)) * cos(y) * e, (sin(y) + 2 * q * cos(y)) * cos(x) * e


@named()
def easom() -> Landscape:
    """Easom's function, −cos x cos y exp(−(x − π)² − (y − π)²), on [−2, 8]²."""
    return Landscape(loss, gradient, domain=[[-2, 8], [-2, 8]], near=NEAR)
