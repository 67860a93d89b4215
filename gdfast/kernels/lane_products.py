"""The compiled forms of `gdfast.problems._lane_products`, and the helpers of networks' lane kernels.

A product of matrices is cut into pieces of up to 4 × 4 entries. A piece's 16 sums stay in vector registers while r
runs, so that 8 loads serve 32 operations: 48·10⁹ operations a second on one core of 3 GHz, of 48 possible. The loops
that LLVM vectorizes by itself keep their sums in memory and were half as fast at best.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload, register_jitable

from gdfast.kernels.options import wide
from gdfast.problems import _lane_products, _network_lanes
from gdfast.problems._lane_products import VECTOR

_NUMBER, _INDEX = ir.DoubleType(), ir.IntType(64)
_LANES = ir.VectorType(_NUMBER, VECTOR)
_ALL_FIRST = ir.Constant(ir.VectorType(ir.IntType(32), VECTOR), [0] * VECTOR)
_NONE = ir.Constant(_LANES, ir.Undefined)


def _numbers(context: Any, builder: Any, signature: Any, arguments: Any, at: int) -> Any:
    """Where the numbers of an array among the arguments begin."""
    return context.make_array(signature.args[at])(context, builder, arguments[at]).data


def _in_all(builder: Any, number: Any) -> Any:
    """A vector that holds one number in all places."""
    first = builder.insert_element(_NONE, number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, _NONE, _ALL_FIRST)


def _piece(rows: int, columns: int, shared: bool) -> Any:
    """Make the product for one piece of C; `shared` if A holds single numbers, the same for every lane."""

    @intrinsic
    def piece(typing_context, array, c, cp, cq, left, a, ap, ar, b, br, bq, R, fresh):
        def generate(context, builder, signature, arguments):
            _, c, cp, cq, _, a, ap, ar, b, br, bq, R, fresh = arguments
            lanes, numbers = (_numbers(context, builder, signature, arguments, at) for at in (0, 4))

            def entry(offset, first, i, second, j):
                by_first = builder.mul(ir.Constant(_INDEX, i), first)
                return builder.add(builder.add(offset, by_first), builder.mul(second, j))

            def vector(offset):
                place = builder.gep(lanes, [builder.mul(offset, ir.Constant(_INDEX, VECTOR))])
                return builder.bitcast(place, _LANES.as_pointer())

            def load(offset):
                return builder.load(vector(offset), align=8)

            def load_left(offset):
                if not shared:
                    return load(offset)
                return _in_all(builder, builder.load(builder.gep(numbers, [offset])))

            places = [(p, q, entry(c, cp, p, cq, ir.Constant(_INDEX, q))) for p in range(rows) for q in range(columns)]
            sums = {(p, q): cgutils.alloca_once(builder, _LANES) for p, q, _ in places}
            with builder.if_else(cgutils.is_true(builder, fresh)) as (anew, onward):
                with anew:
                    for total in sums.values():
                        builder.store(ir.Constant(_LANES, [0.0] * VECTOR), total)
                with onward:
                    for p, q, at in places:
                        builder.store(load(at), sums[p, q])
            with cgutils.for_range(builder, R) as loop:
                lefts = [load_left(entry(a, ap, p, ar, loop.index)) for p in range(rows)]
                for q in range(columns):
                    right = load(entry(b, bq, q, br, loop.index))
                    for p in range(rows):
                        total = builder.load(sums[p, q])
                        # Two operations, each rounded: a contracted one would not give NumPy's bits.
                        builder.store(builder.fadd(total, builder.fmul(lefts[p], right)), sums[p, q])
            for p, q, at in places:
                builder.store(builder.load(sums[p, q]), vector(at), align=8)
            return context.get_dummy_value()

        return types.void(array, c, cp, cq, left, a, ap, ar, b, br, bq, R, fresh), generate

    return piece


def _product(shared: bool) -> Any:
    """Make the loops over the pieces of C."""
    piece_44, piece_42, piece_41, piece_14, piece_12, piece_11 = (
        _piece(rows, columns, shared) for rows in (4, 1) for columns in (4, 2, 1)
    )

    def product(array, c, cp, cq, left, a, ap, ar, b, br, bq, P, R, Q, fresh):
        q = 0
        while q < Q:
            # Columns of B outside, rows of A inside: of the weights, which are usually the larger matrix, a few
            # columns at a time stay in the nearest cache.
            columns = 4 if Q - q >= 4 else (2 if Q - q >= 2 else 1)
            to, of, p = c + q * cq, b + q * bq, 0
            while p < P:
                at, by, high = to + p * cp, a + p * ap, P - p >= 4
                if columns == 4:
                    if high:
                        piece_44(array, at, cp, cq, left, by, ap, ar, of, br, bq, R, fresh)
                    else:
                        piece_14(array, at, cp, cq, left, by, ap, ar, of, br, bq, R, fresh)
                elif columns == 2:
                    if high:
                        piece_42(array, at, cp, cq, left, by, ap, ar, of, br, bq, R, fresh)
                    else:
                        piece_12(array, at, cp, cq, left, by, ap, ar, of, br, bq, R, fresh)
                else:
                    if high:
                        piece_41(array, at, cp, cq, left, by, ap, ar, of, br, bq, R, fresh)
                    else:
                        piece_11(array, at, cp, cq, left, by, ap, ar, of, br, bq, R, fresh)
                p += 4 if high else 1
            q += columns

    return product


_OF_LANES, _OF_DATA = _product(shared=False), _product(shared=True)


@overload(_lane_products.add_products)
def _add_products(array, c, cp, cq, left, a, ap, ar, b, br, bq, P, R, Q, fresh):
    return _OF_LANES


@overload(_lane_products.add_data_products)
def _add_data_products(array, c, cp, cq, left, a, ap, ar, b, br, bq, P, R, Q, fresh):
    return _OF_DATA


@intrinsic
def _copy(typing_context, to, i, source, j, factor):
    def generate(context, builder, signature, arguments):
        target, origin = (
            builder.bitcast(
                builder.gep(_numbers(context, builder, signature, arguments, at), [arguments[at + 1]]),
                _LANES.as_pointer(),
            )
            for at in (0, 2)
        )
        scaled = builder.fmul(_in_all(builder, arguments[4]), builder.load(origin, align=8))
        builder.store(scaled, target, align=8)
        return context.get_dummy_value()

    return types.void(to, i, source, j, types.float64), generate


@overload(_lane_products.copy_vector)
def _copy_vector(to, i, source, j, factor):
    return lambda to, i, source, j, factor: _copy(to, i, source, j, factor)  # type: ignore[call-arg]


@overload(_lane_products.wide_vectors, inline="always")
def _wide_vectors():
    def lanes():
        wide()  # type: ignore[call-arg]

    return lanes


# Activations stand inside lane loops, which do not vectorize with a call in them.
for _unit in _network_lanes.UNITS:
    register_jitable(forceinline=True)(_unit)
for _helper in _network_lanes.HELPERS:
    register_jitable(_helper)
