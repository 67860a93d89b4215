"""Landscapes from a line of mathematics, such as ``(1 - x)**2 + 100*(y - x**2)**2``.

The text is never run. It is parsed, its syntax tree is walked, and only what is known to be mathematics is built up
again, as operations (`gdfast.formulas.graph`) that are differentiated and written as formulas. Sizes are bounded,
so that a text cannot take the machine's memory or hours of its time either.
"""

import ast
import functools
import keyword
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from gdfast import arguments
from gdfast.formulas import elementary
from gdfast.formulas.derivatives import LARGEST_GRAPH, NoDerivativeError, derived
from gdfast.formulas.graph import FUNCTIONS, Graph, NoNumberError
from gdfast.formulas.writer import Writer
from gdfast.named import named
from gdfast.problems._landscape import LARGEST_LANDSCAPE, Landscape, checked_domain

DEFAULT_RANGE = (-5.0, 5.0)
_LONGEST, _MOST, _DEEPEST = 4000, 500, 60  # characters; numbers, names and operations; how deep they may be nested
_LONGEST_NAME = 40  # characters
_LARGEST_EXPONENT = 64
_CONSTANTS = {"pi": math.pi, "e": math.e}
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


@named()
def from_expression(expression: str, domain: Any = None) -> Landscape:
    """Make a landscape of an expression of its coordinates.

    Parameters
    ----------
    expression : str
        Numbers, names of coordinates, ``+ - * / **``, parentheses, ``pi``, ``e``, and the functions abs, cos, exp,
        log, log1p, max, min, sigmoid, sign, sin, softplus, sqrt, tanh. Every other name is a coordinate. A power with
        a fractional or variable exponent is not a number where its base is negative.
    domain : array_like, (d, 2), or mapping, optional
        Lowest and highest value of each coordinate. The coordinates are in alphabetical order, unless this is a
        mapping from their names to pairs, whose order is then theirs. [−5, 5] each if not given.

    Returns
    -------
    Landscape
        With the gradient and the Hessian derived, and the stationary points found numerically where they can be.
        Where abs, max or min has a kink, the derivative is that of one side, or 0 for abs.

    Raises
    ------
    TypeError, ValueError
        If the expression is not one, or has not 1 to 8 coordinates, or the domain does not fit them.
    """
    arguments.instance("expression", expression, str, "a text such as '(1 - x)**2 + y**2'")
    _, _, names = _read(expression)
    if not 1 <= len(names) <= LARGEST_LANDSCAPE:
        listed = ", ".join(names[:9]) + (", …" if len(names) > 9 else "") if names else "none"
        raise ValueError(f"expression must have 1 to {LARGEST_LANDSCAPE} coordinates, not {len(names)}: {listed}")
    if domain is None:
        domain = dict.fromkeys(names, DEFAULT_RANGE)
    pairs = dict(zip(names, map(tuple, checked_domain("expression", domain, names).tolist()), strict=True))
    order = tuple(domain) if isinstance(domain, Mapping) else tuple(names)
    return _landscape(expression, order, tuple(pairs[name] for name in order))


@functools.lru_cache(maxsize=64)
def _landscape(expression: str, names: Sequence[str], domain: Sequence[Sequence[float]]) -> Landscape:
    # Kept, since every tile that another process runs makes its problem again.
    graph, loss, _ = _read(expression)
    try:
        gradient = derived("gradient", graph, [loss], names)
    except NoDerivativeError as error:
        raise ValueError(f"expression: {error}") from None
    return Landscape(Writer(graph).formula("loss", names, loss), gradient, domain)


class _Refusal(ValueError):
    """The sentence for what is not accepted in an expression."""


def _tree(text: str) -> ast.expr:
    """Return the syntax tree of a text that is not too long, whatever it means.

    Raises
    ------
    TypeError, ValueError
        If it is none.
    """
    if not isinstance(text, str):
        raise TypeError(f"expression must be a text such as '(1 - x)**2 + y**2', not {text!r}")
    if len(text) > _LONGEST:
        raise ValueError(f"expression must have at most {_LONGEST} characters, not {len(text)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's, about what looks like a mistake in code
            tree = ast.parse(text.strip(), mode="eval").body
            parts = sum(isinstance(node, ast.Name | ast.Constant | ast.operator) for node in ast.walk(tree))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        accepted = "it must be one such as 'x**2 + exp(-y)'"
        raise ValueError(f"expression {_quoted(text)} cannot be read; {accepted}") from None
    if parts > _MOST:
        raise _Refusal(f"expression must have at most {_MOST} numbers, names and operations, not {parts}")
    return tree


def _quoted(text: str) -> str:
    """A text in quotes, with what cannot be printed escaped, cut if it is long."""
    quoted = repr(text)
    return quoted if len(quoted) <= 62 else quoted[:57] + "..." + quoted[-1]


class _Reader:
    """From a syntax tree to operations.

    Parameters
    ----------
    text : str
        What the tree was parsed from, for the digits of its numbers.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.graph = Graph(LARGEST_GRAPH)
        self.names: set[str] = set()

    def read(self, node: ast.expr, depth: int = 0) -> int:
        if depth > _DEEPEST:
            raise _Refusal(f"expression must be nested at most {_DEEPEST} deep")
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self.number(node, value)
            case ast.Name(id=name):
                return self.name(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.graph.operation("negative", self.read(operand, depth + 1))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand, depth + 1)
            case ast.BinOp():
                return self.chain(node, depth)
            case ast.Call(func=ast.Name(id=name)) if name not in FUNCTIONS:
                accepted = ", ".join(sorted(FUNCTIONS))
                raise _Refusal(f"expression: {_quoted(name)} is not a function; accepted: {accepted}")
            case ast.Call(func=ast.Name(id=name), args=values, keywords=[]):
                return self.call(name, [self.read(value, depth + 1) for value in values])
        raise _Refusal(
            f"expression: {_quoted(self.part(node))} is not accepted; numbers, names, + - * / **, parentheses and "
            f"{', '.join(sorted(FUNCTIONS))} are"
        )

    def part(self, node: ast.expr) -> str:
        """The part of the text that a node was parsed from."""
        return ast.get_source_segment(self.text, node) or ""

    def number(self, node: ast.expr, value: float) -> int:
        text = self.part(node)
        digits = re.split("[eE]", text)[0] if isinstance(value, float) else ""
        lost = value == 0 and re.search("[1-9]", digits)
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
        if lost or not math.isfinite(value):
            raise _Refusal(
                f"expression: the number {_quoted(text)} is too {'small' if lost else 'large'} for a float64"
            )
        return self.graph.number(value)

    def name(self, name: str) -> int:
        if name in _CONSTANTS:
            return self.graph.number(_CONSTANTS[name])
        if len(name) > _LONGEST_NAME:
            raise _Refusal(f"expression: a name must have at most {_LONGEST_NAME} letters, unlike {_quoted(name)}")
        if name in elementary.__all__ or name in FUNCTIONS or name.startswith("_") or keyword.issoftkeyword(name):
            raise _Refusal(f"expression: {name!r} cannot be the name of a coordinate")
        self.names.add(name)
        return self.graph.coordinate(name)

    def chain(self, node: ast.expr, depth: int) -> int:
        """A chain such as a + b*c + d, whose tree nests to the left without being deep."""
        operations = []
        while isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            operations.append((_OPERATORS[type(node.op)], node.right))
            node = node.left
        if isinstance(node, ast.BinOp):
            raise _Refusal(f"expression: {_quoted(self.part(node))} is not accepted; the operators are + - * / **")
        total = self.read(node, depth + 1)
        for operator, right in reversed(operations):
            operand = self.read(right, depth + 1)
            total = self.power(total, operand) if operator == "**" else self.graph.operation(operator, total, operand)
        return total

    def power(self, base: int, exponent: int) -> int:
        graph = self.graph
        number = graph.value(exponent)
        if number is None:
            logarithm = graph.operation("log", base)
            return graph.operation("exp", graph.operation("*", exponent, logarithm))
        if graph.value(base) is None and not abs(number) <= _LARGEST_EXPONENT:
            raise _Refusal(f"expression: an exponent must lie within ±{_LARGEST_EXPONENT}, unlike {number:.6g}")
        return graph.power(base, number)

    def call(self, name: str, values: list[int]) -> int:
        several = name in ("max", "min")
        if len(values) < 2 if several else len(values) != 1:
            wanted = "two or more values" if several else "one value"
            raise _Refusal(f"expression: {name} takes {wanted}, not {len(values)}")
        first, *others = values
        if not several:
            return self.graph.operation(name, first)
        return functools.reduce(lambda a, b: self.graph.operation(name, a, b), others, first)


def _read(text: str) -> tuple[Graph, int, list[str]]:
    """Return the operations of a text, the node of its value, and its coordinates in alphabetical order."""
    tree = _tree(text)
    reader = _Reader(text)
    try:
        loss = reader.read(tree)
    except NoNumberError as error:
        raise ValueError(f"expression: {error} is not a real number that a float64 holds") from None
    return reader.graph, loss, sorted(reader.names)
