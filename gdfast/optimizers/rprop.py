"""Rprop: a step size for each coordinate, from the signs of its gradient alone.

    s = sign(g · g_previous);   size ← size · η₊, η₋ or 1 for s > 0, s < 0, s = 0, within [step_min, step_max]
    g ← 0 where s < 0;   θ ← θ − sign(g) · size;   g_previous ← g

The learning rate is the first step size.

Source: Riedmiller & Braun (1993), in the variant without backtracking (iRprop−) and with the defaults of
``torch.optim.Rprop``. ``optax.rprop`` lags one step.
"""

import numpy as np

from gdfast.arguments import Interval
from gdfast.formulas.elementary import maximum, minimum, select, sign
from gdfast.optimizers._optimizer import NONNEGATIVE, POSITIVE, Optimizer, named


def rule(theta, grad, previous, size, lr, eta_minus, eta_plus, step_min, step_max, first):
    turn = sign(grad * previous)
    factor = select(turn > 0, eta_plus, select(turn < 0, eta_minus, 1.0))
    size = minimum(maximum(select(first > 0, lr, size) * factor, step_min), step_max)
    grad = select(turn < 0, 0.0, grad)
    theta = theta - sign(grad) * size
    return theta, grad, size


@named(
    eta_minus=Interval(0, 1, True, True), eta_plus=Interval(1, low_open=True), step_min=NONNEGATIVE, step_max=POSITIVE
)
def rprop(eta_minus: float = 0.5, eta_plus: float = 1.2, step_min: float = 1e-6, step_max: float = 50.0) -> Optimizer:
    """Rprop, θ ← θ − sign(g) · size with a size that grows while the sign stays and shrinks when it turns.

    Parameters
    ----------
    eta_minus, eta_plus : float
        Factors of the size, in (0, 1) and above 1.
    step_min, step_max : float
        Its bounds.
    """
    return Optimizer(rule, learning_rate=0.01, step_table=lambda t: {"first": (t == 1).astype(np.float64)})
