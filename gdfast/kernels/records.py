"""The compiled form of `gdfast.formulas.records`."""

from typing import Any

from numba.extending import intrinsic, overload

from gdfast.formulas import records as _records


@intrinsic
def _record(typing_context, numbers, at, dtype):
    kind = dtype.dtype

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.bitcast(builder.gep(first, [arguments[1]]), context.get_value_type(kind))

    return kind(numbers, at, dtype), generate


@overload(_records.record, inline="always")
def _compiled_record(numbers, at, dtype):
    return lambda numbers, at, dtype: _record(numbers, at, dtype)  # type: ignore[call-arg]
