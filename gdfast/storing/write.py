"""How a store is written: block by block, so that what is done stays done however the run ends.

Tiles are collected until a block is whole. Its chunks are written under other names and renamed into place; a thread
of its own syncs them, and then adds a line to the journal, for all blocks that came meanwhile at once. So nothing waits
for the disk but that thread, and what the journal says is on it. A store that is to be resumed is compared with its
journal first, every file of it: what is damaged or missing is written or run again.
"""

import contextlib
import errno
import math
import os
import threading
import time
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast.storing import files
from gdfast.storing.contents import damaged
from gdfast.storing.journal import JOURNAL, Journal, check_of, grid, line
from gdfast.storing.layout import Array, chunk, compressed
from gdfast.storing.opening import Opened, opened
from gdfast.storing.result import fill, machine, useful_share
from gdfast.storing.reuse import Earlier
from gdfast.tiles.lower import Lower, least
from gdfast.tiles.outcomes import Cells
from gdfast.tiles.sweep import Sweep, Tile

_LARGEST_BLOCK, _SMALLEST_BLOCK, _BLOCK_WORK, _BLOCK_BYTES = 2**20, 2**10, 2**30, 2**25


def block_shape(shape: tuple[int, int, int], work: int, bytes_each: int) -> tuple[int, int, int]:
    """Numbers of optimizers, learning rates and starts of a block: whole rows, or whole optimizers, where possible.

    A block is some seconds of work, but there are at most about 4096, and each is a thousand trajectories at least and
    a million at most. A trajectory is at most `work` of what a formula's step is one of, and takes `bytes_each`.
    """
    optimizers, rates, starts = shape
    cells = min(max(_BLOCK_WORK // work, _SMALLEST_BLOCK), _LARGEST_BLOCK)
    cells = max(cells, min(math.prod(shape) // 4096, _LARGEST_BLOCK))
    cells = max(min(cells, _BLOCK_BYTES // bytes_each), 1)
    if cells < starts:
        return 1, 1, cells
    if cells < rates * starts:
        return 1, cells // starts, starts
    return min(cells // (rates * starts), optimizers), rates, starts


class Store:
    """A Zarr store that a sweep is written to; `writing` opens one.

    Parameters
    ----------
    place : Opened
        Its folder, whose lock is held, and what is in it.
    earlier : Earlier, optional
        A result from which trajectories are taken over.

    Attributes
    ----------
    lower : tuple of float
        The least of what the tiles noted, see `gdfast.tiles.lower`.
    """

    def __init__(self, place: Opened, earlier: Earlier | None = None) -> None:
        self.earlier = earlier
        self.place, self.path, self.sweep = place, place.path, place.sweep
        self.block = place.block
        self._blocks = place.journal.blocks
        self.done: int = sum(entry["trajectories"] for entry in self._blocks.values())
        self._buffers: dict[str, dict[str, NDArray[Any]]] = {}
        self._left: dict[str, int] = {}
        self._facts: dict[str, list[int]] = {}
        self._lower: dict[str, Lower] = {}
        self.lower: Lower = least(*(tuple(entry.get("lower", ())) for entry in self._blocks.values()))
        self._guard = threading.Lock()
        self._arrays = place.arrays
        self._lines = _Lines(self.path, place.journal.length, self._arrays)
        self._began = 0.0

    @cached_property
    def _plan(self) -> dict[str, list[Tile]]:
        """What is to be run of each block that is not done."""
        (o, k, m), (co, ck, cm) = self.sweep.shape, self.block
        plan: dict[str, list[Tile]] = {}
        for i in range(0, o, co):
            for j in range(0, k, ck):
                for s in range(0, m, cm):
                    key = self._key(i, j * m + s)
                    if key in self._blocks:
                        continue
                    parts = self._parts(key)
                    parts = [tile for part in parts for tile in self.earlier.missing(part)] if self.earlier else parts
                    plan[key] = [tile for part in parts for tile in self.sweep.split(*part)]
        return plan

    def _parts(self, key: str) -> list[Tile]:
        """The trajectories of a block, a range an optimizer."""
        (co, ck, cm), m = self.block, self.sweep.shape[2]
        i, j, s = (int(part) for part in key.split("."))
        optimizers, rates, starts = grid(self.sweep.shape, self.block, key) or (0, 0, 0)
        first = j * ck * m + s * cm
        return [Tile(i * co + n, first, first + (rates - 1) * m + starts) for n in range(optimizers)]

    @property
    def tiles(self) -> list[Tile]:
        """The tiles that are to be run, block by block."""
        return [tile for tiles in self._plan.values() for tile in tiles]

    @property
    def resumed(self) -> str:
        """One sentence on what was in the store when it was opened; empty if nothing."""
        repaired = self.place.repaired
        told = f", {len(repaired)} damage{'s' if repaired[1:] else ''} repaired" if repaired else ""
        if not (self.done or repaired):
            return ""
        if not self.missing:
            return f"{self.path} is complete: {self.done:,} trajectories{told}"
        return f"{self.path} has {self.done:,} of {self.sweep.size:,} trajectories; running the others{told}"

    @property
    def missing(self) -> bool:
        """Whether a block is not done."""
        return self.done < self.sweep.size

    def _key(self, optimizer: int, trajectory: int) -> str:
        """Name the block that a trajectory lies in, as Zarr names its chunks."""
        co, ck, cm = self.block
        rate, start = divmod(trajectory, self.sweep.shape[2])
        return f"{optimizer // co}.{rate // ck}.{start // cm}"

    def begin(self, compile_seconds: float) -> None:
        """Start a session in the journal."""
        with explained(self.path):
            self._began = time.perf_counter()
            self._lines.add({"session": {**machine(), "compile_seconds": compile_seconds}})
        for key, tiles in self._plan.items():
            if not tiles:
                self._add(key, self._begun(key), 0, 0)

    def put(self, tile: Tile, cells: Cells) -> None:
        """Add a finished tile; write its block if that makes it whole. May be called by any thread.

        Raises
        ------
        OSError
            If a block cannot be written, for example for want of space.
        """
        key = self._key(tile.optimizer, tile.first)
        with self._guard:
            if key not in self._buffers:
                self._buffers[key] = self._begun(key)
                self._left[key] = sum(tile.last - tile.first for tile in self._plan[key])
                self._facts[key] = [0, 0]
                self._lower[key] = ()
            buffers = self._buffers[key]
        self._fill(buffers, key, tile, cells)
        with self._guard:
            facts = self._facts[key]
            facts[0] += int(cells.steps.sum(dtype=np.int64))
            facts[1] += cells.lane_steps
            self._lower[key] = least(self._lower[key], cells.lower)
            self._left[key] -= tile.last - tile.first
            if self._left[key]:
                return
            del self._buffers[key], self._left[key], self._facts[key]
            lower = self._lower.pop(key)
            self.lower = least(self.lower, lower)
        self._add(key, buffers, facts[0], facts[1], lower)

    def _begun(self, key: str) -> dict[str, NDArray[Any]]:
        """The arrays of a block, with what is taken over."""
        buffers = {name: np.zeros(array.chunks, array.dtype) for name, array in self._arrays.items()}
        if self.earlier:
            for part in self._parts(key):
                if self.earlier.final(part).any():
                    self._fill(buffers, key, part, _Taken(self.earlier, part))
        return buffers

    def _fill(self, buffers: dict[str, NDArray[Any]], key: str, tile: Tile, cells: "Cells | _Taken") -> None:
        (first,) = {part.first for part in self._parts(key)}
        fill(buffers, tile.optimizer % self.block[0], slice(tile.first - first, tile.last - first), cells)

    def _add(self, key: str, buffers: dict[str, NDArray[Any]], steps: int, lane_steps: int, lower: Lower = ()) -> None:
        """Write a block's chunks, and have it told in the journal."""
        with explained(self.path):
            self._lines.add(
                {
                    "block": key,
                    "trajectories": math.prod(grid(self.sweep.shape, self.block, key) or ()),
                    "steps": steps,
                    "lane_steps": lane_steps,
                    "files": {name: self._write(name, key, values) for name, values in buffers.items()},
                    **({"lower": lower} if lower else {}),
                    "seconds": time.perf_counter() - self._began,
                }
            )

    def _write(self, name: str, key: str, values: NDArray[Any]) -> tuple[int, int]:
        """Write one chunk of an array and give its size and checksum."""
        data = compressed(values)
        files.move(files.write(self.path, data), self.path / chunk(name, key, self._arrays[name]))
        return check_of(data)

    def wait(self) -> None:
        """Wait until all blocks are on the disk."""
        with explained(self.path):
            self._lines.wait()

    def finish(self) -> None:
        """Wait until all blocks are on the disk; write when and how fast the whole store was made."""
        with explained(self.path):
            self._lines.wait()
            journal = Journal.read(self.path)
            listed = journal.finished["files"] if journal.finished else {}
            if listed and not damaged(self.path, {name: (check,) for name, check in listed.items()}, whole=True):
                return
            entries = journal.blocks.values()
            steps, lane_steps = (sum(entry[name] for entry in entries) for name in ("steps", "lane_steps"))
            facts = {
                **(self.place.finished or machine()),
                "compile_seconds": journal.compile_seconds,
                "run_seconds": journal.seconds,
                "useful_share": useful_share(steps, lane_steps),
            }
            texts = self.place.attribute_texts(facts)
            checks = {name: check_of(text) for name, text in texts.items()}
            if checks != listed:
                self._lines.add({"finished": {"facts": facts, "files": checks}})
                self._lines.wait()
            for name, text in texts.items():
                files.put(self.path / name, text)

    def close(self) -> None:
        """End the thread that writes the journal, with what it has to write."""
        self._lines.close()


class _Taken:
    """Values of an earlier result as if a tile had given them."""

    def __init__(self, earlier: Earlier, tile: Tile) -> None:
        self._earlier, self._tile = earlier, tile

    def values(self, name: str) -> NDArray[Any]:
        """What a variable holds of each trajectory."""
        return self._earlier.values(name, self._tile)


class _Lines:
    """Adds lines to the journal in a thread of its own, each once the chunks that it names are on the disk.

    Parameters
    ----------
    store : Path
        The store's folder.
    length : int
        Bytes of its journal that are to stay.
    arrays : mapping
        Those that hold trajectories.
    """

    def __init__(self, store: Path, length: int, arrays: Mapping[str, Array]) -> None:
        self._store, self._length, self._arrays, self._file = store, length, arrays, -1
        self._waiting: list[dict[str, Any]] = []
        self._is_closing = self._is_busy = False
        self._error: Exception | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, entry: dict[str, Any]) -> None:
        """Have a line added.

        Raises
        ------
        OSError, MemoryError
            If an earlier one could not be.
        """
        with self._changed:
            if self._error:
                raise self._error
            if self._thread is None:
                flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
                self._file = os.open(self._store / JOURNAL, flags)
                files.cut(self._file, self._length)
                self._thread = threading.Thread(target=self._run, name="gdfast-journal", daemon=True)
                self._thread.start()
            self._waiting.append(entry)
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until all lines are on the disk.

        Raises
        ------
        OSError, MemoryError
            If one cannot be.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._error or not (self._waiting or self._is_busy))
            if self._error:
                raise self._error

    def close(self) -> None:
        """Add what is waiting, and end."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread:
            self._thread.join()
            os.close(self._file)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closing)
                entries, self._waiting, self._is_busy = self._waiting, [], True
            try:
                if entries:
                    self._write(entries)
            except Exception as error:  # whatever it is: nobody is to wait for ever
                self._error = error
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()
                if self._error or (self._is_closing and not self._waiting):
                    return

    def _write(self, entries: list[dict[str, Any]]) -> None:
        chunks = [
            chunk(name, entry["block"], self._arrays[name])
            for entry in entries
            if "block" in entry
            for name in entry["files"]
        ]
        files.sync_all(self._store, chunks)
        text = b"".join(map(line, entries))
        try:
            files.append(self._file, text)
            files.sync_open(self._file)
        except Exception:
            files.cut(self._file, self._length)
            raise
        self._length += len(text)


@contextlib.contextmanager
def writing(
    path: Path, sweep: Sweep, backend: str, keep_theta: bool, overwrite: bool, earlier: Earlier | None = None
) -> Iterator[Store]:
    """Open a store for writing, made if there is none, resumed if it is of the same sweep; lock it meanwhile.

    Raises
    ------
    StoreError
        If `path` holds something else, or a result of another sweep, or another process writes to it.
    OSError
        If there is no space to make it.
    """
    with contextlib.ExitStack() as stack:
        with explained(path):
            place = stack.enter_context(opened(path, sweep, backend, keep_theta, overwrite, block_shape))
        store = Store(place, earlier)
        stack.callback(store.close)
        yield store


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say of a failed write what it means for the store."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        message = f"store: {path} cannot be written: {reason}; what is done is kept, and the same call resumes it"
        raise OSError(error.errno or errno.EIO, message) from error
