"""Ends of trajectories that are lower than all minima that were known: what they lead to becomes known.

Each tile notes its `Lower`, the lowest of such ends inside the domain. Where the lowest of a whole run leads to a
minimum inside the domain, the run is made again with a problem that knows it. So the result is that of this problem, in
all that depends on the lowest loss, whatever order the tiles were run in. Landscapes whose minima are all known, or
found by the search for them, which is most, never come to that; of data the optimum is known.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gdfast.tiles.sweep import Sweep


Lower = tuple[float, ...]
"""An end: whether it was moving (1) or stationary (0), its loss, and its coordinates; empty where there is none.

The least of several is taken: those that are stationary first, of these the lowest.
"""

SAME_LOSS = 1e-9
"""Share of the loss scale by which the losses of equally low minima may differ."""
MOST = 8
"""How often a run is made again, each time since one that is lower still was found."""


def least(*ends: Lower) -> Lower:
    """The first of several ends, in an order that does not depend on theirs."""
    return min((end for end in ends if end), default=())


def below_known(sweep: "Sweep") -> float:
    """The loss below which an end is lower than all minima that are known inside the domain; −∞ if none is."""
    problem = sweep.problem
    return problem.lowest - max(sweep.loss_tolerance, SAME_LOSS) * problem.loss_scale


def unknown_below(sweep: "Sweep") -> float:
    """The loss below which an end may lead to a minimum that is not known; any, ∞, if none is."""
    bound = below_known(sweep)
    return bound if np.isfinite(bound) else np.inf


def knowing(sweep: "Sweep", end: Lower) -> "Sweep | None":
    """The same sweep, of a problem that knows the minimum that an end leads to; None if it leads to none that is lower.

    Parameters
    ----------
    sweep : Sweep
        What was run.
    end : tuple of float
        The least of its tiles'.
    """
    problem = sweep.problem
    if not end or len(problem.found) >= MOST:
        return None
    point = problem.settled(np.array(end[2:]))
    if point is None:
        return None
    known = problem.knowing(point)
    return sweep.replace(problem=known) if known.found[-1].loss < unknown_below(sweep) else None
