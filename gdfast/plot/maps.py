"""Maps: images over two axes of a sweep, learning rate to the right and start upwards unless said otherwise.

What an axis can be, and what a pixel shows that stands for several trajectories, `gdfast.plot.panels` says. To see a
chosen one, select it first: ``result.isel(start=[3])``.
"""

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap, LogNorm, Normalize, to_hex
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.analysis import budget
from gdfast.analysis._results import checked, units_of_rates, words_of_rate
from gdfast.formulas.elementary import Array
from gdfast.plot.images import image_at_places
from gdfast.plot.look import Look, colormap, legend_wanted, line_colours, literal, new_axes, styled
from gdfast.plot.panels import LEAVES, Panel, borders, panels, pixels, regular
from gdfast.plot.pixels import quickest
from gdfast.plot.shown import changes_of, note, numbers_of, outcomes_of
from gdfast.plot.style import (
    BASIN_COLOURS,
    OUTCOME_COLOURS,
    change_colours,
    change_norm,
    change_patches,
    leaving_patch,
    legend_of_map,
    outcome_colours,
    outcome_norm,
    outcome_patches,
    patch,
)
from gdfast.tiles.outcomes import Outcome

if TYPE_CHECKING:
    import xarray

SETTLED = (Outcome.global_minimum, Outcome.local_minimum, Outcome.stalled)
_HATCHED, _LINES, _LINE = 512, 30, 0.25  # pixels a side that are enough for the lines, their number, the dark share
_MOST_NAMED = 12  # minima that a legend names
MOST_PIXELS = 1024  # along an axis of a panel: more than a figure shows


@styled
def outcome_map(
    result: "xarray.Dataset",
    optimizer: str | None = None,
    ax: Axes | None = None,
    *,
    x: str = "learning_rate",
    y: str = "start",
    **look: Unpack[Look],
) -> Axes:
    """Draw the outcome over two axes of a result; hatched is what has reached a minimum that it will leave again.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    optimizer : str, optional
        Label of the optimizer, less the hyperparameters that are axes; may be left out if there is only one.
    ax : matplotlib.axes.Axes, optional
        Where to draw, with the legend in a corner; a new figure, with the legend below and the optimizer in the title,
        if not given.
    x, y : str
        The axes to the right and upwards: ``learning_rate``, ``start`` or a hyperparameter; see the module.
    **look
        ``title``, ``size``, ``palette`` and ``legend``: see `gdfast.plot.Look`.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If there is no such optimizer or axis in the result, or several optimizers and none is named.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> ax = gdfast.plot.outcome_map(result, "adam")
    >>> ax.get_title(), ax.get_xlabel(), ax.get_ylabel()
    ('adam', 'learning rate η', 'start x')
    """
    panel = _chosen(result, optimizer, x, y, most=MOST_PIXELS, steps=False, number=LEAVES)
    alone = ax is None
    ax = _titled_axes(ax, panel.title)
    left = draw_outcome(ax, panel)
    patches = outcome_patches(set(np.unique(panel.outcome).tolist()) - {int(Outcome.not_run)})
    legend_of_map(ax, patches + (leaving_patch() if left else []), alone)
    return ax


@styled
def steps_map(
    result: "xarray.Dataset",
    optimizer: str | None = None,
    ax: Axes | None = None,
    colorbar: bool = True,
    *,
    x: str = "learning_rate",
    y: str = "start",
    **look: Unpack[Look],
) -> Axes:
    """Draw how many steps each trajectory took to become stationary, on a logarithmic scale.

    Cells that never did are grey: dark where they diverged, light where the budget was spent. Parameters and
    errors are those of `outcome_map`; `colorbar` tells whether to draw the scale beside the map.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    optimizer : str, optional
        Label of the optimizer; may be left out if there is only one.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    colorbar : bool
        Whether to draw the scale beside the map.
    x, y : str
        The axes to the right and upwards, as in `outcome_map`.
    **look
        ``title``, ``size``, ``palette`` and ``legend``: see `gdfast.plot.Look`.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> ax = gdfast.plot.steps_map(result, "gd")
    >>> ax.get_title(), ax.get_xlabel(), ax.get_ylabel()
    ('gd', 'learning rate η', 'start x')
    """
    arguments.flag("colorbar", colorbar)
    panel = _chosen(result, optimizer, x, y, most=MOST_PIXELS)
    ax = _titled_axes(ax, panel.title)
    image = draw_steps(ax, panel, steps_range(result))
    if colorbar and legend_wanted():
        ax.figure.colorbar(image, ax=ax, label="steps until stationary\n(grey: light unfinished, dark diverged)")
    return ax


@styled
def basin_map(
    result: "xarray.Dataset",
    optimizer: str | None = None,
    ax: Axes | None = None,
    *,
    x: str | None = None,
    y: str | None = None,
    **look: Unpack[Look],
) -> Axes:
    """Draw which minimum each trajectory ended in, a colour a minimum; other outcomes have their own colours.

    Parameters and errors are those of `outcome_map`, but for the axes, which are the problem's coordinates if it has
    two, and for pixels, which must be of one trajectory each: select a learning rate first,
    ``result.isel(learning_rate=[0])``. The legend numbers the minima, the lowest first; the title of a new figure tells
    optimizer and learning rate.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    optimizer : str, optional
        Label of the optimizer; may be left out if there is only one.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    x, y : str, optional
        The axes to the right and upwards; the problem's coordinates if it has two.
    **look
        ``title``, ``size``, ``palette`` and ``legend``: see `gdfast.plot.Look`.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> ax = gdfast.plot.basin_map(result, "gd")
    >>> ax.get_title(), ax.get_xlabel(), ax.get_ylabel()
    ('gd', 'learning rate η', 'start x')
    """
    result = checked("result", result, "outcome", "basin")
    names = [str(name) for name in np.atleast_1d(result.parameter.values)] if "parameter" in result.coords else []
    x, y = (given if given is not None else names[i] if len(names) == 2 else other for i, (given, other) in enumerate(
        ((x, "learning_rate"), (y, "start"))
    ))  # fmt: skip
    panel = _chosen(result, optimizer, x, y, steps=False)
    labels = [str(label) for label in result.optimizer.values]
    alone = result.isel(optimizer=[labels.index(panel.title)]) if panel.title in labels else result
    basin = pixels(alone, "basin", x, y)
    codes = np.where(basin >= 0, len(Outcome) + basin % len(BASIN_COLOURS), panel.outcome)
    drawn_alone = ax is None
    at = "" if "learning_rate" in (x, y) else f", {words_of_rate(alone, 0, float(units_of_rates(alone)[0]))}"
    ax = _titled_axes(ax, panel.title + at)
    colours = line_colours(BASIN_COLOURS)
    palette = ListedColormap([*outcome_colours(), *(colours[i % len(colours)] for i in range(len(BASIN_COLOURS)))])
    image_at_places(ax, panel, codes, cmap=palette, norm=BoundaryNorm(np.arange(palette.N + 1) - 0.5, palette.N))
    named = _minima(result, basin)
    names = [named.get(i, f"minimum {i + 1}") for i in range(len(BASIN_COLOURS))]
    outcomes = outcomes_of(panel._replace(outcome=codes.astype(np.int8)))
    note(ax, outcomes._replace(names=[*outcomes.names, *names], colours=[to_hex(palette(i)) for i in range(palette.N)]))
    ended = [patch(palette(len(Outcome) + i % len(BASIN_COLOURS)), name) for i, name in named.items()]
    others = set(np.unique(codes[basin < 0]).tolist()) - {int(Outcome.not_run)}
    legend_of_map(ax, [*ended, *outcome_patches(others)], drawn_alone, columns=2)
    return ax


def _titled_axes(ax: Axes | None, title: str) -> Axes:
    """The axes that were given, as they are, or those of a new figure, with this title."""
    made = new_axes(ax, 5.2, 4.2)
    if ax is None:
        made.set_title(literal(title), fontsize=10)
    return made


def _minima(result: "xarray.Dataset", basin: NDArray[np.int16]) -> dict[int, str]:
    """What the minima are called that trajectories ended in: by number and, where they are told, by where they are."""
    try:
        told = json.loads(result.attrs["minima"])
    except (KeyError, TypeError, ValueError):
        told = []
    here = [int(i) for i in np.unique(basin) if i >= 0][:_MOST_NAMED]
    points = {i: told[i][1:] if i < len(told) and len(told[i]) in (2, 3) else [] for i in here}
    return {
        i: f"minimum {i + 1}" + (f" ({', '.join(f'{x:.3g}' for x in point)})" if point else "")
        for i, point in points.items()
    }


@styled
def delta_map(
    difference: "xarray.Dataset",
    optimizer: str | None = None,
    ax: Axes | None = None,
    *,
    x: str = "learning_rate",
    y: str = "start",
    **look: Unpack[Look],
) -> Axes:
    """Draw which cells a change rescued and which it broke.

    Parameters and errors are those of `outcome_map`, but that the first is of `gdfast.analysis.delta`. A pixel of
    several trajectories shows what became of most of them.

    Parameters
    ----------
    difference : xarray.Dataset
        Of `gdfast.analysis.delta`.
    optimizer : str, optional
        Label of the optimizer; may be left out if there is only one.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    x, y : str
        The axes to the right and upwards, as in `outcome_map`.
    **look
        ``title``, ``size``, ``palette`` and ``legend``: see `gdfast.plot.Look`.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Examples
    --------
    >>> import gdfast
    >>> before = gdfast.sweep("quartic", "gd", "0.01:1:5", "-3:3:4", max_steps=200, backend="numpy")
    >>> after = gdfast.sweep("quartic", "gd|clip_norm=1", "0.01:1:5", "-3:3:4", max_steps=200, backend="numpy")
    >>> ax = gdfast.plot.delta_map(gdfast.analysis.delta(before, after))
    >>> ax.get_xlabel()
    'learning rate η'
    """
    panel = _chosen(changes(difference), optimizer, x, y, most=MOST_PIXELS, steps=False)
    alone = ax is None
    ax = _titled_axes(ax, panel.title)
    draw_change(ax, panel)
    legend_of_map(ax, change_patches(np.unique(panel.outcome).tolist()), alone, columns=2)
    return ax


def changes(difference: "xarray.Dataset") -> "xarray.Dataset":
    """A difference of two results as a result whose outcomes are codes of `gdfast.analysis.Change`."""
    return checked("difference", difference, "change").drop_vars("outcome", errors="ignore").rename(change="outcome")


def draw_change(ax: Axes, panel: Panel) -> None:
    """Draw a panel whose codes are those of `gdfast.analysis.Change`."""
    image_at_places(ax, panel, panel.outcome, cmap=ListedColormap(change_colours()), norm=change_norm)
    note(ax, changes_of(panel))


def draw_outcome(ax: Axes, panel: Panel) -> bool:
    """Draw a panel's outcomes, hatched where its numbers say that most leave again; return whether any is."""
    _outcomes(ax, panel, panel.outcome)
    note(ax, outcomes_of(panel))
    left = panel.number > 0.5 if panel.number.size else np.zeros(panel.outcome.shape, dtype=bool)
    if left.any():
        _hatch(ax, panel, left)
    return bool(left.any())


def _outcomes(ax: Axes, panel: Panel, outcomes: NDArray[Any]) -> None:
    """Draw outcomes (x, y) at the places of a panel's axes."""
    image_at_places(ax, panel, outcomes, cmap=ListedColormap(outcome_colours()), norm=outcome_norm)


def _hatch(ax: Axes, panel: Panel, where: NDArray[np.bool_]) -> None:
    """Draw slanting lines over some cells of a panel, as fine on a coarse map as on a fine one."""
    finer = [math.ceil(_HATCHED / size) for size in where.shape]
    fine = where.repeat(finer[0], axis=0).repeat(finer[1], axis=1)
    along = [np.arange(size) / size * _LINES for size in fine.shape]
    lines = fine & ((along[0][:, None] + along[1]) % 1 < _LINE)
    colours = np.zeros((*fine.shape[::-1], 4))
    colours[..., 3] = 0.65 * lines.T
    ends = [borders(axis.place(axis.values)) for axis in (panel.x, panel.y)]
    fine_ends = [
        np.interp(np.arange(len(e) * f - f + 1) / f, np.arange(len(e)), e) for e, f in zip(ends, finer, strict=True)
    ]
    if all(regular(along.place(along.values)) for along in (panel.x, panel.y)):
        extent = tuple(float(end[i]) for end in ends for i in (0, -1))
        ax.imshow(colours, origin="lower", aspect="auto", interpolation="nearest", extent=extent)  # type: ignore[arg-type]
    else:
        ax.pcolormesh(*fine_ends, colours, shading="flat")


def draw_steps(ax: Axes, panel: Panel, ends: tuple[int, int]) -> Any:
    """Draw a panel's steps on a scale with the given ends; return the image that has the scale."""
    settled = np.isin(panel.outcome, [int(o) for o in SETTLED])
    grey = np.where(panel.outcome == Outcome.diverged, Outcome.diverged, Outcome.unfinished)
    _outcomes(ax, panel, np.where(panel.outcome == Outcome.not_run, 0, grey))
    note(ax, outcomes_of(panel))
    steps = np.ma.masked_where(~settled, np.maximum(panel.steps, 1))
    return image_at_places(ax, panel, steps, cmap=colormap("viridis_r"), norm=LogNorm(*ends))


def number_scale(found: Sequence[Panel]) -> Normalize:
    """One scale for the numbers of all panels: logarithmic where they are positive and over a decade apart.

    What diverged does not count. On a linear scale the highest twentieth is left out, which has one colour.
    """
    return scale_of(np.concatenate([panel.number[_is_shown(panel)].ravel() for panel in found]))


def scale_of(numbers: Array) -> Normalize:
    """The same of numbers, those that are finite."""
    shown = numbers[np.isfinite(numbers)]
    if not shown.size:
        return Normalize(0.0, 1.0)
    low, high = float(shown.min()), float(shown.max())
    positive = shown[shown > 0]
    if low >= 0 and positive.size and high > 10 * positive.min():
        return LogNorm(max(float(positive.min()), 1e-17 * high), high, clip=True)
    high = float(np.quantile(shown, 0.95)) if high > low else high
    return Normalize(low, high if high > low else low + 1.0, clip=True)


def _is_shown(panel: Panel) -> NDArray[np.bool_]:
    return np.asarray((panel.outcome != Outcome.diverged) & (panel.outcome != Outcome.not_run))


def draw_number(ax: Axes, panel: Panel, scale: Normalize, label: str = "") -> Any:
    """Draw a panel's numbers; what diverged is dark, what has no number light. Return the image that has the scale."""
    grey = np.where(panel.outcome == Outcome.diverged, Outcome.diverged, Outcome.unfinished)
    _outcomes(ax, panel, np.where(panel.outcome == Outcome.not_run, 0, grey))
    note(ax, numbers_of(panel, label, scale))
    low = scale.vmin if isinstance(scale, LogNorm) and scale.vmin else -np.inf
    shown = np.ma.masked_where(~_is_shown(panel) | ~np.isfinite(panel.number), np.maximum(panel.number, low))
    return image_at_places(ax, panel, shown, cmap=colormap("viridis_r"), norm=scale)


def steps_range(result: "xarray.Dataset") -> tuple[int, int]:
    """The ends of the steps' colour scale, the same for all panels of a result: quickest cell and budget."""
    most = max(2, budget(result))
    # The quickest thousandth starts at a minimum; it would take a decade of the scale for itself.
    low = max(1, quickest(checked("result", result, "outcome", "steps"), np.array(SETTLED, dtype=np.int8), 0.001))
    return min(low, most - 1), most


def outcome_image(
    result: "xarray.Dataset", optimizer: str | None = None, *, x: str = "learning_rate", y: str = "start"
) -> NDArray[np.uint8]:
    """Return the outcome map at one pixel a cell, ``uint8[ny, nx, 3]``: the values of y descend from top to bottom.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    optimizer : str, optional
        Label of the optimizer; may be left out if there is only one.
    x, y : str
        The axes to the right and upwards, as in `outcome_map`.

    Returns
    -------
    ndarray
        Red, green and blue, ``uint8[ny, nx, 3]``.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> gdfast.plot.outcome_image(result, "adam").shape
    (4, 7, 3)
    """
    panel = _chosen(result, optimizer, x, y, steps=False)
    palette = np.array([[int(OUTCOME_COLOURS[o][i : i + 2], 16) for i in (1, 3, 5)] for o in Outcome], dtype=np.uint8)
    return np.asarray(palette[panel.outcome.T[::-1]])


def _chosen(result: "xarray.Dataset", optimizer: str | None, x: str, y: str, **options: Any) -> Panel:
    found = panels(result, x, y, None if optimizer is None else [optimizer], argument="optimizer", **options)
    if len(found) > 1:
        titles = ", ".join(panel.title for panel in found)
        raise ValueError(f"optimizer must be one of {titles}, since the result has several")
    return found[0]
