"""The contract of rules and formulas, as a check of their syntax tree."""

import ast
import inspect
import sys
from typing import NoReturn

from gdfast.formulas import elementary, vectors

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_FUNCTIONS, _OF_VECTORS = (
    {name: len(inspect.signature(getattr(module, name)).parameters) for name in module.__all__}
    for module in (elementary, vectors)
)
_INSTEAD = {
    ast.Pow: "a power must have a constant exponent, whole or half, within ±64, or be written power(x, y); what "
    "depends on the step alone, such as beta**t, belongs into the step_table",
    ast.If: "write a choice as select(condition, yes, no), or yes if condition else no",
    ast.For: "there are no loops; write out what it does",
    ast.While: "there are no loops; write out what it does",
}


class GrammarError(ValueError):
    """A rule or formula is not in the grammar; the message names the line and what to write instead."""


def is_condition(node: ast.expr, conditions: set[str]) -> bool:
    """Whether an expression is true or false; `conditions` are the names of such values."""
    match node:
        case ast.Compare() | ast.BinOp(op=ast.BitAnd() | ast.BitOr()) | ast.Constant(value=bool()):
            return True
        case ast.Name(id=name):
            return name in conditions
    return False


def check(definition: ast.FunctionDef, results: int, of_vectors: bool = False) -> None:
    """Check a formula.

    Parameters
    ----------
    definition : ast.FunctionDef
        The formula.
    results : int
        How many values it must return.
    of_vectors : bool
        Whether it may call the functions of `gdfast.formulas.vectors`.

    Raises
    ------
    GrammarError
        If something in it is not in the grammar.
    """
    _Checker(definition, results, of_vectors).check()


class _Checker:
    def __init__(self, definition: ast.FunctionDef, results: int, of_vectors: bool) -> None:
        self.definition, self.results = definition, results
        self.functions = _FUNCTIONS | _OF_VECTORS if of_vectors else _FUNCTIONS
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
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float() as number):
                if abs(number) > sys.float_info.max:
                    shown = str(number)[:20]
                    raise GrammarError(f"{self.definition.name}: the number {shown}… is too large for a float64")
            case ast.Name(id=name):
                if name not in self.names:
                    self.refuse(
                        node, f"{name!r} is neither an argument, nor assigned before, nor a number from outside"
                    )
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
                if name in self.names or name not in self.functions:
                    self.refuse(node, _unknown(name))
                wanted = self.functions[name]
                if len(values) != wanted:
                    self.refuse(node, f"{name} takes {wanted} values, not {len(values)}")
                if name == "select":
                    self.condition(values[0])
                for value in values:
                    self.expression(value)
            case ast.Call(func=function, keywords=[]):
                self.refuse(node, _unknown(ast.unparse(function)))
            case _:
                self.refuse(node, "only + - * /, comparisons and functions of gdfast.formulas.elementary are accepted")

    def condition(self, node: ast.expr) -> None:
        self.expression(node)
        if not is_condition(node, self.conditions):
            self.refuse(node, "a condition is wanted here, such as x > 0")

    def refuse(self, node: ast.AST, reason: str) -> NoReturn:
        kind = type(node.op) if isinstance(node, ast.BinOp) else type(node)
        line = getattr(node, "lineno", 1)
        code = ast.unparse(node).splitlines()[0]
        raise GrammarError(f"{self.definition.name}, line {line} ({code!r}): {_INSTEAD.get(kind, reason)}")


def _unknown(name: str) -> str:
    if name in _OF_VECTORS:
        return f"{name}() is of whole vectors, which only rules of optimizers are of"
    return f"{name}() is not one of {', '.join(elementary.__all__)} of gdfast.formulas.elementary"
