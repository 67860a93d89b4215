"""Files that commands leave: written beside under a name of their own, then moved, so that none is ever half there."""

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from gdfast.arguments import cut

_LONGEST_PATH = 300
PART = ".gdfast-part."
"""How the names of files and folders begin that are being written."""

unfinished: set[Path] = set()
"""Files and folders that are being written, for whoever has to end the process at once."""


def check(path: Path, argument: str = "out", accepted: tuple[str, ...] = ("a file",)) -> None:
    """Refuse a place that cannot be written; nothing is made.

    Parameters
    ----------
    path : Path
        The file, or the folder, to be written.
    argument : str
        What the user calls it.
    accepted : tuple of str
        What may be there already, ``a file`` or ``a folder``.

    Raises
    ------
    ValueError
        If something else is there, or it or the folder that it is to be made in cannot be written.
    """
    name = cut(str(path), _LONGEST_PATH)
    try:
        kind = _kind(path)
        if kind not in ("nothing", *accepted):
            raise ValueError(f"{argument}: {name} cannot be written: it is {kind}, not {' or '.join(accepted)}")
        place = path if kind == "a folder" else path.parent
        while (kind := _kind(place)) == "nothing" and place != place.parent:
            place = place.parent
    except OSError as error:
        raise ValueError(f"{argument}: {name} cannot be written: {error.strerror}") from None
    reason = f"it is {kind}" if kind != "a folder" else "" if os.access(place, os.W_OK | os.X_OK) else "no permission"
    if reason:
        raise ValueError(f"{argument}: the folder {cut(str(place), _LONGEST_PATH)} cannot be written: {reason}")


def _kind(path: Path) -> str:
    """What is at a path, in words.

    Raises
    ------
    OSError
        If that cannot be told, for example because a name is too long.
    """
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "nothing"
    except ValueError:
        raise OSError(0, "a name must not hold a null character") from None
    if stat.S_ISLNK(mode):
        try:
            mode = path.stat().st_mode
        except OSError:
            return "a link that leads nowhere"
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a file" if stat.S_ISREG(mode) else "no ordinary file"


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Give the name of an empty new file with the same suffix in the same folder, which is then moved to `path`.

    The folder is made if need be. On an error, `path` stays what it was, and nothing new stays.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    target = Path(os.path.realpath(path))
    with _explained(path), _made(target.parent):
        part, file = new_part(target.parent, target.suffix[:16])
        os.close(file)
        unfinished.add(part)
        try:
            yield part
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
            unfinished.discard(part)


def new_part(folder: Path, suffix: str = "") -> tuple[Path, int]:
    """Make an empty file under a name that nobody had, to be moved when it is whole; open it for writing.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    while True:
        part = folder / f"{PART}{secrets.token_hex(8)}{suffix}"
        with contextlib.suppress(FileExistsError):
            return part, os.open(part, flags, 0o666)


@contextlib.contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """Give an empty new folder inside `path`, whose content is then moved there: files of the same name are replaced.

    `path` is made if need be. On an error it stays what it was. A file named ``index.html`` is moved last.

    Raises
    ------
    OSError
        If something cannot be written.
    """
    with _explained(path), _made(path):
        part = path / f"{PART}{secrets.token_hex(8)}"
        part.mkdir()
        unfinished.add(part)
        try:
            yield part
            for item in sorted(part.rglob("*"), key=lambda item: (item.name == "index.html", item)):
                place = path / item.relative_to(part)
                if item.is_dir():
                    place.mkdir(exist_ok=True)
                else:
                    item.replace(place)
        finally:
            shutil.rmtree(part, ignore_errors=True)
            unfinished.discard(part)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say of an error of the system what could not be written, where the error does not."""
    try:
        yield
    except OSError as error:
        if not error.errno or (error.filename is not None and PART not in str(error.filename)):
            raise
        raise OSError(error.errno, f"out: {path} cannot be written: {os.strerror(error.errno)}") from error


@contextlib.contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder, and those above it, that are not there; on an error remove those again that are empty."""
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(new):
        place.mkdir(exist_ok=True)
        unfinished.add(place)
    try:
        yield
    except BaseException:
        for place in new:
            with contextlib.suppress(OSError):
                place.rmdir()
        raise
    finally:
        unfinished.difference_update(new)


def abandon() -> None:
    """Remove all that is unfinished, when the process has to end at once; a folder that has become full stays."""
    for place in sorted(unfinished, key=lambda place: len(place.parts), reverse=True):
        with contextlib.suppress(OSError):
            if place.name.startswith(PART) and place.is_dir():
                shutil.rmtree(place)
            elif place.is_dir():
                place.rmdir()
            else:
                place.unlink()
