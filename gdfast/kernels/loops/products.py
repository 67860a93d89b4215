"""Products of lanes' matrices, and what is done with vectors of lanes, as instructions on whole vectors."""

import ast
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gdfast.formulas.lane_products import lanes_of
from gdfast.kernels.loops.values import Number, View

_NAMES = {"double": "float64", "float": "float32"}


class Piece(NamedTuple):
    """The product of so many rows of A and columns of B, whose sums stay in registers."""

    rows: int
    columns: int
    is_fused: bool


def vector_of(kind: str) -> tuple[str, int]:
    """The type of vectors of numbers of a kind, and how many numbers they hold."""
    count = lanes_of(_NAMES[kind])
    return f"<{count} x {kind}>", count


def _loaded(function: Any, vector: str, pointer: str) -> str:
    return str(function.write(vector, f"load {vector}, ptr {pointer}, align 8").text)


def _stored(function: Any, vector: str, text: str, pointer: str) -> None:
    function.lines.append(f"store {vector} {text}, ptr {pointer}, align 8")


def _place(function: Any, array: View, index: Any) -> str:
    return str(function.rows(array, (index,), vector_of(array.kind)[1]))


def piece(function: Any, *given: Any, what: Piece) -> None:
    """Write ``C[p, q] = S[p, q] + Σ_r A[p, r] B[r, q]`` of a piece, summed in the order of r.

    What is given are the arrays of C, S, A and B, each with the place of its first vector and two strides, and how
    many r there are.
    """
    matrices, rounds = [given[k : k + 4] for k in range(0, 16, 4)], given[16]
    kind = matrices[0][0].kind
    vector, count = vector_of(kind)

    def entry(matrix: Sequence[Any], p: Any, q: Any) -> str:
        array, at, down, across = matrix
        for place, stride in ((p, down), (q, across)):
            at = function.combined(ast.Add, at, function.combined(ast.Mult, place, stride))
        return _place(function, array, function.combined(ast.Mult, at, count))

    c, start, a, b = matrices
    places = [(p, q) for p in range(what.rows) for q in range(what.columns)]
    sums = {place: function.slot(vector).pointer for place in places}
    for place in places:
        _stored(function, vector, _loaded(function, vector, entry(start, *place)), sums[place])
    counter = function.slot("i64")
    function.store(0, counter)
    head, body, after = function.labels(3)
    function.begin(head)
    r = function.load(counter)
    function.branch(function.compared(ast.Lt, r, rounds), body, after)
    function.begin(body)
    lefts = [_loaded(function, vector, entry(a, p, r)) for p in range(what.rows)]
    for q in range(what.columns):
        right = _loaded(function, vector, entry(b, r, q))
        for p in range(what.rows):
            total = _loaded(function, vector, sums[p, q])
            if what.is_fused:
                name = f"@llvm.fma.v{count}{'f64' if kind == 'double' else 'f32'}"
                function.module.declared[name] = f"declare {vector} {name}({vector}, {vector}, {vector})"
                added = f"call {vector} {name}({vector} {lefts[p]}, {vector} {right}, {vector} {total})"
            else:  # two operations, each rounded: a contracted one would not give NumPy's bits
                product = function.write(vector, f"fmul {vector} {lefts[p]}, {right}").text
                added = f"fadd {vector} {total}, {product}"
            _stored(function, vector, function.write(vector, added).text, sums[p, q])
    function.store(function.combined(ast.Add, r, 1), counter)
    function.end(f"br label %{head}")
    function.begin(after)
    for place in places:
        _stored(function, vector, _loaded(function, vector, sums[place]), entry(c, *place))


def _in_all(function: Any, kind: str, value: Any) -> str:
    """A vector that holds one number in all places."""
    vector, count = vector_of(kind)
    first = function.write(vector, f"insertelement {vector} undef, {kind} {function.text(value, kind)}, i32 0").text
    mask = ", ".join(["i32 0"] * count)
    spread = f"shufflevector {vector} {first}, {vector} undef, <{count} x i32> <{mask}>"
    return str(function.write(vector, spread).text)


def copy(function: Any, to: View, i: Any, source: View, j: Any, factor: Any) -> None:
    """Write what `gdfast.formulas.lane_products.copy_vector` does."""
    vector, _ = vector_of(to.kind)
    origin = _loaded(function, vector, _place(function, source, j))
    scaled = function.write(vector, f"fmul {vector} {_in_all(function, to.kind, factor)}, {origin}").text
    _stored(function, vector, scaled, _place(function, to, i))


def fill(function: Any, to: View, i: Any, value: Any) -> None:
    """Write what `gdfast.formulas.lane_products.fill_vector` does."""
    _stored(function, vector_of(to.kind)[0], _in_all(function, to.kind, value), _place(function, to, i))


def of_two(operation: Callable[[Any, str, str, str], Number]) -> Callable[..., None]:
    """What writes a function of two vectors whose result replaces the first."""

    def combine(function: Any, to: View, i: Any, other: View, j: Any) -> None:
        vector, _ = vector_of(to.kind)
        target, origin = _place(function, to, i), _place(function, other, j)
        result = operation(function, vector, _loaded(function, vector, target), _loaded(function, vector, origin))
        _stored(function, vector, result.text, target)

    return combine


def instruction(name: str) -> Callable[[Any, str, str, str], Number]:
    """An operation that is one instruction."""
    return lambda function, vector, a, b: function.write(vector, f"{name} {vector} {a}, {b}")


def larger(function: Any, vector: str, a: str, b: str) -> Number:
    """The larger of two vectors, entry by entry, NaN if either is."""
    truths = f"<{vector[1:].split()[0]} x i1>"
    above = function.write(truths, f"fcmp oge {vector} {a}, {b}").text
    is_none = function.write(truths, f"fcmp uno {vector} {a}, {a}").text
    kept = function.write(truths, f"or {truths} {above}, {is_none}").text
    return function.write(vector, f"select {truths} {kept}, {vector} {a}, {vector} {b}")  # type: ignore[no-any-return]
