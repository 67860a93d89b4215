"""Functions as people write them, brought into the grammar of formulas.

What is written otherwise, but can be nothing else, is translated when a formula is made, before it is checked:

* numbers from outside, of the module, of an enclosing function or of another module, become numbers;
* powers with a whole or half exponent become products, by repeated squaring, and roots; ``x**4`` is the square of
  ``x*x``, in every reading the same;
* ``abs``, ``max``, ``min`` and the functions of `math` and NumPy become those of `gdfast.formulas.elementary`;
* ``a if x < 1 else b``, ``and``, ``or``, ``not`` and ``0 < x < 1`` become `select` and ``&``, ``|``;
* ``m += g``, ``m: float = g``, ``a = b = g`` and ``a, b = b, a`` become plain assignments; annotations are left out;
* calls of other functions that can be read are replaced by their text.

What is not known here is left as it is, for `gdfast.formulas.grammar` to refuse with the line where it stands.
"""

import ast
import itertools
import math
import numbers
from collections.abc import Callable, Iterable, Sequence
from types import FunctionType, ModuleType
from typing import Any, NoReturn

import numpy as np

from gdfast.arguments import shown
from gdfast.formulas import elementary, vectors
from gdfast.formulas.grammar import GrammarError, check
from gdfast.formulas.matrices import FUNCTIONS
from gdfast.formulas.outside import NOTHING, outside, underlying
from gdfast.formulas.source import definition_of

_LARGEST_EXPONENT = 64
_MOST_CALLS = 500  # of functions that are replaced by their text

_KNOWN: dict[Any, str] = {getattr(elementary, name): name for name in elementary.__all__}
_KNOWN |= {abs: "absolute", max: "maximum", min: "minimum", math.fabs: "absolute", np.fabs: "absolute"}
_KNOWN |= {np.where: "select", np.absolute: "absolute", np.maximum: "maximum", np.minimum: "minimum", np.sign: "sign"}
for _name in ["cos", "cosh", "exp", "log", "log10", "log1p", "log2", "sin", "sinh", "sqrt", "tan", "tanh"]:
    _KNOWN |= {getattr(math, _name): _name, getattr(np, _name): _name}
for _name in ("asin", "acos", "atan"):
    _KNOWN |= {getattr(math, _name): _name, getattr(np, f"arc{_name[1:]}"): _name}
_KNOWN |= {math.erf: "erf"}
_KNOWN |= {getattr(vectors, name): name for name in vectors.__all__}
_KNOWN |= {function: name for name, function in FUNCTIONS.items()}
"""Functions that are one of `gdfast.formulas.elementary`, of `gdfast.formulas.vectors` or of matrices."""

_POWERS = (pow, math.pow, np.power)


def translated(function: Callable[..., Any]) -> tuple[ast.FunctionDef, dict[str, float]]:
    """Return a function in the grammar, as far as it can be brought into it, and the numbers from outside in it.

    Raises
    ------
    GrammarError
        If its source, or that of a function that it calls, cannot be read, or it calls itself.

    Examples
    --------
    >>> from gdfast.formulas.formula import from_text
    >>> tree, _ = translated(from_text("def loss(x): return (x - 1)**4"))
    >>> print(ast.unparse(tree))
    def loss(x):
        p0 = x - 1
        p1 = p0 * p0
        return p1 * p1
    """
    return _Translation(function, ()).whole()


class _Translation:
    """Of one function.

    Parameters
    ----------
    function : callable
        What is translated.
    within : tuple of callable
        The functions by whose calls it is reached.
    """

    def __init__(self, function: Callable[..., Any], within: Sequence[Callable[..., Any]]) -> None:
        function = underlying(function)
        self.function, self.within = function, (*within, function)
        self.definition = definition_of(function)
        self.constants: dict[str, float] = {}
        self.lines: list[ast.stmt] = []
        arguments = [argument.arg for argument in self.definition.args.args]
        self.own = {*arguments, *_assigned(self.definition)}
        taken = {*self.own, *elementary.__all__}
        self.fresh = (name for name in (f"p{i}" for i in itertools.count()) if name not in taken)
        self.renamed: dict[str, str] = {}
        self.calls = itertools.count(1)

    def whole(self) -> tuple[ast.FunctionDef, dict[str, float]]:
        definition = self.definition
        for argument in definition.args.args:
            argument.annotation = None
        definition.args.defaults = []  # whoever calls it gives all arguments
        definition.returns = None
        self.body(definition.body)
        definition.body = self.lines or [ast.Pass()]
        return ast.fix_missing_locations(definition), self.constants

    def body(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            for line in self.statement(statement):
                self.lines.append(ast.copy_location(line, statement))

    def statement(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements that one becomes, after those that it needs before."""
        match statement:
            case ast.Expr(value=ast.Constant()) | ast.Pass() | ast.AnnAssign(value=None):
                return []
            case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
                return [ast.Assign([self.name_of(target)], self.expression(value))]
            case ast.AugAssign(target=ast.Name(id=name) as target, op=operator, value=value):
                sum_ = ast.copy_location(ast.BinOp(ast.Name(name, ast.Load()), operator, value), statement)
                return [ast.Assign([self.name_of(target)], self.expression(sum_))]
            case ast.Assign(targets=targets, value=value) if all(isinstance(t, ast.Name) for t in targets):
                first, *others = map(self.name_of, reversed(targets))
                copies = [ast.Assign([other], ast.Name(first.id, ast.Load())) for other in others]
                return [ast.Assign([first], self.expression(value)), *copies]
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=value) if all(
                isinstance(n, ast.Name) for n in names
            ):
                parts = self.several(value)
                if len(parts) == len(names):
                    kept = [self.kept(part, always=True) for part in parts]
                    return [ast.Assign([self.name_of(n)], part) for n, part in zip(names, kept, strict=True)]
            case ast.Return(value=ast.expr() as value):
                parts = self.several(value)
                alone = len(parts) == 1 and not isinstance(value, ast.Tuple)
                return [ast.Return(parts[0] if alone else ast.Tuple(parts, ast.Load()))]
        return [statement]

    def several(self, value: ast.expr) -> list[ast.expr]:
        """The values of a tuple, or of a call of a function that returns one; else the only value."""
        if isinstance(value, ast.Tuple):
            return [self.nested(part) for part in value.elts]
        if isinstance(value, ast.Call):
            function = self.meaning(value.func)
            if self.is_own(function):
                return self.inlined(value, function)
        return [self.expression(value)]

    def nested(self, value: ast.expr) -> ast.expr:
        if isinstance(value, ast.Tuple):
            return ast.copy_location(ast.Tuple([self.nested(part) for part in value.elts], ast.Load()), value)
        return self.expression(value)

    def name_of(self, target: ast.expr) -> ast.Name:
        assert isinstance(target, ast.Name)
        return ast.Name(self.renamed.get(target.id, target.id), ast.Store())

    def expression(self, node: ast.expr) -> ast.expr:
        """The same in the grammar."""
        return ast.copy_location(self._expression(node), node)

    def _expression(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.Name(id=name) if name in self.own:
                return ast.Name(self.renamed.get(name, name), ast.Load())
            case ast.Name() | ast.Attribute():
                return self.number(node)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self.power(node, left, right)
            case ast.BinOp(left=left, op=operator, right=right):
                return ast.BinOp(self.expression(left), operator, self.expression(right))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                no, yes = ast.Constant(0.0), ast.Constant(1.0)
                return ast.Compare(
                    _call("select", [self.expression(operand), no, yes]), [ast.Eq()], [ast.Constant(1.0)]
                )
            case ast.UnaryOp(op=operator, operand=operand):
                return ast.UnaryOp(operator, self.expression(operand))
            case ast.BoolOp(op=operator, values=values):
                joint = ast.BitAnd() if isinstance(operator, ast.And) else ast.BitOr()
                return self.joined(joint, [self.expression(value) for value in values])
            case ast.Compare(left=left, ops=operators, comparators=right):
                sides = [self.expression(side) for side in (left, *right)]
                if len(operators) > 1:
                    sides = [self.kept(side) for side in sides]
                pairs = [
                    ast.copy_location(ast.Compare(a, [operator], [b]), node)
                    for operator, a, b in zip(operators, sides, sides[1:], strict=False)
                ]
                return self.joined(ast.BitAnd(), pairs)
            case ast.IfExp(test=condition, body=yes, orelse=no):
                return _call("select", [self.expression(part) for part in (condition, yes, no)])
            case ast.Call(func=function, args=values, keywords=named):
                return self.call(node, self.meaning(function), values, named)
        return node

    def joined(self, operator: ast.operator, parts: Sequence[ast.expr]) -> ast.expr:
        total, *others = parts
        for part in others:
            total = ast.copy_location(ast.BinOp(total, operator, part), part)
        return total

    def call(self, node: ast.Call, function: Any, values: Sequence[ast.expr], named: Sequence[ast.keyword]) -> ast.expr:
        if self.is_own(function):
            results = self.inlined(node, function)
            if len(results) != 1:
                self.refuse(node, f"it returns {len(results)} values; take them apart first, a, b = …")
            return results[0]
        if named:
            return node
        name = _known(function)
        if function in _POWERS and len(values) == 2:
            return self.power(node, *values)
        parts = [self.expression(value) for value in values]
        if function is np.square and len(parts) == 1:
            base = self.kept(parts[0])
            return ast.BinOp(base, ast.Mult(), base)
        if function is np.clip and len(parts) == 3:
            return _call("minimum", [_call("maximum", parts[:2]), parts[2]])
        if name in ("maximum", "minimum") and len(parts) > 2:
            total = parts[0]
            for part in parts[1:]:
                total = ast.copy_location(_call(name, [total, part]), node)
            return total
        return ast.Call(ast.Name(name, ast.Load()) if name else node.func, parts, [])

    def number(self, node: ast.expr) -> ast.expr:
        """A number from outside; anything else as it is."""
        number = _number(self.meaning(node))
        if number is None:
            return node
        if not isinstance(number, bool):
            self.constants[ast.unparse(node)] = number
        return ast.Constant(number)

    def meaning(self, node: ast.expr) -> Any:
        """What a name stands for outside of the function, `NOTHING` for nothing."""
        match node:
            case ast.Name(id=name) if name not in self.own:
                return outside(self.function, name)
            case ast.Attribute(value=of, attr=name):
                module = self.meaning(of)
                return getattr(module, name, NOTHING) if isinstance(module, ModuleType) else NOTHING
        return NOTHING

    @staticmethod
    def is_own(function: Any) -> bool:
        """Whether something is a function whose text takes the place of its call."""
        return isinstance(underlying(function), FunctionType) and not _known(function)

    def inlined(self, node: ast.Call, function: Any) -> list[ast.expr]:
        """What a function returns, whose statements go before."""
        function = underlying(function)
        if function in self.within:
            self.refuse(node, "a function that calls itself has no end here")
        inner = _Translation(function, self.within)
        number = next(self.calls)
        if number > _MOST_CALLS:
            self.refuse(node, f"it has more than {_MOST_CALLS} calls of other functions")
        _checked(function, self.within)
        names = [argument.arg for argument in inner.definition.args.args]
        given = dict(zip(names, node.args, strict=False)) | {word.arg: word.value for word in node.keywords if word.arg}
        defaults = dict(zip(names[::-1], (function.__defaults__ or ())[::-1], strict=False))
        extra = inner.definition.args
        plain = not (extra.vararg or extra.kwarg or extra.kwonlyargs or extra.posonlyargs)
        if not plain or len(node.args) > len(names) or {*given} - {*names} or {*names} - {*given, *defaults}:
            self.refuse(node, f"{function.__name__} takes {', '.join(names) or 'nothing'}, by plain arguments")
        # Its names get new ones, which no other part has.
        inner.fresh, inner.calls, inner.lines, inner.constants = self.fresh, self.calls, self.lines, self.constants
        values = {n: self.expression(given[n]) if n in given else self.default(node, n, defaults[n]) for n in names}
        inner.renamed = {name: next(self.fresh) for name in sorted(inner.own)}
        for name, value in values.items():
            target = ast.Name(inner.renamed[name], ast.Store())
            self.lines.append(ast.copy_location(ast.Assign([target], value), node))
        *before, last = inner.definition.body
        inner.body(before)
        assert isinstance(last, ast.Return)
        assert last.value is not None
        return [ast.copy_location(part, node) for part in inner.several(last.value)]

    def default(self, node: ast.expr, name: str, value: Any) -> ast.expr:
        """The default of an argument, which must be a number: as Python keeps it, whatever its text means by now."""
        number = _number(value)
        if number is None:
            self.refuse(node, f"the default of {name}, {shown(value)}, is no number")
        return ast.Constant(number)

    def power(self, node: ast.expr, left: ast.expr, right: ast.expr) -> ast.expr:
        """A power with a whole or half exponent as a product; any other as it is, to be refused."""
        base, exponent = self.expression(left), self.expression(right)
        number, other = _value(exponent), _value(base)
        if number is None:
            return ast.BinOp(base, ast.Pow(), exponent)
        if other is not None:
            try:
                return ast.Constant(float(other**number))
            except (ArithmeticError, TypeError, ValueError):
                self.refuse(node, "this power is no number that a float64 holds")
        if not (2 * number).is_integer() or abs(number) > _LARGEST_EXPONENT:
            return ast.BinOp(base, ast.Pow(), exponent)
        base = self.kept(base)
        size, half = divmod(abs(number), 1)
        product = self.product(base, int(size)) if size or not half else None
        if half:
            root = _call("sqrt", [base])
            product = ast.BinOp(product, ast.Mult(), root) if product else root
        assert product is not None
        return ast.BinOp(ast.Constant(1.0), ast.Div(), product) if number < 0 else product

    def product(self, base: ast.expr, exponent: int) -> ast.expr:
        if exponent < 2:
            return base if exponent else ast.Constant(1.0)
        if exponent % 2:
            return ast.BinOp(self.product(base, exponent - 1), ast.Mult(), base)
        half = self.kept(self.product(base, exponent // 2))
        return ast.BinOp(half, ast.Mult(), half)

    def kept(self, value: ast.expr, always: bool = False) -> ast.expr:
        """A value that is used several times, under a name of its own."""
        if isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and not always):
            return value
        name = next(self.fresh)
        self.lines.append(ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], value), value))
        return ast.Name(name, ast.Load())

    def refuse(self, node: ast.AST, reason: str) -> NoReturn:
        line, code = getattr(node, "lineno", 1), ast.unparse(node).splitlines()[0]
        raise GrammarError(f"{self.definition.name}, line {line} ({code!r}): {reason}")


def _checked(function: Callable[..., Any], within: Sequence[Callable[..., Any]]) -> None:
    """Refuse a function that is called and is not in the grammar, by its own name and lines."""
    translation = _Translation(function, within)
    definition, *_ = translation.whole()
    last = definition.body[-1]
    value = last.value if isinstance(last, ast.Return) else None
    check(definition, len(value.elts) if isinstance(value, ast.Tuple) else 1, of_vectors=True)


def _call(name: str, values: Sequence[ast.expr]) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(values), [])


def _number(value: Any) -> float | None:
    """A finite number as Python's own, None if it is none."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, numbers.Real) and math.isfinite(value):
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    return None


def _value(node: ast.expr) -> float | None:
    """The number that an expression is, None if it is none."""
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value) if abs(value) < 1e308 else None
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            number = _value(operand)
            return None if number is None else -number
    return None


def _known(function: Any) -> str:
    try:
        return _KNOWN.get(function, "")
    except TypeError:  # what cannot be hashed is none of them
        return ""


def _assigned(definition: ast.FunctionDef) -> set[str]:
    names = set()
    for node in ast.walk(definition):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names
