"""The functions of `gdfast.formulas.factors` for lanes, with the same sums in the same order.

The factors of a matrix lie one after the other, row by row, as vectors of `VECTOR` lanes, see
`gdfast.formulas.lane_products`. `spare` is memory to scribble on, of `spare_rows` vectors. Where lanes differ in what
they need, such as how often Jacobi's method goes round, all do what any needs, and those that need it not stay as they
are.
"""

from gdfast.formulas.elementary import absolute, select, sqrt
from gdfast.formulas.factors import MOST_ROUNDS, ORTHOGONAL
from gdfast.formulas.lane_products import VECTOR, multiply, wide_vectors


def spare_rows(rows, columns):
    """How many vectors the functions here scribble on."""
    size = max(rows, columns)
    return 2 * size * size + rows * columns + 2 * size + 8


def accumulated(values, spare, factors, rows, columns, keep, share):
    """Add the matrix to the statistics."""
    right = rows * rows
    gram, nothing = spare[VECTOR:], none(spare)
    x, across = (values, 0, columns, 1), (values, 0, 1, columns)
    multiply((gram, 0, rows, 1), nothing, x, across, rows, columns, rows)
    mixed(factors[: right * VECTOR], keep, gram, share)
    multiply((gram, 0, columns, 1), nothing, across, x, columns, rows, columns)
    mixed(factors[right * VECTOR : (right + columns * columns) * VECTOR], keep, gram, share)


def whitened(values, spare, factors, rows, columns, eps, refresh):
    """Apply the inverse roots, which are made of the statistics first where they are to be."""
    right, kept = rows * rows, rows * rows + columns * columns
    if refresh != 0.0:
        inverse_root(factors[kept * VECTOR :], factors, spare, rows, eps)
        inverse_root(factors[(kept + right) * VECTOR :], factors[right * VECTOR :], spare, columns, eps)
    left_of, right_of = (factors, kept, rows, 1), (factors, kept + right, columns, 1)
    between(values, spare, rows, columns, left_of, right_of)


def turned(values, spare, factors, rows, columns, anew):
    """Put what belongs to the directions into the order of a basis that is made anew, as `anew` says."""
    right, kept = rows * rows, rows * rows + columns * columns
    of_left, of_right = factors[kept * VECTOR :], factors[(kept + right) * VECTOR :]
    if anew == 2.0:
        eigenvectors(of_left, factors, spare, rows)
        eigenvectors(of_right, factors[right * VECTOR :], spare, columns)
    elif anew != 0.0:
        follow(of_left, factors, spare, rows, values, columns, columns, 1)
        follow(of_right, factors[right * VECTOR :], spare, columns, values, rows, 1, columns)


def aligned(values, spare, factors, rows, columns, rank, refresh):
    """Make the basis of the first singular vectors, if it is to be made."""
    if refresh != 0.0:
        right, kept = rows * rows, rows * rows + columns * columns
        left, other = factors[kept * VECTOR : (kept + right) * VECTOR], factors[(kept + right) * VECTOR :]
        if columns > rows:
            identity(left, 0, rows, rows)
            singular(other, values, spare, (rows, columns, columns, 1), int(rank))
        else:
            identity(other, 0, columns, columns)
            singular(left, values, spare, (columns, rows, 1, columns), int(rank))


def into_basis(values, spare, factors, rows, columns):
    """Express the matrix in the basis."""
    kept = rows * rows + columns * columns
    right_of = factors, kept + rows * rows, columns, 1
    between(values, spare, rows, columns, (factors, kept, 1, rows), right_of)


def out_of_basis(values, spare, factors, rows, columns):
    """Take the matrix out of the basis."""
    kept = rows * rows + columns * columns
    right_of = factors, kept + rows * rows, 1, columns
    between(values, spare, rows, columns, (factors, kept, rows, 1), right_of)


def none(spare):
    """A matrix of zeros, of the first vector of what is spare."""
    zero = spare[:VECTOR]
    for j in range(VECTOR):
        zero[j] = 0.0
    return zero, 0, 0, 0


def mixed(to, keep, values, share):
    """``to ← keep · to + share · values``."""
    wide_vectors()
    for k in range(len(to)):
        to[k] = keep * to[k] + share * values[k]


def between(values, spare, rows, columns, left, right):
    """Multiply a matrix from both sides by squares."""
    half, nothing = (spare, 1, columns, 1), none(spare)
    x = values, 0, columns, 1
    multiply(half, nothing, left, x, rows, rows, columns)
    multiply(x, nothing, half, right, rows, columns, columns)


def identity(to, at, size, stride):
    """Write the identity, the rows of which are so far apart."""
    for p in range(size):
        for q in range(size):
            entry = to[(at + p * stride + q) * VECTOR : (at + p * stride + q + 1) * VECTOR]
            for j in range(VECTOR):
                entry[j] = 1.0 if p == q else 0.0


def orthogonalize(vectors, few, count, length, stride):
    """Turn pairs of vectors until their first entries, so many, are orthogonal; four vectors are to scribble on."""
    for _ in range(MOST_ROUNDS):
        moved = 0.0
        for p in range(count):
            for q in range(p + 1, count):
                moved += turn_pair(vectors, few, p * stride, q * stride, length, stride)
        if moved == 0.0:
            break


def turn_pair(vectors, few, p, q, length, stride):
    """Make two vectors orthogonal, and tell how many lanes were not."""
    wide_vectors()
    nothing = few, 0, 0, 0
    multiply((few, 1, 2, 1), nothing, (vectors, p, q - p, 1), (vectors, p, 1, q - p), 2, length, 2)
    squares, products = few[VECTOR : 2 * VECTOR], few[2 * VECTOR : 3 * VECTOR]
    others, moves = few[4 * VECTOR : 5 * VECTOR], few[3 * VECTOR : 4 * VECTOR]
    moved = 0.0
    for j in range(VECTOR):
        a, b, g = squares[j], others[j], products[j]
        turn = absolute(g) > ORTHOGONAL * (sqrt(a) * sqrt(b))
        cotangent = (b - a) / (2.0 * g)
        tangent = 1.0 / (absolute(cotangent) + sqrt(1.0 + cotangent * cotangent))
        tangent = select(cotangent < 0, -tangent, tangent)
        cosine = 1.0 / sqrt(1.0 + tangent * tangent)
        squares[j], products[j], moves[j] = cosine, cosine * tangent, select(turn, 1.0, 0.0)
    for j in range(VECTOR):
        moved += moves[j]
    if moved != 0.0:
        for i in range(stride):
            one = vectors[(p + i) * VECTOR : (p + i + 1) * VECTOR]
            other = vectors[(q + i) * VECTOR : (q + i + 1) * VECTOR]
            for j in range(VECTOR):
                x, y, turn = one[j], other[j], moves[j] > 0.0
                one[j] = select(turn, squares[j] * x - products[j] * y, x)
                other[j] = select(turn, products[j] * x + squares[j] * y, y)
    return moved


def decompose(matrix, spare, size, eps):
    """Make eigenvectors of a positive semidefinite matrix plus ε times the identity, each behind its image."""
    wide_vectors()
    none(spare)
    vectors, stride = spare[5 * VECTOR :], 2 * size
    for p in range(size):
        for q in range(size):
            entry = vectors[(p * stride + q) * VECTOR : (p * stride + q + 1) * VECTOR]
            own = matrix[(p * size + q) * VECTOR : (p * size + q + 1) * VECTOR]
            added = eps if p == q else eps * 0.0
            for j in range(VECTOR):
                entry[j] = own[j] + added
    identity(vectors, size, size, stride)
    orthogonalize(vectors, spare, size, size, stride)


def eigenvectors(to, matrix, spare, size):
    """Write the eigenvectors of a positive semidefinite matrix, a column each."""
    decompose(matrix, spare, size, 0.0)
    stride = 2 * size
    for p in range(size):
        for q in range(size):
            entry = to[(q * size + p) * VECTOR : (q * size + p + 1) * VECTOR]
            own = spare[(5 + p * stride + size + q) * VECTOR : (5 + p * stride + size + q + 1) * VECTOR]
            for j in range(VECTOR):
                entry[j] = own[j]


def inverse_root(to, matrix, spare, size, eps):
    """Write the inverse fourth root of a positive semidefinite matrix plus ε times the identity."""
    wide_vectors()
    decompose(matrix, spare, size, eps)
    vectors, root, stride = spare[5 * VECTOR :], spare[VECTOR : 2 * VECTOR], 2 * size
    for p in range(size):
        norm_of(root, vectors[p * stride * VECTOR :], size)
        for j in range(VECTOR):
            root[j] = 1.0 / sqrt(sqrt(root[j]))
        for q in range(size):
            scaled = vectors[(p * stride + q) * VECTOR : (p * stride + q + 1) * VECTOR]
            own = vectors[(p * stride + size + q) * VECTOR : (p * stride + size + q + 1) * VECTOR]
            for j in range(VECTOR):
                scaled[j] = own[j] * root[j]
    none(spare)
    multiply(
        (to, 0, size, 1), (spare, 0, 0, 0), (vectors, 0, 1, stride), (vectors, size, stride, 1), size, size, size
    )  # fmt: skip


def norm_of(norm, vector, length):
    """Write the norm of a vector's first entries."""
    wide_vectors()
    for j in range(VECTOR):
        norm[j] = 0.0
    for i in range(length):
        entry = vector[i * VECTOR : (i + 1) * VECTOR]
        for j in range(VECTOR):
            norm[j] += entry[j] * entry[j]
    for j in range(VECTOR):
        norm[j] = sqrt(norm[j])


def singular(to, values, spare, layout, rank):
    """Write the first right singular vectors of a matrix that is not tall, a column each, and zeros after them.

    `layout` tells its rows and columns, and how far apart the entries of a column and of a row are.
    """
    wide_vectors()
    count, length, down, across = layout
    sizes, vectors = spare[8 * VECTOR :], spare[(8 + count) * VECTOR :]
    for p in range(count):
        for i in range(length):
            entry = vectors[(p * length + i) * VECTOR : (p * length + i + 1) * VECTOR]
            own = values[(p * down + i * across) * VECTOR : (p * down + i * across + 1) * VECTOR]
            for j in range(VECTOR):
                entry[j] = own[j]
    none(spare)
    orthogonalize(vectors, spare, count, length, length)
    for p in range(count):
        norm_of(sizes[p * VECTOR : (p + 1) * VECTOR], vectors[p * length * VECTOR :], length)
        point_up(vectors[p * length * VECTOR : (p + 1) * length * VECTOR], sizes[p * VECTOR :], spare, length)
    for k in range(length * length * VECTOR):
        to[k] = 0.0
    for p in range(count):
        for j in range(VECTOR):
            place = place_of(sizes, count, p, j)
            if place < rank:
                for i in range(length):
                    to[(i * length + place) * VECTOR + j] = vectors[(p * length + i) * VECTOR + j]


def point_up(vector, size, spare, length):
    """Divide a vector by its size, and turn it so that its largest entry is positive."""
    wide_vectors()
    largest = spare[VECTOR : 2 * VECTOR]
    for j in range(VECTOR):
        largest[j] = 0.0
    for i in range(length):
        entry = vector[i * VECTOR : (i + 1) * VECTOR]
        for j in range(VECTOR):
            largest[j] = select(absolute(entry[j]) > absolute(largest[j]), entry[j], largest[j])
    for j in range(VECTOR):
        own = select(size[j] > 0, size[j], 1.0)
        largest[j] = select(largest[j] < 0, -own, own)
    for i in range(length):
        entry = vector[i * VECTOR : (i + 1) * VECTOR]
        for j in range(VECTOR):
            entry[j] /= largest[j]


def place_of(values, count, p, lane):
    """The place of the p-th value of a lane where they fall; of equal ones the first is first, NaN is as 0."""
    own, place = values[p * VECTOR + lane], 0
    own = own if own == own else 0.0
    for q in range(count):
        other = values[q * VECTOR + lane]
        other = other if other == other else 0.0
        if other > own or (other == own and q < p):
            place += 1
    return place


def follow(basis, statistics, spare, size, values, others, down, across):
    """Take a basis a step of power iteration further, and what belongs to its directions with it."""
    wide_vectors()
    diagonal, pulled = spare[8 * VECTOR :], spare[(8 + 2 * size) * VECTOR :]
    sorted_ = pulled[size * size * VECTOR :]
    of_statistics, of_basis = (statistics, 0, size, 1), (basis, 0, size, 1)
    multiply((pulled, 0, 1, size), none(spare), of_statistics, of_basis, size, size, size)
    for p in range(size):
        own = diagonal[p * VECTOR : (p + 1) * VECTOR]
        for j in range(VECTOR):
            own[j] = 0.0
        for i in range(size):
            one = basis[(i * size + p) * VECTOR : (i * size + p + 1) * VECTOR]
            other = pulled[(p * size + i) * VECTOR : (p * size + i + 1) * VECTOR]
            for j in range(VECTOR):
                own[j] += one[j] * other[j]
    for p in range(size):
        for j in range(VECTOR):
            place = place_of(diagonal, size, p, j)
            for i in range(size):
                sorted_[(place * size + i) * VECTOR + j] = pulled[(p * size + i) * VECTOR + j]
    orthonormal(basis, sorted_, diagonal[size * VECTOR :], spare, size)
    for p in range(size):
        for j in range(VECTOR):
            place = place_of(diagonal, size, p, j)
            for i in range(others):
                sorted_[(place * others + i) * VECTOR + j] = values[(p * down + i * across) * VECTOR + j]
    for p in range(size):
        for i in range(others):
            entry = values[(p * down + i * across) * VECTOR : (p * down + i * across + 1) * VECTOR]
            own = sorted_[(p * others + i) * VECTOR : (p * others + i + 1) * VECTOR]
            for j in range(VECTOR):
                entry[j] = own[j]


def orthonormal(to, columns, factors, spare, size):
    """Write Q of the QR decomposition of a square, whose columns lie one after the other and are lost."""
    wide_vectors()
    for k in range(size):
        column, factor = columns[k * size * VECTOR : (k + 1) * size * VECTOR], factors[k * VECTOR : (k + 1) * VECTOR]
        first, below = column[k * VECTOR : (k + 1) * VECTOR], spare[VECTOR : 2 * VECTOR]
        for j in range(VECTOR):
            below[j] = 0.0
        for i in range(k + 1, size):
            entry = column[i * VECTOR : (i + 1) * VECTOR]
            for j in range(VECTOR):
                below[j] += entry[j] * entry[j]
        for j in range(VECTOR):
            norm = sqrt(first[j] * first[j] + below[j])
            corner = select(first[j] < 0, norm, -norm)
            reflects = below[j] > 0
            factor[j] = select(reflects, (corner - first[j]) / corner, 0.0)
            below[j] = select(reflects, 1.0 / (first[j] - corner), 0.0)
        for i in range(k + 1, size):
            entry = column[i * VECTOR : (i + 1) * VECTOR]
            for j in range(VECTOR):
                entry[j] *= below[j]
        for q in range(k + 1, size):
            reflect(columns, q * size, 1, column, (k, size), factor, spare)
    identity(to, 0, size, size)
    for back in range(size):
        k = size - 1 - back
        column, factor = columns[k * size * VECTOR : (k + 1) * size * VECTOR], factors[k * VECTOR : (k + 1) * VECTOR]
        for q in range(size):
            reflect(to, q, size, column, (k, size), factor, spare)


def reflect(matrix, at, down, vector, place, factor, spare):
    """Reflect a column from its k-th entry on by a vector whose k-th entry is 1."""
    wide_vectors()
    k, size = place
    first, along = matrix[(at + k * down) * VECTOR : (at + k * down + 1) * VECTOR], spare[2 * VECTOR : 3 * VECTOR]
    for j in range(VECTOR):
        along[j] = first[j]
    for i in range(k + 1, size):
        entry = matrix[(at + i * down) * VECTOR : (at + i * down + 1) * VECTOR]
        own = vector[i * VECTOR : (i + 1) * VECTOR]
        for j in range(VECTOR):
            along[j] += own[j] * entry[j]
    for j in range(VECTOR):
        along[j] *= factor[j]
        first[j] -= along[j]
    for i in range(k + 1, size):
        entry = matrix[(at + i * down) * VECTOR : (at + i * down + 1) * VECTOR]
        own = vector[i * VECTOR : (i + 1) * VECTOR]
        for j in range(VECTOR):
            entry[j] -= along[j] * own[j]


FUNCTIONS = {f.__name__: f for f in (accumulated, whitened, turned, aligned, into_basis, out_of_basis)}
"""By name."""
