"""Fully connected networks.

With A₀ = X, for the layers l = 1 … L with weights W (fan_in, fan_out):

    Z_l = s_l · A_{l−1} W_l + b_l        s_l = 1, or 1/√fan_in with `fan_in_scaling`
    Z_l ← scale_l · (Z_l − mean) / √(variance + eps) + shift_l        hidden layers, with `batch_norm`
    A_l = act(gain · Z_l)        hidden layers;   the output is output_scale · Z_L

    loss = 1/(m k) Σ (output − y)²    or    1/m Σ (log Σ_o exp output_o − output_label)
           + l2/2 Σ W² + l1 Σ |W|

for m rows and k outputs. Batch normalization (Ioffe & Szegedy 2015) is in training mode: mean and variance (divided by
m) are those of the rows of the step, and gradients go through them. The slope of relu and of |W| at 0 is 0. gelu is the
exact one, x Φ(x), by the error function (Hendrycks & Gimpel 2016). Gradients are computed by backpropagation
(Rumelhart, Hinton & Williams 1986), by hand: in `lanes` for the compiler, in `passes` in NumPy.

`MLP.step_gradient` and `MLP.judge` are the reference of the lane kernel: they sum in the same order, so that the two
agree to the bit where only ``+ - * / sqrt`` occur. `MLP.loss` and `MLP.gradient` use BLAS and differ by rounding.
"""

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments, memory
from gdfast.data import Data, Sampling, Source, load
from gdfast.formulas.elementary import Array, square_scale
from gdfast.named import named
from gdfast.problems._scales import LOOSE
from gdfast.problems._stationary import StationaryPoint
from gdfast.problems._stepping import LaneKernel
from gdfast.problems.networks.arithmetic import Blas, Ordered
from gdfast.problems.networks.curvature import NetworkCurvature
from gdfast.problems.networks.drawn_lanes import FISHER
from gdfast.problems.networks.lanes import CROSS_ENTROPY, LANES, LOSSES, SQUARED
from gdfast.problems.networks.layout import layout_of, numbers_of
from gdfast.problems.networks.parameters import (
    activations_of,
    arrays_of,
    drawn,
    factors_of,
    layers_of,
    names_of,
    numbers_of_layers,
    resting,
    starts_of,
    widths_of,
)
from gdfast.problems.networks.passes import Network
from gdfast.problems.networks.product_lanes import PRODUCTS
from gdfast.problems.networks.rows import drawn_rows, rows_of
from gdfast.starts import Starts

_WIDEST = 3.0  # the domain is [−3, 3] for every coordinate
_FITTED = 1e-6  # a loss below this share of the best constant's counts as zero
_BLOCK = 2**17  # numbers in the largest array of activations of the reference


class MLP(NetworkCurvature):
    """A fully connected network on data ``X (m, p)`` and targets ``y (m, k)`` or labels ``y (m,)``.

    Parameters
    ----------
    network : Network
        What it computes.
    X, y : ndarray
        The data, float64; labels too.
    sampling : Sampling
        How the rows of each step are drawn.
    layer_rates : bool
        Whether each layer is a group with a learning rate of its own.
    held_out : tuple of ndarray, optional
        As in `DataProblem`.
    arithmetic : str
        As in `mlp`.
    """

    def __init__(
        self,
        network: Network,
        X: Array,
        y: Array,
        sampling: Sampling,
        layer_rates: bool,
        held_out: tuple[Array, Array] | None = None,
        arithmetic: str = "exact",
    ) -> None:
        super().__init__(X, y, sampling, held_out)
        self.network, self.layers = network, network.layers
        self.domain = np.tile([-_WIDEST, _WIDEST], (self.layers[-1].end, 1))
        if layer_rates:
            self.groups = tuple(f"layer{index + 1}" for index in range(len(self.layers)))
        self._header, *vectors = layout_of(network, X, y, self.rows_each_step, sampling.batch_size is not None)
        self.layout_of_all, *vectors_of_all = layout_of(network, X, y, len(X), False)
        rows_of_products, rows = map(max, zip(vectors, vectors_of_all, strict=True))
        (objective, both), (product, gauss_newton) = LANES[arithmetic], PRODUCTS[arithmetic]
        self.lane_kernel = LaneKernel(
            None,
            objective,
            rows,
            one_vector=True,
            both=both,
            single=True,
            product=product,
            product_rows=rows_of_products,
            gauss_newton=gauss_newton,
            fisher=FISHER[arithmetic],
        )
        self.gradient_scale = self._ordinary_gradient()

    @functools.cached_property
    def group(self) -> NDArray[np.int64]:
        """The index in `groups` of each coordinate, ``int64[d]``."""
        layer = numbers_of_layers(self.layers)
        return layer if len(self.groups) > 1 else np.zeros_like(layer)

    @functools.cached_property
    def arrays(self) -> NDArray[np.int64]:
        """Weights are a matrix of a layer, biases, scales and shifts vectors, ``int64[d, 3]``."""
        return arrays_of(self.layers)

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates: ``layer1.weight[0,2]``, ``layer1.bias[2]`` and so on."""
        return names_of(self.layers)

    # Initialization.

    def starts(
        self,
        init: str | Iterable[str] = "lecun_normal",
        seeds: int | Iterable[int] = 0,
        gain: float | Iterable[float] = 1.0,
        bias: float | Iterable[float] | None = None,
    ) -> Starts:
        """Draw starts by initialization schemes: every scheme with every gain, every bias and every seed.

        Parameters
        ----------
        init : str or several
            Names of schemes; see `gdfast.starts`. They draw weights; shifts are 0, scales 1.
        seeds : int or several
            One seed draws the same random numbers for every gain.
        gain : float or several
            Multiplies the weights.
        bias : float or several, optional
            What all biases begin with; 0 if not given.

        Returns
        -------
        Starts
            m points with the labels ``init``, ``gain``, ``bias`` (where it is given) and ``seed``, which become
            coordinates of a sweep's result.

        Raises
        ------
        TypeError, ValueError
            If a scheme is not known, a number is none that is accepted, a bias is given where there are none, or there
            would be more starts than fit into memory.

        Examples
        --------
        >>> mlp().starts(["he_normal", "xavier_uniform"], seeds=range(4), bias=[0, 0.1])
        <starts (16, 33), labelled by init, gain, bias, seed>
        """
        return starts_of(self.layers, init, seeds, gain, bias)

    def starts_along(self, axes: Mapping[str, Array]) -> Starts:
        """Draw starts by axes that a text has, whose numbers are float64: init, gain, bias and seed; see `starts`.

        Raises
        ------
        TypeError, ValueError
            If an axis has another name, or as `starts`.
        """
        for name in axes:
            arguments.choice("start: of a network", name, ["init", "gain", "bias", "seed"])
        told = {name: values.tolist() for name, values in axes.items()}
        seeds = [int(seed) if seed == int(seed) else seed for seed in told.pop("seed", [0])]
        return self.starts(seeds=seeds, **told)

    def default_starts(self, n: int) -> Starts:
        """Return `n` starts by LeCun's scheme: a regular grid over so many coordinates would be too large."""
        return self.starts(seeds=range(arguments.integer("n", n)))

    def _ordinary_gradient(self) -> float:
        # At the origin, where other problems with data take it, a network of several layers has none.
        with np.errstate(all="ignore"):
            size = float(
                np.abs(self.gradient((resting(self.layers) + drawn(self.layers, "lecun_normal", 0))[:, None])).max()
            )
        return size if 0 < size < np.inf else 1.0

    # Loss and gradient in NumPy.

    def loss(self, theta: Array) -> Array:
        """Return the loss over all rows, with the penalties, ``float64[n]``."""
        return np.concatenate([self.network.loss(block, self.X, self.y, Blas()) for block in self._contiguous(theta)])

    def gradient(self, theta: Array) -> Array:
        """Return the gradient over all rows, ``float64[d, n]``."""
        return np.concatenate(
            [self.network.gradient(block, self.X, self.y, Blas()) for block in self._contiguous(theta)], axis=1
        )

    def step_gradient(self, theta: Array, t: int) -> Array:
        """Return the gradient over the rows of step `t`, ``float64[d, n]``, summed in the order of the kernel."""
        return self._ordered(self.network.gradient, theta, self.rows(t))

    def step_objective(self, theta: Array, t: int) -> Array:
        """Return the loss over the rows of step `t`, ``float64[n]``, summed in the order of the kernel."""
        return self._ordered(self.network.loss, theta, self.rows(t))

    def judge(self, theta: Array) -> tuple[Array, Array]:
        """Return loss and ``max|gradient|`` over all rows, ``float64[n]`` each, summed in the order of the kernel."""
        loss, gradient = (
            self._ordered(function, theta, None) for function in (self.network.loss, self.network.gradient)
        )
        return loss, np.abs(gradient).max(axis=0)

    def _ordered(self, function: Any, theta: Array, rows: NDArray[np.int64] | None) -> Array:
        X, y = (self.X, self.y) if rows is None else (self.X[rows], self.y[rows])
        return np.concatenate([function(block, X, y, Ordered()) for block in self._lanes(theta, len(X))], axis=-1)

    def predict(self, theta: Array, X: Any = None) -> Array:
        """Return the outputs ``float64[n, rows, k]`` for new rows `X`, or for those learned from.

        `X` is ``(rows, p)`` with the features of the data in their order and units, or has them as columns by name.
        """
        return self._outputs(theta, self.X if X is None else self.units.entered(X))

    predict.points_axis = 0  # type: ignore[attr-defined]

    def _outputs(self, theta: Array, rows: Array) -> Array:
        scaled = np.ascontiguousarray((self.network.factors[:, None] * theta).T).T
        output: Array = self.network.forward(scaled, rows, Blas())[-1].value
        return output

    @property
    def has_classes(self) -> bool:
        """Whether rows have a class: where the loss is ``cross_entropy``."""
        return self.network.kind == CROSS_ENTROPY

    def _classes_of(self, theta: Array, X: Array) -> NDArray[np.int64]:
        found = [self._outputs(block, X).argmax(axis=2) for block in self._contiguous(theta)]
        return np.concatenate(found).T

    def _loss_on(self, theta: Array, X: Array, y: Array) -> Array:
        bare = dataclasses.replace(self.network, l2=0.0, l1=0.0)
        return np.concatenate([bare.loss(block, X, y, Blas()) for block in self._contiguous(theta)])

    def layer_gradient_norms(self, theta: Array) -> Array:
        """Return the Euclidean norm of the gradient by each layer's weights, ``float64[layers, n]``."""
        grad = self.gradient(theta)
        layers = [grad[layer.weights] for layer in self.layers]
        scales = [square_scale(np.abs(layer).max(axis=0)) for layer in layers]
        norms = [np.sqrt(((g * s) ** 2).sum(axis=0)) / s for g, s in zip(layers, scales, strict=True)]
        return np.stack(norms)

    def layer_signals(self, theta: Array) -> Array:
        """Return the root mean square, over rows and units, of what enters each layer's activation (Z), and leaves it.

        ``float64[2, layers, n]``; of the last layer both are the output.
        """
        found = []
        for block in self._contiguous(theta):
            scaled = np.ascontiguousarray((self.network.factors[:, None] * block).T).T
            passes = self.network.forward(scaled, self.X, Blas())
            sizes = [[np.sqrt(np.mean(z * z, axis=(1, 2))) for z in (way.entering, way.value)] for way in passes]
            found.append(np.moveaxis(np.array(sizes), 1, 0))
        return np.concatenate(found, axis=-1)

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

    # Stationary points.

    @functools.cached_property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """One entry for all parameters that fit the data perfectly, of which no coordinates are known; see `locate`.

        There is none with penalties, whose lowest loss is not known.
        """
        return () if self.network.l2 or self.network.l1 else (StationaryPoint((), "minimum", 0.0, 0.0),)

    loss_tolerance = LOOSE
    lowest = 0.0
    """No loss is below it."""

    @property
    def lowest_objective(self) -> float:
        """0, which no loss is below."""
        return 0.0

    @property
    def loss_scale(self) -> float:
        """The loss of the best output that is the same for all rows."""
        return self._constant_loss

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
        if self.network.kind == SQUARED:
            lowest = float(np.mean((self.y - self.y.mean(axis=0)) ** 2))
        else:
            shares = np.unique(self.y, return_counts=True)[1] / len(self.y)
            lowest = float(-np.sum(shares * np.log(shares)))
        return lowest if lowest > 0 else 1.0

    # What the lane kernel reads.

    def _lane_numbers(self) -> Array:
        return numbers_of(self.network, self.X, self.y)

    def _layout_of_steps(self) -> NDArray[np.int64]:
        return self._header


@named(
    data=load,
    gain=arguments.ANY,
    output_scale=arguments.ANY,
    l2=arguments.NONNEGATIVE,
    l1=arguments.NONNEGATIVE,
    eps=arguments.POSITIVE,
    validation=arguments.FRACTION,
)
def mlp(
    widths: Sequence[int] = (2, 8, 1),
    activation: str | Sequence[str] = "tanh",
    loss: str = "squared",
    bias: bool = True,
    batch_norm: bool = False,
    fan_in_scaling: bool = False,
    gain: float = 1.0,
    output_scale: float = 1.0,
    l2: float = 0.0,
    l1: float = 0.0,
    eps: float = 1e-5,
    data: Source | None = None,
    points: int = 32,
    batch_size: int | None = None,
    seed: int = 0,
    layer_rates: bool = False,
    validation: float = 0.0,
    sampling: str = "independent",
    arithmetic: str = "exact",
) -> MLP:
    """A fully connected network of any depth.

    Parameters
    ----------
    widths : sequence of int
        Inputs, units of each hidden layer, outputs.
    activation : str or sequence of str
        ``identity``, ``sigmoid``, ``tanh``, ``relu``, ``leaky_relu`` (slope 0.01) or ``gelu`` (exact), for all hidden
        layers or one for each.
    loss : str
        ``squared`` or ``cross_entropy`` (of a softmax).
    bias, batch_norm, fan_in_scaling : bool
        Whether layers have biases; whether hidden layers are normalized over the batch; whether products are divided
        by √fan_in.
    gain, output_scale : float
        Factors of what enters activations, and of the output.
    l2, l1 : float
        Penalties on weights (not on biases, scales and shifts).
    eps : float
        Added to batch normalization's variances.
    data : str, Path, DataFrame, (X, y) or Data, optional
        What to fit: whatever `gdfast.data.load` takes, such as the name of a set, a table with its ``target`` beside
        it, or X (m, p) and y, targets (m,) or (m, k) or labels 0 … k − 1 (m,). Without them X is drawn from N(0, 1) by
        `seed` and the targets are sin(2 X v), v from N(0, 1/p), or as label the output where that is largest.
    points : int
        Rows of those drawn data.
    batch_size : int, optional
        Rows of each step; all if not given.
    seed : int
        Of drawn data, and of the draws of rows.
    layer_rates : bool
        Whether each layer is a group with a learning rate of its own.
    validation : float
        The share of the rows that is held out, in [0, 1): no step learns of them, and a result tells their loss, and
        with ``cross_entropy`` the accuracy. They are drawn by the seed, of each label the same share. Features are
        standardized by the other rows alone. Batch normalization takes mean and variance of the rows it is given, of
        held-out rows theirs.
    sampling : str
        ``independent`` or ``epochs``, as in `RowProblem`.
    arithmetic : str
        ``exact``: kernels have the bits of NumPy's ordered sums. ``fused``: they multiply and add at once, with
        the same bits on every machine, which differ from NumPy's by rounding; quicker where units multiply or add.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind, widths, data and loss do not fit each other, or the network or its
        data do not fit into memory.
    """
    sizes = widths_of(widths)
    arguments.choice("mlp: loss", loss, LOSSES)
    arguments.choice("mlp: arithmetic", arithmetic, LANES)
    activations = activations_of(activation, len(sizes) - 2)
    seed = arguments.integer("mlp: seed", seed, low=0, high=2**63 - 1)
    if data is None:
        m = arguments.integer("mlp: points", points)
        memory.fits(f"mlp: {m:,} points of {sizes[0]:,} inputs", 32 * m * (sizes[0] + sizes[-1]))
        inputs, targets = drawn_rows(m, sizes, loss, seed)
        data = Data(inputs, targets, tuple(f"x{j}" for j in range(sizes[0])), "y", standardize=False)
    rows, held_out, units = rows_of(load(data), sizes, loss, validation, seed)
    if batch_size is not None:
        batch_size = arguments.integer("mlp: batch_size", batch_size, high=len(rows[0]))
    layers = layers_of(sizes, activations, bias, batch_norm)
    factors = factors_of(layers, fan_in_scaling, gain, output_scale)
    network = Network(layers, factors, loss, l2, l1, eps)
    made = MLP(network, *rows, Sampling(batch_size, seed, sampling), layer_rates, held_out, arithmetic)
    made.units = units
    return made
