"""The trid function, a quadratic whose matrix is tridiagonal.

    f(x) = Σᵢ (xᵢ − 1)² − Σᵢ xᵢ xᵢ₋₁

The minimum is −d(d + 4)(d − 1)/6, at xᵢ = i (d + 1 − i): far out, and the condition number grows like d².

Source: Neumaier (2003), "Test functions for global optimization", University of Vienna.
"""

import itertools

from gdfast import arguments
from gdfast.formulas.families import coordinate_names, define
from gdfast.named import named
from gdfast.problems._landscape import MOST_COORDINATES, Landscape


@named()
def trid(dimension: int = 2) -> Landscape:
    """The trid function, Σ (x − 1)² − Σ xᵢ xᵢ₋₁, on [−d², d²] each, in 2 to 100 dimensions."""
    d = arguments.integer("trid: dimension", dimension, low=2, high=MOST_COORDINATES)
    x = coordinate_names(d)
    squares = " + ".join(f"({v} - 1) * ({v} - 1)" for v in x)
    loss = define("loss", x, [], " - ".join([squares, *(f"{a} * {b}" for a, b in itertools.pairwise(x))]))
    beside = [[*x[max(i - 1, 0) : i], *x[i + 1 : i + 2]] for i in range(d)]
    gradient = define(
        "gradient", x, [], [" - ".join([f"2 * ({v} - 1)", *others]) for v, others in zip(x, beside, strict=True)]
    )
    near = [[float(i * (d + 1 - i)) for i in range(1, d + 1)]]
    return Landscape(loss, gradient, domain=[[-d * d, d * d]] * d, near=near)
