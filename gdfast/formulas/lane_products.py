"""Matrix products for lanes: each lane multiplies matrices of its own.

A matrix of lanes lies in a flat array as vectors of `VECTOR` lanes, and is written ``(array, at, down, across)``: its
entry (p, q) is ``array[VECTOR i]`` and the numbers after it, one for each lane, with ``i = at + p down + q across``.
With strides, a transposed matrix is the same matrix with two numbers exchanged, and a row that stands for all rows
has ``down = 0``.

The functions here say what is meant, in plain Python, summed strictly in the order of r. Lane kernels call them by
name; their compiled forms, with the sums in registers, are in `gdfast.kernels.lane_products`. Of all other functions
that lane kernels call, but those of `gdfast.formulas.elementary`, it is the plain text that gets compiled.
"""

from fractions import Fraction
from typing import Any

import numpy as np

from gdfast.formulas.elementary import maximum

_BYTES = 64


def lanes_of(real: Any) -> int:
    """How many lanes of a type a vector holds: as many as a cache line and the widest register do."""
    return int(_BYTES // np.dtype(real).itemsize)


VECTOR = lanes_of(np.float64)
"""Lanes in a vector; in lanes of float32 the name stands for twice as many, see `gdfast.formulas.lane_readings`."""


def multiply(c, start, a, b, P, R, Q):
    """Compute ``C[p, q] = S[p, q] + Σ_r A[p, r] B[r, q]``.

    Parameters
    ----------
    c, start, a, b : tuple
        The matrices C, S (which may be C), A and B, with arrays ``dtype[:]``, contiguous.
    P, R, Q : int
        Their sizes.
    """
    for p in range(P):
        for q in range(Q):
            total = _entry(start, p, q)[:]
            for r in range(R):
                total = total + _entry(a, p, r) * _entry(b, r, q)
            _entry(c, p, q)[:] = total


def multiply_fused(c, start, a, b, P, R, Q):
    """Do what `multiply` does by fused multiply-add: a product is not rounded before it is added."""
    for p in range(P):
        for q in range(Q):
            total = _entry(start, p, q)[:]
            for r in range(R):
                total = _fused(_entry(a, p, r), _entry(b, r, q), total)
            _entry(c, p, q)[:] = total


def _fused(a, b, c):
    rounded = float if a.dtype == np.float64 else _to_single
    terms = zip(a.tolist(), b.tolist(), c.tolist(), strict=True)
    return np.array([rounded(Fraction(x) * Fraction(y) + Fraction(z)) for x, y, z in terms], a.dtype)


def _to_single(exact):
    """A fraction rounded to float32, by way of float64 with an odd last bit, so that one rounding counts."""
    near = float(exact)
    if near != exact and np.float64(near).view(np.int64) % 2 == 0:
        near = np.nextafter(near, np.inf if exact > near else -np.inf)
    return np.float32(near)


def _entry(matrix, p, q):
    array, at, down, across = matrix
    return array.reshape(-1, lanes_of(array.dtype))[at + p * down + q * across]


def copy_vector(to, i, source, j, factor):
    """Copy ``factor · source[j : j + VECTOR]`` to ``to[i : i + VECTOR]``."""
    to[i : i + VECTOR] = factor * source[j : j + VECTOR]


def fill_vector(to, i, number):
    """Put a number into ``to[i : i + VECTOR]``."""
    to[i : i + VECTOR] = number


def subtract_vector(to, i, other, j):
    """Subtract ``other[j : j + VECTOR]`` from ``to[i : i + VECTOR]``."""
    to[i : i + VECTOR] -= other[j : j + VECTOR]


def multiply_vector(to, i, other, j):
    """Multiply ``to[i : i + VECTOR]`` by ``other[j : j + VECTOR]``."""
    to[i : i + VECTOR] *= other[j : j + VECTOR]


def raise_vector(to, i, other, j):
    """Put the larger of both into ``to[i : i + VECTOR]``, NaN if either is."""
    to[i : i + VECTOR] = maximum(to[i : i + VECTOR], other[j : j + VECTOR])


def wide_vectors():
    """Ask the compiler for the widest vectors in the function that calls this. On arrays it does nothing."""


def independent():
    """Tell the compiler that the rounds of the loop whose body ends with this do not touch each other's memory.

    Lanes never read what another lane has written. Without this LLVM compares the addresses of all rows before it takes
    vectors. Where there are many rows that takes longer than the loop; each loop is written twice; and with very many
    rows it takes no vectors at all. On arrays it does nothing.
    """
