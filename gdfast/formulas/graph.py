"""Mathematics as a list of operations, each once.

A node is the place in the list of one operation, which comes after those of its operands. The same operation of the
same operands is the same node, so that what is common to a loss and its derivatives is there, and computed, once.
`gdfast.formulas.chain_rule` differentiates it, `gdfast.formulas.writer` writes it down as a formula.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gdfast.formulas.elementary import power

_BY_LIBRARY = [
    "acos",
    "asin",
    "atan",
    "cos",
    "cosh",
    "erf",
    "exp",
    "log",
    "log10",
    "log1p",
    "log2",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
]
"""Functions that Python's own `math` has under the same name."""

FUNCTIONS = {name: name for name in (*_BY_LIBRARY, "sigmoid", "sign", "softplus")} | {
    "abs": "absolute",
    "raised": "power",
    "max": "maximum",
    "min": "minimum",
}
"""The functions of a graph, and the function of `gdfast.formulas.elementary` that each is."""

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
SIGNS = {"+": "+", "-": "-", "*": "*", "/": "/", "power": "**"}
CHOICES = ("choice", "max", "min")
"""Operations that return one of their last two operands."""

_VALUES: dict[str, Callable[..., float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "power": lambda a, exponent: a**exponent,
    "negative": lambda a: -a,
    "abs": abs,
    "sign": lambda a: float((a > 0) - (a < 0)),
    "raised": lambda a, exponent: float(power(a, exponent)),
    "sigmoid": lambda a: math.exp(min(a, 0.0)) / (1.0 + math.exp(-abs(a))),
    "softplus": lambda a: max(a, 0.0) + math.log1p(math.exp(-abs(a))),
    "choice": lambda holds, yes, no: yes if holds else no,
    "<": lambda a, b: float(a < b),
    "<=": lambda a, b: float(a <= b),
    ">": lambda a, b: float(a > b),
    ">=": lambda a, b: float(a >= b),
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    "&": min,
    "|": max,
    "max": max,
    "min": min,
    **{name: getattr(math, name) for name in _BY_LIBRARY},
}
_MAY_BE_ZERO = {"+", "-", "abs", "sign", "negative", "&", "|", *_BY_LIBRARY} - {"cos", "cosh", "exp"}
_MAY_BE_ZERO |= {*CHOICES, *COMPARISONS}


class NoNumberError(ValueError):
    """An operation of numbers has no finite result, or one that is lost below the smallest number."""


class TooLargeError(ValueError):
    """A graph has more operations than it may have."""


class Graph:
    """Operations on numbers and coordinates.

    Parameters
    ----------
    largest : int
        How many nodes it may have.
    """

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self.nodes: list[tuple[Any, ...]] = []
        self._places: dict[tuple[Any, ...], int] = {}

    def copy(self) -> "Graph":
        """Return a graph of the same nodes, to which others can be added."""
        other = Graph(self.largest)
        other.nodes, other._places = [*self.nodes], {**self._places}
        return other

    def number(self, value: float) -> int:
        """Return the node of a number, which must be finite."""
        if not math.isfinite(value):
            raise NoNumberError("a number of its derivatives")
        return self.place(("number", float(value)))

    def coordinate(self, name: str) -> int:
        """Return the node of a coordinate."""
        return self.place(("name", name))

    def place(self, node: tuple[Any, ...]) -> int:
        """Return the node of an operation as it stands."""
        if node not in self._places:
            if len(self.nodes) >= self.largest:
                raise TooLargeError
            self._places[node] = len(self.nodes)
            self.nodes.append(node)
        return self._places[node]

    def value(self, node: int | None) -> float | None:
        """The number that a node is, None if it is not one."""
        return self.nodes[node][1] if node is not None and self.nodes[node][0] == "number" else None

    def operation(self, name: str, *operands: int) -> int:
        """Return the node of an operation: of numbers their result, of others only what is the same to the bit.

        Raises
        ------
        NoNumberError
            If the result is a number that is not finite, or 0 although it should not be.
        TooLargeError
            If the graph is full.
        """
        values = [self.value(operand) for operand in operands]
        if None not in values:
            return self.number(self._computed(name, [value for value in values if value is not None]))
        match name, operands, values:
            case ("+", (a, _), (_, 0.0)) | ("+", (_, a), (0.0, _)) | ("-", (a, _), (_, 0.0)):
                return a
            case ("*", (a, _), (_, 1.0)) | ("*", (_, a), (1.0, _)) | ("/", (a, _), (_, 1.0)):
                return a
            case ("power", (a, _), (_, 1.0)):
                return a
            case ("/", _, (_, 0.0)):
                raise NoNumberError("a quotient by 0")
            case ("*", _, (0.0, _) | (_, 0.0)):
                return self.number(0.0)
            case ("power", _, (_, 0.0)):
                return self.number(1.0)
            case ("*", (a, b), _) if a == b:
                return self.power(a, 2.0)
            case ("*", (a, b), (None, float())):
                return self.operation("*", b, a)
            case ("power", (a, _), (_, 0.5)) | ("sqrt", (a,), _) if self.exponent(a) == 2.0:
                return self.operation("abs", self.nodes[a][1])
            case ("sqrt", (a,), _):
                return self.power(a, 0.5)
            case ("-", (_, a), (0.0, _)):
                return self.operation("negative", a)
            case ("negative", (a,), _) if self.nodes[a][0] == "negative":
                return int(self.nodes[a][1])
            case ("choice", (_, yes, no), (None, _, _)) if yes == no:
                return yes
            case ("choice", (_, yes, no), (float() as holds, _, _)):
                return yes if holds else no
            case ("&" | "|", (a, b), _) if a == b:
                return a
            case ("&", (a, b), (float() as holds, _)) | ("&", (b, a), (_, float() as holds)):
                return b if holds else a
            case ("|", (a, b), (float() as holds, _)) | ("|", (b, a), (_, float() as holds)):
                return a if holds else b
        return self.place((name, *operands))

    def power(self, base: int, exponent: float) -> int:
        """Return the node of a power with a constant exponent."""
        return self.operation("power", base, self.number(exponent))

    def exponent(self, node: int) -> float | None:
        """The exponent of a power, 1 for all other nodes."""
        name, *operands = self.nodes[node]
        return self.value(operands[1]) if name == "power" else 1.0

    def _computed(self, name: str, values: Sequence[float]) -> float:
        try:
            result = _VALUES[name](*values)
        except (ValueError, ArithmeticError):
            result = math.nan
        lost = result == 0 and name not in _MAY_BE_ZERO and values[0] != 0 and values[-1] != 0
        if isinstance(result, complex) or not math.isfinite(result) or lost:
            texts = [f"{value:.6g}" for value in values]
            raise NoNumberError(f"{texts[0]} {SIGNS[name]} {texts[1]}" if name in SIGNS else f"{name}({texts[0]})")
        return float(result)

    def factors(self, node: int) -> tuple[float, dict[int, float]]:
        """The constant factor of a node, and the exponents, whole and positive, of the others."""
        name, *operands = self.nodes[node]
        if name == "number":
            return operands[0], {}
        if name == "negative":
            constant, exponents = self.factors(operands[0])
            return -constant, exponents
        if name == "*":
            constant, exponents = self.factors(operands[0])
            of_other, more = self.factors(operands[1])
            for base, exponent in more.items():
                exponents[base] = exponents.get(base, 0.0) + exponent
            return constant * of_other, exponents
        power = self.exponent(node)
        if name == "power" and power is not None and power > 0 and power.is_integer():
            return 1.0, {int(operands[0]): power}
        return 1.0, {node: 1.0}

    def product(self, exponents: Mapping[int, float]) -> int | None:
        """The node of a product of powers, None if there are none."""
        powers = [self.power(base, exponent) for base, exponent in exponents.items()]
        return functools.reduce(lambda a, b: self.operation("*", a, b), powers) if powers else None

    def reached(self, root: int, through_choices: bool = True) -> set[int]:
        """The nodes that a node is made of, itself included."""
        reached, waiting = {root}, [root]
        while waiting:
            name, *operands = self.nodes[waiting.pop()]
            if name in ("number", "name") or (name in CHOICES and not through_choices):
                continue
            waiting += set(operands) - reached
            reached.update(operands)
        return reached
