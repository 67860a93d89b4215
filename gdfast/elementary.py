"""The functions that a rule or a formula may call besides ``+ - * /``.

On arrays they are NumPy. In compiled lanes they have the same meaning and, except for `exp`, the same bits
(`gdfast.kernels.lane_math` gives the compiled forms).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CUBE_ROOT_SHARE, CUBE_ROOT_OFFSET, CUBE_ROOT_ROUNDS = 1.0 / 3.0, 3071306043645493248.0, 4

__all__ = [
    "absolute",
    "cube_root",
    "erf",
    "exp",
    "log",
    "maximum",
    "minimum",
    "select",
    "sigmoid",
    "sign",
    "sqrt",
    "tanh",
]


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


def sign(x: Any) -> Any:
    """Return −1, 0 or 1; NaN for NaN."""
    return np.sign(x)


def exp(x: Any) -> Any:
    """Return the exponential, within 1 unit in the last place."""
    return np.exp(x)


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent."""
    return np.tanh(x)


def sigmoid(x: Any) -> Any:
    """Return the logistic function ``1 / (1 + exp(-x))``."""
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1.0) / (1.0 + e)


def log(x: Any) -> Any:
    """Return the natural logarithm."""
    return np.log(x)


def erf(x: Any) -> Any:
    """Return the error function."""
    return np.vectorize(math.erf, otypes=[np.float64])(x)
