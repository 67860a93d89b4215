"""The functions that a rule or a formula may call besides ``+ - * /``.

On arrays they are NumPy, and `math.erf` for `erf`, which NumPy lacks. In compiled lanes they have the same meaning and,
up to `power`, the same bits. From `exp` on, array and lane differ by rounding: by 4 units in the last place (ulp)
at most, but for sine, cosine and tangent at the few large numbers that come nearest to multiples of π/2, where NumPy is
up to 14 ulp off. The lanes' own forms (`gdfast.kernels.lane_math`) are within 2 ulp of the exact value everywhere, and
have the same bits on every machine; NumPy's vary with the processor. The accuracies below are those of the arrays, as
the tests measured them with NumPy 2.4 on a processor with AVX-512.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

POWER_SHIFT = 1.5 * 2.0**52 + 1023.0
"""Added to a whole number: leaves it, plus the bias of exponents, in the low bits."""

CUBE_ROOT_SHARE, CUBE_ROOT_OFFSET, CUBE_ROOT_ROUNDS = 1.0 / 3.0, 3071306043645493248.0, 4

TRIGONOMETRIC_LIMIT = 2.0**45

_SCALES = {"float64": (500, -600, -450, 600), "float32": (50, -70, -40, 90)}
SQUARE_SCALES = {name: tuple(np.dtype(name).type(2.0**k) for k in powers) for name, powers in _SCALES.items()}
"""By type, the size above which squares might overflow, with what to multiply by, and that below which they might
underflow, with what to multiply by."""

__all__ = [
    "absolute",
    "acos",
    "asin",
    "atan",
    "cos",
    "cosh",
    "cube_root",
    "erf",
    "exp",
    "exponent",
    "log",
    "log1p",
    "log2",
    "log10",
    "mantissa",
    "maximum",
    "minimum",
    "power",
    "power_of_two",
    "select",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "softplus",
    "sqrt",
    "square_scale",
    "square_unit",
    "tan",
    "tanh",
]


def select(condition: Any, yes: Any, no: Any) -> Any:
    """Return `yes` where `condition` holds and `no` elsewhere, lane by lane."""
    return np.where(condition, yes, no)


def sqrt(x: Any) -> Any:
    """Return the square root, correctly rounded."""
    return np.sqrt(x)


def square_scale(x: Any) -> Any:
    """Return the power of two by which numbers of at most the size ``x >= 0`` are multiplied before they are squared.

    It is 1 for ordinary sizes, and brings others near to them, so that sums of squares neither overflow nor underflow.
    """
    high, shrink, low, grow = SQUARE_SCALES[np.result_type(x, np.float32).name]
    return np.where(x > high, shrink, np.where(x < low, grow, grow / grow))


def square_unit(x: Any) -> Any:
    """Return ``1 / square_scale(x)``."""
    return 1 / square_scale(x)


def absolute(x: Any) -> Any:
    """Return ``|x|``."""
    return np.abs(x)


def maximum(a: Any, b: Any) -> Any:
    """Return the larger of two numbers; NaN if either is NaN, `a` if they are equal."""
    return np.where((a >= b) | np.isnan(a), a, b)


def minimum(a: Any, b: Any) -> Any:
    """Return the smaller of two numbers; NaN if either is NaN, `a` if they are equal."""
    return np.where((a <= b) | np.isnan(a), a, b)


def sign(x: Any) -> Any:
    """Return −1, 0 or 1; NaN for NaN."""
    return np.sign(x)


def cube_root(x: Any) -> Any:
    """Return the cube root of ``x >= 0``, within 2 units in the last place for normal numbers, 0 for 0.

    It is computed from ``+ - * /`` alone (a third of the exponent, then Halley's method), so that compiled lanes
    give the same bits.
    """
    given, x = np.asarray(x), np.asarray(x, dtype=np.float64)
    third = x.view(np.int64).astype(np.float64) * CUBE_ROOT_SHARE + CUBE_ROOT_OFFSET
    y = np.where(np.isfinite(x), third, 0.0).astype(np.int64).view(np.float64)
    with np.errstate(all="ignore"):
        for _ in range(CUBE_ROOT_ROUNDS):
            cube = y * y * y
            y = y * ((cube + 2.0 * x) / (2.0 * cube + x))
    return np.where((x > 0) & (x < np.inf), y, x).astype(np.result_type(given, np.float32))


def exponent(x: Any) -> Any:
    """Return e of ``x = m 2^e`` with 1 <= m < 2, for normal ``x > 0``."""
    bits = np.asarray(x, dtype=np.float64).view(np.int64)
    return ((bits >> 52) - 1023).astype(np.result_type(x, np.float32))


def mantissa(x: Any) -> Any:
    """Return m of ``x = m 2^e`` with 1 <= m < 2, for normal ``x > 0``."""
    bits = np.asarray(x, dtype=np.float64).view(np.int64)
    wide = ((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000).view(np.float64)
    return wide.astype(np.result_type(x, np.float32))


def power_of_two(k: Any) -> Any:
    """Return ``2**k`` for a whole k from -1022 to 1023."""
    bits = (np.asarray(k, dtype=np.float64) + POWER_SHIFT).view(np.int64) << 52
    return bits.view(np.float64).astype(np.result_type(k, np.float32))


def power(x: Any, p: Any) -> Any:
    """Return ``x**p`` for ``x >= 0``, within 0.7 ulp, subnormal results within 1; NaN for ``x < 0``.

    It is computed from ``+ - * /`` and bits alone, so that compiled lanes give the same bits: e to p log x, where the
    logarithm and its product with p are sums of two numbers. ``x**0`` and ``1**p`` are 1. What is no number or array
    takes it by ``__array_function__``, as NumPy's functions.
    """
    for each in (x, p):
        if hasattr(each, "__array_function__") and not isinstance(each, np.ndarray | np.generic):
            return each.__array_function__(power, (type(each),), (x, p), {})
    with np.errstate(all="ignore"):
        value = _raised(np.asarray(x, dtype=np.float64), np.asarray(p, dtype=np.float64))
    return value.astype(np.result_type(x, p, np.float32))


def exp(x: Any) -> Any:
    """Return the exponential, within 1 ulp."""
    return np.exp(x)


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent, within 2 ulp."""
    return np.tanh(x)


def sinh(x: Any) -> Any:
    """Return the hyperbolic sine, within 2 ulp."""
    return np.sinh(x)


def cosh(x: Any) -> Any:
    """Return the hyperbolic cosine, within 2 ulp."""
    return np.cosh(x)


def sigmoid(x: Any) -> Any:
    """Return the logistic function ``1 / (1 + exp(-x))``, within 3 ulp, subnormal results included."""
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1.0) / (1.0 + e)


def log(x: Any) -> Any:
    """Return the natural logarithm, within 1 ulp; -inf for 0, NaN below."""
    return np.log(x)


def log1p(x: Any) -> Any:
    """Return ``log(1 + x)``, accurate near 0, within 1 ulp; -inf for -1, NaN below."""
    return np.log1p(x)


def log10(x: Any) -> Any:
    """Return the logarithm to base 10, within 2 ulp; -inf for 0, NaN below."""
    return np.log10(x)


def log2(x: Any) -> Any:
    """Return the logarithm to base 2, within 1 ulp; -inf for 0, NaN below."""
    return np.log2(x)


def softplus(x: Any) -> Any:
    """Return ``log(1 + exp(x))``, within 2 ulp, computed as ``max(x, 0) + log1p(exp(-|x|))``."""
    return np.where(x > 0, x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def erf(x: Any) -> Any:
    """Return the error function, ``2/√π`` times the integral of ``exp(-t²)`` from 0 to `x`, within 1 ulp.

    On arrays it is the C library's, entry by entry.
    """
    entries = np.asarray(x)
    values = np.fromiter(map(math.erf, entries.ravel().tolist()), np.result_type(entries, np.float32), entries.size)
    return values.reshape(entries.shape)[()]


def sin(x: Any) -> Any:
    """Return the sine, within 1 ulp (8 ulp nearest to large multiples of π) up to ``|x| = 2**45``; NaN for infinities.

    Beyond 2⁴⁵ (3.5·10¹³) numbers are 1/128 apart and more, and the sine is taken of the number with the same sign and
    significand between 2⁴⁴ and 2⁴⁵ instead, in arrays and lanes alike: a definite value in [-1, 1], but not sin x. A
    trajectory that is so far away goes on moving, as it would not if the value were a constant 0.
    """
    return np.sin(_folded(x))


def cos(x: Any) -> Any:
    """Return the cosine, as accurate as `sin` and with the same substitution beyond ``|x| = 2**45``."""
    return np.cos(_folded(x))


def tan(x: Any) -> Any:
    """Return the tangent, within 1 ulp (14 nearest to large multiples of π/2), with the substitution of `sin`."""
    return np.tan(_folded(x))


def asin(x: Any) -> Any:
    """Return the angle from −π/2 to π/2 whose sine is `x`, within 1 ulp; NaN beyond ±1."""
    return np.arcsin(x)


def acos(x: Any) -> Any:
    """Return the angle from 0 to π whose cosine is `x`, within 1 ulp; NaN beyond ±1."""
    return np.arccos(x)


def atan(x: Any) -> Any:
    """Return the angle from −π/2 to π/2 whose tangent is `x`, within 1 ulp."""
    return np.arctan(x)


def _folded(x: Any) -> Any:
    significand, _ = np.frexp(x)
    return np.where(np.abs(x) > TRIGONOMETRIC_LIMIT, significand * TRIGONOMETRIC_LIMIT, x)


# A power, in one text for arrays, lanes and pages. With x = 2ᵏ m, √½ < m <= √2, and s = (m − 1)/(m + 1) is
# log m = 2s (1 + z/3 + z²/5 + …), z = s². The exponential is 2ⁿ eʳ with |r| <= ln(2)/2. Errors of sums and products are
# computed as second numbers (Dekker, Numer. Math. 18, 1971).
_ROOT2, _ROUND = math.sqrt(2.0), 1.5 * 2.0**52  # the second, added and taken away, rounds to the nearest integer
_SMALLEST_NORMAL, _TINY, _TINY_BITS = 2.0**-1022, 2.0**54, 54.0
_SPLIT = 2.0**27 + 1.0  # times a number, it is what rounds that to its upper half
_LN2_HIGH, _LN2_LOW = float.fromhex("0x1.62e42fee00000p-1"), 1.9082149292705877e-10  # the first times 2¹¹ is exact
_LOG2_E = 1.4426950408889634
_LARGEST_EXPONENT = 2.0**70  # beyond, powers of any other number than 1 are 0 or infinite
_INFINITE, _NOTHING = 710.0, -746.0  # beyond, the exponential is so
_THIRD, _THIRD_LOW = 1.0 / 3.0, 2.0**-54 / 3.0
_ODD = tuple(1.0 / n for n in range(5, 27, 2))
_FACTORIALS = tuple(1.0 / math.factorial(n) for n in range(2, 14))


def _series(z: Any, coefficients: Any) -> Any:
    """Return Σ cᵢ zⁱ, by Horner's rule."""
    total = coefficients[len(coefficients) - 1]
    for i in range(len(coefficients) - 2, -1, -1):
        total = coefficients[i] + z * total
    return total


def _product(a: Any, b: Any) -> Any:
    """Return a·b rounded and the error of rounding it."""
    a_up, b_up, p = a * _SPLIT, b * _SPLIT, a * b
    a_high, b_high = a_up - (a_up - a), b_up - (b_up - b)
    a_low, b_low = a - a_high, b - b_high
    return p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low


def logarithm(given: Any) -> Any:
    """Return the natural logarithm of a finite number above 0 as a sum of two numbers."""
    tiny = given < _SMALLEST_NORMAL
    x = select(tiny, given * _TINY, given)
    upper = mantissa(x) > _ROOT2
    k = exponent(x) - select(tiny, _TINY_BITS, 0.0) + select(upper, 1.0, 0.0)
    f = select(upper, 0.5 * mantissa(x), mantissa(x)) - 1.0
    d = 2.0 + f
    s = f / d
    p, p_low = _product(s, d)
    s_low = (((f - p) - p_low) - s * (f - (d - 2.0))) / d
    z, z_error = _product(s, s)
    z_low = z_error + 2.0 * s * s_low
    q = z * _series(z, _ODD)
    a = _THIRD + q
    a_low = _THIRD_LOW + (q - (a - _THIRD))
    t, t_error = _product(z, a)
    t_low = t_error + (z * a_low + z_low * a)
    u, u_error = _product(s, t)
    u_low = u_error + (s * t_low + s_low * t)
    half = s + u
    half_low = (u - (half - s)) + (u_low + s_low)
    whole = k * _LN2_HIGH
    high = whole + 2.0 * half
    low = (2.0 * half - (high - whole)) + (2.0 * half_low + k * _LN2_LOW)
    total = high + low
    return total, low - (total - high)


def _exponential(given: Any, given_low: Any) -> Any:
    """Return e to the power of a sum of two numbers, rounded once unless it is subnormal."""
    inside = (given <= _INFINITE) & (given >= _NOTHING)
    v = select(given > _INFINITE, _INFINITE, select(given < _NOTHING, _NOTHING, given))
    n = (v * _LOG2_E + _ROUND) - _ROUND
    near, rest = v - n * _LN2_HIGH, n * _LN2_LOW - select(inside, given_low, 0.0)
    r = near - rest
    small = r * r * _series(r, _FACTORIALS) + ((near - r) - rest)
    w = r + small
    e = 1.0 + w
    y = e + ((w - (e - 1.0)) + (small - (w - r)))
    half = (0.5 * n + _ROUND) - _ROUND
    return y * power_of_two(half) * power_of_two(n - half)


def _raised(x: Any, p: Any) -> Any:
    """Return xᵖ of numbers of double precision."""
    inside = (x > 0.0) & (x < math.inf)
    log, log_low = logarithm(select(inside, x, 1.0))
    bounded = select(p > _LARGEST_EXPONENT, _LARGEST_EXPONENT, select(p < -_LARGEST_EXPONENT, -_LARGEST_EXPONENT, p))
    v, v_low = _product(log, bounded)
    at_zero, at_infinity = select(p > 0.0, 0.0, math.inf), select(p > 0.0, math.inf, 0.0)
    at_end = select(x == 0.0, at_zero, select(x > 0.0, at_infinity, math.nan))
    y = select(inside, _exponential(v, v_low + log_low * bounded), at_end)
    return select((p == 0.0) | (x == 1.0), 1.0, select((x != x) | (p != p), math.nan, y))


POWER_PARTS = (_series, _product, logarithm, _exponential, _raised)
"""The functions that a power is made of; the last is the power."""
