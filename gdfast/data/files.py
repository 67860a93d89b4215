"""Data sets: the ones in the folder ``shipped``, a CSV file, arrays.

Rows are observations, columns are features. What cannot be used (missing values, text, a constant column) is refused
here in one sentence, before any work.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gdfast import arguments
from gdfast.data import tables
from gdfast.formulas.elementary import Array, square_scale

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


@dataclass(frozen=True, eq=False)
class Data:
    """Features with a target.

    Attributes
    ----------
    name : str
        Of a shipped set, or a file's path.
    X : ndarray
        Features, ``float64[m, p]``.
    y : ndarray
        Targets, ``float64[m]``; the number of the class where there are `classes`.
    features : tuple of str
        Names of the columns of X.
    target : str
        Name of y.
    classes : tuple of str, optional
        Labels of the classes; None for a target that is a number.
    """

    name: str
    X: Array
    y: Array
    features: tuple[str, ...]
    target: str
    classes: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def specification(self) -> dict[str, Any]:
        """Name, shape and a digest of all values, as plain data."""
        content = hashlib.sha256(self.X.tobytes() + self.y.tobytes()).hexdigest()
        return {"name": self.name, "shape": list(self.X.shape), "target": self.target, "sha256": content}


def load(name: str) -> Data:
    """Load a data set that ships with gdfast, in its original units.

    Pixels of `digits` that are the same in every picture are left out, so that it has 61 features.

    Raises
    ------
    ValueError
        If the name is not known.
    """
    arguments.choice("data", name, SHIPPED)
    target = "class" if name in _CLASSES else "disease progression"
    return replace(read_csv(_SHIPPED / f"{name}.csv.gz", target), name=name, classes=_CLASSES.get(name))


def read_csv(path: str | Path, target: str, header: bool | None = None) -> Data:
    """Read a CSV file; every column but the target is a feature.

    Parameters
    ----------
    path : str or Path
        The file, of at most `gdfast.data.tables.LARGEST_FILE` bytes; it may be compressed (gzip, bzip2, xz, zip).
    target : str
        The column to predict. If it holds text, its values are classes.
    header : bool, optional
        Whether the first line has the names of the columns. If not, their names are their numbers, from "1". If not
        given, it has, but is refused where it has numbers only.

    Raises
    ------
    TypeError
        If `header` is no truth value.
    ValueError
        If the file cannot be read or has no rows, names are missing or the same, the target is not a column, or a value
        is missing, infinite or (in a feature) not a number; the message names line and column, from 1.
    """
    table = tables.read(path, header)
    target = tables.column_of(table, str(target))
    first_line = 1 if header is False else 2
    features = [name for name in table.columns if name != target]
    X = np.stack([tables.numbers(path, table[name], first_line) for name in features], axis=1)
    if tables.is_text(table[target]):
        classes, y = np.unique(table[target].astype(str).to_numpy(dtype=str), return_inverse=True)
        return Data(str(path), X, y.astype(np.float64), tuple(features), target, tuple(classes.tolist()))
    return Data(str(path), X, tables.numbers(path, table[target], first_line), tuple(features), target)


def from_arrays(X: ArrayLike, y: ArrayLike) -> Data:
    """Make data from a matrix of features and a vector of targets, which may be text labels.

    Raises
    ------
    ValueError
        If the shapes do not fit each other, there is no row, or a value is not a finite number.
    """
    try:
        labels = np.asarray(y)
    except Exception:  # whatever a stranger's object raises; it is refused below
        labels = np.empty(())
    classes = None
    if labels.ndim == 1 and labels.dtype.kind in "UO" and len(labels) and all(isinstance(v, str) for v in labels):
        names, y = np.unique(labels.astype(str), return_inverse=True)
        classes = tuple(names.tolist())
    features, target = arguments.finite("X", X), arguments.finite("y", y)
    if features.ndim != 2 or target.ndim != 1 or len(features) != len(target) or features.size == 0:
        raise ValueError(
            f"X and y must have shapes (m, p) and (m,) with m, p >= 1, not {features.shape} and {target.shape}"
        )
    names_ = tuple(f"w{j}" for j in range(features.shape[1]))
    return Data("arrays", features, target, names_, "y", classes)


def requested(
    X: ArrayLike | None, y: ArrayLike | None, data: "str | Path | Data | None", target: str | None, default: str
) -> Data:
    """Return the data that a problem's parameters ask for: arrays, a shipped set, a CSV file, or the default.

    Raises
    ------
    TypeError, ValueError
        If they contradict each other or the data cannot be used.
    """
    if (X is None) != (y is None):
        raise ValueError(f"X and y must be given together, not {'y' if X is None else 'X'} alone")
    if X is not None and y is not None:
        if data is not None or target is not None:
            raise ValueError(f"{'data' if data is not None else 'target'} must not be given beside X and y")
        return from_arrays(X, y)
    if isinstance(data, Data):
        return data
    if data is None:
        if target is not None:
            raise ValueError("target must be given with data, the CSV file that has it as a column")
        return load(default)
    if not isinstance(data, str | Path) or not str(data).isprintable():
        raise TypeError(f"data must be the name of a set, a CSV file or gdfast.data.Data, not {arguments.shown(data)}")
    if str(data) in SHIPPED:
        if target is not None:
            raise ValueError(f"target must not be given with {data}, which has its own")
        return load(str(data))
    if not Path(data).suffix and not tables.exists(data) and len(Path(data).parts) == 1:
        arguments.choice("data", tables.short(data), [*SHIPPED, "a CSV file"])
    if target is None:
        raise ValueError(f"target must be given with {data}: the column to predict")
    return read_csv(data, target)


def design(data: Data, standardize: bool, bias: bool) -> Data:
    """Return data with each feature at mean 0 and variance 1, and with a column of ones in front, as asked.

    Raises
    ------
    ValueError
        If a feature is constant, which can be neither scaled nor told from a bias, or values are so large that their
        squares are not.
    """
    X = _data(data).X
    standardize, bias = arguments.flag("standardize", standardize), arguments.flag("bias", bias)
    if standardize or bias:
        constant = np.flatnonzero(X.max(axis=0) == X.min(axis=0))
        if len(constant):
            names = ", ".join(repr(data.features[j]) for j in constant)
            raise ValueError(
                f"data: column{'s' if len(constant) > 1 else ''} {names} of {data.name} "
                f"{'are' if len(constant) > 1 else 'is'} constant; leave out what never varies, "
                "or take X as it is by standardize=False, bias=False"
            )
    features = data.features
    if standardize:
        X = X * square_scale(np.abs(X).max(axis=0))
        # Twice, since the first mean of a large offset is only as exact as its rounding.
        for _ in range(2):
            X = X - X.mean(axis=0)
        X = X / np.sqrt(np.mean(X * X, axis=0))
    for name, values in (*zip(features, X.T, strict=True), (data.target, data.y)):
        if (size := np.abs(values).max()) > _LARGEST:
            raise ValueError(
                f"data: {name!r} of {tables.short(data.name)} has values as large as {size:g}, whose squares are too "
                f"large for sums; take a unit in which they are at most {_LARGEST:g}"
            )
    if bias:
        X = np.concatenate([np.ones((len(X), 1)), X], axis=1)
        features = ("bias", *features)
    return replace(data, X=np.ascontiguousarray(X), features=features)


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
        shown = ", ".join(classes[:3]) + (", …" if len(classes) > 3 else "")
        raise ValueError(
            f"data: the target {data.target!r} of {data.name} is a class ({shown}), but must be a number; "
            "logistic_regression and softmax_regression take classes"
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
    if classes is None:
        values, codes = np.unique(y, return_inverse=True)
        if len(values) > 2 and not (np.diff(values) == 1).all():
            raise ValueError(
                f"data: the target {data.target!r} of {data.name} has {len(values)} different values from "
                f"{values[0]:g} to {values[-1]:g} that are not consecutive whole numbers, so it is no class; "
                "linear_regression and ridge_regression take numbers"
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
            f"data: the target {data.target!r} of {data.name} is {classes[int(present[0])]} in every row, "
            "but there must be two classes or more"
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
