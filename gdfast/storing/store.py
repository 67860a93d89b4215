"""Stored sweeps: what a store is, what it withstands, and how it is read.

A store is a folder: a Zarr group of format 2 (`gdfast.storing.layout`) with a journal (`gdfast.storing.journal`). Its
arrays have chunks of up to about a million trajectories, so that 10⁸ of them make some 600 files. A *block* is what one
chunk of each array holds. The journal names every file of metadata and coordinates and every chunk, with size and
checksum; what it does not name counts as not there. How a store is written tells `gdfast.storing.write`.

What happens to it, and what then holds:

- *The run is killed, or interrupted*: what is done stays done but for the last moments, and the same call goes on.
- *The power is lost*: the same. The journal names only what was synced to the disk before.
- *The disk is full*: one sentence; what is done stays done, and the same call goes on when there is space.
- *A file is changed, cut, emptied or removed*: reading refuses it, when the store is opened or when that chunk is read;
  `status` with `whole` and ``gdfast status --verify`` name it; the same call repairs it. It runs a block again where
  that or its line in the journal is lost, and all of them if the journal is. A journal that is cut between two lines
  before the store is complete cannot be told from a run that ended there; the blocks are run again all the same.
- *Two processes write*: the second is refused, as long as the folder's file system knows locks (`flock`). Network
  shares that know none, and disks that do not sync when asked, are the user's risk. Reading needs no lock, and writes
  nothing.
- *Trajectories find a minimum lower than all that were known*: when all blocks are done, they are dropped from the
  journal, which names the minimum from then on, and run again by a problem that knows it; also that may be interrupted.
- *Something that gdfast did not write is in the folder*: it stays as it is. Where it stands in the way, or a folder is
  not a store, one sentence tells. Links, FIFOs and devices are not followed, waited for or replaced. What
  is replaced or, by `overwrite`, removed are files that the store itself names.
- *The store is forged*: no code but Zarr's own of one compressor is run. Sizes are looked at before anything is read,
  paths lead nowhere else.

When and how fast a store was made stands in the journal and in the attributes of the group (``.zattrs`` and
``.zmetadata``) only: all other files are the same, byte for byte, however often the run was interrupted or repaired and
whatever ran it, as long as gdfast, NumPy and numcodecs are the same. Stores of format 1 are read too; their metadata
and coordinates have no checksums. The sweep that wrote one makes it one of format 2 when it is run into it again.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdfast.storing import layout, netcdf, several
from gdfast.storing.contents import FORMAT, REPAIR, Contents, StoreError, check_folder, damages, is_busy, look
from gdfast.storing.journal import Journal

if TYPE_CHECKING:
    import xarray

__all__ = ["FORMAT", "Status", "StoreError", "check_folder", "read", "status"]

_AXES = ("optimizers", "learning rates", "starts")


@dataclass(frozen=True)
class Status:
    """How far a store is, and what is wrong with it: `damages` tells it by the names of files.

    Attributes
    ----------
    contents : Contents
        What it says of itself.
    damages : dict
        What is wrong, by the names of files.
    busy : bool
        Whether a process is writing it.
    """

    contents: Contents
    busy: bool
    damages: dict[str, str]

    @property
    def path(self) -> Path:
        """The store."""
        return self.contents.path

    @property
    def attributes(self) -> dict[str, Any]:
        """Of the store's group."""
        return self.contents.attributes

    @property
    def journal(self) -> Journal:
        """What was done, and when."""
        return self.contents.journal

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        pairs = zip(self.contents.shape, self.contents.block_shape, strict=True)
        return math.prod(-(-n // c) for n, c in pairs)

    @property
    def trajectories(self) -> int:
        """How many trajectories there are."""
        return math.prod(self.contents.shape)

    @property
    def done(self) -> int:
        """Trajectories done."""
        return sum(int(entry["trajectories"]) for entry in self.contents.blocks.values())

    @property
    def bytes(self) -> int:
        """Bytes of all chunks."""
        return sum(size for entry in self.contents.blocks.values() for size, _ in entry["files"].values())

    @property
    def summary(self) -> dict[str, str]:
        """What a person wants to know, line by line."""
        found, asked = self.attributes, json.loads(self.attributes["specification"])
        optimizers = [optimizer["name"] for optimizer in asked["optimizers"]]
        names = ", ".join(dict.fromkeys(optimizers))
        begun = self.journal.header["begun"] if self.journal.header else found
        done = self.done
        missing = self.trajectories - done
        share = 100 * done / self.trajectories
        old = "; its metadata and coordinates have no checksums" if self.journal.header is None else ""
        return {
            "store": str(self.path),
            "state": ("complete" if not missing else "incomplete") + (", being written" if self.busy else ""),
            "trajectories": f"{done:,} of {self.trajectories:,} done ({math.floor(share)} %), {missing:,} missing",
            "blocks": f"{len(self.contents.blocks):,} of {self.blocks:,} done, of {self.contents.block_shape} each",
            "bytes": f"{self.bytes:,}",
            "problem": str(asked["problem"]["name"]),
            "optimizers": f"{len(optimizers):,}: {names}",
            "grid": " × ".join(f"{n:,} {name}" for n, name in zip(self.contents.shape, _AXES, strict=True)),
            "max_steps": f"{asked['max_steps']:,}",
            "backend": str(found["backend"]),
            "digest": str(found["digest"]),
            "format": f"{found['gdfast_format']}, written by gdfast {found['gdfast']}{old}",
            "sessions": f"{self.journal.sessions:,}, {self.journal.seconds:,.1f} s in all, begun {begun.get('date')}",
            "machine": str(found.get("processor")),
        }


def status(path: Path, whole: bool = False) -> Status:
    """Tell how far a store is.

    Parameters
    ----------
    path : Path
        The store.
    whole : bool
        Compare every file with its checksum.

    Returns
    -------
    Status
        What is done, by whom, and what is damaged.

    Raises
    ------
    StoreError
        If it is not a store of gdfast, or its metadata or journal is damaged.
    """
    if path.suffix == ".nc" and path.is_file():
        raise StoreError(f"store: {path} is a netCDF file, written when a sweep was done; status is of Zarr stores")
    if several.is_folder(path):
        first = next(iter(several.stores(path).values()))
        raise StoreError(f"store: {path} holds several sweeps; status tells of each by itself, such as {first}")
    contents = look(path)
    return Status(contents, is_busy(path), damages(contents, whole))


def read(path: Path) -> "xarray.Dataset":
    """Open a stored result; what it holds is read, and compared with its checksums, when it is used.

    Parameters
    ----------
    path : Path
        A Zarr store, a folder of several (see `gdfast.storing.several`), or a netCDF file if its suffix is ``.nc``.

    Returns
    -------
    xarray.Dataset
        As `gdfast.run` returns it; a variable is read when it is used.

    Raises
    ------
    StoreError
        If there is none, it is not a result of gdfast, of a newer format, or damaged; then also when it is used.
    """
    if path.suffix == ".nc":
        return netcdf.read(path)
    if several.is_folder(path):
        return several.read(path)
    contents = look(path)
    for damage in damages(contents, whole=False).values():
        raise StoreError(f"store: {path} is damaged: {damage}; {REPAIR}")
    return opened(contents)


def opened(contents: Contents) -> "xarray.Dataset":
    """The dataset of a store.

    Raises
    ------
    StoreError
        If it is damaged.
    """
    import xarray

    from gdfast.storing.dataset import as_result
    from gdfast.storing.verified import Verified

    try:
        result: xarray.Dataset = xarray.open_zarr(
            Verified(contents), consolidated=True, chunks=None, zarr_format=2, decode_times=False
        )
        coordinates = [name for name in contents.members if name not in layout.DATA]
        return as_result(result.set_coords(coordinates))
    except (StoreError, ImportError, MemoryError):
        raise
    except Exception as error:  # zarr and xarray raise many kinds for what is not a store
        text = " ".join(str(error).split())[:200]
        raise StoreError(f"store: {contents.path} is damaged: {text}; {REPAIR}") from None
