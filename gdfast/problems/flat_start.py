"""A quartic with a flat point on the way to its minimum, a classroom's example of gradient descent.

    f(x) = x⁴ − 3x³ + 2

The minimum is f(9/4) = −2243/256 + … = −6.542969; at 0 the slope is zero and changes no sign, so that from the left all
slow down there, and at small rates seem to have arrived.

Known from the encyclopedia's article on gradient descent, where it is minimized from x = 6.
"""

from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x):
    return x * x * x * x - 3 * x * x * x + 2


def gradient(x):
    return 4 * x * x * x - 9 * x * x


@named()
def flat_start() -> Landscape:
    """The quartic x⁴ − 3x³ + 2 on [−1, 4]."""
    return Landscape(loss, gradient, domain=[-1, 4], near=[[0], [2.25]])
