"""What is recorded of a tile's trajectories while it runs, and the histories that are told from it.

The tile, compiled or reference, notes loss and gradient, and the point where that is asked for, of the trajectories
that are still under way after so many updates. Everything else is told here, from the points, by the problem: so that
kernel and reference agree wherever their points do.
"""

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gdfast.formulas.elementary import Array
from gdfast.history import PREFIX

if TYPE_CHECKING:
    from gdfast.tiles.outcomes import Cells
    from gdfast.tiles.sweep import Sweep


class Record(NamedTuple):
    """What is noted of n trajectories at the k steps that a history records; anything where one has settled before."""

    steps: Any  # int64[k], the updates done there
    loss: Any  # dtype[k, n], as all that follows without rows where it is not needed
    gradient_norm: Any  # dtype[k, n], the largest entry of the gradient
    theta: Any  # dtype[k, d, n]

    @classmethod
    def of(cls, sweep: "Sweep", n: int) -> "Record":
        """Arrays for so many trajectories of a sweep."""
        steps = sweep.recorded_steps
        loss, gradient, points = (len(steps) * need for need in (sweep.history.needs if sweep.history else (0, 0, 0)))
        shapes = (loss, n), (gradient, n), (points, sweep.problem.dimension, n)
        return cls(steps, *(np.empty(shape, sweep.dtype) for shape in shapes))


def told(sweep: "Sweep", record: Record, cells: "Cells") -> dict[str, Array]:
    """What a result tells of each trajectory beside its end, by the names of its variables.

    Returns
    -------
    dict
        What the problem tells of end points, ``float64[n]``, and the histories, ``float64[n, k]``, of points
        ``float64[n, k, d]``. After a trajectory has settled they stay at its end.
    """
    problem, history, ends = sweep.problem, sweep.history, cells.theta.astype(np.float64, copy=False)
    under_way = record.steps[:, None] < cells.steps

    @functools.cache
    def at_end(name: str) -> Array:
        found: Array = getattr(problem, name)(ends)
        return found

    def of_points(name: str) -> Array:
        rows = np.repeat(at_end(name)[None], len(under_way), axis=0)
        for row, lanes, points in zip(rows, map(np.flatnonzero, under_way), record.theta, strict=True):
            if lanes.size:
                row[lanes] = getattr(problem, name)(points[:, lanes].astype(np.float64, copy=False))
        return rows

    def of(name: str) -> Array:
        if name == "theta":
            rows = np.where(under_way[:, None], record.theta, cells.theta)
            return np.ascontiguousarray(np.moveaxis(rows, -1, 0), np.float64)
        if name == "gradient_norm":
            rows = np.where(under_way, record.gradient_norm, cells.gradient_norm)
        elif name in ("loss", "lowest_loss"):
            rows = np.where(under_way, record.loss, cells.loss)
            rows = np.fmin.accumulate(rows, axis=0) if name == "lowest_loss" else rows
        else:
            rows = of_points(name)
        return np.ascontiguousarray(rows.T, np.float64)

    with np.errstate(all="ignore"):
        found = {name: at_end(name) for name in problem.told_at_ends}
        return {**found, **{PREFIX + name: of(name) for name in (history.quantities if history else ())}}
