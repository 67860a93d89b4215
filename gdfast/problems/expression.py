"""Landscapes from a line of mathematics, such as ``(1 - x)**2 + 100*(y - x**2)**2``.

SymPy differentiates; what it returns is written down as formulas in the grammar of `gdfast.kernels`, with common
subexpressions shared and powers as products.

The text is never run. It is parsed, its syntax tree is walked, and only what is known to be mathematics is built up
again: numbers, names, ``+ - * / **``, parentheses, and calls of the functions below. Sizes are bounded, so that a
text cannot take the machine's memory or hours of its time either.
"""

import ast
import functools
import itertools
import keyword
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gdfast import arguments, elementary
from gdfast.named import named
from gdfast.problems._formula import Formula, define
from gdfast.problems._problem import LARGEST_LANDSCAPE, Landscape, checked_domain

DEFAULT_RANGE = (-5.0, 5.0)
_LONGEST, _MOST, _DEEPEST = 4000, 500, 60  # characters; numbers, names and operations; how deep they may be nested
_LARGEST_DERIVATIVE = 4000  # numbers, names and operations in a gradient, and in a row of a Hessian
_LARGEST_EXPONENT, _LARGEST_CONSTANT = 64, 10**300
_DIGITS = 30  # of constants, which are rounded to a double in the end

FUNCTIONS = {
    name: name
    for name in ("cos", "erf", "exp", "log", "log1p", "sigmoid", "sign", "sin", "softplus", "sqrt", "tanh")
    if name in elementary.__all__
} | {"abs": "absolute", "max": "maximum", "min": "minimum"}
"""What an expression may call, and the function of `gdfast.elementary` that it is."""


@named()
def from_expression(expression: str, domain: Any = None) -> Landscape:
    """Make a landscape of an expression of its coordinates.

    Parameters
    ----------
    expression : str
        Numbers, names of coordinates, ``+ - * / **``, parentheses, ``pi``, ``e``, and the functions abs, cos, exp,
        log, log1p, max, min, sigmoid, sign, sin, softplus, sqrt, tanh. Every other name is a coordinate. A power with
        a fractional or variable exponent is not a number where its base is negative.
    domain : array_like, (d, 2), or mapping, optional
        Lowest and highest value of each coordinate. The coordinates are in alphabetical order, unless this is a
        mapping from their names to pairs, whose order is then theirs. [−5, 5] each if not given.

    Returns
    -------
    Landscape
        With the gradient and the Hessian derived, and the stationary points found numerically where they can be.
        Where abs, max or min has a kink, the derivative is that of one side, or 0 for abs.

    Raises
    ------
    TypeError, ValueError
        If the expression is not one, or has not 1 to 8 coordinates, or the domain does not fit them.
    """
    arguments.instance("expression", expression, str, "a text such as '(1 - x)**2 + y**2'")
    names = sorted(symbol.name for symbol in parse(expression).free_symbols)
    if not 1 <= len(names) <= LARGEST_LANDSCAPE:
        raise ValueError(
            f"expression must have 1 to {LARGEST_LANDSCAPE} coordinates, not {len(names)}: {', '.join(names) or 'none'}"
        )
    given = domain
    if domain is None:
        domain = dict.fromkeys(names, DEFAULT_RANGE)
    pairs = dict(zip(names, map(tuple, checked_domain("expression", domain, names).tolist()), strict=True))
    order = tuple(domain) if isinstance(domain, Mapping) else tuple(names)
    return _landscape(expression, order, tuple(pairs[name] for name in order), repr(given))


@functools.lru_cache(maxsize=64)
def _landscape(expression: str, names: Sequence[str], domain: Sequence[Sequence[float]], given: str) -> Landscape:
    # Kept, since every tile that another process runs makes its problem again. One for each way it can be asked for.
    return Landscape(*_formulas(parse(expression), names), domain=domain)


class _Refusal(ValueError):
    """The sentence for what is not accepted in an expression."""


@functools.lru_cache(maxsize=64)
def parse(text: str) -> Any:
    """Return the SymPy expression that a text is, without running any of it.

    Raises
    ------
    TypeError, ValueError
        If something in it is not mathematics as described in `from_expression`.
    """
    if not isinstance(text, str):
        raise TypeError(f"expression must be a text such as '(1 - x)**2 + y**2', not {text!r}")
    if len(text) > _LONGEST:
        raise ValueError(f"expression must have at most {_LONGEST} characters, not {len(text)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's, about what looks like a mistake in code
            tree = ast.parse(text.strip(), mode="eval").body
        count = sum(isinstance(node, ast.Name | ast.Constant | ast.operator) for node in ast.walk(tree))
        if count > _MOST:
            raise _Refusal(f"expression must have at most {_MOST} numbers, names and operations, not {count}")
        return _Reader().read(tree, 0)
    except _Refusal:
        raise
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        accepted = "it must be one such as 'x**2 + exp(-y)'"
        raise ValueError(f"expression {_short(text)!r} cannot be read; {accepted}") from None


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


@functools.cache
def _functions() -> dict[str, Callable[..., Any]]:
    """The functions of `FUNCTIONS` on SymPy expressions, each knowing its derivative."""
    import sympy

    class Function(sympy.Function):  # type: ignore[misc]
        """A function of one argument, to be evaluated where that is a number."""

        @classmethod
        def eval(cls, x: Any) -> Any:
            return cls.value(x) if x.is_number else None

        def fdiff(self, argindex: int = 1) -> Any:
            return self.slope(self.args[0])

    class Sign(Function):
        value = sympy.sign

        def slope(self, x: Any) -> Any:
            return sympy.Integer(0)

    class Absolute(Function):
        value = sympy.Abs

        def slope(self, x: Any) -> Any:
            return Sign(x)

    class Sigmoid(Function):
        @staticmethod
        def value(x: Any) -> Any:
            return 1 / (1 + sympy.exp(-x))

        def slope(self, x: Any) -> Any:
            return self * (1 - self)

    class Softplus(Function):
        @staticmethod
        def value(x: Any) -> Any:
            return sympy.log(1 + sympy.exp(x))

        def slope(self, x: Any) -> Any:
            return Sigmoid(x)

    class Log1p(Function):
        @staticmethod
        def value(x: Any) -> Any:
            return sympy.log(1 + x)

        def slope(self, x: Any) -> Any:
            return 1 / (1 + x)

    class Maximum(sympy.Function):  # type: ignore[misc]
        @classmethod
        def eval(cls, a: Any, b: Any) -> Any:
            return sympy.Max(a, b) if a.is_number and b.is_number else None

        def _eval_derivative(self, symbol: Any) -> Any:
            a, b = self.args
            return Choice(a, b, a.diff(symbol), b.diff(symbol))

    class Minimum(sympy.Function):  # type: ignore[misc]
        @classmethod
        def eval(cls, a: Any, b: Any) -> Any:
            return sympy.Min(a, b) if a.is_number and b.is_number else None

        def _eval_derivative(self, symbol: Any) -> Any:
            a, b = self.args
            return Choice(b, a, a.diff(symbol), b.diff(symbol))

    class Choice(sympy.Function):  # type: ignore[misc]
        """The third argument where the first is not below the second, else the fourth."""

        @classmethod
        def eval(cls, a: Any, b: Any, yes: Any, no: Any) -> Any:
            return yes if yes == no else None

        def _eval_derivative(self, symbol: Any) -> Any:
            a, b, yes, no = self.args
            return Choice(a, b, yes.diff(symbol), no.diff(symbol))

    return {
        "abs": Absolute,
        "sign": Sign,
        "sigmoid": Sigmoid,
        "softplus": Softplus,
        "log1p": Log1p,
        "max": Maximum,
        "min": Minimum,
        "choice": Choice,
        **{name: getattr(sympy, name) for name in ("cos", "erf", "exp", "log", "sin", "sqrt", "tanh")},
    }


class _Reader:
    """From a syntax tree to a SymPy expression, in which constants are numbers."""

    def read(self, node: ast.expr, depth: int) -> Any:
        import sympy

        if depth > _DEEPEST:
            raise _Refusal(f"expression must be nested at most {_DEEPEST} deep")
        match node:
            case ast.Constant(value=int(value)) if not isinstance(value, bool):
                return self.bounded(sympy.Integer(value))
            case ast.Constant(value=float(value)):
                return self.bounded(sympy.Float(value, _DIGITS) if math.isfinite(value) else sympy.oo)
            case ast.Name(id=name):
                return self.name(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.read(operand, depth + 1)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand, depth + 1)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow() as op, right=right):
                # A chain such as a + b + c nests to the left without being deep.
                return self.operation(self.read(left, depth), op, self.read(right, depth + 1))
            case ast.Call(func=ast.Name(id=name)) if name not in FUNCTIONS:
                raise _Refusal(f"expression: {name!r} is not a function; accepted: {', '.join(sorted(FUNCTIONS))}")
            case ast.Call(func=ast.Name(id=name), args=values, keywords=[]):
                return self.call(name, [self.read(value, depth + 1) for value in values])
        raise _Refusal(
            f"expression: {_short(ast.unparse(node))!r} is not accepted; numbers, names, + - * / **, parentheses and "
            f"{', '.join(sorted(FUNCTIONS))} are"
        )

    def name(self, name: str) -> Any:
        import sympy

        if name in ("pi", "e"):
            return sympy.pi if name == "pi" else sympy.E
        if name in elementary.__all__ or name in FUNCTIONS or name.startswith("_") or keyword.issoftkeyword(name):
            raise _Refusal(f"expression: {name!r} cannot be the name of a coordinate")
        return sympy.Symbol(name, real=True)

    def operation(self, left: Any, op: ast.operator, right: Any) -> Any:
        import sympy

        match op:
            case ast.Add():
                return self.bounded(left + right)
            case ast.Sub():
                return self.bounded(left - right)
            case ast.Mult():
                return self.bounded(left * right)
            case ast.Div():
                return self.bounded(left / right)
        self.check_exponent(right)
        if right.is_Float and (2 * float(right)).is_integer():
            right = sympy.Rational(int(2 * float(right)), 2)
        return self.bounded(left**right)

    def call(self, name: str, values: list[Any]) -> Any:
        several = name in ("max", "min")
        if len(values) < 2 if several else len(values) != 1:
            wanted = "two or more values" if several else "one value"
            raise _Refusal(f"expression: {name} takes {wanted}, not {len(values)}")
        function = _functions()[name]
        return self.bounded(functools.reduce(function, values) if several else function(*values))

    def check_exponent(self, exponent: Any) -> None:
        if exponent.is_number and not abs(exponent) <= _LARGEST_EXPONENT:
            raise _Refusal(f"expression: an exponent must lie within ±{_LARGEST_EXPONENT}")

    def bounded(self, value: Any) -> Any:
        """Evaluate a constant, unless it is a fraction; refuse powers that have grown by multiplying out."""
        if not value.is_number:
            for factor in value.args if value.is_Mul else (value,):
                if factor.is_Pow:
                    self.check_exponent(factor.exp)
            return value
        constant = value if value.is_Rational else value.evalf(_DIGITS)
        if not (constant.is_Rational or constant.is_Float) or not abs(constant) < _LARGEST_CONSTANT:
            raise _Refusal("expression: a constant in it is not a real number below 1e300")
        return constant


def _formulas(loss: Any, names: Sequence[str]) -> tuple[Formula, Formula, Formula]:
    """Loss, gradient and Hessian of an expression, as formulas."""
    import sympy

    symbols = [sympy.Symbol(name, real=True) for name in names]
    try:
        gradient = _derivatives(loss, symbols)
        hessian = [_derivatives(part, symbols) for part in gradient]
    except RecursionError:
        raise ValueError("expression is nested too deep to be differentiated") from None
    slopes: Any = gradient[0] if len(names) == 1 else gradient
    rows: Any = hessian[0][0] if len(names) == 1 else hessian
    return _formula("loss", names, loss), _formula("gradient", names, slopes), _formula("hessian", names, rows)


def _derivatives(expression: Any, symbols: Sequence[Any]) -> list[Any]:
    import sympy

    derivatives = [sympy.diff(expression, symbol) for symbol in symbols]
    nodes = itertools.chain.from_iterable(map(sympy.preorder_traversal, derivatives))
    if sum(1 for _ in itertools.islice(nodes, _LARGEST_DERIVATIVE + 1)) > _LARGEST_DERIVATIVE:
        raise ValueError(
            f"expression is too large: a derivative has more than {_LARGEST_DERIVATIVE} numbers, names and operations"
        )
    return derivatives


def _formula(name: str, names: Sequence[str], results: Any) -> Formula:
    """Write expressions as one formula, with what is common to them computed once."""
    import sympy

    flat = np.array(results, dtype=object)
    fresh = (f"t{i}" for i in itertools.count() if f"t{i}" not in names)
    shared, reduced = sympy.cse([_nested(part) for part in flat.ravel()], symbols=map(sympy.Symbol, fresh), list=True)
    writer = _Writer(fresh)
    for symbol, value in shared:
        writer.lines.append(f"{symbol.name} = {writer.text(value)}")
    texts = np.empty(flat.size, dtype=object)
    texts[:] = [writer.text(value) for value in reduced]
    return define(name, names, writer.lines, texts.reshape(flat.shape).tolist() if flat.shape else texts[0])


def _nested(expression: Any) -> Any:
    """A polynomial of one coordinate in Horner's form, which has the fewest products; all else as it is."""
    import sympy

    alone = len(expression.free_symbols) == 1 and expression.is_polynomial()
    return sympy.horner(expression) if alone else expression


class _Writer:
    """From a SymPy expression to text in the grammar, and lines of assignments that must stand before it."""

    def __init__(self, fresh: Iterator[str]) -> None:
        self.fresh, self.lines = fresh, list[str]()
        self.known: dict[str, str] = {}

    def named(self, text: str) -> str:
        """A name for the value of a text."""
        if text.isidentifier():
            return text
        if text not in self.known:
            self.known[text] = next(self.fresh)
            self.lines.append(f"{self.known[text]} = {text}")
        return self.known[text]

    def text(self, value: Any) -> str:
        if value.is_Symbol:
            return str(value.name)
        if value.is_Rational and max(abs(value.p), value.q) < 2**53:
            return f"({value.p} / {value.q})" if value.q > 1 else str(value.p) if value.p >= 0 else f"({value.p})"
        if value.is_number:
            number = float(value)
            if not math.isfinite(number):
                raise ValueError("expression: a constant in it or in its derivatives is too large")
            return repr(number) if number >= 0 else f"({number!r})"
        if value.is_Add:
            return self.sum(value)
        if value.is_Mul:
            return self.product(value)
        if value.is_Pow:
            return self.power(value)
        return self.call(value)

    def sum(self, value: Any) -> str:
        first, *rest = value.as_ordered_terms()
        text = self.text(first)
        for term in rest:
            negative = term.as_coeff_Mul()[0] < 0
            text += f" - {self.text(-term)}" if negative else f" + {self.text(term)}"
        return f"({text})"

    def product(self, value: Any) -> str:
        if value.as_coeff_Mul()[0] < 0:
            return f"(-{self.text(-value)})"
        above, below = [], []
        for factor in value.as_ordered_factors():
            if factor.is_Pow and factor.exp.is_Rational and factor.exp < 0:
                below.append(self.text(factor.base**-factor.exp))
            else:
                above.append(self.text(factor))
        text = " * ".join(above) or "1"
        return f"({text} / ({' * '.join(below)}))" if below else f"({text})"

    def power(self, value: Any) -> str:
        base, exponent = value.base, value.exp
        if exponent.is_Rational and exponent < 0:
            return f"(1 / {self.text(base**-exponent)})"
        if exponent.is_Rational and exponent.q <= 2:
            name = self.named(self.text(base))
            count, root = divmod(int(exponent.p), int(exponent.q))
            factors = self.factors(name, count) + [f"sqrt({name})"] * root
            return f"({' * '.join(factors)})" if len(factors) > 1 else factors[0]
        return f"exp({self.text(exponent)} * log({self.text(base)}))"

    def factors(self, name: str, count: int) -> list[str]:
        """Factors whose product is a power: the name again and again, or its square where that is shorter."""
        if count <= 4:
            return [name] * count
        return self.factors(self.named(f"{name} * {name}"), count // 2) + [name] * (count % 2)

    def call(self, value: Any) -> str:
        texts = [self.text(argument) for argument in value.args]
        for name, function in _functions().items():
            if isinstance(function, type) and isinstance(value, function):
                if name != "choice":
                    return f"{FUNCTIONS[name]}({', '.join(texts)})"
                a, b, yes, no = texts
                return f"select({a} >= {b}, {yes}, {no})"
        raise ValueError(f"expression: the derivative needs {value.func.__name__}, which formulas have not")
