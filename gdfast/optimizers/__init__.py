"""Optimizers, one file a rule. This list of names is all that a new one is added to."""

from collections.abc import Callable

from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, POSITIVE, Optimizer, named
from gdfast.optimizers.adagrad import adagrad
from gdfast.optimizers.adam import adam
from gdfast.optimizers.gd import gd
from gdfast.optimizers.momentum import momentum
from gdfast.optimizers.nesterov import nesterov
from gdfast.optimizers.rmsprop import rmsprop

CATALOGUE: dict[str, Callable[..., Optimizer]] = {
    make.__name__: make for make in (gd, momentum, nesterov, adagrad, rmsprop, adam)
}

__all__ = [
    "CATALOGUE",
    "FRACTION",
    "NONNEGATIVE",
    "POSITIVE",
    "Optimizer",
    "adagrad",
    "adam",
    "gd",
    "momentum",
    "named",
    "nesterov",
    "rmsprop",
]
