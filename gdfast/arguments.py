"""What an argument may be, and the one sentence a user reads when it is something else.

Every message names the argument, says what it was and what is accepted. A wrong type raises `TypeError`, a
wrong value `ValueError`.
"""

import difflib
import math
import numbers
import reprlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_LONGEST = 80


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


@dataclass(frozen=True)
class Interval:
    """The numbers from `low` to `high`; an end is included unless it is said to be open."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below and math.isfinite(value)

    def __str__(self) -> str:
        if math.isinf(self.low) and math.isinf(self.high):
            return "a finite number"
        if math.isinf(self.high):
            return f"a finite number {'>' if self.low_open else '>='} {self.low:g}"
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
NONNEGATIVE = Interval(0)
FRACTION = Interval(0, 1, high_open=True)
UNIT = Interval(0, 1)


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
    """Return `value` if it is True or False.

    Raises
    ------
    TypeError
        If it is anything else.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{argument} must be True or False, not {shown(value)}")
    return value


def choice(argument: str, value: Any, accepted: Iterable[str]) -> str:
    """Return `value` if it is one of the accepted names.

    Raises
    ------
    ValueError
        If it is not; the message suggests the nearest names.
    """
    names = list(accepted)
    if isinstance(value, str) and value in names:
        return value
    text = value if isinstance(value, str) else shown(value)
    near = difflib.get_close_matches(text, names, n=3) if len(text) <= _LONGEST else []
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise ValueError(f"{argument} {shown(text)} is not known: {hint}Accepted: {', '.join(names) or 'none'}")
