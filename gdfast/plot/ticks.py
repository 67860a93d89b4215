"""What stands at logarithmic axes, as text: it is faster to draw than mathematics, and can be searched for."""

import math
import re
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterSciNotation

_SUPERSCRIPTS = str.maketrans("-.0123456789", "⁻·⁰¹²³⁴⁵⁶⁷⁸⁹")
_SMALLEST, _LARGEST = 1e-3, 1e5  # of ordinary numbers
_MATHEMATICS = re.compile(r"\$\\mathdefault\{(-?)(?:0|(?:(\d+)\\times)?10\^\{(-?\d+)\})\}\$")


def power_of_ten(exponent: str) -> str:
    """10 to a power.

    >>> power_of_ten("-3"), power_of_ten("2.5")
    ('10⁻³', '10²·⁵')
    """
    return "10" + exponent.translate(_SUPERSCRIPTS)


class _Powers(LogFormatterSciNotation):
    """What stands at the ticks of logarithmic axes: powers of ten, or ordinary numbers where there is at most one."""

    def __call__(self, x: float, pos: Any = None) -> str:
        """A power of ten, or a multiple of one, or 0, or nothing."""
        text = super().__call__(x, pos)
        found = _MATHEMATICS.fullmatch(text)
        if found is None:
            return text
        low, high = sorted(self.axis.get_view_interval())  # type: ignore[union-attr]
        if low > 0 and math.floor(math.log10(high)) <= math.ceil(math.log10(low)) and _SMALLEST <= x < _LARGEST:
            return f"{x:g}"
        sign, times, exponent = found.groups()
        power = power_of_ten(exponent) if exponent else "0"
        return f"{'−' * len(sign)}{times + '×' if times else ''}{power}"


def plain_powers(figure: Figure) -> None:
    """Write what stands at a figure's logarithmic axes as text, unless TeX is to write what there is."""
    if matplotlib.rcParams["text.usetex"]:
        return
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        if getattr(axis.get_transform(), "base", None) != 10:
            continue
        if type(axis.get_major_formatter()) is LogFormatterSciNotation:
            axis.set_major_formatter(_Powers())
        if type(axis.get_minor_formatter()) is LogFormatterSciNotation:
            axis.set_minor_formatter(_Powers(labelOnlyBase=False))
