"""The average of the points of another optimizer, judged in place of them.

    x ← that optimizer's update of x, by the gradient at x
    θ ← kₙ θ + (1 − kₙ) x,   kₙ = β (1 − βⁿ⁻¹) / (1 − βⁿ),   n = t − start, at least 1

θ, which is judged, is the mean of the points x after the step `start`, in which those of m steps before weigh βᵐ; with
β = 1 all weigh the same. Until then it is x. Without debiasing k₁ = 0 and kₙ = β from then on. A step takes the
gradient at x, which the update needs, and at θ, by which it is told whether a trajectory has come to rest.

Source: Ruppert (1988) and Polyak & Juditsky (1992) for β = 1, which is ``torch.optim.swa_utils.AveragedModel`` as it is
called without further arguments; without debiasing its ``get_ema_avg_fn(β)``, and ``optax.ema(β)`` of the parameters
with it.
"""

import ast
import copy
import itertools
from typing import Any

import numpy as np

from gdfast import arguments
from gdfast.formulas.elementary import Array, power
from gdfast.formulas.formula import Formula, from_text
from gdfast.optimizers._optimizer import Optimizer, named
from gdfast.optimizers.gd import gd

_ANYWHERE = frozenset({"dot", "norm", "gradient_at", "loss_at"})  # tell the same wherever the rule's point is
_ITERATE, _SLOPE, _MOVED, _KEPT, _FIRST = "iterate", "slope", "moved", "kept", "begin"


def _rule_of(base: Optimizer) -> Any:
    """The rule that updates the iterate as another rule does, and then the average; and names of its coefficients."""
    slots = base.state + base.scalars
    tree = copy.deepcopy(Formula.of(base.rule, 1 + len(slots), of_vectors=True).tree)
    taken = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | {each.arg for each in tree.args.args}
    own = {name: next(n for n in _free(name) if n not in taken) for name in (_ITERATE, _SLOPE, _MOVED, _KEPT, _FIRST)}
    iterate, slope, moved, kept, first = own.values()
    renamed = dict(zip((each.arg for each in tree.args.args[:2]), (iterate, slope), strict=True))
    theta, grad = (next(n for n in _free(name) if n not in taken - {*renamed}) for name in ("theta", "grad"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = renamed.get(node.id, node.id)
    *body, last = tree.body
    assert isinstance(last, ast.Return)
    results = last.value.elts if isinstance(last.value, ast.Tuple) else [last.value]
    after, *others = (ast.unparse(each) for each in results if each is not None)
    names = theta, grad, iterate, *slots, "lr", *base.coefficients, kept, first
    lines = [
        f"def averaged_rule({', '.join(names)}):",
        f"{iterate} = select({first} > 0, {theta}, {iterate})",
        f"{slope} = gradient_at({iterate})",
        *([f"loss = loss_at({iterate})"] if base.uses_loss else []),
        *(ast.unparse(statement) for statement in body),
        f"{moved} = {after}",
        f"{theta} = {kept} * {theta} + (1 - {kept}) * {moved}",
        f"return {', '.join([theta, moved, *others])}",
    ]
    return from_text("\n    ".join(lines) + "\n"), kept, first


def _free(name: str) -> Any:
    return (name + "_" * k for k in itertools.count())


@named(decay=arguments.UNIT, start=arguments.NONNEGATIVE)
def averaged(of: Optimizer | None = None, decay: float = 1.0, debias: bool = True, start: float = 0) -> Optimizer:
    """The average of another optimizer's points, θ ← kₙ θ + (1 − kₙ) x.

    Parameters
    ----------
    of : Optimizer, optional
        What updates x, with its schedule and transforms; gradient descent if not given. In notation
        ``averaged:of=(adam:beta1=0.8|cosine),decay=0.99``.
    decay : float in [0, 1]
        β, by which the weight of a point shrinks with each step; 1 for the mean of all.
    debias : bool
        Whether weights are those of a mean from the beginning, or the first point counts as all before it.
    start : float >= 0
        Steps before the first point that counts.

    Raises
    ------
    TypeError, ValueError
        If `of` is no optimizer, or one with norms, sums, a line search, the Hessian, a rule of matrices or transforms
        of the point.
    """
    base = gd() if of is None else of
    if not isinstance(base, Optimizer):
        raise TypeError(
            f"averaged: of must be an optimizer, such as gdfast.optimizers.adam(), not {arguments.shown(of)}"
        )
    if base.norms or base.sums or base.matrix_rule is not None:
        raise ValueError(f"averaged: of must be an optimizer without norms, sums and matrices, not {base.label}")
    if base.steps and (elsewhere := sorted(base.steps.functions - _ANYWHERE)):
        raise ValueError(
            f"averaged: of must be an optimizer that asks for nothing at the judged point, not {base.label}, whose "
            f"rule calls {elsewhere[0]}"
        )
    if later := [each.label for each in base.transforms if each.after]:
        raise ValueError(f"averaged: of must be an optimizer without transforms of the point, not with {later[0]}")
    arguments.number("averaged: start", start, arguments.NONNEGATIVE)  # for all steps the same
    rule, kept, first = _rule_of(base)

    def step_table(t: Array, multipliers: Array) -> dict[str, Any]:
        every = base.at_every_step(len(t) - 1) if base.courses else base
        told = {name: every.parameters[name] for name in base.coefficients if name in every.parameters}
        if every.step_table:
            told.update(every.step_table(*([t, multipliers] if every.takes_multipliers else [t])))
        n = np.maximum(t - start, 1.0)
        if decay == 1 and debias:
            share = (n - 1.0) / n
        elif debias:
            share = decay * (1.0 - power(decay, n - 1.0)) / (1.0 - power(decay, n))
        else:
            share = np.where(n > 1, decay, 0.0)
        return {**told, kept: share, first: (t == 1).astype(np.float64)}

    average = Optimizer(
        rule,
        learning_rate=base.learning_rate,
        step_table=step_table,
        initial=base.initial,
        scalars=base.scalars,
        search=base.search,
        parameters={},
    )
    own = base.schedule, base.transforms, base.unit
    return average.copied(schedule=own[0], transforms=own[1], unit=own[2], within=own, carrier=base)
