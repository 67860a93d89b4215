"""What is recorded of a tile's trajectories while it runs, and the histories that are told from it.

The tile, compiled or reference, notes losses, gradients and points, those that are needed. Everything else is told
here, from the points, by the problem: so that kernel and reference agree wherever their points do.
"""

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gdfast.formulas.elementary import Array
from gdfast.history import PREFIX

if TYPE_CHECKING:
    from gdfast.optimizers import Optimizer
    from gdfast.tiles.outcomes import Cells
    from gdfast.tiles.prepared import Plan
    from gdfast.tiles.sweep import Sweep


class Record(NamedTuple):
    """What is noted of n trajectories after so many updates each; from where one has settled on, of its end.

    What is not needed has no columns.
    """

    steps: Any  # int64[k], the updates done
    loss: Any  # dtype[n, k]
    gradient_norm: Any  # dtype[n, k], the largest entry of the gradient
    theta: Any  # dtype[n, k, d]
    state: Any  # dtype[s, d, n, k], the state slots of an optimizer with a preconditioner

    @classmethod
    def of(cls, sweep: "Sweep", optimizer: "Optimizer", n: int) -> "Record":
        """Arrays for so many trajectories of a sweep."""
        steps, d = sweep.recorded_steps, sweep.problem.dimension
        needs = sweep.history.needs if sweep.history else [False] * 4
        loss, gradient, points, states = (len(steps) * need for need in needs)
        slots = len(optimizer.state) if optimizer.preconditioner else 0
        shapes = (n, loss), (n, gradient), (n, points, d), (slots, d, n, states)
        return cls(steps, *(np.empty(shape, sweep.dtype) for shape in shapes))


def told(sweep: "Sweep", plan: "Plan", record: Record, cells: "Cells") -> dict[str, Array]:
    """What a result tells of each trajectory of an optimizer beside its end, by the names of its variables.

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

    under_way = cells.steps[:, None] > record.steps

    def of_points(name: str) -> Array:
        found = np.repeat(at_end(name)[:, None], len(record.steps), axis=1)
        if under_way.any():
            found[under_way] = getattr(problem, name)(record.theta[under_way].T.astype(np.float64, copy=False))
        return found

    def of(name: str) -> Array:
        if name in ("loss", "gradient_norm", "theta"):
            noted: Array = getattr(record, name)
            return noted.astype(np.float64, copy=False)
        if name == "sharpness":
            return problem.sharpness_along(np.where(under_way[..., None], record.theta, ends.T[:, None]))
        if name == "preconditioned_sharpness":
            return _preconditioned(sweep, plan, record, cells)
        return np.fmin.accumulate(of("loss"), axis=1) if name == "lowest_loss" else of_points(name)

    with np.errstate(all="ignore"):
        found = {name: at_end(name) for name in problem.told_at_ends}
        return {**found, **{PREFIX + name: of(name) for name in (sweep.history.quantities if sweep.history else ())}}


def _preconditioned(sweep: "Sweep", plan: "Plan", record: Record, cells: "Cells") -> Array:
    """The sharpness by the preconditioner that each trajectory's state made, ``float64[n, k]``."""
    noted = cells.steps[:, None] >= record.steps  # what settles after an update was noted after it, too
    scale = None
    if plan.optimizer.preconditioner is not None:
        noted &= record.steps > 0
        before = np.maximum(record.steps - 1, 0)[np.nonzero(noted)[1]]
        coefficients = plan.table[before, plan.parts.rule.places].T
        scale = np.full(record.theta.shape, np.nan)
        if noted.any():
            scale[noted] = np.asarray(plan.optimizer.preconditioners(record.state[:, :, noted], coefficients)).T
    last = np.maximum.accumulate(np.where(noted, np.arange(len(record.steps)), 0), axis=1)[..., None]
    points = np.take_along_axis(record.theta, last, axis=1)
    return sweep.problem.sharpness_along(points, None if scale is None else np.take_along_axis(scale, last, axis=1))
