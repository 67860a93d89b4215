"""The contract of rules and formulas, as a check of their syntax tree."""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

from gdfast.formulas import elementary

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
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


@functools.lru_cache(maxsize=4096)
def reading(function: Callable[..., Any], results: int, real: str) -> Callable[..., Any]:
    """Return a rule or formula as it computes in a type, on arrays and, for the compiler, on the numbers of a lane.

    Written down, a whole number is an integer and a comparison a truth value, and what they are combined to differs
    between Python, NumPy and the compiler. So every number becomes one of the type, a comparison that is combined as a
    number is 1 or 0, and in float32 every result of a function that computes in float64 is rounded.

    Parameters
    ----------
    function : callable
        The rule or formula.
    results : int
        How many values it must return.
    real : str
        ``float64`` or ``float32``.

    Raises
    ------
    GrammarError
        If it is not in the grammar.
    """
    return typed(function, check(function, results), real)


def on_arrays(function: Callable[..., Any], results: int, real: Any) -> Callable[..., Any]:
    """Return the `reading` of a rule or formula, or itself if it is not in the grammar: then it is for arrays only."""
    try:
        return reading(function, results, "float32" if np.dtype(real) == np.float32 else "float64")
    except GrammarError:
        return function


def typed(function: Callable[..., Any], text: str, real: str) -> Callable[..., Any]:
    """Return the function that a text defines, computing in a type, with the names that another function sees.

    The text that it is made of is in its globals as ``__text__``.
    """
    typing = _Typing(real)
    module = ast.fix_missing_locations(typing.visit(ast.parse(text)))
    numbers = [f"{name} = {value!r}" for name, value in typing.names.items()]
    scope = {
        "select": elementary.select,
        **function.__globals__,
        **typing.names,
        "__text__": "\n".join([*numbers, ast.unparse(module)]),
    }
    exec(compile(module, f"<{function.__name__} in {real}>", "exec"), scope)
    return scope[function.__name__]  # type: ignore[no-any-return]


class _Typing(ast.NodeTransformer):
    """Replaces numbers by numbers of a type, and comparisons by numbers where numbers are wanted."""

    def __init__(self, real: str) -> None:
        self.real, self.type = real, getattr(np, real)
        self.names: dict[str, Any] = {f"_{real}": self.type}
        self.conditions: set[str] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.body = [self.visit(statement) for statement in node.body]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        return node  # the docstring

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        name = node.targets[0].id if isinstance(node.targets[0], ast.Name) else ""
        holds = is_condition(node.value, self.conditions)
        node.value = self.visit(node.value)
        self.conditions = self.conditions | {name} if holds else self.conditions - {name}
        return node

    def visit_Return(self, node: ast.Return) -> ast.Return:
        node.value = node.value and self.number(node.value)
        return node

    def visit_Tuple(self, node: ast.Tuple) -> ast.Tuple:
        node.elts = [self.number(part) for part in node.elts]
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            return node
        try:
            with np.errstate(over="ignore"):
                value = self.type(node.value)
        except OverflowError:
            raise GrammarError(f"the number {str(node.value)[:20]}… is too large for a {self.real}") from None
        name = f"_{self.real}_{len(self.names)}"
        self.names[name] = value
        return ast.Name(name, ast.Load())

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.UnaryOp:
        node.operand = self.number(node.operand)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        read = self.visit if isinstance(node.op, ast.BitAnd | ast.BitOr) else self.number
        node.left, node.right = read(node.left), read(node.right)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.Compare:
        node.left, node.comparators = self.number(node.left), [self.number(part) for part in node.comparators]
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "quantile":  # of noise, whose arguments are counters
            return self.narrowed(node)
        first = [self.visit(node.args[0])] if name == "select" else []
        node.args = first + [self.number(argument) for argument in node.args[len(first) :]]
        return self.narrowed(node) if name in elementary.__all__ else node

    def visit_Starred(self, node: ast.Starred) -> ast.Starred:
        return node

    def number(self, node: ast.expr) -> Any:
        if not is_condition(node, self.conditions):
            return self.visit(node)
        choice = ast.Call(ast.Name("select", ast.Load()), [node, ast.Constant(1.0), ast.Constant(0.0)], [])
        return self.visit(choice)

    def narrowed(self, node: ast.expr) -> ast.expr:
        """A value of the type; in float64 they all are."""
        return node if self.real == "float64" else ast.Call(ast.Name(f"_{self.real}", ast.Load()), [node], [])


def is_condition(node: ast.expr, conditions: set[str]) -> bool:
    """Whether an expression is true or false; `conditions` are the names of such values."""
    match node:
        case ast.Compare() | ast.BinOp(op=ast.BitAnd() | ast.BitOr()) | ast.Constant(value=bool()):
            return True
        case ast.Name(id=name):
            return name in conditions
    return False


class _Checker:
    def __init__(self, function: Callable[..., Any], definition: ast.FunctionDef, results: int) -> None:
        self.function, self.definition, self.results = function, definition, results
        self.names = {argument.arg for argument in definition.args.args}
        self.conditions: set[str] = set()

    def check(self) -> None:
        body = list(self.definition.body)
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            body.pop(0)  # the docstring
        for statement in body[:-1]:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.expression(value)
                    self.names.add(name)
                    holds = is_condition(value, self.conditions)
                    self.conditions = self.conditions | {name} if holds else self.conditions - {name}
                case _:
                    self.refuse(statement, "only assignments to a name may stand before the return")
        if not body or not isinstance(body[-1], ast.Return) or body[-1].value is None:
            self.refuse(body[-1] if body else self.definition, "it must end with one return")
            return
        value = body[-1].value
        parts = value.elts if isinstance(value, ast.Tuple) else [value]
        if isinstance(value, ast.Tuple) and self.results == len(parts) == 1:
            self.refuse(body[-1], "one value is returned as it is, without a comma")
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
            case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr(), right=right):
                self.condition(left)
                self.condition(right)
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _OPERATORS):
                self.expression(left)
                self.expression(right)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if isinstance(op, _COMPARISONS):
                self.expression(left)
                self.expression(right)
            case ast.Call(func=ast.Name(id=name), args=values, keywords=[]):
                called = self.function.__globals__.get(name)
                if name in self.names or name not in elementary.__all__ or called is not getattr(elementary, name):
                    self.refuse(
                        node, f"{name}() is not one of {', '.join(elementary.__all__)} of gdfast.formulas.elementary"
                    )
                wanted = len(inspect.signature(getattr(elementary, name)).parameters)
                if len(values) != wanted:
                    self.refuse(node, f"{name} takes {wanted} values, not {len(values)}")
                if name == "select":
                    self.condition(values[0])
                for value in values:
                    self.expression(value)
            case _:
                self.refuse(node, "only + - * /, comparisons and functions of gdfast.formulas.elementary are accepted")

    def condition(self, node: ast.expr) -> None:
        self.expression(node)
        if not is_condition(node, self.conditions):
            self.refuse(node, "a condition is wanted here, such as x > 0")

    def refuse(self, node: ast.AST, reason: str) -> None:
        kind = type(node.op) if isinstance(node, ast.BinOp) else type(node)
        line = getattr(node, "lineno", 1)
        code = ast.unparse(node).splitlines()[0]
        raise GrammarError(f"{self.function.__name__}, line {line} ({code!r}): {_INSTEAD.get(kind, reason)}")
