"""The absolute value: a minimum at a kink, to which no constant rate converges.

    f(x) = Σᵢ |xᵢ|

The minimum is f(0) = 0. The slope is ±1 however near it is, and 0 at 0 itself: at a constant rate η gradient descent
ends in a cycle of two points η apart. The textbook case for rates that decay.
"""

from gdfast import arguments
from gdfast.formulas.families import coordinate_names, define
from gdfast.named import named
from gdfast.problems._landscape import MOST_COORDINATES
from gdfast.problems._of_its_domain import WithKinks


@named()
def absolute_value(dimension: int = 1) -> WithKinks:
    """The sum of absolute values, Σ |x|, on [−2, 2] each, in up to 100 dimensions."""
    d = arguments.integer("absolute_value: dimension", dimension, high=MOST_COORDINATES)
    x = coordinate_names(d)
    loss = define("loss", x, [], " + ".join(f"absolute({v})" for v in x))
    gradient = define("gradient", x, [], "sign(x)" if d == 1 else [f"sign({v})" for v in x])
    return WithKinks(loss, gradient, domain=[[-2, 2]] * d, near=[], kinks=((0.0,) * d,))
