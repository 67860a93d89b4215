"""The rows that a network is given: drawn, or of data that fit it."""

import numpy as np

from gdfast.data import Data, as_classes, as_numbers
from gdfast.data.held_out import parted
from gdfast.data.units import Units
from gdfast.formulas.elementary import Array


def drawn_rows(points: int, widths: tuple[int, ...], loss: str, seed: int) -> tuple[Array, Array]:
    """Inputs from a normal distribution, and sines of them as targets, or which of these is the largest as labels."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(points, widths[0]))
    signal = np.sin(2 * X @ (rng.normal(size=(widths[0], widths[-1])) / np.sqrt(widths[0])))
    return X, signal if loss == "squared" else signal.argmax(axis=1).astype(np.float64)


def rows_of(
    data: Data, widths: tuple[int, ...], loss: str, validation: float, seed: int
) -> tuple[tuple[Array, Array], tuple[Array, Array] | None, Units]:
    """Inputs and targets ``float64[m, k]`` or labels ``float64[m]`` that fit the network; held-out ones; the units."""
    try:
        # Of an array, labels are taken as they are; not every class needs to be there.
        prepare = as_numbers if loss == "squared" else as_classes if data.source else _as_they_are
        table = prepare(data)
        _check_fit(table, widths, loss)
        parts = parted(table, False, validation, seed, None if loss == "squared" else table.y)
    except (TypeError, ValueError) as error:
        raise type(error)(f"mlp: {error}") from None

    def arrays(rows: Data) -> tuple[Array, Array]:
        return rows.X, rows.y.reshape(len(rows.y), -1) if loss == "squared" else rows.y

    learned, held_out, units = parts
    return arrays(learned), None if held_out is None else arrays(held_out), units


def _as_they_are(data: Data) -> Data:
    return data


def _check_fit(table: Data, widths: tuple[int, ...], loss: str) -> None:
    columns, y = table.X.shape[1], table.y
    if columns != widths[0]:
        raise ValueError(f"widths must begin with {columns}, the columns of X of the data, not with {widths[0]}")
    if loss == "squared":
        outputs = 1 if y.ndim == 1 else y.shape[1]
        if outputs != widths[-1]:
            raise ValueError(f"widths must end with {outputs}, the columns of y of the data, not with {widths[-1]}")
    elif y.ndim != 1 or not np.isin(y, np.arange(widths[-1])).all():
        raise ValueError(
            f"data: y must hold one label from 0 to {widths[-1] - 1} a row for cross_entropy with {widths[-1]} "
            "outputs, " + (f"not have shape {y.shape}" if y.ndim != 1 else f"not {_stranger(y, widths[-1]):g}")
        )


def _stranger(labels: Array, k: int) -> float:
    return float(labels[~np.isin(labels, np.arange(k))][0])
