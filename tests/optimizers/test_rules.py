"""Update rules against independent textbook loops, and against closed forms."""

import inspect
import sys
from pathlib import Path

import cases
import numpy as np
import pytest
import textbook
from hypothesis import given, settings
from hypothesis import strategies as st

import gdfast
from gdfast import optimizers, problems

sys.path.insert(0, str(Path(__file__).parent / "oracles"))
import peers


def relative(got, expected):
    return np.max(np.abs(got - expected) / np.maximum(np.abs(expected), 1e-3))


def rate_of(optimizer):
    # Two orders of rounding differ by what the trajectory makes of it: adaptive rules divide by a root that may
    # vanish at a minimum, so theirs are compared on the way there.
    if optimizer.name in {"gd", "momentum", "nesterov"}:
        return 0.01
    return 0.0001 if optimizer.parameters.get("centered") else 0.001


@pytest.mark.sampled(6)
@pytest.mark.parametrize("optimizer", cases.OPTIMIZERS, ids=cases.label)
@pytest.mark.parametrize("start", [[1.9], [-2.5]])
def test_200_steps_on_the_quartic(optimizer, start):
    rate = rate_of(optimizer)
    loop = getattr(textbook, optimizer.name)
    expected = np.array(loop(lambda x: [4 * x[0] ** 3 - 10 * x[0] + 3], start, rate, 200, **optimizer.parameters))
    got = gdfast.trajectory(problems.quartic(), optimizer, start, rate, 200, gradient_tolerance=0.0).theta.values
    assert relative(got, expected[: len(got)]) < 1e-12
    assert relative(got[-1], expected[-1]) < 1e-12  # it may have met a gradient of zero before


@pytest.mark.sampled(5)
@pytest.mark.parametrize("optimizer", cases.OPTIMIZERS, ids=cases.label)
def test_200_steps_on_a_regression(optimizer):
    X, y = np.array([[1, 1], [1, 2], [1, 3], [1, 4.0]]), np.array([2, 3.8, 5.9, 7.8])

    def gradient(w):
        residual = [sum(a * b for a, b in zip(row, w, strict=True)) - t for row, t in zip(X, y, strict=True)]
        return [sum(X[i, j] * residual[i] for i in range(4)) / 4 for j in range(2)]

    rate = rate_of(optimizer)
    expected = np.array(getattr(textbook, optimizer.name)(gradient, [0.0, 0.0], rate, 200, **optimizer.parameters))
    got = gdfast.trajectory(problems.linear_regression(), optimizer, [0.0, 0.0], rate, 200).theta.values
    assert relative(got, expected[: len(got)]) < 1e-12


# Rules that no other library has, or has in another form or another precision.
WITHOUT_PEER = [*peers.WITHOUT_PEER, "qhadam", "polyak_sgd", "steepest_descent"]
AMPLIFYING = {
    "barzilai_borwein": 12,
    "adgd": 25,
    "polyak_sgd": 12,
    "conjugate_gradients": 3,
    "steepest_descent": 8,
    "trust_region": 30,
    "trust_region_cg": 30,
    "newton_cg": 12,
}
"""Steps after which a rule rests, or, its rate being a quotient of what it meets, has amplified rounding too much."""


def steps_of(optimizer, steps):
    return AMPLIFYING.get(optimizer.name, steps)


@pytest.mark.sampled(6)
@pytest.mark.parametrize("optimizer", [o for o in cases.ALL_OPTIMIZERS if o.name in WITHOUT_PEER], ids=cases.label)
def test_200_steps_of_the_rules_that_no_other_library_has(optimizer):
    def loss(p):
        return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2

    def gradient(p):
        u = p[1] - p[0] ** 2
        return [-2 * (1 - p[0]) - 400 * p[0] * u, 200 * u]

    def hessian(p):
        return [[2 + 1200 * p[0] ** 2 - 400 * p[1], -400 * p[0]], [-400 * p[0], 200.0]]

    rate, steps = 1.0 if optimizer.name == "polyak_sgd" else 1e-4, steps_of(optimizer, 200)
    loop = getattr(textbook, optimizer.name)
    more = asked(loop, loss=loss, lowest=0.0, hessian=hessian)
    expected = np.array(loop(gradient, [-1.2, 1.0], rate, steps, **optimizer.parameters, **more))
    got = gdfast.trajectory(problems.rosenbrock(), optimizer, [-1.2, 1.0], rate, steps).theta.values
    assert got.shape == expected.shape
    assert relative(got, expected) < 1e-12


def asked(loop, **known):
    """Those that a loop has arguments for."""
    return {name: value for name, value in known.items() if name in inspect.signature(loop).parameters}


RANDOM = {
    "least": lambda u: 0.2 * u,
    "largest": lambda u: 1 + u,
    **dict.fromkeys(["alpha", "beta1", "beta2", "dampening", "lr_decay", "momentum", "nu1", "nu2"], lambda u: 0.99 * u),
    "eps": lambda u: 10 ** (-3 + u),  # bounds how much rounding grows where a gradient passes 0
    "weight_decay": lambda u: u,
    "damping": lambda u: 0.01 + u,
    **dict.fromkeys(["factor", "divisor"], lambda u: 2 + 8 * u),
    "sufficient": lambda u: 1e-4 * (1 + u),
    **dict.fromkeys(["curvature", "shrink"], lambda u: 0.2 + 0.7 * u),
    "initial_accumulator_value": lambda u: u,
    "growth": lambda u: max(0.0, 4 * u - 2),
    "of": lambda u: None,
    "decay": lambda u: u,
    "rounds": lambda u: 1 + int(9 * u),
    "tolerance": lambda u: 0.1 + 0.8 * u,
    "start": lambda u: int(20 * u),
}
"""Hyperparameters from a number between 0 and 1."""


def drawn(parameter, default, rng):
    """A hyperparameter at random; the name of a part stays."""
    if isinstance(default, str):
        return default
    return bool(rng.integers(2)) if isinstance(default, bool) else RANDOM[parameter](rng.uniform())


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in optimizers.CATALOGUE if hasattr(textbook, name)])
@given(seed=st.integers(0, 2**32), dimension=st.integers(2, 6))
@settings(max_examples=20)
def test_rules_are_their_textbook_loops_on_random_bowls(name, seed, dimension):
    rng = np.random.default_rng(seed)
    factory = optimizers.CATALOGUE[name]
    parameters = {
        parameter: drawn(parameter, default, rng)
        for parameter, default in ((p.name, p.default) for p in inspect.signature(factory).parameters.values())
    }
    if name == "rmsprop":
        parameters["centered"] = False  # while gradients hardly change, what is left of the variance is rounding
    optimizer = factory(**parameters)
    problem = problems.quadratic(condition=rng.uniform(1, 30), dimension=dimension, rotation=seed)
    matrix, (start,) = problem.matrix.tolist(), problem.random(1, seed=seed).tolist()
    problem = cases.bowl(matrix) if "hessian" in optimizer.needs else problem

    def gradient(x):
        return [sum(a * b for a, b in zip(row, x, strict=True)) for row in matrix]

    def loss(x):
        return sum(0.5 * slope * each for slope, each in zip(gradient(x), x, strict=True))

    more = asked(getattr(textbook, name), loss=loss, lowest=0.0, hessian=lambda x: matrix)
    rate = 10 ** rng.uniform(-3, -1.5)
    steps = steps_of(optimizer, 25)  # from then on adaptive rules may go to and fro about the minimum, ever less alike
    expected = np.array(getattr(textbook, name)(gradient, start, rate, steps, **parameters, **more))
    got = gdfast.trajectory(problem, optimizer, start, rate, steps, gradient_tolerance=0.0).theta.values
    # What comes to a gradient of exactly 0 has ended, and its loop stays where it is.
    assert len(got) == len(expected) or not np.abs(problem.gradient(got[-1])).any()
    got = np.concatenate([got, np.tile(got[-1], (len(expected) - len(got), 1))])
    assert np.abs(got - expected).max() <= 1e-12 * np.abs(expected).max()


def test_every_rule_without_a_peer_has_a_textbook_loop():
    assert [name for name in WITHOUT_PEER if not hasattr(textbook, name)] == []


@pytest.mark.slow
@given(rate=st.floats(1e-3, 0.23), w0=st.floats(-5, 5), w1=st.floats(-5, 5))
@settings(max_examples=50)
def test_gd_on_a_quadratic_is_the_power_of_a_matrix(rate, w0, w1):
    problem = problems.linear_regression()
    path = gdfast.trajectory(problem, optimizers.gd(), [w0, w1], rate, 60, gradient_tolerance=0.0)
    A = problem.hessian(np.zeros((2, 1)))[..., 0]
    step = np.linalg.matrix_power(np.eye(2) - rate * A, 60)
    expected = problem.optimum + step @ (np.array([w0, w1]) - problem.optimum)
    np.testing.assert_allclose(path.theta.values[-1], expected, rtol=1e-9, atol=1e-11)
