"""The eggholder, ridges and pits that grow towards the border.

    f(x, y) = −(y + 47) sin √|y + x/2 + 47| − x sin √|x − (y + 47)|

The lowest point of the domain is on its border, f(512, 404.231805) = −959.640663, and is no minimum: trajectories leave
through it. The lowest minimum inside is f(482.353, 432.879) = −956.918. Of the minima, nearly all near the border,
those that Newton's method finds from a grid are listed; along x = y + 47 and y = −x/2 − 47 the gradient is infinite.

Known from collections of test functions, such as Jamil & Yang (2013), "A literature survey of benchmark functions for
global optimisation problems", number 53.
"""

import numpy as np

from gdfast.formulas.elementary import absolute, cos, maximum, sign, sin, sqrt
from gdfast.named import named
from gdfast.problems._of_its_domain import OfItsDomain

REACH, TINY = 512, 1e-30  # which single precision has too
NEAR = np.stack(np.meshgrid(*[np.linspace(-REACH, REACH, 65)] * 2), axis=-1).reshape(-1, 2)


def loss(x, y):
    u = y + 47
    return -u * sin(sqrt(absolute(0.5 * x + u))) - x * sin(sqrt(absolute(x - u)))


def gradient(x, y):
    u = y + 47
    a = 0.5 * x + u
    b = x - u
    p = sqrt(absolute(a))
    q = sqrt(absolute(b))
    # The slopes of sin p along a and of sin q along b; 0 where the roots, and their sides, are 0.
    s = 0.5 * sign(a) * cos(p) / maximum(p, TINY)
    t = 0.5 * sign(b) * cos(q) / maximum(q, TINY)
    return -0.5 * u * s - sin(q) - x * t, -sin(p) - u * s + x * t


@named()
def eggholder() -> OfItsDomain:
    """The eggholder, −(y + 47) sin √|y + x/2 + 47| − x sin √|x − (y + 47)|, on [−512, 512]²."""
    return OfItsDomain(loss, gradient, domain=[[-REACH, REACH]] * 2, near=NEAR)
