"""Tables from files, read by pandas: what a file of CSV does not say of itself is found by trying, and told.

A separator is one under which every line has the same number of values, of those the one that gives most values and
most numbers. Decimal commas are told by columns in which every text is a number with one. Comment lines begin with #.
What is done to a table is a sentence in ``notes``.
"""

import csv
import io
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from packaging.version import Version

from gdfast import arguments, extras
from gdfast.data.how import SEPARATORS, How
from gdfast.data.text import LONGEST_LINE, as_utf8, contents, short

if TYPE_CHECKING:
    import pandas

LONGEST_NAME = 1000
_SAMPLE = 50  # lines from which a separator is recognized
_MOST_COMMENTS = 10_000  # in a table
_EXPONENT = r"([eE][+-]?\d+)?"
_DECIMAL_COMMAS = rf"[+-]?([1-9]\d{{0,2}}(\.\d{{3}})+|\d*)(,\d+)?{_EXPONENT}"
_THOUSANDS = rf"[+-]?([1-9]\d{{0,2}}(,\d{{3}})+|\d*)(\.\d+)?{_EXPONENT}"


@dataclass
class Table:
    """A table as it was read.

    Attributes
    ----------
    frame : DataFrame
        Its columns by name; the index is the line of the file, from 1, in which a row stands.
    name : str
        What it is called in messages.
    notes : list of str
        What was done to it, a sentence each.
    row : str
        What the index counts: ``line`` or ``row``.
    nameless : tuple of str
        The columns that had no name, and are called by their number.
    """

    frame: "pandas.DataFrame"
    name: str
    notes: list[str] = field(default_factory=list)
    row: str = "line"
    nameless: tuple[str, ...] = ()


def read(path: str | Path, header: bool | None = None, told: Mapping[str, Any] | None = None) -> Table:
    """Read a CSV file, or a Parquet file if the extra ``parquet`` is installed; values may be missing.

    Parameters
    ----------
    path : str or Path
        The file.
    header : bool, optional
        Whether the first line has the names of the columns. If not, they are "1", "2", … . If not given, it has, but is
        refused where it has numbers only, or such numbers as no name is.
    told : mapping, optional
        How it is written, instead of what is recognized; see `How`.

    Raises
    ------
    TypeError
        If `header` is no truth value, or `told` no mapping.
    ValueError
        If the file is none, is too large, cannot be read as CSV or has no rows, or columns have no name or the same.
    """
    place, how = Path(path), How.of(told)
    if header is not None:
        arguments.flag("data: header", header)
    raw, notes = contents(place)
    if raw.startswith(b"PAR1"):
        return _read_parquet(place, raw)
    raw, more = as_utf8(place, raw, how.encoding)
    if not raw:
        raise ValueError(f"data: {short(place)} is empty, but must have a header and rows")
    try:
        return _Text(place, raw, how, header, [*notes, *more]).table()
    except (ValueError, OverflowError) as error:
        if str(error).startswith("data: "):
            raise
        reason = short(str(error).strip().splitlines()[-1], 200)
        raise ValueError(f"data: {short(place)} cannot be read as CSV: {reason}") from None


def _read_parquet(place: Path, raw: bytes) -> Table:
    import pandas

    if words := extras.missing("parquet"):
        raise ValueError(f"data: {short(place)} is a Parquet file, and {words}")
    try:
        frame: pandas.DataFrame = pandas.read_parquet(io.BytesIO(raw))
    except Exception as error:  # whatever a damaged file raises in another library
        raise ValueError(f"data: {short(place)} cannot be read as Parquet: {short(error, 200)}") from None
    return Table(frame, short(place), ["read as Parquet"], "row")


class _Text:
    """A text of CSV while it is found out how it is written."""

    def __init__(self, place: Path, raw: bytes, how: How, header: bool | None, notes: list[str]) -> None:
        self.place, self.how, self.header, self.notes = place, how, header, notes
        self.raw, self.lines_above, self.above = self._without_lines_above(raw)
        if not self.raw.strip():
            raise ValueError(f"data: {short(place)} has comments only, but must have a header and rows")
        self.raw, self.comments = self._without_comments(self.raw)
        self.separator, self.has_row_names = self._separator()

    def table(self) -> Table:
        """Read it all."""
        first = self._parsed(nrows=1, header=None, dtype=str, keep_default_na=False).iloc[0].tolist()
        names = None if self.header is False else self._names([str(name) for name in first])
        frame = self._whole()
        lines = self.lines_above + 1 + np.arange(len(frame)) + (0 if self.header is False else 1)
        frame.columns = [str(j + 1) for j in range(frame.shape[1])] if names is None else names
        frame.index = lines
        blank = frame.isna().all(axis=1)
        if blank.any():
            frame = frame[~blank]
        if (left := int(blank.sum()) - self.comments) > 0:
            self.notes.append(f"{left} blank line{_s(left)} left out")
        if not len(frame):
            raise ValueError(f"data: {short(self.place)} has a header but no rows")
        frame, nameless = self._without_nameless(frame)
        return Table(frame, short(self.place), self.notes, nameless=nameless)

    def _parsed(self, **options: Any) -> "pandas.DataFrame":
        """What pandas reads of it."""
        import pandas

        usual: dict[str, Any] = {
            "sep": self.separator,
            "skipinitialspace": True,
            "skip_blank_lines": False,
            "encoding": "utf-8",
        }
        if Version(pandas.__version__) < Version("3.1"):
            usual["float_precision"] = "round_trip"  # which is by now the only one: others were off by a last bit
        try:
            frame: pandas.DataFrame = pandas.read_csv(io.BytesIO(self.raw), **{**usual, **options})
        except pandas.errors.ParserError as error:
            words = self._fault(str(error))
            if words is None:
                raise
            raise ValueError(f"data: {short(self.place)} cannot be read as CSV: {words}") from None
        return frame

    def _fault(self, told: str) -> str | None:
        """In words what pandas says of a text that it cannot cut into values; None if it says something else."""
        if longer := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", told):
            expected, line, saw = map(int, longer.groups())
            return f"line {self.lines_above + line} has {saw} values, where those above have {expected}"
        if opened := re.search(r"EOF inside string starting at row (\d+)", told):
            return f"line {self.lines_above + int(opened[1]) + 1} has a quotation mark that no other closes"
        return None

    def _whole(self) -> "pandas.DataFrame":
        """All its rows, with the kinds of their columns, numbers with decimal commas too."""
        import pandas

        options: dict[str, Any] = {
            "header": None if self.header is False else 0,
            "index_col": 0 if self.has_row_names else False,
            "low_memory": False,
            "dtype_backend": "numpy_nullable",  # whole numbers stay whole beside missing ones
            "na_values": ["?"],  # as the tables of the UCI repository have it
        }
        if self.how.decimal is not None:
            options["decimal"] = self.how.decimal
        try:
            with warnings.catch_warnings():
                # Rows that are longer than the header would otherwise lose a value, or shift all names by one.
                warnings.simplefilter("error", pandas.errors.ParserWarning)
                frame = self._parsed(**options)
                if self.how.decimal is None and (marks := self._marks(frame)):
                    frame = self._parsed(**options, **marks)
        except pandas.errors.ParserWarning:
            raise ValueError(
                f"data: the rows of {short(self.place)} have more values than its header has names"
            ) from None
        if self.has_row_names:
            self._check_row_names(frame.index.to_series())
            self.notes.append(
                "the first value of each line left out, of which the header has no name: it names the row"
            )
        return frame

    def _marks(self, frame: "pandas.DataFrame") -> dict[str, str]:
        """Which marks stand in numbers, if others than points: told by columns in which all texts are such numbers."""
        texts = [frame.iloc[:, j].dropna() for j in range(frame.shape[1]) if _is_text(frame.iloc[:, j])]
        texts = [text for text in texts if text.str.contains(",", regex=False).any()]
        if self.separator == "," and any(text.str.fullmatch(_THOUSANDS).all() for text in texts):
            self.notes.append("commas in numbers read as marks of thousands")
            return {"thousands": ","}
        texts = [text for text in texts if text.str.fullmatch(_DECIMAL_COMMAS).all()]
        if not texts:
            return {}
        if any(text.str.contains(".", regex=False).any() for text in texts):
            for name, values in frame.select_dtypes("float").items():
                if ((values != 0) & (values.abs() < 1)).any():
                    raise ValueError(
                        f"data: {short(self.place)} has points before decimals in column {short(name)!r}, and as marks "
                        f"of thousands in {short(texts[0].name)!r}; write its numbers in one way"
                    )
            self.notes.append("numbers read with decimal commas, and points as marks of thousands")
            return {"decimal": ",", "thousands": "."}
        self.notes.append("numbers read with decimal commas")
        return {"decimal": ","}

    # The names of the columns.

    def _names(self, names: list[str]) -> list[str]:
        """The names of the columns, from the first line, or from a comment above it that has as many."""
        looks_like_data = self.header is None and (all(map(_is_number, names)) or any(map(_is_no_name, names)))
        if looks_like_data:
            above = self._names_in_comment(len(names))
            if above:
                self.header = False
                self.notes.append("names of the columns read from the comment above the first line")
                names = above
            else:
                what = "numbers only" if all(map(_is_number, names)) else "numbers among its names"
                raise ValueError(
                    f"data: the first line of {short(self.place)} has {what}, {short(','.join(names))}; say "
                    "header=False (--no-header) if they are data, with the target's number, 1, 2, …, as its name, or "
                    "header=True (--header) if they are names"
                )
        for j, name in enumerate(names):
            if len(name) > LONGEST_NAME:
                raise ValueError(
                    f"data: column {j + 1} of {short(self.place)} has a name of {len(name)} characters, "
                    f"{short(name)!r}, but names must have at most {LONGEST_NAME}"
                )
        check_different(short(self.place), [name for name in names if name.strip()])
        return names

    def _names_in_comment(self, count: int) -> list[str] | None:
        """The names in the comment that stands just above the first line, if there are so many."""
        if not self.above:
            return None
        fields = _fields([re.sub("^# ", "", self.above)], self.separator)[0]
        return fields if len(fields) == count and all(fields) else None

    def _without_nameless(self, frame: "pandas.DataFrame") -> tuple["pandas.DataFrame", tuple[str, ...]]:
        """The table without columns that have no name and hold nothing or count the rows; others' numbers as names."""
        keep, names, nameless = [], [], []
        for j, name in enumerate(frame.columns):
            column = frame.iloc[:, j]
            bare = not name.strip()
            if bare and column.isna().all():
                self.notes.append(f"column {j + 1} left out, which has neither name nor values")
            elif j == 0 and (bare or name == "Unnamed: 0") and counts_rows(column):
                self.notes.append(f"column 1{'' if bare else f', {name!r},'} left out, which counts the rows")
            else:
                keep.append(j)
                names.append(str(j + 1) if bare else name)
                nameless += [str(j + 1)] * bare
        frame = frame.iloc[:, keep]
        frame.columns = names
        check_different(short(self.place), names)
        return frame, tuple(nameless)

    def _check_row_names(self, names: "pandas.Series[Any]") -> None:
        if not (_is_text(names) or counts_rows(names)):
            raise ValueError(f"data: the rows of {short(self.place)} have more values than its header has names")

    # Comments and separators.

    def _without_lines_above(self, raw: bytes) -> tuple[bytes, int, str]:
        """The text from its first line that is neither blank nor a comment, how many are above, and the last of them.

        That last line is empty if it is no comment.
        """
        mark = re.escape((self.how.comment or "#").encode())
        above = re.match(rb"(?:[ \t]*+(?:" + mark + rb"[^\r\n]*+)?(?:\r\n|\n|\r|\Z))*+", raw)
        text = above[0] if above else b""
        count = text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n")
        if text.strip():
            self.notes.append(f"{count} line{_s(count)} above the table left out, comments or blank")
        *_, last = text[-LONGEST_LINE:].rstrip(b"\r\n").replace(b"\r", b"\n").rpartition(b"\n")
        return raw[len(text) :], count, last.decode("utf-8", "replace").strip()

    def _without_comments(self, raw: bytes) -> tuple[bytes, int]:
        """The text with blank lines in place of comments in the table, and how many there are.

        Of lines that begin like one, those are comments that have not as many values as the first line, unless the
        user has told what comments begin with: colours, for one, begin with # too.
        """
        mark = (self.how.comment or "#").encode()
        if mark not in raw:
            return raw, 0
        first = raw[: raw.find(b"\n")] if b"\n" in raw else raw
        widths = {separator: width for separator in SEPARATORS.values() if (width := _width(first, separator)) > 1}
        kept, end, count = [], 0, 0
        for number, line in enumerate(re.finditer(rb"(?m)^[ \t]*" + re.escape(mark) + rb"[^\r\n]*", raw)):
            if number == _MOST_COMMENTS and self.how.comment is None:
                return raw, 0  # so many lines are a column
            if line.start() and (self.how.comment or all(_width(line[0], s) != w for s, w in widths.items())):
                kept.append(raw[end : line.start()])
                end, count = line.end(), count + 1
        if count:
            begin = "begins" if count == 1 else "begin"
            self.notes.append(f"{count} comment line{_s(count)} left out, which {begin} with {mark.decode()}")
        return b"".join([*kept, raw[end:]]), count

    def _separator(self) -> tuple[str, bool]:
        """What stands between values, and whether the rows have a value more than the header, their name."""
        if word := re.match(rb"sep=([^\w\s]|\t)[ \t]*(?:\r\n|\n|\r)", self.raw):  # as Excel reads it
            self.raw, self.lines_above = self.raw[word.end() :], self.lines_above + 1
            self.notes.append("separator read from the line sep=")
            return word[1].decode(), False
        if self.how.separator is not None:
            return self.how.separator, False
        ranked = []
        for rank, (name, separator) in enumerate(SEPARATORS.items()):
            score = self._score(separator)
            if score is not None:
                ranked.append((*score, -rank, name))
        if not ranked:
            return ",", False
        exact, *_, name = max(ranked)
        if name != "comma":
            self.notes.append(f"values separated by {name if name == 'blanks' else f'{name}s'}")
        return SEPARATORS[name], not exact

    def _score(self, separator: str) -> tuple[bool, float] | None:
        """Whether rows are as long as the first line, and the share of values that are there and that are numbers.

        None if the first line is one value, or rows differ.
        """
        import pandas

        options = {"sep": separator, "header": None, "dtype": str, "index_col": False}
        self.separator = separator
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", pandas.errors.ParserWarning)
                width = self._parsed(nrows=1, **options).shape[1]
                if width < 2:
                    return None
                sample = self._parsed(nrows=_SAMPLE, names=range(width + 1), on_bad_lines="error", **options)
        except (ValueError, OverflowError):
            return None
        sample = sample.dropna(how="all")
        rows = sample.iloc[1:] if len(sample) > 1 else sample
        longer = rows.iloc[:, width].notna()
        if longer.any() and not (longer.all() and len(sample) > 1 and sample.iloc[[0], width].isna().all()):
            return None
        values = rows.iloc[:, : width + 1 if longer.any() else width].to_numpy(dtype=object).ravel()
        texts = pandas.Series(values, dtype=object).dropna().astype(str)
        if separator != ",":
            texts = texts.str.replace(",", ".", regex=False)
        numbers = pandas.to_numeric(texts, errors="coerce").notna().sum()
        return not longer.any(), float(len(texts) + numbers) / max(len(values), 1)


def check_different(name: str, names: Sequence[str]) -> None:
    """Refuse names of columns of which two are the same.

    Raises
    ------
    ValueError
        If two are.
    """
    if len(set(names)) < len(names):
        twice = next(name for j, name in enumerate(names) if name in names[:j])
        where = " and ".join(str(j + 1) for j, name in enumerate(names) if name == twice)
        raise ValueError(
            f"data: columns {short(where)} of {name} have the same name, {short(twice)!r}, but must differ"
        )


def counts_rows(column: "pandas.Series[Any]") -> bool:
    """Whether a column is 0, 1, 2, … or 1, 2, 3, and so on."""
    if _is_text(column) or column.isna().any():
        return False
    values = column.to_numpy(dtype=np.float64)
    return bool(values[0] in (0, 1) and (np.diff(values) == 1).all())


def _is_text(column: "pandas.Series[Any]") -> bool:
    import pandas

    types = pandas.api.types
    return bool(types.is_string_dtype(column) or types.is_object_dtype(column))


def _fields(lines: Sequence[str], separator: str) -> list[list[str]]:
    """The values of lines, each by itself."""
    if separator == SEPARATORS["blanks"]:
        return [line.split() for line in lines]
    return [next(csv.reader([line], delimiter=separator, skipinitialspace=True), []) for line in lines]


def _width(line: bytes, separator: str) -> int:
    try:
        return len(_fields([line.decode("utf-8").strip("\r\n")], separator)[0])
    except csv.Error:
        return 0


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_no_name(text: str) -> bool:
    """Whether a text is a number that no column is named after, unlike a year."""
    return _is_number(text) and any(map(str.isdigit, text)) and not text.strip().isdigit()


def _s(count: int) -> str:
    return "" if count == 1 else "s"
