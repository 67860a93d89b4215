"""Axes and points as text: ``low:high:count``, ``0.1/0.3/1``, ``x,y``."""

import math
from collections.abc import Sequence

import numpy as np

from gdfast import arguments, memory
from gdfast.arguments import shown
from gdfast.formulas.elementary import Array
from gdfast.formulas.mathematics import flat_name

_BYTES_OF_A_VALUE = 40
"""Of a value of an axis while grids are made of it, checked and described: measured are four to five copies."""


def parse_axis(argument: str, text: str, logarithmic: bool, size: int = _BYTES_OF_A_VALUE) -> Array:
    """Read ``low:high:count`` as a grid, ``0.1/0.3/1`` as these values, or one number as itself.

    The grid is logarithmic or linear as the argument of this name says, unless ``log:`` or ``linear:`` stands first.
    What is made of a value takes `size` bytes.

    Raises
    ------
    ValueError
        If it is neither, or has more values than fit into memory.
    """
    accepted = (
        f"{argument} must be low:high:count, after log: or linear: if need be, or numbers such as 0.1/0.3/1, not "
        f"{shown(text)}"
    )
    spacing, colon, rest = text.partition(":")
    if colon and spacing in ("log", "linear"):
        logarithmic, text = spacing == "log", rest
    accepted_ends = arguments.POSITIVE if logarithmic else arguments.ANY
    try:
        *values, last = text.split(":") if ":" in text else [*text.split("/"), "1"]
        numbers, count = [float(value) for value in values], int(last)
    except ValueError:
        raise ValueError(accepted) from None
    if ":" not in text:
        return np.array([arguments.number(argument, number, accepted_ends) for number in numbers])
    if len(numbers) != 2:
        raise ValueError(accepted)
    low, high = numbers
    count = arguments.integer(f"{argument}: count", count)
    for name, end in (("low", low), ("high", high)):
        arguments.number(f"{argument}: {name}", end, accepted_ends)
    if not math.isfinite(high - low):
        raise ValueError(f"{argument} must have ends less than 1.8e308 apart, not {low:g} and {high:g}")
    memory.fits(f"{argument}: {count:,} values", size * count)
    return np.geomspace(low, high, count) if logarithmic else np.linspace(low, high, count)


def parse_numbers(argument: str, text: str, names: Sequence[str]) -> tuple[float, ...]:
    """Read one finite number for each name, with commas between them.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != len(names) or not all(map(math.isfinite, numbers)):
        several = ",".join(names) if len(names) <= 8 else f"{names[0]},{names[1]},…,{names[-1]}"
        many = "a finite number" if len(names) == 1 else f"{len(names)} finite numbers, {several}"
        raise ValueError(f"{argument} must be {many}, not {shown(text)}")
    return numbers


def parse_point(argument: str, text: str) -> tuple[float, float]:
    """Read two numbers, ``x,y``.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    x, y = parse_numbers(argument, text, ("x", "y"))
    return x, y


def parse_domain(texts: Sequence[str]) -> dict[str, Array] | list[Array]:
    """Read the ranges of coordinates, ``low:high``: by names if all are ``name=low:high``, else in the given order.

    Raises
    ------
    ValueError
        If one is no range, a name is given twice, or only some have names.
    """
    accepted = "domain must be low:high, the lower first, or name=low:high, for each coordinate once"
    names = [flat_name(text.partition("=")[0].strip()) for text in texts if "=" in text]
    if names and (len(names) < len(texts) or len(set(names)) < len(names)):
        raise ValueError(f"{accepted}, not {shown(', '.join(texts))}")
    ranges = []
    for text in texts:
        try:
            low, high = map(float, text.rpartition("=")[2].split(":"))
        except ValueError:
            low = high = math.nan
        if not low < high:
            raise ValueError(f"{accepted}, not {shown(text)}")
        if not math.isfinite(high - low):
            raise ValueError(f"domain must have ends less than 1.8e308 apart, not {low:g} and {high:g}")
        ranges.append(np.array([low, high]))
    return dict(zip(names, ranges, strict=True)) if names else ranges


def parse_starts(texts: Sequence[str]) -> dict[str, Array] | list[Array]:
    """Read the axes of starts: by the coordinates' names if all are ``name=axis``, else in the given order.

    Of networks they may be those of the initialization: ``init=he_normal/zeros``, gain, bias, seed.

    Raises
    ------
    ValueError
        If one is no axis, a name is given twice, or only some have names.
    """
    names = [flat_name(text.partition("=")[0].strip()) for text in texts if "=" in text]
    if not names:
        return [parse_axis("start", text, logarithmic=False) for text in texts]
    if len(names) < len(texts) or len(set(names)) < len(names):
        raise ValueError(f"start must be name=low:high:count for each coordinate once, not {shown(', '.join(texts))}")
    values = {name: text.partition("=")[2].strip() for name, text in zip(names, texts, strict=True)}
    return {
        name: np.array(value.split("/"))
        if name == "init" and not value[:1].isdigit()
        else parse_axis(f"start {shown(name)}", value, logarithmic=False)
        for name, value in values.items()
    }
