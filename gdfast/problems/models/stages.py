"""A formula in stages, each of which computes one function that takes long, and the last one the rest.

A processor works on some hundred instructions at a time. In a loop over lanes whose body is longer than that, the next
lanes wait until these have gone through a chain of operations, of which an exponential alone is dozens. Loops of one
such function each keep it busy: for a model with an exponential and a hyperbolic tangent they take a fifth less time.
"""

import ast
import copy

from gdfast.formulas.formula import Formula, from_text

_LONG = {"cos", "erf", "exp", "log", "log1p", "sigmoid", "sin", "softplus", "tanh"}


def staged(formula: Formula) -> list[Formula]:
    """Return formulas of the arguments and what those before returned, ``h0``, ``h1``, …; the last has the results.

    They compute what the formula computes, by the same operations.
    """
    lift = _Lift()
    for statement in copy.deepcopy(formula.tree.body):
        lift.lines.append(lift.visit(statement))
    returned = lift.lines.pop()
    assert isinstance(returned, ast.Return)
    assert returned.value is not None
    wanted = [*lift.calls, returned.value]
    texts = []
    for place, value in enumerate(wanted):
        arguments = [*formula.arguments, *(f"h{i}" for i in range(place))]
        lines = [*_needed(lift.lines, value, set(arguments)), f"return {ast.unparse(value)}"]
        texts.append(f"def stage({', '.join(arguments)}):\n    " + "\n    ".join(lines) + "\n")
    results = [1] * len(lift.calls) + [formula.results]
    return [Formula.of(from_text(text), count) for text, count in zip(texts, results, strict=True)]


class _Lift(ast.NodeTransformer):
    """Takes calls of functions that take long out of statements, and puts names in their places.

    Attributes
    ----------
    lines : list of ast.stmt
        The statements.
    calls : list of ast.Call
        What was taken out, in the order in which it is computed.
    """

    def __init__(self) -> None:
        self.lines: list[ast.stmt] = []
        self.calls: list[ast.expr] = []

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.func, ast.Name) or node.func.id not in _LONG:
            return node
        self.calls.append(node)
        return ast.Name(f"h{len(self.calls) - 1}", ast.Load())


def _needed(lines: list[ast.stmt], value: ast.expr, known: set[str]) -> list[str]:
    """Those of some assignments that an expression needs, as texts."""
    names, texts = _names(value), []
    for line in reversed(lines):
        assert isinstance(line, ast.Assign)
        (target,) = line.targets
        assert isinstance(target, ast.Name)
        if target.id in names - known:
            texts.append(ast.unparse(line))
            names |= _names(line.value)
    return texts[::-1]


def _names(node: ast.expr) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
