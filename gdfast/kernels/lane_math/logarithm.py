"""log, log10, log2, log1p and softplus.

All of them end in log(2ᵏ (1 + f)) = k ln 2 + log(1 + f) with √½ <= 1 + f < √2, and the method of fdlibm (Sun
Microsystems, 1993, e_log.c): with s = f / (2 + f), log(1 + f) = log((1 + s) / (1 − s)) = 2s + s R(s²), and, since
2s = f − s f, log(1 + f) = f − (f²/2 − s (f²/2 + R)), which rounds well. For another base the logarithm of 1 + f is
taken as a sum of two numbers, and so is what it is multiplied by (FreeBSD, e_log10.c and e_log2.c).
"""

import math
import sys

from numba.extending import register_jitable

from gdfast.formulas import elementary
from gdfast.kernels.forms import compiled_form
from gdfast.kernels.lane_math.exponential import SMALLEST, exp_parts
from gdfast.kernels.lane_math.parts import (
    BIAS,
    LN2_HIGH,
    LN2_LOW,
    MANTISSA,
    bits_to_float,
    float_to_bits,
    halves,
    polynomial,
    sum_of,
    sum_of_any,
    two_powers,
)
from gdfast.kernels.options import INLINED

# R(z) / z on z = s² <= ((√2 − 1) / (√2 + 1))², within 2⁻⁵⁸ of the logarithm
LOG = (
    0.6666666666666734,
    0.3999999999941355,
    0.2857142874266267,
    0.2222219854263824,
    0.1818356602782009,
    0.15314004230958994,
    0.14796439865220914,
)

# 1 / ln 10 and 1 / ln 2 in two parts, the high one of 26 bits, and the logarithm of 2 to base 10, the high one of 41
# bits, so that it is exact times every exponent.
_PER_LN10_HIGH, _PER_LN10_LOW = float.fromhex("0x1.bcb7b10000000p-2"), 4.798111141615973e-09
_PER_LN2_HIGH, _PER_LN2_LOW = float.fromhex("0x1.7154760000000p+0"), 1.9259629911266175e-08
_LOG10_2_HIGH, _LOG10_2_LOW = float.fromhex("0x1.34413509f7000p-2"), 1.42050232272661e-13

_ROOT_HALF = 0x3FE6A09E667F3BCD  # bits of √½
_EXPONENT = -(2**52)  # bits of sign and exponent
_TWO_52 = 0x4330000000000000  # bits of 2**52: with an integer below 2**52 added, those of 2**52 + integer
_SMALLEST_NORMAL, _LARGEST = 2.0**-1022, sys.float_info.max


@register_jitable(**INLINED)
def _log1p_parts(f):
    """Return s, f²/2 and s (f²/2 + R) for f = −0.3 … 0.42."""
    s = f / (2.0 + f)
    z = s * s
    half_square = 0.5 * f * f
    return s, half_square, s * (half_square + z * polynomial(z, LOG))


@register_jitable(**INLINED)
def _joined(k, f, half_square, rest):
    """Return k ln 2 + log(1 + f) from the parts."""
    return k * LN2_HIGH - ((half_square - (rest + k * LN2_LOW)) - f)


@register_jitable(**INLINED)
def _reduced(x):
    """Return k and m with x = 2ᵏ m, √½ <= m < √2, for positive normal x."""
    bits = float_to_bits(x)
    above = bits - _ROOT_HALF
    m = bits_to_float(bits - (above & _EXPONENT))
    # The exponent + BIAS is positive; as the low bits of 2**52 it becomes a number.
    k = bits_to_float(((above + (BIAS << MANTISSA)) >> MANTISSA) + _TWO_52) - (2.0**52 + BIAS)
    return k, m


@register_jitable(**INLINED)
def _parts(x):
    """Return k and f with x = 2ᵏ (1 + f), √½ <= 1 + f < √2, for x > 0."""
    tiny = x < _SMALLEST_NORMAL
    k, m = _reduced(x * 2.0**54 if tiny else x)
    return (k - 54.0 if tiny else k), m - 1.0


@register_jitable(**INLINED)
def _or_end(x, y):
    """A logarithm y of x, or what it is where x is no positive finite number."""
    y = y if x <= _LARGEST else x  # infinity or NaN
    y = -math.inf if x == 0.0 else y
    return math.nan if x < 0.0 else y


@register_jitable(**INLINED)
def _to_base(f, high, low):
    """Return log(1 + f) times high + low, as a product without error and a correction."""
    _, half_square, rest = _log1p_parts(f)
    first, _ = halves(f - half_square)
    second = ((f - first) - half_square) + rest
    return first * high, (second + first) * low + second * high


@compiled_form(elementary.log)
def _log(x):
    """Logarithm, within 0.84 ulp."""
    k, f = _parts(x)
    _, half_square, rest = _log1p_parts(f)
    return _or_end(x, _joined(k, f, half_square, rest))


@compiled_form(elementary.log10)
def _log10(x):
    """Logarithm to base 10, within 0.7 ulp."""
    k, f = _parts(x)
    product, small = _to_base(f, _PER_LN10_HIGH, _PER_LN10_LOW)
    y, y_low = sum_of_any(k * _LOG10_2_HIGH, product)
    return _or_end(x, y + (y_low + (small + k * _LOG10_2_LOW)))


@compiled_form(elementary.log2)
def _log2(x):
    """Logarithm to base 2, within 0.7 ulp."""
    k, f = _parts(x)
    product, small = _to_base(f, _PER_LN2_HIGH, _PER_LN2_LOW)
    y, y_low = sum_of_any(k, product)
    return _or_end(x, y + (y_low + small))


@compiled_form(elementary.log1p)
def _log1p(x):
    """Logarithm of 1 + x, whose rounding error goes into f, within 1.33 ulp."""
    above = x >= 1.0
    u, low = sum_of(x if above else 1.0, 1.0 if above else x)
    k, m = _reduced(u)
    # 1 + f = 2⁻ᵏ (u + low). For k = 0 the sum is exact: then f = x.
    shrink = bits_to_float(float_to_bits(m) - float_to_bits(u) + (BIAS << MANTISSA))
    f = (m - 1.0) + (low * shrink if x < 2.0**60 else 0.0)
    _, half_square, rest = _log1p_parts(f)
    y = _joined(k, f, half_square, rest)
    y = y if (x <= _LARGEST) & (x != 0.0) else x  # infinity, NaN, or 0 with its sign
    y = -math.inf if x == -1.0 else y
    return math.nan if x < -1.0 else y


@compiled_form(elementary.softplus)
def _softplus(x):
    """Softplus as max(x, 0) + log(1 + e) with e = e^(−|x|), within 1.43 ulp."""
    y = -abs(x)
    shifted, p, p_low = exp_parts(SMALLEST if y < SMALLEST else y)
    one, other = two_powers(shifted)
    e, e_low = p * one * other, p_low * one * other
    doubled = e > math.sqrt(2.0) - 1.0  # then 1 + e = 2 (1 + f)
    f, f_low = (0.5 * (e - 1.0) if doubled else e), (0.5 * e_low if doubled else e_low)
    s, half_square, rest = _log1p_parts(f)
    # d log(1 + f) = df / (1 + f), and 1 / (1 + f) = (1 − s) / (1 + s) = 1 − 2s + 2s² …
    rest += f_low * (1.0 - 2.0 * s * (1.0 - s))
    y = _joined(1.0 if doubled else 0.0, f, half_square, rest)
    return (x if x > 0.0 else 0.0) + y
