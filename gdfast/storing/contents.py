"""What a store says of itself: read within bounds, compared with its checksums, refused where it contradicts itself."""

import contextlib
import itertools
import json
import math
import os
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gdfast import __version__
from gdfast.arguments import one_line
from gdfast.history import PREFIX
from gdfast.storing import files, layout
from gdfast.storing.files import Unsound
from gdfast.storing.journal import LARGEST_TEXT, Check, Journal, grid
from gdfast.storing.layout import METADATA, Array
from gdfast.storing.result import FIELDS, SINCE, digest, settings
from gdfast.tiles.sweep import Sweep

FORMAT = 3
"""Version of what a store holds and how; a reader refuses a higher one."""

LOCK = ".gdfast-lock"

REPAIR = "run the same sweep into it again to repair it"


class StoreError(ValueError):
    """A store that cannot be read, or not be written by this sweep; one sentence says why."""


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what is wrong with a file of a store into a sentence.

    Raises
    ------
    StoreError
        If a file is not sound, or cannot be read.
    """
    try:
        yield
    except Unsound as error:
        raise StoreError(f"store: {path} is damaged: {error}; {REPAIR}") from None
    except OSError as error:
        raise StoreError(f"store: {path} cannot be read: {os.strerror(error.errno or 5)}") from None


@contextlib.contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold the lock of a store's folder, for writing.

    Raises
    ------
    StoreError
        If another process holds it.
    OSError
        If there can be none.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    if os.path.lexists(store / LOCK):
        try:
            files.size(store, LOCK)
        except Unsound as error:
            raise StoreError(f"store: {store} cannot be locked: {error}; move that away") from None
    with os.fdopen(os.open(store / LOCK, flags, 0o666), "r+b") as lock:
        for is_last in (False,) * 9 + (True,):
            try:
                _lock(lock.fileno())
                break
            except OSError:
                if is_last:
                    message = f"store: {store} is being written by another process; wait for it, or end it"
                    raise StoreError(message) from None
                time.sleep(0.03)  # one that only looks whether it is locked is done by then
        yield


def is_busy(store: Path) -> bool:
    """Whether a process is writing to a store, as far as that can be told without writing."""
    try:
        files.size(store, LOCK)
        with os.fdopen(os.open(store / LOCK, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as lock:
            _lock(lock.fileno(), shared=True)
    except BlockingIOError:
        return True
    except (Unsound, OSError):
        return False
    return False


def _lock(file: int, shared: bool = False) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def check_attributes(path: Path, found: dict[str, Any]) -> None:
    """Refuse attributes that no gdfast, or a newer one, has written, or that were changed.

    Raises
    ------
    StoreError
        If so.
    """
    try:
        version = int(found["gdfast_format"])
        specification = json.loads(found["specification"])
        is_whole = any(
            digest(found["specification"], found["backend"], keep, found["gdfast"]) == found["digest"]
            for keep in (True, False)
        )
        _ = specification["problem"]["name"], specification["optimizers"][0]["name"], specification["max_steps"]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError, OverflowError):
        version, is_whole = 0, False
    if version > FORMAT:
        raise StoreError(
            f"store: {path} has format {version}, and gdfast {__version__} reads formats up to {FORMAT}; "
            "install a newer gdfast"
        )
    if not is_whole:
        raise StoreError(f"store: {path} is not a result of gdfast, or damaged: its attributes are not whole")


def keeps_theta(attributes: dict[str, Any]) -> bool:
    """Whether a result with these attributes holds end points."""
    parts = attributes["specification"], attributes["backend"]
    return bool(digest(*parts, True, attributes["gdfast"]) == attributes["digest"])


def check_same(path: Path, found: dict[str, Any], sweep: Sweep, backend: str, keep_theta: bool) -> None:
    """Refuse the attributes of a result that is not of this sweep.

    Raises
    ------
    StoreError
        If it is not; the message names the first difference.
    """
    if found["digest"] == digest(json.dumps(sweep.specification), backend, keep_theta):
        return
    asked = settings(sweep, backend, keep_theta)
    was = {**json.loads(found["specification"]), "backend": found["backend"], "keep_theta": keeps_theta(found)}
    was["gdfast"] = found["gdfast"]
    for difference in differences("", by_content(was), by_content(json.loads(json.dumps(asked)))):
        raise StoreError(f"store: {path} holds another sweep: {difference}; give another path, or overwrite it")


def by_content(specification: dict[str, Any]) -> dict[str, Any]:
    """A specification in which data are told by their rows alone, wherever these were taken from."""
    problem = specification["problem"]
    if not ("data" in problem and isinstance(problem["data"], dict) and isinstance(problem.get("parameters"), dict)):
        return specification
    parameters = {name: value for name, value in problem["parameters"].items() if name != "data"}
    rows = {name: problem["data"].get(name) for name in ("shape", "sha256")}
    return {**specification, "problem": {"name": problem["name"], "parameters": parameters, "data": rows}}


def differences(where: str, was: Any, asked: Any) -> Iterator[str]:
    """Each place in which two plain values differ, in words."""
    if isinstance(was, dict) and isinstance(asked, dict) and "sha256" not in was:
        for key in [*was, *(key for key in asked if key not in was)]:
            inner = f"{where}.{key}" if where else key
            if key not in was or key not in asked:
                yield f"{inner} was {was.get(key, 'not there')}, asked for is {asked.get(key, 'none')}"
            else:
                yield from differences(inner, was[key], asked[key])
    elif isinstance(was, list) and isinstance(asked, list) and len(was) == len(asked):
        for i, pair in enumerate(zip(was, asked, strict=True)):
            yield from differences(f"{where}[{i}]", *pair)
    elif was != asked:
        if isinstance(was, list) and isinstance(asked, list):
            yield f"{where} had length {len(was)}, asked for is {len(asked)}"
        else:
            if isinstance(was, str) and isinstance(asked, str):  # the text of a rule: the first line that is another
                pairs = itertools.zip_longest(was.splitlines(), asked.splitlines(), fillvalue="nothing")
                was, asked = next(((a.strip(), b.strip()) for a, b in pairs if a != b), (was, asked))
            yield f"{where} was {_short(was)}, asked for is {_short(asked)}"


def _short(value: Any) -> str:
    if isinstance(value, dict) and "sha256" in value:
        return f"an array {tuple(value['shape'])} of digest {value['sha256'][:8]}"
    return f"a list of {len(value)}" if isinstance(value, list) else str(value)


@dataclass(frozen=True)
class Contents:
    """What a store says of itself, checked.

    Attributes
    ----------
    path : Path
        Its folder.
    attributes : dict
        Of the group.
    members : dict
        Its arrays.
    old_texts : frozenset
        Those that hold texts as format 1 did.
    journal : Journal
        Which files it is made of.
    """

    path: Path
    attributes: dict[str, Any]
    members: dict[str, Array]
    old_texts: frozenset[str]
    journal: Journal

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of optimizers, learning rates and starts."""
        return self.members["outcome"].shape

    @property
    def block_shape(self) -> tuple[int, ...]:
        """The same of a block."""
        return self.members["outcome"].chunks

    @property
    def zarrays(self) -> dict[str, dict[str, Any]]:
        """What Zarr is told of each array."""
        texts = {"filters": layout.TEXTS}
        return {
            name: member.metadata | (texts if name in self.old_texts else {}) for name, member in self.members.items()
        }

    @cached_property
    def blocks(self) -> dict[str, dict[str, Any]]:
        """The blocks that are done."""
        return self.journal.blocks

    @property
    def coordinates(self) -> Iterator[str]:
        """The files that hold coordinates."""
        for name, member in self.members.items():
            if name not in layout.DATA:
                yield from (f"{name}/{key}" for key in member.keys)

    def chunk(self, name: str) -> bytes | None:
        """The bytes of a chunk; None if its block is not done.

        Raises
        ------
        StoreError
            If they are not those that were written.
        """
        array, _, key = name.partition("/")
        if array in layout.DATA:
            entry = self.blocks.get(layout.block_of(array, key))
            if entry is None:
                return None
            accepted: tuple[Check, ...] = (entry["files"][array],)
        else:
            accepted = self.journal.files.get(name, ())
        with explained(self.path):
            data = files.read(self.path, name, max((size for size, _ in accepted), default=2**31))
            check_file(name, data, accepted)
            self.members[array].check_chunk(name, data, array in self.old_texts)
        return data


def check_file(name: str, data: bytes, accepted: tuple[Check, ...]) -> None:
    """Refuse the bytes of a file that are not one of those accepted; anything is if none is known.

    Raises
    ------
    Unsound
        If they are others.
    """
    sizes = {size for size, _ in accepted}
    if accepted and len(data) not in sizes:
        raise Unsound(_wrong_size(name, len(data), accepted))
    if accepted and zlib.crc32(data) not in {check for size, check in accepted if size == len(data)}:
        raise Unsound(f"{name} has another checksum")


def _wrong_size(name: str, size: int, accepted: tuple[Check, ...]) -> str:
    return f"{name} has {size} bytes instead of {accepted[0][0]}"


def look(path: Path) -> Contents:
    """Read what a store says of itself; of its files only metadata and journal are read.

    Raises
    ------
    StoreError
        If it is not a store of gdfast, or these are damaged.
    """
    if not path.is_dir():
        raise StoreError(
            f"store: {one_line(str(path))} " + ("is not a store of gdfast" if path.exists() else "does not exist")
        )
    with explained(path):
        journal = Journal.read(path)
        try:
            metadata = files.read(path, METADATA, LARGEST_TEXT)
        except Unsound as error:
            if not journal.entries:
                raise StoreError(f"store: {path} is not a store of gdfast, or has lost its metadata: {error}") from None
            raise
        try:
            group = layout.read_json(metadata)["metadata"][layout.ATTRIBUTES_FILE]
        except (Unsound, KeyError, TypeError):
            raise Unsound(f"its metadata, {METADATA}, cannot be read") from None
        check_attributes(path, group)
        for damage in journal.damages:
            raise Unsound(damage)
        if group["gdfast_format"] > 1 and journal.header is None:
            raise Unsound("its journal is empty")
        check_file(METADATA, metadata, journal.files.get(METADATA, ()))
        try:
            attributes, members, old_texts = layout.check(metadata)
        except Unsound as error:
            raise Unsound(f"its metadata {error}") from None
        contents = Contents(path, attributes, members, old_texts, journal)
        _check_agreement(contents)
    return contents


def _check_agreement(contents: Contents) -> None:
    """Refuse a journal and metadata that contradict each other or the specification.

    Raises
    ------
    Unsound
        If they do.
    """
    specification = json.loads(contents.attributes["specification"])
    parts = (specification.get(name) for name in ("optimizers", "learning_rates", "starts"))
    lengths = tuple(part["shape"][0] if isinstance(part, dict) else len(part) for part in parts)
    names = {name for name in contents.members if name in layout.DATA}
    version = contents.attributes["gdfast_format"]
    expected = {name for name in FIELDS if SINCE.get(name, 1) <= version}
    expected |= {"theta"} if keeps_theta(contents.attributes) else set()
    expected |= {"measure"} if "measure" in specification else set()
    try:
        history = specification.get("history", {"quantities": [], "steps": []})
        expected |= {*specification.get("told_at_ends", ()), *(PREFIX + name for name in history["quantities"])}
        steps = len(history["steps"])
    except (KeyError, TypeError):
        raise Unsound("its specification cannot be read") from None
    recorded = contents.members.get("recorded_step")
    if (recorded.shape if recorded else (0,)) != (steps,):
        raise Unsound("its metadata are not those of its specification")
    if lengths != contents.shape or names != expected:
        raise Unsound("its metadata are not those of its specification")
    header = contents.journal.header
    if header and (
        header["digest"] != contents.attributes["digest"]
        or (tuple(header["shape"]), tuple(header["block"])) != (contents.shape, contents.block_shape)
    ):
        raise Unsound("its journal is that of another sweep")
    for key, entry in contents.blocks.items():
        sizes = grid(contents.shape, contents.block_shape, key)
        if sizes is None or entry["trajectories"] != math.prod(sizes) or {*entry["files"]} != names:
            raise Unsound(f"its journal names a block that it has not: {key}")
    done = sum(entry["trajectories"] for entry in contents.blocks.values())
    if contents.journal.finished and done != math.prod(contents.shape):
        raise Unsound("its journal says that it is complete, and lacks blocks")


def damages(contents: Contents, whole: bool) -> dict[str, str]:
    """For each file that is not what the journal says, what is wrong with it, by its name.

    Parameters
    ----------
    contents : Contents
        What the store says of itself.
    whole : bool
        Compare the checksums too, for which every file is read.
    """
    listed: dict[str, tuple[Check, ...]] = dict.fromkeys(contents.coordinates, ())
    listed.update(contents.journal.files)
    for key, entry in contents.blocks.items():
        listed.update(
            {layout.chunk(name, key, contents.members[name]): (check,) for name, check in entry["files"].items()}
        )
    return damaged(contents.path, listed, whole)


def damaged(path: Path, listed: Mapping[str, tuple[Check, ...]], whole: bool) -> dict[str, str]:
    """For each of these files that is not one of what is accepted, what is wrong with it."""
    found = {}
    for name, accepted in listed.items():
        try:
            size = files.size(path, name)
            if accepted and size not in {size for size, _ in accepted}:
                raise Unsound(_wrong_size(name, size, accepted))
            if whole and accepted:
                check_file(name, files.read(path, name, size), accepted)
        except Unsound as error:
            found[name] = str(error)
        except OSError as error:
            found[name] = f"{name} cannot be read: {os.strerror(error.errno or 5)}"
    return found


def check_folder(folder: Path) -> None:
    """Make sure that a folder exists and can be written.

    Parameters
    ----------
    folder : Path
        Made, with those above it, if it is not there.

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
