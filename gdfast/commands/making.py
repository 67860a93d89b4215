"""The problem that a line names: by its name, as one loss or several, on data."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from gdfast import arguments, literals, notation
from gdfast import data as data_sets
from gdfast.formulas.elementary import Array
from gdfast.notation import PROBLEMS
from gdfast.problems import Problem, drawn, from_expression, in_turn, maximized, phases
from gdfast.problems.recognized import takers_of_data

_ORDERS = (in_turn, phases, drawn)


def parse_source(data: str | None, **told: Any) -> dict[str, Any]:
    """Return the parameters of a problem that tell its data, which are read if more than their source is told.

    Raises
    ------
    ValueError
        If something is told of no data, or they cannot be used.
    """
    told = {name: value for name, value in told.items() if value is not None}
    if data is None:
        for name in told:
            raise ValueError(f"{name} must be given with a CSV file, by --data, and the column to predict, --target")
        return {}
    if csv := told.get("csv"):
        told["csv"] = {name: str(literals.read(value)) for name, value in literals.items(csv).items()}
    return {"data": data_sets.load(data, **told) if told else data}


def parse_problem(
    text: str | None,
    losses: Sequence[str],
    axes: dict[str, Array] | list[Array],
    source: Mapping[str, Any],
    params: Mapping[str, Any] = MappingProxyType({}),
    order: str | None = None,
    minimum: float | None = None,
    maximize: bool = False,
) -> Problem:
    """Make the problem that a text names, on its data, or that of losses, whose domain and coordinates are the starts'.

    Several losses depend on the step, as the order says, such as ``phases:until=100``. What is to be maximized is
    turned upside down.

    Raises
    ------
    TypeError, ValueError
        If not just one of the two is given, or it is not accepted.
    """
    if (text is None) != bool(losses):
        raise ValueError("problem, loss or model must be given, one of them")
    if order is not None and len(losses) < 2:
        raise ValueError(f"order must be given with several losses, not with {len(losses) or 'none'}")
    if maximize:
        if minimum is not None or len(losses) > 1:
            other = "minimum" if len(losses) < 2 else "several losses"
            raise ValueError(f"maximize must not be given with {other}; write minus the loss")
        return maximized(parse_problem(text, losses, axes, source, params))
    lowest = {} if minimum is None else {"minimum": minimum}
    if not losses:
        name, takers = str(text).partition(":")[0], takers_of_data()
        if source and name in PROBLEMS and name not in takers:
            raise ValueError(f"{next(iter(source))} must be given with {', '.join(takers)}, not with {name}")
        return notation.problem(str(text), **source, **params, **lowest)
    if source:
        raise ValueError(f"{next(iter(source))} must not be given beside a loss, which has none")
    domain: Any = (
        {name: _widened(axis) for name, axis in axes.items()}
        if isinstance(axes, dict)
        else [_widened(axis) for axis in axes] or None
    )
    if len(losses) == 1:
        return from_expression(losses[0], domain, params or None, **lowest)
    order = "in_turn" if order is None else order
    arguments.choice("order", order.partition(":")[0], [make.__name__ for make in _ORDERS])
    return notation.problem(order, losses=losses, domain=domain, params=params or None, **lowest)


def _widened(axis: Array) -> tuple[float, float]:
    """The range of an axis; about the one value that it has."""
    low, high = float(axis.min()), float(axis.max())
    return (low, high) if low < high else (low - 5, high + 5)
