"""Which lanes have settled: looked for in whole groups of lanes first, and only then in each.

A lane is settled at step t when its gradient is small for the second time running, or too large or not a number.
That is rarely so, and what tells that it is so nowhere costs less than to look at each lane.
"""

import numpy as np
from numba import types

from gdfast.formulas.lane_products import independent
from gdfast.kernels.forms import compiled_forms
from gdfast.kernels.lane_math.parts import choose, float_to_bits, single_to_bits
from gdfast.kernels.signatures import DIVERGED, KINDS, LANES, RESTING, SETTLED, STATIONARY


def next_status(status, size, t, check_every, gradient_tolerance, divergence_limit):
    """What becomes of a lane whose gradient after `t` updates has the largest entry `size` (NaN if any is)."""
    again = status == KINDS * (t - check_every) + RESTING
    small = KINDS * t + (STATIONARY if again else RESTING)
    after = small if size <= gradient_tolerance else status
    after = after if size <= divergence_limit else KINDS * t + DIVERGED
    return status if status & SETTLED else after


def larger(a, b):
    """The larger of two numbers, NaN if either is."""
    return b if (b > a) | (b != b) else a


def settle(x, g, ended, status, lane, t, check_every, gradient_tolerance, divergence_limit):
    """Tell what becomes of a lane with gradient `g` at `x`, and keep the point of one that is not settled."""
    for i in range(len(x)):
        ended[i, lane] = ended[i, lane] if status[lane] & SETTLED else x[i]
    status[lane] = next_status(status[lane], largest(g), t, check_every, gradient_tolerance, divergence_limit)


def keep_moving(x, matrix, status, lane):
    """Store what a lane remembers unless it is settled."""
    for i in range(len(x)):
        matrix[i, lane] = matrix[i, lane] if status[lane] & SETTLED else x[i]


def largest(g):
    """The largest absolute entry of a tuple, NaN if any is."""
    size = abs(g[0])
    for i in range(1, len(g)):
        size = larger(size, abs(g[i]))
    return size


def quiet_window(gradient_tolerance, divergence_limit, zero):
    """What `eventful` needs to know of the tolerances: a range between them, as numbers for integer arithmetic.

    Numbers in the order of their size are in the order of their bits, read as integers. Of the bits between those of
    the two tolerances the window is 2ᵏ wide, so that an addition and a mask tell what is outside. It is the lowest
    that reaches to 10⁻⁸ of the divergence limit at least: gradients are seldom larger. A negative tolerance, which no
    gradient is within, counts as 0. `zero` is of the type of the gradients; the numbers have as many bits.
    """
    raise NotImplementedError("for kernels")


def loudest(g):
    """The bits of the largest absolute entry of a tuple, NaN above all; of a single entry with its sign."""
    raise NotImplementedError("for kernels")


def eventful(bits, window):
    """0 where a gradient whose largest entry has these bits settles no lane, another number where it may."""
    return (bits + window[0]) & window[1]


def either(a, b):
    """The bits of two integers together."""
    return a | b


def _window(low, high, reached):
    low = max(low, 0)  # the bits of negative numbers are negative
    width = 1 << ((float_to_bits(float(high - low)) >> 52) - 1023)
    top = min(max(low + width, reached), high)
    return top - width, ~(width - 1)


@compiled_forms(quiet_window)
def _quiet_window(gradient_tolerance, divergence_limit, zero):
    if zero == types.float64:

        def double(gradient_tolerance, divergence_limit, zero):
            low, high = float_to_bits(gradient_tolerance) + 1, float_to_bits(divergence_limit) + 1
            bottom, mask = _window(low, high, float_to_bits(1e-8 * divergence_limit))
            return (1 << 62) - bottom + (1 << 62), ((1 << 62) - 1 + (1 << 62)) & mask

        return double

    def single(gradient_tolerance, divergence_limit, zero):
        low, high = single_to_bits(gradient_tolerance) + 1, single_to_bits(divergence_limit) + 1
        bottom, mask = _window(low, high, single_to_bits(1e-8 * divergence_limit))
        return np.int32((1 << 31) - bottom), np.int32(((1 << 31) - 1) & mask)

    return single


@compiled_forms(loudest)
def _loudest(g):
    if g.dtype == types.float64:
        largest_number = (1 << 62) - 1 + (1 << 62)

        def double(g):
            bits = float_to_bits(g[0])
            for i in range(1, len(g)):
                bits &= largest_number
                other = float_to_bits(g[i]) & largest_number
                bits = choose(other > bits, other, bits)
            return bits

        return double

    def single(g):
        bits = single_to_bits(g[0])
        for i in range(1, len(g)):
            bits &= 0x7FFFFFFF
            other = single_to_bits(g[i]) & 0x7FFFFFFF
            bits = choose(other > bits, other, bits)
        return bits

    return single


def largest_entries(grad, size, n):
    """Put the largest absolute entry of each lane's gradient into ``size[:n]``, NaN if any is."""
    for lane in range(n):
        size[lane] = abs(grad[0, lane])
        independent()
    for i in range(1, len(grad)):
        for lane in range(n):
            size[lane] = larger(size[lane], abs(grad[i, lane]))
            independent()


def beyond(x, limit):
    """A negative integer if the size of a number is above a limit, or it is not a number; 0 if it is the limit."""
    raise NotImplementedError("for kernels")


@compiled_forms(beyond)
def _beyond(x, limit):
    def double(x, limit):
        return float_to_bits(limit) - float_to_bits(abs(x))

    def single(x, limit):
        return single_to_bits(limit) - single_to_bits(abs(x))

    return double if x == types.float64 else single


def any_beyond(grad, n, divergence_limit):
    """Whether any lane's gradient has an entry that is too large or not a number."""
    is_whole = n + LANES > grad.shape[1]  # what is behind the lanes is zero
    flat = grad.reshape(-1) if is_whole else grad[0, :n]
    events = beyond(divergence_limit, divergence_limit)
    for k in range(len(flat)):
        events = either(events, beyond(flat[k], divergence_limit))
    if not is_whole:
        for i in range(1, len(grad)):
            for lane in range(n):
                events = either(events, beyond(grad[i, lane], divergence_limit))
                independent()
    return events < 0


def maybe_settled(grad, size, n, gradient_tolerance, divergence_limit):
    """Whether any lane's gradient may be small or too large: not, if each has an entry that is neither.

    Entries that are too large are looked for everywhere; that every lane has one that is not small shows in the first
    few rows, as a rule. `size` is scratch space.
    """
    if any_beyond(grad, n, divergence_limit):
        return True
    for i in range(len(grad)):
        small = 0
        for lane in range(n):
            size[lane] = larger(abs(grad[i, lane]), size[lane] if i > 0 else abs(grad[i, lane]))
            small += size[lane] <= gradient_tolerance
            independent()
        if small == 0:
            return False
    return True
