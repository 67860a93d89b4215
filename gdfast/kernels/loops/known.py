"""Functions that are instructions, or known, where functions that call them are translated."""

import ast
import functools
import itertools
import math
from collections.abc import Callable
from typing import Any, Final

import numba
import numpy as np

from gdfast.formulas import lane_products, records
from gdfast.kernels import options, signatures, tuples
from gdfast.kernels.lane_math import parts as lane_parts
from gdfast.kernels.loops import products
from gdfast.kernels.loops.values import Fields, Number, View, is_static, like, number, numbers, parts
from gdfast.kernels.loops.writing import UNPREDICTABLE, widened

BUILTINS: Final[dict[str, Any]] = {
    "abs": abs, "min": min, "max": max, "len": len, "float": float, "int": int, "range": range,
}  # fmt: skip


def _converter(kind: str, known: Any) -> Callable[..., Any]:
    def converted(function: Any, value: Any) -> Any:
        return known(value) if is_static(value) else Number(kind, function.text(value, kind, asked=True))

    return converted


def _bit_cast(kind: str, target: str) -> Callable[..., Number]:
    def cast(function: Any, value: Any) -> Number:
        return function.write(target, f"bitcast {kind} {function.text(value, kind)} to {target}")  # type: ignore[no-any-return]

    return cast


def _absolute(function: Any, value: Any) -> Any:
    if is_static(value):
        return abs(value)
    if value.is_real:
        return function.write(value.kind, f"call {value.kind} @llvm.fabs.{_suffix(value)}({value.kind} {value.text})")
    return function.chosen(function.compared(ast.Lt, value, 0), function.combined(ast.Sub, 0, value), value)


def _root(function: Any, value: Any) -> Number:
    given = number(value)
    return function.write(given.kind, f"call {given.kind} @llvm.sqrt.{_suffix(given)}({given.kind} {given.text})")  # type: ignore[no-any-return]


def _root_of_double(function: Any, value: Any) -> Any:
    if is_static(value):
        return math.sqrt(value)
    return _root(function, Number("double", function.text(value, "double")))


def _suffix(value: Number) -> str:
    return {"double": "f64", "float": "f32"}[value.kind]


def _extreme(known: Any, comparison: type) -> Callable[..., Any]:
    def extreme(function: Any, *values: Any) -> Any:
        if all(map(is_static, values)):
            return known(*(widened(*values) if len(values) == 2 else values))
        first, second = values
        return function.chosen(function.compared(comparison, second, first), second, first)

    return extreme


def _chosen(function: Any, condition: Any, yes: Any, no: Any) -> Any:
    return function.chosen(condition, yes, no, UNPREDICTABLE)


def _length(function: Any, value: Any) -> Any:
    return value.shape[0] if isinstance(value, View) else len(value)


def _with_item(function: Any, values: Any, place: int, value: Any) -> Any:
    assert 0 <= place < len(values), "a place outside of a tuple"
    return like(values, (*values[:place], value, *values[place + 1 :]))


def _entries(function: Any, row: View, count: int) -> Any:
    return tuple(function.entry(row, k) for k in range(count))


def _record(function: Any, values: View, at: Any, dtype: Any) -> Fields:
    return Fields(View(values.kind, function.rows(values, (at,), len(dtype)), (number(len(dtype)),)), dtype)


def _apart(function: Any) -> None:
    function.attributes.append("noinline")


def _wide(function: Any) -> None:
    function.attributes.append('"prefer-vector-width"="512"')


def _wide_vectors(function: Any) -> None:
    _wide(function)
    _apart(function)


def _independent(function: Any) -> None:
    function.is_independent = True


def _machine_code(field: str) -> Callable[..., None]:
    def call(function: Any, pair: Any, *arguments: Any) -> None:
        """Call the machine code of another kernel of a pair."""
        address = function.write("ptr", f"inttoptr i64 {getattr(pair, field).text} to ptr")
        given = parts(numbers((pair, *arguments)))
        handed = ", ".join(["ptr %record", *(f"{part.type} {part.text}" for part in given)])
        function.lines.append(f"call void {address.text}({handed})")

    return call


def _few(function: Any) -> None:
    function.has_few = True


KNOWN: Final[dict[Any, Callable[..., Any]]] = {
    abs: _absolute,
    min: _extreme(min, ast.Lt),
    max: _extreme(max, ast.Gt),
    len: _length,
    math.sqrt: _root_of_double,
    lane_parts.square_root: _root,
    lane_parts.choose: _chosen,
    lane_parts.float_to_bits: _bit_cast("double", "i64"),
    lane_parts.bits_to_float: _bit_cast("i64", "double"),
    lane_parts.single_to_bits: _bit_cast("float", "i32"),
    lane_parts.bits_to_single: _bit_cast("i32", "float"),
    tuples.as_tuple: lambda function, value: tuples.as_tuple(value),
    tuples.with_item: _with_item,
    tuples.entries_of: _entries,
    options.apart: _apart,
    options.wide: _wide,
    options.few: _few,
    records.record: _record,
    lane_products.copy_vector: products.copy,
    lane_products.fill_vector: products.fill,
    lane_products.subtract_vector: products.of_two(products.instruction("fsub")),
    lane_products.multiply_vector: products.of_two(products.instruction("fmul")),
    lane_products.raise_vector: products.of_two(products.larger),
    lane_products.wide_vectors: _wide_vectors,
    lane_products.independent: _independent,
    signatures.call_step: _machine_code("step"),
    signatures.call_evaluation: _machine_code("evaluation"),
    signatures.call_product: _machine_code("product"),
}
"""By function, what writes down what it does, or finds it; it is handed the function that is being written."""

_NUMBERS: dict[Any, str] = {
    float: "double", int: "i64", np.float64: "double", np.float32: "float", np.int32: "i32", np.int64: "i64",
    np.uint64: "u64",
}  # fmt: skip
KNOWN.update({known: _converter(kind, known) for known, kind in _NUMBERS.items()})
KNOWN[numba.int64], KNOWN[numba.float64] = KNOWN[np.int64], KNOWN[np.float64]
for _piece in itertools.starmap(products.Piece, itertools.product((1, 4), range(1, 7), (False, True))):
    KNOWN[_piece] = functools.partial(products.piece, what=_piece)
