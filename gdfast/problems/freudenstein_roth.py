"""The function of Freudenstein and Roth, with a local minimum that catches what comes from the customary start.

    f(x, y) = (x − 13 + ((5 − y) y − 2) y)² + (x − 29 + ((y + 1) y − 14) y)²

The global minimum is f(5, 4) = 0; the other one f(11.412779, −0.896805) = 48.984254, with a saddle between them. The
customary start is (0.5, −2).

Source: Freudenstein & Roth (1963), "Numerical solution of systems of nonlinear equations"; Moré, Garbow & Hillstrom
(1981), "Testing unconstrained optimization software", problem 2.
"""

from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x, y):
    a = x - 13 + ((5 - y) * y - 2) * y
    b = x - 29 + ((y + 1) * y - 14) * y
    return a * a + b * b


def gradient(x, y):
    a = x - 13 + ((5 - y) * y - 2) * y
    b = x - 29 + ((y + 1) * y - 14) * y
    return 2 * a + 2 * b, 2 * a * ((10 - 3 * y) * y - 2) + 2 * b * ((3 * y + 2) * y - 14)


@named()
def freudenstein_roth() -> Landscape:
    """The function of Freudenstein and Roth on [−25, 25] × [−5, 5]."""
    near = [[5, 4], [11.4, -0.9], [23.9, 2.2]]
    return Landscape(loss, gradient, domain=[[-25, 25], [-5, 5]], near=near)
