"""Values: what two things must have in common to be equal, and what is told of them as plain data."""

import dataclasses
import functools
import hashlib
from abc import abstractmethod
from collections.abc import Hashable, Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

import numpy as np

from gdfast.formulas.reach import full_text


class Value:
    """A thing that is equal to what is the same, and is no other when something of it is replaced."""

    @abstractmethod
    def content(self) -> Hashable:
        """Return what two of them must have in common to be equal."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value):
            return NotImplemented
        return self is other or self.content() == other.content()

    def __hash__(self) -> int:
        return hash(self.content())


def content_of(value: Any) -> Hashable:
    """What a parameter or a field has in common with an equal one, as something that can be compared and hashed."""
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            return "array", value.shape, content_of(value.ravel().tolist())
        return "array", value.shape, value.dtype.str, hashlib.sha256(value.tobytes()).hexdigest()
    if isinstance(value, Mapping):
        return tuple((name, content_of(each)) for name, each in value.items())
    if isinstance(value, tuple | list):
        return tuple(map(content_of, value))
    if isinstance(value, float) and (value != value or (value == 0 and str(value)[0] == "-")):
        return str(value)  # not a number, which is not equal to itself, and -0.0, which is to 0.0
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, functools.partial):
        return functools.partial, *map(content_of, (value.func, value.args, value.keywords))
    if dataclasses.is_dataclass(value) and not isinstance(value, Value | type):
        return type(value), *(content_of(getattr(value, field.name)) for field in dataclasses.fields(value))
    return value if isinstance(value, Hashable) else id(value)


def same(a: Any, b: Any) -> bool:
    """Whether two have the same content."""
    return a is b or content_of(a) == content_of(b)


def plain(value: Any) -> Any:
    """A parameter or a field as plain data: an array by shape and digest, a function by its text."""
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return {"shape": list(value.shape), "dtype": str(value.dtype), "sha256": digest}
    if isinstance(value, Value) and hasattr(value, "specification"):
        return value.specification
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, Value | type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict | MappingProxyType) and all(isinstance(name, str) for name in value):
        return {name: plain(each) for name, each in value.items()}
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, str | int | float | None) else full_text(value)
