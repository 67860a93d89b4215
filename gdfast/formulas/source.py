"""The text of a function, and its syntax tree."""

import ast
import functools
import inspect
import io
import os
import textwrap
from collections.abc import Callable
from types import FunctionType
from typing import Any

from gdfast.formulas.codes import line_in
from gdfast.formulas.grammar import GrammarError


def source_of(function: Callable[..., Any]) -> str:
    """Return the text of a function, or of what its decorators wrap.

    Raises
    ------
    GrammarError
        If it cannot be read, or its file has another text by now than that of which Python made the function.
    """
    text = getattr(function, "__text__", None)
    if text is not None:
        return str(text)
    if _is_lambda(function):
        return ast.unparse(_lambda(function))
    try:
        return _block(*_found(function))
    except (OSError, TypeError):
        raise _unreadable(function) from None


def definition_of(function: Callable[..., Any]) -> ast.FunctionDef:
    """Return the syntax tree of a function, without decorators and docstring: a new one, which may be changed.

    That of a lambda is the function of the same name as formulas of a text have that returns its expression.

    Raises
    ------
    GrammarError
        If its source cannot be read, or it is no function, or a decorator has put another in its place.
    """
    if isinstance(function, FunctionType) and inspect.unwrap(function) is not function:
        raise GrammarError(
            f"{_name(function)}: a decorator has put another function in its place, which may return something else; "
            "give the function without it, such as its __wrapped__"
        )
    if _is_lambda(function):
        expression = _lambda(function)
        returned = ast.copy_location(ast.Return(expression.body), expression.body)
        definition = ast.FunctionDef("formula", expression.args, [returned], [])
        return ast.fix_missing_locations(ast.copy_location(definition, expression))
    try:
        parsed = ast.parse(source_of(function)).body[0]
    except SyntaxError:
        raise _unreadable(function) from None
    if not isinstance(parsed, ast.FunctionDef):
        raise GrammarError(f"{_name(function)}: it must be a function defined with def")
    parsed.decorator_list = []
    if ast.get_docstring(parsed) is not None and len(parsed.body) > 1:
        del parsed.body[0]
    return parsed


def defined(text: str | ast.Module, scope: dict[str, Any], label: str) -> Callable[..., Any]:
    """Return the function that a text of the program's own, or its tree, defines, among the names of a scope.

    It keeps its syntax tree, from which it is compiled. Of several functions the last one is returned; all are put into
    the scope.
    """
    module = ast.parse(text) if isinstance(text, str) else text
    scope.setdefault("__name__", __name__)
    exec(compile(module, label, "exec"), scope)
    names = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]
    for name, node in zip(names, module.body, strict=True):
        scope[name].__tree__ = node
    return scope[names[-1]]  # type: ignore[no-any-return]


def _is_lambda(function: Any) -> bool:
    """Whether its code is that of a lambda, whatever its name."""
    return getattr(getattr(function, "__code__", None), "co_name", "") == "<lambda>"


def _lambda(function: Callable[..., Any]) -> ast.Lambda:
    """The syntax tree of a lambda: that which stands in its file where its code says."""
    try:
        file, first_line = _found(function)
        tree = _parsed(file)
        code: Any = function.__code__
        moved = first_line - code.co_firstlineno
        places = {(line + moved, column) for line, _, column, _ in code.co_positions() if line and column is not None}
    except (OSError, TypeError, AttributeError, SyntaxError):
        raise _unreadable(function) from None
    names = list(code.co_varnames[: code.co_argcount])
    for node in ast.walk(tree):
        if not isinstance(node, ast.Lambda) or [argument.arg for argument in node.args.args] != names:
            continue
        body = node.body
        first, last = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
        inside = {place for place in places if first <= place <= last}
        if first in inside and len(places - inside) <= 1:  # where the lambda itself begins
            return ast.parse(ast.unparse(node), mode="eval").body  # type: ignore[return-value]
    raise _unreadable(function)


def _found(function: Any) -> tuple[str, int]:
    """The text of a function's file as it is now, and the number of its first line.

    Raises
    ------
    GrammarError
        If its text stands there no more.
    """
    function = inspect.unwrap(function)
    lines, place = inspect.findsource(function)
    file = "".join(lines)
    code = getattr(function, "__code__", None)
    if code is None or str(getattr(function, "__module__", "")).startswith("gdfast."):
        return file, place + 1
    try:
        first = line_in(code, file)
    except (SyntaxError, ValueError):  # half written by now, or of a cell that is no plain Python
        first = 0 if os.path.isfile(code.co_filename) else place + 1
    if not first:
        raise GrammarError(
            f"{_name(function)}: {code.co_filename} has another text by now than that of which this function was made; "
            "import it again, or start Python anew"
        )
    return file, first


@functools.lru_cache(maxsize=128)
def _block(file: str, first: int) -> str:
    """What begins in a line of a file, to its end."""
    return textwrap.dedent("".join(inspect.getblock([*io.StringIO(file, newline="\n")][first - 1 :])))


@functools.lru_cache(maxsize=8)
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", repr(function)))


def _unreadable(function: Any) -> GrammarError:
    return GrammarError(f"{_name(function)}: its source cannot be read; define it with def in a file or cell")
