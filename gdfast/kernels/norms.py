"""Norms of a lane's coordinates, of which the Euclidean one squares nothing that would overflow or underflow.

All entries are first multiplied by a power of two that their largest calls for, and the norm by its reciprocal. So the
norm of ordinary numbers has the bits of the plain sum's root.
"""

from numba import types

from gdfast.kernels.forms import compiled_forms
from gdfast.kernels.lane_math.parts import bits_to_float, bits_to_single, choose, square_root
from gdfast.kernels.settling import loudest


def larger_size(size, value):
    """The larger of a size and the size of a value; a value that is not a number shows in the sum."""
    return choose(abs(value) > size, abs(value), size)


def maximum_norm(values):
    """The largest size in a tuple of numbers, by their bits, as those of a gradient are looked at anyway."""
    raise NotImplementedError("for kernels")


@compiled_forms(maximum_norm)
def _maximum_norm(values):
    def double(values):
        return abs(bits_to_float(loudest(values)))

    def single(values):
        return abs(bits_to_single(loudest(values)))

    return double if values.dtype == types.float64 else single


def unit_and_scale(values):
    """A power of two near the largest size in a tuple of numbers, and its reciprocal, by two operations on bits.

    Of the exponent of the largest only the two highest bits are looked at, which tell a quarter of all exponents; the
    unit is in the middle of it.
    """
    raise NotImplementedError("for kernels")


@compiled_forms(unit_and_scale)
def _unit_and_scale(values):
    if values.dtype == types.float64:
        quarter, middle, reciprocal = 0x6000000000000000, 0x1000000000000000, 0x6FE0000000000000

        def double(values):
            bits = loudest(values) & quarter
            return bits_to_float(bits | middle), bits_to_float(bits ^ reciprocal)

        return double

    def single(values):
        bits = loudest(values) & 0x60000000
        return bits_to_single(bits | 0x10000000), bits_to_single(bits ^ 0x6F000000)

    return single


def euclidean_norm(values):
    """The root of the sum of squares of a tuple of numbers; of one number, its size, which has the same bits."""
    raise NotImplementedError("for kernels")


@compiled_forms(euclidean_norm)
def _euclidean_norm(values):
    def one(values):
        return abs(values[0])

    def several(values):
        unit, scale = unit_and_scale(values)
        first = values[0] * scale
        total = first * first
        for i in range(1, len(values)):
            value = values[i] * scale
            total = total + value * value
        return square_root(total) * unit

    return several if len(values) > 1 else one
