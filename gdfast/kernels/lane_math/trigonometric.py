"""Sine, cosine and tangent, with the argument reduced by π/2 to more than 150 bits."""

import math

from numba.extending import register_jitable

from gdfast.formulas import elementary
from gdfast.kernels.forms import compiled_form
from gdfast.kernels.lane_math.parts import (
    ROUND,
    SIGN,
    bits_to_float,
    float_to_bits,
    halves,
    polynomial,
    product_of,
    sum_of,
    sum_of_any,
)
from gdfast.kernels.options import INLINED

_TWO_OVER_PI = 0.6366197723675814
# π/2 as a sum of three numbers, 163 bits; the first two also in halves.
_FIRST, _SECOND, _THIRD = float.fromhex("0x1.921fb54442d18p+0"), 6.123233995736766e-17, -1.4973849048591698e-33
_FIRST_HIGH, _FIRST_LOW = float.fromhex("0x1.921fb50000000p+0"), float.fromhex("0x1.110b460000000p-26")
_SECOND_HIGH, _SECOND_LOW = float.fromhex("0x1.1a62630000000p-54"), float.fromhex("0x1.8a2e038000000p-81")

_SMALL = 2.0**-27  # sin x rounds to x below
_LIMIT = elementary.TRIGONOMETRIC_LIMIT
_SIGN_AND_FRACTION = SIGN | (2**52 - 1)
_LAST_EXPONENT = (1023 + round(math.log2(_LIMIT)) - 1) << 52

# (sin r − r) / r³ and (cos r − 1 + z/2) / z² in z = r², |r| <= 0.79, within 2⁻⁵⁷ of sine and cosine
SIN = (
    -0.1666666666666663,
    0.00833333333332177,
    -0.00019841269829269949,
    2.7557313498437437e-06,
    -2.5050726838372048e-08,
    1.5894930340860145e-10,
)
COS = (
    0.04166666666666659,
    -0.001388888888887209,
    2.4801587288234806e-05,
    -2.75573139974049e-07,
    2.0875675648751076e-09,
    -1.1357209250451382e-11,
)


@register_jitable(**INLINED)
def _reduced(x):
    """Return n (in the low bits of an integer) and r as a sum of two numbers, x = n π/2 + r, |r| <= 0.79.

    Numbers beyond the limit are first replaced by those of the same sign and significand in the last binade below it.
    """
    folded = bits_to_float((float_to_bits(x) & _SIGN_AND_FRACTION) | _LAST_EXPONENT)
    x = folded if abs(x) > _LIMIT else x
    shifted = x * _TWO_OVER_PI + ROUND
    n = shifted - ROUND
    n_high, n_low = halves(n)
    a, a_low = product_of(n, n_high, n_low, _FIRST, _FIRST_HIGH, _FIRST_LOW)
    b, b_low = product_of(n, n_high, n_low, _SECOND, _SECOND_HIGH, _SECOND_LOW)
    # x − a is exact. Near a multiple of π/2 the sum's leading places cancel, exactly, and the last terms are left.
    r, first = sum_of_any(x - a, -a_low)
    r, second = sum_of_any(r, -b)
    r, r_low = sum_of_any(r, (first + second) - (b_low + n * _THIRD))
    return float_to_bits(shifted), r, r_low


@register_jitable(**INLINED)
def _wave(quadrant, r, r_low):
    """Sine of ``quadrant π/2 + r``: ± sin r or ± cos r, each as in fdlibm (Sun Microsystems, 1993)."""
    z = r * r
    half = 0.5 * z
    sine = r + (r * z * polynomial(z, SIN) + r_low * (1.0 - half))
    w = 1.0 - half
    cosine = w + (((1.0 - w) - half) + (z * z * polynomial(z, COS) - r * r_low))
    y = cosine if quadrant & 1 else sine
    return bits_to_float(float_to_bits(y) ^ ((quadrant & 2) << 62))


@compiled_form(elementary.sin)
def _sin(x):
    """Sine, within 0.83 ulp up to the limit."""
    n, r, r_low = _reduced(x)
    y = _wave(n, r, r_low)
    y = x if abs(x) < _SMALL else y  # with its sign, if 0
    return y if abs(x) < math.inf else math.nan


@compiled_form(elementary.cos)
def _cos(x):
    """Cosine, within 0.83 ulp up to the limit."""
    n, r, r_low = _reduced(x)
    y = _wave(n + 1, r, r_low)
    return y if abs(x) < math.inf else math.nan


@compiled_form(elementary.tan)
def _tan(x):
    """Tangent as sine over cosine or −cosine over sine, each a sum of two numbers, within 1 ulp up to the limit."""
    n, r, r_low = _reduced(x)
    z = r * r
    half = 0.5 * z
    sine, sine_low = sum_of(r, r * z * polynomial(z, SIN) + r_low * (1.0 - half))
    w = 1.0 - half
    cosine, cosine_low = sum_of(w, ((1.0 - w) - half) + (z * z * polynomial(z, COS) - r * r_low))
    odd = (n & 1) == 1
    a, a_low = (-cosine if odd else sine), (-cosine_low if odd else sine_low)
    b, b_low = (sine if odd else cosine), (sine_low if odd else cosine_low)
    t = a / b
    t_high, t_rest = halves(t)
    b_high, b_rest = halves(b)
    p, p_low = product_of(t, t_high, t_rest, b, b_high, b_rest)
    y = t + (((a - p) - p_low) + (a_low - t * b_low)) / b
    y = x if abs(x) < _SMALL else y  # with its sign, if 0
    return y if abs(x) < math.inf else math.nan
