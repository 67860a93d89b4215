"""The code of functions, as Python compiled it: what it names, and whether the text in a file is that of a code."""

import __future__

import contextlib
import functools
import hashlib
from collections.abc import Iterator
from enum import Enum
from types import CodeType
from typing import Any

import numpy as np

_FUTURES = [getattr(__future__, name).compiler_flag for name in __future__.all_feature_names]
_FUTURE = functools.reduce(int.__or__, _FUTURES)
"""What a notebook imports from there holds for its later cells, too."""


def codes(code: CodeType) -> Iterator[CodeType]:
    """A code, and those that stand in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def names_in(code: CodeType) -> list[str]:
    """The global names and attributes that a code, and those that stand in it, look up, in order."""
    return sorted({name for each in codes(code) for name in each.co_names})


def enclosed(function: Any) -> Iterator[tuple[str, Any]]:
    """The names of enclosing functions that a function uses, and what they stand for."""
    cells = getattr(function, "__closure__", None) or ()
    for name, cell in zip(function.__code__.co_freevars if cells else (), cells, strict=True):
        with contextlib.suppress(ValueError):  # not assigned yet
            yield name, cell.cell_contents


def text_of_code(code: CodeType) -> str:
    """A text of a code that is another for another code, wherever that stands."""
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    constants = [text_of_code(c) if isinstance(c, CodeType) else constant(c) for c in code.co_consts]
    return repr((counts, names, constants, code.co_code, code.co_exceptiontable))


def line_in(code: CodeType, file: str) -> int:
    """The line of a file in which the text of a code begins: its own, or else the first one; 0 if there is none.

    Raises
    ------
    SyntaxError, ValueError
        If the file is no text of Python.
    """
    lines = _codes_of(file, code.co_filename, code.co_flags & _FUTURE).get(text_of_code(code), [0])
    return code.co_firstlineno if code.co_firstlineno in lines else lines[0]


@functools.lru_cache(maxsize=128)
def _codes_of(file: str, name: str, flags: int) -> dict[str, list[int]]:
    """The texts of the codes of a file, each with the lines in which it begins."""
    lines: dict[str, list[int]] = {}
    for code in codes(compile(file, name, "exec", flags, dont_inherit=True)):
        lines.setdefault(text_of_code(code), []).append(code.co_firstlineno)
    return lines


def constant(value: Any) -> str:
    """A text of a value that is the same in every process, and another for another value."""
    match value:
        case (
            None | bool() | int() | float() | complex() | str() | bytes() | Enum() | np.generic() | np.dtype() | type()
        ):
            return f"{type(value).__qualname__} {value!r}"
        case tuple():
            return repr([constant(part) for part in value])
        case slice():  # a constant since Python 3.14
            return repr(value)
        case frozenset():
            return repr(sorted(constant(part) for part in value))
        case np.ndarray():
            return f"{value.dtype} {value.shape} {hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"
        case _:  # a function of the tools, a module, an intrinsic of these
            return f"{type(value).__qualname__} {getattr(value, '__name__', '')}"
