"""Langermann's function, five rings of waves that die off, in two dimensions.

    f(x, y) = −Σₖ cₖ exp(−rₖ/π) cos(π rₖ),   rₖ = (x − aₖ)² + (y − bₖ)²
    a = (3, 5, 2, 1, 7),   b = (5, 2, 1, 4, 9),   c = (1, 2, 5, 2, 3)

The global minimum is f(2.002992, 1.006096) = −5.162126. Lists that print −4.155809 mean the function without the minus
sign, whose lowest value this is, at (2.793402, 1.597225). Of the thousands of stationary points in the domain the
global minimum alone is listed; what settles elsewhere is stalled.

Source: Langerman's function of Bersini et al. (1996), "Results of the first international contest on evolutionary
optimisation"; with these numbers Jamil & Yang (2013), "A literature survey of benchmark functions for global
optimisation problems", number 68.
"""

import math

from gdfast.formulas.families import define
from gdfast.named import named
from gdfast.problems._landscape import Landscape

CENTRES, HEIGHTS = ((3, 5), (5, 2), (2, 1), (1, 4), (7, 9)), (1, 2, 5, 2, 3)
PI, REACH = math.pi, 10


@named()
def langermann() -> Landscape:
    """Langermann's function of five rings, on [0, 10]²."""
    lines, terms = [], []
    for k, ((a, b), height) in enumerate(zip(CENTRES, HEIGHTS, strict=True)):
        lines += [f"u{k} = x - {a}", f"v{k} = y - {b}", f"r{k} = u{k} * u{k} + v{k} * v{k}"]
        terms += [f"{height} * exp({-1 / PI} * r{k}) * cos({PI} * r{k})"]
    loss = define("loss", ("x", "y"), lines, " - ".join(["0.0", *terms]))
    return Landscape(loss, domain=[[0, REACH]] * 2, near=[[2.003, 1.006]])
