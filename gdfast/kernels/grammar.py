"""The contract of rules and formulas, as a check of their syntax tree."""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

from gdfast import elementary

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.BitAnd, ast.BitOr)
_INSTEAD = {
    ast.Pow: "write a power as a product, x * x",
    ast.IfExp: "write a choice as select(condition, yes, no)",
    ast.If: "write a choice as select(condition, yes, no)",
    ast.BoolOp: "join comparisons with & or |, each in parentheses",
    ast.AugAssign: "write x = x + y",
}


class GrammarError(ValueError):
    """A rule or formula is not in the grammar; the message names the line and what to write instead."""


@functools.lru_cache(maxsize=4096)
def check(function: Callable[..., Any], results: int) -> str:
    """Return the source text of a rule or formula that is in the grammar.

    Parameters
    ----------
    function : callable
        The rule or formula, a ``def`` whose source can be read.
    results : int
        How many values it must return.

    Raises
    ------
    GrammarError
        If its source cannot be read, or something in it is not in the grammar.
    """
    name = getattr(function, "__name__", repr(function))
    try:
        source = textwrap.dedent(inspect.getsource(function))
        definition = ast.parse(source).body[0]
    except (OSError, TypeError, SyntaxError):
        raise GrammarError(f"{name}: its source cannot be read; define it with def in a file or cell") from None
    if not isinstance(definition, ast.FunctionDef):
        raise GrammarError(f"{name}: it must be a function defined with def, not a lambda")
    _Checker(function, definition, results).check()
    return source


def single_precision(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the same rule or formula in float32, for the compiler.

    NumPy lets a constant take the type of what it is combined with; the compiler would go on in float64 from there.
    So every constant is narrowed, and every result of a function that computes in float64.
    """
    text = function.__globals__.get("__text__") or textwrap.dedent(inspect.getsource(function))
    module = ast.fix_missing_locations(_Narrowing().visit(ast.parse(text)))
    scope = {**function.__globals__, _Narrowing.NAME: np.float32}
    exec(compile(module, f"<{function.__name__} in float32>", "exec"), scope)
    return scope[function.__name__]  # type: ignore[no-any-return]


class _Narrowing(ast.NodeTransformer):
    NAME = "_float32"

    def narrowed(self, node: ast.expr) -> ast.expr:
        return ast.Call(ast.Name(self.NAME, ast.Load()), [node], [])

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
        return self.narrowed(node) if number else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "quantile":  # of noise, whose arguments are counters
            return self.narrowed(node)
        node.args = [self.visit(argument) for argument in node.args]
        return self.narrowed(node) if name in elementary.__all__ else node


class _Checker:
    def __init__(self, function: Callable[..., Any], definition: ast.FunctionDef, results: int) -> None:
        self.function, self.definition, self.results = function, definition, results
        self.names = {argument.arg for argument in definition.args.args}

    def check(self) -> None:
        body = list(self.definition.body)
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            body.pop(0)  # the docstring
        for statement in body[:-1]:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.expression(value)
                    self.names.add(name)
                case _:
                    self.refuse(statement, "only assignments to a name may stand before the return")
        if not body or not isinstance(body[-1], ast.Return) or body[-1].value is None:
            self.refuse(body[-1] if body else self.definition, "it must end with one return")
            return
        value = body[-1].value
        parts = value.elts if isinstance(value, ast.Tuple) else [value]
        nested = [e for part in parts for e in (part.elts if isinstance(part, ast.Tuple) else [part])]
        if len(parts) != self.results:
            self.refuse(body[-1], f"it must return {self.results} value(s), not {len(parts)}")
        for part in nested:
            self.expression(part)

    def expression(self, node: ast.expr) -> None:
        match node:
            case ast.Constant(value=bool() | int() | float()):
                pass
            case ast.Name(id=name):
                if name not in self.names:
                    self.refuse(node, f"{name!r} is neither an argument nor assigned before")
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                self.expression(operand)
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _OPERATORS):
                self.expression(left)
                self.expression(right)
            case ast.Compare(left=left, ops=[_], comparators=[right]):
                self.expression(left)
                self.expression(right)
            case ast.Call(func=ast.Name(id=name), args=values, keywords=[]):
                called = self.function.__globals__.get(name)
                if name not in elementary.__all__ or called is not getattr(elementary, name):
                    self.refuse(node, f"{name}() is not one of {', '.join(elementary.__all__)} of gdfast.elementary")
                for value in values:
                    self.expression(value)
            case _:
                self.refuse(node, "only + - * /, comparisons and functions of gdfast.elementary are accepted")

    def refuse(self, node: ast.AST, reason: str) -> None:
        kind = type(node.op) if isinstance(node, ast.BinOp) else type(node)
        line = getattr(node, "lineno", 1)
        code = ast.unparse(node).splitlines()[0]
        raise GrammarError(f"{self.function.__name__}, line {line} ({code!r}): {_INSTEAD.get(kind, reason)}")
