"""Which problems take data, and which suits data whose user names none."""

import inspect

import numpy as np

from gdfast.data import Data
from gdfast.problems import CATALOGUE


def takers_of_data() -> list[str]:
    """Return the names of the problems that can be made from a table of data."""
    return [name for name, make in CATALOGUE.items() if "data" in inspect.signature(make).parameters]


def recognized(data: Data) -> tuple[str, str]:
    """Return the name of the problem that suits the target of data, and a sentence that says why.

    Two values of any kind make it a logistic regression, more classes a softmax regression, and numbers a linear one.

    Examples
    --------
    >>> from gdfast.data import load
    >>> recognized(load("iris"))
    ('softmax_regression', "the target 'class' has 3 classes: softmax_regression")
    """
    values = len(data.classes) if data.classes else len(np.unique(data.y))
    if data.y.ndim == 1 and values == 2:
        return "logistic_regression", f"the target {data.target!r} has two values: logistic_regression"
    if data.classes:
        return "softmax_regression", f"the target {data.target!r} has {values} classes: softmax_regression"
    few = " (if they are classes, name the problem softmax_regression)" if values <= 20 else ""
    return "linear_regression", f"the target {data.target!r} has {values:,} numbers: linear_regression{few}"
