"""Tiles through an Executor, with progress, into one dataset."""

import contextlib
import datetime
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfast import __version__, arguments
from gdfast.outcomes import MEANING, Cells, Outcome, classify
from gdfast.sweep import Sweep, Tile

if TYPE_CHECKING:
    import xarray

Progress = Callable[[int, int], None]
_FIELDS = {
    "outcome": np.int8,
    "steps": np.int32,
    "loss": np.float64,
    "gradient_norm": np.float64,
    "basin": np.int16,
    "period": np.int8,
}


def run(
    sweep: Sweep,
    *,
    backend: str = "numba",
    workers: int | None = None,
    executor: Executor | None = None,
    keep_theta: bool = False,
    progress: bool | Progress | None = None,
) -> "xarray.Dataset":
    """Run every trajectory of a sweep.

    Parameters
    ----------
    sweep : Sweep
        The grid.
    backend : {"numba", "numpy"}
        Compiled kernels, or the pure-NumPy reference. Results agree to the bit where only ``+ - * / sqrt``
        occur.
    workers : int, optional
        Threads to run tiles on; all cores if not given. No influence on any result.
    executor : concurrent.futures.Executor, optional
        Runs the tiles instead of threads of this process, for example a `ProcessPoolExecutor` (started by
        spawn or forkserver) or ``dask.distributed.Client(...).get_executor()``.
    keep_theta : bool
        Keep the end points.
    progress : bool or callable, optional
        True shows a progress bar, False nothing, None a bar on a terminal for what takes over two seconds. A
        callable is called with trajectories done and in all after each tile.

    Returns
    -------
    xarray.Dataset
        Over ``(optimizer, learning_rate, start)``: ``outcome`` (int8, CF flags), ``steps`` (int32, updates
        done), ``loss`` and ``gradient_norm`` (float64, at the end point; the norm is ``max|g|``), ``basin``
        (int16, index of the minimum, lowest first, −1 for none), ``period`` (int8, of an oscillation, else 0);
        with `keep_theta` also ``theta`` with a ``parameter`` dimension. Starts are numbered; ``start_point
        (start, parameter)`` tells where they are; the labels of a `Starts` are coordinates over ``start``. Where groups
        have learning rates of their own, these are numbered, and ``group_rate (learning_rate, group)`` tells them.
        ``rule (optimizer)`` names the rules, and each hyperparameter in which the optimizers differ is a coordinate
        over ``optimizer`` too (NaN where one has none), such as ``momentum``. The attributes hold the specification,
        versions and machine.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind; the message names it.
    """
    if not isinstance(sweep, Sweep):
        raise TypeError(f"sweep must be a gdfast.Sweep, not {sweep!r}")
    arguments.choice("backend", backend, ["numba", "numpy"])
    if workers is not None:
        workers = arguments.integer("workers", workers)
    if executor is not None and workers is not None:
        raise ValueError(f"workers must not be given ({workers}) beside an executor, which has its own")
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(f"executor must be a concurrent.futures.Executor, not {executor!r}")
    began = time.perf_counter()
    if backend == "numba":
        from gdfast import tile

        tile.prepare(sweep)
    compiled = time.perf_counter()
    # Every cell is written by its tile, or there is no result.
    columns = {name: np.empty(sweep.shape, dtype) for name, dtype in _FIELDS.items()}
    theta = np.empty((*sweep.shape, sweep.problem.dimension)) if keep_theta else None
    lane_steps = 0
    with _progress(progress, sweep.size) as report:
        done = 0
        for part, cells in _finished(sweep, backend, workers, executor, keep_theta):
            for name, column in columns.items():
                column[part.optimizer].reshape(-1)[part.first : part.last] = getattr(cells, name)
            if theta is not None:
                rows = theta[part.optimizer].reshape(-1, sweep.problem.dimension)
                rows[part.first : part.last] = cells.theta.T
            lane_steps += cells.lane_steps
            done += part.last - part.first
            report(done, sweep.size)
    timing = {"compile_seconds": compiled - began, "run_seconds": time.perf_counter() - compiled}
    useful = float(columns["steps"].sum(dtype=np.int64)) / max(lane_steps, 1)
    return _dataset(sweep, columns, theta, {**timing, "useful_share": min(useful, 1.0), "backend": backend})


def _cells(sweep: Sweep, part: Tile, backend: str, keep_theta: bool, stop: Any = None) -> Cells:
    """Run one tile: what an executor is handed."""
    if backend == "numba":
        from gdfast.tile import run_tile
    else:
        from gdfast.reference import run_tile
    stop = np.zeros(1, dtype=np.int64) if stop is None else stop
    cells = classify(
        sweep.problem, sweep.optimizers[part.optimizer], run_tile(sweep, part, stop), sweep.gradient_tolerance
    )
    if not keep_theta:
        cells.theta = np.empty((0, 0))
    return cells


def _finished(
    sweep: Sweep, backend: str, workers: int | None, executor: Executor | None, keep_theta: bool
) -> Iterator[tuple[Tile, Cells]]:
    """Yield tiles as they finish; on an interruption stop those that run and drop those that wait."""
    threads = None
    # Only threads share memory; elsewhere a tile that has begun runs to its end.
    stop = np.zeros(1, dtype=np.int64) if executor is None else None
    if executor is None:
        workers = workers or len(
            os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
        )
        executor = threads = ThreadPoolExecutor(workers, thread_name_prefix="gdfast")
    waiting = iter(sweep.tiles)
    running: dict[Future[Cells], Tile] = {}
    bound = 4 * (workers or 64)
    try:
        while True:
            while len(running) < bound and (part := next(waiting, None)) is not None:
                running[executor.submit(_cells, sweep, part, backend, keep_theta, stop)] = part
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield running.pop(future), future.result()
    finally:
        if stop is not None:
            stop[0] = 1
        for future in running:
            future.cancel()
        if threads is not None:
            threads.shutdown(wait=True)


@contextlib.contextmanager
def _progress(progress: bool | Progress | None, total: int) -> Iterator[Progress]:
    """Give a function that is called with trajectories done and in all."""
    if callable(progress):
        yield progress
    elif progress is False or (progress is None and not sys.stderr.isatty()):
        yield lambda done, total: None
    else:
        with _bar(total, patience=0.0 if progress else 2.0) as report:
            yield report


@contextlib.contextmanager
def _bar(total: int, patience: float) -> Iterator[Progress]:
    """Show a bar on standard error once `patience` seconds have passed."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    bar = RichProgress(
        TextColumn("{task.percentage:3.0f} %"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} trajectories, {task.fields[rate]:,.0f} a second,"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task("", total=total, rate=0.0)
    began = time.perf_counter()

    def report(done: int, total: int) -> None:
        elapsed = time.perf_counter() - began
        bar.update(task, completed=done, rate=done / max(elapsed, 1e-9))
        if elapsed >= patience and not bar.live.is_started:
            bar.start()

    try:
        yield report
    finally:
        if bar.live.is_started:
            bar.stop()


def _dataset(sweep: Sweep, columns: dict[str, Any], theta: Any, facts: dict[str, Any]) -> "xarray.Dataset":
    import xarray

    dimensions = ("optimizer", "learning_rate", "start")
    attributes = {
        "outcome": {
            "long_name": "how the trajectory ended",
            "flag_values": [int(o) for o in Outcome],
            "flag_meanings": " ".join(o.name for o in Outcome),
            "comment": "; ".join(f"{o.name}: {MEANING[o]}" for o in Outcome),
        },
        "steps": {"long_name": "updates done", "units": "1"},
        "loss": {"long_name": "loss at the end point"},
        "gradient_norm": {"long_name": "largest absolute entry of the gradient at the end point"},
        "basin": {"long_name": "index of the minimum, lowest first; -1 for none"},
        "period": {"long_name": "period of the oscillation in steps; 0 for none", "units": "1"},
    }
    data: dict[str, Any] = {name: (dimensions, column, attributes[name]) for name, column in columns.items()}
    if theta is not None:
        data["theta"] = ((*dimensions, "parameter"), theta, {"long_name": "end point"})
    taken = {*data, *dimensions, "rule", "parameter", "start_point"}
    hyperparameters = {
        f"optimizer_{name}" if name in taken else name: (
            "optimizer",
            values if isinstance(values, np.ndarray) else np.array(values, dtype=object),
            {"long_name": f"hyperparameter {name}"},
        )
        for name, values in sweep.hyperparameters.items()
    }
    return xarray.Dataset(
        data,
        coords={
            "optimizer": np.array(sweep.labels, dtype=object),
            "rule": ("optimizer", np.array([o.name for o in sweep.optimizers], dtype=object)),
            **hyperparameters,
            **_rate_coordinates(sweep),
            "start": np.arange(len(sweep.starts)),
            **{name: ("start", values) for name, values in sweep.start_labels.items()},
            "parameter": np.array(sweep.problem.coordinates, dtype=object),
            "start_point": (("start", "parameter"), sweep.starts, {"long_name": "initial point"}),
        },
        attrs={
            "title": f"gdfast sweep of {sweep.problem.label}",
            "specification": json.dumps(sweep.specification),
            "minima": json.dumps([[p.loss, *p.point] for p in sweep.problem.minima]),
            **facts,
            **machine(),
        },
    )


def _rate_coordinates(sweep: Sweep) -> dict[str, Any]:
    """The learning rates; where groups have their own, they are numbered, and ``group_rate`` tells them."""
    rates, name = sweep.learning_rates, {"long_name": "learning rate"}
    if rates.ndim == 1:
        return {"learning_rate": ("learning_rate", rates, name)}
    return {
        "learning_rate": np.arange(len(rates)),
        "group": np.array(sweep.problem.groups, dtype=object),
        "group_rate": (("learning_rate", "group"), rates, name),
    }


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


def _processor() -> str:
    from llvmlite import binding

    with contextlib.suppress(OSError), open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                return f"{line.split(':', 1)[1].strip()} ({binding.get_host_cpu_name()})"
    return f"{platform.processor() or platform.machine()} ({binding.get_host_cpu_name()})"
