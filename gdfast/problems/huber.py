"""Huber's function of the distance, a bowl with straight walls: on it gradient descent is as slow as it can be.

    f(x) = ½ ‖x‖² for ‖x‖ ≤ δ,   δ ‖x‖ − δ²/2 beyond

One stationary point, the minimum f(0) = 0. It is convex with curvatures up to 1. From ‖x‖ = R, with
δ = R/(2Nη + 1) and η ≤ 1, gradient descent ends after N steps at f = R²/(4Nη + 2), the worst of all such functions.

Source: Huber (1964), "Robust estimation of a location parameter"; Drori & Teboulle (2014), "Performance of first-order
methods for smooth convex minimization: a novel approach", arXiv 1206.3209, theorem 3.2.
"""

from gdfast import arguments
from gdfast.arguments import Interval
from gdfast.formulas.families import coordinate_names, define
from gdfast.named import named
from gdfast.problems._landscape import MOST_COORDINATES, Landscape


@named(threshold=Interval(0, low_open=True))
def huber(threshold: float = 1.0, dimension: int = 1) -> Landscape:
    """Huber's function, ½ r² for r = ‖x‖ ≤ δ and δr − δ²/2 beyond, on [−4δ, 4δ] each, in up to 100 dimensions."""
    d = arguments.integer("huber: dimension", dimension, high=MOST_COORDINATES)
    x = coordinate_names(d)
    radius = "r = absolute(x)" if d == 1 else f"r = sqrt({' + '.join(f'{v} * {v}' for v in x)})"
    walls = "select(r <= threshold, 0.5 * r * r, threshold * r - 0.5 * threshold * threshold)"
    loss = define("loss", (*x, "threshold"), [radius], walls)
    slopes = [f"{v} * k" for v in x]
    shrunk = "k = threshold / maximum(r, threshold)"
    gradient = define("gradient", (*x, "threshold"), [radius, shrunk], slopes[0] if d == 1 else slopes)
    reach = 4 * threshold
    return Landscape(loss, gradient, domain=[[-reach, reach]] * d, near=[[0.0] * d], params={"threshold": threshold})
