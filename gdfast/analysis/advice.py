"""How good trajectories are by their loss, and what to change where none is good enough."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gdfast.analysis import _results
from gdfast.analysis._results import told_units, units
from gdfast.analysis.attraction import leaving
from gdfast.analysis.reached import best_rates, outcome_shares
from gdfast.tiles.outcomes import Outcome

if TYPE_CHECKING:
    import xarray

_WHY = {
    Outcome.unfinished: "needs more steps",
    Outcome.oscillating: "stays above it: smaller rates or a schedule come lower",
    Outcome.worse: "climbs: smaller rates descend",
    Outcome.diverged: "diverges: smaller rates may not",
    Outcome.frozen: "stands still: its steps have become nothing, or a penalty holds it",
    Outcome.stalled: "stalls where the gradient is nothing: other starts do not",
    Outcome.local_minimum: "is at a higher minimum: other starts, larger rates or noise get elsewhere",
    Outcome.not_run: "has no result yet",
}


def excess(result: "xarray.Dataset") -> "xarray.DataArray":
    """Tell how far above the lowest loss trajectories ended: (loss − lowest) / scale, in the problem's own units.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`, with its attributes ``lowest_loss`` and ``loss_scale``.

    Returns
    -------
    xarray.DataArray
        ``float64`` over the result's dimensions; of at most `loss_tolerance` where the lowest minimum was reached.

    Raises
    ------
    TypeError, ValueError
        If this is no result of gdfast, or no minimum inside the domain is known.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.run(gdfast.Sweep("quartic", "gd", [0.01], [-2.0, 2.0]), backend="numpy")
    >>> [f"{value:.2f}" for value in gdfast.analysis.excess(result).values.ravel()]
    ['0.00', '0.82']
    """
    checked = _results.checked("result", result, "loss", more=True)
    lowest, scale = units(result)
    above: xarray.DataArray = (checked.loss - lowest) / scale
    return above.rename("excess").assign_attrs(long_name="loss above the lowest, in the problem's own scale")


def advice(result: "xarray.Dataset") -> pd.DataFrame:
    """Say of each optimizer at which learning rate it came lowest, and what to change where it did not reach.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.

    Returns
    -------
    DataFrame
        One row an optimizer (the index): ``lowest rate``, at which the median of the end losses is lowest (NaN where
        groups of coordinates have learning rates of their own); the ``median loss`` there, and the ``median excess``
        (NaN where no minimum is known); and ``advice``, a sentence on what most of its trajectories there do, empty if
        at least half of the starts reach the lowest minimum.

    Raises
    ------
    TypeError, ValueError
        If this is no result of gdfast.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.run(gdfast.Sweep("quartic", "gd", [1e-5, 1e-4], [-2.0, -1.0]), backend="numpy")
    >>> gdfast.analysis.advice(result).advice.item()
    'the largest rate came lowest, and needs more steps'
    """
    checked = _results.checked("result", result, "outcome", "loss")
    rates, units = checked.learning_rate.values, _results.units_of_rates(checked)
    ends = _results.outcomes("result", checked)
    good = ends == Outcome.global_minimum
    lowest, scale = (np.broadcast_to(np.asarray(unit), len(ends)) for unit in told_units(checked))
    rows: dict[str, dict[str, Any]] = {}
    for i, (label, medians) in enumerate(zip(_results.labels(checked), _results.median_losses(checked), strict=True)):
        best = int(np.lexsort((rates, medians))[0])
        at_end = _which(checked, best, units[i])
        most = Outcome(int(np.bincount(ends[i, best], minlength=len(Outcome)).argmax()))
        why = "" if good[i].mean(axis=1).max() >= 0.5 or most not in _WHY else f"{at_end} came lowest, and {_WHY[most]}"
        rows[label] = {
            "lowest rate": float(rates[best] * units[i]) if "group_rate" not in checked.coords else np.nan,
            "median loss": float(medians[best]),
            "median excess": float((medians[best] - lowest[i]) / scale[i]),
            "advice": why,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("optimizer")


def account(result: "xarray.Dataset") -> list[str]:
    """Tell in a sentence for each optimizer what became of its trajectories, and which learning rate is best.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.

    Returns
    -------
    list of str
        One an optimizer: the shares of its outcomes and of what leaves the minimum again that it is at, see
        `gdfast.analysis.leaves`, then its best rate, with its steps until it settled or, where the sweep asked for
        `gdfast.measures.steps_to_reach`, to the excess that is named; where none is good, what `advice` says.

    Raises
    ------
    TypeError, ValueError
        If this is no result of gdfast.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.run(gdfast.Sweep("quartic", "gd", [0.01, 0.02], [-2.0, -1.0]), backend="numpy")
    >>> gdfast.analysis.account(result)
    ['gd: 100 % global minimum; best rate 0.02, an end of the grid: 100 % of the starts, 26 steps']
    """
    shares, best, told = outcome_shares(result), best_rates(result), advice(result)
    has_basins = "basin" in result
    checked = _results.checked("result", result, "outcome", *(["basin"] if has_basins else []))
    # Plain arrays: those of xarray import all of Dask, where it is installed.
    again = leaving(checked).mean(axis=(1, 2)) if has_basins else np.zeros(len(shares))
    lines, tolerance = [], best.attrs["tolerance"]
    until = "" if tolerance is None else f" to an excess of {tolerance:g}"
    for label, gone, unit in zip(shares.index, again, _results.units_of_rates(checked), strict=True):
        here = shares.loc[label]
        parts = [f"{_percent(share)} {str(name).replace('_', ' ')}" for name, share in here[here > 0].items()]
        if gone:
            parts[-1] += f"; {_percent(gone)} leave their minimum again"
        row = best.loc[label]
        good = "none reach the lowest minimum"
        if row["share"] > 0:
            at = _results.words_of_rate(checked, int(row["index"]), unit)
            good = f"best {at}{', an end of the grid' if row['at edge'] else ''}: "
            good += f"{_percent(row['share'])} of the starts, {row['steps']:,.0f} steps{until}"
        why = told.loc[label, "advice"]
        lines.append(f"{label}: {', '.join(parts)}; {good}" + (f"; {why}" if why else ""))
    return lines


def found_minima(result: "xarray.Dataset") -> list[str]:
    """Tell in a sentence of each minimum that trajectories found, and that is lower than all that was known before.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`, which is judged with these minima. Most find none that was not known.

    Returns
    -------
    list of str
        One a minimum.

    Raises
    ------
    TypeError, ValueError
        If this is no result of gdfast, or it does not tell the minima as `gdfast.run` does.

    Examples
    --------
    >>> import gdfast
    >>> gdfast.analysis.found_minima(gdfast.run(gdfast.Sweep("quartic", "gd", [0.01], [1.0]), backend="numpy"))
    []
    """
    checked = _results.checked("result", result, more=True)
    try:
        minima = json.loads(checked.attrs.get("found_minima", "[]"))
        return [
            f"a minimum lower than all that were known was found and judged with: loss {float(loss):.6g} at "
            + ", ".join(f"{name} = {float(x):.6g}" for name, x in zip(checked.parameter.values, point, strict=True))
            for loss, *point in minima
        ]
    except (AttributeError, TypeError, ValueError):
        raise ValueError(
            "result: found_minima must be a list of losses with their points, as gdfast.run writes it"
        ) from None


def _percent(share: float) -> str:
    """A share for readers, never rounded to nothing or to all."""
    if 0 < share <= 0.005:  # just half a percent is rounded to 0, which is even
        return "< 1 %"
    return "> 99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"


def _which(result: "xarray.Dataset", place: int, unit: float) -> str:
    """The learning rate of a place among those of a checked result, in words."""
    rates = result.learning_rate.values
    if len(rates) > 1 and "group_rate" not in result.coords and rates[place] in (rates.min(), rates.max()):
        return "the largest rate" if rates[place] == rates.max() else "the smallest rate"
    words = _results.words_of_rate(result, place, unit)
    return f"the combination of {words}" if "group_rate" in result.coords else words


__all__ = ["account", "advice", "excess", "found_minima"]
