"""What runs tiles: threads of this process, local processes, a Dask cluster, or any other executor.

Threads share memory: each takes the next batch of tiles, runs it and puts the cells where they belong. Everywhere
else a batch travels by name: its tiles, and the digest of its sweep. A worker that does not know the sweep says so and
is sent it, so the sweep travels about once a worker, not once a tile, whatever the executor.

Lost workers and retries are the executor's: Dask runs the tasks of a lost worker again elsewhere, a pool of processes
breaks. Tiles are pure functions of the sweep, so a second run of one gives the same bits; and a worker that would run
other code refuses the sweep.
"""

import _thread
import contextlib
import hashlib
import itertools
import os
import pickle
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Any, NamedTuple, TypeVar

import numpy as np

from gdfast import __version__
from gdfast.tiles import environment
from gdfast.tiles.ending import Ending
from gdfast.tiles.outcomes import Cells
from gdfast.tiles.prepared import Prepared
from gdfast.tiles.record import told
from gdfast.tiles.sweep import Sweep, Tile
from gdfast.tiles.workers import (
    Cluster,
    Processes,
    Stop,
    Workers,
    WorkersDifferError,
    WorkersError,
    WorkersLostError,
    dask,
    of,
    stop_flag,
)

__all__ = [
    "Cluster",
    "Processes",
    "WorkersDifferError",
    "WorkersError",
    "WorkersLostError",
    "dask",
    "of",
]

T = TypeVar("T")
R = TypeVar("R")
Put = Callable[[Tile, Cells], None]
Batch = Sequence[Tile]
_LOOK_EVERY = 1.0  # seconds without a finished batch after which workers are looked after
_SMALL_BATCH, _LARGE_BATCH = 4096, 131072
_SHORT = 2**26  # updates of a coordinate, by most rules some tenths of a second


class Done(NamedTuple):
    """What is told of a finished batch; or, of no tiles, what is waited for."""

    tiles: int
    trajectories: int
    steps: int
    lane_steps: int
    waiting: str = ""


def cells_of(prepared: Prepared, tile: Tile, backend: str, keep_theta: bool, stop: Stop) -> Cells:
    """Run one tile; its results have no meaning where `stop` became other than zero."""
    if backend == "numba":
        from gdfast.tiles.tile import run_tile
    else:
        from gdfast.tiles.reference import run_tile
    sweep = prepared.sweep
    endings = run_tile(prepared, tile, stop)
    cells = prepared.judge.cells(endings, tile.first)
    optimizer, memory = sweep.optimizers[tile.optimizer], endings.memory.astype(np.float64, copy=False)
    tried, memory = (memory[:1], memory[1:]) if optimizer.counts else (memory[:0], memory)
    if sweep.measure:
        seen = np.minimum(endings.steps + 1, sweep.max_steps)
        cells.measure = sweep.measure.value(memory, seen, sweep.max_steps, cells.ending == Ending.diverged)
    cells.told = told(sweep, prepared.plan(tile.optimizer), endings.record, cells)
    if "evaluations" in sweep.told_at_ends:
        cells.told["evaluations"] = endings.steps * float(optimizer.points) + tried.sum(axis=0)
    if not keep_theta:
        cells.theta = np.empty((0, 0))
    return cells


def prepare(sweep: Sweep, backend: str) -> None:
    """Compile, or load from disk, all that the sweep's tiles need."""
    if backend == "numba":
        from gdfast.tiles import tile

        tile.prepare(sweep)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_batches(tiles: Batch, workers: int, most: int) -> list[Batch]:
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
    stopped. The thread that iterates is one of them where tiles are short.
    """
    prepared = Prepared(sweep)
    if tiles:
        prepared.begin(tiles[0].optimizer, backend)

    def run_batch(batch: Batch, stop: Stop) -> Done:
        steps = lane_steps = trajectories = 0
        for tile in batch:
            cells = cells_of(prepared, tile, backend, keep_theta, stop)
            if stop[0]:
                break
            put(tile, cells)
            trajectories += tile.last - tile.first
            steps += int(cells.steps.sum(dtype=np.int64))
            lane_steps += cells.lane_steps
        return Done(len(batch), trajectories, steps, lane_steps)

    batches = in_batches(tiles, workers, _SMALL_BATCH)
    takes_part = are_short(sweep, (tile.last - tile.first for tile in tiles), backend)
    with each_on_threads(run_batch, batches, workers, takes_part) as finished:
        yield finished


def are_short(sweep: Sweep, sizes: Iterable[int], backend: str) -> bool:
    """Whether tiles of so many trajectories take some tenths of a second at most, by most rules."""
    work = max(sizes, default=0) * sweep.max_steps * max(sweep.problem.step_work, sweep.problem.dimension)
    return backend == "numba" and work <= _SHORT


@contextlib.contextmanager
def each_on_threads(
    work: Callable[[T, Stop], R], items: Sequence[T], workers: int, takes_part: bool = False
) -> Iterator[Iterator[R]]:
    """Start threads that call ``work(item, stop)`` for each item; give an iterator over what it returns, as it comes.

    `stop` is ``int64[1]`` and becomes 1 when the context is left before all is done. With `takes_part` the thread that
    iterates is one of the workers, where it would only wait: it sees nothing, not even Ctrl-C, while machine code runs,
    but no thread has to be woken for it, which takes as long as a small item.
    """
    stop = np.zeros(1, dtype=np.int64)
    results: queue.SimpleQueue[Any] = queue.SimpleQueue()
    counter, n = itertools.count(), len(items)

    def worked() -> bool:
        """Work on the next item, if there is one."""
        if (i := next(counter)) >= n or stop[0]:
            return False
        results.put((work(items[i], stop), None))
        return True

    def loop(runs: Any) -> None:
        try:
            while worked():
                pass
        except BaseException as error:  # handed to the thread that waits
            results.put((None, error))
        finally:
            runs.release()

    def finished() -> Iterator[R]:
        for _ in range(n):
            while takes_part and results.empty() and worked():
                pass
            result, error = results.get()
            if error is not None:
                raise error
            yield result

    running = []
    try:
        for _ in range(min(workers, n) - takes_part):
            runs = threading.Lock()
            runs.acquire()
            _thread.start_new_thread(loop, (runs,))  # threading.Thread waits until it runs: as long as a small sweep
            running.append(runs)
        yield finished()
    finally:
        stop[0] = 1
        for runs in running:
            runs.acquire()


class Parcel(NamedTuple):
    """A sweep as it travels: what a worker must know before it runs a tile of it.

    Attributes
    ----------
    name : str
        A digest of the rest.
    pickled : bytes
        The sweep.
    environment : dict
        What must be the same where its tiles run; see `gdfast.tiles.environment`.
    """

    name: str
    pickled: bytes
    environment: dict[str, str]

    @classmethod
    def of(cls, sweep: Sweep) -> "Parcel":
        """Pack a sweep.

        Raises
        ------
        TypeError
            If it cannot travel, since what it is made of has no name by which a worker could find it.
        """
        try:
            pickled = pickle.dumps(sweep)
            _, found = environment.unpack(pickled)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise TypeError(
                f"executor: the sweep cannot travel to workers ({_short(error)}); "
                "write its functions at the top of a module that workers can import"
            ) from None
        name = hashlib.sha256(b"\0".join([pickled, repr(sorted(found.items())).encode()])).hexdigest()
        return cls(name, pickled, found)

    def open(self) -> Sweep:
        """Unpack the sweep in a worker.

        Raises
        ------
        WorkersDifferError
            If the worker would not run the same code.
        """
        try:
            sweep, found = environment.unpack(self.pickled)
        except (ImportError, AttributeError) as error:
            raise WorkersDifferError(
                f"a worker does not have what the sweep is made of: {_short(error)}; "
                "write it in a module that workers can import"
            ) from None
        different = environment.differences(self.environment, found)
        if different:
            raise WorkersDifferError(f"a worker would not run the same code: {different}")
        assert isinstance(sweep, Sweep)
        return sweep


@contextlib.contextmanager
def on_executor(
    parcel: Parcel, tiles: Batch, executor: Executor, backend: str, keep_theta: bool, put: Put
) -> Iterator[Iterator[Done]]:
    """Like `on_threads`, by any executor; cells are put by the thread that iterates.

    Now and then the iterator gives an empty batch, which tells what is waited for.

    Raises
    ------
    WorkersLostError
        From the iterator, when the executor failed to run a batch and does not run it again.
    WorkersDifferError
        From the iterator, when a worker would not run the same code.
    """
    known = executor if isinstance(executor, Workers) else Workers()
    running: dict[Future[Any], tuple[Batch, Parcel | None]] = {}

    def submit(batch: Batch, parcel: Parcel | None) -> None:
        future = executor.submit(pickle.loads, pickle.dumps(_Call(name, parcel, backend, keep_theta, batch)))
        if not isinstance(future, Future):
            raise TypeError(f"it gives no concurrent.futures.Future, but {_short(future)}")
        running[future] = batch, parcel

    def answers() -> Iterator[tuple[Batch, Any]]:
        """Give batches with what came of them, or one without tiles when a while has passed."""
        waiting = iter(in_batches(tiles, known.workers, _LARGE_BATCH))
        trouble, since = "", 0.0
        while True:
            while len(running) < 2 * known.workers and (batch := next(waiting, None)) is not None:
                submit(batch, None)
            if not running:
                return
            finished = wait(running, timeout=_LOOK_EVERY, return_when=FIRST_COMPLETED).done
            if not finished:
                before, trouble = trouble, known.trouble()
                since = since if before and trouble else time.monotonic()
                if time.monotonic() - since > known.patience:
                    raise WorkersLostError(f"{trouble}, for {known.patience:g} s")
                yield [], trouble
                continue
            trouble = ""
            for future in finished:
                batch, sent = running.pop(future)
                answer = future.result()
                if answer is None and sent is None:
                    submit(batch, parcel)
                else:
                    yield batch, answer

    def sound() -> Iterator[tuple[Batch, Any]]:
        """The same, with one sentence for whatever an executor fails by."""
        try:
            yield from answers()
        except WorkersError:
            raise
        except (ImportError, AttributeError) as error:
            raise WorkersDifferError(
                f"a worker does not find what it is to run ({_short(error)}); "
                f"install gdfast {__version__} where the workers run"
            ) from None
        except Exception as error:
            trouble = known.trouble() or f"the executor does not run the tiles: {_short(error)}"
            raise WorkersLostError(trouble) from None

    def finished() -> Iterator[Done]:
        for batch, answer in sound():
            if not batch:
                yield Done(0, 0, 0, 0, answer)
                continue
            if isinstance(answer, Exception):
                raise answer
            if not _are_cells(answer, batch):
                raise WorkersLostError(f"the executor gives something else than it was to run: {_short(answer)}")
            for tile, cells in zip(batch, answer, strict=True):
                put(tile, cells)
            yield Done(
                len(batch),
                sum(tile.last - tile.first for tile in batch),
                sum(int(cells.steps.sum(dtype=np.int64)) for cells in answer),
                sum(cells.lane_steps for cells in answer),
            )

    name = parcel.name
    with known.turn:
        known.stop[0] = 0
        try:
            yield finished()
        finally:
            if running:
                known.stop[0] = 1
            for future in running:
                future.cancel()


def _short(thing: object) -> str:
    """The first line of what is said of a thing, cut where it is long."""
    text = f"{type(thing).__name__}: {thing}" if isinstance(thing, Exception) else repr(thing)
    line = text.strip().partition("\n")[0]
    return line if len(line) <= 200 else line[:199] + "…"


def _are_cells(answer: Any, batch: Batch) -> bool:
    return (
        isinstance(answer, list)
        and len(answer) == len(batch)
        and all(
            isinstance(cells, Cells) and len(cells.outcome) == tile.last - tile.first
            for tile, cells in zip(batch, answer, strict=True)
        )
    )


_known: dict[str, Prepared] = {}
_knowing = threading.Lock()


class _Call:
    """A call of `_remote` in its pickled form: reading it is calling.

    What an executor is given to run is then nothing of gdfast, but `pickle.loads` and bytes. A worker that has no
    gdfast, or another, so fails in the call, and not at reading its messages, which ends a worker of Dask.
    """

    def __init__(self, *values: Any) -> None:
        self.values = values

    def __reduce__(self) -> Any:
        return _remote, self.values


def _remote(
    name: str, parcel: Parcel | None, backend: str, keep_theta: bool, batch: Batch
) -> list[Cells] | Exception | None:
    """Run a batch in a worker; None if the worker does not know the sweep of this name and was not sent it.

    An error of the sweep is returned, not raised: what is raised is the executor's.
    """
    try:
        with _knowing:
            prepared = _known.get(name)
            if prepared is None:
                if parcel is None:
                    return None
                sweep = parcel.open()
                prepare(sweep, backend)
                _known.clear()  # one sweep is run at a time
                _known[name] = prepared = Prepared(sweep)
        return [cells_of(prepared, tile, backend, keep_theta, stop_flag()) for tile in batch]
    except Exception as error:
        return error
