"""Functions of lanes read anew: the same text, in which some names and numbers mean something else.

Lane kernels are written once, in plain Python, for float64. In float32 a number with a point in them, or one that a
name stands for, is one of that type, `float` makes such numbers, and what functions of `gdfast.formulas.elementary`
return is rounded to it; whole numbers stay what they are. (A quotient of two whole numbers is one in float64: write
``float(1.0 / rows)``.) So compiled lanes round where NumPy does, given arrays of the type and Python's numbers.
"""

import builtins
import functools
import inspect
import weakref
from collections.abc import Callable, Mapping
from types import CellType, CodeType, FunctionType
from typing import Any

import numpy as np

from gdfast.formulas import elementary, lane_products, records
from gdfast.formulas.factors import orthogonal_in
from gdfast.formulas.source import defined

_OF_ANY_TYPE = {lane_products.__name__, records.__name__}
"""Modules whose compiled forms look at the type of what they are given."""


class Reading:
    """What makes functions anew, with all plain functions that they call.

    Parameters
    ----------
    names : mapping
        What a name stands for instead, wherever it is looked up.
    real : str
        The type of numbers.
    """

    def __init__(self, names: Mapping[str, Any], real: str = "float64") -> None:
        self.names, self.real, self.number = names, real, getattr(np, real)
        self._made: weakref.WeakKeyDictionary[FunctionType, FunctionType] = weakref.WeakKeyDictionary()

    def __call__(self, function: Any) -> Any:
        """The function read anew; itself where nothing in it means anything else."""
        if function not in self._made:
            self._made[function] = self._copy(function)
        return self._made[function]

    def _copy(self, function: FunctionType) -> FunctionType:
        code, around = self._code(function.__code__), function.__globals__
        looked_up = {name: around.get(name, getattr(builtins, name, None)) for name in code.co_names}
        others = {name: self._meaning(name, value) for name, value in looked_up.items()}
        changed = {name: value for name, value in others.items() if value is not looked_up[name]}
        enclosed = [cell.cell_contents for cell in function.__closure__ or ()]
        fresh = [self._meaning(name, value) for name, value in zip(code.co_freevars, enclosed, strict=True)]
        same = all(one is other for one, other in zip(enclosed, fresh, strict=True))
        if not changed and same and code is function.__code__:
            return function
        cells = tuple(map(CellType, fresh))
        copy = FunctionType(code, {**around, **changed}, function.__name__, function.__defaults__, cells)
        copy.__qualname__, copy.__module__ = function.__qualname__, function.__module__
        copy.__wrapped__ = function  # type: ignore[attr-defined]
        if hasattr(function, "__tree__"):
            copy.__tree__ = function.__tree__  # type: ignore[attr-defined]
        return copy

    def _meaning(self, name: str, value: Any) -> Any:
        if name in self.names:
            return self.names[name]
        if isinstance(value, FunctionType):
            if value.__module__ == elementary.__name__:
                return value if self.real == "float64" else _narrowed(value, self.number)
            return value if value.__module__ in _OF_ANY_TYPE else self(value)
        return self._constant(value)

    def _constant(self, value: Any) -> Any:
        """A number, or the type of numbers, as it is in the type."""
        if self.real == "float64":
            return value
        if isinstance(value, float | np.float64):
            with np.errstate(over="ignore"):
                return self.number(value)
        if value is float or value is np.float64:
            return self.number
        if isinstance(value, np.dtype) and value.names:
            kinds = [(name, self.number if value[name] == np.float64 else value[name]) for name in value.names]
            return np.dtype(kinds) if any(value[name] == np.float64 for name in value.names) else value
        if isinstance(value, tuple) and any(isinstance(part, float) for part in value):
            return tuple(map(self._constant, value))
        return value

    def _code(self, code: CodeType) -> CodeType:
        constants = tuple(map(self._constant, code.co_consts))
        same = all(one is other for one, other in zip(constants, code.co_consts, strict=True))
        return code if same else code.replace(co_consts=constants)


@functools.cache
def _narrowed(function: Any, number: Any) -> Any:
    """A function of `elementary` whose result is rounded."""
    given = ", ".join(inspect.signature(function).parameters)
    scope: dict[str, Any] = {"__name__": __name__, "function": function, "number": number}
    return defined(f"def {function.__name__}({given}):\n    return number(function({given}))", scope, "<narrowed>")


_SINGLE = Reading(
    {"VECTOR": lane_products.lanes_of(np.float32), "ORTHOGONAL": np.float32(orthogonal_in(np.float32))}, "float32"
)


def lanes_in(function: Callable[..., Any], real: str) -> Callable[..., Any]:
    """A lane function in a type, ``float64`` or ``float32``; the same one whenever it is asked for."""
    read: Callable[..., Any] = _SINGLE(function) if real == "float32" else function
    return read
