"""The function of Dixon and Price, a valley along which each coordinate asks for the root of the one before.

    f(x) = (x₁ − 1)² + Σᵢ i (2xᵢ² − xᵢ₋₁)²,   i = 2 … d

Two global minima, f = 0, at xᵢ = 2^(2^(1−i) − 1), the last coordinate of either sign; and a stationary point at (⅓, 0,
…, 0), f = ⅔, in two dimensions a saddle between the two, in more a degenerate one, near which many methods crawl.

Source: Dixon & Price (1989), "The truncated Newton method for sparse unconstrained optimisation using automatic
differentiation".
"""

from gdfast import arguments
from gdfast.formulas.families import coordinate_names, define
from gdfast.named import named
from gdfast.problems._landscape import MOST_COORDINATES, Landscape


@named()
def dixon_price(dimension: int = 2) -> Landscape:
    """The function of Dixon and Price, (x₁ − 1)² + Σ i (2xᵢ² − xᵢ₋₁)², on [−10, 10] each, in 2 to 100 dimensions."""
    d = arguments.integer("dixon_price: dimension", dimension, low=2, high=MOST_COORDINATES)
    x = coordinate_names(d)
    apart = [f"u{i} = 2 * {x[i - 1]} * {x[i - 1]} - {x[i - 2]}" for i in range(2, d + 1)]
    squares = [f"{i} * u{i} * u{i}" for i in range(2, d + 1)]
    loss = define("loss", x, apart, " + ".join([f"({x[0]} - 1) * ({x[0]} - 1)", *squares]))
    slopes = [f"2 * ({x[0]} - 1)", *(f"{8 * i} * {x[i - 1]} * u{i}" for i in range(2, d + 1))]
    slopes = [f"{slope} - {2 * i} * u{i}" for i, slope in enumerate(slopes[:-1], 2)] + slopes[-1:]
    gradient = define("gradient", x, apart, slopes)
    roots = [2.0 ** (2.0 ** (1 - i) - 1) for i in range(1, d + 1)]
    near = [roots, [*roots[:-1], -roots[-1]], [1 / 3] + [0.0] * (d - 1)]
    return Landscape(loss, gradient, domain=[[-10, 10]] * d, near=near)
