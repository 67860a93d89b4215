"""Sums of arrays in the order of the kernels, which NumPy's own have not."""

import numpy as np

from gdfast.formulas.elementary import Array

__all__ = ["product", "total"]


def total(values: Array) -> Array:
    """The sum over the first axis, in its order."""
    result: Array = np.zeros_like(values[0])
    for row in values:
        result = result + row
    return result


def product(left: Array, right: Array, start: Array | float = 0.0) -> Array:
    """``start + left @ right`` of each lane, of ``[p, r, n]`` and ``[r, q, n]``, summed in the order of r."""
    result = np.zeros((left.shape[0], right.shape[1], left.shape[2]), left.dtype) + start
    for r in range(left.shape[1]):
        result += left[:, r, None] * right[None, r]
    return result
