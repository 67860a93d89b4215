"""Linear algebra of small symmetric matrices, written once for arrays and for kernels.

Matrices are nested lists of numbers, which are whatever can be added, subtracted, multiplied, divided and compared:
arrays of as many matrices (the reference), or texts, whose operations are written down as the lines of a kernel. There
are no branches, so that both do the same operations in the same order. What else they need is handed over as an
`Arithmetic`.
"""

from collections.abc import Callable, Mapping, Sequence
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


Solver = Callable[[Matrix, Sequence[Any], Any, Arithmetic], Row]

ROUNDS = 8
"""Times that Jacobi's method goes through all pairs, and Newton's of a trust region towards its shift.

Up to 8 coordinates, 6 were enough for all that was tried.
"""


def product(row: Row, vector: Sequence[Any]) -> Any:
    """Return an entry of a matrix times a vector, summed from first to last."""
    total = row[0] * vector[0]
    for entry, number in zip(row[1:], vector[1:], strict=True):
        total = total + entry * number
    return total


def solved(matrix: Matrix, vector: Sequence[Any], damping: Any, the: Arithmetic) -> Row:
    """Return x with (matrix + damping I) x = vector: Gaussian elimination, the row of the largest entry as pivot."""
    a, b, d = [[*row] for row in matrix], [*vector], len(vector)
    for k in range(d):
        a[k][k] = a[k][k] + damping
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


def solved_within(matrix: Matrix, vector: Sequence[Any], radius: Any, the: Arithmetic) -> Row:
    """Return the p of at most a length, the radius, where vectorᵀ p + ½ pᵀ matrix p is least.

    With the eigenvalues λ of the matrix it is −(matrix + μ I)⁻¹ vector, with the least μ ≥ max(0, −min λ) for which it
    is short enough. Of the shift σ = μ + min λ a lower bound is known at which p is at most √d times too long; from
    there Newton's method on 1/‖p‖ = 1/radius goes upwards to it (Moré & Sorensen 1983). Where p is too short even at
    σ = 0, the *hard case*, as much as is missing is added along an eigenvector of the least λ.
    """
    values, axes = _eigen(matrix, the)
    lowest = values[0]
    for value in values[1:]:
        lowest = the.select(value < lowest, value, lowest)
    gaps = [value - lowest for value in values]
    along = [product([row[k] for row in axes], vector) / radius for k in range(len(vector))]
    shift = the.select(lowest > 0.0, lowest, 0.0)
    for part, gap in zip(along, gaps, strict=True):
        bound = the.absolute(part) - gap
        shift = the.select(bound > shift, bound, shift)

    def shares(shift: Any) -> Row:  # of p along the axes, over the radius
        return [the.select(gap + shift > 0.0, part / (gap + shift), 0.0) for part, gap in zip(along, gaps, strict=True)]

    def nearer(numbers: Row) -> Row:
        (shift,) = numbers
        square, slope = shift * 0.0, shift * 0.0
        for share, gap in zip(shares(shift), gaps, strict=True):
            square = square + share * share
            slope = slope + the.select(gap + shift > 0.0, share * share / (gap + shift), 0.0)
        length = the.sqrt(square)
        return [the.select(length > 1.0, shift + square / slope * (length - 1.0), shift)]

    (shift,) = the.repeat(ROUNDS, [shift], nearer)
    parts = shares(shift)
    missing = shift * 0.0 + 1.0
    for share in parts:
        missing = missing - share * share
    missing = the.sqrt(the.select(missing > 0.0, missing, 0.0))
    missing = the.select(lowest < 0.0, missing, 0.0)
    lengths = []
    for share, gap in zip(parts, gaps, strict=True):
        flat = gap == 0.0
        more = the.select(flat, missing, 0.0)
        missing = the.select(flat, 0.0, missing)
        # A share of the least λ is not 0 only where p is as long as the radius, but for rounding.
        lengths.append(radius * (the.select(share == 0.0, more, 0.0) - share))
    return [product(row, lengths) for row in axes]


SOLVERS: Mapping[str, Solver] = {
    "hessian_solve": solved,
    "absolute_hessian_solve": solved_absolute,
    "trust_region_step": solved_within,
}
"""What the functions of `gdfast.formulas.vectors` of these names do with the Hessian, a vector and a number."""


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
