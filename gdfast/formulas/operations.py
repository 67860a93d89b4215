"""Operations of formulas, counted from their syntax trees.

The trees are followed with numbers for values (value numbering): an expression that was met before costs nothing again,
as in compiled code, and neither does one of hyperparameters and columns of the step table alone, which is taken out of
the loop over lanes. A division by a constant power of two is a product.
"""

import ast
import collections
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from gdfast.formulas.formula import Formula

_BINARY = {"Add": "add", "Sub": "add", "Mult": "multiply", "Div": "divide"}

FUNCTIONS = (
    *("acos", "asin", "atan", "cos", "cosh", "cube_root", "erf", "exp", "log", "log10", "log1p", "log2"),
    *("power", "sigmoid", "sin", "sin and cos", "sinh", "softplus", "tan", "tanh"),
)
"""Functions of `gdfast.formulas.elementary` that are many operations; each is counted and measured as a kind."""

# What the others are. The choice that follows a comparison is counted with it.
_FEW: dict[str, dict[str, int]] = {
    "absolute": {"logic": 1},
    "select": {},
    "maximum": {"compare": 2},
    "minimum": {"compare": 2},
    "sign": {"compare": 3},
    "exponent": {"logic": 2, "add": 1},
    "mantissa": {"logic": 2},
    "power_of_two": {"logic": 1, "add": 1},
    "sqrt": {"root": 1},
    "square_scale": {"compare": 2},
    "square_unit": {"compare": 2},
    **{name: {name: 1} for name in FUNCTIONS},
}


class Value(NamedTuple):
    """A value of a step: equal keys are equal values; `shared` ones are the same for all lanes."""

    key: Any
    shared: bool


class Counter:
    """Follows texts and counts.

    Attributes
    ----------
    operations : collections.Counter
        How many of each kind a lane needs: add (and subtract), multiply, divide, root, logic (on bits), compare (and
        choose), load, store, and each of `FUNCTIONS`.
    """

    def __init__(self) -> None:
        self.operations: collections.Counter[str] = collections.Counter()
        self._numbers: dict[Any, Value] = {}

    def value(self, what: Any, shared: bool = False) -> Value:
        """A value that is given: an array's element, or a coefficient that all lanes share."""
        return self._numbers.setdefault(what, Value(len(self._numbers), shared))

    def call(self, formula: Formula, *arguments: Value) -> tuple[Value, ...]:
        """Follow a formula; return its results."""
        names = dict(zip(formula.arguments, arguments, strict=True))
        for statement in formula.tree.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    names[name] = self._expression(value, names)
                case ast.Return(value=ast.Tuple(elts=parts)):
                    return tuple(self._expression(part, names) for part in parts)
                case ast.Return(value=ast.expr() as value):
                    return (self._expression(value, names),)
        raise AssertionError("a text in the grammar ends with a return")

    def operation(self, kinds: dict[str, int], name: str, values: Sequence[Value]) -> Value:
        """An operation on values, counted unless it was met before or is the same for all lanes."""
        keys = [value.key for value in values]
        what = (name, *(sorted(keys) if name in ("Add", "Mult") else keys))
        if what not in self._numbers:
            self._numbers[what] = Value(len(self._numbers), all(value.shared for value in values))
            if not self._numbers[what].shared:
                self.operations.update(kinds)
        return self._numbers[what]

    def _function(self, name: str, values: Sequence[Value]) -> Value:
        other = {"sin": "cos", "cos": "sin"}.get(name)
        keys = [value.key for value in values]
        if (name, *keys) in self._numbers or (other, *keys) not in self._numbers:
            return self.operation(_FEW[name], name, values)
        assert other is not None
        self.operations[other] -= 1  # of one number the two share most of their work
        return self.operation({"sin and cos": 1}, name, values)

    def _expression(self, node: ast.expr, names: dict[str, Value]) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return self.value(("constant", float(number)), shared=True)
            case ast.Name(id=name):
                return names[name]
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._expression(operand, names)
            case ast.UnaryOp(operand=operand):
                return self.operation({"logic": 1}, "negative", [self._expression(operand, names)])
            case ast.BinOp(left=left, op=op, right=right):
                name = type(op).__name__
                kind = _BINARY.get(name, "logic")
                if kind == "divide" and _is_power_of_two(right):
                    kind = "multiply"
                values = [self._expression(side, names) for side in (left, right)]
                return self.operation({kind: 1}, name, values)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                values = [self._expression(side, names) for side in (left, right)]
                return self.operation({"compare": 1}, type(op).__name__, values)
            case ast.Call(func=ast.Name(id=name), args=given):
                return self._function(name, [self._expression(value, names) for value in given])
        raise AssertionError(f"not in the grammar: {ast.unparse(node)}")


def _is_power_of_two(node: ast.expr) -> bool:
    value = node.value if isinstance(node, ast.Constant) else None
    return isinstance(value, int | float) and abs(math.frexp(value)[0]) == 0.5
