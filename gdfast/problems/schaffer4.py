"""Schaffer's function number 4, waves along hyperbolas with four equal minima.

    f(x, y) = ½ + (cos²(sin |x² − y²|) − ½) / (1 + (x² + y²)/1000)²

The four global minima are 0.292579, at (0, ±1.253132) and (±1.253132, 0). These are listed; what settles elsewhere is
stalled. Since the cosine is even, the absolute value makes no kink. The customary domain is [−100, 100].

Source: Mishra (2006), "Some new test functions for global optimization and performance of repulsive particle swarm
method", MPRA paper 2718.
"""

from gdfast.formulas.elementary import cos, sin
from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x, y):
    wave = cos(sin(x * x - y * y))
    bowl = 1 + 0.001 * (x * x + y * y)
    return 0.5 + (wave * wave - 0.5) / (bowl * bowl)


@named()
def schaffer4() -> Landscape:
    """Schaffer's function number 4, ½ + (cos²(sin |x² − y²|) − ½)/(1 + r²/1000)², on [−10, 10]²."""
    near = [[0, 1.253], [0, -1.253], [1.253, 0], [-1.253, 0]]
    return Landscape(loss, domain=[[-10, 10]] * 2, near=near)
