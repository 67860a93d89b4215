"""Losses in turn: each for some steps, over and over.

    fₜ = f₁ in the first n₁ steps, f₂ in the next n₂, …, then f₁ again

The judged loss is the mean over a round, f = Σᵢ nᵢ fᵢ / Σᵢ nᵢ. Gradient descent on it is the incremental gradient
method: Bertsekas (2011), "Incremental gradient, subgradient, and proximal methods for convex optimization: a survey",
arXiv 1507.01030. The default are the squares of two equations, whose lines of minima meet at (1, 1): at the rate that
steps onto the line, 1/2 and 1/4, it is Kaczmarz's method (1937).
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.named import named
from gdfast.problems._problem import Problem
from gdfast.problems._stepwise import Stepwise, known_minimum, made, parts_of

LONGEST_ROUND = 2**24


def _turns(lengths: tuple[int, ...], steps: int) -> NDArray[np.int64]:
    return np.resize(np.repeat(np.arange(len(lengths)), lengths), steps)


@named(losses=made, minimum=known_minimum)
def in_turn(
    losses: Sequence[Problem | str] = ("(x - 1)^2", "(x - y)^2"),
    lengths: Sequence[int] | None = None,
    domain: Any = None,
    params: Any = None,
    minimum: float | None = None,
) -> Stepwise:
    """Make a problem of losses that take turns: each for some steps, over and over.

    The loss that is told, and by which ends are judged, is their mean over a round. No trajectory settles before its
    budget is spent, since where the mean is flat its parts need not be.

    Parameters
    ----------
    losses : sequence of str or Problem
        Expressions, as of `from_expression`, or problems of the same coordinates.
    lengths : sequence of int, optional
        For how many steps each is taken; 1 if not given.
    domain, params
        Of the expressions, as of `from_expression`; each has all coordinates that one of them names.
    minimum : float, optional
        The lowest mean loss, if it is known and is that of no minimum that can be found.

    Returns
    -------
    Stepwise
        The problem; rules that ask for the Hessian are refused.

    Raises
    ------
    TypeError, ValueError
        If they are no losses of the same coordinates, or the lengths do not fit them.

    Examples
    --------
    >>> problem = in_turn(["3*x", "-x"], lengths=[1, 2], domain=(-1, 1))
    >>> [float(problem.step_gradient([0.0], t)[0, 0]) for t in range(6)]
    [3.0, -1.0, -1.0, 3.0, -1.0, -1.0]
    >>> problem.loss([1.0]).round(12).tolist()
    [0.333333333333]
    """
    parts, box = parts_of("in_turn", losses, domain, params)
    given = [1] * len(parts) if lengths is None else arguments.several("in_turn: lengths", lengths, "whole numbers")
    if len(given) != len(parts):
        raise ValueError(f"in_turn: lengths must be one for each of {len(parts)} losses, not {len(given)}")
    counts = tuple(arguments.integer("in_turn: lengths", count) for count in given)
    arguments.integer("in_turn: lengths: their sum", sum(counts), high=LONGEST_ROUND)
    return Stepwise(parts, functools.partial(_turns, counts), np.array(counts, dtype=np.float64), box, minimum=minimum)
