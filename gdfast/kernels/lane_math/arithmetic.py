"""Selection, absolute value and sign, larger and smaller, square and cube root, parts of a number, powers."""

import math

from numba import float64, int64
from numba.extending import register_jitable

from gdfast.formulas import elementary
from gdfast.kernels.forms import FORMS, compiled_form, compiled_forms
from gdfast.kernels.lane_math.parts import bits_to_float, choose, float_to_bits, square_root
from gdfast.kernels.numba_internals import compile_as
from gdfast.kernels.options import INLINED

# As the argument of a function that calls it, the condition would be a byte, and the choice be made anew of it, without
# what is said of it.
compile_as(choose, elementary.select)
FORMS[elementary.select] = lambda *_: choose


@compiled_form(elementary.sqrt)
def _sqrt(x):
    return square_root(x)


@compiled_forms(elementary.square_scale)
def _square_scale(x):
    high, shrink, low, grow = elementary.SQUARE_SCALES[x.name]
    one = grow / grow

    def lanes(x):
        return choose(x > high, shrink, choose(x < low, grow, one))

    return lanes


@compiled_forms(elementary.square_unit)
def _square_unit(x):
    high, shrink, low, grow = elementary.SQUARE_SCALES[x.name]
    large, small, one = 1 / shrink, 1 / grow, grow / grow

    def lanes(x):
        return choose(x > high, large, choose(x < low, small, one))

    return lanes


@compiled_form(elementary.absolute)
def _absolute(x):
    return abs(x)


@compiled_form(elementary.maximum)
def _maximum(a, b):
    return choose((a >= b) | (a != a), a, b)


@compiled_form(elementary.sign)
def _sign(x):
    return choose(x > 0.0, 1.0, choose(x < 0.0, -1.0, choose(x == 0.0, 0.0, x)))


@compiled_form(elementary.minimum)
def _minimum(a, b):
    return choose((a <= b) | (a != a), a, b)


_SHARE, _OFFSET, _ROUNDS = elementary.CUBE_ROOT_SHARE, elementary.CUBE_ROOT_OFFSET, elementary.CUBE_ROOT_ROUNDS


@compiled_form(elementary.cube_root)
def _cube_square_root(x):
    inside = (x > 0.0) & (x < math.inf)
    z = x if inside else 1.0
    y = bits_to_float(int64(float64(float_to_bits(z)) * _SHARE + _OFFSET))
    for _ in range(_ROUNDS):
        cube = y * y * y
        y = y * ((cube + 2.0 * z) / (2.0 * cube + z))
    return y if inside else x


@compiled_form(elementary.exponent)
def _exponent(x):
    return float64((float_to_bits(x) >> 52) - 1023)


@compiled_form(elementary.mantissa)
def _mantissa(x):
    return bits_to_float((float_to_bits(x) & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000)


_SHIFT = elementary.POWER_SHIFT


@compiled_form(elementary.power_of_two)
def _power_of_two(k):
    return bits_to_float(float_to_bits(k + _SHIFT) << 52)


for _part in elementary.POWER_PARTS:
    register_jitable(**INLINED)(_part)
raised = elementary.POWER_PARTS[-1]


@compiled_form(elementary.power)
def _power(x, p):
    return raised(float64(x), float64(p))
