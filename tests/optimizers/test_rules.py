"""Update rules against independent textbook loops, and against closed forms."""

import cases
import numpy as np
import pytest
import textbook
from hypothesis import given, settings
from hypothesis import strategies as st

import gdfast
from gdfast import optimizers, problems


def relative(got, expected):
    return np.max(np.abs(got - expected) / np.maximum(np.abs(expected), 1e-3))


def rate_of(optimizer):
    # Two orders of rounding differ by what the trajectory makes of it: adaptive rules divide by a root that may
    # vanish at a minimum, so theirs are compared on the way there.
    if optimizer.name in {"gd", "momentum", "nesterov"}:
        return 0.01
    return 0.0001 if optimizer.parameters.get("centered") else 0.001


@pytest.mark.parametrize("optimizer", cases.OPTIMIZERS, ids=cases.label)
@pytest.mark.parametrize("start", [[1.9], [-2.5]])
def test_200_steps_on_the_quartic(optimizer, start):
    rate = rate_of(optimizer)
    loop = getattr(textbook, optimizer.name)
    expected = np.array(loop(lambda x: [4 * x[0] ** 3 - 10 * x[0] + 3], start, rate, 200, **optimizer.parameters))
    got = gdfast.trajectory(problems.quartic(), optimizer, start, rate, 200, gradient_tolerance=0.0).theta.values
    assert relative(got, expected[: len(got)]) < 1e-12
    assert relative(got[-1], expected[-1]) < 1e-12  # it may have met a gradient of zero before


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


WITHOUT_PEER = [optimizer for optimizer in cases.MORE_OPTIMIZERS if hasattr(textbook, optimizer.name)]


@pytest.mark.parametrize("optimizer", [o for o in WITHOUT_PEER if o.name != "rmsprop"], ids=cases.label)
def test_200_steps_of_the_rules_that_no_other_library_has(optimizer):
    def gradient(p):
        u = p[1] - p[0] ** 2
        return [-2 * (1 - p[0]) - 400 * p[0] * u, 200 * u]

    # The two spectral methods amplify rounding as they speed up: they are compared until they have done so.
    steps = 25 if optimizer.name in {"barzilai_borwein", "adgd"} else 200
    expected = np.array(getattr(textbook, optimizer.name)(gradient, [-1.2, 1.0], 1e-4, steps, **optimizer.parameters))
    got = gdfast.trajectory(problems.rosenbrock(), optimizer, [-1.2, 1.0], 1e-4, steps).theta.values
    assert got.shape == expected.shape
    assert relative(got, expected) < 1e-12


@given(rate=st.floats(1e-3, 0.23), w0=st.floats(-5, 5), w1=st.floats(-5, 5))
@settings(max_examples=50)
def test_gd_on_a_quadratic_is_the_power_of_a_matrix(rate, w0, w1):
    problem = problems.linear_regression()
    path = gdfast.trajectory(problem, optimizers.gd(), [w0, w1], rate, 60, gradient_tolerance=0.0)
    A = problem.hessian(np.zeros((2, 1)))[..., 0]
    step = np.linalg.matrix_power(np.eye(2) - rate * A, 60)
    expected = problem.optimum + step @ (np.array([w0, w1]) - problem.optimum)
    np.testing.assert_allclose(path.theta.values[-1], expected, rtol=1e-9, atol=1e-11)
