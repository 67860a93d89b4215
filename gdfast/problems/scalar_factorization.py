"""Two numbers whose product is to be a third: the smallest network of two linear layers.

    f(u, v) = (uv − y)²,   y > 0

The minima are the two branches of the hyperbola uv = y, of which (√y, √y) and (−√y, −√y) stand for all: from steep
ones, far out, with the curvature 2(u² + v²), to the flattest, 4y. The origin is a saddle. Gradient descent at the rate
η can stay only where u² + v² < 1/η, and so ends at a flat part.

Source: Wang, Chen, Zhao & Tao (2022), "Large learning rate tames homogeneity", arXiv 2110.03677, section 3; Saxe,
McClelland & Ganguli (2014), "Exact solutions to the nonlinear dynamics of learning in deep linear networks".
"""

import math

import numpy as np

from gdfast.arguments import Interval
from gdfast.formulas.elementary import Array
from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(u, v, target):
    a = u * v - target
    return a * a


def gradient(u, v, target):
    a = 2 * (u * v - target)
    return a * v, a * u


def middle_of_the_branch(theta: Array) -> Array:
    """The points with the same product, on the diagonal of their side."""
    u, v = theta
    middle = np.sqrt(np.abs(u * v)) * np.where(u < 0, -1.0, 1.0)
    return np.stack([middle, middle * np.where(u * v < 0, -1.0, 1.0)])


@named(target=Interval(0, low_open=True))
def scalar_factorization(target: float = 1.0) -> Landscape:
    """Two factors of a positive number, (uv − y)², on [−4, 4]², or more where the number is above 4."""
    root = math.sqrt(target)
    reach = max(4.0, 2 * root)
    return Landscape(
        loss,
        gradient,
        domain=[[-reach, reach]] * 2,
        near=[[root, root], [-root, -root], [0, 0]],
        representative=middle_of_the_branch,
        params={"target": target},
    )
