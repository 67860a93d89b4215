"""Gradient and objective of problems with data, as loops over lanes for the compiler.

Each row of the data has k products with the weights (one, or one a class). A loss of the products is averaged over
the rows, or over those of the step's mini-batch:

    objective = mean over rows of loss(products, y) + ½ Σ penalty w²
    gradient  = mean over rows of (d loss / d product) · row + penalty · w

Lanes are taken in chunks, so that the weights and the gradient of a chunk stay in the nearest cache while the rows
pass; rows and columns are taken four at a time, so that a weight, a product and a gradient are loaded once for four of
the others. Both sum in the order of rows and columns, as `row_problem` does in NumPy. Each product is added by itself:
nothing is reassociated. The losses of `TOGETHER` rows have a sum of their own, which is then added to that of all: in
single precision a sum of a million losses one by one is off by 4e-4 of it, sums of sums by 1e-6 (as measured; it grows
with the root of the rows).
"""

import numpy as np

from gdfast.formulas.elementary import absolute, exp, log, log1p, select
from gdfast.formulas.lane_products import independent
from gdfast.formulas.noise import quantile, uniform_of
from gdfast.formulas.records import fields, length, record

CHUNK = 128
TOGETHER = 512
"""Of so many rows, a multiple of four, losses are summed before they are added to the others'."""
SQUARES, LOGISTIC, SOFTMAX = 0, 1, 2  # the losses
# `data` holds X row by row, y, and the penalty of each coordinate.
SHAPE = fields(np.int64, "rows columns products loss batch")
"""How a layout begins: the shape of X, the products a row, the loss, the rows of a mini-batch (0 for all).

The rows of each step follow.
"""
TABLE = length(SHAPE)


def four_rows(shape, layout, t, q, count):
    """The numbers of the rows at place q of step t and of the three after it (that at q, where there are fewer)."""
    q1, q2, q3 = q + (count > 1), q + 2 * (count > 2), q + 3 * (count > 3)
    at = TABLE + t * shape.batch
    drawn = shape.batch > 0
    return (layout[at + q], layout[at + q1], layout[at + q2], layout[at + q3]) if drawn else (q, q1, q2, q3)


def multiply(theta, data, shape, rows, count, work, first, width):
    """Fill ``work[4 c + r, :width]`` with the product of the r-th of four rows with the weights of class c.

    From the `count`-th row on it is 0, and stays so.
    """
    p = shape.columns
    at0, at1, at2, at3 = rows[0] * p, rows[1] * p, rows[2] * p, rows[3] * p
    for c in range(shape.products):
        of = 4 * c
        for r in range(4):
            for lane in range(width):
                work[of + r, lane] = 0.0
                independent()
        for j in range(0, p - 3, 4):
            i = c * p + j
            a0, a1, a2, a3 = data[at0 + j], data[at0 + j + 1], data[at0 + j + 2], data[at0 + j + 3]
            b0, b1, b2, b3 = data[at1 + j], data[at1 + j + 1], data[at1 + j + 2], data[at1 + j + 3]
            c0, c1, c2, c3 = data[at2 + j], data[at2 + j + 1], data[at2 + j + 2], data[at2 + j + 3]
            d0, d1, d2, d3 = data[at3 + j], data[at3 + j + 1], data[at3 + j + 2], data[at3 + j + 3]
            for lane in range(width):
                w0, w1, w2, w3 = (
                    theta[i, first + lane], theta[i + 1, first + lane],
                    theta[i + 2, first + lane], theta[i + 3, first + lane],
                )  # fmt: skip
                work[of, lane] = work[of, lane] + a0 * w0 + a1 * w1 + a2 * w2 + a3 * w3
                work[of + 1, lane] = work[of + 1, lane] + b0 * w0 + b1 * w1 + b2 * w2 + b3 * w3
                work[of + 2, lane] = work[of + 2, lane] + c0 * w0 + c1 * w1 + c2 * w2 + c3 * w3
                work[of + 3, lane] = work[of + 3, lane] + d0 * w0 + d1 * w1 + d2 * w2 + d3 * w3
                independent()
        for j in range(p - p % 4, p):
            i, a0, b0, c0, d0 = c * p + j, data[at0 + j], data[at1 + j], data[at2 + j], data[at3 + j]
            for lane in range(width):
                w0 = theta[i, first + lane]
                work[of, lane] += a0 * w0
                work[of + 1, lane] += b0 * w0
                work[of + 2, lane] += c0 * w0
                work[of + 3, lane] += d0 * w0
                independent()
        for r in range(count, 4):
            for lane in range(width):
                work[of + r, lane] = 0.0
                independent()


def squares(work, data, shape, rows, count, width, losses):
    """Turn products z into z − y, or into ½ (z − y)² if `losses` are asked for."""
    y = shape.rows * shape.columns
    for r in range(count):
        target = data[y + rows[r]]
        for lane in range(width):
            work[r, lane] -= target
            independent()
        if losses:
            for lane in range(width):
                work[r, lane] = 0.5 * (work[r, lane] * work[r, lane])
                independent()


def logistic(work, data, shape, rows, count, width, losses):
    """Turn products z into σ(z) − y = ±σ(±z), or into log(1 + e^±z) if `losses` are asked for; − where y is 1."""
    y = shape.rows * shape.columns
    for r in range(count):
        sign = 1.0 - 2.0 * data[y + rows[r]]
        if losses:
            for lane in range(width):
                z = sign * work[r, lane]
                work[r, lane] = select(z > 0.0, z, 0.0) + log1p(exp(-absolute(z)))
                independent()
        else:
            for lane in range(width):
                z = sign * work[r, lane]
                small = exp(-absolute(z))
                work[r, lane] = sign * (select(z >= 0.0, 1.0, small) / (1.0 + small))
                independent()


def exponentials(work, k, r, width):
    """Turn products of the r-th of four rows into e to the power of each less the largest; leave that and the sum."""
    largest, total = 4 * k, 4 * k + 1
    for lane in range(width):
        work[largest, lane] = work[r, lane]
        work[total, lane] = 0.0
        independent()
    for c in range(1, k):
        for lane in range(width):
            z = work[4 * c + r, lane]
            work[largest, lane] = select(z > work[largest, lane], z, work[largest, lane])
            independent()
    for c in range(k):
        for lane in range(width):
            part = exp(work[4 * c + r, lane] - work[largest, lane])
            work[4 * c + r, lane] = part
            work[total, lane] += part
            independent()


def softmax(work, data, shape, rows, count, width, losses):
    """Turn products into probabilities, less 1 for the row's class, or (in the first) into −log of that class's."""
    k, y = shape.products, shape.rows * shape.columns
    largest, total, own = 4 * k, 4 * k + 1, 4 * k + 2
    for r in range(count):
        mine = 4 * int(data[y + rows[r]]) + r
        for lane in range(width):
            work[own, lane] = work[mine, lane]
            independent()
        exponentials(work, k, r, width)
        if losses:
            for lane in range(width):
                work[r, lane] = log(work[total, lane]) - (work[own, lane] - work[largest, lane])
                independent()
        else:
            for lane in range(width):
                work[total, lane] = 1.0 / work[total, lane]
                independent()
            for c in range(k):
                for lane in range(width):
                    work[4 * c + r, lane] *= work[total, lane]
                    independent()
            for lane in range(width):
                work[mine, lane] -= 1.0
                independent()


def bend_logistic(work, changes, count, width):
    """Turn changes of products z into those of the slopes, σ′(z) times as large."""
    for r in range(count):
        for lane in range(width):
            small = exp(-absolute(work[r, lane]))
            below = 1.0 + small
            changes[r, lane] = small / (below * below) * changes[r, lane]
            independent()


def bend_softmax(work, changes, k, count, width):
    """Turn changes of products into those of the probabilities p: p · (change − Σ p · change)."""
    total, mean = 4 * k + 1, 4 * k + 2
    for r in range(count):
        exponentials(work, k, r, width)
        for lane in range(width):
            work[total, lane] = 1.0 / work[total, lane]
            work[mean, lane] = 0.0
            independent()
        for c in range(k):
            for lane in range(width):
                work[4 * c + r, lane] *= work[total, lane]
                work[mean, lane] += work[4 * c + r, lane] * changes[4 * c + r, lane]
                independent()
        for c in range(k):
            for lane in range(width):
                changes[4 * c + r, lane] = work[4 * c + r, lane] * (changes[4 * c + r, lane] - work[mean, lane])
                independent()


def drawn(work, shape, seeds, q, count, first, width):
    """Turn products of rows from the q-th on into what `squares`, `logistic` or `softmax` do, of targets drawn by them.

    Numbers are drawn from a normal distribution of variance 1 about the product, classes by their probabilities.
    """
    k, left = shape.products, 4 * shape.products
    for r in range(count):
        if shape.loss == SQUARES:
            for lane in range(width):
                work[r, lane] = -quantile(float(uniform_of(seeds[first + lane], q + r)))
                independent()
        elif shape.loss == LOGISTIC:
            for lane in range(width):
                z = work[r, lane]
                small = exp(-absolute(z))
                share = select(z >= 0.0, 1.0, small) / (1.0 + small)
                work[r, lane] = share - select(float(uniform_of(seeds[first + lane], q + r)) < share, 1.0, 0.0)
                independent()
        else:
            exponentials(work, k, r, width)
            for lane in range(width):
                work[left + 1, lane] = 1.0 / work[left + 1, lane]
                work[left, lane] = float(uniform_of(seeds[first + lane], q + r))
                independent()
            for c in range(k):
                for lane in range(width):
                    share = work[4 * c + r, lane] * work[left + 1, lane]
                    after = work[left, lane] - share
                    is_it = (work[left, lane] > 0.0) & ((after <= 0.0) | (c == k - 1))
                    work[4 * c + r, lane] = share - select(is_it, 1.0, 0.0)
                    work[left, lane] = after
                    independent()


def accumulate(grad, data, shape, rows, work, first, width):
    """Add to the gradient each of the four rows times what its products were turned into."""
    p = shape.columns
    at0, at1, at2, at3 = rows[0] * p, rows[1] * p, rows[2] * p, rows[3] * p
    for c in range(shape.products):
        of = 4 * c
        for j in range(0, p - 3, 4):
            i = c * p + j
            a0, b0, c0, d0 = data[at0 + j], data[at1 + j], data[at2 + j], data[at3 + j]
            a1, b1, c1, d1 = data[at0 + j + 1], data[at1 + j + 1], data[at2 + j + 1], data[at3 + j + 1]
            a2, b2, c2, d2 = data[at0 + j + 2], data[at1 + j + 2], data[at2 + j + 2], data[at3 + j + 2]
            a3, b3, c3, d3 = data[at0 + j + 3], data[at1 + j + 3], data[at2 + j + 3], data[at3 + j + 3]
            for lane in range(width):
                s0, s1, s2, s3 = work[of, lane], work[of + 1, lane], work[of + 2, lane], work[of + 3, lane]
                at = first + lane
                grad[i, at] = grad[i, at] + a0 * s0 + b0 * s1 + c0 * s2 + d0 * s3
                grad[i + 1, at] = grad[i + 1, at] + a1 * s0 + b1 * s1 + c1 * s2 + d1 * s3
                grad[i + 2, at] = grad[i + 2, at] + a2 * s0 + b2 * s1 + c2 * s2 + d2 * s3
                grad[i + 3, at] = grad[i + 3, at] + a3 * s0 + b3 * s1 + c3 * s2 + d3 * s3
                independent()
        for j in range(p - p % 4, p):
            i, a0, b0, c0, d0 = c * p + j, data[at0 + j], data[at1 + j], data[at2 + j], data[at3 + j]
            for lane in range(width):
                s0, s1, s2, s3 = work[of, lane], work[of + 1, lane], work[of + 2, lane], work[of + 3, lane]
                grad[i, first + lane] = grad[i, first + lane] + a0 * s0 + b0 * s1 + c0 * s2 + d0 * s3
                independent()


def finish(theta, grad, data, shape, scale, first, width):
    """Turn the gradient's sum into a mean and add that of the penalty."""
    at = shape.rows * (shape.columns + 1)
    for i in range(shape.products * shape.columns):
        penalty = data[at + i]
        for lane in range(width):
            grad[i, first + lane] = scale * grad[i, first + lane] + penalty * theta[i, first + lane]
            independent()


def lane_gradient(theta, grad, work, n, data, layout, t):
    """Fill ``grad[:, :n]``; see `LaneKernel`."""
    shape = record(layout, 0, SHAPE)
    total = shape.batch if shape.batch > 0 else shape.rows
    for first in range(0, n, CHUNK):
        width = min(CHUNK, n - first)
        for i in range(theta.shape[0]):
            for lane in range(width):
                grad[i, first + lane] = 0.0
                independent()
        for q in range(0, total, 4):
            count = min(4, total - q)
            rows = four_rows(shape, layout, t, q, count)
            multiply(theta, data, shape, rows, count, work, first, width)
            if shape.loss == SQUARES:
                squares(work, data, shape, rows, count, width, False)
            elif shape.loss == LOGISTIC:
                logistic(work, data, shape, rows, count, width, False)
            else:
                softmax(work, data, shape, rows, count, width, False)
            accumulate(grad, data, shape, rows, work, first, width)
        finish(theta, grad, data, shape, float(1.0 / total), first, width)


def lane_fisher(theta, seeds, out, work, n, data, layout, t):
    """Fill ``out[:, :n]`` with the estimate by drawn targets; see `LaneKernel`."""
    shape = record(layout, 0, SHAPE)
    total = shape.batch if shape.batch > 0 else shape.rows
    scale, count_of_all = float(1.0 / total), float(total)
    for first in range(0, n, CHUNK):
        width = min(CHUNK, n - first)
        for i in range(theta.shape[0]):
            for lane in range(width):
                out[i, first + lane] = 0.0
                independent()
        for q in range(0, total, 4):
            count = min(4, total - q)
            rows = four_rows(shape, layout, t, q, count)
            multiply(theta, data, shape, rows, count, work, first, width)
            drawn(work, shape, seeds[0], q, count, first, width)
            accumulate(out, data, shape, rows, work, first, width)
        for i in range(theta.shape[0]):
            for lane in range(width):
                mean = scale * out[i, first + lane]
                out[i, first + lane] = count_of_all * (mean * mean)
                independent()


def lane_objective(theta, out, work, n, data, layout, t):
    """Fill ``out[:n]``; see `LaneKernel`."""
    shape = record(layout, 0, SHAPE)
    total = shape.batch if shape.batch > 0 else shape.rows
    these = work[4 * shape.products + 3]
    for lane in range(n):
        out[lane] = 0.0
        independent()
    for first in range(0, n, CHUNK):
        width = min(CHUNK, n - first)
        for lane in range(width):
            these[lane] = 0.0
            independent()
        for q in range(0, total, 4):
            count = min(4, total - q)
            rows = four_rows(shape, layout, t, q, count)
            multiply(theta, data, shape, rows, count, work, first, width)
            if shape.loss == SQUARES:
                squares(work, data, shape, rows, count, width, True)
            elif shape.loss == LOGISTIC:
                logistic(work, data, shape, rows, count, width, True)
            else:
                softmax(work, data, shape, rows, count, width, True)
            for r in range(count):
                for lane in range(width):
                    these[lane] += work[r, lane]
                    independent()
            if (q + 4) % TOGETHER == 0 or q + 4 >= total:
                for lane in range(width):
                    out[first + lane] += these[lane]
                    these[lane] = 0.0
                    independent()
    scale = float(1.0 / total)
    penalties = work[0]
    for lane in range(n):
        penalties[lane] = 0.0
        independent()
    at = shape.rows * (shape.columns + 1)
    for i in range(theta.shape[0]):
        half = 0.5 * data[at + i]
        for lane in range(n):
            penalties[lane] += (half * theta[i, lane]) * theta[i, lane]
            independent()
    for lane in range(n):
        out[lane] = out[lane] * scale + penalties[lane]
        independent()


def lane_product(theta, way, out, work, n, data, layout, t):
    """Fill ``out[:, :n]`` with the Hessian times `way`; see `LaneKernel`."""
    shape = record(layout, 0, SHAPE)
    total = shape.batch if shape.batch > 0 else shape.rows
    changes = work[4 * shape.products + 3 :]
    for first in range(0, n, CHUNK):
        width = min(CHUNK, n - first)
        for i in range(theta.shape[0]):
            for lane in range(width):
                out[i, first + lane] = 0.0
                independent()
        for q in range(0, total, 4):
            count = min(4, total - q)
            rows = four_rows(shape, layout, t, q, count)
            multiply(way, data, shape, rows, count, changes, first, width)
            if shape.loss != SQUARES:
                multiply(theta, data, shape, rows, count, work, first, width)
            if shape.loss == LOGISTIC:
                bend_logistic(work, changes, count, width)
            elif shape.loss == SOFTMAX:
                bend_softmax(work, changes, shape.products, count, width)
            accumulate(out, data, shape, rows, changes, first, width)
        finish(way, out, data, shape, float(1.0 / total), first, width)
