"""What a result is of is made again from it."""

import cases
import numpy as np
import pytest

import gdfast
from gdfast import analysis, measures, optimizers, problems
from gdfast.tiles.outcomes import Outcome

SWEEPS = {
    "plain": lambda: gdfast.Sweep("quartic", "gd adam:beta1=0.8|cosine|clip_norm=1", "1e-3:1:4", "-2:2:5", 20),
    "expression": lambda: gdfast.Sweep(problems.from_expression("x**2 + y**2"), "gd", [0.1], [[1.0, 2.0]], 9),
    "settings": lambda: gdfast.Sweep(
        *("himmelblau", "gd", [0.01], [[0.0, 1.0]], 50),
        measure=measures.convergence(window=5),
        check_every=2,
        dtype="float32",
        settle=False,
        history="loss,distance:linear:6",
        loss_tolerance=1e-3,
    ),
    "data": lambda: gdfast.Sweep(problems.logistic_regression("iris", positive="setosa"), "gd", [0.1], max_steps=3),
    "losses": lambda: gdfast.Sweep(
        problems.in_turn([problems.ridge_regression(alpha=2.0), problems.ridge_regression()]), "gd", [0.1], max_steps=3
    ),
    "upside down": lambda: gdfast.Sweep(problems.maximized(problems.himmelblau), "gd", [0.1], [[0.5, 1.0]], 3),
    "labels": lambda: gdfast.Sweep(
        problems.mlp((2, 2, 1), points=4, layer_rates=True),
        "gd",
        [[0.1, 0.2]],
        problems.mlp((2, 2, 1), points=4).starts(init=["he_normal", "zeros"], seeds=[0, 1]),
        3,
    ),
}


@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", SWEEPS)
def test_a_sweep_is_made_again(name, tmp_path):
    sweep = SWEEPS[name]()
    result = gdfast.run(sweep, backend="numpy", progress=False, store=tmp_path / "run.zarr")
    for found in (result, gdfast.load(tmp_path / "run.zarr")):
        again = gdfast.sweep_of(found)
        assert again.content() == sweep.content()
        assert again == sweep
        assert again.specification == sweep.specification


def test_the_sweep_of_a_selection_is_over_that():
    sweep = SWEEPS["plain"]()
    result = gdfast.run(sweep, backend="numpy", progress=False)
    part = result.sel(optimizer="gd").isel(learning_rate=[1, 2], start=3)
    again = gdfast.sweep_of(part)
    assert again == sweep.replace(optimizers="gd", learning_rates=sweep.learning_rates[1:3], starts=[sweep.starts[3]])
    np.testing.assert_array_equal(gdfast.run(again, backend="numpy").loss[0, :, 0], part.loss)


def test_what_cannot_be_made_again_is_said():
    own = problems.Landscape(_loss, domain=(-1.0, 1.0), name="mine")
    for sweep, words in (
        (gdfast.Sweep(own, "gd", [0.1], [1.0], 3), "mine"),
        (gdfast.Sweep(problems.linear_regression(([[1.0], [2.0]], [1.0, 2.0])), "gd", [0.1], max_steps=3), "data"),
        (gdfast.Sweep("quartic", optimizers.Optimizer(_rule, 0.1), [0.1], [1.0], 3), "<_rule>"),
    ):
        result = gdfast.run(sweep, backend="numpy", progress=False)
        cases.refused(lambda result=result: gdfast.sweep_of(result), ValueError, "result must be of", words)
    result = gdfast.run(gdfast.Sweep(own, "gd", [0.1], [1.0], 3), backend="numpy", progress=False)
    assert gdfast.sweep_of(result, own) == gdfast.Sweep(own, "gd", [0.1], [1.0], 3)
    cases.refused(lambda: gdfast.sweep_of(result, problems.quartic()), ValueError, "problem must be", "mine")
    over = gdfast.run_over({"a": [1, 2]}, lambda a: SWEEPS["plain"](), backend="numpy")
    cases.refused(lambda: gdfast.sweep_of(over), ValueError, "select one value")
    cases.refused(lambda: gdfast.sweep_of(over.isel(a=0)), ValueError, "of one sweep", "not of 2 sweeps")
    bare = result.drop_vars("start_point")
    cases.refused(lambda: gdfast.sweep_of(bare, own), ValueError, "the coordinate start_point")


def test_paths_are_those_of_the_best_rates_and_where_none_reaches_of_the_lowest_ends():
    sweep = gdfast.Sweep("quartic", "gd adam adam|unit=10", [0.001, 0.01, 0.1], [[-3.0], [-2.0], [1.0]], 20)
    result = gdfast.run(sweep, backend="numpy", progress=False)
    losses = result.loss.copy()
    result.outcome[:], result.outcome[0, 1] = Outcome.unfinished, Outcome.global_minimum
    result.loss[:], result.loss[0, 0], result.loss[1, 2], result.loss[2, 1] = 5.0, 1.0, 1.0, 1.0
    paths = analysis.paths(result)
    assert list(paths) == ["gd, η = 0.01", "adam, η = 0.1", "adam|unit=10, η = 0.1"]
    for path, loss in zip(paths.values(), losses.values[[0, 1, 2], [1, 2, 1], 1], strict=True):
        assert path.theta.values[0] == -2.0  # the start in the middle
        assert path.loss.values[-1] == loss
    for number, rate in enumerate(["0.001", "0.01"]):
        one = result.isel(optimizer=[1], learning_rate=[number], start=[2])
        (label, path), *others = analysis.paths(one).items()
        assert (label, path.loss.values[-1], others) == (f"adam, η = {rate}", losses[1, number, 2], [])


def _rule(theta, grad, lr):
    return theta - lr * grad


def _loss(x):
    return x * x
