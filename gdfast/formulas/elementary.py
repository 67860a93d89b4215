"""The functions that a rule or a formula may call besides ``+ - * /``.

On arrays they are NumPy, and `math.erf` for `erf`, which NumPy lacks. In compiled lanes they have the same meaning and,
up to `cube_root`, the same bits. From `exp` on, array and lane differ by rounding: by 4 units in the last place (ulp)
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
