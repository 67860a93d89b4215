"""The Styblinski–Tang function, a sum of tilted double wells.

    f(x) = ½ Σᵢ (xᵢ⁴ − 16xᵢ² + 5xᵢ)

Each coordinate has minima at −2.903534 (−39.166166) and 2.746803 (−25.029415) and a maximum at 0.156731 (0.195639); the
stationary points are their combinations, 2ᵈ of them minima. The global minimum is −39.166166 d; lists that print
−39.16599 d or −39.16617 d disagree in the digits after −39.166, of which the second is right.

Source: Styblinski & Tang (1990), "Experiments in nonconvex optimization: stochastic approximation with function
smoothing and simulated annealing".
"""

from gdfast.named import named
from gdfast.problems._landscape import Landscape
from gdfast.problems._problem import Problem
from gdfast.problems._sum import sum_over


def loss(x):
    return 0.5 * (x * x * x * x - 16 * x * x + 5 * x)


def gradient(x):
    return 2 * x * x * x - 16 * x + 2.5


@named()
def styblinski_tang(dimension: int = 2) -> Problem:
    """The Styblinski–Tang function, ½ Σ (x⁴ − 16x² + 5x), on [−5, 5] each."""
    part = Landscape(loss, gradient, domain=[-5, 5], near=[[-2.9], [0.16], [2.7]])
    return sum_over("styblinski_tang", part, dimension, [-5, 5])
