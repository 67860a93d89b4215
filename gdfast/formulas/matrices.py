"""Functions of whole matrices that the rule of an optimizer for matrices may call.

Each takes a quantity of every entry of a matrix, and returns one of every entry. Further arguments are coefficients,
the same for all entries. On arrays they are the functions here; their forms in compiled lanes are in
`gdfast.kernels.lane_matrices` and sum in the same order, so that both give the same bits. Functions that keep something
of a matrix from step to step are in `gdfast.formulas.factors`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gdfast.formulas import factors
from gdfast.formulas.elementary import Array, maximum, sqrt
from gdfast.formulas.sums import product, total

__all__ = ["column_mean", "mean", "orthogonalized", "row_mean"]


def row_mean(x: Array) -> Array:
    """Return at each entry the mean of its row; ``x`` is ``dtype[rows, columns, n]``, summed in its order."""
    return np.broadcast_to(total(x.swapaxes(0, 1))[:, None] / x.shape[1], x.shape)


def column_mean(x: Array) -> Array:
    """Return at each entry the mean of its column; ``x`` is ``dtype[rows, columns, n]``, summed in its order."""
    return np.broadcast_to(total(x)[None] / x.shape[0], x.shape)


def mean(x: Array) -> Array:
    """Return at each entry the mean of all; ``x`` is ``dtype[rows, columns, n]``, summed row by row."""
    entries = x.shape[0] * x.shape[1]
    return np.broadcast_to(total(x.reshape(entries, x.shape[2])) / entries, x.shape)


def orthogonalized(x: Array, a: Any, b: Any, c: Any, eps: Any, steps: Any) -> Array:
    """Return a matrix with the singular vectors of ``x`` and singular values near 1, by Newton–Schulz's iteration.

        X ← x / max(‖x‖, ε), then `steps` times   A = X Xᵀ,   X ← a X + (b A + c A A) X

    with the Frobenius norm; of a matrix with more rows than columns it is that of the transposed one, transposed.

    Source: Jordan (2024), Muon, https://kellerjordan.github.io/posts/muon/, with a = 3.4445, b = −4.775, c = 2.0315.
    """
    norm = sqrt(total((x * x).reshape(x.shape[0] * x.shape[1], x.shape[2])))
    x = x / maximum(norm, eps)
    tall = x.shape[0] > x.shape[1]
    x = x.swapaxes(0, 1) if tall else x
    for _ in range(int(steps)):
        gram = product(x, x.swapaxes(0, 1))
        x = product(b * gram + c * product(gram, gram), x, a * x)
    result: Array = np.asarray(x.swapaxes(0, 1) if tall else x)
    return result


FUNCTIONS: dict[str, Callable[..., Array]] = {
    **{f.__name__: f for f in (row_mean, column_mean, mean, orthogonalized)},
    **factors.FUNCTIONS,
}
"""By name, those that keep something of a matrix among them."""
