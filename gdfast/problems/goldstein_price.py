"""The Goldstein–Price function, a polynomial of degree eight over five orders of magnitude.

    f(x, y) = A(w) B(v),   w = x + y,   v = 2x − 3y
    A = 1 + (w + 1)² (3w² − 14w + 19),   B = 30 + v² (3v² − 16v + 18)

Multiplied out, this is the customary [1 + (x + y + 1)²(19 − 14x + 3x² − 14y + 6xy + 3y²)] ·
[30 + (2x − 3y)²(18 − 32x + 12x² + 48y − 36xy + 27y²)]. A and B are positive, A′ = 12 (w + 1)(w − 1)(w − 2) and
B′ = 12 v (v − 1)(v − 3), so the stationary points are the nine with w in {−1, 1, 2} and v in {0, 1, 3}: four minima, a
maximum and four saddles. The global minimum is f(0, −1) = 3.

Source: Goldstein & Price (1971), "On descent from local minima".
"""

from gdfast.named import named
from gdfast.problems._landscape import Landscape


def loss(x, y):
    w = x + y
    v = 2 * x - 3 * y
    a = 1 + (w + 1) * (w + 1) * (3 * w * w - 14 * w + 19)
    b = 30 + v * v * (3 * v * v - 16 * v + 18)
    return a * b


def gradient(x, y):
    w = x + y
    v = 2 * x - 3 * y
    a = 1 + (w + 1) * (w + 1) * (3 * w * w - 14 * w + 19)
    b = 30 + v * v * (3 * v * v - 16 * v + 18)
    da = 12 * (w + 1) * (w - 1) * (w - 2)
    db = 12 * v * (v - 1) * (v - 3)
    return da * b + 2 * a * db, da * b - 3 * a * db


@named()
def goldstein_price() -> Landscape:
    """The Goldstein–Price function on [−2, 2]²."""
    near = [[(3 * w + v) / 5, (2 * w - v) / 5] for w in (-1, 1, 2) for v in (0, 1, 3)]
    return Landscape(loss, gradient, domain=[[-2, 2], [-2, 2]], near=near)
