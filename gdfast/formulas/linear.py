"""Linear algebra of small symmetric matrices, written once for arrays and for kernels.

Matrices are nested lists of numbers, which are whatever can be added, subtracted, multiplied, divided and compared:
arrays of as many matrices (the reference), or texts, whose operations are written down as the lines of a kernel. There
are no branches, so that both do the same operations in the same order. What else they need is handed over as an
`Arithmetic`.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Row = list[Any]
Matrix = list[Row]


class Arithmetic(NamedTuple):
    """What numbers can do besides ``+ - * /`` and comparisons.

    Attributes
    ----------
    select, absolute, sqrt : callable
        As in `gdfast.formulas.elementary`.
    repeat : callable
        ``repeat(times, numbers, body)`` replaces a list of numbers so many times by the list that ``body`` makes of it.
    """

    select: Callable[[Any, Any, Any], Any]
    absolute: Callable[[Any], Any]
    sqrt: Callable[[Any], Any]
    repeat: Callable[[int, Row, Callable[[Row], Row]], Row]


ROUNDS = 8
"""Times that Jacobi's method goes through all pairs: up to 8 coordinates, 6 were enough for all that was tried."""


def solved(matrix: Matrix, vector: Sequence[Any], the: Arithmetic) -> Row:
    """Return x with matrix x = vector: Gaussian elimination, with the row of the largest entry as pivot."""
    a, b, d = [[*row] for row in matrix], [*vector], len(vector)
    for k in range(d):
        for i in range(k + 1, d):
            larger = the.absolute(a[i][k]) > the.absolute(a[k][k])
            for j in range(k, d):
                a[k][j], a[i][j] = the.select(larger, a[i][j], a[k][j]), the.select(larger, a[k][j], a[i][j])
            b[k], b[i] = the.select(larger, b[i], b[k]), the.select(larger, b[k], b[i])
        for i in range(k + 1, d):
            share = a[i][k] / a[k][k]
            for j in range(k + 1, d):
                a[i][j] = a[i][j] - share * a[k][j]
            b[i] = b[i] - share * b[k]
    for k in reversed(range(d)):
        for j in range(k + 1, d):
            b[k] = b[k] - a[k][j] * b[j]
        b[k] = b[k] / a[k][k]
    return b


def solved_absolute(matrix: Matrix, vector: Sequence[Any], damping: Any, the: Arithmetic) -> Row:
    """Return x with (|matrix| + damping I) x = vector, |matrix| having the absolute values of the eigenvalues."""
    d = len(vector)
    values, axes = _eigen(matrix, the)
    parts: list[Row] = []
    for k in range(d):
        along = axes[0][k] * vector[0]
        for i in range(1, d):
            along = along + axes[i][k] * vector[i]
        along = along / (the.absolute(values[k]) + damping)
        parts.append([axes[i][k] * along for i in range(d)])
    x = parts[0]
    for part in parts[1:]:
        x = [total + more for total, more in zip(x, part, strict=True)]
    return x


def _eigen(matrix: Matrix, the: Arithmetic) -> tuple[Row, Matrix]:
    """Eigenvalues, and eigenvectors as columns, by Jacobi's rotations of each pair in turn (1846)."""
    d = len(matrix)
    zero = matrix[0][0] - matrix[0][0]
    ones = [[zero + 1.0 if i == j else zero for j in range(d)] for i in range(d)]
    numbers = [number for row in (*matrix, *ones) for number in row]

    def sweep(numbers: Row) -> Row:
        rows = [numbers[k * d : (k + 1) * d] for k in range(2 * d)]
        for p in range(d - 1):
            for q in range(p + 1, d):
                _rotate(rows[:d], rows[d:], p, q, the)
        return [number for row in rows for number in row]

    numbers = the.repeat(ROUNDS if d > 2 else 1, numbers, sweep) if d > 1 else numbers
    rows = [numbers[k * d : (k + 1) * d] for k in range(2 * d)]
    return [rows[k][k] for k in range(d)], rows[d:]


def _rotate(a: Matrix, axes: Matrix, p: int, q: int, the: Arithmetic) -> None:
    """Rotate the axes p and q so that their entry becomes 0."""
    apart, size = a[q][q] - a[p][p], the.absolute(a[p][q])
    nothing = size == 0.0
    turn = apart / (2.0 * the.select(nothing, 1.0, a[p][q]))
    tangent = 1.0 / (the.absolute(turn) + the.sqrt(turn * turn + 1.0))
    tangent = the.select(turn < 0.0, 0.0 - tangent, tangent)
    tangent = the.select(nothing, 0.0, tangent)
    cosine = 1.0 / the.sqrt(tangent * tangent + 1.0)
    sine = tangent * cosine
    change = tangent * a[p][q]
    a[p][p], a[q][q] = a[p][p] - change, a[q][q] + change
    a[p][q] = a[q][p] = a[p][q] * 0.0
    for i in range(len(a)):
        if i not in (p, q):
            one, other = a[i][p], a[i][q]
            a[i][p] = a[p][i] = cosine * one - sine * other
            a[i][q] = a[q][i] = sine * one + cosine * other
    for row in axes:
        row[p], row[q] = cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]
