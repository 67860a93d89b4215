"""Formulas as JavaScript: a function is run on numbers that write down what is done with them.

JavaScript's ``+ - * /`` and ``Math.sqrt`` are those of IEEE 754 in double precision, each rounded on its own, and
nothing may be contracted; so what is written here has the bits of the reference and of the kernel. In single precision
every result is rounded by ``Math.fround``, which is exact for these operations. Integers of 64 bits, which the lanes'
elementary functions and noise take numbers apart with, are pairs of 32 bits, the high one first.

The text needs, in its scope, ``F``, a ``Float64Array`` of one number, ``I``, the ``Int32Array`` of its bits (the low
half first), and ``product_high(a, b)``, the upper 32 bits of the product of two unsigned integers of 32 bits.
"""

import ast
import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gdfast.formulas.formula import Formula

_TWO_32 = 4294967296.0


class NotWrittenError(ValueError):
    """A function does something that cannot be written down, such as to choose its way by a number."""


class Script:
    """Lines of JavaScript under way, in which no value is computed twice.

    Parameters
    ----------
    real : {"float64", "float32"}
        The type that results are rounded to.
    functions : mapping, optional
        More that is called on numbers, by name; it is handed the script first.

    Examples
    --------
    >>> script = Script()
    >>> result = script.argument("x") * 2 + 1
    >>> print(script.body(""), result.text)
    const v1 = x * 2.0;
    const v2 = v1 + 1.0;
     v2
    """

    def __init__(self, real: str = "float64", functions: Mapping[str, Callable[..., Any]] | None = None) -> None:
        self.real, self.lines, self.functions = real, list[str](), functions or {}
        self._seen: dict[Any, Any] = {}
        self._count = 0

    def name(self) -> str:
        """A name that has not been used."""
        self._count += 1
        return f"v{self._count}"

    def once(self, text: str, kind: str = "real", before: str = "") -> "Number":
        """The number that an expression is, computed where it is first asked for, after what stands `before`."""
        if (before, text) not in self._seen:
            name = self.name()
            self.lines.append(f"{before}const {name} = {text};")
            self._seen[before, text] = Number(self, kind, (name,))
        found: Number = self._seen[before, text]
        return found

    def rounded(self, text: str) -> "Number":
        """The same, rounded to the type of the script."""
        return self.once(text if self.real == "float64" else f"Math.fround({text})")

    def pair(self, high: str, low: str, kind: str, before: str = "") -> "Number":
        """The integer of these halves; `before` is what must be done just before they are read."""
        key = (high, low, before)
        if key not in self._seen:
            names = self.name(), self.name()
            self.lines.append(f"{before}const {names[0]} = {high}, {names[1]} = {low};")
            self._seen[key] = Number(self, kind, names)
        found: Number = self._seen[key]
        return found

    def number(self, value: Any) -> "Number":
        """A constant; a whole number too is one of the type."""
        if isinstance(value, Number):
            return value
        if isinstance(value, bool | np.bool_):
            return Number(self, "bool", ("true" if value else "false",))
        with np.errstate(over="ignore"):
            return Number(self, "real", (written(float(getattr(np, self.real)(value))),))

    def integer(self, value: Any, kind: str) -> "Number":
        """A constant integer of 64 bits."""
        bits = int(value) & (2**64 - 1)
        halves = ((half + 2**31) % 2**32 - 2**31 for half in (bits >> 32, bits & (2**32 - 1)))
        return Number(self, kind, tuple(map(str, halves)))

    def argument(self, name: str) -> "Number":
        """A number that the text has under a name."""
        return Number(self, "real", (name,))

    def body(self, indent: str = "  ") -> str:
        """The lines so far."""
        return "".join(f"{indent}{line}\n" for line in self.lines)


def written(value: float) -> str:
    """Return a number as JavaScript reads it to the same bits."""
    return "NaN" if math.isnan(value) else repr(value).replace("inf", "Infinity")


class Number:
    """A value of a script: ``real``, ``bool``, ``int`` or ``unsigned``, the last two of 64 bits.

    Parameters
    ----------
    script : Script
        Where operations on it are written.
    kind : str
        What it is.
    code : tuple of str
        Its text; of integers those of the high and the low half.
    """

    def __init__(self, script: Script, kind: str, code: tuple[str, ...]) -> None:
        self.script, self.kind, self.code = script, kind, code

    @property
    def text(self) -> str:
        """As a number."""
        return self.real().code[0]

    def real(self) -> "Number":
        """The same as a number: a comparison is 1 or 0."""
        if self.kind == "bool":
            return self.script.once(f"{self.code[0]} ? 1 : 0")
        if self.kind in ("int", "unsigned"):
            high = f"({self.code[0]} >>> 0)" if self.kind == "unsigned" else self.code[0]
            return self.script.once(f"{high} * {_TWO_32} + ({self.code[1]} >>> 0)")
        return self

    def bits(self) -> "Number":
        """The bits of the number, in double precision."""
        return self.script.pair("I[1]", "I[0]", "int", f"F[0] = {self.text}; ")

    def from_bits(self) -> "Number":
        """The number that has these bits."""
        return self.script.once("F[0]", before=f"I[0] = {self.code[1]}; I[1] = {self.code[0]}; ")

    def whole(self, kind: str = "int") -> "Number":
        """A number from 0 up to but not including 2⁶³, without its fraction, as an integer."""
        high = self.script.once(f"Math.floor({self.text} / {_TWO_32})").text
        return self.script.pair(f"{high} | 0", f"({self.text} - {high} * {_TWO_32}) | 0", kind)

    def condition(self) -> "Number":
        """The same as true or false."""
        if self.kind in ("int", "unsigned"):
            return self.script.once(f"({self.code[0]} | {self.code[1]}) !== 0", "bool")
        return self

    def _both(self, other: Any) -> tuple[str, str]:
        other = other if isinstance(other, Number) else self.script.number(other)
        return _bracketed(self.text), _bracketed(other.text)

    def _combined(self, sign: str, other: Any, swapped: bool = False) -> "Number":
        if self.kind in ("int", "unsigned") and _is_whole(other):
            return self._integer(sign, other, swapped)
        one, two = self._both(other)
        return self.script.rounded(f"{two} {sign} {one}" if swapped else f"{one} {sign} {two}")

    def _integer(self, sign: str, other: Any, swapped: bool) -> "Number":
        other = other if isinstance(other, Number) else self.script.integer(other, self.kind)
        (a, b), (c, d) = (other.code, self.code) if swapped else (self.code, other.code)
        if sign in ("&", "|", "^"):
            return self.script.pair(f"{a} {sign} {c}", f"{b} {sign} {d}", self.kind)
        if sign == "*":
            high = f"(product_high({b}, {d}) + Math.imul({b}, {c}) + Math.imul({a}, {d})) | 0"
            return self.script.pair(high, f"Math.imul({b}, {d})", self.kind)
        low = self.script.once(f"({b} {sign} {_bracketed(d)}) | 0").text
        over = f"({low} >>> 0) < ({b} >>> 0)" if sign == "+" else f"({b} >>> 0) < ({d} >>> 0)"
        return self.script.pair(f"({a} {sign} {_bracketed(c)} {sign} ({over} ? 1 : 0)) | 0", low, self.kind)

    def _shifted(self, by: int, left: bool) -> "Number":
        high, low, by = *self.code, int(by)
        if by == 0:
            return self
        fill = "0" if self.kind == "unsigned" else f"{high} >> 31"
        right = ">>>" if self.kind == "unsigned" else ">>"
        if left:
            halves = (f"{low} << {by - 32}", "0") if by >= 32 else (f"({high} << {by}) | ({low} >>> {32 - by})", "")
            return self.script.pair(halves[0], halves[1] or f"{low} << {by}", self.kind)
        if by >= 32:
            return self.script.pair(fill, f"{high} {right} {by - 32}", self.kind)
        return self.script.pair(f"{high} {right} {by}", f"({low} >>> {by}) | ({high} << {32 - by})", self.kind)

    def _compared(self, sign: str, other: Any) -> "Number":
        if self.kind in ("int", "unsigned"):  # with a small number, as in (n & 1) == 1
            return self.script.once(f"{self.code[1]} {sign} {int(other)}", "bool")
        one, two = self._both(other)
        return self.script.once(f"{one} {sign} {two}", "bool")

    def _joined(self, sign: str, other: Any) -> "Number":
        if self.kind in ("int", "unsigned"):
            return self._integer(sign, other, False)
        other = other if isinstance(other, Number) else self.script.number(other)
        return self.script.once(f"{self.code[0]} {sign * 2} {other.code[0]}", "bool")

    def __add__(self, other: Any) -> "Number":
        return self._combined("+", other)

    def __radd__(self, other: Any) -> "Number":
        return self._combined("+", other, True)

    def __sub__(self, other: Any) -> "Number":
        return self._combined("-", other)

    def __rsub__(self, other: Any) -> "Number":
        return self._combined("-", other, True)

    def __mul__(self, other: Any) -> "Number":
        return self._combined("*", other)

    def __rmul__(self, other: Any) -> "Number":
        return self._combined("*", other, True)

    def __truediv__(self, other: Any) -> "Number":
        return self.real()._combined("/", other)

    def __rtruediv__(self, other: Any) -> "Number":
        return self.real()._combined("/", other, True)

    def __pow__(self, other: Any) -> "Number":
        one, two = self._both(other)
        return self.script.rounded(f"rounded_power({one}, {two})")

    def __rpow__(self, other: Any) -> "Number":
        one, two = self._both(other)
        return self.script.rounded(f"rounded_power({two}, {one})")

    def __neg__(self) -> "Number":
        return self.script.once(f"-{_bracketed(self.text)}")

    def __pos__(self) -> "Number":
        return self.real()

    def __abs__(self) -> "Number":
        return self.script.once(f"Math.abs({self.text})")

    def __lt__(self, other: Any) -> "Number":
        return self._compared("<", other)

    def __le__(self, other: Any) -> "Number":
        return self._compared("<=", other)

    def __gt__(self, other: Any) -> "Number":
        return self._compared(">", other)

    def __ge__(self, other: Any) -> "Number":
        return self._compared(">=", other)

    def __eq__(self, other: object) -> "Number":  # type: ignore[override]
        return self._compared("===", other)

    def __ne__(self, other: object) -> "Number":  # type: ignore[override]
        return self._compared("!==", other)

    def __and__(self, other: Any) -> "Number":
        return self._joined("&", other)

    __rand__ = __and__

    def __or__(self, other: Any) -> "Number":
        return self._joined("|", other)

    __ror__ = __or__

    def __xor__(self, other: Any) -> "Number":
        return self._integer("^", other, False)

    def __lshift__(self, by: Any) -> "Number":
        return self._shifted(by, True)

    def __rshift__(self, by: Any) -> "Number":
        return self._shifted(by, False)

    def __invert__(self) -> "Number":
        return self.script.once(f"!{self.code[0]}", "bool")

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise NotWrittenError("what is done must not depend on a number")

    def __float__(self) -> float:
        raise NotWrittenError("a number that is not known yet has no value")

    def __array_ufunc__(self, ufunc: Any, method: str, *given: Any, **more: Any) -> Any:
        """What NumPy does of it: operators, where they stand behind a NumPy number, and what tables of steps take."""
        own = _UFUNCS.get((ufunc.__name__, method))
        if own is None or set(more) - {"out", "where"}:
            raise NotWrittenError(f"numpy.{ufunc.__name__} is not written down")
        given = tuple(each.item() if isinstance(each, np.generic) else each for each in given)
        result = own(self.script, *given)
        where, out = more.get("where", True), more.get("out")
        return result if where is True else choice(where, result, out[0] if isinstance(out, tuple) else out)

    def __array_function__(self, function: Any, types: Any, given: Any, more: Any) -> Any:
        """The same of NumPy's other functions."""
        own = {**_FUNCTIONS, **self.script.functions}.get(function.__name__)
        if own is None or set(more) - {"side"}:
            raise NotWrittenError(f"numpy.{function.__name__} is not written down")
        return own(self.script, *given, **more)

    def astype(self, kind: Any) -> "Number":
        """As a number."""
        return self.real()


def choice(condition: Any, yes: Any, no: Any) -> Any:
    """Return the one value where a condition holds and the other elsewhere; a plain condition chooses at once."""
    if not isinstance(condition, Number):
        return yes if condition else no
    if isinstance(yes, tuple):
        return tuple(choice(condition, *pair) for pair in zip(yes, no, strict=True))
    script, condition = condition.script, condition.condition()
    if any(isinstance(value, Number) and value.kind in ("int", "unsigned") for value in (yes, no)):
        kind = next(value.kind for value in (yes, no) if isinstance(value, Number))
        yes, no = (value if isinstance(value, Number) else script.integer(value, kind) for value in (yes, no))
        test = condition.code[0]
        high, low = (f"{test} ? {a} : {b}" for a, b in zip(yes.code, no.code, strict=True))
        return script.pair(high, low, kind)
    yes, no = (script.number(value).text for value in (yes, no))
    return script.once(f"{condition.code[0]} ? {yes} : {no}")


def _bracketed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _is_whole(value: Any) -> bool:
    return value.kind in ("int", "unsigned") if isinstance(value, Number) else isinstance(value, int | np.integer)


def _called(name: str) -> Callable[..., Number]:
    def call(script: Script, *given: Any) -> Number:
        return script.rounded(f"{name}({', '.join(script.number(value).text for value in given)})")

    return call


def _running(start: str, combined: str) -> Callable[..., Number]:
    """What is made of all values so far, in a text that is run for one step after the other."""

    def call(script: Script, value: Any) -> Number:
        name = f"running[{sum(line.startswith('running') for line in script.lines)}]"
        value = script.number(value).text
        script.lines.append(f"{name} = first ? {value} : {combined.format(name, value)};")
        return script.once(name)

    return call


def _larger(script: Script, a: Any, b: Any) -> Any:
    a, b = script.number(a), script.number(b)
    return choice((a >= b) | (a != a), a, b)


def _smaller(script: Script, a: Any, b: Any) -> Any:
    a, b = script.number(a), script.number(b)
    return choice((a <= b) | (a != a), a, b)


def _searchsorted(script: Script, values: Any, number: Any, side: str = "left") -> Any:
    """How many of some known values stand before a number."""
    total: Any = script.number(0.0)
    for value in np.asarray(values, dtype=np.float64).tolist():
        total = total + choice(number > value if side == "left" else number >= value, 1.0, 0.0)
    return total


_UFUNCS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("add", "__call__"): lambda script, a, b: script.number(a) + b if not _is_whole(b) else b.__radd__(a),
    ("subtract", "__call__"): lambda script, a, b: script.number(a) - b,
    ("multiply", "__call__"): lambda script, a, b: script.number(a) * b if not _is_whole(b) else b.__rmul__(a),
    ("divide", "__call__"): lambda script, a, b: script.number(a) / b,
    ("less", "__call__"): lambda script, a, b: script.number(a) < b,
    ("less_equal", "__call__"): lambda script, a, b: script.number(a) <= b,
    ("greater", "__call__"): lambda script, a, b: script.number(a) > b,
    ("greater_equal", "__call__"): lambda script, a, b: script.number(a) >= b,
    ("absolute", "__call__"): _called("Math.abs"),
    ("sqrt", "__call__"): _called("Math.sqrt"),
    ("floor", "__call__"): _called("Math.floor"),
    ("exp", "__call__"): _called("exp"),
    ("log", "__call__"): _called("log"),
    ("cos", "__call__"): _called("cos"),
    ("power", "__call__"): _called("rounded_power"),
    ("remainder", "__call__"): _called("remainder"),
    ("square", "__call__"): lambda script, a: script.number(a) * a,
    ("hypot", "__call__"): _called("Math.hypot"),
    ("minimum", "__call__"): _smaller,
    ("maximum", "__call__"): _larger,
    ("maximum", "accumulate"): _running("maximum", "Math.max({0}, {1})"),
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "where": lambda script, condition, yes, no: choice(condition, yes, no),
    "clip": lambda script, value, low, high: _smaller(script, _larger(script, value, low), high),
    "full_like": lambda script, like, value: value,
    "ones_like": lambda script, like: script.number(1.0),
    "zeros_like": lambda script, like: script.number(0.0),
    "stack": lambda script, values: tuple(script.number(v.item() if isinstance(v, np.ndarray) else v) for v in values),
    "searchsorted": _searchsorted,
    "cumsum": _running("sum", "{0} + {1}"),
    "cumprod": _running("product", "{0} * {1}"),
}


def trace(formula: Formula, functions: Mapping[str, Callable[..., Any]], script: Script, given: Sequence[Any]) -> Any:
    """Write down a formula.

    Parameters
    ----------
    formula : Formula
        The formula.
    functions : mapping
        What those of `gdfast.formulas.elementary` do with numbers of a script.
    script : Script
        Where to.
    given : sequence of Number
        Its arguments.

    Returns
    -------
    Number or tuple
        What it returns, nested as the formula has it.
    """
    module = ast.fix_missing_locations(ast.Module([_Numbers().visit(copy.deepcopy(formula.tree))], []))
    scope: dict[str, Any] = {**functions, "_number": script.number}
    exec(compile(module, f"<{formula.name} in JavaScript>", "exec"), scope)
    return _all_numbers(script, scope[formula.tree.name](*given))


def _all_numbers(script: Script, value: Any) -> Any:
    return tuple(_all_numbers(script, v) for v in value) if isinstance(value, tuple) else script.number(value).real()


class _Numbers(ast.NodeTransformer):
    """Makes every number a constant of the script's type before anything is computed of it."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Call(ast.Name("_number", ast.Load()), [node], [])
