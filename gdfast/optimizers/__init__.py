"""Optimizers, one file a rule. This list of names is all that a new one is added to.

A rule takes point, gradient, state, learning rate and the hyperparameters that its source gives it, one by one: some
have more than eight.
"""

import csv
from collections.abc import Callable
from importlib.resources import files

from gdfast.optimizers._grid import combine, grid
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, POSITIVE, Optimizer, named
from gdfast.optimizers.adabelief import adabelief
from gdfast.optimizers.adadelta import adadelta
from gdfast.optimizers.adagrad import adagrad
from gdfast.optimizers.adam import adam
from gdfast.optimizers.adamax import adamax
from gdfast.optimizers.adamw import adamw
from gdfast.optimizers.adan import adan
from gdfast.optimizers.ademamix import ademamix
from gdfast.optimizers.adgd import adgd
from gdfast.optimizers.adopt import adopt
from gdfast.optimizers.amsgrad import amsgrad
from gdfast.optimizers.asgd import asgd
from gdfast.optimizers.barzilai_borwein import barzilai_borwein
from gdfast.optimizers.cautious_adam import cautious_adam
from gdfast.optimizers.cautious_lion import cautious_lion
from gdfast.optimizers.cautious_momentum import cautious_momentum
from gdfast.optimizers.gd import gd
from gdfast.optimizers.lamb import lamb
from gdfast.optimizers.lars import lars
from gdfast.optimizers.lion import lion
from gdfast.optimizers.madgrad import madgrad
from gdfast.optimizers.momentum import momentum
from gdfast.optimizers.nadam import nadam
from gdfast.optimizers.nesterov import nesterov
from gdfast.optimizers.normalized_gd import normalized_gd
from gdfast.optimizers.padam import padam
from gdfast.optimizers.polyak_sgd import polyak_sgd
from gdfast.optimizers.qhadam import qhadam
from gdfast.optimizers.qhm import qhm
from gdfast.optimizers.radam import radam
from gdfast.optimizers.rmsprop import rmsprop
from gdfast.optimizers.rprop import rprop
from gdfast.optimizers.schedule_free_adamw import schedule_free_adamw
from gdfast.optimizers.schedule_free_sgd import schedule_free_sgd
from gdfast.optimizers.signsgd import signsgd
from gdfast.optimizers.signum import signum
from gdfast.optimizers.tiger import tiger
from gdfast.optimizers.yogi import yogi

CATALOGUE: dict[str, Callable[..., Optimizer]] = {
    make.__name__: make
    for make in (
        gd,
        momentum,
        nesterov,
        qhm,
        signsgd,
        signum,
        normalized_gd,
        polyak_sgd,
        barzilai_borwein,
        adgd,
        asgd,
        rprop,
        adagrad,
        adadelta,
        rmsprop,
        adam,
        adamw,
        amsgrad,
        adamax,
        nadam,
        radam,
        adabelief,
        yogi,
        padam,
        adan,
        adopt,
        ademamix,
        qhadam,
        lamb,
        lars,
        lion,
        tiger,
        madgrad,
        schedule_free_sgd,
        schedule_free_adamw,
        cautious_momentum,
        cautious_adam,
        cautious_lion,
    )
}


def parity() -> list[dict[str, str]]:
    """What each rule was compared with: rows of optimizer, other library, version, largest difference and note.

    The differences are relative to each coordinate's largest value, over trajectories of 300 steps on an
    ill-conditioned quadratic, Rosenbrock's valley and the quartic.
    """
    text = files("gdfast.optimizers").joinpath("parity.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


__all__ = [
    "CATALOGUE",
    "FRACTION",
    "NONNEGATIVE",
    "POSITIVE",
    "Optimizer",
    "adabelief",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "adan",
    "ademamix",
    "adgd",
    "adopt",
    "amsgrad",
    "asgd",
    "barzilai_borwein",
    "cautious_adam",
    "cautious_lion",
    "cautious_momentum",
    "combine",
    "gd",
    "grid",
    "lamb",
    "lars",
    "lion",
    "madgrad",
    "momentum",
    "nadam",
    "named",
    "nesterov",
    "normalized_gd",
    "padam",
    "parity",
    "polyak_sgd",
    "qhadam",
    "qhm",
    "radam",
    "rmsprop",
    "rprop",
    "schedule_free_adamw",
    "schedule_free_sgd",
    "signsgd",
    "signum",
    "tiger",
    "yogi",
]
