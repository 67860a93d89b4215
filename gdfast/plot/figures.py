"""Figures of several maps, a panel an optimizer, with one legend or scale."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from gdfast import arguments
from gdfast.analysis import excess
from gdfast.analysis._results import checked, evaluations_a_step
from gdfast.formulas.elementary import Array
from gdfast.plot import histories
from gdfast.plot.look import Look, legend_wanted, literal, new_figure, styled
from gdfast.plot.maps import (
    MOST_PIXELS,
    SETTLED,
    changes,
    draw_change,
    draw_number,
    draw_outcome,
    draw_steps,
    number_scale,
    steps_range,
)
from gdfast.plot.panels import LEAVES, Panel, panels
from gdfast.plot.room import legend_below
from gdfast.plot.style import (
    change_patches,
    leaving_patch,
    legend_of_map,
    outcome_legend,
    outcome_patches,
)
from gdfast.tiles.outcomes import Outcome

if TYPE_CHECKING:
    import xarray

_MOST_PANELS = 144
_STEPS = "steps until stationary\n(grey: light unfinished, dark diverged)"
NUMBERS = {
    "loss": "loss at the end",
    "excess": "loss above the lowest, in the problem's scale",
    "gradient_norm": "largest entry of the gradient at the end",
    "period": "period in steps",
    "evaluations": "evaluations until stationary, points at which gradient or loss were asked for",
    "measure": "measure",
    "accuracy": "accuracy at the end",
    "validation_loss": "loss of the rows held out, at the end",
    "validation_accuracy": "accuracy on the rows held out, at the end",
}
"""Numbers that maps show, with what they are called."""

Limit = float | Callable[[Array], Array]


@styled
def maps(
    result: "xarray.Dataset",
    quantity: str = "outcome",
    limits: Mapping[str, Sequence[Limit]] | None = None,
    *,
    optimizers: Sequence[str] | None = None,
    x: str = "learning_rate",
    y: str = "start",
    ax: Axes | Sequence[Axes] | None = None,
    **look: Unpack[Look],
) -> Figure:
    """Draw a panel for each optimizer of a result, with one legend or scale.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    quantity : str
        What is shown: ``outcome``, ``steps``, ``loss``, ``excess``, ``gradient_norm``, ``period``, ``measure``,
        ``evaluations`` (of what settled, as steps are), or of rows with classes or held out ``accuracy``,
        ``validation_loss``, ``validation_accuracy``. Of what a history
        recorded ``loss at step 100``, ``excess at step 100`` and so on, at the nearest step that was recorded. Of
        numbers it is the median of a pixel's trajectories, logarithmic where that is possible. Excess is
        `gdfast.analysis.excess`. On maps of outcomes, what has reached a minimum that it will leave again is hatched;
        see `gdfast.analysis.leaves`.
    limits : mapping, optional
        For each optimizer's label, learning rates to mark by a dashed line: numbers, or functions of y's values.
    optimizers : sequence of str, optional
        Labels of the optimizers to show; all if not given.
    x, y : str
        The axes to the right and upwards: ``learning_rate``, ``start`` or a hyperparameter; see the module. Optimizers
        that differ in nothing but axes share a panel, named by their label without them.
    ax : matplotlib.axes.Axes or sequence of them, optional
        Where to draw, one for each panel; a new figure if not given.
    **look
        ``title``, ``size``, ``palette`` and ``legend``: see `gdfast.plot.Look`.

    Returns
    -------
    matplotlib.figure.Figure
        Which pyplot knows: ``plt.show()`` shows it, and a notebook does, once.

    Raises
    ------
    TypeError, ValueError
        If `quantity`, an optimizer or an axis is unknown, there would be more panels than can be seen, or an argument
        is not of the accepted kind.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> figure = gdfast.plot.maps(result)
    >>> len(figure.axes) >= 2
    True
    """
    result, quantity, meaning = quantity_of(result, quantity)
    found = panels_of(result, quantity, meaning, (x, y), optimizers)
    marks = {} if limits is None else _limits(limits)
    figure, axes = side_by_side(found, ax)
    scale = scale_of_panels(result, quantity, meaning, found)
    image, left = None, False
    for place, panel in zip(axes, found, strict=True):
        image, leaves = draw_panel(place, panel, scale, meaning)
        left |= leaves
        for limit in marks.get(panel.title, []) if x == "learning_rate" else []:
            _mark(place, panel, limit)
    if ax is None:
        label_outside(axes, found)
    if found[0].trajectories > 1 and ax is None:
        shown = {"outcome": "most frequent outcome", "steps": "median steps to the most frequent outcome"}.get(
            quantity, f"median {meaning}"
        )
        figure.suptitle(f"each pixel: the {shown} of {found[0].trajectories} trajectories", fontsize=9)
    if not legend_wanted():
        return figure
    if image is None and ax is not None:
        patches = outcome_patches(present(found) - {int(Outcome.not_run)}) + (leaving_patch() if left else [])
        legend_of_map(axes[-1], patches, alone=False)
    elif image is None:
        named = present(found) - {int(Outcome.not_run)}
        outcome_legend(figure, named, left, ncols=min(2 * columns_of(found) + 1 - left, len(named) + left))
    else:
        figure.colorbar(image, ax=axes, label=label_of_scale(meaning))
    return figure


Scale = Normalize | tuple[int, int] | None
"""Of numbers, of steps, or of neither."""


def panels_of(
    result: "xarray.Dataset",
    quantity: str,
    meaning: str,
    axes: tuple[str, str],
    optimizers: Sequence[str] | None = None,
) -> list[Panel]:
    """The panels of a map of a quantity, see `quantity_of`; errors are those of `maps`."""
    if quantity == "excess":
        result = result.assign(excess=excess(result))
    wanted = LEAVES if quantity == "outcome" else quantity if meaning else None
    return panels(result, *axes, optimizers, most=MOST_PIXELS, steps=quantity == "steps", number=wanted)


def scale_of_panels(result: "xarray.Dataset", quantity: str, meaning: str, found: Sequence[Panel]) -> Scale:
    """One scale for all panels of a map."""
    return steps_range(result) if quantity == "steps" else number_scale(found) if meaning else None


def draw_panel(ax: Axes, panel: Panel, scale: Scale, meaning: str) -> tuple[Any, bool]:
    """Draw a panel; return the image that has the scale, if any, and whether something is hatched."""
    if scale is None:
        return None, draw_outcome(ax, panel)
    if isinstance(scale, tuple):
        return draw_steps(ax, panel, scale), False
    return draw_number(ax, panel, scale, meaning), False


def label_of_scale(meaning: str) -> str:
    """What stands beside a scale of colours."""
    return f"{meaning}\n(grey: dark diverged)" if meaning else _STEPS


def quantity_of(result: Any, quantity: Any) -> tuple[Any, str, str]:
    """A result that has what is to be shown as a variable over its trajectories, its name, and what a number means."""
    told = re.fullmatch(r"\s*(\w+) at step (\d{1,15})\s*", quantity) if isinstance(quantity, str) else None
    if told is None:
        name = arguments.choice("quantity", quantity, ["outcome", "steps", *NUMBERS, "loss at step 100"])
        return evaluated(result) if name == "evaluations" else result, name, NUMBERS.get(name, "")
    result, variable = histories.recorded("result", result, told[1])
    steps = result.recorded_step.values
    place = int(np.abs(steps - int(told[2])).argmin())
    name = f"{told[1]} at step {steps[place]}"
    shown = result[variable].isel(recorded_step=place).drop_vars("recorded_step")
    return result.assign({name: shown}), name, f"{histories.NUMBERS[told[1]]}, after {steps[place]:,} steps"


def evaluated(result: Any) -> Any:
    """A result with the evaluations of what settled; where none asks for more than one a step they are the steps."""
    result = checked("result", result, "outcome", "steps")
    settled = np.isin(result.outcome.values, [int(each) for each in SETTLED])
    spent = np.where(settled, result.steps.values * evaluations_a_step(result), np.nan)
    return result.assign(evaluations=result.steps.copy(data=spent))


@styled
def delta_maps(
    difference: "xarray.Dataset", *, x: str = "learning_rate", y: str = "start", **look: Unpack[Look]
) -> Figure:
    """Draw a `delta_map` for each optimizer of a difference, with one legend.

    Parameters and errors are those of `maps`.

    Parameters
    ----------
    difference : xarray.Dataset
        Of `gdfast.analysis.delta`.
    x, y : str
        The axes to the right and upwards, as in `maps`.
    **look
        ``title``, ``size``, ``palette`` and ``legend``: see `gdfast.plot.Look`.

    Returns
    -------
    matplotlib.figure.Figure
        With a panel for each optimizer.

    Examples
    --------
    >>> import gdfast
    >>> before = gdfast.sweep("quartic", "gd", "0.01:1:5", "-3:3:4", max_steps=200, backend="numpy")
    >>> after = gdfast.sweep("quartic", "gd|clip_norm=1", "0.01:1:5", "-3:3:4", max_steps=200, backend="numpy")
    >>> figure = gdfast.plot.delta_maps(gdfast.analysis.delta(before, after))
    >>> len(figure.axes) >= 1
    True
    """
    found = panels(changes(difference), x, y, most=MOST_PIXELS, steps=False)
    figure, axes = side_by_side(found)
    for ax, panel in zip(axes, found, strict=True):
        draw_change(ax, panel)
    label_outside(axes, found)
    if legend_wanted():
        legend_below(figure, change_patches(present(found)), ncols=min(4, 2 * columns_of(found)))
    return figure


def columns_of(found: Sequence[Panel]) -> int:
    """How many panels stand beside each other."""
    return min(3, len(found))


def _alike(found: Sequence[Panel]) -> bool:
    """Whether all panels have the same axes."""
    drawn = [(panel.x.values.tolist(), panel.y.values.tolist()) for panel in found]
    return all(axes == drawn[0] for axes in drawn)


def side_by_side(found: Sequence[Panel], ax: Any = None) -> tuple[Figure, list[Axes]]:
    """Axes for so many panels, titled by them, those that are given or of a new figure."""
    if ax is not None:
        return _on(found, ax)
    if len(found) > _MOST_PANELS:
        raise ValueError(
            f"a figure must have at most {_MOST_PANELS} panels, not {len(found)}, one an optimizer; "
            "select some of them, or draw a hyperparameter along an axis by x or y"
        )
    columns = columns_of(found)
    rows = math.ceil(len(found) / columns)
    size = 1.4 if len(found) == 1 else 1.0
    figure = new_figure(1.2 + 3.1 * size * columns, 0.9 + 2.6 * size * rows)
    alike = _alike(found)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=alike, sharey=alike)
    for ax, panel in zip(axes.flat, found, strict=False):
        ax.set_title(literal(panel.title), fontsize=10)
    for ax in axes.flat[len(found) :]:
        ax.remove()
    return figure, list(axes.flat[: len(found)])


def _on(found: Sequence[Panel], ax: Any) -> tuple[Figure, list[Axes]]:
    """The given axes, one for each panel, titled by them where they are several."""
    accepted = f"axes of matplotlib, {len(found)} for as many panels"
    flat = ax.ravel() if isinstance(ax, np.ndarray) else [ax] if isinstance(ax, Axes) else ax
    axes = arguments.several("ax", flat, accepted)
    for each in axes:
        arguments.instance("ax", each, Axes, accepted)
    if len(axes) != len(found):
        raise ValueError(f"ax must be {accepted}, not {len(axes)}; optimizers names those to show")
    for each, panel in zip(axes, found, strict=True):
        each.set_title(literal(panel.title), fontsize=10)
    return axes[0].figure, axes


def label_outside(axes: Sequence[Axes], found: Sequence[Panel]) -> None:
    """Leave labels at the left and at each column's end only, where all panels have the same axes."""
    columns = columns_of(found)
    for i, ax in enumerate(axes if _alike(found) else []):
        left, bottom = i % columns == 0, i + columns >= len(found)
        ax.tick_params(labelleft=left, labelbottom=bottom)
        ax.yaxis.label.set_visible(left)
        ax.xaxis.label.set_visible(bottom)


def _limits(limits: Any) -> dict[str, list[Limit]]:
    """Check a mapping from labels to limits of the learning rate."""
    accepted = "a mapping from labels of optimizers to learning rates, or functions of y's values"
    checked: dict[str, list[Limit]] = {}
    for label, several in arguments.mapping("limits", limits, accepted).items():
        name = f"limits[{arguments.shown(label)}]"
        checked[label] = [
            limit if callable(limit) else arguments.number(name, limit, arguments.POSITIVE)
            for limit in arguments.several(name, several, accepted, least=0)
        ]
    return checked


def _mark(ax: Axes, panel: Panel, limit: Limit) -> None:
    """Draw a limit of the learning rate, dashed, seen on any colour."""
    heights = panel.y.place(panel.y.values)
    places = panel.x.place(limit(panel.y.values) if callable(limit) else np.full(len(heights), limit))
    heights, places = (heights, places) if callable(limit) else (ax.get_ylim(), places[[0, 0]])
    ax.plot(places, heights, color="black", linestyle=(0, (4, 2)), linewidth=1.1, scalex=False, scaley=False)
    ax.plot(places, heights, color="white", linestyle=(3, (2, 4)), linewidth=1.1, scalex=False, scaley=False)


def present(found: Sequence[Panel]) -> set[int]:
    """The codes that occur in panels."""
    return set(np.unique(np.concatenate([panel.outcome.ravel() for panel in found])).tolist())
