"""Maps: images over two axes of a sweep, learning rate to the right and start upwards unless said otherwise.

An axis is ``learning_rate``, ``start`` or a numeric hyperparameter in which the result's optimizers differ. With a
hyperparameter as an axis, optimizers that differ in nothing else share a panel. A pixel that stands for several
trajectories, because there are several starts (or learning rates) and they are no axis, shows the most frequent
outcome, of several as frequent the worse, that is the later in the legend, and the median steps of those that ended
so. So does one that stands for several values of an axis too long for a figure. To see a chosen one, select it first:
``result.isel(start=[3])``.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis as DrawnAxis
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MultipleLocator, NullFormatter
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.elementary import Array
from gdfast.outcomes import Outcome
from gdfast.plot.pixels import Along, quickest, reduce
from gdfast.plot.style import OUTCOME_COLOURS, outcome_colormap, outcome_legend, outcome_norm
from gdfast.result import DIMENSIONS

if TYPE_CHECKING:
    import xarray

_SETTLED = (Outcome.global_minimum, Outcome.local_minimum, Outcome.stalled)
_MOST_PANELS = 144
_MOST_PIXELS = 1024  # along an axis of a panel: more than a figure shows


class Axis(NamedTuple):
    """An axis of a map: its name, the values along it, and whether they are drawn by their decimal logarithm."""

    label: str
    values: Array
    logarithmic: bool = False

    def place(self, values: Any) -> Any:
        """Where values stand on the drawn axis."""
        return np.log10(values) if self.logarithmic else np.asarray(values, dtype=np.float64)

    def coarser(self, cells: int) -> "Axis":
        """The same axis with one value for so many, at their middle; the last ones may be fewer."""
        if cells == 1:
            return self
        places = self.place(self.values)
        count = -(-len(places) // cells)
        if _regular(places):
            middles = places[0] + (np.arange(count) * cells + (cells - 1) / 2) * np.ptp(places) / (len(places) - 1)
        else:
            middles = np.array([places[i * cells : (i + 1) * cells].mean() for i in range(count)])
        return self._replace(values=10**middles if self.logarithmic else middles)


class Panel(NamedTuple):
    """What is drawn for one optimizer, or for those that differ in an axis only: arrays over (x, y)."""

    title: str
    x: Axis
    y: Axis
    outcome: NDArray[np.int8]
    steps: NDArray[np.int32]
    trajectories: int  # of a pixel, at most


def panels(
    result: "xarray.Dataset",
    x: str = "learning_rate",
    y: str = "start",
    titles: Sequence[str] | None = None,
    *,
    most: int | None = None,
    steps: bool = True,
) -> list[Panel]:
    """The panels of a result over two axes: all, or those with the given titles.

    With `most`, neighbours along an axis longer than this share a pixel. Steps are left out on demand.

    Raises
    ------
    ValueError
        If an axis or a title is unknown, both axes are the same, or two optimizers stand at one place of a panel.
    """
    result = _ordered(result)
    along = [str(name) for name, c in result.coords.items() if c.dims == ("optimizer",) and c.dtype.kind == "f"]
    for argument, name in (("x", x), ("y", y)):
        arguments.choice(argument, name, ["learning_rate", "start", *along])
    if x == y:
        raise ValueError(f"x and y must be two axes, not {x} twice")
    axes = [name for name in (x, y) if name in along]
    members: dict[str, list[int]] = {}
    complete = np.ones(result.sizes["optimizer"], dtype=bool)
    for name in axes:
        complete &= np.isfinite(result[name].values)
    for i in np.flatnonzero(complete):
        members.setdefault(_without(str(result.optimizer.values[i]), axes), []).append(int(i))
    chosen = list(members) if titles is None else [arguments.choice("optimizer", title, members) for title in titles]
    return [_panel(result.isel(optimizer=members[title]), title, x, y, most, steps) for title in chosen]


def _ordered(result: "xarray.Dataset") -> "xarray.Dataset":
    """The result over all three dimensions in order, also those of which one was selected."""
    return result.expand_dims([name for name in DIMENSIONS if name not in result.dims]).transpose(*DIMENSIONS, ...)


def _without(label: str, axes: Sequence[str]) -> str:
    """An optimizer's label without some of its hyperparameters: ``adam:beta1=0.8,eps=1`` → ``adam:eps=1``."""
    rule, *schedule = label.split("|", 1)
    name, _, parameters = rule.partition(":")
    kept = [item for item in parameters.split(",") if item and item.partition("=")[0] not in axes]
    return "|".join([name + (":" if kept else "") + ",".join(kept), *schedule])


def _panel(result: "xarray.Dataset", title: str, x: str, y: str, most: int | None, steps: bool) -> Panel:
    places = [result[name].values for name in (x, y) if name not in DIMENSIONS]
    distinct = np.unique(np.stack(places), axis=1).shape[1] if places else 1
    if result.sizes["optimizer"] > distinct:
        raise ValueError(f"the result has several optimizers {title!r} at one {x} and {y}; select one of them first")
    (horizontal, along_x, wide), (vertical, along_y, high) = (_pixels(result, name, most) for name in (x, y))
    outcome, median = reduce(result, along_x, along_y, steps)
    others = math.prod(result.sizes[name] for name in ("learning_rate", "start") if name not in (x, y))
    return Panel(title, horizontal, vertical, outcome, median, others * wide * high)


def _pixels(result: "xarray.Dataset", name: str, most: int | None) -> tuple[Axis, Along, int]:
    """An axis as drawn, how its dimension is laid along it, and how many of its values share a pixel."""
    axis, index = _axis(result, name), _index(result, name)
    cells = 1 if most is None else -(-len(axis.values) // most)
    drawn = axis.coarser(cells)
    dimension = name if name in DIMENSIONS else "optimizer"
    return drawn, Along(dimension, index // cells, len(drawn.values)), cells


def _index(result: "xarray.Dataset", name: str) -> NDArray[np.int64]:
    """The place along an axis of every index of the dimension that it runs over."""
    if name in DIMENSIONS:
        return np.arange(result.sizes[name])
    return np.unique(result[name].values, return_inverse=True)[1]


def _axis(result: "xarray.Dataset", name: str) -> Axis:
    if name == "start":
        return _starts(result)
    rate = name == "learning_rate"
    values = result[name].values if rate else np.unique(result[name].values)
    evenly = len(values) > 2 and _regular(values)
    logarithmic = (values > 0).all() and not evenly and (rate or (len(values) > 2 and _regular(np.log10(values))))
    return Axis("learning rate η" if rate else name, values, bool(logarithmic))


def _starts(result: "xarray.Dataset") -> Axis:
    """Where the starts stand on an axis: at their coordinate if they lie on a line, else numbered."""
    points = np.atleast_2d(result.start_point.values)
    names = [str(name) for name in result.parameter.values]
    moving = np.flatnonzero(np.ptp(points, axis=0) > 0)
    if points.shape[1] == 1:
        return Axis(f"start {names[0]}", points[:, 0])
    if moving.size and all(_regular(points[:, j]) for j in moving):
        return Axis(f"start on a line, {names[moving[0]]} shown", points[:, moving[0]])
    return Axis("start number", np.arange(len(points), dtype=np.float64))


def outcome_map(
    result: "xarray.Dataset",
    optimizer: str | None = None,
    ax: Axes | None = None,
    *,
    x: str = "learning_rate",
    y: str = "start",
) -> Axes:
    """Draw the outcome over two axes of a result.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    optimizer : str, optional
        Label of the optimizer, less the hyperparameters that are axes; may be left out if there is only one.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure, with a legend, if not given.
    x, y : str
        The axes to the right and upwards: ``learning_rate``, ``start`` or a hyperparameter; see the module.

    Raises
    ------
    ValueError
        If there is no such optimizer or axis in the result, or several optimizers and none is named.
    """
    panel = _chosen(result, optimizer, x, y, most=_MOST_PIXELS, steps=False)
    alone = ax is None
    ax = ax or _figure().subplots()
    _draw_outcome(ax, panel)
    if alone:
        outcome_legend(ax.get_figure(root=True), set(np.unique(panel.outcome).tolist()), ncols=3)  # type: ignore[arg-type]
    return ax


def steps_map(
    result: "xarray.Dataset",
    optimizer: str | None = None,
    ax: Axes | None = None,
    colorbar: bool = True,
    *,
    x: str = "learning_rate",
    y: str = "start",
) -> Axes:
    """Draw how many steps each trajectory took to become stationary, on a logarithmic scale.

    Cells that never did are grey: dark where they diverged, light where the budget was spent. Parameters and
    errors are those of `outcome_map`; `colorbar` tells whether to draw the scale beside the map.
    """
    panel = _chosen(result, optimizer, x, y, most=_MOST_PIXELS)
    ax = ax or _figure().subplots()
    image = _draw_steps(ax, panel, _steps_range(result))
    if colorbar:
        ax.get_figure(root=True).colorbar(image, ax=ax, label="steps until stationary")  # type: ignore[union-attr]
    return ax


def _draw_outcome(ax: Axes, panel: Panel) -> None:
    _image(ax, panel, panel.outcome, cmap=outcome_colormap, norm=outcome_norm)


def _draw_steps(ax: Axes, panel: Panel, ends: tuple[int, int]) -> Any:
    settled = np.isin(panel.outcome, [int(o) for o in _SETTLED])
    grey = np.where(panel.outcome == Outcome.diverged, Outcome.diverged, Outcome.unfinished)
    _image(ax, panel, np.where(panel.outcome == Outcome.not_run, 0, grey), cmap=outcome_colormap, norm=outcome_norm)
    steps = np.ma.masked_where(~settled, np.maximum(panel.steps, 1))
    return _image(ax, panel, steps, cmap="viridis_r", norm=LogNorm(*ends))


def _steps_range(result: "xarray.Dataset") -> tuple[int, int]:
    """The ends of the steps' colour scale, the same for all panels of a result: quickest cell and budget."""
    budget = max(2, int(json.loads(result.attrs["specification"])["max_steps"]))
    # The quickest thousandth starts at a minimum; it would take a decade of the scale for itself.
    low = max(1, quickest(_ordered(result), np.array(_SETTLED, dtype=np.int8), 0.001))
    return min(low, budget - 1), budget


def maps(
    result: "xarray.Dataset",
    quantity: str = "outcome",
    limits: Mapping[str, Sequence[float | Callable[[Array], Array]]] | None = None,
    *,
    optimizers: Sequence[str] | None = None,
    x: str = "learning_rate",
    y: str = "start",
) -> Figure:
    """Draw a panel for each optimizer of a result, with one legend or scale.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    quantity : {"outcome", "steps"}
        What is shown.
    limits : mapping, optional
        For each optimizer's label, learning rates to mark by a dashed line: numbers, or functions of y's values.
    optimizers : sequence of str, optional
        Labels of the optimizers to show; all if not given.
    x, y : str
        The axes to the right and upwards: ``learning_rate``, ``start`` or a hyperparameter; see the module. Optimizers
        that differ in nothing but axes share a panel, named by their label without them.

    Raises
    ------
    ValueError
        If `quantity`, an optimizer or an axis is unknown, or there would be more panels than can be seen.
    """
    arguments.choice("quantity", quantity, ["outcome", "steps"])
    found = panels(result, x, y, optimizers, most=_MOST_PIXELS, steps=quantity == "steps")
    if len(found) > _MOST_PANELS:
        raise ValueError(
            f"a figure must have at most {_MOST_PANELS} panels, not {len(found)}, one an optimizer; "
            "select some of them, or draw a hyperparameter along an axis by x or y"
        )
    columns = min(3, len(found))
    rows = math.ceil(len(found) / columns)
    size = 1.4 if len(found) == 1 else 1.0
    figure = Figure(figsize=(1.2 + 3.1 * size * columns, 0.9 + 2.6 * size * rows), dpi=120, layout="constrained")
    drawn = [(panel.x.values.tolist(), panel.y.values.tolist()) for panel in found]
    alike = all(axes == drawn[0] for axes in drawn)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=alike, sharey=alike)
    ends = _steps_range(result) if quantity == "steps" else (1, 2)
    for ax, panel in zip(axes.flat, found, strict=False):
        if quantity == "outcome":
            _draw_outcome(ax, panel)
        else:
            _draw_steps(ax, panel, ends)
        for limit in (limits or {}).get(panel.title, []) if x == "learning_rate" else []:
            heights = panel.y.place(panel.y.values)
            places = panel.x.place(limit(panel.y.values) if callable(limit) else np.full(len(heights), limit))
            heights, places = (heights, places) if callable(limit) else (ax.get_ylim(), places[[0, 0]])
            ax.plot(places, heights, color="black", linestyle=(0, (4, 2)), linewidth=1.1, scalex=False, scaley=False)
            ax.plot(places, heights, color="white", linestyle=(3, (2, 4)), linewidth=1.1, scalex=False, scaley=False)
        ax.set_title(panel.title, fontsize=10)
    for ax in axes.flat[len(found) :]:
        ax.remove()
    for i, ax in enumerate(axes.flat[: len(found)] if alike else []):  # labels at the left and at each column's end
        left, bottom = i % columns == 0, i + columns >= len(found)
        ax.tick_params(labelleft=left, labelbottom=bottom)
        ax.yaxis.label.set_visible(left)
        ax.xaxis.label.set_visible(bottom)
    if found[0].trajectories > 1:
        shown = "most frequent outcome" if quantity == "outcome" else "median steps to the most frequent outcome"
        figure.suptitle(f"each pixel: the {shown} of {found[0].trajectories} trajectories", fontsize=9)
    if quantity == "outcome":
        present = np.unique(np.concatenate([panel.outcome.ravel() for panel in found]))
        named = set(present.tolist()) - {int(Outcome.not_run)}
        outcome_legend(figure, named, ncols=min(2 * columns + 1, len(named)))
    else:
        image = axes[0, 0].images[-1] if axes[0, 0].images else axes[0, 0].collections[-1]
        used = list(axes.flat[: len(found)])
        figure.colorbar(image, ax=used, label="steps until stationary\n(grey: light unfinished, dark diverged)")
    return figure


def outcome_image(
    result: "xarray.Dataset", optimizer: str | None = None, *, x: str = "learning_rate", y: str = "start"
) -> NDArray[np.uint8]:
    """Return the outcome map at one pixel a cell, ``uint8[ny, nx, 3]``: the values of y descend from top to bottom."""
    panel = _chosen(result, optimizer, x, y, steps=False)
    palette = np.array([[int(OUTCOME_COLOURS[o][i : i + 2], 16) for i in (1, 3, 5)] for o in Outcome], dtype=np.uint8)
    return np.asarray(palette[panel.outcome.T[::-1]])


def _figure() -> Figure:
    import matplotlib.pyplot as plt

    return plt.figure(figsize=(5.2, 4.2), dpi=120, layout="constrained")


def _chosen(result: "xarray.Dataset", optimizer: str | None, x: str, y: str, **options: Any) -> Panel:
    found = panels(result, x, y, None if optimizer is None else [optimizer], **options)
    if len(found) > 1:
        titles = ", ".join(panel.title for panel in found)
        raise ValueError(f"optimizer must be one of {titles}, since the result has several")
    return found[0]


def _image(ax: Axes, panel: Panel, values: Any, **colours: Any) -> Any:
    """Draw values (x, y) at the places of the panel's axes."""
    places = [axis.place(axis.values) for axis in (panel.x, panel.y)]
    if all(_regular(along) for along in places):
        image = ax.imshow(
            values.T,
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            extent=(*_ends(places[0]), *_ends(places[1])),
            **colours,
        )
    else:
        image = ax.pcolormesh(*places, values.T, shading="nearest", **colours)  # type: ignore[assignment]
    for drawn, axis, along in zip((ax.xaxis, ax.yaxis), (panel.x, panel.y), places, strict=True):
        drawn.set_label_text(axis.label)
        if axis.logarithmic:
            _logarithmic_ticks(drawn, along)
    return image


def _logarithmic_ticks(drawn: DrawnAxis, exponents: Array) -> None:
    span = float(np.ptp(exponents))
    drawn.set_major_locator(
        MultipleLocator(1 if span >= 1 else span / 3) if span else FixedLocator(exponents[:1].tolist())
    )
    drawn.set_major_formatter(FuncFormatter(_power if span >= 1 else lambda x, _: f"{10**x:.3g}"))
    if 1 <= span <= 8:
        drawn.set_ticks(_minor_ticks(exponents), minor=True)
        drawn.set_minor_formatter(NullFormatter())


def _power(x: float, _: Any) -> str:
    return f"$10^{{{round(x)}}}$" if abs(x - round(x)) < 1e-6 else ""


def _minor_ticks(rates: NDArray[np.float64]) -> list[float]:
    low, high = math.floor(rates.min()), math.ceil(rates.max())
    ticks = [decade + math.log10(k) for decade in range(low, high) for k in range(2, 10)]
    return [tick for tick in ticks if rates.min() <= tick <= rates.max()]


def _regular(values: NDArray[np.float64]) -> bool:
    steps = np.diff(values)
    return len(values) < 2 or bool(steps[0] > 0 and np.allclose(steps, steps[0], rtol=1e-6))


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    half = (values[-1] - values[0]) / (2 * max(len(values) - 1, 1)) or 0.5
    return float(values[0] - half), float(values[-1] + half)
