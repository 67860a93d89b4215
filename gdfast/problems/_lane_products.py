"""Matrix products for lanes: each lane multiplies matrices of its own.

A matrix of lanes lies in a flat array as vectors of `VECTOR` lanes: entry (p, q) of the matrix at offset `c` with
strides `cp` and `cq` is ``array[8 (c + p cp + q cq)]`` and the seven numbers after it, one for each lane. Offsets
and strides count vectors. With strides, a transposed matrix is the same matrix with two numbers exchanged.

The functions here say what is meant, in plain Python, summed strictly in the order of r. Lane kernels call them by
name; their compiled forms, with the sums in registers, are in `gdfast.kernels.lane_products`. They stand in a file of
their own because the plain text of a helper in a lane kernel's own file is what gets compiled.
"""

VECTOR = 8
"""Lanes in a vector: eight float64 are a cache line and the widest register."""


def add_products(array, c, cp, cq, left, a, ap, ar, b, br, bq, P, R, Q, fresh):
    """Compute ``C[p, q] (+)= Σ_r A[p, r] B[r, q]`` with C and B in `array` and A in `left`, usually the same.

    Parameters
    ----------
    array, left : ndarray
        ``float64[:]``, contiguous.
    c, cp, cq, a, ap, ar, b, br, bq : int
        Where C, A and B begin, and their strides, in vectors.
    P, R, Q : int
        The sizes of the matrices.
    fresh : bool
        Whether to start from 0 instead of from what C holds.
    """
    _add(array, c, cp, cq, left.reshape(-1, VECTOR), a, ap, ar, b, br, bq, P, R, Q, fresh)


def add_data_products(array, c, cp, cq, left, a, ap, ar, b, br, bq, P, R, Q, fresh):
    """Compute the same with an A that all lanes share: its entries are single numbers, and so count its strides."""
    _add(array, c, cp, cq, left, a, ap, ar, b, br, bq, P, R, Q, fresh)


def _add(array, c, cp, cq, left, a, ap, ar, b, br, bq, P, R, Q, fresh):
    lanes = array.reshape(-1, VECTOR)
    for p in range(P):
        for q in range(Q):
            total = 0.0 if fresh else lanes[c + p * cp + q * cq]
            for r in range(R):
                total = total + left[a + p * ap + r * ar] * lanes[b + r * br + q * bq]
            lanes[c + p * cp + q * cq] = total


def copy_vector(to, i, source, j, factor):
    """Copy ``factor · source[j : j + VECTOR]`` to ``to[i : i + VECTOR]``."""
    to[i : i + VECTOR] = factor * source[j : j + VECTOR]


def wide_vectors():
    """Ask the compiler for the widest vectors in the function that calls this. On arrays it does nothing."""
