"""Steepest descent: gradient descent whose rate a line search finds anew at each step.

    θ ← θ − a g,  a by a line search

The first length that is tried is η times the one at which the loss would change as it did in the step before,
a' g'ᵀg'/gᵀg, and η min(1, 1/‖g‖₁) at the first step. With a growth γ > 0 it is min(γ a', η), with a' = 1 at the first
step: η itself for a large γ.

Source: Cauchy (1847), Comptes Rendus 25; Nocedal & Wright (2006), section 3.1 and, for the first length, (3.60). With
γ = 1.5 it is that of Vaswani et al. (2019), arXiv 1905.09997, and ``optax.scale_by_backtracking_linesearch`` after
``optax.sgd(1.0)`` with γ as ``increase_factor``, η as ``max_learning_rate`` and `shrink` as ``decrease_factor``; with
``search=zoom`` and γ = 1 it is ``optax.scale_by_zoom_linesearch`` after it, with 20 steps at most.
"""

import numpy as np

from gdfast.arguments import Interval
from gdfast.formulas.elementary import minimum
from gdfast.formulas.vectors import dot, line_search
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named
from gdfast.optimizers._searches import SEARCHES, name_of_search
from gdfast.optimizers.conjugate_gradients import first_length

_OPEN = Interval(0, 1, low_open=True, high_open=True)


def rule(theta, grad, gain, lr, first):
    slope = -dot(grad, grad)
    a = line_search(-grad, first_length(grad, slope, gain, lr, first))
    return theta - a * grad, a * slope


def growing_rule(theta, grad, last, lr, growth):
    a = line_search(-grad, minimum(growth * last, lr))
    return theta - a * grad, a


@named(search=name_of_search, sufficient=_OPEN, curvature=_OPEN, shrink=FRACTION, growth=NONNEGATIVE)
def steepest_descent(
    search: str = "backtracking",
    sufficient: float = 1e-4,
    curvature: float = 0.9,
    shrink: float = 0.5,
    growth: float = 0.0,
) -> Optimizer:
    """Steepest descent, θ ← θ − a g, a by a line search.

    Parameters
    ----------
    search : {"backtracking", "strong_wolfe", "zoom", "exact", "fixed"}
        By which conditions a length is chosen; ``exact`` is on quadratics, ``fixed`` takes the first.
    sufficient : float in (0, 1)
        c₁, the share of the slope by which the loss must fall.
    curvature : float in (0, 1)
        c₂, the share of the slope that may be left, by the strong Wolfe conditions.
    shrink : float in [0, 1)
        What a length is multiplied by in backtracking.
    growth : float >= 0
        γ, by which the length of the step before is multiplied to be tried first; 0 for the change of the loss instead.
    """
    if growth > 0:
        return Optimizer(
            growing_rule, learning_rate=1.0, initial={"last": 1.0}, scalars=("last",), search=SEARCHES[search]
        )
    return Optimizer(
        rule,
        learning_rate=1.0,
        step_table=lambda t: {"first": (t == 1).astype(np.float64)},
        scalars=("gain",),
        search=SEARCHES[search],
    )
