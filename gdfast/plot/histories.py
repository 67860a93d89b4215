"""Histories: what was recorded along the way, as curves over steps and as images of step × learning rate."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Unpack

import numpy as np
from matplotlib.axes import Axes

from gdfast import analysis, arguments, theory
from gdfast.analysis import _results
from gdfast.analysis._results import units
from gdfast.analysis.again import optimizer_of
from gdfast.formulas.elementary import Array
from gdfast.history import PREFIX, QUANTITIES
from gdfast.plot.curves import OF_RATES, draw_band, quantiles
from gdfast.plot.look import Look, colormap, legend_wanted, literal, new_axes, styled
from gdfast.plot.maps import scale_of
from gdfast.plot.panels import Axis, Panel, borders
from gdfast.plot.shown import note, numbers_of
from gdfast.plot.style import legend_of_lines, line_colour, outcome_colours
from gdfast.storing.result import DIMENSIONS
from gdfast.tiles.outcomes import Outcome

if TYPE_CHECKING:
    import xarray

NUMBERS = {
    "excess": "loss above the lowest, in the problem's scale",
    **{name: quantity.meaning for name, quantity in QUANTITIES.items() if name != "theta"},
}
"""Numbers that histories show, with what they are called."""

_LEAST_EXCESS = 1e-17  # what is drawn of 0 on a logarithmic axis
_SHARES = ("accuracy", "validation_accuracy")


@styled
def history_curves(
    result: "xarray.Dataset",
    ax: Axes | None = None,
    *,
    quantity: str = "loss",
    rates: str = "best",
    defaults: Mapping[str, float] | None = None,
    **look: Unpack[Look],
) -> Axes:
    """Draw what was recorded against the steps, a line an optimizer: the median, with a band of 10 to 90 %.

    The sharpness stands beside what each optimizer's learning rate makes of its edge of stability, dotted, above which
    it leaves a minimum: 2/η for gradient descent, see `gdfast.theory.edge`. Of rules that divide by a running size of
    the gradient it is the preconditioned sharpness that does. What is not a number does not count.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run` of a sweep with a history.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    quantity : str
        What was recorded: ``excess``, which is (loss − lowest) / scale as in `gdfast.analysis.excess`, ``loss``,
        ``lowest_loss``, ``gradient_norm``, ``distance``, ``sharpness``, ``preconditioned_sharpness``, ``accuracy``,
        ``validation_loss`` or ``validation_accuracy``.
    rates : str
        Of which learning rates: each optimizer's ``"best"``, the one nearest to its ``"default"``, or all
        (``"random"``); see `gdfast.analysis.at_rates`.
    defaults : mapping, optional
        Default rate by optimizer label, for ``"default"``.
    **look
        ``title``, ``size``, ``palette`` and ``legend``: see `gdfast.plot.Look`.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If the quantity was not recorded, or for the reasons of `gdfast.analysis.at_rates`.

    Examples
    --------
    >>> import gdfast
    >>> sweep = gdfast.Sweep("quartic", ["gd", "adam"], "1e-3:1:8", "-3:3:5", 200, history="loss,sharpness:32")
    >>> ax = gdfast.plot.history_curves(gdfast.run(sweep, backend="numpy"), quantity="sharpness")
    """
    result, name = recorded("result", result, quantity)
    steps = result.recorded_step.values
    panels = list(analysis.at_rates(result, rates, defaults))
    ax = new_axes(ax)
    lowest, units = np.inf, _results.units_of_rates(result)
    for i, (label, panel) in enumerate(panels):
        low = draw_band(ax, steps, panel[name].values.reshape(-1, len(steps)).T, label, i)
        lowest = np.nanmin([lowest, *low[np.isfinite(low)]])
        edge = _edge(label, quantity)
        if edge and panel.sizes["learning_rate"] == 1 and "group_rate" not in panel.coords:
            limit = edge / float(panel.learning_rate.values[0] * units[i])
            told = literal(f"{edge:.3g}/η, {label}")
            ax.axhline(limit, color=line_colour(i, label), linestyle=":", linewidth=1.2, label=told)
            lowest = min(lowest, limit)
    _step_axis(ax, steps)
    ax.set_xlabel(f"step ({OF_RATES[rates]})")
    ax.set_ylabel(NUMBERS[quantity])
    if quantity not in _SHARES:
        ax.set_yscale("log" if 0 < lowest < np.inf else "symlog")
    legend_of_lines(ax)
    return ax


@styled
def history_map(
    result: "xarray.Dataset",
    optimizer: str | None = None,
    ax: Axes | None = None,
    *,
    quantity: str = "loss",
    **look: Unpack[Look],
) -> Axes:
    """Draw what was recorded as an image, steps to the right and learning rates upwards: the median of the starts.

    Trajectories that diverge do not count; a learning rate with which most do is dark.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run` of a sweep with a history.
    optimizer : str, optional
        Label of the optimizer; may be left out if there is only one.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    quantity : str
        As in `history_curves`.
    **look
        ``title``, ``size``, ``palette`` and ``legend``: see `gdfast.plot.Look`.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn, with the scale of colours beside it.

    Raises
    ------
    ValueError
        If the quantity was not recorded, there is no such optimizer, or several and none is named.

    Examples
    --------
    >>> import gdfast
    >>> sweep = gdfast.Sweep("quartic", "gd", "1e-3:1:16", "-3:3:5", 200, history="loss:32")
    >>> ax = gdfast.plot.history_map(gdfast.run(sweep, backend="numpy"))
    """
    result, name = recorded("result", result, quantity)
    chosen = _results.chosen(result, optimizer)
    rates = _results.learning_rates("result", result)
    order = np.argsort(rates, kind="stable")
    stays = _results.outcomes("result", result)[chosen] != Outcome.diverged
    image = np.stack([quantiles(r[s].T)[1] for r, s in zip(result[name].values[chosen], stays, strict=True)])
    image[stays.mean(axis=1) < 0.5] = np.nan
    image = image[order]
    ax = new_axes(ax, 5.2, 4.2)
    ax.set_facecolor(outcome_colours()[Outcome.diverged])
    steps = result.recorded_step.values
    # Each step's column ends where the next one begins; the first one of a logarithmic axis begins at a half.
    ends = np.append(np.maximum(steps, 0.5), steps[-1] * 1.05 + 1)
    scale = scale_of(image)
    drawn = ax.pcolormesh(ends, 10 ** borders(np.log10(rates[order])), image, cmap=colormap("viridis_r"), norm=scale)
    panel = Panel(
        _results.labels(result)[chosen],
        Axis("step", np.maximum(steps, 0.5), logarithmic=True),
        Axis("learning rate η", rates[order], logarithmic=True),
        np.where(np.isnan(image.T), Outcome.diverged, Outcome.unfinished).astype(np.int8),
        np.zeros(image.T.shape, dtype=np.int32),
        result.sizes["start"],
        image.T,
    )
    note(ax, numbers_of(panel, NUMBERS[quantity], scale)._replace(edges=(np.log10(ends), None)))
    ax.set(xscale="log", yscale="log", xlabel="step", ylabel=_results.words_of_rates(result))
    ax.set_title(literal(_results.labels(result)[chosen]), fontsize=10)
    if legend_wanted():
        ax.figure.colorbar(drawn, ax=ax, label=f"{NUMBERS[quantity]}\n(dark: most diverged)")
    return ax


def recorded(argument: str, result: "xarray.Dataset", quantity: str) -> "tuple[xarray.Dataset, str]":
    """A checked result, and the name of its variable that has what was recorded of a quantity.

    Raises
    ------
    ValueError
        If there is no such quantity, or it was not recorded.
    """
    arguments.choice("quantity", quantity, NUMBERS)
    result = _results.checked(argument, result, "outcome", "steps")
    of = "loss" if quantity == "excess" else quantity
    if PREFIX + of not in result.data_vars or "recorded_step" not in result[PREFIX + of].dims:
        raise ValueError(f"{argument} must have {PREFIX}{of} over recorded_step; run the sweep with history={of!r}")
    result = result.transpose(*DIMENSIONS, "recorded_step", ...)
    if quantity == "excess":
        lowest, unit = units(result)
        shown = ((result[PREFIX + of] - lowest) / unit).clip(_LEAST_EXCESS)
        result = result.assign({PREFIX + quantity: shown})
    return result, PREFIX + quantity


def _edge(label: str, quantity: str) -> float | None:
    """The edge of stability of an optimizer in this quantity; None if it has none."""
    optimizer = optimizer_of(label) if "sharpness" in quantity else None
    if optimizer is None or (quantity == "sharpness" and optimizer.preconditioner):
        return None
    return theory.edge(optimizer)


def _step_axis(ax: Axes, steps: Array) -> None:
    """Let steps stand as they were recorded: evenly, or by their logarithm with 0 at the left."""
    ax.set_xlim(0, max(float(steps[-1]), 1.0))
    gaps = np.diff(steps)
    if len(gaps) > 1 and gaps.max() > 2 * gaps.min():
        ax.set_xscale("symlog", linthresh=1)
