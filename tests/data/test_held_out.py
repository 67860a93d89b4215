"""Rows that are held out: which they are, how features are standardized, what they tell."""

import pickle

import cases
import numpy as np
import pytest

import gdfast
from gdfast import analysis, data, measures, problems
from gdfast.data.held_out import draw_held_out

_rng = np.random.default_rng(3)
X = _rng.normal(size=(40, 3)) * [1.0, 100.0, 1e-3] + [5.0, 0.0, 1.0]
CLASSES = np.array(["a"] * 24 + ["b"] * 12 + ["c"] * 4)
HOLDING = [
    problems.linear_regression("diabetes", validation=0.2),
    problems.ridge_regression(validation=0.5, seed=1),
    problems.logistic_regression(validation=0.25, batch_size=32),
    problems.softmax_regression(validation=0.3),
    problems.mlp((4, 3, 3), loss="cross_entropy", data="iris", validation=0.25),
    problems.mlp((2, 3, 1), batch_norm=True, validation=0.25),
]


@pytest.mark.parametrize("problem", HOLDING, ids=cases.label)
def test_rows_learned_from_and_held_out_are_all_rows(problem):
    whole = problem.replace(validation=0.0)
    (held_X, held_y), m = problem.held_out, len(whole.X)
    assert len(problem.X) + len(held_X) == m
    assert len(held_X) == pytest.approx(problem.parameters["validation"] * m, abs=2)
    assert sorted(np.concatenate([problem.y, held_y]).ravel()) == sorted(whole.y.ravel())
    assert whole.held_out is None
    assert problem.specification != whole.specification
    assert pickle.loads(pickle.dumps(problem)) == problem
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(problem)).held_out[0], held_X)


def test_of_each_class_the_same_share_is_held_out_and_never_all_of_it():
    problem = problems.softmax_regression((X, CLASSES), validation=0.25)
    held = [int((problem.held_out[1] == number).sum()) for number in range(3)]
    assert held == [6, 3, 1]
    alone = np.array([0.0] * 9 + [1.0])
    assert draw_held_out(10, 0.9, 0, alone)[9] == 0


def test_the_draw_depends_on_the_seed_and_no_row_is_likelier_than_another():
    drawn = np.stack([draw_held_out(20, 0.25, seed, None) for seed in range(2000)])
    assert (drawn.sum(axis=1) == 5).all()
    np.testing.assert_allclose(drawn.mean(axis=0), 0.25, atol=0.05)
    np.testing.assert_array_equal(drawn[7], draw_held_out(20, 0.25, 7, None))


def test_features_are_standardized_by_the_rows_learned_from_alone():
    problem = problems.linear_regression((X, X[:, 0]), validation=0.25)
    held = draw_held_out(40, 0.25, 0, None)
    mean, spread = X[~held].mean(axis=0), X[~held].std(axis=0)
    np.testing.assert_allclose(problem.X[:, 1:], (X[~held] - mean) / spread, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(problem.held_out[0][:, 1:], (X[held] - mean) / spread, rtol=1e-9, atol=1e-9)
    assert (problem.held_out[0][:, 0] == 1).all()


def test_a_feature_that_never_varies_among_the_rows_learned_from_is_nothing():
    held = draw_held_out(40, 0.25, 0, None)
    rare = np.where(np.arange(40) == np.flatnonzero(held)[0], 7.0, 0.0)
    problem = problems.linear_regression((np.column_stack([X, rare]), X[:, 0]), validation=0.25)
    assert not problem.X[:, 4].any()
    assert not problem.held_out[0][:, 4].any()


@pytest.mark.parametrize("problem", HOLDING, ids=cases.label)
def test_loss_and_accuracy_are_those_of_the_same_problem_on_those_rows(problem):
    theta = problem.random(7, seed=2).T
    rows, y = problem.held_out
    parameters = {**problem.parameters, "validation": 0.0, "data": data.load((rows, y), standardize=False)}
    if isinstance(problem.parameters.get("bias"), bool) and "widths" not in parameters:
        parameters["bias"] = False  # its column is among the rows
    if problem.parameters.get("positive", 0) is None:
        parameters["positive"] = "1"
    parameters.update({name: 0.0 for name in ("l2", "alpha") if name in parameters})
    alone = problem.make(**{**parameters, "batch_size": None})
    np.testing.assert_allclose(problem.validation_loss(theta), alone.loss(theta), rtol=1e-12)
    if problem.has_classes:
        np.testing.assert_array_equal(problem.validation_accuracy(theta), alone.accuracy(theta))
    else:
        cases.refused(lambda: problem.validation_accuracy(theta), ValueError, "must have classes")


@pytest.mark.parametrize("problem", HOLDING, ids=cases.label)
def test_what_a_point_is_told_does_not_depend_on_those_beside_it(problem):
    theta = problem.random(33, seed=2).T
    for name in problem.told_at_ends:
        together = getattr(problem, name)(theta)
        np.testing.assert_array_equal(together, [getattr(problem, name)(point)[0] for point in theta.T])


def test_what_cannot_be_held_out_is_refused_in_a_sentence():
    cases.refused(lambda: problems.linear_regression(validation=0.05), ValueError, "validation", "4 rows", "0.05")
    cases.refused(lambda: problems.softmax_regression(validation=1.0), ValueError, "validation", "[0, 1)")
    plain = problems.logistic_regression()
    cases.refused(lambda: plain.validation_loss(np.zeros(31)), ValueError, "validation_loss", "validation=0.25")
    assert plain.told_at_ends == ()


def noisy_xor():
    """200 points around the corners of a square, told apart by the product of their coordinates."""
    rng = np.random.default_rng(0)
    points = rng.choice([-1.0, 1.0], size=(200, 2)) + rng.normal(scale=0.25, size=(200, 2))
    return points, (points[:, 0] * points[:, 1] > 0).astype(float)


RUNS = {
    "mini-batches": (
        problems.logistic_regression("breast_cancer", batch_size=32, validation=0.25), np.logspace(-3, 1, 9), 0.01, 0.95
    ),
    "digits": (
        problems.mlp((61, 16, 10), "relu", loss="cross_entropy", data="digits", batch_size=32, validation=0.25),
        np.geomspace(1e-3, 1, 4), 0.1, 0.9,
    ),
    "xor": (
        problems.mlp((2, 5, 2), "tanh", loss="cross_entropy", data=noisy_xor(), validation=0.25),
        np.geomspace(1e-3, 1, 7), 0.1, 0.95,
    ),
}  # fmt: skip
"""Problems, learning rates, the excess to be reached, and the accuracy at the best rate on rows not learned from."""


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_best_rates_reach_in_finitely_many_steps_and_hold_on_rows_held_out(name):
    problem, rates, excess, accuracy = RUNS[name]
    starts = problem.random(4) if name == "mini-batches" else problem.starts("xavier_normal", seeds=range(4))
    told = {"measure": measures.steps_to_reach(excess), "history": "loss,validation_loss,validation_accuracy:8"}
    result = gdfast.run(gdfast.Sweep(problem, ["gd", "adam"], rates, starts, 400, **told), progress=False)
    best = analysis.best_rates(result)
    for number, label in enumerate(["gd", "adam"]):
        at = result.isel(optimizer=number, learning_rate=int(best["index"][label]))
        assert np.isfinite(at.measure).all()
        assert 0 < float(at.measure.median()) < 400
        assert float(at.validation_accuracy.median()) >= accuracy
        assert best["share"][label] == 1.0
        assert (at.history_validation_loss[:, -1] < at.history_validation_loss[:, 0]).all()
        np.testing.assert_array_equal(at.history_validation_accuracy[:, -1], at.validation_accuracy)
