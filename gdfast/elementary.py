"""The functions that a rule or a formula may call besides ``+ - * /``.

On arrays they are NumPy. In compiled lanes they have the same meaning and, except for `exp`, the same bits
(`gdfast.kernels.lane_math` gives the compiled forms).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

__all__ = ["absolute", "exp", "maximum", "select", "sign", "sqrt"]


def select(condition: Any, yes: Any, no: Any) -> Any:
    """Return `yes` where `condition` holds and `no` elsewhere, lane by lane."""
    return np.where(condition, yes, no)


def sqrt(x: Any) -> Any:
    """Return the square root, correctly rounded."""
    return np.sqrt(x)


def absolute(x: Any) -> Any:
    """Return ``|x|``."""
    return np.abs(x)


def maximum(a: Any, b: Any) -> Any:
    """Return the larger of two numbers; NaN if either is NaN, `a` if they are equal."""
    return np.where((a >= b) | np.isnan(a), a, b)


def sign(x: Any) -> Any:
    """Return −1, 0 or 1; NaN for NaN."""
    return np.sign(x)


def exp(x: Any) -> Any:
    """Return the exponential, within 1 unit in the last place."""
    return np.exp(x)
