"""What functions of results are given: checked once, here, and brought into one form."""

import functools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.formulas.elementary import Array
from gdfast.storing.result import DIMENSIONS
from gdfast.tiles.outcomes import Outcome

if TYPE_CHECKING:
    import xarray

_KINDS = {"outcome": "iu", "steps": "iu", "basin": "iu", "change": "iu", "loss": "f", "theta": "f"}
"""What variables hold, by the letters of NumPy's kinds."""


_ALONG = {"learning_rate": "group_rate", "start": "start_point"}
"""What coordinates of several numbers tell of a dimension; they lose it with it where one value is selected."""


def checked(argument: str, value: Any, *needs: str, more: bool = False) -> "xarray.Dataset":
    """Return a result of `gdfast.run` with its dimensions in order, also those of which one value was selected.

    Parameters
    ----------
    argument : str
        What the message calls it.
    value : xarray.Dataset
        What was given.
    *needs : str
        The variables that the caller reads; ``outcome`` if none is named.
    more : bool
        Whether it may have dimensions beside `DIMENSIONS`, as results of `gdfast.run_over` have.

    Raises
    ------
    TypeError
        If it is no dataset.
    ValueError
        If it lacks a variable, a dimension or a coordinate, has too many dimensions, or no trajectory.
    """
    import xarray

    result = arguments.instance(argument, value, xarray.Dataset, "a result of gdfast, an xarray.Dataset")
    for name in needs or ("outcome",):
        if name not in result.data_vars:
            hint = "; run the sweep with keep_theta=True" if name == "theta" else ""
            names = sorted(map(str, result.data_vars))
            among = ", ".join(arguments.shown(other)[1:-1] for other in names[:16]) or "no variable"
            raise ValueError(f"{argument} must have {name}, but has {among}{hint}")
        if "loss_tolerance" in result[name].dims and not more:
            values = ", ".join(f"{float(value):g}" for value in result[name].loss_tolerance)
            raise ValueError(
                f"{argument} must have one tolerance, not {values}; select one first, such as "
                f"sel(loss_tolerance={float(result[name].loss_tolerance[0]):g})"
            )
        if result[name].dtype.kind not in _KINDS.get(name, "iuf"):
            raise ValueError(f"{argument}: {name} must hold numbers as results of gdfast do, not {result[name].dtype}")
    for name in DIMENSIONS:
        if name not in result.dims and name in result.coords and not result[name].ndim:
            result = result.expand_dims(name)
            beside = _ALONG.get(name, name)
            if beside in result.coords and name not in result[beside].dims:
                result = result.assign_coords({beside: result[beside].variable.expand_dims(name)})
    first = result[(needs or ("outcome",))[0]]
    others = [str(name) for name in first.dims if name not in (*DIMENSIONS, "parameter")]
    if others and all(name in first.dims for name in DIMENSIONS) and not more:
        raise ValueError(
            f"{argument} has the dimension {others[0]} beside {', '.join(DIMENSIONS)}; select one value of it first, "
            f"such as isel({others[0]}=0)"
        )
    for name in DIMENSIONS:
        if name not in first.dims:
            raise ValueError(
                f"{argument} must be over {', '.join(DIMENSIONS)}, or keep the coordinate of one that was selected, "
                f"but is over {', '.join(map(str, first.dims)) or 'nothing'}"
            )
        if not result.sizes[name]:
            raise ValueError(f"{argument} must have at least one trajectory, but {name} is empty")
        if name not in result.coords and name != "start":
            raise ValueError(f"{argument} must have the coordinate {name}, as results of gdfast do")
    rates = result.learning_rate
    if rates.dtype.kind not in "iuf" or not np.isfinite(rates.values).all():
        raise ValueError(f"{argument}: the learning rates must be finite numbers, as those of results of gdfast are")
    return result.transpose(*DIMENSIONS, ...)


def labels(result: "xarray.Dataset") -> list[str]:
    """The labels of a checked result's optimizers."""
    return [str(label) for label in result.optimizer.values]


def chosen(result: "xarray.Dataset", optimizer: str | None) -> int:
    """The number of the optimizer of a label in a checked result; without a label, of the only one.

    Raises
    ------
    ValueError
        If there is none of that label, or several and no label is given.
    """
    names = labels(result)
    if optimizer is None and len(names) > 1:
        raise ValueError(f"optimizer must be one of {', '.join(names)}, since the result has several")
    return 0 if optimizer is None else names.index(arguments.choice("optimizer", optimizer, names))


def outcomes(argument: str, result: "xarray.Dataset") -> NDArray[np.int8]:
    """The outcomes of a checked result.

    Raises
    ------
    ValueError
        If there is a number among them that is none.
    """
    values = result.outcome.values
    if values.size and not 0 <= values.min() <= values.max() < len(Outcome):
        raise ValueError(f"{argument}: outcome must hold 0 to {len(Outcome) - 1}, but is up to {values.max()}")
    return np.asarray(values, dtype=np.int8)


OF = ("steps", "evaluations")
"""By what costs are told."""


def median_losses(result: "xarray.Dataset") -> Array:
    """The median over the starts of the end losses of a checked result, by optimizer and rate; what diverges has ∞."""
    losses = np.nan_to_num(result.loss.values, nan=np.inf, posinf=np.inf, neginf=-np.inf)
    diverged = outcomes("result", result) == Outcome.diverged
    return np.asarray(np.median(np.where(diverged, np.inf, losses), axis=2))


def costs(result: "xarray.Dataset", of: str = "steps") -> Array:
    """What reaching cost each trajectory of a checked result, ``float64``: its steps until it settled.

    Where the sweep asked for `gdfast.measures.steps_to_reach`, the steps that this tells, for the smallest of several
    tolerances. By evaluations these steps times `evaluations_a_step`.

    Raises
    ------
    ValueError
        If `of` is neither of the two.
    """
    arguments.choice("of", of, OF)
    steps = _steps(result)
    return steps if of == "steps" else steps * evaluations_a_step(result)


def evaluations_a_step(result: "xarray.Dataset") -> Array:
    """At how many points each trajectory of a checked result asked for gradient or loss in a step, on average.

    It is 1 for all where the result does not tell ``evaluations``, and where there was no step. Only a line search asks
    at more points in one step than in another: costs until an early step are then told by the average of all.
    """
    steps = result.steps.values.astype(np.float64)
    if "evaluations" not in result.data_vars:
        return np.ones_like(steps)
    told = result.evaluations.transpose(*result.steps.dims).values
    return np.asarray(np.where(steps > 0, told / np.maximum(steps, 1.0), 1.0))


def _steps(result: "xarray.Dataset") -> Array:
    steps: Array = result.steps.values.astype(np.float64)
    tolerance = tolerance_of(result)
    if tolerance is None:
        return steps
    measured = (
        result.measure.sel(loss_tolerance=tolerance) if "loss_tolerance" in result.measure.dims else result.measure
    )
    values = measured.transpose(*result.steps.dims).values
    return np.asarray(np.where(np.isfinite(values), values, steps))


def tolerance_of(result: "xarray.Dataset") -> float | None:
    """The excess until which the `costs` of a checked result are counted; None where it is until it settled."""
    measure = _measure_of(result)
    if "measure" not in result.data_vars or measure is None or measure.get("name") != "steps_to_reach":
        return None
    if "loss_tolerance" in result.measure.coords:
        return float(result.measure.loss_tolerance.min())
    return float(measure["parameters"]["tolerance"])


def specifications(result: "xarray.Dataset") -> list[Any]:
    """The specifications of a result's sweeps, one but for results of `gdfast.run_over`.

    Raises
    ------
    KeyError, TypeError, ValueError
        If the attributes do not tell them.
    """
    told = _read(result.attrs["specification"])
    return told if isinstance(told, list) else [told]


@functools.lru_cache(maxsize=8)
def _read(text: str) -> Any:
    """What a specification says, which may be long: functions of one result ask for it again and again."""
    return json.loads(text)


def _measure_of(result: "xarray.Dataset") -> Any:
    try:
        return specifications(result)[0]["measure"]
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def learning_rates(argument: str, result: "xarray.Dataset") -> Array:
    """The learning rates of a checked result.

    Raises
    ------
    ValueError
        If they are no positive numbers, for example since each group of coordinates has its own.
    """
    if "group_rate" in result.coords:
        raise ValueError(f"{argument} must have one learning rate for all coordinates, not one for each group of them")
    rates = np.asarray(result.learning_rate.values, dtype=np.float64)
    if not (rates > 0).all():
        raise ValueError(f"{argument}: the learning rates must be positive, not {rates.min():g}")
    return rates


def units_of_rates(result: "xarray.Dataset") -> Array:
    """What a learning rate of 1 means to each optimizer of a checked result, ``float64[o]``."""
    ones = np.ones(len(labels(result)))
    return (
        np.broadcast_to(np.asarray(result.unit.values, dtype=np.float64), ones.shape)
        if "unit" in result.coords
        else ones
    )


def words_of_rate(result: "xarray.Dataset", place: int, unit: float) -> str:
    """The learning rate of a place among those of a checked result, or those of the groups, in words."""
    if "group_rate" not in result.coords:
        return f"rate {result.learning_rate.values[place] * unit:.3g}"
    return f"rates {', '.join(f'{rate * unit:.3g}' for rate in result.group_rate.values[place])}"


def words_of_rates(result: "xarray.Dataset") -> str:
    """What stands beside an axis of learning rates."""
    return "learning rate η, in units of each optimizer's own" if "unit" in result.coords else "learning rate η"


def budget_of(argument: str, result: "xarray.Dataset") -> int:
    """The updates that each trajectory of a result was allowed.

    Raises
    ------
    ValueError
        If the attributes do not tell, or tell different ones for several sweeps.
    """
    try:
        budgets = {int(each["max_steps"]) for each in specifications(result)}
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f"{argument} must have the attribute specification that gdfast.run gives it, which tells the budget; "
            "with xarray.set_options(keep_attrs=True) attributes stay"
        ) from None
    if len(budgets) != 1:
        raise ValueError(f"{argument} must be of sweeps with one max_steps, not {sorted(budgets)}")
    return budgets.pop()


def several(argument: str, values: Any, *needs: str) -> "dict[str, xarray.Dataset]":
    """Check a mapping from names to results; see `checked`.

    Raises
    ------
    TypeError, ValueError
        If it is none, is empty, or one of the results is not what the caller needs.
    """
    results = arguments.mapping(argument, values, "a mapping from names to results of gdfast.run")
    if not results:
        raise ValueError(f"{argument} must have at least one result, not none")
    return {name: checked(f"{argument}[{arguments.shown(name)}]", result, *needs) for name, result in results.items()}


def paths(argument: str, values: Any) -> "dict[str, xarray.Dataset]":
    """Check datasets of `gdfast.trajectory`, by their labels if it is a mapping; others are labelled here.

    Raises
    ------
    TypeError, ValueError
        If it is none, or one of them is another dataset.
    """
    import xarray

    accepted = "datasets of gdfast.trajectory, one, several, or a mapping from labels to them"
    if isinstance(values, xarray.Dataset):
        values = [values]
    labelled = arguments.mapping(argument, values, accepted) if isinstance(values, Mapping) else None
    several = arguments.several(argument, values, accepted, least=0) if labelled is None else [*labelled.values()]
    for place, path in zip(labelled or range(len(several)), several, strict=True):
        name = f"{argument}[{arguments.shown(place)}]"
        path = arguments.instance(name, path, xarray.Dataset, "a dataset of gdfast.trajectory")
        for variable, dimensions in (("loss", ("step",)), ("theta", ("step", "parameter"))):
            if variable not in path or path[variable].dims != dimensions or "step" not in path.coords:
                raise ValueError(
                    f"{name} must have {variable} ({', '.join(dimensions)}), as gdfast.trajectory returns it"
                )
    return dict(zip(_labels_of_paths(several), several, strict=True)) if labelled is None else labelled


def _labels_of_paths(paths: "Sequence[xarray.Dataset]") -> list[str]:
    """A label for each trajectory: what of optimizer, learning rate and start they differ in, or the optimizer."""

    def several(values: Any) -> str:
        return ", ".join(f"{float(value):.3g}" for value in np.ravel(values)[:3])

    parts = [
        (
            str(path.attrs.get("optimizer", "")),
            f"η = {several(path.attrs.get('learning_rate', []))}",
            f"start {several(path.theta.values[:1])}",
        )
        for path in paths
    ]
    differing = [i for i in range(3) if len({part[i] for part in parts}) > 1] or [0]
    labels = [", ".join(part[i] for i in differing if part[i]) or "trajectory" for part in parts]
    counts = Counter[str]()
    for i, label in enumerate(labels):
        counts[label] += 1
        labels[i] += f" #{counts[label]}" if counts[label] > 1 else ""
    return labels


def by_label(argument: str, values: Any) -> dict[str, float]:
    """Check a mapping from labels of optimizers to learning rates.

    Raises
    ------
    TypeError, ValueError
        If it is none, or a rate is not positive.
    """
    rates = arguments.mapping(argument, values, "a mapping from labels of optimizers to learning rates")
    return {
        label: arguments.number(f"{argument}[{arguments.shown(label)}]", rate, arguments.POSITIVE)
        for label, rate in rates.items()
    }


def units(result: "xarray.Dataset") -> tuple[Any, Any]:
    """Return the lowest loss and the loss scale of a result's problem, or of each optimizer's where there are several.

    Raises
    ------
    ValueError
        If the result does not tell them, since no minimum inside the domain is known.
    """
    lowest, scale = told_units(result)
    if not np.isfinite(lowest).any() or not np.all(scale > 0):
        raise ValueError(
            "result must have the attributes lowest_loss and loss_scale, as results of problems with a known minimum "
            "inside the domain do"
        )
    return lowest, scale


def told_units(result: "xarray.Dataset") -> tuple[Any, Any]:
    """What a result tells of the lowest loss and the loss scale, NaN for what it does not.

    They are numbers, or arrays over ``optimizer`` where optimizers have problems of their own.
    """

    def number(name: str) -> Any:
        if name in result.data_vars:
            return result[name]
        try:
            return float(result.attrs[name])
        except (KeyError, TypeError, ValueError):
            return float("nan")

    return number("lowest_loss"), number("loss_scale")


__all__ = [
    "OF",
    "budget_of",
    "by_label",
    "checked",
    "chosen",
    "costs",
    "evaluations_a_step",
    "labels",
    "learning_rates",
    "outcomes",
    "paths",
    "several",
    "specifications",
    "told_units",
    "tolerance_of",
    "units",
]
