"""Which part of a grid reaches the lowest minimum, at which rates, in how many steps."""

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.outcomes import Outcome
from gdfast.result import DIMENSIONS

if TYPE_CHECKING:
    import xarray


def reached(result: "xarray.Dataset") -> "xarray.DataArray":
    """Tell which trajectories became stationary at the lowest known minimum: ``bool`` over the result's dimensions."""
    there: xarray.DataArray = result.outcome == int(Outcome.global_minimum)
    return there.rename("reached")


def budget(result: "xarray.Dataset") -> int:
    """The updates that each trajectory of a result was allowed."""
    specification = json.loads(result.attrs["specification"])
    return int((specification[0] if isinstance(specification, list) else specification)["max_steps"])


def outcome_shares(result: "xarray.Dataset") -> pd.DataFrame:
    """The share of every outcome among each optimizer's trajectories.

    Returns
    -------
    DataFrame
        One row an optimizer (the index), one column an outcome; rows sum to 1 for a result that is complete.
    """
    shares = {
        str(label): {
            o.name: float((result.outcome.sel(optimizer=label) == int(o)).mean())
            for o in Outcome
            if o is not Outcome.not_run
        }
        for label in result.optimizer.values
    }
    return pd.DataFrame.from_dict(shares, orient="index").rename_axis("optimizer")


def lr_tolerance(result: "xarray.Dataset", share: float = 0.5) -> pd.DataFrame:
    """Tell how many decades of learning rates work.

    A rate works if at least the given share of its starts reach the lowest minimum. The width of the working rates is
    their number times the spacing of the grid, so gaps between them are not counted; it is what is left to chance when
    a rate is drawn with a uniform logarithm.

    Parameters
    ----------
    result : xarray.Dataset
        Of a sweep whose learning rates are evenly spaced in their logarithm.
    share : float
        In (0, 1].

    Returns
    -------
    DataFrame
        One row an optimizer (the index): ``decades``, ``lowest`` and ``highest`` working rate (NaN where none works),
        and ``cut off``, whether one of these is at an end of the grid, so that the width may be larger.

    Raises
    ------
    TypeError, ValueError
        If the share is none, or the rates are not evenly spaced in their logarithm.
    """
    arguments.number("share", share, arguments.Interval(0, 1, low_open=True))
    rates = result.learning_rate.values
    spacing = _spacing(rates)
    rows = {}
    for label, good in _by_rate(result):
        working = np.flatnonzero(good.mean(axis=1) >= share)
        rows[label] = {
            "decades": len(working) * spacing,
            "lowest": rates[working[0]] if working.size else np.nan,
            "highest": rates[working[-1]] if working.size else np.nan,
            "cut off": bool(working.size) and (working[0] == 0 or working[-1] == len(rates) - 1),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("optimizer")


def best_rates(result: "xarray.Dataset") -> pd.DataFrame:
    """Find each optimizer's best learning rate: most starts reach the lowest minimum, then fewest median steps.

    Returns
    -------
    DataFrame
        One row an optimizer (the index): ``best rate``, ``index`` of it, ``share`` of its starts that reach, their
        median ``steps`` (NaN where none does), and ``at edge``: whether the best rate is an end of the grid, so that
        a better one may lie outside.
    """
    rates, steps = result.learning_rate.values, _ordered(result).steps.values
    rows = {}
    for i, (label, good) in enumerate(_by_rate(result)):
        typical = np.array([np.median(s[g]) if g.any() else np.inf for s, g in zip(steps[i], good, strict=True)])
        best = int(np.lexsort((typical, -good.sum(axis=1)))[0])
        any_good = bool(good[best].any())
        rows[label] = {
            "best rate": float(rates[best]) if any_good else np.nan,
            "index": best,
            "share": float(good[best].mean()),
            "steps": float(typical[best]) if any_good else np.nan,
            "at edge": any_good and best in (0, len(rates) - 1),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("optimizer")


def summary(result: "xarray.Dataset", share: float = 0.5) -> pd.DataFrame:
    """Put what is known of each optimizer on one row.

    Returns
    -------
    DataFrame
        Index ``optimizer``; columns ``share of the grid`` that reaches the lowest minimum, ``decades that work`` (of
        `lr_tolerance`), ``best rate``, ``at edge``, ``share there`` and ``median steps there`` (of `best_rates`).
    """
    best = best_rates(result)
    return pd.DataFrame(
        {
            "share of the grid": outcome_shares(result)["global_minimum"],
            "decades that work": lr_tolerance(result, share)["decades"],
            "best rate": best["best rate"],
            "at edge": best["at edge"],
            "share there": best["share"],
            "median steps there": best["steps"],
        }
    )


def _ordered(result: "xarray.Dataset") -> "xarray.Dataset":
    return result.transpose(*DIMENSIONS, ...)


def _by_rate(result: "xarray.Dataset") -> list[tuple[str, NDArray[np.bool_]]]:
    """Each optimizer's label with what it reached, ``bool[k, m]``."""
    good = reached(_ordered(result)).values
    return [(str(label), good[i]) for i, label in enumerate(result.optimizer.values)]


def _spacing(rates: NDArray[np.float64]) -> float:
    """The decades between neighbouring learning rates."""
    steps = np.diff(np.log10(rates))
    if len(rates) > 1 and not np.allclose(steps, steps[0], rtol=1e-6):
        raise ValueError("result: learning rates must be evenly spaced in their logarithm to be measured in decades")
    return float(steps[0]) if len(rates) > 1 else 0.0
