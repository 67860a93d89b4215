"""Selection, absolute value and sign, larger and smaller, square and cube root, parts of a number."""

import math

from numba import float64, int64
from numba.extending import overload

from gdfast.formulas import elementary
from gdfast.kernels.lane_math.parts import bits_to_float, choose, float_to_bits, square_root
from gdfast.kernels.numba_internals import compile_as
from gdfast.kernels.options import INLINED

# As the argument of a function that calls it, the condition would be a byte, and the choice be made anew of it, without
# what is said of it.
compile_as(choose, elementary.select)


@overload(elementary.sqrt, jit_options=INLINED)
def _sqrt(x):
    return lambda x: square_root(x)


@overload(elementary.square_scale, jit_options=INLINED)
def _square_scale(x):
    high, shrink, low, grow = elementary.SQUARE_SCALES[x.name]
    one = grow / grow
    return lambda x: choose(x > high, shrink, choose(x < low, grow, one))


@overload(elementary.square_unit, jit_options=INLINED)
def _square_unit(x):
    high, shrink, low, grow = elementary.SQUARE_SCALES[x.name]
    large, small, one = 1 / shrink, 1 / grow, grow / grow
    return lambda x: choose(x > high, large, choose(x < low, small, one))


@overload(elementary.absolute, jit_options=INLINED)
def _absolute(x):
    return lambda x: abs(x)


@overload(elementary.maximum, jit_options=INLINED)
def _maximum(a, b):
    return lambda a, b: choose((a >= b) | (a != a), a, b)


@overload(elementary.sign, jit_options=INLINED)
def _sign(x):
    return lambda x: choose(x > 0.0, 1.0, choose(x < 0.0, -1.0, choose(x == 0.0, 0.0, x)))


@overload(elementary.minimum, jit_options=INLINED)
def _minimum(a, b):
    return lambda a, b: choose((a <= b) | (a != a), a, b)


_SHARE, _OFFSET, _ROUNDS = elementary.CUBE_ROOT_SHARE, elementary.CUBE_ROOT_OFFSET, elementary.CUBE_ROOT_ROUNDS


@overload(elementary.cube_root, jit_options=INLINED)
def _cube_square_root(x):
    def lanes(x):
        inside = (x > 0.0) & (x < math.inf)
        z = x if inside else 1.0
        y = bits_to_float(int64(float64(float_to_bits(z)) * _SHARE + _OFFSET))
        for _ in range(_ROUNDS):
            cube = y * y * y
            y = y * ((cube + 2.0 * z) / (2.0 * cube + z))
        return y if inside else x

    return lanes


@overload(elementary.exponent, jit_options=INLINED)
def _exponent(x):
    return lambda x: float64((float_to_bits(x) >> 52) - 1023)


@overload(elementary.mantissa, jit_options=INLINED)
def _mantissa(x):
    return lambda x: bits_to_float((float_to_bits(x) & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000)
