"""Colville's function, two of Rosenbrock's valleys coupled; Wood's function is the same.

    f(x) = 100 (x₂ − x₁²)² + (1 − x₁)² + 90 (x₄ − x₃²)² + (1 − x₃)²
           + 10.1 ((x₂ − 1)² + (x₄ − 1)²) + 19.8 (x₂ − 1)(x₄ − 1)

The minimum is f(1, 1, 1, 1) = 0. Near (−1, 1, −1, 1), f = 7.877, is a saddle that methods come to from the customary
start, (−3, −1, −3, −1), and leave slowly. Wood's form, 10 (x₂ + x₄ − 2)² + (x₂ − x₄)²/10 in place of the last three
terms, is multiplied out the same.

Source: Colville (1968), "A comparative study of nonlinear programming codes", IBM report 320-2949; Moré, Garbow &
Hillstrom (1981), "Testing unconstrained optimization software", problem 14 (Wood).
"""

from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x1, x2, x3, x4):
    a = x2 - x1 * x1
    b = x4 - x3 * x3
    p = x2 - 1
    q = x4 - 1
    valleys = 100 * a * a + (1 - x1) * (1 - x1) + 90 * b * b + (1 - x3) * (1 - x3)
    return valleys + 10.1 * (p * p + q * q) + 19.8 * p * q


def gradient(x1, x2, x3, x4):
    a = x2 - x1 * x1
    b = x4 - x3 * x3
    p = x2 - 1
    q = x4 - 1
    first = -400 * x1 * a - 2 * (1 - x1)
    third = -360 * x3 * b - 2 * (1 - x3)
    return first, 200 * a + 20.2 * p + 19.8 * q, third, 180 * b + 20.2 * q + 19.8 * p


@named()
def colville() -> Landscape:
    """Colville's function, which is Wood's, on [−10, 10]⁴."""
    return Landscape(loss, gradient, domain=[[-10, 10]] * 4, near=[[1] * 4, [-0.968, 0.947, -0.97, 0.951]])
