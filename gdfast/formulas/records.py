"""Numbers of an array under names: what lane kernels read beside matrices.

The function here says what is meant, in plain NumPy; its compiled form, which is a pointer, is in
`gdfast.kernels.records`. (NumPy's own ``view`` compiles, too, but counts references: 45 ns a call.)
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def fields(kind: type[np.generic], names: str) -> np.dtype[Any]:
    """The type of a record of numbers of one kind, int64 or float64, with names that have spaces between them."""
    return np.dtype([(name, kind) for name in names.split()])


def length(dtype: np.dtype[Any]) -> int:
    """How many numbers a record has."""
    return len(dtype.names or ())


def packed(*records: NDArray[Any]) -> NDArray[np.int64]:
    """Records of int64, one behind another, as `record` finds them: ``int64[words]``."""
    return np.concatenate([np.atleast_1d(each).view(np.int64) for each in records])


def record(numbers, at, dtype):
    """Return the record of a type that begins at ``numbers[at]``, with the numbers as its fields."""
    return numbers[at : at + len(dtype)].view(dtype)[0]
