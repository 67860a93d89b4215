"""A line of mathematics, such as ``(1 - x)^2 + 100*(y - x**2)^2``, read into operations.

The text is never run. It is parsed, its syntax tree is walked, and only what is known to be mathematics is built up
again, as operations (`gdfast.formulas.graph`) that are differentiated and written as formulas. Sizes are bounded,
so that a text cannot take the machine's memory or hours of its time either.

Whatever one language calls a thing is understood where it can mean nothing else: ``^`` and ``**``, ``ln``, ``np.sin``,
``math.pi``, ``x[0]``, ``a if x < 1 else b``, ``·`` and ``²``. A product without a sign is not guessed at (``1/2x`` is
two things to two readers): the sentence that refuses it says how to write it.
"""

import ast
import functools
import keyword
import math
import re
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from gdfast.arguments import shown
from gdfast.formulas import elementary
from gdfast.formulas.derivatives import LARGEST_GRAPH
from gdfast.formulas.graph import COMPARISONS, FUNCTIONS, Graph, NoNumberError
from gdfast.formulas.products import with_signs

_LONGEST, _MOST, _DEEPEST = 4000, 500, 60  # characters; numbers, names and operations; how deep they may be nested
_LONGEST_NAME = 40  # characters
_LARGEST_EXPONENT = 64

_NO_NUMBERS = ("nan", "inf", "infinity")
"""What programs write for a number that went wrong, which is no name that anybody chose."""
CONSTANTS = {"pi": math.pi, "e": math.e, "π": math.pi}
_MODULES = ("np", "numpy", "math", "jnp", "torch")
_SAME = {
    "absolute": "abs",
    "arccos": "acos",
    "arcsin": "asin",
    "arctan": "atan",
    "expit": "sigmoid",
    "fabs": "abs",
    "ln": "log",
    "logistic": "sigmoid",
    "maximum": "max",
    "minimum": "min",
}
"""Other names of functions."""
_COMPOSED = {"clip": 3, "exp2": 1, "pow": 2, "power": 2, "relu": 1, "select": 3, "square": 1, "where": 3}
"""Functions that are made of others, with how many values they take."""
_CHOSEN = ("piecewise", "Piecewise")
_WRITTEN = {*FUNCTIONS} - {"raised"}  # which is written power
_NAMES = {*_WRITTEN, *_SAME, *_COMPOSED, *_CHOSEN}
_LISTED = ", ".join(sorted({*_WRITTEN, "ln", "relu", "where", "piecewise"}))

_SIGNS = str.maketrans(
    {"^": "**", "−": "-", "–": "-", "·": "*", "⋅": "*", "×": "*", "∗": "*", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!="}
    | {sign: f"**{power}" for power, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
)
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_COMPARED = dict(zip((ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq), COMPARISONS, strict=True))
_JOINED = {ast.And: "&", ast.Or: "|", ast.BitAnd: "&", ast.BitOr: "|"}


class Mathematics(NamedTuple):
    """What a text says.

    Attributes
    ----------
    graph : Graph
        Its operations.
    value : int
        The node of its value.
    names : tuple of str
        Its names, in alphabetical order, numbers at their ends by size: ``x2`` before ``x10``. ``x[0]`` is ``x0``.
    """

    graph: Graph
    value: int
    names: tuple[str, ...]


class Refusal(ValueError):
    """The sentence for what is not accepted in an expression."""


def read(text: str, argument: str = "expression") -> Mathematics:
    """Read a text; messages call it `argument`.

    Raises
    ------
    TypeError, ValueError
        If it is no mathematics, or too large.

    Examples
    --------
    >>> read("ln(x[0]) + np.sin(x[1])^2").names
    ('x0', 'x1')
    """
    if not isinstance(text, str):
        raise TypeError(f"{argument} must be a text such as '(1 - x)**2 + y**2', not {shown(text)}")
    if len(text) > _LONGEST:
        raise ValueError(f"{argument} must have at most {_LONGEST} characters, not {len(text)}")
    try:
        reader = _Reader(text.translate(_SIGNS).strip())
        value, names = reader.loss(), reader.coordinates()
    except NoNumberError as error:
        raise ValueError(f"{argument}: {error} is not a real number that a float64 holds") from None
    except Refusal as refusal:
        raise Refusal(f"{argument}{refusal}") from None
    return Mathematics(reader.graph, value, names)


def flat_name(name: str) -> str:
    """The name of a coordinate as formulas have it: ``x[0]`` is ``x0``, but ``layer1.bias[0]`` is no name of theirs."""
    return re.sub(r"^(\w+)\[\s*(\d+)\s*\]$", r"\1\2", name)


def quoted(text: str) -> str:
    """A text in quotes, with what cannot be printed escaped, cut if it is long."""
    in_quotes = repr(text)
    return in_quotes if len(in_quotes) <= 62 else in_quotes[:57] + "..." + in_quotes[-1]


def by_number(name: str) -> tuple[str, int]:
    """Return by what names are ordered: x2 before x10."""
    text, digits = re.fullmatch(r"(.*?)(\d*)", name).groups()  # type: ignore[union-attr]  # which fits any text
    return text, int(digits or -1)


def _tree(text: str) -> ast.expr:
    """Return the syntax tree of a text, whatever it means."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's, about what looks like a mistake in code
            tree = ast.parse(text, mode="eval").body
            parts = sum(isinstance(node, ast.Name | ast.Constant | ast.operator) for node in ast.walk(tree))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise Refusal(f" {quoted(text)} cannot be read; {_advice(text)}") from None
    if parts > _MOST:
        raise Refusal(f" must have at most {_MOST} numbers, names and operations, not {parts}")
    return tree


def _advice(text: str) -> str:
    """What to write instead of a text that cannot be parsed."""
    told = with_signs(text, _NAMES)
    if told is not None:
        return f"a product has a sign: {quoted(told)}"
    if re.search(r"(?<![<>=!])=(?!=)", text):
        return "it is the right-hand side alone, without an = sign"
    if text.count("|") % 2 == 0 and "|" in text:
        return "an absolute value is written abs(x)"
    if text.count("(") != text.count(")"):
        return f"it has {text.count('(')} ( and {text.count(')')} )"
    return "it must be one such as 'x**2 + exp(-y)'"


class _Reader:
    """From a text to operations.

    Parameters
    ----------
    text : str
        The text, in Python's signs.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.graph = Graph(LARGEST_GRAPH)
        self.names: set[str] = set()
        self.places: dict[str, set[int]] = {}  # of names with an index

    def loss(self) -> int:
        tree = _tree(self.text)
        if _is_condition(tree):
            raise Refusal(f": {quoted(self.text)} is true or false, and no number")
        return self.number(tree)

    def coordinates(self) -> tuple[str, ...]:
        flat = {f"{name}{place}" for name, places in self.places.items() for place in places}
        for name, places in self.places.items():
            missing = next(place for place in range(len(places) + 1) if place not in places)
            if missing <= max(places):
                raise Refusal(f": {name}[{missing}] is missing beside {name}[{max(places)}]; places are counted from 0")
            if name in self.names:
                raise Refusal(f": {name} is one number and {name}[0] another; give them different names")
        for name in sorted(flat & self.names):
            base, place = by_number(name)
            raise Refusal(f": {name} and {base}[{place}] would have the same name; write one of them for both")
        return tuple(sorted(flat | self.names, key=by_number))

    def number(self, node: ast.expr, depth: int = 0) -> int:
        if depth > _DEEPEST:
            raise Refusal(f" must be nested at most {_DEEPEST} deep")
        graph = self.graph
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self.constant(node, value)
            case ast.Name(id=name):
                return self.name(name)
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in _MODULES and name in CONSTANTS:
                return graph.number(CONSTANTS[name])
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int() as place)):
                return self.place(name, place)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return graph.operation("negative", self.number(operand, depth + 1))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.number(operand, depth + 1)
            case ast.BinOp(op=ast.BitAnd() | ast.BitOr()) if not _is_condition(node):
                raise Refusal(f": in {self.shown(node)} each comparison must stand in parentheses, (x < 1) & (y < 2)")
            case _ if _is_condition(node) and not isinstance(node, ast.Constant):
                return graph.operation("choice", self.condition(node, depth), graph.number(1.0), graph.number(0.0))
            case ast.BinOp():
                return self.chain(node, depth)
            case ast.IfExp(test=condition, body=yes, orelse=no):
                return self.choice([(condition, yes)], no, depth)
            case ast.Call(func=function, args=values, keywords=[]):
                return self.called(node, self.function(function), values, depth)
        raise Refusal(
            f": {self.shown(node)} is not accepted; numbers, names, + - * / **, parentheses and {_LISTED} are"
        )

    def condition(self, node: ast.expr, depth: int) -> int:
        """The node of something that is true or false."""
        if depth > _DEEPEST:
            raise Refusal(f" must be nested at most {_DEEPEST} deep")
        graph = self.graph
        match node:
            case ast.Constant(value=bool() as value):
                return graph.number(float(value))
            case ast.Compare(left=left, ops=operators, comparators=right) if all(
                type(o) in _COMPARED for o in operators
            ):
                sides = [self.number(side, depth + 1) for side in (left, *right)]
                pairs = [
                    graph.operation(_COMPARED[type(operator)], a, b)
                    for operator, a, b in zip(operators, sides, sides[1:], strict=False)
                ]
                return functools.reduce(lambda a, b: graph.operation("&", a, b), pairs)
            case ast.BoolOp(op=operator, values=values):
                parts = [self.condition(value, depth + 1) for value in values]
                return functools.reduce(lambda a, b: graph.operation(_JOINED[type(operator)], a, b), parts)
            case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() as operator, right=right):
                sides = [self.condition(side, depth + 1) for side in (left, right)]
                return graph.operation(_JOINED[type(operator)], *sides)
            case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
                zero, one = graph.number(0.0), graph.number(1.0)
                holds = graph.operation("choice", self.condition(operand, depth + 1), one, zero)
                return graph.operation("==", holds, zero)
        raise Refusal(f": {self.shown(node)} must be a condition such as x < 1")

    def choice(self, cases: Sequence[tuple[ast.expr, ast.expr]], otherwise: ast.expr, depth: int) -> int:
        """The value of the first case whose condition holds."""
        conditions = [self.condition(condition, depth + 1) for condition, _ in cases]
        values = [self.number(value, depth + 1) for _, value in cases]
        chosen = self.number(otherwise, depth + 1)
        for condition, value in zip(reversed(conditions), reversed(values), strict=True):
            chosen = self.graph.operation("choice", condition, value, chosen)
        return chosen

    def shown(self, node: ast.expr) -> str:
        """The part of the text that a node was parsed from, in quotes."""
        return quoted(self.part(node))

    def part(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.text, node) or ""

    def constant(self, node: ast.expr, value: float) -> int:
        text = self.part(node)
        digits = re.split("[eE]", text)[0] if isinstance(value, float) else ""
        lost = value == 0 and re.search("[1-9]", digits)
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
        if lost or not math.isfinite(value):
            raise Refusal(f": the number {quoted(text)} is too {'small' if lost else 'large'} for a float64")
        return self.graph.number(value)

    def name(self, name: str) -> int:
        if name in CONSTANTS:
            return self.graph.number(CONSTANTS[name])
        self.accepted(name)
        self.names.add(name)
        return self.graph.coordinate(name)

    def place(self, name: str, place: int) -> int:
        self.accepted(name)
        if name in CONSTANTS or isinstance(place, bool) or place > _MOST:
            raise Refusal(f": {quoted(f'{name}[{place}]')} cannot be a coordinate; x[0], x[1] and so on can")
        self.places.setdefault(name, set()).add(place)
        return self.graph.coordinate(f"{name}{place}")

    def accepted(self, name: str) -> None:
        """Refuse what cannot be the name of a coordinate."""
        if len(name) > _LONGEST_NAME:
            raise Refusal(f": a name must have at most {_LONGEST_NAME} letters, unlike {quoted(name)}")
        if name in _NAMES:
            raise Refusal(f": {name!r} is a function, {name}(…), and cannot be the name of a coordinate")
        if name.lower() in _NO_NUMBERS:
            raise Refusal(f": {name!r} is no number of a loss, and cannot be the name of a coordinate")
        if name in elementary.__all__ or name.startswith("_") or keyword.issoftkeyword(name):
            raise Refusal(f": {name!r} cannot be the name of a coordinate")

    def function(self, node: ast.expr) -> str:
        """The name of the function that is called."""
        match node:
            case ast.Name(id=name):
                pass
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in _MODULES:
                pass
            case _:
                told = with_signs(self.text, _NAMES) or f"{self.part(node)}*(…)"
                raise Refusal(f": {self.shown(node)} is no function; a product has a sign, {quoted(told)}")
        name = _SAME.get(name, name)
        if name not in _NAMES:
            product = f" (a product has a sign, {name[:20]}*(…))" if isinstance(node, ast.Name) else ""
            raise Refusal(f": {quoted(name)} is not a function{product}; accepted: {_LISTED}")
        return name

    def called(self, node: ast.expr, name: str, values: list[ast.expr], depth: int) -> int:
        if name in _CHOSEN:
            return self.choice(*self.pieces(node, values), depth)
        several = name in ("max", "min")
        wanted = _COMPOSED.get(name, 1)
        if len(values) < 2 if several else len(values) != wanted:
            words = "two or more values" if several else "one value" if wanted == 1 else f"{wanted} values"
            raise Refusal(f": {name} takes {words}, not {len(values)}")
        if name in ("where", "select"):
            return self.choice([(values[0], values[1])], values[2], depth)
        graph = self.graph
        first, *others = (self.number(value, depth + 1) for value in values)
        match name:
            case "relu":
                return graph.operation("max", graph.number(0.0), first)  # with the slope 0 at 0
            case "square":
                return graph.power(first, 2.0)
            case "exp2":
                return self.power(graph.number(2.0), first)
            case "pow" | "power":
                return self.power(first, *others)
            case "clip":
                return graph.operation("min", graph.operation("max", first, others[0]), others[1])
        if several:
            return functools.reduce(lambda a, b: graph.operation(name, a, b), others, first)
        return graph.operation(name, first)

    def pieces(self, node: ast.expr, values: list[ast.expr]) -> tuple[list[tuple[ast.expr, ast.expr]], ast.expr]:
        """The cases of a function in pieces, and what holds elsewhere."""
        pairs = [value.elts for value in values if isinstance(value, ast.Tuple) and len(value.elts) == 2]
        flat = [value for value in values if not isinstance(value, ast.Tuple)]
        if not pairs:
            cases, rest = list(zip(flat[::2], flat[1::2], strict=False)), flat[len(flat) // 2 * 2 :]
        else:
            cases, rest = [(b, a) if _is_condition(b) else (a, b) for a, b in pairs], flat
        if len(pairs) + len(flat) == len(values) and (not pairs or values[-1:] == flat or not flat):
            if cases and rest:
                return cases, rest[0]
            if cases and isinstance(cases[-1][0], ast.Constant) and cases[-1][0].value is True:
                return cases[:-1], cases[-1][1]
        raise Refusal(
            f": {self.shown(node)} must end with what holds elsewhere: piecewise((x, x < 0), (x**2, x < 1), (1, True)) "
            "or piecewise(x < 0, x, x < 1, x**2, 1)"
        )

    def chain(self, node: ast.expr, depth: int) -> int:
        """A chain such as a + b*c + d, whose tree nests to the left without being deep."""
        operations = []
        while isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            operations.append((_OPERATORS[type(node.op)], node.right))
            node = node.left
        if isinstance(node, ast.BinOp) and type(node.op) not in _JOINED:
            raise Refusal(f": {self.shown(node)} is not accepted; the operators are + - * / **")
        total = self.number(node, depth + 1)
        for operator, right in reversed(operations):
            operand = self.number(right, depth + 1)
            total = self.power(total, operand) if operator == "**" else self.graph.operation(operator, total, operand)
        return total

    def power(self, base: int, exponent: int) -> int:
        graph = self.graph
        number = graph.value(exponent)
        if number is None:
            logarithm = graph.operation("log", base)
            return graph.operation("exp", graph.operation("*", exponent, logarithm))
        if graph.value(base) is None and not abs(number) <= _LARGEST_EXPONENT:
            raise Refusal(f": an exponent must lie within ±{_LARGEST_EXPONENT}, unlike {number:.6g}")
        return graph.power(base, number)


def _is_condition(node: Any) -> bool:
    """Whether an expression is true or false."""
    match node:
        case ast.Compare() | ast.BoolOp() | ast.Constant(value=bool()) | ast.UnaryOp(op=ast.Not() | ast.Invert()):
            return True
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr(), left=left, right=right):
            return _is_condition(left) and _is_condition(right)
    return False
