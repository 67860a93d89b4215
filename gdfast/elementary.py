"""The functions that a rule or a formula may call besides ``+ - * /``.

On arrays they are NumPy. In compiled lanes they have the same meaning and, except for `exp`, the same bits
(`gdfast.kernels.lane_math` gives the compiled forms).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CUBE_ROOT_SHARE, CUBE_ROOT_OFFSET, CUBE_ROOT_ROUNDS = 1.0 / 3.0, 3071306043645493248.0, 4

__all__ = ["absolute", "cube_root", "exp", "exponent", "mantissa", "maximum", "minimum", "select", "sign", "sqrt"]


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


def minimum(a: Any, b: Any) -> Any:
    """Return the smaller of two numbers; NaN if either is NaN, `a` if they are equal."""
    return np.where((a <= b) | np.isnan(a), a, b)


def cube_root(x: Any) -> Any:
    """Return the cube root of ``x >= 0``, within 2 units in the last place for normal numbers, 0 for 0.

    It is computed from ``+ - * /`` alone (a third of the exponent, then Halley's method), so that compiled lanes
    give the same bits.
    """
    x = np.asarray(x, dtype=np.float64)
    third = x.view(np.int64).astype(np.float64) * CUBE_ROOT_SHARE + CUBE_ROOT_OFFSET
    y = np.where(np.isfinite(x), third, 0.0).astype(np.int64).view(np.float64)
    with np.errstate(all="ignore"):
        for _ in range(CUBE_ROOT_ROUNDS):
            cube = y * y * y
            y = y * ((cube + 2.0 * x) / (2.0 * cube + x))
    return np.where((x > 0) & (x < np.inf), y, x)


def exponent(x: Any) -> Any:
    """Return e of ``x = m 2^e`` with 1 <= m < 2, for normal ``x > 0``."""
    return ((np.asarray(x, dtype=np.float64).view(np.int64) >> 52) - 1023).astype(np.float64)


def mantissa(x: Any) -> Any:
    """Return m of ``x = m 2^e`` with 1 <= m < 2, for normal ``x > 0``."""
    bits = np.asarray(x, dtype=np.float64).view(np.int64)
    return ((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000).view(np.float64)


def sign(x: Any) -> Any:
    """Return −1, 0 or 1; NaN for NaN."""
    return np.sign(x)


def exp(x: Any) -> Any:
    """Return the exponential, within 1 unit in the last place."""
    return np.exp(x)
