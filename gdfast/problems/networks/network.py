"""Fully connected networks: their parameters, initialization, loss and gradient; the formulas are in `mlp`.

`MLP.step_gradient` and `MLP.judge` are the reference of the lane kernel: they sum in the same order, so that the two
agree to the bit where only ``+ - * / sqrt`` occur. `MLP.loss` and `MLP.gradient` use BLAS and differ by rounding.
"""

import functools
import itertools
import math
import numbers
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gdfast import arguments, memory
from gdfast.formulas.elementary import Array, exp, log, sign, sqrt, square_scale
from gdfast.formulas.lane_products import VECTOR
from gdfast.formulas.records import packed
from gdfast.problems._data_problem import DataProblem
from gdfast.problems._problem import LaneKernel
from gdfast.problems._stationary import StationaryPoint
from gdfast.problems.networks.lanes import (
    ACTIVATIONS,
    CROSS_ENTROPY,
    FACTORS,
    FIRST_LAYER,
    IDENTITY,
    LAYER,
    LOSSES,
    NETWORK,
    SQUARED,
    UNITS,
    WORDS_OF_A_LAYER,
    lane_both,
    lane_objective,
)
from gdfast.starts import ALIASES, SCHEMES, Starts

_WIDEST = 3.0  # the domain is [−3, 3] for every coordinate
_FITTED = 1e-6  # a loss below this share of the best constant's counts as zero
_SECOND_CACHE = 8192  # vectors of activations that a chunk of rows may take: 512 KiB
_FEWEST_ROWS = 16  # rows a chunk has at least, so that weights are read for many
_BLOCK = 2**17  # numbers in the largest array of activations of the reference
_UNTHREADED = 2**17  # products of numbers in a matrix product that BLAS does on one thread
_DIFFERENCE = 1e-5  # step of the Hessian's differences


@dataclass(frozen=True)
class Layer:
    """One layer: its sizes, and where its parameters begin in theta; `bias` and `norm` are −1 for none."""

    fan_in: int
    fan_out: int
    activation: int
    weight: int
    bias: int
    norm: int
    end: int


def _layers(widths: Sequence[int], activations: Sequence[str], bias: bool, batch_norm: bool) -> tuple[Layer, ...]:
    layers, at = [], 0
    for index, (fan_in, fan_out) in enumerate(itertools.pairwise(widths)):
        hidden = index < len(widths) - 2
        weight, at = at, at + fan_in * fan_out
        b, at = (at, at + fan_out) if bias else (-1, at)
        norm, at = (at, at + 2 * fan_out) if batch_norm and hidden else (-1, at)
        activation = ACTIVATIONS.index(activations[index]) if hidden else IDENTITY
        layers.append(Layer(fan_in, fan_out, activation, weight, b, norm, at))
    return tuple(layers)


class MLP(DataProblem):
    """A fully connected network on data ``X (m, p)`` and targets ``y (m, k)`` or labels ``y (m,)``.

    Attributes
    ----------
    layers : tuple of Layer
        Where each layer's parameters are: weights row by row (a row is what leaves one input), then biases, then
        batch normalization's scale and shift.
    X, y : ndarray
        The data, float64; labels too.
    """

    def __init__(
        self,
        widths: Sequence[int],
        activations: Sequence[str],
        loss: str,
        X: Array,
        y: Array,
        *,
        bias: bool,
        batch_norm: bool,
        fan_in_scaling: bool,
        gain: float,
        output_scale: float,
        l2: float,
        l1: float,
        eps: float,
        batch_size: int | None,
        seed: int,
        layer_rates: bool,
    ) -> None:
        self.layers = _layers(widths, activations, bias, batch_norm)
        super().__init__(X, y, batch_size, seed)
        self.loss_kind, self.outputs = LOSSES.index(loss), widths[-1]
        self.l2, self.l1, self.eps = l2, l1, eps
        self.domain = np.tile([-_WIDEST, _WIDEST], (self.layers[-1].end, 1))
        self.factors = self._factors(fan_in_scaling, gain, output_scale)
        if layer_rates:
            self.groups = tuple(f"layer{index + 1}" for index in range(len(self.layers)))
        self._header, vectors = self._places(self.rows_each_step, batch_size is not None)
        self.layout_of_all, vectors_of_all = self._places(len(X), False)
        rows = max(vectors, vectors_of_all)
        self.lane_kernel = LaneKernel(None, lane_objective, rows, lanes=VECTOR, both=lane_both)
        self.gradient_scale = self._ordinary_gradient()

    @functools.cached_property
    def group(self) -> NDArray[np.int64]:
        """The index in `groups` of each coordinate, ``int64[d]``."""
        ends = [layer.end for layer in self.layers]
        layer = np.searchsorted(ends, np.arange(self.dimension), side="right")
        return layer if len(self.groups) > 1 else np.zeros_like(layer)

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates: ``layer1.weight[0,2]``, ``layer1.bias[2]`` and so on."""
        names: list[str] = []
        for number, layer in enumerate(self.layers, start=1):
            names += [f"layer{number}.weight[{j},{o}]" for j in range(layer.fan_in) for o in range(layer.fan_out)]
            kinds = (["bias"] if layer.bias >= 0 else []) + (["scale", "shift"] if layer.norm >= 0 else [])
            names += [f"layer{number}.{kind}[{o}]" for kind in kinds for o in range(layer.fan_out)]
        return tuple(names)

    # Initialization.

    def starts(
        self,
        init: str | Iterable[str] = "lecun_normal",
        seeds: int | Iterable[int] = 0,
        gain: float | Iterable[float] = 1.0,
    ) -> Starts:
        """Draw starts by initialization schemes: every scheme with every gain and every seed.

        Parameters
        ----------
        init : str or several
            Names of schemes; see `gdfast.starts`. They draw weights; biases and shifts are 0, scales 1.
        seeds : int or several
            One seed draws the same random numbers for every gain.
        gain : float or several
            Multiplies the weights.

        Returns
        -------
        Starts
            m points with the labels ``init``, ``gain`` and ``seed``, which become coordinates of a sweep's result.

        Raises
        ------
        TypeError, ValueError
            If a scheme is not known, a seed or gain is not such a number, or there would be more starts than fit into
            memory.
        """
        several = [
            values
            for values in (init, seeds, gain)
            if isinstance(values, Sized) and not isinstance(values, str) and getattr(values, "ndim", 1) != 0
        ]
        count = math.prod(map(len, several))
        memory.fits(f"starts: {count:,} starts", 24 * count * self.dimension)
        given = [
            arguments.choice("starts: init", name, [*SCHEMES, *ALIASES])
            for name in (
                [init] if isinstance(init, str) else arguments.several("starts: init", init, "names of schemes")
            )
        ]
        names = [ALIASES.get(name, name) for name in given]
        given_seeds, given_gains = (
            [value] if isinstance(value, numbers.Number) else arguments.several(f"starts: {name}", value, accepted)
            for name, value, accepted in (("seeds", seeds, "whole numbers"), ("gain", gain, "numbers"))
        )
        seeds_ = [arguments.integer("starts: seeds", seed, low=0, high=2**63 - 1) for seed in given_seeds]
        gains = [arguments.number("starts: gain", factor) for factor in given_gains]
        units = np.stack([[self._draw(name, seed) for seed in seeds_] for name in names])
        points = np.repeat(self._rest[None, None, None], len(gains), axis=1) + (
            np.array(gains)[:, None, None] * units[:, None]
        )
        labels = np.meshgrid(np.arange(len(names)), np.array(gains), np.array(seeds_), indexing="ij")
        which, by_gain, by_seed = (label.ravel() for label in labels)
        return Starts(
            points.reshape(-1, self.dimension),
            {"init": np.array(given, dtype=object)[which], "gain": by_gain, "seed": by_seed},
        )

    def default_starts(self, n: int) -> Starts:
        """Return `n` starts by LeCun's scheme: a regular grid over so many coordinates would be too large."""
        return self.starts(seeds=range(arguments.integer("n", n)))

    @functools.cached_property
    def _rest(self) -> Array:
        """All parameters but weights as they start, zeros for weights, ``float64[d]``."""
        theta = np.zeros(self.dimension)
        for layer in self.layers:
            if layer.norm >= 0:
                theta[layer.norm : layer.norm + layer.fan_out] = 1.0
        return theta

    def _draw(self, scheme: str, seed: int) -> Array:
        rng, theta = np.random.default_rng(seed), np.zeros(self.dimension)
        for layer in self.layers:
            drawn = SCHEMES[scheme](rng, layer.fan_in, layer.fan_out)
            theta[layer.weight : layer.weight + drawn.size] = drawn.ravel()
        return theta

    def _ordinary_gradient(self) -> float:
        # At the origin, where other problems with data take it, a network of several layers has none.
        with np.errstate(all="ignore"):
            size = float(np.abs(self.gradient((self._rest + self._draw("lecun_normal", 0))[:, None])).max())
        return size if 0 < size < np.inf else 1.0

    # Loss and gradient in NumPy.

    def loss(self, theta: Array) -> Array:
        """Return the loss over all rows, with the penalties, ``float64[n]``."""
        return np.concatenate([self._loss(block) for block in self._contiguous(theta)])

    def gradient(self, theta: Array) -> Array:
        """Return the gradient over all rows, ``float64[d, n]``."""
        return np.concatenate([self._gradient(block) for block in self._contiguous(theta)], axis=1)

    def step_gradient(self, theta: Array, t: int) -> Array:
        """Return the gradient over the rows of step `t`, ``float64[d, n]``, summed in the order of the kernel."""
        return self._ordered(self._gradient, theta, self._step_rows(t))

    def step_objective(self, theta: Array, t: int) -> Array:
        """Return the loss over the rows of step `t`, ``float64[n]``, summed in the order of the kernel."""
        return self._ordered(self._loss, theta, self._step_rows(t))

    def judge(self, theta: Array) -> tuple[Array, Array]:
        """Return loss and ``max|gradient|`` over all rows, ``float64[n]`` each, summed in the order of the kernel."""
        rows = np.arange(len(self.X))
        return self._ordered(self._loss, theta, rows), np.abs(self._ordered(self._gradient, theta, rows)).max(axis=0)

    def _ordered(self, function: Any, theta: Array, rows: NDArray[np.int64]) -> Array:
        parts = [function(block, rows, _Ordered()) for block in self._lanes(theta, len(rows))]
        return np.concatenate(parts, axis=-1)

    def predict(self, theta: Array, X: ArrayLike | None = None) -> Array:
        """Return the outputs ``float64[n, rows, k]`` for the rows of `X`, or of the problem's own data."""
        rows = self.X if X is None else arguments.finite("predict: X", X, f"(rows, {self.layers[0].fan_in})")
        if rows.ndim != 2 or not len(rows) or rows.shape[1] != self.layers[0].fan_in:
            raise ValueError(f"predict: X must have shape (rows, {self.layers[0].fan_in}), not {rows.shape}")
        scaled = np.ascontiguousarray((self.factors[:, None] * theta).T).T
        output: Array = self._forward(scaled, rows, _Blas())[-1].value
        return output

    def accuracy(self, theta: Array) -> Array:
        """Return the share of the rows whose largest output is that of their label, ``float64[n]``."""
        if self.loss_kind != CROSS_ENTROPY:
            raise ValueError("accuracy: the loss must be cross_entropy, which has labels, not squared")
        found = [self.predict(block).argmax(axis=2) == self.y for block in self._contiguous(theta)]
        return np.asarray(np.concatenate(found).mean(axis=1), dtype=np.float64)

    def layer_gradient_norms(self, theta: Array) -> Array:
        """Return the Euclidean norm of the gradient by each layer's weights, ``float64[layers, n]``."""
        grad = self.gradient(theta)
        layers = [grad[w : w + size] for w, size in self._weights()]
        scales = [square_scale(np.abs(layer).max(axis=0)) for layer in layers]
        norms = [np.sqrt(((g * s) ** 2).sum(axis=0)) / s for g, s in zip(layers, scales, strict=True)]
        return np.stack(norms)

    def hessian(self, theta: Array) -> Array:
        """Return the Hessians ``float64[d, d, n]``, by central differences of the gradient, made symmetric.

        They are good to some nine digits for smooth activations; across a kink of relu they are not a derivative.
        """
        step = np.eye(self.dimension)[:, :, None] * _DIFFERENCE
        rows = np.stack([(self.gradient(theta + s) - self.gradient(theta - s)) / (2 * _DIFFERENCE) for s in step])
        return 0.5 * (rows + rows.swapaxes(0, 1))

    def _weights(self) -> Iterator[tuple[int, int]]:
        for layer in self.layers:
            yield layer.weight, layer.fan_in * layer.fan_out

    def _lanes(self, theta: Array, rows: int) -> Iterator[Array]:
        """Cut the lanes so that intermediate arrays of so many rows stay moderate; no result depends on where."""
        widest = max(max(layer.fan_in, layer.fan_out) for layer in self.layers)
        count = max(1, _BLOCK // max(rows * widest, self.dimension))
        for first in range(0, max(theta.shape[1], 1), count):
            yield theta[:, first : first + count]

    def _contiguous(self, theta: Array) -> Iterator[Array]:
        """The same, each lane's parameters side by side, which BLAS needs."""
        for block in self._lanes(theta, len(self.X)):
            yield np.ascontiguousarray(block.T).T

    def _step_rows(self, t: int) -> NDArray[np.int64]:
        """The rows of step `t`."""
        rows = self.rows(t)
        return np.arange(len(self.X)) if rows is None else rows

    def _factors(self, fan_in_scaling: bool, gain: float, output_scale: float) -> Array:
        """What each parameter is multiplied by, ``float64[d]``.

        All factors of Z can be: s of the weights, `gain` of what is added up last before an activation, the output's
        of the last layer. Once a step this costs less than once a row.
        """
        factors = np.ones(self.dimension)
        for layer in self.layers:
            if fan_in_scaling:
                factors[layer.weight : layer.weight + layer.fan_in * layer.fan_out] = 1 / np.sqrt(layer.fan_in)
            first = layer.norm if layer.norm >= 0 else layer.weight
            factors[first : layer.end] *= output_scale if layer is self.layers[-1] else gain
        return factors

    def _forward(self, theta: Array, X: Array, arithmetic: "_Arithmetic") -> list["_Pass"]:
        """Values, slopes and what batch normalization needs, layer by layer; arrays (n, rows, width)."""
        passes, value = [], X[None]
        for layer in self.layers:
            bias = _row(theta, layer.bias, layer) if layer.bias >= 0 else 0.0
            z = arithmetic.product(value, _matrix(theta, layer), bias)
            standard = inverse = None
            if layer.norm >= 0:
                standard = z - arithmetic.row_sum(z) / z.shape[1]
                inverse = 1.0 / sqrt(arithmetic.row_sum(standard * standard) / z.shape[1] + self.eps)
                standard = standard * inverse
                z = standard * _row(theta, layer.norm, layer) + _row(theta, layer.norm + layer.fan_out, layer)
            slope = None
            if layer is not self.layers[-1]:
                z, slope = UNITS[layer.activation](z)
            passes.append(_Pass(value, z, slope, standard, inverse))
            value = z
        return passes

    def _loss(self, theta: Array, rows: Any = slice(None), arithmetic: "_Arithmetic | None" = None) -> Array:
        arithmetic = arithmetic or _Blas()
        scaled, y = self.factors[:, None] * theta, self.y[rows]
        output = self._forward(scaled, self.X[rows], arithmetic)[-1].value
        if self.loss_kind == SQUARED:
            errors = output - y
            total = arithmetic.sum((errors * errors).reshape(len(errors), len(y) * self.outputs)) / (
                len(y) * self.outputs
            )
        else:
            largest, _, sums = arithmetic.softmax(output)
            chosen = output[:, np.arange(len(y)), y.astype(np.int64)]
            total = arithmetic.sum(log(sums) - (chosen - largest)) / len(y)
        if self.l2 or self.l1:
            weights = np.concatenate([theta[w : w + size] for w, size in self._weights()]).T
            squares, sizes = arithmetic.sum(weights * weights), arithmetic.sum(np.abs(weights))
            total = total + (0.5 * self.l2 * squares + self.l1 * sizes)
        return total

    def _gradient(self, theta: Array, rows: Any = slice(None), arithmetic: "_Arithmetic | None" = None) -> Array:
        arithmetic = arithmetic or _Blas()
        y = self.y[rows]
        scaled = self.factors[:, None] * theta
        passes = self._forward(scaled, self.X[rows], arithmetic)
        grad = np.empty((self.dimension, theta.shape[1]))
        delta = self._output_errors(passes[-1].value, y, arithmetic)
        for index in range(len(self.layers) - 1, -1, -1):
            layer, kept = self.layers[index], passes[index]
            if kept.slope is not None:
                delta = delta * kept.slope
            if kept.standard is not None:
                scale, m = layer.norm, len(y)
                by_scale, by_shift = arithmetic.row_sum(delta * kept.standard), arithmetic.row_sum(delta)
                rest = delta - by_shift / m - kept.standard * (by_scale / m)
                delta = _row(scaled, scale, layer) * kept.inverse * rest
                grad[scale : scale + layer.fan_out] = by_scale[:, 0].T
                grad[scale + layer.fan_out : layer.end] = by_shift[:, 0].T
            if layer.bias >= 0:
                grad[layer.bias : layer.bias + layer.fan_out] = arithmetic.row_sum(delta)[:, 0].T
            by_weight = arithmetic.product(kept.before.swapaxes(1, 2), delta)
            end = layer.weight + layer.fan_in * layer.fan_out
            grad[layer.weight : end] = np.moveaxis(by_weight, 0, -1).reshape(end - layer.weight, theta.shape[1])
            if index > 0:
                delta = arithmetic.product(delta, _matrix(scaled, layer).swapaxes(1, 2))
        grad *= self.factors[:, None]
        if self.l2 or self.l1:
            for first, size in self._weights():
                weights = theta[first : first + size]
                grad[first : first + size] += self.l2 * weights + self.l1 * sign(weights)
        return grad

    def _output_errors(self, output: Array, y: Array, arithmetic: "_Arithmetic") -> Array:
        """The derivatives of the loss by the last layer's Z."""
        errors: Array
        if self.loss_kind == SQUARED:
            errors = 2.0 / (len(y) * self.outputs) * (output - y)
        else:
            _, powers, sums = arithmetic.softmax(output)
            errors = powers * (1.0 / len(y) / sums)[..., None]
            errors[:, np.arange(len(y)), y.astype(np.int64)] -= 1.0 / len(y)
        return errors

    # Stationary points.

    @functools.cached_property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """One entry for all parameters that fit the data perfectly, of which no coordinates are known; see `locate`.

        There is none with penalties, whose lowest loss is not known.
        """
        return () if self.l2 or self.l1 else (StationaryPoint((), "minimum", 0.0, 0.0),)

    @property
    def lowest_objective(self) -> float:
        """0, which no loss is below."""
        return 0.0

    def locate(self, theta: Array, loss: Array, gradient_tolerance: float) -> NDArray[np.int64]:
        """Tell which end points fit the data, by their loss: 0 for those, −1 for all others.

        A loss cannot be below 0, so that a stationary point where it is 0 is a global minimum, whatever its
        coordinates (there are many: hidden units can be exchanged). It counts as 0 when it is at most a millionth
        of that of the best constant output. Whether another stationary point is a minimum cannot be told from its
        loss; its Hessian, where outcomes look at it, is mostly singular, through dead units and the like.
        """
        return np.where(loss <= _FITTED * self._constant_loss, 0, -1)

    @functools.cached_property
    def _constant_loss(self) -> float:
        """The loss of the best output that is the same for all rows; 1 if that is 0."""
        if self.loss_kind == SQUARED:
            lowest = float(np.mean((self.y - self.y.mean(axis=0)) ** 2))
        else:
            shares = np.unique(self.y, return_counts=True)[1] / len(self.y)
            lowest = float(-np.sum(shares * np.log(shares)))
        return lowest if lowest > 0 else 1.0

    # What the lane kernel reads.

    def _places(self, rows: int, batches: bool) -> tuple[NDArray[np.int64], int]:
        """The layout for so many rows a step, and the vectors of scratch memory it takes."""
        d, targets = self.dimension, self.y.size // len(self.y)
        widest = max(layer.fan_out for layer in self.layers)
        inputs = self.layers[0].fan_in
        each_row = 2 * (sum(layer.fan_out for layer in self.layers) + widest) + inputs
        chunk = max(_FEWEST_ROWS, _SECOND_CACHE // each_row // 4 * 4)
        chunk = rows if any(layer.norm >= 0 for layer in self.layers) else min(rows, chunk)
        end = 2 * d

        def take(vectors: int) -> int:
            nonlocal end
            end += vectors
            return end - vectors

        net, layers = np.zeros((), NETWORK), np.zeros(len(self.layers), LAYER)
        sizes = {"layers": len(layers), "rows": rows, "inputs": inputs, "outputs": self.outputs, "targets": targets}
        x = FACTORS + d
        values = {
            **sizes,
            "chunk": chunk,
            "loss": self.loss_kind,
            "d": d,
            "plain": (self.factors == 1).all(),
            "table": FIRST_LAYER + len(layers) * WORDS_OF_A_LAYER if batches else 0,
            "x": x,
            "y": x + self.X.size,
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
        for layer, record in zip(self.layers, layers, strict=True):
            size, norm = chunk * layer.fan_out, layer.norm >= 0
            for name in ("fan_in", "fan_out", "weight", "bias", "norm", "activation"):
                record[name] = getattr(layer, name)
            record["value"], record["slope"] = take(size), take(size)
            if norm:
                record["standard"], record["inverse"] = take(size), take(layer.fan_out)
        return packed(net, layers), end

    def _lane_numbers(self) -> Array:
        return np.concatenate([[self.eps, self.l2, self.l1], self.factors, self.X.ravel(), self.y.ravel()])

    def _layout_of_steps(self) -> NDArray[np.int64]:
        return self._header


@dataclass
class _Pass:
    """What the way back needs of one layer: its input, value and slope, and those of batch normalization."""

    before: Array
    value: Array
    slope: Any
    standard: Any
    inverse: Any


def _matrix(theta: Array, layer: Layer) -> Array:
    """A layer's weights, (n, fan_in, fan_out), as a view of ``theta (d, n)``."""
    n = layer.fan_in * layer.fan_out
    return np.moveaxis(theta[layer.weight : layer.weight + n].reshape(layer.fan_in, layer.fan_out, -1), -1, 0)


def _row(theta: Array, at: int, layer: Layer) -> Array:
    """A number for each of a layer's outputs, (n, 1, fan_out)."""
    return theta[at : at + layer.fan_out].T[:, None, :]


class _Blas:
    """Products and sums as NumPy does them fastest."""

    def product(self, left: Array, right: Array, start: Any = 0.0) -> Array:
        # In pieces too small for BLAS to put threads on: tiles run on all cores already, and threads that wait for
        # one another there take ten times as long (27 ms instead of 2 for the gradient of 61–32–10 on digits).
        rows = max(1, _UNTHREADED // (right.shape[1] * right.shape[2]))
        parts = [np.matmul(left[:, i : i + rows], right) for i in range(0, left.shape[1], rows)]
        total: Array = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        total += start
        return total

    def row_sum(self, values: Array) -> Array:
        return np.asarray(values.sum(axis=1, keepdims=True), dtype=np.float64)

    def sum(self, values: Array) -> Array:
        return np.asarray(values.sum(axis=1), dtype=np.float64)

    def softmax(self, output: Array) -> tuple[Array, Array, Array]:
        """Return the largest output of each row, the powers exp(output − largest), and their sums."""
        largest: Array = output.max(axis=2)
        powers = exp(output - largest[..., None])
        return largest, powers, self.sum(powers.swapaxes(1, 2))


class _Ordered(_Blas):
    """Products and sums from first to last, as the lane kernel does them; the same for any number of lanes."""

    def product(self, left: Array, right: Array, start: Any = 0.0) -> Array:
        shape = left.shape[1], right.shape[2], right.shape[0]
        total = np.moveaxis(np.zeros(shape), -1, 0)  # lanes last in memory, as in theta
        total += start
        for r in range(right.shape[1]):
            total += left[:, :, r, None] * right[:, None, r, :]
        return total

    def row_sum(self, values: Array) -> Array:
        return self.sum(values)[:, None]

    def sum(self, values: Array) -> Array:
        total = np.zeros_like(values[:, 0])
        for i in range(values.shape[1]):
            total += values[:, i]
        return total


_Arithmetic = _Blas
