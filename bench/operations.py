"""Operations of one step of a lane, counted from the texts of a pair's formulas and rule.

The texts are in the grammar of `gdfast.kernels`, so that their syntax trees hold all there is. They are followed with
numbers for values (value numbering): an expression that was met before costs nothing again, as in compiled code, and
neither does one of hyperparameters and columns of the step table alone, which is taken out of the loop over lanes. A
division by a constant power of two is a product.
"""

import ast
import collections
import inspect
import math
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gdfast.optimizers import Optimizer
from gdfast.problems import Landscape

_BINARY = {"Add": "add", "Sub": "add", "Mult": "multiply", "Div": "divide"}

FUNCTIONS = ("cos", "cube_root", "erf", "exp", "log", "log1p", "sigmoid", "sin", "sin and cos", "softplus", "tanh")
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

    def call(self, function: Callable[..., Any], *arguments: Value) -> tuple[Value, ...]:
        """Follow a function; return its results."""
        definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        assert isinstance(definition, ast.FunctionDef)
        names = dict(zip((argument.arg for argument in definition.args.args), arguments, strict=True))
        for statement in definition.body:
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
            case ast.Constant(value=number):
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
                if kind == "divide" and isinstance(right, ast.Constant) and abs(math.frexp(right.value)[0]) == 0.5:
                    kind = "multiply"
                values = [self._expression(side, names) for side in (left, right)]
                return self.operation({kind: 1}, name, values)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                values = [self._expression(side, names) for side in (left, right)]
                return self.operation({"compare": 1}, type(op).__name__, values)
            case ast.Call(func=ast.Name(id=name), args=given):
                return self._function(name, [self._expression(value, names) for value in given])
        raise AssertionError(f"not in the grammar: {ast.unparse(node)}")


def of_pair(problem: Landscape, optimizer: Optimizer) -> collections.Counter[str]:
    """Operations that a checked step of a lane needs: gradient, settle check and update.

    The check takes the absolute values of the gradient's entries, the largest of them, and three operations on bits
    to see whether it is outside of the quiet window, in any lane of a group. Loaded are the point, the state and the
    learning rate, stored the point and the state.
    """
    counter, d = Counter(), problem.dimension
    x = [counter.value(("x", i)) for i in range(d)]
    g = counter.call(problem.gradient_formula, *x)
    loss = counter.call(problem.loss_formula, *x) if optimizer.uses_loss else ()
    counter.operations["logic"] += 3 if d == 1 else 3 + d + (d - 1)
    rate = counter.value("rate")
    coefficients = [counter.value(name, shared=True) for name in optimizer.coefficients]
    state = [[counter.value((slot, i)) for slot in optimizer.state] for i in range(d)]
    totals: list[Value] = []
    if optimizer.entries is not None:
        parts = [counter.call(optimizer.entries, x[i], g[i], *state[i], rate, *coefficients) for i in range(d)]
        for j, name in enumerate(optimizer.norms):
            counter.operations["logic"] += 2 * d - 1  # the largest
            if optimizer.euclidean:
                counter.operations.update(compare=2, multiply=2 * d + 1, add=d - 1, root=1)
            totals.append(counter.value(("norm", name, *(part[j].key for part in parts))))
    if optimizer.terms is not None:
        given = *totals, *coefficients
        parts = [counter.call(optimizer.terms, x[i], g[i], *state[i], rate, *given) for i in range(d)]
        for j, name in enumerate(optimizer.sums):
            counter.operations["add"] += d - 1
            totals.append(counter.value(("sum", name, *(part[j].key for part in parts))))
    for i in range(d):
        counter.call(optimizer.rule, x[i], g[i], *state[i], rate, *totals, *loss, *coefficients)
    counter.operations["load"] += d * (1 + len(optimizer.state)) + 1
    counter.operations["store"] += d * (1 + len(optimizer.state))
    return counter.operations
