"""Schaffer's function number 2, waves along hyperbolas that flatten out.

    f(x, y) = ½ + (sin²(x² − y²) − ½) / (1 + (x² + y²)/1000)²

The global minimum is f(0, 0) = 0, with waves around it whose floors |x² − y²| = kπ rise slowly. Of the stationary
points this one is listed; what settles elsewhere is stalled. The customary domain is [−100, 100].

Source: Schaffer, Caruana, Eshelman & Das (1989), "A study of control parameters affecting online performance of genetic
algorithms"; in this form Mishra (2006), "Some new test functions for global optimization", MPRA paper 2718.
"""

from gdfast.formulas.elementary import sin
from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x, y):
    wave = sin(x * x - y * y)
    bowl = 1 + 0.001 * (x * x + y * y)
    return 0.5 + (wave * wave - 0.5) / (bowl * bowl)


@named()
def schaffer2() -> Landscape:
    """Schaffer's function number 2, ½ + (sin²(x² − y²) − ½)/(1 + r²/1000)², on [−10, 10]²."""
    return Landscape(loss, domain=[[-10, 10]] * 2, near=[[0, 0]])
