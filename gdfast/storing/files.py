"""Files that hold results: read within bounds, written beside and moved whole, never through a link.

All that a writer of results does to the file system is one of `make_folder`, `write`, `move`, `append`, `cut`,
`remove`, `sync`, `sync_open` and `sync_folder`. What is not synced may be lost, wholly or in part, with the power.
"""

import contextlib
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from gdfast.outputs import new_part

_KINDS = {
    stat.S_ISLNK: "a link",
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a FIFO",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}


class Unsound(Exception):
    """What is wrong with a file, in words that follow its store's name."""


def is_plain(name: str) -> bool:
    """Whether a name can be that of a file or folder anywhere, and leads nowhere."""
    return 0 < len(name.encode()) <= 200 and name not in (".", "..") and not re.search(r'[\x00-\x1f/\\:*?"<>|]', name)


def size(root: Path, name: str) -> int:
    """The size in bytes of an ordinary file, whose name below `root` leads through ordinary folders.

    Raises
    ------
    Unsound
        If it is missing, or anything else: a link, a FIFO, a device.
    OSError
        If it cannot be looked at.
    """
    place = root
    parts = name.split("/")
    for part in parts:
        place = place / part
        try:
            mode = place.lstat()
        except (FileNotFoundError, NotADirectoryError):
            raise Unsound(f"{name} is missing") from None
        is_last = part is parts[-1]
        if not (stat.S_ISREG(mode.st_mode) if is_last else stat.S_ISDIR(mode.st_mode)):
            kind = next((words for test, words in _KINDS.items() if test(mode.st_mode)), "something else")
            kind = "a file" if stat.S_ISREG(mode.st_mode) else kind
            raise Unsound(f"{place.relative_to(root).as_posix()} is {kind}, not {'a file' if is_last else 'a folder'}")
    return mode.st_size


def read(root: Path, name: str, limit: int) -> bytes:
    """All bytes of an ordinary file.

    Raises
    ------
    Unsound
        If it is missing, no ordinary file, or of more than `limit` bytes.
    OSError
        If it cannot be read.
    """
    size(root, name)
    # It may have become something else meanwhile: a link is not followed, a FIFO not waited for.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(root / name, flags), "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise Unsound(f"{name} is no ordinary file")
        if status.st_size > limit:
            raise Unsound(f"{name} has {status.st_size:,} bytes, more than the {limit:,} that it may have")
        data = bytearray()
        while len(data) <= status.st_size and (more := file.read(status.st_size + 1 - len(data))):
            data += more
    return bytes(data)


def make_folder(folder: Path) -> None:
    """Make a folder where there is none.

    Raises
    ------
    OSError
        If it cannot be made, or something else is there.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
    if folder.is_symlink() or not folder.is_dir():
        raise NotADirectoryError(20, f"{folder} is not a folder")


def write(folder: Path, *pieces: bytes) -> Path:
    """Write a file of a name that no other has, and give its place; nothing is left if that fails.

    Raises
    ------
    OSError
        If it cannot be written, for example for want of space.
    """
    part, file = new_part(folder)
    try:
        try:
            for piece in pieces:
                append(file, piece)
        finally:
            os.close(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part


def move(part: Path, place: Path, is_new: bool = False) -> None:
    """Give a file that `write` made its name, or remove it if that fails.

    What had the name is replaced, and not followed where it is a link; with `is_new` nothing may have it.

    Raises
    ------
    FileExistsError
        If something has, and `is_new`.
    OSError
        If it cannot be done.
    """
    try:
        if not is_new:
            os.replace(part, place)
            return
        try:
            os.link(part, place)
        except FileExistsError:
            raise
        except OSError:  # a file system without such links
            if os.path.lexists(place):
                raise FileExistsError(17, f"{place} exists") from None
            os.replace(part, place)
    finally:
        part.unlink(missing_ok=True)


def put(place: Path, *pieces: bytes, is_new: bool = False) -> None:
    """Write a whole file, synced: `place` holds what was there or all of it, whatever happens.

    Parameters
    ----------
    place : Path
        What it is to be called.
    *pieces : bytes
        What it is to hold.
    is_new : bool
        Whether nothing may be there.

    Raises
    ------
    FileExistsError
        If something is there, and `is_new`.
    OSError
        If it cannot be written.
    """
    part = write(place.parent, *pieces)
    try:
        sync(part)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    move(part, place, is_new)
    sync_folder(place.parent)


def append(file: int, data: bytes) -> None:
    """Add bytes at the end of an open file.

    Raises
    ------
    OSError
        If not all can be written; a part may have been.
    """
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def cut(file: int, length: int) -> None:
    """Leave only the first bytes of an open file."""
    os.ftruncate(file, length)


def remove(place: Path) -> None:
    """Remove a file, or a link and not what it leads to; nothing happens if there is none."""
    place.unlink(missing_ok=True)


def sync(place: Path) -> None:
    """Wait until what a file holds is on the disk."""
    file = os.open(place, (os.O_RDWR if os.name == "nt" else os.O_RDONLY) | getattr(os, "O_NOFOLLOW", 0))
    try:
        os.fsync(file)
    finally:
        os.close(file)


def sync_open(file: int) -> None:
    """Wait until what an open file holds is on the disk."""
    os.fsync(file)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk; Windows knows no such thing."""
    if os.name != "nt":
        sync(folder)


def sync_all(root: Path, names: Iterable[str]) -> None:
    """Wait until some files below a folder are on the disk, with their names."""
    names = list(names)
    for name in names:
        sync(root / name)
    for folder in dict.fromkeys((root / name).parent for name in names):
        sync_folder(folder)
