"""The factory of models of one's own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gdfast import arguments
from gdfast.data import Data, Sampling, Source, as_classes, as_numbers, load
from gdfast.data.held_out import parted
from gdfast.data.text import short
from gdfast.formulas.elementary import Array
from gdfast.named import named
from gdfast.problems._landscape import checked_domain
from gdfast.problems.models.losses import CLASSES, LOSSES
from gdfast.problems.models.model import Fit, ModelProblem
from gdfast.problems.models.reading import read_model

OXYGEN = Data(
    np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [7.0]]),
    np.array([8.3, 10.3, 19.0, 16.0, 15.6, 19.8]),
    ("days",),
    "demand",
    standardize=False,
)
"""The oxygen that river water has taken up after some days, in mg/l (Marske 1967; Bates & Watts 1988, "Nonlinear
regression analysis and its applications", A1.4)."""


def load_columns(source: Any) -> Data:
    """Make data of what `gdfast.data.load` takes, or of a mapping from names to columns, for a model to name them.

    The columns of an array X are ``x0``, ``x1`` and so on, or ``x`` if it is the only one.

    Raises
    ------
    TypeError, ValueError
        As `gdfast.data.load`, and if columns have not all one length.
    """
    told = dict(source) if isinstance(source, Mapping) and "source" in source else {"source": source}
    given = told["source"]
    if isinstance(given, Mapping):
        import pandas

        try:
            told["source"] = pandas.DataFrame({str(name): np.asarray(column) for name, column in given.items()})
        except ValueError:
            lengths = ", ".join(str(np.shape(column)) for column in list(given.values())[:9])
            raise ValueError(f"data: columns must have shape (m,), all the same, not {lengths}") from None
    if not isinstance(given, tuple | list) or len(given) != 2 or hasattr(given[0], "columns"):
        return load(**told)
    if np.ndim(given[0]) == 1:
        told["source"] = np.asarray(given[0])[:, None], given[1]
    table = load(**told)
    p = len(table.features)
    return replace(table, features=("x",) if p == 1 else tuple(f"x{j}" for j in range(p)))


load_columns.beside = load.beside  # type: ignore[attr-defined]


@named(data=load_columns, delta=arguments.POSITIVE, l2=arguments.NONNEGATIVE, validation=arguments.FRACTION)
def from_model(
    model: str = "a*(1 - exp(-b*days))",
    data: Source = OXYGEN,
    loss: str = "squared",
    delta: float = 1.0,
    domain: Any = None,
    l2: float = 0.0,
    positive: str | None = None,
    standardize: bool = False,
    batch_size: int | None = None,
    seed: int = 0,
    validation: float = 0.0,
    sampling: str = "independent",
) -> ModelProblem:
    """Make a problem of a model of one's own on rows of data: a formula of columns and parameters.

        loss(θ) = mean over rows of l(z, y) + ½ l2 Σ θ²,    z = model(columns, θ)

    Parameters
    ----------
    model : str
        An expression, as `from_expression` takes it. Names of columns of the data are these columns; every other name
        is a parameter, 1 to 64 of them. A column whose name is no plain word stands in backticks:
        ``a*`petal length (cm)` + b``. What depends on columns alone, such as ``log(x)``, is computed once a row. The
        default saturates, on six measured demands of oxygen.
    data : str, Path, DataFrame, (X, y), mapping or Data
        What to fit: whatever `gdfast.data.load` takes, with ``target="y"`` beside it for a file or a table, or a
        mapping from names to columns. The columns of an array X are ``x0``, ``x1`` and so on, or ``x`` if it is the
        only one.
    loss : str
        l, with r = z − y: ``squared``, r²; ``absolute``, abs r; ``huber``, ½ r² up to δ, beyond δ (abs r − ½ δ);
        ``logistic``, log(1 + e^(∓z)), z the logarithm of the odds of the second of two classes; ``hinge``,
        max(0, 1 ∓ z), with − for the second class; ``poisson``, e^z − y z, z the logarithm of the expected count.
        The gradient is that of the loss, of ``squared`` 2 r, as of networks; `linear_regression` steps by half of it.
    delta : float
        δ of ``huber``, in units of the target.
    domain : mapping, optional
        Lowest and highest value of parameters, ``{"a": (0, 5)}``, over which starts are drawn and in which the lowest
        minimum counts; all or some of them. Of the others it is from −r to r, r twice as large as the parameter is at
        the optimum, or as what changes the loss by as much as the best constant's is above the lowest; [−5, 5] where
        there is no optimum. The coordinates are in alphabetical order, but those that are named here come first.
    l2 : float
        The penalty, of all parameters.
    positive : str, optional
        The class to tell from all others, for ``logistic`` and ``hinge``.
    standardize : bool
        Whether columns get mean 0 and variance 1, by the rows learned from. If not, which is the default, parameters
        keep the units and the meaning that the formula gives them; gradient descent is quicker with columns of one
        size.
    batch_size : int, optional
        Rows of each step; all if not given.
    seed : int
        Of the draws of rows.
    validation : float
        The share of the rows that is held out, in [0, 1): no step learns of them, and a result tells their loss, and
        accuracy where there are classes. They are drawn by the seed, of each class the same share.
    sampling : str
        ``independent`` or ``epochs``, as in `RowProblem`.

    Returns
    -------
    ModelProblem
        Its coordinates are the parameters. The optimum is computed by Newton's method: where the model is linear in its
        parameters it is the lowest of all (`is_convex`); otherwise it is **the lowest that was found** from 64
        starts, which is what ``global_minimum`` then means. Its ``predict(theta, X)`` tells what is expected of rows.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind, the model or the data cannot be used, or they do not fit each other.

    Examples
    --------
    >>> line = from_model("a*x + b", data=([[1.0], [2.0], [3.0]], [2.0, 4.1, 5.9]))
    >>> line.coordinates, line.optimum.round(3).tolist()
    (('a', 'b'), [1.95, 0.1])
    >>> line.predict(line.optimum, [[10.0]]).round(2)
    array([[19.6]])
    """
    arguments.choice("from_model: loss", loss, LOSSES)
    try:
        assert isinstance(data, Data)
        if data.y.ndim != 1:
            raise ValueError(f"data: y must have shape (m,), one target a row, not {data.y.shape}")
        table = _with_target(replace(data, standardize=standardize), loss, positive)
        formula = read_model(model, table)
        pairs = _domain(domain, formula.parameters)
        order = (*pairs, *(name for name in formula.parameters if name not in pairs))
        rows = parted(table, False, validation, seed, table.y if loss in CLASSES else None)
        fit = Fit(formula, order, loss, delta, l2, pairs)
        return ModelProblem(fit, rows, Sampling(batch_size, seed, sampling))
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"from_model: {error}") from None


def _with_target(table: Data, loss: str, positive: str | None) -> Data:
    """The table with the target that a loss takes."""
    if loss not in CLASSES:
        if positive is not None:
            raise ValueError(f"positive must be given with {' or '.join(sorted(CLASSES))} only, not with {loss}")
        if table.classes is not None:
            raise ValueError(
                f"the target {table.target!r} is a class ({', '.join(map(short, table.classes[:3]))}), but must be a "
                f"number for {loss}; logistic and hinge take two classes"
            )
        table = as_numbers(table)
        if loss == "poisson" and table.y.min() < 0:
            raise ValueError(f"the target {table.target!r} must not be negative for poisson, unlike {table.y.min():g}")
        return table
    table = as_classes(table, positive)
    if table.classes is not None and len(table.classes) != 2:
        shown = ", ".join(map(short, table.classes[:5]))
        raise ValueError(
            f"the target {table.target!r} has {len(table.classes)} classes ({shown}), but must have two for {loss}; "
            f"say which one is positive, such as positive={table.classes[0]!r}"
        )
    return table


def _domain(domain: Any, parameters: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """The pairs of those parameters for which they are given."""
    if domain is None:
        return {}
    if isinstance(domain, Mapping):
        for name in domain:
            arguments.choice("domain: parameter", name, parameters)
        names = tuple(name for name in domain)
        return _pairs(checked_domain("domain", domain, names), names) if names else {}
    return _pairs(checked_domain("domain", domain, parameters), parameters)


def _pairs(domain: Array, names: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    return {name: (float(low), float(high)) for name, (low, high) in zip(names, domain, strict=True)}
