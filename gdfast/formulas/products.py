"""Products without a sign, ``3x`` and ``2(x + 1)``: how they are written with one."""

import ast
import re
import warnings
from collections.abc import Container

_TOKEN = re.compile(
    r"(?P<number>(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*(\.[^\W\d]\w*)*)|(?P<space>\s+)|(?P<sign>.)"
)
_WORDS = ("if", "else", "and", "or", "not")


def with_signs(text: str, functions: Container[str]) -> str | None:
    """Return the text with a sign in each product that has none, if it can be parsed then; None if it cannot.

    Parameters
    ----------
    text : str
        The text.
    functions : container of str
        Names behind which a parenthesis stands for a call.

    Examples
    --------
    >>> with_signs("3x(y + 1) - sin(x) y", ["sin"])
    '3*x*(y + 1) - sin(x)*y'
    """
    pieces: list[str] = []
    before, kind_before, space = "", "", ""
    for token in _TOKEN.finditer(text):
        piece, kind = token.group(), token.lastgroup
        if kind == "space":
            space = piece
            continue
        ends = kind_before in ("number", "name") or before in (")", "]")
        begins = kind in ("number", "name") or piece == "("
        call = piece == "(" and before.rpartition(".")[2] in functions
        if ends and begins and not call and before not in _WORDS and piece not in _WORDS:
            pieces.append("*")
            space = ""
        pieces += [space, piece]
        before, kind_before, space = piece, str(kind), ""
    written = "".join(pieces)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(written, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    return written if written != text else None
