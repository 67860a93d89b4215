"""Matrix products for lanes: each lane multiplies matrices of its own.

A matrix of lanes lies in a flat array as vectors of `VECTOR` lanes, and is written ``(array, at, down, across)``: its
entry (p, q) is ``array[8 i]`` and the seven numbers after it, one for each lane, with ``i = at + p down + q across``.
With strides, a transposed matrix is the same matrix with two numbers exchanged, and a row that stands for all rows
has ``down = 0``.

The functions here say what is meant, in plain Python, summed strictly in the order of r. Lane kernels call them by
name; their compiled forms, with the sums in registers, are in `gdfast.kernels.lane_products`. Of all other functions
that lane kernels call, but those of `gdfast.formulas.elementary`, it is the plain text that gets compiled.
"""

from fractions import Fraction

import numpy as np

from gdfast.formulas.elementary import maximum

VECTOR = 8
"""Lanes in a vector: eight float64 are a cache line and the widest register."""


def multiply(c, start, a, b, P, R, Q):
    """Compute ``C[p, q] = S[p, q] + Σ_r A[p, r] B[r, q]``.

    Parameters
    ----------
    c, start, a, b : tuple
        The matrices C, S (which may be C), A and B, with arrays ``float64[:]``, contiguous.
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
    exact = (Fraction(x) * Fraction(y) + Fraction(z) for x, y, z in zip(a, b, c, strict=True))
    return np.array([float(value) for value in exact])


def _entry(matrix, p, q):
    array, at, down, across = matrix
    return array.reshape(-1, VECTOR)[at + p * down + q * across]


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
