"""Products of the Hessian of a network's loss with directions, exactly: Pearlmutter's R{·} (1994).

R{f} is the derivative of f along a direction v of the parameters, so that R{gradient} = H v. With W′ for v's part of
the weights W, and likewise for biases, scales and shifts, forwards

    R{Z} = R{A} W + A W′ + b′      R{A} = slope · R{Z}

and back, with D = ∂loss/∂Z and bend the second derivative of the activation,

    R{D} = R{∂loss/∂A} · slope + ∂loss/∂A · bend · R{Z}      R{∂loss/∂A} = R{D} Wᵀ + D W′ᵀ
    R{gradient} = R{A}ᵀ D + Aᵀ R{D}

through batch normalization as its two formulas are differentiated. Everything that the points alone tell is computed
once, so that a product takes no activation, and less time than two gradients. Across a kink of relu the bend is 0, and
so is that of l1's penalty.

Source: B. A. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994), section 3.1.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from gdfast.formulas.elementary import Array, exp
from gdfast.problems.networks.arithmetic import Blas
from gdfast.problems.networks.lanes import GELU, SIGMOID, SQUARED, TANH
from gdfast.problems.networks.parameters import Layer
from gdfast.problems.networks.passes import Network, Pass

_ROOT_TWO_PI = math.sqrt(2 * math.pi)


class _Kept(NamedTuple):
    """What the products need of a layer: its pass, ∂loss/∂Z, and ∂loss/∂A · bend; batch normalization's own."""

    way: Pass
    delta: Array  # by what comes out of the products of the layer
    curved: Any  # None in the last layer, and where the activation has no bend
    normal: Any  # by what comes out of batch normalization, None without


class HessianProducts:
    """The Hessian at some points, to be multiplied by directions.

    Parameters
    ----------
    network : Network
        What computes.
    points : ndarray
        Where, ``float64[n, d]``.
    X, y : ndarray
        The data.
    """

    def __init__(self, network: Network, points: Array, X: Array, y: Array) -> None:
        self.network, self.n, self.m, self.ones = network, len(points), len(y), np.ones((1, len(y)))
        self.scaled = (points * network.factors).T
        arithmetic = self.arithmetic = Blas()
        passes = network.forward(self.scaled, X, arithmetic)
        self.powers = None
        if network.kind != SQUARED:
            _, powers, sums = arithmetic.softmax(passes[-1].value)
            self.powers = powers / sums[..., None]
        delta = network.output_errors(passes[-1].value, y, arithmetic)
        self.kept: list[_Kept] = []
        for layer, way in zip(reversed(network.layers), reversed(passes), strict=True):
            curved = normal = None
            if way.slope is not None:
                bend = _bend(layer.activation, way)
                curved = None if bend is None else delta * bend
                delta = delta * way.slope
            if way.standard is not None:
                normal = delta
                delta = layer.row(self.scaled, layer.norm) * way.inverse * self._rest(delta, way.standard)
            self.kept.insert(0, _Kept(way, delta, curved, normal))
            if layer is network.layers[0]:
                break
            delta = arithmetic.product(delta, layer.matrix(self.scaled).swapaxes(1, 2))

    def __call__(self, directions: Array) -> Array:
        """Return H v for each of ``directions (n, d)``, ``float64[n, d]``."""
        network, arithmetic = self.network, self.arithmetic
        along = (directions * network.factors).T
        ahead: Any = None  # R{A} of the layer before
        moved: list[tuple[Any, Any, Any]] = []  # R{A before}, R{Z} and R{standard} of each layer
        for layer, kept in zip(network.layers, self.kept, strict=True):
            z = arithmetic.product(kept.way.before, layer.matrix(along), _row(layer, along, layer.bias))
            if ahead is not None:
                z += arithmetic.product(ahead, layer.matrix(self.scaled))
            of_layer, standard = z, None
            if kept.way.standard is not None:
                standard = kept.way.inverse * self._rest(z, kept.way.standard)
                z = standard * layer.row(self.scaled, layer.norm) + kept.way.standard * layer.row(along, layer.norm)
                z += layer.row(along, layer.norm + layer.fan_out)
            moved.append((ahead, (of_layer, z), standard))
            ahead = z if kept.way.slope is None else kept.way.slope * z
        return self._back(along, ahead, moved, directions)

    def _back(self, along: Array, output: Array, moved: list[tuple[Any, Any, Any]], directions: Array) -> Array:
        network, arithmetic = self.network, self.arithmetic
        found = np.empty(along.shape)
        if self.powers is None:
            change = output * (2.0 / (self.m * network.outputs))
        else:
            mean = np.einsum("nro,nro->nr", self.powers, output)[..., None]
            change = self.powers * (output - mean) / self.m
        for index in range(len(self.kept) - 1, -1, -1):
            layer, kept, (before, (of_layer, z), standard) = network.layers[index], self.kept[index], moved[index]
            if kept.way.slope is not None:
                change = change * kept.way.slope
                if kept.curved is not None:
                    change += kept.curved * z
            if standard is not None:
                change = self._normalized(layer, kept, along, found, change, of_layer, standard)
            if layer.bias >= 0:
                found[layer.bias : layer.bias + layer.fan_out] = self._row_sum(change)[:, 0].T
            by_weight = np.matmul(kept.way.before.swapaxes(1, 2), change)
            if before is not None:
                by_weight += np.matmul(before.swapaxes(1, 2), kept.delta)
            found[layer.weights] = np.moveaxis(by_weight, 0, -1).reshape(layer.fan_in * layer.fan_out, self.n)
            if index > 0:
                change = arithmetic.product(change, layer.matrix(self.scaled).swapaxes(1, 2))
                change += arithmetic.product(kept.delta, layer.matrix(along).swapaxes(1, 2))
        found *= network.factors[:, None]
        if network.l2:
            for layer in network.layers:
                found[layer.weights] += network.l2 * directions.T[layer.weights]
        return np.ascontiguousarray(found.T)

    def _normalized(
        self, layer: Layer, kept: _Kept, along: Array, found: Array, change: Array, of_layer: Array, standard: Array
    ) -> Array:
        """R{D} before batch normalization, from that behind it; what scales and shifts get is put into `found`."""
        way, scale, row_sum = kept.way, layer.norm, self._row_sum
        found[scale : scale + layer.fan_out] = row_sum(change * way.standard + kept.normal * standard)[:, 0].T
        found[scale + layer.fan_out : layer.end] = row_sum(change)[:, 0].T
        rest = self._rest(kept.normal, way.standard)
        shrunk = -way.inverse * way.inverse * (row_sum(way.standard * of_layer) / self.m)
        moved = self._rest(change, way.standard)
        moved -= standard * (row_sum(kept.normal * way.standard) / self.m)
        moved -= way.standard * (row_sum(kept.normal * standard) / self.m)
        scales, of_scales = layer.row(self.scaled, scale), layer.row(along, scale)
        return np.asarray((of_scales * way.inverse + scales * shrunk) * rest + scales * way.inverse * moved)

    def _row_sum(self, values: Array) -> Array:
        """The sums over rows, (n, 1, width); by BLAS, which takes a fifth of the time of `sum` along this axis."""
        return np.asarray(np.matmul(self.ones, values))

    def _rest(self, values: Array, standard: Array) -> Array:
        """Values without their mean and their part along the standardized values."""
        row_sum = self._row_sum
        return np.asarray(values - row_sum(values) / self.m - standard * (row_sum(values * standard) / self.m))


def _row(layer: Layer, theta: Array, at: int) -> Any:
    return layer.row(theta, at) if at >= 0 else 0.0


def _bend(activation: int, way: Pass) -> Any:
    """The second derivative of an activation at a pass; None where it is 0."""
    if activation == SIGMOID:
        return way.slope * (1.0 - 2.0 * way.value)
    if activation == TANH:
        return -2.0 * way.value * way.slope
    if activation == GELU:
        square = way.entering * way.entering
        return (2.0 - square) * exp(-0.5 * square) / _ROOT_TWO_PI
    return None
