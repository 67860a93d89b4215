"""Data sets: the ones in the folder ``shipped``, a CSV file, arrays.

Rows are observations, columns are features. What cannot be used (missing values, text, a constant column) is refused
here in one sentence, before any work.
"""

import functools
import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.data import tables
from gdfast.formulas.elementary import Array, square_scale
from gdfast.named import Value

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
        Names of the columns of X.
    target : str
        Name of y.
    classes : tuple of str, optional
        Labels of the classes; None for a target that is a number.
    source : str, optional
        Name of a shipped set, or a file's path; None for arrays.
    header : bool, optional
        What `load` was told of the file's first line.
    standardize : bool
        Whether features get mean 0 and variance 1 where a problem takes them.
    """

    X: Array
    y: Array
    features: tuple[str, ...]
    target: str
    classes: tuple[str, ...] | None = None
    source: str | None = None
    header: bool | None = None
    standardize: bool = True

    def __post_init__(self) -> None:
        for values in (self.X, self.y):
            values.flags.writeable = False

    @property
    def name(self) -> str:
        """What it is called in messages: its source."""
        return "arrays" if self.source is None else self.source

    @property
    def told(self) -> Any:
        """What `load` makes it of: the source, or a mapping of its arguments where there are others."""
        source = self.X if self.source is None else self.source
        others = {
            "target": None if self.source is None or self.source in SHIPPED else self.target,
            "header": self.header,
            "standardize": None if self.standardize else False,
        }
        others = {name: value for name, value in others.items() if value is not None}
        return {"source": source, **others} if others else source

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<data {self.name} {self.X.shape[0]}×{self.X.shape[1]}>"

    def __reduce__(self) -> Any:
        # Without what was derived and kept, so that the same data have the same bytes.
        return Data, tuple(getattr(self, field.name) for field in fields(self))

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of all values."""
        return hashlib.sha256(self.X.tobytes() + self.y.tobytes()).hexdigest()

    def content(self) -> Hashable:
        """Return everything but the arrays, of which shape and digest."""
        rest = (getattr(self, field.name) for field in fields(self) if field.name not in ("X", "y"))
        return type(self), self.X.shape, self.y.shape, self.digest, *rest

    @property
    def specification(self) -> dict[str, Any]:
        """Where it is from and what is done to it, as plain data."""
        return {"source": self.source, "target": self.target, "standardize": self.standardize}


Source: TypeAlias = str | Path | tuple[Any, Any] | Mapping[str, Any] | Data
"""What `load` makes data of."""


def load(
    source: Source, target: str | None = None, header: bool | None = None, standardize: bool | None = None
) -> Data:
    """Make data of a set that ships with gdfast, of a CSV file, or of arrays.

    Problems with data do this to their argument ``data``; it is called where there is more to tell than the source.

    Parameters
    ----------
    source : str, Path, tuple, mapping or Data
        The name of a set in `SHIPPED`, in its original units (pixels of ``digits`` that are the same in every picture
        are left out, so that it has 61 features); the path of a CSV file of at most
        `gdfast.data.tables.LARGEST_FILE` bytes, which may be compressed (gzip, bzip2, xz, zip), every column but the
        target being a feature; arrays ``(X, y)``, features (m, p) and targets (m,), numbers or text labels, or (m, k)
        for a network; a mapping of these arguments; or data, which are returned.
    target : str, optional
        The column of a CSV file to predict. If it holds text, its values are classes.
    header : bool, optional
        Whether the first line of a CSV file has the names of the columns. If not, their names are their numbers, from
        "1". If not given, it has, but is refused where it has numbers only.
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
        If a name is not known; if the file cannot be read or has no rows, names are missing or the same, the target is
        not a column, or a value is missing, infinite or (in a feature) not a number, where the message names line and
        column, from 1; if arrays do not fit each other, have no row, or a value that is not finite.

    Examples
    --------
    >>> load("iris")
    <data iris 150×4>
    >>> load(([[1.0], [2.0]], ["no", "yes"]), standardize=False).classes
    ('no', 'yes')
    """
    if isinstance(source, Mapping):
        told = {"target": target, "header": header, "standardize": standardize}
        for name in source:
            arguments.choice("data: argument", name, ["source", *told])
        if "source" not in source:
            raise ValueError("data: source must be given: a set, a CSV file, or arrays")
        return load(**{**told, **source})
    read: Data
    if not isinstance(source, str | Path):
        for name, value in (("target", target), ("header", header)):
            if value is not None:
                raise ValueError(f"data: {name} must be given with a CSV file only, not {arguments.shown(value)}")
        read = source if isinstance(source, Data) else _of_arrays(source)
    elif str(source) in SHIPPED:
        if target is not None or header is not None:
            raise ValueError(f"data: target and header must not be given with {source}, which has its own")
        read = _shipped(str(source))
    else:
        read = _of_file(source, target, header)
    if standardize is None or arguments.flag("data: standardize", standardize) == read.standardize:
        return read
    return replace(read, standardize=bool(standardize))


@functools.cache
def _shipped(name: str) -> Data:
    target = "class" if name in _CLASSES else "disease progression"
    return replace(_read_csv(_SHIPPED / f"{name}.csv.gz", target, None), source=name, classes=_CLASSES.get(name))


def _of_file(path: str | Path, target: str | None, header: bool | None) -> Data:
    if not Path(path).suffix and not tables.exists(path) and len(Path(path).parts) == 1:
        arguments.choice("data", tables.short(path), [*SHIPPED, "a CSV file"])
    if target is None:
        raise ValueError(f"data: target (--target) must be given with {tables.short(path)}: the column to predict")
    return _read_csv(path, arguments.text("data: target", target), header)


def _read_csv(path: str | Path, target: str, header: bool | None) -> Data:
    table = tables.read(path, header)
    target = tables.column_of(table, target)
    first_line = 1 if header is False else 2
    features = tuple(name for name in table.columns if name != target)
    X = np.stack([tables.numbers(path, table[name], first_line) for name in features], axis=1)
    if tables.is_text(table[target]):
        names, codes = np.unique(table[target].astype(str).to_numpy(dtype=str), return_inverse=True)
        return Data(X, codes.astype(np.float64), features, target, tuple(names.tolist()), str(path), header)
    y = tables.numbers(path, table[target], first_line)
    return Data(X, y, features, target, None, str(path), header)


def _of_arrays(source: Any) -> Data:
    if not isinstance(source, tuple | list) or len(source) != 2:
        raise TypeError(
            f"data must be the name of a set, a CSV file, arrays (X, y) or gdfast.data.Data, "
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


def design(data: Data, bias: bool) -> Data:
    """Return the rows that a problem takes: standardized as the data ask for, a column of ones in front as asked.

    Raises
    ------
    ValueError
        If a feature is constant, which can be neither scaled nor told from a bias, or values are so large that their
        squares are not.
    """
    return designed(_data(data), arguments.flag("bias", bias), None)


def designed(data: Data, bias: bool, learned: NDArray[np.bool_] | None) -> Data:
    """The same, standardized by the rows that are `learned` from, all if not given.

    Raises
    ------
    ValueError
        As `design`.
    """
    X = data.X
    if data.standardize or bias:
        constant = np.flatnonzero(X.max(axis=0) == X.min(axis=0))
        if len(constant):
            names = ", ".join(repr(data.features[j]) for j in constant)
            raise ValueError(
                f"data: column{'s' if len(constant) > 1 else ''} {names} of {tables.short(data.name)} "
                f"{'are' if len(constant) > 1 else 'is'} constant; leave out what never varies, "
                "or take X as it is, by data of standardize=False and bias=False"
            )
    features = data.features
    if data.standardize:
        rows = slice(None) if learned is None else learned
        varies = X[rows].max(axis=0) > X[rows].min(axis=0)
        X = X * square_scale(np.abs(X[rows]).max(axis=0))
        # Twice, since the first mean of a large offset is only as exact as its rounding.
        for _ in range(2):
            X = X - X[rows].mean(axis=0)
        X = np.where(varies, X, 0.0) / np.where(varies, np.sqrt(np.mean(X[rows] * X[rows], axis=0)), 1.0)
    for name, values in (*zip(features, X.T, strict=True), (data.target, data.y)):
        if (size := np.abs(values).max()) > _LARGEST:
            raise ValueError(
                f"data: {name!r} of {tables.short(data.name)} has values as large as {size:g}, whose squares are too "
                f"large for sums; take a unit in which they are at most {_LARGEST:g}"
            )
    if bias:
        X = np.concatenate([np.ones((len(X), 1)), X], axis=1)
        features = ("bias", *features)
    return replace(data, X=np.ascontiguousarray(X), features=features, standardize=False)


def _data(data: Data) -> Data:
    return arguments.instance("data", data, Data, "gdfast.data.Data, such as gdfast.data.load gives")


def as_numbers(data: Data) -> Data:
    """Return data whose target is a number.

    Raises
    ------
    ValueError
        If the target is a class.
    """
    if (classes := _data(data).classes) is not None:
        shown = ", ".join(map(tables.short, classes[:3])) + (", …" if len(classes) > 3 else "")
        raise ValueError(
            f"data: the target {data.target!r} of {tables.short(data.name)} is a class ({shown}), but must be a "
            "number; logistic_regression and softmax_regression take classes"
        )
    return data


def as_classes(data: Data, positive: str | None = None) -> Data:
    """Return data whose target is the number of a class, from 0.

    Parameters
    ----------
    data : Data
        Its target is text, or numbers: two of any kind, or more that are consecutive whole numbers.
    positive : str, optional
        The class that becomes 1, while all others become 0.

    Raises
    ------
    ValueError
        If the target is no such class, or has less than two of them.
    """
    classes, y = _data(data).classes, data.y
    if y.ndim != 1:
        raise ValueError(f"data: y must have shape (m,), one label a row, not {y.shape}")
    if classes is None:
        values, codes = np.unique(y, return_inverse=True)
        if len(values) > 2 and not (np.diff(values) == 1).all():
            raise ValueError(
                f"data: the target {data.target!r} of {tables.short(data.name)} has {len(values)} different "
                f"values from {values[0]:g} to {values[-1]:g} that are not consecutive whole numbers, so it is no "
                "class; linear_regression and ridge_regression take numbers"
            )
        classes, y = tuple(f"{v:g}" for v in values), codes.astype(np.float64)
    if positive is not None:
        chosen = classes.index(
            arguments.choice("positive", positive if isinstance(positive, str) else arguments.shown(positive), classes)
        )
        classes, y = (f"not {classes[chosen]}", classes[chosen]), np.where(y == chosen, 1.0, 0.0)
    present = np.unique(y)
    if len(present) < 2:
        raise ValueError(
            f"data: the target {data.target!r} of {tables.short(data.name)} is "
            f"{tables.short(classes[int(present[0])])} in every row, but there must be two classes or more"
        )
    return replace(data, y=y, classes=classes)


_LARGEST = 1e150  # of features and targets: sums of squares are numbers


def summary() -> list[list[str]]:
    """Return a row for each shipped set: name, rows, features, what it is for, target or classes."""
    rows = []
    for name, task in SHIPPED.items():
        data = load(name)
        what = data.classes or (data.target,)
        rows.append([name, str(data.X.shape[0]), str(data.X.shape[1]), task, ", ".join(what)])
    return rows
