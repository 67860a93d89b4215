"""Rastrigin's function, a bowl full of ripples.

    f(x) = Σᵢ (xᵢ² + 10 (1 − cos 2πxᵢ))

The global minimum is f(0) = 0. In the domain each coordinate has 11 minima, near the whole numbers, and 10 maxima
between them; the stationary points are their combinations, 11ᵈ of them minima. The ripples go on to |x| = 10π, where
the slope of the bowl exceeds theirs; since trajectories leave the domain, all 63 minima and 62 maxima are known.

Source: Rastrigin (1974), "Systems of extremal control", in two dimensions; Mühlenbein, Schomisch & Born (1991), "The
parallel genetic algorithm as function optimizer", in more.
"""

import math

from gdfast.formulas.elementary import cos, sin
from gdfast.named import named
from gdfast.problems._landscape import Landscape
from gdfast.problems._problem import Problem
from gdfast.problems._sum import sum_over

WAVES, STEEPEST = 2 * math.pi, 20 * math.pi  # of the ripples: radians a unit, and slope


def loss(x):
    return x * x + 10 * (1 - cos(WAVES * x))


def gradient(x):
    return 2 * x + STEEPEST * sin(WAVES * x)


@named()
def rastrigin(dimension: int = 2) -> Problem:
    """Rastrigin's function, Σ (x² + 10 (1 − cos 2πx)), on [−5.12, 5.12] each."""
    near = [[k / 2] for k in range(-62, 63)]
    part = Landscape(loss, gradient, domain=[-5.12, 5.12], near=near)
    return sum_over("rastrigin", part, dimension, [-5.12, 5.12])
