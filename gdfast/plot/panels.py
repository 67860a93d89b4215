"""Panels: what maps draw, for one optimizer or for those that differ in an axis only.

An axis is ``learning_rate``, ``start``, a numeric hyperparameter in which the result's optimizers differ (of the rule,
of a schedule such as ``cosine_end``, or of a transform such as ``clip_norm_max_norm``), a numeric label of the starts,
such as ``seed``, or one of the problem's coordinates, along which the starts then lie. Values ascend along an axis, in
whatever order the result has them, and each cell ends halfway to its neighbours. With a hyperparameter as an axis,
optimizers that differ in nothing else share a panel. A pixel that stands for several
trajectories shows the most frequent outcome, of several as frequent the worse, that is the later in the legend, and the
median steps of those that ended so. So does one that stands for several values of an axis too long for a figure.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.analysis import leaves
from gdfast.analysis._results import checked, words_of_rates
from gdfast.formulas.elementary import Array
from gdfast.plot.pixels import Along, medians, reduce
from gdfast.storing.result import DIMENSIONS
from gdfast.tiles.hyperparameters import part_prefix

if TYPE_CHECKING:
    import xarray


LEAVES = "leaves"
"""What most trajectories of a pixel do, as a number: 1 where they leave again the minimum that they settled at."""


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
    number: Array  # the median of another variable, if one was asked for; else empty


def panels(
    result: "xarray.Dataset",
    x: str = "learning_rate",
    y: str = "start",
    titles: Sequence[str] | None = None,
    *,
    most: int | None = None,
    steps: bool = True,
    number: str | None = None,
    argument: str = "optimizers",
) -> list[Panel]:
    """The panels of a result over two axes: all, or those with the given titles.

    With `most`, neighbours along an axis longer than this share a pixel. Steps are left out on demand; `number` names
    another variable that is wanted, or `LEAVES`. `argument` is what a message calls the titles.

    Raises
    ------
    ValueError
        If an axis or a title is unknown, both axes are the same, or two optimizers stand at one place of a panel.
    """
    needs = [*(["steps"] if steps else []), *([number] if number and number != LEAVES else [])]
    result = checked("result", result, "outcome", *needs)
    for axis, name in (("x", x), ("y", y)):
        arguments.choice(axis, name, ["learning_rate", "start", *_numeric(result), *_coordinates(result)])
    if x == y:
        raise ValueError(f"x and y must be two axes, not {x} twice")
    if titles is not None:
        titles = arguments.several(argument, titles, "labels of optimizers")
    axes = [name for name in (x, y) if _numeric(result).get(name) == "optimizer"]
    members: dict[str, list[int]] = {}
    for i in np.flatnonzero(_has(result, axes)):
        members.setdefault(label_without(str(result.optimizer.values[i]), axes), []).append(int(i))
    if not members:
        raise ValueError(f"result must have an optimizer with {' and '.join(axes)}, but has none")
    chosen = list(members) if titles is None else [arguments.choice(argument, title, members) for title in titles]
    return [_panel(result.isel(optimizer=members[title]), title, (x, y), most, steps, number) for title in chosen]


def left_out(result: "xarray.Dataset", x: str, y: str) -> list[str]:
    """The labels of optimizers that stand in no panel over these axes, since they lack a hyperparameter."""
    axes = [name for name in (x, y) if _numeric(result).get(name) == "optimizer"]
    return [str(label) for label in result.optimizer.values[~_has(result, axes)]]


def _has(result: "xarray.Dataset", hyperparameters: Sequence[str]) -> NDArray[np.bool_]:
    """Which optimizers have a value of all of these hyperparameters."""
    complete = np.ones(result.sizes["optimizer"], dtype=bool)
    for name in hyperparameters:
        complete &= np.isfinite(result[name].values)
    return complete


def pixels(result: "xarray.Dataset", variable: str, x: str, y: str) -> NDArray[Any]:
    """The values of a variable over the pixels of two axes, ``[nx, ny]``, −1 where there is no trajectory.

    Raises
    ------
    ValueError
        If several trajectories share a pixel.
    """
    result = checked("result", result, "outcome", variable)
    shape, places = [], []
    for name in (x, y):
        along = _along(result, name)
        beside = [-1 if d == along.dimension else 1 for d in DIMENSIONS]
        places.append(np.broadcast_to(along.place.reshape(beside), result.outcome.shape))
        shape.append(len(along.axis.values))
    if np.bincount((places[0] * shape[1] + places[1]).ravel()).max() > 1:
        raise ValueError(
            f"result has {result.outcome.size} trajectories on {shape[0] * shape[1]} pixels over {x} and {y}, several "
            "on one; select one learning rate, start or optimizer of each pixel first"
        )
    image = np.full(shape, -1, dtype=result[variable].dtype)
    image[tuple(places)] = result[variable].values
    return image


def _numeric(result: "xarray.Dataset") -> dict[str, str]:
    """The numeric coordinates over optimizers or starts, with the dimension of each."""
    return {
        str(name): str(coordinate.dims[0])
        for name, coordinate in result.coords.items()
        if coordinate.dims in (("optimizer",), ("start",)) and coordinate.dtype.kind in "fi" and name not in DIMENSIONS
    }


def _coordinates(result: "xarray.Dataset") -> list[str]:
    """The names of the problem's coordinates, where the result tells the starts."""
    told = "start_point" in result.coords and "parameter" in result.start_point.dims
    return [str(name) for name in result.parameter.values] if told else []


def label_without(label: str, axes: Sequence[str]) -> str:
    """An optimizer's label without some of its hyperparameters: ``adam:beta1=0.8,eps=1`` → ``adam:eps=1``.

    Names are those of `gdfast.Sweep.hyperparameters`.
    """
    parts, counts = [], Counter[str]()
    for i, part in enumerate(_split(label, "|")):
        name = part.partition(":")[0]
        counts[name] += i > 0
        parts.append(_partlabel_without(part, "" if i == 0 else part_prefix(name, counts[name]), axes))
    return "|".join(parts)


def _partlabel_without(part: str, prefix: str, axes: Sequence[str]) -> str:
    name, _, parameters = part.partition(":")
    if name.endswith((".py", '.py"')):  # of a file, whose name has a colon
        inner, _, parameters = parameters.partition(":")
        name = f"{name}:{inner}"
    rest = []
    for item in _split(parameters, ",") if parameters else []:
        parameter, _, value = item.partition("=")
        if prefix + parameter in axes or (not prefix and f"optimizer_{parameter}" in axes):
            continue
        if value.startswith("(") and value.endswith(")"):
            inner = value[1:-1]
            item = f"{parameter}=({_partlabel_without(inner, part_prefix(prefix + inner.partition(':')[0], 1), axes)})"
        rest.append(item)
    return name + (":" if rest else "") + ",".join(rest)


def _split(text: str, separator: str) -> list[str]:
    """Split a label where no parenthesis is open."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == separator and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _panel(
    result: "xarray.Dataset", title: str, axes: tuple[str, str], most: int | None, steps: bool, number: str | None
) -> Panel:
    x, y = axes
    alongs = [_along(result, name) for name in axes]
    places = [along.place for along in alongs if along.dimension == "optimizer"]
    distinct = np.unique(np.stack(places), axis=1).shape[1] if places else 1
    if result.sizes["optimizer"] > distinct:
        raise ValueError(f"result has several optimizers {title!r} at one {x} and {y}; select one of them first")
    (horizontal, along_x), (vertical, along_y) = (along.pixels(most) for along in alongs)
    outcome, median = reduce(result, along_x, along_y, steps)
    wanted = leaves if number == LEAVES else number
    told = number and (number != LEAVES or "basin" in result)
    numbers = medians(result, wanted, along_x, along_y) if wanted and told else np.empty(0)
    return Panel(title, horizontal, vertical, outcome, median, _of_a_pixel(result, along_x, along_y), numbers)


def _of_a_pixel(result: "xarray.Dataset", x: Along, y: Along) -> int:
    """How many trajectories the fullest pixel stands for."""
    shown = {x.dimension, y.dimension, "optimizer"}  # all optimizers of a panel stand at places of their own
    others = math.prod(result.sizes[name] for name in DIMENSIONS if name not in shown)
    if x.dimension == y.dimension:
        return others * int(np.bincount(x.pixel * y.pixels + y.pixel).max())
    return others * int(np.bincount(x.pixel).max()) * int(np.bincount(y.pixel).max())


class _Along(NamedTuple):
    """What stands along an axis: a dimension of the result, and the place of each of its indices among the values."""

    axis: Axis
    dimension: str
    place: NDArray[np.int64]

    def pixels(self, most: int | None) -> tuple[Axis, Along]:
        """The axis as drawn, with at most so many pixels, and how the dimension is laid along it."""
        cells = 1 if most is None else -(-len(self.axis.values) // most)
        drawn = self.axis.coarser(cells)
        return drawn, Along(self.dimension, self.place // cells, len(drawn.values))


def _along(result: "xarray.Dataset", name: str) -> _Along:
    """An axis with its values in ascending order, whatever their order in the result."""
    if name == "start":
        return _starts(result)
    rate, coordinate = name == "learning_rate", name in _coordinates(result)
    if rate and "group_rate" in result.coords:
        return _numbered("number of the learning rates", name, result.sizes[name])
    dimension, found = (
        ("start", result.start_point.sel(parameter=name)) if coordinate else (str(result[name].dims[0]), result[name])
    )
    values, place = np.unique(np.atleast_1d(found.values).astype(np.float64), return_inverse=True)
    evenly = len(values) > 2 and regular(values)
    logarithmic = (values > 0).all() and not evenly and (rate or (len(values) > 2 and regular(np.log10(values))))
    label = words_of_rates(result) if rate else f"start {name}" if coordinate else name
    return _Along(Axis(label, values, bool(logarithmic)), dimension, place)


def _starts(result: "xarray.Dataset") -> _Along:
    """Where the starts stand on an axis: at their coordinate if they lie on a line, else numbered."""
    names = _coordinates(result)
    points = result.start_point.values.reshape(-1, len(names)) if names else np.empty((result.sizes["start"], 0))
    if len(names) == 1:
        values, place = np.unique(points[:, 0], return_inverse=True)
        return _Along(Axis(f"start {names[0]}", values), "start", place)
    moving = np.flatnonzero(np.ptp(points, axis=0) > 0)
    if moving.size and all(regular(points[:, j]) for j in moving):
        axis = Axis(f"start on a line, {names[moving[0]]} shown", points[:, moving[0]])
        return _Along(axis, "start", np.arange(len(points)))
    return _numbered("start number", "start", len(points))


def _numbered(label: str, dimension: str, count: int) -> _Along:
    return _Along(Axis(label, np.arange(count, dtype=np.float64)), dimension, np.arange(count))


def regular(values: NDArray[np.float64]) -> bool:
    """Whether values ascend in equal steps, but for the rounding of the values."""
    steps = np.diff(values)
    rounding = 8 * float(np.finfo(np.float64).eps) * float(np.abs(values).max(initial=0.0))
    return len(values) < 2 or bool(steps[0] > 0 and np.allclose(steps, steps[0], rtol=1e-6, atol=rounding))


def borders(places: NDArray[np.float64]) -> Array:
    """Where the cells around ascending places end: halfway between neighbours, and as far outwards at the ends."""
    middles = (places[1:] + places[:-1]) / 2
    if not len(middles):
        return np.array([places[0] - 0.5, places[0] + 0.5])
    return np.concatenate([[2 * places[0] - middles[0]], middles, [2 * places[-1] - middles[-1]]])
