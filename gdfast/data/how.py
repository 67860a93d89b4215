"""How a CSV file is written, where that is told instead of being recognized."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gdfast import arguments

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "blanks": r"\s+"}
"""What may stand between values, by name; where several are possible, the first."""
_MARKS = {"comma": ",", "point": "."}
_TOLD = ("separator", "decimal", "encoding", "comment")


@dataclass(frozen=True)
class How:
    """How a CSV file is written, as far as it is told: see `gdfast.data.load`."""

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    comment: str | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any] | None) -> "How":
        """Return what a mapping tells, words such as ``tab`` as the characters that they stand for.

        Raises
        ------
        TypeError, ValueError
            If it is no mapping, or something in it is not accepted.
        """
        items = arguments.mapping("data: csv", told or {}, f"a mapping of {', '.join(_TOLD)}")
        for name, value in items.items():
            arguments.choice("data: csv", name, _TOLD)
            items[name] = arguments.text(f"data: csv: {name}", value)
        if (word := items.get("separator")) is not None:
            items["separator"] = SEPARATORS.get(word, word)
            if len(word) != 1 and word not in SEPARATORS:
                raise ValueError(
                    f"data: csv: separator must be {', '.join(SEPARATORS)} or one character, "
                    f"not {arguments.shown(word)}"
                )
        if (word := items.get("decimal")) is not None and word not in _MARKS.values():
            items["decimal"] = _MARKS[arguments.choice("data: csv: decimal", word, _MARKS)]
        if (word := items.get("comment")) is not None and (len(word) != 1 or word.isalnum()):
            raise ValueError(
                f"data: csv: comment must be one character that begins a line, not {arguments.shown(word)}"
            )
        return cls(**items)
