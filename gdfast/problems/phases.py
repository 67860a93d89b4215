"""Losses one after another: the first until some step, then the next, the last until the end.

    fₜ = f₁ for t < n₁, f₂ for n₁ ≤ t < n₂, …

The judged loss is the last one. This is how a curriculum goes from an easy loss to the one that counts: Bengio,
Louradour, Collobert & Weston (2009), "Curriculum learning", who smooth it at first. The default does so with
Rastrigin's function of one coordinate, whose parabola comes first.
"""

import functools
import itertools
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.named import named
from gdfast.problems._problem import Problem
from gdfast.problems._stepwise import Stepwise, known_minimum, made, parts_of


def _turns(until: tuple[int, ...], steps: int) -> NDArray[np.int64]:
    return np.searchsorted(np.array(until), np.arange(steps), side="right")


@named(losses=made, minimum=known_minimum)
def phases(
    losses: Sequence[Problem | str] = ("x^2", "10 + x^2 - 10*cos(2*pi*x)"),
    until: Sequence[int] | int = 100,
    domain: Any = None,
    params: Any = None,
    minimum: float | None = None,
) -> Stepwise:
    """Make a problem of losses one after another, as of a curriculum: one until some step, then the next.

    The loss that is told, and by which ends are judged, is the last. A trajectory can settle in its phase only.

    Parameters
    ----------
    losses : sequence of str or Problem
        Expressions, as of `from_expression`, or problems of the same coordinates, such as networks on other data.
    until : int or sequence of int
        The updates done when the next loss begins, ascending, for all but the last.
    domain, params
        Of the expressions, as of `from_expression`; each has all coordinates that one of them names.
    minimum : float, optional
        The lowest value of the last loss, if it is known and is that of no minimum that can be found.

    Returns
    -------
    Stepwise
        The problem; rules that ask for the Hessian are refused.

    Raises
    ------
    TypeError, ValueError
        If they are no losses of the same coordinates, or the steps do not fit them.

    Examples
    --------
    >>> problem = phases(["(x-1)**2", "(x+1)**2"], until=2)
    >>> [float(problem.step_gradient([0.0], t)[0, 0]) for t in range(4)]
    [-2.0, -2.0, 2.0, 2.0]
    >>> problem.minima[0].point
    (-1.0,)
    """
    parts, box = parts_of("phases", losses, domain, params)
    several = isinstance(until, Collection) and not isinstance(until, str | bytes)
    given = arguments.several("phases: until", until, "whole numbers", least=0) if several else [until]
    if len(given) != len(parts) - 1:
        raise ValueError(
            f"phases: until must be one number for each loss but the last, {len(parts) - 1}, not {len(given)}"
        )
    ends = tuple(arguments.integer("phases: until", end) for end in given)
    if any(later <= end for end, later in itertools.pairwise(ends)):
        raise ValueError(f"phases: until must be ascending, not {', '.join(map(str, ends))}")
    weights = np.zeros(len(parts))
    weights[-1] = 1.0
    return Stepwise(parts, functools.partial(_turns, ends), weights, box, max(ends, default=0), minimum)
