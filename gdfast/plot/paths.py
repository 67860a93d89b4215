"""Trajectories drawn over the landscape that they cross."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from matplotlib.axes import Axes

from gdfast import arguments
from gdfast.analysis import _results
from gdfast.called import problem_of
from gdfast.plot.look import Look, literal, new_axes, styled
from gdfast.plot.style import ink, legend_of_lines, line_colour, line_style
from gdfast.problems import Problem

if TYPE_CHECKING:
    import xarray

    Paths = Mapping[str, xarray.Dataset] | Sequence[xarray.Dataset] | xarray.Dataset

_MARKS = {"minimum": "*", "saddle": "X", "maximum": "^"}


@styled
def trajectory(
    paths: "Paths",
    problem: Problem,
    ax: Axes | None = None,
    *,
    extent: tuple[float, float, float, float] | None = None,
    **look: Unpack[Look],
) -> Axes:
    """Draw trajectories over a landscape: the curve of a loss of one coordinate, contours of one of two.

    Parameters
    ----------
    paths : mapping or sequence of xarray.Dataset, or one
        Of `gdfast.trajectory`; a mapping from labels to them, or they are labelled by optimizer, learning rate and
        start, as far as they differ.
    problem : Problem, str or factory
        What they minimize, of one or two coordinates.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    extent : tuple, optional
        The part of the plane that is shown, ``(x low, x high, y low, y high)``; the problem's domain if not given.
    **look
        ``title``, ``size``, ``palette`` and ``legend``: see `gdfast.plot.Look`.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn. A ring marks a start, a dot an end, a star a minimum, a cross a saddle.

    Raises
    ------
    TypeError, ValueError
        If the problem has more than two coordinates, or an argument is not of the accepted kind.

    Examples
    --------
    >>> import gdfast
    >>> problem = gdfast.problems.himmelblau()
    >>> path = gdfast.trajectory(problem, "gd", [0.0, -1.0], 0.01, 30)
    >>> ax = gdfast.plot.trajectory(path, problem)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('x', 'y')
    """
    problem = problem_of(problem)
    checked = check_paths(paths, problem, extent)
    ax = new_axes(ax)
    background(ax, problem, checked, extent)
    for i, (label, path) in enumerate(checked.items()):
        theta = path.theta.values
        x, y = (theta[:, 0], theta[:, 1]) if problem.dimension == 2 else (theta[:, 0], path.loss.values)
        with np.errstate(invalid="ignore"):
            near = np.isfinite(x) & np.isfinite(y) & (np.abs(x) < 1e6) & (np.abs(y) < 1e6)
        x, y, colour, line = x[near], y[near], line_colour(i, label), line_style(i, label)
        ax.plot(x, y, marker=".", **line, linewidth=1.0, markersize=3.0, alpha=0.8, label=literal(label))
        ax.plot(x[:1], y[:1], "o", color=colour, markersize=7, fillstyle="none")
        ax.plot(x[-1:], y[-1:], "o", color=colour, markersize=6)
    legend_of_lines(ax)
    return ax


def check_paths(paths: Any, problem: Problem, extent: Any) -> "dict[str, xarray.Dataset]":
    """The trajectories by their labels, if they are of a problem that can be drawn, over a part that can be.

    Raises
    ------
    TypeError, ValueError
        If not.
    """
    found = _results.paths("paths", paths)
    if problem.dimension > 2:
        raise ValueError(f"problem must have one or two coordinates to be drawn, not {problem.dimension}")
    for label, path in found.items():
        if path.sizes["parameter"] != problem.dimension:
            raise ValueError(
                f"paths[{arguments.shown(label)}] must have the {problem.dimension} coordinates of the problem, "
                f"not {path.sizes['parameter']}"
            )
    if extent is not None:
        _extent(extent)
    return found


def background(ax: Axes, problem: Problem, paths: "dict[str, xarray.Dataset]", extent: Any) -> None:
    """Draw a landscape: the curve of a loss of one coordinate, contours of one of two."""
    ends = None if extent is None else _extent(extent)
    if problem.dimension == 2:
        low_x, high_x, low_y, high_y = ends or tuple(problem.domain.ravel())
        _contours(ax, problem, (low_x, high_x, low_y, high_y))
        ax.set(xlim=(low_x, high_x), ylim=(low_y, high_y))
        ax.set(xlabel=literal(problem.coordinates[0]), ylabel=literal(problem.coordinates[1]))
    else:
        _curve(ax, problem, paths, ends)


def _extent(extent: Any) -> tuple[float, float, float, float]:
    ends = arguments.finite("extent", extent, "(4,)")
    if ends.shape != (4,) or not (ends[0] < ends[1] and ends[2] < ends[3]):
        raise ValueError(
            f"extent must be (x low, x high, y low, y high), each low below its high, not {arguments.shown(extent)}"
        )
    return tuple(ends.tolist())


def _contours(ax: Axes, problem: Problem, extent: tuple[float, float, float, float]) -> None:
    x, y = np.linspace(*extent[:2], 161), np.linspace(*extent[2:], 161)
    grid = np.stack(np.meshgrid(x, y, indexing="ij"))
    loss = problem.loss(grid.reshape(2, -1)).reshape(161, 161)
    # Levels at equal shares of the area: a valley is seen as well as the walls.
    levels = np.unique(np.quantile(loss[np.isfinite(loss)], np.linspace(0.005, 0.995, 18)))
    ax.contour(x, y, loss.T, levels=levels, colors="#9a9a9a", linewidths=0.6)
    for point in problem.stationary_points:
        if point.point and point.kind in _MARKS:
            ax.plot(*point.point, _MARKS[point.kind], color=ink(), markersize=8, zorder=3, clip_on=True)


def _curve(
    ax: Axes,
    problem: Problem,
    paths: "dict[str, xarray.Dataset]",
    extent: tuple[float, float, float, float] | None,
) -> None:
    if extent:
        low, high = extent[:2]
        ax.set(ylim=extent[2:])
    else:
        reach = [x for path in paths.values() for x in (path.theta.values.min(), path.theta.values.max())]
        reach += [point.point[0] for point in problem.stationary_points]
        inside = [x for x in reach if np.isfinite(x) and abs(x) < 1e6]
        margin = 0.15 * (max(inside) - min(inside))
        low, high = min(inside) - margin, max(inside) + margin
    x = np.linspace(low, high, 400)
    ax.plot(x, problem.loss(x[None]), color="#999999", linewidth=1.5)
    ax.set(xlabel=literal(problem.coordinates[0]), ylabel="loss", xlim=(low, high))
