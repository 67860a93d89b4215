"""Stored sweeps: what a store holds, what it says of itself, and how it is read.

A store is a Zarr group of format 2, the one format whose texts and consolidated metadata every reader opens without a
warning. Its arrays have chunks of up to about a million trajectories, so that 10⁸ of them make some 600 files. A
*block* is what one chunk of each array holds. The journal, `.gdfast-journal`, says which blocks are done, one line
each, with size and checksum of every chunk; see `gdfast.blocks` for how it is written. A process that writes holds a
lock on `.gdfast-lock`, which the operating system releases however the process ends.

When and how fast a store was made stands in the attributes of the group and in the journal only: all other files
are the same, byte for byte, however often the run was interrupted and whatever ran it.
"""

import contextlib
import json
import math
import os
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdfast import __version__
from gdfast.result import digest, settings
from gdfast.sweep import Sweep

if TYPE_CHECKING:
    import xarray

FORMAT = 1
"""Version of what a store holds and how; a reader refuses a higher one."""

JOURNAL, LOCK, METADATA = ".gdfast-journal", ".gdfast-lock", ".zmetadata"


_AXES = ("optimizers", "learning rates", "starts")


class StoreError(ValueError):
    """A store that cannot be read, or not be written by this sweep; one sentence says why."""


@dataclass
class Journal:
    """What a store's journal says: the sessions that wrote it, and the blocks that are done."""

    blocks: dict[str, dict[str, Any]] = field(default_factory=dict)
    sessions: int = 0
    seconds: float = 0.0
    compile_seconds: float = 0.0
    length: int = 0  # in bytes, less a last line that was not written whole

    @classmethod
    def read(cls, store: Path) -> "Journal":
        """Read the journal of a store.

        Raises
        ------
        StoreError
            If it is missing, or a line other than an unfinished last one is damaged.
        """
        journal = cls()
        try:
            whole, _, _ = (store / JOURNAL).read_bytes().rpartition(b"\n")
        except OSError as error:
            raise StoreError(f"store: {store} has no readable journal ({error.strerror})") from None
        ended = 0.0
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                entry = json.loads(line)
                if "block" in entry:
                    journal.blocks[entry["block"]] = entry
                    ended = float(entry["seconds"])
                    sizes = {name: (int(size), int(check)) for name, (size, check) in entry["files"].items()}
                    entry["files"] = sizes
                else:
                    journal.seconds += ended
                    ended = 0.0
                    journal.sessions += 1
                    journal.compile_seconds += float(entry["session"]["compile_seconds"])
            except (ValueError, KeyError, TypeError, AttributeError):
                raise StoreError(f"store: {store} is damaged: line {number} of its journal is not readable") from None
        journal.seconds += ended
        journal.length = len(whole) + 1 if whole else 0
        return journal


def ours(path: Path) -> bool:
    """Whether gdfast has begun a store in this folder."""
    return (path / LOCK).exists()


@contextlib.contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold the lock of a store's folder.

    Raises
    ------
    StoreError
        If another process holds it.
    """
    with (store / LOCK).open("ab") as lock:
        try:
            _lock(lock.fileno())
        except OSError:
            raise StoreError(f"store: {store} is being written by another process; wait for it, or end it") from None
        yield


def _lock(file: int) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def read_attributes(path: Path) -> dict[str, Any]:
    """The attributes of a store of gdfast.

    Raises
    ------
    StoreError
        If it is none, or of a newer format.
    """
    try:
        found = json.loads((path / METADATA).read_bytes())["metadata"][".zattrs"]
    except OSError:
        raise StoreError(
            f"store: {path} "
            + (
                "does not exist"
                if not path.exists()
                else "has no metadata"
                if ours(path)
                else "is not a store of gdfast"
            )
        ) from None
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"store: {path} is damaged: its metadata, {METADATA}, cannot be read") from None
    check_attributes(path, found)
    return dict(found)


def check_attributes(path: Path, found: dict[str, Any]) -> None:
    """Refuse attributes that no gdfast, or a newer one, has written.

    Raises
    ------
    StoreError
        If so.
    """
    try:
        json.loads(found["specification"])
        version = int(found["gdfast_format"])
        _ = found["digest"], found["backend"], found["gdfast"]
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"store: {path} is not a result of gdfast, or damaged: its attributes are not whole") from None
    if version > FORMAT:
        raise StoreError(
            f"store: {path} has format {version}, and gdfast {__version__} reads formats up to {FORMAT}; "
            "install a newer gdfast"
        )


def check_same(
    path: Path, found: dict[str, Any], had_theta: bool, sweep: Sweep, backend: str, keep_theta: bool
) -> None:
    """Refuse the attributes of a result that is not of this sweep.

    Raises
    ------
    StoreError
        If it is not; the message names the first difference.
    """
    if found["digest"] == digest(json.dumps(sweep.specification), backend, keep_theta):
        return
    asked = settings(sweep, backend, keep_theta)
    was = {**json.loads(found["specification"]), "backend": found["backend"], "keep_theta": had_theta}
    was["gdfast"] = found["gdfast"]
    difference = next(_differences("", was, json.loads(json.dumps(asked))), "its digest is another")
    raise StoreError(f"store: {path} holds another sweep: {difference}; give another path, or overwrite it")


def _differences(where: str, was: Any, asked: Any) -> Iterator[str]:
    """Each place in which two plain values differ, in words."""
    if isinstance(was, dict) and isinstance(asked, dict) and "sha256" not in was:
        for key in [*was, *(key for key in asked if key not in was)]:
            inner = f"{where}.{key}" if where else key
            if key not in was or key not in asked:
                yield f"{inner} was {was.get(key, 'not there')}, asked for is {asked.get(key, 'none')}"
            else:
                yield from _differences(inner, was[key], asked[key])
    elif isinstance(was, list) and isinstance(asked, list) and len(was) == len(asked):
        for i, pair in enumerate(zip(was, asked, strict=True)):
            yield from _differences(f"{where}[{i}]", *pair)
    elif was != asked:
        if isinstance(was, list) and isinstance(asked, list):
            yield f"{where} had length {len(was)}, asked for is {len(asked)}"
        else:
            yield f"{where} was {_short(was)}, asked for is {_short(asked)}"


def _short(value: Any) -> str:
    if isinstance(value, dict) and "sha256" in value:
        return f"an array {tuple(value['shape'])} of digest {value['sha256'][:8]}"
    return f"a list of {len(value)}" if isinstance(value, list) else str(value)


def chunk(path: Path, name: str, block: str) -> Path:
    """The file of a block's chunk of the array of this name."""
    return path / name / (f"{block}.0" if name == "theta" else block)


def damages(path: Path, journal: Journal, whole: bool) -> dict[str, str]:
    """For each block with a chunk that is not what the journal says, what is wrong with it.

    Parameters
    ----------
    path, journal
        The store and what its journal says.
    whole : bool
        Compare the checksums too, for which every chunk is read.
    """
    found = {}
    for block, entry in journal.blocks.items():
        for name, (size, check) in entry["files"].items():
            file = chunk(path, name, block)
            if not file.exists():
                found[block] = f"the chunk {name}/{file.name} is missing"
            elif file.stat().st_size != size:
                found[block] = f"the chunk {name}/{file.name} has {file.stat().st_size} bytes instead of {size}"
            elif whole and zlib.crc32(file.read_bytes()) != check:
                found[block] = f"the chunk {name}/{file.name} has another checksum"
    return found


@dataclass(frozen=True)
class Status:
    """How far a store is, and what is wrong with it."""

    path: Path
    attributes: dict[str, Any]
    journal: Journal
    shape: tuple[int, ...]
    block_shape: tuple[int, ...]
    bytes: int
    busy: bool
    damages: dict[str, str]

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return math.prod(-(-n // c) for n, c in zip(self.shape, self.block_shape, strict=True))

    @property
    def trajectories(self) -> int:
        """How many trajectories there are."""
        return math.prod(self.shape)

    @property
    def done(self) -> int:
        """Trajectories done."""
        return sum(int(entry["trajectories"]) for entry in self.journal.blocks.values())

    @property
    def summary(self) -> dict[str, str]:
        """What a person wants to know, line by line."""
        found, asked = self.attributes, json.loads(self.attributes["specification"])
        optimizers = [optimizer["name"] for optimizer in asked["optimizers"]]
        names = ", ".join(dict.fromkeys(optimizers))
        done = self.done
        missing = self.trajectories - done
        share = 100 * done / self.trajectories
        return {
            "store": str(self.path),
            "state": ("complete" if not missing else "incomplete") + (", being written" if self.busy else ""),
            "trajectories": f"{done:,} of {self.trajectories:,} done ({math.floor(share)} %), {missing:,} missing",
            "blocks": f"{len(self.journal.blocks):,} of {self.blocks:,} done, of {self.block_shape} each",
            "bytes": f"{self.bytes:,}",
            "problem": str(asked["problem"]["name"]),
            "optimizers": f"{len(optimizers):,}: {names}",
            "grid": " × ".join(f"{n:,} {name}" for n, name in zip(self.shape, _AXES, strict=True)),
            "max_steps": f"{asked['max_steps']:,}",
            "backend": str(found["backend"]),
            "digest": str(found["digest"]),
            "format": f"{found['gdfast_format']}, written by gdfast {found['gdfast']}",
            "sessions": f"{self.journal.sessions:,}, {self.journal.seconds:,.1f} s in all, begun {found['date']}",
            "machine": str(found["processor"]),
        }


def status(path: Path, whole: bool = False) -> Status:
    """Tell how far a store is.

    Parameters
    ----------
    path : Path
        The store.
    whole : bool
        Compare every chunk with its checksum.

    Raises
    ------
    StoreError
        If it is not a store of gdfast, or its metadata or journal is damaged.
    """
    attributes = read_attributes(path)
    journal = Journal.read(path)
    array = json.loads((path / METADATA).read_bytes())["metadata"]["outcome/.zarray"]
    try:
        with locked(path):
            busy = False
    except StoreError:
        busy = True
    return Status(
        path=path,
        attributes=attributes,
        journal=journal,
        shape=tuple(array["shape"]),
        block_shape=tuple(array["chunks"]),
        bytes=sum(size for entry in journal.blocks.values() for size, _ in entry["files"].values()),
        busy=busy,
        damages=damages(path, journal, whole),
    )


def read(path: Path) -> "xarray.Dataset":
    """Open a stored result; what it holds is read when it is used.

    Parameters
    ----------
    path : Path
        A Zarr store, or a netCDF file if its suffix is ``.nc``.

    Raises
    ------
    StoreError
        If there is none, it is not a result of gdfast, of a newer format, or damaged.
    """
    import xarray

    if path.suffix == ".nc":
        return _read_netcdf(path)
    found = status(path)
    for problem in found.damages.values():
        raise StoreError(f"store: {path} is damaged: {problem}; run the same sweep into it again to repair it")
    try:
        result: xarray.Dataset = xarray.open_zarr(path, consolidated=True, chunks=None)
    except Exception as error:  # zarr and xarray raise many kinds for what is not a store
        raise StoreError(f"store: {path} is damaged: {error}") from None
    return result


def _read_netcdf(path: Path) -> "xarray.Dataset":
    import xarray

    if not path.exists():
        raise StoreError(f"store: {path} does not exist")
    try:
        result: xarray.Dataset = xarray.open_dataset(path, engine="h5netcdf", chunks=None)
    except Exception as error:  # h5py raises many kinds for what is not a netCDF file
        raise StoreError(f"store: {path} cannot be read as a netCDF file: {error}") from None
    try:
        check_attributes(path, result.attrs)
    except StoreError:
        result.close()
        raise
    return result


def write_netcdf(result: "xarray.Dataset", path: Path) -> None:
    """Write a result as a netCDF file; a half-written one never stands at `path`.

    Raises
    ------
    OSError
        If it cannot be written, for example for want of space.
    """
    part = path.with_name(f".{path.name}.part")
    coded = {name: {"zlib": True, "complevel": 1, "shuffle": True} for name, values in result.data_vars.items()}
    try:
        result.assign_attrs(gdfast_format=FORMAT).to_netcdf(part, engine="h5netcdf", encoding=coded)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def check_folder(folder: Path) -> None:
    """Make sure that a folder exists and can be written.

    Raises
    ------
    StoreError
        If it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StoreError(f"out: the folder {folder} cannot be written: {error.strerror}") from None
