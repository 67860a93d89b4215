"""The tilted double well x⁴ − 5x² + 3x.

    f(x) = x⁴ − 5x² + 3x,   f′(x) = 4x³ − 10x + 3,   f″(x) = 12x² − 10

Two minima, at x = −1.7139 (f = −11.2003, f″ = 25.25) and at x = 1.4018 (f = −1.7584, f″ = 13.58), and a maximum
between them at x = 0.3122. The better minimum is the more curved one, so that rates between 2/25.25 = 0.0792 and
2/13.58 = 0.1473 let plain gradient descent settle only in the worse one. A standard classroom example of a local
minimum.
"""

import numpy as np

from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x):
    return ((x * x - 5) * x + 3) * x


def gradient(x):
    return (4 * x * x - 10) * x + 3


@named()
def quartic() -> Landscape:
    """The tilted double well x⁴ − 5x² + 3x on [−4, 4]."""
    return Landscape(loss, gradient, domain=np.array([[-4.0, 4.0]]), near=[[-1.7], [0.3], [1.4]])
