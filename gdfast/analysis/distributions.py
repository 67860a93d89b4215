"""Distributions of steps to the target: over starts at chosen rates, and over problems as performance profiles."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.analysis import _results
from gdfast.analysis.again import optimizer_of
from gdfast.analysis.reached import best_rates, reached

if TYPE_CHECKING:
    import xarray

RATES = ("default", "best", "random")


def nearest_rates(result: "xarray.Dataset", wanted: Mapping[str, float]) -> dict[str, int]:
    """Find, for each optimizer's label, the index of the learning rate whose logarithm is nearest to a wanted one.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    wanted : mapping
        A positive learning rate for each optimizer's label.

    Returns
    -------
    dict
        The index along ``learning_rate``, by label.

    Raises
    ------
    TypeError, ValueError
        If this is no result of gdfast with one positive learning rate for all coordinates, or a wanted one is no
        positive number.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> gdfast.analysis.nearest_rates(result, {"gd": 0.03})
    {'gd': 3}
    """
    checked = _results.checked("result", result, more=True)
    places, rates = np.log(_results.learning_rates("result", checked)), _results.by_label("wanted", wanted)
    units = dict(zip(_results.labels(checked), _results.units_of_rates(checked), strict=True))
    return {label: int(np.abs(places - np.log(rate / units.get(label, 1.0))).argmin()) for label, rate in rates.items()}


def at_rates(
    result: "xarray.Dataset", rates: str, defaults: Mapping[str, float] | None = None, *, of: str = "steps"
) -> "Iterator[tuple[str, xarray.Dataset]]":
    """Select the learning rates that count, optimizer by optimizer.

    Parameters
    ----------
    result : xarray.Dataset
        Over a grid.
    rates : {"default", "best", "random"}
        The one nearest to the optimizer's default, its best (of `best_rates`), or all of the grid, which is what one
        drawn at random does.
    defaults : mapping, optional
        Default rate by optimizer label, for ``"default"``; what is not told is that of the catalogue's rule.
    of : {"steps", "evaluations"}
        By what costs are told for ``"best"``, as in `best_rates`.

    Returns
    -------
    iterator of (str, xarray.Dataset)
        Each optimizer's label, and its panel over ``(learning_rate, start)`` with one rate, or all.

    Raises
    ------
    TypeError, ValueError
        If this is no result of gdfast, `rates` or `of` is unknown, or an optimizer's default is not given.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> [label for label, _ in gdfast.analysis.at_rates(result, "best")]
    ['gd', 'adam']
    """
    arguments.choice("rates", rates, RATES)
    arguments.choice("of", of, _results.OF)
    result = _results.checked("result", result, "outcome", "steps")
    labels = _results.labels(result)
    defaults = {} if defaults is None else _results.by_label("defaults", defaults)
    places: dict[str, int] = {}
    if rates == "best":
        places = {str(label): int(index) for label, index in best_rates(result, of=of)["index"].items()}
    elif rates == "default":
        places = nearest_rates(result, {label: defaults.get(label) or _usual_rate(label) for label in labels})
    return (
        (label, result.isel(optimizer=i, learning_rate=[places[label]] if places else slice(None)))
        for i, label in enumerate(labels)
    )


def _usual_rate(label: str) -> float:
    """The default rate of an optimizer of the catalogue.

    Raises
    ------
    ValueError
        If it is another one.
    """
    optimizer = optimizer_of(label)
    if optimizer is None:
        raise ValueError(f"defaults must have the default rate of every optimizer of one's own, but {label} is missing")
    return optimizer.learning_rate


def steps_ecdf(
    result: "xarray.Dataset",
    rates: str = "best",
    defaults: Mapping[str, float] | None = None,
    *,
    of: str = "steps",
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Compute the empirical distribution of steps to the target; parameters and errors are those of `at_rates`.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    rates : str
        Which learning rates count: ``"best"``, ``"default"`` or ``"random"``, as in `at_rates`.
    defaults : mapping, optional
        Default rate by optimizer label, for ``"default"``, as in `at_rates`.
    of : {"steps", "evaluations"}
        By what costs are told, as in `best_rates`; the distribution is of these.

    Returns
    -------
    dict
        For each optimizer's label ``steps int64[n]``, ascending, and ``share float64[n]``: the share of all counted
        trajectories that have reached the lowest minimum by then. Trajectories that never do keep it below 1.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> {label: len(steps) for label, (steps, _) in gdfast.analysis.steps_ecdf(result).items()}
    {'gd': 2, 'adam': 1}
    """
    curves = {}
    for label, panel in at_rates(result, rates, defaults, of=of):
        good = reached(panel).values
        values, counts = np.unique(np.ceil(_results.costs(panel, of)[good]), return_counts=True)
        curves[label] = values.astype(np.int64), np.cumsum(counts) / good.size
    return curves


def costs(
    results: "Mapping[str, xarray.Dataset]",
    rates: str = "best",
    defaults: Mapping[str, float] | None = None,
    *,
    of: str = "steps",
) -> pd.DataFrame:
    """Put the costs of several problems on one table, for `performance_profile`.

    An instance is a start of a problem. Parameters and errors are those of `at_rates`, with the results by the name of
    their problem; with ``"random"`` an instance is a start with a learning rate.

    Parameters
    ----------
    results : mapping
        From the name of a problem to its result, of `gdfast.run`.
    rates : str
        Which learning rates count: ``"best"``, ``"default"`` or ``"random"``, as in `at_rates`.
    defaults : mapping, optional
        Default rate by optimizer label, for ``"default"``, as in `at_rates`.
    of : {"steps", "evaluations"}
        By what costs are told, as in `best_rates`.

    Returns
    -------
    DataFrame
        Index ``problem``; one column an optimizer: its steps or evaluations, NaN where it did not reach the lowest
        minimum.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> gdfast.analysis.costs({"quartic": result}).columns.tolist()
    ['gd', 'adam']
    """
    frames = []
    for problem, result in _results.several("results", results, "outcome", "steps").items():
        columns = {
            label: np.where(reached(panel).values, _results.costs(panel, of), np.nan).ravel()
            for label, panel in at_rates(result, rates, defaults, of=of)
        }
        frames.append(pd.DataFrame(columns).assign(problem=problem).set_index("problem"))
    return pd.concat(frames)


def performance_profile(costs: pd.DataFrame) -> pd.DataFrame:
    """Compute performance profiles (Dolan & Moré 2002, "Benchmarking optimization software with performance profiles").

    With c(p, o) the cost of optimizer o on instance p, and its ratio to the least cost of any optimizer on p, the
    profile of o at τ is the share of instances on which its ratio is at most τ.

    Parameters
    ----------
    costs : DataFrame
        One row an instance, one column an optimizer; NaN where it failed. Instances on which all fail count for all.

    Returns
    -------
    DataFrame
        Index ``ratio`` τ, ascending from 1, every value at which a profile rises; one column an optimizer.

    Raises
    ------
    ValueError
        If a cost is below 0, or there is no instance.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> profile = gdfast.analysis.performance_profile(gdfast.analysis.costs({"quartic": result}))
    >>> profile.columns.tolist()
    ['gd', 'adam']
    """
    arguments.instance("costs", costs, pd.DataFrame, "a table of gdfast.analysis.costs, a pandas.DataFrame")
    strange = [name for name, column in costs.items() if column.dtype.kind not in "iuf"]
    if strange:
        raise TypeError(f"costs must hold numbers, but column {arguments.shown(strange[0])} does not")
    if costs.empty:
        raise ValueError("costs must have at least one instance and one optimizer, not none")
    if (costs < 0).any(axis=None):
        raise ValueError("costs must be at least 0, but there is a negative one")
    # An instance that starts at the target costs nothing; its ratios would be infinite.
    positive = costs.clip(lower=1.0)
    ratios = positive.div(positive.min(axis=1), axis=0)
    taus = np.unique(np.concatenate([[1.0], ratios.to_numpy()[np.isfinite(ratios.to_numpy())]]))
    profile = {
        name: np.searchsorted(np.sort(column.dropna().to_numpy()), taus, side="right") / len(ratios)
        for name, column in ratios.items()
    }
    return pd.DataFrame(profile, index=pd.Index(taus, name="ratio"))
