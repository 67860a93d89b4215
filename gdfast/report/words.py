"""Numbers and lists as they are written in sentences."""

from collections.abc import Iterable
from pathlib import PurePath

from gdfast.data import Data
from gdfast.plot import ticks
from gdfast.problems import Problem

_LONGEST = 48


def called(problem: Problem) -> str:
    """What a problem is called in a sentence: its expression or its label or, where that is long, its data's name."""
    label = str(problem.parameters.get("expression", problem.label))
    if len(label) <= _LONGEST:
        return label
    data = problem.parameters.get("data")
    return f"{problem.name} on {PurePath(data.name).name}" if isinstance(data, Data) else f"{label[:_LONGEST]}…"


def percent(share: float) -> str:
    """A share in per cent, with one digit where that says more."""
    return f"{share:.0%}" if share in (0.0, 1.0) or 0.1 <= share <= 0.995 else f"{100 * share:.3g}%"


def number(value: float) -> str:
    """A number with three significant digits, or all of a whole one, with a true minus sign."""
    text = f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.3g}"
    return text.replace("-", "−")


def listed(names: Iterable[object]) -> str:
    """Names as ``a, b and c``."""
    *most, last = map(str, names)
    return f"{', '.join(most)} and {last}" if most else last


def power_of_ten(exponent: float) -> str:
    """10 to a power, in superscripts with one decimal."""
    return ticks.power_of_ten(f"{exponent:.1f}")
