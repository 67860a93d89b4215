"""How trajectories settle, and what their ends are called."""

import cases
import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems, theory
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


def test_between_its_limits_gd_never_ends_in_the_global_minimum():
    rates = np.linspace(0.0793, 0.1465, 200)
    # A start at the minimum itself stays; the grid avoids it.
    ends = outcomes(gdfast.Sweep(QUARTIC, optimizers.gd(), rates, QUARTIC.grid(400), 4000))
    assert (ends == Outcome.global_minimum).sum() == 0
    assert (ends == Outcome.local_minimum).any(axis=1).all()


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


def test_a_start_at_a_maximum_stalls():
    point = QUARTIC.stationary_points[-1].point
    for backend in ("numba", "numpy"):
        result = gdfast.run(gdfast.Sweep(QUARTIC, optimizers.gd(), [0.01], [point]), backend=backend)
        assert result.outcome.values.item() == Outcome.stalled
        assert result.steps.values.item() == 1
        assert result.basin.values.item() == -1


def test_the_sigmoid_crawls_from_5_and_stalls_from_20():
    result = gdfast.run(gdfast.Sweep(problems.sigmoid(), optimizers.gd(), [0.05], [[5.0], [20.0]], 100))
    assert result.outcome.values[0, 0].tolist() == [Outcome.unfinished, Outcome.stalled]


def test_momentum_passing_a_minimum_at_speed_does_not_settle_there():
    # One small gradient is not enough: the path crosses the minimum and goes on.
    path = gdfast.trajectory(QUARTIC, optimizers.momentum(), [1.5], 0.01, 3000, gradient_tolerance=0.05)
    small = np.abs(path.gradient_norm.values) <= 0.05
    alone = small[:-1] & ~np.r_[False, small[:-2]] & ~np.r_[small[1:-1], True]
    assert alone.any()
    assert path.attrs["steps"] > np.flatnonzero(alone)[0]
    assert path.attrs["outcome"] == "local_minimum"


@pytest.mark.parametrize("max_steps", [1, 2, 15, 16, 17, 31, 32, 33, 48, 49, 100])
def test_budgets_of_all_kinds_agree_with_the_reference(max_steps):
    sweep = gdfast.Sweep(
        QUARTIC, [optimizers.gd(), optimizers.momentum()], np.logspace(-3, 0, 40), QUARTIC.grid(41), max_steps
    )
    got = cases.agree(sweep)
    assert (got.steps <= max_steps).all()


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
