"""Trajectories in float32, and settle checks at every k-th point only."""

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


@pytest.mark.parametrize("optimizer", [*(optimizers.CATALOGUE[name]() for name in SOME), *CHANGED], ids=cases.label)
def test_single_precision_agrees_with_its_reference_to_the_bit(optimizer):
    problem = problems.rosenbrock()
    got = cases.agree(cases.sweep_of(problem, optimizer, 20, 200, dtype="float32", check_every=3))
    np.testing.assert_array_equal(got.theta, got.theta.astype(np.float32))


@pytest.mark.slow
@pytest.mark.parametrize("name", optimizers.CATALOGUE)
@pytest.mark.parametrize("problem", [problems.quartic(), problems.himmelblau()], ids=cases.label)
def test_every_rule_in_single_precision_agrees_with_its_reference_to_the_bit(problem, name):
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


def test_what_cannot_be_computed_in_single_precision_is_refused():
    with pytest.raises(ValueError, match="dtype 'float16' is not known"):
        gdfast.Sweep(problems.quartic(), optimizers.gd(), [0.1], [[1.0]], dtype="float16")
    network = problems.mlp((2, 3, 1))
    with pytest.raises(ValueError, match="dtype must be 'float64' for mlp"):
        gdfast.Sweep(network, optimizers.gd(), [0.1], network.random(2), dtype="float32")
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
