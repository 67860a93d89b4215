"""Griewank's function, a wide bowl under a product of cosines.

    f(x) = Σᵢ xᵢ²/4000 − Πᵢ cos(xᵢ/√i) + 1

The global minimum is f(0) = 0. The ripples are everywhere, one some 2π√i wide, and there are thousands of minima in the
customary domain, [−600, 600]; here it is [−10, 10]. In one and two dimensions all stationary points of the domain are
listed (in two: 17 minima, 18 maxima and 24 saddles), in more the global minimum only. What settles elsewhere is
stalled.

Source: Griewank (1981), "Generalized descent for global optimization".
"""

import itertools
import math

from gdfast import arguments
from gdfast.formulas.families import coordinate_names, define
from gdfast.named import named
from gdfast.problems._landscape import MOST_COORDINATES
from gdfast.problems._of_its_domain import OfItsDomain

REACH = 10


@named()
def griewank(dimension: int = 2) -> OfItsDomain:
    """Griewank's function, Σ x²/4000 − Π cos(xᵢ/√i) + 1, on [−10, 10] each, in up to 100 dimensions."""
    d = arguments.integer("griewank: dimension", dimension, high=MOST_COORDINATES)
    x = coordinate_names(d)
    waves = [1 / math.sqrt(i) for i in range(1, d + 1)]
    cosines = [f"c{i} = cos({wave} * {v})" for i, (v, wave) in enumerate(zip(x, waves, strict=True))]
    product, squares = " * ".join(f"c{i}" for i in range(d)), " + ".join(f"{v} * {v}" for v in x)
    loss = define("loss", x, cosines, f"({squares}) / 4000 - {product} + 1")

    # The product of all cosines but one is that of those before it and that of those behind it.
    before = ["b0 = 1.0", *(f"b{i} = b{i - 1} * c{i - 1}" for i in range(1, d))]
    behind = [f"e{d - 1} = 1.0", *(f"e{i} = e{i + 1} * c{i + 1}" for i in reversed(range(d - 1)))]
    slopes = [
        f"{v} / 2000 + {wave} * sin({wave} * {v}) * b{i} * e{i}"
        for i, (v, wave) in enumerate(zip(x, waves, strict=True))
    ]
    gradient = define("gradient", x, [*cosines, *before, *behind], slopes[0] if d == 1 else slopes)

    halves = [[k * math.pi / wave / 2 for k in range(-7, 8)] for wave in waves]
    near = list(itertools.product(*halves)) if d <= 2 else [[0.0] * d]
    return OfItsDomain(loss, gradient, domain=[[-REACH, REACH]] * d, near=near)
