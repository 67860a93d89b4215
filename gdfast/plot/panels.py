"""Panels: what maps draw, for one optimizer or for those that differ in an axis only.

An axis is ``learning_rate``, ``start``, a numeric hyperparameter in which the result's optimizers differ, a numeric
label of the starts, such as ``seed``, or one of the problem's coordinates, along which the starts then lie. With a
hyperparameter as an axis, optimizers that differ in nothing else share a panel. A pixel that stands for several
trajectories shows the most frequent outcome, of several as frequent the worse, that is the later in the legend, and the
median steps of those that ended so. So does one that stands for several values of an axis too long for a figure.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.elementary import Array
from gdfast.plot.pixels import Along, reduce
from gdfast.result import DIMENSIONS

if TYPE_CHECKING:
    import xarray


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
        if regular(places):
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
    result = ordered(result)
    for argument, name in (("x", x), ("y", y)):
        arguments.choice(argument, name, ["learning_rate", "start", *_numeric(result), *_coordinates(result)])
    if x == y:
        raise ValueError(f"x and y must be two axes, not {x} twice")
    axes = [name for name in (x, y) if _numeric(result).get(name) == "optimizer"]
    members: dict[str, list[int]] = {}
    complete = np.ones(result.sizes["optimizer"], dtype=bool)
    for name in axes:
        complete &= np.isfinite(result[name].values)
    for i in np.flatnonzero(complete):
        members.setdefault(_without(str(result.optimizer.values[i]), axes), []).append(int(i))
    chosen = list(members) if titles is None else [arguments.choice("optimizer", title, members) for title in titles]
    return [_panel(result.isel(optimizer=members[title]), title, x, y, most, steps) for title in chosen]


def pixels(result: "xarray.Dataset", variable: str, x: str, y: str) -> NDArray[Any]:
    """The values of a variable over the pixels of two axes, ``[nx, ny]``, where no two trajectories share one.

    Raises
    ------
    ValueError
        If several trajectories share a pixel.
    """
    result = ordered(result)
    places = []
    for name in (x, y):
        dimension, values = _along(result, name)
        index = np.arange(len(values)) if name in DIMENSIONS else np.unique(values, return_inverse=True)[1]
        shape = [-1 if d == dimension else 1 for d in DIMENSIONS]
        places.append(np.broadcast_to(index.reshape(shape), result.outcome.shape))
    image = np.zeros((int(places[0].max()) + 1, int(places[1].max()) + 1), dtype=result[variable].dtype)
    if image.size < result.outcome.size:
        raise ValueError(
            f"the result has {result.outcome.size} trajectories on {image.size} pixels over {x} and {y}; select one "
            "learning rate, start or optimizer of each pixel first"
        )
    image[tuple(places)] = result[variable].values
    return image


def ordered(result: "xarray.Dataset") -> "xarray.Dataset":
    """The result over all three dimensions in order, also those of which one was selected."""
    return result.expand_dims([name for name in DIMENSIONS if name not in result.dims]).transpose(*DIMENSIONS, ...)


def _numeric(result: "xarray.Dataset") -> dict[str, str]:
    """The numeric coordinates over optimizers or starts, with the dimension of each."""
    return {
        str(name): str(coordinate.dims[0])
        for name, coordinate in result.coords.items()
        if coordinate.dims in (("optimizer",), ("start",)) and coordinate.dtype.kind in "fi" and name not in DIMENSIONS
    }


def _coordinates(result: "xarray.Dataset") -> list[str]:
    """The names of the problem's coordinates, where the result tells the starts."""
    return [str(name) for name in result.parameter.values] if "start_point" in result.coords else []


def _without(label: str, axes: Sequence[str]) -> str:
    """An optimizer's label without some of its hyperparameters: ``adam:beta1=0.8,eps=1`` → ``adam:eps=1``."""
    rule, *schedule = label.split("|", 1)
    name, _, parameters = rule.partition(":")
    kept = [item for item in parameters.split(",") if item and item.partition("=")[0] not in axes]
    return "|".join([name + (":" if kept else "") + ",".join(kept), *schedule])


def _panel(result: "xarray.Dataset", title: str, x: str, y: str, most: int | None, steps: bool) -> Panel:
    dimensions = {name: _along(result, name)[0] for name in (x, y)}
    places = [_along(result, name)[1] for name in (x, y) if dimensions[name] == "optimizer"]
    distinct = np.unique(np.stack(places), axis=1).shape[1] if places else 1
    if result.sizes["optimizer"] > distinct:
        raise ValueError(f"the result has several optimizers {title!r} at one {x} and {y}; select one of them first")
    (horizontal, along_x, wide), (vertical, along_y, high) = (_pixels(result, name, most) for name in (x, y))
    outcome, median = reduce(result, along_x, along_y, steps)
    cells = len(horizontal.values) * wide * len(vertical.values) * high
    others = -(-math.prod(result.sizes[d] for d in DIMENSIONS if d != "optimizer" or d in dimensions.values()) // cells)
    return Panel(title, horizontal, vertical, outcome, median, others * wide * high)


def _along(result: "xarray.Dataset", name: str) -> tuple[str, NDArray[Any]]:
    """The dimension that an axis runs over, and where each of its indices stands."""
    if name in DIMENSIONS:
        return name, result[name].values
    if name in result.coords:
        return str(result[name].dims[0]), result[name].values
    return "start", result.start_point.sel(parameter=name).values


def _pixels(result: "xarray.Dataset", name: str, most: int | None) -> tuple[Axis, Along, int]:
    """An axis as drawn, how its dimension is laid along it, and how many of its values share a pixel."""
    dimension, values = _along(result, name)
    axis = _axis(result, name)
    index = np.arange(len(values)) if name in DIMENSIONS else np.unique(values, return_inverse=True)[1]
    cells = 1 if most is None else -(-len(axis.values) // most)
    drawn = axis.coarser(cells)
    return drawn, Along(dimension, index // cells, len(drawn.values)), cells


def _axis(result: "xarray.Dataset", name: str) -> Axis:
    if name == "start":
        return _starts(result)
    rate = name == "learning_rate"
    values = _along(result, name)[1] if rate else np.unique(_along(result, name)[1])
    evenly = len(values) > 2 and regular(values)
    logarithmic = (values > 0).all() and not evenly and (rate or (len(values) > 2 and regular(np.log10(values))))
    label = "learning rate η" if rate else f"start {name}" if name in _coordinates(result) else name
    return Axis(label, values, bool(logarithmic))


def _starts(result: "xarray.Dataset") -> Axis:
    """Where the starts stand on an axis: at their coordinate if they lie on a line, else numbered."""
    points = np.atleast_2d(result.start_point.values)
    names = [str(name) for name in result.parameter.values]
    moving = np.flatnonzero(np.ptp(points, axis=0) > 0)
    if points.shape[1] == 1:
        return Axis(f"start {names[0]}", points[:, 0])
    if moving.size and all(regular(points[:, j]) for j in moving):
        return Axis(f"start on a line, {names[moving[0]]} shown", points[:, moving[0]])
    return Axis("start number", np.arange(len(points), dtype=np.float64))


def regular(values: NDArray[np.float64]) -> bool:
    """Whether values ascend in equal steps."""
    steps = np.diff(values)
    return len(values) < 2 or bool(steps[0] > 0 and np.allclose(steps, steps[0], rtol=1e-6))
