"""A formula: one text in the grammar, with everything that is made of it."""

import ast
import copy
import functools
import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gdfast.formulas import elementary, vectors
from gdfast.formulas.grammar import check
from gdfast.formulas.outside import pinned
from gdfast.formulas.readings import typed
from gdfast.formulas.source import source_of
from gdfast.formulas.translation import translated

_FUNCTIONS: dict[str, Callable[..., Any]] = {name: getattr(elementary, name) for name in elementary.__all__}


class Formula:
    """A rule, a loss, a gradient, a transform or a measure: assignments and one return, checked when it is made.

    Parameters
    ----------
    function : callable
        One whose source can be read, or one that `from_text` has made; what is not in the grammar is translated where
        it can be, see `gdfast.formulas.translation`.
    results : int
        How many values it returns. Each may be a tuple of values itself, as the rows of a Hessian are.
    of_vectors : bool
        Whether it may call the functions of `gdfast.formulas.vectors`.

    Attributes
    ----------
    name : str
        Of the function.
    source : str
        The text as it is written.
    arguments : tuple of str
        Names of the arguments.
    constants : dict
        The numbers from outside that it names.
    tree : ast.FunctionDef
        The syntax tree in the grammar, with these numbers in it, and without docstring. Not to be changed.

    Raises
    ------
    GrammarError
        If its source cannot be read, or something in it is not in the grammar.

    Examples
    --------
    >>> from gdfast.formulas.elementary import sqrt
    >>> float(Formula.of(from_text("def length(x, y): return sqrt(x * x + y * y)"), 1)(3.0, 4.0))
    5.0
    """

    def __init__(self, function: Callable[..., Any], results: int, of_vectors: bool = False) -> None:
        self.name = getattr(function, "__name__", repr(function))
        self.source = source_of(function)
        self.function, self.results = function, results
        self.tree, self.constants = translated(function)
        self.arguments = tuple(argument.arg for argument in self.tree.args.args)
        check(self.tree, results, of_vectors)
        self._readings: dict[str, Callable[..., Any]] = {}

    @classmethod
    def of(cls, function: Callable[..., Any], results: int, of_vectors: bool = False) -> "Formula":
        """The formula that a function is now; the same object for the same function that uses the same."""
        return _of(pinned(function), results, of_vectors)

    def reading(self, real: str) -> Callable[..., Any]:
        """The function as it computes in a type, ``float64`` or ``float32``, on arrays and in compiled lanes."""
        if real not in self._readings:
            self._readings[real] = typed(copy.deepcopy(self.tree), {**_FUNCTIONS, "__name__": __name__}, real)
        return self._readings[real]

    def where(self, functions: Mapping[str, Callable[..., Any]], real: str) -> Callable[..., Any]:
        """The function as it computes on arrays of a type, with these meanings of functions of vectors."""
        return typed(copy.deepcopy(self.tree), {**_FUNCTIONS, "__name__": __name__, **functions}, real)

    def on(self, functions: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
        """The function with other meanings of the functions of `gdfast.formulas.elementary`, such as SymPy's."""
        module = ast.fix_missing_locations(ast.Module([copy.deepcopy(self.tree)], []))
        scope: dict[str, Any] = {**_FUNCTIONS, **functions}
        exec(compile(module, f"<{self.name} on other functions>", "exec"), scope)
        return scope[self.tree.name]  # type: ignore[no-any-return]

    def __call__(self, *values: Any) -> Any:
        """The results on arrays of float64."""
        return self.reading("float64")(*values)

    def inlined(self, arguments: Sequence[str], suffix: str) -> tuple[list[str], list[Any]]:
        """Return the assignments and results as texts, with other arguments and a suffix to all other names.

        The results are nested as the formula returns them; one that returns a single value gives a list of one.
        """
        definition = copy.deepcopy(self.tree)
        names = dict(zip(self.arguments, arguments, strict=True))
        assigned = [s for s in definition.body if isinstance(s, ast.Assign)]
        names |= {s.targets[0].id: s.targets[0].id + suffix for s in assigned if isinstance(s.targets[0], ast.Name)}
        for node in ast.walk(definition):
            if isinstance(node, ast.Name):
                node.id = names.get(node.id, node.id)
        returned = definition.body[-1]
        assert isinstance(returned, ast.Return)
        assert returned.value is not None
        results = _texts(returned.value)
        return [ast.unparse(s) for s in assigned], results if isinstance(results, list) else [results]

    @functools.cached_property
    def digest(self) -> str:
        """A digest of all that it reaches: its tree with its constants, and what it may call."""
        total = hashlib.sha256(ast.dump(self.tree).encode())
        total.update(inspect.getsource(elementary).encode())
        return total.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Formula) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"<formula {self.name}({', '.join(self.arguments)})>"


@functools.lru_cache(maxsize=4096)
def _of(function: Callable[..., Any], results: int, of_vectors: bool) -> Formula:
    return Formula(function, results, of_vectors)


@functools.cache
def from_text(text: str) -> Callable[..., Any]:
    """Return the function that a text defines, which may call the functions that formulas may call, and no other.

    The text must be the program's own: it is run.
    """
    names = _FUNCTIONS | {name: getattr(vectors, name) for name in vectors.__all__}
    scope: dict[str, Any] = {**names, "__name__": __name__, "__builtins__": {}}
    exec(compile(text, "<formula>", "exec"), scope)
    (function,) = (value for name, value in scope.items() if value is not names.get(name) and not name.startswith("__"))
    function.__text__ = text
    return function  # type: ignore[no-any-return]


def _texts(node: ast.expr) -> Any:
    return [_texts(part) for part in node.elts] if isinstance(node, ast.Tuple) else ast.unparse(node)
