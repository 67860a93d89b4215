"""Rosenbrock's banana valley.

    f(x, y) = (1 − x)² + 100 (y − x²)²

One minimum, f(1, 1) = 0, at the end of a curved ravine whose walls are 2500 times as steep as its floor: κ = 2508 at
the minimum.

Source: Rosenbrock (1960), "An automatic method for finding the greatest or least value of a function"; the
customary start is (−1.2, 1).
"""

import numpy as np

from gdfast.named import named
from gdfast.problems._problem import Landscape


def loss(x, y):
    return (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x)


def gradient(x, y):
    u = y - x * x
    return -2 * (1 - x) - 400 * x * u, 200 * u


def hessian(x, y):
    return (2 - 400 * (y - 3 * x * x), -400 * x), (-400 * x, 200)


@named()
def rosenbrock() -> Landscape:
    """Rosenbrock's valley, (1 − x)² + 100 (y − x²)², on [−2, 2] × [−1, 3]."""
    return Landscape(loss, gradient, hessian, domain=np.array([[-2.0, 2.0], [-1.0, 3.0]]), near=[[1.0, 1.0]])
