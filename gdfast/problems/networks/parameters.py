"""Parameters of fully connected networks: where each layer's are in theta, what they are called, how they begin."""

import itertools
import math
import numbers
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments, memory
from gdfast.formulas.elementary import Array
from gdfast.problems.networks.lanes import ACTIVATIONS, IDENTITY
from gdfast.starts import ALIASES, SCHEMES, Starts

_BYTES_OF_A_WEIGHT = 2048  # in a block of eight lanes: itself, its gradient, the optimizer's state, the last 16 points


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

    @property
    def weights(self) -> slice:
        """Where its weights are."""
        return slice(self.weight, self.weight + self.fan_in * self.fan_out)

    def matrix(self, theta: Array) -> Array:
        """Its weights, (n, fan_in, fan_out), as a view of ``theta (d, n)``."""
        return np.moveaxis(theta[self.weights].reshape(self.fan_in, self.fan_out, -1), -1, 0)

    def row(self, theta: Array, at: int) -> Array:
        """A number for each of its outputs, (n, 1, fan_out), of those that begin at a place in theta."""
        return theta[at : at + self.fan_out].T[:, None, :]


def layers_of(widths: Sequence[int], activations: Sequence[str], bias: bool, batch_norm: bool) -> tuple[Layer, ...]:
    """Return the layers of a network: weights row by row (a row is what leaves one input), biases, scale, shift."""
    layers, at = [], 0
    for index, (fan_in, fan_out) in enumerate(itertools.pairwise(widths)):
        hidden = index < len(widths) - 2
        weight, at = at, at + fan_in * fan_out
        b, at = (at, at + fan_out) if bias else (-1, at)
        norm, at = (at, at + 2 * fan_out) if batch_norm and hidden else (-1, at)
        activation = ACTIVATIONS.index(activations[index]) if hidden else IDENTITY
        layers.append(Layer(fan_in, fan_out, activation, weight, b, norm, at))
    return tuple(layers)


def factors_of(layers: Sequence[Layer], fan_in_scaling: bool, gain: float, output_scale: float) -> Array:
    """Return what each parameter is multiplied by, ``float64[d]``.

    All factors of Z can be: s of the weights, `gain` of what is added up last before an activation, the output's
    of the last layer. Once a step this costs less than once a row.
    """
    factors = np.ones(layers[-1].end)
    for layer in layers:
        if fan_in_scaling:
            factors[layer.weights] = 1 / np.sqrt(layer.fan_in)
        first = layer.norm if layer.norm >= 0 else layer.weight
        factors[first : layer.end] *= output_scale if layer is layers[-1] else gain
    return factors


def names_of(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Return names of the coordinates: ``layer1.weight[0,2]``, ``layer1.bias[2]`` and so on."""
    names: list[str] = []
    for number, layer in enumerate(layers, start=1):
        names += [f"layer{number}.weight[{j},{o}]" for j in range(layer.fan_in) for o in range(layer.fan_out)]
        kinds = (["bias"] if layer.bias >= 0 else []) + (["scale", "shift"] if layer.norm >= 0 else [])
        names += [f"layer{number}.{kind}[{o}]" for kind in kinds for o in range(layer.fan_out)]
    return tuple(names)


def arrays_of(layers: Sequence[Layer]) -> NDArray[np.int64]:
    """Return entries, rows and columns of the array that each coordinate is of, ``int64[d, 3]``."""
    rows = []
    for layer in layers:
        shape, size = (layer.fan_in, layer.fan_out), layer.fan_in * layer.fan_out
        rows += [(size, *shape)] * size + [(layer.fan_out, 0, 0)] * (layer.end - layer.weights.stop)
    return np.array(rows, dtype=np.int64)


def numbers_of_layers(layers: Sequence[Layer]) -> NDArray[np.int64]:
    """Return the number of the layer that each coordinate is of, ``int64[d]``, from 0."""
    return np.searchsorted([layer.end for layer in layers], np.arange(layers[-1].end), side="right")


def resting(layers: Sequence[Layer]) -> Array:
    """Return all parameters but weights as they start, zeros for weights, ``float64[d]``."""
    theta = np.zeros(layers[-1].end)
    for layer in layers:
        if layer.norm >= 0:
            theta[layer.norm : layer.norm + layer.fan_out] = 1.0
    return theta


def drawn(layers: Sequence[Layer], scheme: str, seed: int) -> Array:
    """Return weights drawn by a scheme, zeros for all other parameters, ``float64[d]``."""
    rng, theta = np.random.default_rng(seed), np.zeros(layers[-1].end)
    for layer in layers:
        theta[layer.weights] = SCHEMES[scheme](rng, layer.fan_in, layer.fan_out).ravel()
    return theta


def starts_of(layers: Sequence[Layer], init: Any, seeds: Any, gain: Any, bias: Any) -> Starts:
    """Draw starts by every scheme with every gain, bias and seed; see `MLP.starts`."""
    several = [
        values
        for values in (init, seeds, gain, bias)
        if isinstance(values, Sized) and not isinstance(values, str) and getattr(values, "ndim", 1) != 0
    ]
    count = math.prod(map(len, several))
    memory.fits(f"starts: {count:,} starts", 24 * count * layers[-1].end)
    given = [
        arguments.choice("starts: init", name, [*SCHEMES, *ALIASES])
        for name in ([init] if isinstance(init, str) else arguments.several("starts: init", init, "names of schemes"))
    ]
    names = [ALIASES.get(name, name) for name in given]
    given_seeds, given_gains, given_biases = (
        [value] if isinstance(value, numbers.Number) else arguments.several(f"starts: {name}", value, accepted)
        for name, value, accepted in (
            ("seeds", seeds, "whole numbers"),
            ("gain", gain, "numbers"),
            ("bias", 0.0 if bias is None else bias, "numbers"),
        )
    )
    seeds_ = [arguments.integer("starts: seeds", seed, low=0, high=2**63 - 1) for seed in given_seeds]
    gains = np.array([arguments.number("starts: gain", factor) for factor in given_gains])
    biases = np.array([arguments.number("starts: bias", value) for value in given_biases])
    has_bias = np.concatenate([_is_bias(layer) for layer in layers])
    if bias is not None and not has_bias.any():
        raise ValueError("starts: bias must not be given, since the network has none, by its bias=False")
    units = np.stack([[drawn(layers, name, seed) for seed in seeds_] for name in names])
    points = gains[:, None, None, None] * units[:, None, None] + (
        resting(layers) + biases[:, None, None] * np.where(has_bias, 1.0, 0.0)
    )
    labels = np.meshgrid(np.arange(len(names)), gains, biases, np.array(seeds_), indexing="ij")
    which, by_gain, by_bias, by_seed = (label.ravel() for label in labels)
    told = {"init": np.array(given, dtype=object)[which], "gain": by_gain, "bias": by_bias, "seed": by_seed}
    if bias is None:
        del told["bias"]
    return Starts(points.reshape(-1, layers[-1].end), told)


def _is_bias(layer: Layer) -> NDArray[np.bool_]:
    """Which parameters of a layer are biases."""
    places = np.arange(layer.weight, layer.end)
    return (layer.bias >= 0) & (places >= layer.bias) & (places < layer.bias + layer.fan_out)


def widths_of(widths: Any) -> tuple[int, ...]:
    """Read the widths of a network."""
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


def activations_of(activation: Any, hidden: int) -> tuple[str, ...]:
    """Read the activations of so many hidden layers, one for all or one for each."""
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
