"""What an argument may be, and the one sentence a user reads when it is something else.

Every message names the argument, says what it was and what is accepted. A wrong type raises `TypeError`, a
wrong value `ValueError`.
"""

import difflib
import math
import numbers
import reprlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

_LONGEST, _LONGEST_LIST = 80, 480  # characters of a value, and of what is accepted


class _Shown(reprlib.Repr):
    """Representations of a length that can be read in a sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = _LONGEST
        self.maxlong = 40

    def repr_int(self, x: int, level: int) -> str:
        """A whole number, or about how large it is: Python writes no more than some thousand digits."""
        if abs(x) < 10**self.maxlong:
            return str(x)
        return f"{'-' if x < 0 else ''}10**{int(abs(x).bit_length() * math.log10(2))}"


def shown(value: Any) -> str:
    """The representation of a value, cut to a length that can be read in a sentence, and on one line."""
    try:
        return " ".join(_SHOWN.repr(value).split())
    except Exception:  # whatever an object's own representation raises
        return f"<{type(value).__name__}>"


_SHOWN = _Shown()


def harmless(text: str) -> str:
    """A text whose characters do nothing but to be seen: others are written as escapes; lines stay lines."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii") for c in str(text))


def one_line(text: str) -> str:
    """A harmless text whose line ends are escapes too, for a message."""
    return harmless(text).replace("\n", r"\n")


def cut(text: str, length: int) -> str:
    """The text, its middle left out where it is longer than `length`."""
    if len(text) <= length:
        return text
    return f"{text[: length // 2]}…({len(text):,} characters)…{text[-length // 4 :]}"


@dataclass(frozen=True)
class Interval:
    """The numbers from `low` to `high`; an end is included unless it is open, infinity only if said so."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    infinite: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below and (self.infinite or math.isfinite(value))

    def __str__(self) -> str:
        if math.isinf(self.low) and math.isinf(self.high):
            return "a finite number"
        if math.isinf(self.high):
            kind = "a number" if self.infinite else "a finite number"
            return f"{kind} {'>' if self.low_open else '>='} {self.low:g}"
        left, right = "(" if self.low_open else "[", ")" if self.high_open else "]"
        return f"a number in {left}{self.low:g}, {self.high:g}{right}"


@dataclass(frozen=True, init=False)
class OneOf:
    """A few numbers, and none between them."""

    values: tuple[float, ...]

    def __init__(self, *values: float) -> None:
        object.__setattr__(self, "values", values)

    def __contains__(self, value: float) -> bool:
        return value in self.values

    def __str__(self) -> str:
        *others, last = (f"{value:g}" for value in self.values)
        return f"{', '.join(others)} or {last}"


ANY = Interval()
POSITIVE = Interval(0, low_open=True)
"""Numbers above 0."""
NONNEGATIVE = Interval(0)
"""Numbers from 0."""
FRACTION = Interval(0, 1, high_open=True)
"""Numbers from 0 to below 1, such as shares that are kept."""
UNIT = Interval(0, 1)
"""Numbers from 0 to 1."""


def number(argument: str, value: Any, accepted: Interval | OneOf = ANY) -> float:
    """Return `value` as a float inside `accepted`.

    Raises
    ------
    TypeError
        If `value` is no real number.
    ValueError
        If it lies outside `accepted`.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{argument} must be {accepted}, not {shown(value)}")
    try:
        real = float(value)
    except OverflowError:
        raise ValueError(f"{argument} must be {accepted}, not {shown(value)}") from None
    if real not in accepted:
        raise ValueError(f"{argument} must be {accepted}, not {real:g}")
    return real


def integer(argument: str, value: Any, low: int = 1, high: int = 2**31 - 1) -> int:
    """Return `value` as an int from `low` to `high`.

    Raises
    ------
    TypeError
        If `value` is no integer.
    ValueError
        If it is out of range.
    """
    accepted = f"a whole number from {low} to {high}"
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{argument} must be {accepted}, not {shown(value)}")
    if not low <= int(value) <= high:
        raise ValueError(f"{argument} must be {accepted}, not {shown(int(value))}")
    return int(value)


def flag(argument: str, value: Any) -> bool:
    """Return `value` if it is True or False, NumPy's too.

    Raises
    ------
    TypeError
        If it is anything else.
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{argument} must be True or False, not {shown(value)}")
    return bool(value)


def choice(argument: str, value: Any, accepted: Iterable[str]) -> str:
    """Return `value` if it is one of the accepted names.

    Raises
    ------
    ValueError
        If it is not; the message suggests the nearest names, or that several, with commas between, are given singly.
    """
    names = list(accepted)
    if isinstance(value, str) and value in names:
        return value
    text = value if isinstance(value, str) else shown(value)
    near = difflib.get_close_matches(text, names, n=3) if len(text) <= _LONGEST else []
    near = [name for name in names if len(text) > 3 and text in name][:3] or near
    if "," in text and all(part.strip() in names for part in text.split(",")):
        hint = ": give each by itself; accepted"
    elif near:
        hint = f": did you mean {' or '.join(near)}? Accepted"
    else:
        hint = "; accepted"
    raise ValueError(f"{argument} {shown(text)} is not known{hint}: {_listed([*map(one_line, names)])}")


def _listed(names: Sequence[str]) -> str:
    """Names with commas between them, of many the first."""
    listed = ", ".join(names) or "none"
    if len(listed) <= _LONGEST_LIST:
        return listed
    first = listed[:_LONGEST_LIST].rpartition(", ")[0]
    return f"{first}, … ({len(names)} in all)"


def text(argument: str, value: Any) -> str:
    """Return `value` if it is a text.

    Raises
    ------
    TypeError
        If it is anything else.
    """
    return instance(argument, value, str, "a text")


def instance(argument: str, value: Any, kind: type[T] | tuple[type[T], ...], accepted: str) -> T:
    """Return `value` if it is of a kind, which the message calls `accepted`.

    Raises
    ------
    TypeError
        If it is not.
    """
    if not isinstance(value, kind):
        raise TypeError(f"{argument} must be {accepted}, not {shown(value)}")
    return value


def function(argument: str, value: Any, accepted: str) -> Any:
    """Return `value` if it can be called and is no class; the message calls it `accepted`.

    Raises
    ------
    TypeError
        If it cannot.
    """
    if not callable(value) or isinstance(value, type):
        raise TypeError(f"{argument} must be {accepted}, not {shown(value)}")
    return value


def several(argument: str, value: Any, accepted: str, least: int = 1) -> list[Any]:
    """Return what is in a sequence, a set or an array; the message calls it `accepted`.

    Raises
    ------
    TypeError
        If `value` is neither, such as a text, a mapping or a number.
    ValueError
        If there are fewer than `least` in it.
    """
    try:
        if not isinstance(value, Collection) or isinstance(value, str | bytes | Mapping):
            raise TypeError
        items = value.tolist() if isinstance(value, np.ndarray) and value.ndim else list(value)
    except TypeError:  # also of an array without axes, which is a collection by its methods
        raise TypeError(f"{argument} must be {accepted}, not {shown(value)}") from None
    if len(items) < least:
        few = "one" if least == 1 else least
        raise ValueError(f"{argument} must be {accepted}, at least {few}, not {len(items) or 'none'}")
    return items


def mapping(argument: str, value: Any, accepted: str) -> dict[str, Any]:
    """Return a mapping from texts as a dict; the message calls it `accepted`.

    Raises
    ------
    TypeError
        If it is none.
    """
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise TypeError(f"{argument} must be {accepted}, not {shown(value)}")
    return dict(value)


def array(argument: str, values: Any, shape: str = "any") -> NDArray[np.float64]:
    """Return numbers as an array of float64, a new one; the message calls its shape `shape`.

    Raises
    ------
    TypeError
        If `values` are no real numbers.
    ValueError
        If one is beyond the range of floats.
    """
    accepted = f"{argument} must be an array of numbers of shape {shape}"
    given = np.asarray(None)
    try:
        given = np.asarray(values)
        real = given.dtype.kind in "biuf" or (
            given.dtype.kind == "O" and all(isinstance(value, numbers.Real) for value in given.flat)
        )
        if not (real or given.size == 0):
            raise TypeError
        return np.array(given, dtype=np.float64)
    except MemoryError:
        raise ValueError(f"{argument}: an array of {given.size:,} numbers does not fit into memory") from None
    except OverflowError:
        raise ValueError(f"{accepted}, but one is beyond 1.8e308: {shown(values)}") from None
    except Exception:  # whatever the conversion of a stranger's object raises
        raise TypeError(f"{accepted}, not {shown(values)}") from None


def finite(argument: str, values: Any, shape: str = "any") -> NDArray[np.float64]:
    """Return finite numbers as an array of float64; see `array`.

    Raises
    ------
    TypeError, ValueError
        If `values` are no finite real numbers; the message tells the first that is none.
    """
    numbers_ = array(argument, values, shape)
    wrong = np.argwhere(~np.isfinite(numbers_))
    if len(wrong):
        where = ", ".join(str(index) for index in wrong[0])
        raise ValueError(f"{argument}[{where}] is {numbers_[tuple(wrong[0])]}, but must be finite")
    return numbers_
