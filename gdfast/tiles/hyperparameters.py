"""In which hyperparameters the optimizers of a sweep differ, those of their schedules and transforms included."""

import math
import numbers
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from gdfast.formulas.elementary import Array
from gdfast.named import Named
from gdfast.optimizers import Optimizer
from gdfast.schedules import Schedule


def hyperparameters_of(optimizers: Sequence[Optimizer]) -> dict[str, Array | list[str]]:
    """Every hyperparameter in which optimizers differ, with one value each: see `gdfast.Sweep.hyperparameters`."""
    rows = [_all_parameters(optimizer) for optimizer in optimizers]
    found: dict[str, Array | list[str]] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        column = [row.get(name) for row in rows]
        if len({str(row[name]) for row in rows if name in row}) == 1:
            continue
        rounded = any(isinstance(value, numbers.Integral) and float(value) != value for value in column)
        if rounded and all(isinstance(value, numbers.Integral) for value in column):
            found[name] = np.array(column, dtype=np.int64)
        elif not rounded and all(isinstance(value, numbers.Real | None) for value in column):
            found[name] = np.array([math.nan if value is None else value for value in column], dtype=np.float64)
        else:
            found[name] = ["" if value is None else str(value) for value in column]
    return found


def part_prefix(name: str, number: int) -> str:
    """What the names of a schedule's or a transform's parameters begin with; `number` counts those of one name."""
    return f"{name}{number if number > 1 else ''}_"


def _all_parameters(optimizer: Optimizer) -> dict[str, Any]:
    """All parameters of an optimizer, of its schedule and of its transforms, by names that are different."""
    row = {**_parameters(optimizer, ""), "schedule": optimizer.schedule.label if optimizer.schedule else ""}
    counts = Counter[str]()
    schedules = getattr(optimizer.schedule, "schedules", (optimizer.schedule,) if optimizer.schedule else ())
    for part in (*schedules, *optimizer.transforms):
        counts[part.name] += 1
        row.update(_parameters(part, part_prefix(part.name, counts[part.name])))
    return row


def _parameters(part: Named, prefix: str) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in part.parameters.items():
        if isinstance(value, Named):
            row.update(_parameters(value, part_prefix(prefix + value.name, 1)))
        row[prefix + name] = value.label if isinstance(value, Schedule | Optimizer) else value
    return row
