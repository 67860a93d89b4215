"""What a function uses from outside of it, and whether that is still what it was when a formula was made of it."""

import builtins
from collections.abc import Callable
from types import CellType, FunctionType
from typing import Any

from gdfast.arguments import shown
from gdfast.formulas.codes import text_of_code
from gdfast.formulas.grammar import GrammarError

NOTHING = object()


def outside(function: Callable[..., Any], name: str) -> Any:
    """What a name means in a function, where it is none of its own; `NOTHING` for nothing."""
    place, key = _place(function, name)
    if isinstance(place, CellType):
        return _content(place)
    return place[key] if key in place else getattr(builtins, name, NOTHING)


class Outside:
    """The functions of which a formula was made, and the numbers and functions from outside that they use."""

    def __init__(self) -> None:
        self._made_of: list[tuple[FunctionType, Any, Any]] = []
        self._names: list[tuple[dict[str, Any], str, Any]] = []
        self._cells: list[tuple[CellType, str, Any]] = []

    def made_of(self, function: Any) -> None:
        """Note a function whose text is part of the formula."""
        if isinstance(function, FunctionType):
            self._made_of.append((function, function.__code__, function.__defaults__))

    def uses(self, function: Any, name: str, value: Any) -> None:
        """Note what a name means in a function."""
        place, key = _place(function, name)
        if isinstance(place, CellType):
            self._cells.append((place, key, value))
        elif key in place:
            self._names.append((place, key, value))

    def uses_of_module(self, module: Any, name: str, value: Any) -> None:
        """Note what a module has under a name."""
        self._names.append((vars(module), name, value))

    def check(self, told: str) -> None:
        """Refuse a formula that was made of what is another by now, though the function is the same.

        Raises
        ------
        GrammarError
            If there is such a thing.
        """
        for function, code, defaults in self._made_of:
            if function.__code__ is not code and text_of_code(function.__code__) != text_of_code(code):
                raise GrammarError(
                    f"{told}: the code of {function.__name__} was replaced since it was read; {_FROM_ITS_FILE}"
                )
            if function.__defaults__ is not defaults and function.__defaults__ != defaults:
                raise GrammarError(
                    f"{told}: the defaults of {function.__name__} are others than as it was read; {_AGAIN}"
                )
        for place, name, value in self._names:
            now = place.get(name, NOTHING)
            if now is not value:
                _check_alike(told, name, value, now)
        for cell, name, value in self._cells:
            now = _content(cell)
            if now is not value:
                _check_alike(told, name, value, now)


_FROM_ITS_FILE = "import it again, or start Python anew"
_AGAIN = "define the function again, or make of what varies an argument"


def _check_alike(told: str, name: str, was: Any, now: Any) -> None:
    if isinstance(was, FunctionType):
        if isinstance(now, FunctionType) and not now.__closure__ and not was.__closure__:
            has, had = ((f.__defaults__, text_of_code(f.__code__)) for f in (now, was))
            if has == had:
                return
        raise GrammarError(f"{told}: {name} is another function than when it was read; {_AGAIN}")
    if type(now) is not type(was) or now != was:
        is_now = "nothing" if now is NOTHING else shown(now)
        raise GrammarError(f"{told}: {name} was {shown(was)} when it was read, and is {is_now} now; {_AGAIN}")


def _place(function: Any, name: str) -> tuple[Any, str]:
    """Where a name of a function stands: a cell, or a dictionary."""
    code = getattr(function, "__code__", None)
    if code is not None and name in code.co_freevars:
        cell = (function.__closure__ or ())[code.co_freevars.index(name)]
        if _content(cell) is not NOTHING:
            return cell, name
        return {name: NOTHING}, name
    return getattr(function, "__globals__", {}), name


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return NOTHING
