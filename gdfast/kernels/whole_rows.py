"""A rule of whole vectors as the text of one function of all lanes, whose coordinates are rows in memory.

As `gdfast.kernels.whole`, for problems with an evaluation. Each vector that the rule gives a name has rows to itself,
each number one row; a statement is one loop over coordinates and lanes.
"""

import ast
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import NamedTuple

from gdfast.formulas.grammar import is_condition
from gdfast.formulas.vectors import Statement
from gdfast.kernels.texts import coordinate_loop, lane_loop
from gdfast.kernels.whole import expression
from gdfast.optimizers import Optimizer


class Rows(NamedTuple):
    """How many vectors and how many numbers of a lane such a function has in memory."""

    vectors: int
    numbers: int

    def of(self, d: int) -> int:
        """The rows of d coordinates."""
        return self.vectors * d + self.numbers


@functools.lru_cache(maxsize=64)
def in_memory(optimizer: Optimizer) -> tuple[str, Rows]:
    """The text of ``advance(pair, theta, grad, …)`` for all lanes of a block, and what it needs of memory.

    It stores what becomes of the lanes; how much is counted of what they asked for is in the first of its numbers. It
    calls ``transform``, ``search``, ``factor``, ``call_evaluation``, ``call_product``, ``larger_size``,
    ``random_sign``, ``uniform`` and ``length_along``.
    """
    made = _InRows(optimizer, tuple(inspect.signature(optimizer.rule).parameters))
    return made.text, made.rows


_ARGUMENTS = (
    "pair, theta, grad, state, scalars, memory, multiplier, lr, losses, number, settings, c, rows, totals, work, n, t"
)


class _InRows:
    def __init__(self, optimizer: Optimizer, names: tuple[str, ...]) -> None:
        self.optimizer, self.transformed = optimizer, not all(each.after for each in optimizer.transforms)
        self.lines: list[str] = []
        self.vectors = self.numbers = 0
        # What stands for each name of the rule in a loop over coordinates i and lanes.
        self.places = {names[0]: "theta[i, lane]", names[1]: "grad[i, lane]"}
        self.places |= {name: f"state[{j}, i, lane]" for j, name in enumerate(optimizer.state)}
        self.places |= {name: f"scalars[{j}, lane]" for j, name in enumerate(optimizer.scalars)}
        self.places |= {"lr": "(factor(multiplier, memory, lane) * lr[0, lane])", "loss": "losses[lane]"}
        self.places |= {name: f"c[{j}]" for j, name in enumerate(optimizer.coefficients)}
        self.own: dict[tuple[str, bool], str] = {}
        self.conditions: set[str] = set()
        self.trials, self.unused = self.number(), self.number()
        self.point = self.vector()
        assert optimizer.steps
        self.over_lanes(f"{self.trials}[lane] = 0.0")
        for statement in optimizer.steps.statements:
            self.place(statement)
        self.store(optimizer.steps.results)
        head = [f"def advance({_ARGUMENTS}):", "d = theta.shape[0]"]
        head += [f"v{k} = rows[{k} * d : {k + 1} * d]" for k in range(self.vectors)]
        head += [f"s{k} = rows[{self.vectors} * d + {k}]" for k in range(self.numbers)]
        self.text = "\n    ".join([*head, *self.lines, "return"])
        self.rows = Rows(self.vectors, self.numbers)

    def vector(self) -> str:
        """Room for a vector."""
        self.vectors += 1
        return f"v{self.vectors - 1}"

    def number(self) -> str:
        """Room for a number."""
        self.numbers += 1
        return f"s{self.numbers - 1}"

    def room(self, name: str, vector: bool) -> str:
        """Room for what a name of the rule gets."""
        if (name, vector) not in self.own:
            self.own[name, vector] = self.vector() if vector else self.number()
        return self.own[name, vector]

    def written(self, node: ast.expr) -> str:
        return expression(node, self.places.__getitem__)

    def over(self, *body: str) -> None:
        """Loop over coordinates and lanes."""
        self.lines += coordinate_loop(*body)

    def over_lanes(self, *body: str) -> None:
        """Loop over lanes."""
        self.lines += lane_loop(*body)

    def place(self, statement: Statement) -> None:
        """Write a statement down."""
        name, function, operands, vector = statement
        room = self.room(name, vector)
        if function:
            getattr(self, f"_{function}")(room, *operands)
        else:
            (self.over if vector else self.over_lanes)(f"{room}{_at(vector)} = {self.written(operands[0])}")
        holds = not function and is_condition(operands[0], self.conditions)
        self.conditions = self.conditions | {name} if holds else self.conditions - {name}
        self.places[name] = f"({room}{_at(vector)} != 0.0)" if holds else f"{room}{_at(vector)}"

    def store(self, results: list[tuple[ast.expr, bool]]) -> None:
        """Write down what becomes of point, state and scalars: all of it first, since it is made of what was there."""
        state = len(self.optimizer.state)
        rooms = [self.vector() if k <= state else self.number() for k in range(len(results))]
        for k, (node, _) in enumerate(results):
            (self.over if k <= state else self.over_lanes)(f"{rooms[k]}{_at(k <= state)} = {self.written(node)}")
        targets = ["theta", *(f"state[{j}]" for j in range(state))]
        self.over(*(f"{target}[i, lane] = {room}[i, lane]" for target, room in zip(targets, rooms, strict=False)))
        for j, room in enumerate(rooms[state + 1 :]):
            self.over_lanes(f"scalars[{j}, lane] = {room}[lane]")

    def sum_of(self, room: str, one: str, other: str) -> None:
        """Sum the products of two vectors, the first product being what is added to."""
        self.over_lanes(f"{room}[lane] = {_first(one)} * {_first(other)}")
        added = lane_loop(f"{room}[lane] = {room}[lane] + {one} * {other}")
        self.lines += ["for i in range(second, d):", *(f"    {line}" for line in added)]

    def kept(self, node: ast.expr) -> str:
        """Room that holds a vector, with its index."""
        room = self.vector()
        self.over(f"{room}[i, lane] = {self.written(node)}")
        return f"{room}[i, lane]"

    def _dot(self, room: str, a: ast.expr, b: ast.expr) -> None:
        one, other = (self.places[p.id] if isinstance(p, ast.Name) else self.kept(p) for p in (a, b))
        self.sum_of(room, one, other)

    def _norm(self, room: str, a: ast.expr) -> None:
        one, size, scale = self.written(a), self.number(), self.number()
        self.over_lanes(f"{size}[lane] = 0.0")
        self.over(f"{size}[lane] = larger_size({size}[lane], {one})")
        self.over_lanes(f"{scale}[lane] = square_scale({size}[lane])", f"{size}[lane] = 0.0")
        self.over(f"part = ({one}) * {scale}[lane]", f"{size}[lane] = {size}[lane] + part * part")
        self.over_lanes(f"{room}[lane] = sqrt({size}[lane]) / {scale}[lane]")

    def evaluate(self, wanted: str, gradient: str, loss: str) -> list[str]:
        """The lines that evaluate at the point."""
        lines = [f"call_evaluation(pair, {wanted}, {self.point}, {gradient}, {loss}, work, n, t)"]
        if self.transformed and "GRADIENT" in wanted:
            given = f"{self.point}, {gradient}, totals, lr, number, memory, n, multiplier, settings, work, t"
            lines.append(f"transform(pair, {given})")
        return lines

    def _gradient_at(self, room: str, point: ast.expr) -> None:
        self.over(f"{self.point}[i, lane] = {self.written(point)}")
        self.lines += self.evaluate("GRADIENT", room, self.unused)

    def _loss_at(self, room: str, point: ast.expr) -> None:
        self.over(f"{self.point}[i, lane] = {self.written(point)}")
        self.lines += self.evaluate("OBJECTIVE", self.point, room)

    def _hessian_product(self, room: str, vector: ast.expr) -> None:
        way = self.vector()
        self.over(f"{way}[i, lane] = {self.written(vector)}")
        self.lines.append(f"call_product(pair, theta, {way}, {room}, work, n, t)")

    _gauss_newton_product = _hessian_product  # of the matrix that the pair's products are of

    def _hessian_cg(self, room: str, gradient: ast.expr, *numbers: ast.expr) -> None:
        residual, way, image = (f"{self.vector()}[i, lane]" for _ in range(3))
        damping, radius, most, limit, left, length, ends, done, k = (f"{self.number()}[lane]" for _ in range(9))
        seen = [self.number() for _ in range(4)]
        found, fresh = f"{room}[i, lane]", self.number()
        self.over(f"{residual} = {self.written(gradient)}")
        given = zip((damping, radius, most, limit), numbers, strict=True)
        self.over_lanes(*(f"{place} = {self.written(number)}" for place, number in given))
        self.over(f"{way} = -{residual}", f"{found} = 0.0")
        self.sum_of(_bare(left), residual, residual)
        self.over_lanes(
            f"{limit} = {limit} * {limit} * {left}",
            f"{k} = 0.0",
            f"{done} = select(({left} > {limit}) & ({most} > 0.0), 0.0, 1.0)",
        )
        before, self.lines = self.lines, ["going = n - n"]
        self.over_lanes(f"going += {done} == 0.0")
        self.lines += ["if going == n - n:", "    break"]
        self.lines.append(f"call_product(pair, theta, {_bare(way)}, {_bare(image)}, work, n, t)")
        self.over(f"{image} = {image} + {damping} * {way}")
        for place, (one, other) in zip(seen, ((way, image), (found, found), (found, way), (way, way)), strict=True):
            self.sum_of(place, one, other)
        sums = ", ".join(f"{place}[lane]" for place in seen)
        self.over_lanes(
            f"{length}, {ends} = length_along({left}, {sums}, {radius}, select({k} == 0.0, 1.0, 0.0))",
            f"{self.trials}[lane] = {self.trials}[lane] + select({done} == 0.0, 1.0, 0.0)",
            f"{k} = {k} + 1.0",
        )
        self.over(
            f"{found} = select({done} == 0.0, {found} + {length} * {way}, {found})",
            f"{residual} = {residual} + {length} * {image}",
        )
        self.sum_of(fresh, residual, residual)
        self.over_lanes(
            f"{length} = {fresh}[lane] / {left}",
            f"{left} = {fresh}[lane]",
            f"goes = ({done} == 0.0) & ({ends} == 0.0) & ({left} > {limit}) & ({k} < {most})",
            f"{done} = select(goes, 0.0, 1.0)",
        )
        self.over(f"{way} = {length} * {way} - {residual}")
        self.lines = [*before, "for _ in range(longest):", *(f"    {line}" for line in self.lines)]

    _gauss_newton_cg = _hessian_cg

    def _hessian_diagonal(self, room: str, due: ast.expr, *key: ast.expr) -> None:
        way = self.vector()
        drawn = f"{way}[i, lane] = random_sign({self._parts(key)}, number[lane], i)"
        self._where_due(room, due, way, lambda: self.over(drawn), f"{way}[i, lane] * {room}[i, lane]")

    def _fisher_diagonal(self, room: str, due: ast.expr, *key: ast.expr) -> None:
        seeds = self.vector()
        drawn = f"{seeds}[0, lane] = uniform({self._parts(key)}, number[lane], n - n)"
        self._where_due(room, due, seeds, lambda: self.over_lanes(drawn), f"{room}[i, lane]")

    def _parts(self, key: Iterable[ast.expr]) -> str:
        return ", ".join(self.written(part) for part in key)

    def _where_due(self, room: str, due: ast.expr, given: str, draw: Callable[[], None], estimate: str) -> None:
        """Ask for products of what is drawn where it is due in some lane; of the others the estimate is 0."""
        is_due = self.number()
        self.over_lanes(f"{is_due}[lane] = select({self.written(due)} != 0.0, 1.0, 0.0)")
        self.lines.append("going = n - n")
        self.over_lanes(f"going += {is_due}[lane] != 0.0")
        before, self.lines = self.lines, []
        draw()
        self.lines.append(f"call_product(pair, theta, {given}, {room}, work, n, t)")
        self.lines = [*before, "if going != n - n:", *(f"    {line}" for line in self.lines)]
        self.over(f"{room}[i, lane] = select({is_due}[lane] != 0.0, {estimate}, 0.0)")
        self.over_lanes(f"{self.trials}[lane] = {self.trials}[lane] + {is_due}[lane]")

    def _line_search(self, room: str, direction: ast.expr, first: ast.expr) -> None:
        search = self.optimizer.search
        assert search
        if not search.most:
            self.over_lanes(f"{room}[lane] = {self.written(first)}")
            return
        way, bend = self.vector(), self.vector()
        value, rise, descent, done = (self.number() for _ in range(4))
        memory = [self.number() for _ in search.initial]
        self.over(f"{way}[i, lane] = {self.written(direction)}")  # before the room of a number in it is another's
        self.over_lanes(f"{room}[lane] = {self.written(first)}")
        self.sum_of(descent, "grad[i, lane]", f"{way}[i, lane]")
        self.over_lanes(
            f"{done}[lane] = 0.0",
            *(f"{slot}[lane] = {first!r}" for slot, first in zip(memory, search.initial.values(), strict=True)),
        )
        seen = {"value": value, "slope": rise, "loss": "losses", "descent": descent}
        given = [room, *memory, *(seen[each] for each in search.seen)]
        values = ", ".join([*(f"{each}[lane]" for each in given), *(self.places[c] for c in search.coefficients)])
        before, self.lines = self.lines, []
        self.over(f"{self.point}[i, lane] = theta[i, lane] + {room}[lane] * {way}[i, lane]")
        parts = {"value": "OBJECTIVE", "slope": "GRADIENT"}
        wanted = " + ".join(what for name, what in parts.items() if name in search.seen)
        self.lines += self.evaluate(wanted, bend, value)
        if "slope" in search.seen:
            self.sum_of(rise, f"{bend}[i, lane]", f"{way}[i, lane]")
        self.lines.append("going = n - n")
        targets = ", ".join(f"{each}[lane]" for each in (room, *memory, done))
        self.over_lanes(
            f"if {done}[lane] == 0.0:",
            f"    ({targets},) = search({values})",
            f"    {self.trials}[lane] = {self.trials}[lane] + 1.0",
            f"    going += {done}[lane] == 0.0",
        )
        self.lines += ["if going == n - n:", "    break"]
        self.lines = [*before, "for _ in range(most):", *(f"    {line}" for line in self.lines)]


def _bare(place: str) -> str:
    """The room alone, without an index."""
    return place.partition("[")[0]


def _at(vector: bool) -> str:
    return "[i, lane]" if vector else "[lane]"


def _first(vector: str) -> str:
    """The first coordinate of what stands for a vector."""
    return vector.replace("[i, lane]", "[0, lane]").replace(", i, lane]", ", 0, lane]")
