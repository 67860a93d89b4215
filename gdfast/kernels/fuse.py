"""Rule + problem → step kernel, compiled on demand and kept on disk: which template, specialized to what."""

import ast
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import types

from gdfast.formulas import elementary, noise
from gdfast.formulas.elementary import sqrt, square_scale
from gdfast.formulas.formula import Formula
from gdfast.formulas.lane_products import independent
from gdfast.formulas.linear import ROUNDS
from gdfast.formulas.readings import typed
from gdfast.formulas.truncated import MOST, length_along
from gdfast.kernels.compiling import remembered
from gdfast.kernels.evaluation import GRADIENT, OBJECTIVE
from gdfast.kernels.loops.kernel import Kernel
from gdfast.kernels.matrices import rows_for, updating
from gdfast.kernels.norms import euclidean_norm, larger_size
from gdfast.kernels.signatures import call_evaluation, call_product, step_signature
from gdfast.kernels.templates import factor_of, in_one_pass, in_parts
from gdfast.kernels.transforms import in_registers, in_rows
from gdfast.kernels.transforms import sum_rows as rows_of_sums
from gdfast.kernels.tuples import as_tuple
from gdfast.kernels.whole import in_lanes
from gdfast.kernels.whole_rows import Rows, in_memory
from gdfast.measures import Measure
from gdfast.optimizers import Optimizer
from gdfast.parts import Parts
from gdfast.problems import Landscape, Problem


def step_kernel(
    problem: Problem,
    optimizer: Optimizer,
    measure: Measure | None = None,
    dtype: Any = np.float64,
    sparse: bool = False,
) -> Kernel:
    """Return the compiled step of an optimizer on a problem, from memory, from disk or freshly compiled.

    Parameters
    ----------
    problem, optimizer, measure
        What it steps.
    dtype : dtype
        The type it computes in.
    sparse : bool
        Whether there are steps without a settle check.

    Raises
    ------
    GrammarError
        If the rule or a formula is not in the grammar of rules.
    TypeError
        If the problem's steps are told by nothing that can be compiled.
    """
    _check_steps(problem)
    transforms, plateau = optimizer.transforms, optimizer.plateau
    steps, search = optimizer.steps, optimizer.search
    results = 1 + len(optimizer.state) + len(optimizer.scalars)
    parts = {} if steps else {"rule": Formula.of(optimizer.rule, results)}
    if steps and steps.truncates:
        parts["length_along"] = Formula.of(length_along, 2)
    if search:
        parts["search"] = Formula.of(search.rule, search.results)
    if optimizer.entries is not None:
        parts["entries"] = Formula.of(optimizer.entries, len(optimizer.norms))
    if optimizer.terms is not None:
        parts["terms"] = Formula.of(optimizer.terms, len(optimizer.sums))
    if plateau:
        parts["plateau"] = Formula.of(plateau.rule, len(plateau.initial))
    if measure:
        parts["measure"] = Formula.of(measure.rule, len(measure.initial))
    for k, transform in enumerate(transforms):
        parts[f"rule{k}"] = Formula.of(transform.rule, transform.results)
        if transform.entries is not None:
            parts[f"entries{k}"] = Formula.of(transform.entries, len(transform.norms))
        if transform.terms is not None:
            parts[f"terms{k}"] = Formula.of(transform.terms, len(transform.sums))
    template: Callable[..., Any]
    if problem.lane_kernel:
        template, chain = in_parts, in_rows(transforms, len(optimizer.state))
    else:
        assert isinstance(problem, Landscape)
        template, chain = in_one_pass, in_registers(transforms, problem.dimension, len(optimizer.state))
        parts["gradient"] = Formula.of(problem.gradient_formula, problem.dimension)
        parts["objective"] = Formula.of(problem.loss_formula, 1)
        if steps and (steps.takes_hessian or steps.takes_products):
            parts["hessian"] = Formula.of(problem.hessian_formula, problem.dimension)
    rows: Rows | None = None
    written = ""
    if steps:
        written, rows = in_memory(optimizer) if problem.lane_kernel else (in_lanes(optimizer, problem.dimension), None)
    by_arrays = optimizer.for_matrices if problem.has_matrices else None
    if by_arrays:
        parts["last"] = Formula.of(by_arrays.rule, 1 + len(optimizer.state))
        parts |= {f"stage {k} of": Formula.of(stage.value, 1) for k, stage in enumerate(by_arrays.stages)}
    real = np.dtype(dtype).name
    read = {name: formula.reading(real) for name, formula in parts.items()}
    shape = Shape(
        0 if problem.lane_kernel else problem.dimension,  # one kernel serves all problems with data
        len(problem.params) if isinstance(problem, Landscape) and not problem.lane_kernel else 0,
        len(optimizer.state),
        len(optimizer.norms),
        optimizer.euclidean,
        len(optimizer.sums),
        sum_rows(optimizer),
        optimizer.uses_loss,
        Parts.of(optimizer, measure),
        sparse,
        real,
        bool(steps),
        rows,
        optimizer.counts,
        not all(transform.after for transform in transforms),
        any(transform.after for transform in transforms),
        any(transform.elsewhere for transform in transforms),
    )

    def make() -> Kernel:
        made: dict[str, Any] = dict(read)
        called = {name: made.pop(name) for name in [*made] if name[-1].isdigit()}
        called.update(as_tuple=as_tuple, factor=factor_of(shape), none=0, single=1, independent=independent)
        called.update(**_NOISE, **_NORMS, **_EVALUATION)
        called["slope"] = made.get("gradient")
        for name, text in (("transform", chain.gradient), ("after", chain.after)):
            made[name] = typed(ast.parse(text).body[0], {"__name__": __name__, **called}, real)
        if written:
            around = {**_FUNCTIONS, **called, **made}
            around |= {"most": search.most if search else 0, "rounds": ROUNDS, "longest": MOST, "second": 1}
            made["advance"] = typed(ast.parse(written).body[0], {"__name__": __name__, **around}, real)
        for name in ("hessian", "search", "length_along"):
            made.pop(name, None)
        known = made.get("advance") or made["rule"]
        for name in ("rule", "advance", "entries", "terms", "plateau", "measure"):
            made.setdefault(name, known)  # never called where there are none
        if by_arrays:
            stages = [(stage, made.pop(f"stage {k} of")) for k, stage in enumerate(by_arrays.stages)]
            made["by_arrays"] = updating((made["rule"], made["terms"], made.pop("last")), stages, optimizer, shape)
        kernel: Kernel = template(**made, shape=shape)
        return kernel

    call = step_kernel, (problem, optimizer, measure, real, sparse)
    return remembered((template, shape, chain, written, by_arrays, search and search.most, *read.items()), make, call)


def _check_steps(problem: Problem) -> None:
    """Refuse a problem of whose steps there are methods of NumPy only, which a kernel would not know of."""
    if problem.lane_kernel is not None:
        return
    instead = "give it a lane_kernel, or run it with backend='numpy'"
    if not isinstance(problem, Landscape):
        raise TypeError(f"problem {problem.label} must be a Landscape or have a lane_kernel to be compiled; {instead}")
    for name in ("loss", "gradient", "objective", "step_gradient", "step_objective", "judge"):
        if getattr(type(problem), name) is not getattr(Landscape, name):
            raise TypeError(
                f"problem {problem.label} has a {name} of its own, of which kernels, made of formulas, know nothing; "
                f"{instead}; losses that depend on the step are made by gdfast.problems.in_turn, phases and drawn"
            )


_NOISE = {f.__name__: f for f in (noise.mixed, noise.uniform, noise.quantile, noise.random_sign)}

_FUNCTIONS = {name: getattr(elementary, name) for name in elementary.__all__}
_EVALUATION = {
    "call_evaluation": call_evaluation,
    "call_product": call_product,
    "GRADIENT": GRADIENT,
    "OBJECTIVE": OBJECTIVE,
}
_NORMS = {f.__name__: f for f in (euclidean_norm, larger_size, square_scale, sqrt, elementary.select)}


class Shape(NamedTuple):
    """What a template is specialized to."""

    coordinates: int  # if they are to be in registers
    params: int  # numbers that formulas take behind them
    state: int  # slots
    norms: int  # over the coordinates
    euclidean: bool  # whether they are, or else of the largest entries
    sums: int  # over the coordinates
    sum_rows: int  # that a rule or a transform needs at a time for norms, sums and scalars
    uses_loss: bool  # whether the rule does
    parts: Parts  # where in a row of the table, and in the memory, the coefficients lie
    sparse: bool  # whether there are steps without a settle check
    real: str  # the type of all numbers
    of_vectors: bool  # whether the rule calls functions of whole vectors
    whole: Rows | None  # what such a rule needs, of a problem with an evaluation
    counts: bool  # whether it is counted what the rule asks for
    transformed: bool  # whether the gradient is
    moved: bool  # whether the point is, after the update
    elsewhere: bool  # whether a transform takes the gradient at another point

    @property
    def signature(self) -> Any:
        """The signature of the kernel."""
        return step_signature(getattr(types, self.real))

    @property
    def number(self) -> Any:
        """NumPy's type of that name, in which constants are given: others would widen what they are combined with."""
        return getattr(np, self.real)


def sum_rows(optimizer: Optimizer) -> int:
    """How many numbers of the whole vector a lane needs at a time: norms, sums, the scale of each norm, scalars."""
    own = 2 * len(optimizer.norms) + len(optimizer.sums) + len(optimizer.scalars)
    return max([own, *map(rows_of_sums, optimizer.transforms)])


def work_rows(problem: Problem, optimizer: Optimizer) -> int:
    """Rows to scribble on in a pair's step.

    The problem's, norms and sums, the points that transforms take gradients at, what a rule of whole vectors has, the
    points that updates begin at where transforms ask for them, losses, the largest gradient entries.
    """
    kernel = problem.lane_kernel
    products = optimizer.steps is not None and bool(optimizer.steps.takes_products)
    own = max(kernel.work_rows, kernel.product_rows if products else 0) if kernel else 0
    whole = in_memory(optimizer)[1].of(problem.dimension) if problem.lane_kernel and optimizer.steps else 0
    if optimizer.matrix_rule and problem.has_matrices:
        own = max(own, rows_for(problem, optimizer))  # the evaluation does not need its own any more
    moved = problem.lane_kernel and any(transform.after for transform in optimizer.transforms)
    aside = problem.lane_kernel and any(transform.elsewhere for transform in optimizer.transforms)
    whole += (bool(moved) + bool(aside)) * problem.dimension
    return own + sum_rows(optimizer) + whole + 2
