"""Numbers and arrays while a function is translated: what LLVM calls them, and how one kind becomes another."""

import math
import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

KINDS: Final = {
    "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64", "float32": "float", "float64": "double",
}  # fmt: skip
"""LLVM's names by NumPy's."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is known when the machine code runs."""

    kind: str
    text: str  # its name, or a constant

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


def is_static(value: Any) -> bool:
    """Whether a value is known while the function is translated."""
    return not isinstance(value, Number | View)


def number(value: Any) -> Number:
    """A number of Python's or NumPy's, or one that is not known yet, as LLVM writes it."""
    if isinstance(value, Number):
        return value
    if isinstance(value, bool | np.bool_):
        return Number("i1", str(int(value)))
    if isinstance(value, int | np.int64):
        return Number("i64", str(int(value)))
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


def meeting(a: Number, b: Number) -> str:
    """The kind in which two numbers are combined."""
    if a.kind == b.kind:
        return a.kind
    return "double" if a.is_real or b.is_real else "i64"


def conversion(kind: str, target: str) -> str:
    """LLVM's instruction that makes a number of one kind one of another.

    Raises
    ------
    TypeError
        If a number of floating point is to be an integer, or another number a truth.
    """
    before, after = Number(kind, ""), Number(target, "")
    if (before.is_real and not after.is_real) or target == "i1":
        raise TypeError(f"a number of {kind} is no {target}")
    if before.is_real:
        return "fpext" if target == "double" else "fptrunc"
    if after.is_real:
        return "uitofp" if kind == "i1" else "sitofp"
    if int(target[1:]) < int(kind[1:]):
        return "trunc"
    return "zext" if kind == "i1" else "sext"
