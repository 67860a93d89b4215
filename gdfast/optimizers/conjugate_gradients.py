"""Nonlinear conjugate gradients: each direction keeps a part of the one before.

    p ← β p − g,  −g at first and where that is no descent
    θ ← θ + a p,  a by a line search
    β = max(0, gᵀ(g − g')/g'ᵀg')  Polak–Ribière+,  gᵀg/g'ᵀg'  Fletcher–Reeves,  gᵀ(g − g')/pᵀ(g − g')  Hestenes–Stiefel

g' is the gradient before. The first length that is tried is η times the one at which the loss would change as it did in
the step before, a' p'ᵀg'/pᵀg, and η min(1, 1/‖g‖₁) at the first step.

Sources: Fletcher & Reeves (1964), Polak & Ribière (1969), Hestenes & Stiefel (1952); Nocedal & Wright (2006), section
5.2 and, for the first length, (3.60). On quadratics with exact searches all are the method of conjugate gradients.
"""

from typing import Any

import numpy as np

from gdfast import arguments
from gdfast.arguments import Interval
from gdfast.formulas.elementary import maximum, minimum, select, sign
from gdfast.formulas.vectors import dot, line_search
from gdfast.optimizers._optimizer import FRACTION, Optimizer, named
from gdfast.optimizers._searches import SEARCHES, name_of_search

_OPEN = Interval(0, 1, low_open=True, high_open=True)


def first_length(grad, slope, gain, lr, first):
    """The length that a search tries first."""
    short = minimum(1, 1 / dot(grad, sign(grad)))
    return lr * select(first > 0, short, select((gain < 0) & (slope < 0), gain / slope, 1))


def along(theta, grad, p, beta, gain, lr, first):
    """A step along the next direction."""
    p = select(first > 0, -grad, beta * p - grad)
    p = select(dot(p, grad) < 0, p, -grad)
    slope = dot(p, grad)
    a = line_search(p, first_length(grad, slope, gain, lr, first))
    return theta + a * p, p, grad, a * slope


def polak_ribiere(theta, grad, p, before, gain, lr, first):
    beta = maximum(dot(grad, grad - before) / dot(before, before), 0)
    theta, p, before, gain = along(theta, grad, p, beta, gain, lr, first)
    return theta, p, before, gain


def fletcher_reeves(theta, grad, p, before, gain, lr, first):
    beta = dot(grad, grad) / dot(before, before)
    theta, p, before, gain = along(theta, grad, p, beta, gain, lr, first)
    return theta, p, before, gain


def hestenes_stiefel(theta, grad, p, before, gain, lr, first):
    beta = dot(grad, grad - before) / dot(p, grad - before)
    theta, p, before, gain = along(theta, grad, p, beta, gain, lr, first)
    return theta, p, before, gain


RULES = {rule.__name__: rule for rule in (polak_ribiere, fletcher_reeves, hestenes_stiefel)}


def _name_of_beta(value: Any) -> str:
    return arguments.choice("beta", value, RULES)


@named(beta=_name_of_beta, search=name_of_search, sufficient=_OPEN, curvature=_OPEN, shrink=FRACTION)
def conjugate_gradients(
    beta: str = "polak_ribiere",
    search: str = "strong_wolfe",
    sufficient: float = 1e-4,
    curvature: float = 0.1,
    shrink: float = 0.5,
) -> Optimizer:
    """Nonlinear conjugate gradients, p ← β p − g, with a line search.

    Parameters
    ----------
    beta : {"polak_ribiere", "fletcher_reeves", "hestenes_stiefel"}
        The formula of β; Polak's and Ribière's is 0 at least.
    search : {"strong_wolfe", "zoom", "backtracking", "exact", "fixed"}
        By which conditions a length is chosen; ``exact`` is on quadratics, ``fixed`` takes the first.
    sufficient : float in (0, 1)
        c₁, the share of the slope by which the loss must fall.
    curvature : float in (0, 1)
        c₂, the share of the slope that may be left, by the strong Wolfe conditions.
    shrink : float in [0, 1)
        What a length is multiplied by in backtracking.
    """
    return Optimizer(
        RULES[beta],
        learning_rate=1.0,
        step_table=lambda t: {"first": (t == 1).astype(np.float64)},
        scalars=("gain",),
        search=SEARCHES[search],
    )
