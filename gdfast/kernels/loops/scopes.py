"""What the names of a function stand for while it is translated."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy as np

from gdfast.kernels.loops.reading import tree_of
from gdfast.kernels.loops.values import Number, View
from gdfast.kernels.loops.writing import Slot


def kind_of(value: Any) -> Any:
    """What the text of a function depends on of an argument."""
    match value:
        case Number():
            return value.kind
        case View():
            return value.kind, len(value.shape)
        case tuple():
            return type(value), *map(kind_of, value)
    return "", type(value), repr(value) if isinstance(value, float | np.floating) else value  # 0.0 == -0.0


def shape_of(value: Any) -> Any:
    """How a value is made up of numbers."""
    match value:
        case View():
            return value.kind, len(value.shape)
        case tuple():
            return type(value), *map(shape_of, value)
    return None


def alike(one: Any, other: Any) -> None:
    """Raise a TypeError if two values are made up of numbers in different ways."""
    if shape_of(one) != shape_of(other):
        raise TypeError("a choice of two values that are made up in different ways")


@dataclass(frozen=True, slots=True)
class Kept:
    """What a name stands for that is assigned several times: where each of its numbers is kept."""

    value: Any
    slots: list[Slot]
    region: int  # of the function's text, in which it was first assigned


Given = frozenset[str] | None
"""The names that have a value in some place, however it is reached; None where it never is."""


def common(places: Iterable[Given]) -> Given:
    """The names that have a value in all of several places."""
    reached = [names for names in places if names is not None]
    return frozenset.intersection(*reached) if reached else None


@dataclass(slots=True)
class Loop:
    """A loop that is being written: the labels of what follows a round and of what is behind it, and who goes there."""

    following: str
    after: str
    continued: list[Given] = field(default_factory=list)
    ended: list[Given] = field(default_factory=list)


@dataclass(slots=True)
class Scope:
    """A function whose text is read, in a place of its own or within another."""

    function: FunctionType
    names: dict[str, Any] = field(init=False)
    assigned: dict[str, int] = field(init=False, default_factory=dict)  # how many times names are
    given: Given = frozenset()  # of these, here
    loops: list[Loop] = field(default_factory=list)
    read: set[tuple[str, int]] = field(init=False, default_factory=set)  # names, and in which regions
    is_single: bool = field(init=False)

    def __post_init__(self) -> None:
        code = self.function.__code__
        cells = zip(code.co_freevars, self.function.__closure__ or (), strict=True)
        self.names = {name: cell.cell_contents for name, cell in cells}
        self.is_single = any(isinstance(constant, np.float32) for constant in code.co_consts)
        for node in ast.walk(self.tree):
            match node:
                case ast.Name(name, ast.Store()) | ast.AugAssign(ast.Name(name)) | ast.arg(name):
                    self.assigned[name] = self.assigned.get(name, 0) + 1

    def has(self, name: str) -> bool:
        """Whether a name has a value here, however this place is reached."""
        return name in self.names and (name not in self.assigned or self.given is None or name in self.given)

    def leave(self) -> Given:
        """What has a value here, behind which nothing is reached."""
        given, self.given = self.given, None
        return given

    @property
    def tree(self) -> ast.FunctionDef:
        """Its syntax tree."""
        return tree_of(self.function)
