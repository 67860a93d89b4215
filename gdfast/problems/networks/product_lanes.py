"""Products of networks' Hessians with vectors, in lanes: Pearlmutter's R{·}, and those of Gauss and Newton.

As `gdfast.problems.networks.lanes`, whose passes are followed by the changes of all that they compute along the vector;
the formulas are in `gdfast.problems.networks.products`, which has the same in NumPy. Activations take twice the memory
here, so that fewer rows go through at a time. What is summed of a weight is in two sums, of A times the changes of D
and of the changes of A times D, which are added at the end.
"""

from gdfast.formulas.lane_products import (
    VECTOR,
    copy_vector,
    multiply,
    multiply_fused,
    wide_vectors,
)
from gdfast.formulas.lane_readings import Reading
from gdfast.formulas.records import record
from gdfast.problems.networks.lanes import (
    CONSTANTS,
    FACTORS,
    GELU,
    NETWORK,
    SIGMOID,
    SQUARED,
    TANH,
    activate,
    add_row_products_to,
    add_rows_to,
    backward,
    fill,
    gelu_bend,
    gelu_unit,
    layer_of,
    multiply_by,
    normalize,
    output_errors,
    part,
    share,
    sigmoid_bend,
    sigmoid_unit,
    softmax,
    take_rows,
    tanh_bend,
    tanh_unit,
)


def activate_along(scratch, layer, count):
    """Turn Z into values and its changes into theirs, beside slopes, and the bends of the activation times changes."""
    if layer.activation == SIGMOID:
        bend_all(sigmoid_unit, sigmoid_bend, scratch, layer, count)
    elif layer.activation == TANH:
        bend_all(tanh_unit, tanh_bend, scratch, layer, count)
    elif layer.activation == GELU:
        bend_all(gelu_unit, gelu_bend, scratch, layer, count)
    else:
        activate(scratch, layer.value, layer.slope, count, layer.activation)
        multiply_by(scratch, layer.change, layer.slope, count)


def bend_all(unit, bend, scratch, layer, count):
    wide_vectors()
    z, slopes = part(scratch, layer.value, count), part(scratch, layer.slope, count)
    changes, turns = part(scratch, layer.change, count), part(scratch, layer.turn, count)
    for k in range(len(z)):
        x, change = z[k], changes[k]
        value, slope = unit(x)
        z[k], slopes[k] = value, slope
        changes[k], turns[k] = slope * change, bend(x, value, slope) * change


def turn_back(scratch, delta, change, layer, count):
    """Take derivatives by values, and their changes, back through the activation."""
    wide_vectors()
    deltas, changes = part(scratch, delta, count), part(scratch, change, count)
    slopes, turns = part(scratch, layer.slope, count), part(scratch, layer.turn, count)
    bends = layer.activation == SIGMOID or layer.activation == TANH or layer.activation == GELU
    for k in range(len(changes)):
        changes[k] *= slopes[k]
    if bends:
        for k in range(len(changes)):
            changes[k] += deltas[k] * turns[k]
    for k in range(len(deltas)):
        deltas[k] *= slopes[k]


def normalize_along(scratch, layer, moments, weights, ways, rows):
    """Take changes of Z through batch normalization; keep those of the standardized values, and Σ standard · change."""
    wide_vectors()
    width = layer.fan_out
    total, drift = part(scratch, moments, width), part(scratch, layer.moved + rows * width, width)
    scales, inverses, count = part(weights, layer.norm, width), part(scratch, layer.inverse, width), float(rows)
    by_scale, by_shift = part(ways, layer.norm, width), part(ways, layer.norm + width, width)
    fill(scratch, moments, width, 0.0)
    add_rows_to(total, scratch, layer.change, rows, width)
    fill(scratch, layer.moved + rows * width, width, 0.0)
    add_row_products_to(drift, scratch, layer.change, layer.standard, rows, width)
    for i in range(rows):
        changes, moved = part(scratch, layer.change + i * width, width), part(scratch, layer.moved + i * width, width)
        standards = part(scratch, layer.standard + i * width, width)
        for k in range(len(total)):
            moved[k] = inverses[k] * (changes[k] - total[k] / count - standards[k] * (drift[k] / count))
            changes[k] = moved[k] * scales[k] + standards[k] * by_scale[k] + by_shift[k]


def normalize_along_backward(scratch, delta, change, layer, moments, weights, ways, found, rows):
    """Take derivatives behind batch normalization, and their changes, to those before; find scale's and shift's."""
    wide_vectors()
    width, norm, count = layer.fan_out, layer.norm, float(rows)
    scales, inverses, of_scales = (
        part(weights, norm, width),
        part(scratch, layer.inverse, width),
        part(ways, norm, width),
    )
    by_scale, by_shift = part(found, norm, width), part(found, norm + width, width)
    drift = part(scratch, layer.moved + rows * width, width)
    total, along, turned = (
        part(scratch, moments, width), part(scratch, moments + width, width), part(scratch, moments + 2 * width, width)
    )  # fmt: skip
    fill(scratch, moments, 3 * width, 0.0)
    fill(found, norm, 2 * width, 0.0)
    add_rows_to(total, scratch, delta, rows, width)
    add_row_products_to(along, scratch, delta, layer.standard, rows, width)
    add_row_products_to(turned, scratch, delta, layer.moved, rows, width)
    add_row_products_to(by_scale, scratch, change, layer.standard, rows, width)
    add_rows_to(by_shift, scratch, change, rows, width)
    for i in range(rows):
        deltas, changes = part(scratch, delta + i * width, width), part(scratch, change + i * width, width)
        standards, moved = (
            part(scratch, layer.standard + i * width, width), part(scratch, layer.moved + i * width, width)
        )  # fmt: skip
        for k in range(len(total)):
            rest = deltas[k] - total[k] / count - standards[k] * (along[k] / count)
            more = changes[k] - by_shift[k] / count - standards[k] * (by_scale[k] / count)
            more -= moved[k] * (along[k] / count)
            more -= standards[k] * (turned[k] / count)
            shrunk = -inverses[k] * inverses[k] * (drift[k] / count)
            deltas[k] = scales[k] * inverses[k] * rest
            changes[k] = (of_scales[k] * inverses[k] + scales[k] * shrunk) * rest + scales[k] * inverses[k] * more
    for k in range(len(turned)):
        by_scale[k] += turned[k]


def forward_along(scratch, weights, ways, rows, net, layout, eps):
    """Leave each layer's values and their changes in their places, and what the way back needs."""
    before, ahead, zero = net.input, net.input, (scratch, net.zero, 0, 0)
    for number in range(net.layers):
        layer = layer_of(layout, number)
        fan_in, fan_out, z, bias = layer.fan_in, layer.fan_out, layer.value, layer.bias
        of_weights, along = (weights, layer.weight, fan_out, 1), (ways, layer.weight, fan_out, 1)
        values, changes = (scratch, before, fan_in, 1), (scratch, layer.change, fan_out, 1)
        start, begin = (weights, bias, 0, 1) if bias >= 0 else zero, (ways, bias, 0, 1) if bias >= 0 else zero
        multiply((scratch, z, fan_out, 1), start, values, of_weights, rows, fan_in, fan_out)
        multiply(changes, begin, values, along, rows, fan_in, fan_out)
        if number > 0:
            multiply(changes, changes, (scratch, ahead, fan_in, 1), of_weights, rows, fan_in, fan_out)
        if layer.norm >= 0:
            normalize(
                scratch, z, layer.standard, layer.inverse, net.totals, weights, layer.norm, rows, fan_out, eps
            )  # fmt: skip
            normalize_along(scratch, layer, net.moments, weights, ways, rows)
        if number < net.layers - 1:
            activate_along(scratch, layer, rows * fan_out)
        before, ahead = z, layer.change


def output_changes(scratch, z, change, rows, net):
    """Turn outputs into the derivatives of the loss by them, and their changes into those of the derivatives."""
    wide_vectors()
    k, count = net.outputs, float(net.rows)
    if net.loss == SQUARED:
        factor, changes = float(2.0 / (net.rows * k)), part(scratch, change, rows * k)
        for j in range(len(changes)):
            changes[j] *= factor
        output_errors(scratch, scratch[:0], z, rows, net)
        return
    softmax(scratch, z, rows, net)
    share(scratch, z, rows, net)
    factor = float(1.0 / net.rows)
    fill(scratch, net.largest, rows, 0.0)
    for i in range(rows):
        mean = part(scratch, net.largest + i, 1)
        for o in range(k):
            shares, changes = part(scratch, z + i * k + o, 1), part(scratch, change + i * k + o, 1)
            for j in range(len(mean)):
                mean[j] += shares[j] * changes[j]
        for o in range(k):
            shares, changes = part(scratch, z + i * k + o, 1), part(scratch, change + i * k + o, 1)
            for j in range(len(mean)):
                changes[j] = shares[j] * (changes[j] - mean[j] * count)
        mine = part(scratch, z + i * k + int(scratch[(net.target + i) * VECTOR]), 1)
        for j in range(len(mine)):
            mine[j] -= factor


def backward_along(scratch, weights, ways, found, rows, fresh, net, layout):
    """Add to what is found, or `fresh` to zeros, what follows from derivatives by the output, and their changes."""
    following, spare, ahead, spare_change = net.delta, net.next_delta, net.delta_change, net.next_change
    more, zero, ones = part(scratch, net.more, net.d), (scratch, net.zero, 0, 0), (scratch, net.one, 0, 0)
    last = layer_of(layout, net.layers - 1)
    delta, change = last.value, last.change
    for number in range(net.layers - 1, -1, -1):
        layer = layer_of(layout, number)
        fan_in, fan_out, weight = layer.fan_in, layer.fan_out, layer.weight
        if number < net.layers - 1:
            turn_back(scratch, delta, change, layer, rows * fan_out)
        if layer.norm >= 0:
            normalize_along_backward(scratch, delta, change, layer, net.moments, weights, ways, found, rows)
        deltas, changes = (scratch, delta, fan_out, 1), (scratch, change, fan_out, 1)
        if layer.bias >= 0:
            of_bias = found, layer.bias, 0, 1
            multiply(of_bias, zero if fresh else of_bias, ones, changes, 1, rows, fan_out)
        before = layer_of(layout, number - 1).value if number > 0 else net.input
        by_weight, by_more = (found, weight, fan_out, 1), (more, weight, fan_out, 1)
        multiply(by_weight, zero if fresh else by_weight, (scratch, before, 1, fan_in), changes, fan_in, rows, fan_out)
        if number > 0:
            moved = scratch, layer_of(layout, number - 1).change, 1, fan_in
            multiply(by_more, zero if fresh else by_more, moved, deltas, fan_in, rows, fan_out)
            transposed, along = (weights, weight, 1, fan_out), (ways, weight, 1, fan_out)
            sums = scratch, ahead, fan_in, 1
            multiply(sums, zero, changes, transposed, rows, fan_out, fan_in)
            multiply(sums, sums, deltas, along, rows, fan_out, fan_in)
            multiply((scratch, following, fan_in, 1), zero, deltas, transposed, rows, fan_out, fan_in)
            delta, following, spare = following, spare, following
            change, ahead, spare_change = ahead, spare_change, ahead


def add_more(scratch, found, net, layout):
    """Add the second sums of the weights to the first; the first layer's input does not change, and has none."""
    wide_vectors()
    for number in range(1, net.layers):
        layer = layer_of(layout, number)
        count = layer.fan_in * layer.fan_out
        to, others = part(found, layer.weight, count), part(scratch, net.more + layer.weight, count)
        for k in range(len(to)):
            to[k] += others[k]


def add_penalty_products(way, out, lane, net, layout, l2):
    for number in range(net.layers):
        layer = layer_of(layout, number)
        for k in range(layer.weight, layer.weight + layer.fan_in * layer.fan_out):
            along, to = way[k, lane : lane + VECTOR], out[k, lane : lane + VECTOR]
            for j in range(VECTOR):
                to[j] += l2 * along[j]


def backward_changes(scratch, weights, ways, found, rows, fresh, net, layout):
    """Do what `backward_along` does of the matrix of Gauss and Newton: take back the changes of derivatives alone."""
    last, count = layer_of(layout, net.layers - 1), rows * net.outputs
    to, changes = part(scratch, last.value, count), part(scratch, last.change, count)
    for k in range(len(to)):
        to[k] = changes[k]
    backward(scratch, weights, found, rows, fresh, net, layout)


def add_nothing(scratch, found, net, layout):
    """Do what `add_more` does where there are no second sums."""


def lane_products(back, add, theta, way, out, work, n, data, layout, t):
    """Fill ``out[:, :n]`` with the Hessian, or what two functions make of it, times `way`."""
    scratch, width = work.reshape(-1), theta.shape[1]
    points, directions, products = theta.reshape(-1), way.reshape(-1), out.reshape(-1)
    net, constants = record(layout, 0, NETWORK), record(data, 0, CONSTANTS)
    rows, d, chunk, last = net.rows, net.d, net.some, layer_of(layout, net.layers - 1)
    packed = net.plain == 0 or width != VECTOR
    weights = part(scratch, 0, d) if packed else points
    found = part(scratch, d, d) if packed else products
    ways = part(scratch, net.ways, d) if packed else directions
    fill(scratch, net.zero, 1, 0.0)
    fill(scratch, net.one, 1, 1.0)
    for lane in range(0, n, VECTOR):
        if packed:
            for k in range(d):
                copy_vector(weights, k * VECTOR, points, k * width + lane, data[FACTORS + k])
                copy_vector(ways, k * VECTOR, directions, k * width + lane, data[FACTORS + k])
        for first in range(0, rows, chunk):
            count = min(chunk, rows - first)
            take_rows(scratch, data, net, layout, t, first, count)
            forward_along(scratch, weights, ways, count, net, layout, constants.eps)
            output_changes(scratch, last.value, last.change, count, net)
            back(scratch, weights, ways, found, count, first == 0, net, layout)
        add(scratch, found, net, layout)
        if packed:
            for k in range(d):
                copy_vector(products, k * width + lane, found, k * VECTOR, data[FACTORS + k])
        if constants.l2 != 0.0:
            add_penalty_products(way, out, lane, net, layout, constants.l2)


def lane_product(theta, way, out, work, n, data, layout, t):
    """Fill ``out[:, :n]`` with the Hessian times `way`; see `LaneKernel`."""
    lane_products(backward_along, add_more, theta, way, out, work, n, data, layout, t)


def lane_gauss_newton(theta, way, out, work, n, data, layout, t):
    """Fill ``out[:, :n]`` with the matrix of Gauss and Newton times `way`; see `LaneKernel`."""
    lane_products(backward_changes, add_nothing, theta, way, out, work, n, data, layout, t)


_fused = Reading({"multiply": multiply_fused})
PRODUCTS = {
    "exact": (lane_product, lane_gauss_newton),
    "fused": (_fused(lane_product), _fused(lane_gauss_newton)),
}
"""By arithmetic, products with the Hessian in lanes, and with the matrix of Gauss and Newton."""
