"""Loss and gradient of fully connected networks in NumPy: forwards, and back by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gdfast.formulas.elementary import Array, log, sign, sqrt
from gdfast.formulas.lane_readings import lanes_in
from gdfast.formulas.noise import quantile, uniform_of
from gdfast.problems._stepping import real_of
from gdfast.problems.networks.arithmetic import Blas
from gdfast.problems.networks.lanes import LOSSES, SQUARED, UNITS
from gdfast.problems.networks.parameters import Layer


@dataclass(frozen=True)
class Network:
    """What a network computes, whatever its data; the formulas are in `mlp`.

    Attributes
    ----------
    layers : tuple of Layer
        Where each layer's parameters are.
    factors : ndarray
        What each parameter is multiplied by, ``float64[d]``.
    loss_name : str
        ``squared`` or ``cross_entropy``.
    l2, l1 : float
        Penalties on weights.
    eps : float
        Added to batch normalization's variances.
    """

    layers: tuple[Layer, ...]
    factors: Array
    loss_name: str
    l2: float
    l1: float
    eps: float

    @property
    def kind(self) -> int:
        """The number of the loss."""
        return LOSSES.index(self.loss_name)

    @property
    def outputs(self) -> int:
        """How many outputs it has."""
        return self.layers[-1].fan_out

    def forward(self, theta: Array, X: Array, arithmetic: Blas) -> list["Pass"]:
        """Values, slopes and what batch normalization needs, layer by layer; arrays (n, rows, width)."""
        passes, value = [], X[None]
        for layer in self.layers:
            bias = layer.row(theta, layer.bias) if layer.bias >= 0 else 0.0
            z = arithmetic.product(value, layer.matrix(theta), bias)
            standard = inverse = None
            if layer.norm >= 0:
                standard = z - arithmetic.row_sum(z) / z.shape[1]
                inverse = 1.0 / sqrt(arithmetic.row_sum(standard * standard) / z.shape[1] + self.eps)
                standard = standard * inverse
                z = standard * layer.row(theta, layer.norm) + layer.row(theta, layer.norm + layer.fan_out)
            entering, slope = z, None
            if layer is not self.layers[-1]:
                z, slope = lanes_in(UNITS[layer.activation], z.dtype.name)(z)
            passes.append(Pass(value, entering, z, slope, standard, inverse))
            value = z
        return passes

    def loss(self, theta: Array, X: Array, y: Array, arithmetic: Blas) -> Array:
        """Return the loss over some rows, with the penalties, ``float64[n]``."""
        X, y, factors = (array.astype(real_of(theta), copy=False) for array in (X, y, self.factors))
        output = self.forward(factors[:, None] * theta, X, arithmetic)[-1].value
        if self.kind == SQUARED:
            errors = output - y
            total = arithmetic.sum((errors * errors).reshape(len(errors), len(y) * self.outputs)) / (
                len(y) * self.outputs
            )
        else:
            largest, _, sums = arithmetic.softmax(output)
            chosen = output[:, np.arange(len(y)), y.astype(np.int64)]
            total = arithmetic.sum(log(sums) - (chosen - largest)) / len(y)
        if self.l2 or self.l1:
            weights = np.concatenate([theta[layer.weights] for layer in self.layers]).T
            squares, sizes = arithmetic.sum(weights * weights), arithmetic.sum(np.abs(weights))
            total = total + (0.5 * self.l2 * squares + self.l1 * sizes)
        return total

    def gradient(self, theta: Array, X: Array, y: Array, arithmetic: Blas) -> Array:
        """Return the gradient of `loss`, ``float64[d, n]``."""
        X, y, factors = (array.astype(real_of(theta), copy=False) for array in (X, y, self.factors))
        scaled = factors[:, None] * theta
        passes = self.forward(scaled, X, arithmetic)
        grad = self.backward(scaled, passes, self.output_errors(passes[-1].value, y, arithmetic), arithmetic)
        grad *= factors[:, None]
        if self.l2 or self.l1:
            for layer in self.layers:
                weights = theta[layer.weights]
                grad[layer.weights] += self.l2 * weights + self.l1 * sign(weights)
        return grad

    def backward(self, scaled: Array, passes: Sequence["Pass"], delta: Array, arithmetic: Blas) -> Array:
        """Derivatives by what `forward` is given, ``dtype[d, n]``, from those by the output."""
        grad = np.empty(scaled.shape, scaled.dtype)
        for index in range(len(self.layers) - 1, -1, -1):
            layer, kept = self.layers[index], passes[index]
            if kept.slope is not None:
                delta = delta * kept.slope
            if kept.standard is not None:
                scale, m = layer.norm, delta.shape[1]
                by_scale, by_shift = arithmetic.row_sum(delta * kept.standard), arithmetic.row_sum(delta)
                rest = delta - by_shift / m - kept.standard * (by_scale / m)
                delta = layer.row(scaled, scale) * kept.inverse * rest
                grad[scale : scale + layer.fan_out] = by_scale[:, 0].T
                grad[scale + layer.fan_out : layer.end] = by_shift[:, 0].T
            if layer.bias >= 0:
                grad[layer.bias : layer.bias + layer.fan_out] = arithmetic.row_sum(delta)[:, 0].T
            by_weight = arithmetic.product(kept.before.swapaxes(1, 2), delta)
            grad[layer.weights] = np.moveaxis(by_weight, 0, -1).reshape(layer.fan_in * layer.fan_out, scaled.shape[1])
            if index > 0:
                delta = arithmetic.product(delta, layer.matrix(scaled).swapaxes(1, 2))
        return grad

    def fisher(self, theta: Array, X: Array, seeds: Array, arithmetic: Blas) -> Array:
        """Return B ĝ ⊙ ĝ, ``float64[d, n]``: the gradient of B rows with targets that the outputs stand for.

        They are drawn by a number of ``seeds float64[n]`` for each point: classes by their probabilities, numbers from
        normal distributions about the outputs of variance k/2, since the loss is a mean over the k outputs of squares.
        """
        X, factors = (array.astype(real_of(theta), copy=False) for array in (X, self.factors))
        scaled = factors[:, None] * theta
        passes = self.forward(scaled, X, arithmetic)
        errors = self._drawn_errors(passes[-1].value, seeds, arithmetic)
        grad = self.backward(scaled, passes, errors, arithmetic)
        grad *= factors[:, None]
        return np.asarray(float(len(X)) * (grad * grad))

    def _drawn_errors(self, output: Array, seeds: Array, arithmetic: Blas) -> Array:
        (n, m, k), real = output.shape, output.dtype.type
        if self.kind == SQUARED:
            chances = uniform_of(seeds[:, None], np.arange(m * k)).astype(real)
            return np.asarray(-sqrt(real(2.0 / (k * m * m))) * quantile(chances)).reshape(n, m, k)
        _, powers, sums = arithmetic.softmax(output)
        errors = powers * (1.0 / m / sums)[..., None]
        left, factor = real(1.0 / m) * uniform_of(seeds[:, None], np.arange(m)).astype(real), real(1.0 / m)
        for c in range(k):
            after = left - errors[..., c]
            errors[..., c] -= factor * ((left > 0) & ((after <= 0) | (c == k - 1)))
            left = after
        return np.asarray(errors)

    def output_errors(self, output: Array, y: Array, arithmetic: Blas) -> Array:
        """The derivatives of the loss by the last layer's Z."""
        errors: Array
        if self.kind == SQUARED:
            errors = 2.0 / (len(y) * self.outputs) * (output - y)
        else:
            _, powers, sums = arithmetic.softmax(output)
            errors = powers * (1.0 / len(y) / sums)[..., None]
            errors[:, np.arange(len(y)), y.astype(np.int64)] -= 1.0 / len(y)
        return errors


@dataclass
class Pass:
    """What the way back needs of a layer: its input, what enters the activation, value, slope; normalization's own."""

    before: Array
    entering: Array
    value: Array
    slope: Any
    standard: Any
    inverse: Any
