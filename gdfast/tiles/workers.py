"""Executors that know their workers: processes of this machine, and a Dask cluster."""

import asyncio
import contextlib
import importlib
import inspect
import logging
import multiprocessing
import multiprocessing.connection
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing.context import SpawnContext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments

Stop = NDArray[Any]  # int64[1]; what runs ends early when it becomes other than zero
_ADDRESS = "an address such as tcp://127.0.0.1:8786"
_SCHEDULER = r"((tcp|tls|ws|wss|ucx)://)?(\[[\w:.%]+\]|[^\s\[\]/:@]+):(?P<port>\d{1,5})|inproc://\S+"
_stop: Stop = np.zeros(1, dtype=np.int64)


class WorkersError(RuntimeError):
    """Workers cannot run the tiles of a sweep."""


class WorkersLostError(WorkersError):
    """A worker, or all of them, ended before their tiles did."""


class WorkersDifferError(WorkersError):
    """A worker would not run the same code as this process."""


class Workers:
    """What is known of the workers of an executor; of any executor, no more than this.

    Attributes
    ----------
    workers : int
        About how many tiles it runs at once.
    patience : float
        Seconds for which `trouble` may last before a run ends.
    stop : ndarray
        ``int64[1]``; other than zero, it ends the tiles that run, where workers see it.
    turn : lock
        Held by the run whose tiles `stop` is about.
    """

    workers = 32
    patience = 30.0

    def __init__(self) -> None:
        self.stop: Stop = np.zeros(1, dtype=np.int64)
        self.turn = threading.RLock()

    def trouble(self) -> str:
        """Say why no tile can be finished at present; empty if nothing is known to be wrong."""
        return ""


def check_count(argument: str, value: Any) -> int:
    """Return a number of threads or processes.

    Raises
    ------
    TypeError, ValueError
        If it is no whole number from 1 to 4096.
    """
    return arguments.integer(argument, value, high=2**12)


class Processes(ProcessPoolExecutor, Workers):
    """Worker processes of this machine, each running one tile at a time, with nothing inherited but a stop flag.

    They are started afresh (spawned), leave Ctrl-C to this process, and end when it does, however it ends. When a
    ``with`` block is left by an exception, they are ended at once. Each begins by importing the script that was run,
    which therefore must do its work under ``if __name__ == "__main__":``.

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
        count = check_count("count", count)
        if _importing_the_script():
            raise SystemExit(1)  # quietly: the process that waits for this one says what is missing
        script = getattr(sys.modules["__main__"], "__file__", None)
        if script is not None and not os.path.isfile(script):
            raise WorkersError(
                f"worker processes start by importing the script that was run, but {script} is no file; "
                "save it as one, or use threads"
            )
        Workers.__init__(self)
        self.workers = count
        self._context = _Context()
        flags = self._context.RawArray("q", 2)  # whether to stop, and whether a worker has begun
        self._flags = np.frombuffer(flags, dtype=np.int64)
        self.stop = self._flags[:1]
        super().__init__(count, mp_context=self._context, initializer=_start_worker, initargs=(flags,))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Like `concurrent.futures.Executor.submit`; processes that it starts never see Ctrl-C.

        Parameters
        ----------
        fn : callable
            What is called.
        *args, **kwargs
            With what.

        Returns
        -------
        Future
            Of what it returns.
        """
        if not hasattr(signal, "pthread_sigmask"):
            return super().submit(fn, *args, **kwargs)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            return super().submit(fn, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def trouble(self) -> str:
        """Say how a process ended.

        Returns
        -------
        str
            A sentence; empty if none has ended.
        """
        sentinels = {process.sentinel: process for process in self._context.processes if process.pid is not None}
        ended = [sentinels[ready] for ready in multiprocessing.connection.wait(list(sentinels), timeout=0)]
        if not ended:
            return ""
        if not self._flags[1]:
            return (
                "worker processes ended before they began: each starts by importing the script that was run, which "
                'must come to its end then; let it do its work under `if __name__ == "__main__":`'
            )
        # The pool terminates the others, and may be about to learn what became of them.
        codes = [process.exitcode for process in ended if process.exitcode not in (None, -signal.SIGTERM)]
        how = f", by signal {-codes[0]}" if codes and codes[0] < 0 else ""
        return f"a worker process ended before its tiles did{how}, for example for want of memory"

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool | None:
        if kind is not None:
            for process in self._context.processes:
                if process.is_alive():
                    process.kill()
        return super().__exit__(kind, error, trace)


class _Context(SpawnContext):
    """Starts processes afresh, and knows those that it started."""

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[Any] = []

    def Process(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        process = super().Process(*args, **kwargs)
        self.processes.append(process)
        return process


def _importing_the_script() -> bool:
    """Whether this is called while a worker process imports, at its start, the script that its parent runs."""
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == "__mp_main__":
            return True
        frame = frame.f_back
    return False


def stop_flag() -> Stop:
    """What ends the tiles of this worker."""
    return _stop


def _start_worker(flags: Any) -> None:
    global _stop
    both = np.frombuffer(flags, dtype=np.int64)
    _stop = both[:1]
    both[1] = 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="gdfast-parent", daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent does: a pool's workers would wait for work from a killed one for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class Cluster(Executor, Workers):
    """A Dask cluster; `dask` connects to one.

    Parameters
    ----------
    client : distributed.Client
        What is connected.
    address : str
        Of the scheduler.
    patience : float
        Seconds that a run waits while no worker is connected.
    """

    def __init__(self, client: Any, address: str, patience: float) -> None:
        Workers.__init__(self)
        self.address, self.patience = address, patience
        self._client, self._executor = client, client.get_executor(pure=False)
        self.workers = max(sum(client.nthreads().values()), 1)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Like `concurrent.futures.Executor.submit`.

        Parameters
        ----------
        fn : callable
            What is called.
        *args, **kwargs
            With what.

        Returns
        -------
        Future
            Of what it returns.
        """
        future: Future[Any] = self._executor.submit(fn, *args, **kwargs)
        return future

    def trouble(self) -> str:
        """Say whether scheduler or workers are missing.

        Returns
        -------
        str
            A sentence; empty if nothing is missing.
        """
        lost = f"the Dask scheduler at {self.address} does not answer"
        if self._client.status != "running":
            return lost
        try:
            threads = self._client.sync(self._client.scheduler.ncores, workers=None, callback_timeout=2)
        except Exception:  # of many kinds, and of whatever transport is used
            return lost
        return "" if threads else f"no worker is connected to the Dask scheduler at {self.address}"

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more tiles.

        Parameters
        ----------
        wait, cancel_futures : bool
            As in `concurrent.futures.Executor.shutdown`.
        """
        self._executor.shutdown(wait=wait and not cancel_futures)


def check_address(address: str) -> str:
    """Return the address of a scheduler if it can be one.

    Raises
    ------
    TypeError, ValueError
        If it cannot.
    """
    if not isinstance(address, str):
        raise TypeError(f"scheduler must be {_ADDRESS}, not {address!r}")
    match = re.fullmatch(_SCHEDULER, address, re.ASCII)
    if not match or (match["port"] and not 0 < int(match["port"]) < 2**16):
        shown = address if len(address) <= 80 else address[:77] + "…"
        raise ValueError(f"scheduler must be {_ADDRESS}, not {shown!r}")
    return address


@contextlib.contextmanager
def dask(address: str, timeout: float = 5.0, patience: float = 30.0) -> Iterator[Cluster]:
    """Connect to a Dask cluster and give it as an executor.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://127.0.0.1:8786``.
    timeout : float
        Seconds to wait for its answer.
    patience : float
        Seconds that a run waits, and says so, while no worker is connected, before it ends.

    Yields
    ------
    Cluster
        The executor; it is closed at the end of the ``with``.

    Raises
    ------
    TypeError, ValueError
        If that is no address.
    ConnectionError
        If Dask is not installed, or no scheduler answers at the address.
    """
    check_address(address)
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise ConnectionError("scheduler: Dask is not installed; pip install 'gdfast[dask]'") from None
    _check_scheduler(distributed, address, timeout)
    with _unlogged("distributed.client"):  # what it tells of a lost scheduler, the run tells
        try:
            client = distributed.Client(address, timeout=timeout, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ConnectionError(f"scheduler: {address} cannot be reached: {error}") from None
        try:
            yield Cluster(client, address, patience)
        finally:
            with contextlib.suppress(OSError):  # such as a scheduler that does not answer any more
                client.close(timeout=1)


@contextlib.contextmanager
def _unlogged(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _check_scheduler(distributed: Any, address: str, timeout: float) -> None:
    """Refuse what is no scheduler; a client that finds it out itself needs long to give up, and leaves tasks behind."""

    async def ask() -> Any:
        async with asyncio.timeout(timeout), distributed.rpc(address) as remote:
            return await remote.identity()

    answer: Future[Any] = Future()

    def run() -> None:
        try:
            answer.set_result(asyncio.run(ask()))
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=run, name="gdfast-connect", daemon=True).start()  # a notebook's loop runs in this one
    try:
        identity = answer.result()
    except Exception as error:
        why = f"nothing answers as a scheduler does in {timeout:g} s" if isinstance(error, TimeoutError) else error
        raise ConnectionError(f"scheduler: {address} cannot be reached: {why}") from None
    kind = identity.get("type") if isinstance(identity, dict) else None
    if kind != "Scheduler":
        raise ConnectionError(f"scheduler: what answers at {address} is no Dask scheduler, but {kind or 'unknown'}")


def of(
    workers: int | None, processes: int | None, scheduler: str | None
) -> contextlib.AbstractContextManager[Executor | None]:
    """The executor for one of: a number of threads (none is needed), of processes, or a Dask scheduler's address.

    Parameters
    ----------
    workers : int, optional
        How many threads.
    processes : int, optional
        How many processes.
    scheduler : str, optional
        The address of a Dask scheduler.

    Returns
    -------
    context manager
        Gives an executor, or None for threads, which `gdfast.run` has itself.

    Raises
    ------
    TypeError, ValueError
        If they are more than one, or not accepted.
    ConnectionError
        If no scheduler answers.
    """
    for name, value in (("workers", workers), ("processes", processes)):
        if value is not None:
            check_count(name, value)
    if sum(value is not None for value in (workers, processes, scheduler)) > 1:
        raise ValueError("workers, processes and scheduler exclude each other; give one of them")
    if scheduler is not None:
        return dask(scheduler)
    return contextlib.nullcontext() if processes is None else Processes(processes)
