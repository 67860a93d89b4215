"""Functions of whole vectors, which an optimizer's rule may call besides those of `gdfast.formulas.elementary`.

In a rule that calls one of them the point, the gradient and the state slots are vectors, all its other arguments
numbers. What such a rule computes of vectors alone is elementwise, as in any other rule; what these functions return is
told at each.

`Steps` is such a rule taken apart, for kernels: one statement for each call of these functions, and one for each
assignment, in their order.
"""

import ast
import copy
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gdfast.formulas.elementary import sqrt, square_scale

__all__ = [
    "absolute_hessian_solve",
    "dot",
    "fisher_diagonal",
    "gauss_newton_cg",
    "gauss_newton_product",
    "gradient_at",
    "hessian_cg",
    "hessian_diagonal",
    "hessian_product",
    "hessian_solve",
    "line_search",
    "loss_at",
    "norm",
    "trust_region_step",
]

_TOLD = "{} is of a rule: what it returns depends on the problem that the rule is run on"


def dot(a: Any, b: Any) -> Any:
    """Return the inner product of two vectors, summed coordinate by coordinate."""
    total = a[0] * b[0]
    for one, other in zip(a[1:], b[1:], strict=True):
        total = total + one * other
    return total


def norm(a: Any) -> Any:
    """Return the Euclidean norm of a vector; what is squared neither overflows nor underflows."""
    size = np.zeros_like(a[0])
    for row in a:
        size = np.where(np.abs(row) > size, np.abs(row), size)
    scale, total = square_scale(size), np.zeros_like(size)
    for row in a:
        total = total + row * scale * (row * scale)
    return sqrt(total) / scale


def gradient_at(point: Any) -> Any:
    """Return the gradient at a point, a vector: of the rows that the step's own is of, with its transforms.

    Raises
    ------
    TypeError
        If it is called: only a rule that is run has a problem.
    """
    raise TypeError(_TOLD.format("gradient_at"))


def loss_at(point: Any) -> Any:
    """Return the loss at a point, a number: what gradients are the gradients of.

    Raises
    ------
    TypeError
        If it is called: only a rule that is run has a problem.
    """
    raise TypeError(_TOLD.format("loss_at"))


def line_search(direction: Any, first: Any) -> Any:
    """Return a number, how many times a direction to go: what the optimizer's search finds, which tries `first` first.

    Raises
    ------
    TypeError
        If it is called: only a rule that is run has a search.
    """
    raise TypeError(_TOLD.format("line_search"))


def hessian_solve(vector: Any, damping: Any) -> Any:
    """Return the vector x with (H + damping I) x = vector, H being the Hessian of the loss at the rule's point.

    It is found by Gaussian elimination with row pivots.

    Raises
    ------
    TypeError
        If it is called: only a rule that is run has a problem.
    """
    raise TypeError(_TOLD.format("hessian_solve"))


def absolute_hessian_solve(vector: Any, damping: Any) -> Any:
    """Return the same as `hessian_solve` with the absolute values of the Hessian's eigenvalues in place of them.

    They are found by Jacobi's rotations.

    Raises
    ------
    TypeError
        If it is called: only a rule that is run has a problem.
    """
    raise TypeError(_TOLD.format("absolute_hessian_solve"))


def hessian_product(vector: Any) -> Any:
    """Return the Hessian of the loss at the rule's point times a vector, a vector.

    Raises
    ------
    TypeError
        If it is called: only a rule that is run has a problem.
    """
    raise TypeError(_TOLD.format("hessian_product"))


def trust_region_step(gradient: Any, radius: Any) -> Any:
    """Return the vector p, of at most the length `radius`, where gᵀp + ½ pᵀHp is least.

    H is the Hessian of the loss at the rule's point. p is found from its eigenvalues, whatever their signs, by
    Newton's method for the shift of them (Moré & Sorensen 1983), the hard case included.

    Raises
    ------
    TypeError
        If it is called: only a rule that is run has a problem.
    """
    raise TypeError(_TOLD.format("trust_region_step"))


def hessian_diagonal(due: Any, low: Any, middle: Any, high: Any) -> Any:
    """Return the diagonal of the Hessian of the loss at the rule's point, a vector, or 0 where `due` is 0.

    It is exact on a landscape whose Hessian is a formula of few coordinates. Elsewhere it is Hutchinson's estimate,
    z H z coordinate by coordinate with random signs z, whose mean is the diagonal (Bekas, Kokiopoulou & Saad 2007). The
    signs are by a key of the step, ``low``, ``middle`` and ``high`` of the step table, by trajectory and coordinate.

    Raises
    ------
    TypeError
        If it is called: only a rule that is run has a problem.
    """
    raise TypeError(_TOLD.format("hessian_diagonal"))


def hessian_cg(gradient: Any, damping: Any, radius: Any, rounds: Any, tolerance: Any) -> Any:
    """Return p about where gᵀp + ½ pᵀ(H + damping I)p is least: conjugate gradients from p = 0, cut short.

    They end where the gradient of this model is at most `tolerance` times as long as that at 0, and after so many
    `rounds`. Each takes a product of the Hessian with a vector, which counts as one evaluation. Where p would be longer
    than the `radius`, and where a direction has no positive curvature, p goes on to the radius, to the lower end, and
    ends. A radius of 0 is none: there p ends before such a direction, and is −g where it is the first. See
    `gdfast.formulas.truncated`.

    Raises
    ------
    TypeError
        If it is called: only a rule that is run has a problem.
    """
    raise TypeError(_TOLD.format("hessian_cg"))


def gauss_newton_cg(gradient: Any, damping: Any, radius: Any, rounds: Any, tolerance: Any) -> Any:
    """Return the same as `hessian_cg` with the matrix of Gauss and Newton in place of the Hessian.

    It is Jᵀ B J, J the derivatives of a model's outputs by the parameters and B the loss's second ones by the outputs.

    Raises
    ------
    TypeError
        If it is called: only a rule that is run has a problem.
    """
    raise TypeError(_TOLD.format("gauss_newton_cg"))


def gauss_newton_product(vector: Any) -> Any:
    """Return the matrix of Gauss and Newton at the rule's point times a vector, a vector.

    Raises
    ------
    TypeError
        If it is called: only a rule that is run has a problem.
    """
    raise TypeError(_TOLD.format("gauss_newton_product"))


def fisher_diagonal(due: Any, low: Any, middle: Any, high: Any) -> Any:
    """Return an estimate of the diagonal of the matrix of Gauss and Newton, a vector, or 0 where `due` is 0.

    It is that of Gauss, Newton and Bartlett, B ĝ ⊙ ĝ: ĝ is the gradient of the loss of the step's B rows, without
    penalties, with other targets, which are drawn from the distribution that the outputs stand for: classes by their
    probabilities, numbers from normal distributions whose logarithm the loss is. Its mean is the diagonal of Fisher's
    matrix, which is that of Gauss and Newton. The targets are by a key as in `hessian_diagonal`, by trajectory and row.

    Raises
    ------
    TypeError
        If it is called: only a rule that is run has a problem.
    """
    raise TypeError(_TOLD.format("fisher_diagonal"))


class _Kind(NamedTuple):
    """What one of the functions takes, and whether it returns a vector."""

    takes: tuple[str, ...]
    vector: bool


_VECTOR, _NUMBER = "a vector", "a number"
KINDS: Mapping[str, _Kind] = {
    "dot": _Kind((_VECTOR, _VECTOR), False),
    "norm": _Kind((_VECTOR,), False),
    "gradient_at": _Kind((_VECTOR,), True),
    "loss_at": _Kind((_VECTOR,), False),
    "line_search": _Kind((_VECTOR, _NUMBER), False),
    "hessian_solve": _Kind((_VECTOR, _NUMBER), True),
    "absolute_hessian_solve": _Kind((_VECTOR, _NUMBER), True),
    "trust_region_step": _Kind((_VECTOR, _NUMBER), True),
    "hessian_product": _Kind((_VECTOR,), True),
    "hessian_diagonal": _Kind((_NUMBER,) * 4, True),
    "fisher_diagonal": _Kind((_NUMBER,) * 4, True),
    "hessian_cg": _Kind((_VECTOR, *[_NUMBER] * 4), True),
    "gauss_newton_cg": _Kind((_VECTOR, *[_NUMBER] * 4), True),
    "gauss_newton_product": _Kind((_VECTOR,), True),
}
OF_THE_HESSIAN = frozenset({"hessian_solve", "absolute_hessian_solve", "trust_region_step"})
"""Those that take the whole Hessian."""
OF_PRODUCTS = frozenset({"hessian_product", "hessian_diagonal", "hessian_cg"})
"""Those that take products of it with vectors."""
OF_GAUSS_NEWTON = frozenset({"gauss_newton_cg", "gauss_newton_product"})
"""Those that take products of the matrix of Gauss and Newton."""
OF_FISHER = frozenset({"fisher_diagonal"})
"""Those that take the gradient with targets that are drawn."""
TRUNCATED = frozenset({"hessian_cg", "gauss_newton_cg"})
"""Those that are conjugate gradients cut short."""
COUNTED = frozenset({"line_search", "hessian_diagonal", "fisher_diagonal"}) | TRUNCATED
"""Those of which it is counted how often they ask for something."""


class Statement(NamedTuple):
    """A name that gets a value.

    Attributes
    ----------
    name : str
        The name.
    function : str
        Which function of vectors is called; empty where the value is an expression.
    operands : tuple of ast.expr
        What it is called with, or the expression.
    vector : bool
        Whether the value is a vector.
    """

    name: str
    function: str
    operands: tuple[ast.expr, ...]
    vector: bool


class Steps:
    """A rule of whole vectors, statement by statement.

    Parameters
    ----------
    tree : ast.FunctionDef
        The rule, in the grammar.
    vectors : sequence of str
        Those of its arguments that are vectors.

    Attributes
    ----------
    statements : list of Statement
        In their order.
    results : list of (ast.expr, bool)
        What it returns, and whether each is a vector; no function of vectors is called in them.

    Raises
    ------
    ValueError
        If a function is called with a number in place of a vector, or the other way round.
    """

    def __init__(self, tree: ast.FunctionDef, vectors: Sequence[str]) -> None:
        self.name, self.statements = tree.name, list[Statement]()
        self._vectors = {*vectors}
        taken = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | {a.arg for a in tree.args.args}
        self._fresh = (name for name in (f"u{i}" for i in itertools.count()) if name not in taken)
        self.results: list[tuple[ast.expr, bool]] = []
        for statement in tree.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._assign(name, value)
                case ast.Return(value=ast.Tuple(elts=parts)):
                    self.results = [self._result(part) for part in parts]
                case ast.Return(value=ast.expr() as value):
                    self.results = [self._result(value)]

    @property
    def functions(self) -> frozenset[str]:
        """The functions of vectors that it calls."""
        return frozenset(statement.function for statement in self.statements) - {""}

    @property
    def takes_hessian(self) -> bool:
        """Whether it asks for the whole Hessian."""
        return bool(self.functions & OF_THE_HESSIAN)

    @property
    def takes_products(self) -> str:
        """What of a lane kernel it asks for beside gradient and objective: the name of its field; empty for nothing."""
        fields = {"product": OF_PRODUCTS, "gauss_newton": OF_GAUSS_NEWTON, "fisher": OF_FISHER}
        return next((field for field, functions in fields.items() if self.functions & functions), "")

    @property
    def truncates(self) -> bool:
        """Whether it asks for conjugate gradients."""
        return bool(self.functions & TRUNCATED)

    @property
    def counts(self) -> bool:
        """Whether it is counted how often it asks for something."""
        return bool(self.functions & COUNTED)

    @property
    def points(self) -> int:
        """How many points besides its own it asks for gradient or loss at: the same text of the same values is one.

        A product with the Hessian counts as one, unless the whole Hessian is there.
        """
        values, points = Counter[str](), set[Any]()
        for name, function, operands, _ in self.statements:
            if function in ("gradient_at", "loss_at"):
                named = sorted({part.id for part in ast.walk(operands[0]) if isinstance(part, ast.Name)})
                points.add((ast.unparse(operands[0]), *(values[each] for each in named)))
            elif function == "gauss_newton_product" or (function == "hessian_product" and not self.takes_hessian):
                points.add(len(points))
            values[name] += 1
        return len(points)

    def is_vector(self, node: ast.AST) -> bool:
        """Whether an expression without calls of such functions is a vector."""
        return any(isinstance(part, ast.Name) and part.id in self._vectors for part in ast.walk(node))

    def check(self, state: Sequence[str], scalars: Sequence[str], reduces: bool, searches: bool) -> None:
        """Refuse a rule whose scalars are vectors, that has norms or sums too, or searches without a search.

        Raises
        ------
        ValueError
            If it is one.
        """
        for name, (_, vector) in zip(scalars, self.results[1 + len(state) :], strict=True):
            if vector:
                raise ValueError(f"rule {self.name}: its scalar {name} must be a number, not a vector")
        if reduces:
            raise ValueError(
                f"rule {self.name}: norms and sums are of rules of one coordinate; it calls "
                f"{', '.join(sorted(self.functions))}, and can call dot and norm in their place"
            )
        several = (self.functions & each for each in (OF_FISHER, OF_GAUSS_NEWTON, OF_PRODUCTS | OF_THE_HESSIAN))
        asked = [", ".join(sorted(each)) for each in several if each]
        if len(asked) > 1:
            raise ValueError(
                f"rule {self.name}: it must ask for the Hessian, the matrix of Gauss and Newton or Fisher's, not for "
                f"several by {' and '.join(asked)}"
            )
        if ("line_search" in self.functions) != searches:
            missing = "search must come with a rule that calls line_search" if searches else "it needs a search"
            raise ValueError(f"rule {self.name}: {missing}")
        if [step.function for step in self.statements].count("line_search") > 1:
            raise ValueError(f"rule {self.name}: it must call line_search once, not several times")

    def _assign(self, name: str, value: ast.expr) -> None:
        match value:
            case ast.Call(func=ast.Name(id=function)) if function in KINDS:
                self._call(name, value)
            case _:
                self._place(name, "", (self._lifted(value),))

    def _place(self, name: str, function: str, operands: tuple[ast.expr, ...]) -> None:
        vector = KINDS[function].vector if function else self.is_vector(operands[0])
        self.statements.append(Statement(name, function, operands, vector))
        (self._vectors.add if vector else self._vectors.discard)(name)

    def _call(self, name: str, call: ast.Call) -> None:
        assert isinstance(call.func, ast.Name)
        function, operands = call.func.id, tuple(self._lifted(operand) for operand in call.args)
        for operand, kind in zip(operands, KINDS[function].takes, strict=True):
            if self.is_vector(operand) != (kind == _VECTOR):
                raise ValueError(
                    f"rule {self.name}: {function} takes {' and '.join(KINDS[function].takes)}, but "
                    f"{ast.unparse(operand)} is {_NUMBER if kind == _VECTOR else _VECTOR}"
                )
        self._place(name, function, operands)

    def _lifted(self, node: ast.expr) -> ast.expr:
        """The same expression, with names in place of calls, which go before."""
        steps = self

        class Lifting(ast.NodeTransformer):
            def visit_Call(self, call: ast.Call) -> Any:
                if isinstance(call.func, ast.Name) and call.func.id in KINDS:
                    name = next(steps._fresh)
                    steps._call(name, call)
                    return ast.Name(name, ast.Load())
                return self.generic_visit(call)

        lifted: ast.expr = Lifting().visit(copy.deepcopy(node))
        return lifted

    def _result(self, node: ast.expr) -> tuple[ast.expr, bool]:
        lifted = self._lifted(node)
        return lifted, self.is_vector(lifted)
