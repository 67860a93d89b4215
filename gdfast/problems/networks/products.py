"""Products of the Hessian of a network's loss with directions, exactly: Pearlmutter's R{·} (1994).

R{f} is the derivative of f along a direction v of the parameters, so that R{gradient} = H v. With W′ for v's part of
the weights W, and likewise for biases, scales and shifts, forwards

    R{Z} = A W′ + b′ + R{A} W      R{A} = slope · R{Z}

and back, with D = ∂loss/∂Z and bend the second derivative of the activation,

    R{D} = R{∂loss/∂A} · slope + ∂loss/∂A · bend · R{Z}      R{∂loss/∂A} = R{D} Wᵀ + D W′ᵀ
    R{gradient} = Aᵀ R{D} + R{A}ᵀ D

through batch normalization as its two formulas are differentiated. Everything that the points alone tell is computed
once, so that a product takes no activation, and less time than two gradients. Across a kink of relu the bend is 0, and
so is that of l1's penalty.

The matrix of Gauss and Newton is Jᵀ B J, J the derivatives of the outputs and B the loss's second derivatives by them:
B R{output} taken back as D is, without D itself. It has no negative curvature, and is the Hessian where the residuals
are 0. The penalty's curvature is its own.

`gdfast.problems.networks.product_lanes` has the same for the compiler.

Sources: B. A. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994), section 3.1;
N. N. Schraudolph, "Fast curvature matrix-vector products for second-order gradient descent", Neural Computation 14
(2002).
"""

from typing import Any, NamedTuple

import numpy as np

from gdfast.formulas.elementary import Array
from gdfast.formulas.lane_readings import lanes_in
from gdfast.problems._stepping import real_of
from gdfast.problems.networks.arithmetic import Blas, Products
from gdfast.problems.networks.lanes import BENDS, SQUARED
from gdfast.problems.networks.parameters import Layer
from gdfast.problems.networks.passes import Network, Pass


class _Kept(NamedTuple):
    """What the products need of a layer: its pass, ∂loss/∂Z and ∂loss/∂A, and the bend; batch normalization's own."""

    way: Pass
    delta: Array  # by what comes out of the products of the layer
    outside: Array  # by its values
    bend: Any  # None in the last layer, and where the activation has no bend
    normal: Any  # by what comes out of batch normalization, None without


class _Moved(NamedTuple):
    """What changes of a layer along a direction: R{A} before it, R{Z}, what R{D} gets by its bend, R{standard}."""

    before: Any
    of_layer: Array
    turn: Any
    standard: Any


class HessianProducts:
    """The Hessian at some points, to be multiplied by directions.

    Parameters
    ----------
    network : Network
        What computes.
    points : ndarray
        Where, ``float64[n, d]``, or float32.
    X, y : ndarray
        The data.
    arithmetic : Blas, optional
        How it multiplies and sums; as NumPy does it fastest if not given.
    """

    def __init__(self, network: Network, points: Array, X: Array, y: Array, arithmetic: Blas | None = None) -> None:
        real = real_of(points)
        X, y, self.factors = (array.astype(real, copy=False) for array in (X, y, network.factors))
        self.network, self.n, self.m = network, len(points), len(y)
        self.scaled = (points * self.factors).T
        arithmetic = self.arithmetic = arithmetic or Products()
        self.passes = passes = network.forward(self.scaled, X, arithmetic)
        self.shares = None
        if network.kind != SQUARED:
            _, powers, sums = arithmetic.softmax(passes[-1].value)
            self.shares = powers * (1.0 / self.m / sums)[..., None]
        delta = network.output_errors(passes[-1].value, y, arithmetic)
        self.kept: list[_Kept] = []
        for layer, way in zip(reversed(network.layers), reversed(passes), strict=True):
            outside, bend, normal = delta, None, None
            if way.slope is not None:
                if layer.activation in BENDS:
                    bend = lanes_in(BENDS[layer.activation], real.name)(way.entering, way.value, way.slope)
                delta = delta * way.slope
            if way.standard is not None:
                normal = delta
                delta = layer.row(self.scaled, layer.norm) * way.inverse * self._rest(delta, way.standard)
            self.kept.insert(0, _Kept(way, delta, outside, bend, normal))
            if layer is network.layers[0]:
                break
            delta = arithmetic.product(delta, layer.matrix(self.scaled).swapaxes(1, 2))

    def __call__(self, directions: Array) -> Array:
        """Return H v for each of ``directions (n, d)``, likewise."""
        along = (directions * self.factors).T
        output, moved = self._forward(along)
        return self._finished(self._back(along, self._changes(output), moved), directions)

    def gauss_newton(self, directions: Array) -> Array:
        """Return Jᵀ B J v for each of ``directions (n, d)``, and the penalty's part."""
        output, _ = self._forward((directions * self.factors).T)
        found = self.network.backward(self.scaled, self.passes, self._changes(output), self.arithmetic)
        return self._finished(found, directions)

    def _forward(self, along: Array) -> tuple[Array, list[_Moved]]:
        """R{output}, and what changes on the way."""
        arithmetic = self.arithmetic
        ahead: Any = None  # R{A} of the layer before
        moved: list[_Moved] = []
        for layer, kept in zip(self.network.layers, self.kept, strict=True):
            z = arithmetic.product(kept.way.before, layer.matrix(along), _row(layer, along, layer.bias))
            if ahead is not None:
                z = arithmetic.product(ahead, layer.matrix(self.scaled), z)
            of_layer, standard = z, None
            if kept.way.standard is not None:
                standard = kept.way.inverse * self._rest(z, kept.way.standard)
                z = standard * layer.row(self.scaled, layer.norm) + kept.way.standard * layer.row(along, layer.norm)
                z += layer.row(along, layer.norm + layer.fan_out)
            moved.append(_Moved(ahead, of_layer, None if kept.bend is None else kept.bend * z, standard))
            ahead = z if kept.way.slope is None else kept.way.slope * z
        return ahead, moved

    def _changes(self, output: Array) -> Array:
        """How the derivatives by the outputs change with these."""
        if self.shares is None:
            return np.asarray(output * (2.0 / (self.m * self.network.outputs)))
        mean = self.arithmetic.sum((self.shares * output).swapaxes(1, 2))[..., None]
        return np.asarray(self.shares * (output - mean * self.m))

    def _back(self, along: Array, change: Array, moved: list[_Moved]) -> Array:
        network, arithmetic = self.network, self.arithmetic
        found = np.empty(along.shape, along.dtype)
        for index in range(len(self.kept) - 1, -1, -1):
            layer, kept, (before, of_layer, turn, standard) = network.layers[index], self.kept[index], moved[index]
            if kept.way.slope is not None:
                change = change * kept.way.slope
                if turn is not None:
                    change += kept.outside * turn
            if standard is not None:
                change = self._normalized(layer, kept, along, found, change, of_layer, standard)
            if layer.bias >= 0:
                found[layer.bias : layer.bias + layer.fan_out] = arithmetic.row_sum(change)[:, 0].T
            by_weight = arithmetic.product(kept.way.before.swapaxes(1, 2), change)
            if before is not None:
                by_weight += arithmetic.product(before.swapaxes(1, 2), kept.delta)
            found[layer.weights] = np.moveaxis(by_weight, 0, -1).reshape(layer.fan_in * layer.fan_out, self.n)
            if index > 0:
                change = arithmetic.product(change, layer.matrix(self.scaled).swapaxes(1, 2))
                change = arithmetic.product(kept.delta, layer.matrix(along).swapaxes(1, 2), change)
        return found

    def _finished(self, found: Array, directions: Array) -> Array:
        """The same by the parameters themselves, with the penalty's part, ``float64[n, d]``."""
        found *= self.factors[:, None]
        if self.network.l2:
            for layer in self.network.layers:
                found[layer.weights] += self.network.l2 * directions.T[layer.weights]
        return np.ascontiguousarray(found.T)

    def _normalized(
        self, layer: Layer, kept: _Kept, along: Array, found: Array, change: Array, of_layer: Array, standard: Array
    ) -> Array:
        """R{D} before batch normalization, from that behind it; what scales and shifts get is put into `found`."""
        way, scale, row_sum = kept.way, layer.norm, self.arithmetic.row_sum
        turned = row_sum(kept.normal * standard)
        found[scale : scale + layer.fan_out] = (row_sum(change * way.standard) + turned)[:, 0].T
        found[scale + layer.fan_out : layer.end] = row_sum(change)[:, 0].T
        rest = self._rest(kept.normal, way.standard)
        shrunk = -way.inverse * way.inverse * (row_sum(way.standard * of_layer) / self.m)
        moved = self._rest(change, way.standard)
        moved -= standard * (row_sum(kept.normal * way.standard) / self.m)
        moved -= way.standard * (turned / self.m)
        scales, of_scales = layer.row(self.scaled, scale), layer.row(along, scale)
        return np.asarray((of_scales * way.inverse + scales * shrunk) * rest + scales * way.inverse * moved)

    def _rest(self, values: Array, standard: Array) -> Array:
        """Values without their mean and their part along the standardized values."""
        row_sum = self.arithmetic.row_sum
        return np.asarray(values - row_sum(values) / self.m - standard * (row_sum(values * standard) / self.m))


def _row(layer: Layer, theta: Array, at: int) -> Any:
    return layer.row(theta, at) if at >= 0 else 0.0
