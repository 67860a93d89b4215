"""Instructions of one function as LLVM writes them: what is kept where, branches, arithmetic on numbers and arrays."""

import ast
import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gdfast.kernels.loops.values import Number, View, conversion, is_static, meeting, number, size_of, spelled
from gdfast.kernels.numba_internals import INDEPENDENT

_INTEGERS: dict[type, str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.LShift: "shl", ast.RShift: "ashr", ast.BitAnd: "and",
    ast.BitOr: "or", ast.BitXor: "xor",
}  # fmt: skip
_REALS: dict[type, str] = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
_KNOWN: dict[type, Any] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.LShift: operator.lshift,
    ast.RShift: operator.rshift, ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
_COMPARISONS: dict[type, tuple[str, str]] = {
    ast.Lt: ("slt", "olt"), ast.LtE: ("sle", "ole"), ast.Gt: ("sgt", "ogt"), ast.GtE: ("sge", "oge"),
    ast.Eq: ("eq", "oeq"), ast.NotEq: ("ne", "une"),
}  # fmt: skip


UNPREDICTABLE = ", !unpredictable !0"
"""What is said of choices that are to stay choices: see `gdfast.kernels.lane_math.parts`."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a number is kept: of a name, or an entry of an array."""

    kind: str
    pointer: str


_HARMFUL = re.compile(r"load .*ptr %[^s]|store .*ptr %[^s]|call (?!\S+ @llvm)|br |.*:$|.*= [su](div|rem)")


def is_harmless(line: str) -> bool:
    """Whether an instruction may be run where it need not: if it writes nothing but slots, nor may fail."""
    return not _HARMFUL.search(line)


def widened(a: Any, b: Any) -> tuple[Any, Any]:
    """Two numbers that are known, of double precision if one alone is of single precision."""
    if isinstance(a, np.float32) == isinstance(b, np.float32):
        return a, b
    return np.float64(a), np.float64(b)


class Writer:
    """The lines of a function while it is written."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.reserved: list[str] = []  # slots, which stand before all else
        self.is_open = True  # whether what is written next is ever reached
        self._count = 0
        self.is_checked = False  # whether it is told where a place lies outside of an array

    def _new(self) -> str:
        self._count += 1
        return str(self._count)

    def labels(self, count: int) -> Iterator[str]:
        """So many names of places to go to."""
        return (f"l{self._new()}" for _ in range(count))

    def write(self, kind: str, instruction: str) -> Number:
        """Write an instruction that gives a number of a kind."""
        name = f"%v{self._new()}"
        self.lines.append(f"{name} = {instruction}")
        return Number(kind, name)

    def end(self, line: str) -> None:
        """Write how it goes on from here, unless that is written."""
        if self.is_open:
            self.lines.append(line)
        self.is_open = False

    def begin(self, label: str) -> None:
        """Write a place to go to."""
        self.end(f"br label %{label}")
        self.lines.append(f"{label}:")
        self.is_open = True

    def branch(self, condition: Any, then: str, otherwise: str) -> None:
        """Go on at one of two places."""
        self.end(f"br i1 {self.truth(condition)}, label %{then}, label %{otherwise}")

    # What is kept.

    def slot(self, kind: str) -> Slot:
        """A place for a number."""
        name = f"%s{self._new()}"
        self.reserved.append(f"{name} = alloca {spelled(kind)}")
        return Slot(kind, name)

    def store(self, value: Any, slot: Slot) -> None:
        """Keep a number, as one of the slot's kind."""
        self.lines.append(f"store {spelled(slot.kind)} {self.text(value, slot.kind)}, ptr {slot.pointer}")

    def load(self, slot: Slot) -> Number:
        """What is kept."""
        return self.write(slot.kind, f"load {spelled(slot.kind)}, ptr {slot.pointer}")

    def entry_of(self, slot: Slot) -> Number:
        """An entry of an array; a small integer as one of 64 bits."""
        found = self.load(slot)
        return Number("i64", self.text(found, "i64")) if slot.kind in ("i8", "i16", "i32") else found

    def mark(self) -> None:
        """Tell that the iterations of a loop are independent, at its end."""
        self.lines.append(f'call void @"{INDEPENDENT}"()')

    # Numbers.

    def text(self, value: Any, kind: str, asked: bool = False) -> str:
        """A number as one of a kind."""
        given = number(value)
        instruction = given.kind != kind and conversion(given.kind, kind, asked)
        if not instruction:
            return given.text
        return self.write(kind, f"{instruction} {given.type} {given.text} to {spelled(kind)}").text

    def truth(self, value: Any) -> str:
        """Whether a number is other than zero."""
        given = number(value)
        if given.kind == "i1":
            return given.text
        compared = "fcmp une" if given.is_real else "icmp ne"
        zero = self.text(0.0 if given.is_real else 0, given.kind)
        return self.write("i1", f"{compared} {given.type} {given.text}, {zero}").text

    def chosen(self, condition: Any, yes: Any, no: Any, note: str = "") -> Number:
        """One of two numbers, as one instruction."""
        kind = meeting(yes, no)
        truth, one, other = self.truth(condition), self.text(yes, kind), self.text(no, kind)
        return self.write(kind, f"select i1 {truth}, {spelled(kind)} {one}, {spelled(kind)} {other}{note}")

    def combined(self, kind: type, a: Any, b: Any) -> Any:
        """What an operation of Python's makes of two numbers, known if they are, or of two tuples."""
        if (is_static(a) and is_static(b)) or (isinstance(a, tuple) and isinstance(b, tuple)):
            with np.errstate(over="ignore"):  # unsigned integers wrap around
                return _KNOWN[kind](*widened(a, b))
        common = meeting(a, b)
        if kind is ast.Div and common != "float":
            common = "double"
        if common == "i1" and kind not in (ast.BitAnd, ast.BitOr, ast.BitXor):
            common = "i64"
        left, right = self.text(a, common), self.text(b, common)
        if Number(common, "").is_real:
            return self.write(common, f"{_REALS[kind]} {common} {left}, {right}")
        if kind in _INTEGERS:
            instruction = "lshr" if common == "u64" and kind is ast.RShift else _INTEGERS[kind]
            return self.write(common, f"{instruction} {spelled(common)} {left}, {right}")
        if common == "u64":
            return self.write(common, f"{'urem' if kind is ast.Mod else 'udiv'} i64 {left}, {right}")
        found = self._divided(kind, self.text(a, "i64"), self.text(b, "i64"))
        return Number(common, self.text(found, common))

    def _divided(self, kind: type, left: str, right: str) -> Number:
        """The quotient of integers, rounded down, or its remainder, which has the divisor's sign."""
        rest = self.write("i64", f"srem i64 {left}, {right}")
        signs = self.write("i64", f"xor i64 {rest.text}, {right}")
        differ = self.write("i1", f"icmp slt i64 {signs.text}, 0")
        is_inexact = self.write("i1", f"icmp ne i64 {rest.text}, 0")
        is_below = self.write("i1", f"and i1 {differ.text}, {is_inexact.text}")
        if kind is ast.Mod:
            added = self.write("i64", f"add i64 {rest.text}, {right}")
            return self.write("i64", f"select i1 {is_below.text}, i64 {added.text}, i64 {rest.text}")
        quotient: Number = self.combined(ast.Sub, self.write("i64", f"sdiv i64 {left}, {right}"), is_below)
        return quotient

    def compared(self, kind: type, a: Any, b: Any) -> Any:
        """Whether a comparison holds, known if both numbers are."""
        if is_static(a) and is_static(b):
            return _KNOWN[kind](*widened(a, b))
        of_integers, of_reals = _COMPARISONS[kind]
        common = meeting(a, b)
        if Number(common, "").is_real:
            return self.write("i1", f"fcmp {of_reals} {common} {self.text(a, common)}, {self.text(b, common)}")
        common = "i64" if common == "i1" else common
        if common == "u64":
            of_integers = of_integers.replace("s", "u")
        return self.write("i1", f"icmp {of_integers} {spelled(common)} {self.text(a, common)}, {self.text(b, common)}")

    # Arrays.

    def check(self, low: Any, high: Any, limit: Any) -> None:
        """Tell if not ``0 <= low <= high <= limit``, where that is to be looked at."""
        if self.is_checked:
            pairs = (0, low), (low, high), (high, limit)
            for few, many in pairs:
                is_inside = self.text(self.compared(ast.LtE, few, many), "i1")
                self.lines.append(f"call void @gdfast.inside(ptr %record, i1 {is_inside})")

    def place(self, array: View, axis: int, index: Any) -> Any:
        """An index, counted from the beginning."""
        from_end = is_static(index) and index < 0
        return self.combined(ast.Add, array.shape[axis], index) if from_end else index

    def entry(self, array: View, *places: Any) -> Number:
        """An entry of an array."""
        return self.entry_of(Slot(array.kind, self.rows(array, places)))

    def rows(self, array: View, places: tuple[Any, ...], width: Any = 1) -> str:
        """A pointer to what begins at the places on the first axes, and has so many on the last of them."""
        flat: Any = 0
        for axis, size in enumerate(array.shape):
            flat = self.combined(ast.Mult, flat, size) if axis else flat
            if axis < len(places):
                place = self.place(array, axis, places[axis])
                self.check(place, self.combined(ast.Add, place, width if axis + 1 == len(places) else 1), size)
                flat = self.combined(ast.Add, flat, place) if axis else place
        offset = self.text(flat, "i64")
        return self.write(
            "ptr", f"getelementptr inbounds {spelled(array.kind)}, ptr {array.pointer}, i64 {offset}"
        ).text

    def flat(self, array: View) -> View:
        """All entries of an array, one after another."""
        count: Any = 1
        for length in array.shape:
            count = self.combined(ast.Mult, count, length)
        return View(array.kind, array.pointer, (number(count),))

    def as_numba(self, value: Any) -> Iterator[str]:
        """The arguments as which numba hands a number, an array or a tuple over."""
        if isinstance(value, tuple):
            for part in value:
                yield from self.as_numba(part)
        elif isinstance(value, View):
            strides: list[Any] = []
            count: Any = 1
            for length in reversed(value.shape):
                strides.insert(0, self.combined(ast.Mult, count, size_of(value.kind)))
                count = self.combined(ast.Mult, count, length)
            yield from ("ptr null", "ptr null", f"i64 {self.text(count, 'i64')}", f"i64 {size_of(value.kind)}")
            yield f"ptr {value.pointer}"
            for length in (*value.shape, *strides):
                yield f"i64 {self.text(length, 'i64')}"
        else:
            yield f"{number(value).type} {number(value).text}"
