"""What an earlier result holds of another sweep's trajectories.

A trajectory depends on its problem, optimizer, learning rate and start, and on the settings of the sweep, not on the
grid around it; where its optimizer draws noise, also on its number in the grid. One that settled in fewer steps than
either budget ends the same within both, unless the coefficients of its optimizer depend on the budget. What is the same
so is taken over; everything else is run. So the result is the same to the bit as if all were run.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gdfast import __version__
from gdfast.parts import step_table
from gdfast.storing.contents import StoreError, by_content, differences, keeps_theta
from gdfast.storing.journal import Journal
from gdfast.storing.result import attributes
from gdfast.tiles.outcomes import Outcome
from gdfast.tiles.sweep import Sweep, Tile

if TYPE_CHECKING:
    import xarray

_AXES = ("optimizers", "learning_rates", "starts", "max_steps")
_TILE = 200_000  # steps of a formula that take as long as one more tile: 0.2 ms


class Earlier:
    """The trajectories of a sweep that an earlier result has.

    Parameters
    ----------
    path : Path
        Where the result is, for messages.
    result : xarray.Dataset
        What `gdfast.store.read` gives.
    sweep, backend, keep_theta
        What is to be run.

    Raises
    ------
    StoreError
        If it has none of them; the message tells why.
    """

    def __init__(self, path: Path, result: "xarray.Dataset", sweep: Sweep, backend: str, keep_theta: bool) -> None:
        found = result.attrs
        was, asked = (
            by_content(json.loads(text)) for text in (found["specification"], json.dumps(sweep.specification))
        )
        self._budget: int = was["max_steps"]
        was, asked = (
            {
                **{name: value for name, value in part.items() if name not in _AXES},
                "backend": of,
                "gdfast": version,
                "minima": minima,
                **({"max_steps": part["max_steps"]} if "measure" in part else {}),  # which is of the whole budget
            }
            for part, of, version, minima in (
                (was, found["backend"], found["gdfast"], found["minima"]),
                (asked, backend, __version__, attributes(sweep, backend, keep_theta)["minima"]),
            )
        )
        if "found_minima" in found:
            raise StoreError(
                f"reuse: nothing of {path} can be taken over: its trajectories found a minimum that was not known, "
                "which others of this sweep may not"
            )
        journal = Journal.read(path) if path.is_dir() else Journal()
        if journal.finished is None and any("lower" in entry for entry in journal.blocks.values()):
            raise StoreError(
                f"reuse: nothing of {path} can be taken over: ends are lower than all known minima; complete it first"
            )
        for difference in differences("", was, asked):
            raise StoreError(f"reuse: nothing of {path} can be taken over: {difference}")
        if keep_theta and not keeps_theta(found):
            raise StoreError(f"reuse: nothing of {path} can be taken over: it has no end points")
        self._result, self._sweep = result, sweep
        self._old_starts = result.sizes["start"]
        rates = "learning_rate" if sweep.learning_rates.ndim == 1 else "group_rate"
        is_alike = ("group_rate" in result) == (rates == "group_rate")
        self._rates = _places(result[rates].values if is_alike else np.empty(0), sweep.learning_rates)
        self._starts = _places(result["start_point"].values, sweep.starts)
        specifications = json.loads(found["specification"])["optimizers"]
        self._optimizers = [self._optimizer(i, specifications) for i in range(len(sweep.optimizers))]
        if max(self._rates) < 0 or max(self._starts) < 0 or max(self._optimizers) < 0:
            raise StoreError(f"reuse: nothing of {path} can be taken over: it has no trajectory of this sweep")

    def _optimizer(self, number: int, specifications: list[Any]) -> int:
        """The number that an optimizer has in the earlier result; −1 for none."""
        optimizer = self._sweep.optimizers[number]
        specification = json.loads(json.dumps(optimizer.specification))
        if specification not in specifications:
            return -1
        short, long = sorted((self._budget, self._sweep.max_steps))
        if short < long:
            few, many = (step_table(optimizer, None, self._sweep.problem, budget) for budget in (short, long))
            if not np.array_equal(few[:short], many[:short]):
                return -1
        return specifications.index(specification)

    def final(self, tile: Tile) -> NDArray[np.bool_]:
        """Which trajectories of a range are taken over."""
        old, rates, starts = self._where(tile)
        if old < 0:
            return np.zeros(tile.last - tile.first, dtype=bool)
        outcome, steps = self.values("outcome", tile), self.values("steps", tile)
        has = (rates[:, None] >= 0) & (starts >= 0)
        if any(transform.noisy for transform in self._sweep.optimizers[tile.optimizer].transforms):
            numbers = np.arange(tile.first, tile.last).reshape(has.shape)
            has &= rates[:, None] * self._old_starts + starts == numbers
        final = has.reshape(-1) & (outcome != Outcome.not_run)
        if self._budget != self._sweep.max_steps:
            final &= steps < min(self._budget, self._sweep.max_steps)
        return np.asarray(final)

    def values(self, name: str, tile: Tile) -> NDArray[Any]:
        """The values of a range of trajectories; anything where the earlier result has none."""
        old, rates, starts = self._where(tile)
        variable = self._result[name]
        values = np.zeros((len(rates), len(starts), *variable.shape[3:]), variable.dtype)
        rows, columns = np.flatnonzero(rates >= 0), np.flatnonzero(starts >= 0)
        if len(rows) and len(columns):
            at = {"learning_rate": _range(rates[rows]), "start": _range(starts[columns])}
            values[np.ix_(rows, columns)] = variable.isel(optimizer=old, **at).values
        return values.reshape(-1, *variable.shape[3:])

    def missing(self, tile: Tile) -> list[Tile]:
        """The parts of a range that are to be run: all that is not `final`, and what between is sooner run than cut."""
        runs = np.flatnonzero(~self.final(tile))
        if not len(runs):
            return []
        gap = _TILE // (self._sweep.max_steps * self._sweep.problem.step_work)
        breaks = np.flatnonzero(np.diff(runs) > 1 + gap)
        firsts, lasts = runs[np.r_[0, breaks + 1]], runs[np.r_[breaks, len(runs) - 1]] + 1
        return [
            Tile(tile.optimizer, tile.first + int(a), tile.first + int(b)) for a, b in zip(firsts, lasts, strict=True)
        ]

    def _where(self, tile: Tile) -> tuple[int, NDArray[np.int64], NDArray[np.int64]]:
        """The earlier numbers of a range's optimizer, learning rates and starts; it is of whole rows or lies in one."""
        m = self._sweep.shape[2]
        rate, start = divmod(tile.first, m)
        rows = -(-tile.last // m) - rate
        width = m if rows > 1 else tile.last - tile.first
        return self._optimizers[tile.optimizer], self._rates[rate : rate + rows], self._starts[start : start + width]


def _places(old: NDArray[Any], new: NDArray[Any]) -> NDArray[np.int64]:
    """The place of each row of one array in another, −1 where it is not there."""
    there = {np.ascontiguousarray(row).tobytes(): i for i, row in reversed(list(enumerate(old)))}
    return np.array([there.get(np.ascontiguousarray(row).tobytes(), -1) for row in new], dtype=np.int64)


def _range(places: NDArray[np.int64]) -> Any:
    """A slice where places follow one another, which is read faster."""
    is_range = np.all(np.diff(places) == 1)
    return slice(int(places[0]), int(places[-1]) + 1) if is_range else places
