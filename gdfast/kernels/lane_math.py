"""The functions of `gdfast.elementary` in compiled lanes: branch-free, so that a lane loop vectorizes."""

import math

from numba import float64, int64
from numba.core import types
from numba.extending import intrinsic, overload, register_jitable

from gdfast import elementary

# exp: x = k ln 2 + r with |r| <= ln(2)/2. The high part of ln 2 has 32 trailing zero bits, so that k times it is
# exact for every k that occurs; the low part is the rest.
_LOG2_E = 1.4426950408889634
_LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
_LN2_LOW = 1.9082149292705877e-10
_ROUND = 1.5 * 2.0**52  # adding and subtracting it rounds to the nearest integer
_EXP_TERMS = tuple(1.0 / math.factorial(k) for k in range(13, 1, -1))


@intrinsic
def _bits_to_float(typing_context, bits):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return float64(int64), generate


@intrinsic
def _float_to_bits(typing_context, value):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.int64))

    return int64(float64), generate


@register_jitable
def _power_of_two(shifted):
    # The low bits of `integer + _ROUND` are the integer; moved to the exponent's place they make 2**integer.
    return _bits_to_float((_float_to_bits(shifted) + 1023) << 52)  # type: ignore[call-arg]


@overload(elementary.exp)
def _exp(x):
    def lanes(x):
        # Beyond these ends the result is inf or 0 whatever the argument; NaN passes through both.
        y = 710.0 if x > 710.0 else x
        y = -746.0 if y < -746.0 else y
        k = (y * _LOG2_E + _ROUND) - _ROUND
        r = (y - k * _LN2_HIGH) - k * _LN2_LOW
        p = _EXP_TERMS[0]
        for i in range(1, len(_EXP_TERMS)):
            p = p * r + _EXP_TERMS[i]
        p = 1.0 + (r + (r * r) * p)
        # 2**k in two factors, since k may be past the exponents of normal numbers at either end.
        half = (0.5 * k + _ROUND) - _ROUND
        return p * _power_of_two(half + _ROUND) * _power_of_two((k - half) + _ROUND)

    return lanes


@overload(elementary.select)
def _select(condition, yes, no):
    return lambda condition, yes, no: yes if condition else no


@overload(elementary.sqrt)
def _sqrt(x):
    return lambda x: math.sqrt(x)


@overload(elementary.absolute)
def _absolute(x):
    return lambda x: abs(x)


@overload(elementary.maximum)
def _maximum(a, b):
    return lambda a, b: a if (a >= b) | (a != a) else b


@overload(elementary.sign)
def _sign(x):
    return lambda x: 1.0 if x > 0.0 else (-1.0 if x < 0.0 else (0.0 if x == 0.0 else x))


@overload(elementary.minimum)
def _minimum(a, b):
    return lambda a, b: a if (a <= b) | (a != a) else b


_SHARE, _OFFSET, _ROUNDS = elementary.CUBE_ROOT_SHARE, elementary.CUBE_ROOT_OFFSET, elementary.CUBE_ROOT_ROUNDS


@overload(elementary.cube_root)
def _cube_root(x):
    def lanes(x):
        inside = (x > 0.0) & (x < math.inf)
        z = x if inside else 1.0
        y = _bits_to_float(int64(float64(_float_to_bits(z)) * _SHARE + _OFFSET))  # type: ignore
        for _ in range(_ROUNDS):
            cube = y * y * y
            y = y * ((cube + 2.0 * z) / (2.0 * cube + z))
        return y if inside else x

    return lanes


@overload(elementary.tanh)
def _tanh(x):
    return lambda x: math.tanh(x)


@overload(elementary.sigmoid)
def _sigmoid(x):
    def lanes(x):
        e = math.exp(-abs(x))
        return (e if x < 0 else 1.0) / (1.0 + e)

    return lanes


@overload(elementary.log)
def _log(x):
    return lambda x: math.log(x)


@overload(elementary.erf)
def _erf(x):
    return lambda x: math.erf(x)
