"""L-BFGS: Newton's direction by a Hessian that is made of the last changes of the gradient.

    sᵢ, yᵢ the last m changes of θ and of g with yᵢᵀsᵢ > ε, newest first;  ρᵢ = 1/yᵢᵀsᵢ,  γ = y₁ᵀs₁/y₁ᵀy₁
    p = −g;  for i = 1 … m:  αᵢ = ρᵢ sᵢᵀp,  p ← p − αᵢ yᵢ
    p ← γ p;  for i = m … 1:  p ← p + (αᵢ − ρᵢ yᵢᵀp) sᵢ
    θ ← θ + a p,  a by a line search that tries η first, and at the first step η min(1, 1/‖g‖₁), or η min(1, 1/‖g‖)

Source: Nocedal (1980), Mathematics of Computation 35; Nocedal & Wright (2006), algorithm 7.4. The first length, ε and
the strong Wolfe search are those of ``torch.optim.LBFGS``, which ends a search where its bracket times the largest
entry of p is below ``tolerance_change``, and keeps the last 100 changes by default. ``optax.lbfgs``, which has the
Euclidean norm and multiplies p by the fraction, takes the difference of points for s, and keeps all changes, is
``lbfgs:search=zoom,least=0,euclidean=True``.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gdfast import arguments
from gdfast.arguments import Interval
from gdfast.formulas.families import define
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named
from gdfast.optimizers._searches import SEARCHES, name_of_search

_OPEN = Interval(0, 1, low_open=True, high_open=True)
MOST = 32


@functools.lru_cache(maxsize=MOST)
def rule_of(history: int, euclidean: bool = False) -> Callable[..., Any]:
    """The rule with so many changes kept, and its first length by one norm or the other."""
    several = range(1, history + 1)
    s, y, rho = ([f"{name}{i}" for i in several] for name in ("s", "y", "rho"))
    lines = [
        "change = grad - before",
        "bend = dot(change, moved)",
        "keeps = (bend > least) & (first == 0)",
    ]
    for slots, new in ((s, "moved"), (y, "change"), (rho, "1 / bend")):
        lines += [f"{slots[i]} = select(keeps, {slots[i - 1] if i else new}, {slots[i]})" for i in range(history)[::-1]]
    lines += ["gamma = select(keeps, bend / dot(change, change), gamma)", "p = -grad"]
    for i in range(history):
        lines += [f"alpha{i} = {rho[i]} * dot({s[i]}, p)", f"p = p - alpha{i} * {y[i]}"]
    short = f"select(first > 0, minimum(1, 1 / {'norm(grad)' if euclidean else 'dot(grad, sign(grad))'}), 1)"
    lines.append(f"p = {f'gamma * {short}' if euclidean else 'gamma'} * p")
    lines += [f"p = p + (alpha{i} - {rho[i]} * dot({y[i]}, p)) * {s[i]}" for i in range(history)[::-1]]
    lines += [
        f"a = line_search(p, {'lr' if euclidean else f'lr * {short}'})",
        "new = theta + a * p",
        f"moved = {'new - theta' if euclidean else 'a * p'}",
    ]
    slots = ["before", "moved", *s, *y, *rho, "gamma"]
    results = ["new", "grad", *slots[1:]]
    return define("rule", ["theta", "grad", *slots, "lr", "least", "first"], lines, results)


@named(search=name_of_search, least=NONNEGATIVE, sufficient=_OPEN, curvature=_OPEN, shrink=FRACTION)
def lbfgs(
    history: int = 10,
    search: str = "strong_wolfe",
    sufficient: float = 1e-4,
    curvature: float = 0.9,
    shrink: float = 0.5,
    least: float = 1e-10,
    euclidean: bool = False,
) -> Optimizer:
    """L-BFGS, Newton's direction by the last m changes of the gradient, with a line search.

    Parameters
    ----------
    history : int
        m, 1 to 32.
    search : {"strong_wolfe", "zoom", "backtracking", "exact", "fixed"}
        By which conditions a length is chosen; ``exact`` is on quadratics, ``fixed`` takes the first.
    sufficient : float in (0, 1)
        c₁, the share of the slope by which the loss must fall.
    curvature : float in (0, 1)
        c₂, the share of the slope that may be left, by the strong Wolfe conditions.
    shrink : float in [0, 1)
        What a length is multiplied by in backtracking.
    least : float >= 0
        ε, of smaller products yᵀs a change is not kept.
    euclidean : bool
        Whether the first step has the Euclidean norm of the gradient below the fraction, as optax's, or the sum of its
        entries.
    """
    m = arguments.integer("lbfgs: history", history, high=MOST)
    return Optimizer(
        rule_of(m, euclidean),
        learning_rate=1.0,
        step_table=lambda t: {"first": (t == 1).astype(np.float64)},
        initial={"gamma": 1.0},
        scalars=(*(f"rho{i}" for i in range(1, m + 1)), "gamma"),
        search=SEARCHES[search],
    )
