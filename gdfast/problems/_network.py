"""Activations and the lane kernel of fully connected networks.

The kernel takes `VECTOR` lanes at a time through the whole of forward and backward pass. Their weights are packed
into one stretch of scratch memory, and so are their gradients; data go through in chunks of rows whose activations
stay in the nearest cache (all rows at once where batch normalization needs their statistics). Offsets and sizes count
vectors, except in `data`. What lies where, `layout` tells at run time: depth, widths, activations and loss cost no
compilation.

Sums run in one fixed order, over rows, fan-in and outputs from first to last. `gdfast.problems.mlp` has the same
in NumPy.
"""

import math

from gdfast.elementary import absolute, erf, exp, log, maximum, select, sigmoid, sign, sqrt, tanh
from gdfast.problems._lane_products import VECTOR, add_data_products, add_products, wide_vectors

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
GAIN, OUTPUT_SCALE, EPS, L2, L1 = range(5)
SCALES = 5  # one number a layer


def pack(theta, scratch, lane, d):
    for k in range(d):
        for j in range(VECTOR):
            scratch[k * VECTOR + j] = theta[k, lane + j]


def fill(scratch, at, count, value):
    for k in range(at * VECTOR, (at + count) * VECTOR):
        scratch[k] = value


def multiply(scratch, at, count, factor):
    for k in range(at * VECTOR, (at + count) * VECTOR):
        scratch[k] *= factor


def multiply_by(scratch, at, by, count):
    at, by = at * VECTOR, by * VECTOR
    for k in range(count * VECTOR):
        scratch[at + k] *= scratch[by + k]


def add_to_rows(scratch, at, row, rows, width):
    row *= VECTOR
    for i in range(rows):
        first = (at + i * width) * VECTOR
        for k in range(width * VECTOR):
            scratch[first + k] += scratch[row + k]


def add_rows_to(scratch, row, at, rows, width):
    row *= VECTOR
    for i in range(rows):
        first = (at + i * width) * VECTOR
        for k in range(width * VECTOR):
            scratch[row + k] += scratch[first + k]


def add_row_products_to(scratch, row, at, by, rows, width):
    row *= VECTOR
    for i in range(rows):
        first, second = (at + i * width) * VECTOR, (by + i * width) * VECTOR
        for k in range(width * VECTOR):
            scratch[row + k] += scratch[first + k] * scratch[second + k]


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


def activate(scratch, value, slope, count, activation, gain):
    wide_vectors()
    value, slope, count = value * VECTOR, slope * VECTOR, count * VECTOR
    if activation == IDENTITY:
        for k in range(count):
            a, s = identity_unit(gain * scratch[value + k])
            scratch[value + k], scratch[slope + k] = a, gain * s
    elif activation == SIGMOID:
        for k in range(count):
            a, s = sigmoid_unit(gain * scratch[value + k])
            scratch[value + k], scratch[slope + k] = a, gain * s
    elif activation == TANH:
        for k in range(count):
            a, s = tanh_unit(gain * scratch[value + k])
            scratch[value + k], scratch[slope + k] = a, gain * s
    elif activation == RELU:
        for k in range(count):
            a, s = relu_unit(gain * scratch[value + k])
            scratch[value + k], scratch[slope + k] = a, gain * s
    elif activation == LEAKY_RELU:
        for k in range(count):
            a, s = leaky_relu_unit(gain * scratch[value + k])
            scratch[value + k], scratch[slope + k] = a, gain * s
    else:
        for k in range(count):
            a, s = gelu_unit(gain * scratch[value + k])
            scratch[value + k], scratch[slope + k] = a, gain * s


def normalize(scratch, z, standard, inverse, totals, scale, rows, width, eps):
    """Batch normalization: ``standard = (z − mean) / √(variance + eps)`` and ``z = standard · scale + shift``."""
    wide_vectors()
    row, shift, n = totals * VECTOR, (scale + width) * VECTOR, width * VECTOR
    fill(scratch, totals, width, 0.0)
    add_rows_to(scratch, totals, z, rows, width)
    for k in range(n):
        scratch[row + k] /= rows
    for i in range(rows):
        first, to = z * VECTOR + i * n, standard * VECTOR + i * n
        for k in range(n):
            scratch[to + k] = scratch[first + k] - scratch[row + k]
    fill(scratch, totals, width, 0.0)
    add_row_products_to(scratch, totals, standard, standard, rows, width)
    for k in range(n):
        scratch[inverse * VECTOR + k] = 1.0 / sqrt(scratch[row + k] / rows + eps)
    for i in range(rows):
        multiply_by(scratch, standard + i * width, inverse, width)
        first, to = z * VECTOR + i * n, standard * VECTOR + i * n
        for k in range(n):
            scratch[first + k] = scratch[to + k] * scratch[scale * VECTOR + k] + scratch[shift + k]


def normalize_backward(scratch, delta, standard, inverse, totals, scale, d, rows, width):
    """``δ ← scale / √(variance + eps) · (δ − mean(δ) − standard · mean(δ · standard))``, and scale's and shift's."""
    wide_vectors()
    row, n = totals * VECTOR, width * VECTOR
    by_scale, by_shift = (d + scale) * VECTOR, (d + scale + width) * VECTOR
    add_row_products_to(scratch, d + scale, delta, standard, rows, width)
    add_rows_to(scratch, d + scale + width, delta, rows, width)
    for k in range(n):
        scratch[row + k] = scratch[scale * VECTOR + k] * scratch[inverse * VECTOR + k]
    for i in range(rows):
        first, by = delta * VECTOR + i * n, standard * VECTOR + i * n
        for k in range(n):
            rest = scratch[first + k] - scratch[by_shift + k] / rows - scratch[by + k] * (scratch[by_scale + k] / rows)
            scratch[first + k] = scratch[row + k] * rest


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
        if data[SCALES + layer] != 1.0:
            multiply(scratch, z, rows * fan_out, data[SCALES + layer])
        if layout[at + BIAS] >= 0:
            add_to_rows(scratch, z, layout[at + BIAS], rows, fan_out)
        if layout[at + NORM] >= 0:
            normalize(
                scratch, z, layout[at + STANDARD], layout[at + INVERSE], layout[TOTALS], layout[at + NORM],
                rows, fan_out, data[EPS],
            )  # fmt: skip
        if layer < layout[LAYERS] - 1:
            activate(scratch, z, layout[at + SLOPE], rows * fan_out, layout[at + ACTIVATION], data[GAIN])
        elif data[OUTPUT_SCALE] != 1.0:
            multiply(scratch, z, rows * fan_out, data[OUTPUT_SCALE])
        before = z


def output_errors(scratch, z, inputs, y, rows, data, layout):
    """Leave the derivatives of the loss by the last layer's Z in DELTA."""
    wide_vectors()
    k, delta, largest = layout[OUTPUTS], layout[DELTA], layout[TOTALS]
    if layout[LOSS] == SQUARED:
        factor = 2.0 * data[OUTPUT_SCALE] / (layout[ROWS] * k)
        for i in range(rows * k):
            for j in range(VECTOR):
                scratch[(delta + i) * VECTOR + j] = factor * (scratch[(z + i) * VECTOR + j] - inputs[y + i])
    else:
        factor = data[OUTPUT_SCALE] / layout[ROWS]
        for i in range(rows):
            softmax(scratch, z + i * k, delta + i * k, largest, k)
            for o in range(k):
                target = 1.0 if inputs[y + i] == o else 0.0
                for j in range(VECTOR):
                    at = (delta + i * k + o) * VECTOR + j
                    scratch[at] = (scratch[at] / scratch[(largest + 1) * VECTOR + j] - target) * factor


def softmax(scratch, z, to, largest, k):
    """Leave exp(z − max z) in `to`, max z in `largest` and the sum in the vector behind it."""
    wide_vectors()
    top, total = largest * VECTOR, (largest + 1) * VECTOR
    for j in range(VECTOR):
        scratch[top + j] = scratch[z * VECTOR + j]
        scratch[total + j] = 0.0
    for o in range(1, k):
        for j in range(VECTOR):
            scratch[top + j] = maximum(scratch[top + j], scratch[(z + o) * VECTOR + j])
    for o in range(k):
        for j in range(VECTOR):
            e = exp(scratch[(z + o) * VECTOR + j] - scratch[top + j])
            scratch[(to + o) * VECTOR + j] = e
            scratch[total + j] += e


def backward(scratch, inputs, x, rows, data, layout):
    """Add to the gradients what DELTA, the derivatives by the last layer's Z, makes of them."""
    d, delta, following = layout[D], layout[DELTA], layout[NEXT_DELTA]
    for layer in range(layout[LAYERS] - 1, -1, -1):
        at = FIRST_LAYER + layer * FIELDS
        fan_in, fan_out, weight = layout[at + FAN_IN], layout[at + FAN_OUT], layout[at + WEIGHT]
        if layer < layout[LAYERS] - 1:
            multiply_by(scratch, delta, layout[at + SLOPE], rows * fan_out)
        if layout[at + NORM] >= 0:
            normalize_backward(
                scratch, delta, layout[at + STANDARD], layout[at + INVERSE], layout[TOTALS], layout[at + NORM],
                d, rows, fan_out,
            )  # fmt: skip
        if layout[at + BIAS] >= 0:
            add_rows_to(scratch, d + layout[at + BIAS], delta, rows, fan_out)
        if data[SCALES + layer] != 1.0:
            multiply(scratch, delta, rows * fan_out, data[SCALES + layer])
        if layer == 0:
            add_data_products(
                scratch, d + weight, fan_out, 1, inputs, x, 1, fan_in, delta, fan_out, 1, fan_in, rows, fan_out, False
            )
        else:
            before = layout[at - FIELDS + VALUE]
            add_products(
                scratch, d + weight, fan_out, 1, scratch, before, 1, fan_in, delta, fan_out, 1,
                fan_in, rows, fan_out, False,
            )  # fmt: skip
            add_products(
                scratch, following, fan_in, 1, scratch, delta, fan_out, 1, weight, 1, fan_out,
                rows, fan_out, fan_in, True,
            )  # fmt: skip
            delta, following = following, delta


def hand_out(scratch, grad, lane, data, layout):
    """Write the gradients, with those of the penalties, to where the step takes them."""
    d, l2, l1 = layout[D], data[L2], data[L1]
    if l2 != 0.0 or l1 != 0.0:
        for layer in range(layout[LAYERS]):
            at = FIRST_LAYER + layer * FIELDS
            first = layout[at + WEIGHT] * VECTOR
            for k in range(first, first + layout[at + FAN_IN] * layout[at + FAN_OUT] * VECTOR):
                scratch[d * VECTOR + k] += l2 * scratch[k] + l1 * sign(scratch[k])
    for k in range(d):
        for j in range(VECTOR):
            grad[k, lane + j] = scratch[(d + k) * VECTOR + j]


def add_losses(scratch, out, lane, z, inputs, y, rows, layout):
    """Add each row's loss to ``out[lane : lane + VECTOR]``."""
    k, largest = layout[OUTPUTS], layout[TOTALS]
    if layout[LOSS] == SQUARED:
        for i in range(rows * k):
            for j in range(VECTOR):
                error = scratch[(z + i) * VECTOR + j] - inputs[y + i]
                out[lane + j] += error * error
    else:
        for i in range(rows):
            softmax(scratch, z + i * k, layout[DELTA], largest, k)
            chosen = z + i * k + int(inputs[y + i])
            for j in range(VECTOR):
                top, total = scratch[largest * VECTOR + j], scratch[(largest + 1) * VECTOR + j]
                out[lane + j] += log(total) - (scratch[chosen * VECTOR + j] - top)


def add_penalties(scratch, out, lane, data, layout):
    for j in range(VECTOR):
        squares, sizes = 0.0, 0.0
        for layer in range(layout[LAYERS]):
            at = FIRST_LAYER + layer * FIELDS
            first = layout[at + WEIGHT]
            for k in range(first, first + layout[at + FAN_IN] * layout[at + FAN_OUT]):
                w = scratch[k * VECTOR + j]
                squares += w * w
                sizes += absolute(w)
        out[lane + j] += 0.5 * data[L2] * squares + data[L1] * sizes


HELPERS = (
    pack, fill, multiply, multiply_by, add_to_rows, add_rows_to, add_row_products_to, choose_rows, activate,
    normalize, normalize_backward, forward, output_errors, softmax, backward, hand_out, add_losses, add_penalties,
)  # fmt: skip


def lane_gradient(theta, grad, work, n, data, layout, t):
    scratch, inputs, x, y = work.reshape(-1), data, layout[X], layout[Y]
    rows, d = layout[ROWS], layout[D]
    if layout[TABLE] > 0:
        choose_rows(scratch, data, layout, t)
        inputs, x, y = scratch, layout[BATCH_X] * VECTOR, layout[BATCH_Y] * VECTOR
    last = layout[FIRST_LAYER + (layout[LAYERS] - 1) * FIELDS + VALUE]
    for lane in range(0, n, VECTOR):
        pack(theta, scratch, lane, d)
        fill(scratch, d, d, 0.0)
        for first in range(0, rows, layout[CHUNK]):
            count = min(layout[CHUNK], rows - first)
            forward(scratch, inputs, x + first * layout[INPUTS], count, data, layout)
            output_errors(scratch, last, inputs, y + first * layout[TARGETS], count, data, layout)
            backward(scratch, inputs, x + first * layout[INPUTS], count, data, layout)
        hand_out(scratch, grad, lane, data, layout)


def lane_objective(theta, out, work, n, data, layout, t):
    scratch, inputs, x, y = work.reshape(-1), data, layout[X], layout[Y]
    rows = layout[ROWS]
    if layout[TABLE] > 0:
        choose_rows(scratch, data, layout, t)
        inputs, x, y = scratch, layout[BATCH_X] * VECTOR, layout[BATCH_Y] * VECTOR
    last = layout[FIRST_LAYER + (layout[LAYERS] - 1) * FIELDS + VALUE]
    for lane in range(0, n, VECTOR):
        pack(theta, scratch, lane, layout[D])
        for j in range(VECTOR):
            out[lane + j] = 0.0
        for first in range(0, rows, layout[CHUNK]):
            count = min(layout[CHUNK], rows - first)
            forward(scratch, inputs, x + first * layout[INPUTS], count, data, layout)
            add_losses(scratch, out, lane, last, inputs, y + first * layout[TARGETS], count, layout)
        for j in range(VECTOR):
            out[lane + j] /= rows * (layout[OUTPUTS] if layout[LOSS] == SQUARED else 1)
        add_penalties(scratch, out, lane, data, layout)
