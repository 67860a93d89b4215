"""Kronecker factors of a matrix: what rules remember of its rows and columns, and what they make of it.

A rule that calls these functions keeps four squares for each matrix of ``rows × columns`` entries, zeros at first:

    L, A    rows × rows          R, B    columns × columns

L and R are statistics, A and B what is made of them from time to time: inverse roots, or a basis. The functions are
those of `gdfast.formulas.matrices`, and besides are handed the factors by what runs the rule; some change them. Eigen-
and singular vectors come from Jacobi's method, one-sided: Hestenes (1958), SIAM J. Appl. Math. 6; its rounds end for
each matrix by itself, so that what is made of one depends on no other. A basis that turns slowly follows by one step
of power iteration and Householder's QR.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array, absolute, select, sqrt
from gdfast.formulas.sums import product, total

__all__ = ["accumulated", "aligned", "into_basis", "out_of_basis", "turned", "whitened"]


def orthogonal_in(real: Any) -> float:
    """The cosine of an angle up to which vectors of a type count as orthogonal: a few times what sums round."""
    return 16 * float(np.finfo(real).eps)


ORTHOGONAL = orthogonal_in(np.float64)
"""The same of float64; in lanes of float32 the name stands for theirs."""
MOST_ROUNDS = 30
"""Times that Jacobi's method goes through all pairs at most."""


class Factors(NamedTuple):
    """What is kept of a matrix: arrays that the functions here write into."""

    left: Array  # L, [rows, rows, n]
    right: Array  # R, [columns, columns, n]
    of_left: Array  # A, like L
    of_right: Array  # B, like R

    @classmethod
    def within(cls, numbers: Array, rows: int, columns: int) -> "Factors":
        """Those that lie in ``dtype[kept(rows, columns), n]``, one after the other, row by row."""
        sizes = rows, columns, rows, columns
        ends = np.cumsum([size * size for size in sizes])[:-1]
        parts = zip(np.split(numbers, ends), sizes, strict=True)
        return cls(*(part.reshape(size, size, -1) for part, size in parts))


def kept(rows: Any, columns: Any) -> Any:
    """How many numbers the factors of a matrix have."""
    return 2 * (rows * rows + columns * columns)


FUNCTIONS: dict[str, Callable[..., Array]] = {}
"""By name."""


def _keeping(function: Callable[..., Array]) -> Callable[..., Array]:
    """Enter a function by its name; rules call it without the factors, so that its type tells no arguments."""
    FUNCTIONS[function.__name__] = function
    return function


@_keeping
def accumulated(x: Array, factors: Factors, keep: Any, share: Any) -> Array:
    """Return ``x``, and add it to the statistics: L ← keep L + share x xᵀ, R ← keep R + share xᵀ x."""
    turned_over = x.swapaxes(0, 1)
    for statistics, left, right in ((factors.left, x, turned_over), (factors.right, turned_over, x)):
        statistics[:] = keep * statistics + share * product(left, right)
    return x


@_keeping
def whitened(x: Array, factors: Factors, eps: Any, refresh: Any) -> Array:
    """Return A x B; where `refresh` is 1, first A ← (L + ε I)^(−1/4), B ← (R + ε I)^(−1/4).

    Source: Gupta, Koren & Singer (2018), Shampoo, arXiv 1802.09568.
    """
    if refresh:
        for statistics, root in ((factors.left, factors.of_left), (factors.right, factors.of_right)):
            root[:] = _inverse_fourth_root(statistics, eps)
    return product(product(factors.of_left, x), factors.of_right)


@_keeping
def turned(x: Array, factors: Factors, anew: Any) -> Array:
    """Return ``x``, a quantity of each direction, in the order of a basis A, B that is made anew.

    With `anew` 1 it follows the statistics by one step of power iteration, A ← Q of the QR decomposition of L A, whose
    columns are first put in the order of the falling diagonal of Aᵀ L A; likewise B. With 2 it is made of the
    eigenvectors of L and R. With 0 it stays.
    """
    if anew == 2:
        factors.of_left[:], factors.of_right[:] = _eigenvectors(factors.left), _eigenvectors(factors.right)
    elif anew:
        factors.of_left[:], order = _followed(factors.left, factors.of_left)
        x = np.take_along_axis(x, order[:, None], axis=0)
        factors.of_right[:], order = _followed(factors.right, factors.of_right)
        x = np.take_along_axis(x, order[None], axis=1)
    return x


@_keeping
def aligned(x: Array, factors: Factors, rank: Any, refresh: Any) -> Array:
    """Return ``x``; where `refresh` is 1, A becomes its first `rank` left singular vectors, and B the identity.

    Of a matrix with more columns than rows, B becomes its right ones, and A the identity. The rest of the columns are
    zeros. The entry of a vector that is largest in size is positive.

    Source: Zhao et al. (2024), GaLore, arXiv 2403.03507.
    """
    if refresh:
        wide = x.shape[1] > x.shape[0]
        basis, identity = (factors.of_right, factors.of_left) if wide else (factors.of_left, factors.of_right)
        vectors = _singular_vectors(x if wide else x.swapaxes(0, 1))
        count = min(int(rank), len(vectors))
        basis[:], identity[:] = 0.0, np.eye(len(identity))[:, :, None]
        basis[:, :count] = vectors[:count].swapaxes(0, 1)
    return x


@_keeping
def into_basis(x: Array, factors: Factors) -> Array:
    """Return Aᵀ x B, ``x`` in the basis."""
    return product(product(factors.of_left.swapaxes(0, 1), x), factors.of_right)


@_keeping
def out_of_basis(x: Array, factors: Factors) -> Array:
    """Return A x Bᵀ, what is ``x`` in the basis."""
    return product(product(factors.of_left, x), factors.of_right.swapaxes(0, 1))


def _orthogonalize(vectors: Array, length: int) -> None:
    """Turn pairs of vectors, ``dtype[k, ≥ length, n]``, until the first `length` entries of all are orthogonal."""
    count, orthogonal = len(vectors), orthogonal_in(vectors.dtype)
    for _ in range(MOST_ROUNDS):
        moved = False
        for p in range(count):
            for q in range(p + 1, count):
                one, other = vectors[p].copy(), vectors[q].copy()
                a, b = total(one[:length] * one[:length]), total(other[:length] * other[:length])
                g = total(one[:length] * other[:length])
                turn = absolute(g) > orthogonal * (sqrt(a) * sqrt(b))
                if not turn.any():
                    continue
                moved = True
                cotangent = (b - a) / (2.0 * g)
                tangent = 1.0 / (absolute(cotangent) + sqrt(1.0 + cotangent * cotangent))
                tangent = select(cotangent < 0, -tangent, tangent)
                cosine = 1.0 / sqrt(1.0 + tangent * tangent)
                sine = cosine * tangent
                vectors[p] = select(turn, cosine * one - sine * other, one)
                vectors[q] = select(turn, sine * one + cosine * other, other)
        if not moved:
            break


def _decomposed(matrix: Array, eps: Any) -> tuple[Array, Array]:
    """Eigenvectors, a row each, and eigenvalues of a positive semidefinite matrix plus ε times the identity."""
    size, identity = len(matrix), np.eye(len(matrix), dtype=matrix.dtype)[:, :, None]
    vectors = np.concatenate([matrix + eps * identity, identity + np.zeros_like(matrix)], axis=1)
    _orthogonalize(vectors, size)
    values = np.stack([sqrt(total(row[:size] * row[:size])) for row in vectors])
    return vectors[:, size:], values


def _eigenvectors(matrix: Array) -> Array:
    return _decomposed(matrix, 0.0)[0].swapaxes(0, 1)


def _inverse_fourth_root(matrix: Array, eps: Any) -> Array:
    vectors, values = _decomposed(matrix, eps)
    return product((vectors * (1.0 / sqrt(sqrt(values)))[:, None]).swapaxes(0, 1), vectors)


def _singular_vectors(rows: Array) -> Array:
    """Right singular vectors of a matrix that is not tall, a row each, that of the largest singular value first."""
    vectors = rows.copy()
    _orthogonalize(vectors, vectors.shape[1])
    sizes = np.stack([sqrt(total(row * row)) for row in vectors])
    largest = np.zeros_like(sizes)
    for entry in vectors.swapaxes(0, 1):
        largest = select(absolute(entry) > absolute(largest), entry, largest)
    lengths = select(sizes > 0, sizes, 1.0)
    vectors = vectors / select(largest < 0, -lengths, lengths)[:, None]
    return np.take_along_axis(vectors, _falling(sizes)[:, None], axis=0)


def _falling(values: Array) -> NDArray[np.int64]:
    """The order in which values fall, ``int64[k, n]``; of equal ones the first first, of what is no number as of 0."""
    return np.argsort(-select(values == values, values, 0.0), axis=0, kind="stable")


def _followed(statistics: Array, basis: Array) -> tuple[Array, NDArray[np.int64]]:
    """Return a basis a step of power iteration further, and the order in which it has the directions of the other."""
    pulled = product(statistics, basis)
    order = _falling(total(basis * pulled))
    return _orthonormal(np.take_along_axis(pulled, order[None], axis=1)), order


def _orthonormal(a: Array) -> Array:
    """Q of the QR decomposition of square matrices, by Householder's reflections."""
    a, size = a.copy(), len(a)
    factors: list[Any] = []
    for k in range(size):
        below = total(a[k + 1 :, k] * a[k + 1 :, k]) if k + 1 < size else np.zeros_like(a[k, k])
        first = a[k, k]
        norm = sqrt(first * first + below)
        corner = select(first < 0, norm, -norm)
        reflects = below > 0
        factors.append(select(reflects, (corner - first) / corner, 0.0))
        a[k + 1 :, k] = a[k + 1 :, k] * select(reflects, 1.0 / (first - corner), 0.0)
        for q in range(k + 1, size):
            _reflect(a[:, q], a[:, k], k, factors[k])
    result = np.zeros_like(a) + np.eye(size, dtype=a.dtype)[:, :, None]
    for k in reversed(range(size)):
        for q in range(size):
            _reflect(result[:, q], a[:, k], k, factors[k])
    return result


def _reflect(column: Array, vector: Array, k: int, factor: Any) -> None:
    """Reflect a column from its k-th entry on by a vector whose k-th entry is 1."""
    along = column[k]
    for i in range(k + 1, len(column)):
        along = along + vector[i] * column[i]
    along = factor * along
    column[k] = column[k] - along
    column[k + 1 :] = column[k + 1 :] - along * vector[k + 1 :]
