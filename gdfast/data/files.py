"""Data sets: the ones in the folder ``shipped``, a file, a table of pandas, arrays.

Rows are observations, columns are features. What cannot be used (missing values, dates, a constant column) is refused
here in one sentence, before any work; what was done to a table is told by `Data.notes`.
"""

import functools
import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from gdfast import arguments
from gdfast.data import tables
from gdfast.data.columns import Choice, columns_of
from gdfast.data.tables import Table
from gdfast.data.text import exists, short
from gdfast.formulas.elementary import Array
from gdfast.values import Value, content_of

if TYPE_CHECKING:
    import pandas

SHIPPED = {
    "diabetes": "regression",
    "breast_cancer": "two classes",
    "iris": "three classes",
    "digits": "ten classes",
}
"""The sets that ship with gdfast, with what they are for; ``shipped/SOURCES.md`` says whose they are."""

_CLASSES = {
    "breast_cancer": ("malignant", "benign"),
    "iris": ("setosa", "versicolor", "virginica"),
    "digits": tuple("0123456789"),
}

_SHIPPED = Path(__file__).parent / "shipped"


@dataclass(frozen=True, eq=False, repr=False)
class Data(Value):
    """Features with a target, as `load` makes them.

    Attributes
    ----------
    X : ndarray
        Features, ``float64[m, p]``.
    y : ndarray
        Targets, ``float64[m]``, of a network also ``float64[m, k]``; the number of the class where there are `classes`.
    features : tuple of str
        Names of the columns of X, one each and all different; of a category ``column_value``.
    target : str
        Name of y.
    classes : tuple of str, optional
        Labels of the classes; None for a target that is a number.
    source : str, optional
        Name of a shipped set, or a file's path; None for arrays and tables of pandas.
    options : mapping
        What else `load` was told of the table, as the arguments of these names.
    standardize : bool
        Whether features get mean 0 and variance 1 where a problem takes them.
    notes : tuple of str
        What was done to the table, a sentence each: how a file was read, what was left out, filled, or made numbers.

    Examples
    --------
    >>> from gdfast.data import load
    >>> data = load("iris")
    >>> data.X.shape, data.classes
    ((150, 4), ('setosa', 'versicolor', 'virginica'))
    """

    X: Array
    y: Array
    features: tuple[str, ...]
    target: str
    classes: tuple[str, ...] | None = None
    source: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    standardize: bool = True
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for values in (self.X, self.y):
            values.flags.writeable = False
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    @property
    def name(self) -> str:
        """What it is called in messages: its source."""
        return "arrays" if self.source is None else self.source

    @property
    def told(self) -> Any:
        """What `load` makes it of: the source, or a mapping of its arguments where there are others."""
        source = self.X if self.source is None else self.source
        others = {**self.options, **({} if self.standardize else {"standardize": False})}
        return {"source": source, **others} if others else source

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<data {self.name} {self.X.shape[0]}×{self.X.shape[1]}>"

    def __reduce__(self) -> Any:
        # Without what was derived and kept, so that the same data have the same bytes.
        return Data, tuple(dict(v) if isinstance(v, Mapping) else v for v in self._values())

    def _values(self) -> list[Any]:
        return [getattr(self, each.name) for each in fields(self)]

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of all values."""
        return hashlib.sha256(self.X.tobytes() + self.y.tobytes()).hexdigest()

    def content(self) -> Hashable:
        """Return everything but the arrays, of which shape and digest.

        Returns
        -------
        hashable
            By which data are equal.
        """
        return type(self), self.X.shape, self.y.shape, self.digest, content_of(self._values()[2:])

    @property
    def specification(self) -> dict[str, Any]:
        """Where it is from and what was done to it, as plain data."""
        plain = {"source": self.source, "target": self.target, "standardize": self.standardize}
        return {**plain, **({"notes": list(self.notes)} if self.notes else {})}


Source: TypeAlias = Union[str, Path, tuple[Any, Any], Mapping[str, Any], Data, "pandas.DataFrame"]
"""What `load` makes data of."""


def load(
    source: Source,
    target: str | None = None,
    features: Sequence[str] | str | None = None,
    drop: Sequence[str] | str | None = None,
    missing: str | None = None,
    header: bool | None = None,
    csv: Mapping[str, str] | None = None,
    standardize: bool | None = None,
) -> Data:
    """Make data of a set that ships with gdfast, of a file, of a table of pandas, or of arrays.

    Problems with data do this to their argument ``data``, and to target, features, drop, missing, header and csv that
    are given beside it: ``problems.linear_regression("points.csv", target="price")``.

    A CSV file may be compressed (gzip, bzip2, xz, zip) and in any encoding that pandas knows; its values may be parted
    by commas, semicolons, tabulators, pipes or blanks, and its numbers have decimal commas. That is recognized, as are
    comments that begin with #, blank lines, an index that pandas wrote, and names of rows that R wrote. A Parquet file
    is read with the extra ``parquet``. Columns of numbers and truth values are features as they are; one of repeated
    texts is a category, and becomes a column of zeros and ones for each value but the first. What was done is told by
    `Data.notes`, and by the command line on standard error.

    Parameters
    ----------
    source : str, Path, DataFrame, tuple, mapping or Data
        The name of a set in `SHIPPED`, in its original units (pixels of ``digits`` that are the same in every picture
        are left out, so that it has 61 features); the path of a file of at most `gdfast.data.text.LARGEST_FILE` bytes;
        a table of pandas; ``(X, y)``, features (m, p), as an array or a table, and targets (m,), numbers or text
        labels, as an array or a column, or (m, k) for a network; a mapping of these arguments; or data, which are
        returned.
    target : str, optional
        The column of a file or table to predict. If it holds text, its values are classes.
    features : sequence of str or str, optional
        The columns to predict it from, as names or as a text with commas between them; all others if not given.
    drop : sequence of str or str, optional
        The columns to leave out, such as dates and identifiers.
    missing : {"drop", "mean", "median", "most_frequent"}, optional
        What is done where a value is missing: the row is left out, or the value filled by what the column's others say
        (a category by the most frequent always). Rows without a target are left out. Refused if not given. What is
        filled in comes from all rows, also from those that a problem holds out.
    header : bool, optional
        Whether the first line of a CSV file has the names of the columns. If not, their names are their numbers, from
        "1". If not given, it has, but is refused where it has numbers only, or such as no column is named after.
    csv : mapping, optional
        How a CSV file is written, where that is not recognized: ``separator`` (comma, semicolon, tab, pipe, blanks or a
        character), ``decimal`` (comma or point), ``encoding``, and the character with which a ``comment`` begins.
    standardize : bool, optional
        Whether features get mean 0 and variance 1 where a problem takes them. If not given they do; of data, if they
        did.

    Returns
    -------
    Data
        Two are equal if everything of them is the same.

    Raises
    ------
    TypeError
        If an argument is of another kind.
    ValueError
        If a name is not known; if the file cannot be read or has no rows, names are missing or the same, a column is no
        feature (dates, a text that is another in each row), or a value is missing, infinite or among numbers none,
        where the message names line and column, from 1; if arrays do not fit each other, have no row, or a value that
        is not finite.

    Examples
    --------
    >>> load("iris")
    <data iris 150×4>
    >>> load(([[1.0], [2.0]], ["no", "yes"]), standardize=False).classes
    ('no', 'yes')
    >>> import pandas
    >>> table = pandas.DataFrame({"size": [1, 2, 4], "colour": ["red", "blue", "red"], "price": [3.0, 5.0, 8.5]})
    >>> houses = load(table, target="price")
    >>> houses.features
    ('size', 'colour_red')
    >>> houses.notes
    ("one-hot: 'colour' as colour_red, of which all are 0 where it is 'blue'",)
    """
    told = {"target": target, "features": features, "drop": drop, "missing": missing, "header": header, "csv": csv}
    if isinstance(source, Mapping):
        for name in source:
            arguments.choice("data: argument", name, ["source", *told, "standardize"])
        if "source" not in source:
            raise ValueError("data: source must be given: a set, a file, a table of pandas, or arrays")
        return load(**{**told, "standardize": standardize, **source})
    told = {name: value for name, value in told.items() if value is not None}
    read = source if isinstance(source, Data) and not told else _read(source, told)
    if standardize is None or arguments.flag("data: standardize", standardize) == read.standardize:
        return read
    return replace(read, standardize=bool(standardize))


load.beside = ("target", "features", "drop", "missing", "header", "csv")  # type: ignore[attr-defined]  # see `named`


def _read(source: Any, told: dict[str, Any]) -> Data:
    """Data of what is told, by the kind of the source."""
    choice = Choice.of(told.get("features"), told.get("drop"), told.get("missing"))
    if isinstance(source, str | Path):
        return _of_path(source, told, choice)
    _only(("target", "features", "drop", "missing"), told, "a CSV file")
    if _is_frame(source):
        if "target" not in told:
            raise ValueError("data: target must be given with a table, as load(table, target=…): the column to predict")
        target = arguments.text("data: target", told["target"])
        return _of_table(_table_of(source, "the table"), target, choice)
    if isinstance(source, tuple | list) and len(source) == 2 and _is_frame(source[0]):
        _only(("features", "drop", "missing"), told, "a file or table")
        return _of_frames(source[0], source[1], choice)
    _only((), told, "a file or table" if "header" not in told and "csv" not in told else "a CSV file")
    return _of_arrays(source)


def _only(accepted: tuple[str, ...], told: Mapping[str, Any], source: str) -> None:
    for name, value in told.items():
        if name not in accepted:
            raise ValueError(f"data: {name} must be given with {source} only, not {arguments.shown(value)}")


def _of_path(source: str | Path, told: dict[str, Any], choice: Choice) -> Data:
    if str(source) in SHIPPED:
        for name in ("target", "header", "csv"):
            if name in told:
                raise ValueError(f"data: {name} must not be given with {source}, which has its own")
        return _shipped(str(source), choice)
    if not Path(source).suffix and not exists(source) and len(Path(source).parts) == 1:
        arguments.choice("data", short(source), [*SHIPPED, "a CSV file"])
    table = tables.read(source, told.get("header"), told.get("csv"))  # first, as it may be missing or empty
    if "target" not in told:
        raise ValueError(f"data: target (--target) must be given with {short(source)}: the column to predict")
    target = arguments.text("data: target", told["target"])
    own: dict[str, Any] = {name: told[name] for name in ("header", "csv") if name in told}
    return replace(
        _of_table(table, target, choice), source=str(source), options={"target": target, **choice.told, **own}
    )


@functools.cache
def _shipped(name: str, choice: Choice) -> Data:
    target = "class" if name in _CLASSES else "disease progression"
    made = _of_table(tables.read(_SHIPPED / f"{name}.csv.gz"), target, choice)
    notes = tuple(note for note in made.notes if "left out" in note)
    return replace(made, source=name, classes=_CLASSES.get(name), options=choice.told, notes=notes)


def _of_table(table: Table, target: str, choice: Choice) -> Data:
    made = columns_of(table, target, choice)
    return Data(made.X, made.y, made.features, target, made.classes, options=choice.told, notes=tuple(table.notes))


def _is_frame(thing: Any) -> bool:
    """Whether something is a table of pandas, which is not imported to see that."""
    return type(thing).__module__.partition(".")[0] == "pandas" and type(thing).__name__ == "DataFrame"


def _table_of(frame: "pandas.DataFrame", name: str) -> Table:
    """A table of pandas, its columns by names that are texts, its rows by their labels."""
    names = [str(column) for column in frame.columns]
    tables.check_different(name, names)
    if not frame.size:
        raise ValueError(f"data: {name} must have a row and a column or more, not the shape {frame.shape}")
    copy = frame.infer_objects()
    copy.columns = names
    return Table(copy, name, row="row")


def _of_frames(X: "pandas.DataFrame", y: Any, choice: Choice) -> Data:
    """Data of a table of features and a column of targets, or an array of them."""
    import pandas

    if len(X) != len(y):
        raise ValueError(f"data: X and y must have as many rows, not {len(X)} and {len(y)}")
    y = y.iloc[:, 0] if _is_frame(y) and y.shape[1] == 1 else y
    index = getattr(y, "index", None)
    if isinstance(index, pandas.Index) and not X.index.equals(index) and set(X.index) == set(index):
        raise ValueError("data: the rows of X and y must stand in the same order, by their index")
    many = np.ndim(y) > 1
    # Of several targets a row, its number tells which rows are left.
    column = pandas.Series(
        range(len(y)) if many else y.array if isinstance(y, pandas.Series) else list(y), index=X.index
    )
    names = {str(name) for name in X.columns}
    name = next(
        name
        for name in (str(getattr(y, "name", "y") or "y"), "y", *map("y{}".format, range(len(names) + 1)))
        if name not in names
    )
    table = _table_of(X, "X")
    table.frame = table.frame.assign(**{name: column.infer_objects()})
    made = _of_table(table, name, choice)
    return replace(made, y=arguments.finite("data: y", y, "(m, k)")[made.y.astype(int)]) if many else made


def _of_arrays(source: Any) -> Data:
    if not isinstance(source, tuple | list) or len(source) != 2:
        raise TypeError(
            "data must be the name of a set, a CSV file, a table of pandas, arrays (X, y) or gdfast.data.Data, "
            f"not {arguments.shown(source)}"
        )
    X, y = source
    try:
        labels = np.asarray(y)
    except Exception:  # whatever a stranger's object raises; it is refused below
        labels = np.empty(())
    classes = None
    if labels.ndim == 1 and labels.dtype.kind in "UO" and len(labels) and all(isinstance(v, str) for v in labels):
        names, y = np.unique(labels.astype(str), return_inverse=True)
        classes = tuple(names.tolist())
    features, targets = arguments.finite("data: X", X), arguments.finite("data: y", y)
    if features.ndim != 2 or targets.ndim not in (1, 2) or len(features) != len(targets) or not features.size:
        raise ValueError(
            "data: X and y must have shapes (m, p) and (m,) or (m, k) with m, p >= 1, "
            f"not {features.shape} and {targets.shape}"
        )
    return Data(features, targets, tuple(f"w{j}" for j in range(features.shape[1])), "y", classes)


def summary() -> list[list[str]]:
    """Return a row for each shipped set: name, rows, features, what it is for, target or classes.

    Returns
    -------
    list of list of str
        A row for each set, its five entries as texts.

    Examples
    --------
    >>> import gdfast
    >>> [row[0] for row in gdfast.data.summary()]
    ['diabetes', 'breast_cancer', 'iris', 'digits']
    """
    rows = []
    for name, task in SHIPPED.items():
        data = load(name)
        what = data.classes or (data.target,)
        rows.append([name, str(data.X.shape[0]), str(data.X.shape[1]), task, ", ".join(what)])
    return rows
