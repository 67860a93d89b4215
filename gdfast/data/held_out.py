"""Rows that are held out: no step learns of them, and they tell how well what was learned holds elsewhere."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.data.files import Data
from gdfast.data.rows import designed
from gdfast.data.units import Units
from gdfast.formulas.elementary import Array


class Rows(NamedTuple):
    """The rows of a problem."""

    learned: Data
    held_out: Data | None
    units: Units


def parted(data: Data, bias: bool, share: float, seed: int, labels: Array | None) -> Rows:
    """Return the rows that a problem learns from; those held out, None if no share of them is; and their units.

    Both are made as `gdfast.data.design` makes rows, but features are standardized by those that are learned from
    alone. One that never varies among these is 0 everywhere: nothing can be learned of it.

    Parameters
    ----------
    data : Data
        All rows.
    bias : bool
        Whether a column of ones is put in front.
    share : float
        Of the rows that are held out, in [0, 1).
    seed : int
        Of the draw.
    labels : ndarray, optional
        The class of each row, ``float64[m]``, if it has one; then the share is held out of each class.

    Raises
    ------
    TypeError, ValueError
        If the rows cannot be used, or so few are held out that there are none.
    """
    if not share:
        return Rows(designed(data, bias, None), None, Units.of(data.features, data.X, data.standardize))
    held = draw_held_out(len(data.X), share, arguments.integer("seed", seed, low=0, high=2**63 - 1), labels)
    if not held.any():
        raise ValueError(
            f"validation must be a share of the {len(held)} rows of {data.name} that is a row or more, with one left "
            f"to learn from, not {share:g}"
        )
    rows = designed(data, bias, ~held)
    learned, held_out = (replace(rows, X=np.ascontiguousarray(rows.X[part]), y=rows.y[part]) for part in (~held, held))
    return Rows(learned, held_out, Units.of(data.features, data.X[~held], data.standardize))


def draw_held_out(m: int, share: float, seed: int, labels: Array | None) -> NDArray[np.bool_]:
    """Draw which of `m` rows are held out, ``bool[m]``: of each class the share, rounded, but never all of it."""
    # Another stream than that of mini-batches, which the same seed draws.
    keys = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(1,)))).random(m)
    held = np.zeros(m, dtype=bool)
    classes = np.zeros(m) if labels is None else labels
    for value in np.unique(classes):
        rows = np.flatnonzero(classes == value)
        count = min(int(share * len(rows) + 0.5), len(rows) - 1)
        held[rows[np.argsort(keys[rows], kind="stable")[:count]]] = True
    return held
