"""Animations: optimizers racing over a landscape, and a map that moves along a hyperparameter."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from gdfast import arguments
from gdfast.called import problem_of
from gdfast.formulas.elementary import Array
from gdfast.plot import histories
from gdfast.plot.curves import in_sight
from gdfast.plot.figures import (
    columns_of,
    draw_panel,
    label_of_scale,
    label_outside,
    panels_of,
    present,
    quantity_of,
    scale_of_panels,
    side_by_side,
)
from gdfast.plot.film import MOST_FRAMES, Film
from gdfast.plot.look import Look, apart, legend_wanted, literal, new_figure, styled
from gdfast.plot.panels import Panel, label_without
from gdfast.plot.paths import background, check_paths
from gdfast.plot.room import legend_below
from gdfast.plot.style import leaving_patch, line_colour, line_style, outcome_patches
from gdfast.problems import Problem
from gdfast.storing.result import DIMENSIONS
from gdfast.tiles.outcomes import Outcome

if TYPE_CHECKING:
    import xarray

    from gdfast.plot.paths import Paths

_RATE = 20.0  # frames a second
_LEAST_EXCESS = 1e-17
_MOST_VALUES = 240
_TALL = 2.0  # inches of a figure that has room above its axes


@styled
def race(
    paths: "Paths",
    problem: Problem,
    *,
    frames: int = 120,
    extent: tuple[float, float, float, float] | None = None,
    **look: Unpack[Look],
) -> Film:
    """Let trajectories race over a landscape: their paths over its contours, and their losses beside.

    Frames lie more densely at the beginning, where most happens: the k-th of n is at the share (k / (n − 1))² of the
    steps of the longest.

    Parameters
    ----------
    paths : mapping or sequence of xarray.Dataset, or one
        As `gdfast.plot.trajectory` takes them.
    problem : Problem, str or factory
        What they minimize, of one or two coordinates.
    frames : int
        How many pictures, at most 600; 20 are shown a second.
    extent : tuple, optional
        The part of the plane that is shown, ``(x low, x high, y low, y high)``; the problem's domain if not given.
    **look
        ``title``, ``size``, ``palette`` and ``legend``: see `gdfast.plot.Look`.

    Returns
    -------
    Film
        Its `save` writes it; a notebook shows it.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind, or the film does not fit into memory.

    Examples
    --------
    >>> import gdfast
    >>> problem = gdfast.problems.himmelblau()
    >>> runs = {o.label: gdfast.trajectory(problem, o, [0, 0], 0.01, 100) for o in map(gdfast.optimizers.CATALOGUE.get,
    ...     ["gd", "adam"]) for o in [o()]}
    >>> gdfast.plot.race(runs, problem, frames=10)
    <film of 10 frames, 0.5 s>
    """
    problem = problem_of(problem)
    checked = check_paths(paths, problem, extent)
    frames = arguments.integer("frames", frames, low=2, high=MOST_FRAMES)
    if not checked:
        raise ValueError("paths must have at least one trajectory, not none")
    with apart():
        figure = new_figure(9.6, 4.4)
    left, right = figure.subplots(1, 2)
    background(left, problem, checked, extent)
    last = max(2, *(path.sizes["step"] for path in checked.values())) - 1
    steps = np.round(last * np.linspace(0, 1, frames) ** 2).astype(int)
    runners = [_Runner(left, right, i, label, path, problem) for i, (label, path) in enumerate(checked.items())]
    _losses(right, runners, last, bool(np.isfinite(problem.lowest)))
    if legend_wanted():
        legend_below(figure, [runner.trail for runner in runners], fontsize=8)
    where = {"x": 0.97, "y": 0.95, "va": "top"}
    if figure.get_figheight() >= _TALL:  # above the axes, where it covers no line
        right.set_title(" ", fontsize=10)
        where = {"x": 1.0, "y": 1.02, "va": "bottom"}
    told = right.text(s="", transform=right.transAxes, ha="right", fontsize=10, animated=True, **where)

    def move(number: int) -> Sequence[Artist]:
        told.set_text(f"step {steps[number]:,}")
        return [artist for runner in runners for artist in runner.at(int(steps[number]))] + [told]

    return Film(figure, move, frames, _RATE)


class _Runner:
    """One trajectory: its trail and where it is, over the landscape and in the losses."""

    def __init__(
        self, left: Axes, right: Axes, number: int, label: str, path: "xarray.Dataset", problem: Problem
    ) -> None:
        theta, loss = path.theta.values, path.loss.values
        x, y = (theta[:, 0], theta[:, 1]) if problem.dimension == 2 else (theta[:, 0], loss)
        with np.errstate(invalid="ignore"):
            away = ~(np.isfinite(x) & np.isfinite(y) & (np.abs(x) < 1e6) & (np.abs(y) < 1e6))
        self.x, self.y = np.where(away, np.nan, x), np.where(away, np.nan, y)
        lowest = problem.lowest
        self.outcome = path.attrs.get("outcome")
        self.loss: Array = (
            np.maximum(loss - lowest, _LEAST_EXCESS * problem.loss_scale) if np.isfinite(lowest) else loss
        )
        colour, moves = line_colour(number, label), dict[str, Any](animated=True)
        moves_as = line_style(number, label) | moves
        (self.trail,) = left.plot([], [], linewidth=1.4, alpha=0.85, label=literal(label), **moves_as)
        (self.head,) = left.plot([], [], "o", color=colour, markersize=8, markeredgecolor="white", **moves)
        (self.curve,) = right.plot([], [], linewidth=1.6, **moves_as)
        (self.dot,) = right.plot([], [], "o", color=colour, markersize=6, **moves)

    def at(self, step: int) -> list[Artist]:
        """Bring it to a step, or to its end; return what moved."""
        end = min(step, len(self.x) - 1)
        self.trail.set_data(self.x[: end + 1], self.y[: end + 1])
        self.head.set_data(self.x[end : end + 1], self.y[end : end + 1])
        self.curve.set_data(np.arange(end + 1), self.loss[: end + 1])
        self.dot.set_data([end], self.loss[end : end + 1])
        return [self.trail, self.head, self.curve, self.dot]


def _losses(ax: Axes, runners: Sequence[_Runner], last: int, known: bool) -> None:
    """Axes that hold all losses: logarithmic where the lowest loss is known."""
    low, high = in_sight([(runner.loss, runner.outcome) for runner in runners])
    ax.set(xlabel="step", ylabel="loss above the lowest" if known else "loss", xlim=(0, last))
    if known:
        high = min(float(high), float(max(low, 1e-12)) * 1e18)
        ax.set(yscale="log", ylim=(max(float(low), 1e-12 * high) / 2, 2 * high))
    else:
        margin = 0.05 * (high - low) or 1.0
        ax.set(ylim=(low - margin, high + margin))


@styled
def animate_map(
    result: "xarray.Dataset",
    over: str,
    quantity: str = "outcome",
    *,
    x: str = "learning_rate",
    y: str = "start",
    rate: float = 6.0,
    **look: Unpack[Look],
) -> Film:
    """Let a map move along a hyperparameter, a learning rate, a label of the starts or a dimension of several sweeps.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run` or `gdfast.run_over`.
    over : str
        What changes from frame to frame: a hyperparameter in which the optimizers differ, such as ``beta1``, which
        then share a panel; ``learning_rate`` or a label of the starts, where that is no axis; or a dimension of
        `gdfast.run_over`. Of more than 240 values as many are shown, evenly.
    quantity : str
        What is shown, as `gdfast.plot.maps` shows it.
    x, y : str
        The axes, as in `gdfast.plot.maps`.
    rate : float
        Frames a second.
    **look
        ``title``, ``size``, ``palette`` and ``legend``: see `gdfast.plot.Look`.

    Returns
    -------
    Film
        Its `save` writes it; a notebook shows it.

    Raises
    ------
    TypeError, ValueError
        If there is no such axis, it has one value, or an argument is not of the accepted kind.

    Examples
    --------
    >>> import gdfast, numpy as np
    >>> momentum = gdfast.optimizers.grid(gdfast.optimizers.momentum, momentum=np.linspace(0, 0.9, 4))
    >>> result = gdfast.run(gdfast.Sweep("quartic", momentum, "1e-3:1:8", "-3:3:8", 50), backend="numpy")
    >>> gdfast.plot.animate_map(result, "momentum", rate=4)
    <film of 4 frames, 1.0 s>
    """
    rate = arguments.number("rate", rate, arguments.Interval(0.1, 60))
    x, y, quantity = arguments.text("x", x), arguments.text("y", y), arguments.text("quantity", quantity)
    told = _parts(result, arguments.text("over", over), quantity, (x, y))
    found = [[_titled(panel, over) for panel in panels_of(*part, (x, y))] for _, part in told]
    if {len(each) for each in found} != {len(found[0])}:
        raise ValueError(f"result must have the same optimizers at each {over}; select some of them first")
    (_, (whole, shown, meaning)), every = told[0], [panel for each in found for panel in each]
    scale = scale_of_panels(result if shown == "steps" else whole, shown, meaning, every)
    with apart():
        figure, axes = side_by_side(found[0])
    figure.set_layout_engine("constrained", rect=(0, 0, 1, 0.95))
    images = [draw_panel(ax, panel, scale, meaning)[0] for ax, panel in zip(axes, found[0], strict=True)]
    if legend_wanted() and scale is None:
        patches = outcome_patches(present(every) - {int(Outcome.not_run)})
        patches += leaving_patch() if any((panel.number > 0.5).any() for panel in every) else []
        legend_below(figure, patches, ncols=min(2 * columns_of(found[0]) + 1, len(patches)))
    elif legend_wanted():
        figure.colorbar(images[0], ax=axes, label=label_of_scale(meaning))
    words = figure.text(0.01, 0.985, "", va="top", fontsize=11)

    def move(number: int) -> None:
        words.set_text(told[number][0])
        for ax, first, panel in zip(axes, found[0], found[number], strict=True):
            title = ax.get_title()  # in lines, where it is long
            ax.clear()
            draw_panel(ax, panel, scale, meaning)
            ax.set_title(title if panel.title == first.title else literal(panel.title), fontsize=10)
        label_outside(axes, found[number])

    return Film(figure, move, len(told), rate)


_Part = tuple["xarray.Dataset", str, str]
"""A result, the quantity that is shown, and what its numbers mean, as of `quantity_of`."""


def _parts(result: Any, over: str, quantity: str, axes: tuple[str, str]) -> list[tuple[str, _Part]]:
    """What each frame shows, with the words for it."""
    import xarray

    arguments.instance("result", result, xarray.Dataset, "a result of gdfast, an xarray.Dataset")
    if not result.data_vars:
        raise ValueError("result must have variables, as results of gdfast do, not none")
    first = result["outcome" if "outcome" in result else next(iter(result.data_vars), "outcome")]
    more = [str(name) for name in first.dims if name not in (*DIMENSIONS, "parameter")]
    along = {
        str(name): str(c.dims[0])
        for name, c in result.coords.items()
        if len(c.dims) == 1 and c.dims[0] in ("optimizer", "start") and name not in DIMENSIONS
    }
    accepted = [*more, *along, "learning_rate", *(["step"] if "recorded_step" in result.coords else [])]
    arguments.choice("over", over, [name for name in accepted if name not in axes])
    if over == "step":
        steps = _few(result.recorded_step.values.tolist())
        shown = [quantity_of(result, f"{quantity} at step {step}") for step in steps]
        meaning = histories.NUMBERS[quantity]
        return [(f"step {step:,}", (part, name, meaning)) for step, (part, name, _) in zip(steps, shown, strict=True)]
    dimension = along.get(over, over)
    values = np.atleast_1d(result[over].values)
    distinct = _few(list(dict.fromkeys(values.tolist())))
    if len(distinct) < 2:
        raise ValueError(f"over must be something that has several values, not {over}, which has {len(distinct)}")
    found = []
    for value in sorted(distinct) if values.dtype.kind in "iuf" else distinct:
        here = np.flatnonzero(values == value)
        part = result.isel({dimension: int(here[0]) if dimension in more else here})
        words = f"{value:.4g}" if isinstance(value, float) else str(value)
        found.append((f"{over} = {words}", quantity_of(part, quantity)))
    return found


def _few(values: list[Any]) -> list[Any]:
    """The values, or as many of them, evenly, as a film has frames."""
    places = np.unique(np.linspace(0, len(values) - 1, min(len(values), _MOST_VALUES)).astype(int))
    return [values[i] for i in places if values[i] == values[i]]


def _titled(panel: Panel, over: str) -> Panel:
    """A panel whose title does not tell what changes from frame to frame."""
    return panel._replace(title=label_without(panel.title, [over]))
