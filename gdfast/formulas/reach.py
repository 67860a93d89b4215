"""What a function of one's own uses, as text: by it a store tells whether what it holds was computed by the same."""

import functools
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from gdfast.formulas.grammar import GrammarError
from gdfast.formulas.source import source_of

_LIBRARIES = {*sys.stdlib_module_names, "gdfast"}
_INSTALLED = ("site-packages", "dist-packages")


def full_text(function: Callable[..., Any]) -> str:
    """Return the text of a function, and under it what it uses of numbers, arrays, functions and classes.

    What libraries have is told by nothing: their versions are told elsewhere. Of a function without a text the
    representation is returned.

    Examples
    --------
    >>> from gdfast.formulas.formula import from_text
    >>> print(full_text(from_text("def half(x): return x / 2")))
    def half(x): return x / 2
    """
    lines: list[str] = []
    for name, value in _reached(function):
        lines.append(f"{name} = {_told(value)}" if name else _text(value))
    return "\n\n".join(line.strip("\n") for line in lines) if len(lines) > 1 else lines[0]


def _reached(function: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """The function, and names with their values; functions and classes, which have a text, without a name."""
    seen: set[int] = {id(function)}
    waiting: list[Any] = [function]
    yield "", function
    while waiting:
        thing = waiting.pop(0)
        for name, value in _uses(thing):
            value = getattr(value, "py_func", value)
            if isinstance(value, functools.partial):
                value = value.func
            if isinstance(value, ModuleType) or _is_of_library(value):
                continue
            if isinstance(value, FunctionType | type):
                if id(value) not in seen:
                    seen.add(id(value))
                    waiting.append(value)
                    yield "", value
            elif (id(thing), name) not in seen:  # type: ignore[comparison-overlap]
                yield name, value


def _uses(thing: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, type):
        for _, value in sorted(vars(thing).items()):
            if isinstance(value, FunctionType | staticmethod | classmethod):
                yield from _uses(getattr(value, "__func__", value))
        return
    names = sorted({name for code in _codes(thing.__code__) for name in code.co_names})
    around: Mapping[str, Any] = thing.__globals__
    for name in names:
        value = around.get(name)
        if isinstance(value, ModuleType) and not _is_library(value.__name__, getattr(value, "__file__", None)):
            for inner in names:
                if hasattr(value, inner):
                    yield f"{name}.{inner}", getattr(value, inner)
        elif name in around:
            yield name, value
    for name, cell in zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not assigned yet
            continue


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _is_of_library(value: Any) -> bool:
    module = value.__module__ if isinstance(value, FunctionType | type) else None
    if module is None:
        return callable(value) and not hasattr(value, "specification")
    return _is_library(module, getattr(sys.modules.get(module), "__file__", None))


def _is_library(module: str, file: str | None) -> bool:
    return module.partition(".")[0] in _LIBRARIES or any(folder in str(file) for folder in _INSTALLED)


def _text(value: Any) -> str:
    try:
        return source_of(value) if isinstance(value, FunctionType) else inspect.getsource(value)
    except (GrammarError, OSError, TypeError):
        return repr(value)


def _told(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array {value.shape} {value.dtype} {hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    told = getattr(value, "specification", None)
    return repr(value) if told is None else repr(told)
