"""What runs tiles: threads of this process, local processes, a Dask cluster, or any other executor.

Threads share memory: each takes the next batch of tiles, runs it and puts the cells where they belong. Everywhere
else a batch travels by name: its tiles, and the digest of its sweep. A worker that does not know the sweep says so and
is sent it, so the sweep travels about once a worker, not once a tile, whatever the executor.

Lost workers and retries are the executor's: Dask runs the tasks of a lost worker again elsewhere, a pool of processes
breaks. Tiles are pure functions of the sweep, so a second run of one gives the same bits.
"""

import contextlib
import hashlib
import importlib
import itertools
import multiprocessing
import os
import pickle
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.outcomes import Cells, Outcome, classify
from gdfast.sweep import Sweep, Tile

T = TypeVar("T")
R = TypeVar("R")
Put = Callable[[Tile, Cells], None]
Batch = Sequence[Tile]
Stop = NDArray[Any]  # int64[1]; what runs ends early when it becomes other than zero
_SMALL_BATCH, _LARGE_BATCH = 4096, 131072


class WorkersLostError(RuntimeError):
    """A worker process ended before its tiles did."""


class Done(NamedTuple):
    """What is told of a finished batch."""

    tiles: int
    trajectories: int
    steps: int
    lane_steps: int


def cells_of(sweep: Sweep, tile: Tile, backend: str, keep_theta: bool, stop: Stop) -> Cells:
    """Run one tile; its results have no meaning where `stop` became other than zero."""
    if backend == "numba":
        from gdfast.tile import run_tile
    else:
        from gdfast.reference import run_tile
    optimizer = sweep.optimizers[tile.optimizer]
    endings = run_tile(sweep, tile, stop)
    cells = classify(sweep.problem, optimizer, endings, sweep.gradient_tolerance)
    if sweep.measure:
        seen = np.minimum(endings.steps + 1, sweep.max_steps)
        memory = endings.memory.astype(np.float64, copy=False)
        cells.measure = sweep.measure.value(memory, seen, sweep.max_steps, cells.outcome == Outcome.diverged)
    if not keep_theta:
        cells.theta = np.empty((0, 0))
    return cells


def prepare(sweep: Sweep, backend: str) -> None:
    """Compile, or load from disk, all that the sweep's tiles need."""
    if backend == "numba":
        from gdfast import tile

        tile.prepare(sweep)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def batches(tiles: Batch, workers: int, most: int) -> list[Batch]:
    """Group tiles that follow one another, so that small ones do not cost a message each.

    A batch holds at most `most` trajectories, unless one tile does, and there are at least some 16 for each worker.
    """
    most = min(most, sum(tile.last - tile.first for tile in tiles) // (16 * workers))
    found: list[Batch] = []
    begin = size = 0
    for i, tile in enumerate(tiles):
        if i > begin and size + tile.last - tile.first > most:
            found.append(tiles[begin:i])
            begin, size = i, 0
        size += tile.last - tile.first
    return [*found, tiles[begin:]] if tiles else []


@contextlib.contextmanager
def on_threads(
    sweep: Sweep, tiles: Batch, workers: int, backend: str, keep_theta: bool, put: Put
) -> Iterator[Iterator[Done]]:
    """Start threads that run the tiles and put their cells; give an iterator over the batches as they finish.

    The threads are at work when this returns, and have ended when its context is left; those still running then are
    stopped.
    """

    def run_batch(batch: Batch, stop: Stop) -> Done:
        steps = lane_steps = trajectories = 0
        for tile in batch:
            cells = cells_of(sweep, tile, backend, keep_theta, stop)
            if stop[0]:
                break
            put(tile, cells)
            trajectories += tile.last - tile.first
            steps += int(cells.steps.sum(dtype=np.int64))
            lane_steps += cells.lane_steps
        return Done(len(batch), trajectories, steps, lane_steps)

    with each_on_threads(run_batch, batches(tiles, workers, _SMALL_BATCH), workers) as finished:
        yield finished


@contextlib.contextmanager
def each_on_threads(work: Callable[[T, Stop], R], items: Sequence[T], workers: int) -> Iterator[Iterator[R]]:
    """Start threads that call ``work(item, stop)`` for each item; give an iterator over what it returns, as it comes.

    `stop` is ``int64[1]`` and becomes 1 when the context is left before all is done.
    """
    stop = np.zeros(1, dtype=np.int64)
    results: queue.SimpleQueue[Any] = queue.SimpleQueue()
    counter, n = itertools.count(), len(items)

    def loop() -> None:
        try:
            while (i := next(counter)) < n and not stop[0]:
                results.put((work(items[i], stop), None))
        except BaseException as error:  # handed to the thread that waits
            results.put((None, error))

    def finished() -> Iterator[R]:
        for _ in range(n):
            result, error = results.get()
            if error is not None:
                raise error
            yield result

    threads = [threading.Thread(target=loop, name=f"gdfast-{i}", daemon=True) for i in range(min(workers, n))]
    try:
        for thread in threads:
            thread.start()
        yield finished()
    finally:
        stop[0] = 1
        for thread in threads:
            thread.join()


@contextlib.contextmanager
def on_executor(
    sweep: Sweep, tiles: Batch, executor: Executor, backend: str, keep_theta: bool, put: Put
) -> Iterator[Iterator[Done]]:
    """Like `on_threads`, by any executor; cells are put by the thread that iterates.

    Raises
    ------
    WorkersLostError
        From the iterator, when the executor lost the worker of a batch and does not run it again.
    """
    workers = getattr(executor, "_max_workers", None) or 32
    parcel = pickle.dumps(sweep)
    name = hashlib.sha256(parcel).hexdigest()
    stop = executor.stop if isinstance(executor, Processes) else np.zeros(1, dtype=np.int64)
    stop[0] = 0
    running: dict[Future[list[Cells] | None], Batch] = {}

    def submit(batch: Batch, parcel: bytes | None) -> None:
        running[executor.submit(_remote, name, parcel, backend, keep_theta, batch)] = batch

    def finished() -> Iterator[Done]:
        waiting = iter(batches(tiles, workers, _LARGE_BATCH))
        while True:
            while len(running) < 2 * workers and (batch := next(waiting, None)) is not None:
                submit(batch, None)
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                batch = running.pop(future)
                found = future.result()
                if found is None:
                    submit(batch, parcel)
                    continue
                for tile, cells in zip(batch, found, strict=True):
                    put(tile, cells)
                yield Done(
                    len(batch),
                    sum(tile.last - tile.first for tile in batch),
                    sum(int(cells.steps.sum(dtype=np.int64)) for cells in found),
                    sum(cells.lane_steps for cells in found),
                )

    def guarded() -> Iterator[Done]:
        try:
            yield from finished()
        except Exception as error:
            if isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker":  # the latter is Dask's
                raise WorkersLostError(
                    "a worker process ended before its tiles did, for example for want of memory"
                ) from error
            raise

    try:
        yield guarded()
    finally:
        stop[0] = 1
        for future in running:
            future.cancel()


_known: dict[str, Sweep] = {}
_knowing = threading.Lock()
_stop: Stop = np.zeros(1, dtype=np.int64)


def _remote(name: str, parcel: bytes | None, backend: str, keep_theta: bool, batch: Batch) -> list[Cells] | None:
    """Run a batch in a worker; None if the worker does not know the sweep of this name and was not sent it."""
    with _knowing:
        sweep = _known.get(name)
        if sweep is None:
            if parcel is None:
                return None
            sweep = pickle.loads(parcel)
            prepare(sweep, backend)
            _known.clear()  # one sweep is run at a time
            _known[name] = sweep
    return [cells_of(sweep, tile, backend, keep_theta, _stop) for tile in batch]


class Processes(ProcessPoolExecutor):
    """Worker processes of this machine, each running one tile at a time, with nothing inherited but a stop flag.

    They are started afresh (spawned), leave Ctrl-C to this process, and end when it does, however it ends.

    Parameters
    ----------
    count : int
        How many, up to 4096.

    Raises
    ------
    TypeError, ValueError
        If it is no such number.
    """

    def __init__(self, count: int) -> None:
        count = arguments.integer("count", count, high=2**12)
        context = multiprocessing.get_context("spawn")
        shared = context.RawArray("q", 1)
        self.stop: Stop = np.frombuffer(shared, dtype=np.int64)
        super().__init__(count, mp_context=context, initializer=_start_worker, initargs=(shared,))


def _start_worker(shared: Any) -> None:
    global _stop
    _stop = np.frombuffer(shared, dtype=np.int64)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="gdfast-parent", daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent does: a pool's workers would wait for work from a killed one for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextlib.contextmanager
def dask(address: str, timeout: float = 10.0) -> Iterator[Executor]:
    """Connect to a Dask cluster and give it as an executor.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://127.0.0.1:8786``.
    timeout : float
        Seconds to wait for its answer.

    Raises
    ------
    ConnectionError
        If Dask is not installed, or nothing answers at the address.
    """
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise ConnectionError("scheduler: Dask is not installed; pip install 'gdfast[dask]'") from None
    try:
        client = distributed.Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConnectionError(f"scheduler: {address} cannot be reached: {error}") from None
    try:
        yield client.get_executor(pure=False)
    finally:
        client.close()


def of(
    workers: int | None, processes: int | None, scheduler: str | None
) -> contextlib.AbstractContextManager[Executor | None]:
    """The executor for one of: a number of threads (none is needed), of processes, or a Dask scheduler's address."""
    if scheduler is not None:
        return dask(scheduler)
    return contextlib.nullcontext() if processes is None else Processes(processes)
