"""Tuples in kernels: functions that have no text, since what they do is done while a kernel is translated."""

from typing import Any, NoReturn


def as_tuple(value: Any) -> Any:
    """A tuple as itself, a number as a tuple of one."""
    return value if isinstance(value, tuple) else (value,)


def with_item(values: Any, place: Any, value: Any) -> Any:
    """A tuple with another value at a place."""
    return _for_kernels(values, place, value)


def entries_of(row: Any, count: Any) -> Any:
    """The first entries of a row as a tuple."""
    return _for_kernels(row, count)


def _for_kernels(*_: Any) -> NoReturn:
    raise NotImplementedError("for kernels")
