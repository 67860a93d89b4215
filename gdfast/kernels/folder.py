"""The folder of compiled kernels: of bounded size, shared by any number of processes, and its damage is seen.

A kernel's name holds a digest of all that it depends on, so a file is never out of date, only of no use any more. It
is written beside and moved; two processes that write the same kernel write one as good as the other. In front of the
machine code stands its checksum: a file that is not what was written is treated as if it were not there, and replaced.

The first of these folders that can be written is used: ``NUMBA_CACHE_DIR``, the package's own, the user's for caches.
A kernel is looked for in all three. Where none can be written, kernels are compiled anew in every process.
"""

import contextlib
import functools
import hashlib
import os
import stat
import time
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MOST_MIB: Final = 256
"""Size of the folder in MiB, unless the environment variable ``GDFAST_KERNELS_MIB`` says another."""

_MAGIC, _SUFFIX, _UNFINISHED = b"gdfast kernel 1\n", ".kernel", ".unfinished"
_RECENT = 60.0  # seconds for which a file is not trimmed, since some process has just written or read it
_ABANDONED = 3600.0  # seconds after which nobody will finish an unfinished file
_LARGEST = 64 * 2**20  # bytes of a file that is read; the largest kernel, a network's, has 0.3 MiB


def folders() -> Iterator[Path]:
    """Where kernels may be kept, first choice first."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen).absolute() / "gdfast"
    yield Path(__file__).absolute().parent / "__pycache__"
    from gdfast.kernels.numba_internals import user_folder  # which takes a while, and is hardly ever asked

    if (users := Path(user_folder())).is_absolute():
        yield users


def lacks(kind: str) -> bool:
    """Whether no kernel of a kind, such as ``drive``, is kept where the next would be; False if it would be nowhere."""
    for folder in folders():
        if any(folder.glob(f"{kind}-*{_SUFFIX}")):
            return False
        if os.access(folder if folder.exists() else folder.parent, os.W_OK):
            return True
    return False


def read(name: str) -> bytes | None:
    """Return the machine code of that name, None where it is not kept or is damaged."""
    for folder in folders():
        path = folder / (name + _SUFFIX)
        with contextlib.suppress(OSError, ValueError):
            code = _unpacked(name, plain_content(path))
            with contextlib.suppress(OSError):
                os.utime(path)  # used: what has not been for the longest time is trimmed first
            return code
    return None


def write(name: str, code: bytes) -> None:
    """Keep machine code, and trim the folder; where none can be written, warn once in a process."""
    content = _packed(name, code)
    for folder in folders():
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            put(folder / (name + _SUFFIX), content)
            trim(folder, most_bytes())
            return
    _warn()


def most_bytes() -> float:
    """How many bytes the folder may have: `MOST_MIB`, or what ``GDFAST_KERNELS_MIB`` says if that is a number."""
    try:
        most = float(os.environ.get("GDFAST_KERNELS_MIB", MOST_MIB))
    except ValueError:
        most = MOST_MIB
    return most * 2**20 if most >= 0 else MOST_MIB * 2**20


def trim(folder: Path, most: float) -> None:
    """Remove the kernels that have not been used for the longest time until the others have `most` bytes or less.

    What has been written or read within the last minute stays in any case.
    """
    now, total, files = time.time(), 0, []
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                age = now - status.st_mtime
                if entry.name.endswith(_UNFINISHED) and age > _ABANDONED:
                    os.unlink(entry)
                elif entry.name.endswith(_SUFFIX) and stat.S_ISREG(status.st_mode):
                    total += status.st_size
                    files.append((age, status.st_size, entry.path))
    for age, size, path in sorted(files, reverse=True):
        if total <= most or age < _RECENT:
            break
        with contextlib.suppress(FileNotFoundError):  # another process trims, too
            os.unlink(path)
        total -= size


def plain_content(path: Path) -> bytes:
    """What is in a file; ValueError if it is something else than a plain one."""
    # Whoever can write to the folder can place anything there: nothing but a plain file is waited for.
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("not a plain file")
        return file.read(_LARGEST)


def put(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there, so that nobody reads half of it."""
    beside = path.with_name(f"{path.name}.{uuid.uuid4().hex[:16]}{_UNFINISHED}")
    try:
        with open(beside, "xb") as file:
            file.write(content)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def _packed(name: str, code: bytes) -> bytes:
    return _MAGIC + _checksum(name, code) + code


def _unpacked(name: str, content: bytes) -> bytes:
    """Undo `_packed`; ValueError if the content is not what was written under that name."""
    begin = len(_MAGIC) + hashlib.sha256().digest_size
    code = content[begin:]
    if content[:begin] != _MAGIC + _checksum(name, code):
        raise ValueError("damaged")
    return code


def _checksum(name: str, body: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + body).digest()


@functools.cache
def _warn() -> None:
    warnings.warn(
        "no folder for compiled kernels can be written, so they are compiled anew in every process; "
        "set NUMBA_CACHE_DIR to a folder that can be written",
        stacklevel=2,
    )
