"""Optimizers, one file a rule. This list of names is all that a new one is added to.

A rule takes point, gradient, state, learning rate and the hyperparameters that its source gives it, one by one: some
have more than eight.
"""

import csv
from collections.abc import Callable
from importlib.resources import files

from gdfast.optimizers._grid import combine, grid
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, POSITIVE, Optimizer, named
from gdfast.optimizers.acprop import acprop
from gdfast.optimizers.adabelief import adabelief
from gdfast.optimizers.adabound import adabound
from gdfast.optimizers.adadelta import adadelta
from gdfast.optimizers.adafactor import adafactor
from gdfast.optimizers.adagrad import adagrad
from gdfast.optimizers.adahessian import adahessian
from gdfast.optimizers.adai import adai
from gdfast.optimizers.adam import adam
from gdfast.optimizers.adam_eps_hat import adam_eps_hat
from gdfast.optimizers.adam_eps_root import adam_eps_root
from gdfast.optimizers.adamax import adamax
from gdfast.optimizers.adamw import adamw
from gdfast.optimizers.adan import adan
from gdfast.optimizers.ademamix import ademamix
from gdfast.optimizers.adgd import adgd
from gdfast.optimizers.adopt import adopt
from gdfast.optimizers.aggmo import aggmo
from gdfast.optimizers.amsgrad import amsgrad
from gdfast.optimizers.asgd import asgd
from gdfast.optimizers.averaged import averaged
from gdfast.optimizers.barzilai_borwein import barzilai_borwein
from gdfast.optimizers.classical_momentum import classical_momentum
from gdfast.optimizers.cocob import cocob
from gdfast.optimizers.conjugate_gradients import conjugate_gradients
from gdfast.optimizers.dadapt_adamw import dadapt_adamw
from gdfast.optimizers.damped_newton import damped_newton
from gdfast.optimizers.diffgrad import diffgrad
from gdfast.optimizers.dog import dog
from gdfast.optimizers.dowg import dowg
from gdfast.optimizers.extragradient import extragradient
from gdfast.optimizers.fromage import fromage
from gdfast.optimizers.ftrl import ftrl
from gdfast.optimizers.galore import galore
from gdfast.optimizers.gd import gd
from gdfast.optimizers.grams import grams
from gdfast.optimizers.lamb import lamb
from gdfast.optimizers.laprop import laprop
from gdfast.optimizers.lars import lars
from gdfast.optimizers.lbfgs import lbfgs
from gdfast.optimizers.levenberg_marquardt import levenberg_marquardt
from gdfast.optimizers.lion import lion
from gdfast.optimizers.madgrad import madgrad
from gdfast.optimizers.mars import mars
from gdfast.optimizers.momentum import momentum
from gdfast.optimizers.momo import momo
from gdfast.optimizers.momo_adam import momo_adam
from gdfast.optimizers.muon import muon
from gdfast.optimizers.nadam import nadam
from gdfast.optimizers.nesterov import nesterov
from gdfast.optimizers.newton import newton
from gdfast.optimizers.newton_cg import newton_cg
from gdfast.optimizers.normalized_gd import normalized_gd
from gdfast.optimizers.novograd import novograd
from gdfast.optimizers.optimistic_adam import optimistic_adam
from gdfast.optimizers.optimistic_gd import optimistic_gd
from gdfast.optimizers.padam import padam
from gdfast.optimizers.pnm import pnm
from gdfast.optimizers.polyak_sgd import polyak_sgd
from gdfast.optimizers.prodigy import prodigy
from gdfast.optimizers.qhadam import qhadam
from gdfast.optimizers.qhm import qhm
from gdfast.optimizers.radam import radam
from gdfast.optimizers.rmsprop import rmsprop
from gdfast.optimizers.rprop import rprop
from gdfast.optimizers.saddle_free_newton import saddle_free_newton
from gdfast.optimizers.sam import sam
from gdfast.optimizers.schedule_free_adamw import schedule_free_adamw
from gdfast.optimizers.schedule_free_sgd import schedule_free_sgd
from gdfast.optimizers.shampoo import shampoo
from gdfast.optimizers.signsgd import signsgd
from gdfast.optimizers.signum import signum
from gdfast.optimizers.simplified_ademamix import simplified_ademamix
from gdfast.optimizers.sm3 import sm3
from gdfast.optimizers.soap import soap
from gdfast.optimizers.sophia import sophia
from gdfast.optimizers.stable_adamw import stable_adamw
from gdfast.optimizers.steepest_descent import steepest_descent
from gdfast.optimizers.tiger import tiger
from gdfast.optimizers.trust_region import trust_region
from gdfast.optimizers.trust_region_cg import trust_region_cg
from gdfast.optimizers.yogi import yogi

FAMILIES: dict[str, tuple[Callable[..., Optimizer], ...]] = {
    "plain": (gd, normalized_gd, fromage, asgd, optimistic_gd, schedule_free_sgd),
    "momentum": (momentum, classical_momentum, nesterov, qhm, aggmo, pnm, adai, novograd, lars),
    "sign": (signsgd, signum, rprop, lion, tiger),
    "adaptive": (
        adagrad, sm3, ftrl, adadelta, rmsprop, adam, adam_eps_hat, adam_eps_root, adamw, amsgrad, adamax, nadam, radam,
        adabelief, acprop, yogi, padam, adan, adopt, ademamix, simplified_ademamix, laprop, grams, mars, adabound,
        stable_adamw, diffgrad, qhadam,
        optimistic_adam, lamb, madgrad, schedule_free_adamw,
    ),
    "second gradients": (sam, extragradient),
    "line searches": (steepest_descent, conjugate_gradients),
    "second order": (
        newton, damped_newton, saddle_free_newton, levenberg_marquardt, trust_region, newton_cg, trust_region_cg,
        lbfgs, adahessian, sophia,
    ),
    "matrix": (muon, shampoo, soap, galore, adafactor),
    "wrappers": (averaged,),
    "rates of their own": (
        polyak_sgd, momo, momo_adam, barzilai_borwein, adgd, dog, dowg, dadapt_adamw, prodigy, cocob
    ),
}  # fmt: skip
"""Makers of the rules by family: one that finds its rate itself is with those, whatever else it is."""

CATALOGUE: dict[str, Callable[..., Optimizer]] = {
    make.__name__: make for makers in FAMILIES.values() for make in makers
}
"""The optimizers by name."""


def parity() -> list[dict[str, str]]:
    """What each rule was compared with: rows of optimizer, other library, version, largest difference and note.

    The differences are relative to each coordinate's largest value, over trajectories of 300 steps on an
    ill-conditioned quadratic, Rosenbrock's valley and the quartic.

    Returns
    -------
    list of dict
        With the keys ``optimizer``, ``compared with``, ``version``, ``largest relative difference`` and ``note``.

    Examples
    --------
    >>> import gdfast
    >>> {row["compared with"] for row in gdfast.optimizers.parity() if row["optimizer"] == "gd"} >= {"torch.optim.SGD"}
    True
    """
    return _table("parity.csv")


def libraries() -> list[dict[str, str]]:
    """Which rule each optimizer of other libraries is: rows of library, name, notation, difference and note.

    All of torch.optim, optax (with what its optimizers are made of) and optax.contrib, and those of pytorch_optimizer
    and schedulefree that rules were compared with. The notation (several with spaces between) is that of the same
    formula; defaults may differ. It is empty where there is none, and the note says why. The difference is the largest
    of those in `parity`, or that it ``differs``, as another rule under the same name does.

    Returns
    -------
    list of dict
        With the keys ``library``, ``its optimizer``, ``gdfast's``, ``largest relative difference`` and ``note``.

    Examples
    --------
    >>> import gdfast
    >>> [row["gdfast's"] for row in gdfast.optimizers.libraries() if row["its optimizer"] == "Adadelta"]
    ['adadelta']
    """
    found: dict[str, str] = {}
    for row in parity():
        peer, told = row["compared with"], row["largest relative difference"]
        if peer == "none":
            continue
        numbers = [each for each in (told, found.get(peer, _DIFFERS)) if each != _DIFFERS]
        found[peer] = _DIFFERS if not numbers else max(numbers, key=float)
    rows = _table("libraries.csv")
    for row in rows:
        row["largest relative difference"] = found.get(f"{row['library']}.{row['its optimizer']}", "")
        row["note"] = row.pop("note")  # at the end
    return rows


_DIFFERS = "differs"


def _table(name: str) -> list[dict[str, str]]:
    text = files("gdfast.optimizers").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


__all__ = [
    "CATALOGUE",
    "FAMILIES",
    "FRACTION",
    "NONNEGATIVE",
    "POSITIVE",
    "Optimizer",
    "acprop",
    "adabelief",
    "adabound",
    "adadelta",
    "adafactor",
    "adagrad",
    "adahessian",
    "adai",
    "adam",
    "adam_eps_hat",
    "adam_eps_root",
    "adamax",
    "adamw",
    "adan",
    "ademamix",
    "adgd",
    "adopt",
    "aggmo",
    "amsgrad",
    "asgd",
    "averaged",
    "barzilai_borwein",
    "classical_momentum",
    "cocob",
    "combine",
    "conjugate_gradients",
    "dadapt_adamw",
    "damped_newton",
    "diffgrad",
    "dog",
    "dowg",
    "extragradient",
    "fromage",
    "ftrl",
    "galore",
    "gd",
    "grams",
    "grid",
    "lamb",
    "laprop",
    "lars",
    "lbfgs",
    "levenberg_marquardt",
    "libraries",
    "lion",
    "madgrad",
    "mars",
    "momentum",
    "momo",
    "momo_adam",
    "muon",
    "nadam",
    "named",
    "nesterov",
    "newton",
    "newton_cg",
    "normalized_gd",
    "novograd",
    "optimistic_adam",
    "optimistic_gd",
    "padam",
    "parity",
    "pnm",
    "polyak_sgd",
    "prodigy",
    "qhadam",
    "qhm",
    "radam",
    "rmsprop",
    "rprop",
    "saddle_free_newton",
    "sam",
    "schedule_free_adamw",
    "schedule_free_sgd",
    "shampoo",
    "signsgd",
    "signum",
    "simplified_ademamix",
    "sm3",
    "soap",
    "sophia",
    "stable_adamw",
    "steepest_descent",
    "tiger",
    "trust_region",
    "trust_region_cg",
    "yogi",
]
