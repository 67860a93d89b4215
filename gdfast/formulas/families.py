"""Families of formulas: how a landscape of any dimension, or an expression, comes to its formulas."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gdfast.formulas.formula import from_text


def coordinate_names(dimension: int) -> tuple[str, ...]:
    """Return x, or x and y, or x1, x2 and so on."""
    return ("x", "y")[:dimension] if dimension <= 2 else tuple(f"x{i}" for i in range(1, dimension + 1))


def define(name: str, arguments: Sequence[str], assignments: Iterable[str], results: Any) -> Callable[..., Any]:
    """Return a formula of the arguments: assignments, then one return of a text or of nested sequences of texts."""
    lines = [f"def {name}({', '.join(arguments)}):", *assignments, f"return {_nested(results)}"]
    return from_text("\n    ".join(lines) + "\n")


def _nested(results: Any) -> str:
    if isinstance(results, str):
        return results
    return f"({', '.join(map(_nested, results))})"
