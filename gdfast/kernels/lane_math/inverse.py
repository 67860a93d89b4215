"""The inverses of sine, cosine and tangent, by the methods of fdlibm (Sun Microsystems, 1993, e_asin.c, s_atan.c).

For |x| < ½, asin x = x + x z R(z) with z = x². Beyond, asin x = π/2 − 2 asin √((1 − |x|)/2), where the root is a sum of
two numbers. An arctangent is that of a point nearby, ½, 1, 1½ or infinity, and that of a quotient of at most 7/16.
"""

import math

from numba.extending import register_jitable

from gdfast.formulas import elementary
from gdfast.kernels.forms import compiled_form
from gdfast.kernels.lane_math.parts import choose, halves, polynomial, square_root, with_sign_of
from gdfast.kernels.options import INLINED

_HALF_PI, _HALF_PI_LOW = 0.5 * math.pi, 6.123233995736766e-17
_QUARTER_PI = 0.25 * math.pi
# The arctangents of ½, 1 and 1½, each in two parts.
_AT_HALF, _AT_HALF_LOW = 0.4636476090008061, 2.2698777452961687e-17
_AT_ONE, _AT_ONE_LOW = _QUARTER_PI, 3.061616997868383e-17
_AT_THREE_HALVES, _AT_THREE_HALVES_LOW = 0.982793723247329, 1.3903311031230998e-17

# (asin(s) / s − 1) / z in z = s² <= ¼, and (atan(s) / s − 1) / z in z = s² <= (7/16)², within 2⁻⁵⁷ of asin and atan
ASIN = (
    0.16666666666666763,
    0.07499999999970261,
    0.04464285717512134,
    0.03038194268361708,
    0.022372215659913222,
    0.017351600102487545,
    0.013980961304488082,
    0.011397777224737985,
    0.010786522343392932,
    0.003683065555824704,
    0.021763447277468144,
    -0.021077227287942996,
    0.032676854513629595,
)
ATAN = (
    -0.3333333333333293,
    0.19999999999876167,
    -0.14285714272480823,
    0.11111110404617675,
    -0.09090887114689847,
    0.07691875941552037,
    -0.06661070729554473,
    0.05833555862273405,
    -0.04976825065165639,
    0.03653045651941157,
    -0.016284798426507513,
)


@register_jitable(**INLINED)
def _sine_parts(x):
    """Return whether |x| >= ½, the sine s there of the half angle and its last places, and z R(z)."""
    a = abs(x)
    outer = a >= 0.5
    z = choose(outer, 0.5 * (1.0 - a), a * a)
    root = square_root(z)
    high, _ = halves(root)
    total = root + high
    low = (z - high * high) / choose(total == 0.0, 1.0, total)
    return outer, root, high, low, z * polynomial(z, ASIN)


@compiled_form(elementary.asin)
def _asin(x):
    """Inverse sine, within 0.9 ulp."""
    outer, root, high, low, r = _sine_parts(x)
    a = abs(x)
    far = _QUARTER_PI - ((2.0 * root * r - (_HALF_PI_LOW - 2.0 * low)) - (_QUARTER_PI - 2.0 * high))
    return with_sign_of(x, choose(outer, far, a + a * r))


@compiled_form(elementary.acos)
def _acos(x):
    """Inverse cosine, within 0.9 ulp."""
    outer, root, high, low, r = _sine_parts(x)
    near = _HALF_PI - (x - (_HALF_PI_LOW - x * r))
    right = 2.0 * (high + (root * r + low))
    left = math.pi - 2.0 * (root + (root * r - _HALF_PI_LOW))
    return choose(outer, choose(x > 0.0, right, left), near)


@compiled_form(elementary.atan)
def _atan(x):
    """Inverse tangent, within 0.9 ulp."""
    a = abs(x)
    first, second, third, fourth = a < 0.4375, a < 0.6875, a < 1.1875, a < 2.4375
    n = choose(third, choose(second, choose(first, a, 2.0 * a - 1.0), a - 1.0), choose(fourth, a - 1.5, -1.0))
    d = choose(third, choose(second, choose(first, 1.0, 2.0 + a), a + 1.0), choose(fourth, 1.0 + 1.5 * a, a))
    high = choose(
        third,
        choose(second, choose(first, 0.0, _AT_HALF), _AT_ONE),
        choose(fourth, _AT_THREE_HALVES, _HALF_PI),
    )
    low = choose(
        third,
        choose(second, choose(first, 0.0, _AT_HALF_LOW), _AT_ONE_LOW),
        choose(fourth, _AT_THREE_HALVES_LOW, _HALF_PI_LOW),
    )
    t = n / d
    z = t * t
    return with_sign_of(x, high + (t + (t * z * polynomial(z, ATAN) + low)))
