"""A graph of operations written down as formulas in the grammar."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gdfast.formulas.families import define
from gdfast.formulas.graph import FUNCTIONS, Graph

_DEEPEST_TEXT = 12  # operations within one line of a formula, one in the other


class Writer:
    """Writes nodes of a graph down, one or nested sequences of them.

    Parameters
    ----------
    graph : Graph
        To which the operations are added that only formulas have.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._done: dict[int, int] = {}

    def formula(self, name: str, coordinates: Sequence[str], results: Any) -> Callable[..., Any]:
        """Write nodes, one or nested sequences of them, as a formula, with what is common to them computed once."""
        roots = list(_flat(results))
        lowered = dict(zip(roots, self._lowered(roots), strict=True))
        uses: dict[int, int] = {}
        needed = sorted(set().union(*(self.graph.reached(node) for node in lowered.values())))
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
        nodes = set().union(*(self.graph.reached(node) for node in self._lowered(list(_flat(results)))))
        return sum(self.graph.nodes[node][0] not in ("number", "name") for node in nodes)

    def _lowered(self, roots: Sequence[int]) -> list[int]:
        """The same nodes with powers as products, quotients, roots and exponentials, which is what formulas have."""
        done = self._done
        for node in sorted(set().union(*map(self.graph.reached, roots)) - done.keys()):
            name, *operands = self.graph.nodes[node]
            if name in ("number", "name"):
                done[node] = node
            elif name == "power":
                exponent = self.graph.value(operands[1])
                assert exponent is not None
                done[node] = self._lowered_power(done[operands[0]], exponent)
            else:
                done[node] = self._lowered_operation(name, [done[operand] for operand in operands])
        return [done[root] for root in roots]

    def _lowered_operation(self, name: str, operands: Sequence[int]) -> int:
        if name == "*":
            for a, b in (operands, operands[::-1]):  # by a reciprocal one divides
                inner, *of = self.graph.nodes[b]
                if inner == "/" and self.graph.value(of[0]) == 1:
                    return self.graph.place(("/", a, of[1]))
        return self.graph.place((name, *operands))

    def _lowered_power(self, base: int, exponent: float) -> int:
        if not (2 * exponent).is_integer():
            logarithm = self.graph.place(("log", base))
            return self.graph.place(("exp", self.graph.place(("*", self.graph.number(exponent), logarithm))))
        if exponent < 0:
            return self.graph.place(("/", self.graph.number(1.0), self._lowered_power(base, -exponent)))
        if not exponent.is_integer():
            root = self.graph.place(("sqrt", base))
            return root if exponent < 1 else self.graph.place(("*", self._lowered_power(base, exponent - 0.5), root))
        if exponent == 1:
            return base
        if exponent % 2:
            return self.graph.place(("*", self._lowered_power(base, exponent - 1), base))
        half = self._lowered_power(base, exponent / 2)
        return self.graph.place(("*", half, half))

    def _operands(self, node: int) -> Sequence[int]:
        name, *operands = self.graph.nodes[node]
        return () if name in ("number", "name") else operands

    def _text(self, node: int, texts: dict[int, tuple[str, int]]) -> tuple[str, int]:
        """The text of a node, of those of its operands, and how deep it is nested."""
        name, *operands = self.graph.nodes[node]
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
            return f"select({', '.join(parts)})", depth
        if name not in FUNCTIONS:
            return f"({parts[0]} {name} {parts[1]})", depth
        return f"{FUNCTIONS[name]}({', '.join(parts)})", depth


def _flat(results: Any) -> Iterable[int]:
    if isinstance(results, int):
        yield results
    else:
        for part in results:
            yield from _flat(part)
