"""Rosenbrock's banana valley.

    f(x, y) = (1 − x)² + 100 (y − x²)²,   in more dimensions the sum of this over all neighbouring coordinates

In two dimensions one minimum, f(1, 1) = 0, at the end of a curved ravine whose walls are 2500 times as steep as its
floor: κ = 2508 at the minimum. In four dimensions and more there are another minimum, near (−1, 1, …, 1), and a saddle
between the two. Up to six dimensions these are all stationary points.

Source: Rosenbrock (1960), "An automatic method for finding the greatest or least value of a function"; the
customary start is (−1.2, 1). Stationary points in more dimensions: Kok & Sandrock (2009), "Locating and
characterizing the stationary points of the extended Rosenbrock function".
"""

from gdfast import arguments
from gdfast.named import named
from gdfast.problems._landscape import Landscape
from gdfast.problems._problem import Problem
from gdfast.problems._sum import LARGEST_DIMENSION, sum_over


def loss(x, y):
    return (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x)


def gradient(x, y):
    u = y - x * x
    return -2 * (1 - x) - 400 * x * u, 200 * u


def near(d: int) -> list[list[float]]:
    """A point near each known stationary point."""
    if d < 4:
        return [[1.0] * d]
    if d == 4:
        return [[1.0] * 4, [-0.776, 0.613, 0.382, 0.146], [-0.656, 0.443, 0.204, 0.042]]
    # Going out from the saddle's first coordinates, the others fall off to the root of 400x³ − 202x + 2 at 0.01.
    return [[1.0] * d, [-1.0] + [1.0] * (d - 1), [-0.556, 0.322, 0.115, 0.023, *[0.0105] * (d - 5), 0.0001]]


@named()
def rosenbrock(dimension: int = 2) -> Problem:
    """Rosenbrock's valley, (1 − x)² + 100 (y − x²)², on [−2, 2] × [−1, 3], or [−2, 2] each in more dimensions."""
    dimension = arguments.integer("rosenbrock: dimension", dimension, low=2, high=LARGEST_DIMENSION)
    part = Landscape(loss, gradient, domain=[[-2, 2], [-1, 3]], near=[[1, 1]])
    if dimension == 2:
        return part
    return sum_over("rosenbrock", part, dimension, [-2, 2], near)
