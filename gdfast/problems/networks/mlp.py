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
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from gdfast import arguments, memory
from gdfast.data import Data, Source, as_classes, as_numbers, load
from gdfast.data.held_out import parted
from gdfast.formulas.elementary import Array
from gdfast.named import named
from gdfast.problems.networks.lanes import ACTIVATIONS, LOSSES
from gdfast.problems.networks.network import MLP
from gdfast.problems.networks.parameters import factors_of, layers_of
from gdfast.problems.networks.passes import Network

_BYTES_OF_A_WEIGHT = 2048  # in a block of eight lanes: itself, its gradient, the optimizer's state, the last 16 points


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
    data : str, Path, (X, y) or Data, optional
        What to fit: whatever `gdfast.data.load` takes, such as the name of a set, or arrays X (m, p) and y, targets
        (m,) or (m, k) or labels 0 … k − 1 (m,). Without them X is drawn from N(0, 1) by `seed` and the targets are
        sin(2 X v), v from N(0, 1/p), or as label the output where that is largest.
    points : int
        Rows of those drawn data.
    batch_size, seed
        As in `DataProblem`; the seed is that of drawn data, too.
    layer_rates : bool
        Whether each layer is a group with a learning rate of its own.
    validation : float
        The share of the rows that is held out, in [0, 1): no step learns of them, and a result tells their loss, and
        with ``cross_entropy`` the accuracy. They are drawn by the seed, of each label the same share. Features are
        standardized by the other rows alone. Batch normalization takes mean and variance of the rows it is given, of
        held-out rows theirs.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind, widths, data and loss do not fit each other, or the network or its
        data do not fit into memory.
    """
    sizes = _widths(widths)
    arguments.choice("mlp: loss", loss, LOSSES)
    activations = _activations(activation, len(sizes) - 2)
    seed = arguments.integer("mlp: seed", seed, low=0, high=2**63 - 1)
    if data is None:
        m = arguments.integer("mlp: points", points)
        memory.fits(f"mlp: {m:,} points of {sizes[0]:,} inputs", 32 * m * (sizes[0] + sizes[-1]))
        inputs, targets = _drawn(m, sizes, loss, seed)
        data = Data(inputs, targets, tuple(f"x{j}" for j in range(sizes[0])), "y", standardize=False)
    rows, held_out = _rows_of(load(data), sizes, loss, validation, seed)
    if batch_size is not None:
        batch_size = arguments.integer("mlp: batch_size", batch_size, high=len(rows[0]))
    layers = layers_of(sizes, activations, bias, batch_norm)
    factors = factors_of(layers, fan_in_scaling, gain, output_scale)
    network = Network(layers, factors, loss, l2, l1, eps)
    return MLP(network, *rows, batch_size, seed, layer_rates, held_out)


def _widths(widths: Any) -> tuple[int, ...]:
    accepted = "at least two whole numbers, such as (2, 8, 1)"
    given = arguments.several("mlp: widths", widths, accepted, least=0)
    sizes = tuple(arguments.integer("mlp: widths", width, high=2**20) for width in given)
    if len(sizes) < 2:
        raise ValueError(
            f"mlp: widths must be at least two whole numbers, such as (2, 8, 1), not {arguments.shown(sizes)}"
        )
    weights = sum(before * after for before, after in itertools.pairwise(sizes))
    memory.fits(f"mlp: widths {arguments.shown(sizes)}, {weights:,} weights,", _BYTES_OF_A_WEIGHT * weights)
    return sizes


def _activations(activation: Any, hidden: int) -> tuple[str, ...]:
    given = (
        (activation,) * hidden
        if isinstance(activation, str)
        else tuple(arguments.several("mlp: activation", activation, "a name, or one for each hidden layer", least=0))
    )
    if len(given) != hidden:
        raise ValueError(
            f"mlp: activation must be one name or one for each of {hidden} hidden layers, not {arguments.shown(given)}"
        )
    if isinstance(activation, str):
        arguments.choice("mlp: activation", activation, ACTIVATIONS)
    return tuple(arguments.choice("mlp: activation", name, ACTIVATIONS) for name in given)


def _drawn(points: int, widths: tuple[int, ...], loss: str, seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(points, widths[0]))
    signal = np.sin(2 * X @ (rng.normal(size=(widths[0], widths[-1])) / np.sqrt(widths[0])))
    return X, signal if loss == "squared" else signal.argmax(axis=1).astype(np.float64)


def _rows_of(
    data: Data, widths: tuple[int, ...], loss: str, validation: float, seed: int
) -> tuple[tuple[Array, Array], tuple[Array, Array] | None]:
    """Inputs and targets ``float64[m, k]`` or labels ``float64[m]`` of data that fit the network; and held-out ones."""
    try:
        # Of an array, labels are taken as they are; not every class needs to be there.
        prepare = as_numbers if loss == "squared" else as_classes if data.source else _as_they_are
        table = prepare(data)
        _check_fit(table, widths, loss)
        parts = parted(table, False, validation, seed, None if loss == "squared" else table.y)
    except (TypeError, ValueError) as error:
        raise type(error)(f"mlp: {error}") from None

    def arrays(rows: Data) -> tuple[Array, Array]:
        return rows.X, rows.y.reshape(len(rows.y), -1) if loss == "squared" else rows.y

    learned, held_out = parts
    return arrays(learned), None if held_out is None else arrays(held_out)


def _as_they_are(data: Data) -> Data:
    return data


def _check_fit(table: Data, widths: tuple[int, ...], loss: str) -> None:
    columns, y = table.X.shape[1], table.y
    if columns != widths[0]:
        raise ValueError(f"widths must begin with {columns}, the columns of X of the data, not with {widths[0]}")
    if loss == "squared":
        outputs = 1 if y.ndim == 1 else y.shape[1]
        if outputs != widths[-1]:
            raise ValueError(f"widths must end with {outputs}, the columns of y of the data, not with {widths[-1]}")
    elif y.ndim != 1 or not np.isin(y, np.arange(widths[-1])).all():
        raise ValueError(
            f"data: y must hold one label from 0 to {widths[-1] - 1} a row for cross_entropy with {widths[-1]} "
            "outputs, " + (f"not have shape {y.shape}" if y.ndim != 1 else f"not {_stranger(y, widths[-1]):g}")
        )


def _stranger(labels: Array, k: int) -> float:
    return float(labels[~np.isin(labels, np.arange(k))][0])
