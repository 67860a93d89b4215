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
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from gdfast.formulas import elementary
from gdfast.formulas.codes import constant, enclosed, names_in, text_of_code
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
            yield None, constant(value)


def _referred_to(function: FunctionType) -> Iterator[Any]:
    names = names_in(function.__code__)
    around = [function.__globals__.get(name) for name in names]
    for value in (*around, *(content for _, content in enclosed(function))):
        yield value
        if isinstance(value, ModuleType):
            yield from (getattr(value, attribute, None) for attribute in names)
    yield from function.__defaults__ or ()
