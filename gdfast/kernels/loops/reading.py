"""The syntax trees of functions, and which of them are written into their callers."""

import ast
import functools
import inspect
import textwrap
from types import FunctionType

from gdfast.formulas.codes import line_in


@functools.lru_cache(maxsize=1024)
def tree_of(function: FunctionType) -> ast.FunctionDef:
    """The tree of a function: the one it was made of, or of its text."""
    made: ast.FunctionDef | None = getattr(function, "__tree__", None)
    if made is not None:
        return made
    around, function = function.__code__, inspect.unwrap(function)
    code = function.__code__
    if (around.co_filename, around.co_firstlineno) != (code.co_filename, code.co_firstlineno):
        raise TypeError(f"{function.__name__} stands within another function")
    # The kernel is kept under a name that tells of the code.
    if line_in(code, "".join(inspect.findsource(function)[0])) != code.co_firstlineno:
        raise RuntimeError(f"{code.co_filename} is not what it was when it was imported; start Python anew")
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree


@functools.lru_cache(maxsize=1024)
def is_inlined(function: FunctionType) -> bool:
    """Whether a function stands in its callers: it has no loops but over what is known, and returns at its end if ever.

    One with loops is called, since it would be optimized at each place anew.
    """
    tree = tree_of(function)
    given = {argument.arg for argument in tree.args.args}
    for node in ast.walk(tree):
        match node:
            case ast.Return():
                if node is not tree.body[-1]:
                    return False
            case ast.While() | ast.Call(ast.Name("apart" | "wide_vectors")):
                return False
            case ast.For(iter=ast.Call(args=bounds)):
                if any(_is_given(bound, given) for bound in bounds):
                    return False
    return True


def _is_given(bound: ast.expr, names: set[str]) -> bool:
    """Whether a bound of a range depends on more than the length of what the function is given."""
    match bound:
        case ast.Call(ast.Name("len")):
            return False
        case ast.Name(name):
            return name in names
        case ast.Attribute() | ast.Subscript():
            return True
    return any(_is_given(part, names) for part in ast.iter_child_nodes(bound) if isinstance(part, ast.expr))


def is_negated(node: ast.expr) -> bool:
    """Whether an expression is written with a minus before it."""
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


def takes_places(loop: ast.For, is_tuple: object) -> bool:
    """Whether the counter of a loop tells a place of a tuple, which has to be known when the loop is translated."""
    assert isinstance(loop.target, ast.Name)
    counter = loop.target.id
    for node in ast.walk(loop):
        match node:
            case ast.Subscript(ast.Name(name), index) if not isinstance(index, ast.Tuple | ast.Slice):
                place: ast.expr = index
            case ast.Call(ast.Name("with_item"), [ast.Name(name), place, _]):
                pass
            case _:
                continue
        if is_tuple(name) and any(isinstance(part, ast.Name) and part.id == counter for part in ast.walk(place)):  # type: ignore[operator]
            return True
    return False
