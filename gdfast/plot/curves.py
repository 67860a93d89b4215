"""Curves: along trajectories, over learning rates, over steps, over ratios of costs."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from gdfast import analysis, arguments
from gdfast.analysis import _results
from gdfast.formulas.elementary import Array
from gdfast.plot.images import numbers, sparse
from gdfast.plot.look import Look, literal, new_axes, styled
from gdfast.plot.style import legend_of_lines, line_colour, line_style
from gdfast.tiles.outcomes import Outcome

if TYPE_CHECKING:
    import xarray

    from gdfast.plot.paths import Paths

OF_RATES = {"best": "best rate of each", "default": "default rate of each", "random": "all rates"}
"""What stands beside an axis, of which learning rates a figure is."""
_SHARES = (-0.02, 1.02)  # so that lines at 0 and 1 are seen
_MARKS = "osD^v"
_FEW_POINTS = 20_000  # of which each is drawn larger than a pixel
_QUANTITIES = {
    "share": "share at the lowest minimum",
    "loss": "loss at the end (median, 10 to 90 %)",
    "steps": "steps to the lowest minimum (median, 10 to 90 %)",
    "evaluations": "evaluations to the lowest minimum (median, 10 to 90 %)",
    "accuracy": "accuracy at the end (median, 10 to 90 %)",
    "validation_loss": "loss of the rows held out (median, 10 to 90 %)",
    "validation_accuracy": "accuracy on the rows held out (median, 10 to 90 %)",
}


@styled
def loss_curves(
    paths: "Paths",
    ax: Axes | None = None,
    above: float | None = None,
    **look: Unpack[Look],
) -> Axes:
    """Draw loss against step for some trajectories.

    The axes hold what does not diverge; where that would be lost beside what does, this leaves them, unless something
    is drawn in them already.

    Parameters
    ----------
    paths : mapping or sequence of xarray.Dataset, or one
        Of `gdfast.trajectory`; a mapping from labels to them, or they are labelled by optimizer, learning rate and
        start, as far as they differ.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    above : float, optional
        Draw the loss above this value, on a logarithmic axis.
    **look
        ``title``, ``size``, ``palette`` and ``legend``: see `gdfast.plot.Look`.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind.

    Examples
    --------
    >>> import gdfast
    >>> runs = [gdfast.trajectory(gdfast.problems.quartic(), gdfast.optimizers.gd(), 1.0, lr, 50) for lr in (0.01, 0.1)]
    >>> [line.get_label() for line in gdfast.plot.loss_curves(runs).lines]
    ['η = 0.01', 'η = 0.1']
    """
    paths = _results.paths("paths", paths)
    above = above if above is None else arguments.number("above", above)
    ax = new_axes(ax)
    shared = ax.has_data()
    losses = [path.loss.values for path in paths.values()]
    if above is not None:  # the lowest that is drawn is as far below the starts, in whatever units losses are
        first = max((float(loss[0]) - above for loss in losses if np.isfinite(loss[0])), default=0.0)
        losses = [np.maximum(loss - above, 1e-18 * (first if first > 0 else 1.0)) for loss in losses]
    for i, ((label, path), loss) in enumerate(zip(paths.items(), losses, strict=True)):
        finite = np.isfinite(loss)
        _line(ax, path.step.values[finite], loss[finite], label, i)
    if above is not None:
        ax.set_yscale("log")
    low, high = in_sight([(loss, path.attrs.get("outcome")) for loss, path in zip(losses, paths.values(), strict=True)])
    finite = np.concatenate([*(loss[np.isfinite(loss)] for loss in losses), np.zeros(0)])
    if not shared and finite.size and high - low < 1e-3 * (float(finite.max()) - float(finite.min())):
        margin = 0.05 * (high - low) or 1.0
        ax.set_ylim((low - margin, high + 5 * margin) if above is None else (low / 2, high * 10))
    ax.set_xlabel("step")
    ax.set_ylabel("loss" if above is None else "loss above the minimum")
    legend_of_lines(ax)
    return ax


@styled
def lr_sensitivity(
    result: "xarray.Dataset", ax: Axes | None = None, *, quantity: str = "share", **look: Unpack[Look]
) -> Axes:
    """Draw how an end depends on the learning rate, a line an optimizer, over all starts.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    quantity : {"share", "loss", "steps", "accuracy", "validation_loss", "validation_accuracy"}
        Share of starts that reach the lowest minimum; loss at the end; steps of those that reach; where rows are held
        out, what is told of them. All but the share are medians, with a band from the 10 % to the 90 % quantile. A loss
        that is not finite counts as infinite.
    **look
        ``title``, ``size``, ``palette`` and ``legend``: see `gdfast.plot.Look`.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If the quantity is unknown.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> ax = gdfast.plot.lr_sensitivity(result)
    >>> ax.get_title(), ax.get_xlabel(), ax.get_ylabel()
    ('', 'learning rate η', 'share at the lowest minimum')
    """
    arguments.choice("quantity", quantity, _QUANTITIES)
    needs = [] if quantity in ("share", "loss", *_results.OF) else [quantity]
    result = _results.checked("result", result, "outcome", "steps", "loss", *needs).sortby("learning_rate")
    grouped = "group_rate" in result.coords
    rates = result.learning_rate.values if grouped else _results.learning_rates("result", result)
    reached = _results.outcomes("result", result) == Outcome.global_minimum
    ax = new_axes(ax)
    positive = True
    for i, (label, good) in enumerate(zip(_results.labels(result), reached, strict=True)):
        panel = result.isel(optimizer=i)
        if quantity == "share":
            _line(ax, rates, good.mean(axis=1), label, i)
            continue
        if quantity in _results.OF:
            spent = panel.steps.values * (1 if quantity == "steps" else _results.evaluations_a_step(panel))
            values = np.where(good, np.maximum(spent, 1), np.nan)  # at least 1 for the logarithmic axis
        else:
            values = panel[quantity].values
        missing = np.inf if quantity in ("loss", "validation_loss") else np.nan
        low = draw_band(ax, rates, np.where(np.isfinite(values), values, missing), str(label), i)
        positive &= bool(np.nanmin(low, initial=1.0) > 0)
    ax.set(
        ylabel=_QUANTITIES[quantity],
        xlabel="number of the learning rates" if grouped else _results.words_of_rates(result),
    )
    if not grouped:
        ax.set_xscale("log")
        if sparse(np.log10(rates)):
            ax.set_xticks(rates, numbers(rates))
            ax.xaxis.set_minor_locator(NullLocator())
    if quantity == "share":
        ax.set_ylim(*_SHARES)
    if quantity in ("loss", *_results.OF, "validation_loss"):
        ax.set_yscale("log" if positive else "symlog")
    legend_of_lines(ax)
    return ax


def in_sight(ends: Iterable[tuple[Array, str | None]]) -> tuple[float, float]:
    """Return the lowest and the highest of losses that belong to trajectories which do not diverge, and of all starts.

    Where all diverge it is all of them.
    """
    every = [(loss[np.isfinite(loss)], outcome == Outcome.diverged.name) for loss, outcome in ends]
    kept = np.concatenate([loss[:1] if diverges else loss for loss, diverges in every] or [np.zeros(0)])
    if all(diverges for _, diverges in every):
        kept = np.concatenate([loss for loss, _ in every] or [np.zeros(0)])
    return (float(kept.min()), float(kept.max())) if kept.size else (0.0, 1.0)


def _line(ax: Axes, x: Array, y: Array, label: str, number: int) -> NDArray[np.bool_]:
    """Draw a line, with a mark at each point that has no neighbour to be joined to; return which these are."""
    (line,) = ax.plot(x, y, label=literal(label), linewidth=1.6, **line_style(number, label))
    there = np.isfinite(y)
    joined = there[:-1] & there[1:] & (x[:-1] != x[1:])  # rates that are given twice stand at one place
    alone = there & ~np.append(joined, False) & ~np.insert(joined, 0, False)
    if alone.any():
        line.set(marker=_MARKS[number % len(_MARKS)], fillstyle="none", markevery=np.flatnonzero(alone).tolist())
    return np.asarray(alone)


def draw_band(ax: Axes, x: Array, values: Array, label: str, number: int) -> Array:
    """Draw a line of the rows' medians, at ``x (k,)``, with a band of 10 to 90 %; return the band's lower end."""
    low, middle, high = quantiles(values)
    alone = _line(ax, x, middle, label, number)
    colour = line_colour(number, label)
    ax.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    if alone.any():
        ax.vlines(x[alone], low[alone], high[alone], color=colour, alpha=0.4, linewidth=1.2)
    return np.asarray(low)


def quantiles(values: Array) -> Array:
    """The 10 %, 50 % and 90 % quantiles of each row, ``float64[3, k]``; NaN where infinite or none is a number."""
    out = np.full((3, len(values)), np.nan)
    some = ~np.isnan(values).all(axis=1)
    out[:, some] = np.nanquantile(values[some], [0.1, 0.5, 0.9], axis=1, method="lower")
    return np.where(np.isfinite(out), out, np.nan)


@styled
def ecdf(
    result: "xarray.Dataset",
    ax: Axes | None = None,
    *,
    rates: str = "best",
    defaults: Mapping[str, float] | None = None,
    of: str = "steps",
    **look: Unpack[Look],
) -> Axes:
    """Draw which share of trajectories has reached the lowest minimum within so many steps, a line an optimizer.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    rates : str
        Which learning rates count: see `gdfast.analysis.steps_ecdf`, whose errors these are too.
    defaults : mapping, optional
        Default rate by optimizer label, for ``"default"``.
    of : {"steps", "evaluations"}
        By what costs are told, see `gdfast.analysis.best_rates`.
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
    >>> ax = gdfast.plot.ecdf(result, rates="best")
    >>> ax.get_title(), ax.get_xlabel(), ax.get_ylabel()
    ('', 'steps (best rate of each)', 'share at the lowest minimum')
    """
    curves = analysis.steps_ecdf(result, rates, defaults, of=of)
    # Beyond the budget, so that what has arrived at its very end is seen.
    limit = 1.1 * max([2, analysis.budget(result), *(int(spent[-1]) for spent, _ in curves.values() if spent.size)])
    ax = new_axes(ax)
    for i, (label, (steps, share)) in enumerate(curves.items()):
        x = np.concatenate([[1], np.maximum(steps, 1), [limit]])
        y = np.concatenate([[0], share, share[-1:] if share.size else [0]])
        ax.step(x, y, where="post", label=literal(label), linewidth=1.6, **line_style(i, str(label)))
    ax.set(
        xscale="log",
        xlim=(1, limit),
        ylim=_SHARES,
        xlabel=f"{of} ({OF_RATES[rates]})",
        ylabel="share at the lowest minimum",
    )
    legend_of_lines(ax)
    return ax


@styled
def profile(
    results: "Mapping[str, xarray.Dataset]",
    ax: Axes | None = None,
    *,
    rates: str = "best",
    defaults: Mapping[str, float] | None = None,
    of: str = "steps",
    **look: Unpack[Look],
) -> Axes:
    """Draw performance profiles over several problems, a line an optimizer: see `gdfast.analysis.performance_profile`.

    Parameters
    ----------
    results : mapping
        From the name of a problem to its result, all with the same optimizers.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    rates : str
        Which learning rates count: see `gdfast.analysis.costs`, whose errors these are too.
    defaults : mapping, optional
        Default rate by optimizer label, for ``"default"``.
    of : {"steps", "evaluations"}
        By what costs are told, see `gdfast.analysis.best_rates`.
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
    >>> ax = gdfast.plot.profile({"quartic": result})
    >>> ax.get_title(), ax.get_xlabel().splitlines(), ax.get_ylabel()
    ('', ['steps over the fewest of any optimizer, τ', '(best rate of each)'], 'share of instances')
    """
    table: pd.DataFrame = analysis.performance_profile(analysis.costs(results, rates, defaults, of=of))
    ax = new_axes(ax)
    end = max(2.0, float(table.index[-1]) * 1.1)
    for i, (label, column) in enumerate(table.items()):
        x, y = np.append(table.index, end), np.append(column, column.iloc[-1])
        ax.step(x, y, where="post", label=literal(label), linewidth=1.6, **line_style(i, str(label)))
    ax.set(xscale="log", xlim=(1, end), ylim=_SHARES)
    ax.set(xlabel=f"{of} over the fewest of any optimizer, τ\n({OF_RATES[rates]})", ylabel="share of instances")
    legend_of_lines(ax)
    return ax


@styled
def bifurcation(
    result: "xarray.Dataset", ax: Axes | None = None, *, optimizer: str | None = None, **look: Unpack[Look]
) -> Axes:
    """Draw where trajectories end against the learning rate: one point for a fixed point, p of them for a period p.

    Parameters
    ----------
    result : xarray.Dataset
        With ``theta``, of `gdfast.run` with ``keep_theta=True``; all dimensions but the learning rate are drawn on top
        of each other, so that a dimension of several budgets (`gdfast.run_over`) shows the orbit. The first coordinate
        is drawn.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    optimizer : str, optional
        Label of the optimizer; may be left out if there is only one.
    **look
        ``title``, ``size``, ``palette`` and ``legend``: see `gdfast.plot.Look`.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If the result has no end points, no such optimizer, or several and none is named.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd", "linear:0.1:0.2:5", [1.0], backend="numpy", keep_theta=True)
    >>> ax = gdfast.plot.bifurcation(result)
    >>> ax.get_xlabel()
    'learning rate η'
    """
    result = _results.checked("result", result, "theta", more=True)
    chosen = _results.chosen(result, optimizer)
    ends = result.theta.isel(optimizer=chosen).isel(parameter=0, missing_dims="ignore").transpose("learning_rate", ...)
    rates = _results.learning_rates("result", result)
    points = ends.values.reshape(len(rates), -1)
    ax = new_axes(ax)
    where = np.isfinite(points) & (np.abs(points) < 1e6)
    if "outcome" in result.data_vars:  # what diverged has no end
        outcome = result.outcome.isel(optimizer=chosen).transpose(*ends.dims).values.reshape(points.shape)
        where &= outcome != Outcome.diverged
    x = np.broadcast_to(rates[:, None], points.shape)[where]
    marker = {"marker": ","} if points.size > _FEW_POINTS else {"marker": ".", "markersize": 2}
    ax.plot(x, points[where], linestyle="none", **marker, color=line_colour(0), alpha=0.6, rasterized=True)
    name = str(np.atleast_1d(result.parameter.values)[0]) if "parameter" in result.coords else "first coordinate"
    ax.set(xlabel=_results.words_of_rates(result), ylabel=f"{literal(name)} at the end")
    if np.ptp(rates):
        ax.set_xlim(rates.min(), rates.max())
    return ax
