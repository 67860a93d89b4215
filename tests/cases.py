"""Every optimizer with usual and unusual hyperparameters, and every problem: one table for all contracts.

`OPTIMIZERS` are the classical ones, which meet every problem; `MORE_OPTIMIZERS`, all others of the catalogue and the
`UNUSUAL`, meet one of few coordinates and one with data.
"""

import inspect
import os

import llvmlite.binding as llvm
import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from packaging.version import Version

import gdfast
from gdfast import optimizers as o
from gdfast import problems as p
from gdfast.arguments import Interval, OneOf
from gdfast.data import load
from gdfast.kernels import compiling, units

# What makes pandas read numbers to the last bit: by now there is no other way, and the word for it is deprecated.
TO_THE_LAST_BIT = {} if Version(pd.__version__) >= Version("3.1") else {"float_precision": "round_trip"}

OPTIMIZERS = [
    o.gd(),
    o.momentum(),
    o.momentum(momentum=0.5, dampening=0.3),
    o.nesterov(),
    o.nesterov(momentum=0.99),
    o.adagrad(),
    o.adagrad(lr_decay=0.01, initial_accumulator_value=0.1, eps=1e-6),
    o.rmsprop(),
    o.rmsprop(alpha=0.9, momentum=0.8),
    o.rmsprop(centered=True),
    o.rmsprop(alpha=0.8, eps=1e-3, momentum=0.5, centered=True),
    o.adam(),
    o.adam(beta1=0.5, beta2=0.9, eps=1e-4),
    o.adam(amsgrad=True),
    o.adam(beta1=0.0, beta2=0.5, amsgrad=True),
]

UNUSUAL = [
    o.rmsprop(alpha=0.9, eps_in_sqrt=True, momentum=0.5, lr_in_momentum=True),
    o.rmsprop(alpha=0.9, eps=1e-4, eps_in_sqrt=True, centered=True),
    o.adadelta(rho=0.5, eps=1e-3),
    o.adamw(weight_decay=0.3, amsgrad=True),
    o.amsgrad(beta2=0.9, debias_first=True),
    o.nadam(beta1=0.5, momentum_schedule=False),
    o.radam(beta2=0.95),
    o.rprop(eta_minus=0.3, eta_plus=1.5, step_min=1e-3, step_max=0.5),
    o.asgd(lambd=0.5, alpha=1.0),
    o.asgd(lambd=0.5, alpha=0.5),
    o.lion(beta1=0.5, beta2=0.8, weight_decay=0.1),
    o.yogi(initial_accumulator_value=0.1),
    o.adan(beta1=0.8, beta2=0.7, beta3=0.9, weight_decay=0.1),
    o.adopt(beta2=0.9, clip=False),
    o.ademamix(beta3=0.99, alpha=2.0, warmup=50.0, weight_decay=0.1),
    o.padam(partial=0.125),
    o.padam(partial=0.5),
    o.padam(partial=0.3),
    o.asgd(lambd=0.5, alpha=0.6),
    o.qhadam(nu1=0.3, nu2=0.6),
    o.madgrad(momentum=0.0, eps=1e-2),
    o.schedule_free_adamw(beta1=0.5, weight_decay=0.1),
    o.polyak_sgd(largest=0.01),
    o.barzilai_borwein(short=True),
    o.lamb(weight_decay=0.1),
    o.lars(momentum=0.5, weight_decay=0.1, trust_coefficient=0.1, eps=1e-3),
    o.adagrad(eps_in_sqrt=True),
    o.radam(debias_first=True, threshold=4.0),
    o.ftrl(beta=0.1, lambda_1=0.5, lambda_2=0.2),
    o.sam(rho=0.5),
    o.conjugate_gradients(beta="fletcher_reeves", search="backtracking"),
    o.lbfgs(history=3, search="exact"),
    o.trust_region(least=0.0, largest=2.0),
    o.trust_region_cg(least=0.0, largest=2.0, rounds=1),
    o.newton_cg(search="backtracking", damping=0.1, tolerance=0.9),
    o.lbfgs(history=2, search="backtracking", euclidean=True),
    o.lbfgs(history=2, search="zoom", euclidean=True),
    o.steepest_descent(growth=1.5, shrink=0.8),
    o.adahessian(beta2=0.9, eps=1e-2, interval=3, seed=5),
    o.sophia(gamma=1.0, rho=0.5, debias=True, late=True),
    o.averaged(of=o.adam(beta1=0.8), decay=0.9, debias=False, start=5),
    o.schedule_free_adamw(weight_decay=0.1, average=True),
]
_USUAL = [make() for make in o.CATALOGUE.values()]
MORE_OPTIMIZERS = [*(optimizer for optimizer in _USUAL if optimizer not in OPTIMIZERS), *UNUSUAL]
ALL_OPTIMIZERS = [*OPTIMIZERS, *MORE_OPTIMIZERS]


def least_squares(X, y, **parameters):
    """Linear regression on X as it is."""
    return p.linear_regression(load((X, y), standardize=False), bias=False, **parameters)


def bowl(matrix):
    """The quadratic of a matrix as a landscape, of which rules may ask for the Hessian."""
    names = [f"x{i}" for i in range(len(matrix))]
    terms = [f"{a!r}*{x}*{y}" for x, row in zip(names, matrix, strict=True) for y, a in zip(names, row, strict=True)]
    return p.from_expression(f"0.5*({' + '.join(terms)})".replace("+ -", "- "), [(-2, 2)] * len(names))


_rng = np.random.default_rng(5)
PROBLEMS = [
    p.quartic(),
    p.sigmoid(),
    p.rosenbrock(),
    p.linear_regression(),
    least_squares(_rng.normal(size=(17, 5)), _rng.normal(size=17)),
    least_squares([[2.0]], [3.0]),
]
DATA_PROBLEMS = [
    p.linear_regression(data="diabetes"),
    p.linear_regression(data="diabetes", batch_size=7, seed=3),
    p.ridge_regression(alpha=3.0),
    p.ridge_regression(load((_rng.normal(size=(11, 4)) * 5, _rng.normal(size=11)), standardize=False), bias=False),
    p.ridge_regression(alpha=30.0, batch_size=16),
    p.logistic_regression(data="iris", positive="setosa"),
    p.logistic_regression(data="iris", positive="virginica", l2=0.0, batch_size=9),
    p.logistic_regression((_rng.normal(size=(13, 2)), [0, 1] * 6 + [0]), l2=0.3, bias=False),
    p.softmax_regression(),
    p.softmax_regression(data="iris", l2=0.1, batch_size=5, seed=1, sampling="epochs"),
]
"""Problems with data of any size; least squares with a penalty or without is exact among them."""
MODELS = [
    p.from_model(),
    p.from_model(
        "a*x/(1 + k*k + x) + b*log(x)", data=(_rng.uniform(1, 3, 13), _rng.normal(size=13)), loss="huber", batch_size=5
    ),
]
"""Models on data; in the second only + - * / occur in a step."""
EXACT = [problem for problem in PROBLEMS if problem.name != "sigmoid"]
"""Problems in which only + - * / sqrt occur: kernel and reference agree to the bit."""

LANDSCAPES = [
    *(
        problem
        for problem in (make() for make in p.CATALOGUE.values())
        if isinstance(problem, p.Landscape) and problem.name not in {problem.name for problem in PROBLEMS}
    ),
    *(p.rosenbrock(dimension=d) for d in (3, 5, 8, 12)),
    *(p.rastrigin(dimension=d) for d in (1, 3, 11)),
    *(p.styblinski_tang(dimension=d) for d in (1, 8, 10)),
    *(p.plateau(dimension=d) for d in (2, 9)),
    *(p.ackley(dimension=d) for d in (1, 3, 8)),
    p.quadratic(condition=1e6, dimension=1),
    p.quadratic(condition=1e6, dimension=20),
    p.quadratic(condition=1e3, dimension=5, rotation=1),
]
"""The other landscapes of the catalogue, and families of it in other dimensions."""


def label(thing):
    if not hasattr(thing, "label"):
        return None
    return thing.label + (f"-d{thing.dimension}" if hasattr(thing, "dimension") else "")


def assert_same(got, expected):
    """Two results are the same, every variable of every cell to the bit, and over the same coordinates."""
    assert set(got.data_vars) == set(expected.data_vars)
    assert set(got.coords) == set(expected.coords)
    for name in expected.variables:
        np.testing.assert_array_equal(got[name].values, expected[name].values, err_msg=name)


def agree(sweep, **options):
    """The result of a sweep by kernels, which is that of the reference to the bit."""
    expected = gdfast.run(sweep, backend="numpy", keep_theta=True)
    got = gdfast.run(sweep, keep_theta=True, **options)
    assert_same(got, expected)
    return got


def sweep_of(problem, optimizers, n=128, max_steps=300, **options):
    """`n` learning rates from 1e-4 to 10 × `n` starts on a line through the domain."""
    line = np.linspace(*problem.domain[0], n)[:, None]
    starts = np.repeat(line, problem.dimension, axis=1) * np.linspace(1, -0.5, problem.dimension)
    return gdfast.Sweep(problem, optimizers, np.logspace(-4, 1, n), starts, max_steps, **options)


def one_of_each_template(optimizer, in_registers):
    """A problem in whose kernels coordinates are in registers, or rows of lanes in memory, where the rule can be."""
    in_rows = list(o.CATALOGUE).index(optimizer.name) % 2 and "hessian" not in optimizer.needs
    return p.quadratic(dimension=9) if in_rows else in_registers


def refused(call, kind, *words):
    """The one sentence with which a call is refused; it has all the words."""
    with pytest.raises(kind) as error:
        call()
    sentence = str(error.value)
    assert "\n" not in sentence
    assert len(sentence) < 1000
    for word in words:
        assert word in sentence, f"{word!r} is not in {sentence!r}"
    return sentence


def differences(function, theta, h):
    """Central differences along each coordinate, stacked in front."""
    steps = np.eye(len(theta))[:, :, None] * h
    return np.stack([(function(theta + s) - function(theta - s)) / (2 * h) for s in steps])


def examples(default):
    """How many random examples a slow test tries: what ``GDFAST_EXAMPLES`` says, or else what fits into CI."""
    return int(os.environ.get("GDFAST_EXAMPLES", default))


def made_by(factory):
    """Things made by a factory, with random parameters: a strategy of hypothesis, from what the factory accepts."""
    given = {
        name: numbers(factory.accepted[name])
        if isinstance(factory.accepted.get(name), Interval | OneOf)
        else values(parameter.default)
        for name, parameter in inspect.signature(factory).parameters.items()
    }

    @st.composite
    def thing(draw):
        parameters = {name: draw(strategy) for name, strategy in given.items()}
        try:
            return factory(**parameters)
        except ValueError:  # parameters that are accepted one by one, but not together
            return draw(st.nothing())

    return thing()


def numbers(accepted):
    """The accepted numbers: of an unbounded interval those near its end, and at times large ones."""
    match accepted:
        case OneOf(values):
            return st.sampled_from(values)
        case Interval(low, high, low_open, high_open):
            ends = {"exclude_min": low_open, "exclude_max": high_open}
            low = max(low, -1e6)
            if np.isfinite(high):
                return st.floats(low, high, **ends)
            near, far = (st.floats(low, high, exclude_min=low_open) for high in (max(low, 0) + 2, max(low, 0) + 1e6))
            return near | near | near | far


def values(default):
    """Values of the same kind as a default that no interval is declared for."""
    if isinstance(default, bool):
        return st.booleans()
    if default == inspect.signature(o.lbfgs).parameters["history"].default:
        return st.sampled_from([3, default])  # each has a kernel of its own
    return st.integers(1, 2 * default + 2) if isinstance(default, int) else st.just(default)


def assembly(make):
    """The assembly of the kernel that `make` compiles; one from the disk cache has none to show."""
    texts, emit_object = [], llvm.TargetMachine.emit_object
    units.units()  # what measures the machine is compiled once a process, and would be among the texts

    def emit(machine, module):
        texts.append(machine.emit_assembly(module))
        return emit_object(machine, module)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "_kernels", type(compiling._kernels)())
        patch.setattr(compiling.folder, "folders", list)
        patch.setattr(compiling.folder, "_warn", lambda: None)
        patch.setattr(llvm.TargetMachine, "emit_object", emit)
        make()
    (text,) = texts
    return text
