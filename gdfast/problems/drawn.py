"""A loss drawn at random for each step: stochastic gradient descent on formulas.

    fₜ = fᵢ with probability pᵢ

The judged loss is the mean, f = Σᵢ pᵢ fᵢ, the expectation: Robbins & Monro (1951). The default are two parabolas,
between whose minima trajectories go to and fro, the wider the larger the rate; their mean is x² + 1.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.formulas.elementary import Array
from gdfast.named import named
from gdfast.problems._problem import Problem
from gdfast.problems._stepwise import Stepwise, known_minimum, made, parts_of


def _turns(below: Array, seed: int, steps: int) -> NDArray[np.int64]:
    uniform = np.random.default_rng(seed).random(steps)
    return np.minimum(np.searchsorted(below, uniform, side="right"), len(below) - 1)


@named(losses=made, minimum=known_minimum)
def drawn(
    losses: Sequence[Problem | str] = ("(x - 1)^2", "(x + 1)^2"),
    probabilities: Sequence[float] | None = None,
    seed: int = 0,
    domain: Any = None,
    params: Any = None,
    minimum: float | None = None,
) -> Stepwise:
    """Make a problem of which each step draws one of several losses, the same for every trajectory.

    The loss that is told, and by which ends are judged, is their mean, by the probabilities. No trajectory settles
    before its budget is spent. It counts as at the lowest minimum within 1e-2 of the loss's scale, as mini-batches do.

    Parameters
    ----------
    losses : sequence of str or Problem
        Expressions, as of `from_expression`, or problems of the same coordinates.
    probabilities : sequence of float, optional
        Of each, positive, in any unit: they are divided by their sum. All the same if not given.
    seed : int
        Of what is drawn.
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
        If they are no losses of the same coordinates, or the probabilities do not fit them.

    Examples
    --------
    >>> problem = drawn(["(x-1)**2", "(x+1)**2"], probabilities=[0.25, 0.75])
    >>> [problem.turn(t) for t in range(8)]
    [1, 1, 0, 0, 1, 1, 1, 1]
    >>> problem.minima[0].point
    (-0.5,)
    """
    parts, box = parts_of("drawn", losses, domain, params)
    accepted = "positive numbers"
    told = [1.0] * len(parts) if probabilities is None else probabilities
    given = arguments.several("drawn: probabilities", told, accepted)
    if len(given) != len(parts):
        raise ValueError(f"drawn: probabilities must be one for each of {len(parts)} losses, not {len(given)}")
    weights = np.array([arguments.number("drawn: probabilities", each, arguments.POSITIVE) for each in given])
    below = np.cumsum(weights / weights.sum())
    seed = arguments.integer("drawn: seed", seed, low=0, high=2**63 - 1)
    return Stepwise(parts, functools.partial(_turns, below, seed), weights, box, minimum=minimum)
