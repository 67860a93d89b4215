"""Formulas from text: how a family of any dimension, or an expression, comes to the formulas of a landscape.

The text is a ``def`` in the grammar of `gdfast.kernels`. The function made from it is like one written in a file: its
source can be read, which is what the compiler's digest and its check of the grammar do.
"""

import ast
import functools
import hashlib
import inspect
import linecache
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gdfast.formulas import elementary

Formula = Callable[..., Any]


@functools.cache
def from_text(text: str) -> Formula:
    """Return the function that a text defines, which may call the functions of `gdfast.formulas.elementary` only.

    The text must be the program's own: it is run.
    """
    file = f"<formula {hashlib.sha256(text.encode()).hexdigest()[:16]}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    names: dict[str, Any] = {name: getattr(elementary, name) for name in elementary.__all__}
    scope = {**names, "__name__": __name__, "__builtins__": {}}
    exec(compile(text, file, "exec"), scope)
    (function,) = (value for name, value in scope.items() if name not in names and not name.startswith("__"))
    return function  # type: ignore[no-any-return]


def coordinate_names(dimension: int) -> tuple[str, ...]:
    """Return x, or x and y, or x1, x2 and so on."""
    return ("x", "y")[:dimension] if dimension <= 2 else tuple(f"x{i}" for i in range(1, dimension + 1))


def define(name: str, arguments: Sequence[str], assignments: Iterable[str], results: Any) -> Formula:
    """Return a formula of the arguments: assignments, then one return of a text or of nested sequences of texts."""
    lines = [f"def {name}({', '.join(arguments)}):", *assignments, f"return {_nested(results)}"]
    return from_text("\n    ".join(lines) + "\n")


def _nested(results: Any) -> str:
    if isinstance(results, str):
        return results
    return f"({', '.join(map(_nested, results))})"


def inlined(function: Formula, arguments: Sequence[str], suffix: str) -> tuple[list[str], list[Any]]:
    """Return a formula's assignments and results as text, with other arguments and a suffix to all other names.

    The results are nested as the formula returns them; one that returns a single value gives a list of one.
    """
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(definition, ast.FunctionDef)
    names = dict(zip((a.arg for a in definition.args.args), arguments, strict=True))
    assigned = [s for s in definition.body if isinstance(s, ast.Assign)]
    names.update({s.targets[0].id: s.targets[0].id + suffix for s in assigned if isinstance(s.targets[0], ast.Name)})
    for node in ast.walk(definition):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
    returned = definition.body[-1]
    assert isinstance(returned, ast.Return)
    assert returned.value is not None
    results = _texts(returned.value)
    return [ast.unparse(s) for s in assigned], results if isinstance(results, list) else [results]


def _texts(node: ast.expr) -> Any:
    return [_texts(part) for part in node.elts] if isinstance(node, ast.Tuple) else ast.unparse(node)
