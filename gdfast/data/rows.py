"""From data to the rows that a problem takes: standardized, a column for the bias, targets as numbers or classes."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments, literals
from gdfast.data.files import Data
from gdfast.data.text import short
from gdfast.data.units import Units


def design(data: Data, bias: bool) -> Data:
    """Return the rows that a problem takes: standardized as the data ask for, a column of ones in front as asked.

    Parameters
    ----------
    data : Data
        Of `load`.
    bias : bool
        Whether a column of ones is put in front.

    Returns
    -------
    Data
        Whose X is ``float64[m, p]``, or ``float64[m, p + 1]`` with the bias.

    Raises
    ------
    ValueError
        If a feature is constant, which can be neither scaled nor told from a bias, or values are so large that their
        squares are not.

    Examples
    --------
    >>> import gdfast
    >>> data = gdfast.data.load("iris")
    >>> data.X.shape, gdfast.data.design(data, bias=True).X.shape
    ((150, 4), (150, 5))
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
        if len(X) == 1:
            raise ValueError(f"data: {short(data.name)} has one row, but there must be two or more")
        constant = np.flatnonzero(X.max(axis=0) == X.min(axis=0))
        if len(constant):
            names = ", ".join(repr(data.features[j]) for j in constant)
            raise ValueError(
                f"data: column{'s' if len(constant) > 1 else ''} {names} of {short(data.name)} "
                f"{'are' if len(constant) > 1 else 'is'} constant; leave out what never varies "
                "(drop=…, --drop …), or take X as it is, by data of standardize=False and bias=False"
            )
    features = data.features
    if data.standardize:
        X = Units.of(features, X if learned is None else X[learned], standardize=True).standardized(X)
    for name, values in (*zip(features, X.T, strict=True), (data.target, data.y)):
        if (size := np.abs(values).max()) > _LARGEST:
            raise ValueError(
                f"data: {name!r} of {short(data.name)} has values as large as {size:g}, whose squares are too "
                f"large for sums; take a unit in which they are at most {_LARGEST:g}"
            )
        if 0 < size < _SMALLEST:
            raise ValueError(
                f"data: {name!r} of {short(data.name)} has values of at most {size:g}, whose squares are nothing; take "
                f"a unit in which some are at least {_SMALLEST:g}"
            )
    if bias:
        X = np.concatenate([np.ones((len(X), 1)), X], axis=1)
        features = ("bias", *features)
    return replace(data, X=np.ascontiguousarray(X), features=features, standardize=False)


def _data(data: Data) -> Data:
    return arguments.instance("data", data, Data, "gdfast.data.Data, such as gdfast.data.load gives")


def as_numbers(data: Data) -> Data:
    """Return data whose target is a number.

    Parameters
    ----------
    data : Data
        Of `load`.

    Returns
    -------
    Data
        The same, as it is.

    Raises
    ------
    ValueError
        If the target is a class.

    Examples
    --------
    >>> import gdfast
    >>> gdfast.data.as_numbers(gdfast.data.load("diabetes")).y[:2].tolist()
    [151.0, 75.0]
    """
    if (classes := _data(data).classes) is not None:
        shown = ", ".join(map(short, classes[:3])) + (", …" if len(classes) > 3 else "")
        raise ValueError(
            f"data: the target {data.target!r} of {short(data.name)} is a class ({shown}), but must be a "
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

    Returns
    -------
    Data
        With `y` the number of the class and `classes` their labels.

    Raises
    ------
    ValueError
        If the target is no such class, or has less than two of them.

    Examples
    --------
    >>> import gdfast
    >>> gdfast.data.as_classes(gdfast.data.load("iris")).classes
    ('setosa', 'versicolor', 'virginica')
    """
    classes, y = _data(data).classes, data.y
    if y.ndim != 1:
        raise ValueError(f"data: y must have shape (m,), one label a row, not {y.shape}")
    if classes is None:
        values, codes = np.unique(y, return_inverse=True)
        whole = values[0] == np.round(values[0]) and (np.diff(values) == 1).all()
        if len(values) > 2 and not whole:
            raise ValueError(
                f"data: the target {data.target!r} of {short(data.name)} has {len(values)} different "
                f"values from {values[0]:g} to {values[-1]:g} that are not consecutive whole numbers, so it is no "
                "class; linear_regression and ridge_regression take numbers"
            )
        classes, y = tuple(map(literals.write, values)), codes.astype(np.float64)
    if positive is not None:
        is_number = isinstance(positive, float | np.floating)
        other = positive if isinstance(positive, str) else arguments.shown(positive)
        named = literals.write(positive) if is_number else other
        chosen = classes.index(arguments.choice("positive", named, classes))
        classes, y = (f"not {classes[chosen]}", classes[chosen]), np.where(y == chosen, 1.0, 0.0)
    present = np.unique(y)
    if len(present) < 2:
        raise ValueError(
            f"data: the target {data.target!r} of {short(data.name)} is "
            f"{short(classes[int(present[0])])} in every row, but there must be two classes or more"
        )
    return replace(data, y=y, classes=classes)


_SMALLEST, _LARGEST = 1e-154, 1e150  # of features and targets: sums of squares are numbers
