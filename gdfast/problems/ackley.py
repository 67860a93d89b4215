"""Ackley's function, a funnel full of ripples with a cusp at the bottom.

    f(x) = 20 (1 − exp(−r/5)) + e − exp(c),   r = √(Σᵢ xᵢ² / d),   c = Σᵢ cos(2πxᵢ) / d

The global minimum is f(0) = 0. There the function has a cusp: the gradient does not become small on the way to it, so
that no method with a constant rate settles in it, but jumps to and fro. The formulas give the gradient zero at the
origin itself. In one and two dimensions all stationary points of the domain are listed (in two: 121 minima, 100 maxima,
220 saddles), in more the global minimum only. What settles elsewhere is stalled.

The customary domain is [−32.768, 32.768], with the same ripples on a flatter funnel.

Source: Ackley (1987), "A connectionist machine for genetic hillclimbing", in two dimensions; Bäck (1996),
"Evolutionary algorithms in theory and practice", in more.
"""

import itertools
import math

from gdfast import arguments
from gdfast.formulas.families import coordinate_names, define
from gdfast.named import named
from gdfast.problems._landscape import LARGEST_LANDSCAPE, Landscape

TWO_PI, E = 2 * math.pi, math.e


@named()
def ackley(dimension: int = 2) -> Landscape:
    """Ackley's function on [−5, 5] each, in up to 8 dimensions."""
    d = arguments.integer("ackley: dimension", dimension, high=LARGEST_LANDSCAPE)
    x = coordinate_names(d)
    squares, waves = " + ".join(f"{v} * {v}" for v in x), " + ".join(f"cos({TWO_PI} * {v})" for v in x)
    radius = f"r = sqrt(({squares}) / {d})"
    peaks = f"w = exp(({waves}) / {d})"
    loss = define("loss", x, [radius, peaks], f"20 * (1 - exp(-0.2 * r)) + ({E} - w)")

    # Divided by the radius, which must not be zero; there the coordinates are.
    slope = [radius, peaks, "safe = select(r > 0, r, 1)", f"a = 4 * exp(-0.2 * r) / ({d} * safe)"]
    slope += [f"b = {TWO_PI} * w / {d}", *(f"s{i} = sin({TWO_PI} * {v})" for i, v in enumerate(x))]
    grad = [f"a * {v} + b * s{i}" for i, v in enumerate(x)]
    gradient = define("gradient", x, slope, grad[0] if d == 1 else grad)

    halves = [k / 2 for k in range(-10, 11)]
    near = list(itertools.product(halves, repeat=d)) if d <= 2 else [[0.0] * d]
    return Landscape(loss, gradient, domain=[[-5, 5]] * d, near=near)
