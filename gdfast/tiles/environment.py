"""What must be the same wherever the tiles of a sweep are run, so that one result is the work of one code.

A sweep travels in its pickled form, in which functions and classes are only named: each process takes what it has
under that name. What a process has is told by the versions of what computes, by a digest of the text of gdfast, and
by a digest of the code of everything else that the pickled form names.
"""

import functools
import hashlib
import importlib.metadata
import io
import pickle
import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

import gdfast
from gdfast import __version__
from gdfast.formulas.codes import enclosed, names_in, text_of_code
from gdfast.formulas.reach import imported
from gdfast.formulas.telling import Telling

_COMPUTES = ("numpy", "numba", "llvmlite")
_TOLD_BY_VERSION = {*sys.stdlib_module_names, *_COMPUTES, "gdfast"}
_OF_EVERY_CLASS = {"__dict__", "__weakref__", "__doc__", "__module__", "__firstlineno__", "__slotnames__"}
_OF_EVERY_CLASS |= {"__static_attributes__"}


def _text_of_gdfast() -> str:
    total = hashlib.sha256()
    folder = Path(gdfast.__file__).parent
    for file in sorted(folder.rglob("*.py")):
        total.update(f"{file.relative_to(folder).as_posix()}\0".encode() + file.read_bytes())
    return total.hexdigest()[:16]


_TEXT = _text_of_gdfast()  # as it was when it was imported: a worker may run for longer than its files stay the same


@functools.cache
def _versions() -> dict[str, str]:
    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        **{name: importlib.metadata.version(name) for name in _COMPUTES},
        "gdfast": __version__,
        "the text of gdfast": _TEXT,
    }


def unpack(parcel: bytes) -> tuple[Any, dict[str, str]]:
    """Read a pickled thing, and tell the environment that it has in this process.

    Returns
    -------
    thing
        What was pickled.
    environment : dict
        Versions, the digest of gdfast's text, and for everything else that the pickled form names ``module.name`` with
        a digest of its code and of the code and constants that this uses, as they are in memory.
    """
    reader = _Reader(io.BytesIO(parcel))
    thing = reader.load()
    return thing, {**_versions(), **{name: digest(value) for name, value in sorted(reader.named.items())}}


class _Reader(pickle.Unpickler):
    """Reads what is pickled and notes what it names outside of what versions tell."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.named: dict[str, Any] = {}

    def find_class(self, module: str, name: str) -> Any:
        value = super().find_class(module, name)
        if not _known_by_version(module):
            self.named[f"{module}.{name}"] = value
        return value


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Say in what two environments differ, each with what it is there and here; empty if in nothing."""
    return ", ".join(
        f"{name} is {there.get(name, 'missing')} there and {here.get(name, 'missing')} here"
        for name in {**here, **there}
        if here.get(name) != there.get(name)
    )


def digest(thing: Any) -> str:
    """Digest the code of a function or class, and of all that it uses."""
    total = hashlib.sha256()
    for part in _parts(thing, (), {}):
        total.update(part.encode() + b"\0")
    return total.hexdigest()[:16]


def _known_by_version(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] in _TOLD_BY_VERSION


def _parts(thing: Any, names: tuple[str, ...], seen: dict[int, tuple[int, Any]]) -> Iterator[str]:
    """Texts of what a thing is made of; `names` are those that the code which uses it looks up."""
    if id(thing) in seen:
        yield f"again {seen[id(thing)][0]}"
        return
    uses: list[tuple[str, Any]] = []
    if isinstance(thing, ModuleType | FunctionType | type):
        seen[id(thing)] = len(seen), thing
    if isinstance(thing, ModuleType):
        yield thing.__name__
        if not _known_by_version(thing.__name__):
            uses = [(name, getattr(thing, name)) for name in names if hasattr(thing, name)]
    elif isinstance(thing, FunctionType):
        yield thing.__qualname__
        uses = [("cell", content) for _, content in enclosed(thing)]
        if not _known_by_version(thing.__globals__.get("__name__")):
            yield text_of_code(thing.__code__)
            names = tuple(names_in(thing.__code__))
            uses += [("default", thing.__defaults__), ("default", thing.__kwdefaults__), *vars(thing).items()]
            uses += [(name, thing.__globals__[name]) for name in names if name in thing.__globals__]
            uses += imported(thing)
    elif isinstance(thing, type):
        yield thing.__qualname__
        if not _known_by_version(thing.__module__):
            uses = [("base", base) for base in thing.__bases__]
            uses += sorted((n, v) for n, v in vars(thing).items() if n not in _OF_EVERY_CLASS)
    else:
        told = _Told()
        yield told.value(thing)
        uses = [("", each) for each in told.functions]
    for name, value in uses:
        yield name
        yield from _parts(value, names, seen)


class _Told(Telling):
    """What is told of a value, and the functions and classes that it holds."""

    def __init__(self) -> None:
        super().__init__()
        self.functions: list[Any] = []

    def function(self, thing: Any) -> str:
        self.functions.append(thing)
        return str(thing.__qualname__)

    def itself(self, value: Any) -> str:
        return f"{type(value).__module__}.{type(value).__qualname__}"  # each process has its own

    def value(self, value: Any) -> str:
        of_chance = isinstance(value, np.random.Generator | np.random.RandomState | np.random.BitGenerator)
        return self.itself(value) if of_chance else super().value(value)
