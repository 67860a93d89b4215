"""What a function or class of one's own uses, as text: by it a store tells whether the same made what it holds."""

import contextlib
import dis
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

from gdfast.formulas.codes import codes, enclosed, names_in, text_of_code
from gdfast.formulas.grammar import GrammarError
from gdfast.formulas.source import source_of
from gdfast.formulas.telling import Telling, digest

_LIBRARIES = {*sys.stdlib_module_names, "gdfast", "numpy"}
_INSTALLED = ("site-packages", "dist-packages")
_OF_EVERY_CLASS = {"__dict__", "__doc__", "__module__", "__qualname__", "__slotnames__", "__weakref__", "_abc_impl"}
_OF_EVERY_CLASS |= {"__annotate__", "__annotate_func__", "__annotations__", "__annotations_cache__"}
_OF_EVERY_CLASS |= {"__abstractmethods__", "__firstlineno__", "__static_attributes__", "__dataclass_fields__"}
_OF_EVERY_FUNCTION = {"__wrapped__", "__text__", "__tree__", "accepted"}


def full_text(thing: Any) -> str:
    """Return the text of a function or class with all that it uses, functions, classes and values; of a value, this.

    What other packages have that are installed is told by its name. Functions whose text cannot be read are told by a
    digest of their code; what nothing is known of, such as a lock, is the same as itself only.

    Examples
    --------
    >>> from gdfast.formulas.formula import from_text
    >>> print(full_text(from_text("def half(x): return x / 2")))
    def half(x): return x / 2
    """
    return _Reach(thing).whole()


def imported(function: FunctionType) -> Iterator[tuple[str, ModuleType]]:
    """The modules of one's own that a function of one's own imports when it is called."""
    around = function.__globals__
    if _is_of_installed(around.get("__file__")):
        return
    for code in codes(function.__code__):
        if dis.opmap["IMPORT_NAME"] not in code.co_code[::2]:
            continue
        instructions = [each for each in dis.get_instructions(code) if each.opname != "EXTENDED_ARG"]
        for level, _, taken in zip(instructions, instructions[1:], instructions[2:], strict=False):
            if taken.opname == "IMPORT_NAME" and _package(taken.argval) not in _LIBRARIES:
                with contextlib.suppress(Exception):  # what it raises is told by the function when it is called
                    name = "." * int(level.argval) + str(taken.argval)
                    name = importlib.util.resolve_name(name, str(around.get("__package__") or ""))
                    if name in sys.modules or not _is_of_installed(importlib.util.find_spec(_package(name)).origin):  # type: ignore[union-attr]
                        yield name, importlib.import_module(name)


def is_of_library(module: str, home: str) -> bool:
    """Whether a module is of Python, of gdfast, or of a package that is installed and not that of the module `home`."""
    if _package(module) in _LIBRARIES:
        return True
    file = str(getattr(sys.modules.get(module), "__file__", None))
    return _package(module) != _package(home) and _is_of_installed(file)


def _is_of_installed(file: Any) -> bool:
    return any(folder in str(file) for folder in _INSTALLED)


def _package(module: Any) -> str:
    return str(module).partition(".")[0]


class _Reach(Telling):
    """What is told of one thing: its text, and that of each function and class that it reaches, once."""

    def __init__(self, thing: Any) -> None:
        super().__init__()
        self.thing = getattr(thing, "py_func", thing)
        self.home = str(getattr(self.thing, "__module__", ""))
        self.numbers: dict[Any, int] = {}
        self.waiting: list[FunctionType | type] = []

    def whole(self) -> str:
        """The whole text."""
        lines = []
        if isinstance(self.thing, FunctionType | type):
            self.reached(self.thing)
        else:
            lines = [self.value(self.thing)]
        while self.waiting:
            lines += self.told_of(self.waiting.pop(0))
        return "\n\n".join(line.strip("\n") for line in lines)

    def reached(self, thing: FunctionType | type) -> int:
        """The number of a function or class of one's own, whose text is told."""
        if thing not in self.numbers:
            self.numbers[thing] = len(self.numbers)
            self.waiting.append(thing)
        return self.numbers[thing]

    def is_of_library(self, thing: Any) -> bool:
        """Whether a function or class is of Python, of gdfast, or of another package that is installed."""
        return is_of_library(str(getattr(thing, "__module__", None)), self.home)

    def function(self, thing: Any) -> str:
        """The name of a function or class, whose text is told too if it is one's own."""
        if not self.is_of_library(thing):
            return f"{thing.__name__} ({self.reached(thing)})"
        name = f"{thing.__module__}.{thing.__qualname__}"
        if _package(thing.__module__) == "gdfast":
            return name
        around = [self.value(content) for _, content in enclosed(thing)]
        return f"{name} of {around}" if around else name

    def told_of(self, thing: FunctionType | type) -> Iterator[str]:
        """The text of a function or class, and what its names stand for."""
        if isinstance(thing, type):
            yield f"class {thing.__name__}({', '.join(self.value(base) for base in thing.__bases__)})"
            for name, value in sorted(vars(thing).items()):
                if name not in _OF_EVERY_CLASS:
                    yield f"{thing.__name__}.{name} = {self.value(value)}"
            return
        yield _text(thing)
        more = {n: v for n, v in vars(thing).items() if n not in _OF_EVERY_FUNCTION}
        for role, values in {"defaults": thing.__defaults__, **(thing.__kwdefaults__ or {}), **more}.items():
            if values is not None:
                yield f"{thing.__name__}: {role} = {self.value(values)}"
        for name, value in self.uses(thing):
            value = getattr(value, "py_func", value)
            is_told_by_text = isinstance(value, FunctionType | type) and not self.is_of_library(value)
            is_new = is_told_by_text and value not in self.numbers
            told = self.value(value)
            if not (is_new and value.__name__ == name):
                yield f"{name} = {told}"

    def uses(self, function: FunctionType) -> Iterator[tuple[str, Any]]:
        """What the names in the code of a function stand for, but for what is of libraries by its usual name."""
        names = names_in(function.__code__)
        around = [(name, function.__globals__[name]) for name in names if name in function.__globals__]
        for name, value in [*around, *imported(function), *enclosed(function)]:
            yield from self.of_name(name, value, names, ())

    def of_name(self, name: str, value: Any, names: list[str], within: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
        """What a name stands for; of a module of one's own, whichever of these names it has."""
        if not isinstance(value, ModuleType):
            usual = getattr(value, "__name__", None) == name.rpartition(".")[2]
            if not (
                usual
                and _package(getattr(value, "__module__", None) or "numpy") in ("builtins", "gdfast", "math", "numpy")
                and callable(value)
            ):
                yield name, value
        elif is_of_library(value.__name__, self.home):
            if name.rpartition(".")[2] not in (value.__name__, "np"):
                yield name, value
        elif value not in within:
            for inner in names:
                if hasattr(value, inner):
                    yield from self.of_name(f"{name}.{inner}", getattr(value, inner), names, (*within, value))


def _text(function: FunctionType) -> str:
    if inspect.unwrap(function) is function:  # else its text would be that of what it wraps
        with contextlib.suppress(GrammarError):
            return source_of(function)
    return f"{function.__name__}: code of digest {digest(text_of_code(function.__code__))}"
