"""One trajectory with all of its path is that of its sweep."""

import cases
import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems, transforms


@pytest.mark.slow
@pytest.mark.parametrize("problem", cases.PROBLEMS[:3], ids=cases.label)
def test_one_trajectory_ends_as_its_cell_in_a_sweep(problem):
    optimizer = gdfast.optimizers.adam()
    sweep = cases.sweep_of(problem, optimizer, 7)
    result = gdfast.run(sweep, backend="numpy", keep_theta=True).isel(optimizer=0)
    for i, rate in enumerate(sweep.learning_rates):
        for j, start in enumerate(sweep.starts):
            path = gdfast.trajectory(problem, optimizer, start, rate, 300)
            cell = result.isel(learning_rate=i, start=j)
            assert path.attrs["steps"] == int(cell.steps)
            assert gdfast.outcomes.Outcome[path.attrs["outcome"]] == int(cell.outcome)
            np.testing.assert_array_equal(path.theta.values[-1], cell.theta.values)
            assert len(path.step) == int(cell.steps) + 1


@pytest.mark.parametrize(
    "setting", [{"settle": False}, {"loss_tolerance": 0.5}, {"check_every": 7}, {"dtype": "float32"}], ids=str
)
def test_what_a_sweep_is_told_a_trajectory_may_be_told(setting):
    budget = 2 if "loss_tolerance" in setting else 300
    sweep = gdfast.Sweep("quartic", "rmsprop", [0.01], [-1.5], budget, **setting)
    result = gdfast.run(sweep, backend="numpy", keep_theta=True, progress=False)
    path = gdfast.trajectory("quartic", "rmsprop", -1.5, 0.01, budget, **setting)
    cell, other = result.squeeze(), gdfast.trajectory("quartic", "rmsprop", -1.5, 0.01, budget)
    assert path.attrs["steps"] == int(cell.steps)
    assert path.attrs["outcome"] == gdfast.outcomes.Outcome(int(cell.outcome)).name
    assert (path.loss.values[-1], path.theta.values[-1, 0]) == (float(cell.loss), float(cell.theta))
    assert (path.attrs["outcome"], path.attrs["steps"]) != (other.attrs["outcome"], other.attrs["steps"])
    ((_, again),) = gdfast.analysis.paths(result).items()
    np.testing.assert_array_equal(again.theta.values, path.theta.values)


def test_other_settings_of_sweeps_are_refused():
    call = lambda: gdfast.trajectory("quartic", "gd", 1.5, 0.01, 3, measure="convergence")  # noqa: E731
    cases.refused(call, ValueError, "trajectory: argument", "measure")


def test_a_trajectory_of_a_sweep_can_be_looked_at_alone():
    rule, problem = optimizers.gd().transformed(transforms.noise(1.0, seed=5)), problems.rosenbrock()
    sweep = gdfast.Sweep(problem, rule, [1e-4, 1e-3], problem.random(7, seed=0), 50)
    result = gdfast.run(sweep, keep_theta=True)
    alone = gdfast.trajectory(problem, rule, sweep.starts[4], 1e-3, 50, number=7 + 4)
    np.testing.assert_array_equal(alone.theta.values[-1], result.theta.values[0, 1, 4])
