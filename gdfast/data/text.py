"""What a file says: its bytes, taken out of what they are compressed with, bounded, as UTF-8 whatever they were.

A file may be compressed with gzip, bzip2 or xz, or be the one file of a zip archive; its first bytes tell.
"""

import bz2
import gzip
import lzma
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from gdfast import arguments

LARGEST_FILE = 2**28
"""Bytes of a file, and of what it holds if it is compressed."""
LONGEST_LINE, MOST_COLUMNS = 2**20, 10_000
_ZIP, _ZSTANDARD = (b"PK\x03\x04", b"PK\x05\x06"), b"\x28\xb5\x2f\xfd"
_OPENERS: dict[bytes, tuple[str, Any]] = {
    rb"\x1f\x8b": ("gzip", gzip.open),
    rb"BZh[1-9]1AY&SY": ("bzip2", bz2.open),
    rb"\xfd7zXZ\x00": ("xz", lzma.open),
}
_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f]")


def contents(place: Path) -> tuple[bytes, list[str]]:
    """Return the bytes of a file, not compressed any more, and what was done to them, a sentence each.

    Raises
    ------
    ValueError
        If it is no file, is too large, or cannot be taken out of what it is compressed with.
    """
    try:
        if not exists(place) or not place.is_file():
            raise ValueError(f"data: {short(place)} is not a file")
        with place.open("rb") as file:
            start = file.read(16)
            file.seek(0)
            if start.startswith(_ZSTANDARD):
                raise ValueError(
                    f"data: {short(place)} is compressed with zstandard; gzip, bzip2, xz and zip can be read"
                )
            if start.startswith(_ZIP):
                with zipfile.ZipFile(file) as archive, archive.open(_only_member(place, archive)) as content:
                    return _bounded(place, content), ["unpacked from zip"]
            for magic, (name, opened) in _OPENERS.items():
                if re.match(magic, start):
                    with opened(file) as content:
                        return _bounded(place, content), [f"unpacked from {name}"]
            return _bounded(place, file), []
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise ValueError(f"data: {short(place)} cannot be read: {short(reason, 200)}") from None


def _only_member(place: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if any(member.filename == "[Content_Types].xml" for member in members):
        raise ValueError(
            f"data: {short(place)} is a document of an office program; save its table as CSV, or give what "
            "pandas.read_excel makes of it"
        )
    if len(members) != 1:
        raise ValueError(f"data: {short(place)} holds {len(members)} files, but must hold one CSV file")
    return members[0]


def _bounded(place: Path, content: Any) -> bytes:
    raw: bytes = content.read(LARGEST_FILE + 1)
    if len(raw) > LARGEST_FILE:
        raise ValueError(
            f"data: {short(place)} holds more than {LARGEST_FILE >> 20} MiB of text, and no more than that is read"
        )
    return raw


def as_utf8(place: Path, raw: bytes, encoding: str | None) -> tuple[bytes, list[str]]:
    """Return a text as UTF-8 without blank lines at its end, and in which encoding it was, if it was in another.

    UTF-8, UTF-16 and UTF-32 are recognized; what is none of them is taken for Windows-1252, the encoding that
    spreadsheets of western Europe write, or for Latin-1 where that has no such character.

    Raises
    ------
    ValueError
        If it is no text, or not in the encoding that was told, or has lines or columns without end.
    """
    text, notes = raw, []
    name = encoding or _recognized(place, raw)
    if name != "utf-8":
        try:
            text = raw.decode(name).encode("utf-8")
        except (UnicodeError, LookupError) as error:
            raise ValueError(f"data: {short(place)} cannot be read in the encoding {name!r}: {error}") from None
        if name != "utf-8-sig":
            notes.append(f"read as {name}" + ("" if encoding or name.startswith("utf") else ", since it is not UTF-8"))
    text = text.rstrip(b"\r\n")
    if b"\0" in text:
        raise ValueError(f"data: {short(place)} is no text of CSV, since it has bytes of 0; write it as UTF-8")
    codes = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero((codes == 10) | (codes == 13))
    longest = int(np.diff(ends, prepend=-1, append=len(text)).max()) - 1
    if longest > LONGEST_LINE:
        raise ValueError(
            f"data: {short(place)} has a line of {longest} bytes, but lines must have at most {LONGEST_LINE}"
        )
    first = text[: ends[0] if len(ends) else len(text)]
    columns = max(first.count(separator) for separator in b",;\t|") + 1
    if columns > MOST_COLUMNS:
        raise ValueError(f"data: {short(place)} has {columns} columns, but must have at most {MOST_COLUMNS}")
    return text, notes


def _recognized(place: Path, raw: bytes) -> str:
    """The encoding of a text."""
    for mark, name in _MARKS.items():
        if raw.startswith(mark):
            return name
    # Without a mark, UTF-16 of western letters has a zero in every other byte.
    zeros = [raw[side::2].count(0) for side in (0, 1)] if b"\0" in raw else [0, 0]
    if max(zeros) > len(raw) // 4 > min(zeros):
        return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    try:
        raw.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        pass
    name = "cp1252"
    try:
        text = raw.decode(name)
    except UnicodeDecodeError:
        name = "latin-1"
        text = raw.decode(name)
    if control := _UNPRINTABLE.search(text):
        raise ValueError(
            f"data: {short(place)} is no text, since it is not UTF-8 and has the control character {control[0]!r}; "
            "write it as UTF-8"
        )
    return name


def exists(path: str | Path) -> bool:
    """Whether there is something of this name; not, if nothing can have it."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def short(text: Any, most: int = 100) -> str:
    """A text for a message: not too long, harmless, and on one line."""
    whole = arguments.one_line(str(text))
    return whole if len(whole) <= most else whole[:most] + "…"
