"""exp, the hyperbolic functions and the logistic sigmoid.

exp, sinh, cosh and the sigmoid start from eˣ = 2ᵏ (1 + v), with k = x / ln 2 rounded and v = eʳ − 1 for r = x − k ln 2,
|r| <= ln(2)/2.
"""

import sys

from numba.extending import register_jitable

from gdfast.formulas import elementary
from gdfast.kernels.forms import compiled_form
from gdfast.kernels.lane_math.parts import (
    LN2_HIGH,
    LN2_LOW,
    ROUND_BIASED,
    polynomial,
    power_of_two,
    sum_of,
    two_powers,
    with_sign_of,
)
from gdfast.kernels.options import INLINED

_LOG2_E = 1.4426950408889634
LARGEST, SMALLEST = 710.0, -746.0  # beyond these ends exp is inf or 0
_MOST = sys.float_info.max
_TANH_END, _TANH_NEAR = 20.0, 0.7  # tanh rounds to 1 beyond the first
_SINH_END, _SINH_NEAR = 711.0, 1.0  # sinh and cosh are infinite beyond the first

# (eʳ − 1 − r) / r² on |r| <= ln(2)/2, within 2⁻⁵⁷ of eʳ and 2⁻⁵⁵ of eʳ − 1
EXP = (
    0.5000000000000006,
    0.16666666666666685,
    0.04166666666657369,
    0.008333333333314617,
    0.0013888888932357215,
    0.00019841269902969122,
    2.480150447311139e-05,
    2.7557228015577942e-06,
    2.7626315280769527e-07,
    2.5114451305967164e-08,
)

# (tanh(s) / s − 1) / z is p / q in z = s² <= 0.7², within 2⁻⁵⁶ of the tangent; q's last coefficient is 1
TANH_P = (-1616.1900732673341, -99.3604722952242, -0.9644276458832869)
TANH_Q = (4848.570219802008, 2237.509504806252, 112.89047784767673)

# (sinh(s) / s − 1) / z in z = s² <= 1, within 2⁻⁵⁶ of the sine
SINH = (
    0.16666666666666669,
    0.008333333333333139,
    0.00019841269841437678,
    2.7557319155337874e-06,
    2.505212339841286e-08,
    1.605724035120052e-10,
    7.759311930579224e-13,
)


# A cubic with adapted coefficients (Knuth, *The Art of Computer Programming* 2, section 4.6.4) takes one product less:
# c₄ + c₅r + c₆r² + c₇r³ = c₇ ((r + c₆/c₇)(r² + c₅/c₇) + c₄/c₇ − c₅c₆/c₇²). It rounds worse, which only the first
# four terms of the series would feel. The last two terms are divided by c₇ too.
_A, _B, _C = EXP[6] / EXP[7], EXP[5] / EXP[7], EXP[4] / EXP[7] - EXP[6] / EXP[7] * (EXP[5] / EXP[7])
_C8, _C9 = EXP[8] / EXP[7], EXP[9] / EXP[7]


@register_jitable(**INLINED)
def _beyond_linear(r):
    """Return eʳ − 1 − r."""
    square = r * r
    fourth = square * square
    first = (EXP[0] + EXP[1] * r) + (EXP[2] + EXP[3] * r) * square
    second = (r + _A) * (square + _B) + _C
    return square * (first + (second + (_C8 + _C9 * r) * fourth) * (EXP[7] * fourth))


@register_jitable(**INLINED)
def _reduced(x):
    """Return k (as ``k + ROUND_BIASED``) and v = eʳ − 1 as a sum of two numbers, the first of them exact."""
    shifted = x * _LOG2_E + ROUND_BIASED
    k = shifted - ROUND_BIASED
    # r in two parts: k times the high part of ln 2 and its difference from x are exact.
    near, rest = x - k * LN2_HIGH, k * LN2_LOW
    r = near - rest
    return shifted, near, _beyond_linear(r) - rest


@register_jitable(**INLINED)
def exp_parts(x):
    """Return k (as ``k + ROUND_BIASED``) and 1 + v = eʳ as a sum of two numbers."""
    shifted, near, small = _reduced(x)
    v, v_low = sum_of(near, small)
    p, p_low = sum_of(1.0, v)
    return shifted, p, p_low + v_low


@compiled_form(elementary.exp)
def _exp(x):
    """Exponential as 2ᵏ (1 + v), within 0.94 ulp."""
    y = LARGEST if x > LARGEST else x
    shifted, near, small = _reduced(y)
    one, other = two_powers(shifted)
    return 0.0 if x < SMALLEST else (1.0 + (near + small)) * one * other


@compiled_form(elementary.tanh)
def _tanh(x):
    """Hyperbolic tangent by its rational approximation T = z p / q, within 1.53 ulp.

    For |x| < 0.7 it is s + s T with s = |x|. Beyond, s = |x| − k ln(2)/2 and eˢ/e⁻ˢ = (q + S) / (q − S) with
    S = s q (1 + T), so that the tangent is 1 − 2 / (2ᵏ (q + S) / (q − S) + 1). Either way one division is all.
    """
    y = abs(x)
    y = _TANH_END if y > _TANH_END else y
    near = y < _TANH_NEAR
    shifted = (0.0 if near else y) * (2.0 * _LOG2_E) + ROUND_BIASED
    k = shifted - ROUND_BIASED
    s = (y - k * (0.5 * LN2_HIGH)) - k * (0.5 * LN2_LOW)
    z = s * s
    p = s * z * (TANH_P[0] + (TANH_P[1] + TANH_P[2] * z) * z)
    q = (TANH_Q[0] + TANH_Q[1] * z) + (TANH_Q[2] + z) * (z * z)
    sine = s * q + p
    above, below = q + sine, q - sine
    base, n = (s, p) if near else (1.0, -2.0 * below)
    d = q if near else above * power_of_two(shifted) + below
    return with_sign_of(x, base + n / d)


@register_jitable(**INLINED)
def _two_halves(x):
    """Return e^|x| / 2 as a sum of two numbers, and e^−|x| / 2, for |x| up to beyond where the first is infinite."""
    y = abs(x)
    shifted, p, p_low = exp_parts(_SINH_END if y > _SINH_END else y)
    one, other = two_powers(shifted)
    large, low = 0.5 * p * one * other, 0.5 * p_low * one * other
    small = 0.25 / large
    return large, low, small - small * (low / large)


@compiled_form(elementary.sinh)
def _sinh(x):
    """Hyperbolic sine as s + s z P(z), z = s², for s = |x| < 1, and (eˢ − e⁻ˢ) / 2 beyond, within 0.9 ulp."""
    s = abs(x)
    s = s if s < _SINH_NEAR else 0.0
    z = s * s
    near = s + s * z * polynomial(z, SINH)
    large, low, small = _two_halves(x)
    y, rest = sum_of(large, -small)
    far = y + (rest + low)
    far = large if large > _MOST else far
    return with_sign_of(x, near if abs(x) < _SINH_NEAR else far)


@compiled_form(elementary.cosh)
def _cosh(x):
    """Hyperbolic cosine as (e^|x| + e^−|x|) / 2, within 0.8 ulp."""
    large, low, small = _two_halves(x)
    y, rest = sum_of(large, small)
    return large if large > _MOST else y + (rest + low)


@compiled_form(elementary.sigmoid)
def _sigmoid(x):
    """Sigmoid as 1 / (1 + e) for x >= 0 and e / (1 + e) for x < 0, with e = e^(−|x|), within 1.14 ulp."""
    y = -abs(x)
    shifted, p, p_low = exp_parts(SMALLEST if y < SMALLEST else y)
    one, other = two_powers(shifted)
    d, d_low = sum_of(1.0, p * one * other)
    d_low += p_low * one * other
    # The numerator of x < 0 is p; the power of two is multiplied to the quotient, which may become subnormal.
    left = x < 0.0
    n, n_low = (p if left else 1.0), (p_low if left else 0.0)
    t = n / d
    # To first order, with 1 / d = t for x >= 0 and 1 − 2ᵏ t for x < 0.
    inverse = 1.0 - t * one * other if left else t
    t += (n_low - t * d_low) * inverse
    return t * one * other if left else t
