"""Values as text and back: numbers, truth values, texts, several of them, mappings.

A number is written so that it reads back to the same bits. Several values are joined by slashes, ``2/16/1``, a single
one of them has a slash behind it, ``30/``. Parentheses hold what is nested: ``(-2/2)/(-1/3)``, a mapping
``(x=-2/2,y=-1/3)``, the label of a thing with parameters of its own, ``(cosine:end=0.1)``. A text that would be read as
anything else stands in double quotes, as in JSON. What cannot be written stands in angle brackets, ``<array 100×3>``.
"""

import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

from gdfast.arguments import shown

_LONGEST = 64  # values that are written one by one
_DEEPEST = 20  # parentheses in parentheses


def split(text: str, separators: str) -> list[str]:
    """Cut a text at some characters, but not within quotes or parentheses; the pieces are stripped.

    Raises
    ------
    ValueError
        If a quote or a parenthesis is not closed, or closed without having been opened.
    """
    pieces, begin, depth, i = [], 0, 0, 0
    while i < len(text):
        character = text[i]
        if character == '"':
            end = re.compile(r'"(\\.|[^"\\])*"').match(text, i)
            if end is None:
                raise ValueError(f"{shown(text)} has a double quote that is not closed")
            i = end.end()
            continue
        depth += (character == "(") - (character == ")")
        if depth < 0 or depth > _DEEPEST:
            raise ValueError(f"{shown(text)} has {'too many parentheses' if depth > 0 else 'a ) without its ('}")
        if depth == 0 and character in separators:
            pieces.append(text[begin:i].strip())
            begin = i + 1
        i += 1
    if depth:
        raise ValueError(f"{shown(text)} has a ( without its )")
    return [*pieces, text[begin:].strip()]


def items(text: str) -> dict[str, str]:
    """Read ``name=text,name=text``.

    Raises
    ------
    ValueError
        If it is anything else, or a name is given twice.
    """
    pairs: dict[str, str] = {}
    for item in split(text, ","):
        name, equals, value = (part.strip() for part in item.partition("="))
        if not (name and equals):
            raise ValueError(f"{shown(item)} must be parameter=value")
        if name in pairs:
            raise ValueError(f"{shown(name)} is given twice")
        pairs[name] = value
    return pairs


def read(text: str, several_texts: bool = False) -> Any:
    """Read a value; what is nothing else is a text.

    Parameters
    ----------
    text : str
        The value as text.
    several_texts : bool
        Whether texts with slashes between them are several; otherwise they are one text, such as a path.

    Raises
    ------
    ValueError
        If a quote or a parenthesis is not closed, or it stands for what cannot be written.
    """
    text = text.strip()
    if text.startswith("<"):
        raise ValueError(f"{shown(text)} stands for what cannot be written down; give it in Python")
    parts = split(text, "/")
    if len(parts) > 1:
        written = parts if parts[-1] else parts[:-1]
        values = tuple(read(part, several_texts) for part in written if part or len(written) > 1)
        bare = any(isinstance(value, str) and part[:1] != '"' for value, part in zip(values, written, strict=False))
        return text if bare and not several_texts else values
    if text.startswith('"'):
        with contextlib.suppress(ValueError):
            return str(json.loads(text))
        raise ValueError(f"{shown(text)} must be one text in double quotes, with \\ before a quote in it")
    if text.startswith("(") and text.endswith(")"):
        inner = text[1:-1].strip()
        if re.match(r"\w+\s*=", inner):
            return {name: read(value, several_texts) for name, value in items(inner).items()}
        return read(inner, several_texts)
    if text == "None":
        return None
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def write(value: Any) -> str:
    """Write a value as `read` reads it, or in angle brackets what it is."""
    if isinstance(value, str | PurePath):
        return _text(str(value))
    if isinstance(value, float | np.floating):
        return _number(float(value))
    if value is None or isinstance(value, bool | int | np.bool_ | np.integer):
        return str(value)
    if isinstance(value, Mapping) and _count(value) <= _LONGEST:
        return "(" + ",".join(f"{name}={write(each)}" for name, each in value.items()) + ")"
    if isinstance(value, tuple | list) and _count(value) <= _LONGEST:
        parts = [f"({write(each)})" if isinstance(each, tuple | list) else _part(each) for each in value]
        return "/".join(parts) + ("/" if len(parts) < 2 else "")
    if isinstance(value, np.ndarray):
        return f"<array {'×'.join(map(str, value.shape))}>"
    if isinstance(value, Mapping | tuple | list):
        return f"<{_count(value):,} values>".replace(",", " ")
    if (told := getattr(value, "told", None)) is not None:  # what it is made of, such as data
        return write(told)
    label = getattr(value, "label", None)
    return f"({label})" if isinstance(label, str) else f"<{type(value).__name__}>"


def _count(value: Any) -> int:
    """How many single values there are."""
    if isinstance(value, Mapping):
        return _count(list(value.values()))
    return sum(map(_count, value)) if isinstance(value, tuple | list) else 1


def _number(value: float) -> str:
    short = f"{value:.12g}"
    return short if float(short) == value and short != "-0" else repr(value)


def _part(value: Any) -> str:
    """One of several values: a text with a slash in it would be more than one."""
    written = write(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) and "/" in written else written


def _text(text: str) -> str:
    """A text as it is, where it is read as itself, else in double quotes."""
    with contextlib.suppress(ValueError):
        if text and text.isprintable() and '"' not in text and split(text, ",|") == [text] and read(text) == text:
            return text
    return json.dumps(text, ensure_ascii=False)
