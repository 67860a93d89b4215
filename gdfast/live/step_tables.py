"""What depends on the step alone, as JavaScript, so that hyperparameters can be moved.

Step tables and schedules are functions of arrays of steps. Here they are run on one step, and on hyperparameters that
are not known yet, which are put into the place of the values that the functions hold. Where that does not go, such as
where one decides which way to go, the hyperparameter stays as it is, and its columns are those of the page's making.
"""

import inspect
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gdfast.arguments import Interval
from gdfast.formulas.elementary import Array
from gdfast.formulas.javascript import Number, Script
from gdfast.formulas.noise import KEY, mixed
from gdfast.live import lane_functions
from gdfast.live.lane_functions import unsigned
from gdfast.named import Named
from gdfast.optimizers import Optimizer
from gdfast.parts import Parts
from gdfast.schedules import Chain

_NEARBY = (0.999, 0.9, 1.1, 0.5, 2.0)
"""Multiples of a hyperparameter that are tried, to see what changes with it."""


@dataclass(frozen=True)
class Knob:
    """A hyperparameter that can be moved.

    Attributes
    ----------
    part : int
        Whose it is: 0 the rule's, 1 the schedule's, from 2 on the transforms'.
    name : str
        Its name.
    value : float
        Its value when the page is made.
    accepted : Interval
        What it may be.
    whole : bool
        Whether it is a whole number.
    """

    part: int
    name: str
    value: float
    accepted: Interval
    whole: bool


@dataclass(frozen=True)
class Table:
    """A step table in JavaScript.

    Attributes
    ----------
    knobs : tuple of Knob
        What can be moved, in the order in which the text has them as ``p``.
    text : str
        The body of ``function (T, p, own, last, width)`` that fills ``T`` row by row.
    constant : tuple of bool
        Of each column, whether it is the same at every step.
    """

    knobs: tuple[Knob, ...]
    text: str
    constant: tuple[bool, ...]


def table_of(optimizer: Optimizer, own: Array) -> Table:
    """Write the step table of an optimizer.

    Parameters
    ----------
    optimizer : Optimizer
        The optimizer.
    own : ndarray
        Its columns as they are, ``float64[max_steps + 1, width]``, of which the text takes what it cannot compute.
    """
    # What moves nothing, such as what is of matrices alone, is none.
    written = [(knob, _written(optimizer, [knob], own)) for knob in knobs_of(optimizer)]
    knobs = [knob for knob, table in written if table is not None and "p[0]" in table.text]
    return _written(optimizer, knobs, own) or _written(optimizer, [], own)  # type: ignore[return-value]


def knobs_of(optimizer: Optimizer) -> list[Knob]:
    """The numbers among the hyperparameters of an optimizer, its schedule and its transforms that change no rule."""
    return [
        knob
        for at, part in enumerate((optimizer, optimizer.schedule, *optimizer.transforms))
        if part is not None
        for knob in _of_part(at, part)
        if _leaves_rules(part, knob)
    ]


def _of_part(at: int, part: Named) -> list[Knob]:
    accepted = getattr(part.make, "accepted", {})
    given = inspect.signature(part.make).parameters if part.make is not None else {}
    found = []
    for name, value in part.parameters.items():
        interval = accepted.get(name, Interval())
        if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(interval, Interval):
            continue
        whole = name in given and isinstance(given[name].default, int) and name not in accepted
        if name == "seed" or (part.make is not None and name not in given):
            continue
        found.append(Knob(at, name, float(value), Interval(1) if whole else interval, whole))
    return found


def _leaves_rules(part: Named, knob: Knob) -> bool:
    """Whether another value leaves everything as it is but what is put in."""
    if part.make is None:
        return getattr(part, "step_table", None) is None
    for factor in _NEARBY:
        other = knob.value * factor if knob.value else factor / 1000
        other = float(round(other)) if knob.whole else other
        if other == knob.value or other not in knob.accepted:
            continue
        try:
            changed = part.replace(**{knob.name: int(other) if knob.whole else other})
        except (TypeError, ValueError):
            continue
        return _same_but(part, changed, knob.name)
    return False


def _same_but(part: Any, other: Any, name: str) -> bool:
    names = ("rule", "scalars", "norms", "entries", "euclidean", "sums", "terms", "after", "of", "over")
    if any(getattr(part, n, None) != getattr(other, n, None) for n in names):
        return False
    if dict(getattr(part, "initial", {})) != dict(getattr(other, "initial", {})):
        return False
    return all(
        _same_function(getattr(part, n, None), getattr(other, n, None), name) for n in ("step_table", "multiplier")
    )


def _same_function(one: Any, two: Any, name: str) -> bool:
    """Whether two functions differ in nothing that they hold but what has this name."""
    if not isinstance(one, types.FunctionType) or not isinstance(two, types.FunctionType):
        return one is two
    if one.__code__ is not two.__code__:
        return False
    for cell_name, *cells in zip(one.__code__.co_freevars, one.__closure__ or (), two.__closure__ or (), strict=True):
        a, b = (cell.cell_contents for cell in cells)
        if cell_name != name and a is not b and not np.array_equal(a, b):
            return False
    return True


def _with(function: Any, values: Mapping[str, Any]) -> Callable[..., Any]:
    """The same function that holds other values."""
    cells = tuple(
        types.CellType(values.get(name, cell.cell_contents))
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    )
    return types.FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, cells)


def _written(optimizer: Optimizer, knobs: Sequence[Knob], own: Array) -> Table | None:
    """The table with these knobs; None if one of them is lost in a column that cannot be written."""
    script, parts = Script(functions={"power": _power}), Parts.of(optimizer, None)
    columns: list[Any] = [None] * parts.width
    numbers = [
        {knob.name: script.argument(f"p[{i}]") for i, knob in enumerate(knobs) if knob.part == part}
        for part in range(2 + len(optimizer.transforms))
    ]
    t, budget = script.argument("t"), len(own) - 1
    multiplier: Any = script.number(1.0)
    # What hyperparameters are that change from step to step is not told by one value.
    lost = {at for at, part in ((0, optimizer), *enumerate(optimizer.transforms, start=2)) if part.courses}
    if optimizer.scheduled_by_step:
        schedule: Any = optimizer.schedule
        try:
            function = _with(schedule.multiplier, numbers[1])
            multiplier = script.number(function(script.argument("k"), budget)).real()
            lost |= {1} if isinstance(schedule, Chain) else set()
        except Exception:  # whatever a function of arrays says to a number
            lost.add(1)
        if 1 in lost:
            multiplier = script.once(f"own[k * {parts.width}]")
        columns[0] = multiplier
    for at, (span, transform) in enumerate(zip(parts.transforms, optimizer.transforms, strict=True), start=2):
        values = {**transform.parameters, **numbers[at]}
        if at in lost:
            continue
        if transform.step_table and not _evaluated(values, transform.step_table, numbers[at], (t,)):
            lost.add(at)
            continue
        if transform.noisy:
            values.update(zip(KEY, _key(script, int(transform.parameters["seed"])), strict=True))
        columns[span.places] = [values[name] for name in transform.coefficients]
    plateau = optimizer.plateau
    if plateau and plateau is optimizer.schedule:
        values = {**plateau.parameters, **numbers[1]}
        if plateau.step_table and not _evaluated(values, plateau.step_table, numbers[1], (script.argument("k"),)):
            lost.add(1)
        else:
            columns[parts.plateau.places] = [values[name] for name in plateau.coefficients]
    values = {**optimizer.parameters, **numbers[0]}
    given = (t, multiplier) if optimizer.takes_multipliers else (t,)
    if 0 in lost or (optimizer.step_table and not _evaluated(values, optimizer.step_table, numbers[0], given)):
        lost.add(0)
    else:
        columns[parts.rule.places] = [values.get(name) for name in optimizer.coefficients]
    if any(knob.part in lost for knob in knobs):
        return None
    constant = tuple(bool((column == column[0]).all()) for column in own.T)
    lines = ["let running = [];", "for (let k = 0; k <= last; k++) {", "  const t = k + 1, first = k === 0;"]
    stored = []
    for j, value in enumerate(columns):
        text = value.text if isinstance(value, Number) else f"own[k * width + {j}]"
        stored.append(f"T[k * width + {j}] = {text};")
    lines += [f"  {line}" for line in (*_needed(script.lines, stored), *stored)]
    moving = [isinstance(value, Number) and not value.code[0].startswith("p[") for value in columns]
    constant = tuple(
        c and not m if not isinstance(v, Number) else not m for c, m, v in zip(constant, moving, columns, strict=True)
    )
    return Table(tuple(knobs), "\n".join([*lines, "}"]), constant)


def _power(script: Script, *given: Any) -> Any:
    return lane_functions.function("power")(*map(script.number, given))


def _needed(lines: Sequence[str], stored: Sequence[str]) -> list[str]:
    """The lines that what is stored depends on."""
    names, kept = set(re.findall(r"\w+", " ".join(stored))), list[str]()
    for line in reversed(lines):
        name = re.match(r"const (\w+) = ", line)
        if name is None or name[1] in names:
            names.update(re.findall(r"\w+", line))
            kept.append(line)
    return kept[::-1]


def _evaluated(values: dict[str, Any], table: Any, numbers: Mapping[str, Any], given: tuple[Any, ...]) -> bool:
    """Put the columns of a step table into `values`, if they can be written."""
    try:
        values.update(_with(table, numbers)(*given))
    except Exception:  # whatever a function of arrays says to a number
        return False
    return True


def _key(script: Script, seed: int) -> list[Number]:
    """The parts of the key of a step, as `gdfast.formulas.noise.keys` makes them."""
    step = 0x9E3779B97F4A7C15
    again = types.FunctionType(mixed.__code__, mixed.__globals__)
    number = unsigned(script.argument("t"))
    with np.errstate(over="ignore"):
        start = int(mixed(np.uint64(seed) + np.uint64(step)))
    key = again(script.integer(start, "unsigned") + number * step)
    return [(key >> shift & (1 << 22) - 1).real() for shift in (0, 22, 44)]
