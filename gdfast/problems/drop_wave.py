"""The drop-wave function, rings around a drop.

    f(x, y) = −(1 + cos 12r) / (r²/2 + 2),   r = √(x² + y²)

The global minimum is f(0, 0) = −1 (some lists record 0). The other stationary points are rings: minima near
r = kπ/6, maxima (with f = 0) at r = (2k + 1)π/12. Of each ring that meets the domain one point is listed, that on the
positive x-axis, and stands for all; the Hessian is singular along the ring. sin(12r)/r has the limit 12 at the origin.

Known from collections of test functions, such as Surjanovic & Bingham (2013), "Virtual library of simulation
experiments".
"""

import math

import numpy as np

from gdfast.formulas.elementary import Array, cos, select, sin, sqrt
from gdfast.named import named
from gdfast.problems._landscape import Landscape

REACH = 5.12


def loss(x, y):
    r = sqrt(x * x + y * y)
    return -(1 + cos(12 * r)) / (0.5 * r * r + 2)


def gradient(x, y):
    r = sqrt(x * x + y * y)
    safe = select(r > 0, r, 1)
    q = select(r > 0, sin(12 * safe) / safe, 12)
    bowl = 0.5 * r * r + 2
    k = (12 * q * bowl + 1 + cos(12 * r)) / (bowl * bowl)
    return k * x, k * y


def along_ray(theta: Array) -> Array:
    """The points at the same distance from the origin, on the positive x-axis."""
    return np.stack([np.hypot(theta[0], theta[1]), np.zeros(theta.shape[1])])


@named()
def drop_wave() -> Landscape:
    """The drop-wave function, −(1 + cos 12r)/(r²/2 + 2), on [−5.12, 5.12]²."""
    rings = math.floor(REACH * math.sqrt(2) * 12 / math.pi)
    near = [[k * math.pi / 12, 0] for k in range(rings + 1)]
    return Landscape(loss, gradient, domain=[[-REACH, REACH]] * 2, near=near, representative=along_ray)
