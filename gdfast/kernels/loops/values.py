"""Numbers and arrays while a function is translated: what LLVM calls them, and how one kind becomes another."""

import math
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numba import types

KINDS: Final = {
    "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64", "uint64": "u64", "float32": "float",
    "float64": "double",
}  # fmt: skip
"""LLVM's names by NumPy's, but for integers without a sign, of which LLVM has no kind."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is known when the machine code runs."""

    kind: str
    text: str  # its name, or a constant

    @property
    def type(self) -> str:
        """The type that LLVM knows it by."""
        return spelled(self.kind)

    def __bool__(self) -> bool:
        raise TypeError("it is not known yet whether it is 0")

    @property
    def is_real(self) -> bool:
        """Whether it is of floating point."""
        return self.kind in ("float", "double")


@dataclass(frozen=True, slots=True)
class View:
    """A contiguous array, or rows of one."""

    kind: str
    pointer: str
    shape: tuple[Number, ...]

    def reshape(self, length: int) -> "View":
        """All entries, one after another; written down where it is called."""
        raise NotImplementedError


class Fields(NamedTuple):
    """Numbers of an array under names, which are looked up where they are used."""

    first: View
    dtype: Any


def spelled(kind: str) -> str:
    """LLVM's type of numbers of a kind."""
    return "i64" if kind == "u64" else kind


def is_static(value: Any) -> bool:
    """Whether a value is known while the function is translated."""
    return all(map(is_static, value)) if isinstance(value, tuple) else not isinstance(value, Number | View)


def number(value: Any) -> Number:
    """A number of Python's or NumPy's, or one that is not known yet, as LLVM writes it."""
    if isinstance(value, Number):
        return value
    if isinstance(value, bool | np.bool_):
        return Number("i1", str(int(value)))
    if isinstance(value, int | np.int64):
        if not -(2**63) <= value < 2**63:
            raise TypeError(f"{value} has more than 64 bits")
        return Number("i64", str(int(value)))
    if isinstance(value, np.int32 | np.uint64):
        return Number(KINDS[value.dtype.name], str(int(value)))
    if isinstance(value, np.float32):
        return Number("float", _bits(float(value)))
    if isinstance(value, float):
        return Number("double", _bits(value))
    raise TypeError(f"{value!r} is no number")


def _bits(value: float) -> str:
    """How LLVM writes a number of floating point without rounding: by the bits of its double precision."""
    if math.isnan(value):
        value = math.nan  # the one that processors make
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def size_of(kind: str) -> int:
    """How many bytes an entry of an array of a kind has."""
    return {"double": 8, "float": 4}.get(kind) or int(kind[1:]) // 8


def meeting(a: Any, b: Any) -> str:
    """The kind in which two numbers are combined: an integer that is known is of the other's, if that has it.

    Raises
    ------
    TypeError
        If one is an integer with a sign and the other one without.
    """
    one, other = number(a), number(b)
    if one.kind == other.kind:
        return one.kind
    if one.is_real or other.is_real:
        return "double"
    for known, given in ((a, other), (b, one)):
        if type(known) is int and given.kind == "i32" and -(2**31) <= known < 2**31:
            return "i32"
    if "u64" in (one.kind, other.kind) and "i1" not in (one.kind, other.kind):
        raise TypeError(f"numbers of {one.kind} and {other.kind} have no kind in common")
    return "u64" if "u64" in (one.kind, other.kind) else "i64"


def conversion(kind: str, target: str, asked: bool = False) -> str:
    """LLVM's instruction that makes a number of one kind one of another, none if there is nothing to do.

    Raises
    ------
    TypeError
        If a number of floating point is to be an integer, or another number a truth, and that is not asked for.
    """
    before, after = Number(kind, ""), Number(target, "")
    if (before.is_real and not after.is_real and not asked) or target == "i1":
        raise TypeError(f"a number of {kind} is no {target}")
    if before.is_real and after.is_real:
        return "fpext" if target == "double" else "fptrunc"
    if before.is_real:
        return "fptoui" if target == "u64" else "fptosi"
    if after.is_real:
        return "uitofp" if kind in ("i1", "u64") else "sitofp"
    if spelled(kind) == spelled(target):
        return ""
    if int(target[1:]) < int(kind[1:]):
        return "trunc"
    return "zext" if kind == "i1" else "sext"


def parts(value: Any) -> Iterator[Number]:
    """The numbers and pointers that a value is handed over as."""
    match value:
        case Number():
            yield value
        case View():
            yield Number("ptr", value.pointer)
            for length in value.shape:
                yield from parts(length)
        case tuple():
            for part in value:
                yield from parts(part)


def with_parts(value: Any, other: Callable[[Number], Number]) -> Any:
    """The same with others in the place of the numbers and pointers."""
    match value:
        case Number():
            return other(value)
        case View(kind, pointer, shape):
            pointer = other(Number("ptr", pointer)).text
            return View(kind, pointer, tuple(with_parts(length, other) for length in shape))
        case tuple():
            return like(value, [with_parts(part, other) for part in value])
    return value


def numbers(value: Any) -> Any:
    """The same with numbers that are known as others."""
    match value:
        case View():
            return value
        case tuple():
            return like(value, map(numbers, value))
    return number(value)


def like(value: tuple[Any, ...], entries: Iterable[Any]) -> Any:
    """A tuple of the type of another."""
    return type(value)(*entries) if hasattr(value, "_fields") else tuple(entries)


_TYPES = {"i1": types.boolean, "i8": types.int8, "i16": types.int16, "float": types.float32, "double": types.float64}
_TYPES |= {"i32": types.int32, "i64": types.int64, "u64": types.uint64}


def type_of(value: Any) -> Any:
    """The type that numba gives a number, or a tuple of numbers of one type."""
    if isinstance(value, tuple):
        return types.UniTuple(type_of(value[0]), len(value))
    return _TYPES[number(value).kind] if not isinstance(value, View) else None
