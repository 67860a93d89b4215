"""Maps: images over two axes of a sweep, learning rate to the right and start upwards."""

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator, NullFormatter
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.outcomes import Outcome
from gdfast.plot.style import OUTCOME_COLOURS, outcome_colormap, outcome_legend, outcome_norm

if TYPE_CHECKING:
    import xarray

_SETTLED = (Outcome.global_minimum, Outcome.local_minimum, Outcome.stalled)


def outcome_map(result: "xarray.Dataset", optimizer: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the outcome of every learning rate and start.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    optimizer : str, optional
        Label of the optimizer; may be left out if there is only one.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure, with a legend, if not given.

    Raises
    ------
    ValueError
        If there is no such optimizer in the result, or several and none is named.
    """
    panel = _panel(result, optimizer)
    alone = ax is None
    ax = ax or _figure().subplots()
    _image(ax, panel, panel.outcome.values, cmap=outcome_colormap, norm=outcome_norm)
    if alone:
        outcome_legend(ax.get_figure(root=True), set(np.unique(panel.outcome.values).tolist()), ncols=3)  # type: ignore[arg-type]
    return ax


def steps_map(
    result: "xarray.Dataset", optimizer: str | None = None, ax: Axes | None = None, colorbar: bool = True
) -> Axes:
    """Draw how many steps each trajectory took to become stationary, on a logarithmic scale.

    Cells that never did are grey: dark where they diverged, light where the budget was spent. Parameters and
    errors are those of `outcome_map`; `colorbar` tells whether to draw the scale beside the map.
    """
    panel = _panel(result, optimizer)
    ax = ax or _figure().subplots()
    settled = np.isin(panel.outcome.values, [int(o) for o in _SETTLED])
    grey = np.where(panel.outcome.values == Outcome.diverged, Outcome.diverged, Outcome.unfinished)
    _image(ax, panel, grey, cmap=outcome_colormap, norm=outcome_norm)
    steps = np.ma.masked_where(~settled, np.maximum(panel.steps.values, 1))
    image = _image(ax, panel, steps, cmap="viridis_r", norm=LogNorm(*_steps_range(result)))
    if colorbar:
        ax.get_figure(root=True).colorbar(image, ax=ax, label="steps until stationary")  # type: ignore[union-attr]
    return ax


def _steps_range(result: "xarray.Dataset") -> tuple[int, int]:
    """The ends of the steps' colour scale, the same for all panels of a result: quickest cell and budget."""
    steps = result.steps.values[np.isin(result.outcome.values, [int(o) for o in _SETTLED])]
    budget = max(2, int(json.loads(result.attrs["specification"])["max_steps"]))
    # The quickest thousandth starts at a minimum; it would take a decade of the scale for itself.
    low = max(1, int(np.quantile(steps, 0.001))) if steps.size else 1
    return min(low, budget - 1), budget


def maps(result: "xarray.Dataset", quantity: str = "outcome", limits: dict[str, list[float]] | None = None) -> Figure:
    """Draw a panel for each optimizer of a result, with one legend or scale.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    quantity : {"outcome", "steps"}
        What is shown.
    limits : dict, optional
        For each optimizer's label, learning rates to mark by a dashed line.

    Raises
    ------
    ValueError
        If `quantity` is neither.
    """
    arguments.choice("quantity", quantity, ["outcome", "steps"])
    labels = [str(label) for label in result.optimizer.values]
    columns = min(3, len(labels))
    rows = math.ceil(len(labels) / columns)
    figure = Figure(figsize=(1.2 + 3.1 * columns, 0.9 + 2.6 * rows), dpi=120, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for ax, label in zip(axes.flat, labels, strict=False):
        if quantity == "outcome":
            outcome_map(result, label, ax)
        else:
            steps_map(result, label, ax, colorbar=False)
        for limit in (limits or {}).get(label, []):
            ax.axvline(np.log10(limit), color="black", linestyle=(0, (4, 2)), linewidth=1.1)
            ax.axvline(np.log10(limit), color="white", linestyle=(3, (2, 4)), linewidth=1.1)
        ax.set_title(label, fontsize=10)
        ax.label_outer()
    for ax in axes.flat[len(labels) :]:
        ax.remove()
    if quantity == "outcome":
        outcome_legend(figure, set(np.unique(result.outcome.values).tolist()))
    else:
        image = axes[0, 0].images[-1]
        figure.colorbar(image, ax=axes, label="steps until stationary\n(grey: light unfinished, dark diverged)")
    return figure


def outcome_image(result: "xarray.Dataset", optimizer: str | None = None) -> NDArray[np.uint8]:
    """Return the outcome map at one pixel a cell, ``uint8[m, k, 3]``: starts from top to bottom descending."""
    panel = _panel(result, optimizer)
    palette = np.array([[int(OUTCOME_COLOURS[o][i : i + 2], 16) for i in (1, 3, 5)] for o in Outcome], dtype=np.uint8)
    return np.asarray(palette[panel.outcome.values.T[::-1]])


def _figure() -> Figure:
    import matplotlib.pyplot as plt

    return plt.figure(figsize=(5.2, 4.2), dpi=120, layout="constrained")


def _panel(result: "xarray.Dataset", optimizer: str | None) -> "xarray.Dataset":
    labels = [str(label) for label in result.optimizer.values]
    if optimizer is None and len(labels) > 1:
        raise ValueError(f"optimizer must be one of {', '.join(labels)}, since the result has several")
    label = arguments.choice("optimizer", optimizer or labels[0], labels)
    return result.isel(optimizer=labels.index(label))


def _image(ax: Axes, panel: "xarray.Dataset", values: Any, **colours: Any) -> Any:
    """Draw values (learning rate, start) with the learning rate's decimal logarithm to the right."""
    rates = np.log10(panel.learning_rate.values)
    heights, label = _heights(panel)
    if _regular(rates) and _regular(heights):
        left, right = _ends(rates)
        bottom, top = _ends(heights)
        image = ax.imshow(
            values.T,
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            extent=(left, right, bottom, top),
            **colours,
        )
    else:
        image = ax.pcolormesh(rates, heights, values.T, shading="nearest", **colours)  # type: ignore[assignment]
    span = float(np.ptp(rates))
    ax.xaxis.set_major_locator(MultipleLocator(1 if span >= 1 else max(span, 1e-12) / 3))
    ax.xaxis.set_major_formatter(FuncFormatter(_power if span >= 1 else lambda x, _: f"{10**x:.3g}"))
    if 1 <= span <= 8:
        ax.set_xticks(_minor_ticks(rates), minor=True)
        ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("learning rate η")
    ax.set_ylabel(label)
    return image


def _power(x: float, _: Any) -> str:
    return f"$10^{{{round(x)}}}$" if abs(x - round(x)) < 1e-6 else ""


def _minor_ticks(rates: NDArray[np.float64]) -> list[float]:
    low, high = math.floor(rates.min()), math.ceil(rates.max())
    ticks = [decade + math.log10(k) for decade in range(low, high) for k in range(2, 10)]
    return [tick for tick in ticks if rates.min() <= tick <= rates.max()]


def _heights(panel: "xarray.Dataset") -> tuple[NDArray[np.float64], str]:
    """Where the starts stand on the vertical axis: at their coordinate if they lie on a line, else numbered."""
    points = panel.start_point.values
    names = [str(name) for name in panel.parameter.values]
    moving = np.flatnonzero(np.ptp(points, axis=0) > 0)
    if points.shape[1] == 1:
        return points[:, 0], f"start {names[0]}"
    if moving.size and all(_regular(points[:, j]) for j in moving):
        return points[:, moving[0]], f"start on a line, {names[moving[0]]} shown"
    return np.arange(len(points), dtype=np.float64), "start number"


def _regular(values: NDArray[np.float64]) -> bool:
    steps = np.diff(values)
    return len(values) < 2 or bool(steps[0] > 0 and np.allclose(steps, steps[0], rtol=1e-6))


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    half = (values[-1] - values[0]) / (2 * max(len(values) - 1, 1)) or 0.5
    return float(values[0] - half), float(values[-1] + half)
