"""The saddle x² − y².

    f(x, y) = x² − y²

One stationary point, the saddle at the origin, and no minimum: gradient descent from anywhere but the x-axis leaves
along y and diverges. A standard classroom example.
"""

from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x, y):
    return x * x - y * y


def gradient(x, y):
    return 2 * x, -2 * y


@named()
def saddle() -> Landscape:
    """The saddle x² − y² on [−2, 2]²."""
    return Landscape(loss, gradient, domain=[[-2, 2], [-2, 2]], near=[[0, 0]])
