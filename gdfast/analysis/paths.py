"""Whole trajectories of a result's cells, run once more."""

from typing import TYPE_CHECKING

import numpy as np

from gdfast.analysis import _results
from gdfast.analysis.again import sweep_of
from gdfast.analysis.reached import best_rates
from gdfast.problems import Problem
from gdfast.running.trajectory import trajectory

if TYPE_CHECKING:
    import xarray


def paths(
    result: "xarray.Dataset", problem: Problem | None = None, *, run_files: bool = False
) -> "dict[str, xarray.Dataset]":
    """Run one trajectory of each optimizer of a result again, and keep all of its path.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`. From the only start, or the middle one of several; at the only learning rate, or each
        optimizer's best, or where none reaches, that with the lowest losses. Select others first, by
        `gdfast.analysis.nearest`. Gradient noise is another one than in the result.
    problem : Problem, str or factory, optional
        What it minimizes, where that is a formula or data of one's own; see `gdfast.sweep_of`.
    run_files : bool
        Whether files of one's own that the result names are run; see `gdfast.sweep_of`.

    Returns
    -------
    dict
        From labels of optimizers, with the learning rate, to datasets of `gdfast.trajectory`, as
        `gdfast.plot.trajectory` and `gdfast.plot.loss_curves` take them.

    Raises
    ------
    TypeError, ValueError
        If it is no result, or its sweep cannot be made again: see `gdfast.sweep_of`.

    Examples
    --------
    >>> import gdfast
    >>> sweep = gdfast.Sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", 200)
    >>> result = gdfast.run(sweep, backend="numpy", progress=False)
    >>> [(label, path.attrs["outcome"]) for label, path in paths(result).items()]
    [('gd, η = 0.0316', 'local_minimum'), ('adam, η = 0.316', 'local_minimum')]
    """
    result = _results.checked("result", result, "outcome", "steps", "loss")
    sweep = sweep_of(result, problem, run_files=run_files)
    start = sweep.starts[len(sweep.starts) // 2]
    places = best_rates(result)["index"]
    found = {}
    for label, optimizer, unit, place in zip(
        sweep.labels, sweep.optimizers, _results.units_of_rates(result), places, strict=True
    ):
        rate = sweep.learning_rates[place]
        name = f"{label}, η = {', '.join(f'{x * unit:.3g}' for x in np.atleast_1d(rate)[:3])}"
        found[name] = trajectory(
            sweep.problem,
            optimizer,
            start,
            rate,
            sweep.max_steps,
            gradient_tolerance=sweep.gradient_tolerance,
            divergence_limit=sweep.divergence_limit,
            check_every=sweep.check_every,
            dtype=sweep.dtype,
            loss_tolerance=sweep.loss_tolerance,
            settle=sweep.settle,
        )
    return found
