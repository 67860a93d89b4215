"""Losses, gradients and Hessians against each other, and stationary points against both."""

import cases
import numpy as np
import pytest
import surveys
from hypothesis import given, settings
from hypothesis import strategies as st

from gdfast import problems
from gdfast.problems import _compass

ALL = [*cases.PROBLEMS, *cases.LANDSCAPES, *cases.DATA_PROBLEMS, *cases.MODELS]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("problem", [q for q in ALL if q.name not in surveys.KINKED], ids=cases.label)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=20)
def test_derivatives_are_those_of_the_loss(problem, seed):
    theta = np.random.default_rng(seed).uniform(*problem.domain.T[..., None], (problem.dimension, 6))
    slope = cases.differences(problem.objective, theta, 1e-5)
    scale = 1 + np.abs(slope).max()
    np.testing.assert_allclose(problem.gradient(theta), slope, atol=1e-7 * scale)
    bend = cases.differences(problem.gradient, theta, 1e-5)
    np.testing.assert_allclose(problem.hessian(theta), bend, atol=1e-7 * (1 + np.abs(bend).max()))


def expected_kind(problem, point, curvatures):
    """By the Hessian's signs, or where it is singular by the loss around."""
    if np.abs(curvatures).min() > 1e-9 * np.abs(curvatures).max():
        return {1: "minimum", -1: "maximum"}.get(np.sign(curvatures).mean(), "saddle")
    directions = np.random.default_rng(1).normal(size=(problem.dimension, 500))
    around = point + 1e-3 * directions / np.linalg.norm(directions, axis=0)
    signs = np.sign(problem.loss(around) - problem.loss(point))
    return {1: "minimum", -1: "maximum"}.get(signs.mean(), "degenerate")


@pytest.mark.sampled(5)
@pytest.mark.parametrize("problem", [q for q in ALL if q.name not in surveys.KINKS], ids=cases.label)
def test_stationary_points_are_stationary_and_of_their_kind(problem):
    points = problem.stationary_points
    assert [p.loss for p in points] == sorted(p.loss for p in points)
    ordinary = np.median(np.abs(problem.gradient(problem.random(200).T)).max(axis=0))
    for point in points[:: max(1, len(points) // 400)]:
        theta = np.array(point.point)[:, None]
        assert np.abs(problem.gradient(theta)).max() <= 1e-12 * max(ordinary, problem.gradient_scale) * 100
        assert problem.loss(theta)[0] == pytest.approx(point.loss, rel=1e-12, abs=1e-12)
        curvatures = np.linalg.eigvalsh(problem.hessian(theta)[..., 0])
        assert point.flattest == pytest.approx(np.abs(curvatures).min(), rel=1e-9, abs=1e-12)
        assert point.kind == expected_kind(problem, theta, curvatures)
    if problem.minima and problem.name != "monkey_saddle":
        assert problem.minima[0].loss == points[0].loss


@pytest.mark.sampled(16)
@pytest.mark.parametrize("problem", cases.LANDSCAPES, ids=cases.label)
def test_points_near_stationary_points_are_located_there(problem):
    points = problem.stationary_points
    chosen = np.random.default_rng(2).permutation(len(points))[:300]
    theta = np.array([points[i].point for i in chosen]).T + 1e-9
    np.testing.assert_array_equal(problem.locate(theta, problem.loss(theta), 1e-8), chosen)
    far = np.full((problem.dimension, 1), 1e3)
    assert problem.locate(far, problem.loss(far), 1e-8).tolist() == [-1]


SINGLE = [q for q in cases.LANDSCAPES if isinstance(q, problems.Landscape) and not q.lane_kernel]


@pytest.mark.sampled(10)
@pytest.mark.parametrize("problem", SINGLE, ids=cases.label)
def test_losses_and_gradients_are_numbers_in_single_precision_too(problem):
    """At zeros, where roots and waves vanish, at kinks and other points with names, and on a line."""
    low, high = np.array(problem.domain).T
    named = [np.clip(0.0, low, high), *(point.point for point in problem.stationary_points[:50])]
    points = np.hstack([np.linspace(low, high, 20, axis=1), np.array(named).T])
    with np.errstate(all="ignore"):
        for tell in (problem.step_objective, problem.step_gradient):
            single = tell(points.astype(np.float32), 0)
            assert single.dtype == np.float32
            assert np.isfinite(single).all()
            assert np.isfinite(tell(points, 0)).all()


def test_regression_with_collinear_columns_still_has_its_optimum():
    x = np.arange(1.0, 6.0)
    problem = cases.least_squares(np.stack([x, 2 * x], axis=1), 3 * x)
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


@pytest.mark.parametrize("d", [2, 100, 101, 400])
def test_what_a_search_looks_at_at_once_is_bounded_in_any_dimension(d):
    asked = []

    def level(points):
        asked.append(points.size)
        return np.zeros(points.shape[1])

    domain = np.array([[-1.0, 1.0]] * d)
    assert _compass.lowest_inside(level, domain, np.zeros((d, 4096)), np.inf) is None
    moves = asked[1:]
    assert moves
    assert max(moves) <= max(2 * 64 * 100**2, 2 * d * d)
