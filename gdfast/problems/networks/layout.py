"""What the lane kernel of networks reads: the records of a network and its layers, and the numbers."""

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.formulas.records import packed
from gdfast.problems.networks.lanes import FACTORS, FIRST_LAYER, LAYER, NETWORK, WORDS_OF_A_LAYER
from gdfast.problems.networks.passes import Network

_SECOND_CACHE = 8192  # vectors of activations that a chunk of rows may take: 512 KiB
_FEWEST_ROWS = 16  # rows a chunk has at least, so that weights are read for many


def layout_of(network: Network, X: Array, y: Array, rows: int, batches: bool) -> tuple[NDArray[np.int64], int, int]:
    """Return the layout for so many rows a step, and the vectors of scratch memory it takes, with products and without.

    If each step has rows of its own, these are to follow.
    """
    d, targets = network.layers[-1].end, y.size // len(y)
    widest = max(layer.fan_out for layer in network.layers)
    inputs = network.layers[0].fan_in
    each_row = 2 * (sum(layer.fan_out for layer in network.layers) + widest) + inputs
    chunk = max(_FEWEST_ROWS, _SECOND_CACHE // each_row // 4 * 4)
    normalized = any(layer.norm >= 0 for layer in network.layers)
    chunk = rows if normalized else min(rows, chunk)
    some = rows if normalized else min(chunk, max(_FEWEST_ROWS, chunk // 8 * 4))
    end = 2 * d

    def take(vectors: int) -> int:
        nonlocal end
        end += vectors
        return end - vectors

    net, layers = np.zeros((), NETWORK), np.zeros(len(network.layers), LAYER)
    sizes = {"layers": len(layers), "rows": rows, "inputs": inputs, "outputs": network.outputs, "targets": targets}
    x = FACTORS + d
    values = {
        **sizes,
        "chunk": chunk,
        "loss": network.kind,
        "d": d,
        "plain": (network.factors == 1).all(),
        "table": FIRST_LAYER + len(layers) * WORDS_OF_A_LAYER if batches else 0,
        "x": x,
        "y": x + X.size,
        "delta": take(chunk * widest),
        "next_delta": take(chunk * widest),
        "totals": take(widest),
        "zero": take(1),
        "one": take(1),
        "largest": take(chunk),
        "sums": take(chunk),
        "input": take(chunk * inputs),
        "target": take(chunk * targets),
    }
    for name, value in values.items():
        net[name] = value
    for layer, record in zip(network.layers, layers, strict=True):
        size, norm = chunk * layer.fan_out, layer.norm >= 0
        for name in ("fan_in", "fan_out", "weight", "bias", "norm", "activation"):
            record[name] = getattr(layer, name)
        record["value"], record["slope"] = take(size), take(size)
        if norm:
            record["standard"], record["inverse"] = take(size), take(layer.fan_out)
    evaluating = end  # what only products need comes last
    values = {
        "some": some,
        "ways": take(d),
        "more": take(d),
        "delta_change": take(some * widest),
        "next_change": take(some * widest),
        "moments": take(3 * widest),
    }
    for name, value in values.items():
        net[name] = value
    for layer, record in zip(network.layers, layers, strict=True):
        size = some * layer.fan_out
        record["turn"], record["change"] = take(size), take(size)
        if layer.norm >= 0:
            record["moved"] = take(size + layer.fan_out)
    return packed(net, layers), end, evaluating


def numbers_of(network: Network, X: Array, y: Array) -> Array:
    """Return constants, factors, X and y, ``float64[:]``."""
    return np.concatenate([[network.eps, network.l2, network.l1], network.factors, X.ravel(), y.ravel()])
