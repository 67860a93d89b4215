"""What a compiled kernel depends on, as one digest, part of the name under which it is kept on disk.

A kernel is a function. It depends on its code, on the constants that it names or closes over, on the functions that it
calls or is handed, on theirs in turn, and on how numba compiles all that: the files of this package and
`gdfast.formulas.elementary`, whose compiled forms stand here, and the versions of the tools. Code is taken as bytecode:
an edit of a comment or of a function that no kernel reaches compiles nothing anew.
"""

import functools
import hashlib
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from gdfast.formulas import elementary
from gdfast.kernels.numba_internals import toolchain

# Modules whose versions stand for their code.
_TOOLS = {"numba", "llvmlite", "numpy", *sys.stdlib_module_names}


def digest(function: FunctionType, *others: str) -> str:
    """Return a digest of all that a kernel depends on, and of further texts."""
    total = hashlib.sha256(_foundations())
    for text in (*others, *(text for _, text in _reached(function))):
        total.update(b"\0" + text.encode())
    return total.hexdigest()


def functions(kernel: FunctionType) -> list[FunctionType]:
    """All functions that a kernel reaches, itself the first."""
    return [value for value, _ in _reached(kernel) if isinstance(value, FunctionType)]


def foundations() -> list[Path]:
    """The files that all kernels depend on as a whole: what they register with numba cannot be reached by name."""
    return [Path(elementary.__file__), *sorted(Path(__file__).parent.rglob("*.py"))]


@functools.cache
def _foundations() -> bytes:
    return hashlib.sha256(b"\0".join([*(file.read_bytes() for file in foundations()), toolchain().encode()])).digest()


def _reached(function: FunctionType) -> Iterator[tuple[Any, str]]:
    """Everything that a function refers to, directly or not, and a text of each, always in the same order."""
    numbers: dict[FunctionType, int] = {}
    waiting: list[Any] = [function]
    while waiting:
        value = waiting.pop()
        value = getattr(value, "py_func", value)  # of a function that numba compiles
        if isinstance(value, FunctionType) and value.__module__.split(".")[0] not in _TOOLS:
            if value in numbers:
                yield None, f"function {numbers[value]}"
                continue
            numbers[value] = len(numbers)
            yield value, text_of_code(value.__code__)
            waiting += reversed([*_referred_to(value)])
        elif isinstance(value, tuple | list):
            yield None, f"{type(value).__qualname__} {len(value)}"
            waiting += reversed(value)
        else:
            yield None, _constant(value)


def _referred_to(function: FunctionType) -> Iterator[Any]:
    names = sorted({name for code in codes(function.__code__) for name in code.co_names})
    for value in (*(function.__globals__.get(name) for name in names), *_enclosed(function)):
        yield value
        if isinstance(value, ModuleType):
            yield from (getattr(value, attribute, None) for attribute in names)
    yield from function.__defaults__ or ()


def _enclosed(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not assigned yet
            continue


def codes(code: CodeType) -> Iterator[CodeType]:
    """A code, and those that stand in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def text_of_code(code: CodeType) -> str:
    """A text of a code that is another for another code, wherever that stands."""
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    constants = [text_of_code(c) if isinstance(c, CodeType) else _constant(c) for c in code.co_consts]
    return repr((counts, names, constants, code.co_code, code.co_exceptiontable))


def _constant(value: Any) -> str:
    """A text of a value that is the same in every process, and another for another value."""
    match value:
        case (
            None | bool() | int() | float() | complex() | str() | bytes() | Enum() | np.generic() | np.dtype() | type()
        ):
            return f"{type(value).__qualname__} {value!r}"
        case tuple():
            return repr([_constant(part) for part in value])
        case slice():  # a constant since Python 3.14
            return repr(value)
        case frozenset():
            return repr(sorted(_constant(part) for part in value))
        case np.ndarray():
            return f"{value.dtype} {value.shape} {hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"
        case _:  # a function of the tools, a module, an intrinsic of these
            return f"{type(value).__qualname__} {getattr(value, '__name__', '')}"
