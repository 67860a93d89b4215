"""Zakharov's function, a plate that is steeply bent along one direction.

    f(x) = Σᵢ xᵢ² + s² + s⁴,   s = Σᵢ i xᵢ/2

One stationary point, the minimum f(0) = 0.

Known from collections of test functions, such as Jamil & Yang (2013), "A literature survey of benchmark functions for
global optimisation problems", number 173.
"""

from gdfast import arguments
from gdfast.formulas.families import coordinate_names, define
from gdfast.named import named
from gdfast.problems._landscape import MOST_COORDINATES, Landscape


@named()
def zakharov(dimension: int = 2) -> Landscape:
    """Zakharov's function, Σ x² + s² + s⁴ with s = Σ i xᵢ/2, on [−5, 10] each, in up to 100 dimensions."""
    d = arguments.integer("zakharov: dimension", dimension, high=MOST_COORDINATES)
    x = coordinate_names(d)
    along = "s = " + " + ".join(f"{i / 2} * {v}" for i, v in enumerate(x, 1))
    loss = define("loss", x, [along], f"{' + '.join(f'{v} * {v}' for v in x)} + s * s + s * s * s * s")
    slopes = [f"2 * {v} + {i / 2} * k" for i, v in enumerate(x, 1)]
    gradient = define("gradient", x, [along, "k = 2 * s + 4 * s * s * s"], slopes[0] if d == 1 else slopes)
    return Landscape(loss, gradient, domain=[[-5, 10]] * d, near=[[0.0] * d])
