"""Trajectories by other libraries' optimizers; imports nothing from gdfast.

`CASES` pairs each optimizer, under gdfast's name and hyperparameters, with a maker of the same in another library.
`trajectory` runs a case on one of `PROBLEMS`. Libraries are imported when used, so that the table can be read
without them.
"""

import contextlib
import functools
import inspect
import unittest.mock as mock
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import textbook

STEPS = 300
CURVATURES = np.array([1.0, 3.0, 10.0, 100.0, 1000.0])


def _quadratic_data():
    """X (5, 5) and y (5) whose mean squared error has the curvatures above, in rotated axes."""
    normal = np.array([1.0, -2.0, 0.5, 1.5, -1.0])
    rotation = np.eye(5) - 2 * np.outer(normal, normal) / (normal @ normal)
    X = np.sqrt(5 * CURVATURES)[:, None] * rotation
    return X, X @ np.array([0.5, -1.0, 2.0, 0.25, 1.0])


X, Y = _quadratic_data()


class Ground(NamedTuple):
    """A problem as the peers see it: start, loss and gradient; shapes where it is of several arrays."""

    start: list[float]
    loss: Callable[[np.ndarray], float]
    gradient: Callable[[np.ndarray], np.ndarray]
    lowest: float
    shapes: tuple[tuple[int, ...], ...] = ()
    diagonal: Callable[[np.ndarray], np.ndarray] | None = None  # of the Hessian

    def arrays(self, theta: np.ndarray) -> list[np.ndarray]:
        """The coordinates as arrays of these shapes."""
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1]
        parts = np.split(theta, ends) if self.shapes else [theta]
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes or (theta.shape,), strict=True)]


_random = np.random.default_rng(17)
NETWORK_X, NETWORK_Y = _random.normal(size=(9, 3)), _random.normal(size=(9, 2))
SHAPES = ((3, 4), (4,), (4, 2), (2,))


SQUARE_Y = np.random.default_rng(18).normal(size=(9, 3))
SQUARE_SHAPES = ((3, 3), (3,), (3, 3), (3,))


def _network_loss(name, y, theta):
    w1, b1, w2, b2 = PROBLEMS[name].arrays(theta)
    return float(np.mean((np.tanh(NETWORK_X @ w1 + b1) @ w2 + b2 - y) ** 2))


def _network_gradient(name, y, theta):
    w1, b1, w2, b2 = PROBLEMS[name].arrays(theta)
    hidden = np.tanh(NETWORK_X @ w1 + b1)
    errors = 2 / y.size * (hidden @ w2 + b2 - y)
    back = errors @ w2.T * (1 - hidden * hidden)
    parts = NETWORK_X.T @ back, back.sum(axis=0), hidden.T @ errors, errors.sum(axis=0)
    return np.concatenate([part.ravel() for part in parts])


def _network(name, y, shapes):
    """A network with one hidden layer of tanh."""
    start = [float(x) for x in np.round(_random.normal(size=sum(int(np.prod(shape)) for shape in shapes)), 3)]
    loss, gradient = (functools.partial(function, name, y) for function in (_network_loss, _network_gradient))
    return Ground(start, loss, gradient, 0.0, shapes)


_BEALE = (1.5, 2.25, 2.625)
PROBLEMS = {
    "quadratic": Ground(
        [1.0, 2.0, -1.0, 0.5, 3.0],
        lambda w: float(0.5 * np.mean((X @ w - Y) ** 2)),
        lambda w: X.T @ (X @ w - Y) / 5,
        0.0,
    ),
    "rosenbrock": Ground(
        [-1.2, 1.0],
        lambda p: float((1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2),
        lambda p: np.array([-2 * (1 - p[0]) - 400 * p[0] * (p[1] - p[0] ** 2), 200 * (p[1] - p[0] ** 2)]),
        0.0,
        diagonal=lambda p: np.array([2 + 1200 * p[0] ** 2 - 400 * p[1], 200.0]),
    ),
    "quartic": Ground(
        [-3.0],
        lambda p: float(p[0] ** 4 - 5 * p[0] ** 2 + 3 * p[0]),
        lambda p: np.array([4 * p[0] ** 3 - 10 * p[0] + 3]),
        -11.20033470869566,
        diagonal=lambda p: np.array([12 * p[0] ** 2 - 10]),
    ),
    "beale": Ground(
        [-1.7, -0.7],
        lambda p: float(sum((_BEALE[k] - p[0] * (1 - p[1] ** (k + 1))) ** 2 for k in range(3))),
        lambda p: sum(
            2 * (_BEALE[k] - p[0] * (1 - p[1] ** (k + 1))) * np.array([p[1] ** (k + 1) - 1, p[0] * (k + 1) * p[1] ** k])
            for k in range(3)
        ),
        0.0,
    ),
    "network": _network("network", NETWORK_Y, SHAPES),
    "square network": _network("square network", SQUARE_Y, SQUARE_SHAPES),
}
LANDSCAPES = ("quadratic", "rosenbrock", "quartic")


class Case(NamedTuple):
    """One optimizer in one other library."""

    name: str
    parameters: dict[str, Any]
    learning_rate: float
    library: str
    call: str
    options: dict[str, Any]
    note: str = ""
    tolerance: float = 1e-10
    schedule: tuple[str, dict[str, Any]] | None = None  # gdfast's, where the other library's options have one
    transforms: tuple[tuple[str, dict[str, Any]], ...] = ()  # likewise
    problems: tuple[str, ...] = LANDSCAPES

    @property
    def label(self) -> str:
        """How the case is called in stored files and test ids."""
        shown = ",".join(f"{k}={v}" for k, v in self.parameters.items())
        more = [*([self.schedule] if self.schedule else []), *self.transforms]
        return (
            f"{self.library}.{self.call}:{self.name}"
            + (f":{shown}" if shown else "")
            + "".join(f"|{name}" for name, _ in more)
        )


def _torch(name, call, learning_rate, parameters=None, **options):
    return Case(name, parameters or {}, learning_rate, "torch.optim", call, options)


def _optax(name, call, learning_rate, parameters=None, note="", **options):
    return Case(name, parameters or {}, learning_rate, "optax", call, options, note)


def _contrib(name, call, learning_rate, parameters=None, note="", tolerance=1e-10, **options):
    return Case(name, parameters or {}, learning_rate, "optax.contrib", call, options, note, tolerance)


def _more(name, call, learning_rate, parameters=None, note="", tolerance=1e-10, **options):
    return Case(name, parameters or {}, learning_rate, "pytorch_optimizer", call, options, note, tolerance)


def _free(name, call, learning_rate, parameters=None, schedule=None, **options):
    return Case(name, parameters or {}, learning_rate, "schedulefree", call, options, schedule=schedule)


_ADAM = {"beta1": 0.8, "beta2": 0.95, "eps": 1e-4}
_BETAS = {"betas": (0.8, 0.95), "eps": 1e-4}
_WARMUP = ("warmup", {"steps": 49, "start": 1 / 50})  # schedulefree's warmup_steps=50
_B1B2 = {"b1": 0.8, "b2": 0.95, "eps": 1e-4}
_SIGN = 1e-3
_MUON = {"debias": True, "eps": 0.0, "adam_eps": 0.0}
_DECAY = "to 1e-5 only: optax computes the decay in float32"
_EXACT = "with torch's iteration in float64 in place of bfloat16; biases by torch.optim.Adam"
_ADAGRAD = "biases by torch.optim.Adagrad"
_SIGNS = "with singular vectors in float64 in place of float32, and with signs that are no library's"
_DOUBLE = "with QR in float64 in place of float32"
_TURNS = f"{_DOUBLE}; to 1e-8 only: steps along directions of hardly any gradient amplify rounding of the basis"
_SINGLE = "to single precision only: pytorch_optimizer keeps the weights of the means in float32"
_FLOOR = "to 1e-8 only: pytorch_optimizer adds 1e-15 to v"
_SWINGS = "to 1e-9 only: at Rosenbrock's valley it swings, after 140 steps that agree to 2e-15, and amplifies rounding"
_AMPLIFIED = "to 1e-7 only: bets on a gradient that changes its sign amplify rounding"

_RANGER = {"beta1": 0.95, "eps": 1e-5}
_SINGLY = {
    "perturb_eps": 0.0,
    "note": "to single precision only: pytorch_optimizer's norm is in float32",
    "tolerance": 1e-5,
}
_ALONE = {
    "max_iter": 1,
    "max_eval": 100,
    "tolerance_grad": 0.0,
    "tolerance_change": 0.0,
}  # one iteration a step, to the end
_SEARCHED = "to 1e-7 only: where losses differ by rounding, searches go on by it"

_CLIPPED = [
    ("clip", {"max_delta": 5.0}, "clip_value", {"limit": 5.0}, LANDSCAPES),
    ("clip_by_global_norm", {"max_norm": 3.0}, "clip_norm", {"max_norm": 3.0, "eps": 0.0}, LANDSCAPES),
    ("clip_by_block_rms", {"threshold": 3.0}, "clip_norm", {"max_norm": 3.0, "eps": 0.0}, ("quartic",)),
    ("normalize_by_update_norm", {"eps": 0.0}, "normalize", {}, LANDSCAPES),
    ("add_decayed_weights", {"weight_decay": 0.1}, "l2", {"weight": 0.1}, LANDSCAPES),
    ("lookahead", {"sync_period": 4, "slow_step_size": 0.3}, "lookahead", {"k": 4, "alpha": 0.3}, LANDSCAPES),
    ("keep_params_nonnegative", {}, "box", {"low": 0.0, "high": 1e300}, LANDSCAPES),
]

CASES = [
    _torch("gd", "SGD", 1e-4),
    _optax("gd", "sgd", 1e-4),
    _torch("momentum", "SGD", 1e-4, momentum=0.9),
    _torch("momentum", "SGD", 1e-4, {"momentum": 0.5, "dampening": 0.3}, momentum=0.5, dampening=0.3),
    _optax("momentum", "sgd", 1e-4, momentum=0.9),
    _torch("nesterov", "SGD", 1e-4, momentum=0.9, nesterov=True),
    _torch("nesterov", "SGD", 1e-4, {"momentum": 0.6}, momentum=0.6, nesterov=True),
    _optax("nesterov", "sgd", 1e-4, momentum=0.9, nesterov=True),
    _torch("adagrad", "Adagrad", 0.01),
    _torch(
        "adagrad", "Adagrad", 0.05,
        {"lr_decay": 0.01, "initial_accumulator_value": 0.1, "eps": 1e-6},
        lr_decay=0.01, initial_accumulator_value=0.1, eps=1e-6,
    ),
    _torch("adadelta", "Adadelta", 0.1),
    _torch("adadelta", "Adadelta", 0.1, {"rho": 0.7, "eps": 1e-4}, rho=0.7, eps=1e-4),
    _optax("adadelta", "adadelta", 1.0, rho=0.9, eps=1e-6),
    _torch("rmsprop", "RMSprop", 1e-3),
    _torch("rmsprop", "RMSprop", 1e-3, {"alpha": 0.9, "eps": 1e-4, "momentum": 0.5}, alpha=0.9, eps=1e-4, momentum=0.5),
    _torch("rmsprop", "RMSprop", 1e-4, {"centered": True}, centered=True),
    _torch("rmsprop", "RMSprop", 1e-4, {"centered": True, "momentum": 0.5}, centered=True, momentum=0.5),
    _optax("rmsprop", "rmsprop", 1e-3, {"alpha": 0.9, "eps_in_sqrt": True}, decay=0.9, eps=1e-8),
    _optax("rmsprop", "rmsprop", 1e-4, {"alpha": 0.9, "momentum": 0.5, "eps": 1e-4, "eps_in_sqrt": True, "lr_in_momentum": True}, decay=0.9, eps=1e-4, momentum=0.5),
    _optax("rmsprop", "rmsprop", 1e-4, {"alpha": 0.9, "eps": 1e-4, "centered": True, "eps_in_sqrt": True}, decay=0.9, eps=1e-4, centered=True),
    _torch("adam", "Adam", 1e-3),
    _torch("adam", "Adam", 1e-3, _ADAM, **_BETAS),
    _optax("adam", "adam", 1e-3, _ADAM, **_B1B2),
    _torch("adam", "Adam", 1e-3, {"amsgrad": True}, amsgrad=True),
    _torch("amsgrad", "Adam", 1e-3, _ADAM, amsgrad=True, **_BETAS),
    _optax("amsgrad", "amsgrad", 1e-3, {**_ADAM, "debias_first": True}, **_B1B2),
    _torch("adamw", "AdamW", 1e-3),
    _torch("adamw", "AdamW", 1e-3, {**_ADAM, "weight_decay": 0.3, "amsgrad": True}, weight_decay=0.3, amsgrad=True, **_BETAS),
    _optax("adamw", "adamw", 1e-3, {**_ADAM, "weight_decay": 0.1}, weight_decay=0.1, **_B1B2),
    _torch("adamax", "Adamax", 1e-3),
    _torch("adamax", "Adamax", 3e-4, _ADAM, **_BETAS),
    _optax("adamax", "adamax", 3e-4, _ADAM, **_B1B2),
    _torch("nadam", "NAdam", 1e-3),
    _torch("nadam", "NAdam", 1e-3, {**_ADAM, "momentum_decay": 0.1}, momentum_decay=0.1, **_BETAS),
    _optax("nadam", "nadam", 1e-3, {**_ADAM, "momentum_schedule": False}, **_B1B2),
    _torch("radam", "RAdam", 1e-3),
    _torch("radam", "RAdam", 1e-3, _ADAM, **_BETAS),
    _torch("rprop", "Rprop", 1e-3),
    _torch(
        "rprop", "Rprop", 1e-2, {"eta_minus": 0.3, "eta_plus": 1.5, "step_min": 1e-5, "step_max": 0.1},
        etas=(0.3, 1.5), step_sizes=(1e-5, 0.1),
    ),
    _torch("asgd", "ASGD", 1e-4),
    _torch("asgd", "ASGD", 1e-3, {"lambd": 0.5, "alpha": 1.0}, lambd=0.5, alpha=1.0),
    _torch("asgd", "ASGD", 1e-3, {"lambd": 0.5, "alpha": 0.5}, lambd=0.5, alpha=0.5),
    _torch("asgd", "ASGD", 1e-3, {"lambd": 0.5, "alpha": 0.6}, lambd=0.5, alpha=0.6),
    _torch("asgd", "ASGD", 1e-3, {"lambd": 2.0, "alpha": 1.7}, lambd=2.0, alpha=1.7),
    _optax("lion", "lion", _SIGN, weight_decay=0.0),
    _more("lion", "Lion", _SIGN, {"beta1": 0.7, "beta2": 0.9, "weight_decay": 0.1}, betas=(0.7, 0.9), weight_decay=0.1, weight_decouple=True),
    _more("tiger", "Tiger", _SIGN),
    _more("tiger", "Tiger", _SIGN, {"beta": 0.8, "weight_decay": 0.2}, beta=0.8, weight_decay=0.2, weight_decouple=True),
    _optax("signsgd", "sign_sgd", _SIGN),
    _more("signum", "SignSGD", _SIGN, momentum=0.9),
    _more("signum", "SignSGD", _SIGN, {"momentum": 0.5}, momentum=0.5),
    _optax("yogi", "yogi", 1e-3),
    _optax("yogi", "yogi", 1e-2, _ADAM, **_B1B2),
    _more("yogi", "Yogi", 1e-3, {**_ADAM}, adam_debias=False, **_BETAS),
    _optax("adabelief", "adabelief", 1e-3, eps=1e-16, eps_root=1e-16),
    _more("adabelief", "AdaBelief", 1e-3, _ADAM, rectify=False, **_BETAS),
    _more("adan", "Adan", 1e-3, eps=1e-8),
    _more("adan", "Adan", 1e-3, {"beta1": 0.9, "beta2": 0.8, "beta3": 0.95, "eps": 1e-4}, betas=(0.9, 0.8, 0.95), eps=1e-4),
    _more("adopt", "ADOPT", 1e-3, clip_lambda=lambda step: (step - 1) ** 0.25),
    _more("adopt", "ADOPT", 1e-3, {**_ADAM, "clip": False}, clip_lambda=None, **_BETAS),
    _more("adopt", "ADOPT", 0.1, {"beta2": 0.9}, betas=(0.9, 0.9), clip_lambda=lambda step: (step - 1) ** 0.25),
    _more("ademamix", "AdEMAMix", 1e-3),
    _more(
        "ademamix", "AdEMAMix", 1e-3,
        {"beta1": 0.8, "beta2": 0.95, "beta3": 0.99, "alpha": 2.0, "eps": 1e-4, "warmup": 100.0},
        betas=(0.8, 0.95, 0.99), alpha=2.0, eps=1e-4, t_alpha_beta3=100.0,
    ),
    _more("padam", "PAdam", 1e-3, partial=0.25),
    _more("padam", "PAdam", 1e-3, {**_ADAM, "partial": 0.125}, partial=0.125, **_BETAS),
    _more("padam", "PAdam", 1e-3, {**_ADAM, "partial": 0.5}, partial=0.5, **_BETAS),
    _more("padam", "PAdam", 1e-3, {**_ADAM, "partial": 0.05}, partial=0.05, **_BETAS),
    _more("padam", "PAdam", 1e-3, {"partial": 0.4}, partial=0.4),
    _more("diffgrad", "DiffGrad", 1e-3),
    _more("diffgrad", "DiffGrad", 1e-3, _ADAM, **_BETAS),
    _more("qhm", "QHM", 1e-4, momentum=0.999, nu=0.7),
    _more("qhm", "QHM", 1e-4, {"momentum": 0.8, "nu": 0.4}, momentum=0.8, nu=0.4),
    _more("qhadam", "QHAdam", 1e-3, note=_SINGLE, tolerance=1e-7, betas=(0.995, 0.999), nus=(0.7, 1.0)),
    _more("qhadam", "QHAdam", 1e-3, {**_ADAM, "nu1": 0.5, "nu2": 0.8}, note=_SINGLE, tolerance=1e-7, nus=(0.5, 0.8), **_BETAS),
    _more("madgrad", "MADGRAD", 1e-3),
    _more("madgrad", "MADGRAD", 1e-3, {"momentum": 0.5, "eps": 1e-4}, momentum=0.5, eps=1e-4),
    _optax("lamb", "lamb", 1e-4),
    _optax("lamb", "lamb", 1e-4, {**_ADAM, "weight_decay": 0.1}, weight_decay=0.1, **_B1B2),
    _optax("lars", "lars", 1e-2),
    _optax(
        "lars", "lars", 1e-2, {"momentum": 0.5, "weight_decay": 0.1, "trust_coefficient": 0.01, "eps": 1e-3},
        momentum=0.5, weight_decay=0.1, trust_coefficient=0.01, eps=1e-3,
    ),
    _optax(
        "polyak_sgd", "polyak_sgd", 1.0, {"largest": 9e-4},
        note="only at scaling 1: optax scales the gradient before it takes its norm, so that its scaling acts inversely",
        max_learning_rate=9e-4,
    ),
    _contrib("dog", "dog", 1.0, init_step=("heuristic", 1e-6)),
    _contrib("dog", "dog", 0.3, {"r_eps": 1e-2, "eps": 0.1}, init_step=("heuristic", 1e-2), eps=0.1),
    _contrib("dowg", "dowg", 1.0),
    _contrib("dowg", "dowg", 0.5, {"square_distance": 1e-2, "eps": 1e-6}, init_estim_sq_dist=1e-2, eps=1e-6),
    _contrib("prodigy", "prodigy", 1.0, note=_SWINGS, tolerance=1e-9),
    _contrib(
        "prodigy", "prodigy", 0.1,
        {"beta1": 0.8, "beta2": 0.95, "beta3": 0.9, "eps": 1e-4, "d0": 1e-4, "coefficient": 0.5, "weight_decay": 0.1},
        betas=(0.8, 0.95), beta3=0.9, eps=1e-4, estim_lr0=1e-4, estim_lr_coef=0.5, weight_decay=0.1,
    ),
    _more("prodigy", "Prodigy", 1.0, {"bias_correction": False}),
    _contrib("dadapt_adamw", "dadapt_adamw", 0.5),
    _contrib(
        "dadapt_adamw", "dadapt_adamw", 0.1,
        {"beta1": 0.8, "beta2": 0.95, "eps": 1e-4, "d0": 1e-5, "weight_decay": 0.1},
        betas=(0.8, 0.95), eps=1e-4, estim_lr0=1e-5, weight_decay=0.1,
    ),
    _contrib("momo", "momo", 1e-4),
    _contrib("momo", "momo", 1e-3, {"beta": 0.5, "weight_decay": 0.1}, beta=0.5, weight_decay=0.1),
    _contrib("momo_adam", "momo_adam", 1e-3),
    _contrib("momo_adam", "momo_adam", 1e-3, {**_ADAM, "weight_decay": 0.1}, weight_decay=0.1, **_B1B2),
    _contrib("cocob", "cocob", 1.0, note=_AMPLIFIED, tolerance=1e-7),
    _contrib("cocob", "cocob", 0.1, {"alpha": 10.0, "eps": 1e-3}, alpha=10.0, eps=1e-3),
    _optax("novograd", "novograd", 1e-2),
    _optax(
        "novograd", "novograd", 1e-3, {"beta1": 0.8, "beta2": 0.9, "eps": 1e-3, "weight_decay": 0.1},
        b1=0.8, b2=0.9, eps=1e-3, weight_decay=0.1,
    ),
    _optax("fromage", "fromage", 1e-3),
    _optax("fromage", "fromage", 1e-3, {"min_norm": 3.5}, min_norm=3.5),
    _optax("optimistic_gd", "optimistic_gradient_descent", 1e-4),
    _optax("optimistic_gd", "optimistic_gradient_descent", 1e-4, {"alpha": 0.7, "beta": 0.3}, alpha=0.7, beta=0.3),
    _optax("optimistic_adam", "optimistic_adam_v2", 1e-3),
    _optax(
        "optimistic_adam", "optimistic_adam_v2", 1e-3, {**_ADAM, "alpha": 0.7, "beta": 0.3, "nesterov": False},
        alpha=0.7, beta=0.3, nesterov=False, **_B1B2,
    ),
    _optax("optimistic_adam", "optimistic_adam", 1e-3, {"beta": 0.5}, optimism=5e-4),
    _contrib("acprop", "acprop", 1e-3),
    _contrib("acprop", "acprop", 1e-4, {**_ADAM, "eps_root": 1e-3}, eps_root=1e-3, **_B1B2),
    _contrib("simplified_ademamix", "simplified_ademamix", 1e-5),
    _contrib("simplified_ademamix", "simplified_ademamix", 1e-4, {**_ADAM, "alpha": 2.0}, alpha=2.0, **_B1B2),
    _optax("sm3", "sm3", 1e-2),
    _optax("sm3", "sm3", 1e-2, {"momentum": 0.5}, momentum=0.5),
    _more("laprop", "LaProp", 1e-3, note=_FLOOR, tolerance=1e-8),
    _more("laprop", "LaProp", 1e-3, {"beta1": 0.8, "beta2": 0.95}, note=_FLOOR, tolerance=1e-8, betas=(0.8, 0.95)),
    _more("grams", "Grams", 1e-3),
    _more("grams", "Grams", 1e-3, _ADAM, **_BETAS),
    _more("mars", "MARS", 1e-3, {"eps": 0.0}, eps=0.0, optimize_1d=True),
    _more(
        "mars", "MARS", 1e-3, {"beta1": 0.8, "beta2": 0.95, "gamma": 0.1, "eps": 0.0},
        betas=(0.8, 0.95), gamma=0.1, eps=0.0, optimize_1d=True,
    ),
    _more("adabound", "AdaBound", 1e-3),
    _more("adabound", "AdaBound", 1e-3, {**_ADAM, "final_lr": 1e-3, "gamma": 0.1}, final_lr=1e-3, gamma=0.1, **_BETAS),
    _more("aggmo", "AggMo", 1e-4),
    _more("aggmo", "AggMo", 1e-4, {"beta1": 0.3, "beta2": 0.6, "beta3": 0.8}, betas=(0.3, 0.6, 0.8)),
    _more("stable_adamw", "StableAdamW", 1e-3),
    _more("stable_adamw", "StableAdamW", 1e-3, {**_ADAM, "weight_decay": 0.2}, weight_decay=0.2, **_BETAS),
    _more("adai", "Adai", 1e-4),
    _more("adai", "Adai", 1e-4, {"beta0": 0.5, "beta2": 0.9, "eps": 0.01}, betas=(0.5, 0.9), eps=0.01),
    _more("pnm", "PNM", 1e-4),
    _more("pnm", "PNM", 1e-4, {"beta1": 0.8, "beta2": 0.5}, betas=(0.8, 0.5)),
    _more("ftrl", "FTRL", 1e-2),
    _more(
        "ftrl", "FTRL", 1e-2, {"beta": 0.5, "lambda_1": 0.1, "lambda_2": 0.2}, beta=0.5, lambda_1=0.1, lambda_2=0.2
    ),
    _free("schedule_free_sgd", "SGDScheduleFree", 1e-4),
    _free("schedule_free_sgd", "SGDScheduleFree", 1e-4, {"momentum": 0.5}, momentum=0.5),
    _free("schedule_free_adamw", "AdamWScheduleFree", 1e-3),
    _free(
        "schedule_free_adamw", "AdamWScheduleFree", 1e-3, {**_ADAM, "weight_decay": 0.1},
        weight_decay=0.1, **_BETAS,
    ),
    _free("schedule_free_sgd", "SGDScheduleFree", 3e-4, {"momentum": 0.7}, _WARMUP, momentum=0.7, warmup_steps=50),
    _free("schedule_free_adamw", "AdamWScheduleFree", 1e-2, _ADAM, _WARMUP, warmup_steps=50, **_BETAS),
]  # fmt: skip


CASES += [
    _torch("adam", "Adam", 1e-3, weight_decay=0.1)._replace(transforms=(("l2", {"weight": 0.1}),)),
    _torch("gd", "SGD", 1e-4, weight_decay=0.1)._replace(transforms=(("l2", {"weight": 0.1}),)),
    _optax("adamax", "adamaxw", 1e-3, weight_decay=0.1)._replace(transforms=(("weight_decay", {"weight": 0.1}),)),
    _optax("nadam", "nadamw", 1e-3, {"momentum_schedule": False}, weight_decay=0.1)._replace(
        transforms=(("weight_decay", {"weight": 0.1}),)
    ),
    _optax("signum", "signum", _SIGN),
    _optax("adam_eps_root", "adam", 1e-3, eps_root=1e-8),
    _optax("adam_eps_root", "adam", 1e-3, {**_ADAM, "eps_root": 0.1}, eps_root=0.1, **_B1B2),
    _optax("radam", "radam", 1e-3, {**_ADAM, "debias_first": True}, **_B1B2),
    _optax("adagrad", "adagrad", 0.05, {"initial_accumulator_value": 0.1, "eps": 1e-7, "eps_in_sqrt": True}),
    _contrib(
        "madgrad",
        "madgrad",
        1e-3,
        note="to single precision only: optax takes the root of the step in it",
        tolerance=1e-7,
    ),
    _contrib("ademamix", "ademamix", 1e-3),
    _contrib("adopt", "adopt", 1e-3),
    _contrib("schedule_free_sgd", "schedule_free_sgd", 1e-4),
    _contrib("schedule_free_adamw", "schedule_free_adamw", 1e-3),
    _torch("lbfgs", "LBFGS", 0.003, {"history": 5, "search": "fixed"}, history_size=5, **_ALONE),
    _torch("lbfgs", "LBFGS", 1.0, history_size=10, line_search_fn="strong_wolfe", **_ALONE)._replace(
        note=_SEARCHED, tolerance=1e-7
    ),
    _torch("lbfgs", "LBFGS", 1.0, {"history": 5}, history_size=5, line_search_fn="strong_wolfe", **_ALONE)._replace(
        note=_SEARCHED, tolerance=1e-7
    ),
    _optax("lbfgs", "lbfgs", 0.003, {"search": "fixed", "least": 0.0, "euclidean": True}, linesearch=None),
    _optax("lbfgs", "lbfgs", 1.0, {"search": "zoom", "least": 0.0, "euclidean": True})._replace(
        problems=("rosenbrock", "quartic", "beale")
    ),
    *(
        case._replace(note=_SEARCHED, tolerance=1e-7)
        for case in [
            _optax(
                "steepest_descent",
                "scale_by_backtracking_linesearch",
                0.01,
                {"growth": 1.5, "shrink": 0.8},
                max_backtracking_steps=100,
            ),
            _optax(
                "steepest_descent",
                "scale_by_backtracking_linesearch",
                1.0,
                {"growth": 1e9, "sufficient": 0.1},
                max_backtracking_steps=100,
                increase_factor=1e9,
                decrease_factor=0.5,
                slope_rtol=0.1,
            ),
        ]
    ),
    _optax(
        "steepest_descent",
        "scale_by_zoom_linesearch",
        1e9,
        {"search": "zoom", "growth": 1.0},
        "of the quartic; elsewhere steepest descent enlarges what is rounded",
        max_linesearch_steps=20,
    )._replace(problems=("quartic",)),
    *(
        _optax("gd", call, 1e-4, **options)._replace(transforms=((transform, parameters),), problems=problems)
        for call, options, transform, parameters, problems in _CLIPPED
    ),
    _contrib("gd", "normalize", 0.01)._replace(transforms=(("normalize", {}),)),
    _optax("qhm", "ema", 1e-4, {"momentum": 0.9, "nu": 1.0}, decay=0.9, debias=False),
    _more("gd", "SGDW", 1e-4, momentum=0.0, weight_decay=0.1)._replace(transforms=(("weight_decay", {"weight": 0.1}),)),
    _contrib("sam", "sam", 1e-4),
    _contrib("sam", "sam", 1e-4, {"rho": 0.02}, rho=0.02),
    *(
        case._replace(transforms=(("sam", parameters),), problems=(*LANDSCAPES, "network"))
        for case, parameters in [
            (_contrib("adam", "sam", 1e-3, around="adam"), {}),
            (_contrib("momentum", "sam", 1e-4, rho=0.02, around="sgd", opaque=False, momentum=0.9), {"rho": 0.02}),
            (
                _more("momentum", "SAM", 1e-4, base="SGD", momentum=0.9, adaptive=True, rho=0.3, **_SINGLY),
                {"rho": 0.3, "adaptive": True},
            ),
            (_more("adam", "SAM", 1e-3, base="Adam", rho=0.1, **_SINGLY), {"rho": 0.1}),
        ]
    ),
    _more("radam", "Ranger", 1e-3, _RANGER, use_gc=False, degenerated_to_sgd=True)._replace(
        transforms=(("lookahead", {"k": 6}),)
    ),
    _more("radam", "Ranger", 1e-3, _RANGER, degenerated_to_sgd=True)._replace(
        transforms=(("centralize", {}), ("lookahead", {"k": 6})), problems=("network",)
    ),
    *(
        case._replace(problems=(*LANDSCAPES, "network"))
        for case in [
            _torch("adafactor", "Adafactor", 0.001),  # larger rates amplify rounding
            _torch(
                "adafactor",
                "Adafactor",
                0.001,
                {"decay": 0.5, "eps1": 1e-4, "eps2": 0.05, "threshold": 2.0, "weight_decay": 0.1},
                beta2_decay=-0.5,
                eps=(1e-4, 0.05),
                d=2.0,
                weight_decay=0.1,
            ),
            _optax("adafactor", "adafactor", 0.003, {"eps1": 1e-15}, _DECAY, min_dim_size_to_factor=1)._replace(
                tolerance=1e-5
            ),
        ]
    ),
    *(
        case._replace(problems=("network",))
        for case in [
            _torch("muon", "Muon", 0.003)._replace(note=_EXACT),
            _torch(
                "muon",
                "Muon",
                0.01,
                {
                    "momentum": 0.8,
                    "nesterov": False,
                    "weight_decay": 0.3,
                    "consistent_rms": 0.2,
                    "steps": 3,
                    "vector_rate": 0.5,
                },
                momentum=0.8,
                nesterov=False,
                weight_decay=0.3,
                adjust_lr_fn="match_rms_adamw",
                ns_steps=3,
                vector_rate=0.5,
            )._replace(note=_EXACT),
            _contrib(
                "muon", "muon", 0.003, {"debias": True, "eps": 0.0, "adam_eps": 0.0, "weight_decay": 0.0}, eps=0.0
            ),
            _contrib(
                "muon",
                "muon",
                0.01,
                {
                    **_MUON,
                    "nesterov": False,
                    "consistent_rms": 0.2,
                    "steps": 3,
                    "momentum": 0.7,
                    "beta1": 0.8,
                    "beta2": 0.95,
                },
                eps=0.0,
                nesterov=False,
                consistent_rms=0.2,
                ns_steps=3,
                beta=0.7,
                adam_b1=0.8,
                adam_b2=0.95,
                weight_decay=0.1,
            ),
            _more("shampoo", "Shampoo", 0.01, note=_ADAGRAD),
            _more("shampoo", "Shampoo", 0.1, {"eps": 0.1}, note=_ADAGRAD, matrix_eps=0.1),
            _contrib("galore", "galore", 0.003, {"rank": 128, "every": 200}, _SIGNS),
            _contrib(
                "galore",
                "galore",
                0.01,
                {
                    "rank": 1,
                    "every": 15,
                    "scale": 0.25,
                    "weight_decay": 0.1,
                    "beta1": 0.8,
                    "beta2": 0.95,
                    "eps": 1e-4,
                },
                _SIGNS,
                rank=1,
                update_proj_gap=15,
                scale=0.25,
                weight_decay=0.1,
                adam=_B1B2,
            ),
        ]
    ),
    *(
        case._replace(problems=(*LANDSCAPES, "square network"))
        for case in [
            _more("soap", "SOAP", 0.003, note=_TURNS, tolerance=1e-8),
            _more(
                "soap",
                "SOAP",
                0.01,
                {
                    "beta1": 0.8,
                    "beta2": 0.99,
                    "shampoo_beta": 0.7,
                    "weight_decay": 0.1,
                    "eps": 1e-4,
                    "every": 3,
                },
                _DOUBLE,
                betas=(0.8, 0.99),
                shampoo_beta=0.7,
                weight_decay=0.1,
                eps=1e-4,
                precondition_frequency=3,
            ),
        ]
    ),
]


_DIAGONAL = "given the Hessian's diagonal, in place of an estimate by other random numbers"
_SOPHIA = {"beta1": 0.9, "beta2": 0.95, "eps": 1e-4}
_OF_DIAGONAL = [
    _more("adahessian", "AdaHessian", 0.15, eps=1e-4),
    _more("adahessian", "AdaHessian", 0.05, {**_ADAM, "interval": 7}, interval=7, **_BETAS),
    _more("sophia", "SophiaH", 0.1, {"gamma": 1.0}, betas=(0.965, 0.99), p=1.0, interval=10),
    _contrib("sophia", "sophia", 1e-3, {"debias": True, "late": True, "eps": 1e-8}, weight_decay=0.0),
    _contrib(
        "sophia", "sophia", 0.05,
        {**_SOPHIA, "gamma": 1.5, "rho": 2.0, "interval": 3, "debias": True, "late": True},
        b1=0.9, b2=0.95, eps=1e-4, gamma=1.5, clip_threshold=2.0, update_interval=3, weight_decay=0.0,
    ),
]  # fmt: skip
CASES += [case._replace(problems=("rosenbrock", "quartic"), note=_DIAGONAL) for case in _OF_DIAGONAL]


class Deviation(NamedTuple):
    """An optimizer of another library that is known to be another rule."""

    name: str
    library: str
    call: str
    why: str
    parameters: dict[str, Any] = {}  # under gdfast's names
    options: dict[str, Any] = {}  # the same under the other library's
    learning_rate: float = 1e-3
    problem: str = "rosenbrock"


DEVIATIONS = [
    Deviation("muon", "torch.optim", "Muon", "iterates in bfloat16", options={"exact": False}, problem="network"),
    Deviation(
        "soap",
        "pytorch_optimizer",
        "SOAP",
        "computes QR in float32",
        options={"exact": False},
        problem="square network",
    ),
    Deviation(
        "galore",
        "optax.contrib",
        "galore",
        "computes singular vectors in float32",
        {"rank": 1},
        {"rank": 1, "exact": False},
        problem="network",
    ),
    Deviation(
        "radam",
        "pytorch_optimizer",
        "Ranger",
        "goes uphill until the moment is rectified, without degenerated_to_sgd",
        _RANGER,
        {"use_gc": False, "k": STEPS + 1},
    ),
    Deviation("rprop", "optax", "rprop", "returns the update of the step before (optax#1725)"),
    Deviation("adan", "optax", "adan", "weighs the gradient's difference by 1 - b2 in place of b2 (optax#1715)"),
    Deviation(
        "laprop",
        "pytorch_optimizer",
        "LaProp",
        "debiases the sum of root and eps",
        {"eps": 0.01},
        {"eps": 0.01},
    ),
    Deviation("mars", "pytorch_optimizer", "MARS", "debiases the sum of root and eps", {}, {"optimize_1d": True}),
    Deviation(
        "adopt",
        "pytorch_optimizer",
        "ADOPT",
        "clips at t**0.25 in place of (t - 1)**0.25",
        {"beta2": 0.9},
        {"betas": (0.9, 0.9)},
        0.1,
    ),
]

WITHOUT_PEER = {
    name: loop.__doc__ for name, loop in vars(textbook).items() if inspect.isfunction(loop) and loop.__doc__
}
"""What is compared with a plain loop instead, and why."""


def trajectory(case: Case, problem: str) -> np.ndarray:
    """Run a case for `STEPS` updates; return its points, ``float64[STEPS + 1, d]``."""
    ground = PROBLEMS[problem]
    if case.library.startswith("optax"):
        return _by_optax(case, ground)
    return _by_torch(case, ground)


def _by_torch(case: Case, ground: Ground) -> np.ndarray:
    import importlib

    import torch

    # Scalars of some optimizers' state are kept in the default type.
    torch.set_default_dtype(torch.float64)
    module = importlib.import_module(case.library)
    # Matrices as linear layers of torch have them, a row an output.
    parts = [torch.tensor(part.T.copy(), requires_grad=True) for part in ground.arrays(np.array(ground.start))]
    options = dict(case.options)
    exact, vector_rate = options.pop("exact", True), options.pop("vector_rate", 1.0)
    interval = options.pop("interval", 1)
    if case.call in ("AdaHessian", "SophiaH"):
        options["update_period"] = STEPS  # it gets what it would estimate
    with torch.enable_grad():
        if case.call == "SAM":
            base = getattr(torch.optim, options.pop("base"))
            optimizers = [module.SAM(parts, base, lr=case.learning_rate, **options)]
        elif case.call in ("Muon", "Shampoo"):
            matrices, vectors = ([part for part in parts if part.ndim == n] for n in (2, 1))
            rate = case.learning_rate * vector_rate
            as_well: Any = torch.optim.Adam(vectors, lr=rate)
            if case.call == "Shampoo":
                begin = options.get("matrix_eps", 1e-6)
                as_well = torch.optim.Adagrad(vectors, lr=rate, initial_accumulator_value=begin, eps=0.0)
            optimizers = [getattr(module, case.call)(matrices, lr=case.learning_rate, **options), as_well]
        else:
            optimizers = [getattr(module, case.call)(parts, lr=case.learning_rate, **options)]
    if case.library == "schedulefree":
        optimizers[0].train()

    def point():
        return np.concatenate([part.detach().numpy().T.ravel() for part in parts])

    path = [point()]
    kept = torch.Tensor.clone if exact else torch.Tensor.bfloat16
    single = torch.float64 if exact and case.call == "SOAP" else torch.float32
    with mock.patch.object(torch.Tensor, "bfloat16", kept), mock.patch.object(torch, "float32", single):
        for t in range(STEPS):
            for part, gradient in zip(parts, ground.arrays(ground.gradient(path[-1])), strict=True):
                part.grad = torch.from_numpy(gradient.T.copy())
            more = {"closure": functools.partial(_evaluated, ground, parts)} if case.call in ("LBFGS", "SAM") else {}
            if "update_period" in options and t % interval == 0:
                more = {"hessian": [torch.from_numpy(ground.diagonal(path[-1]))]}
            for optimizer in optimizers:
                optimizer.step(**more)
            path.append(point())
    return np.array(path)


def _evaluated(ground: Ground, parts: Any) -> Any:
    """The loss where torch has moved the point to, whose gradient it finds with it."""
    import torch

    theta = np.concatenate([part.detach().numpy().T.ravel() for part in parts])
    for part, gradient in zip(parts, ground.arrays(np.asarray(ground.gradient(theta))), strict=True):
        part.grad = torch.from_numpy(gradient.T.copy())
    return torch.tensor(ground.loss(theta), dtype=torch.float64)


def _diagonal():
    """What optax calls an estimator of the Hessian's diagonal, which is told it."""
    import optax

    def told(updates, state, params=None, diagonal=None):
        return [diagonal], state

    return optax.GradientTransformationExtraArgs(lambda params: (), told)


_BY_LOSS = {
    "polyak_sgd": ("scaling", "f_min"),
    "momo": ("learning_rate", "lower_bound"),
    "momo_adam": ("learning_rate", "lower_bound"),
}
"""Of optax's optimizers that see the loss: what they call the learning rate, and the lowest loss."""


def _sam(learning_rate, rho=0.05, around="sgd", opaque=True, **options):
    """As its paper has it: the adversary is one step of normalized gradient descent."""
    import optax

    adversary = optax.chain(optax.contrib.normalize(), optax.sgd(rho))
    return optax.contrib.sam(getattr(optax, around)(learning_rate, **options), adversary, opaque_mode=opaque)


def _loss_by_optax(ground: Ground) -> Callable[[Any], Any]:
    """The loss at the arrays that a search tries, and its gradient, called back from the loop that JAX compiles."""
    import jax

    def at(function: Callable[[np.ndarray], Any], theta: Any, like: Any) -> Any:
        def called(*parts: Any) -> Any:
            return np.asarray(function(np.concatenate([np.ravel(part) for part in parts])), np.float64)

        return jax.pure_callback(called, jax.ShapeDtypeStruct(like, np.float64), *theta)

    @jax.custom_vjp
    def loss(theta: Any) -> Any:
        return at(ground.loss, theta, ())

    def back(theta: Any, change: Any) -> Any:
        return ([change * at(ground.gradient, theta, theta[0].shape)],)

    loss.defvjp(lambda theta: (loss(theta), theta), back)
    return loss


_SEARCHES = ("scale_by_backtracking_linesearch", "scale_by_zoom_linesearch")
_PARTS = ("clip", "clip_by_global_norm", "clip_by_block_rms", "normalize_by_update_norm", "add_decayed_weights", "ema")


def _searched(search: str) -> Callable[..., Any]:
    """Gradient descent with a search whose lengths end at the learning rate."""
    import optax

    return lambda learning_rate, **options: optax.chain(
        optax.sgd(1.0), getattr(optax, search)(max_learning_rate=learning_rate, **options)
    )


def _before(part: Callable[..., Any]) -> Callable[..., Any]:
    """Gradient descent of what a part makes of the gradient."""
    import optax

    return lambda learning_rate, **options: optax.chain(part(**options), optax.sgd(learning_rate))


def _looking_ahead(learning_rate, **options):
    """Gradient descent with slow weights beside it; the fast ones are told."""
    import optax

    optimizer = optax.lookahead(optax.sgd(learning_rate), **options)

    def init(theta):
        both = optax.LookaheadParams.init_synced(theta)
        return both, optimizer.init(both)

    def update(gradient, state, _):
        updates, inner = optimizer.update(gradient, state[1], state[0])
        return updates.fast, (optax.apply_updates(state[0], updates), inner)

    return optax.GradientTransformation(init, update)


def _nonnegative(learning_rate):
    import optax

    return optax.chain(optax.sgd(learning_rate), optax.keep_params_nonnegative())


def _galore(learning_rate, adam=None, exact=True, **options):
    """Around Adam with other hyperparameters, and with singular vectors in float64."""
    import optax

    optimizer = optax.contrib.galore(learning_rate, base_optimizer=optax.scale_by_adam(**(adam or {})), **options)

    def update(*given):
        with _double_svd() if exact else contextlib.nullcontext():
            return optimizer.update(*given)

    return optimizer._replace(update=update)


@contextlib.contextmanager
def _double_svd():
    """Let optax compute singular vectors in float64, with the entry of the largest size positive in each."""
    import jax.numpy as jnp

    def signs(columns):
        return jnp.sign(jnp.take_along_axis(columns, jnp.abs(columns).argmax(axis=0)[None], axis=0))

    def signed(matrix, svd=jnp.linalg.svd, **options):
        left, values, right = svd(matrix, **options)
        return left * signs(left), values, right * signs(right.T).T

    with mock.patch.object(jnp.linalg, "svd", signed), mock.patch.object(jnp, "float32", jnp.float64):
        yield


def _by_optax(case: Case, ground: Ground) -> np.ndarray:
    import importlib

    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    import optax

    rate, lowest = _BY_LOSS.get(case.call, ("learning_rate", None))
    options = {rate: case.learning_rate, **case.options}
    if lowest is not None:
        options[lowest] = ground.lowest
    if case.call == "sophia":
        options["hessian_diagonal_fn"] = _diagonal()
    made = {"sam": _sam, "galore": _galore} | ({case.call: _searched(case.call)} if case.call in _SEARCHES else {})
    made |= {"lookahead": _looking_ahead, "keep_params_nonnegative": _nonnegative}
    make = made.get(case.call) or getattr(importlib.import_module(case.library), case.call)
    optimizer = (_before(make) if case.call in (*_PARTS, "normalize") else make)(**options)

    def arrays(theta):
        return [jnp.asarray(part, dtype=jnp.float64) for part in ground.arrays(theta)]

    theta = arrays(np.array(ground.start))
    state = optimizer.init(theta)
    # Loops within an update would be compiled at each step; elsewhere one would compile more than is run.
    searches = case.call in _SEARCHES or (case.call == "lbfgs" and "linesearch" not in options)
    loops = (ground.shapes and case.call != "sam") or searches or case.call in ("lbfgs", "sophia")
    update = functools.partial(optimizer.update, **({"value_fn": _loss_by_optax(ground)} if searches else {}))
    update = jax.jit(update) if loops else update
    path = [np.array(ground.start)]
    for _ in range(STEPS):
        gradient = arrays(ground.gradient(path[-1]))
        if case.options.get("opaque") is False:  # the adversary's step is one of the point
            updates, state = update(gradient, state, theta)
            theta = optax.apply_updates(theta, updates)
            gradient = arrays(ground.gradient(np.concatenate([np.ravel(part) for part in theta])))
        extra = {"value": jnp.float64(ground.loss(path[-1]))} if case.call in _BY_LOSS else {}
        if searches:
            extra = {"value": jnp.float64(ground.loss(path[-1])), "grad": gradient}
        if case.call == "sam":
            extra["grad_fn"] = lambda point, _: arrays(ground.gradient(np.concatenate([np.ravel(p) for p in point])))
        if case.call == "sophia":
            extra["diagonal"] = jnp.asarray(ground.diagonal(path[-1]))
        updates, state = update(gradient, state, theta, **extra)
        theta = optax.apply_updates(theta, updates)
        path.append(np.concatenate([np.ravel(part) for part in theta]))
    return np.array(path)


SCHEDULES = [
    ("step", {"every": 40, "gamma": 0.5}, "StepLR", {"step_size": 40, "gamma": 0.5}),
    ("multi_step", {"milestones": (30, 80, 200), "gamma": 0.3}, "MultiStepLR", {"milestones": [30, 80, 200], "gamma": 0.3}),
    ("exponential", {"gamma": 0.98}, "ExponentialLR", {"gamma": 0.98}),
    ("linear", {"start": 0.3, "end": 0.9, "total": 100}, "LinearLR", {"start_factor": 0.3, "end_factor": 0.9, "total_iters": 100}),
    ("polynomial", {"power": 2.0, "total": 200}, "PolynomialLR", {"power": 2.0, "total_iters": 200}),
    ("cosine", {"end": 0.1, "total": 300}, "CosineAnnealingLR", {"T_max": 300, "eta_min": 0.1}),
    ("cosine_warm_restarts", {"period": 20, "factor": 2.0, "end": 0.1}, "CosineAnnealingWarmRestarts", {"T_0": 20, "T_mult": 2, "eta_min": 0.1}),
    ("one_cycle", {"rise": 0.25, "start_divisor": 10.0, "end_divisor": 100.0, "total": 301}, "OneCycleLR", {"max_lr": 1.0, "pct_start": 0.25, "div_factor": 10.0, "final_div_factor": 100.0, "total_steps": 301, "cycle_momentum": False}),
    ("cyclical", {"low": 0.2, "up": 30, "down": 50}, "CyclicLR", {"base_lr": 0.2, "max_lr": 1.0, "step_size_up": 30, "step_size_down": 50, "cycle_momentum": False}),
]  # fmt: skip
"""Schedules under gdfast's names, and torch's schedulers of a learning rate of 1 that are the same."""


def multipliers(call: str, options: dict[str, Any]) -> np.ndarray:
    """The learning rates of steps 0 … `STEPS` by a scheduler of torch, ``float64[STEPS + 1]``."""
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = getattr(torch.optim.lr_scheduler, call)(optimizer, **options)
    rates = []
    for _ in range(STEPS + 1):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(rates) <= STEPS:
            scheduler.step()
    return np.array(rates, dtype=np.float64)
