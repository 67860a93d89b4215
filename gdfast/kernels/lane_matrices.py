"""The functions of `gdfast.formulas.matrices` for lanes, in place, with the same sums in the same order.

A matrix of lanes lies row by row in a flat array, as vectors of `VECTOR` lanes, see `gdfast.formulas.lane_products`.
`spare` is memory to scribble on: four times what the matrix has.
"""

from gdfast.formulas.elementary import maximum, sqrt
from gdfast.formulas.lane_products import VECTOR, multiply, wide_vectors
from gdfast.kernels import lane_factors


def mean(values, spare, rows, columns):
    """Put the mean of all entries into each."""
    wide_vectors()
    total = spare[:VECTOR]
    for j in range(VECTOR):
        total[j] = 0.0
    for k in range(rows * columns):
        entry = values[k * VECTOR : (k + 1) * VECTOR]
        for j in range(VECTOR):
            total[j] += entry[j]
    for j in range(VECTOR):
        total[j] /= float(rows * columns)
    for k in range(rows * columns):
        entry = values[k * VECTOR : (k + 1) * VECTOR]
        for j in range(VECTOR):
            entry[j] = total[j]


def row_mean(values, spare, rows, columns):
    """Put the mean of each row into its entries."""
    for p in range(rows):
        mean(values[p * columns * VECTOR : (p + 1) * columns * VECTOR], spare, 1, columns)


def column_mean(values, spare, rows, columns):
    """Put the mean of each column into its entries."""
    wide_vectors()
    totals = spare[: columns * VECTOR]
    for k in range(len(totals)):
        totals[k] = 0.0
    for p in range(rows):
        row = values[p * columns * VECTOR : (p + 1) * columns * VECTOR]
        for k in range(len(totals)):
            totals[k] += row[k]
    for k in range(len(totals)):
        totals[k] /= float(rows)
    for p in range(rows):
        row = values[p * columns * VECTOR : (p + 1) * columns * VECTOR]
        for k in range(len(totals)):
            row[k] = totals[k]


def divide_by_norm(values, total, eps):
    """Divide a matrix by its Frobenius norm, or by `eps` if that is larger."""
    wide_vectors()
    for j in range(VECTOR):
        total[j] = 0.0
    for k in range(len(values) // VECTOR):
        entry = values[k * VECTOR : (k + 1) * VECTOR]
        for j in range(VECTOR):
            total[j] += entry[j] * entry[j]
    for j in range(VECTOR):
        total[j] = maximum(sqrt(total[j]), eps)
    for k in range(len(values) // VECTOR):
        entry = values[k * VECTOR : (k + 1) * VECTOR]
        for j in range(VECTOR):
            entry[j] /= total[j]


def scaled(to, values, a):
    """``to ← a · values``."""
    wide_vectors()
    for k in range(len(to)):
        to[k] = a * values[k]


def combined(to, a, values, b):
    """``to ← a · values + b · to``."""
    wide_vectors()
    for k in range(len(to)):
        to[k] = a * values[k] + b * to[k]


def orthogonalized(values, spare, rows, columns, a, b, c, eps, steps):
    """Apply Newton–Schulz's iteration, of two products with squares and one with the matrix a round."""
    small, large = min(rows, columns), max(rows, columns)
    down, across = (1, columns) if rows > columns else (columns, 1)
    square, size = small * small, small * large
    zero = spare[2 * square * VECTOR : (2 * square + 1) * VECTOR]
    gram, poly = spare[: square * VECTOR], spare[square * VECTOR : 2 * square * VECTOR]
    x, fresh = values, spare[(2 * square + 1) * VECTOR : (2 * square + 1 + size) * VECTOR]
    divide_by_norm(values, zero, eps)
    for j in range(VECTOR):
        zero[j] = 0.0
    nothing = zero, 0, 0, 0
    for _ in range(int(steps)):
        multiply(
            (gram, 0, small, 1), nothing, (x, 0, down, across), (x, 0, across, down), small, large, small
        )  # fmt: skip
        multiply((poly, 0, small, 1), nothing, (gram, 0, small, 1), (gram, 0, small, 1), small, small, small)
        combined(poly, b, gram, c)
        scaled(fresh, x, a)
        of_fresh = fresh, 0, down, across
        multiply(of_fresh, of_fresh, (poly, 0, small, 1), (x, 0, down, across), small, small, large)
        x, fresh = fresh, x
    if int(steps) % 2:
        scaled(values, x, 1.0)


FUNCTIONS = {f.__name__: f for f in (row_mean, column_mean, mean, orthogonalized)} | lane_factors.FUNCTIONS
"""By name, those that keep something of a matrix among them."""
