"""Kernels: the text of a function for a signature, and how Python calls the machine code that LLVM makes of it."""

import ctypes
import itertools
import pickle
import struct
from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import Any, Final

import numpy as np
from numba import types
from numba.np.numpy_support import as_dtype

from gdfast.kernels.loops.translation import Module
from gdfast.kernels.loops.values import KINDS, Number, View, parts, with_parts
from gdfast.kernels.loops.writing import Writer

ENTRY: Final = "gdfast.entry"
"""The symbol of what Python calls."""
CALLED: Final = "gdfast.called"
"""The symbol of what other machine code calls."""
# At the beginning of a record, what a step that fails tells: its status, and where the error is.
_TOLD = struct.Struct("qq")

# Where an array has its data and the address of its shape, by NumPy's interface for C (`PyArrayObject_fields`). Asked
# for by way of Python, these of a tile's sixty arrays take twice as long as all else before it runs.
_DATA = object.__basicsize__
_DIMENSIONS = _DATA + 2 * struct.calcsize("P")

_AROUND = """
declare double @llvm.fabs.f64(double)
declare float @llvm.fabs.f32(float)
declare double @llvm.sqrt.f64(double)
declare float @llvm.sqrt.f32(float)
declare void @"gdfast.independent"()
define internal void @gdfast.inside(ptr %record, i1 %well) alwaysinline {
  br i1 %well, label %after, label %failed
failed:
  store i64 1, ptr %record
  br label %after
after:
  ret void
}
define internal void @gdfast.keep(ptr %record, i32 %status, ptr %error) alwaysinline {
  %none = icmp eq i32 %status, -2
  %zero = icmp eq i32 %status, 0
  %well = or i1 %none, %zero
  br i1 %well, label %after, label %failed
failed:
  %whole = sext i32 %status to i64
  store i64 %whole, ptr %record
  %place = getelementptr i8, ptr %record, i64 8
  store ptr %error, ptr %place
  br label %after
after:
  ret void
}
!0 = !{}
!1 = !{!"llvm.loop.vectorize.enable", i1 false}
!2 = !{!"llvm.loop.unroll.disable"}
"""
"""What numba's machine code tells of a step that fails is kept in the call's own record: several threads call."""


_REASONS = (
    ArithmeticError, AssertionError, AttributeError, LookupError, NameError, OSError,
    RecursionError, SyntaxError, TypeError, ValueError
)  # fmt: skip


class UntranslatableError(TypeError):
    """A function is none of plain loops."""


def text_of(function: FunctionType, signature: Any, is_checked: bool = False) -> str:
    """The assembly of a function for arguments of numba's types.

    It is called with the address of a record of them, and, by other machine code, with the numbers themselves behind
    that of a record which takes what is told of errors: if it is to be checked, of places outside of arrays.

    Raises
    ------
    UntranslatableError
        If something in it is not what functions of plain loops have.
    """
    module = Module(is_checked)
    try:
        lines, given = _from_record(signature)
        handed = _handed(given)
        with np.errstate(all="ignore"):  # numbers that are known are combined as machine code does it
            call, kind = module.call(function, given)
            called, _ = module.call(function, handed)
        assert kind in ("void", "i64"), f"it returns a number of {kind}"
    except _REASONS as error:
        raise UntranslatableError(f"{function.__name__} cannot be translated: {error}") from error
    if kind == "void":
        texts = [*_entry(lines, call), *_called(handed, [called])]
    else:
        texts = _entry(lines, f"%result = {call}", f"{kind} %result")
    return "\n".join([_AROUND, *module.texts, *module.declared.values(), *texts])


def text_around(symbol: str, signature: Any) -> str:
    """The assembly of what is called in the place of a function that numba has compiled, and calls it as numba does.

    What the function raises is kept in the record.
    """
    writer = Writer()
    lines, given = _from_record(signature)
    handed = _handed(given)
    result, error = writer.slot("ptr").pointer, writer.slot("ptr").pointer
    numbas = [f"ptr {result}", f"ptr {error}", *writer.as_numba(handed)]
    body = [
        *writer.reserved,
        f"store ptr null, ptr {error}",
        *writer.lines,
        f'%status = call i32 @"{symbol}"({", ".join(numbas)})',
        f"%error = load ptr, ptr {error}",
        "call void @gdfast.keep(ptr %record, i32 %status, ptr %error)",
    ]
    declared = f'declare i32 @"{symbol}"({", ".join(each.split()[0] for each in numbas)})'
    call = f'call void @"{CALLED}"({", ".join(["ptr %record", *_typed(given)])})'
    return "\n".join([_AROUND, declared, *_called(handed, body), *_entry(lines, call)])


def _entry(lines: list[str], call: str, result: str = "i64 0") -> list[str]:
    return [f'define i64 @"{ENTRY}"(ptr %record) {{', *lines, call, f"ret {result}", "}"]


def _called(handed: Any, body: list[str]) -> list[str]:
    return [f'define void @"{CALLED}"({", ".join(["ptr %record", *_typed(handed)])}) {{', *body, "ret void", "}"]


def _typed(values: Any) -> Iterator[str]:
    return (f"{part.type} {part.text}" for part in parts(values))


def _handed(given: Any) -> Any:
    """The arguments as numbers that are handed over."""
    place = itertools.count()
    return with_parts(given, lambda part: Number(part.kind, f"%p{next(place)}"))


def _from_record(signature: Any) -> tuple[list[str], tuple[Any, ...]]:
    """The lines that read the arguments from the record that Python makes, and the arguments."""
    lines: list[str] = []
    words = itertools.count(_TOLD.size, 8)

    def loaded(kind: str, place: str = "%record", offset: int | None = None) -> Number:
        k, offset = len(lines), next(words) if offset is None else offset
        lines.append(f"%a{k} = getelementptr i8, ptr {place}, i64 {offset}\n%w{k} = load {kind}, ptr %a{k}")
        return Number(kind, f"%w{k}")

    def read(type_: Any) -> Any:
        match type_:
            case types.Array():
                array = loaded("ptr").text
                pointer, sizes = loaded("ptr", array, _DATA).text, loaded("ptr", array, _DIMENSIONS).text
                shape = tuple(loaded("i64", sizes, 8 * axis) for axis in range(type_.ndim))
                return View(KINDS[as_dtype(type_.dtype).name], pointer, shape)
            case types.NamedTuple():
                return type_.instance_class(*map(read, type_.types))
            case types.Boolean():
                whole = loaded("i64")
                lines[-1] += f"\n%n{len(lines)} = icmp ne i64 {whole.text}, 0"
                return Number("i1", f"%n{len(lines)}")
            case types.Float(bitwidth=32):
                whole = loaded("double")
                lines[-1] += f"\n%n{len(lines)} = fptrunc double {whole.text} to float"
                return Number("float", f"%n{len(lines)}")
            case types.Float():
                return loaded("double")
            case types.Integer() if type_ == types.int64:
                return loaded("i64")
        raise TypeError(f"arguments of {type_}")

    return lines, tuple(map(read, signature.args))


class Kernel:
    """Machine code in memory, as long as this object lives.

    Parameters
    ----------
    engine
        What has loaded it.
    signature
        The types it was compiled for.

    Attributes
    ----------
    address : int
        Where what other machine code calls begins; valid as long as this object lives. 0 of what returns a number.
    """

    def __init__(self, engine: Any, signature: Any) -> None:
        self._engine, self._signature = engine, signature  # as long as it is called
        is_called = signature.return_type == types.void
        self.address = int(engine.get_function_address(CALLED)) if is_called else 0
        self._entry = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_char_p)(engine.get_function_address(ENTRY))
        kinds = _flat(signature.args, types.BaseTuple)
        self._record = struct.Struct(
            _TOLD.format + "".join("d" if isinstance(kind, types.Float) else "q" for kind in kinds)
        )
        arrays = [(k, kind) for k, kind in enumerate(kinds) if isinstance(kind, types.Array)]
        self._arrays = [(k, np.dtype(as_dtype(kind.dtype)), kind.ndim) for k, kind in arrays]

    def __call__(self, *arguments: Any) -> int:
        """Call it.

        Raises
        ------
        TypeError
            If the arguments are not of the types that it was compiled for.
        Exception
            What a step's machine code raises.
        """
        values = _flat(arguments)
        for k, dtype, ndim in self._arrays:
            array = values[k]
            if array.dtype != dtype or array.ndim != ndim or not array.flags.c_contiguous:
                raise TypeError(f"a kernel takes a contiguous {dtype} array of {ndim} dimensions, not {array!r}")
            values[k] = id(array)
        record = ctypes.create_string_buffer(self._record.pack(0, 0, *values), self._record.size)
        result = int(self._entry(record))
        status, error = _TOLD.unpack_from(record)
        if status:
            raise _error(error)
        return result


def _error(address: int) -> Exception:
    """What numba's machine code raises by what it keeps: a type and its arguments, pickled."""
    if not address:
        return IndexError("a place outside of an array")
    try:
        pickled, size = struct.unpack("Pi", ctypes.string_at(address, struct.calcsize("Pi")))
        kind, values, *_ = pickle.loads(ctypes.string_at(pickled, size))
        error = kind(*(values or ()))
        assert isinstance(error, Exception)
    except Exception:
        return RuntimeError("a kernel failed")
    return error


def _flat(values: Iterable[Any], tuples: type = tuple) -> list[Any]:
    """The values of nested tuples, or types of them, one after another."""
    flat: list[Any] = []
    for value in values:
        if isinstance(value, tuples):
            flat += _flat(value, tuples)  # type: ignore[arg-type]
        else:
            flat.append(value)
    return flat
