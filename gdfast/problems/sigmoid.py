"""One saturating unit with a squared loss.

    f(x) = ½ (σ(x) − 0.8)²,   σ(x) = 1 / (1 + e⁻ˣ),   f′(x) = (σ − 0.8) σ (1 − σ)

One minimum, at x = ln 4. Away from it the factor σ(1 − σ) ≤ ¼ dies off like e⁻|x|: the gradient vanishes though
the loss is large. A trajectory from x = 5 crawls; one from x = 20 settles where it starts. A standard classroom
example of saturation.
"""

import numpy as np

from gdfast.formulas.elementary import exp
from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x):
    s = 1 / (1 + exp(-x))
    return 0.5 * (s - 0.8) * (s - 0.8)


def gradient(x):
    s = 1 / (1 + exp(-x))
    return (s - 0.8) * s * (1 - s)


@named()
def sigmoid() -> Landscape:
    """One saturating unit, ½ (σ(x) − 0.8)², on [−25, 25]."""
    return Landscape(loss, gradient, domain=np.array([[-25.0, 25.0]]), near=[[np.log(4.0)]])
