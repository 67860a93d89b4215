# ruff: noqa: D102 (methods that read a node say so by their names)
"""Expressions read as syntax trees: what stands for them, and the instructions that find it."""

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from gdfast.kernels.forms import FORMS
from gdfast.kernels.loops.known import BUILTINS, KNOWN
from gdfast.kernels.loops.reading import is_inlined
from gdfast.kernels.loops.scopes import Kept, Scope, alike
from gdfast.kernels.loops.values import (
    Fields,
    Number,
    View,
    is_static,
    like,
    meeting,
    number,
    numbers,
    parts,
    type_of,
    with_parts,
)
from gdfast.kernels.loops.writing import Slot, Writer, is_harmless


class Expressions(Writer):
    """The expressions of a function while it is written; methods are named after the nodes of the tree that they read.

    Parameters
    ----------
    module
        Of the functions that are called.
    scope : Scope
        Of the names.
    """

    def __init__(self, module: Any, scope: Scope) -> None:
        super().__init__()
        self.module, self.scope = module, scope
        self.regions, self.region_count = [0], 1  # of what is run under the same conditions, the innermost last
        self.passing: list[list[tuple[Scope, str]]] = [[]]  # names that are of a type of their own in each of them

    def inlined(self, function: FunctionType, arguments: Sequence[Any]) -> Any:
        """Write a function here; return what it returns."""
        raise NotImplementedError

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """What is run under other conditions than what stands around."""
        self.regions.append(self.region_count)
        self.region_count += 1
        self.passing.append([])
        yield
        self.regions.pop()
        for scope, name in self.passing.pop():
            scope.names.pop(name, None)

    def read(self, node: ast.AST) -> Any:
        """What the method for such nodes makes of one."""
        method = getattr(self, type(node).__name__, None)
        if method is None:
            raise TypeError(f"`{ast.unparse(node)}`, which plain loops do not have")
        return method(node)

    value = read

    def Constant(self, node: ast.Constant) -> Any:
        is_single = self.scope.is_single and isinstance(node.value, float)
        return np.float32(node.value) if is_single else node.value  # type: ignore[arg-type]

    def Name(self, node: ast.Name) -> Any:
        name, scope = node.id, self.scope
        if scope.has(name):
            value = scope.names[name]
            if isinstance(value, Kept):
                scope.read.update((name, region) for region in self.regions)
                return self.loaded(value)
            return value
        if name not in scope.assigned:
            for names in (scope.function.__globals__, BUILTINS):
                if name in names:
                    return names[name]
        raise NameError(f"{name} of {scope.function.__name__} may have no value yet")

    def loaded(self, kept: Kept) -> Any:
        """What a name stands for now."""
        slots = iter(kept.slots)
        return with_parts(kept.value, lambda _: self.load(next(slots)))

    def Attribute(self, node: ast.Attribute) -> Any:
        value = self.value(node.value)
        if isinstance(value, Fields) and node.attr in value.dtype.names:
            return self.entry(value.first, value.dtype.names.index(node.attr))
        if isinstance(value, tuple) and node.attr not in (*getattr(value, "_fields", ()), "_replace"):
            raise TypeError(f"{node.attr} is no field of a tuple")  # but a property, or a method
        return getattr(value, node.attr)

    def Tuple(self, node: ast.Tuple) -> Any:
        return tuple(self.several(node.elts))

    def several(self, nodes: list[ast.expr]) -> Iterator[Any]:
        """The values of expressions, of which some may be tuples with a star."""
        for node in nodes:
            if isinstance(node, ast.Starred):
                yield from self.value(node.value)
            else:
                yield self.value(node)

    def Slice(self, node: ast.Slice) -> slice:
        assert node.step is None, "a slice with a step"
        return slice(*(bound and self.value(bound) for bound in (node.lower, node.upper)))

    def Subscript(self, node: ast.Subscript) -> Any:
        array, index = self.value(node.value), self.value(node.slice)
        if isinstance(index, Number) and isinstance(array, tuple):
            found = array[-1]
            for place in range(len(array) - 2, -1, -1):
                found = self.chosen(self.compared(ast.Eq, index, place), array[place], found)
            return found
        if not isinstance(array, View):
            return array[index]
        *places, last = index if isinstance(index, tuple) else (index,)
        assert len(places) < len(array.shape), "more indices than axes"
        if isinstance(last, slice):
            axis = len(places)
            first = self.place(array, axis, last.start) if last.start is not None else 0
            end = self.place(array, axis, last.stop) if last.stop is not None else array.shape[axis]
            length = number(self.combined(ast.Sub, end, first))
            return View(array.kind, self.rows(array, (*places, first), length), (length, *array.shape[axis + 1 :]))
        pointer = self.rows(array, (*places, last))
        if len(places) + 1 == len(array.shape):
            return self.entry_of(Slot(array.kind, pointer))
        return View(array.kind, pointer, array.shape[len(places) + 1 :])

    def slot_of(self, node: ast.expr) -> Slot:
        """Where an entry is kept, or a number under a name."""
        if isinstance(node, ast.Attribute):
            first, dtype = self.value(node.value)
            return Slot(first.kind, self.rows(first, (dtype.names.index(node.attr),)))
        assert isinstance(node, ast.Subscript), "what is assigned to is no name, field or entry"
        array, index = self.value(node.value), self.value(node.slice)
        places = index if isinstance(index, tuple) else (index,)
        assert len(places) == len(array.shape), "an array in the place of an entry"
        return Slot(array.kind, self.rows(array, places))

    def UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.condition(node.operand) if isinstance(node.op, ast.Not) else self.value(node.operand)
        match node.op:
            case ast.Not():
                return not value if is_static(value) else self.write("i1", f"xor i1 {self.truth(value)}, 1")
            case ast.UAdd():
                return value
            case ast.Invert():
                assert is_static(value) or value.kind != "i1", "~ of a truth"
                return ~value if is_static(value) else self.combined(ast.BitXor, value, -1)
        if isinstance(value, Number) and value.is_real:
            return self.write(value.kind, f"fneg {value.kind} {value.text}")
        return self.combined(ast.Sub, 0, value) if isinstance(value, Number) else -value

    def BinOp(self, node: ast.BinOp) -> Any:
        return self.combined(type(node.op), self.value(node.left), self.value(node.right))

    def Compare(self, node: ast.Compare) -> Any:
        """One comparison, or two of numbers, which may all be looked at."""
        values = [self.value(part) for part in (node.left, *node.comparators)]
        found = [self.compared(type(op), *values[k : k + 2]) for k, op in enumerate(node.ops)]
        return found[0] if len(found) == 1 else self.combined(ast.BitAnd, *found)

    def condition(self, node: ast.expr) -> Any:
        """A value of which only the truth is asked."""
        return self.BoolOp(node, of_truths=False) if isinstance(node, ast.BoolOp) else self.value(node)

    def BoolOp(self, node: ast.BoolOp, of_truths: bool = True) -> Any:
        """Whether one of several holds, or all: of truths, unless only the truth is asked of what it gives."""
        ends_with = isinstance(node.op, ast.Or)  # what is not looked beyond
        slot, (after,) = None, self.labels(1)
        for k, operand in enumerate(node.values):
            value = self.value(operand) if of_truths else self.condition(operand)
            if is_static(value):
                if bool(value) != ends_with and k + 1 < len(node.values):
                    continue
                if slot is None:
                    return value
            if of_truths and number(value).kind != "i1":
                raise TypeError("`and` and `or` of numbers, which give one of them")
            truth = Number("i1", self.truth(value))
            slot = slot or self.slot("i1")
            self.store(truth, slot)
            (following,) = self.labels(1)
            self.branch(truth, *((after, following) if ends_with else (following, after)))
            self.begin(following)
        self.begin(after)
        assert slot is not None
        return self.load(slot)

    def IfExp(self, node: ast.IfExp) -> Any:
        condition = self.condition(node.test)
        if is_static(condition):
            return self.value(node.body if condition else node.orelse)
        begin = len(self.lines)
        with self.elsewhere():
            yes, no = self.value(node.body), self.value(node.orelse)
        if all(map(is_harmless, self.lines[begin:])):
            return self.either(condition, yes, no)
        del self.lines[begin:]
        then, otherwise, after = self.labels(3)
        self.branch(condition, then, otherwise)
        ends = []
        for label, part in ((then, node.body), (otherwise, node.orelse)):
            self.begin(label)
            with self.elsewhere():
                ends.append((numbers(self.value(part)), len(self.lines)))
            self.end("br")  # when the kind of both is known
        alike(*(value for value, _ in ends))
        kinds = [meeting(*both) for both in zip(*(parts(value) for value, _ in ends), strict=True)]
        slots, lines = [self.slot(kind) for kind in kinds], self.lines
        for value, line in reversed(ends):
            self.lines = []
            for part_, slot in zip(parts(value), slots, strict=True):
                self.store(part_, slot)
            lines[line : line + 1] = [*self.lines, f"br label %{after}"]
        self.lines = lines
        self.begin(after)
        waiting = iter(slots)
        return with_parts(ends[0][0], lambda _: self.load(next(waiting)))

    def either(self, condition: Any, yes: Any, no: Any) -> Any:
        """One of two values, number by number."""
        alike(yes, no)
        if isinstance(yes, tuple):
            return like(yes, [self.either(condition, *both) for both in zip(yes, no, strict=True)])
        if isinstance(yes, View):
            pairs = zip(parts(yes), parts(no), strict=True)
            chosen = iter([self.chosen(condition, *both) for both in pairs])
            return with_parts(yes, lambda _: next(chosen))
        return self.chosen(condition, yes, no)

    def Call(self, node: ast.Call) -> Any:
        function, arguments = self.value(node.func), [*self.several(node.args)]
        if isinstance(function, MethodType) and isinstance(function.__self__, View):
            assert arguments == [-1], "reshape but of (-1)"
            return self.flat(function.__self__)
        if isinstance(function, MethodType) and isinstance(function.__self__, tuple):
            return function(*arguments, **{str(keyword.arg): self.value(keyword.value) for keyword in node.keywords})
        assert not node.keywords, "arguments by name"
        if function in KNOWN:
            return KNOWN[function](self, *arguments)
        if function in FORMS:
            function = FORMS[function](*map(type_of, arguments))
            if function in KNOWN:
                return KNOWN[function](self, *arguments)
        if is_inlined(function):
            return self.inlined(function, arguments)
        line, kind = self.module.call(function, arguments)
        return self.lines.append(line) if kind == "void" else self.write(kind, line)
