"""Functions read as syntax trees, written as LLVM's assembly: see `gdfast.kernels.loops` for what they may have."""

import ast
import functools
import inspect
import math
import textwrap
from collections.abc import Callable, Iterator, Sequence
from types import FunctionType, MethodType
from typing import Any

from gdfast.kernels.digest import codes, text_of_code
from gdfast.kernels.loops.values import Number, View, is_static, meeting, number
from gdfast.kernels.loops.writing import Slot, Writer
from gdfast.kernels.options import apart, wide
from gdfast.kernels.signatures import call_step

_BUILTINS: dict[str, Any] = {"abs": abs, "min": min, "len": len}


class Module:
    """The functions of one kernel, each written once for each kind of arguments."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._known: dict[Any, tuple[str, str]] = {}

    def function(self, function: FunctionType, arguments: Sequence[Any]) -> tuple[str, str]:
        """Write a function for such arguments; return its name, and the kind of what it returns."""
        key = function, _kind(tuple(arguments))
        if key not in self._known:
            name = f"{function.__name__}.{len(self._known)}"
            self._known[key] = name, _Function(self, function).define(name, arguments)
        return self._known[key]

    def call(self, function: FunctionType, arguments: Sequence[Any]) -> tuple[str, str]:
        """The call of a function, which is written for it, and the kind of what it returns."""
        name, kind = self.function(function, arguments)
        handed = ", ".join(["ptr %record", *(f"{part.kind} {part.text}" for part in _parts(tuple(arguments)))])
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


def _parts(value: Any) -> Iterator[Number]:
    """The numbers and pointers that a value is handed over as."""
    match value:
        case Number():
            yield value
        case View():
            yield Number("ptr", value.pointer)
            for length in value.shape:
                yield from _parts(length)
        case tuple():
            for part in value:
                yield from _parts(part)


def _with(value: Any, other: Callable[[Number], Number]) -> Any:
    """The same with others in the place of the numbers and pointers."""
    match value:
        case Number():
            return other(value)
        case View(kind, pointer, shape):
            pointer = other(Number("ptr", pointer)).text
            return View(kind, pointer, tuple(_with(length, other) for length in shape))
        case tuple():
            parts = [_with(part, other) for part in value]
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def _numbers(value: Any) -> Any:
    """The same with numbers that are known as others."""
    match value:
        case View():
            return value
        case tuple():
            parts = map(_numbers, value)
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return number(value)


@functools.cache
def _tree(function: FunctionType) -> ast.FunctionDef:
    code = function.__code__
    known = _codes_of("".join(inspect.findsource(function)[0]), code.co_filename)
    if (code.co_firstlineno, text_of_code(code)) not in known:  # the kernel is kept under a name that tells of the code
        raise RuntimeError(f"{code.co_filename} is not what it was when it was imported; start Python anew")
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree


@functools.cache
def _codes_of(source: str, name: str) -> set[tuple[int, str]]:
    """The lines in which the codes of a file begin, with their texts."""
    file = compile(source, name, "exec", dont_inherit=True)
    return {(code.co_firstlineno, text_of_code(code)) for code in codes(file)}


class _Function(Writer):
    """A function while it is written; methods are named after the nodes of the tree that they read."""

    def __init__(self, module: Module, function: FunctionType) -> None:
        super().__init__()
        self.module, self.function, self.tree = module, function, _tree(function)
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        self.names: dict[str, Any] = {name: cell.cell_contents for name, cell in cells}
        self.assigned: dict[str, int] = {}  # how many times names are
        for node in ast.walk(self.tree):
            match node:
                case ast.Name(name, ast.Store()) | ast.AugAssign(ast.Name(name)) | ast.arg(name):
                    self.assigned[name] = self.assigned.get(name, 0) + 1
        self.handed = ["ptr %record"]  # of the call from Python
        self.attributes = ["nounwind"]
        self.returned: list[tuple[int, Number]] = []  # in which lines
        self.loops: list[tuple[str, str]] = []  # where they go on, and what is behind them

    def define(self, name: str, arguments: Sequence[Any]) -> str:
        """Write all of it into the module; return the kind of what it returns."""
        for argument, value in zip(self.tree.args.args, arguments, strict=True):
            self.bind(argument.arg, _with(value, self.parameter), changes=self.assigned[argument.arg] > 1)
        self.block(self.tree.body)
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
            "\n".join([head, "entry:", *self.entry, "br label %begin", "begin:", *self.lines, "}"])
        )
        return kind

    def parameter(self, part: Number) -> Number:
        """What the function has in the place of a number that is handed over."""
        self.handed.append(f"{part.kind} %p{len(self.handed)}")
        return Number(part.kind, f"%p{len(self.handed) - 1}")

    # Statements.

    def block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            if self.is_open:
                getattr(self, type(statement).__name__)(statement)

    def Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self.value(node.value)

    def Assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self.assign(target, value)

    def AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            before = self.Name(node.target)
            self.bind(node.target.id, self.combined(type(node.op), before, self.value(node.value)))
        else:
            slot = self.slot_of(node.target)
            self.store(self.combined(type(node.op), self.load(slot), self.value(node.value)), slot)

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
        before = self.names.get(name)
        if isinstance(before, Slot):
            self.store(value, before)
        elif self.assigned[name] > 1 or (isinstance(value, Number) and changes):
            self.names[name] = slot = self.slot(number(value).kind)
            self.store(value, slot)
        else:
            self.names[name] = value

    def If(self, node: ast.If) -> None:
        condition = self.value(node.test)
        if is_static(condition):
            self.block(node.body if condition else node.orelse)
            return
        then, otherwise, after = self.labels(3)
        self.branch(condition, then, otherwise)
        for label, body in ((then, node.body), (otherwise, node.orelse)):
            self.begin(label)
            self.block(body)
            self.end(f"br label %{after}")
        self.begin(after)

    def For(self, node: ast.For) -> None:
        assert isinstance(node.iter, ast.Call)
        assert isinstance(node.target, ast.Name)
        bounds = [self.value(bound) for bound in node.iter.args]
        first, last, step = (0, *bounds, 1) if len(bounds) == 1 else (*bounds, 1)[:3]
        assert not node.orelse
        end = self.text(last, "i64")
        counter, before = self.slot("i64"), self.names.get(node.target.id)
        self.names[node.target.id] = target = before if isinstance(before, Slot) else self.slot("i64")
        self.store(first, counter)
        head, body, following, after = self.labels(4)
        self.begin(head)
        at = self.load(counter)
        comparison = "sgt" if is_static(step) and step < 0 else "slt"
        self.branch(self.write("i1", f"icmp {comparison} i64 {at.text}, {end}"), body, after)
        self.begin(body)
        self.store(at, target)
        self.loop(node.body, following, after)
        self.begin(following)
        self.store(self.write("i64", f"add nsw i64 {self.load(counter).text}, {self.text(step, 'i64')}"), counter)
        self.end(f"br label %{head}")
        self.begin(after)

    def While(self, node: ast.While) -> None:
        assert not node.orelse
        head, body, after = self.labels(3)
        self.begin(head)
        self.branch(self.value(node.test), body, after)
        self.begin(body)
        self.loop(node.body, head, after)
        self.end(f"br label %{head}")
        self.begin(after)

    def loop(self, body: list[ast.stmt], following: str, after: str) -> None:
        self.loops.append((following, after))
        self.block(body)
        self.loops.pop()

    def Break(self, node: ast.Break) -> None:
        self.end(f"br label %{self.loops[-1][1]}")

    def Continue(self, node: ast.Continue) -> None:
        self.end(f"br label %{self.loops[-1][0]}")

    def Return(self, node: ast.Return) -> None:
        assert node.value is not None
        value = number(self.value(node.value))
        self.returned.append((len(self.lines), value))
        self.end("ret")  # of a kind that is known at the end

    # Expressions.

    def value(self, node: ast.expr) -> Any:
        return getattr(self, type(node).__name__)(node)

    def Constant(self, node: ast.Constant) -> Any:
        return node.value

    def Name(self, node: ast.Name) -> Any:
        for names in (self.names, self.function.__globals__, _BUILTINS):
            if node.id in names:
                value = names[node.id]
                return self.load(value) if isinstance(value, Slot) else value
        raise NameError(f"{self.function.__name__} has no {node.id} yet")

    def Attribute(self, node: ast.Attribute) -> Any:
        return getattr(self.value(node.value), node.attr)

    def Tuple(self, node: ast.Tuple) -> Any:
        return tuple(self.value(part) for part in node.elts)

    def Subscript(self, node: ast.Subscript) -> Any:
        array = self.value(node.value)
        if not isinstance(array, View):
            return array[self.value(node.slice)]
        if isinstance(node.slice, ast.Slice):
            begin, end = node.slice.lower, node.slice.upper
            first = self.place(array, 0, self.value(begin)) if begin else 0
            last = self.place(array, 0, self.value(end)) if end else array.shape[0]
            length = number(self.combined(ast.Sub, last, first))
            return View(array.kind, self.rows(array, (first,)), (length, *array.shape[1:]))
        places = self.places(node)
        pointer = self.rows(array, places)
        if len(places) == len(array.shape):
            return self.load(Slot(array.kind, pointer))
        return View(array.kind, pointer, array.shape[len(places) :])

    def slot_of(self, node: ast.expr) -> Slot:
        """Where an entry is kept."""
        assert isinstance(node, ast.Subscript)
        array, places = self.value(node.value), self.places(node)
        assert len(places) == len(array.shape)
        return Slot(array.kind, self.rows(array, places))

    def places(self, node: ast.Subscript) -> tuple[Any, ...]:
        index = self.value(node.slice)
        return index if isinstance(index, tuple) else (index,)

    def UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return not value if is_static(value) else self.write("i1", f"xor i1 {self.truth(value)}, 1")
        assert isinstance(node.op, ast.USub)
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
        slot, (after,) = self.slot("i1"), self.labels(1)
        for operand in node.values:
            truth = Number("i1", self.truth(self.value(operand)))
            self.store(truth, slot)
            (following,) = self.labels(1)
            self.branch(truth, *((following, after) if isinstance(node.op, ast.And) else (after, following)))
            self.begin(following)
        self.begin(after)
        return self.load(slot)

    def IfExp(self, node: ast.IfExp) -> Any:
        condition = self.value(node.test)
        if is_static(condition):
            return self.value(node.body if condition else node.orelse)
        then, otherwise, after = self.labels(3)
        self.branch(condition, then, otherwise)
        ends = []
        for label, part in ((then, node.body), (otherwise, node.orelse)):
            self.begin(label)
            ends.append((_numbers(self.value(part)), len(self.lines)))
            self.end("br")  # when the kind of both is known
        kinds = [meeting(*both) for both in zip(*(_parts(value) for value, _ in ends), strict=True)]
        slots, lines = [self.slot(kind) for kind in kinds], self.lines
        for value, line in reversed(ends):
            self.lines = []
            for part_, slot in zip(_parts(value), slots, strict=True):
                self.store(part_, slot)
            lines[line : line + 1] = [*self.lines, f"br label %{after}"]
        self.lines = lines
        self.begin(after)
        waiting = iter(slots)
        return _with(ends[0][0], lambda _: self.load(next(waiting)))

    def Call(self, node: ast.Call) -> Any:
        function, arguments = self.value(node.func), [self.value(argument) for argument in node.args]
        if function is apart:
            return self.attributes.append("noinline")
        if function is wide:
            return self.attributes.append('"prefer-vector-width"="512"')
        if isinstance(function, MethodType):  # of a tuple
            return function(*arguments, **{str(keyword.arg): self.value(keyword.value) for keyword in node.keywords})
        if function is call_step:
            return self.call_step(*arguments)
        if function is len:
            return arguments[0].shape[0]
        if function in (abs, math.sqrt):
            kind = number(arguments[0]).kind if function is abs else "double"
            name = f"@llvm.{'fabs' if function is abs else 'sqrt'}.f{32 if kind == 'float' else 64}"
            return self.write(kind, f"call {kind} {name}({kind} {self.text(arguments[0], kind)})")
        if function is min:
            if all(map(is_static, arguments)):
                return min(arguments)
            first, second = (self.text(argument, "i64") for argument in arguments)
            is_less = self.write("i1", f"icmp slt i64 {second}, {first}")
            return self.write("i64", f"select i1 {is_less.text}, i64 {second}, i64 {first}")
        line, kind = self.module.call(function, arguments)
        return self.lines.append(line) if kind == "void" else self.write(kind, line)

    def call_step(self, pair: Any, *arguments: Any) -> None:
        """Call numba's machine code of a step as numba does, and keep what it tells of an error."""
        result, error = self.slot("ptr"), self.slot("ptr")
        self.lines.append(f"store ptr null, ptr {error.pointer}")
        address = self.write("ptr", f"inttoptr i64 {pair.step.text} to ptr")
        handed = [f"ptr {result.pointer}", f"ptr {error.pointer}", *self.as_numba((pair, *arguments))]
        status = self.write("i32", f"call i32 {address.text}({', '.join(handed)})")
        self.lines.append(f"call void @gdfast.keep(ptr %record, i32 {status.text}, ptr {self.load(error).text})")
