"""Random numbers by counting: the same for any tile, worker and backend.

A number is a function of a seed, the trajectory's number, the step and the coordinate, by integer arithmetic and
``+ - * / sqrt`` alone. The same text runs on arrays and in compiled lanes, with the same bits. Seed and step together
are a key of 64 bits. It stands in the table of coefficients, in parts that every type of floating-point numbers holds
exactly, so that no seed is rounded.

Sources: Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators" (the mixing of bits);
Giles (2012), "Approximating the erfinv function" (the form of the quantile).
"""

from typing import Any

import numpy as np

from gdfast.formulas.elementary import Array, exponent, mantissa, select, sqrt

KEY = ("low", "middle", "high")
"""Names of the parts of a key: of its 22 lowest bits, the next 22, and the other 20."""

_STEP, _FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11, _41 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11), np.uint64(41)
_1, _22, _44 = np.uint64(1), np.uint64(22), np.uint64(44)


def mixed(z: Any) -> Any:
    """Return 64 bits in which every bit of `z` has a part (uint64 to uint64)."""
    z = (z ^ (z >> _30)) * _FIRST
    z = (z ^ (z >> _27)) * _SECOND
    return z ^ (z >> _31)


def keys(seed: int, t: Array) -> Array:
    """Return the parts of the key of each step t = 1, 2, …, whole numbers below 2²²: ``float64[len(t), 3]``.

    Every seed from 0 to 2⁶⁴ − 1 has keys of its own. A step is added to a mixed seed, since 0 mixed is 0: of four
    zeros there would be no random number.
    """
    with np.errstate(over="ignore"):  # integers wrap around
        key = mixed(mixed(np.uint64(seed) + _STEP) + t.astype(np.uint64) * _STEP)
    parts = [key >> shift & (_1 << _22) - _1 for shift in (np.uint64(0), _22, _44)]
    return np.stack(parts, axis=-1).astype(np.float64)


def uniform(low: Any, middle: Any, high: Any, number: Any, coordinate: Any) -> Any:
    """Return a number drawn uniformly from (0, 1), an odd multiple of 2⁻⁵⁴, from the parts of a key."""
    z = np.uint64(low) + (np.uint64(middle) << _22) + (np.uint64(high) << _44)
    z = mixed(z + (np.uint64(number) + _1) * _STEP)
    z = mixed(z + (np.uint64(coordinate) + _1) * _STEP)
    return ((z >> _11) + 0.5) * 1.1102230246251565e-16  # 2⁻⁵³


def random_sign(low: Any, middle: Any, high: Any, number: Any, coordinate: Any) -> Any:
    """Return −1 or 1 with the same probability, from the parts of a key."""
    return select(uniform(low, middle, high, number, coordinate) < 0.5, -1.0, 1.0)


def uniform_of(seed: Any, row: Any) -> Any:
    """Return a number drawn uniformly from (0, 1), an odd multiple of 2⁻²⁴, for a row, from one that all rows share."""
    z = mixed(np.uint64(seed * 9007199254740992.0) + (np.uint64(row) + _1) * _STEP)  # 2⁵³
    return ((z >> _41) + 0.5) * 1.1920928955078125e-07  # 2⁻²³


def quantile(u: Any) -> Any:
    """Return the standard normal quantile of ``0 < u < 1``, within 2e-7 relative.

    With x = 2u − 1 and w = −ln(1 − x²) it is x times a polynomial in w, or in √w in the tails.
    """
    x = 2.0 * u - 1.0
    v = (1.0 - x) * (1.0 + x)
    m = mantissa(v)
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    odd = 1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q / 15.0))
    series = 1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * odd)))
    w = -(exponent(v) * 0.6931471805599453 + 2.0 * s * series)
    a = w - 3.0
    middle = -8.333087196633243e-09 * a - 6.07823831893556e-09
    middle = (middle * a + 6.462012601000591e-07) * a - 2.6672053917902007e-06
    middle = (middle * a - 1.8054625274232497e-05) * a + 0.0002764505815460749
    middle = (middle * a - 0.0011823496872204583) * a - 0.008115588119262862
    middle = (middle * a + 0.3417168592390072) * a + 2.2960352356477847
    b = sqrt(w) - 4.274744871391588
    tail = -5.744065121861009e-06 * b + 2.046740857838008e-05
    tail = (tail * b - 1.325730833693592e-05) * b - 2.5865241545694927e-06
    tail = (tail * b - 8.213613213972971e-05) * b + 0.0003204413183703677
    tail = (tail * b - 0.0008341272069558907) * b + 0.0009339288057421847
    tail = (tail * b + 1.4283738651450835) * b + 5.822622854778631
    return x * select(w < 6.0, middle, tail)


def standard_normal(key: Array, number: Any, coordinate: Any) -> Any:
    """Return a standard normal number of a key, a trajectory and a coordinate (in NumPy; kernels call the two parts).

    Parameters
    ----------
    key : ndarray
        The parts of the key of one step: a row of `keys`.
    number, coordinate : int or ndarray
        Which trajectory of the sweep, and which of its coordinates, from 0.
    """
    with np.errstate(over="ignore"):  # integers wrap around
        return quantile(uniform(key[0], key[1], key[2], number, coordinate))
