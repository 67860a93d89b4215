"""What is typed on the command line, read: names with parameters, values, axes, points, places."""

import contextlib
import inspect
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfast import arguments, memory, optimizers, problems, schedules, transforms
from gdfast import data as data_sets
from gdfast.arguments import shown
from gdfast.formulas.elementary import Array
from gdfast.optimizers._grid import BYTES_OF_AN_OPTIMIZER

if TYPE_CHECKING:
    import xarray

_BYTES_OF_A_VALUE = 40
"""Of a value of an axis while grids are made of it, checked and described: measured are four to five copies."""


def parse_named(argument: str, text: str, catalogue: dict[str, Callable[..., Any]], **more: Any) -> Any:
    """Make a named thing from ``name`` or ``name:parameter=value,parameter=value``, and from `more` parameters.

    Raises
    ------
    TypeError, ValueError
        If the name, a parameter or a value is not accepted.
    """
    factory, parameters = _parse_call(argument, text, catalogue)
    for name in parameters:
        if name in more:
            raise ValueError(f"{argument} {shown(text)}: {name} is given twice, here and as --{name}")
    return factory(**{name: parse_value(value) for name, value in parameters.items()}, **more)


def parse_optimizers(text: str) -> list[Any]:
    """Make optimizers from ``name:parameter=value,…``, all combinations where a value is several.

    Several are given by slashes, ``0.5/0.9``, or as an axis, ``low:high:count``; see `parse_axis`.

    Raises
    ------
    TypeError, ValueError
        If the name, a parameter or a value is not accepted.
    """
    factory, parameters = _parse_call("optimizer", text, optimizers.CATALOGUE)
    values = {
        name: parse_axis(f"{factory.__name__}: {name}", value, False, BYTES_OF_AN_OPTIMIZER)
        if ":" in value
        else parse_value(value)
        for name, value in parameters.items()
    }
    return optimizers.grid(factory, **values)


def _parse_call(argument: str, text: str, catalogue: dict[str, Callable[..., Any]]) -> Any:
    name, colon, rest = text.partition(":")
    factory = catalogue[arguments.choice(argument, name, catalogue)]
    parameters: dict[str, str] = {}
    for item in rest.split(",") if colon else []:
        key, equals, value = (part.strip() for part in item.partition("="))
        if not (key and equals):
            raise ValueError(f"{argument} {shown(text)}: {shown(item)} must be parameter=value")
        if key in parameters:
            raise ValueError(f"{argument} {shown(text)}: {shown(key)} is given twice")
        parameters[key] = value
    return factory, parameters


def parse_value(text: str) -> Any:
    """Read a number, a truth value, or several joined by slashes; anything else stays text."""
    if "/" in text:
        parts = tuple(parse_value(part) for part in text.split("/"))
        return text if any(isinstance(part, str) for part in parts) else parts  # a path is text
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def parse_schedule(text: str) -> Any:
    """Make a schedule; the ``then`` of a warm-up is given by its name.

    Raises
    ------
    TypeError, ValueError
        If the name, a parameter or a value is not accepted.
    """

    def warmup(**parameters: Any) -> Any:
        if "then" in parameters:
            parameters["then"] = parse_named("schedule: then", str(parameters["then"]), schedules.CATALOGUE)
        return schedules.warmup(**parameters)

    return parse_named("schedule", text, {**schedules.CATALOGUE, "warmup": warmup})


def parse_transform(text: str) -> Any:
    """Make a transform from ``name``, ``name=value`` for its first parameter, or ``name:parameter=value,…``.

    Raises
    ------
    TypeError, ValueError
        If the name, a parameter or a value is not accepted.
    """
    name, equals, value = text.partition("=")
    if equals and ":" not in name:
        factory = transforms.CATALOGUE[arguments.choice("transform", name, transforms.CATALOGUE)]
        first = next(iter(inspect.signature(factory).parameters), "")
        if not first:
            raise ValueError(f"transform {name} takes no value, not {shown(value)}")
        text = f"{name}:{first}={value}"
    return parse_named("transform", text, transforms.CATALOGUE)


def parse_axis(argument: str, text: str, logarithmic: bool, size: int = _BYTES_OF_A_VALUE) -> Array:
    """Read ``low:high:count`` as a grid, or one number as itself.

    The grid is logarithmic or linear as the argument of this name says, unless ``log:`` or ``linear:`` stands first.
    What is made of a value takes `size` bytes.

    Raises
    ------
    ValueError
        If it is neither, or has more values than fit into memory.
    """
    accepted = f"{argument} must be low:high:count, after log: or linear: if need be, or one number, not {shown(text)}"
    spacing, colon, rest = text.partition(":")
    if colon and spacing in ("log", "linear"):
        logarithmic, text = spacing == "log", rest
    try:
        *ends, high = (float(part) for part in text.split(":")[:2])
        (count,) = (int(part) for part in text.split(":")[2:]) if ends else (1,)
    except ValueError:
        raise ValueError(accepted) from None
    accepted_ends = arguments.POSITIVE if logarithmic else arguments.ANY
    if not ends:
        return np.array([arguments.number(argument, high, accepted_ends)])
    (low,) = ends
    count = arguments.integer(f"{argument}: count", count)
    for name, end in (("low", low), ("high", high)):
        arguments.number(f"{argument}: {name}", end, accepted_ends)
    if not math.isfinite(high - low):
        raise ValueError(f"{argument} must have ends less than 1.8e308 apart, not {low:g} and {high:g}")
    memory.fits(f"{argument}: {count:,} values", size * count)
    return np.geomspace(low, high, count) if logarithmic else np.linspace(low, high, count)


def parse_grid(axes: Sequence[Array]) -> Array:
    """All combinations of the values of some axes, ``float64[m, d]``, the last axis fastest.

    Raises
    ------
    ValueError
        If they do not fit into memory.
    """
    count = math.prod(len(axis) for axis in axes)
    memory.fits(f"start: {count:,} starts", _BYTES_OF_A_VALUE * count * len(axes))
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def parse_numbers(argument: str, text: str, names: Sequence[str]) -> tuple[float, ...]:
    """Read one finite number for each name, with commas between them.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != len(names) or not all(map(math.isfinite, numbers)):
        several = ",".join(names) if len(names) <= 8 else f"{names[0]},{names[1]},…,{names[-1]}"
        many = "a finite number" if len(names) == 1 else f"{len(names)} finite numbers, {several}"
        raise ValueError(f"{argument} must be {many}, not {shown(text)}")
    return numbers


def parse_point(argument: str, text: str) -> tuple[float, float]:
    """Read two numbers, ``x,y``.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    x, y = parse_numbers(argument, text, ("x", "y"))
    return x, y


def parse_place(result: "xarray.Dataset", text: str) -> tuple[str, int]:
    """Read ``learning_rate=value`` or ``start=value`` as the place of the nearest on that axis of a result.

    A start of several coordinates is given by all of them, ``start=1.5,-2``, and so are learning rates of several
    groups. ``start=#3`` is the start of number 3, and ``learning_rate=#3`` the learning rate of that number, from 0.

    Returns
    -------
    name : str
        The axis, ``learning_rate`` or ``start``.
    place : int
        The place on it.

    Raises
    ------
    ValueError
        If it is anything else, or there is no such number.
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    arguments.choice("at", name, ["learning_rate", "start"])
    if not equals:
        raise ValueError(f"at must be {name}=value, or {name}=# and a number from 0, not {shown(text)}")
    if value.startswith("#"):
        most = result.sizes[name] - 1
        number = value[1:]
        if not (number.isascii() and number.isdigit() and len(number) < 20 and int(number) <= most):
            raise ValueError(f"at: {name}=# must have a whole number from 0 to {most}, not {shown(number)}")
        return name, int(number)
    if name == "start":
        points, names = result.start_point.values, [str(each) for each in result.parameter.values]
    elif "group_rate" in result.coords:
        points, names = result.group_rate.values, [str(each) for each in result.group.values]
    else:
        points, names = result.learning_rate.values[:, None], ["learning_rate"]
    wanted = np.array(parse_numbers(f"at: {name}", value, names))
    with np.errstate(over="ignore"):
        return name, int(np.abs(points - wanted).max(axis=1).argmin())


def parse_starts(texts: list[str]) -> dict[str, Array] | list[Array]:
    """Read the axes of starts: by the coordinates' names if all are ``name=axis``, else in the given order.

    Raises
    ------
    ValueError
        If one is no axis, a name is given twice, or only some have names.
    """
    names = [text.partition("=")[0].strip() for text in texts if "=" in text]
    if not names:
        return [parse_axis("start", text, logarithmic=False) for text in texts]
    if len(names) < len(texts) or len(set(names)) < len(names):
        raise ValueError(f"start must be name=low:high:count for each coordinate once, not {shown(', '.join(texts))}")
    return {
        name: parse_axis(f"start {shown(name)}", text.partition("=")[2].strip(), logarithmic=False)
        for name, text in zip(names, texts, strict=True)
    }


def parse_source(data: str | None, target: str | None, header: bool | None) -> dict[str, Any]:
    """Return the parameters of a problem that tell its data; a CSV file of which `header` is told is read.

    Raises
    ------
    ValueError
        If a header is told of anything else, or the file cannot be used.
    """
    if header is None:
        return {name: value for name, value in (("data", data), ("target", target)) if value is not None}
    if data is None or data in data_sets.SHIPPED or target is None:
        raise ValueError("header must be given with a CSV file, by --data, and the column to predict, by --target")
    return {"data": data_sets.read_csv(data, target, header)}


def _takers_of_data() -> list[str]:
    """Return the names of the problems that can be made from a table of data."""
    return [name for name, make in problems.CATALOGUE.items() if "data" in inspect.signature(make).parameters]


def parse_problem(
    problem: str | None, loss: str | None, axes: dict[str, Array] | list[Array], source: dict[str, Any]
) -> Any:
    """Make the problem that is named, on its data, or that of a loss, whose domain and coordinates are the starts'.

    Raises
    ------
    TypeError, ValueError
        If not just one of the two is given, or it is not accepted.
    """
    if (problem is None) == (loss is None):
        raise ValueError("problem or loss must be given, one of them")
    if loss is None:
        name, takers = str(problem).partition(":")[0], _takers_of_data()
        if source and name in problems.CATALOGUE and name not in takers:
            raise ValueError(f"{next(iter(source))} must be given with {', '.join(takers)}, not with {name}")
        return parse_named("problem", str(problem), problems.CATALOGUE, **source)
    if source:
        raise ValueError(f"{next(iter(source))} must not be given beside a loss, which has none")

    def widened(axis: Array) -> tuple[float, float]:
        low, high = float(axis.min()), float(axis.max())
        return (low, high) if low < high else (low - 5, high + 5)

    if isinstance(axes, dict):
        return problems.from_expression(loss, {name: widened(axis) for name, axis in axes.items()})
    return problems.from_expression(loss, [widened(axis) for axis in axes] or None)
