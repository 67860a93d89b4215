"""The flat minimum x⁴.

    f(x) = x⁴

One minimum, f(0) = 0, with no curvature. Gradient descent approaches it like 1/√t, not exponentially: after t steps
from x₀ it is near 1/√(8ηt). The gradient falls below a tolerance at a distance that is the cube root of it. A standard
example of a degenerate minimum.
"""

from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x):
    return x * x * x * x


def gradient(x):
    return 4 * x * x * x


@named()
def flat_quartic() -> Landscape:
    """The flat minimum x⁴ on [−2, 2]."""
    return Landscape(loss, gradient, domain=[[-2, 2]], near=[[0]])
