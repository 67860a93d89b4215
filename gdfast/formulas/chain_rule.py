"""The derivatives of a graph of operations, by the chain rule.

Nothing is multiplied out or collected over what was written: ``(x - 3)**6`` stays the sixth power of a difference, in
the loss and, as ``6*(x - 3)**5``, in the gradient. So a derivative has few operations more than the loss, and both are
as accurate as their factors.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gdfast.formulas.graph import CHOICES, Graph


class Term(NamedTuple):
    """A number times a node, or the number alone."""

    number: float
    node: int | None = None


class ChainRule:
    """Derivatives of the nodes of a graph, as further nodes of it.

    Parameters
    ----------
    graph : Graph
        To which they are added.
    factoring : bool
        Whether common factors are taken out of sums: x y + x z becomes x (y + z).
    of_sums : bool
        Whether derivatives are for sums, of which small parts need few digits: the slope of tanh is made of its value
        then, 1 − tanh², and that of the sigmoid too, which takes one exponential less.
    """

    def __init__(self, graph: Graph, factoring: bool = False, of_sums: bool = False) -> None:
        self.graph, self.factoring, self.of_sums = graph, factoring, of_sums
        self._gradients: dict[int, dict[str, int]] = {}

    def by(self, root: int, coordinates: Sequence[str]) -> list[int]:
        """Return the derivatives of a node by each of the coordinates.

        Raises
        ------
        NoNumberError
            If a number in them is none that a float64 holds.
        TooLargeError
            If the graph is full.
        """
        gradient = self.gradient(root)
        return [gradient[name] if name in gradient else self.graph.number(0.0) for name in coordinates]

    def gradient(self, root: int) -> dict[str, int]:
        """Return the derivatives of a node by the coordinates, of those on which it depends.

        The chain rule is followed from the result back to the coordinates: each operation is met once. A choice, and
        the larger and the smaller of two, are the choice of their operands' derivatives, so that one side does no harm
        where it is not chosen.
        """
        # From inside out, so that a choice meets the gradients of its sides, however deep choices are nested.
        for node in sorted(self.graph.reached(root)):
            name, *operands = self.graph.nodes[node]
            for side in operands[-2:] if name in CHOICES else ():
                if side not in self._gradients:
                    self._gradients[side] = self._chain_rule(side)
        if root not in self._gradients:
            self._gradients[root] = self._chain_rule(root)
        return self._gradients[root]

    def _chain_rule(self, root: int) -> dict[str, int]:
        terms: dict[int, list[Term]] = {root: [Term(1.0)]}
        totals: dict[str, list[Term]] = {}
        # Operands come before their operations: descending, a node has all its terms when it is met.
        for node in sorted(self.graph.reached(root, through_choices=False), reverse=True):
            name, *operands = self.graph.nodes[node]
            if node not in terms or name == "number":
                continue
            # Factors that terms of a coordinate's power share with others are seen in the sum for the coordinate.
            apart = self.factoring and name == "power" and self.graph.nodes[operands[0]][0] == "name"
            for outer in terms.pop(node) if apart else [self._summed(terms.pop(node))]:
                if outer.number == 0:
                    continue
                if name == "name":
                    totals.setdefault(operands[0], []).append(outer)
                elif name in CHOICES:
                    for coordinate, slope in self._gradient_of_choice(name, operands).items():
                        totals.setdefault(coordinate, []).append(self._times(outer, slope))
                else:
                    for operand, term in self._inner(outer, node, name, *operands):
                        terms.setdefault(operand, []).append(term)
        result = {coordinate: self._node(self._summed(parts)) for coordinate, parts in totals.items()}
        return {name: node for name, node in result.items() if self.graph.value(node) != 0}

    def _gradient_of_choice(self, name: str, operands: Sequence[int]) -> dict[str, int]:
        if name == "choice":
            condition = operands[0]
        else:  # of two that are equal, the first
            condition = self.graph.operation(">=" if name == "max" else "<=", *operands)
        yes, no = (self._gradients[operand] for operand in operands[-2:])
        zero = self.graph.number(0.0)
        return {
            coordinate: self.graph.operation("choice", condition, yes.get(coordinate, zero), no.get(coordinate, zero))
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
                exponent = self.graph.value(b)
                assert exponent is not None
                return ((a, self._scaled(self._times(outer, self.graph.power(a, exponent - 1)), exponent)),)
            case "raised":
                rest = self.graph.operation("raised", a, self.graph.operation("-", b, self.graph.number(1.0)))
                growth = self.graph.operation("*", node, self.graph.operation("log", a))
                by_a = self._times(self._times(outer, rest), b)
                return (a, by_a), *(() if self.graph.value(b) is not None else ((b, self._times(outer, growth)),))
            case "log":
                return ((a, self._divided(outer, a)),)
            case "log1p":
                return ((a, self._divided(outer, self.graph.operation("+", self.graph.number(1.0), a))),)
            case "log10" | "log2":
                return ((a, self._divided(self._scaled(outer, 1 / math.log(10 if name == "log10" else 2)), a)),)
            case "atan":
                one, square = self.graph.number(1.0), self.graph.power(a, 2.0)
                return ((a, self._divided(outer, self.graph.operation("+", one, square))),)
            case "asin" | "acos":
                one = self.graph.number(1.0)
                apart = [self.graph.operation(sign, one, a) for sign in "-+"]  # 1 − a² would lose digits near ±1
                root = self.graph.operation("sqrt", self.graph.operation("*", *apart))
                return ((a, self._divided(self._scaled(outer, 1.0 if name == "asin" else -1.0), root)),)
            case "tan":
                one, square = self.graph.number(1.0), self.graph.power(node, 2.0)
                return ((a, self._times(outer, self.graph.operation("+", one, square))),)
            case "sign":
                return ()
            case "erf":
                bell = self.graph.operation("exp", self.graph.operation("negative", self.graph.power(a, 2.0)))
                return ((a, self._scaled(self._times(outer, bell), 2 / math.sqrt(math.pi))),)
            case "cos":
                return ((a, self._scaled(self._times(outer, self.graph.operation("sin", a)), -1.0)),)
            case "tanh" if self.of_sums:
                one = self.graph.number(1.0)
                return ((a, self._times(outer, self.graph.operation("-", one, self.graph.power(node, 2.0)))),)
            case "sigmoid" if self.of_sums:
                rest = self.graph.operation("-", self.graph.number(1.0), node)
                return ((a, self._times(outer, self.graph.operation("*", node, rest))),)
            case "sigmoid":
                return ((a, self._times(outer, self._hump(a, 1.0))),)
            case "tanh":
                return ((a, self._scaled(self._times(outer, self._hump(a, 2.0)), 4.0)),)
        slope = {
            "sin": lambda: self.graph.operation("cos", a),
            "exp": lambda: node,
            "sinh": lambda: self.graph.operation("cosh", a),
            "cosh": lambda: self.graph.operation("sinh", a),
            "softplus": lambda: self.graph.operation("sigmoid", a),
            "abs": lambda: self.graph.operation("sign", a),
        }[name]
        return ((a, self._times(outer, slope())),)

    def _hump(self, a: int, factor: float) -> int:
        """The derivative of the sigmoid at `factor` times a node; s (1 − s) would lose all digits where s is near 1."""
        distance = self.graph.operation("*", self.graph.number(factor), self.graph.operation("abs", a))
        decay = self.graph.operation("exp", self.graph.operation("negative", distance))
        return self.graph.operation(
            "/", decay, self.graph.power(self.graph.operation("+", self.graph.number(1.0), decay), 2.0)
        )

    def _scaled(self, term: Term, number: float) -> Term:
        product = term.number * number
        if math.isfinite(product) and (product != 0 or number == 0 or term.number == 0):
            return Term(product, term.node)
        return Term(number, self._node(term))

    def _times(self, term: Term, node: int) -> Term:
        value = self.graph.value(node)
        if value is not None:
            return self._scaled(term, value)
        return Term(term.number, node if term.node is None else self.graph.operation("*", term.node, node))

    def _divided(self, term: Term, node: int) -> Term:
        value = self.graph.value(node)
        if value is not None and math.isfinite(1 / value):
            return self._scaled(term, 1 / value)
        one = self.graph.number(1.0)
        return Term(term.number, self.graph.operation("/", one if term.node is None else term.node, node))

    def _node(self, term: Term) -> int:
        """The node of a term."""
        number = self.graph.number(term.number)
        if term.node is None or term.number == 0:
            return number
        if term.number == -1:
            return self.graph.operation("negative", term.node)
        name, *operands = self.graph.nodes[term.node]
        if name == "/" and self.graph.value(operands[0]) == 1:
            return self.graph.operation("/", number, operands[1])
        return self.graph.operation("*", number, term.node)

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
        if self.factoring:
            factored = self._factored(merged)
            if factored is not None:
                return factored
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
            total = self.graph.operation(sign, total, self._node(Term(abs(part.number), part.node)))
        return Term(size, total)

    def _factored(self, terms: Sequence[Term]) -> Term | None:
        """The sum with that factor taken out, of the powers in its terms, which most of them have; None if few have."""
        products: list[tuple[float, dict[int, float]]] = []
        for number, node in terms:
            constant, exponents = (1.0, {}) if node is None else self.graph.factors(node)
            products.append((number * constant, exponents))
        saved: dict[int, int] = {}  # products that are not needed inside
        for number, exponents in products:
            for base in exponents:
                saved[base] = saved.get(base, 0) + (len(exponents) > 1 or abs(number) != 1)
        common = max(saved, key=lambda base: (saved[base], -base), default=None)
        if common is None or saved[common] < 2 or not all(math.isfinite(number) for number, _ in products):
            return None
        power = min(exponents[common] for _, exponents in products if common in exponents)
        inside, outside = [], []
        for number, exponents in products:
            if common in exponents:
                rest = {base: e - power * (base == common) for base, e in sorted(exponents.items())}
                inside.append(Term(number, self.graph.product({base: e for base, e in rest.items() if e})))
            else:
                outside.append(Term(number, self.graph.product(dict(sorted(exponents.items())))))
        product = self._times(self._summed(inside), self.graph.power(common, power))
        return self._summed([product, *outside])

    def _base(self, node: int | None) -> tuple[int | None, float]:
        if node is None:
            return None, 0.0
        exponent = self.graph.exponent(node)
        assert exponent is not None
        if self.graph.nodes[node][0] == "power" and exponent > 0 and exponent.is_integer():
            return int(self.graph.nodes[node][1]), exponent
        return node, 1.0

    def _polynomial(self, base: int | None, numbers: dict[float, float]) -> Term:
        """A sum of numbers times powers of one node, by Horner's rule."""
        if base is None:
            return Term(numbers[0.0])
        exponents = sorted(numbers, reverse=True)
        if len(exponents) == 1:
            return Term(numbers[exponents[0]], self.graph.power(base, exponents[0]))
        total = self._node(Term(numbers[exponents[0]], self.graph.power(base, exponents[0] - exponents[1])))
        for exponent, following in itertools.pairwise([*exponents[1:], 0.0]):
            number = numbers[exponent]
            total = self.graph.operation("-" if number < 0 else "+", total, self.graph.number(abs(number)))
            total = self.graph.operation("*", total, self.graph.power(base, exponent - following))
        return Term(1.0, total)
