"""The cost of tuning: what is to be expected of the best of k random tries, exactly, from the dense grid."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gdfast import arguments
from gdfast.analysis import _results
from gdfast.tiles.outcomes import Outcome

if TYPE_CHECKING:
    import xarray


def best_of_k(result: "xarray.Dataset", tries: Sequence[int] = (1, 2, 4, 8, 16, 32, 64)) -> pd.DataFrame:
    """Compute what to expect of the best of k tries, each with a cell of the grid drawn at random.

    A try takes a learning rate and a start of the grid, all equally likely and independent of the other tries. With F
    the distribution of a cell's cost, the budget for one that does not reach the lowest minimum, the best of k costs
    more than c with probability (1 − F(c))ᵏ, and so on average Σ_c (1 − F(c))ᵏ over the whole numbers c ≥ 0: no
    sampling is done. At least one of k reaches with probability 1 − (1 − r)ᵏ, r the share of cells that do.

    Parameters
    ----------
    result : xarray.Dataset
        Over a grid.
    tries : sequence of int
        The values of k.

    Returns
    -------
    DataFrame
        Rows of ``optimizer``, ``tries``, ``expected steps`` and ``probability`` that one reaches.

    Raises
    ------
    TypeError, ValueError
        If a number of tries is no positive whole number.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> gdfast.analysis.best_of_k(result, [1, 4]).columns.tolist()
    ['optimizer', 'tries', 'expected steps', 'probability']
    """
    counts = [arguments.integer("tries", k) for k in arguments.several("tries", tries, "positive whole numbers")]
    result = _results.checked("result", result, "outcome", "steps")
    limit, ends = _results.budget_of("result", result), _results.outcomes("result", result)
    rows = []
    for label, outcome, steps in zip(_results.labels(result), ends, _results.costs(result), strict=True):
        good = outcome.ravel() == Outcome.global_minimum
        cost = np.where(good, np.clip(steps.ravel(), 0, limit), limit).astype(np.int64)
        beyond = 1.0 - np.cumsum(np.bincount(cost, minlength=limit + 1)) / cost.size
        beyond[limit:] = 0.0  # but for rounding
        for k in counts:
            rows.append(
                {
                    "optimizer": label,
                    "tries": k,
                    "expected steps": float((beyond[:limit] ** k).sum()),
                    "probability": float(1.0 - (1.0 - good.mean()) ** k),
                }
            )
    return pd.DataFrame(rows)
