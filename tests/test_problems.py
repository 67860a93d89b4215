"""Losses, gradients and Hessians against each other, and stationary points against both."""

import cases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdfast import problems


def differences(function, theta, h):
    """Central differences along each coordinate, stacked in front."""
    steps = np.eye(len(theta))[:, :, None] * h
    return np.stack([(function(theta + s) - function(theta - s)) / (2 * h) for s in steps])


@pytest.mark.parametrize("problem", [*cases.PROBLEMS, *cases.DATA_PROBLEMS], ids=cases.label)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_derivatives_are_those_of_the_loss(problem, seed):
    theta = np.random.default_rng(seed).uniform(*problem.domain.T[..., None], (problem.dimension, 6))
    slope = differences(problem.objective, theta, 1e-5)
    scale = 1 + np.abs(slope).max()
    np.testing.assert_allclose(problem.gradient(theta), slope, atol=1e-7 * scale)
    bend = differences(problem.gradient, theta, 1e-5)
    np.testing.assert_allclose(problem.hessian(theta), bend, atol=1e-7 * (1 + np.abs(bend).max()))


@pytest.mark.parametrize("problem", [*cases.PROBLEMS, *cases.DATA_PROBLEMS], ids=cases.label)
def test_stationary_points_are_stationary_and_of_their_kind(problem):
    for point in problem.stationary_points:
        theta = np.array(point.point)[:, None]
        assert np.abs(problem.gradient(theta)).max() <= 1e-12 * problem.gradient_scale * 100
        assert problem.loss(theta)[0] == pytest.approx(point.loss)
        curvatures = np.linalg.eigvalsh(problem.hessian(theta)[..., 0])
        if point.kind == "minimum":
            assert curvatures[0] > -1e-12
        if point.kind == "maximum":
            assert curvatures[-1] < 0
    assert problem.minima[0].loss == min(p.loss for p in problem.stationary_points)


def test_regression_with_collinear_columns_still_has_its_optimum():
    x = np.arange(1.0, 6.0)
    problem = problems.linear_regression(X=np.stack([x, 2 * x], axis=1), y=3 * x)
    assert problem.minima[0].loss == pytest.approx(0, abs=1e-20)
    other = problem.optimum + np.array([2.0, -1.0]) * 7
    loss = problem.loss(other[:, None])
    assert problem.locate(other[:, None], loss, 1e-8).tolist() == [0]


def test_starts_of_a_problem():
    problem = problems.linear_regression()
    assert problem.grid(5).shape == (25, 2)
    np.testing.assert_array_equal(problem.grid(5)[:2, 0], problem.domain[0, 0])
    draws = problem.random(100, seed=3)
    np.testing.assert_array_equal(draws, problem.random(100, seed=3))
    assert not np.array_equal(draws, problem.random(100, seed=4))
    assert (draws >= problem.domain[:, 0]).all()
    assert (draws <= problem.domain[:, 1]).all()
