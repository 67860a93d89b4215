"""Results as tables of pandas: a row a trajectory, whole or in pieces."""

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments, literals, memory
from gdfast.storing.dataset import flags
from gdfast.storing.result import DIMENSIONS, FIELDS, MORE

if TYPE_CHECKING:
    import pandas
    import xarray

_ALONG = "recorded_step"
_FURTHER = ("parameter", "group", "loss_tolerance")  # along these, a row has a column each
_STEM = {"start_point": "start", "group_rate": "learning_rate"}


def tidy(result: "xarray.Dataset", *, history: bool = False) -> "pandas.DataFrame":
    """Return a result as a table of pandas, a row a trajectory.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run` and its kin, or of a store (`gdfast.load`), whole or with something selected.
    history : bool
        Give a row for each trajectory and recorded step instead, with the columns ``recorded_step`` and
        ``history_loss`` and so on; without, what was recorded along the way is left out.

    Returns
    -------
    pandas.DataFrame
        In the order of the result, the last dimension fastest: ``optimizer`` (its label), ``rule``, ``learning_rate``,
        ``start`` (its number) and any further dimension; each hyperparameter in which the optimizers differ and each
        label of the starts; every coordinate of the starts, ``start_x`` and so on; ``outcome`` and ``ending`` by name;
        the other variables as they are, the end points as ``theta_x`` and so on, a measure for several tolerances as
        ``measure_0.01`` and so on. Texts are categories, whose order is that of the result, and of the legend.

    Raises
    ------
    TypeError, ValueError
        If it is no result, has no history where one is asked for, or the table does not fit into memory: see
        `tidy_pieces`.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.run(gdfast.Sweep("quartic", "gd", [0.01], [-2.5, 1.0], 200), backend="numpy", progress=False)
    >>> gdfast.tidy(result)[["optimizer", "learning_rate", "start_x", "outcome", "steps"]]
      optimizer  learning_rate  start_x         outcome  steps
    0        gd           0.01     -2.5  global_minimum     58
    1        gd           0.01      1.0   local_minimum    115
    """
    table = _Table(result, history)
    table.check(math.prod(table.shape))
    return table.of(table.result)


def tidy_pieces(result: "xarray.Dataset", rows: int = 2**20, *, history: bool = False) -> "Iterator[pandas.DataFrame]":
    """Give the table of `tidy` in pieces that follow each other, for results larger than memory.

    Parameters
    ----------
    result : xarray.Dataset
        As in `tidy`.
    rows : int
        The most rows of a piece. Rows of a trajectory are not parted, so that one with a longer history is a piece.
    history : bool
        As in `tidy`.

    Returns
    -------
    iterator of pandas.DataFrame
        With the same columns and categories each time, the index counting on.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind, or a piece does not fit into memory.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.run(gdfast.Sweep("quartic", "gd", "1e-3:1:4", "-2:2:5", 20), backend="numpy", progress=False)
    >>> [len(piece) for piece in gdfast.tidy_pieces(result, rows=8)]
    [5, 5, 5, 5]
    """
    rows = arguments.integer("rows", rows)
    table = _Table(result, history)
    table.check(min(rows, math.prod(table.shape)))
    return table.pieces(rows)


class _Table:
    """The columns of a result's table: along which dimensions its rows lie, and the names of its categories."""

    def __init__(self, result: Any, history: bool) -> None:
        self.result = _checked(result)
        variables = {**self.result.data_vars}
        if not arguments.flag("history", history):
            variables = {name: v for name, v in variables.items() if _ALONG not in v.dims}
        elif not any(_ALONG in v.dims for v in variables.values()):
            raise ValueError("history must be False: result has none; run the sweep with history='loss'")
        self.variables = dict(sorted(variables.items(), key=_place_of_variable))
        dimensions = dict.fromkeys(d for v in variables.values() for d in v.dims if d not in (*_FURTHER, _ALONG))
        self.dimensions = [*map(str, dimensions), *([_ALONG] if history else [])]
        self.coordinates = {
            name: c
            for name, c in self.result.coords.items()
            if name not in _FURTHER and set(c.dims) <= {*self.dimensions, *_FURTHER} and c.dtype.kind in "biufOUT"
        }
        self.coordinates = dict(sorted(self.coordinates.items(), key=self._place_of_coordinate))
        self.categories = {
            name: list(dict.fromkeys(map(str, np.ravel(c.values).tolist())))
            for name, c in self.coordinates.items()
            if c.dtype.kind in "OUT"
        }

    def _place_of_coordinate(self, named: "tuple[Any, xarray.DataArray]") -> tuple[Any, ...]:
        """Coordinates stand by their dimensions, points last, a rule before its hyperparameters."""
        name, coordinate = named
        own = [self.dimensions.index(d) for d in coordinate.dims if d in self.dimensions]
        order = DIMENSIONS.index(name) if name in DIMENSIONS else len(DIMENSIONS)
        return len(own) > 0, own, any(d in _FURTHER for d in coordinate.dims), order, name != "rule", str(name)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many rows lie along each dimension."""
        return tuple(self.result.sizes[name] for name in self.dimensions)

    def check(self, rows: int) -> None:
        """Refuse a table of so many rows that does not fit into memory."""
        deep = [
            math.prod(int(self.result.sizes[d]) for d in v.dims if d in _FURTHER)
            for v in (*self.variables.values(), *self.coordinates.values())
        ]
        memory.fits(
            f"result: a table of {rows:,} rows and {sum(deep):,} columns",
            16 * rows * sum(deep),
            "take it in pieces, by gdfast.tidy_pieces(result), or drop what is not needed, such as "
            "result.drop_vars('start_point')",
        )

    def pieces(self, rows: int) -> "Iterator[pandas.DataFrame]":
        """The table in pieces of at most so many rows."""
        begin = 0
        for place in _cut(self.dimensions, self.shape, rows):
            frame = self.of(self.result.isel(place))
            frame.index = frame.index + begin
            begin += len(frame)
            yield frame

    def of(self, part: "xarray.Dataset") -> "pandas.DataFrame":
        """The table of a part of the result."""
        import pandas

        columns: dict[str, Any] = {}
        names = [*self.dimensions, *(n for n in self.coordinates if n not in self.dimensions), *self.variables]
        for name in map(str, names):
            values = part[name]
            for suffix, column in self._columns(name, values):
                title = _STEM.get(name, name) + suffix
                while title in columns:
                    title += "_"
                columns[title] = self._laid(name, column, part)
        return pandas.DataFrame(columns)

    def _columns(self, name: str, values: "xarray.DataArray") -> "Iterator[tuple[str, xarray.DataArray]]":
        """A variable, or one for each coordinate of a point, group or tolerance, with what its name has at the end."""
        further = [d for d in values.dims if d in _FURTHER]
        if not further:
            yield "", values
            return
        (dimension,) = further
        told = values[dimension].values if dimension in values.coords else range(values.sizes[dimension])
        for i, each in enumerate(told):
            text = literals.write(each) if isinstance(each, float) else str(each)
            yield f"_{text}", values.isel({dimension: i})

    def _laid(self, name: str, values: "xarray.DataArray", part: "xarray.Dataset") -> Any:
        """A column: the values, repeated along the dimensions that they do not have."""
        import pandas

        order = [d for d in self.dimensions if d in values.dims]
        shape = [part.sizes[d] for d in self.dimensions]
        beside = [part.sizes[d] if d in values.dims else 1 for d in self.dimensions]
        held: NDArray[Any] = np.asarray(values.transpose(*order).values)
        labels, codes = self.categories.get(name), held
        if labels is not None:
            numbers = {label: i for i, label in enumerate(labels)}
            codes = np.array([numbers[str(value)] for value in held.ravel()], dtype=np.int32)
        elif "flag_meanings" in values.attrs and held.dtype.kind in "iu":
            labels, known = flags(values)
            place = {code: i for i, code in enumerate(known)}
            low = int(held.min(initial=0))
            places = [place.get(code, -1) for code in range(low, int(held.max(initial=0)) + 1)]
            codes = np.array(places)[held.astype(np.int64) - low]
        whole = np.broadcast_to(codes.reshape(beside), shape).reshape(-1)
        return whole.copy() if labels is None else pandas.Categorical.from_codes(whole, pandas.Index(labels))


def _place_of_variable(named: "tuple[Any, xarray.DataArray]") -> int:
    """Variables stand as in a result in memory, whatever the order of a store's files; others behind."""
    known = [*FIELDS, *MORE]
    return known.index(named[0]) if named[0] in known else len(known)


def _checked(result: Any) -> "xarray.Dataset":
    """A result over trajectories, whatever was selected of it."""
    import xarray

    accepted = "a result of gdfast, an xarray.Dataset"
    dataset: xarray.Dataset = arguments.instance("result", result, xarray.Dataset, accepted)
    if not dataset.data_vars or not all(name in dataset.coords or name in dataset.dims for name in DIMENSIONS):
        raise ValueError(
            f"result must be over {', '.join(DIMENSIONS)}, or keep the coordinate of one that was selected, but is "
            f"over {', '.join(map(str, dataset.dims)) or 'nothing'}"[:300]
        )
    rows = math.prod(size for name, size in dataset.sizes.items() if name not in _FURTHER)
    arguments.integer("result: trajectories", rows, low=1, high=2**62)
    return dataset


def _cut(dimensions: list[str], shape: tuple[int, ...], rows: int) -> Iterator[dict[str, Any]]:
    """Parts that follow each other, the last dimension fastest, each of at most so many rows."""
    for i in range(len(shape)):
        each = math.prod(shape[i + 1 :])
        last = i == len(shape) - 1 or dimensions[i + 1] == _ALONG
        if each <= rows or last:
            count = max(1, rows // max(each, 1))
            for before in itertools.product(*map(range, shape[:i])):
                for first in range(0, shape[i], count):
                    chosen: dict[str, Any] = {
                        name: slice(at, at + 1) for name, at in zip(dimensions, before, strict=False)
                    }
                    yield {**chosen, dimensions[i]: slice(first, first + count)}
            return
    yield {}


__all__ = ["tidy", "tidy_pieces"]
