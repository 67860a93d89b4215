"""What scores are compared by: performance profiles, and shares of targets reached over steps, with bands."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gdfast import arguments
from gdfast.formulas.elementary import Array
from gdfast.scoring.score import COLUMNS, RATES

if TYPE_CHECKING:
    import pandas as pd

DRAWS, WITHIN = 400, (2.5, 97.5)
"""Bootstrap samples, and the percentiles of them that a band lies between."""


class Band(NamedTuple):
    """A share over x, ``float64[k]`` each: the share, and the low and the high end of its band."""

    x: Array
    share: Array
    low: Array
    high: Array


def profile_bands(table: "pd.DataFrame", rate: str = "tuned", points: int = 61) -> dict[str, Band]:
    """Return performance profiles (Dolan & Moré 2002), by optimizer.

    ρ(τ) is the share of targets that an optimizer reached in at most τ times the steps of the one that was soonest;
    what nobody reached counts for nobody. `gdfast.analysis.performance_profile` is the same of one number an instance.

    Parameters
    ----------
    table : DataFrame
        Of `score`, of several optimizers one below the other.
    rate : {"tuned", "default"}
        Which learning rate.
    points : int
        How many τ, from 1 to 1000.

    Returns
    -------
    dict of str to Band
        x is τ. The bands are of 400 bootstrap samples of the tasks' starts.

    Raises
    ------
    TypeError, ValueError
        If it is no such table, or the rate or the number of points is not accepted.
    """
    steps, names = _steps(table, rate)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = (steps + 1) / (steps.min(axis=0) + 1)
    ratios = np.where(np.isfinite(ratios), ratios, np.inf)
    tau = np.geomspace(1, 1000, arguments.integer("points", points, low=2))
    return {name: _band(tau, row) for name, row in zip(names, ratios, strict=True)}


def reached_bands(table: "pd.DataFrame", rate: str = "tuned", points: int = 61) -> dict[str, Band]:
    """Return the share of targets that each optimizer has reached after so many steps, by optimizer.

    It is the empirical distribution function of the steps to a target. Parameters and result are as those of
    `profile_bands`, but that x are steps, from 1 to 2000.

    Raises
    ------
    TypeError, ValueError
        As `profile_bands`.
    """
    steps, names = _steps(table, rate)
    count = np.geomspace(1, 2000, arguments.integer("points", points, low=2))
    return {name: _band(count, row) for name, row in zip(names, steps, strict=True)}


def _steps(table: "pd.DataFrame", rate: str) -> tuple[Array, list[str]]:
    """Steps ``float64[optimizer, place, target]``, infinite where not reached; a place is a start of a task."""
    import pandas as pd

    arguments.choice("rate", rate, RATES)
    if not (isinstance(table, pd.DataFrame) and set(COLUMNS) <= set(table.columns)):
        accepted = f"the columns {', '.join(COLUMNS)}, as scores have"
        raise TypeError(f"table must be a DataFrame with {accepted}, not {arguments.shown(table)}")
    part = table[table["rate"] == rate]
    names = list(dict.fromkeys(part["optimizer"]))
    wide = part.pivot(index=["task", "start"], columns=["optimizer", "target"], values="steps")
    targets = sorted(set(part["target"]), reverse=True)
    values = np.array([[wide[name, target].to_numpy() for target in targets] for name in names], dtype=np.float64)
    return np.where(np.isnan(values), np.inf, values).transpose(0, 2, 1), names


def _band(x: Array, values: Array) -> Band:
    """The share of values ``float64[place, target]`` up to each x, with a band over samples of the places."""
    within = (values[None] <= x[:, None, None] * (1 + 1e-12)).mean(axis=2)  # [x, place]
    sample = np.random.default_rng(0).integers(values.shape[0], size=(DRAWS, values.shape[0]))
    draws = within[:, sample].mean(axis=2)
    low, high = np.percentile(draws, WITHIN, axis=1)
    return Band(x, within.mean(axis=1), low, high)
