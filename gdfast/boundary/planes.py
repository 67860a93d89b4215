"""Planes of hyperparameters in which a boundary between convergence and divergence is looked at, as ordinary sweeps.

Six conditions are those of "The boundary of neural network trainability is fractal" (Sohl-Dickstein 2024, arXiv
2402.06184), which tells the median of the box-counting slopes over scales and zooms. Where they differ from its
notebook: weights and data are other draws; mini-batches are drawn without repetition, and judged by their own losses
(there by the loss over all rows); the offset of the initialization is added once (there at every step). Two landscapes
are added, in learning rate × start.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments, measures, problems
from gdfast.boundary.dimension import boundary
from gdfast.formulas.elementary import Array
from gdfast.optimizers import Optimizer
from gdfast.running.run import run
from gdfast.tiles.sweep import Sweep

if TYPE_CHECKING:
    import xarray


class Axis(NamedTuple):
    """An axis of a plane: what it is, the range that is looked at first, and whether it is the log10 of it."""

    label: str
    low: float
    high: float
    logarithmic: bool = True

    def values(self, places: Array) -> Array:
        """The hyperparameters at places of the axis."""
        return 10.0**places if self.logarithmic else places


class View(NamedTuple):
    """The part of a plane that an image shows: middle and length of each side, (x, y), and pixels a side."""

    center: tuple[float, float]
    span: tuple[float, float]
    resolution: int

    def places(self, side: int) -> Array:
        """The middles of the pixels along x (0) or y (1), ``float64[resolution]``."""
        steps = (np.arange(self.resolution) + 0.5) / self.resolution - 0.5
        return np.asarray(self.center[side] + self.span[side] * steps)

    def closer(self, cell: tuple[int, int], factor: float) -> "View":
        """The view, `factor` times smaller, of the corner that pixels (row, column) and the next ones share."""
        x, y = (c + s * ((k + 1) / self.resolution - 0.5) for c, s, k in zip(
            self.center, self.span, (cell[1], cell[0]), strict=True
        ))  # fmt: skip
        return View((x, y), (self.span[0] / factor, self.span[1] / factor), self.resolution)


@dataclass(frozen=True, eq=False)
class Condition:
    """A plane of two hyperparameters of trainings that are else alike.

    Parameters
    ----------
    label : str
        What it is.
    x, y : Axis
        The plane. Where there are no `starts`, learning rates of the first and of the last layer.
    problem : callable
        From the width of a network and a seed to the problem.
    starts : callable, optional
        From the problem, the seed and the places along y to the starts; x is then the learning rate.
    published : float
        The dimension that the paper reports, NaN if none.
    """

    label: str
    x: Axis
    y: Axis
    problem: Callable[[int, int], problems.Problem]
    starts: Callable[[Any, int, Array], Array] | None = None
    published: float = float("nan")

    @property
    def words(self) -> str:
        """What the two sides of the boundary are, as it stands above an image."""
        return "blue to green converges, red to yellow does not"

    @property
    def ends(self) -> tuple[str, str]:
        """What the palest and the darkest of the colours of each side are."""
        return "quickest", "slowest"

    def view(self, resolution: int, center: tuple[float, float] | None = None, zoom: float = 1.0) -> View:
        """The whole plane, or what is seen at another center and `zoom` times closer."""
        spans = self.x.high - self.x.low, self.y.high - self.y.low
        middle = center or ((self.x.low + self.x.high) / 2, (self.y.low + self.y.high) / 2)
        return View(middle, (spans[0] / zoom, spans[1] / zoom), resolution)

    def axes(self, view: View) -> tuple[Array, Array]:
        """The hyperparameters at the pixels of a view, along x and y, ``float64[resolution]`` each.

        Raises
        ------
        ValueError
            If neighbouring pixels are the same numbers in float64.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            x, y = self.x.values(view.places(0)), self.y.values(view.places(1))
            for name, values in ((self.x.label, x), (self.y.label, y)):
                if not (np.diff(values) > 0).all():
                    raise ValueError(
                        f"center and zoom must leave pixels that differ in float64, but {view.resolution} pixels of "
                        f"the {name} around {values[len(values) // 2]:.17g} do not"
                    )
        return x, y

    def sweep(self, optimizer: Optimizer, view: View, width: int = 8, max_steps: int = 100, seed: int = 0) -> Sweep:
        """The sweep whose trajectories are the pixels of a view; nothing counts as stationary that moves at all.

        Raises
        ------
        ValueError
            If neighbouring pixels are the same numbers in float64.
        """
        x, y = self.axes(view)
        problem = self.problem(width, seed)
        if self.starts is None:
            rates = np.stack([np.tile(x, len(y)), np.repeat(y, len(x))], axis=1)
            starts = problem.starts("normal", seeds=seed).points  # type: ignore[attr-defined]
        else:
            rates, starts = x, self.starts(problem, seed, y)
        measure = measures.convergence(floor=problem.minima[0].loss)
        return Sweep(problem, optimizer, rates, starts, max_steps, gradient_tolerance=0.0, measure=measure)

    def image(self, result: "xarray.Dataset", resolution: int) -> Array:
        """The measure of a result of `sweep` as an image ``float64[y, x]``."""
        values = result.measure.values.reshape(resolution, resolution)
        return np.asarray(values if self.starts is None else values.T)


def _network(**settings: Any) -> Callable[[int, int], problems.Problem]:
    return lambda width, seed: problems.trainability_network(width=width, seed=seed, **settings)


def _offset(problem: Any, seed: int, places: Array) -> Array:
    """Weights of the first layer with a mean other than 0."""
    first = problem.group == 0
    return np.asarray(problem.starts("normal", seeds=seed).points + np.where(first, places[:, None], 0.0))


_LAYERS = Axis("learning rate of the first layer", -3, 6), Axis("learning rate of the last layer", -3, 6)
_RATE, _OFFSET = Axis("learning rate", -3, 6), Axis("mean of the first layer's weights", -3, 3, False)

CONDITIONS: dict[str, Condition] = {
    "tanh": Condition("tanh", *_LAYERS, _network(), published=1.66),
    "relu": Condition("relu", *_LAYERS, _network(activation="relu"), published=1.20),
    "identity": Condition("identity", *_LAYERS, _network(activation="identity"), published=1.17),
    "minibatch": Condition("tanh, mini-batches of 16", *_LAYERS, _network(batch_size=16), published=1.55),
    "single_point": Condition("tanh, a single data point", *_LAYERS, _network(points=1), published=1.4),
    "initialization": Condition("tanh, initialization × rate", _RATE, _OFFSET, _network(), _offset, 1.98),
    "quartic": Condition(
        "quartic",
        Axis("learning rate", -3, 1),
        Axis("start", -4, 4, False),
        lambda width, seed: problems.quartic(),
        lambda problem, seed, places: places[:, None],
    ),
    "rosenbrock": Condition(
        "Rosenbrock",
        Axis("learning rate", -5, 0),
        Axis("first coordinate of the start, the second is 1", -2, 2, False),
        lambda width, seed: problems.rosenbrock(),
        lambda problem, seed, places: np.stack([places, np.ones_like(places)], axis=1),
    ),
}
PUBLISHED = [name for name, condition in CONDITIONS.items() if np.isfinite(condition.published)]


FOLLOW = "drawn", "densest"


class Frame(NamedTuple):
    """One image of a zoom: what it shows, its values ``float64[y, x]``, and the run's result."""

    view: View
    image: Array
    result: "xarray.Dataset"


def zoom(
    condition: Condition,
    optimizer: Optimizer,
    view: View,
    frames: int = 1,
    factor: float = 10.0,
    *,
    follow: str = "drawn",
    seed: int = 0,
    store: Path | None = None,
    workers: int | None = None,
    progress: Any = None,
    **settings: Any,
) -> Iterator[Frame]:
    """Look at a plane, then closer and closer at a point of its boundary.

    The point is the middle of a boundary cell, chosen again in each image from those around which the next view lies
    inside this one: one drawn, or the one around which the next view has the most boundary cells. Much of a boundary is
    smooth, and what is not has the most cells; the paper's zooms go to places chosen by hand. The sequence ends early
    where float64 cannot tell the pixels apart, or an image has no boundary.

    Parameters
    ----------
    condition, optimizer, view
        What is looked at first.
    frames : int
        How many images, at most.
    factor : float
        By which each is closer than the one before.
    follow : {"drawn", "densest"}
        How the points are chosen.
    seed : int
        Of weights, data and points.
    store : path, optional
        A folder for a Zarr store each frame, by which an interrupted sequence is resumed.
    workers, progress
        As in `gdfast.run`.
    **settings
        ``width`` and ``max_steps``, as in `Condition.sweep`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind, or float64 cannot tell the pixels of the first image apart.
    """
    check_zoom(frames, factor, follow)
    rng = np.random.default_rng(seed)
    for number in range(frames):
        try:
            sweep = condition.sweep(optimizer, view, seed=seed, **settings)
        except ValueError:
            if number:
                return
            raise
        place = None if store is None else store / f"{number:03d}.zarr"
        result = run(sweep, store=place, workers=workers, progress=progress)
        image = condition.image(result, view.resolution)
        yield Frame(view, image, result)
        cells = boundary(image)
        if not cells.any():
            return
        view = view.closer(_chosen(cells, factor, rng if follow == "drawn" else None), factor)


def check_zoom(frames: int, factor: float, follow: str) -> None:
    """Refuse what `zoom` does not accept.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind.
    """
    arguments.integer("frames", frames)
    arguments.number("factor", factor, arguments.Interval(1, low_open=True))
    arguments.choice("follow", follow, FOLLOW)


def _chosen(cells: NDArray[np.bool_], factor: float, rng: np.random.Generator | None) -> tuple[int, int]:
    """A boundary cell around which the next view lies inside the image: one drawn, or that with the most around it."""
    found = np.argwhere(cells)
    away = np.abs((found + 1) / (len(cells) + 1) - 0.5).max(axis=1)
    found = found[away <= max((1 - 1 / factor) / 2, away.min())]
    if rng:
        row, column = found[rng.integers(len(found))].tolist()
    else:
        reach = int(len(cells) / factor) // 2
        sums = np.pad(cells.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        low, high = np.maximum(found - reach, 0), np.minimum(found + reach + 1, len(cells))
        (i, j), (k, m) = low.T, high.T
        row, column = found[np.argmax(sums[k, m] - sums[i, m] - sums[k, j] + sums[i, j])].tolist()
    return row, column
