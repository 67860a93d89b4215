"""Activations and the lane kernel of fully connected networks.

The kernel takes `VECTOR` lanes at a time through the whole of forward and backward pass. Where a block has just these
lanes, their parameters and gradients are used where they are; else they are packed into scratch memory. So they are
where layers have factors, which are multiplied to the parameters there, once a step instead of once a row, and to the
gradients on the way out. Data go through in chunks of rows whose activations stay in the second cache (all rows at
once where batch normalization needs their statistics). Offsets and sizes count vectors, except in `data`. What lies
where, `layout` tells at run time: depth, widths, activations and loss cost no compilation.

Sums run in one fixed order, over rows, fan-in and outputs from first to last; a sum with a bias begins with it.
`gdfast.problems.networks.network` has the same in NumPy.
"""

import math

from gdfast.formulas.elementary import absolute, erf, exp, log, maximum, select, sigmoid, sign, sqrt, tanh
from gdfast.formulas.lane_products import (
    VECTOR,
    copy_vector,
    fill_vector,
    multiply,
    multiply_vector,
    raise_vector,
    subtract_vector,
    wide_vectors,
)

LEAK = 0.01  # slope of leaky_relu below 0, as in torch
_ROOT_HALF, _ROOT_TWO_PI = math.sqrt(0.5), math.sqrt(2 * math.pi)


# An activation returns its value and its slope.
def identity_unit(x):
    return x, 1.0


def sigmoid_unit(x):
    a = sigmoid(x)
    return a, a * (1.0 - a)


def tanh_unit(x):
    a = tanh(x)
    return a, 1.0 - a * a


def relu_unit(x):
    return maximum(x, 0.0), select(x > 0.0, 1.0, 0.0)


def leaky_relu_unit(x):
    return select(x > 0.0, x, LEAK * x), select(x > 0.0, 1.0, LEAK)


def gelu_unit(x):
    share = 0.5 * (1.0 + erf(x * _ROOT_HALF))
    return x * share, share + x * exp(-0.5 * (x * x)) / _ROOT_TWO_PI


UNITS = (identity_unit, sigmoid_unit, tanh_unit, relu_unit, leaky_relu_unit, gelu_unit)
ACTIVATIONS = tuple(unit.__name__.removesuffix("_unit") for unit in UNITS)
IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, GELU = range(6)
LOSSES = ("squared", "cross_entropy")
SQUARED, CROSS_ENTROPY = range(2)

# What stands where in `layout`: sizes; whether no parameter has a factor; offsets in `layout` (0 where every step
# takes all rows) and `data`; offsets in the scratch memory, where packed parameters lie at 0, their gradients at D.
LAYERS, ROWS, INPUTS, OUTPUTS, TARGETS, CHUNK, LOSS, D, PLAIN = range(9)
TABLE, X, Y = range(9, 12)
DELTA, NEXT_DELTA, TOTALS, LARGEST, SUMS, INPUT, TARGET, ZERO, ONE = range(12, 21)
FIRST_LAYER, FIELDS = 21, 10
FAN_IN, FAN_OUT, WEIGHT, BIAS, NORM, ACTIVATION, VALUE, SLOPE, STANDARD, INVERSE = range(10)  # BIAS, NORM −1: none

# What stands where in `data`, before X and Y.
EPS, L2, L1 = range(3)
FACTORS = 3  # of each parameter


# Loops run over views from 0 on: an index that might be negative, for all that the compiler knows, does not vectorize.
def part(scratch, at, count):
    return scratch[at * VECTOR : (at + count) * VECTOR]


def fill(scratch, at, count, value):
    values = part(scratch, at, count)
    for k in range(len(values)):
        values[k] = value


def multiply_by(scratch, at, by, count):
    wide_vectors()
    values, factors = part(scratch, at, count), part(scratch, by, count)
    for k in range(len(values)):
        values[k] *= factors[k]


def add_rows_to(total, scratch, at, rows, width):
    wide_vectors()
    for i in range(rows):
        values = part(scratch, at + i * width, width)
        for k in range(len(total)):
            total[k] += values[k]


def add_row_products_to(total, scratch, at, by, rows, width):
    wide_vectors()
    for i in range(rows):
        values, factors = part(scratch, at + i * width, width), part(scratch, by + i * width, width)
        for k in range(len(total)):
            total[k] += values[k] * factors[k]


def take_rows(scratch, data, layout, t, first, rows):
    """Put the inputs and targets of some rows of a step into vectors."""
    p, targets = layout[INPUTS], layout[TARGETS]
    for i in range(rows):
        row = layout[layout[TABLE] + t * layout[ROWS] + first + i] if layout[TABLE] > 0 else first + i
        for j in range(p):
            fill_vector(scratch, (layout[INPUT] + i * p + j) * VECTOR, data[layout[X] + row * p + j])
        for j in range(targets):
            fill_vector(scratch, (layout[TARGET] + i * targets + j) * VECTOR, data[layout[Y] + row * targets + j])


def activate(scratch, value, slope, count, activation):
    wide_vectors()
    z, slopes = part(scratch, value, count), part(scratch, slope, count)
    if activation == IDENTITY:
        for k in range(len(z)):
            z[k], slopes[k] = identity_unit(z[k])
    elif activation == SIGMOID:
        for k in range(len(z)):
            z[k], slopes[k] = sigmoid_unit(z[k])
    elif activation == TANH:
        for k in range(len(z)):
            z[k], slopes[k] = tanh_unit(z[k])
    elif activation == RELU:
        for k in range(len(z)):
            z[k], slopes[k] = relu_unit(z[k])
    elif activation == LEAKY_RELU:
        for k in range(len(z)):
            z[k], slopes[k] = leaky_relu_unit(z[k])
    else:
        for k in range(len(z)):
            z[k], slopes[k] = gelu_unit(z[k])


def normalize(scratch, z, standard, inverse, totals, weights, scale, rows, width, eps):
    """Batch normalization: ``standard = (z − mean) / √(variance + eps)`` and ``z = standard · scale + shift``."""
    wide_vectors()
    total, inverses = part(scratch, totals, width), part(scratch, inverse, width)
    scales, shifts = part(weights, scale, width), part(weights, scale + width, width)
    fill(scratch, totals, width, 0.0)
    add_rows_to(total, scratch, z, rows, width)
    for k in range(len(total)):
        total[k] /= rows
    for i in range(rows):
        values, standards = part(scratch, z + i * width, width), part(scratch, standard + i * width, width)
        for k in range(len(total)):
            standards[k] = values[k] - total[k]
    fill(scratch, totals, width, 0.0)
    add_row_products_to(total, scratch, standard, standard, rows, width)
    for k in range(len(total)):
        inverses[k] = 1.0 / sqrt(total[k] / rows + eps)
    for i in range(rows):
        values, standards = part(scratch, z + i * width, width), part(scratch, standard + i * width, width)
        for k in range(len(total)):
            standards[k] *= inverses[k]
            values[k] = standards[k] * scales[k] + shifts[k]


def normalize_backward(scratch, delta, standard, inverse, totals, weights, grads, scale, rows, width):
    """``δ ← scale / √(variance + eps) · (δ − mean(δ) − standard · mean(δ · standard))``, and scale's and shift's."""
    wide_vectors()
    factors, scales, inverses = part(scratch, totals, width), part(weights, scale, width), part(scratch, inverse, width)
    by_scale, by_shift = part(grads, scale, width), part(grads, scale + width, width)
    fill(grads, scale, 2 * width, 0.0)
    add_row_products_to(by_scale, scratch, delta, standard, rows, width)
    add_rows_to(by_shift, scratch, delta, rows, width)
    for k in range(len(factors)):
        factors[k] = scales[k] * inverses[k]
    for i in range(rows):
        values, standards = part(scratch, delta + i * width, width), part(scratch, standard + i * width, width)
        for k in range(len(factors)):
            rest = values[k] - by_shift[k] / rows - standards[k] * (by_scale[k] / rows)
            values[k] = factors[k] * rest


def forward(scratch, weights, rows, data, layout):
    """Leave each layer's values in its place, and the slopes of its activation."""
    before = layout[INPUT]
    for layer in range(layout[LAYERS]):
        at = FIRST_LAYER + layer * FIELDS
        fan_in, fan_out, z, bias = layout[at + FAN_IN], layout[at + FAN_OUT], layout[at + VALUE], layout[at + BIAS]
        start = (weights, bias, 0, 1) if bias >= 0 else (scratch, layout[ZERO], 0, 0)
        of_weights = weights, layout[at + WEIGHT], fan_out, 1
        multiply((scratch, z, fan_out, 1), start, (scratch, before, fan_in, 1), of_weights, rows, fan_in, fan_out)
        if layout[at + NORM] >= 0:
            normalize(
                scratch, z, layout[at + STANDARD], layout[at + INVERSE], layout[TOTALS], weights, layout[at + NORM],
                rows, fan_out, data[EPS],
            )  # fmt: skip
        if layer < layout[LAYERS] - 1:
            activate(scratch, z, layout[at + SLOPE], rows * fan_out, layout[at + ACTIVATION])
        before = z


def output_errors(scratch, losses, z, rows, layout):
    """Put the derivatives of the loss by the last layer's Z in the place of its output.

    Each row's loss is added to `losses`, unless that is empty.
    """
    wide_vectors()
    k, y, wanted = layout[OUTPUTS], layout[TARGET], len(losses) > 0
    if wanted:
        add_losses(scratch, losses, z, rows, layout)
    if layout[LOSS] == SQUARED:
        factor = 2.0 / (layout[ROWS] * k)
        values, targets = part(scratch, z, rows * k), part(scratch, y, rows * k)
        for j in range(len(values)):
            values[j] = factor * (values[j] - targets[j])
    else:
        if not wanted:
            softmax(scratch, z, rows, layout)
        sums, factor = part(scratch, layout[SUMS], rows), 1.0 / layout[ROWS]
        for j in range(len(sums)):
            sums[j] = factor / sums[j]
        for i in range(rows):
            for o in range(k):
                multiply_vector(scratch, (z + i * k + o) * VECTOR, scratch, (layout[SUMS] + i) * VECTOR)
            mine = part(scratch, z + i * k + int(scratch[(y + i) * VECTOR]), 1)
            for j in range(len(mine)):
                mine[j] -= factor


def softmax(scratch, z, rows, layout):
    """Turn outputs into exp(z − max z), and leave the largest output and the sum of each row."""
    wide_vectors()
    k = layout[OUTPUTS]
    for i in range(rows):
        top, row = (layout[LARGEST] + i) * VECTOR, (z + i * k) * VECTOR
        copy_vector(scratch, top, scratch, row, 1.0)
        for o in range(1, k):
            raise_vector(scratch, top, scratch, row + o * VECTOR)
        for o in range(k):
            subtract_vector(scratch, row + o * VECTOR, scratch, top)
    powers = part(scratch, z, rows * k)
    for at in range(len(powers)):
        powers[at] = exp(powers[at])
    ones, zero = (scratch, layout[ONE], 0, 0), (scratch, layout[ZERO], 0, 0)
    multiply((scratch, layout[SUMS], 1, 0), zero, (scratch, z, k, 1), ones, rows, k, 1)


def backward(scratch, weights, grads, rows, fresh, layout):
    """Add to the gradients, or `fresh` to zeros, what follows from the derivatives by the last layer's Z."""
    following, spare, zero = layout[DELTA], layout[NEXT_DELTA], (scratch, layout[ZERO], 0, 0)
    delta = layout[FIRST_LAYER + (layout[LAYERS] - 1) * FIELDS + VALUE]
    for layer in range(layout[LAYERS] - 1, -1, -1):
        at = FIRST_LAYER + layer * FIELDS
        fan_in, fan_out, weight = layout[at + FAN_IN], layout[at + FAN_OUT], layout[at + WEIGHT]
        if layer < layout[LAYERS] - 1:
            multiply_by(scratch, delta, layout[at + SLOPE], rows * fan_out)
        if layout[at + NORM] >= 0:
            normalize_backward(
                scratch, delta, layout[at + STANDARD], layout[at + INVERSE], layout[TOTALS], weights, grads,
                layout[at + NORM], rows, fan_out,
            )  # fmt: skip
        deltas = scratch, delta, fan_out, 1
        if layout[at + BIAS] >= 0:
            of_bias, ones = (grads, layout[at + BIAS], 0, 1), (scratch, layout[ONE], 0, 0)
            multiply(of_bias, zero if fresh else of_bias, ones, deltas, 1, rows, fan_out)
        before = layout[at - FIELDS + VALUE] if layer > 0 else layout[INPUT]
        of_weights = grads, weight, fan_out, 1
        multiply(of_weights, zero if fresh else of_weights, (scratch, before, 1, fan_in), deltas, fan_in, rows, fan_out)
        if layer > 0:
            transposed = weights, weight, 1, fan_out
            multiply((scratch, following, fan_in, 1), zero, deltas, transposed, rows, fan_out, fan_in)
            delta, following, spare = following, spare, following


def add_penalty_gradients(theta, grad, lane, data, layout):
    l2, l1 = data[L2], data[L1]
    for layer in range(layout[LAYERS]):
        at = FIRST_LAYER + layer * FIELDS
        for k in range(layout[at + WEIGHT], layout[at + WEIGHT] + layout[at + FAN_IN] * layout[at + FAN_OUT]):
            weights, grads = theta[k, lane : lane + VECTOR], grad[k, lane : lane + VECTOR]
            for j in range(VECTOR):
                grads[j] += l2 * weights[j] + l1 * sign(weights[j])


def add_losses(scratch, out, z, rows, layout):
    """Add each row's loss to ``out[:VECTOR]``; of cross-entropy, turn the outputs into what `softmax` does."""
    k, y = layout[OUTPUTS], layout[TARGET]
    if layout[LOSS] == SQUARED:
        for i in range(rows * k):
            targets, values = part(scratch, y + i, 1), part(scratch, z + i, 1)
            for j in range(VECTOR):
                error = values[j] - targets[j]
                out[j] += error * error
    else:
        for i in range(rows):
            mine = z + i * k + int(scratch[(y + i) * VECTOR])
            copy_vector(scratch, (layout[DELTA] + i) * VECTOR, scratch, mine * VECTOR, 1.0)
        softmax(scratch, z, rows, layout)
        for i in range(rows):
            top, sums = part(scratch, layout[LARGEST] + i, 1), part(scratch, layout[SUMS] + i, 1)
            chosen = part(scratch, layout[DELTA] + i, 1)
            for j in range(VECTOR):
                out[j] += log(sums[j]) - (chosen[j] - top[j])


def add_penalties(theta, lane, out, data, layout):
    for j in range(VECTOR):
        squares, sizes = 0.0, 0.0
        for layer in range(layout[LAYERS]):
            at = FIRST_LAYER + layer * FIELDS
            for k in range(layout[at + WEIGHT], layout[at + WEIGHT] + layout[at + FAN_IN] * layout[at + FAN_OUT]):
                weight = theta[k, lane + j]
                squares += weight * weight
                sizes += absolute(weight)
        out[j] += 0.5 * data[L2] * squares + data[L1] * sizes


def lane_both(theta, grad, out, work, n, data, layout, t):
    """Gradient and, unless `out` is empty, objective."""
    scratch, points, slopes, width = work.reshape(-1), theta.reshape(-1), grad.reshape(-1), theta.shape[1]
    rows, d, chunk = layout[ROWS], layout[D], layout[CHUNK]
    last = layout[FIRST_LAYER + (layout[LAYERS] - 1) * FIELDS + VALUE]
    packed = layout[PLAIN] == 0 or width != VECTOR
    weights = part(scratch, 0, d) if packed else points
    grads = part(scratch, d, d) if packed else slopes
    fill(scratch, layout[ZERO], 1, 0.0)
    fill(scratch, layout[ONE], 1, 1.0)
    for lane in range(0, n, VECTOR):
        if packed:
            for k in range(d):
                copy_vector(weights, k * VECTOR, points, k * width + lane, data[FACTORS + k])
        losses = out[lane : lane + VECTOR]
        for j in range(len(losses)):
            losses[j] = 0.0
        for first in range(0, rows, chunk):
            count = min(chunk, rows - first)
            take_rows(scratch, data, layout, t, first, count)
            forward(scratch, weights, count, data, layout)
            output_errors(scratch, losses, last, count, layout)
            backward(scratch, weights, grads, count, first == 0, layout)
        if packed:
            for k in range(d):
                copy_vector(slopes, k * width + lane, grads, k * VECTOR, data[FACTORS + k])
        for j in range(len(losses)):
            losses[j] /= rows * (layout[OUTPUTS] if layout[LOSS] == SQUARED else 1)
        if data[L2] != 0.0 or data[L1] != 0.0:
            add_penalty_gradients(theta, grad, lane, data, layout)
            if len(losses) > 0:
                add_penalties(theta, lane, losses, data, layout)


def lane_objective(theta, out, work, n, data, layout, t):
    scratch, points, width = work.reshape(-1), theta.reshape(-1), theta.shape[1]
    rows, d, chunk = layout[ROWS], layout[D], layout[CHUNK]
    last = layout[FIRST_LAYER + (layout[LAYERS] - 1) * FIELDS + VALUE]
    packed = layout[PLAIN] == 0 or width != VECTOR
    weights = part(scratch, 0, d) if packed else points
    fill(scratch, layout[ZERO], 1, 0.0)
    fill(scratch, layout[ONE], 1, 1.0)
    for lane in range(0, n, VECTOR):
        if packed:
            for k in range(d):
                copy_vector(weights, k * VECTOR, points, k * width + lane, data[FACTORS + k])
        losses = out[lane : lane + VECTOR]
        for j in range(VECTOR):
            losses[j] = 0.0
        for first in range(0, rows, chunk):
            count = min(chunk, rows - first)
            take_rows(scratch, data, layout, t, first, count)
            forward(scratch, weights, count, data, layout)
            add_losses(scratch, losses, last, count, layout)
        for j in range(VECTOR):
            losses[j] /= rows * (layout[OUTPUTS] if layout[LOSS] == SQUARED else 1)
        if data[L2] != 0.0 or data[L1] != 0.0:
            add_penalties(theta, lane, losses, data, layout)
