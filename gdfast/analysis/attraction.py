"""Which minima attract, and what has reached one and will leave it again."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.analysis import _results
from gdfast.analysis.again import optimizer_of, problem_of
from gdfast.formulas.elementary import Array
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem
from gdfast.theory.attracting import (
    LARGEST,
    MEANING_OF_ATTRACTION,
    Attraction,
    Attractions,
    attractions,
    is_exact,
    lasting,
    minimum_of,
)
from gdfast.tiles.sweep import Sweep

if TYPE_CHECKING:
    import xarray

_ATTRIBUTES = {
    "attracting": {
        "long_name": "whether the minimum attracts",
        "flag_values": [int(code) for code in Attraction],
        "flag_meanings": " ".join(code.name for code in Attraction),
        "comment": "; ".join(f"{code.name}: {text}" for code, text in MEANING_OF_ATTRACTION.items()),
    },
    "spectral_radius": {"long_name": "factor by which a small disturbance grows with each step", "units": "1"},
}


_MOST = 64  # minima of which all are told


class _Told(NamedTuple):
    """What a result is of; None for optimizers that cannot be made again."""

    problem: Problem
    optimizers: list[Optimizer | None]
    budget: int
    loss_tolerance: float
    dtype: str


def attracting(result: "xarray.Dataset", sweep: Sweep | None = None) -> "xarray.Dataset":
    """Tell which minima attract: what reaches one of these stays, what reaches another leaves again, sooner or later.

    Rules with a running second moment, such as Adam and RMSprop, pass a zero of the gradient, rest there, and leave
    when the moment has decayed. Whether a minimum attracts is found from the rule, see `gdfast.theory`, and costs some
    hundredths of a second for each optimizer and minimum; so it is told when it is asked for, not in every result.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    sweep : Sweep, optional
        What the result is of. If not given, problem and optimizers are made again from the catalogue by the result's
        specification and labels; those of one's own cannot be, and nothing is told of them.

    Returns
    -------
    xarray.Dataset
        Over ``(optimizer, learning_rate, minimum)``: ``attracting`` (int8, CF flags) is ``attracts``, ``repels``,
        ``held`` (it repels, but a number beside it, where the computed gradient is zero to the bit, holds what lands
        on it), or ``not_told``: of flat minima, of more than 16 coordinates, of all after
        the first 64, of mini-batches and networks, where chance is in the steps, where a rule has no rest, where a
        transform moves the minimum too far or has an edge there (see `gdfast.theory.limits`), where the schedule goes
        up and down to the end. ``spectral_radius`` (float64) is below 1 where it attracts, NaN where it
        is not told. Coefficients that depend on the step are at their limit, a schedule at the end of the budget.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.run(gdfast.Sweep("quartic", ["gd", "rmsprop"], [0.001, 0.01], "-3:3:8"), progress=False)
    >>> attracting(result).attracting.sel(minimum=1).values.tolist()
    [[1, 1], [0, 0]]
    """
    from gdfast.storing.dataset import Result

    result = _results.checked("result", result, "outcome", "basin")
    told = _told(result, sweep)
    minima = 0 if told is None else min(len(told.problem.minima), _MOST)
    codes, radii = _attractions(result, told, range(minima))
    dimensions = ("optimizer", "learning_rate", "minimum")
    return Result(
        {
            "attracting": (dimensions, codes, _ATTRIBUTES["attracting"]),
            "spectral_radius": (dimensions, radii, _ATTRIBUTES["spectral_radius"]),
        },
        coords={
            "optimizer": result.optimizer.values,
            "learning_rate": result.learning_rate.values,
            "minimum": np.arange(codes.shape[2]),
        },
    )


def leaves(result: "xarray.Dataset", sweep: Sweep | None = None) -> "xarray.DataArray":
    """Tell which trajectories ended at a minimum that they would leave again: ``bool`` over the result's dimensions.

    Those at a minimum that repels: with ``settle=False``, and a budget that is large enough, they go on. How far they
    go is another question: bursts of Adam are of the size of its learning rate. Rules whose steps do not vanish with
    the gradient, such as sign descent, never rest at a minimum, and leave none. The parameters and errors are those of
    `attracting`.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    sweep : Sweep, optional
        What the result is of; made again from the catalogue if not given.

    Returns
    -------
    xarray.DataArray
        ``bool`` over the result's dimensions; False where it is not told.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.run(gdfast.Sweep("quartic", ["gd", "rmsprop"], [0.001, 0.01], "1:2:4"), progress=False)
    >>> leaves(result).mean(("learning_rate", "start")).values.tolist()
    [0.0, 1.0]
    """
    import xarray

    result = _results.checked("result", result, "outcome", "basin")
    return xarray.DataArray(leaving(result, sweep), result.outcome.coords, result.outcome.dims, "leaves")


def leaving(result: "xarray.Dataset", sweep: Sweep | None = None) -> NDArray[np.bool_]:
    """What `leaves` tells of a checked result, as an array."""
    basin, repels = result.basin.values, np.zeros(result.basin.shape, dtype=bool)
    here = [int(one) for one in np.unique(basin) if one >= 0]
    codes, radii = _attractions(result, _told(result, sweep), here)
    if here:
        at = np.minimum(np.searchsorted(here, basin), len(here) - 1)
        left = (codes == Attraction.repels) & (radii < np.inf)
        repels = np.take_along_axis(left, at, axis=2) & (basin >= 0)
    return repels


def _attractions(result: "xarray.Dataset", told: _Told | None, basins: Sequence[int]) -> tuple[NDArray[np.int8], Array]:
    """Codes and spectral radii of some minima, ``[optimizer, learning_rate, basin]``."""
    rates, units = _rates(result), _results.units_of_rates(result)
    shape = (len(units), len(rates), len(basins))
    codes, radii = np.full(shape, Attraction.not_told, dtype=np.int8), np.full(shape, np.nan)
    if told is None:
        return codes, radii
    for j, basin in enumerate(basins):
        for i, optimizer in enumerate(told.optimizers):
            if optimizer is not None and basin < len(told.problem.minima):
                codes[i, :, j], radii[i, :, j] = _at(told, optimizer, rates * units[i], basin)
    return codes, radii


def _at(told: _Told, optimizer: Optimizer, rates: Array, basin: int) -> Attractions:
    """The attraction of one minimum at all learning rates, ``float64[k, groups]``."""
    problem = told.problem
    minimum = minimum_of(problem, basin, told.loss_tolerance)
    if minimum is None:
        return Attractions(np.full(len(rates), Attraction.not_told, dtype=np.int8), np.full(len(rates), np.nan))
    each = rates.T[problem.group if rates.shape[1] > 1 else np.zeros(problem.dimension, dtype=np.int64)]
    multipliers = optimizer.multipliers(told.budget)
    found = attractions(optimizer, each, minimum, multipliers)
    repelled = np.flatnonzero(found.codes == Attraction.repels)
    width = float(np.ptp(problem.domain, axis=1).max())
    if repelled.size and is_exact(problem.gradient, minimum.point, width, told.dtype):
        holds = lasting(optimizer, each[:, repelled], minimum, multipliers)
        found.codes[repelled[holds]] = Attraction.held
    return found


def _rates(result: "xarray.Dataset") -> Array:
    """The learning rates of a checked result, ``float64[k, groups]``."""
    if "group_rate" in result.coords:
        return np.asarray(result.group_rate.values, dtype=np.float64)
    return _results.learning_rates("result", result)[:, None]


def _told(result: "xarray.Dataset", sweep: Sweep | None) -> _Told | None:
    """What a result is of; None if its problem cannot be made again, or has too many coordinates."""
    labels = _results.labels(result)
    if result.sizes.get("parameter", 0) > LARGEST:
        return None
    if sweep is not None:
        arguments.instance("sweep", sweep, Sweep, "a gdfast.Sweep, or None")
        rules = dict(zip(sweep.labels, sweep.optimizers, strict=True))
        if not set(labels) <= set(rules):
            raise ValueError(f"sweep must be that of the result, with the optimizers {', '.join(labels)}")
        chosen: list[Optimizer | None] = [rules[label] for label in labels]
        return _Told(sweep.problem, chosen, sweep.max_steps, sweep.loss_tolerance, sweep.dtype)
    try:
        several = _results.specifications(result)
        alike = {json.dumps([each[name] for name in ("problem", "max_steps", "loss_tolerance")]) for each in several}
        budget, tolerance = int(several[0]["max_steps"]), float(several[0]["loss_tolerance"])
        problem = problem_of(several[0]["problem"]) if len(alike) == 1 else None
        dtype = several[0].get("dtype", "float64")
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    if problem is None:
        return None
    return _Told(problem, [optimizer_of(label) for label in labels], budget, tolerance, dtype)
