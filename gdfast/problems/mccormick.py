"""McCormick's function, a tilted corrugated valley.

    f(x, y) = sin(x + y) + (x − y)² − 1.5x + 2.5y + 1

Stationary points lie where x − y = 1 and cos(x + y) = −½. In the domain they are the minimum at
(½ − π/3, −½ − π/3) = (−0.547198, −1.547198), f = −√3/2 − π/3 = −1.913223; a second minimum, the first shifted by
(π, π), with a loss higher by π; and a saddle between them. Lists that call the first one global mean the domain: the
valley goes on, with a minimum lower by π for each step of (−π, −π), and what settles there is stalled.

Source: McCormick (1976), "Computability of global solutions to factorable nonconvex programs".
"""

from gdfast.formulas.elementary import cos, sin
from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x, y):
    return sin(x + y) + (x - y) * (x - y) - 1.5 * x + 2.5 * y + 1


def gradient(x, y):
    c = cos(x + y)
    return c + 2 * (x - y) - 1.5, c - 2 * (x - y) + 2.5


@named()
def mccormick() -> Landscape:
    """McCormick's function, sin(x + y) + (x − y)² − 1.5x + 2.5y + 1, on [−1.5, 4] × [−3, 4]."""
    near = [[-0.55, -1.55], [1.55, 0.55], [2.59, 1.59]]
    return Landscape(loss, gradient, domain=[[-1.5, 4], [-3, 4]], near=near)
