"""Tables of numbers from CSV files, read by pandas: bounded in size, and refused in one sentence.

A file may be compressed with gzip, bzip2 or xz, or be the one file of a zip archive; its first bytes tell. It is UTF-8
text with commas between the values.
"""

import bz2
import difflib
import gzip
import io
import lzma
import re
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from packaging.version import Version

from gdfast import arguments
from gdfast.formulas.elementary import Array

if TYPE_CHECKING:
    import pandas

LARGEST_FILE = 2**28
"""Bytes of a file, and of what it holds if it is compressed."""
LONGEST_LINE, MOST_COLUMNS, LONGEST_NAME = 2**20, 10_000, 1000
_SHOWN = 40  # characters of a value, and names of columns, in a message
_ZIP, _ZSTANDARD = (b"PK\x03\x04", b"PK\x05\x06"), b"\x28\xb5\x2f\xfd"
_OPENERS: dict[bytes, Any] = {rb"\x1f\x8b": gzip.open, rb"BZh[1-9]1AY&SY": bz2.open, rb"\xfd7zXZ\x00": lzma.open}


def read(path: str | Path, header: bool | None = None) -> "pandas.DataFrame":
    """Read a CSV file of values none of which is missing.

    Parameters
    ----------
    path : str or Path
        The file.
    header : bool, optional
        Whether the first line has the names of the columns. If not, they are "1", "2", … . If not given, it has, but is
        refused where it has numbers only.

    Raises
    ------
    TypeError
        If `header` is no truth value.
    ValueError
        If the file is none, is too large, cannot be read as CSV or has no rows, columns have no name or the same, or a
        value is missing.
    """
    import pandas

    place = Path(path)
    first = header is None or arguments.flag("data: header", header)
    text = _text(place)
    if not text:
        raise ValueError(f"data: {short(place)} is empty, but must have a header and rows")
    options: dict[str, Any] = {"skipinitialspace": True, "skip_blank_lines": False}
    if Version(pandas.__version__) < Version("3.1"):
        options["float_precision"] = "round_trip"  # which is by now the only one: others were off by a last bit
    try:
        names = pandas.read_csv(io.StringIO(text), header=None, nrows=1, dtype=str, keep_default_na=False, **options)
        names = _checked_names(place, names.iloc[0].tolist(), header) if first else None
        with warnings.catch_warnings():
            # Rows that are longer than the header would otherwise lose a value, or shift all names by one.
            warnings.simplefilter("error", pandas.errors.ParserWarning)
            options |= {"index_col": False, "low_memory": False}
            table: pandas.DataFrame = pandas.read_csv(io.StringIO(text), header=0 if first else None, **options)
    except pandas.errors.ParserWarning:
        raise ValueError(f"data: the rows of {short(place)} have more values than its header has names") from None
    except (ValueError, OverflowError) as error:
        if str(error).startswith("data: "):
            raise
        reason = short(str(error).strip().splitlines()[-1], 200)
        raise ValueError(f"data: {short(place)} cannot be read as CSV: {reason}") from None
    table.columns = names if names is not None else [str(j + 1) for j in range(table.shape[1])]
    if not len(table):
        raise ValueError(f"data: {short(place)} has a header but no rows")
    missing = np.argwhere(table.isna().to_numpy())
    if len(missing):
        row, column = missing[0]
        others = f" ({len(missing) - 1} more are missing)" if len(missing) > 1 else ""
        raise ValueError(
            f"data: {short(place)} has no value in line {row + 1 + first}, column {short(table.columns[column])!r}"
            f"{others}; fill it or remove the line"
        )
    return table


def column_of(table: "pandas.DataFrame", target: str) -> str:
    """Return the name of the column to predict, if there is one of that name and another beside it.

    Raises
    ------
    ValueError
        If there is none; the message suggests the nearest names.
    """
    names = list(table.columns)
    if target not in names:
        few = names if len(names) <= _SHOWN else difflib.get_close_matches(target, names) or names[:_SHOWN]
        arguments.choice("target", short(target), [short(name) for name in few])
    if len(names) < 2:
        raise ValueError(f"data: there is the column {short(target)!r} only, but must be a feature beside the target")
    return target


def is_text(column: "pandas.Series[Any]") -> bool:
    """Whether a column holds something else than numbers and truth values."""
    import pandas

    return not (pandas.api.types.is_numeric_dtype(column) or pandas.api.types.is_bool_dtype(column))


def numbers(path: str | Path, column: "pandas.Series[Any]", first_line: int) -> Array:
    """Return a column as numbers, ``float64[m]``.

    Raises
    ------
    ValueError
        If a value is no number or infinite, or whole numbers that differ would be the same.
    """
    import pandas

    name, place = short(str(column.name)), short(path)
    text = np.flatnonzero(pandas.to_numeric(column, errors="coerce").isna())
    if len(text):
        row = int(text[0])
        raise ValueError(
            f"data: {place} has {short(str(column.iloc[row]))!r} in line {row + first_line}, column {name!r}, but "
            "features must be numbers; encode the column or remove it"
        )
    values = column.to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(
            f"data: {place} has {values[row]} in line {row + first_line}, column {name!r}, but values must be finite"
        )
    whole = not pandas.api.types.is_float_dtype(column)
    if whole and np.abs(values).max() >= 2**53 and column.nunique() != len(np.unique(values)):
        raise ValueError(
            f"data: {place} has whole numbers of 2⁵³ and more in column {name!r} that differ, but are the same in "
            "float64; subtract what they have in common, or leave the column out"
        )
    return values


def _checked_names(place: Path, names: list[str], header: bool | None) -> list[str]:
    """The names of the columns, if each has one of its own."""
    if header is None and all(_is_number(name) for name in names):
        raise ValueError(
            f"data: the first line of {short(place)} has numbers only, {short(','.join(names))}; say header=False "
            "(--no-header) if they are data, with the target's number, 1, 2, …, as its name, or header=True (--header) "
            "if they are names"
        )
    for j, name in enumerate(names):
        if not name.strip():
            raise ValueError(f"data: column {j + 1} of {short(place)} has no name; name it or leave it out")
        if len(name) > LONGEST_NAME:
            raise ValueError(
                f"data: column {j + 1} of {short(place)} has a name of {len(name)} characters, {short(name)!r}, but "
                f"names must have at most {LONGEST_NAME}"
            )
    if len(set(names)) < len(names):
        twice = next(name for j, name in enumerate(names) if name in names[:j])
        where = " and ".join(str(j + 1) for j, name in enumerate(names) if name == twice)
        raise ValueError(
            f"data: columns {short(where)} of {short(place)} have the same name, {short(twice)!r}, but must differ"
        )
    return names


def _text(place: Path) -> str:
    """What a file says, without blank lines at its end."""
    raw = _bytes(place).rstrip(b"\r\n")
    if b"\0" in raw:
        raise ValueError(f"data: {short(place)} is no text of CSV, since it has bytes of 0; write it as UTF-8")
    codes = np.frombuffer(raw, dtype=np.uint8)
    ends = np.flatnonzero((codes == 10) | (codes == 13))
    longest = int(np.diff(ends, prepend=-1, append=len(raw)).max()) - 1
    if longest > LONGEST_LINE:
        raise ValueError(
            f"data: {short(place)} has a line of {longest} bytes, but lines must have at most {LONGEST_LINE}"
        )
    columns = raw[: ends[0] if len(ends) else len(raw)].count(b",") + 1
    if columns > MOST_COLUMNS:
        raise ValueError(f"data: {short(place)} has {columns} columns, but must have at most {MOST_COLUMNS}")
    try:
        return str(raw, "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"data: {short(place)} is not UTF-8: {error.reason} at byte {error.start}; write it as UTF-8"
        ) from None


def exists(path: str | Path) -> bool:
    """Whether there is something of this name; not, if nothing can have it."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def _bytes(place: Path) -> bytes:
    """The bytes of a file, taken out of what it is compressed with; not more than a file may have are read."""
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
                with zipfile.ZipFile(file) as archive:
                    members = [member for member in archive.infolist() if not member.is_dir()]
                    if len(members) != 1:
                        raise ValueError(f"data: {short(place)} holds {len(members)} files, but must hold one CSV file")
                    with archive.open(members[0]) as content:
                        return _bounded(place, content)
            for magic, opened in _OPENERS.items():
                if re.match(magic, start):
                    with opened(file) as content:
                        return _bounded(place, content)
            return _bounded(place, file)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise ValueError(f"data: {short(place)} cannot be read: {short(reason, 200)}") from None


def _bounded(place: Path, content: Any) -> bytes:
    raw: bytes = content.read(LARGEST_FILE + 1)
    if len(raw) > LARGEST_FILE:
        raise ValueError(
            f"data: {short(place)} holds more than {LARGEST_FILE >> 20} MiB of text, and no more than that is read"
        )
    return raw


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def short(text: Any, most: int = 100) -> str:
    """A text for a message: not too long, harmless, and on one line."""
    whole = arguments.one_line(str(text))
    return whole if len(whole) <= most else whole[:most] + "…"
