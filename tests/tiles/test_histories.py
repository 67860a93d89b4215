"""Histories: what is recorded is what trajectories do, by kernels and reference to the bit, however tiles are cut."""

import pickle

import cases
import numpy as np
import pytest

import gdfast
from gdfast import memory, notation, optimizers, problems, transforms
from gdfast.history import QUANTITIES, History

LANDSCAPE = "loss,lowest_loss,gradient_norm,distance,sharpness,preconditioned_sharpness,theta"
ROWS = "loss,lowest_loss,gradient_norm,sharpness,preconditioned_sharpness,validation_loss,theta"
CLASSES = f"{ROWS},accuracy,validation_accuracy"
NETWORK = problems.mlp((3, 4, 1), "relu", points=20, validation=0.25, batch_size=5)
EXACT = {
    "quartic": (problems.quartic(), LANDSCAPE),
    "rosenbrock": (problems.rosenbrock(dimension=3), LANDSCAPE),
    "rows": (problems.linear_regression("diabetes", validation=0.2), f"{ROWS},distance"),
    "mini-batches": (problems.ridge_regression("diabetes", validation=0.2, batch_size=16), f"{ROWS},distance"),
    "network": (NETWORK, ROWS),
}
"""Problems where only + - * / sqrt occur in steps, with all that is recorded of them."""


def sweep(problem, history, max_steps=60, n=7, **changed):
    rules = [optimizers.gd(), optimizers.adam(), optimizers.momentum().transformed(transforms.noise(0.1))]
    settings = {"optimizers": rules, "learning_rates": np.geomspace(1e-4, 1, n), "starts": problem.random(n, seed=1)}
    return gdfast.Sweep(problem, **{**settings, **changed}, max_steps=max_steps, history=history)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("steps", [8, "linear:61", "0/1/27/28/29/59/60"])
def test_kernels_and_reference_record_the_same_bits(name, steps):
    problem, history = EXACT[name]
    cases.agree(sweep(problem, f"{history}:{steps}"))


@pytest.mark.slow
@pytest.mark.parametrize("history", [LANDSCAPE, "loss", "gradient_norm", "theta"])
def test_in_single_precision_too(history):
    result = cases.agree(sweep(problems.himmelblau(), history, dtype="float32"))
    assert all(result[name].dtype == np.float64 for name in result.data_vars if name.startswith("history_"))


@pytest.mark.slow
def test_so_they_do_where_only_some_points_are_looked_at_and_in_a_measure():
    measure = gdfast.measures.convergence()
    cases.agree(sweep(problems.quartic(), f"{LANDSCAPE}:20", check_every=7, measure=measure))
    rates = optimizers.gd().scheduled(gdfast.schedules.reduce_on_plateau(patience=2))
    cases.agree(sweep(problems.himmelblau(), f"{LANDSCAPE}:20", optimizers=rates, check_every=7))


@pytest.mark.slow
def test_what_is_told_of_the_same_points_is_the_same():
    """Where steps differ by rounding, all that is recorded of a point is told by one function of it."""
    problem = problems.softmax_regression(validation=0.3)
    result = gdfast.run(sweep(problem, f"{CLASSES}:6"))
    for name in ("accuracy", "validation_loss", "validation_accuracy", "sharpness"):
        told = getattr(problem, name)(result.history_theta.values.reshape(-1, problem.dimension).T)
        np.testing.assert_array_equal(result[f"history_{name}"].values.ravel(), told)
    for name in problem.told_at_ends:
        np.testing.assert_array_equal(result[name], result[f"history_{name}"][..., -1])


@pytest.mark.slow
@pytest.mark.parametrize("max_steps", [1, 3, 32, 33, 100])
@pytest.mark.parametrize("steps", ["1/", "linear:200", 5])
def test_what_is_recorded_is_what_a_trajectory_does(max_steps, steps):
    problem = problems.himmelblau()
    grid = sweep(problem, f"loss,gradient_norm,theta:{steps}", max_steps, n=4, learning_rates=[1e-3, 0.02, 0.3])
    result = gdfast.run(grid)
    assert set(np.unique(result.ending)) > {5} or max_steps < 10  # some diverge, some do not
    for (i, j, k), taken in np.ndenumerate(result.steps.values):
        arguments = problem, grid.optimizers[i], grid.starts[k], grid.learning_rates[j], max_steps
        path = gdfast.trajectory(*arguments, number=j * len(grid.starts) + k)
        at = np.minimum(result.recorded_step.values, taken)
        np.testing.assert_array_equal(result.history_loss.values[i, j, k], path.loss.values[at])
        np.testing.assert_array_equal(result.history_gradient_norm.values[i, j, k], path.gradient_norm.values[at])
        np.testing.assert_array_equal(result.history_theta.values[i, j, k], path.theta.values[at])


@pytest.mark.slow
def test_a_history_stays_at_the_end_also_of_what_diverged():
    result = gdfast.run(sweep(problems.quartic(), "loss,theta,lowest_loss:linear:61"), keep_theta=True)
    assert {1, 5} <= set(np.unique(result.ending))
    over = result.recorded_step >= result.steps
    assert ((result.history_loss == result.loss) | ~over).all()
    assert ((result.history_theta == result.theta) | ~over).all()
    np.testing.assert_array_equal(result.history_lowest_loss, np.fmin.accumulate(result.history_loss.values, axis=-1))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rosenbrock", "network"])
def test_histories_depend_on_neither_tiles_nor_workers(name):
    problem, history = EXACT[name]

    def run(workers, tile_size, backend="numba"):
        grid = sweep(problem, f"{history}:5", 40, n=4, tile_size=tile_size)
        return gdfast.run(grid, workers=workers, backend=backend)

    expected = run(1, None)
    for workers, tile_size in ((2, 1), (1, 7), (3, None)):
        cases.assert_same(run(workers, tile_size), expected)
    cases.assert_same(run(2, 5, "numpy"), expected)


@pytest.mark.slow
def test_nothing_else_depends_on_whether_a_history_is_recorded():
    problem, history = EXACT["mini-batches"]
    without = gdfast.run(sweep(problem, None))
    cases.assert_same(gdfast.run(sweep(problem, history)).drop_dims("recorded_step"), without)


def test_sharpness_and_distance_of_a_quadratic_are_known():
    for dimension in (1, 2, 5, 80):
        problem = problems.quadratic(condition=50.0, dimension=dimension, rotation=3 if dimension > 1 else None)
        curvature = np.linalg.eigvalsh(problem.hessian(np.zeros(dimension))[..., 0])[-1]
        points = problem.random(4, seed=2)
        result = gdfast.run(gdfast.Sweep(problem, "gd", [1e-3], points, 20, history="sharpness,distance:2"))
        np.testing.assert_allclose(result.history_sharpness, curvature, rtol=1e-5)
        np.testing.assert_allclose(result.history_distance[0, 0, :, 0], np.linalg.norm(points, axis=1), rtol=1e-12)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "problem", [problems.rosenbrock(dimension=70), problems.mlp((4, 14, 3), "tanh", points=30), problems.saddle()]
)
def test_sharpness_is_the_largest_eigenvalue_of_the_hessian(problem):
    theta = 0.3 * problem.random(5, seed=3).T
    expected = np.linalg.eigvalsh(np.moveaxis(problem.hessian(theta), -1, 0))[:, -1]
    np.testing.assert_allclose(problem.sharpness(theta), expected, rtol=2e-5)
    np.testing.assert_array_equal(problem.sharpness(theta), [problem.sharpness(point)[0] for point in theta.T])
    if problem.name != "saddle":  # whose Hessian is the same everywhere
        assert np.isnan(problem.sharpness(theta * np.nan)).all()


def test_the_sharpness_of_adam_is_preconditioned_by_its_second_moment():
    """P is (1 − β₁ᵗ)(√v̂ + ε), and v̂ that of a plain loop over the gradients of the path."""
    problem, beta1, beta2, eps = problems.rosenbrock(dimension=3), 0.9, 0.99, 1e-8
    start, rate = np.array([-0.5, 0.8, 0.3]), 0.05
    grid = gdfast.Sweep(
        problem, ["gd", f"adam:beta2={beta2}"], [rate], [start], 12, history="preconditioned_sharpness,sharpness:99"
    )
    got = gdfast.run(grid, backend="numpy").isel(learning_rate=0, start=0)
    path = gdfast.trajectory(problem, grid.optimizers[1], start, rate, 12).theta.values
    second = np.zeros(3)
    assert np.isnan(got.history_preconditioned_sharpness[1, 0])
    for t in range(1, 13):
        second = beta2 * second + (1 - beta2) * problem.gradient(path[t - 1])[:, 0] ** 2
        root = np.sqrt((1 - beta1**t) * (np.sqrt(second / (1 - beta2**t)) + eps))
        bend = problem.hessian(path[t])[..., 0] / root[:, None] / root
        expected = np.linalg.eigvalsh(bend)[-1]
        np.testing.assert_allclose(got.history_preconditioned_sharpness[1, t], expected, rtol=1e-9)
    np.testing.assert_array_equal(got.history_preconditioned_sharpness[0], got.history_sharpness[0])


@pytest.mark.parametrize("spacing", ["log", "linear"])
@pytest.mark.parametrize("count", [1, 2, 3, 8, 64, 1001])
def test_recorded_steps_ascend_to_the_budget(spacing, count):
    for max_steps in (1, 2, 5, 100, 12345):
        steps = History("loss", steps=count, spacing=spacing).recorded_steps(max_steps)
        assert len(steps) == min(count, max_steps + 1)
        assert (np.diff(steps) > 0).all()
        assert steps[-1] == max_steps
        assert count == 1 or steps[0] == 0
        if spacing == "linear":
            assert np.ptp(np.diff(steps)) <= 1 if len(steps) > 1 else True


def test_steps_are_denser_at_the_beginning_by_about_the_same_ratio():
    steps = History("loss", steps=40).recorded_steps(100_000)
    ratios = steps[15:] / steps[14:-1]
    np.testing.assert_allclose(ratios, ratios[-1], rtol=0.05)


HISTORIES = [
    History("loss"),
    History("loss", "theta", steps=[0, 5, 60]),
    History("sharpness", steps=[3]),
    History("lowest_loss", "gradient_norm", steps=5, spacing="linear"),
]


@pytest.mark.parametrize("history", HISTORIES)
def test_histories_are_values_that_are_read_back(history):
    assert notation.history(notation.written(history)) == history == pickle.loads(pickle.dumps(history))
    assert hash(History.of(history.label)) == hash(history)
    grid = sweep(problems.quartic(), history)
    assert grid == pickle.loads(pickle.dumps(grid)) == grid.replace(history=history.label)
    assert grid != grid.replace(history=None)
    assert grid.specification["history"]["steps"] == grid.recorded_steps.tolist()
    assert sweep(problems.quartic(), ["loss", "theta"]).history == History("loss", "theta")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("los", ["history", "did you mean loss"]),
        ("", ["history", "accepted"]),
        ("loss,loss", ["history", "each once"]),
        ([], ["history", "at least one"]),
        (3, ["history", "3"]),
        ([None], ["history", "None"]),
        ("loss:0", ["history: steps", "from 1"]),
        ("loss:x", ["history: steps", "'x'"]),
        ("loss:5/3", ["history: steps", "ascend"]),
        ("loss:-1/3", ["history: steps", "-1"]),
        ("loss:1:2:3", ["history", "such as"]),
        ("loss:0/61", ["history: steps", "max_steps", "61"]),
        ("accuracy", ["history", "accuracy", "rows with classes", "quartic"]),
        ("validation_loss", ["history", "validation=0.25", "quartic"]),
    ],
)
def test_what_cannot_be_recorded_is_refused_in_a_sentence(told, words):
    cases.refused(lambda: sweep(problems.quartic(), told), (TypeError, ValueError), *words)


def test_what_needs_known_minima_is_refused_without_them():
    cases.refused(lambda: sweep(NETWORK, "distance"), ValueError, "history", "distance", "minima", "mlp")
    cases.refused(lambda: NETWORK.distance(NETWORK.random(1)[0]), ValueError, "distance", "mlp")


def test_what_does_not_fit_into_memory_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setattr(memory, "_SMALL", 0)
    monkeypatch.setattr(memory, "available", lambda: 2**24)
    tall = problems.rosenbrock(dimension=100)
    cases.refused(lambda: sweep(tall, "theta:linear:10000", 10_000), ValueError, "history", "784.0 MB", "fewer steps")
    wide = sweep(problems.quartic(), "loss:61", n=200)
    cases.refused(lambda: gdfast.run(wide), ValueError, "the result of 120,000 trajectories", "MB", "store")


def test_every_quantity_is_recorded_in_some_test():
    assert set(QUANTITIES) == {*LANDSCAPE.split(","), *CLASSES.split(",")}


def test_budgets_that_are_run_out_have_whole_histories():
    grid = sweep(problems.quartic(), "loss,theta:linear:61", settle=False)
    result = cases.agree(grid)
    assert ((result.steps == 60) | (result.ending == 5)).all()
    settling = gdfast.run(grid.replace(settle=True))
    before = settling.recorded_step < settling.steps
    assert ((result.history_loss == settling.history_loss) | ~before).all()
