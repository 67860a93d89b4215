"""Several sweeps side by side: every cell is that of its sweep, and coordinates stay coordinates."""

import itertools
import json

import cases
import numpy as np
import pandas as pd
import pytest

import gdfast
from gdfast import analysis, optimizers, plot, problems, run_over, starts

QUARTIC = problems.quartic()


def regression_sweep(batch_size=None, columns=2, rates=(0.01, 0.1), optimizer=None, n=3):
    X = np.random.default_rng(0).normal(size=(20, columns))
    problem = cases.least_squares(X, X.sum(axis=1) + 1, batch_size=batch_size)
    return gdfast.Sweep(problem, [optimizer or optimizers.gd()], list(rates), problem.random(n), 60)


def test_sweeps_stand_side_by_side():
    together = run_over(
        {"columns": [2, 4], "batch_size": [1, 5, 20]}, regression_sweep, backend="numpy", keep_theta=True
    )
    assert together.outcome.dims == ("columns", "batch_size", "optimizer", "learning_rate", "start")
    assert together.batch_size.dtype.kind == "i"
    assert together.batch_size.values.tolist() == [1, 5, 20]
    for columns in (2, 4):
        for size in (1, 5, 20):
            alone = gdfast.run(regression_sweep(size, columns), backend="numpy", keep_theta=True)
            cell = together.sel(columns=columns, batch_size=size)
            for name in alone.data_vars:
                got = cell[name].values[..., :columns] if name == "theta" else cell[name].values
                np.testing.assert_array_equal(got, alone[name].values)
            np.testing.assert_array_equal(cell.start_point.values[:, :columns], alone.start_point.values)
            assert np.isnan(cell.start_point.values[:, columns:]).all()
    assert len(json.loads(together.attrs["specification"])) == 6
    plain = run_over({"optimizer_seed": ["a", "b"]}, lambda optimizer_seed: regression_sweep(), backend="numpy")
    assert plain.optimizer_seed.values.tolist() == ["a", "b"]
    assert plain.start_point.dims == ("start", "parameter")


@pytest.mark.parametrize(
    ("axes", "make", "kind", "words"),
    [
        ({}, regression_sweep, ValueError, ["axes", "none"]),
        ({"batch_size": []}, regression_sweep, ValueError, ["axes: batch_size", "at least one"]),
        ({"start": [1]}, regression_sweep, ValueError, ["axes: start", "another name"]),
        ({"batch_size": [2]}, lambda batch_size: None, TypeError, ["make", "Sweep", "None"]),
        ({"rates": [(0.1,), (0.2,)]}, regression_sweep, ValueError, ["learning_rates"]),
        ({"n": [3, 4]}, regression_sweep, ValueError, ["starts", "3", "4"]),
        (
            {"optimizer_": [optimizers.gd(), optimizers.adam()]},
            lambda optimizer_: regression_sweep(optimizer=optimizer_),
            ValueError,
            ["labels", "gd", "adam"],
        ),
    ],
)
def test_sweeps_that_do_not_fit_together_are_refused(axes, make, kind, words):
    cases.refused(lambda: run_over(axes, make), kind, *words)


def test_sweeps_side_by_side_have_the_coordinates_of_each():
    def sweep(budget):
        points = starts.Starts(np.array([[1.0], [2.0]]), {"seed": [1, budget], "init": ["a", "b"]})
        rules = optimizers.grid(optimizers.momentum, momentum=[0.5, 0.9])
        return gdfast.Sweep(QUARTIC, rules, [0.01, 0.1], points, budget)

    together = gdfast.run_over({"budget": [3, 4]}, sweep, backend="numpy")
    alone = gdfast.run(sweep(4), backend="numpy")
    assert set(together.data_vars) == {*alone.data_vars, "lowest_loss", "loss_scale"}
    assert set(together.coords) == {*alone.coords, "budget"}
    for name in alone.coords:
        np.testing.assert_array_equal(together.sel(budget=4)[name].values, alone[name].values, err_msg=name)
    assert together.seed.dims == ("budget", "start")  # they differ
    assert (together.init.dims, together.momentum.dims) == (("start",), ("optimizer",))  # they do not
    assert len(plot.maps(together.sel(budget=3), y="momentum").axes) == 1
    with pytest.raises(ValueError, match="budget=0"):
        plot.maps(together)


def test_each_sweep_is_judged_in_the_units_of_its_own_problem():
    def sweep(shift, scale):
        problem = problems.from_expression("a*x**2 + s", domain=(-2, 2), params={"a": 10.0**scale, "s": 100.0 * shift})
        return gdfast.Sweep(problem, "gd", [1e-4, 1e-3], [[1.0]], 50)

    together = gdfast.run_over({"shift": [0, 1], "scale": [0, 1, 2]}, sweep, backend="numpy")
    excess, near = analysis.excess(together), analysis.reached(together, 0.5)
    for place in itertools.product([0, 1], [0, 1, 2]):
        at = dict(zip(["shift", "scale"], place, strict=True))
        alone = gdfast.run(sweep(**at), backend="numpy")
        np.testing.assert_array_equal(excess.sel(at).values, analysis.excess(alone).values)
        np.testing.assert_array_equal(near.sel(at).values, analysis.reached(alone, 0.5).values)
        pd.testing.assert_frame_equal(analysis.advice(together.sel(at)), analysis.advice(alone))


def test_sweeps_with_other_labels_do_not_stand_side_by_side():
    def sweep(seed):
        return gdfast.Sweep(QUARTIC, optimizers.gd(), [0.1], starts.Starts(np.ones((1, 1)), {seed: [1]}), 2)

    with pytest.raises(ValueError, match="must have the same labels, not a and b"):
        gdfast.run_over({"seed": ["a", "b"]}, sweep)
    with pytest.raises(ValueError, match="axes: seed is a coordinate of every sweep"):
        gdfast.run_over({"seed": [1, 2]}, lambda seed: sweep("seed"))
    with pytest.raises(ValueError, match="'reuse' is not known"):
        gdfast.run_over({"seed": [1, 2]}, lambda seed: sweep("label"), reuse="both.zarr")
