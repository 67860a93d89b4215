"""Activations and the lane kernel of fully connected networks.

The kernel takes `VECTOR` lanes at a time through the whole of forward and backward pass. Their parameters are packed
into one stretch of scratch memory, and so are their gradients; factors of layers and activations are multiplied to
the parameters there, once a step instead of once a row, and to the gradients on the way out. Data go through in
chunks of rows whose activations stay in the nearest cache (all rows at once where batch normalization needs their
statistics). Offsets and sizes count vectors, except in `data`. What lies where, `layout` tells at run time: depth,
widths, activations and loss cost no compilation.

Sums run in one fixed order, over rows, fan-in and outputs from first to last. `gdfast.problems.network` has the same
in NumPy.
"""

import math

from gdfast.elementary import absolute, erf, exp, log, maximum, select, sigmoid, sign, sqrt, tanh
from gdfast.problems._lane_products import VECTOR, add_data_products, add_products, copy_vector, wide_vectors

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

# What stands where in `layout`: sizes; offsets in `layout` and `data`; offsets in the scratch memory. The parameters
# lie at 0 there, their gradients at D.
LAYERS, ROWS, INPUTS, OUTPUTS, TARGETS, CHUNK, LOSS, D = range(8)
TABLE, X, Y = range(8, 11)  # TABLE is 0 where every step takes all rows
DELTA, NEXT_DELTA, TOTALS, BATCH_X, BATCH_Y = range(11, 16)
FIRST_LAYER, FIELDS = 16, 10
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


def add_to_rows(scratch, at, row, rows, width):
    wide_vectors()
    added = part(scratch, row, width)
    for i in range(rows):
        values = part(scratch, at + i * width, width)
        for k in range(len(added)):
            values[k] += added[k]


def add_rows_to(scratch, row, at, rows, width):
    wide_vectors()
    total = part(scratch, row, width)
    for i in range(rows):
        values = part(scratch, at + i * width, width)
        for k in range(len(total)):
            total[k] += values[k]


def add_row_products_to(scratch, row, at, by, rows, width):
    wide_vectors()
    total = part(scratch, row, width)
    for i in range(rows):
        values, factors = part(scratch, at + i * width, width), part(scratch, by + i * width, width)
        for k in range(len(total)):
            total[k] += values[k] * factors[k]


def choose_rows(scratch, data, layout, t):
    """Copy the rows of a mini-batch together."""
    rows, p, targets = layout[ROWS], layout[INPUTS], layout[TARGETS]
    x, y = layout[BATCH_X] * VECTOR, layout[BATCH_Y] * VECTOR
    for i in range(rows):
        row = layout[layout[TABLE] + t * rows + i]
        for j in range(p):
            scratch[x + i * p + j] = data[layout[X] + row * p + j]
        for j in range(targets):
            scratch[y + i * targets + j] = data[layout[Y] + row * targets + j]


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


def normalize(scratch, z, standard, inverse, totals, scale, rows, width, eps):
    """Batch normalization: ``standard = (z − mean) / √(variance + eps)`` and ``z = standard · scale + shift``."""
    wide_vectors()
    total, inverses = part(scratch, totals, width), part(scratch, inverse, width)
    scales, shifts = part(scratch, scale, width), part(scratch, scale + width, width)
    fill(scratch, totals, width, 0.0)
    add_rows_to(scratch, totals, z, rows, width)
    for k in range(len(total)):
        total[k] /= rows
    for i in range(rows):
        values, standards = part(scratch, z + i * width, width), part(scratch, standard + i * width, width)
        for k in range(len(total)):
            standards[k] = values[k] - total[k]
    fill(scratch, totals, width, 0.0)
    add_row_products_to(scratch, totals, standard, standard, rows, width)
    for k in range(len(total)):
        inverses[k] = 1.0 / sqrt(total[k] / rows + eps)
    for i in range(rows):
        values, standards = part(scratch, z + i * width, width), part(scratch, standard + i * width, width)
        for k in range(len(total)):
            standards[k] *= inverses[k]
            values[k] = standards[k] * scales[k] + shifts[k]


def normalize_backward(scratch, delta, standard, inverse, totals, scale, d, rows, width):
    """``δ ← scale / √(variance + eps) · (δ − mean(δ) − standard · mean(δ · standard))``, and scale's and shift's."""
    wide_vectors()
    factors, scales, inverses = part(scratch, totals, width), part(scratch, scale, width), part(scratch, inverse, width)
    by_scale, by_shift = part(scratch, d + scale, width), part(scratch, d + scale + width, width)
    add_row_products_to(scratch, d + scale, delta, standard, rows, width)
    add_rows_to(scratch, d + scale + width, delta, rows, width)
    for k in range(len(factors)):
        factors[k] = scales[k] * inverses[k]
    for i in range(rows):
        values, standards = part(scratch, delta + i * width, width), part(scratch, standard + i * width, width)
        for k in range(len(factors)):
            rest = values[k] - by_shift[k] / rows - standards[k] * (by_scale[k] / rows)
            values[k] = factors[k] * rest


def forward(scratch, inputs, x, rows, data, layout):
    """Leave each layer's values in its place, and the slopes of its activation."""
    before = 0
    for layer in range(layout[LAYERS]):
        at = FIRST_LAYER + layer * FIELDS
        fan_in, fan_out = layout[at + FAN_IN], layout[at + FAN_OUT]
        weight, z = layout[at + WEIGHT], layout[at + VALUE]
        if layer == 0:
            add_data_products(
                scratch, z, fan_out, 1, inputs, x, fan_in, 1, weight, fan_out, 1, rows, fan_in, fan_out, True
            )
        else:
            add_products(
                scratch, z, fan_out, 1, scratch, before, fan_in, 1, weight, fan_out, 1, rows, fan_in, fan_out, True
            )
        if layout[at + BIAS] >= 0:
            add_to_rows(scratch, z, layout[at + BIAS], rows, fan_out)
        if layout[at + NORM] >= 0:
            normalize(
                scratch, z, layout[at + STANDARD], layout[at + INVERSE], layout[TOTALS], layout[at + NORM],
                rows, fan_out, data[EPS],
            )  # fmt: skip
        if layer < layout[LAYERS] - 1:
            activate(scratch, z, layout[at + SLOPE], rows * fan_out, layout[at + ACTIVATION])
        before = z


def output_errors(scratch, losses, z, inputs, y, rows, data, layout):
    """Put the derivatives of the loss by the last layer's Z in the place of its output.

    Each row's loss is added to `losses`, unless that is empty.
    """
    k, sums = layout[OUTPUTS], part(scratch, layout[TOTALS] + 1, 1)
    if layout[LOSS] == SQUARED:
        if len(losses) > 0:
            add_losses(scratch, losses, z, inputs, y, rows, layout)
        factor = 2.0 / (layout[ROWS] * k)
        for i in range(rows * k):
            target, values = inputs[y + i], part(scratch, z + i, 1)
            for j in range(VECTOR):
                values[j] = factor * (values[j] - target)
    else:
        for i in range(rows):
            if len(losses) > 0:
                add_entropy(scratch, losses, z + i * k, int(inputs[y + i]), layout)
            else:
                softmax(scratch, z + i * k, layout[TOTALS], k)
            for o in range(k):
                target, values = 1.0 if inputs[y + i] == o else 0.0, part(scratch, z + i * k + o, 1)
                for j in range(VECTOR):
                    values[j] = (values[j] / sums[j] - target) / layout[ROWS]


def softmax(scratch, z, largest, k):
    """Turn a row into exp(z − max z); leave max z in `largest` and the sum of the row in the vector behind it."""
    wide_vectors()
    top, sums, row = part(scratch, largest, 1), part(scratch, largest + 1, 1), part(scratch, z, k)
    for j in range(VECTOR):
        top[j] = row[j]
        sums[j] = 0.0
    for o in range(1, k):
        for j in range(VECTOR):
            top[j] = maximum(top[j], row[o * VECTOR + j])
    for o in range(k):
        for j in range(VECTOR):
            row[o * VECTOR + j] -= top[j]
    for at in range(len(row)):
        row[at] = exp(row[at])
    for o in range(k):
        for j in range(VECTOR):
            sums[j] += row[o * VECTOR + j]


def backward(scratch, inputs, x, rows, fresh, data, layout):
    """Add to the gradients, or `fresh` to zeros, what follows from the derivatives by the last layer's Z."""
    d, following, spare = layout[D], layout[DELTA], layout[NEXT_DELTA]
    delta = layout[FIRST_LAYER + (layout[LAYERS] - 1) * FIELDS + VALUE]
    for layer in range(layout[LAYERS] - 1, -1, -1):
        at = FIRST_LAYER + layer * FIELDS
        fan_in, fan_out, weight = layout[at + FAN_IN], layout[at + FAN_OUT], layout[at + WEIGHT]
        if layer < layout[LAYERS] - 1:
            multiply_by(scratch, delta, layout[at + SLOPE], rows * fan_out)
        if layout[at + NORM] >= 0:
            fill(scratch, d + layout[at + NORM], 2 * fan_out, 0.0)
            normalize_backward(
                scratch, delta, layout[at + STANDARD], layout[at + INVERSE], layout[TOTALS], layout[at + NORM],
                d, rows, fan_out,
            )  # fmt: skip
        if layout[at + BIAS] >= 0:
            if fresh:
                fill(scratch, d + layout[at + BIAS], fan_out, 0.0)
            add_rows_to(scratch, d + layout[at + BIAS], delta, rows, fan_out)
        if layer == 0:
            add_data_products(
                scratch, d + weight, fan_out, 1, inputs, x, 1, fan_in, delta, fan_out, 1, fan_in, rows, fan_out, fresh
            )
        else:
            before = layout[at - FIELDS + VALUE]
            add_products(
                scratch, d + weight, fan_out, 1, scratch, before, 1, fan_in, delta, fan_out, 1,
                fan_in, rows, fan_out, fresh,
            )  # fmt: skip
            add_products(
                scratch, following, fan_in, 1, scratch, delta, fan_out, 1, weight, 1, fan_out,
                rows, fan_out, fan_in, True,
            )  # fmt: skip
            delta, following, spare = following, spare, following


def add_penalty_gradients(theta, grad, lane, data, layout):
    l2, l1 = data[L2], data[L1]
    for layer in range(layout[LAYERS]):
        at = FIRST_LAYER + layer * FIELDS
        for k in range(layout[at + WEIGHT], layout[at + WEIGHT] + layout[at + FAN_IN] * layout[at + FAN_OUT]):
            weights, grads = theta[k, lane : lane + VECTOR], grad[k, lane : lane + VECTOR]
            for j in range(VECTOR):
                grads[j] += l2 * weights[j] + l1 * sign(weights[j])


def add_losses(scratch, out, z, inputs, y, rows, layout):
    """Add each row's loss to ``out[:VECTOR]``."""
    k = layout[OUTPUTS]
    if layout[LOSS] == SQUARED:
        for i in range(rows * k):
            target, values = inputs[y + i], part(scratch, z + i, 1)
            for j in range(VECTOR):
                error = values[j] - target
                out[j] += error * error
    else:
        for i in range(rows):
            add_entropy(scratch, out, z + i * k, int(inputs[y + i]), layout)


def add_entropy(scratch, out, row, label, layout):
    """Add the loss of a row of class `label` to ``out[:VECTOR]``; turn the row into what `softmax` does."""
    top, sums = part(scratch, layout[TOTALS], 1), part(scratch, layout[TOTALS] + 1, 1)
    chosen = part(scratch, layout[DELTA], 1)
    copy_vector(scratch, layout[DELTA] * VECTOR, scratch, (row + label) * VECTOR, 1.0)
    softmax(scratch, row, layout[TOTALS], layout[OUTPUTS])
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


def lane_gradient(theta, grad, work, n, data, layout, t):
    lane_both(theta, grad, work[0, :0], work, n, data, layout, t)


def lane_both(theta, grad, out, work, n, data, layout, t):
    """Gradient and, unless `out` is empty, objective."""
    scratch, points, grads, width = work.reshape(-1), theta.reshape(-1), grad.reshape(-1), theta.shape[1]
    inputs, x, y = data, layout[X], layout[Y]
    rows, d = layout[ROWS], layout[D]
    if layout[TABLE] > 0:
        choose_rows(scratch, data, layout, t)
        inputs, x, y = scratch, layout[BATCH_X] * VECTOR, layout[BATCH_Y] * VECTOR
    last = layout[FIRST_LAYER + (layout[LAYERS] - 1) * FIELDS + VALUE]
    for lane in range(0, n, VECTOR):
        for k in range(d):
            copy_vector(scratch, k * VECTOR, points, k * width + lane, data[FACTORS + k])
        losses = out[lane : lane + VECTOR]
        for j in range(len(losses)):
            losses[j] = 0.0
        for first in range(0, rows, layout[CHUNK]):
            count = min(layout[CHUNK], rows - first)
            forward(scratch, inputs, x + first * layout[INPUTS], count, data, layout)
            output_errors(scratch, losses, last, inputs, y + first * layout[TARGETS], count, data, layout)
            backward(scratch, inputs, x + first * layout[INPUTS], count, first == 0, data, layout)
        for k in range(d):
            copy_vector(grads, k * width + lane, scratch, (d + k) * VECTOR, data[FACTORS + k])
        for j in range(len(losses)):
            losses[j] /= rows * (layout[OUTPUTS] if layout[LOSS] == SQUARED else 1)
        if data[L2] != 0.0 or data[L1] != 0.0:
            add_penalty_gradients(theta, grad, lane, data, layout)
            if len(losses) > 0:
                add_penalties(theta, lane, losses, data, layout)


def lane_objective(theta, out, work, n, data, layout, t):
    scratch, points, width = work.reshape(-1), theta.reshape(-1), theta.shape[1]
    inputs, x, y = data, layout[X], layout[Y]
    rows, d = layout[ROWS], layout[D]
    if layout[TABLE] > 0:
        choose_rows(scratch, data, layout, t)
        inputs, x, y = scratch, layout[BATCH_X] * VECTOR, layout[BATCH_Y] * VECTOR
    last = layout[FIRST_LAYER + (layout[LAYERS] - 1) * FIELDS + VALUE]
    for lane in range(0, n, VECTOR):
        for k in range(d):
            copy_vector(scratch, k * VECTOR, points, k * width + lane, data[FACTORS + k])
        losses = out[lane : lane + VECTOR]
        for j in range(VECTOR):
            losses[j] = 0.0
        for first in range(0, rows, layout[CHUNK]):
            count = min(layout[CHUNK], rows - first)
            forward(scratch, inputs, x + first * layout[INPUTS], count, data, layout)
            add_losses(scratch, losses, last, inputs, y + first * layout[TARGETS], count, layout)
        for j in range(VECTOR):
            losses[j] /= rows * (layout[OUTPUTS] if layout[LOSS] == SQUARED else 1)
        if data[L2] != 0.0 or data[L1] != 0.0:
            add_penalties(theta, lane, losses, data, layout)


HELPERS = (
    part, fill, multiply_by, add_to_rows, add_rows_to, add_row_products_to, choose_rows, activate, normalize,
    normalize_backward, forward, output_errors, softmax, backward, add_penalty_gradients, add_losses, add_entropy,
    add_penalties, lane_both,
)  # fmt: skip
