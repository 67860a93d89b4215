"""A parabola under ripples: where gradient descent's trajectories stay bounded has a fractal boundary.

    f(x) = x² + ε cos(2πx/λ)         or        f(x) = x² (1 + ε cos(2πx/λ))

In the first one the ripples are of one height; for ε/λ² below 1/(2π²) it is convex, with one minimum at 0, which turns
into a maximum beyond. All stationary points are within |x| ≤ πε/λ. In the second one the ripples grow like the parabola
does, everywhere; those in the domain are known, and for ε < 1 the minimum at 0 is the lowest, f(0) = 0.

Source: Liu (2024), "Complex fractal trainability boundary can arise from trivial non-convexity", arXiv 2406.13971.
"""

import math

import numpy as np

from gdfast.arguments import Interval
from gdfast.formulas.elementary import cos, sin
from gdfast.named import named
from gdfast.problems._landscape import Landscape
from gdfast.problems._of_its_domain import OfItsDomain

PI, MOST_RIPPLES = math.pi, 500


def loss(x, height, wave):
    return x * x + height * cos(wave * x)


def gradient(x, height, wave):
    return 2 * x - height * wave * sin(wave * x)


def loss_multiplied(x, height, wave):
    return x * x * (1 + height * cos(wave * x))


def gradient_multiplied(x, height, wave):
    return 2 * x * (1 + height * cos(wave * x)) - x * x * height * wave * sin(wave * x)


@named(ripple=Interval(0), wavelength=Interval(0, low_open=True))
def rippled_parabola(ripple: float = 0.1, wavelength: float = 0.5, multiplied: bool = False) -> Landscape:
    """A parabola under ripples, x² + ε cos(2πx/λ), or times 1 + ε cos(2πx/λ), on [−2, 2].

    Parameters
    ----------
    ripple : float
        ε, not negative.
    wavelength : float
        λ, positive. Of more than 500 ripples in the domain, those nearest to 0 are known.
    multiplied : bool
        Whether the ripples multiply the parabola.

    Raises
    ------
    TypeError, ValueError
        If one is not accepted.
    """
    quarter = max(wavelength / 4, 2 / (4 * MOST_RIPPLES))
    near = np.arange(-math.ceil(2 / quarter), math.ceil(2 / quarter) + 1)[:, None] * quarter
    formulas = (loss_multiplied, gradient_multiplied) if multiplied else (loss, gradient)
    params = {"height": ripple, "wave": 2 * PI / wavelength}
    return OfItsDomain(*formulas, domain=[-2, 2], near=near, params=params)
