"""The rule of an optimizer for matrices, cut into stages.

A rule that calls functions of `gdfast.formulas.matrices` is a text like any other. It is cut at each call: what stands
before becomes a formula of the entry that the function is given, and what is left a formula that has the function's
results as further arguments. Between them the function is applied to whole matrices.
"""

import ast
import copy
import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn

from gdfast.formulas.factors import FUNCTIONS as KEEPING
from gdfast.formulas.formula import from_text
from gdfast.formulas.grammar import GrammarError
from gdfast.formulas.matrices import FUNCTIONS
from gdfast.formulas.translation import translated


class Stage(NamedTuple):
    """One call of a function of matrices.

    Attributes
    ----------
    function : str
        Its name.
    value : callable
        A formula of the entry that it is given, of the rule's arguments and the results of the stages before.
    numbers : tuple of str
        The coefficients that it takes besides.
    """

    function: str
    value: Callable[..., Any]
    numbers: tuple[str, ...]

    @property
    def keeps(self) -> bool:
        """Whether it is one of those that keep factors of a matrix."""
        return self.function in KEEPING


class Staged(NamedTuple):
    """A rule for matrices: its stages, then a formula of its arguments and the results of all stages."""

    stages: tuple[Stage, ...]
    rule: Callable[..., Any]


@functools.lru_cache(maxsize=256)
def staged(rule: Callable[..., Any]) -> Staged:
    """Cut a rule at its calls of functions of matrices.

    Raises
    ------
    GrammarError
        If such a function is called with something else than an entry and names of arguments.
    """
    tree, _ = translated(rule)
    return _Cut(tree).made()


class _Cut(ast.NodeTransformer):
    """Replaces each call by a name, and keeps what the function is given."""

    def __init__(self, tree: ast.FunctionDef) -> None:
        self.tree = tree
        self.names = [argument.arg for argument in tree.args.args]
        self.own = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self.before: list[ast.stmt] = []
        self.results: list[str] = []
        self.stages: list[Stage] = []

    def made(self) -> Staged:
        *body, last = self.tree.body
        for statement in body:
            self.before.append(self.visit(copy.deepcopy(statement)))
        rule = self.formula(self.tree.name, self.visit(copy.deepcopy(last)))  # which may add stages
        return Staged(tuple(self.stages), rule)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [self.visit(value) for value in node.args]
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
            return node
        name, function = node.func.id, FUNCTIONS[node.func.id]
        entry, *numbers = node.args or [ast.Constant(0.0)]
        wanted = function.__code__.co_varnames[1 + (name in KEEPING) : function.__code__.co_argcount]
        given = tuple(n.id for n in numbers if isinstance(n, ast.Name) and n.id in self.names and n.id not in self.own)
        if len(given) != len(wanted) or len(numbers) != len(wanted):
            more = f", then arguments of the rule for {', '.join(wanted)}" if wanted else ""
            self.refuse(node, f"{name} takes the entry of a matrix{more}")
        value = self.formula(f"{name}_of", ast.Return(entry))
        self.results.append(next(n for n in self.fresh(name) if n not in self.own and n not in self.names))
        self.stages.append(Stage(name, value, given))
        return ast.Name(self.results[-1], ast.Load())

    def fresh(self, name: str) -> Iterator[str]:
        """Names for what the next call of a function returns."""
        return (f"{name}_{len(self.results)}" + "_" * k for k in itertools.count())

    def formula(self, name: str, last: ast.stmt) -> Callable[..., Any]:
        """A formula that ends so, of all that stands before and is needed."""
        body = [last]
        needed = _named(last)
        for statement in reversed(self.before):
            assert isinstance(statement, ast.Assign)
            target = statement.targets[0]
            assert isinstance(target, ast.Name)
            if target.id in needed:
                needed = (needed - {target.id}) | _named(statement.value)
                body.insert(0, statement)
        lines = "\n    ".join(line for statement in body for line in ast.unparse(statement).splitlines())
        return from_text(f"def {name}({', '.join([*self.names, *self.results])}):\n    {lines}")

    def refuse(self, node: ast.AST, reason: str) -> NoReturn:
        line, code = getattr(node, "lineno", 1), ast.unparse(node).splitlines()[0]
        raise GrammarError(f"{self.tree.name}, line {line} ({code!r}): {reason}")


def _named(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}
