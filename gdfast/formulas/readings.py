"""How a formula computes in a type: on arrays and, for the compiler, on the numbers of a lane.

Written down, a whole number is an integer and a comparison a truth value, and what they are combined to differs between
Python, NumPy and the compiler. So every number becomes one of the type, a comparison that is combined as a number is 1
or 0, and in float32 every result of a function that computes in float64 is rounded.
"""

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gdfast.formulas import elementary
from gdfast.formulas.grammar import is_condition
from gdfast.formulas.source import defined


def typed(tree: ast.AST, around: Mapping[str, Any], real: str) -> Callable[..., Any]:
    """Return the function that a tree defines, computing in a type, with the meaning of the names around it."""
    typing = _Typing(real)
    module = ast.fix_missing_locations(ast.Module([typing.visit(tree)], []))
    scope = {"select": elementary.select, **around, **typing.names}
    name = tree.name if isinstance(tree, ast.FunctionDef) else ""
    return defined(module, scope, f"<{name} in {real}>")


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
        with np.errstate(over="ignore"):
            value = self.type(node.value)
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
        if name in ("quantile", "uniform"):  # of noise, whose arguments are counters
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
