"""The lanes' elementary functions as JavaScript, from the text that the compiler gets, so that they have its bits.

The modules of `gdfast.kernels.lane_math` are run once more, with other meanings of the few names that they take from
the compiler: a bit cast is one of JavaScript's typed arrays, a conditional expression a choice, and a number one of
`gdfast.formulas.javascript`, which writes down what is done with it.
"""

import ast
import functools
import inspect
import math
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gdfast.formulas import elementary, noise
from gdfast.formulas.javascript import Number, Script, choice
from gdfast.kernels.lane_math import (
    arithmetic,
    error_function,
    exponential,
    inverse,
    logarithm,
    parts,
    trigonometric,
)

_MODULES = (parts, arithmetic, exponential, logarithm, error_function, inverse, trigonometric)
_SHORT = ("absolute", "maximum", "minimum", "select", "sign", "sqrt", "square_scale", "square_unit")
"""Functions that are written where they are called; the others are functions of the text too."""
LONG = tuple(name for name in elementary.__all__ if name not in _SHORT)


def unsigned(value: Any) -> Any:
    """A whole number from 0 to 2⁵³ as an unsigned integer of 64 bits, as ``numpy.uint64`` does it."""
    return value if not isinstance(value, Number) or value.kind == "unsigned" else value.whole("unsigned")


class _Choices(ast.NodeTransformer):
    """Makes conditional expressions calls, and takes imports away, whose names are in the scope already."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        return ast.Call(ast.Name("choose", ast.Load()), [node.test, node.body, node.orelse], [])

    def visit_Import(self, node: ast.Import) -> ast.Pass:
        return ast.Pass()

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.Pass:
        return ast.Pass()


class _Type:
    """What a form asks of the type of an argument."""

    def __init__(self, name: str) -> None:
        self.name = name


@functools.cache
def _forms() -> Mapping[str, Callable[..., Any]]:
    """What makes the form of each function by the types of its arguments, by the function's name."""
    found: dict[str, Callable[..., Any]] = {}

    def compiled_form(function: Callable[..., Any]) -> Callable[..., Any]:
        def keep(form: Callable[..., Any]) -> Callable[..., Any]:
            found[function.__name__] = lambda *types: form
            return form

        return keep

    def compiled_forms(function: Callable[..., Any]) -> Callable[..., Any]:
        def keep(make: Callable[..., Any]) -> Callable[..., Any]:
            found[function.__name__] = make
            return make

        return keep

    mathematics = types.SimpleNamespace(
        sqrt=lambda x: x.script.rounded(f"Math.sqrt({x.text})") if isinstance(x, Number) else math.sqrt(x),
        **{name: getattr(math, name) for name in ("inf", "nan", "pi", "log2")},
    )
    decorators = {"register_jitable": lambda **options: lambda f: f, "intrinsic": lambda f: f, "FORMS": {}}
    decorators |= {"compiled_form": compiled_form, "compiled_forms": compiled_forms}
    scopes: dict[str, dict[str, Any]] = {}
    for module in _MODULES:
        tree = ast.fix_missing_locations(_Choices().visit(ast.parse(inspect.getsource(module))))
        scope: dict[str, Any] = {**decorators, "math": mathematics, "sys": sys, "elementary": elementary}
        scope |= {"INLINED": {}, "compile_as": lambda *_: None, "choose": choice, "Any": Any}
        for name, value in vars(module).items():  # what it has of the modules before it
            owner = next((other for other in scopes.values() if name in other and name not in scope), None)
            if owner is not None and getattr(value, "__module__", module.__name__) != module.__name__:
                scope[name] = owner[name]
            elif owner is not None and isinstance(value, int | float):
                scope[name] = value
        own: dict[str, Any] = {
            "raised": _raised(found),
            "float_to_bits": lambda value: value.bits(),
            "bits_to_float": lambda bits: bits.from_bits(),
            "choose": choice,
            "square_root": mathematics.sqrt,
            "int64": lambda value: value.whole(),
            "float64": lambda value: value.real(),
            "int32": None,
            "float32": None,
        }
        scope.update(own)
        if module is parts:
            scope["types"] = types.SimpleNamespace()
        exec(compile(tree, module.__name__, "exec"), scope)
        scope.update(own)
        scopes[module.__name__] = scope
    return found


def _raised(found: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    """What a power is made of, on the numbers of a script."""
    scope = {**vars(elementary), "select": choice}
    for name in ("exponent", "mantissa", "power_of_two"):
        scope[name] = lambda value, name=name: found[name](_Type("float64"))(value)
    for part in elementary.POWER_PARTS:
        scope[part.__name__] = types.FunctionType(part.__code__, scope)
    raised: Callable[..., Any] = scope[elementary.POWER_PARTS[-1].__name__]
    return raised


def function(name: str, real: str = "float64") -> Callable[..., Any]:
    """A function of `gdfast.formulas.elementary`, on the numbers of a script."""
    made: Callable[..., Any] = _forms()[name](*[_Type(real)] * _values(name))
    return made


def _values(name: str) -> int:
    return len(inspect.signature(getattr(elementary, name)).parameters)


def functions(script: Script) -> dict[str, Callable[..., Any]]:
    """All of them, for formulas: the short ones in place, the others as calls."""

    def written(name: str) -> Callable[..., Any]:
        if name == "select":
            return choice
        if name in _SHORT:
            made = function(name, script.real)
            return lambda *given: made(*map(script.number, given))
        return lambda *given: script.rounded(f"{name}({', '.join(script.number(v).text for v in given)})")

    return {name: written(name) for name in elementary.__all__}


def noise_of(script: Script, key: Sequence[Number], number: Number, coordinate: int, normal: bool) -> Number:
    """A standard normal or a uniform number, of the parts of a key, a trajectory's number and a coordinate."""
    real, script.real = script.real, "float64"  # in which a random number is computed whatever the type
    try:
        scope = {**vars(noise), "np": types.SimpleNamespace(uint64=unsigned)}
        scope |= {name: function for name, function in functions(script).items() if name in scope}
        for name in ("mixed", "uniform", "quantile"):
            scope[name] = types.FunctionType(getattr(noise, name).__code__, scope)
        drawn: Number = scope["uniform"](*key, number, script.integer(coordinate, "unsigned"))
        drawn = scope["quantile"](drawn) if normal else drawn
    finally:
        script.real = real
    return drawn if real == "float64" else script.rounded(drawn.text)


@functools.cache
def library() -> str:
    """All functions that formulas call, as JavaScript."""
    texts = []
    for name in LONG:
        script = Script()
        result = function(name)(*(script.argument(f"x{i}") for i in range(_values(name))))
        arguments = ", ".join(f"x{i}" for i in range(_values(name)))
        texts.append(f"function {name}({arguments}) {{\n{script.body()}  return {script.number(result).text};\n}}\n")
    return "".join(texts)
