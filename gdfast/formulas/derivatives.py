"""The gradient and the Hessian of a formula, as formulas: read into a graph, differentiated, written down.

Where a formula chooses, the derivative is that of what is chosen; at a kink it is that of one side, or 0 for
`absolute`. Products are collected for it, ``x * x * y * x`` to x³ y, whatever their order: a derivative has its own
roundings. Constant factors are, too.
"""

import ast
import functools
import itertools
import math
from collections.abc import Callable, Collection, Sequence
from typing import Any

from gdfast.formulas.chain_rule import ChainRule
from gdfast.formulas.formula import Formula
from gdfast.formulas.grammar import is_condition
from gdfast.formulas.graph import COMPARISONS, FUNCTIONS, Graph, NoNumberError, TooLargeError
from gdfast.formulas.writer import Writer

LARGEST_GRAPH = 20_000
"""Operations of a graph, those included that no formula needs in the end."""
_LARGEST = {"gradient": 1500, "product": 6000, "hessian": 6000}  # operations
_LARGEST_TO_FACTOR = 300  # operations of a gradient in which common factors are looked for; the time grows faster
_NAMES = {function: name for name, function in FUNCTIONS.items()}
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Div: "/", ast.BitAnd: "&", ast.BitOr: "|"}
_COMPARED = dict(zip((ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq), COMPARISONS, strict=True))


class NoDerivativeError(ValueError):
    """A formula has no derivative here; the message is the reason, to stand after "since"."""


@functools.lru_cache(maxsize=1024)
def gradient_of(loss: Callable[..., Any], by: Sequence[str] | None = None) -> Callable[..., Any]:
    """Return the gradient of a formula that returns one value, as a formula of the same arguments.

    It has the derivatives by all of them, or by those that are told.

    Raises
    ------
    GrammarError
        If the loss is no formula.
    NoDerivativeError
        If it cannot be differentiated.

    Examples
    --------
    >>> from gdfast.formulas.formula import from_text, source_of
    >>> print(source_of(gradient_of(from_text("def loss(x, y): return x * x * x * y"))))
    def gradient(x, y):
        t0 = x * x
        return ((3 * (y * t0)), (t0 * x))
    <BLANKLINE>
    """
    return _of_formula("gradient", Formula.of(loss, 1), by)


@functools.lru_cache(maxsize=1024)
def hessian_of(gradient: Callable[..., Any], dimension: int) -> Callable[..., Any]:
    """Return the derivatives of a gradient by its first arguments, the coordinates, as a formula with rows as results.

    Raises
    ------
    GrammarError
        If the gradient is no formula of so many results.
    NoDerivativeError
        If it cannot be differentiated.
    """
    formula = Formula.of(gradient, dimension)
    return _of_formula("hessian", formula, formula.arguments[:dimension])


@functools.lru_cache(maxsize=1024)
def product_of(gradient: Callable[..., Any], dimension: int) -> Callable[..., Any]:
    """Return the Hessian times a vector as a formula, from the gradient: of the coordinates, the vector, and the rest.

    It is the gradient of gᵀv with a constant v, which takes few times the operations of g, whatever the dimension.

    Raises
    ------
    GrammarError
        If the gradient is no formula of so many results.
    NoDerivativeError
        If it cannot be differentiated.
    """
    formula = Formula.of(gradient, dimension)
    graph, nodes = _read(formula)
    by, rest = formula.arguments[:dimension], formula.arguments[dimension:]
    return product_from(graph, nodes, (by, rest))


def product_from(
    graph: Graph, slopes: Sequence[int], names: tuple[Sequence[str], Sequence[str]], of_sums: bool = False
) -> Callable[..., Any]:
    """Return the same from the nodes of a gradient and the names of the coordinates and of the other arguments.

    Raises
    ------
    NoDerivativeError
        If it cannot be differentiated.
    """
    by, rest = names
    way = ways(len(by), {*by, *rest})
    try:
        along = graph.number(0.0)
        for name, slope in zip(way, slopes, strict=True):
            along = graph.operation("+", along, graph.operation("*", graph.coordinate(name), slope))
    except TooLargeError:
        raise NoDerivativeError(f"it has more than {LARGEST_GRAPH} operations") from None
    return derived("product", graph, [along], (*by, *way, *rest), by, of_sums)


def ways(count: int, taken: Collection[str]) -> tuple[str, ...]:
    """So many names that are not taken."""
    names = (f"v{i}" for i in itertools.count())
    return tuple(itertools.islice((name for name in names if name not in taken), count))


def _of_formula(name: str, formula: Formula, by: Sequence[str] | None) -> Callable[..., Any]:
    graph, nodes = _read(formula)
    return derived(name, graph, nodes, formula.arguments, by)


def _read(formula: Formula) -> tuple[Graph, list[int]]:
    graph = Graph(LARGEST_GRAPH)
    try:
        return graph, _Reader(graph, formula).results
    except NoNumberError as error:
        raise NoDerivativeError(f"{error} is not a number that a float64 holds") from None
    except TooLargeError:
        raise NoDerivativeError(f"it has more than {LARGEST_GRAPH} operations") from None


def derived(
    name: str,
    graph: Graph,
    nodes: Sequence[int],
    names: Sequence[str],
    by: Sequence[str] | None = None,
    of_sums: bool = False,
) -> Callable[..., Any]:
    """Return the derivatives of nodes by coordinates as a formula.

    It is called ``gradient`` or ``product`` where it is of one node, ``hessian`` of each.

    The arguments of the formula are `names`; the derivatives are by all of them, or those that are told. For `of_sums`
    see `ChainRule`.

    Raises
    ------
    NoDerivativeError
        If a number in it is none that a float64 holds, or it takes too many operations.
    """
    attempt = graph.copy()
    by = names if by is None else by
    operations, writer, rows = _form(graph, nodes, by, ChainRule(graph, of_sums=of_sums))
    if name == "gradient" and operations <= _LARGEST_TO_FACTOR:
        # It may also be longer then, where what is taken apart is needed elsewhere as a whole.
        factored = _form(attempt, nodes, by, ChainRule(attempt, True, of_sums))
        if factored[0] < operations:
            operations, writer, rows = factored
    if operations > _LARGEST[name]:
        raise NoDerivativeError(f"its {name} takes {operations} operations, more than {_LARGEST[name]}")
    rows = rows if name == "hessian" else rows[0]
    while len(by) == 1 and not isinstance(rows, int):
        (rows,) = rows
    return writer.formula(name, names, rows)


def _form(graph: Graph, nodes: Sequence[int], names: Sequence[str], rule: ChainRule) -> tuple[int, Writer, Any]:
    writer = Writer(graph)
    try:
        rows = [rule.by(node, names) for node in nodes]
        return writer.operations(rows), writer, rows
    except NoNumberError as error:
        raise NoDerivativeError(f"a number in its derivatives, {error}, is not one that a float64 holds") from None
    except TooLargeError:
        return graph.largest, writer, []


class _Reader:
    """From the tree of a formula to operations.

    Attributes
    ----------
    results : list of int
        The nodes of what the formula returns.
    """

    def __init__(self, graph: Graph, formula: Formula) -> None:
        self.graph = graph
        self.names = {name: graph.coordinate(name) for name in formula.arguments}
        self.conditions: set[str] = set()
        self.results: list[int] = []
        for statement in formula.tree.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    holds = is_condition(value, self.conditions)
                    self.names[name] = self.condition(value) if holds else self.number(value)
                    self.conditions = self.conditions | {name} if holds else self.conditions - {name}
                case ast.Return(value=ast.Tuple(elts=parts)):
                    self.results = [self.number(part) for part in parts]
                case ast.Return(value=ast.expr() as value):
                    self.results = [self.number(value)]

    def number(self, node: ast.expr) -> int:
        """The node of an expression; of a condition 1 where it holds and 0 elsewhere."""
        graph = self.graph
        if is_condition(node, self.conditions):
            return graph.operation("choice", self.condition(node), graph.number(1.0), graph.number(0.0))
        match node:
            case ast.Constant(value=int() | float() as value):
                return graph.number(float(value))
            case ast.Name(id=name):
                return self.names[name]
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.number(operand)
            case ast.UnaryOp(operand=operand):
                return graph.operation("negative", self.number(operand))
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return self.product(self.number(left), self.number(right))
            case ast.BinOp(left=left, op=op, right=right):
                return graph.operation(_OPERATORS[type(op)], self.number(left), self.number(right))
            case ast.Call(func=ast.Name(id="select"), args=[condition, yes, no]):
                return graph.operation("choice", self.condition(condition), self.number(yes), self.number(no))
            case ast.Call(func=ast.Name(id=name), args=values) if name in _NAMES:
                return graph.operation(_NAMES[name], *map(self.number, values))
            case ast.Call(func=ast.Name(id=name)):
                raise NoDerivativeError(f"the derivative of {name}() is not known here")
        raise AssertionError(f"not in the grammar: {ast.unparse(node)}")

    def condition(self, node: ast.expr) -> int:
        """The node of something that is true or false."""
        match node:
            case ast.Constant(value=bool() as value):
                return self.graph.number(float(value))
            case ast.Name(id=name):
                return self.names[name]
            case ast.BinOp(left=left, op=op, right=right):
                return self.graph.operation(_OPERATORS[type(op)], self.condition(left), self.condition(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self.graph.operation(_COMPARED[type(op)], self.number(left), self.number(right))
        raise AssertionError(f"no condition: {ast.unparse(node)}")

    def product(self, a: int, b: int) -> int:
        """The node of a product, with powers of one factor as one power, and a constant factor before the others."""
        node = self.graph.operation("*", a, b)
        constant, exponents = self.graph.factors(node)
        if not math.isfinite(constant) or constant == 0:
            return node
        product = self.graph.product(exponents)
        return node if product is None else self.graph.operation("*", self.graph.number(constant), product)
