"""Values as text: the same text for the same value in every process, and another for another value."""

import copyreg
import functools
import hashlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from enum import Enum
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

import numpy as np

_PLAIN = (int, float, complex, bool, str, bytes, type(None), type(Ellipsis), type(NotImplemented), range)
_LONGEST = 200  # letters of a value that are told as they are
_DEEPEST = 100
_IN_C = (BuiltinFunctionType, MethodWrapperType, np.ufunc, WrapperDescriptorType, MethodDescriptorType)
_PLACES = (ClassMethodDescriptorType, GetSetDescriptorType, MemberDescriptorType)


def digest(text: str) -> str:
    """A digest of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Telling:
    """Tells values, each once: what is long by a digest, and what holds itself by how far it is from there."""

    def __init__(self) -> None:
        self._told: dict[int, str] = {}
        self._kept: list[Any] = []  # so that no other takes the place in memory of what was told
        self._within: list[int] = []

    @abstractmethod
    def function(self, thing: Any) -> str:
        """What is told of a function or a class where a value holds it."""

    def itself(self, value: Any) -> str:
        """What is told of what is the same as itself only, such as a lock."""
        return f"{type(value).__module__}.{type(value).__qualname__} at {id(value):#x}"

    def value(self, value: Any) -> str:
        """The text of a value, or a digest of it where that is long."""
        if type(value) in _PLAIN:
            told = repr(value)
            return told if len(told) <= _LONGEST else f"{type(value).__name__} of digest {digest(told)}"
        function = getattr(value, "py_func", value)  # of what numba compiles
        if isinstance(function, FunctionType | type):
            return self.function(function)
        if id(value) in self._within:
            return f"what is {len(self._within) - self._within.index(id(value))} around it"
        if len(self._within) >= _DEEPEST:
            return self.itself(value)
        if id(value) not in self._told:
            self._kept.append(value)
            self._within.append(id(value))
            told = self._of_kind(value)
            self._within.pop()
            self._told[id(value)] = (
                told if len(told) <= _LONGEST else f"{type(value).__name__} of digest {digest(told)}"
            )
        return self._told[id(value)]

    def _of_kind(self, value: Any) -> str:
        match value:
            case np.generic() if not value.dtype.hasobject:
                return f"{value.dtype} {value.item()!r}"
            case np.ndarray():
                if value.dtype.hasobject:
                    return f"array {value.shape} {value.dtype} {self.value(value.tolist())}"
                return f"array {value.shape} {value.dtype} {_of_bytes(value)}"
            case ModuleType():
                return f"module {value.__name__}"
            case Enum():
                return f"{self.function(type(value))}.{value.name} = {self.value(value.value)}"
            case functools.partial():
                return f"partial {self.value(value.func)} {self.value(value.args)} {self.value(value.keywords)}"
            case MethodType():
                return f"{self.value(value.__func__)} of {self.value(value.__self__)}"
            case property():
                return f"property {self._of_several((value.fget, value.fset, value.fdel))}"
            case functools.cached_property():
                return f"cached property {self.value(value.func)}"
            case staticmethod() | classmethod():
                return f"{type(value).__name__} {self.value(value.__func__)}"
            case dict() | MappingProxyType() if type(value) in (dict, MappingProxyType):
                return "{" + ", ".join(f"{self.value(k)}: {self.value(v)}" for k, v in value.items()) + "}"
            case set() | frozenset():
                return f"{type(value).__name__} {[self.value(each) for each in sorted(value, key=_place_in_set)]}"
            case list() | tuple() if type(value) in (list, tuple):
                return f"[{self._of_several(value)}]" if isinstance(value, list) else f"({self._of_several(value)})"
        if isinstance(getattr(type(value), "specification", None), property):
            return f"{type(value).__name__} {self.value(value.specification)}"
        if isinstance(wrapped := getattr(value, "__wrapped__", None), FunctionType):  # such as of functools.lru_cache
            return f"{type(value).__name__} {self.value(wrapped)}"
        return self._of_object(value)

    def _of_several(self, values: Any) -> str:
        return ", ".join(map(self.value, values))

    def _of_object(self, value: Any) -> str:
        """What an object is made of, as pickle asks it."""
        kind = type(value)
        if isinstance(value, _PLACES):
            return f"{kind.__name__} {value.__name__}"
        if isinstance(value, _IN_C):
            owner = getattr(value, "__self__", None)
            of = "" if owner is None or isinstance(owner, ModuleType) else f" of {self.value(owner)}"
            return f"{getattr(value, '__module__', None)}.{getattr(value, '__qualname__', value.__name__)}{of}"
        if isinstance(value, Iterator):
            return self.itself(value)
        try:
            reduce = copyreg.dispatch_table.get(kind)
            parts: Any = reduce(value) if reduce else value.__reduce_ex__(4)
        except Exception:  # whatever an object says that cannot be pickled
            return self.itself(value)
        if isinstance(parts, str):
            return f"{getattr(value, '__module__', None)}.{parts}"
        make, given, *rest = parts
        state = rest[0] if rest else None
        if isinstance(state, Mapping):
            state = {n: v for n, v in state.items() if not is_cached(kind, n)}
        more = [list(each) if each is not None else None for each in rest[1:3]]
        return f"{self.value(make)} {self.value(given)} {self.value(state)} {self.value(more)}"


def _place_in_set(value: Any) -> tuple[str, str]:
    """By what the members of a set are told in the same order in every process."""
    told = getattr(value, "__qualname__", None) or (repr(value) if isinstance(value, _PLAIN) else str(hash(value)))
    return type(value).__qualname__, told


def is_cached(kind: type, name: Any) -> bool:
    """Whether an attribute is only kept, made of the others by the class when it was first asked for."""
    return isinstance(name, str) and isinstance(getattr(kind, name, None), functools.cached_property)


def _of_bytes(array: np.ndarray[Any, Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
