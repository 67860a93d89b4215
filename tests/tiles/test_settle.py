"""Sweeps whose trajectories do not settle."""

import cases
import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems
from gdfast.tiles.ending import Ending
from gdfast.tiles.outcomes import Outcome

PLACED = Outcome.global_minimum, Outcome.local_minimum, Outcome.stalled


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("problem", [problems.quartic(), problems.himmelblau()], ids=cases.label)
def test_budgets_are_run_out_by_kernels_and_reference_alike(problem, dtype):
    rules = [optimizers.gd(), optimizers.rmsprop()]
    sweep = gdfast.Sweep(problem, rules, np.geomspace(1e-3, 0.3, 7), problem.default_starts(9), 700, dtype=dtype)
    settled, whole = cases.agree(sweep), cases.agree(sweep.replace(settle=False))
    diverged = whole.ending == int(Ending.diverged)
    assert ((whole.steps == 700) | diverged).all()
    assert not (whole.ending == int(Ending.stationary)).any()
    assert (settled.ending == int(Ending.stationary)).any()
    np.testing.assert_array_equal(diverged, settled.ending == int(Ending.diverged))
    np.testing.assert_array_equal(whole.steps.values[diverged], settled.steps.values[diverged])
    # gd stays where it has settled.
    before, after = (one.sel(optimizer="gd") for one in (settled, whole))
    stopped = before.ending == int(Ending.stationary)
    np.testing.assert_array_equal(after.outcome.values[stopped], before.outcome.values[stopped])
    np.testing.assert_array_equal(after.basin.values[stopped], before.basin.values[stopped])


def test_budgets_are_run_out_on_data_as_well():
    sweep = gdfast.Sweep(problems.linear_regression(), "adam", np.geomspace(0.01, 1, 5), None, 900, settle=False)
    result = cases.agree(sweep)
    assert (result.steps == 900).all()


def test_a_start_at_a_stationary_point_is_judged_where_it_is():
    saddle = problems.himmelblau().stationary_points
    points = [[point.point] for point in saddle if point.kind in ("saddle", "maximum")][:3]
    sweep = gdfast.Sweep("himmelblau", "gd", [1e-6], np.concatenate(points), 50, gradient_tolerance=1e-6, settle=False)
    result = gdfast.run(sweep)
    assert (result.steps == 50).all()
    assert (result.outcome == int(Outcome.stalled)).all()


def test_a_zero_gradient_does_not_settle_either():
    sweep = gdfast.Sweep(
        problems.from_expression("x**2"), "gd", [0.5], [[1.0]], 40, gradient_tolerance=0.0, settle=False
    )
    result = cases.agree(sweep)
    assert result.gradient_norm.item() == 0
    assert (result.steps.item(), result.ending.item()) == (40, Ending.fixed)
    assert result.outcome.item() in PLACED


def test_it_stands_in_the_specification_and_makes_another_sweep(tmp_path):
    sweep = gdfast.Sweep("quartic", "gd", [0.01], [[1.0]], 300)
    whole = sweep.replace(settle=False)
    assert "settle" not in sweep.specification
    assert whole.specification["settle"] is False
    assert sweep != whole
    gdfast.run(sweep, store=tmp_path / "store.zarr", progress=False)
    cases.refused(
        lambda: gdfast.run(whole, store=tmp_path / "store.zarr", progress=False),
        ValueError,
        "holds another sweep",
        "settle",
    )
    cases.refused(
        lambda: gdfast.run(whole, store=tmp_path / "other.zarr", reuse=tmp_path / "store.zarr", progress=False),
        ValueError,
        "settle",
    )
    cases.refused(lambda: sweep.replace(settle=1), TypeError, "settle must be True or False")
