"""Numbers and lists as they are written in sentences."""

from collections.abc import Iterable


def percent(share: float) -> str:
    """A share in per cent, with one digit where that says more."""
    return f"{share:.0%}" if share in (0.0, 1.0) or 0.1 <= share <= 0.995 else f"{share:.2%}"


def number(value: float) -> str:
    """A number with three significant digits, or all of a whole one."""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def listed(names: Iterable[object]) -> str:
    """Names as ``a, b and c``."""
    *most, last = map(str, names)
    return f"{', '.join(most)} and {last}" if most else last
