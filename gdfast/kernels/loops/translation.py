"""Functions read as syntax trees, written as LLVM's assembly: see `gdfast.kernels.loops` for what they may have."""

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from gdfast.kernels.forms import FORMS
from gdfast.kernels.loops.known import BUILTINS, KNOWN
from gdfast.kernels.loops.reading import is_inlined, takes_places, tree_of
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


class Module:
    """The functions of one kernel, each written once for each kind of arguments."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.declared: dict[str, str] = {}
        self._known: dict[Any, tuple[str, str]] = {}

    def function(self, function: FunctionType, arguments: Sequence[Any]) -> tuple[str, str]:
        """Write a function for such arguments; return its name, and the kind of what it returns."""
        key = function, _kind(tuple(arguments))
        if key not in self._known:
            name = f"{function.__name__}.{len(self._known)}"
            self._known[key] = name, ""
            self._known[key] = name, _Function(self, function).define(name, arguments)
        return self._known[key]

    def call(self, function: FunctionType, arguments: Sequence[Any]) -> tuple[str, str]:
        """The call of a function, which is written for it, and the kind of what it returns."""
        name, kind = self.function(function, arguments)
        handed = ", ".join(["ptr %record", *(f"{part.type} {part.text}" for part in parts(tuple(arguments)))])
        return f'call {kind} @"{name}"({handed})', kind


def _kind(value: Any) -> Any:
    """What the text of a function depends on of an argument."""
    match value:
        case Number():
            return value.kind
        case View():
            return value.kind, len(value.shape)
        case tuple():
            return type(value), *map(_kind, value)
    return "", type(value), value


def _shape(value: Any) -> Any:
    """How a value is made up of numbers."""
    match value:
        case View():
            return value.kind, len(value.shape)
        case tuple():
            return type(value), *map(_shape, value)
    return None


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a name stands for that is assigned several times: where each of its numbers is kept."""

    value: Any
    slots: list[Slot]
    region: int  # of the function's text, in which it was first assigned


@dataclass(slots=True)
class _Scope:
    """A function whose text is read, in a place of its own or within another."""

    function: FunctionType
    names: dict[str, Any] = field(init=False)
    assigned: dict[str, int] = field(init=False, default_factory=dict)  # how many times names are
    loops: list[tuple[str, str]] = field(default_factory=list)  # where they go on, and what is behind them
    is_single: bool = field(init=False)

    def __post_init__(self) -> None:
        code = self.function.__code__
        cells = zip(code.co_freevars, self.function.__closure__ or (), strict=True)
        self.names = {name: cell.cell_contents for name, cell in cells}
        self.is_single = any(isinstance(constant, np.float32) for constant in code.co_consts)
        for node in ast.walk(self.tree):
            match node:
                case ast.Name(name, ast.Store()) | ast.AugAssign(ast.Name(name)) | ast.arg(name):
                    self.assigned[name] = self.assigned.get(name, 0) + 1

    @property
    def tree(self) -> ast.FunctionDef:
        return tree_of(self.function)


class _Function(Writer):
    """A function while it is written; methods are named after the nodes of the tree that they read."""

    def __init__(self, module: Module, function: FunctionType) -> None:
        super().__init__()
        self.module, self.scope = module, _Scope(function)
        self.handed = ["ptr %record"]  # of the call from Python
        self.attributes = ["nounwind"]
        self.returned: list[tuple[int, Number]] = []  # in which lines
        self.region = self.regions = 0  # of what is run under the same conditions
        self.is_independent = False  # whether the iterations of the loop that is being written are

    def define(self, name: str, arguments: Sequence[Any]) -> str:
        """Write all of it into the module; return the kind of what it returns."""
        tree = self.scope.tree
        for argument, value in zip(tree.args.args, arguments, strict=True):
            self.bind(argument.arg, with_parts(value, self.parameter), changes=self.scope.assigned[argument.arg] > 1)
        self.block(tree.body)
        values = [value for _, value in self.returned]
        kind = values[0].kind if values else "void"
        for value in values[1:]:
            kind = meeting(Number(kind, ""), value)
        self.end("unreachable" if values else "ret void")
        for line, value in reversed(self.returned):
            lines, self.lines = self.lines, []
            text = self.text(value, kind)
            lines[line : line + 1] = [*self.lines, f"ret {kind} {text}"]
            self.lines = lines
        head = f'define internal {kind} @"{name}"({", ".join(self.handed)}) {" ".join(self.attributes)} {{'
        self.module.texts.append(
            "\n".join([head, "entry:", *self.reserved, "br label %begin", "begin:", *self.lines, "}"])
        )
        return kind

    def parameter(self, part: Number) -> Number:
        """What the function has in the place of a number that is handed over."""
        self.handed.append(f"{part.type} %p{len(self.handed)}")
        return Number(part.kind, f"%p{len(self.handed) - 1}")

    def inlined(self, function: FunctionType, arguments: Sequence[Any]) -> Any:
        """Write a function here; return what it returns."""
        outer, self.scope = self.scope, _Scope(function)
        tree = self.scope.tree
        for argument, value in zip(tree.args.args, arguments, strict=True):
            self.bind(argument.arg, value, changes=self.scope.assigned[argument.arg] > 1)
        *body, last = tree.body
        value = None
        if isinstance(last, ast.Return):
            self.block(body)
            value = last.value and self.value(last.value)
        else:
            self.block(tree.body)
        self.scope = outer
        return value

    # Statements.

    def block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            if self.is_open:
                getattr(self, type(statement).__name__)(statement)

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """What is run under other conditions than what stands around."""
        before, self.regions = self.region, self.regions + 1
        self.region = self.regions
        yield
        self.region = before

    def Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self.value(node.value)

    def Pass(self, node: ast.Pass) -> None:
        pass

    def Assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self.assign(target, value)

    def AnnAssign(self, node: ast.AnnAssign) -> None:
        assert node.value is not None
        self.assign(node.target, self.value(node.value))

    def AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            before = self.Name(node.target)
            self.bind(node.target.id, self.combined(type(node.op), before, self.value(node.value)))
        else:
            slot = self.slot_of(node.target)
            self.store(self.combined(type(node.op), self.entry_of(slot), self.value(node.value)), slot)

    def assign(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(name):
                self.bind(name, value)
            case ast.Tuple(targets):
                for part, item in zip(targets, value, strict=True):
                    self.assign(part, item)
            case _:
                self.store(value, self.slot_of(target))

    def bind(self, name: str, value: Any, changes: bool = True) -> None:
        """Let a name stand for a value: a number has a place of its own, unless it is there from the beginning."""
        names = self.scope.names
        before = names.get(name)
        if isinstance(before, _Kept):
            fits = _shape(before.value) == _shape(value)
            if fits and (before.region != self.region or _kind(before.value) == _kind(numbers(value))):
                for part, slot in zip(parts(numbers(value)), before.slots, strict=True):
                    self.store(part, slot)
                return
            if before.region != self.region:
                raise TypeError(f"{name} of {self.scope.function.__name__} is of another type here than before")
        if self.scope.assigned[name] > 1 or (isinstance(value, Number) and changes):
            value = numbers(value)
            kept = names[name] = _Kept(value, [self.slot(part.kind) for part in parts(value)], self.region)
            for part, slot in zip(parts(value), kept.slots, strict=True):
                self.store(part, slot)
        else:
            names[name] = value

    def If(self, node: ast.If) -> None:
        condition = self.value(node.test)
        if is_static(condition):
            self.block(node.body if condition else node.orelse)
            return
        then, otherwise, after = self.labels(3)
        self.branch(condition, then, otherwise)
        for label, body in ((then, node.body), (otherwise, node.orelse)):
            self.begin(label)
            with self.elsewhere():
                self.block(body)
            self.end(f"br label %{after}")
        self.begin(after)

    def For(self, node: ast.For) -> None:
        assert isinstance(node.iter, ast.Call)
        assert isinstance(node.target, ast.Name)
        assert not node.orelse
        bounds = [self.value(bound) for bound in node.iter.args]
        first, last, step = (0, *bounds, 1) if len(bounds) == 1 else (*bounds, 1)[:3]
        if is_static((first, last, step)) and takes_places(node, self.is_tuple):
            self.written_out(node, range(first, last, step))
            return
        end = self.text(last, "i64")
        counter = self.slot("i64")
        self.store(first, counter)
        head, body, following, after = self.labels(4)
        self.begin(head)
        at = self.load(counter)
        comparison = "sgt" if is_static(step) and step < 0 else "slt"
        self.branch(self.write("i1", f"icmp {comparison} i64 {at.text}, {end}"), body, after)
        self.begin(body)
        with self.elsewhere():
            self.bind(node.target.id, at)
            self.loop(node.body, following, after)
        self.begin(following)
        self.store(self.write("i64", f"add nsw i64 {self.load(counter).text}, {self.text(step, 'i64')}"), counter)
        if self.is_independent:
            self.mark()
            self.is_independent = False
        self.end(f"br label %{head}")
        self.begin(after)

    def written_out(self, node: ast.For, places: range) -> None:
        """Write the body of a loop for each value of its counter."""
        assert isinstance(node.target, ast.Name)
        if not any(isinstance(part, ast.Continue | ast.Break) for part in ast.walk(node)):
            for place in places:
                self.scope.names[node.target.id] = place
                self.block(node.body)
            return
        (after,) = self.labels(1)
        for place in places:
            (following,) = self.labels(1)
            with self.elsewhere():
                self.scope.names[node.target.id] = place
                self.loop(node.body, following, after)
            self.begin(following)
        self.begin(after)

    def is_tuple(self, name: str) -> bool:
        """Whether a name stands for a tuple."""
        value = self.scope.names.get(name, self.scope.function.__globals__.get(name))
        return isinstance(value.value if isinstance(value, _Kept) else value, tuple)

    def While(self, node: ast.While) -> None:
        assert not node.orelse
        head, body, after = self.labels(3)
        self.begin(head)
        self.branch(self.value(node.test), body, after)
        self.begin(body)
        with self.elsewhere():
            self.loop(node.body, head, after)
        self.end(f"br label %{head}")
        self.begin(after)

    def loop(self, body: list[ast.stmt], following: str, after: str) -> None:
        self.scope.loops.append((following, after))
        self.block(body)
        self.scope.loops.pop()

    def Break(self, node: ast.Break) -> None:
        self.end(f"br label %{self.scope.loops[-1][1]}")

    def Continue(self, node: ast.Continue) -> None:
        self.end(f"br label %{self.scope.loops[-1][0]}")

    def Return(self, node: ast.Return) -> None:
        if node.value is None:
            self.end("ret void")
            return
        value = number(self.value(node.value))
        self.returned.append((len(self.lines), value))
        self.end("ret")  # of a kind that is known at the end

    # Expressions.

    def value(self, node: ast.expr) -> Any:
        return getattr(self, type(node).__name__)(node)

    def Constant(self, node: ast.Constant) -> Any:
        is_single = self.scope.is_single and isinstance(node.value, float)
        return np.float32(node.value) if is_single else node.value  # type: ignore[arg-type]

    def Name(self, node: ast.Name) -> Any:
        for names in (self.scope.names, self.scope.function.__globals__, BUILTINS):
            if node.id in names:
                value = names[node.id]
                if not isinstance(value, _Kept):
                    return value
                return self.loaded(value)
        raise NameError(f"{self.scope.function.__name__} has no {node.id} yet")

    def loaded(self, kept: _Kept) -> Any:
        """What a name stands for now."""
        slots = iter(kept.slots)
        return with_parts(kept.value, lambda _: self.load(next(slots)))

    def Attribute(self, node: ast.Attribute) -> Any:
        value = self.value(node.value)
        if isinstance(value, Fields) and node.attr in value.dtype.names:
            return self.entry(value.first, value.dtype.names.index(node.attr))
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
        assert node.step is None
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
        if isinstance(last, slice):
            axis = len(places)
            first = self.place(array, axis, last.start) if last.start is not None else 0
            end = self.place(array, axis, last.stop) if last.stop is not None else array.shape[axis]
            length = number(self.combined(ast.Sub, end, first))
            return View(array.kind, self.rows(array, (*places, first)), (length, *array.shape[axis + 1 :]))
        pointer = self.rows(array, (*places, last))
        if len(places) + 1 == len(array.shape):
            return self.entry_of(Slot(array.kind, pointer))
        return View(array.kind, pointer, array.shape[len(places) + 1 :])

    def slot_of(self, node: ast.expr) -> Slot:
        """Where an entry is kept, or a number under a name."""
        if isinstance(node, ast.Attribute):
            first, dtype = self.value(node.value)
            return Slot(first.kind, self.rows(first, (dtype.names.index(node.attr),)))
        assert isinstance(node, ast.Subscript)
        array, index = self.value(node.value), self.value(node.slice)
        places = index if isinstance(index, tuple) else (index,)
        assert len(places) == len(array.shape)
        return Slot(array.kind, self.rows(array, places))

    def UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        match node.op:
            case ast.Not():
                return not value if is_static(value) else self.write("i1", f"xor i1 {self.truth(value)}, 1")
            case ast.UAdd():
                return value
            case ast.Invert():
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

    def BoolOp(self, node: ast.BoolOp) -> Any:
        ends_with = isinstance(node.op, ast.Or)  # what is not looked beyond
        slot, (after,) = None, self.labels(1)
        for k, operand in enumerate(node.values):
            value = self.value(operand)
            if is_static(value):
                if bool(value) != ends_with and k + 1 < len(node.values):
                    continue
                if slot is None:
                    return value
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
        condition = self.value(node.test)
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
            assert function.__name__ == "reshape"
            return self.flat(function.__self__)
        if isinstance(function, MethodType):  # of a tuple
            return function(*arguments, **{str(keyword.arg): self.value(keyword.value) for keyword in node.keywords})
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
