"""Barzilai & Borwein's step: a rate from the last two points and gradients.

    s = θ − θ_previous,   y = g − g_previous
    α = s·s / s·y (long), or s·y / y·y (short);   η at the first step and where s·y <= 0
    θ ← θ − α g

Source: Barzilai & Borwein (1988), "Two-point step size gradient methods". It is not monotone, and without a line
search not safe far from a minimum. Products are taken of s and y in units (powers of two) in which they neither
overflow nor underflow.
"""

import numpy as np

from gdfast.formulas.elementary import select, square_scale, square_unit
from gdfast.optimizers._optimizer import Optimizer, named


def rule(theta, grad, point, slope, lr, step_size, change_size, step_square, product, change_square, first):
    units = square_unit(step_size) * square_scale(change_size)
    rate = select((first > 0) | (product <= 0), lr, step_square / product * units)
    moved = theta - rate * grad
    return moved, theta, grad


def short_rule(theta, grad, point, slope, lr, step_size, change_size, step_square, product, change_square, first):
    units = square_unit(step_size) * square_scale(change_size)
    rate = select((first > 0) | (product <= 0), lr, product / change_square * units)
    moved = theta - rate * grad
    return moved, theta, grad


def entries(theta, grad, point, slope, lr, first):
    return theta - point, grad - slope


def terms(theta, grad, point, slope, lr, step_size, change_size, first):
    step = (theta - point) * square_scale(step_size)
    change = (grad - slope) * square_scale(change_size)
    return step * step, step * change, change * change


@named()
def barzilai_borwein(short: bool = False) -> Optimizer:
    """Barzilai & Borwein's step, α = s·s / s·y.

    Parameters
    ----------
    short : bool
        Use the short step s·y / y·y.
    """
    return Optimizer(
        short_rule if short else rule,
        learning_rate=0.001,
        step_table=lambda t: {"first": (t == 1).astype(np.float64)},
        norms=("step_size", "change_size"),
        entries=entries,
        euclidean=False,
        sums=("step_square", "product", "change_square"),
        terms=terms,
    )
