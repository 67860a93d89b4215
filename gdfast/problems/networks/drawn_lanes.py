"""The diagonal of networks' matrices of Gauss and Newton in lanes, by targets drawn from what outputs stand for.

As `gdfast.problems.networks.lanes`, whose passes take back other derivatives by the outputs; in NumPy it is
`gdfast.problems.networks.passes.Network.fisher`.
"""

from gdfast.formulas.elementary import select, sqrt
from gdfast.formulas.lane_products import VECTOR, copy_vector, multiply_fused
from gdfast.formulas.lane_readings import Reading
from gdfast.formulas.noise import quantile, uniform_of
from gdfast.formulas.records import record
from gdfast.problems.networks.lanes import (
    CONSTANTS,
    FACTORS,
    NETWORK,
    SQUARED,
    backward,
    fill,
    forward,
    layer_of,
    part,
    share,
    softmax,
    take_rows,
)


def drawn_errors(scratch, seeds, z, rows, first, net):
    """Turn outputs of rows from the first on into the derivatives by them of the loss at drawn targets."""
    k = net.outputs
    if net.loss == SQUARED:
        factor = -sqrt(float(2.0 / (k * net.rows * net.rows)))
        for i in range(rows * k):
            values = part(scratch, z + i, 1)
            for j in range(VECTOR):
                values[j] = factor * quantile(float(uniform_of(seeds[j], first * k + i)))
        return
    softmax(scratch, z, rows, net)
    share(scratch, z, rows, net)
    factor = float(1.0 / net.rows)
    for i in range(rows):
        left = part(scratch, net.largest + i, 1)
        for j in range(VECTOR):
            left[j] = factor * float(uniform_of(seeds[j], first + i))
        for o in range(k):
            shares = part(scratch, z + i * k + o, 1)
            for j in range(VECTOR):
                after = left[j] - shares[j]
                is_it = (left[j] > 0.0) & ((after <= 0.0) | (o == k - 1))
                shares[j] -= select(is_it, factor, 0.0)
                left[j] = after


def lane_fisher(theta, seeds, out, work, n, data, layout, t):
    """Fill ``out[:, :n]`` with the estimate; see `LaneKernel`."""
    scratch, points, squares, width = work.reshape(-1), theta.reshape(-1), out.reshape(-1), theta.shape[1]
    net, constants = record(layout, 0, NETWORK), record(data, 0, CONSTANTS)
    rows, d, chunk, last = net.rows, net.d, net.chunk, layer_of(layout, net.layers - 1).value
    packed = net.plain == 0 or width != VECTOR
    weights = part(scratch, 0, d) if packed else points
    grads = part(scratch, d, d) if packed else squares
    fill(scratch, net.zero, 1, 0.0)
    fill(scratch, net.one, 1, 1.0)
    for lane in range(0, n, VECTOR):
        if packed:
            for k in range(d):
                copy_vector(weights, k * VECTOR, points, k * width + lane, data[FACTORS + k])
        for first in range(0, rows, chunk):
            count = min(chunk, rows - first)
            take_rows(scratch, data, net, layout, t, first, count)
            forward(scratch, weights, count, net, layout, constants.eps)
            drawn_errors(scratch, seeds[0, lane : lane + VECTOR], last, count, first, net)
            backward(scratch, weights, grads, count, first == 0, net, layout)
        if packed:
            for k in range(d):
                copy_vector(squares, k * width + lane, grads, k * VECTOR, data[FACTORS + k])
        for k in range(d):
            values = out[k, lane : lane + VECTOR]
            for j in range(VECTOR):
                values[j] = float(rows) * (values[j] * values[j])


_fused = Reading({"multiply": multiply_fused})
FISHER = {"exact": lane_fisher, "fused": _fused(lane_fisher)}
"""By arithmetic, the estimate in lanes."""
