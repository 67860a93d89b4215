"""Functions read as syntax trees, written as LLVM's assembly: see `gdfast.kernels.loops` for what they may have."""

import ast
from collections.abc import Sequence
from types import FunctionType
from typing import Any

from gdfast.kernels.loops.expressions import Expressions
from gdfast.kernels.loops.reading import is_negated, takes_places
from gdfast.kernels.loops.scopes import Given, Kept, Loop, Scope, common, kind_of, shape_of
from gdfast.kernels.loops.values import Number, is_static, meeting, number, numbers, parts, spelled, with_parts


class Module:
    """The functions of one kernel, each written once for each kind of arguments."""

    def __init__(self, is_checked: bool = False) -> None:
        self.is_checked = is_checked
        self.texts: list[str] = []
        self.declared: dict[str, str] = {}
        self._known: dict[Any, tuple[str, str]] = {}

    def loop_of_few_rounds(self) -> str:
        """What tells LLVM so of another loop."""
        name = f"!{3 + sum(key.startswith('!') for key in self.declared)}"
        self.declared[name] = f"{name} = distinct !{{{name}, !1, !2}}"
        return name

    def function(self, function: FunctionType, arguments: Sequence[Any]) -> tuple[str, str]:
        """Write a function for such arguments; return its name, and the kind of what it returns."""
        key = function, kind_of(tuple(arguments))
        if key not in self._known:
            name = f"{function.__name__}.{len(self._known)}"
            self._known[key] = name, ""
            self._known[key] = name, _Function(self, function).define(name, arguments)
        if not self._known[key][1]:
            raise TypeError(f"{function.__name__} calls itself")
        return self._known[key]

    def call(self, function: FunctionType, arguments: Sequence[Any]) -> tuple[str, str]:
        """The call of a function, which is written for it, and the kind of what it returns."""
        name, kind = self.function(function, arguments)
        handed = ", ".join(["ptr %record", *(f"{part.type} {part.text}" for part in parts(tuple(arguments)))])
        return f'call {spelled(kind)} @"{name}"({handed})', kind


class _Function(Expressions):
    """A function while it is written; methods are named after the nodes of the tree that they read."""

    def __init__(self, module: Module, function: FunctionType) -> None:
        super().__init__(module, Scope(function))
        self.is_checked = module.is_checked
        self.handed = ["ptr %record"]  # of the call from Python
        self.attributes = ["nounwind"]
        self.inside: list[FunctionType] = []  # the functions that are being written here, each within the one before
        self.returned: list[tuple[int, Number]] = []  # in which lines
        self.is_independent = self.has_few = False  # what is told of the loop that is being written

    def define(self, name: str, arguments: Sequence[Any]) -> str:
        """Write all of it into the module; return the kind of what it returns."""
        tree = self.scope.tree
        for argument, value in zip(tree.args.args, arguments, strict=True):
            self.bind(argument.arg, with_parts(value, self.parameter), changes=self.scope.assigned[argument.arg] > 1)
        self.block(tree.body)
        values = [value for _, value in self.returned]
        if values and "ret void" in self.lines:
            raise TypeError(f"{self.scope.function.__name__} returns a number or nothing")
        kind = values[0].kind if values else "void"
        for value in values[1:]:
            kind = meeting(Number(kind, ""), value)
        self.end(f"ret {spelled(kind)} zeroinitializer" if values else "ret void")  # what returns None gives nothing
        for line, value in reversed(self.returned):
            lines, self.lines = self.lines, []
            text = self.text(value, kind)
            lines[line : line + 1] = [*self.lines, f"ret {spelled(kind)} {text}"]
            self.lines = lines
        head = f'define internal {spelled(kind)} @"{name}"({", ".join(self.handed)}) {" ".join(self.attributes)} {{'
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
        if function in self.inside:
            raise TypeError(f"{function.__name__} calls itself")
        self.inside.append(function)
        outer, self.scope = self.scope, Scope(function)
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
        self.inside.pop()
        return value

    # Statements.

    def block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            if self.is_open:
                self.read(statement)

    def Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
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
        if self.scope.given is not None:
            self.scope.given |= {name}
        before = names.get(name)
        if isinstance(before, Kept):
            fits = shape_of(before.value) == shape_of(value)
            region = self.regions[-1]
            if fits and (before.region != region or kind_of(before.value) == kind_of(numbers(value))):
                for part, slot in zip(parts(numbers(value)), before.slots, strict=True):
                    if part.type != "ptr" and meeting(Number(slot.kind, ""), part) != slot.kind:
                        raise TypeError(f"a number of {part.kind} is no {slot.kind}, as {name} was before")
                    self.store(part, slot)
                return
            if before.region != region:
                inside = self.regions[self.regions.index(before.region) + 1 if before.region in self.regions else 1 :]
                if any((name, region) in self.scope.read for region in inside):
                    raise TypeError(f"{name} of {self.scope.function.__name__} is of another type here than before")
                self.passing[-1].append((self.scope, name))
        if self.scope.assigned[name] > 1 or (isinstance(value, Number) and changes):
            value = numbers(value)
            kept = names[name] = Kept(value, [self.slot(part.kind) for part in parts(value)], self.regions[-1])
            for part, slot in zip(parts(value), kept.slots, strict=True):
                self.store(part, slot)
        else:
            names[name] = value

    def If(self, node: ast.If) -> None:
        condition = self.condition(node.test)
        if is_static(condition):
            self.block(node.body if condition else node.orelse)
            return
        then, otherwise, after = self.labels(3)
        self.branch(condition, then, otherwise)
        before, ends = self.scope.given, []
        for label, body in ((then, node.body), (otherwise, node.orelse)):
            self.begin(label)
            self.scope.given = before
            with self.elsewhere():
                self.block(body)
            self.end(f"br label %{after}")
            ends.append(self.scope.given)
        self.scope.given = common(ends)
        self.begin(after)

    def For(self, node: ast.For) -> None:
        assert isinstance(node.target, ast.Name), "a loop with several counters"
        assert not node.orelse, "an `else` of a loop"
        assert isinstance(node.iter, ast.Call), "a loop over what is no range"
        assert self.value(node.iter.func) is range, "a loop over what is no range"
        assert not node.iter.keywords, "arguments by name"
        bounds = [self.value(bound) for bound in node.iter.args]
        first, last, step = (0, *bounds, 1) if len(bounds) == 1 else (*bounds, 1)[:3]
        if is_static((first, last, step)) and takes_places(node, self.is_tuple):
            self.written_out(node, range(first, last, step))
            return
        assert not is_static(step) or step, "a step of 0"
        end = self.text(last, "i64")
        counter = self.slot("i64")
        self.store(first, counter)
        head, body, following, after = self.labels(4)
        self.begin(head)
        at = self.load(counter)
        is_down = step < 0 if is_static(step) else is_negated(node.iter.args[-1])
        comparison = "sgt" if is_down else "slt"
        self.branch(self.write("i1", f"icmp {comparison} i64 {at.text}, {end}"), body, after)
        self.begin(body)
        before = self.scope.given  # and all that has a value behind the loop, of which no round may be run
        with self.elsewhere():
            self.bind(node.target.id, at)
            self.loop(node.body, following, after)
        self.scope.given = before
        self.begin(following)
        self.store(self.write("i64", f"add nsw i64 {self.load(counter).text}, {self.text(step, 'i64')}"), counter)
        if self.is_independent:
            self.mark()
        told = f", !llvm.loop {self.module.loop_of_few_rounds()}" if self.has_few else ""
        self.is_independent = self.has_few = False
        self.end(f"br label %{head}{told}")
        self.begin(after)

    def written_out(self, node: ast.For, places: range) -> None:
        """Write the body of a loop for each value of its counter."""
        assert isinstance(node.target, ast.Name)
        name, names = node.target.id, self.scope.names
        may_end = any(isinstance(part, ast.Continue | ast.Break) for part in ast.walk(node))
        for statement in node.body:  # what may be assigned in some rounds only is of several values
            if may_end or isinstance(statement, ast.If | ast.For | ast.While):
                for part in ast.walk(statement):
                    if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                        self.scope.assigned[part.id] += 1
        (after,) = self.labels(1)
        ended: list[Given] = []
        for place in places:
            self.bind(name, number(place))  # for what reads it behind the loop
            kept = names[name]
            if not may_end:
                names[name] = place
                self.block(node.body)
            else:
                (following,) = self.labels(1)
                with self.elsewhere():
                    names[name] = place
                    loop = self.loop(node.body, following, after)
                self.scope.given = common([self.scope.given, *loop.continued])
                ended += loop.ended
                self.begin(following)
            if names[name] is not place:
                raise TypeError(f"{name} of {self.scope.function.__name__} is assigned in its own loop")
            names[name] = kept
        if may_end:
            self.scope.given = common([self.scope.given, *ended])
            self.begin(after)

    def is_tuple(self, name: str) -> bool:
        """Whether a name stands for a tuple."""
        value = self.scope.names.get(name, self.scope.function.__globals__.get(name))
        return isinstance(value.value if isinstance(value, Kept) else value, tuple)

    def While(self, node: ast.While) -> None:
        assert not node.orelse, "an `else` of a loop"
        head, body, after = self.labels(3)
        self.begin(head)
        with self.elsewhere():
            condition = self.condition(node.test)
            self.branch(condition, body, after)
            before = None if is_static(condition) and condition else self.scope.given
            self.begin(body)
            loop = self.loop(node.body, head, after)
        self.scope.given = common([before, *loop.ended])
        self.end(f"br label %{head}")
        self.begin(after)

    def loop(self, body: list[ast.stmt], following: str, after: str) -> Loop:
        loop = Loop(following, after)
        self.scope.loops.append(loop)
        self.block(body)
        return self.scope.loops.pop()

    def Break(self, node: ast.Break) -> None:
        loop = self.scope.loops[-1]
        loop.ended.append(self.scope.leave())
        self.end(f"br label %{loop.after}")

    def Continue(self, node: ast.Continue) -> None:
        loop = self.scope.loops[-1]
        loop.continued.append(self.scope.leave())
        self.end(f"br label %{loop.following}")

    def Return(self, node: ast.Return) -> None:
        if node.value is None:
            self.end("ret void")
        else:
            value = number(self.value(node.value))
            self.returned.append((len(self.lines), value))
            self.end("ret")  # of a kind that is known at the end
        self.scope.leave()
