"""What is recorded of a tile's trajectories while it runs, and the histories that are told from it.

The tile, compiled or reference, notes losses, gradients and points, those that are needed. Everything else is told
here, from the points, by the problem: so that kernel and reference agree wherever their points do.
"""

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.history import PREFIX

if TYPE_CHECKING:
    from gdfast.tiles.outcomes import Cells
    from gdfast.tiles.sweep import Sweep


class Record(NamedTuple):
    """What is noted of n trajectories after so many updates each; from where one has settled on, of its end.

    What is not needed has no columns.
    """

    steps: Any  # int64[k], the updates done
    loss: Any  # dtype[n, k]
    gradient_norm: Any  # dtype[n, k], the largest entry of the gradient
    theta: Any  # dtype[n, k, d]

    @classmethod
    def of(cls, sweep: "Sweep", n: int) -> "Record":
        """Arrays for so many trajectories of a sweep."""
        steps = sweep.recorded_steps
        loss, gradient, points = (len(steps) * need for need in (sweep.history.needs if sweep.history else (0, 0, 0)))
        shapes = (n, loss), (n, gradient), (n, points, sweep.problem.dimension)
        return cls(steps, *(np.empty(shape, sweep.dtype) for shape in shapes))


def told(sweep: "Sweep", record: Record, cells: "Cells") -> dict[str, Array]:
    """What a result tells of each trajectory beside its end, by the names of its variables.

    Returns
    -------
    dict
        What the problem tells of end points, ``float64[n]``, and the histories, ``float64[n, k]``, of points
        ``float64[n, k, d]``.
    """
    problem, ends = sweep.problem, cells.theta.astype(np.float64, copy=False)

    @functools.cache
    def at_end(name: str) -> Array:
        found: Array = getattr(problem, name)(ends)
        return found

    @functools.cache
    def under_way() -> list[NDArray[np.int64]]:
        return [np.flatnonzero(cells.steps > step) for step in record.steps]

    def of_points(name: str) -> Array:
        found = np.repeat(at_end(name)[:, None], len(record.steps), axis=1)
        for row, lanes in enumerate(under_way()):
            if lanes.size:
                found[lanes, row] = getattr(problem, name)(record.theta[lanes, row].T.astype(np.float64, copy=False))
        return found

    def of(name: str) -> Array:
        if name in ("loss", "gradient_norm", "theta"):
            noted: Array = getattr(record, name)
            return noted.astype(np.float64, copy=False)
        return np.fmin.accumulate(of("loss"), axis=1) if name == "lowest_loss" else of_points(name)

    with np.errstate(all="ignore"):
        found = {name: at_end(name) for name in problem.told_at_ends}
        return {**found, **{PREFIX + name: of(name) for name in (sweep.history.quantities if sweep.history else ())}}
