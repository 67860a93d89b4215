"""Numbers and lists as they are written in sentences."""

from collections.abc import Iterable


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
    return "10" + f"{exponent:.1f}".translate(_SUPERSCRIPTS)


_SUPERSCRIPTS = str.maketrans("-.0123456789", "⁻·⁰¹²³⁴⁵⁶⁷⁸⁹")
