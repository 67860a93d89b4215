"""The landscapes of surveys of test functions: losses as published, with their minima, for `test_landscapes`."""

import mpmath
import numpy as np
import sympy
from sympy import Piecewise, Rational, cos, exp, pi, sin, sqrt

X, Y = sympy.symbols("x y", real=True)
X1, X2, X3, X4 = FOUR = sympy.symbols("x1:5", real=True)
R = sqrt(X**2 + Y**2)


class size(sympy.Function):  # a name of the grammar's kind
    """The absolute value, of whose derivatives SymPy makes no delta functions."""

    def fdiff(self, argindex=1):
        return side(*self.args)


class side(sympy.Function):
    """The sign, which is constant but for its jump."""

    def fdiff(self, argindex=1):
        return sympy.Integer(0)


ON_ARRAYS = [{"size": np.abs, "side": np.sign}, "numpy"]
IN_MANY_DIGITS = [{"size": abs, "side": mpmath.sign}, "mpmath"]


def waves(t):
    return sum(j * cos((j + 1) * t + j) for j in range(1, 6))


def langermann(centres, heights):
    total = 0
    for (a, b), c in zip(centres, heights, strict=True):
        r = (X - a) ** 2 + (Y - b) ** 2
        total -= c * exp(-r / pi) * cos(pi * r)
    return total


PUBLISHED = {
    "absolute_value": size(X),
    "bohachevsky": X**2 + 2 * Y**2 - Rational(3, 10) * cos(3 * pi * X) - Rational(4, 10) * cos(4 * pi * Y)
    + Rational(7, 10),
    "bukin6": 100 * sqrt(size(Y - X**2 / 100)) + size(X + 10) / 100,
    "colville": 100 * (X1**2 - X2) ** 2 + (X1 - 1) ** 2 + (X3 - 1) ** 2 + 90 * (X3**2 - X4) ** 2
    + Rational(101, 10) * ((X2 - 1) ** 2 + (X4 - 1) ** 2) + Rational(198, 10) * (X2 - 1) * (X4 - 1),
    "cross_in_tray": -(size(sin(X) * sin(Y) * exp(size(100 - R / pi))) + 1) ** Rational(1, 10) / 10**4,
    "dixon_price": (X - 1) ** 2 + 2 * (2 * Y**2 - X) ** 2,
    "eggholder": -(Y + 47) * sin(sqrt(size(Y + X / 2 + 47))) - X * sin(sqrt(size(X - (Y + 47)))),
    "flat_start": X**4 - 3 * X**3 + 2,
    "forrester": (6 * X - 2) ** 2 * sin(12 * X - 4),
    "freudenstein_roth": (X - 13 + ((5 - Y) * Y - 2) * Y) ** 2 + (X - 29 + ((Y + 1) * Y - 14) * Y) ** 2,
    "gramacy_lee": sin(10 * pi * X) / (2 * X) + (X - 1) ** 4,
    "griewank": (X**2 + Y**2) / 4000 - cos(X) * cos(Y / sqrt(2)) + 1,
    "holder_table": -size(sin(X) * cos(Y) * exp(size(1 - R / pi))),
    "huber": Piecewise((X**2 / 2, size(X) <= 1), (size(X) - Rational(1, 2), True)),
    "langermann": langermann([(3, 5), (5, 2), (2, 1), (1, 4), (7, 9)], [1, 2, 5, 2, 3]),
    "lessard": Piecewise(
        (25 * X**2 / 2, X < 1), (X**2 / 2 + 24 * X - 12, X < 2), (25 * X**2 / 2 - 24 * X + 36, True)
    ),
    "michalewicz": -sin(X) * sin(X**2 / pi) ** 20 - sin(Y) * sin(2 * Y**2 / pi) ** 20,
    "powell": (X1 + 10 * X2) ** 2 + 5 * (X3 - X4) ** 2 + (X2 - 2 * X3) ** 4 + 10 * (X1 - X4) ** 4,
    "rippled_parabola": X**2 + cos(4 * pi * X) / 10,
    "scalar_factorization": (X * Y - 1) ** 2,
    "schaffer2": Rational(1, 2) + (sin(X**2 - Y**2) ** 2 - Rational(1, 2)) / (1 + (X**2 + Y**2) / 1000) ** 2,
    "schaffer4": Rational(1, 2)
    + (cos(sin(size(X**2 - Y**2))) ** 2 - Rational(1, 2)) / (1 + (X**2 + Y**2) / 1000) ** 2,
    "schwefel": 2 * Rational("418.9829") - X * sin(sqrt(size(X))) - Y * sin(sqrt(size(Y))),
    "shubert": waves(X) * waves(Y),
    "sine_in_bowl": X**2 + 10 * sin(X),
    "trid": (X - 1) ** 2 + (Y - 1) ** 2 - X * Y,
    "two_sines": sin(X) + sin(Rational(10, 3) * X),
    "zakharov": X**2 + Y**2 + (X / 2 + Y) ** 2 + (X / 2 + Y) ** 4,
}  # fmt: skip

SB = "Surjanovic & Bingham (2013), Virtual library of simulation experiments"
MGH = "Moré, Garbow & Hillstrom (1981), Testing unconstrained optimization software"
MISHRA = "Mishra (2006), Some new test functions, MPRA 2718"
EXACT = "roots of the gradient in closed form"
LOCAL = "the gradient's other roots"

MINIMA = [
    ("absolute_value", EXACT, (0,), 0),
    ("bohachevsky", SB, (0, 0), 0),
    ("bukin6", SB, (-10, 1), 0),
    ("colville", SB, (1, 1, 1, 1), 0),
    *(("cross_in_tray", SB, (a * 1.3494, b * 1.3494), -2.06261) for a in (1, -1) for b in (1, -1)),
    ("dixon_price", SB, (1, 0.70711), 0),
    ("dixon_price", EXACT, (1, -0.70711), 0),
    ("eggholder", "lists tell the border's (512, 404.2319)", (482.35, 432.88), -956.9182),
    ("flat_start", EXACT, (2.25,), -6.54297),
    ("forrester", SB, (0.757249,), -6.02074),
    ("forrester", LOCAL, (0.142589,), -0.986325),
    ("freudenstein_roth", MGH, (5, 4), 0),
    ("freudenstein_roth", MGH, (11.41, -0.8968), 48.9842),
    ("gramacy_lee", "Gramacy & Lee (2012)", (0.548563,), -0.869011),
    ("griewank", SB, (0, 0), 0),
    *(("holder_table", SB, (a * 8.05502, b * 9.66459), -19.2085) for a in (1, -1) for b in (1, -1)),
    ("huber", EXACT, (0,), 0),
    (
        "langermann",
        "Jamil & Yang (2013), whose last digits, 2.00299219 and −5.1621259, are wrong",
        (2.002992, 1.006096),
        -5.162126,
    ),
    ("lessard", EXACT, (0,), 0),
    ("michalewicz", SB, (2.20, 1.57), -1.8013),
    ("michalewicz", LOCAL, (2.202906, 2.711572), -1.21406),
    ("powell", MGH, (0, 0, 0, 0), 0),
    ("rippled_parabola", LOCAL, (0.221351,), -0.044593),
    ("rippled_parabola", LOCAL, (-0.221351,), -0.044593),
    ("scalar_factorization", EXACT, (1, 1), 0),
    ("scalar_factorization", EXACT, (-1, -1), 0),
    ("schaffer2", SB, (0, 0), 0),
    *(("schaffer4", MISHRA, point, 0.292579) for point in ((0, 1.25313), (0, -1.25313), (1.25313, 0), (-1.25313, 0))),
    ("schwefel", SB, (420.9687, 420.9687), 0.000025),
    ("sine_in_bowl", "SciPy lecture notes", (-1.30644,), -7.945823),
    ("sine_in_bowl", LOCAL, (3.837467,), 8.315586),
    ("trid", SB, (2, 2), -2),
    ("two_sines", "Hansen, Jaumard & Lu (1992), problem 2", (5.145735,), -1.899599),
    ("two_sines", LOCAL, (3.387252,), -1.199921),
    ("two_sines", LOCAL, (7.000149,), -0.316996),
    ("zakharov", SB, (0, 0), 0),
]
"""The lowest of those in the domain, or all of them where they are few."""
SHUBERT = [
    (x, y)
    for a, b in ((-1.425128, -0.800321), (-0.800321, -1.425128))
    for x in (a - 6.283185, a, a + 6.283185)
    for y in (b - 6.283185, b, b + 6.283185)
]
MINIMA += [("shubert", SB, (round(x, 5), round(y, 5)), -186.7309) for x, y in SHUBERT]
LOWEST_ONLY = {
    "bohachevsky", "cross_in_tray", "eggholder", "gramacy_lee", "griewank", "holder_table",
    "rippled_parabola", "schwefel", "shubert",
}  # fmt: skip
KINKS = {"absolute_value", "bukin6"}
"""Where the minimum is one, and the gradient none."""
FLAT = {"powell", "scalar_factorization"}
"""Whose Hessian is singular at the minimum."""
IN_MORE_DIMENSIONS = [
    ("absolute_value", 20, 0),
    ("dixon_price", 10, 0),
    ("griewank", 10, 0),
    ("huber", 12, 0),
    ("michalewicz", 5, -4.687658),
    ("michalewicz", 10, -9.66015),
    ("powell", 24, 0),
    ("schwefel", 10, 0.000127),
    ("trid", 6, -50),
    ("trid", 10, -210),
    ("zakharov", 10, 0),
]
"""Family, dimension, its lowest loss as Surjanovic & Bingham (2013) tell it."""
COUNTS = {
    "bohachevsky": (25, 40, 16),
    "dixon_price": (2, 1, 0),
    "freudenstein_roth": (2, 1, 0),
    "griewank": (17, 24, 18),
    "shubert": (722, 1444, 722),
    "trid": (1, 0, 0),
    "zakharov": (1, 0, 0),
}
EXACT_IN_LANES = {
    "absolute_value", "bukin6", "colville", "dixon_price", "flat_start", "freudenstein_roth", "huber", "lessard",
    "powell", "scalar_factorization", "trid", "zakharov",
}  # fmt: skip
"""Those with + - * / sqrt alone."""
KINKED = {
    "absolute_value", "bukin6", "cross_in_tray", "eggholder", "holder_table", "huber", "lessard", "schwefel",
}  # fmt: skip
"""Across whose kinks differences are no derivatives."""
