"""Norms of a lane's coordinates, of which the Euclidean one squares nothing that would overflow or underflow.

All entries are first multiplied by a power of two that their largest calls for
(`gdfast.formulas.elementary.square_scale`). It is 1 for ordinary numbers, whose norm so has the bits of the plain sum's
root.
"""

import math

from numba import types
from numba.extending import overload, register_jitable

from gdfast.formulas.elementary import square_scale, square_unit
from gdfast.kernels.lane_math.parts import bits_to_float, bits_to_single, choose
from gdfast.kernels.options import HELPER, INLINED
from gdfast.kernels.settling import loudest


@register_jitable(**INLINED)
def larger_size(size, value):
    """The larger of a size and the size of a value; a value that is not a number shows in the sum."""
    return choose(abs(value) > size, abs(value), size)


def maximum_norm(values):
    """The largest size in a tuple of numbers, by their bits, as those of a gradient are looked at anyway."""
    raise NotImplementedError("for kernels")


@overload(maximum_norm)
def _maximum_norm(values):
    if values.dtype == types.float64:
        return lambda values: abs(bits_to_float(loudest(values)))
    return lambda values: abs(bits_to_single(loudest(values)))


@register_jitable(**HELPER)
def euclidean_norm(values):
    """The root of the sum of squares of a tuple of numbers."""
    size = maximum_norm(values)
    scale = square_scale(size)
    first = values[0] * scale
    total = first * first
    for i in range(1, len(values)):
        value = values[i] * scale
        total = total + value * value
    return math.sqrt(total) * square_unit(size)
