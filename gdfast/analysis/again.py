"""What a result is of, made again from what it tells: the problem, the optimizers, the whole sweep."""

import contextlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfast import arguments, called, notation, own
from gdfast import data as data_sets
from gdfast.analysis import _results
from gdfast.history import History
from gdfast.measures import CATALOGUE as MEASURES
from gdfast.measures import Measure
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem
from gdfast.starts import Starts
from gdfast.storing.result import DIMENSIONS
from gdfast.storing.store import read
from gdfast.tiles.sweep import Sweep

if TYPE_CHECKING:
    import xarray

_OF_A_FILE = ", of a file, which is run where that is asked for: run_files=True, --run-files"
_NUMBERS = ("max_steps", "gradient_tolerance", "divergence_limit", "loss_tolerance")


def load(store: str | os.PathLike[str]) -> "xarray.Dataset":
    """Open what a sweep wrote.

    Parameters
    ----------
    store : path
        A Zarr store, or a netCDF file if its suffix is ``.nc``.

    Returns
    -------
    xarray.Dataset
        As `gdfast.run` returns it. What a store holds is read, and compared with its checksums, when it is used.
        `sweep_of` gives the sweep.

    Raises
    ------
    TypeError
        If `store` is no path.
    StoreError
        If there is no result of gdfast, or it is damaged. A `ValueError`.

    Examples
    --------
    >>> import gdfast, tempfile
    >>> path = tempfile.mkdtemp() + "/quartic.zarr"
    >>> sweep = gdfast.Sweep("quartic", "gd adam", "1e-3:1:4", "-2:2:5", 20)
    >>> _ = gdfast.run(sweep, backend="numpy", progress=False, store=path)
    >>> result = gdfast.load(path)
    >>> result.sizes["learning_rate"], gdfast.sweep_of(result) == sweep
    (4, True)
    """
    arguments.instance("store", store, (str, os.PathLike), "a path")
    return read(Path(store))


def sweep_of(result: "xarray.Dataset", problem: Problem | None = None, *, run_files: bool = False) -> Sweep:
    """Make the sweep again that a result is of, by its attributes and coordinates.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run` or `gdfast.load`. Of one in which something was selected it is the sweep over that.
    problem : Problem, str or factory, optional
        What it minimizes, where that is a formula or data of one's own, which a result does not hold.
    run_files : bool
        Whether files of one's own that the result names, ``mine.py:rule``, are run for what they have under the name,
        which must be as it was.

    Returns
    -------
    Sweep
        Equal to that which was run, or of the same result where a history was told in another way, and ready to be
        run with something replaced.

    Raises
    ------
    TypeError, ValueError
        If it is no result, or of a problem or an optimizer that its text does not tell, as of a formula or of data of
        one's own, or of several sweeps.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.run(gdfast.Sweep("quartic", "gd", "1e-3:1:4", "-2:2:5", 20), backend="numpy", progress=False)
    >>> sweep_of(result).replace(max_steps=40)
    <sweep of quartic: 1 optimizers × 4 learning rates × 5 starts, 40 steps>
    """
    result = _results.checked("result", result)
    told = _told(result)
    arguments.flag("run_files", run_files)
    problem = _problem(told["problem"], problem, run_files)
    for loss_and_point in json.loads(result.attrs.get("found_minima", "[]")):
        problem = problem.knowing(tuple(loss_and_point[1:]))
    rules = {label: _optimizer(label, told["optimizers"], run_files) for label in _results.labels(result)}
    grouped = "group_rate" in result.coords
    rates = result.group_rate.values if grouped else result.learning_rate.values
    if "parameter" not in result.start_point.dims:
        raise ValueError("result must have the dimension parameter, as results of gdfast do, to make its sweep again")
    points = result.start_point.transpose(..., "parameter").values.reshape(-1, problem.dimension)
    measure, history = told.get("measure"), told.get("history")
    return Sweep(
        problem,
        [*rules.values()],
        np.array(np.atleast_2d(rates) if grouped else rates, dtype=np.float64),
        _labelled(result, np.array(points, dtype=np.float64)),
        **{name: told[name] for name in _NUMBERS},
        **{name: told[name] for name in ("check_every", "dtype", "settle") if name in told},
        measure=measure and _measure(measure, run_files),
        history=history and _history(history["quantities"], history["steps"], told["max_steps"]),
    )


def _history(quantities: list[str], steps: list[int], max_steps: int) -> History:
    """The history that records at these steps: by their number where they lie as usual."""
    for spacing in ("log", "linear"):
        history = History(*quantities, steps=len(steps), spacing=spacing)
        if history.recorded_steps(max_steps).tolist() == steps:
            return history
    return History(*quantities, steps=steps)


def _optimizer(label: str, told: list[dict[str, Any]], run_files: bool) -> Optimizer:
    """The optimizer of a label; of one's own file only if that may be run, and has what the specification tells."""
    made = optimizer_of(label, run_files)
    if made is None:
        raise ValueError(
            f"result must be of optimizers of the catalogue for its sweep to be made again, not of "
            f"{arguments.shown(label)}{_OF_A_FILE if '.py:' in label and not run_files else ''}"
        )
    if json.loads(json.dumps(made.specification)) not in told and '"code"' in json.dumps(told):
        raise ValueError(f"result must be of what the file has, but {arguments.shown(label)} is another there by now")
    return made


def _measure(told: dict[str, Any], run_files: bool) -> Measure:
    """The measure of a specification; of one's own file only if that may be run."""
    make: Any = MEASURES.get(told["name"])
    of_file = own.split(told["name"])
    if run_files and of_file:
        make = own.factory("measure", *of_file[:2])
    made = make and make(**told["parameters"])
    if made is None or json.loads(json.dumps(made.specification)) != told:
        lacking = (", which is another in its file by now" if run_files else _OF_A_FILE) if of_file else ""
        raise ValueError(
            f"result must be of a measure of the catalogue for its sweep to be made again, not of "
            f"{arguments.shown(told['name'])}{lacking}"
        )
    return made  # type: ignore[no-any-return]


def _problem(told: dict[str, Any], problem: Problem | None, run_files: bool) -> Problem:
    """The problem that is given, if it is that of the specification, or the one made of it."""
    if problem is not None:
        problem = called.problem_of(problem)
        if json.loads(json.dumps(problem.specification)) != told:
            raise ValueError(f"problem must be that of the result, {arguments.shown(told.get('name'))}, to the letter")
        return problem
    made = problem_of(told, run_files)
    if made is None:
        of_file = bool(own.split(str(told.get("name"))))
        lacking = ", whose formula or data it does not hold; give the problem too"
        if of_file:
            lacking = ", which is another in its file by now" if run_files else _OF_A_FILE
        raise ValueError(
            f"result must be of a problem of the catalogue or of an expression for its sweep to be made again, not of "
            f"{arguments.shown(told.get('name'))}{lacking}"
        )
    return made


def _told(result: "xarray.Dataset") -> dict[str, Any]:
    """The specification of a result of one sweep."""
    try:
        several = _results.specifications(result)
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            "result must have the attribute specification that gdfast.run gives it; with "
            "xarray.set_options(keep_attrs=True) attributes stay"
        ) from None
    if len(several) != 1:
        raise ValueError(f"result must be of one sweep, not of {len(several)} sweeps")
    if "start_point" not in result.coords:
        raise ValueError(
            "result must have the coordinate start_point, as results of gdfast do, to make its sweep again"
        )
    (told,) = several
    return dict(told)


def _labelled(result: "xarray.Dataset", points: Any) -> Any:
    """The starts of a result, with their labels if they have any."""
    labels = {
        str(name): np.array(coordinate.values.tolist())
        for name, coordinate in result.coords.items()
        if coordinate.dims == ("start",) and name not in DIMENSIONS
    }
    # A store does not keep their order; networks' starts have this one.
    usual = ["init", "gain", "bias", "seed"]
    order = sorted(labels, key=lambda name: (usual.index(name) if name in usual else len(usual), name))
    return Starts(points, {name: labels[name] for name in order}) if labels else points


def problem_of(told: dict[str, Any], run_files: bool = False) -> Problem | None:
    """The problem of a specification, if it can be made again without any data but what ships with gdfast."""
    make: Any = notation.PROBLEMS.get(told["name"])
    if run_files and (of_file := own.split(told["name"])):
        make = own.factory("problem", *of_file[:2])
    parameters = {name: _with_problems(value) for name, value in told["parameters"].items()}
    data = parameters.get("data")
    if make is None or (isinstance(data, dict) and set(data) - {"source", "target", "standardize"}):
        return None
    if isinstance(data, dict):
        if data.get("source") is not None and data["source"] not in data_sets.SHIPPED:
            return None  # a store is not followed to files that it names
        parameters.pop("data")
    try:
        if isinstance(data, dict) and data.get("source") is not None:
            parameters["data"] = data_sets.load(data["source"], standardize=data["standardize"])
        made = make(**parameters)
    except (TypeError, ValueError, MemoryError, OverflowError):
        return None
    return made if json.loads(json.dumps(made.specification)) == told else None


def _with_problems(value: Any) -> Any:
    """The value of a parameter, in which specifications of problems are what they tell of, or None."""
    if isinstance(value, list):
        return [_with_problems(each) for each in value]
    is_problem = isinstance(value, dict) and {"name", "parameters"} <= set(value)
    return problem_of(value) if is_problem else value


def optimizer_of(label: str, run_files: bool = False) -> Optimizer | None:
    """The optimizer of a label; None for one's own, but for one of a file that may be run."""
    try:
        with contextlib.nullcontext() if run_files else own.not_run():
            (optimizer,) = notation.optimizers(re.sub(r"#\d+$", "", label))
    except (TypeError, ValueError):
        if run_files:
            raise
        return None
    return optimizer
