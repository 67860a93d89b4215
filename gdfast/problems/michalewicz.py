"""Michalewicz's function, narrow ravines in a plain.

    f(x) = −Σᵢ sin(xᵢ) sin²⁰(i xᵢ²/π)

Each coordinate has as many minima as its number i, in a plain whose gradient is below any tolerance: a plateau. The
global minima are −1.801303 in two dimensions, −4.687658 in five, −9.660152 in ten. Up to three dimensions all minima
are listed, and the saddles between them; in more the global minimum only.

Source: Michalewicz (1992), "Genetic algorithms + data structures = evolution programs", with the exponent 2m = 20.
"""

import itertools
import math

from gdfast import arguments
from gdfast.formulas.families import coordinate_names, define
from gdfast.named import named
from gdfast.problems._landscape import MOST_COORDINATES
from gdfast.problems._of_its_domain import OfItsDomain

PI = math.pi


def ravines(i: int) -> list[float]:
    """Where those of coordinate i are, nearly, the deepest first."""
    at = [PI * math.sqrt((k + 0.5) / i) for k in range(i)]
    return sorted(at, key=lambda x: -math.sin(x))


@named()
def michalewicz(dimension: int = 2) -> OfItsDomain:
    """Michalewicz's function, −Σ sin(xᵢ) sin²⁰(i xᵢ²/π), on [0, π] each, in up to 100 dimensions."""
    d = arguments.integer("michalewicz: dimension", dimension, high=MOST_COORDINATES)
    x = coordinate_names(d)
    powers = []
    for i, v in enumerate(x, 1):
        powers += [f"a{i} = {i / PI} * {v} * {v}", f"s{i} = sin(a{i})", f"p{i} = s{i} * s{i}", f"q{i} = p{i} * p{i}"]
        powers += [f"r{i} = q{i} * q{i} * p{i}"]  # s¹⁰
    loss = define("loss", x, powers, " - ".join(["0.0", *(f"sin({v}) * r{i} * r{i}" for i, v in enumerate(x, 1))]))
    # s¹⁹ = r q² s
    slopes = [
        f"-r{i} * q{i} * q{i} * s{i} * (cos({v}) * s{i} + {40 * i / PI} * {v} * sin({v}) * cos(a{i}))"
        for i, v in enumerate(x, 1)
    ]
    gradient = define("gradient", x, powers, slopes[0] if d == 1 else slopes)
    near = (
        list(itertools.product(*map(ravines, range(1, d + 1))))
        if d <= 3
        else [[ravines(i)[0] for i in range(1, d + 1)]]
    )
    return OfItsDomain(loss, gradient, domain=[[0, PI]] * d, near=near)
