"""Networks of all kinds, and what torch has of them."""

import math

import numpy as np

from gdfast.problems import mlp, trainability_network

ARITHMETIC = ("identity", "relu", "leaky_relu")
"""Activations in which only + - * / occur."""

EXACT = [
    *(mlp((3, 5, 2), activation) for activation in ARITHMETIC),
    mlp((4, 1)),
    mlp((2, 9, 6, 5, 4, 3), ("relu", "leaky_relu", "identity", "relu"), points=23),
    mlp((3, 7, 5, 2), "relu", batch_norm=True, l2=0.3, l1=0.1),
    mlp((3, 4, 1), "leaky_relu", bias=False, fan_in_scaling=True, gain=1.7, output_scale=0.3, l1=0.2, points=70),
    mlp((2, 5, 2), "relu", batch_norm=True, gain=0.6, batch_size=5),
    mlp((2, 6, 1), "relu", batch_size=32, layer_rates=True, l2=0.1),
    trainability_network(width=8, activation="relu"),
    trainability_network(width=5, activation="identity", batch_size=2),
]
ROUNDED = [
    mlp(),
    *(mlp((3, 5, 4, 2), activation, fan_in_scaling=True, gain=1.3) for activation in ("sigmoid", "tanh", "gelu")),
    mlp((3, 4, 5), "relu", loss="cross_entropy", batch_norm=True, l2=0.1),
    mlp((2, 3), loss="cross_entropy", output_scale=2.0),
    mlp((2, 6, 3), ("gelu",), loss="cross_entropy", batch_size=7),
    mlp((2, 12, 12, 2), "tanh", loss="cross_entropy", points=41, batch_norm=True),
    trainability_network(width=8),
]
NETWORKS = [*EXACT, *ROUNDED]


def points_of(problem, n, seed=0, spread=1.0):
    return np.random.default_rng(seed).normal(size=(problem.dimension, n)) * spread


def torch_loss(problem, leaf, rows=slice(None)):
    """The loss of a network's rows at a point, as torch has it."""
    output, penalty = torch_outputs(problem, leaf, rows)
    return torch_loss_of(problem, output, rows) + penalty


def torch_loss_of(problem, output, rows=slice(None)):
    """The loss of outputs."""
    import torch

    y = torch.tensor(problem.y[rows])
    if problem.parameters["loss"] == "squared":
        return torch.nn.functional.mse_loss(output, y)
    return torch.nn.functional.cross_entropy(output, y.long())


def torch_outputs(problem, leaf, rows=slice(None)):
    """The outputs of a network at a point, and its penalties."""
    import torch

    units = {
        "identity": lambda x: x,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "leaky_relu": torch.nn.functional.leaky_relu,
        "gelu": torch.nn.functional.gelu,
    }
    given, value, penalty = problem.parameters, torch.tensor(problem.X[rows]), 0.0
    for index, layer in enumerate(problem.layers):
        last = index == len(problem.layers) - 1
        end = layer.weight + layer.fan_in * layer.fan_out
        weight = leaf[layer.weight : end]
        penalty = penalty + 0.5 * given["l2"] * (weight**2).sum() + given["l1"] * weight.abs().sum()
        weight = weight.reshape(layer.fan_in, layer.fan_out).T / (
            math.sqrt(layer.fan_in) if given["fan_in_scaling"] else 1.0
        )
        bias = leaf[layer.bias : layer.bias + layer.fan_out] if layer.bias >= 0 else None
        value = torch.nn.functional.linear(value, weight, bias)
        if layer.norm >= 0:
            scale, shift = leaf[layer.norm : layer.norm + 2 * layer.fan_out].reshape(2, -1)
            value = torch.nn.functional.batch_norm(value, None, None, scale, shift, training=True, eps=1e-5)
        names = given["activation"]
        if not last:
            value = units[names if isinstance(names, str) else names[index]](given["gain"] * value)
    return value * given["output_scale"], penalty
