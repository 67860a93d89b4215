"""What the lane functions share: bit casts, powers of two, exact sums and products, polynomials."""

from typing import Any

from numba import float32, float64, int32, int64
from numba.core import types
from numba.extending import intrinsic, register_jitable

from gdfast.kernels.options import INLINED

# ln 2 in two parts. The high one has 32 trailing zero bits, so that k times it is exact for every exponent k.
LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
LN2_LOW = 1.9082149292705877e-10

# Adding it rounds to the nearest integer and leaves that integer in the low bits; subtracting it again gives the
# integer as a number. Good below 2**51.
ROUND = 1.5 * 2.0**52

BIAS = 1023  # of the exponent
# The same, but with the biases of two exponents added to the integer in the low bits.
ROUND_BIASED = ROUND + 2 * BIAS

SIGN = -(2**63)  # the bit of a number's sign
MANTISSA = 52  # how many bits stand below the exponent
_UPPER_HALF = -(2**27)  # all bits but the low 27


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


@intrinsic
def _single_to_bits(typing_context, value):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.int32))

    return int32(float32), generate


@intrinsic
def _bits_to_single(typing_context, bits):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return float32(int32), generate


@intrinsic
def _square_root(typing_context, x):
    def generate(context, builder, signature, arguments):
        return builder.call(builder.module.declare_intrinsic("llvm.sqrt", [arguments[0].type]), arguments)

    return x(x), generate


@intrinsic
def _choose(typing_context, condition, yes, no):
    kind = typing_context.unify_types(yes, no)

    def generate(context, builder, signature, arguments):
        chosen = builder.select(*arguments)
        chosen.set_metadata("unpredictable", builder.module.add_metadata([]))
        return chosen

    return kind(types.boolean, kind, kind), generate


# `yes` where `condition` holds, else `no`, as one instruction. A conditional expression is a branch at first, and a
# lane loop with one that LLVM does not take back in time is not vectorized. Numba translates every function that a
# kernel calls to machine code by itself before it is inlined; there a choice with one dear side would become a branch
# too, were it not said to be unpredictable.
choose: Any = _choose

# The square root, as one instruction. Numba's is a call of the C library, which LLVM makes an instruction where it sees
# that nobody reads the error number: not in each of its versions, and not for what is left of a loop of vectors.
square_root: Any = _square_root

# The number that has these bits, and the bits of a number. To type checkers an intrinsic takes a typing context too.
bits_to_float: Any = _bits_to_float
float_to_bits: Any = _float_to_bits
bits_to_single: Any = _bits_to_single
single_to_bits: Any = _single_to_bits


@register_jitable(**INLINED)
def power_of_two(shifted):
    """``2**k`` for ``shifted = k + ROUND_BIASED``, if it is a normal number."""
    return bits_to_float((float_to_bits(shifted) - BIAS) << MANTISSA)


@register_jitable(**INLINED)
def two_powers(shifted):
    """Two factors of ``2**k``, each about its root, for any k that a finite or subnormal result can have.

    A number near 1 multiplied by one after the other is rounded once at most: in the second product, if that is
    subnormal.
    """
    bits = float_to_bits(shifted)
    half = bits >> 1
    return bits_to_float(half << MANTISSA), bits_to_float((bits - half) << MANTISSA)


@register_jitable(**INLINED)
def with_sign_of(x, magnitude):
    """A number >= 0 with the sign of `x`."""
    return bits_to_float(float_to_bits(magnitude) | (float_to_bits(x) & SIGN))


@register_jitable(**INLINED)
def polynomial(x, coefficients):
    """Return Σ cᵢ xⁱ, lowest power first, by Horner's rule in x⁴ on groups of four terms.

    One product more than Horner's rule in x, and a third of its waiting for the operation before.
    """
    n = len(coefficients)
    square = x * x
    fourth = square * square
    first = (n - 1) // 4 * 4  # of the highest group, which may be short
    total = coefficients[first]
    if n - first > 1:
        total = total + coefficients[first + 1] * x
    if n - first == 3:
        total = total + coefficients[first + 2] * square
    if n - first == 4:
        total = total + (coefficients[first + 2] + coefficients[first + 3] * x) * square
    for i in range(first - 4, -1, -4):
        low = coefficients[i] + coefficients[i + 1] * x
        high = coefficients[i + 2] + coefficients[i + 3] * x
        total = total * fourth + (low + high * square)
    return total


@register_jitable(**INLINED)
def sum_of(a, b):
    """Return a + b rounded and the error of rounding it; ``|a| >= |b|`` or a = 0 (Dekker's Fast2Sum)."""
    s = a + b
    return s, b - (s - a)


@register_jitable(**INLINED)
def sum_of_any(a, b):
    """Return a + b rounded and the error of rounding it (Knuth's 2Sum)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


@register_jitable(**INLINED)
def halves(x):
    """Split a number exactly into 26 leading bits and the rest."""
    high = bits_to_float(float_to_bits(x) & _UPPER_HALF)
    return high, x - high


@register_jitable(**INLINED)
def product_of(a, a_high, a_low, b, b_high, b_low):
    """Return a·b rounded and the error of rounding it, both factors given with their halves (Dekker's product)."""
    p = a * b
    return p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low
