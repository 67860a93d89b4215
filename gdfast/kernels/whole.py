"""A rule of whole vectors as the text of one function of a lane, whose coordinates are in registers.

The vector ``p`` of the rule is ``p__0, p__1, …`` in the text, a number ``a`` is ``a__``. Statement by statement: an
expression of vectors becomes one of each coordinate, an inner product a sum, a gradient a call of the landscape's, a
line search a loop. The order of operations is that of the reference, so that the bits are.
"""

import ast
import copy
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from gdfast.formulas import linear
from gdfast.formulas.vectors import Statement
from gdfast.optimizers import Optimizer


class Renamed(ast.NodeTransformer):
    """What an expression's names are in a kernel, functions aside."""

    def __init__(self, name_of: Callable[[str], str]) -> None:
        self.name_of = name_of

    def visit_Call(self, node: ast.Call) -> ast.Call:  # noqa: D102, ast's own
        node.args = [self.visit(argument) for argument in node.args]
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:  # noqa: D102, likewise
        return ast.parse(self.name_of(node.id), mode="eval").body


def expression(node: ast.expr, name_of: Callable[[str], str]) -> str:
    """The text of an expression, with what its names are in a kernel."""
    return ast.unparse(Renamed(name_of).visit(copy.deepcopy(node)))


@functools.lru_cache(maxsize=64)
def in_lanes(optimizer: Optimizer, d: int) -> str:
    """Write ``advance(x, g, theta, state, lane, scalars, rate, loss, fixed, number, settings, c)`` of d coordinates.

    It stores what becomes of the lane and returns how much is counted of what it asked for. It calls ``gradient``,
    ``objective``, ``hessian``, ``transform``, ``search``, ``euclidean_norm`` and ``as_tuple``.
    """
    return _InRegisters(optimizer, tuple(inspect.signature(optimizer.rule).parameters), d).text()


class _InRegisters:
    def __init__(self, optimizer: Optimizer, names: tuple[str, ...], d: int) -> None:
        self.optimizer, self.d = optimizer, d
        self.transformed = not all(each.after for each in optimizer.transforms)
        assert optimizer.steps
        self.steps, self.names = optimizer.steps, names
        self.vectors = {*names[:2], *optimizer.state}
        self.lines: list[str] = []
        self.hessian_known = False

    def text(self) -> str:
        own, d = self.optimizer, self.d
        point, grad = self.names[:2]
        self.point, self.grad = self.all_of(ast.Name(point)), self.all_of(ast.Name(grad))
        lines = [f"{self.tuple_of(self.point)} = x", f"{self.tuple_of(self.grad)} = g"]
        for j, name in enumerate(own.state):
            lines += [f"{name}__{i} = state[{j}, {i}, lane]" for i in range(d)]
        lines += [f"{name}__ = scalars[{j}, lane]" for j, name in enumerate(own.scalars)]
        lines += ["lr__ = rate", *(["loss__ = loss[0]"] if own.uses_loss else [])]
        lines += [f"{name}__ = c[{j}]" for j, name in enumerate(own.coefficients)]
        # The rule may give its arguments new values; a search and a Hessian are of those that it got.
        lines += [f"at_{i}, base_{i} = {self.point[i]}, {self.grad[i]}" for i in range(d)]
        lines += [*(["height = loss__"] if own.uses_loss else []), "trials = 0.0"]
        for statement in self.steps.statements:
            self.place(statement)
            (self.vectors.add if statement.vector else self.vectors.discard)(statement.name)
        results = [self.all_of(node) if i <= len(own.state) else [self.one(node)] for i, (node, _) in self.numbered()]
        for k, parts in enumerate(results):
            self.lines += [f"new{k}_{i} = {part}" for i, part in enumerate(parts)]
        self.lines += [f"theta[{i}, lane] = new0_{i}" for i in range(d)]
        for j in range(len(own.state)):
            self.lines += [f"state[{j}, {i}, lane] = new{j + 1}_{i}" for i in range(d)]
        first = 1 + len(own.state)
        self.lines += [f"scalars[{j}, lane] = new{first + j}_0" for j in range(len(own.scalars))]
        head = "def advance(x, g, theta, state, lane, scalars, rate, loss, fixed, number, settings, c):"
        return "\n    ".join([head, *lines, *self.lines, "return trials"])

    def numbered(self) -> Iterator[tuple[int, tuple[ast.expr, bool]]]:
        return enumerate(self.steps.results)

    def name_at(self, i: int) -> Callable[[str], str]:
        return lambda name: f"{name}__{i}" if name in self.vectors else f"{name}__"

    def all_of(self, node: ast.expr) -> list[str]:
        """The texts of a vector, coordinate by coordinate."""
        return [expression(node, self.name_at(i)) for i in range(self.d)]

    def one(self, node: ast.expr) -> str:
        """The text of a number."""
        return expression(node, self.name_at(0))

    @staticmethod
    def tuple_of(parts: list[str]) -> str:
        return f"({', '.join(parts)},)"

    def place(self, statement: Statement) -> None:
        name, function, operands, vector = statement
        if function in linear.SOLVERS:
            self._with_hessian(linear.SOLVERS[function], name, *operands)
        elif function:
            getattr(self, f"_{function}")(name, *operands)
        elif vector:
            self.lines += [f"{name}__{i} = {part}" for i, part in enumerate(self.all_of(operands[0]))]
        else:
            self.lines.append(f"{name}__ = {self.one(operands[0])}")

    def sum_of(self, name: str, one: list[str], other: list[str]) -> list[str]:
        products = [f"({a}) * ({b})" for a, b in zip(one, other, strict=True)]
        return [f"{name} = {products[0]}", *(f"{name} = {name} + {product}" for product in products[1:])]

    def _dot(self, name: str, a: ast.expr, b: ast.expr) -> None:
        self.lines += self.sum_of(f"{name}__", self.all_of(a), self.all_of(b))

    def _norm(self, name: str, a: ast.expr) -> None:
        self.lines.append(f"{name}__ = euclidean_norm({self.tuple_of(self.all_of(a))})")

    def gradient_there(self, names: list[str], point: list[str]) -> str:
        there = self.tuple_of(point)
        gradient = f"as_tuple(gradient(*({there} + fixed)))"
        gradient = f"transform({there}, {gradient}, fixed, rate, number, settings)" if self.transformed else gradient
        return f"{self.tuple_of(names)} = {gradient}"

    def _gradient_at(self, name: str, point: ast.expr) -> None:
        self.lines.append(self.gradient_there([f"{name}__{i}" for i in range(self.d)], self.all_of(point)))

    def _loss_at(self, name: str, point: ast.expr) -> None:
        self.lines.append(f"{name}__ = objective(*({self.tuple_of(self.all_of(point))} + fixed))")

    def _line_search(self, name: str, direction: ast.expr, first: ast.expr) -> None:
        search, d = self.optimizer.search, self.d
        assert search
        memory = [f"memory_{j}" for j in range(len(search.initial))]
        seen = {"value": "value", "slope": "rise", "loss": "height", "descent": "descent"}
        given = [f"{name}__", *memory, *(seen[each] for each in search.seen), *(f"{c}__" for c in search.coefficients)]
        self.lines += [f"way_{i} = {part}" for i, part in enumerate(self.all_of(direction))]
        way = [f"way_{i}" for i in range(d)]
        self.lines.append(f"{name}__ = {self.one(first)}")
        if not search.most:
            return
        self.lines += [f"{slot} = {value!r}" for slot, value in zip(memory, search.initial.values(), strict=True)]
        if "descent" in search.seen:
            self.lines += self.sum_of("descent", [f"base_{i}" for i in range(d)], way)
        there = [f"there_{i}" for i in range(d)]
        trial = [f"{there[i]} = at_{i} + {name}__ * {way[i]}" for i in range(d)]
        if "value" in search.seen:
            trial.append(f"value = objective(*({self.tuple_of(there)} + fixed))")
        if "slope" in search.seen:
            trial.append(self.gradient_there([f"bend_{i}" for i in range(d)], there))
            trial += self.sum_of("rise", [f"bend_{i}" for i in range(d)], way)
        trial += [f"{self.tuple_of([f'{name}__', *memory, 'done'])} = search({', '.join(given)})"]
        trial += ["trials = trials + 1.0", "if done != 0.0:", "    break"]
        self.lines += ["for _ in range(most):", *(f"    {line}" for line in trial)]

    def hessian(self) -> linear.Matrix:
        """The entries of the Hessian at the rule's point."""
        d = self.d
        entries = [[f"h{i}_{j}" for j in range(d)] for i in range(d)]
        if not self.hessian_known:
            target = self.tuple_of([self.tuple_of(row) for row in entries]) if d > 1 else entries[0][0]
            at = self.tuple_of([f"at_{i}" for i in range(d)])
            self.lines.append(f"{target} = hessian(*({at} + fixed))")
            self.hessian_known = True
        return [[_Written(text, self.lines) for text in row] for row in entries]

    def _with_hessian(self, solve: linear.Solver, name: str, vector: ast.expr, number: ast.expr) -> None:
        matrix, lines = self.hessian(), self.lines
        lines += [f"{name}_v{i} = {part}" for i, part in enumerate(self.all_of(vector))]
        lines.append(f"{name}_number = {self.one(number)}")
        right = [_Written(f"{name}_v{i}", lines) for i in range(self.d)]
        found = solve(matrix, right, _Written(f"{name}_number", lines), _arithmetic(lines))
        lines += [f"{name}__{i} = {number.text}" for i, number in enumerate(found)]

    def _hessian_product(self, name: str, vector: ast.expr) -> None:
        matrix, lines = self.hessian(), self.lines
        lines += [f"{name}_v{i} = {part}" for i, part in enumerate(self.all_of(vector))]
        for i, row in enumerate(matrix):
            found = linear.product(row, [_Written(f"{name}_v{j}", lines) for j in range(self.d)])
            lines.append(f"{name}__{i} = {found.text}")

    def _hessian_cg(self, name: str, gradient: ast.expr, *numbers: ast.expr) -> None:
        matrix, lines, d = self.hessian(), self.lines, range(self.d)
        residual, way, image, found = ([f"{name}_{part}{i}" for i in d] for part in ("_r", "_d", "_b", "_"))
        lines += [f"{residual[i]} = {part}" for i, part in enumerate(self.all_of(gradient))]
        for part, number in zip(("damping", "radius", "most", "limit"), numbers, strict=True):
            lines.append(f"{name}_{part} = {self.one(number)}")
        lines += [f"{way[i]}, {found[i]} = -{residual[i]}, 0.0" for i in d]
        lines += self.sum_of(f"{name}_left", residual, residual)
        lines += [f"{name}_limit = {name}_limit * {name}_limit * {name}_left", f"{name}_k = 0.0"]
        begin = len(lines)
        lines += [f"if not ({name}_left > {name}_limit and {name}_k < {name}_most):", "    break"]
        for i, row in enumerate(matrix):
            product = linear.product(row, [_Written(each, lines) for each in way])
            lines.append(f"{image[i]} = {product.text} + {name}_damping * {way[i]}")
        pairs = {"bend": (way, image), "reached": (found, found), "along": (found, way), "square": (way, way)}
        for part, (one, other) in pairs.items():
            lines += self.sum_of(f"{name}_{part}", one, other)
        given = ", ".join(f"{name}_{part}" for part in ("left", *pairs, "radius"))
        lines.append(f"{name}_a, {name}_ends = length_along({given}, select({name}_k == 0.0, 1.0, 0.0))")
        lines += [f"{found[i]} = {found[i]} + {name}_a * {way[i]}" for i in d]
        lines += [f"{residual[i]} = {residual[i]} + {name}_a * {image[i]}" for i in d]
        lines += [f"{name}_k = {name}_k + 1.0", "trials = trials + 1.0", f"if {name}_ends != 0.0:", "    break"]
        lines += [f"{name}_before = {name}_left", *self.sum_of(f"{name}_left", residual, residual)]
        lines += [f"{way[i]} = {name}_left / {name}_before * {way[i]} - {residual[i]}" for i in d]
        lines[begin:] = ["for _ in range(longest):", *(f"    {line}" for line in lines[begin:])]

    def _hessian_diagonal(self, name: str, due: ast.expr, *_: ast.expr) -> None:
        matrix, lines = self.hessian(), self.lines
        lines.append(f"{name}_due = {self.one(due)} != 0.0")
        lines += [f"{name}__{i} = select({name}_due, {row[i].text}, 0.0)" for i, row in enumerate(matrix)]
        lines.append(f"trials = trials + select({name}_due, 1.0, 0.0)")


class _Written:
    """A number of a kernel, whose operations are written down as lines."""

    def __init__(self, text: str, lines: list[str]) -> None:
        self.text, self.lines = text, lines

    def of(self, text: str) -> "_Written":
        name = f"w{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        return _Written(name, self.lines)

    def __add__(self, other: Any) -> "_Written":
        return self.of(f"{self.text} + {_text(other)}")

    def __sub__(self, other: Any) -> "_Written":
        return self.of(f"{self.text} - {_text(other)}")

    def __mul__(self, other: Any) -> "_Written":
        return self.of(f"{self.text} * {_text(other)}")

    def __truediv__(self, other: Any) -> "_Written":
        return self.of(f"{self.text} / {_text(other)}")

    def __rsub__(self, other: Any) -> "_Written":
        return self.of(f"{_text(other)} - {self.text}")

    def __rmul__(self, other: Any) -> "_Written":
        return self.of(f"{_text(other)} * {self.text}")

    def __rtruediv__(self, other: Any) -> "_Written":
        return self.of(f"{_text(other)} / {self.text}")

    def __lt__(self, other: Any) -> "_Written":
        return self.of(f"{self.text} < {_text(other)}")

    def __gt__(self, other: Any) -> "_Written":
        return self.of(f"{self.text} > {_text(other)}")

    def __eq__(self, other: object) -> "_Written":  # type: ignore[override]
        return self.of(f"{self.text} == {_text(other)}")

    __hash__ = None  # type: ignore[assignment]


def _text(value: Any) -> str:
    return value.text if isinstance(value, _Written) else repr(value)


def _arithmetic(lines: list[str]) -> linear.Arithmetic:
    def call(name: str, *values: Any) -> _Written:
        return _Written("", lines).of(f"{name}({', '.join(map(_text, values))})")

    def repeat(times: int, numbers: linear.Row, body: Callable[[linear.Row], linear.Row]) -> linear.Row:
        names = [f"r{len(lines)}_{k}" for k in range(len(numbers))]
        lines.extend(f"{name} = {_text(number)}" for name, number in zip(names, numbers, strict=True))
        begin = len(lines)
        after = body([_Written(name, lines) for name in names])
        lines.append(f"({', '.join(names)},) = ({', '.join(map(_text, after))},)")
        if times > 1:
            inner = lines[begin:]
            del lines[begin:]
            lines.append("for _ in range(rounds):")
            lines.extend(f"    {line}" for line in inner)
        return [_Written(name, lines) for name in names]

    return linear.Arithmetic(
        lambda *values: call("select", *values),
        lambda value: call("absolute", value),
        lambda value: call("sqrt", value),
        repeat,
    )
