"""How a store is written: block by block, so that what is done stays done however the run ends.

Tiles are collected until a block is whole. Its chunks are then written under other names, renamed into place, and a
line is added to the journal. Only the journal says that a block is done. A store that is to be resumed is first
compared with the sizes and checksums in its journal: what was half written, or lost with the machine's power, is run
again. That is why nothing here waits for the disk.
"""

import contextlib
import errno
import json
import math
import os
import shutil
import threading
import time
import warnings
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast.outcomes import Cells
from gdfast.result import ATTRIBUTES, DIMENSIONS, attributes, coordinates, fields, fill, machine, useful_share
from gdfast.store import (
    FORMAT,
    JOURNAL,
    LOCK,
    METADATA,
    Journal,
    StoreError,
    check_folder,
    check_same,
    chunk,
    damages,
    locked,
    ours,
    read_attributes,
)
from gdfast.sweep import Sweep, Tile

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
    path : Path
        Its folder, whose lock is held.
    sweep : Sweep
        The grid.
    backend : str
        What runs it.
    keep_theta : bool
        Whether it holds end points.
    """

    def __init__(self, path: Path, sweep: Sweep, backend: str, keep_theta: bool) -> None:
        import zarr

        self.path, self.sweep = path, sweep
        self.attributes = attributes(sweep, backend, keep_theta)
        self.group: Any = zarr.open_group(path, mode="r+", zarr_format=2)
        self.arrays: dict[str, Any] = {name: self.group[name] for name in fields(sweep, keep_theta)}
        self.block: tuple[int, int, int] = self.arrays["outcome"].chunks
        self.journal = Journal.read(path)
        self.damaged = damages(path, self.journal, whole=True)
        for block in self.damaged:
            del self.journal.blocks[block]
        self.done: int = sum(entry["trajectories"] for entry in self.journal.blocks.values())
        self._buffers: dict[str, dict[str, NDArray[Any]]] = {}
        self._left: dict[str, int] = {}
        self._facts: dict[str, list[int]] = {}
        self._guard = threading.Lock()
        self._file: Any = None
        self._began = 0.0

    @property
    def tiles(self) -> list[Tile]:
        """The tiles of all blocks that are not done, block by block."""
        (o, k, m), (co, ck, cm) = self.sweep.shape, self.block
        found: list[Tile] = []
        for i in range(0, o, co):
            for j in range(0, k, ck):
                for s in range(0, m, cm):
                    if self._key(i, j * m + s) in self.journal.blocks:
                        continue
                    rows = min(ck, k - j)
                    first, last = j * m + s, j * m + rows * m if cm == m else j * m + min(s + cm, m)
                    for optimizer in range(i, min(i + co, o)):
                        found += self.sweep.split(optimizer, first, last)
        return found

    @property
    def resumed(self) -> str:
        """One sentence on what was in the store when it was opened; empty if nothing."""
        if not (self.done or self.damaged):
            return ""
        if not self.missing:
            return f"{self.path} is complete: {self.done:,} trajectories"
        again = f", {len(self.damaged)} damaged blocks among them" if self.damaged else ""
        return f"{self.path} has {self.done:,} of {self.sweep.size:,} trajectories; running the others{again}"

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
        with _explained(self.path):
            self._file = (self.path / JOURNAL).open("r+b", buffering=0)
            self._file.truncate(self.journal.length)
            self._file.seek(self.journal.length)
            self._began = time.perf_counter()
            self._note({"session": {**machine(), "compile_seconds": compile_seconds}})

    def _note(self, entry: dict[str, Any]) -> None:
        """Add a line to the journal, whole or not at all."""
        line, begin = json.dumps(entry).encode() + b"\n", self._file.tell()
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError:
            self._file.truncate(begin)
            self._file.seek(begin)
            raise

    def put(self, tile: Tile, cells: Cells) -> None:
        """Add a finished tile; write its block if that makes it whole. May be called by any thread.

        Raises
        ------
        OSError
            If the block cannot be written, for example for want of space.
        """
        (co, ck, cm), m = self.block, self.sweep.shape[2]
        key = self._key(tile.optimizer, tile.first)
        i, j, s = (int(part) for part in key.split("."))
        optimizers, rates, starts = (
            min(c, n - at * c) for c, n, at in zip(self.block, self.sweep.shape, (i, j, s), strict=True)
        )
        with self._guard:
            if key not in self._buffers:
                self._buffers[key] = {name: np.zeros(array.chunks, array.dtype) for name, array in self.arrays.items()}
                self._left[key] = optimizers * rates * starts
                self._facts[key] = [0, 0]
            buffers = self._buffers[key]
        first = j * ck * m + s * cm
        fill(buffers, tile.optimizer - i * co, slice(tile.first - first, tile.last - first), cells)
        with self._guard:
            facts = self._facts[key]
            facts[0] += int(cells.steps.sum(dtype=np.int64))
            facts[1] += cells.lane_steps
            self._left[key] -= tile.last - tile.first
            if self._left[key]:
                return
            del self._buffers[key], self._left[key], self._facts[key]
        with _explained(self.path):
            entry = {
                "block": key,
                "trajectories": optimizers * rates * starts,
                "steps": facts[0],
                "lane_steps": facts[1],
                "files": {name: self._write(name, key, values) for name, values in buffers.items()},
                "seconds": time.perf_counter() - self._began,
            }
            with self._guard:
                self._note(entry)
                self.journal.blocks[key] = entry

    def _write(self, name: str, key: str, values: NDArray[Any]) -> tuple[int, int]:
        """Write one chunk of an array and give its size and checksum."""
        data = _compressed(values)
        place = chunk(self.path, name, key)
        part = place.with_name(place.name + ".part")
        try:
            part.write_bytes(data)
            part.replace(place)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        return len(data), zlib.crc32(data)

    def finish(self) -> None:
        """Write the attributes of a whole store: when, where and how fast it was made."""
        if self._file is None and "run_seconds" in read_attributes(self.path):
            return
        journal = Journal.read(self.path)
        entries = journal.blocks.values()
        steps, lane_steps = (sum(entry[name] for entry in entries) for name in ("steps", "lane_steps"))
        facts = {
            "compile_seconds": journal.compile_seconds,
            "run_seconds": journal.seconds,
            "useful_share": useful_share(steps, lane_steps),
        }
        with _explained(self.path):
            self.group.attrs.update({**facts, **machine()})
            _consolidate(self.path)

    def close(self) -> None:
        """Close the journal."""
        if self._file is not None:
            self._file.close()


@contextlib.contextmanager
def writing(path: Path, sweep: Sweep, backend: str, keep_theta: bool, overwrite: bool) -> Iterator[Store]:
    """Open a store for writing, made if there is none, resumed if it is of the same sweep; lock it meanwhile.

    Raises
    ------
    StoreError
        If `path` holds something else, or a result of another sweep, or another process writes to it.
    OSError
        If there is no space to make it.
    """
    check_folder(path.parent)
    if path.is_file() and overwrite:
        path.unlink()
    if path.exists() and not _usable(path, overwrite):
        raise StoreError(f"store: {path} exists already and is not a store of gdfast; give another path")
    with _explained(path):
        path.mkdir(exist_ok=True)
    with locked(path):
        if overwrite or not (path / METADATA).exists():
            with _explained(path):
                _empty(path)
                _create(path, sweep, backend, keep_theta)
        else:
            check_same(path, read_attributes(path), (path / "theta").exists(), sweep, backend, keep_theta)
        for left in path.glob("*.partial"):  # of metadata, by a process that was killed
            left.unlink()
        store = Store(path, sweep, backend, keep_theta)
        try:
            yield store
        finally:
            store.close()


def _usable(path: Path, overwrite: bool) -> bool:
    """Whether what is at a path is an empty folder, a store of gdfast, or another Zarr store to be overwritten."""
    if not path.is_dir():
        return False
    return ours(path) or not any(path.iterdir()) or (overwrite and (path / ".zgroup").exists())


def _empty(path: Path) -> None:
    """Remove all in a store but its lock, first what makes it one."""
    (path / METADATA).unlink(missing_ok=True)
    for item in path.iterdir():
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        elif item.name != LOCK:
            item.unlink()


def _create(path: Path, sweep: Sweep, backend: str, keep_theta: bool) -> None:
    """Write the coordinates, empty arrays and, last, what makes it a store: the consolidated metadata."""
    import xarray
    import zarr

    facts = {"gdfast_format": FORMAT, **attributes(sweep, backend, keep_theta), **machine()}
    axes = xarray.Dataset(coords=coordinates(sweep), attrs=facts)
    with warnings.catch_warnings():
        # The lock is no part of the hierarchy, as Zarr says.
        warnings.filterwarnings("ignore", message="Object at")
        axes.to_zarr(path, mode="a", zarr_format=2, consolidated=False)
    group = zarr.open_group(path, mode="r+", zarr_format=2)
    depth = sweep.problem.dimension
    work = sweep.max_steps * sweep.problem.step_work
    shape = block_shape(sweep.shape, work, 24 + 8 * depth * keep_theta)
    for name, dtype in fields(sweep, keep_theta).items():
        more = (depth,) if name == "theta" else ()
        group.create_array(
            name,
            shape=(*sweep.shape, *more),
            chunks=(*shape, *more),
            dtype=dtype,
            fill_value=math.nan if dtype is np.float64 else None,  # a number would be taken for missing values
            filters=None,
            compressors=_compressor(),
            order="C",
            attributes={"_ARRAY_DIMENSIONS": [*DIMENSIONS, *(["parameter"] if more else [])], **ATTRIBUTES[name]},
        )
    (path / JOURNAL).write_bytes(b"")
    _consolidate(path)


def _compressor() -> Any:
    from numcodecs import Blosc

    return Blosc("lz4", 5, Blosc.SHUFFLE)


def _compressed(values: NDArray[Any]) -> bytes:
    if threading.current_thread() is threading.main_thread():
        # There Blosc starts threads, and orders the parts of a chunk as these come; elsewhere it does not.
        with ThreadPoolExecutor(1) as other:
            return bytes(other.submit(_compressor().encode, values).result())
    return bytes(_compressor().encode(values))


def _consolidate(path: Path) -> None:
    import zarr

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Object at")  # lock and journal are no part of the hierarchy
        zarr.consolidate_metadata(path, zarr_format=2)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say of a failed write what it means for the store."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        message = f"store: {path} cannot be written: {reason}; what is done is kept, and the same call resumes it"
        raise OSError(error.errno or errno.EIO, message) from error
