"""Values of a grid as an image, at the places of its axes, with their ticks."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis as DrawnAxis
from matplotlib.ticker import FuncFormatter, MultipleLocator, NullFormatter
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.plot.look import literal
from gdfast.plot.panels import Panel, borders, regular
from gdfast.plot.ticks import power_of_ten

_FEW = 4  # values along an axis that have a tick each


def image_at_places(ax: Axes, panel: Panel, values: Any, **colours: Any) -> Any:
    """Draw values (x, y) at the places of a panel's axes, and return what was drawn."""
    places = [axis.place(axis.values) for axis in (panel.x, panel.y)]
    if all(regular(along) for along in places):
        image = ax.imshow(
            values.T,
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            extent=tuple(end for along in places for end in borders(along)[[0, -1]].tolist()),
            **colours,
        )
    else:
        image = ax.pcolormesh(*map(borders, places), values.T, shading="flat", **colours)  # type: ignore[assignment]
    for drawn, axis, along in zip((ax.xaxis, ax.yaxis), (panel.x, panel.y), places, strict=True):
        drawn.set_label_text(literal(axis.label))
        if sparse(along):
            drawn.set_ticks(along, numbers(axis.values))
        elif axis.logarithmic:
            _logarithmic_ticks(drawn, along)
    return image


def sparse(places: Array) -> bool:
    """Whether ascending places are so few, and so far from each other, that each has its tick."""
    return len(places) <= _FEW and (len(places) < 2 or bool(np.diff(places).min() > 0.15 * np.ptp(places)))


def numbers(values: Array) -> list[str]:
    """What stands at ticks that are at values."""
    return [f"{value:.3g}".replace("-", "\N{MINUS SIGN}") for value in values]


def _logarithmic_ticks(drawn: DrawnAxis, exponents: Array) -> None:
    span = float(np.ptp(exponents))
    drawn.set_major_locator(MultipleLocator(math.ceil(span / 7) if span >= 1 else span / 3))
    drawn.set_major_formatter(FuncFormatter(_power if span >= 1 else lambda x, _: f"{10**x:.3g}"))
    if 1 <= span <= 4:
        drawn.set_ticks(_minor_ticks(exponents), minor=True)
        drawn.set_minor_formatter(NullFormatter())


def _power(x: float, _: Any) -> str:
    return power_of_ten(str(round(x))) if abs(x - round(x)) < 1e-6 else ""


def _minor_ticks(rates: NDArray[np.float64]) -> list[float]:
    low, high = math.floor(rates.min()), math.ceil(rates.max())
    ticks = [decade + math.log10(k) for decade in range(low, high) for k in range(2, 10)]
    return [tick for tick in ticks if rates.min() <= tick <= rates.max()]
