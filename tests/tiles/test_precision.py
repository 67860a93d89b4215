"""Trajectories in float32, and settle checks at every k-th point only."""

import dataclasses
import types

import cases
import numpy as np
import pytest

import gdfast
from gdfast import measures, optimizers, problems, schedules, transforms
from gdfast.tiles.ending import Ending, Trend
from gdfast.tiles.outcomes import Judge, Outcome

SOME = ["adgd", "asgd", "lamb", "padam", "polyak_sgd", "rprop", "schedule_free_adamw"]
CHANGED = [
    optimizers.momentum().scheduled(schedules.reduce_on_plateau()),
    optimizers.adam().scheduled(schedules.cosine()),
    optimizers.gd().transformed(
        transforms.noise(0.1, seed=3), transforms.clip_norm(1.0), transforms.weight_decay(0.01)
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", [*(optimizers.CATALOGUE[name]() for name in SOME), *CHANGED], ids=cases.label)
def test_single_precision_agrees_with_its_reference_to_the_bit(optimizer):
    problem = problems.rosenbrock()
    got = cases.agree(cases.sweep_of(problem, optimizer, 20, 200, dtype="float32", check_every=3))
    np.testing.assert_array_equal(got.theta, got.theta.astype(np.float32))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in optimizers.CATALOGUE if name not in SOME])
def test_every_rule_in_single_precision_agrees_with_its_reference_to_the_bit(name):
    problem = [problems.quartic(), problems.himmelblau()][list(optimizers.CATALOGUE).index(name) % 2]
    cases.agree(cases.sweep_of(problem, optimizers.CATALOGUE[name](), 20, 200, dtype="float32"))


def test_single_precision_is_that_of_a_plain_loop():
    lr, x = np.float32(0.05), np.float32(1.5)
    for _ in range(40):
        x = x - lr * ((np.float32(4) * x * x - np.float32(10)) * x + np.float32(3))
    problem = problems.quartic()
    sweep = gdfast.Sweep(problem, optimizers.gd(), [0.05], [[1.5]], 40, gradient_tolerance=0.0, dtype="float32")
    assert gdfast.run(sweep, keep_theta=True).theta.item() == x


def test_a_formula_with_exp_is_near_its_reference_in_single_precision():
    sweep = cases.sweep_of(problems.sigmoid(), optimizers.gd(), 20, 200, dtype="float32")
    got, expected = (gdfast.run(sweep, keep_theta=True, backend=backend).theta for backend in ("numba", "numpy"))
    np.testing.assert_allclose(got, expected, rtol=1e-4)


def test_both_precisions_find_the_same_minima_where_both_settle():
    problem, gd = problems.quartic(), optimizers.gd()
    rates, starts = np.geomspace(1e-3, 0.06, 64), problem.grid(64)
    single, double = (
        gdfast.run(gdfast.Sweep(problem, gd, rates, starts, 5000, dtype=t)) for t in ("float32", "float64")
    )
    both = ((single.outcome <= Outcome.stalled) & (double.outcome <= Outcome.stalled)).values
    assert both.mean() > 0.7
    assert (single.basin == double.basin).values[both].mean() > 0.98  # but near the border of their basins


@pytest.mark.slow
@pytest.mark.parametrize("problem", [problems.quartic(), problems.quadratic(dimension=9)], ids=cases.label)
@pytest.mark.parametrize("k", [2, 7, 64])
def test_sparse_checks_agree_with_the_reference_and_change_when_not_where(problem, k):
    options = {"measure": measures.convergence()} if k == 7 else {}
    starts = problem.random(20, 1)
    rates = np.geomspace(1e-3, 1, 20)
    sweeps = [gdfast.Sweep(problem, optimizers.gd(), rates, starts, 640, check_every=e, **options) for e in (1, k)]
    every, sparse = gdfast.run(sweeps[0], keep_theta=True), cases.agree(sweeps[1])
    settled = (sparse.ending == Ending.stationary) | (sparse.ending == Ending.diverged)
    assert settled.any()
    assert (sparse.steps.values[settled.values] % k == 0).all()
    assert (every.steps.values <= sparse.steps.values).all()
    np.testing.assert_array_equal(every.outcome.values[settled.values], sparse.outcome.values[settled.values])


WITH_LANES = [
    problems.styblinski_tang(dimension=9),
    problems.quadratic(dimension=5, rotation=1),
    *(cases.DATA_PROBLEMS[i] for i in (1, 2)),
    cases.MODELS[1],
    problems.mlp((3, 7, 5, 2), ("relu", "leaky_relu"), batch_norm=True, l2=0.3, l1=0.1, gain=1.3),
    problems.mlp((2, 6, 1), "relu", batch_size=20, layer_rates=True, validation=0.25),
]
RULES = [
    optimizers.adam().transformed(transforms.noise(0.1, seed=3), transforms.clip_norm(1.0)),
    optimizers.lbfgs(history=2, search="backtracking"),
    optimizers.momentum().scheduled(schedules.reduce_on_plateau()).transformed(transforms.weight_decay(0.01)),
    optimizers.lamb(),
    optimizers.muon(),
]


@pytest.mark.slow
@pytest.mark.parametrize("problem", WITH_LANES, ids=cases.label)
def test_lane_kernels_in_single_precision_agree_with_their_reference_to_the_bit(problem):
    network = problem.name == "mlp"
    starts = problem.starts("he_normal", range(7)) if network else problem.random(7, seed=2)
    rules = RULES if network else RULES[:-1]
    held_out = ",validation_loss" if "validation_loss" in problem.provides else ""
    history = f"loss,gradient_norm{held_out}:9"
    options = {"history": history, "dtype": "float32", "measure": measures.convergence()}
    sweep = gdfast.Sweep(problem, [optimizers.gd(), *rules], np.geomspace(1e-3, 3, 6), starts, 90, **options)
    got = cases.agree(sweep)
    np.testing.assert_array_equal(got.theta, got.theta.astype(np.float32))


@pytest.mark.slow
@pytest.mark.parametrize("problem", WITH_LANES, ids=cases.label)
def test_products_in_single_precision_agree_with_their_reference_to_the_bit(problem):
    lanes = problem.lane_kernel
    rules = [optimizers.newton_cg(), optimizers.adahessian()] if lanes.product else []
    rules += [optimizers.newton_cg(matrix="gauss_newton")] if lanes.gauss_newton else []
    rules += [optimizers.sophia(estimator="gauss_newton_bartlett")] if lanes.fisher else []
    assert rules
    starts = problem.starts("he_normal", range(7)) if problem.name == "mlp" else problem.random(7, seed=2)
    cases.agree(gdfast.Sweep(problem, rules, np.geomspace(1e-3, 3, 4), starts, 40, dtype="float32"))


@pytest.mark.slow
def test_single_precision_trains_as_double_does():
    problem = problems.mlp((61, 8, 10), loss="cross_entropy", data="digits", batch_size=32, validation=0.25)
    starts = problem.starts("xavier_normal", range(8))
    single, double = (
        gdfast.run(gdfast.Sweep(problem, "momentum", [0.01, 0.03], starts, 400, dtype=t))
        for t in ("float32", "float64")
    )
    for name in ("loss", "validation_loss"):
        np.testing.assert_allclose(single[name], double[name], rtol=1e-3, err_msg=name)
    np.testing.assert_array_equal(single.outcome, double.outcome)
    assert (single.validation_accuracy > 0.9).all()


def test_what_cannot_be_computed_in_single_precision_is_refused():
    with pytest.raises(ValueError, match="dtype 'float16' is not known"):
        gdfast.Sweep(problems.quartic(), optimizers.gd(), [0.1], [[1.0]], dtype="float16")
    bowl = type(problems.quadratic())(np.array([1.0, 2.0]))
    bowl.lane_kernel = dataclasses.replace(bowl.lane_kernel, single=False)
    with pytest.raises(ValueError, match="whose lane kernel is for that alone"):
        gdfast.Sweep(bowl, optimizers.gd(), [0.1], bowl.random(2), dtype="float32")
    with pytest.raises(ValueError, match="check_every must be"):
        gdfast.Sweep(problems.quartic(), optimizers.gd(), [0.1], [[1.0]], check_every=0)


def test_ends_in_single_precision_are_judged_in_double():
    # In single precision this loss less the tolerance is above the minimum's −64.19561236, in double it is below.
    sweep = gdfast.Sweep("styblinski_tang", "gd", [0.1], [[0.0, 0.0]], 5, dtype="float32")
    ends = types.SimpleNamespace(
        ending=np.array([Ending.moving], np.int8),
        trend=np.array([Trend.neither], np.int8),
        loss=np.array([-64.19555664], np.float32),
        gradient_norm=np.array([1.0], np.float32),
    )
    _, near = Judge(sweep).elsewhere(ends, np.array([0]))
    assert near.tolist() == [1]


def _rows(n):
    rng = np.random.default_rng(n)
    features = rng.normal(size=(n, 3))
    return features, features @ [1.0, -2.0, 0.5] + rng.normal(size=n)


@pytest.mark.slow
def test_losses_of_very_many_rows_in_single_precision_are_those_in_double():
    features, values = _rows(100_000)
    for problem in (
        problems.linear_regression(data=(features, values)),
        problems.logistic_regression(data=(features, (values > 0).astype(float))),
        problems.softmax_regression(data=(features, (values > 0).astype(float) + (values > 1))),
    ):
        theta = problem.random(4, seed=1).T.astype(np.float32)
        double = problem.step_objective(theta.astype(np.float64), 0)
        np.testing.assert_allclose(problem.step_objective(theta, 0), double, rtol=1.5e-6)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [511, 512, 1025])
def test_sums_of_sums_over_rows_agree_with_their_reference_to_the_bit(n, dtype):
    problem = problems.linear_regression(data=_rows(n))
    sweep = gdfast.Sweep(problem, "gd", [0.01, 0.5], problem.random(3, seed=2), 5, history="loss:5", dtype=dtype)
    cases.agree(sweep)
