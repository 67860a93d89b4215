"""A parabola with a sine, a classroom's example of a local minimum.

    f(x) = x² + 10 sin x

The global minimum is f(−1.306440) = −7.945823; a local one f(3.837467) = 8.315586, with a maximum between them.

Known from the SciPy lecture notes (Varoquaux et al.), chapter on optimization.
"""

from gdfast.formulas.elementary import cos, sin
from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x):
    return x * x + 10 * sin(x)


def gradient(x):
    return 2 * x + 10 * cos(x)


@named()
def sine_in_bowl() -> Landscape:
    """The parabola with a sine, x² + 10 sin x, on [−10, 10]."""
    return Landscape(loss, gradient, domain=[-10, 10], near=[[-1.3], [1.98], [3.84]])
