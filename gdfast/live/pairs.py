"""An optimizer on a landscape as one loop in JavaScript: what `gdfast.kernels.fuse` is for compiled lanes.

Gradient, settle check, transforms, schedule and rule stand one after the other in the order of
`gdfast.tiles.reference`, on numbers that stay in variables of the loop.
"""

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

from gdfast.formulas.derivatives import NoDerivativeError, hessian_of
from gdfast.formulas.families import define
from gdfast.formulas.formula import Formula
from gdfast.formulas.javascript import Number, Script, choice, trace
from gdfast.formulas.noise import KEY
from gdfast.live.lane_functions import function, functions, noise_of
from gdfast.optimizers import Optimizer
from gdfast.parts import Parts, Span
from gdfast.problems import Landscape, Problem
from gdfast.problems._stepwise import Stepwise
from gdfast.problems.quadratic import Quadratic
from gdfast.transforms import Transform


def formulas_of(problem: Problem) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Loss and gradient of a problem as formulas of its coordinates (and of its params).

    Raises
    ------
    ValueError
        If they are none of one or two coordinates.
    """
    if isinstance(problem, Landscape) and problem.dimension <= 2:
        return problem.loss_formula, problem.gradient_formula
    if isinstance(problem, Quadratic) and problem.dimension <= 2:
        names = problem.coordinates
        if problem.matrix is None:
            slopes = [f"{c!r} * {x}" for c, x in zip(problem.curvatures.tolist(), names, strict=True)]
        else:
            slopes = [
                " + ".join(["0.0", *(f"{a!r} * {x}" for a, x in zip(row, names, strict=True))])
                for row in problem.matrix.tolist()
            ]
        assigned = [f"slope{i} = {slope}" for i, slope in enumerate(slopes)]
        results = [f"slope{i}" for i in range(len(names))]
        total = " + ".join(["0.0", *(f"0.5 * slope{i} * {x}" for i, x in enumerate(names))])
        gradient = define("gradient", names, assigned, results[0] if len(names) == 1 else results)
        return define("loss", names, assigned, total), gradient
    wanted = "must be a landscape of one or two coordinates, whose loss is a formula, to run in a page"
    if isinstance(problem, Stepwise):
        raise ValueError(f"problem: {problem.label} {wanted}; its loss depends on the step: give one of its losses")
    if problem.dimension > 2:
        raise ValueError(f"problem: {problem.label} {wanted}; it has {problem.dimension:,} coordinates")
    raise ValueError(f"problem: {problem.label} {wanted}; its loss is no formula")


def landscape(problem: Problem, real: str = "float64") -> str:
    """The functions ``objective``, ``gradient`` and ``hessian`` of a problem, of its coordinates one by one."""
    loss, gradient = formulas_of(problem)
    d = problem.dimension
    names = [f"x{i}" for i in range(d)]
    texts = [
        _function("objective", names, problem, loss, 1, real),
        _function("gradient", names, problem, gradient, d, real),
    ]
    try:
        texts.append(_function("hessian", names, problem, hessian_of(gradient, d), d, real))
    except NoDerivativeError:
        texts.append("const hessian = null;\n")
    return "".join(texts)


def _function(name: str, names: Sequence[str], problem: Problem, formula: Any, results: int, real: str) -> str:
    script = Script(real)
    value = _at(problem, formula, results, script, [script.argument(n) for n in names])
    flat = [
        n.text
        for row in (value if isinstance(value, tuple) else (value,))
        for n in (row if isinstance(row, tuple) else (row,))
    ]
    returned = flat[0] if name == "objective" else f"[{', '.join(flat)}]"
    return f"function {name}({', '.join(names)}) {{\n{script.body()}  return {returned};\n}}\n"


def _at(problem: Problem, formula: Any, results: int, script: Script, theta: Sequence[Number]) -> Any:
    params = [script.number(value) for value in getattr(problem, "params", {}).values()]
    return trace(Formula.of(formula, results), functions(script), script, [*theta, *params])


class _Step:
    """One update, under way."""

    def __init__(self, problem: Problem, optimizer: Optimizer, constant: Sequence[bool], real: str) -> None:
        self.problem, self.optimizer, self.script = problem, optimizer, Script(real)
        self.parts, self.functions = Parts.of(optimizer, None), functions(self.script)
        self.d = problem.dimension
        self.loss_formula, self.gradient_formula = formulas_of(problem)
        argument = self.script.argument
        self.row = [argument(f"c{j}") for j in range(self.parts.width)]
        self.theta = [argument(f"x{i}") for i in range(self.d)]
        self.state = [[argument(f"s{j}_{i}") for i in range(self.d)] for j in range(len(optimizer.initial_state))]
        self.scalars = [argument(f"m{j}") for j in range(len(optimizer.initial_scalars))]
        plateau = optimizer.plateau
        self.memory = [argument(f"r{j}") for j in range(len(plateau.initial))] if plateau else []

    def columns(self, span: Any) -> list[Number]:
        columns: list[Number] = self.row[span.places]
        return columns

    def apply(self, rule: Any, results: int, *given: Any) -> tuple[Number, ...]:
        value = trace(Formula.of(rule, results), self.functions, self.script, given)
        return value if isinstance(value, tuple) else (value,)

    def gradient(self, at: Sequence[Number] | None = None) -> list[Number]:
        value = _at(self.problem, self.gradient_formula, self.d, self.script, self.theta if at is None else at)
        return list(value) if isinstance(value, tuple) else [value]

    def objective(self) -> Number:
        value: Number = _at(self.problem, self.loss_formula, 1, self.script, self.theta)
        return value

    def reduced(
        self, rule: Any, given: Sequence[Sequence[Any]], coefficients: Sequence[Number], rounds: bool = False
    ) -> list[Number]:
        """Norms and sums, as `gdfast.formulas.arrays.reduced` computes them; `given` has a row for each coordinate."""
        script, norms, sums = self.script, list[Number](), list[Number]()
        if rule.entries is not None:
            rows = [self.apply(rule.entries, len(rule.norms), *g, *coefficients) for g in given]
            for values in zip(*rows, strict=True):
                size: Any = script.number(0.0)
                for value in values:
                    size = choice(abs(value) > size, abs(value), size)
                if rule.euclidean:
                    scale, total = function("square_scale", script.real)(size), script.number(0.0)
                    for value in values:
                        total = total + value * scale * (value * scale)
                    size = self.functions["sqrt"](total) / scale
                norms.append(size)
        if rule.terms is not None:

            def summed(*before: Number) -> list[Number]:
                rows = [self.apply(rule.terms, len(rule.sums), *g, *norms, *before, *coefficients) for g in given]
                return [
                    functools.reduce(operator.add, values, script.number(0.0)) for values in zip(*rows, strict=True)
                ]

            sums = summed(*[script.number(0.0)] * len(rule.sums) if rounds else ())
            goes: Any = None
            for _ in given if rounds else ():
                again = summed(*sums)
                falls = again[0] < sums[0]
                goes = falls if goes is None else goes & falls
                sums = [choice(goes, new, old) for new, old in zip(again, sums, strict=True)]
        return norms + sums

    def rate(self) -> Number:
        lr = self.script.argument("lr")
        if not self.parts.schedule.size:
            return self.memory[0] * lr if self.memory else lr
        factor = self.row[self.parts.schedule.begin]
        return (factor * self.memory[0] if self.memory else factor) * lr

    def transformed(self, grad: list[Number], rate: Number) -> list[Number]:
        return self.transformed_by(len(self.optimizer.transforms), self.theta, grad, rate)

    def transformed_by(self, count: int, theta: list[Number], grad: list[Number], rate: Number) -> list[Number]:
        """What the first transforms make of the gradient at a point."""
        for k, transform in enumerate(self.optimizer.transforms[:count]):
            if not transform.after:
                at = [(x, g, rate) for x, g in zip(theta, grad, strict=True)]
                grad = [new for (new,) in self.changed(transform, at, self.parts.transforms[k])]
                if transform.elsewhere:
                    grad = self.transformed_by(k, grad, self.gradient(grad), rate)
        return grad

    def changed(self, transform: Transform, at: Sequence[Sequence[Number]], span: Span) -> list[tuple[Number, ...]]:
        """What a transform's rule returns for each coordinate, of its arguments up to the learning rate."""
        given, key = self.columns(span), list[Number]()
        if transform.noisy:
            given, key = given[: -len(KEY)], given[-len(KEY) :]
        whole = self.reduced(transform, at, given, transform.rounds)
        new = []
        for i, place in enumerate(at):
            number, normal = self.script.argument("number"), transform.drawn == "noise"
            drawn = [noise_of(self.script, key, number, i, normal)] if key else []
            new.append(self.apply(transform.rule, transform.results, *place, *whole, *drawn, *given))
        return new

    def update(self, grad: list[Number], rate: Number) -> list[tuple[str, Number]]:
        """What the variables become."""
        optimizer, coefficients = self.optimizer, self.columns(self.parts.rule)
        loss = [self.objective()] if optimizer.uses_loss or self.memory else []
        new: list[tuple[str, Number]] = []
        if optimizer.plateau:
            memory = self.apply(
                optimizer.plateau.rule, len(self.memory), loss[0], *self.memory, *self.columns(self.parts.plateau)
            )
            new += [(f"r{j}", value) for j, value in enumerate(memory)]
        slots, scalars = len(optimizer.state), len(optimizer.scalars)
        own = self.state[:slots], self.scalars[:scalars]
        at = [(self.theta[i], grad[i], *(slot[i] for slot in own[0]), *own[1], rate) for i in range(self.d)]
        whole = self.reduced(optimizer, at, coefficients)
        whole += loss if optimizer.uses_loss else []
        values = [self.apply(optimizer.rule, 1 + slots + scalars, *place, *whole, *coefficients) for place in at]
        new += self.remembered(values, 0, 0, slots)
        theta = [value[0] for value in values]
        for transform, span in zip(optimizer.transforms, self.parts.transforms, strict=True):
            if transform.after:
                held = self.state[slots : slots + len(transform.state)]
                more = self.scalars[scalars : scalars + len(transform.scalars)]
                at = [
                    (theta[i], grad[i], self.theta[i], *(slot[i] for slot in held), *more, rate) for i in range(self.d)
                ]
                values = self.changed(transform, at, span)
                new += self.remembered(values, slots, scalars, len(held))
                theta = [value[0] for value in values]
                slots, scalars = slots + len(held), scalars + len(more)
        return [*((f"x{i}", value) for i, value in enumerate(theta)), *new]

    def remembered(
        self, values: Sequence[Sequence[Number]], slots: int, scalars: int, own: int
    ) -> list[tuple[str, Number]]:
        """What slots, and scalars, from these on become by what a rule returned for each coordinate."""
        new = [
            (f"s{slots + j}_{i}", value)
            for i, results in enumerate(values)
            for j, value in enumerate(results[1 : 1 + own])
        ]
        return new + [(f"m{scalars + j}", value) for j, value in enumerate(values[0][1 + own :])]


def stepping(problem: Problem, optimizer: Optimizer, constant: Sequence[bool], real: str = "float64") -> str:
    """The text of ``function advance(lane, lr, number, table, from, to, tolerance, limit)``.

    It takes a trajectory, whose numbers lie in ``lane``, from the update ``from`` up to ``to``: coordinates, state
    slot by slot, memory, and last whether the gradient before was small. It returns −1, or 2 t if it was stationary
    after t updates, or 2 t + 1 if it had diverged.

    Parameters
    ----------
    problem, optimizer
        The pair.
    constant : sequence of bool
        Of each column of the step table, whether it is the same at every step.
    real : {"float64", "float32"}
        The type that it computes in.
    """
    step = _Step(problem, optimizer, constant, real)
    grad = step.gradient()
    checks, step.script.lines = step.script.lines, []
    rate = step.rate()
    new = step.update(step.transformed(grad, rate), rate)
    names = [f"x{i}" for i in range(step.d)]
    names += [n.text for slot in step.state for n in slot] + [n.text for n in (*step.memory, *step.scalars)]
    width = len(constant)
    loads = ", ".join(f"{name} = lane[{k}]" for k, name in enumerate(names))
    stores = " ".join(f"lane[{k}] = {name};" for k, name in enumerate(names))
    sizes = [f"Math.abs({g.text})" for g in grad]
    lines = [
        "function advance(lane, lr, number, table, from, to, tolerance, limit) {",
        f"  let {loads}, small = lane[{len(names)}];",
        *(f"  const c{j} = table[{j}];" for j in range(width) if constant[j]),
        "  for (let t = from; t < to; t++) {",
        *(f"    const c{j} = table[t * {width} + {j}];" for j in range(width) if not constant[j]),
        *(f"    {line}" for line in checks),
        f"    if (!({' && '.join(f'{s} <= limit' for s in sizes)})) {{ {stores} return 2 * t + 1; }}",
        f"    if ({' && '.join(f'{s} <= tolerance' for s in sizes)}) {{",
        f"      if (small) {{ {stores} return 2 * t; }}",
        "      small = 1;",
        "    } else small = 0;",
        *(f"    {line}" for line in step.script.lines),
        "    " + " ".join(_assigned(new)),
        "  }",
        f"  {stores} lane[{len(names)}] = small;",
        "  return -1;",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _assigned(new: Sequence[tuple[str, Number]]) -> list[str]:
    """Assignments to the variables; what of them becomes the value of another is kept first."""
    own = {name for name, _ in new}
    moved = sorted({value.text for name, value in new if value.text in own and value.text != name})
    sets = ((name, f"old_{value.text}" if value.text in moved else value.text) for name, value in new)
    return [f"const old_{name} = {name};" for name in moved] + [f"{name} = {text};" for name, text in sets]


def initial_lane(problem: Problem, optimizer: Optimizer) -> list[float]:
    """What the lane of a trajectory begins with, behind its coordinates; NaN stands for the coordinate's own."""
    plateau = list(optimizer.plateau.initial.values()) if optimizer.plateau else []
    state = [value for value in optimizer.initial_state.tolist() for _ in range(problem.dimension)]
    return [*state, *map(float, plateau), *optimizer.initial_scalars.tolist(), 0.0]
