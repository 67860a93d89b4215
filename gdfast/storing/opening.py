"""How a store is opened for writing: made, or recognized and repaired; and what is never touched.

A store is begun by its journal, whose first line names all its files of metadata and coordinates. Then these are
written. So making and repairing a store are the same: what is not as the journal says is written.

Only what is recognized is written into: an empty folder, or one that the journal's first line or the attributes show to
be this sweep's. A store is overwritten by removing just the files that it names itself. Anything else that stands where
a file of the store belongs is refused.
"""

import contextlib
import math
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from gdfast.outputs import PART
from gdfast.storing import files, layout
from gdfast.storing.contents import (
    FORMAT,
    LOCK,
    StoreError,
    check_attributes,
    check_folder,
    check_same,
    damaged,
    locked,
)
from gdfast.storing.files import Unsound
from gdfast.storing.journal import JOURNAL, LARGEST_TEXT, Journal, check_of, grid, line
from gdfast.storing.layout import ATTRIBUTES_FILE, METADATA, Array
from gdfast.storing.result import attributes, bytes_of_a_cell, machine
from gdfast.tiles.sweep import Sweep

Block = tuple[int, int, int]


@dataclass
class Opened:
    """A store that is being written.

    Attributes
    ----------
    path : Path
        Its folder.
    sweep, backend, keep_theta
        What it holds.
    block : tuple of int
        Numbers of optimizers, learning rates and starts of a block.
    journal : Journal
        What is done.
    begun : dict
        Versions, machine and date when it was begun.
    finished : dict, optional
        The same when it was finished before it had to be repaired.
    repaired : list of str
        What was wrong with it when it was opened.
    """

    path: Path
    sweep: Sweep
    backend: str
    keep_theta: bool
    block: Block
    journal: Journal = field(default_factory=Journal)
    begun: dict[str, Any] = field(default_factory=machine)
    finished: dict[str, Any] | None = None
    repaired: list[str] = field(default_factory=list)

    @cached_property
    def axes(self) -> tuple[dict[str, Array], dict[str, bytes]]:
        """The arrays that hold coordinates, and their chunks."""
        return layout.axes(self.sweep)

    @property
    def names(self) -> set[str]:
        """The names of all arrays."""
        return {*self.axes[0], *self.arrays}

    @property
    def arrays(self) -> dict[str, Array]:
        """The arrays that hold trajectories."""
        return layout.arrays(self.sweep, self.keep_theta, self.block)

    @property
    def attributes(self) -> dict[str, Any]:
        """Of the group, as begun."""
        return {"gdfast_format": FORMAT, **attributes(self.sweep, self.backend, self.keep_theta), **self.begun}

    def attribute_texts(self, facts: dict[str, Any]) -> dict[str, bytes]:
        """The two files of metadata that change when the store is complete."""
        texts = layout.texts({**self.attributes, **facts}, {**self.axes[0], **self.arrays})
        return {name: texts[name] for name in (ATTRIBUTES_FILE, METADATA)}

    def write(self) -> None:
        """Write the journal anew, with what is done, and then all files that are not as it says."""
        axes, chunks = self.axes
        contents = {**layout.texts(self.attributes, {**axes, **self.arrays}), **chunks}
        header = {
            "digest": self.attributes["digest"],
            "shape": self.sweep.shape,
            "block": self.block,
            "begun": self.begun,
            "files": {name: check_of(data) for name, data in contents.items()},
            **({"found": [minimum.point for minimum in found]} if (found := self.sweep.problem.found) else {}),
        }
        kept = [entry for entry in self.journal.entries if "session" in entry or "block" in entry]
        files.put(self.path / JOURNAL, b"".join(map(line, [{"store": header}, *kept])))
        for name in sorted(self.names):
            files.make_folder(self.path / name)
        files.sync_folder(self.path)
        wrong = damaged(self.path, {name: (check_of(data),) for name, data in contents.items()}, whole=True)
        for name in wrong:
            files.move(files.write(self.path, contents[name]), self.path / name)
        files.sync_all(self.path, wrong)
        self.journal = Journal.read(self.path)


@contextlib.contextmanager
def opened(
    path: Path,
    sweep: Sweep,
    backend: str,
    keep_theta: bool,
    overwrite: bool,
    block_shape: Callable[[tuple[int, int, int], int, int], Block],
) -> Iterator[Opened]:
    """Open a store for writing, made if there is none, repaired if it is of the same sweep; lock it meanwhile.

    Raises
    ------
    StoreError
        If `path` holds something else, or a result of another sweep, or another process writes to it.
    OSError
        If there is no space to make it.
    """
    check_folder(path.parent)
    if os.path.lexists(path) and not path.is_dir():
        raise StoreError(f"store: {path} exists already and is not a store of gdfast; give another path")
    if overwrite and path.is_symlink():
        raise StoreError(f"store: {path} is a link, through which nothing is overwritten; give {path.resolve()}")
    work = sweep.max_steps * sweep.problem.step_work
    computed = block_shape(sweep.shape, work, bytes_of_a_cell(sweep, keep_theta))
    place = Opened(path, sweep, backend, keep_theta, computed)
    if path.exists():
        _recognized(path)  # before anything is made in it
    else:
        _ = place.axes  # refuses what cannot be stored
        files.make_folder(path)
        files.sync_folder(path.parent)
    with locked(path):
        known = _recognized(path)
        if known and not overwrite:
            _resume(place, *known)
        else:
            if known:
                _remove(path, *known)
            _check_free(place)
            place.write()
        for name in os.listdir(path):  # of a process that was killed
            if name.startswith(PART) and stat.S_ISREG((path / name).lstat().st_mode):
                files.remove(path / name)
        yield place


def _recognized(path: Path) -> tuple[Journal, list[dict[str, Any]]] | None:
    """The journal of a store, and its attributes, from each of the files that hold them; None of an empty folder.

    Raises
    ------
    StoreError
        If the folder holds anything else.
    """
    if all(name == LOCK or name.startswith(PART) for name in os.listdir(path)):
        return None
    journal, found = Journal.read(path), []
    for name in (ATTRIBUTES_FILE, METADATA):
        with contextlib.suppress(Unsound, KeyError, TypeError):
            text = layout.read_json(files.read(path, name, LARGEST_TEXT))
            group = text if name == ATTRIBUTES_FILE else text["metadata"][ATTRIBUTES_FILE]
            try:
                check_attributes(path, group)
            except StoreError:
                if isinstance(group.get("gdfast_format"), int) and group["gdfast_format"] > FORMAT:
                    raise
                continue
            found.append(group)
    if journal.header is None and not found:
        raise StoreError(
            f"store: {path} exists already and is not a store of gdfast, or cannot be recognized as one; "
            "give another path"
        )
    return journal, found


def _resume(place: Opened, journal: Journal, groups: list[dict[str, Any]]) -> None:
    """Make sure that a store is this sweep's, and repair it.

    Raises
    ------
    StoreError
        If it is another's, or something stands in the way.
    """
    path, digest = place.path, place.attributes["digest"]
    digests = [journal.header["digest"]] if journal.header else [group["digest"] for group in groups]
    told_otherwise = digest not in digests  # the same sweep, its data from elsewhere
    if told_otherwise:
        for group in groups:
            check_same(path, group, place.sweep, place.backend, place.keep_theta)
        if not groups:
            raise StoreError(f"store: {path} holds another sweep; give another path, or overwrite it")
    is_judged_otherwise = _know(place, journal)
    place.journal, place.block = journal, _block(path, journal) or place.block
    owned = _owned(path, place.sweep.shape, place.block, place.names, journal)
    _check_ordinary(path, owned)
    if journal.header:
        place.begun = journal.header["begun"]
    if journal.finished:
        place.finished = journal.finished.get("facts")
    place.repaired += journal.damages
    bad = damaged(path, journal.files, whole=True)
    place.repaired += bad.values()
    dropped, arrays = set(), place.arrays
    for key, entry in journal.blocks.items():
        sizes = grid(place.sweep.shape, place.block, key)
        checks = {layout.chunk(name, key, arrays.get(name)): (check,) for name, check in entry["files"].items()}
        is_one = sizes and math.prod(sizes) == entry["trajectories"] and {*entry["files"]} == {*arrays}
        stray = {key: f"its journal names a block that it has not: {key}"}
        wrong = damaged(path, checks, whole=True) if is_one else stray
        if wrong:
            dropped.add(key)
            place.repaired += wrong.values()
    journal.entries = [entry for entry in journal.entries if entry.get("block") not in dropped]
    if place.repaired or told_otherwise or is_judged_otherwise or not journal.header:
        place.write()


def _know(place: Opened, journal: Journal) -> bool:
    """Let the problem know what a store's trajectories found, and drop blocks that were judged with less.

    Returns whether there are such blocks.

    Raises
    ------
    StoreError
        If what was found is no point of the problem.
    """
    known = [list(minimum.point) for minimum in place.sweep.problem.found]
    if journal.header and len(journal.found) < len(known):
        journal.entries = [entry for entry in journal.entries if "block" not in entry and "finished" not in entry]
        return True
    problem = place.sweep.problem
    for point in journal.found[len(known) :]:
        if len(point) != problem.dimension:
            raise StoreError(f"store: {place.path} is damaged: its journal names a minimum that is no point")
        problem = problem.knowing(point)
    if journal.found:
        place.sweep = place.sweep.replace(problem=problem)
    return False


def _block(path: Path, journal: Journal) -> Block | None:
    """The shape of a store's blocks, where it is still told."""
    if journal.header:
        a, b, c = journal.header["block"]
        return a, b, c
    with contextlib.suppress(Unsound):
        a, b, c = layout.check(files.read(path, METADATA, LARGEST_TEXT))[1]["outcome"].chunks
        return a, b, c
    return None


def _owned(path: Path, shape: tuple[int, ...], block: tuple[int, ...], names: set[str], journal: Journal) -> list[str]:
    """What there is in a folder by the names of a store's files, whatever it is."""
    found = [name for name in (JOURNAL, METADATA, ATTRIBUTES_FILE, layout.GROUP) if os.path.lexists(path / name)]
    for array in names:
        if not os.path.lexists(path / array):
            continue
        mode = (path / array).lstat().st_mode
        if not stat.S_ISDIR(mode):
            found.append(array)
            continue
        for item in os.listdir(path / array):
            name = f"{array}/{item}"
            key = layout.block_of(array, item)
            is_chunk = array in layout.DATA and grid(shape, block, key) is not None
            if is_chunk or item in (".zarray", ".zattrs") or name in journal.files:
                found.append(name)
    return found


def _check_ordinary(path: Path, names: list[str]) -> None:
    """Refuse what stands where a file of the store belongs, and is none.

    Raises
    ------
    StoreError
        If there is such a thing.
    """
    for name in names:
        try:
            files.size(path, name)
        except Unsound as error:
            raise StoreError(f"store: {path} cannot be written: {error}; move that away") from None
        if "/" not in name and name[0] != ".":
            raise StoreError(f"store: {path} cannot be written: {name} is a file, not a folder; move that away")


def _remove(path: Path, journal: Journal, groups: list[dict[str, Any]]) -> None:
    """Remove the files that a store names, but for its journal.

    Raises
    ------
    StoreError
        If its list of files is lost, or one of them is something else.
    """
    members: dict[str, Array] = {}
    with contextlib.suppress(Unsound):
        members = layout.check(files.read(path, METADATA, LARGEST_TEXT))[1]
    if journal.header:
        shape, block = tuple(journal.header["shape"]), tuple(journal.header["block"])
    elif members:
        shape, block = members["outcome"].shape, members["outcome"].chunks
    else:
        raise StoreError(f"store: {path} is damaged, and does not tell which files are its own; give another path")
    arrays = {name.partition("/")[0] for name in journal.files if "/" in name} | {*members}
    listed = {f"{name}/{key}" for name in {*members} - {*layout.DATA} for key in members[name].keys}
    owned = _owned(path, shape, block, arrays, journal)
    owned += [name for name in sorted(listed - {*owned}) if os.path.lexists(path / name)]
    _check_ordinary(path, owned)
    for name in sorted(owned, key=lambda name: name in (METADATA, ATTRIBUTES_FILE)):
        if name != JOURNAL:  # which the new one replaces, so that there is always one
            files.remove(path / name)
    for array in arrays:
        with contextlib.suppress(OSError):  # something else is in it
            (path / array).rmdir()
    files.sync_folder(path)


def _check_free(place: Opened) -> None:
    """Refuse to begin a store where something else has the name of one of its files.

    Raises
    ------
    StoreError
        If something has.
    """
    for name in _owned(place.path, place.sweep.shape, place.block, place.names, Journal()):
        if name == JOURNAL:  # of the store that is overwritten; the first to be replaced
            continue
        raise StoreError(f"store: {place.path} cannot be written: {name} is not its own; move that away")
