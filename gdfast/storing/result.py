"""What a sweep's result is: an `xarray.Dataset`, its variables, coordinates and attributes."""

import contextlib
import datetime
import functools
import hashlib
import json
import math
import os
import platform
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast import __version__
from gdfast.history import PREFIX, QUANTITIES
from gdfast.tiles.ending import MEANING_OF_ENDING
from gdfast.tiles.outcomes import MEANING
from gdfast.tiles.sweep import Sweep

DIMENSIONS = ("optimizer", "learning_rate", "start")
FIELDS: dict[str, Any] = {
    "outcome": np.int8,
    "ending": np.int8,
    "steps": np.int32,
    "loss": np.float64,
    "gradient_norm": np.float64,
    "basin": np.int16,
    "period": np.int8,
}
MORE = (
    "measure",
    "theta",
    "accuracy",
    "validation_loss",
    "validation_accuracy",
    "evaluations",
    *(PREFIX + name for name in QUANTITIES),
)
"""Variables of those results that were asked for them; of float64."""
FURTHER: Mapping[str, tuple[str, ...]] = {
    "theta": ("parameter",),
    **{PREFIX + name: ("recorded_step", *(["parameter"] if name == "theta" else [])) for name in QUANTITIES},
}
"""The dimensions that variables have beside `DIMENSIONS`."""
SINCE = {"ending": 3}
"""The formats of stores in which variables first stand, of those that do not in all."""


def _flags(name: str, meanings: Mapping[Any, str]) -> dict[str, Any]:
    return {
        "long_name": name,
        "flag_values": [int(flag) for flag in meanings],
        "flag_meanings": " ".join(flag.name for flag in meanings),
        "comment": "; ".join(f"{flag.name}: {text}" for flag, text in meanings.items()),
    }


ATTRIBUTES: dict[str, dict[str, Any]] = {
    "outcome": _flags("what became of the trajectory", MEANING),
    "ending": _flags("how the trajectory ended", MEANING_OF_ENDING),
    "steps": {"long_name": "updates done", "units": "1"},
    "loss": {"long_name": "loss at the end point"},
    "gradient_norm": {"long_name": "largest absolute entry of the gradient at the end point"},
    "basin": {"long_name": "index of the minimum, lowest first; -1 for none"},
    "period": {"long_name": "period of the oscillation in steps; 0 for none", "units": "1"},
    "measure": {"long_name": "measure of the history of losses"},
    "theta": {"long_name": "end point"},
    "evaluations": {"long_name": "points at which gradient or loss were asked for", "units": "1"},
    **{
        name: {"long_name": f"{QUANTITIES[name].meaning}, at the end point"}
        for name in ("accuracy", "validation_loss", "validation_accuracy")
    },
    **{
        PREFIX + name: {"long_name": f"{quantity.meaning}, after so many updates"}
        for name, quantity in QUANTITIES.items()
    },
}
_STEPS = {"long_name": "updates done"}


def fields(sweep: Sweep, keep_theta: bool) -> dict[str, Any]:
    """The variables of a sweep's result with their types."""
    asked = {"measure": sweep.measure is not None, "theta": keep_theta}
    names = [name for name, is_asked in asked.items() if is_asked]
    names += [
        *sweep.told_at_ends,
        *(PREFIX + name for name in (sweep.history.quantities if sweep.history else ())),
    ]
    return {**FIELDS, **dict.fromkeys(names, np.float64)}


def _tolerances(sweep: Sweep) -> tuple[float, ...]:
    """The tolerances for each of which a measure tells a number, if it does."""
    return (sweep.measure.tolerances if sweep.measure else None) or ()


def further(sweep: Sweep, name: str) -> tuple[str, ...]:
    """The names of a variable's further dimensions."""
    return ("loss_tolerance",) if name == "measure" and _tolerances(sweep) else FURTHER.get(name, ())


def depths(sweep: Sweep, name: str) -> tuple[int, ...]:
    """The lengths of a variable's further dimensions."""
    sizes = {
        "parameter": sweep.problem.dimension,
        "recorded_step": len(sweep.recorded_steps),
        "loss_tolerance": len(_tolerances(sweep)),
    }
    return tuple(sizes[dimension] for dimension in further(sweep, name))


def bytes_of_a_cell(sweep: Sweep, keep_theta: bool) -> int:
    """How many bytes a trajectory takes in a result."""
    kinds = fields(sweep, keep_theta)
    return sum(int(np.dtype(kind).itemsize) * math.prod(depths(sweep, name)) for name, kind in kinds.items())


OF_THE_RUN = frozenset(
    {"date", "compile_seconds", "run_seconds", "useful_share", "python", "numpy", "numba", "processor"}
)
"""Attributes that tell when, where and how fast a result was made; everything else is the same each time."""


def fill(columns: dict[str, NDArray[Any]], row: int, places: slice, cells: Any) -> None:
    """Copy a tile's cells into ``columns[name][row]``, whose trajectories are numbered along all further axes."""
    for name, column in columns.items():
        column[row].reshape(-1, *column.shape[len(DIMENSIONS) :])[places] = cells.values(name)


def coordinates(sweep: Sweep) -> dict[str, Any]:
    """The coordinates of a sweep's result."""
    taken = {*FIELDS, *MORE, *DIMENSIONS, "rule", "unit", "parameter", "start_point", "recorded_step", "loss_tolerance"}
    hyperparameters = {
        f"optimizer_{name}" if name in taken else name: (
            "optimizer",
            values if isinstance(values, np.ndarray) else np.array(values, dtype=object),
            {"long_name": f"hyperparameter {name}"},
        )
        for name, values in sweep.hyperparameters.items()
    }
    return {
        "optimizer": np.array(sweep.labels, dtype=object),
        "rule": ("optimizer", np.array([o.name for o in sweep.optimizers], dtype=object)),
        **hyperparameters,
        **_rates(sweep),
        **_unit(sweep),
        "start": np.arange(len(sweep.starts)),
        **{name: ("start", values) for name, values in sweep.start_labels.items()},
        "parameter": np.array(sweep.problem.coordinates, dtype=object),
        "start_point": (("start", "parameter"), sweep.starts, {"long_name": "initial point"}),
        **({"recorded_step": ("recorded_step", sweep.recorded_steps, _STEPS)} if sweep.history else {}),
        **({"loss_tolerance": np.array(tolerances)} if (tolerances := _tolerances(sweep)) else {}),
    }


def _rates(sweep: Sweep) -> dict[str, Any]:
    """The learning rates; where groups have their own, they are numbered, and ``group_rate`` tells them."""
    rates, name = sweep.learning_rates, {"long_name": "learning rate"}
    if rates.ndim == 1:
        return {"learning_rate": ("learning_rate", rates, name)}
    return {
        "learning_rate": np.arange(len(rates)),
        "group": np.array(sweep.problem.groups, dtype=object),
        "group_rate": (("learning_rate", "group"), rates, name),
    }


def _unit(sweep: Sweep) -> dict[str, Any]:
    """What a learning rate of 1 means to each optimizer, where that is not 1."""
    units = np.array([optimizer.unit for optimizer in sweep.optimizers])
    return {} if (units == 1).all() else {"unit": ("optimizer", units, {"long_name": "unit of the learning rate"})}


def attributes(sweep: Sweep, backend: str, keep_theta: bool) -> dict[str, Any]:
    """The attributes that are the same whenever and wherever the sweep is run by this version of gdfast."""
    specification = json.dumps(sweep.specification)
    return {
        "title": f"gdfast sweep of {sweep.problem.label}",
        "specification": specification,
        "minima": json.dumps([[p.loss, *p.point] for p in sweep.problem.minima]),
        **_found(sweep),
        **_units(sweep),
        "backend": backend,
        "gdfast": __version__,
        "digest": digest(specification, backend, keep_theta),
    }


def _found(sweep: Sweep) -> dict[str, str]:
    """The minima that trajectories found, which were not known before and are among the others now."""
    found = sweep.problem.found
    return {"found_minima": json.dumps([[p.loss, *p.point] for p in found])} if found else {}


def _units(sweep: Sweep) -> dict[str, float]:
    """What losses are judged by: (loss − lowest) / scale is the excess; no `lowest_loss` if no minimum is known."""
    lowest = sweep.problem.lowest
    return {"loss_scale": sweep.problem.loss_scale, **({"lowest_loss": lowest} if math.isfinite(lowest) else {})}


def settings(sweep: Sweep, backend: str, keep_theta: bool) -> dict[str, Any]:
    """All that determines the bits of a result, as plain data."""
    return {**sweep.specification, "backend": backend, "keep_theta": keep_theta, "gdfast": __version__}


def digest(specification: str, backend: str, keep_theta: bool, version: str = __version__) -> str:
    """The SHA-256 of the `settings`, the specification being given as JSON."""
    return hashlib.sha256(f"{specification} {backend} {keep_theta} {version}".encode()).hexdigest()


def useful_share(steps: int, lane_steps: int) -> float:
    """The share of lane-steps that were steps of trajectories still moving."""
    return min(steps / max(lane_steps, 1), 1.0)


def machine() -> dict[str, Any]:
    """Versions, processor and date, for a result's attributes."""
    import numba

    return {
        "gdfast": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


@functools.cache
def _processor() -> str:
    from llvmlite import binding

    with contextlib.suppress(OSError), open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                return f"{line.split(':', 1)[1].strip()} ({binding.get_host_cpu_name()})"
    return f"{platform.processor() or platform.machine()} ({binding.get_host_cpu_name()})"
