"""What a function uses from outside of it, and the function with all that as it is at one time.

Numbers and functions of a module, or of an enclosing function, may be others later: a cell of a notebook is run again,
a loop goes on, a module is edited and read anew. What is made of a function is made of it as it is then, and stays so.
"""

import builtins
import contextlib
import functools
import numbers
from collections.abc import Callable, Hashable, Sequence
from types import CellType, FunctionType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from gdfast.formulas.codes import names_in
from gdfast.formulas.reach import is_of_library

NOTHING = object()
_OF_A_MODULE = ("__builtins__", "__file__", "__loader__", "__name__", "__package__", "__spec__")

_pinned: WeakKeyDictionary[FunctionType, WeakValueDictionary[Hashable, FunctionType]] = WeakKeyDictionary()
_originals: WeakKeyDictionary[FunctionType, tuple[Callable[..., Any], Hashable]] = WeakKeyDictionary()


def outside(function: Callable[..., Any], name: str) -> Any:
    """What a name means in a function, where it is none of its own; `NOTHING` for nothing."""
    code = getattr(function, "__code__", None)
    if code is not None and name in code.co_freevars:
        return _content((function.__closure__ or ())[code.co_freevars.index(name)])
    around = getattr(function, "__globals__", {})
    return around[name] if name in around else getattr(builtins, name, NOTHING)


def underlying(function: Any) -> Any:
    """The function that numba compiles or that `functools` caches; anything else as it is."""
    if isinstance(function, functools._lru_cache_wrapper):
        return function.__wrapped__
    return getattr(function, "py_func", function)


def pinned(function: Any) -> Any:
    """A function of one's own with its code, and the numbers and functions from outside, as they are now.

    It is the same as long as these are. What is of gdfast, or no function, is returned as it is.

    Examples
    --------
    >>> def made(number):
    ...     return lambda x: number * x
    >>> half = pinned(made(0.5))
    >>> half(3.0), pinned(half) is half
    (1.5, True)
    """
    made_of = underlying(function)
    if not isinstance(made_of, FunctionType) or made_of in _originals or _is_of_gdfast(made_of):
        return function
    pinning = _Pinning(made_of)
    told = tuple(pinning.told)
    copy = _pinned.setdefault(made_of, WeakValueDictionary()).setdefault(told, pinning.whole)
    _originals.setdefault(copy, (function, told))
    return copy


def original(function: Any) -> Any:
    """The function that one was pinned of, if that uses the same still; else itself, as all others."""
    if not is_pinned(function):
        return function
    made_of, _ = _originals[function]
    return made_of if pinned(made_of) is function else function


def is_pinned(function: Any) -> bool:
    """Whether `pinned` has made a function."""
    return isinstance(function, FunctionType) and function in _originals


def content(function: FunctionType) -> Hashable:
    """What the pinned ones of one code that uses the same have in common."""
    return _originals[function][1]


class _Pinning:
    """A copy of a function and of all functions and modules of one's own that it uses, and what tells it from others.

    Attributes
    ----------
    whole : FunctionType
        The copy.
    told : list
        Code and values, in the order in which they are reached.
    """

    def __init__(self, function: FunctionType) -> None:
        self.home = str(function.__module__)
        self.told: list[Hashable] = []
        self.copies: dict[Any, Any] = {}
        self.whole = self.function(function)

    def value(self, value: Any, names: Sequence[str]) -> Any:
        """A value as it is now; `names` are those in the code that uses it."""
        function = underlying(value)
        if isinstance(value, ModuleType) and not is_of_library(value.__name__, self.home):
            return self.module(value, names)
        if isinstance(function, FunctionType) and not is_of_library(str(function.__module__), self.home):
            return self.function(function)
        self.told.append((type(value), repr(value)) if isinstance(value, numbers.Real) else id(value))
        return value

    def function(self, function: FunctionType) -> FunctionType:
        if function in self.copies:
            self.told.append([*self.copies].index(function))
            return self.copies[function]  # type: ignore[no-any-return]
        around, code = function.__globals__, function.__code__
        scope = {name: around[name] for name in _OF_A_MODULE if name in around}
        cells = [cell if _content(cell) is NOTHING else CellType() for cell in function.__closure__ or ()]
        copy = FunctionType(code, scope, function.__name__, function.__defaults__, tuple(cells))
        self.copies[function] = copy
        for name in ("__module__", "__qualname__", "__doc__", "__kwdefaults__"):
            setattr(copy, name, getattr(function, name))
        vars(copy).update(vars(function))
        self.told.append(code)
        names = names_in(code)
        for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values(), *vars(copy).values()):
            self.value(value, ())
        for name in names:
            if name in around:
                self.told.append(name)
                scope[name] = self.value(around[name], names)
        for cell, old in zip(cells, function.__closure__ or (), strict=True):
            if cell is not old:
                cell.cell_contents = self.value(old.cell_contents, names)
        return copy

    def module(self, module: ModuleType, names: Sequence[str]) -> ModuleType:
        """Whichever of these names it has."""
        if module in self.copies:
            self.told.append([*self.copies].index(module))
            return self.copies[module]  # type: ignore[no-any-return]
        self.copies[module] = copy = ModuleType(module.__name__)
        for name in names:
            with contextlib.suppress(Exception):  # there is none, or it is made when it is asked for
                value = getattr(module, name)
                self.told.append(name)
                setattr(copy, name, self.value(value, names))
        return copy


def _is_of_gdfast(function: FunctionType) -> bool:
    return str(function.__module__).partition(".")[0] == "gdfast"


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return NOTHING
