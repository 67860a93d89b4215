"""From a table to features and a target: which columns, what stands in for missing values, categories as numbers.

A column of numbers or truth values is a feature as it is. One of texts of which some repeat is a category, and becomes
a column of zeros and ones for each of its values but the first, which the others tell. Dates, texts that are another in
each row, and what has no value are no features: they are refused, and left out when asked.
"""

import difflib
import json
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfast import arguments, literals
from gdfast.data.tables import Table, check_different
from gdfast.data.text import short
from gdfast.formulas.elementary import Array

if TYPE_CHECKING:
    import pandas

MISSING = ("drop", "mean", "median", "most_frequent")
"""What may be done where values are missing: leave the row out, or fill it by what the column's others say."""
MOST_CATEGORIES = 50
_SHOWN = 40  # names of columns in a message
_DATE = r".*\d[-/.: ]\d.*"


@dataclass(frozen=True)
class Choice:
    """Which columns, and what is done where values are missing: arguments of `gdfast.data.load`."""

    features: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()
    missing: str | None = None

    @classmethod
    def of(cls, features: Any, drop: Any, missing: Any) -> "Choice":
        """Return what is asked for.

        Raises
        ------
        TypeError, ValueError
            If names are no texts, or `missing` is no way that is known.
        """
        if missing is not None:
            arguments.choice("data: missing", missing, MISSING)
        return cls(
            None if features is None else _names("features", features),
            _names("drop", () if drop is None else drop),
            missing,
        )

    @property
    def told(self) -> dict[str, Any]:
        """The arguments that say something."""
        names = {"features": self.features, "drop": self.drop or None}
        told = {name: ",".join(map(_quoted, value)) for name, value in names.items() if value is not None}
        return {**told, **({} if self.missing is None else {"missing": self.missing})}


def _names(argument: str, names: Any) -> tuple[str, ...]:
    """Names of columns, from several or from a text with commas between them."""
    if isinstance(names, str):
        try:
            parts = [part for part in literals.split(names, ",") if part]
        except ValueError as error:
            raise ValueError(f"data: {argument}: {error}") from None
        return tuple(str(literals.read(part)) if part.startswith('"') else part for part in parts)
    accepted = "names of columns"
    return tuple(
        arguments.text(f"data: {argument}", name) for name in arguments.several(f"data: {argument}", names, accepted, 0)
    )


def _quoted(name: str) -> str:
    """A name as `_names` reads it."""
    return json.dumps(name, ensure_ascii=False) if re.search(r'[",()]|^\s|\s$', name) else name


@dataclass(frozen=True)
class Columns:
    """Features and target of a table: fields of `gdfast.data.Data`."""

    X: Array
    y: Array
    features: tuple[str, ...]
    classes: tuple[str, ...] | None


def columns_of(table: Table, target: str, choice: Choice) -> Columns:
    """Return features and target; what was done is added to the table's notes.

    Raises
    ------
    ValueError
        If a column is not there, is no feature, has a value that is missing or not finite, or no row is left.
    """
    frame = table.frame
    _check_known(frame, "target", [target])
    chosen = _chosen(table, target, choice)
    if not chosen:
        raise ValueError(
            f"data: there is the column {short(target)!r} only, but must be a feature beside the target"
            if frame.shape[1] < 2
            else "data: features and drop leave no column, but must leave one beside the target"
        )
    _refuse_what_is_no_feature(table, chosen)
    frame = _without_missing(table, frame[[*chosen, target]], target, choice.missing)
    _tell_of_identifiers(table, frame[chosen])
    parts, features = [], []
    for name in chosen:
        values, names = _encoded(table, frame[name])
        parts.append(values)
        features += names
    check_different(table.name, [*features, target])
    y, classes = labels_of(frame[target], lambda column: numbers(table, column))
    return Columns(np.concatenate(parts, axis=1), y, tuple(features), classes)


def _check_known(frame: "pandas.DataFrame", argument: str, names: Iterable[str]) -> None:
    known = list(frame.columns)
    for name in names:
        if name not in known:
            few = known if len(known) <= _SHOWN else difflib.get_close_matches(name, known) or known[:_SHOWN]
            arguments.choice(argument, short(name), [short(each) for each in few])


def _chosen(table: Table, target: str, choice: Choice) -> list[str]:
    """The names of the columns that are to be features, in the order of the table or as asked."""
    columns = list(table.frame.columns)
    for argument, names in (("features", choice.features or ()), ("drop", choice.drop)):
        _check_known(table.frame, argument, names)
        if target in names:
            raise ValueError(f"data: {argument} must not name the target, {short(target)!r}")
    asked = columns if choice.features is None else choice.features
    check_different(table.name, asked)
    left = [name for name in asked if name != target and name not in choice.drop]
    if nameless := [name for name in left if name in table.nameless and choice.features is None]:
        raise ValueError(
            f"data: column {nameless[0]} of {table.name} has no name; name it, or leave it out by "
            f"drop={nameless[0]!r} (--drop {nameless[0]})"
        )
    dropped = [name for name in columns if name != target and name not in left]
    if dropped:
        table.notes.append(f"left out as asked: {_listed(dropped)}")
    return left


def _refuse_what_is_no_feature(table: Table, chosen: Sequence[str]) -> None:
    """Refuse, all in one sentence, columns that are neither numbers nor categories."""
    reasons = {name: reason for name in chosen if (reason := _no_feature(table, table.frame[name]))}
    if not reasons:
        return
    told = "; ".join(f"{short(name)!r}: {reason}" for name, reason in list(reasons.items())[:5])
    others = f", and {len(reasons) - 5} more" if len(reasons) > 5 else ""
    names = ",".join(map(_quoted, reasons))
    raise ValueError(
        f"data: features must be numbers or categories, and of {table.name} these columns are neither: {told}{others}; "
        f"leave out what is none by drop={short(names, 300)!r} (--drop {short(names, 300)})"
    )


def _no_feature(table: Table, column: "pandas.Series[Any]") -> str:
    """Why a column is no feature; nothing if it is one, or has a wrong value among numbers, which is told elsewhere."""
    import pandas

    values = column.dropna()
    if not len(values):
        return "no values"
    types = pandas.api.types
    if (
        types.is_datetime64_any_dtype(column)
        or types.is_timedelta64_dtype(column)
        or isinstance(column.dtype, pandas.PeriodDtype)
    ):
        return "dates"
    if _is_numeric(column):
        return ""
    texts = values.astype(str)
    first = f"{short(texts.iloc[0])!r} in {table.row} {values.index[0]}"
    if _dates(texts):
        return f"dates, such as {first}"
    distinct = texts.nunique()
    if pandas.to_numeric(texts, errors="coerce").notna().any():
        return ""
    if distinct == 1 and len(texts) > 1:
        return f"the same in every row, {first}"
    if distinct == len(texts):
        return f"another text in each row, such as {first}"
    if distinct > MOST_CATEGORIES:
        return f"{distinct} different texts, such as {first}, while categories are at most {MOST_CATEGORIES}"
    return ""


def _dates(texts: "pandas.Series[str]") -> bool:
    """Whether all texts are dates or times."""
    import pandas

    if not texts.str.fullmatch(_DATE).all() or pandas.to_numeric(texts, errors="coerce").notna().any():
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of days and months that may be exchanged
        return bool(pandas.to_datetime(texts, errors="coerce", format="mixed", dayfirst=True, utc=True).notna().all())


def _without_missing(table: Table, frame: "pandas.DataFrame", target: str, how: str | None) -> "pandas.DataFrame":
    """The rows and columns without a missing value, by the way that is asked for."""
    gaps = frame.isna()
    counts = {str(name): int(count) for name, count in gaps.sum().items() if count}
    if not counts:
        return frame
    told = _listed([f"{short(name)!r} ({count:,})" for name, count in counts.items()])
    if how is None:
        row, column = np.argwhere(gaps.to_numpy())[0]
        total = sum(counts.values())
        others = f" ({total - 1} more are missing)" if total > 1 else ""
        raise ValueError(
            f"data: {table.name} has no value in {table.row} {frame.index[row]}, column "
            f"{short(frame.columns[column])!r}{others}; leave such rows out by missing='drop' (--missing drop), or "
            "fill them by 'mean', 'median' or 'most_frequent'"
        )
    whole = len(frame)
    if how == "drop":
        frame = frame.dropna()
        table.notes.append(f"rows left out for want of a value: {whole - len(frame):,} of {whole:,}, in {told}")
    else:
        if target in counts:
            frame = frame.dropna(subset=[target])
            table.notes.append(f"rows left out for want of a target: {whole - len(frame):,} of {whole:,}")
        for name in counts:
            if name != target and frame[name].isna().any():
                frame = frame.assign(**{name: _filled(table, frame[name], how)})
    if not len(frame):
        raise ValueError(f"data: {table.name} has no row with all values, and missing={how!r} leaves none")
    return frame


def _filled(table: Table, column: "pandas.Series[Any]", how: str) -> "pandas.Series[Any]":
    """A column with its most frequent value, or of numbers their mean or median, where it has none."""
    count = int(column.isna().sum())
    if how == "most_frequent" or not _is_numeric(column):
        how, value = "most frequent value", column.mode().iloc[0]
    else:
        column = column.astype("Float64")
        value = float(getattr(column, how)())
    shown = f"{value:.6g}" if isinstance(value, float) else short(value)
    table.notes.append(f"missing values filled: {count:,} of {short(column.name)!r} by its {how}, {shown}")
    return column.fillna(value)


def _tell_of_identifiers(table: Table, frame: "pandas.DataFrame") -> None:
    """Say which numbers look as if they were names of the rows; they are features all the same."""
    import pandas

    for name in map(str, frame.columns):
        column = frame[name]
        like = re.search(r"(^|[\s_.-])(id|index|key|nr|no)$", name.lower()) or re.search(r"[a-z]I[dD]$", name)
        whole = pandas.api.types.is_integer_dtype(column) and column.nunique() == len(column) > 1
        if like and whole:
            table.notes.append(
                f"{short(name)!r} is another whole number in each row, and taken for a feature; --drop {_quoted(name)} "
                "leaves it out"
            )


def _encoded(table: Table, column: "pandas.Series[Any]") -> tuple[Array, list[str]]:
    """A feature as columns of numbers, ``float64[m, k]``, with their names."""
    import pandas

    name = str(column.name)
    texts = column.astype(str) if not _is_numeric(column) else None
    if texts is None or pandas.to_numeric(texts, errors="coerce").notna().any():
        return numbers(table, column)[:, None], [name]
    coded = pandas.get_dummies(texts, prefix=name, drop_first=True, dtype=np.float64)
    names = [str(each) for each in coded.columns]
    first = min(texts)
    table.notes.append(
        f"one-hot: {short(name)!r} as {short(', '.join(names), 200)}, of which all are 0 where it is {short(first)!r}"
    )
    return coded.to_numpy(dtype=np.float64), names


def labels_of(
    column: "pandas.Series[Any]", as_numbers: Callable[["pandas.Series[Any]"], Array]
) -> tuple[Array, tuple[str, ...] | None]:
    """Return a target as numbers, or as the number of its class with the classes' names where it is text."""
    if _is_numeric(column):
        return as_numbers(column), None
    names, codes = np.unique(column.astype(str).to_numpy(dtype=str), return_inverse=True)
    return codes.astype(np.float64), tuple(names.tolist())


def _is_numeric(column: "pandas.Series[Any]") -> bool:
    """Whether a column holds numbers and truth values only, categories of numbers too."""
    import pandas

    types = pandas.api.types
    if isinstance(column.dtype, pandas.CategoricalDtype):
        return bool(types.is_numeric_dtype(column.cat.categories))
    return bool(types.is_numeric_dtype(column) or types.is_bool_dtype(column))


def numbers(table: Table, column: "pandas.Series[Any]") -> Array:
    """Return a column as numbers, ``float64[m]``.

    Raises
    ------
    ValueError
        If a value is no number or infinite, or whole numbers that differ would be the same.
    """
    import pandas

    name = short(str(column.name))
    if not _is_numeric(column):
        text = np.flatnonzero(pandas.to_numeric(column.astype(str), errors="coerce").isna())
        if len(text):
            raise ValueError(
                f"data: {table.name} has {short(str(column.iloc[int(text[0])]))!r} in {table.row} "
                f"{column.index[int(text[0])]}, column {name!r}, whose others are numbers; features must be numbers or "
                f"categories: mend it, or leave the column out by drop={name!r} (--drop {name})"
            )
        column = pandas.to_numeric(column.astype(str))
    if pandas.api.types.is_complex_dtype(column):
        raise ValueError(f"data: {table.name} has complex numbers in column {name!r}, but features must be real")
    values = column.to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(
            f"data: {table.name} has {values[row]} in {table.row} {column.index[row]}, column {name!r}, but values "
            "must be finite"
        )
    whole = not pandas.api.types.is_float_dtype(column)
    if whole and np.abs(values).max() >= 2**53 and column.nunique() != len(np.unique(values)):
        raise ValueError(
            f"data: {table.name} has whole numbers of 2⁵³ and more in column {name!r} that differ, but are the same in "
            "float64; subtract what they have in common, or leave the column out"
        )
    return values


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(short(name) for name in names[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown
