"""How trajectories settle, and what their ends are called."""

import cases
import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems, theory, transforms
from gdfast.tiles.ending import Ending
from gdfast.tiles.outcomes import Outcome

QUARTIC = problems.quartic()


def outcomes(sweep):
    return gdfast.run(sweep).outcome.values[0]


def test_reference_values_of_the_quartic():
    points = QUARTIC.stationary_points
    assert [p.kind for p in points] == ["minimum", "minimum", "maximum"]
    np.testing.assert_allclose([p.point[0] for p in points], [-1.713939, 1.401771, 0.312168], atol=1e-6)
    np.testing.assert_allclose([p.loss for p in points], [-11.200335, -1.758421, 0.458756], atol=1e-6)
    np.testing.assert_allclose([p.flattest for p in points], [25.2511, 13.5796, 8.8306], atol=1e-4)
    assert theory.gd(points[0].flattest) == pytest.approx(0.079205, abs=1e-6)
    assert theory.heavy_ball(points[1].flattest, 0.9) == pytest.approx(0.279833, abs=1e-6)


def test_between_its_limits_gd_never_comes_to_rest_in_the_global_minimum():
    rates = np.linspace(0.0793, 0.1465, 200)
    # A start at the minimum itself stays; the grid avoids it.
    result = gdfast.run(gdfast.Sweep(QUARTIC, optimizers.gd(), rates, QUARTIC.grid(400), 4000))
    ends, rests = result.outcome.values[0], result.ending.values[0] == Ending.stationary
    assert not (rests & (ends == Outcome.global_minimum)).any()
    assert (rests & (ends == Outcome.local_minimum)).any(axis=1).all()
    # Close to its limit it cycles so narrowly around it that the loss is as good as the lowest.
    near = ends == Outcome.global_minimum
    assert not near[rates > 0.0800].any()
    assert (result.ending.values[0][near] == Ending.cycling).all()


@pytest.mark.parametrize(("basin", "limit"), [(0, 0.079205), (1, 0.147280)])
def test_the_edge_of_the_map_is_at_two_over_the_curvature(basin, limit):
    rates = np.linspace(0.9 * limit, 1.1 * limit, 401)
    near = QUARTIC.minima[basin].point[0] + 1e-3
    result = gdfast.run(gdfast.Sweep(QUARTIC, optimizers.gd(), rates, [[near]], 50_000))
    works = (result.basin.values[0, :, 0] == basin) & (result.outcome.values[0, :, 0] <= Outcome.local_minimum)
    edge = np.flatnonzero(works).max()
    assert works[: edge + 1].all()
    assert abs(rates[edge] - limit) <= 2 * (rates[1] - rates[0])


def test_regression_converges_below_and_diverges_above_two_over_lambda():
    problem = problems.linear_regression()
    limit = theory.gd(problem.curvatures[-1])
    rates = np.linspace(0.9 * limit, 1.1 * limit, 401)
    ends = outcomes(gdfast.Sweep(problem, optimizers.gd(), rates, problem.random(20, seed=1), 100_000))
    resolution = rates[1] - rates[0]
    assert (ends[rates < limit - resolution] == Outcome.global_minimum).all()
    assert (ends[rates > limit + resolution] == Outcome.diverged).all()


def test_oscillation_is_recognized_with_its_period():
    # Just above 2/f'' the minimum's two-cycle attracts; further up it doubles.
    result = gdfast.run(gdfast.Sweep(QUARTIC, optimizers.gd(), [0.16], [[1.3]], 3000))
    path = gdfast.trajectory(QUARTIC, optimizers.gd(), [1.3], 0.16, 3000)
    period = int(result.period.values[0, 0, 0])
    assert result.outcome.values[0, 0, 0] == Outcome.oscillating
    assert period == 2
    assert path.theta.values[-1, 0] == pytest.approx(path.theta.values[-1 - period, 0], abs=1e-9)
    assert abs(path.theta.values[-1, 0] - path.theta.values[-2, 0]) > 0.1


@pytest.mark.parametrize(("slack", "period"), [(0.0, 2), (0.6e-6, 2), (1.6e-6, 0)])
def test_a_tail_repeats_within_a_millionth_of_its_amplitude(slack, period):
    # x is multiplied by slack − 1 in each step, and so changes by 2 slack in two, of an amplitude of 2.
    line = problems.from_expression("x**2/2", [[-2, 2]])
    for backend in ("numba", "numpy"):
        result = gdfast.run(gdfast.Sweep(line, optimizers.gd(), [2 - slack], [[1.0]], 100), backend=backend)
        assert result.period.item() == period


@pytest.mark.parametrize(("y", "ending"), [(1.9, Ending.moving), (2.1, Ending.fixed)])
def test_a_point_stands_still_within_16_units_of_its_largest_coordinate(y, ending):
    # In the 32 steps of the tail x changes by 2⁻⁵² in each, and y, the largest, not at all.
    line = problems.from_expression("x + 0*y", [[-4, 4], [-4, 4]])
    for backend in ("numba", "numpy"):
        result = gdfast.run(gdfast.Sweep(line, optimizers.gd(), [2.0**-52], [[1.5, y]], 100), backend=backend)
        assert result.ending.item() == ending


def test_a_start_at_a_maximum_stalls():
    point = QUARTIC.stationary_points[-1].point
    for backend in ("numba", "numpy"):
        result = gdfast.run(gdfast.Sweep(QUARTIC, optimizers.gd(), [0.01], [point]), backend=backend)
        assert result.outcome.values.item() == Outcome.stalled
        assert result.steps.values.item() == 1
        assert result.basin.values.item() == -1


def test_the_sigmoid_crawls_from_5_and_stalls_from_25():
    result = gdfast.run(gdfast.Sweep(problems.sigmoid(), optimizers.gd(), [0.05], [[5.0], [25.0]], 100))
    assert result.outcome.values[0, 0].tolist() == [Outcome.unfinished, Outcome.stalled]


def test_momentum_passing_a_minimum_at_speed_does_not_settle_there():
    # One small gradient is not enough: the path crosses the minimum and goes on.
    tolerance = 0.05 / QUARTIC.gradient_scale
    path = gdfast.trajectory(QUARTIC, optimizers.momentum(), [1.5], 0.01, 3000, gradient_tolerance=tolerance)
    small = np.abs(path.gradient_norm.values) <= 0.05
    alone = small[:-1] & ~np.r_[False, small[:-2]] & ~np.r_[small[1:-1], True]
    assert alone.any()
    assert path.attrs["steps"] > np.flatnonzero(alone)[0]
    assert path.attrs["outcome"] == "local_minimum"


@pytest.mark.sampled(4)
@pytest.mark.parametrize("max_steps", [1, 2, 15, 16, 17, 31, 32, 33, 48, 49, 100])
def test_budgets_of_all_kinds_agree_with_the_reference(max_steps):
    sweep = gdfast.Sweep(
        QUARTIC, [optimizers.gd(), optimizers.momentum()], np.logspace(-3, 0, 40), QUARTIC.grid(41), max_steps
    )
    got = cases.agree(sweep)
    assert (got.steps <= max_steps).all()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("power", [-40, -3, 7, 60])
@pytest.mark.parametrize("what", ["y", "X"])
def test_units_of_the_data_change_no_outcome(power, what):
    scale = 2.0**power
    plain = problems.linear_regression()
    X, y = plain.X, plain.y
    rates, starts = np.logspace(-3, 0, 60), plain.grid(8)
    if what == "y":
        scaled, factor, rate_factor = cases.least_squares(X, y * scale), scale, 1.0
    else:
        scaled, factor, rate_factor = cases.least_squares(X * scale, y), 1 / scale, 1 / scale**2
    expected = gdfast.run(gdfast.Sweep(plain, optimizers.momentum(), rates, starts, 2000))
    got = gdfast.run(gdfast.Sweep(scaled, optimizers.momentum(), rates * rate_factor, starts * factor, 2000))
    np.testing.assert_array_equal(got.outcome.values, expected.outcome.values)
    np.testing.assert_array_equal(got.steps.values, expected.steps.values)


def test_the_dataset_describes_itself():
    chosen = [optimizers.adam(), optimizers.adam(beta1=0.8), optimizers.adam()]
    result = gdfast.run(gdfast.Sweep(QUARTIC, chosen, [0.1, 0.2], QUARTIC.random(3, seed=0)), keep_theta=True)
    assert result.optimizer.values.tolist() == ["adam", "adam:beta1=0.8", "adam#2"]
    assert result.outcome.dims == ("optimizer", "learning_rate", "start")
    assert result.theta.dims == ("optimizer", "learning_rate", "start", "parameter")
    meanings = result.outcome.attrs["flag_meanings"].split()
    assert dict(zip(meanings, result.outcome.attrs["flag_values"], strict=True))["diverged"] == 6
    assert len(result.to_dataframe()) == 3 * 2 * 3
    assert 0 < result.attrs["useful_share"] <= 1


WAVES = "1 - cos(x) + x**2/1000"
"""Minima near all multiples of 2π up to 500; the search for them looks no farther than 60."""


def ends_of(problem, starts, rate=0.1, rule=None, **settings):
    result = gdfast.run(
        gdfast.Sweep(problem, rule or optimizers.gd(), [rate], starts, **{"max_steps": 2000, **settings}),
        backend="numpy",
    )
    return result.outcome.values[0, 0].tolist(), result.basin.values[0, 0].tolist()


def test_a_minimum_that_nobody_knew_is_told_by_its_curvature():
    waves = problems.from_expression(WAVES, [[-20, 20]])
    known = [p.point[0] for p in waves.minima]
    assert max(known) < 61
    assert [round(x / (2 * np.pi)) for x in known[:3]] == [0, -1, 1]
    starts = np.array([[0.5], [-6.5], [6.5], [94.0], [-200.0]])
    outcomes, basins = ends_of(waves, starts)
    assert outcomes == [Outcome.global_minimum, *[Outcome.local_minimum] * 4]
    assert basins == [0, 1, 2, -1, -1]


@pytest.mark.parametrize(("tolerance", "outcome"), [(0.3, Outcome.local_minimum), (0.5, Outcome.stalled)])
def test_a_minimum_is_told_by_its_curvature_if_it_is_within_a_hundredth_of_the_domain(tolerance, outcome):
    # At 94 the slope is −0.06 and the curvature 0.97: with a slope of 0.3 or 0.5 the minimum is within 0.31, or 0.52.
    waves = problems.from_expression(WAVES, [[-20, 20]])
    assert ends_of(waves, [[94.0]], gradient_tolerance=tolerance / waves.gradient_scale) == ([outcome], [-1])


def test_a_stationary_point_that_nobody_knew_stalls_where_it_is_no_minimum():
    waves = problems.from_expression(WAVES, [[-20, 20]])
    top = 2 * np.pi * 15 + np.pi  # the slope is 0 a little before
    for _ in range(50):
        top -= float((np.sin(top) + top / 500) / (np.cos(top) + 1 / 500))
    assert ends_of(waves, [[top]], gradient_tolerance=1e-6) == ([Outcome.stalled], [-1])


def double_well(weight):
    """The minima of the quartic plus ½ weight x², lowest first."""
    roots = np.roots([4.0, 0.0, weight - 10.0, 3.0])
    minima = [x.real for x in roots if abs(x.imag) < 1e-9 and 12 * x.real**2 - 10 + weight > 0]
    return sorted(minima, key=lambda x: x**4 - 5 * x**2 + 3 * x + weight * x**2 / 2)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("weight", [0.5, 2.0, 3.0])
def test_a_penalty_holds_points_where_the_penalized_loss_is_lowest_and_they_are_frozen_there(weight):
    rule = optimizers.gd().transformed(transforms.l2(weight))
    starts = np.array([[-2.0], [-0.5], [1.0], [1.8]])
    sweep = gdfast.Sweep(QUARTIC, rule, [0.02], starts, 3000)
    result = gdfast.run(sweep, backend="numpy", keep_theta=True)
    low, high = double_well(weight)
    assert low < 0 < high
    np.testing.assert_allclose(result.theta.values[0, 0, :, 0], [low, low, high, high], atol=1e-7)
    assert (result.outcome == Outcome.frozen).all()
    assert (result.basin == -1).all()
    # The loss is that of the problem, without the penalty.
    np.testing.assert_allclose(result.loss.values[0, 0, 0], low**4 - 5 * low**2 + 3 * low, rtol=1e-9)
