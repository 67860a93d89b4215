"""Mathematics as a list of operations: each once, differentiated by the chain rule, written down as a formula.

A node is the place in the list of one operation, which comes after those of its operands. The same operation of the
same operands is the same node, so that what is common to a loss and its derivatives is there, and computed, once.
Nothing is multiplied out or collected over what the user wrote: ``(x - 3)**6`` stays the sixth power of a difference,
in the loss and, as ``6*(x - 3)**5``, in the gradient. So a derivative has few operations more than the loss, and both
are as accurate as their factors.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from gdfast.formulas.families import define

FUNCTIONS = {
    name: name for name in ("cos", "erf", "exp", "log", "log1p", "sigmoid", "sign", "sin", "softplus", "sqrt", "tanh")
} | {"abs": "absolute", "max": "maximum", "min": "minimum"}
"""The functions of a graph, and the function of `gdfast.formulas.elementary` that each is."""

_DEEPEST_TEXT = 12  # operations within one line of a formula, one in the other
_VALUES: dict[str, Callable[..., float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "power": lambda a, exponent: a**exponent,
    "negative": lambda a: -a,
    "abs": abs,
    "sign": lambda a: float((a > 0) - (a < 0)),
    "sigmoid": lambda a: math.exp(min(a, 0.0)) / (1.0 + math.exp(-abs(a))),
    "softplus": lambda a: max(a, 0.0) + math.log1p(math.exp(-abs(a))),
    "choice": lambda a, b, yes, no: yes if a >= b else no,
    "max": max,
    "min": min,
    **{name: getattr(math, name) for name in ("cos", "erf", "exp", "log", "log1p", "sin", "sqrt", "tanh")},
}
_MAY_BE_ZERO = {"+", "-", "choice", "max", "min", "log", "log1p", "abs", "sign", "sin", "tanh", "erf", "negative"}


class NoNumberError(ValueError):
    """An operation of numbers has no finite result, or one that is lost below the smallest number."""


class TooLargeError(ValueError):
    """A graph has more operations than it may have."""


class Term(NamedTuple):
    """A number times a node, or the number alone."""

    number: float
    node: int | None = None


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
        self._gradients: dict[int, dict[str, int]] = {}
        self._lowered: dict[int, int] = {}

    def number(self, value: float) -> int:
        """Return the node of a number, which must be finite."""
        if not math.isfinite(value):
            raise NoNumberError("a number of its derivatives")
        return self._place(("number", float(value)))

    def coordinate(self, name: str) -> int:
        """Return the node of a coordinate."""
        return self._place(("name", name))

    def _place(self, node: tuple[Any, ...]) -> int:
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
            case ("power", (a, _), (_, 0.5)) | ("sqrt", (a,), _) if self._exponent(a) == 2.0:
                return self.operation("abs", self.nodes[a][1])
            case ("sqrt", (a,), _):
                return self.power(a, 0.5)
            case ("-", (_, a), (0.0, _)):
                return self.operation("negative", a)
            case ("negative", (a,), _) if self.nodes[a][0] == "negative":
                return int(self.nodes[a][1])
            case ("choice", (_, _, yes, no), _) if yes == no:
                return yes
        return self._place((name, *operands))

    def power(self, base: int, exponent: float) -> int:
        """Return the node of a power with a constant exponent."""
        return self.operation("power", base, self.number(exponent))

    def _exponent(self, node: int) -> float | None:
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
            raise NoNumberError(f"{texts[0]} {_SIGNS[name]} {texts[1]}" if name in _SIGNS else f"{name}({texts[0]})")
        return float(result)

    # Derivatives.

    def gradient(self, root: int) -> dict[str, int]:
        """Return the derivatives of a node by the coordinates, of those on which it depends.

        The chain rule is followed from the result back to the coordinates: each operation is met once. A choice, and
        the larger and the smaller of two, are the choice of their operands' derivatives, so that one side does no harm
        where it is not chosen.
        """
        # From inside out, so that a choice meets the gradients of its sides, however deep choices are nested.
        for node in sorted(self._reached(root)):
            name, *operands = self.nodes[node]
            for side in operands[-2:] if name in _CHOICES else ():
                if side not in self._gradients:
                    self._gradients[side] = self._chain_rule(side)
        if root not in self._gradients:
            self._gradients[root] = self._chain_rule(root)
        return self._gradients[root]

    def _chain_rule(self, root: int) -> dict[str, int]:
        terms: dict[int, list[Term]] = {root: [Term(1.0)]}
        totals: dict[str, list[Term]] = {}
        # Operands come before their operations: descending, a node has all its terms when it is met.
        for node in sorted(self._reached(root, through_choices=False), reverse=True):
            name, *operands = self.nodes[node]
            if node not in terms or name == "number":
                continue
            outer = self._summed(terms.pop(node))
            if outer.number == 0:
                continue
            if name == "name":
                totals.setdefault(operands[0], []).append(outer)
            elif name in _CHOICES:
                for coordinate, slope in self._gradient_of_choice(name, operands).items():
                    totals.setdefault(coordinate, []).append(self._times(outer, slope))
            else:
                for operand, term in self._inner(outer, node, name, *operands):
                    terms.setdefault(operand, []).append(term)
        result = {coordinate: self._node(self._summed(parts)) for coordinate, parts in totals.items()}
        return {name: node for name, node in result.items() if self.value(node) != 0}

    def _gradient_of_choice(self, name: str, operands: Sequence[int]) -> dict[str, int]:
        a, b = operands[:2] if name != "min" else operands[1::-1]
        yes, no = (self._gradients[operand] for operand in operands[-2:])
        zero = self.number(0.0)
        return {
            coordinate: self.operation("choice", a, b, yes.get(coordinate, zero), no.get(coordinate, zero))
            for coordinate in sorted(yes.keys() | no.keys())
        }

    def _inner(self, outer: Term, node: int, name: str, a: int, b: int = -1) -> Iterable[tuple[int, Term]]:
        """The operands of an operation, each with the derivative by it times that of what comes after."""
        match name:
            case "+":
                return (a, outer), (b, outer)
            case "-":
                return (a, outer), (b, self._scaled(outer, -1.0))
            case "negative":
                return ((a, self._scaled(outer, -1.0)),)
            case "*":
                return (a, self._times(outer, b)), (b, self._times(outer, a))
            case "/":
                by_a = self._divided(outer, b)
                return (a, by_a), (b, self._scaled(self._times(by_a, node), -1.0))
            case "power":
                exponent = self.value(b)
                assert exponent is not None
                return ((a, self._scaled(self._times(outer, self.power(a, exponent - 1)), exponent)),)
            case "log":
                return ((a, self._divided(outer, a)),)
            case "log1p":
                return ((a, self._divided(outer, self.operation("+", self.number(1.0), a))),)
            case "sign":
                return ()
            case "erf":
                bell = self.operation("exp", self.operation("negative", self.power(a, 2.0)))
                return ((a, self._scaled(self._times(outer, bell), 2 / math.sqrt(math.pi))),)
            case "cos":
                return ((a, self._scaled(self._times(outer, self.operation("sin", a)), -1.0)),)
            case "sigmoid":
                return ((a, self._times(outer, self._hump(a, 1.0))),)
            case "tanh":
                return ((a, self._scaled(self._times(outer, self._hump(a, 2.0)), 4.0)),)
        slope = {
            "sin": lambda: self.operation("cos", a),
            "exp": lambda: node,
            "softplus": lambda: self.operation("sigmoid", a),
            "abs": lambda: self.operation("sign", a),
        }[name]
        return ((a, self._times(outer, slope())),)

    def _hump(self, a: int, factor: float) -> int:
        """The derivative of the sigmoid at `factor` times a node; s (1 − s) would lose all digits where s is near 1."""
        distance = self.operation("*", self.number(factor), self.operation("abs", a))
        decay = self.operation("exp", self.operation("negative", distance))
        return self.operation("/", decay, self.power(self.operation("+", self.number(1.0), decay), 2.0))

    def _scaled(self, term: Term, number: float) -> Term:
        product = term.number * number
        if math.isfinite(product) and (product != 0 or number == 0 or term.number == 0):
            return Term(product, term.node)
        return Term(number, self._node(term))

    def _times(self, term: Term, node: int) -> Term:
        value = self.value(node)
        if value is not None:
            return self._scaled(term, value)
        return Term(term.number, node if term.node is None else self.operation("*", term.node, node))

    def _divided(self, term: Term, node: int) -> Term:
        value = self.value(node)
        if value is not None and math.isfinite(1 / value):
            return self._scaled(term, 1 / value)
        one = self.number(1.0)
        return Term(term.number, self.operation("/", one if term.node is None else term.node, node))

    def _node(self, term: Term) -> int:
        """The node of a term."""
        number = self.number(term.number)
        if term.node is None or term.number == 0:
            return number
        if term.number == -1:
            return self.operation("negative", term.node)
        name, *operands = self.nodes[term.node]
        if name == "/" and self.value(operands[0]) == 1:
            return self.operation("/", number, operands[1])
        return self.operation("*", number, term.node)

    def _summed(self, terms: Sequence[Term]) -> Term:
        """One term for a sum of terms."""
        if len(terms) == 1:
            return terms[0]
        numbers: dict[int | None, float] = {}
        for term in terms:
            numbers[term.node] = numbers.get(term.node, 0.0) + term.number
        merged = [Term(number, node) for node, number in numbers.items() if number != 0]
        if len(merged) <= 1:
            return merged[0] if merged else Term(0.0)
        sizes = {abs(term.number) for term in merged}
        size = sizes.pop() if len(sizes) == 1 else 1.0
        groups: dict[int | None, dict[float, float]] = {}
        for term in merged:
            base, exponent = self._base(term.node)
            groups.setdefault(base, {})[exponent] = term.number / size
        parts = [self._polynomial(base, powers) for base, powers in groups.items()]
        parts.sort(key=lambda part: part.number < 0)  # a difference is one operation less than a sum with a negative
        total = self._node(parts[0])
        for part in parts[1:]:
            sign = "-" if part.number < 0 else "+"
            total = self.operation(sign, total, self._node(Term(abs(part.number), part.node)))
        return Term(size, total)

    def _base(self, node: int | None) -> tuple[int | None, float]:
        if node is None:
            return None, 0.0
        exponent = self._exponent(node)
        assert exponent is not None
        if self.nodes[node][0] == "power" and exponent > 0 and exponent.is_integer():
            return int(self.nodes[node][1]), exponent
        return node, 1.0

    def _polynomial(self, base: int | None, numbers: dict[float, float]) -> Term:
        """A sum of numbers times powers of one node, by Horner's rule."""
        if base is None:
            return Term(numbers[0.0])
        exponents = sorted(numbers, reverse=True)
        if len(exponents) == 1:
            return Term(numbers[exponents[0]], self.power(base, exponents[0]))
        total = self._node(Term(numbers[exponents[0]], self.power(base, exponents[0] - exponents[1])))
        for exponent, following in itertools.pairwise([*exponents[1:], 0.0]):
            number = numbers[exponent]
            total = self.operation("-" if number < 0 else "+", total, self.number(abs(number)))
            total = self.operation("*", total, self.power(base, exponent - following))
        return Term(1.0, total)

    def _reached(self, root: int, through_choices: bool = True) -> set[int]:
        """The nodes that a node is made of, itself included."""
        reached, waiting = {root}, [root]
        while waiting:
            name, *operands = self.nodes[waiting.pop()]
            if name in ("number", "name") or (name in _CHOICES and not through_choices):
                continue
            waiting += set(operands) - reached
            reached.update(operands)
        return reached

    # Formulas.

    def formula(self, name: str, coordinates: Sequence[str], results: Any) -> Callable[..., Any]:
        """Write nodes, one or nested sequences of them, as a formula, with what is common to them computed once."""
        roots = list(_flat(results))
        lowered = dict(zip(roots, self.lowered(roots), strict=True))
        uses: dict[int, int] = {}
        needed = sorted(set().union(*(self._reached(node) for node in lowered.values())))
        for operand in itertools.chain(*(self._operands(node) for node in needed), lowered.values()):
            uses[operand] = uses.get(operand, 0) + 1
        fresh = (text for text in (f"t{i}" for i in itertools.count()) if text not in coordinates)
        lines: list[str] = []
        texts: dict[int, tuple[str, int]] = {}
        for node in needed:
            text, depth = self._text(node, texts)
            if depth and (uses[node] > 1 or depth > _DEEPEST_TEXT):
                assigned = next(fresh)
                lines.append(f"{assigned} = {text.removeprefix('(').removesuffix(')') if text[0] == '(' else text}")
                text, depth = assigned, 0
            texts[node] = text, depth

        def written(part: Any) -> Any:
            return texts[lowered[part]][0] if isinstance(part, int) else [written(inner) for inner in part]

        return define(name, coordinates, lines, written(results))

    def operations(self, results: Any) -> int:
        """How many operations the formula of nodes has."""
        nodes = set().union(*(self._reached(node) for node in self.lowered(list(_flat(results)))))
        return sum(self.nodes[node][0] not in ("number", "name") for node in nodes)

    def lowered(self, roots: Sequence[int]) -> list[int]:
        """The same nodes with powers as products, quotients, roots and exponentials, which is what formulas have."""
        done = self._lowered
        for node in sorted(set().union(*map(self._reached, roots)) - done.keys()):
            name, *operands = self.nodes[node]
            if name in ("number", "name"):
                done[node] = node
            elif name == "power":
                exponent = self.value(operands[1])
                assert exponent is not None
                done[node] = self._lowered_power(done[operands[0]], exponent)
            else:
                done[node] = self._lowered_operation(name, [done[operand] for operand in operands])
        return [done[root] for root in roots]

    def _lowered_operation(self, name: str, operands: Sequence[int]) -> int:
        if name == "*":
            for a, b in (operands, operands[::-1]):  # by a reciprocal one divides
                inner, *of = self.nodes[b]
                if inner == "/" and self.value(of[0]) == 1:
                    return self._place(("/", a, of[1]))
        return self._place((name, *operands))

    def _lowered_power(self, base: int, exponent: float) -> int:
        if not (2 * exponent).is_integer():
            logarithm = self._place(("log", base))
            return self._place(("exp", self._place(("*", self.number(exponent), logarithm))))
        if exponent < 0:
            return self._place(("/", self.number(1.0), self._lowered_power(base, -exponent)))
        if not exponent.is_integer():
            root = self._place(("sqrt", base))
            return root if exponent < 1 else self._place(("*", self._lowered_power(base, exponent - 0.5), root))
        if exponent == 1:
            return base
        if exponent % 2:
            return self._place(("*", self._lowered_power(base, exponent - 1), base))
        half = self._lowered_power(base, exponent / 2)
        return self._place(("*", half, half))

    def _operands(self, node: int) -> Sequence[int]:
        name, *operands = self.nodes[node]
        return () if name in ("number", "name") else operands

    def _text(self, node: int, texts: dict[int, tuple[str, int]]) -> tuple[str, int]:
        """The text of a node, of those of its operands, and how deep it is nested."""
        name, *operands = self.nodes[node]
        if name == "name":
            return operands[0], 0
        if name == "number":
            value = operands[0]
            text = repr(int(value) if value.is_integer() and abs(value) < 2**53 else value)
            return (text if value >= 0 else f"({text})"), 0
        parts = [texts[operand][0] for operand in operands]
        depth = 1 + max(texts[operand][1] for operand in operands)
        if name == "negative":
            return f"(-{parts[0]})", depth
        if name == "choice":
            return f"select({parts[0]} >= {parts[1]}, {parts[2]}, {parts[3]})", depth
        if name in _SIGNS:
            return f"({parts[0]} {name} {parts[1]})", depth
        return f"{FUNCTIONS[name]}({', '.join(parts)})", depth


_SIGNS = {"+": "+", "-": "-", "*": "*", "/": "/", "power": "**"}
_CHOICES = ("choice", "max", "min")


def _flat(results: Any) -> Iterable[int]:
    if isinstance(results, int):
        yield results
    else:
        for part in results:
            yield from _flat(part)
