"""Powell's singular function, whose minimum has a singular Hessian.

    f(x) = Σ (x₁ + 10x₂)² + 5 (x₃ − x₄)² + (x₂ − 2x₃)⁴ + 10 (x₁ − x₄)⁴,   over blocks of four coordinates

One stationary point, the minimum f(0) = 0. Along two directions of each block the loss grows like the fourth power
only, so that gradient descent slows down the nearer it comes. The customary start is (3, −1, 0, 1).

Source: Powell (1962), "An iterative method for finding stationary values of a function of several variables"; Moré,
Garbow & Hillstrom (1981), "Testing unconstrained optimization software", problems 13 and 22.
"""

from gdfast import arguments
from gdfast.formulas.families import coordinate_names, define
from gdfast.named import named
from gdfast.problems._landscape import MOST_COORDINATES, Landscape


@named()
def powell(dimension: int = 4) -> Landscape:
    """Powell's singular function on [−4, 5] each, in 4, 8, … 100 dimensions."""
    d = arguments.integer("powell: dimension", dimension, low=4, high=MOST_COORDINATES)
    if d % 4:
        raise ValueError(f"powell: dimension must be a multiple of 4, not {d}")
    x = coordinate_names(d)
    parts, terms, slopes = [], [], []
    for i in range(0, d, 4):
        x1, x2, x3, x4 = x[i : i + 4]
        parts += [f"a{i} = {x1} + 10 * {x2}", f"b{i} = {x3} - {x4}", f"c{i} = {x2} - 2 * {x3}", f"e{i} = {x1} - {x4}"]
        a, b, c, e = (f"{name}{i}" for name in "abce")
        terms += [f"{a} * {a} + 5 * {b} * {b} + {c} * {c} * {c} * {c} + 10 * {e} * {e} * {e} * {e}"]
        c3, e3 = f"{c} * {c} * {c}", f"{e} * {e} * {e}"
        slopes += [f"2 * {a} + 40 * {e3}", f"20 * {a} + 4 * {c3}", f"10 * {b} - 8 * {c3}", f"-10 * {b} - 40 * {e3}"]
    loss, gradient = define("loss", x, parts, " + ".join(terms)), define("gradient", x, parts, slopes)
    return Landscape(loss, gradient, domain=[[-4, 5]] * d, near=[[0.0] * d])
