r"""The journal of a store: which files it is made of, who wrote them, and which blocks are done.

`JOURNAL` is a file of lines that are only ever added. Each is the CRC-32 of a JSON text as eight hexadecimal digits, a
space, and the text, which is one of

- ``{"store": {"digest": …, "shape": …, "block": …, "begun": …, "files": {name: [size, crc32], …}}}``, the first line:
  what is swept, and every file of metadata and coordinates; with ``"found": [[…], …]`` where trajectories found minima;
- ``{"session": …}``: a process begins to write;
- ``{"block": "0.3.0", "files": {"loss": [size, crc32], …}, …}``: a block's chunks are on the disk; with ``"lower":
  […]`` where ends are lower than all known minima, see `gdfast.tiles.lower`;
- ``{"finished": {"files": …, …}}``: all blocks are, and these files of metadata have their last form.

A last line without its end was being written when the process ended; it counts as not there. In stores of format 1
there is no first line, no last one, and lines have no checksums.
"""

import json
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gdfast.storing import files
from gdfast.storing.files import Unsound, is_plain

JOURNAL = ".gdfast-journal"
LARGEST_JOURNAL, LARGEST_TEXT = 2**28, 2**26
"""Bytes of a journal, and of one of its lines or a file of metadata."""

Check = tuple[int, int]
"""Size and CRC-32 of a file."""

_BLOCK = re.compile(r"(0|[1-9][0-9]{0,11})(\.(0|[1-9][0-9]{0,11})){2}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def check_of(data: bytes) -> Check:
    """The size and checksum of a file that holds this."""
    return len(data), zlib.crc32(data)


def line(entry: dict[str, Any]) -> bytes:
    """A line of the journal."""
    text = json.dumps(entry).encode()
    return b"%08x %b\n" % (zlib.crc32(text), text)


def grid(shape: tuple[int, ...], block: tuple[int, ...], key: str) -> tuple[int, ...] | None:
    """The numbers of optimizers, learning rates and starts of the block of this name; None if there is none such."""
    if not _BLOCK.fullmatch(key):
        return None
    sizes = tuple(min(c, n - int(at) * c) for c, n, at in zip(block, shape, key.split("."), strict=True))
    return sizes if min(sizes) > 0 else None


@dataclass
class Journal:
    """What a store's journal says, as far as it can be read.

    Attributes
    ----------
    entries : list
        Its sound lines.
    damages : list of str
        What is wrong with others.
    length : int
        In bytes, less a last line that was not written whole.
    format : int
        2, or 1 where lines have no checksums, 0 where there are none.
    """

    entries: list[dict[str, Any]] = field(default_factory=list)
    damages: list[str] = field(default_factory=list)
    length: int = 0
    format: int = 0

    @classmethod
    def read(cls, store: Path) -> "Journal":
        """Read the journal of a store; what is wrong with it is among its `damages`.

        Raises
        ------
        OSError
            If it is there and cannot be read.
        """
        journal = cls()
        try:
            whole, end, _ = files.read(store, JOURNAL, LARGEST_JOURNAL).rpartition(b"\n")
        except Unsound as error:
            journal.damages.append(f"the journal {error}")
            return journal
        journal.length = len(whole) + len(end)
        for number, text in enumerate(whole.split(b"\n") if end else [], 1):
            try:
                is_bare = text.startswith(b"{") and journal.format < 2
                entry = _entry(text if is_bare else _checked(text), is_bare)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
                journal.damages.append(f"line {number} of its journal is not readable")
                continue
            journal.format = journal.format or (1 if is_bare else 2)
            if ("store" in entry) != (number == 1 and not is_bare):
                journal.damages.append(f"line {number} of its journal is not where it belongs")
                continue
            journal.entries.append(entry)
        if journal.format == 2 and journal.header is None and not journal.damages:
            journal.damages.append("the first line of its journal is missing")
        return journal

    def _all(self, kind: str) -> Iterator[dict[str, Any]]:
        return (entry for entry in self.entries if kind in entry)

    @property
    def header(self) -> dict[str, Any] | None:
        """What the first line says."""
        return next((entry["store"] for entry in self._all("store")), None)

    @property
    def finished(self) -> dict[str, Any] | None:
        """What is said of a store that is complete."""
        return next((entry["finished"] for entry in reversed(self.entries) if "finished" in entry), None)

    @property
    def found(self) -> list[list[float]]:
        """The minima that trajectories found, which the blocks were judged with."""
        return list(self.header.get("found", [])) if self.header else []

    @property
    def blocks(self) -> dict[str, dict[str, Any]]:
        """The blocks that are done."""
        return {entry["block"]: entry for entry in self._all("block")}

    @property
    def sessions(self) -> int:
        """How many processes have written."""
        return sum(1 for _ in self._all("session"))

    @property
    def seconds(self) -> float:
        """How long they did, up to the last block of each."""
        total = ended = 0.0
        for entry in self.entries:
            if "session" in entry:
                total, ended = total + ended, 0.0
            elif "block" in entry:
                ended = float(entry["seconds"])
        return total + ended

    @property
    def compile_seconds(self) -> float:
        """How long they compiled or loaded kernels."""
        return sum(float(entry["session"]["compile_seconds"]) for entry in self._all("session"))

    @property
    def files(self) -> dict[str, tuple[Check, ...]]:
        """The files of metadata and coordinates, each with what it may be: as begun, or as finished."""
        first, last = (dict(part["files"]) if part else {} for part in (self.header, self.finished))
        return {name: tuple(part[name] for part in (last, first) if name in part) for name in {**first, **last}}


def _checked(text: bytes) -> bytes:
    check, _, rest = text.partition(b" ")
    if len(text) > LARGEST_TEXT or len(check) != 8 or int(check, 16) != zlib.crc32(rest):
        raise ValueError
    return rest


def _entry(text: bytes, is_bare: bool) -> dict[str, Any]:
    """Read the JSON text of a line and check all that is used of it.

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError
        If it is none that gdfast writes.
    """
    if len(text) > LARGEST_TEXT:
        raise ValueError
    entry: dict[str, Any] = json.loads(text)
    for kind in ("store", "finished"):
        if kind in entry and not is_bare:
            entry[kind]["files"] = {_name(name): _check(check) for name, check in entry[kind]["files"].items()}
    match entry:
        case {"store": {"digest": str(digest), "shape": shape, "block": block, "begun": {}}} if not is_bare:
            if not _DIGEST.fullmatch(digest) or [*map(type, shape), *map(type, block)] != [int] * 6:
                raise ValueError
            if not all(0 < c <= n <= 2**40 for n, c in zip(shape, block, strict=True)):
                raise ValueError
            for point in entry["store"].get("found", []):
                _numbers(point)
        case {"session": {"compile_seconds": float(seconds) | int(seconds)}} if math.isfinite(seconds):
            pass
        case {"finished": {}} if not is_bare:
            pass
        case {"block": str(key), "trajectories": int(), "steps": int(), "lane_steps": int(), "seconds": seconds}:
            entry["files"] = {_name(name): _check(check) for name, check in entry["files"].items()}
            if not _BLOCK.fullmatch(key) or not math.isfinite(seconds):
                raise ValueError
            _numbers(entry.get("lower", []))
        case _:
            raise ValueError
    return entry


def _check(check: Any) -> Check:
    size, checksum = check
    if type(size) is not int or type(checksum) is not int or not 0 <= size < 2**31 or not 0 <= checksum < 2**32:
        raise ValueError
    return size, checksum


def _numbers(values: Any) -> None:
    if not isinstance(values, list) or not all(isinstance(x, float) and math.isfinite(x) for x in values):
        raise ValueError


def _name(name: str) -> str:
    """Refuse a name that leads out of the store, or to its journal."""
    parts = name.split("/")
    if len(parts) > 2 or JOURNAL in parts or any(not is_plain(part) for part in parts):
        raise ValueError
    return name
