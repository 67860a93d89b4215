"""The compiled forms of `gdfast.formulas.lane_products`.

A product of matrices is cut into pieces of up to 4 × 6 entries. A piece's 24 sums stay in vector registers while r
runs, so that 10 loads serve 48 operations. On a core of 3.6 GHz with two pipes of 256 bits for products and two for
sums that is 54 to 56·10⁹ operations a second of 58 possible (4 × 4 entries: 51; an A of single numbers, the same for
all lanes, that are spread over a vector as they are read: 44). The loops that LLVM vectorizes by itself keep their
sums in memory and were half as fast at best.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from gdfast.formulas import lane_products as _lane_products
from gdfast.formulas.lane_products import lanes_of
from gdfast.kernels.forms import compiled_form
from gdfast.kernels.loops.products import Piece
from gdfast.kernels.options import apart, wide

_INDEX = ir.IntType(64)
_SUFFIXES = {types.float64: "f64", types.float32: "f32"}


def _vector(number: Any) -> Any:
    """The vector of a type of numbers, LLVM's or numba's."""
    single = number in (types.float32, ir.FloatType())
    return ir.VectorType(*((ir.FloatType(), lanes_of("float32")) if single else (ir.DoubleType(), lanes_of("float64"))))


def _numbers(context: Any, builder: Any, signature: Any, arguments: Any, at: int) -> Any:
    """Where the numbers of an array among the arguments begin."""
    return context.make_array(signature.args[at])(context, builder, arguments[at]).data


def _place(builder: Any, numbers: Any, offset: Any) -> Any:
    """Where the vector that begins with one number of an array lies."""
    return builder.bitcast(builder.gep(numbers, [offset]), _vector(numbers.type.pointee).as_pointer())


def _in_all(builder: Any, number: Any) -> Any:
    """A vector that holds one number in all places."""
    vector = _vector(number.type)
    none = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(none, number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(
        first, none, ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    )


def _piece(rows: int, columns: int, fused: bool) -> Any:
    """Make the product for one piece of C."""

    @intrinsic
    def piece(typing_context, of_c, c, cp, cq, of_s, s, sp, sq, of_a, a, ap, ar, of_b, b, br, bq, R):
        def generate(context, builder, signature, arguments):
            numbers = {at: _numbers(context, builder, signature, arguments, at) for at in (0, 4, 8, 12)}
            vector = _vector(of_c.dtype)

            def entry(matrix, p, q):
                """The place of an entry; p and q are Python's or the compiler's numbers."""
                at, down, across = arguments[matrix + 1 : matrix + 4]
                for number, stride in ((p, down), (q, across)):
                    number = ir.Constant(_INDEX, number) if isinstance(number, int) else number
                    at = builder.add(at, builder.mul(number, stride))
                return _place(builder, numbers[matrix], builder.mul(at, ir.Constant(_INDEX, vector.count)))

            kind, name = ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{vector.count}{_SUFFIXES[of_c.dtype]}"
            multiply_add = cgutils.get_or_insert_function(builder.module, kind, name)
            C, S, A, B = 0, 4, 8, 12
            places = [(p, q) for p in range(rows) for q in range(columns)]
            sums = {place: cgutils.alloca_once(builder, vector) for place in places}
            for p, q in places:
                builder.store(builder.load(entry(S, p, q), align=8), sums[p, q])
            with cgutils.for_range(builder, arguments[-1]) as loop:
                lefts = [builder.load(entry(A, p, loop.index), align=8) for p in range(rows)]
                for q in range(columns):
                    right = builder.load(entry(B, loop.index, q), align=8)
                    for p in range(rows):
                        total = builder.load(sums[p, q])
                        if fused:
                            total = builder.call(multiply_add, [lefts[p], right, total])
                        else:  # two operations, each rounded: a contracted one would not give NumPy's bits
                            total = builder.fadd(total, builder.fmul(lefts[p], right))
                        builder.store(total, sums[p, q])
            for p, q in places:
                builder.store(builder.load(sums[p, q]), entry(C, p, q), align=8)
            return context.get_dummy_value()

        matrices = of_c, c, cp, cq, of_s, s, sp, sq, of_a, a, ap, ar, of_b, b, br, bq
        return types.void(*matrices, R), generate

    return piece


def _in_pieces(piece: Any, fused: bool) -> Any:
    """Make the compiled form of `multiply` or of `multiply_fused`."""
    _41, _42, _43, _44, _45, _46 = (piece(4, columns, fused) for columns in range(1, 7))
    _11, _12, _13, _14, _15, _16 = (piece(1, columns, fused) for columns in range(1, 7))

    def product(c, start, a, b, P, R, Q):
        wide()  # type: ignore[call-arg]
        apart()
        to, c0, cp, cq = c
        of, s0, sp, sq = start
        left, a0, ap, ar = a
        right, b0, br, bq = b
        p = 0
        while p < P:
            # Rows of A outside: a few of them stay in the nearest cache while the columns of B pass.
            high = P - p >= 4
            at, by, frm, q, pieces = c0 + p * cp, a0 + p * ap, s0 + p * sp, 0, -(-Q // 6)
            while q < Q:
                columns = -(-(Q - q) // pieces)  # as even as can be
                i, j, k = at + q * cq, frm + q * sq, b0 + q * bq
                if high:
                    if columns == 6:
                        _46(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                    elif columns == 5:
                        _45(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                    elif columns == 4:
                        _44(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                    elif columns == 3:
                        _43(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                    elif columns == 2:
                        _42(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                    else:
                        _41(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                elif columns == 6:
                    _16(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                elif columns == 5:
                    _15(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                elif columns == 4:
                    _14(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                elif columns == 3:
                    _13(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                elif columns == 2:
                    _12(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                else:
                    _11(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                q, pieces = q + columns, pieces - 1
            p += 4 if high else 1

    return product


_multiply, _multiply_fused = _in_pieces(_piece, False), _in_pieces(_piece, True)
overload(_lane_products.multiply)(lambda c, start, a, b, P, R, Q: _multiply)
overload(_lane_products.multiply_fused)(lambda c, start, a, b, P, R, Q: _multiply_fused)
compiled_form(_lane_products.multiply)(_in_pieces(Piece, False))
compiled_form(_lane_products.multiply_fused)(_in_pieces(Piece, True))


@intrinsic
def _copy(typing_context, to, i, source, j, factor):
    def generate(context, builder, signature, arguments):
        target, origin = (
            _place(builder, _numbers(context, builder, signature, arguments, at), arguments[at + 1]) for at in (0, 2)
        )
        scaled = builder.fmul(_in_all(builder, arguments[4]), builder.load(origin, align=8))
        builder.store(scaled, target, align=8)
        return context.get_dummy_value()

    return types.void(to, i, source, j, to.dtype), generate


@overload(_lane_products.copy_vector)
def _copy_vector(to, i, source, j, factor):
    return lambda to, i, source, j, factor: _copy(to, i, source, j, factor)  # type: ignore[call-arg]


@intrinsic
def _fill(typing_context, to, i, number):
    def generate(context, builder, signature, arguments):
        numbers = _numbers(context, builder, signature, arguments, 0)
        builder.store(_in_all(builder, arguments[2]), _place(builder, numbers, arguments[1]), align=8)
        return context.get_dummy_value()

    return types.void(to, i, to.dtype), generate


@overload(_lane_products.fill_vector)
def _fill_vector(to, i, number):
    return lambda to, i, number: _fill(to, i, number)  # type: ignore[call-arg]


def _of_two(operation: Any) -> Any:
    """Make a function of two vectors whose result replaces the first."""

    @intrinsic
    def combine(typing_context, to, i, other, j):
        def generate(context, builder, signature, arguments):
            target, origin = (
                _place(builder, _numbers(context, builder, signature, arguments, at), arguments[at + 1])
                for at in (0, 2)
            )
            first, second = (builder.load(place, align=8) for place in (target, origin))
            builder.store(operation(builder, first, second), target, align=8)
            return context.get_dummy_value()

        return types.void(to, i, other, j), generate

    return lambda to, i, other, j: lambda to, i, other, j: combine(to, i, other, j)  # type: ignore[call-arg]


def _larger(builder: Any, a: Any, b: Any) -> Any:
    kept = builder.or_(builder.fcmp_ordered(">=", a, b), builder.fcmp_unordered("uno", a, a))
    return builder.select(kept, a, b)


overload(_lane_products.subtract_vector)(_of_two(lambda builder, a, b: builder.fsub(a, b)))
overload(_lane_products.multiply_vector)(_of_two(lambda builder, a, b: builder.fmul(a, b)))
overload(_lane_products.raise_vector)(_of_two(_larger))


@overload(_lane_products.wide_vectors, inline="always")
def _wide_vectors():
    def lanes():
        wide()  # type: ignore[call-arg]
        apart()

    return lanes
