"""One trajectory with all of its path."""

from __future__ import annotations  # so that help() shows short ones

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from gdfast import arguments, memory
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem
from gdfast.problems._scales import USUAL_LIMIT
from gdfast.tiles.ending import Ending
from gdfast.tiles.lower import knowing
from gdfast.tiles.outcomes import Outcome
from gdfast.tiles.prepared import Prepared
from gdfast.tiles.reference import Trajectories, run_tile
from gdfast.tiles.sweep import Sweep, Tile

if TYPE_CHECKING:
    import xarray

_SETTINGS = ("check_every", "dtype", "loss_tolerance", "settle")


def trajectory(
    problem: Problem,
    optimizer: Optimizer,
    start: ArrayLike,
    learning_rate: float | ArrayLike,
    max_steps: int = 1000,
    *,
    gradient_tolerance: float | None = None,
    divergence_limit: float = USUAL_LIMIT,
    number: int = 0,
    **settings: Any,
) -> xarray.Dataset:
    """Run one trajectory by the reference and keep all of its path.

    Parameters
    ----------
    problem : Problem, str or factory
        What is minimized.
    optimizer : Optimizer, str or factory
        How.
    start : array_like, (d,)
        The initial point; a number for d = 1.
    learning_rate : float, or array_like (groups,)
        Positive.
    max_steps : int
        The budget, in updates. The path ends earlier where the trajectory settles.
    gradient_tolerance, divergence_limit : float
        As in `Sweep`.
    number : int
        Which trajectory of a sweep this is, ``learning_rate_index * m + start_index``: gradient noise depends on it.
    **settings
        ``check_every``, ``dtype``, ``loss_tolerance`` and ``settle``, as in `Sweep`.

    Returns
    -------
    xarray.Dataset
        ``theta (step, parameter)``, ``loss (step)`` and ``gradient_norm (step)`` (``max|g|``) for steps
        0, 1, …; in the attributes ``outcome``, ``ending``, ``steps``, ``basin``, ``period``, ``problem``,
        ``optimizer`` and ``learning_rate``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind; the message names it.

    Examples
    --------
    >>> import gdfast
    >>> path = gdfast.trajectory("quartic", "gd", [3.0], 0.01, 3)
    >>> path.theta.values.round(3).ravel().tolist()
    [3.0, 2.19, 1.959, 1.824]
    """
    import xarray

    number = arguments.integer("number", number, low=0, high=2**40)
    for name in settings:
        arguments.choice("trajectory: argument", name, _SETTINGS)
    sweep = Sweep(
        problem,
        [optimizer],
        arguments.array("learning_rate", learning_rate, "() or (groups,)")[None],
        np.atleast_1d(arguments.array("start", start, "(d,)"))[None],
        max_steps,
        gradient_tolerance,
        divergence_limit,
        **settings,
    )
    while True:
        prepared = Prepared(sweep)
        endings = run_tile(prepared, Tile(0, 0, 1), np.zeros(1), number)
        cells = prepared.judge.cells(endings, 0)
        known = knowing(sweep, cells.lower)
        if known is None:
            break
        sweep = known
    problem, (optimizer,), plan = sweep.problem, sweep.optimizers, prepared.plan(0)
    numbers = np.array([number], dtype=np.int64)
    path = Trajectories(sweep, plan, prepared.starts, prepared.learning_rates(0), numbers)
    shape = problem.dimension, int(endings.steps[0]) + 1
    memory.fits(f"trajectory: {shape[1]:,} points of {shape[0]:,} coordinates", 24 * shape[0] * shape[1])
    points = np.empty(shape, sweep.dtype)
    with np.errstate(all="ignore"):
        for t in range(points.shape[1]):
            points[:, t] = path.theta[:, 0]
            path.update(path.transformed(path.gradient(t), t), t)
        loss, norm = problem.loss(points), np.abs(problem.gradient(points)).max(axis=0)
    return xarray.Dataset(
        {
            "theta": (("step", "parameter"), points.T.astype(np.float64, copy=False)),
            "loss": ("step", loss.astype(np.float64, copy=False)),
            "gradient_norm": ("step", norm.astype(np.float64, copy=False)),
        },
        coords={"step": np.arange(points.shape[1]), "parameter": list(problem.coordinates)},
        attrs={
            "problem": problem.label,
            "optimizer": optimizer.label,
            "learning_rate": np.asarray(learning_rate, dtype=np.float64).tolist(),
            "outcome": Outcome(int(cells.outcome[0])).name,
            "ending": Ending(int(cells.ending[0])).name,
            "steps": int(cells.steps[0]),
            "basin": int(cells.basin[0]),
            "period": int(cells.period[0]),
        },
    )
