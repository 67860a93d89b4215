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


def best_of_k(
    result: "xarray.Dataset", tries: Sequence[int] = (1, 2, 4, 8, 16, 32, 64), *, of: str = "steps"
) -> pd.DataFrame:
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
    of : {"steps", "evaluations"}
        By what costs are told, as in `best_rates`; the budget of a cell is then that of steps times its evaluations a
        step.

    Returns
    -------
    DataFrame
        Rows of ``optimizer``, ``tries``, ``expected steps`` or ``expected evaluations``, and ``probability`` that one
        reaches.

    Raises
    ------
    TypeError, ValueError
        If a number of tries is no positive whole number, or `of` is unknown.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.sweep("quartic", "gd adam", "1e-3:1:7", "-3:3:4", max_steps=200, backend="numpy")
    >>> gdfast.analysis.best_of_k(result, [1, 4]).columns.tolist()
    ['optimizer', 'tries', 'expected steps', 'probability']
    """
    counts = [
        arguments.integer("tries", k) for k in arguments.several("tries", tries, "a sequence of positive whole numbers")
    ]
    arguments.choice("of", of, _results.OF)
    result = _results.checked("result", result, "outcome", "steps")
    limit, ends = _results.budget_of("result", result), _results.outcomes("result", result)
    rows = []
    each = np.ones(result.steps.shape) if of == "steps" else _results.evaluations_a_step(result)
    for label, outcome, spent, allowed in zip(
        _results.labels(result), ends, _results.costs(result, of), limit * each, strict=True
    ):
        good, budget = outcome.ravel() == Outcome.global_minimum, allowed.ravel()
        cost = np.ceil(np.where(good, np.clip(spent.ravel(), 0, budget), budget)).astype(np.int64)
        most = int(cost.max())
        beyond = 1.0 - np.cumsum(np.bincount(cost, minlength=most + 1)) / cost.size
        for k in counts:
            rows.append(
                {
                    "optimizer": label,
                    "tries": k,
                    f"expected {of}": float((beyond[:most] ** k).sum()),
                    "probability": float(1.0 - (1.0 - good.mean()) ** k),
                }
            )
    return pd.DataFrame(rows)
