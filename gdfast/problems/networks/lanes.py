"""Activations and the lane kernel of fully connected networks.

The kernel takes `VECTOR` lanes at a time through the whole of forward and backward pass. Where a block has just these
lanes, their parameters and gradients are used where they are; else they are packed into scratch memory. So they are
where layers have factors, which are multiplied to the parameters there, once a step instead of once a row, and to the
gradients on the way out. Data go through in chunks of rows whose activations stay in the second cache (all rows at
once where batch normalization needs their statistics). Offsets and sizes count vectors, except in `data`. What lies
where, `layout` tells at run time: depth, widths, activations and loss cost no compilation.

Sums run in one fixed order, over rows, fan-in and outputs from first to last; a sum with a bias begins with it.
`gdfast.problems.networks.passes` has the same in NumPy.
"""

import math

import numpy as np

from gdfast.formulas.elementary import absolute, erf, exp, log, maximum, select, sigmoid, sign, sqrt, tanh
from gdfast.formulas.lane_products import (
    VECTOR,
    copy_vector,
    fill_vector,
    multiply,
    multiply_fused,
    multiply_vector,
    raise_vector,
    subtract_vector,
    wide_vectors,
)
from gdfast.formulas.lane_readings import Reading
from gdfast.formulas.records import fields, length, record

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


# Its second derivative, told its place, value and slope, where it is not 0 but at kinks.
def sigmoid_bend(x, a, slope):
    return slope * (1.0 - 2.0 * a)


def tanh_bend(x, a, slope):
    return -2.0 * a * slope


def gelu_bend(x, a, slope):
    return (2.0 - x * x) * exp(-0.5 * (x * x)) / _ROOT_TWO_PI


UNITS = (identity_unit, sigmoid_unit, tanh_unit, relu_unit, leaky_relu_unit, gelu_unit)
ACTIVATIONS = tuple(unit.__name__.removesuffix("_unit") for unit in UNITS)
IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, GELU = range(6)
LOSSES = ("squared", "cross_entropy")
SQUARED, CROSS_ENTROPY = range(2)
BENDS = {SIGMOID: sigmoid_bend, TANH: tanh_bend, GELU: gelu_bend}


NETWORK = fields(
    np.int64,
    "layers rows inputs outputs targets chunk loss d plain table x y "  # plain: no parameter has a factor
    "delta next_delta totals largest sums input target zero one "
    "some delta_change next_change ways more moments",  # of products with the Hessian; some: their chunk
)
"""How a layout begins: sizes; offsets in it (of the rows of each step, 0 for all), in `data`, and in scratch memory.

In the scratch memory packed parameters lie at 0, and their gradients at d.
"""
LAYER = fields(np.int64, "fan_in fan_out weight bias norm activation value slope standard inverse turn change moved")
"""What follows for each layer: sizes; where in theta its parameters begin, −1 for none; offsets in scratch memory."""
CONSTANTS = fields(np.float64, "eps l2 l1")
"""How `data` begin; the factor of each parameter, X and y follow."""
FIRST_LAYER, WORDS_OF_A_LAYER, FACTORS = length(NETWORK), length(LAYER), length(CONSTANTS)


def layer_of(layout, number):
    return record(layout, FIRST_LAYER + number * WORDS_OF_A_LAYER, LAYER)


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


def take_rows(scratch, data, net, layout, t, first, rows):
    """Put the inputs and targets of some rows of a step into vectors."""
    p, targets = net.inputs, net.targets
    for i in range(rows):
        row = layout[net.table + t * net.rows + first + i] if net.table > 0 else first + i
        for j in range(p):
            fill_vector(scratch, (net.input + i * p + j) * VECTOR, data[net.x + row * p + j])
        for j in range(targets):
            fill_vector(scratch, (net.target + i * targets + j) * VECTOR, data[net.y + row * targets + j])


def activate(scratch, value, slope, count, activation):
    """Turn Z into values, and put the slopes of the activation beside them."""
    z, slopes = part(scratch, value, count), part(scratch, slope, count)
    if activation == IDENTITY:
        activate_all(identity_unit, z, slopes)
    elif activation == SIGMOID:
        activate_all(sigmoid_unit, z, slopes)
    elif activation == TANH:
        activate_all(tanh_unit, z, slopes)
    elif activation == RELU:
        activate_all(relu_unit, z, slopes)
    elif activation == LEAKY_RELU:
        activate_all(leaky_relu_unit, z, slopes)
    else:
        activate_all(gelu_unit, z, slopes)


def activate_all(unit, z, slopes):
    wide_vectors()
    for k in range(len(z)):
        z[k], slopes[k] = unit(z[k])


def normalize(scratch, z, standard, inverse, totals, weights, scale, rows, width, eps):
    """Batch normalization: ``standard = (z − mean) / √(variance + eps)`` and ``z = standard · scale + shift``."""
    wide_vectors()
    total, inverses, count = part(scratch, totals, width), part(scratch, inverse, width), float(rows)
    scales, shifts = part(weights, scale, width), part(weights, scale + width, width)
    fill(scratch, totals, width, 0.0)
    add_rows_to(total, scratch, z, rows, width)
    for k in range(len(total)):
        total[k] /= count
    for i in range(rows):
        values, standards = part(scratch, z + i * width, width), part(scratch, standard + i * width, width)
        for k in range(len(total)):
            standards[k] = values[k] - total[k]
    fill(scratch, totals, width, 0.0)
    add_row_products_to(total, scratch, standard, standard, rows, width)
    for k in range(len(total)):
        inverses[k] = 1.0 / sqrt(total[k] / count + eps)
    for i in range(rows):
        values, standards = part(scratch, z + i * width, width), part(scratch, standard + i * width, width)
        for k in range(len(total)):
            standards[k] *= inverses[k]
            values[k] = standards[k] * scales[k] + shifts[k]


def normalize_backward(scratch, delta, standard, inverse, totals, weights, grads, scale, rows, width):
    """``δ ← scale / √(variance + eps) · (δ − mean(δ) − standard · mean(δ · standard))``, and scale's and shift's."""
    wide_vectors()
    factors, scales, inverses = part(scratch, totals, width), part(weights, scale, width), part(scratch, inverse, width)
    by_scale, by_shift, count = part(grads, scale, width), part(grads, scale + width, width), float(rows)
    fill(grads, scale, 2 * width, 0.0)
    add_row_products_to(by_scale, scratch, delta, standard, rows, width)
    add_rows_to(by_shift, scratch, delta, rows, width)
    for k in range(len(factors)):
        factors[k] = scales[k] * inverses[k]
    for i in range(rows):
        values, standards = part(scratch, delta + i * width, width), part(scratch, standard + i * width, width)
        for k in range(len(factors)):
            rest = values[k] - by_shift[k] / count - standards[k] * (by_scale[k] / count)
            values[k] = factors[k] * rest


def forward(scratch, weights, rows, net, layout, eps):
    """Leave each layer's values in its place, and the slopes of its activation."""
    before = net.input
    for number in range(net.layers):
        layer = layer_of(layout, number)
        fan_in, fan_out, z = layer.fan_in, layer.fan_out, layer.value
        start = (weights, layer.bias, 0, 1) if layer.bias >= 0 else (scratch, net.zero, 0, 0)
        of_weights = weights, layer.weight, fan_out, 1
        multiply((scratch, z, fan_out, 1), start, (scratch, before, fan_in, 1), of_weights, rows, fan_in, fan_out)
        if layer.norm >= 0:
            normalize(
                scratch, z, layer.standard, layer.inverse, net.totals, weights, layer.norm, rows, fan_out, eps
            )  # fmt: skip
        if number < net.layers - 1:
            activate(scratch, z, layer.slope, rows * fan_out, layer.activation)
        before = z


def output_errors(scratch, losses, z, rows, net):
    """Put the derivatives of the loss by the last layer's Z in the place of its output.

    Each row's loss is added to `losses`, unless that is empty.
    """
    wide_vectors()
    k, y, wanted = net.outputs, net.target, len(losses) > 0
    if wanted:
        add_losses(scratch, losses, z, rows, net)
    if net.loss == SQUARED:
        factor = float(2.0 / (net.rows * k))
        values, targets = part(scratch, z, rows * k), part(scratch, y, rows * k)
        for j in range(len(values)):
            values[j] = factor * (values[j] - targets[j])
    else:
        if not wanted:
            softmax(scratch, z, rows, net)
        share(scratch, z, rows, net)
        factor = float(1.0 / net.rows)
        for i in range(rows):
            mine = part(scratch, z + i * k + int(scratch[(y + i) * VECTOR]), 1)
            for j in range(len(mine)):
                mine[j] -= factor


def share(scratch, z, rows, net):
    """Turn what `softmax` leaves into shares of each row's sum, over the number of rows."""
    wide_vectors()
    k, sums, factor = net.outputs, part(scratch, net.sums, rows), float(1.0 / net.rows)
    for j in range(len(sums)):
        sums[j] = factor / sums[j]
    for i in range(rows):
        for o in range(k):
            multiply_vector(scratch, (z + i * k + o) * VECTOR, scratch, (net.sums + i) * VECTOR)


def softmax(scratch, z, rows, net):
    """Turn outputs into exp(z − max z), and leave the largest output and the sum of each row."""
    wide_vectors()
    k = net.outputs
    for i in range(rows):
        top, row = (net.largest + i) * VECTOR, (z + i * k) * VECTOR
        copy_vector(scratch, top, scratch, row, 1.0)
        for o in range(1, k):
            raise_vector(scratch, top, scratch, row + o * VECTOR)
        for o in range(k):
            subtract_vector(scratch, row + o * VECTOR, scratch, top)
    powers = part(scratch, z, rows * k)
    for at in range(len(powers)):
        powers[at] = exp(powers[at])
    ones, zero = (scratch, net.one, 0, 0), (scratch, net.zero, 0, 0)
    multiply((scratch, net.sums, 1, 0), zero, (scratch, z, k, 1), ones, rows, k, 1)


def backward(scratch, weights, grads, rows, fresh, net, layout):
    """Add to the gradients, or `fresh` to zeros, what follows from the derivatives by the last layer's Z."""
    following, spare, zero = net.delta, net.next_delta, (scratch, net.zero, 0, 0)
    delta = layer_of(layout, net.layers - 1).value
    for number in range(net.layers - 1, -1, -1):
        layer = layer_of(layout, number)
        fan_in, fan_out, weight = layer.fan_in, layer.fan_out, layer.weight
        if number < net.layers - 1:
            multiply_by(scratch, delta, layer.slope, rows * fan_out)
        if layer.norm >= 0:
            normalize_backward(
                scratch, delta, layer.standard, layer.inverse, net.totals, weights, grads, layer.norm, rows, fan_out
            )  # fmt: skip
        deltas = scratch, delta, fan_out, 1
        if layer.bias >= 0:
            of_bias, ones = (grads, layer.bias, 0, 1), (scratch, net.one, 0, 0)
            multiply(of_bias, zero if fresh else of_bias, ones, deltas, 1, rows, fan_out)
        before = layer_of(layout, number - 1).value if number > 0 else net.input
        of_weights = grads, weight, fan_out, 1
        multiply(of_weights, zero if fresh else of_weights, (scratch, before, 1, fan_in), deltas, fan_in, rows, fan_out)
        if number > 0:
            transposed = weights, weight, 1, fan_out
            multiply((scratch, following, fan_in, 1), zero, deltas, transposed, rows, fan_out, fan_in)
            delta, following, spare = following, spare, following


def add_penalty_gradients(theta, grad, lane, net, layout, constants):
    l2, l1 = constants.l2, constants.l1
    for number in range(net.layers):
        layer = layer_of(layout, number)
        for k in range(layer.weight, layer.weight + layer.fan_in * layer.fan_out):
            weights, grads = theta[k, lane : lane + VECTOR], grad[k, lane : lane + VECTOR]
            for j in range(VECTOR):
                grads[j] += l2 * weights[j] + l1 * sign(weights[j])


def add_losses(scratch, out, z, rows, net):
    """Add each row's loss to ``out[:VECTOR]``; of cross-entropy, turn the outputs into what `softmax` does."""
    k, y = net.outputs, net.target
    if net.loss == SQUARED:
        for i in range(rows * k):
            targets, values = part(scratch, y + i, 1), part(scratch, z + i, 1)
            for j in range(VECTOR):
                error = values[j] - targets[j]
                out[j] += error * error
    else:
        for i in range(rows):
            mine = z + i * k + int(scratch[(y + i) * VECTOR])
            copy_vector(scratch, (net.delta + i) * VECTOR, scratch, mine * VECTOR, 1.0)
        softmax(scratch, z, rows, net)
        for i in range(rows):
            top, sums = part(scratch, net.largest + i, 1), part(scratch, net.sums + i, 1)
            chosen = part(scratch, net.delta + i, 1)
            for j in range(VECTOR):
                out[j] += log(sums[j]) - (chosen[j] - top[j])


def add_penalties(theta, lane, out, net, layout, constants):
    for j in range(VECTOR):
        squares, sizes = 0.0, 0.0
        for number in range(net.layers):
            layer = layer_of(layout, number)
            for k in range(layer.weight, layer.weight + layer.fan_in * layer.fan_out):
                weight = theta[k, lane + j]
                squares += weight * weight
                sizes += absolute(weight)
        out[j] += 0.5 * constants.l2 * squares + constants.l1 * sizes


def lane_both(theta, grad, out, work, n, data, layout, t):
    """Gradient and, unless `out` is empty, objective."""
    scratch, points, slopes, width = work.reshape(-1), theta.reshape(-1), grad.reshape(-1), theta.shape[1]
    net, constants = record(layout, 0, NETWORK), record(data, 0, CONSTANTS)
    rows, d, chunk, last = net.rows, net.d, net.chunk, layer_of(layout, net.layers - 1).value
    packed = net.plain == 0 or width != VECTOR
    weights = part(scratch, 0, d) if packed else points
    grads = part(scratch, d, d) if packed else slopes
    fill(scratch, net.zero, 1, 0.0)
    fill(scratch, net.one, 1, 1.0)
    for lane in range(0, n, VECTOR):
        if packed:
            for k in range(d):
                copy_vector(weights, k * VECTOR, points, k * width + lane, data[FACTORS + k])
        losses = out[lane : lane + VECTOR] if len(out) > 0 else out
        for j in range(len(losses)):
            losses[j] = 0.0
        for first in range(0, rows, chunk):
            count = min(chunk, rows - first)
            take_rows(scratch, data, net, layout, t, first, count)
            forward(scratch, weights, count, net, layout, constants.eps)
            output_errors(scratch, losses, last, count, net)
            backward(scratch, weights, grads, count, first == 0, net, layout)
        if packed:
            for k in range(d):
                copy_vector(slopes, k * width + lane, grads, k * VECTOR, data[FACTORS + k])
        for j in range(len(losses)):
            losses[j] /= float(rows * (net.outputs if net.loss == SQUARED else 1))
        if constants.l2 != 0.0 or constants.l1 != 0.0:
            add_penalty_gradients(theta, grad, lane, net, layout, constants)
            if len(losses) > 0:
                add_penalties(theta, lane, losses, net, layout, constants)


def lane_objective(theta, out, work, n, data, layout, t):
    scratch, points, width = work.reshape(-1), theta.reshape(-1), theta.shape[1]
    net, constants = record(layout, 0, NETWORK), record(data, 0, CONSTANTS)
    rows, d, chunk, last = net.rows, net.d, net.chunk, layer_of(layout, net.layers - 1).value
    packed = net.plain == 0 or width != VECTOR
    weights = part(scratch, 0, d) if packed else points
    fill(scratch, net.zero, 1, 0.0)
    fill(scratch, net.one, 1, 1.0)
    for lane in range(0, n, VECTOR):
        if packed:
            for k in range(d):
                copy_vector(weights, k * VECTOR, points, k * width + lane, data[FACTORS + k])
        losses = out[lane : lane + VECTOR]
        for j in range(VECTOR):
            losses[j] = 0.0
        for first in range(0, rows, chunk):
            count = min(chunk, rows - first)
            take_rows(scratch, data, net, layout, t, first, count)
            forward(scratch, weights, count, net, layout, constants.eps)
            add_losses(scratch, losses, last, count, net)
        for j in range(VECTOR):
            losses[j] /= float(rows * (net.outputs if net.loss == SQUARED else 1))
        if constants.l2 != 0.0 or constants.l1 != 0.0:
            add_penalties(theta, lane, losses, net, layout, constants)


_fused = Reading({"multiply": multiply_fused})
LANES = {"exact": (lane_objective, lane_both), "fused": (_fused(lane_objective), _fused(lane_both))}
"""By arithmetic, the objective of lanes, and gradient with objective."""
