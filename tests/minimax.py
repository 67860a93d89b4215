"""Derive the coefficients of the lane functions' polynomials: ``python tests/minimax.py`` prints them.

Each is the polynomial p of a given degree, or the quotient p / q of two, q's last coefficient being 1, that minimizes
the largest weighted error max |w(x) (f(x) − p(x) / q(x))| over an interval, found by the exchange algorithm of Remez
(1934; Muller, *Elementary Functions*, 3rd ed., section 3.5) on a grid of Chebyshev points in 60 digits; the weight
turns an error of p into a relative error of the function (of its result for erf, which is 1 − exp(−p) there). The
coefficients are then rounded to float64, lowest power first.
"""

from collections.abc import Callable
from typing import NamedTuple

import mpmath
from mpmath import mp, mpf

DIGITS, GRID = 60, 601
_SERIES = 30  # terms, where a formula would cancel


class Fit(NamedTuple):
    """What one table of coefficients approximates."""

    function: Callable[[mpf], mpf]
    weight: Callable[[mpf], mpf]
    interval: tuple[float, float]
    degree: int
    below: int = 0
    """The degree of q."""


def series(term: Callable[[int], mpf]) -> Callable[[mpf], mpf]:
    """A power series, for the small arguments at which closed forms cancel."""
    return lambda x: mpmath.polyval([term(i) for i in reversed(range(_SERIES))], x)


_LN2_HALVED = 0.34658
_PI_QUARTER = 0.79
_ROOT = 0.1716  # (√2 − 1) / (√2 + 1)

FITS = {
    # (eʳ − 1 − r) / r²; relative to eʳ − 1
    "EXP": Fit(series(lambda i: 1 / mpmath.factorial(i + 2)), lambda r: abs(r), (-_LN2_HALVED, _LN2_HALVED), 9),
    # (log((1 + s) / (1 − s)) / s − 2) / z, z = s²; relative to the logarithm
    "LOG": Fit(series(lambda i: mpf(2) / (2 * i + 3)), lambda z: z / 2, (0.0, _ROOT**2), 6),
    # (sin r − r) / r³ and (cos r − 1 + z/2) / z², z = r²; relative to sine and cosine
    "SIN": Fit(series(lambda i: (-1) ** (i + 1) / mpmath.factorial(2 * i + 3)), lambda z: z, (0.0, _PI_QUARTER**2), 5),
    "COS": Fit(
        series(lambda i: (-1) ** i / mpmath.factorial(2 * i + 4)),
        lambda z: z * z / mpmath.cos(mpmath.sqrt(z)),
        (0.0, _PI_QUARTER**2),
        5,
    ),
    # erf(x) / x − 1, z = x², |x| <= 1; relative to erf(x) / x
    "ERF_NEAR": Fit(
        series(lambda i: 2 / mpmath.sqrt(mpmath.pi) * (-1) ** i / (mpmath.factorial(i) * (2 * i + 1)) - (i == 0)),
        lambda z: 1,
        (0.0, 1.0),
        12,
    ),
    # (tanh(s) / s − 1) / z, z = s²; relative to the tangent
    "TANH": Fit(
        lambda z: (mpmath.tanh(mpmath.sqrt(z)) / mpmath.sqrt(z) - 1) / z if z else mpf(-1) / 3,
        lambda z: z * mpmath.sqrt(z) / mpmath.tanh(mpmath.sqrt(z)) if z else mpf(0),
        (0.0, 0.49),
        2,
        3,
    ),
    # (sinh(s) / s − 1) / z, z = s² <= 1; relative to sinh(s) / s
    "SINH": Fit(series(lambda i: 1 / mpmath.factorial(2 * i + 3)), lambda z: z, (0.0, 1.0), 6),
    # (asin(s) / s − 1) / z and (atan(s) / s − 1) / z, z = s²; relative to the inverses over s
    "ASIN": Fit(
        lambda z: (mpmath.asin(mpmath.sqrt(z)) / mpmath.sqrt(z) - 1) / z if z else mpf(1) / 6,
        lambda z: z,
        (0.0, 0.25),
        12,
    ),
    "ATAN": Fit(
        lambda z: (mpmath.atan(mpmath.sqrt(z)) / mpmath.sqrt(z) - 1) / z if z else mpf(-1) / 3,
        lambda z: z,
        (0.0, 0.4375**2),
        10,
    ),
    # −log(erfc(1 + t)); relative to erf, which is nearly 1
    "ERF_FAR": Fit(lambda t: -mpmath.log(mpmath.erfc(1 + t)), lambda t: mpmath.erfc(1 + t), (0.0, 5.0), 18),
}


def minimax(fit: Fit, rounds: int = 30) -> tuple[list[float], float]:
    """Return a fit's coefficients, p's and then q's but the last, and its largest weighted error after rounding them.

    Lowest powers come first.
    """
    with mp.workdps(DIGITS):
        low, high = map(mpf, fit.interval)
        grid = [(low + high) / 2 - (high - low) / 2 * mpmath.cos(mpmath.pi * i / GRID) for i in range(GRID + 1)]
        values, weights = [fit.function(x) for x in grid], [mpf(fit.weight(x)) for x in grid]
        inside = [i for i in range(GRID + 1) if weights[i] != 0]
        above = fit.degree + 1
        n = above + fit.below + 1
        chosen = [inside[round((len(inside) - 1) * i / (n - 1))] for i in range(n)]

        def denominator(coefficients: list[mpf], x: mpf) -> mpf:
            return mpmath.polyval([mpf(1), *coefficients[: above - 1 : -1]], x)

        def errors(coefficients: list[mpf]) -> list[mpf]:
            return [
                w * (v - mpmath.polyval(coefficients[above - 1 :: -1], x) / denominator(coefficients, x))
                for x, v, w in zip(grid, values, weights, strict=True)
            ]

        coefficients = [mpf(0)] * (n - 1)
        for _ in range(rounds):
            # p / q takes the values that leave errors ±e of alternating sign at the chosen points. In ±e q the q is
            # that found before: a few times over until it stays.
            for _ in range(1 if fit.below == 0 else 8):
                system = mpmath.matrix(
                    [
                        [grid[i] ** j for j in range(above)]
                        + [-values[i] * grid[i] ** j for j in range(fit.below)]
                        + [(-1) ** row / weights[i] * denominator(coefficients, grid[i])]
                        for row, i in enumerate(chosen)
                    ]
                )
                right = mpmath.matrix([values[i] * grid[i] ** fit.below for i in chosen])
                *coefficients, level = mpmath.lu_solve(system, right)
            error = errors(coefficients)
            peaks = _alternating_peaks(error, n)
            if max(map(abs, error)) <= abs(level) * (1 + mpf("1e-6")) or peaks == chosen:
                break
            chosen = peaks
        rounded = [float(c) for c in coefficients]
        return rounded, float(max(map(abs, errors([mpf(c) for c in rounded]))))


def _alternating_peaks(error: list[mpf], n: int) -> list[int]:
    """The n places of largest error among those where its sign alternates."""
    peaks: list[int] = []
    for i, e in enumerate(error):
        if e == 0:
            continue
        if peaks and (error[peaks[-1]] > 0) == (e > 0):
            if abs(e) > abs(error[peaks[-1]]):
                peaks[-1] = i
        else:
            peaks.append(i)
    while len(peaks) > n:
        peaks.pop(0 if abs(error[peaks[0]]) < abs(error[peaks[-1]]) else -1)
    return peaks


def main() -> None:
    """Print every table."""
    for name, fit in FITS.items():
        coefficients, error = minimax(fit)
        print(f"{name} = (  # largest error 2**{float(mpmath.log(error, 2)):.1f}")
        print("".join(f"    {c!r},\n" for c in coefficients) + ")")


if __name__ == "__main__":
    main()
