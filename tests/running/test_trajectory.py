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


def test_a_trajectory_of_a_sweep_can_be_looked_at_alone():
    rule, problem = optimizers.gd().transformed(transforms.noise(1.0, seed=5)), problems.rosenbrock()
    sweep = gdfast.Sweep(problem, rule, [1e-4, 1e-3], problem.random(7, seed=0), 50)
    result = gdfast.run(sweep, keep_theta=True)
    alone = gdfast.trajectory(problem, rule, sweep.starts[4], 1e-3, 50, number=7 + 4)
    np.testing.assert_array_equal(alone.theta.values[-1], result.theta.values[0, 1, 4])
