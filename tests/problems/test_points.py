"""Points as results hold them, straight into a problem's methods."""

import calls
import cases
import numpy as np
import pandas as pd
import pytest
import xarray

import gdfast
from gdfast import problems
from gdfast.data import load


def result_of(problem):
    starts = problem.random(3, seed=1)
    sweep = gdfast.Sweep(problem, ["gd", "momentum"], np.geomspace(1e-4, 1e-2, 2), starts, 5)
    return gdfast.run(sweep, backend="numpy", keep_theta=True, progress=False)


@pytest.mark.sampled(6)
@pytest.mark.parametrize("problem", calls.PROBLEMS, ids=cases.label)
def test_every_method_takes_the_points_of_a_result(problem):
    result = result_of(problem)
    theta, d = result.theta, problem.dimension
    flat = theta.values.reshape(-1, d).T
    for name in ("loss", "objective", "sharpness", "accuracy", "validation_loss", "validation_accuracy"):
        if name in ("loss", "objective", "sharpness") or name in problem.provides:
            got, method = getattr(problem, name)(theta), getattr(problem, name)
            assert got.dims == ("optimizer", "learning_rate", "start")
            assert got.name == name
            xarray.testing.assert_equal(got.coords.to_dataset(), result.loss.coords.to_dataset())
            np.testing.assert_array_equal(got.values.ravel(), method(flat))
            np.testing.assert_array_equal(method(theta.values), got.values)
    np.testing.assert_allclose(problem.loss(theta), result.loss, rtol=1e-12)
    for name, more in (("gradient", {}), ("step_gradient", {"t": 2})):
        got = getattr(problem, name)(theta, **more)
        assert got.dims == theta.dims
        np.testing.assert_array_equal(got.values.reshape(-1, d).T, getattr(problem, name)(flat, **more))
    bend = problem.hessian(theta)
    assert bend.shape == (2, 2, 3, d, d)
    np.testing.assert_array_equal(np.moveaxis(bend.reshape(-1, d, d), 0, -1), problem.hessian(flat))
    loss, gradient = problem.judge(theta)
    np.testing.assert_array_equal(gradient.values.ravel(), problem.judge(flat)[1])
    at = problem.locate(theta, loss, 1e-8)
    np.testing.assert_array_equal(at.values.ravel(), problem.locate(flat, loss.values.ravel(), 1e-8))
    if hasattr(problem, "predict"):
        predicted, expected = problem.predict(theta), problem.predict(flat)
        axis = 0 if expected.shape[0] == 12 else -1
        np.testing.assert_array_equal(predicted.reshape(12, *predicted.shape[3:]), np.moveaxis(expected, axis, 0))


@pytest.mark.parametrize("problem", [calls.PLANE, calls.SOFTMAX, calls.CLASSES], ids=cases.label)
def test_what_is_selected_of_a_result_goes_in(problem):
    result = result_of(problem)
    best = result.theta.sel(optimizer="gd", start=2).isel(learning_rate=1)
    expected = problem.loss(best.values)[0]
    assert problem.loss(best).item() == expected
    assert problem.gradient(best).dims == ("parameter",)
    line = result.theta.sel(optimizer="momentum").isel(start=0).transpose("parameter", "learning_rate")
    assert problem.loss(line).dims == ("learning_rate",)


@pytest.mark.slow
def test_the_best_of_a_sweep_predicts_new_rows():
    problem = problems.logistic_regression("breast_cancer", validation=0.25)
    result = gdfast.sweep(problem, "gd", [0.1, 1.0], max_steps=50, backend="numpy", keep_theta=True)
    best = result.theta.isel(optimizer=0)[result.validation_loss.isel(optimizer=0).argmin(...)]
    assert problem.accuracy(best) > 0.9
    raw = load("breast_cancer")
    assert np.mean(problem.predict(best, raw.X) == raw.y) > 0.9
    named = pd.DataFrame(raw.X, columns=raw.features)
    np.testing.assert_array_equal(problem.predict(best, named), problem.predict(best, raw.X))


@pytest.mark.parametrize("validation", [0.0, 0.3])
@pytest.mark.parametrize(
    "make",
    [
        problems.linear_regression,
        problems.ridge_regression,
        lambda **how: problems.mlp((2, 4, 1), **how),
        lambda **how: problems.from_model("a*x0 + b*x1 + c", standardize=True, **how),
    ],
)
def test_new_rows_are_in_the_units_of_the_data(make, validation):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, 2)) * [1000.0, 0.01] + [5.0, 7.0]
    problem = make(data=(X, X @ [1e-3, 10.0]), validation=validation)
    theta = problem.random(4).T
    learned = np.array([row for row in X if problem.held_out is None or not _is_held(problem, row)])
    got = problem.predict(theta, learned)
    np.testing.assert_allclose(got, problem.predict(theta), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("offset", "unit"), [(0, 1), (1.7e12, 1e3), (1e300, 1e299), (0, 4e307), (0, 1e-315)])
@pytest.mark.parametrize("kind", ["linear_regression", "softmax_regression", "mlp"])
def test_rows_that_come_again_are_predicted_as_those_that_were_learned_from(kind, offset, unit):
    rng = np.random.default_rng(3)
    X, classes = offset + unit * rng.normal(size=(40, 2)), np.arange(40) % 3
    more = {"widths": (2, 4, 3), "loss": "cross_entropy"} if kind == "mlp" else {}
    y = rng.normal(size=40) if kind == "linear_regression" else classes
    problem = problems.CATALOGUE[kind](data=(X, y), **more)
    theta = rng.normal(size=problem.dimension)
    np.testing.assert_array_equal(problem.predict(theta, X), problem.predict(theta))


def _is_held(problem, row):
    """Whether a row is one that is held out, by where it enters."""
    held = problem.held_out[0][:, -2:]
    return bool((np.abs(problem.units.entered([row]) - held).max(axis=1) < 1e-9).any())


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda r: calls.PLANE.loss(r), TypeError, ["variable theta of a result", "not a whole result"]),
        (lambda r: calls.PLANE.loss(np.zeros((5, 2))), ValueError, ["(2, n)", "(5, 2)", "theta.T"]),
        (lambda r: calls.PLANE.loss(np.zeros((5, 4, 3))), ValueError, ["(2, n)", "(…, 2)", "(5, 4, 3)"]),
        (lambda r: calls.QUARTIC.loss(r.theta), ValueError, ["quartic along parameter, x, not 2: x, y"]),
        (lambda r: calls.PLANE.loss(r.theta.isel(parameter=[1, 0])), ValueError, ["x, y, not 2: y, x"]),
        (lambda r: calls.LINEAR.predict([0.0] * 3, [[1.0]]), ValueError, ["predict: X", "(rows, 2)", "(1, 1)"]),
        (lambda r: calls.LINEAR.predict([0.0] * 3, {"w0": [1.0]}), ValueError, ["must have the column 'w1'", "w0"]),
        (lambda r: calls.LINEAR.predict([0.0] * 3, [[np.nan, 1.0]]), ValueError, ["predict: X[0, 0] is nan"]),
    ],
)
def test_points_and_rows_of_other_shapes_are_refused(call, kind, words):
    cases.refused(lambda: call(result_of(calls.PLANE)), kind, *words)
