"""Every trajectory of a sweep: tiles by threads or an executor, into memory or a store, with progress."""

import contextlib
import inspect
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdfast import arguments
from gdfast.outputs import check
from gdfast.running.progress import Callback, State, reporting
from gdfast.storing import netcdf
from gdfast.storing.columns import Columns
from gdfast.storing.contents import StoreError, check_folder, check_same
from gdfast.storing.result import useful_share
from gdfast.storing.reuse import Earlier
from gdfast.storing.store import read
from gdfast.storing.write import Store, writing
from gdfast.tiles.executors import Done, Parcel, WorkersError, cores, on_executor, on_threads, prepare
from gdfast.tiles.lower import knowing
from gdfast.tiles.sweep import Sweep
from gdfast.tiles.workers import check_count

if TYPE_CHECKING:
    import xarray

_OTHER_FILES = frozenset({".csv", ".gif", ".html", ".jpeg", ".jpg", ".parquet", ".pdf", ".png", ".svg"})


def sweep(
    problem: Any,
    optimizers: Any,
    learning_rates: Any = "1e-4:1:256",
    starts: Any = None,
    max_steps: float = 1000,
    **settings: Any,
) -> "xarray.Dataset":
    """Run a sweep at once: ``run(Sweep(problem, optimizers, …), …)``.

    Parameters
    ----------
    problem : Problem, str or factory
        What is minimized; like all others as in `gdfast.Sweep`, a text as on the command line, a thing, or its factory.
    optimizers : Optimizer, str or factory, or a sequence of them
        The update rules.
    learning_rates : array_like, (k,) or (k, groups), or str
        Positive learning rates.
    starts : array_like, (m, d), or Starts, or str or sequence of str, optional
        Initial points.
    max_steps : int
        The budget of each trajectory, in updates.
    **settings
        Further arguments of `gdfast.Sweep` and of `gdfast.run`, by name.

    Returns
    -------
    xarray.Dataset
        As that of `run`.

    Raises
    ------
    TypeError, ValueError, StoreError, OSError
        As these do.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam:beta1=0.8", "1e-4:1:16", "-3:3:8", keep_theta=True)
    >>> dict(result.theta.sizes)
    {'optimizer': 2, 'learning_rate': 16, 'start': 8, 'parameter': 1}
    """
    given = ["problem", "optimizers", "learning_rates", "starts", "max_steps"]
    of_run = [name for name in inspect.signature(run).parameters if name != "sweep"]
    of_sweep = [name for name in inspect.signature(Sweep).parameters if name not in given]
    for name in settings:
        arguments.choice("sweep: argument", name, [*given, *of_sweep, *of_run])
    running = {name: settings.pop(name) for name in of_run if name in settings}
    return run(Sweep(problem, optimizers, learning_rates, starts, max_steps, **settings), **running)


def run(
    sweep: Sweep,
    *,
    backend: str = "numba",
    workers: int | None = None,
    executor: Executor | None = None,
    keep_theta: bool = False,
    progress: bool | Callback | None = None,
    store: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    reuse: str | os.PathLike[str] | None = None,
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
        Threads to run tiles on, up to 4096; all cores if not given. No influence on any result.
    executor : concurrent.futures.Executor, optional
        Runs the tiles instead of threads of this process: `gdfast.executors.Processes`, what
        `gdfast.executors.dask` gives, or any other (a pool of processes must be started by spawn or forkserver).
    keep_theta : bool
        Keep the end points.
    progress : bool or callable, optional
        True shows a progress bar, False nothing, None a bar on a terminal for what takes over two seconds, elsewhere
        a line on standard error every half a minute. A callable is called with trajectories done and in all as
        tiles finish.
    store : path, optional
        Where to write the result while it is computed: a Zarr store, or, for what fits into memory, a netCDF file if
        the suffix is ``.nc``. If a part of the same sweep is in the Zarr store already, a line on standard error says
        so (unless `progress` says otherwise), and what is missing is run. The result is then read from the store when
        it is used.
    overwrite : bool
        Replace the result that is there. Only files that it names itself are removed.
    reuse : path, optional
        Another stored result, from which the trajectories are taken over that are the same in this sweep: it may have
        other learning rates, starts and optimizers, and another `max_steps`, within which trajectories that settled
        have settled too. Learning rates and starts are the same when they are to the bit. The rest is run. The result
        is the same to the bit, and the other one stays as it is.

    Returns
    -------
    xarray.Dataset
        Over ``(optimizer, learning_rate, start)``: ``outcome`` and ``ending`` (int8, CF flags), ``steps`` (int32,
        updates done), ``loss`` and ``gradient_norm`` (float64, at the end point; the norm is ``max|g|``), ``basin``
        (int16, index of the minimum, lowest first, −1 for none), ``period`` (int8, of an oscillation, else 0);
        ``measure`` (float64) if the sweep asks for one; ``accuracy``, ``validation_loss`` and ``validation_accuracy``
        (float64, at the end point) of a problem that holds rows out; with a history ``history_loss`` and so on, with a
        ``recorded_step`` dimension, whose coordinate tells the updates done; with `keep_theta` also ``theta`` with a
        ``parameter`` dimension. Starts are numbered; ``start_point (start, parameter)`` tells where they are; the
        labels of a `Starts` are coordinates over ``start``. Where groups have learning rates of their own, these are
        numbered, and ``group_rate (learning_rate, group)`` tells them. ``rule (optimizer)`` names the rules, and each
        hyperparameter in which the optimizers differ is a coordinate over ``optimizer`` too (NaN where one has none),
        such as ``momentum``. The attributes hold the specification
        and its digest, versions and machine; the known ``minima``, ``lowest_loss`` and ``loss_scale``; and as
        ``found_minima`` those that trajectories found, lower than all that were known. With these the run is made
        again, so that all is judged alike.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind; the message names it. Nor may a store be named like a
        picture or a table.
    StoreError
        If the store holds something else, is damaged, or is written by another process. A `ValueError`.
    WorkersLostError
        If workers ended before their tiles did, or the executor fails. What is stored stays, and the same call
        resumes it.
    WorkersDifferError
        If a worker has another gdfast, another text of a rule or formula, or another version of what computes.
    OSError
        If the store cannot be written, for example for want of space; the same call resumes it then too.

    Examples
    --------
    >>> import gdfast
    >>> sweep = gdfast.Sweep("quartic", "gd", [0.01, 0.1, 1.0], [-2.0, 2.0], max_steps=200)
    >>> result = gdfast.run(sweep, backend="numpy", progress=False)
    >>> gdfast.tidy(result).outcome.tolist()
    ['global_minimum', 'local_minimum', 'oscillating', 'local_minimum', 'diverged', 'diverged']
    """
    if not isinstance(sweep, Sweep):
        raise TypeError(f"sweep must be a gdfast.Sweep, not {arguments.shown(sweep)}")
    arguments.choice("backend", backend, ["numba", "numpy"])
    if workers is not None:
        workers = check_count("workers", workers)
    if executor is not None and workers is not None:
        raise ValueError(f"workers must not be given ({workers}) beside an executor, which has its own")
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(f"executor must be a concurrent.futures.Executor, not {arguments.shown(executor)}")
    keep_theta, overwrite = arguments.flag("keep_theta", keep_theta), arguments.flag("overwrite", overwrite)
    if callable(progress):
        arguments.function("progress", progress, "True, False, None or a function")
    elif progress is not None:
        progress = arguments.flag("progress, where it is no function,", progress)
    if overwrite and store is None:
        raise ValueError("overwrite must be False where no store is given, which it would replace")
    if store is not None:
        arguments.instance("store", store, (str, os.PathLike), "a path")
        _check_kind(Path(store))
    if reuse is not None:
        arguments.instance("reuse", reuse, (str, os.PathLike), "a path")
    how = _How(sweep, backend, workers or cores(), executor, keep_theta, progress)
    path = None if store is None else Path(store)
    if reuse is None:
        return how.into_path(path, overwrite)
    with read(Path(reuse)) as other:
        if path is not None and path.exists() and path.samefile(reuse):
            raise ValueError(f"reuse must be another result than the one that is written, {path}")
        how.earlier = Earlier(Path(reuse), other, sweep, backend, keep_theta)
        return how.into_path(path, overwrite)


def _check_kind(path: Path) -> None:
    """Refuse a name that tells of another kind of file.

    Raises
    ------
    ValueError
        If it does.
    """
    if path.suffix.lower() in _OTHER_FILES:
        raise ValueError(
            f"store: {path} must be a folder, such as {path.with_suffix('.zarr')}, or a netCDF file, "
            f"{path.with_suffix('.nc')}; maps and tables are made of it afterwards"
        )


class _How:
    """The arguments of one run."""

    def __init__(
        self,
        sweep: Sweep,
        backend: str,
        workers: int,
        executor: Executor | None,
        keep_theta: bool,
        progress: bool | Callback | None,
    ) -> None:
        self.sweep, self.backend, self.keep_theta = sweep, backend, keep_theta
        self.workers, self.executor, self.progress = workers, executor, progress
        self.parcel = None if executor is None else Parcel.of(sweep)
        self.earlier: Earlier | None = None
        self.compile_seconds = 0.0

    def into_path(self, path: Path | None, overwrite: bool) -> "xarray.Dataset":
        """Run all, or what a store lacks, and return the result."""
        if path is None:
            return self.in_memory()
        if path.suffix == ".nc":
            netcdf.check_installed(path)
        if not os.path.lexists(path):
            check(path, "store", ("a file", "a folder"))  # another may have made one in this moment
            self.prepare()  # what cannot be compiled is refused before anything is made
        if path.suffix == ".nc":
            return _netcdf(self, path, overwrite)
        while True:
            with writing(path, self.sweep, self.backend, self.keep_theta, overwrite, self.earlier) as opened:
                if opened.resumed and self.progress in (None, True):
                    print(f"gdfast: {opened.resumed}", file=sys.stderr)
                self.take(opened.sweep)
                try:
                    is_done = self.into(opened)
                except WorkersError as error:
                    raise type(error)(f"{error}; the same call again completes {path}") from None
            if is_done:
                return read(path)
            overwrite = False

    def take(self, sweep: Sweep) -> None:
        """Go on with a sweep whose problem knows more."""
        if sweep is not self.sweep:
            self.sweep, self.earlier = sweep, None
            self.parcel = None if self.executor is None else Parcel.of(sweep)

    def prepare(self) -> None:
        """Compile, or load from disk, what is needed; the seconds are added up."""
        began = time.perf_counter()
        prepare(self.sweep, self.backend)
        self.compile_seconds += time.perf_counter() - began

    @contextlib.contextmanager
    def started(self, target: Columns | Store) -> Iterator[Iterator[Done]]:
        """Start to run the target's tiles; give an iterator over what finishes."""
        settings: dict[str, Any] = {"backend": self.backend, "keep_theta": self.keep_theta, "put": target.put}
        tiles = target.tiles
        with (
            (
                on_threads(self.sweep, tiles, self.workers, **settings)
                if self.executor is None or self.parcel is None
                else on_executor(self.parcel, tiles, self.executor, **settings)
            ) as finished,
            reporting(self.progress) as report,
        ):
            done = self.sweep.size - sum(tile.last - tile.first for tile in tiles)
            yield _told(finished, report, done, self.sweep.size, len(tiles))

    def in_memory(self) -> "xarray.Dataset":
        """Run all and return the result."""
        run_seconds = 0.0
        while True:
            columns = Columns(self.sweep, self.keep_theta, self.earlier)
            self.prepare()
            began = time.perf_counter()
            steps = lane_steps = 0
            with self.started(columns) as finished:
                result = columns.dataset(self.backend)  # made while the tiles run
                for batch in finished:
                    steps += batch.steps
                    lane_steps += batch.lane_steps
            run_seconds += time.perf_counter() - began
            known = knowing(self.sweep, columns.lower)
            if known is None:
                break
            self.take(known)
        result.attrs["compile_seconds"] = self.compile_seconds
        result.attrs["run_seconds"] = run_seconds
        result.attrs["useful_share"] = useful_share(steps, lane_steps)
        return result

    def into(self, store: Store) -> bool:
        """Run what a store lacks; tell whether it is done, or to be run again, for a problem that knows more."""
        if store.missing:
            self.prepare()
            store.begin(self.compile_seconds)
            with self.started(store) as finished:
                for _ in finished:
                    pass
        known = knowing(self.sweep, store.lower)
        if known is None:
            store.finish()
            return True
        store.wait()
        self.take(known)
        return False


def _told(finished: Iterator[Done], report: Any, done: int, total: int, all_tiles: int) -> Iterator[Done]:
    tiles = steps = lane_steps = 0
    report(State(done, total, 0, all_tiles, 1.0))
    for batch in finished:
        tiles += batch.tiles
        done += batch.trajectories
        steps += batch.steps
        lane_steps += batch.lane_steps
        report(State(done, total, tiles, all_tiles, useful_share(steps, lane_steps), batch.waiting))
        yield batch


def _netcdf(how: _How, path: Path, overwrite: bool) -> "xarray.Dataset":
    check_folder(path.parent)
    if not os.path.lexists(path):
        result = how.in_memory()
        with contextlib.suppress(FileExistsError):  # another process was quicker
            netcdf.write(result, path, overwrite=False)
            return result
        result.close()
    elif overwrite:
        if path.is_symlink():
            raise StoreError(f"store: {path} is a link, through which nothing is overwritten; give {path.resolve()}")
        read(path).close()  # or it is no result, and refused
        result = how.in_memory()
        netcdf.write(result, path, overwrite=True)
        return result
    found = read(path)
    try:
        check_same(path, found.attrs, how.sweep, how.backend, how.keep_theta)
    except StoreError:
        found.close()
        raise
    return found
