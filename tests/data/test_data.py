"""Problems with data: their loss, gradient and optimum against outside oracles, mini-batches, bad data."""

import dataclasses
import functools
import inspect
import itertools
import json
import pickle

import cases
import numba
import numpy as np
import pandas
import pytest
import scipy.optimize
import scipy.special
import scipy.stats
import sklearn.linear_model
import xarray
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import gdfast
from gdfast import data, notation, optimizers, problems
from gdfast.cli import app
from gdfast.data import draw_batches, held_out
from gdfast.data.units import Units
from gdfast.formulas.source import defined
from gdfast.kernels.compiling import compiled
from gdfast.kernels.evaluation import GRADIENT, OBJECTIVE, evaluation_kernel
from gdfast.kernels.signatures import Pair
from gdfast.literals import read
from gdfast.problems.rows import lanes as _row_lanes
from gdfast.tiles.outcomes import Outcome

# Losses, written without looking at the package: one point, all rows.


def plain_loss(problem, w):
    X, y = problem.X, problem.y
    m, p = X.shape
    if problem.name in {"linear_regression", "ridge_regression"}:
        return np.sum((X @ w - y) ** 2) / m + problem.penalty @ w**2
    if problem.name == "logistic_regression":
        z = X @ w
        return np.mean(np.logaddexp(0, z) - y * z) + problem.penalty @ w**2 / 2
    z = X @ w.reshape(-1, p).T
    return np.mean(scipy.special.logsumexp(z, axis=1) - z[np.arange(m), y.astype(int)]) + problem.penalty @ w**2 / 2


@st.composite
def random_problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    m, p, k = draw(st.integers(4, 12)), draw(st.integers(1, 6)), draw(st.integers(2, 4))
    X = rng.normal(size=(m, p)) * draw(st.sampled_from([0.1, 1.0, 30.0]))
    labels = np.arange(m) % k
    standardize, how = draw(st.booleans()), {"bias": draw(st.booleans())}
    how["batch_size"] = draw(st.none() | st.integers(1, m))

    def table(y):
        return data.load((X, y), standardize=standardize)

    make = draw(
        st.sampled_from(
            [
                lambda: problems.linear_regression(table(rng.normal(size=m)), **how),
                lambda: problems.ridge_regression(table(rng.normal(size=m)), alpha=0.7, **how),
                lambda: problems.logistic_regression(table(labels % 2), l2=0.2, **how),
                lambda: problems.softmax_regression(table(labels), l2=0.2, **how),
            ]
        )
    )
    problem = make()
    return problem, rng.normal(size=(problem.dimension, 3)) / (1 + np.abs(problem.X).max())


@given(random_problems())
@settings(max_examples=60)
def test_loss_and_gradient_are_those_of_the_textbook(drawn):
    problem, theta = drawn
    expected = [plain_loss(problem, w) for w in theta.T]
    np.testing.assert_allclose(problem.loss(theta), expected, rtol=1e-12)
    per_objective = 2.0 if "logistic" not in problem.name and "softmax" not in problem.name else 1.0
    slopes = [scipy.optimize.approx_fprime(w, lambda v: plain_loss(problem, v), 1e-7) for w in theta.T]
    got = problem.gradient(theta)
    scale = np.abs(got).max() + problem.gradient_scale + np.abs(problem.hessian(theta)).max()
    np.testing.assert_allclose(got, np.transpose(slopes) / per_objective, atol=2e-6 * scale)
    if problem.batch_size is not None:  # the step's gradient is the full one of a problem that has the step's rows only
        rows = problem.rows(5)
        few = dataclasses.replace(problem.data, X=problem.X[rows], y=problem.y[rows])
        few_rows = held_out.Rows(few, None, problem.units)
        whole = type(problem)(few_rows, problem.parameters["bias"], float(problem.penalty.max()), data.Sampling())
        np.testing.assert_array_equal(problem.step_gradient(theta, 5), whole.gradient(theta))
        np.testing.assert_array_equal(problem.step_objective(theta, 5), whole.objective(theta))


@pytest.mark.parametrize("size", [1e4, 1e300])
def test_no_logit_is_too_large(size):
    X, theta = np.array([[1.0], [-1.0], [2.0]]), np.array([[size, -size]])
    table = data.load((X, [0, 1, 1]), standardize=False)
    problem = problems.logistic_regression(table, l2=0.0, bias=False)
    with np.errstate(all="raise", under="ignore"):
        # At w = ±size the wrong rows cost their distance, the right ones nothing.
        np.testing.assert_allclose(problem.loss(theta), [2 * size / 3, 2 * size / 3])
        np.testing.assert_allclose(problem.gradient(theta), [[2 / 3, -2 / 3]])
    soft = problems.softmax_regression(table, l2=0.0, bias=False)
    np.testing.assert_allclose(soft.loss(np.array([[size], [0.0]])), [2 * size / 3])
    np.testing.assert_allclose(soft.gradient(np.array([[size], [0.0]])), [[2 / 3], [-2 / 3]])


# Optima against other people's solvers.


def test_optimum_of_least_squares_is_scikit_learns():
    for problem in (problems.linear_regression(data="diabetes"), problems.ridge_regression(alpha=17.0)):
        alpha = problem.parameters.get("alpha", 0.0)
        other = sklearn.linear_model.Ridge(alpha) if alpha else sklearn.linear_model.LinearRegression()
        other.fit(problem.X[:, 1:], problem.y)
        np.testing.assert_allclose(problem.optimum, [other.intercept_, *other.coef_], rtol=1e-10)


def test_optimum_of_logistic_regression_is_scikit_learns():
    for problem in (problems.logistic_regression(), problems.softmax_regression(l2=0.003)):
        m, k = len(problem.y), problem.products
        other = sklearn.linear_model.LogisticRegression(
            C=1 / (problem.parameters["l2"] * m), tol=1e-13, solver="newton-cholesky", max_iter=1000
        )
        other.fit(problem.X[:, 1:], problem.y)
        expected = np.concatenate([other.intercept_[:, None], other.coef_], axis=1)
        got = problem.optimum.reshape(k, -1)
        np.testing.assert_allclose(got - got.mean(axis=0) * (k > 1), expected, atol=1e-7)
        point = problem.optimum[:, None]
        assert np.abs(problem.gradient(point)).max() <= 1e-14
        np.testing.assert_array_equal(problem.predict(point)[:, 0], other.predict(problem.X[:, 1:]))
        assert problem.accuracy(point)[0] == pytest.approx(other.score(problem.X[:, 1:], problem.y))


def has_finite_optimum(X, labels):
    """By linear programming: no direction improves one row's margin and worsens none (Konis 2007)."""
    k = labels.max() + 1
    margins = []
    for x, own in zip(X, labels, strict=True):
        for other in set(range(k)) - {own}:
            row = np.zeros((k, X.shape[1]))
            row[own], row[other] = x, -x
            margins.append(row.ravel())
    margins = np.array(margins)
    found = scipy.optimize.linprog(-margins.sum(axis=0), A_ub=-margins, b_ub=np.zeros(len(margins)), bounds=(-1, 1))
    return -found.fun < 1e-7


@pytest.mark.slow
@given(seed=st.integers(0, 10_000), classes=st.integers(2, 3), gap=st.sampled_from([0.0, 0.5, 1.0, 5.0]))
@settings(max_examples=60)
def test_without_a_penalty_there_is_an_optimum_unless_planes_separate_classes(seed, classes, gap):
    rng = np.random.default_rng(seed)
    labels = np.arange(14) % classes
    X = np.round(rng.normal(size=(14, 2)) + gap * labels[:, None], 1)  # rounded, so that rows lie on the planes too
    make = problems.logistic_regression if classes == 2 else problems.softmax_regression
    problem = make((X, labels), l2=0.0)
    expected = has_finite_optimum(problem.X, labels)
    assert (problem.optimum is not None) == expected
    assert bool(problem.minima) == expected
    if expected:
        assert np.abs(problem.gradient(problem.optimum[:, None])).max() <= 1e-12
    else:
        assert problem.curvatures.size == 0
        best = scipy.optimize.minimize(lambda w: plain_loss(problem, w), np.zeros(problem.dimension), tol=1e-12).fun
        assert problem.lowest_objective <= best + 1e-6


def test_without_an_optimum_nothing_is_called_a_minimum():
    problem = problems.logistic_regression(l2=0.0)
    assert problem.lowest_objective == 0
    sweep = gdfast.Sweep(problem, optimizers.gd(), [0.1, 1.0, 1e15], problem.random(3), 50)
    result = gdfast.run(sweep, backend="numpy").isel(optimizer=0)
    assert (result.outcome[:2] == Outcome.unfinished).all()
    assert not np.isin(result.outcome, [Outcome.global_minimum, Outcome.local_minimum]).any()


# Kernel and reference.


@pytest.mark.slow
@pytest.mark.parametrize(("t", "real"), [(0, "float64"), (41, "float64"), (41, "float32")])
@pytest.mark.parametrize("problem", cases.DATA_PROBLEMS, ids=cases.label)
def test_kernel_and_reference_agree(problem, t, real):
    n, width = 160, 192  # more than one chunk of lanes
    theta, eps = np.zeros((problem.dimension, width), real), np.finfo(real).eps
    theta[:, :n] = np.random.default_rng(t).uniform(*problem.domain.T[..., None], (problem.dimension, n))
    grad, out = np.full_like(theta, np.nan), np.zeros(width, real)
    work, (data, layout) = np.zeros((problem.lane_kernel.work_rows, width), real), problem.lane_data(50)
    pair = Pair(0, 0, 0, problem.group, problem.arrays, data.astype(real), layout)
    evaluation_kernel(problem.lane_kernel, real)(pair, GRADIENT + OBJECTIVE, theta, grad, out, work, n, t)
    expected = problem.step_gradient(theta[:, :n], t)
    value = problem.step_objective(theta[:, :n], t)
    if problem.name in {"linear_regression", "ridge_regression"}:
        np.testing.assert_array_equal(grad[:, :n], expected)
        np.testing.assert_array_equal(out[:n], value)
    else:
        # A row's slope is at most 1: 4 units in its last place, times the row.
        rows = problem.rows(t)
        X = problem.X if rows is None else problem.X[rows]
        bound = np.tile(4 * eps * np.abs(X).mean(axis=0), problem.products)
        assert (np.abs(grad[:, :n] - expected) <= bound[:, None]).all()
        np.testing.assert_allclose(out[:n], value, rtol=4 * eps)


@pytest.mark.slow
def test_every_part_of_the_lane_kernel_compiles_to_vector_instructions():
    features = numba.core.codegen.get_host_cpu_features().split(",")
    if "+avx" not in features:
        pytest.skip("this processor has no AVX registers to look for")
    begin = "def part(theta, grad, work, data, layout, n):\n    shape, rows = record(layout, 0, SHAPE), (0, 1, 2, n)\n"
    for name in ("multiply", "squares", "logistic", "softmax", "accumulate", "finish"):
        helper = getattr(_row_lanes, name)
        values = {"count": "4", "first": "0", "width": "n", "losses": "False", "scale": "0.5"}
        given = ", ".join(values.get(argument, argument) for argument in inspect.signature(helper).parameters)
        part = defined(f"{begin}    {name}({given})", dict(vars(_row_lanes)), "<part>")
        matrix = numba.float64[:, ::1]
        signature = numba.void(matrix, matrix, matrix, numba.float64[::1], numba.int64[::1], numba.int64)
        assembly = cases.assembly(functools.partial(compiled(signature), part))
        packed = [line for line in assembly.splitlines() if "%xmm" not in line and line.split()]
        assert sum(line.split()[0] in {"vmulpd", "vaddpd", "vsubpd"} for line in packed) >= 4, name


@pytest.mark.slow
@pytest.mark.parametrize("problem", [cases.DATA_PROBLEMS[i] for i in (1, 4)], ids=cases.label)
def test_whole_sweeps_agree_to_the_bit_for_any_workers_and_tiles(problem):
    starts = problem.random(11)
    make = functools.partial(gdfast.Sweep, problem, optimizers.gd(), np.logspace(-3, 1, 30), starts, 150)
    expected = gdfast.run(make(), backend="numpy", keep_theta=True)
    assert set(expected.outcome.values.ravel().tolist()) >= {Outcome.unfinished, Outcome.diverged}
    for workers, tile_size in ((1, None), (2, 77)):
        got = gdfast.run(make(tile_size=tile_size), workers=workers, keep_theta=True)
        cases.assert_same(got, expected)


@pytest.mark.slow
@pytest.mark.parametrize("make", [problems.logistic_regression, problems.softmax_regression])
def test_classifications_converge_alike_in_kernel_and_reference(make):
    parameters = {"data": "iris", "l2": 0.1, **({"positive": "virginica"} if "logistic" in make.__name__ else {})}
    problem = make(**parameters)
    limit = gdfast.theory.gd(problem.curvatures[-1])
    sweep = gdfast.Sweep(problem, optimizers.gd(), [0.02 * limit, 0.9 * limit], problem.random(8), 1500)
    expected, got = gdfast.run(sweep, backend="numpy", keep_theta=True), gdfast.run(sweep, keep_theta=True)
    np.testing.assert_array_equal(got.outcome, expected.outcome)
    assert (got.outcome.sel(learning_rate=0.9 * limit) == Outcome.global_minimum).all()
    np.testing.assert_allclose(got.theta, expected.theta, atol=1e-12)
    # Adding one number to all biases changes no softmax.
    for w in got.theta.values[0, 1]:
        here = w.reshape(problem.products, -1).copy()
        there = problem.optimum.reshape(problem.products, -1).copy()
        if problem.products > 1:
            here[:, 0] -= here[:, 0].mean()
            there[:, 0] -= there[:, 0].mean()
        np.testing.assert_allclose(here, there, atol=1e-5)


def test_the_learning_rate_limit_on_real_data_is_theorys():
    problem = problems.ridge_regression(alpha=50.0)
    limit = gdfast.theory.gd(problem.curvatures[-1])
    sweep = gdfast.Sweep(problem, optimizers.gd(), limit * np.array([0.98, 1.02]), problem.random(4), 3000)
    below, above = gdfast.run(sweep).outcome.values[0]
    assert (below == Outcome.global_minimum).all()
    assert (above == Outcome.diverged).all()


# Units.


@pytest.mark.parametrize("constant", [0.0, 1e-300, 7.0, 1e300])
def test_a_column_that_never_varies_enters_as_nothing_whatever_a_new_row_has(constant):
    units = Units.of(("a", "b"), np.array([[constant, 1.0], [constant, 3.0]]), standardize=True)
    for value in (0.0, 1e200, -1e308):
        np.testing.assert_array_equal(units.entered([[value, 3.0]]), [[0.0, 1.0]])


def outcomes(problem, rates, starts, max_steps=400):
    result = gdfast.run(gdfast.Sweep(problem, optimizers.gd(), rates, starts, max_steps), backend="numpy")
    return result.outcome.values, result.steps.values


@pytest.mark.slow
@pytest.mark.parametrize("unit", [2.0**-40, 2.0**20])  # powers of two, so that not even rounding changes
@pytest.mark.parametrize("batch_size", [None, 6])
def test_a_change_of_units_changes_no_outcome(unit, batch_size):
    rng = np.random.default_rng(2)
    X, y, starts, rates = rng.normal(size=(20, 3)), rng.normal(size=20), rng.normal(size=(5, 3)), np.logspace(-2, 1, 12)
    labels = rng.integers(0, 3, 20)
    plain = {"bias": False, "batch_size": batch_size}
    raw = functools.partial(data.load, standardize=False)
    for make in (problems.linear_regression, functools.partial(problems.ridge_regression, alpha=0.1)):
        expected = outcomes(make(raw((X, y)), **plain), rates, starts)
        got = outcomes(make(raw((X, unit * y)), **plain), rates, unit * starts)
        for a, b in zip(expected, got, strict=True):
            np.testing.assert_array_equal(a, b)
    for make, l2 in (
        (problems.logistic_regression, 0.125),
        (problems.softmax_regression, 0.125),
    ):
        target = labels % 2 if make is problems.logistic_regression else labels
        points = starts if make is problems.logistic_regression else np.tile(starts, 3)
        expected = outcomes(make(raw((X, target)), l2=l2, **plain), rates, points)
        scaled = make(raw((unit * X, target)), l2=l2 * unit * unit, **plain)
        got = outcomes(scaled, rates / unit**2, points / unit)
        for a, b in zip(expected, got, strict=True):
            np.testing.assert_array_equal(a, b)
        if batch_size is None:
            assert (expected[0] == Outcome.global_minimum).any()


def test_standardized_features_have_no_units():
    iris = data.load("iris")
    other = problems.softmax_regression((iris.X * [1e-3, 1, 1e4, 7] + [0, 5, 1e5, -3], iris.y))
    ours = problems.softmax_regression()
    np.testing.assert_allclose(other.X, ours.X, atol=1e-9)
    np.testing.assert_allclose(ours.X[:, 1:].mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(ours.X[:, 1:].std(axis=0), 1, rtol=1e-12)
    raw, ready = (problems.linear_regression(data.load("diabetes", standardize=s)).curvatures for s in (False, True))
    assert raw[-1] / raw[0] > 1000 * ready[-1] / ready[0]


# Mini-batches.


@given(m=st.integers(1, 60), data=st.data(), seed=st.integers(0, 2**63 - 1))
@settings(max_examples=60)
def test_batches_hold_different_rows_and_grow_with_the_budget(m, data, seed):
    size = data.draw(st.integers(1, m))
    table = draw_batches(m, size, 40, seed)
    assert table.shape == (41, size)
    assert table.dtype == np.int64
    assert table.min() >= 0
    assert table.max() < m
    assert (np.diff(table, axis=1) > 0).all()
    for fewer in (0, 1, 17):
        np.testing.assert_array_equal(draw_batches(m, size, fewer, seed), table[: fewer + 1])
    if 1 < size < m:
        assert not np.array_equal(table, draw_batches(m, size, 40, (seed + 1) % 2**63))


@pytest.mark.slow
def test_long_tables_grow_alike():
    for m, size in ((3000, 40), (3000, 2000)):
        np.testing.assert_array_equal(draw_batches(m, size, 100_00)[:2001], draw_batches(m, size, 2000))


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("m", "size"), [(12, 3), (12, 11), (30, 4), (5, 1)])  # both ways of drawing
def test_every_subset_is_equally_likely(m, size):
    table = draw_batches(m, size, 19_999, seed=7)
    together = np.zeros((m, m))
    for rows in table.T:
        for others in table.T:
            np.add.at(together, (rows, others), 1)
    single, pairs = np.diag(together), together[np.triu_indices(m, 1)]
    assert scipy.stats.chisquare(single).pvalue > 1e-3
    if size > 1:
        assert scipy.stats.chisquare(pairs).pvalue > 1e-3
    # Steps are independent: how often a row follows itself.
    again = np.mean([np.isin(a, b).mean() for a, b in itertools.pairwise(table[:4001])])
    assert again == pytest.approx(size / m, abs=5 * np.sqrt(0.25 / 4000))


@pytest.mark.parametrize(("m", "size"), [(12, 3), (10, 4), (7, 7), (5, 1)])
def test_an_epoch_takes_every_row_once_but_those_dropped(m, size):
    each = m // size
    table = draw_batches(m, size, 200 * each - 1, seed=3, sampling="epochs")
    assert (np.diff(table, axis=1) > 0).all()
    epochs = table.reshape(200, each * size)
    assert all(len(np.unique(epoch)) == each * size for epoch in epochs)
    # Shuffled: where a row stands in its epoch, and which rows are dropped, is another each time, and all are alike.
    counts = np.bincount(table.ravel(), minlength=m)
    assert scipy.stats.chisquare(counts).pvalue > 1e-3
    if each > 1:
        assert scipy.stats.chisquare(np.bincount(table[::each].ravel(), minlength=m)).pvalue > 1e-3
        assert len(np.unique(epochs, axis=0)) > 100 // size
    for fewer in (0, 1, 17):
        np.testing.assert_array_equal(draw_batches(m, size, fewer, 3, "epochs"), table[: fewer + 1])
    other = draw_batches(m, size, 200 * each - 1, seed=4, sampling="epochs")
    assert size == m or not np.array_equal(other, table)


@pytest.mark.slow
def test_long_epochs_grow_alike():
    for m, size in ((3000, 40), (2_000_000, 700_000)):
        long, short = (draw_batches(m, size, steps, 1, "epochs") for steps in (9, 4))
        np.testing.assert_array_equal(long[:5], short)


def test_every_problem_with_batches_takes_epochs():
    taking = [make for make in problems.CATALOGUE.values() if "batch_size" in inspect.signature(make).parameters]
    assert len(taking) == 7
    for make in taking:
        problem = make(batch_size=3, sampling="epochs")
        m, each = len(problem.X), len(problem.X) // 3
        rows = np.concatenate([problem.rows(t) for t in range(each)])
        assert len(np.unique(rows)) == 3 * each <= m
        assert problem.label.endswith("batch_size=3,sampling=epochs")
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(problem)).rows(7), problem.rows(7))
        cases.refused(functools.partial(make, sampling="epochs"), ValueError, "sampling", "batch_size")
        cases.refused(functools.partial(make, batch_size=3, sampling="epoch"), ValueError, "did you mean epochs")


@pytest.mark.sampled(1)
@pytest.mark.parametrize("problem", [p for p in cases.DATA_PROBLEMS if p.batch_size], ids=cases.label)
def test_gradients_of_mini_batches_average_to_the_full_one(problem):
    theta = problem.random(1, seed=1).T
    steps = 3000
    drawn = np.array([problem.step_gradient(theta, t)[:, 0] for t in range(steps)])
    error = drawn.mean(axis=0) - problem.gradient(theta)[:, 0]
    assert (np.abs(error) <= 5 * drawn.std(axis=0) / np.sqrt(steps)).all()
    assert drawn.std(axis=0).min() > 0


def test_a_batch_of_all_rows_is_no_mini_batch():
    whole, every = (problems.ridge_regression(batch_size=b) for b in (None, 442))
    theta = whole.random(4).T
    np.testing.assert_array_equal(every.step_gradient(theta, 3), whole.gradient(theta))


# What is asked for and what is stored.


def test_data_are_in_the_specification_and_survive_pickling(tmp_path):
    table = pandas.DataFrame({"a": [1.0, 2, 4, 3], "b": [0.5, 0, 1, 2], "kind": ["x", "y", "x", "y"]})
    table.to_csv(tmp_path / "t.csv", index=False)
    problem = problems.logistic_regression(data.load(tmp_path / "t.csv", "kind"), batch_size=2)
    assert problem.coordinates == ("bias", "a", "b")
    assert problem.data.classes == ("x", "y")
    again = pickle.loads(pickle.dumps(problem))
    assert again.specification == problem.specification
    assert json.loads(json.dumps(problem.specification)) == problem.specification
    np.testing.assert_array_equal(again.rows(9), problem.rows(9))
    table.loc[0, "a"] = 1.5
    table.to_csv(tmp_path / "t.csv", index=False)
    changed = problems.logistic_regression(data.load(tmp_path / "t.csv", "kind"), batch_size=2)
    assert changed.label == problem.label
    assert changed.specification != problem.specification
    assert notation.problem(changed.label) == changed != problem


def test_data_are_values_and_told_in_any_way_the_same_problem():
    arrays = ([[0.0, 1.0], [1.0, 3.0], [2.0, 0.0]], [0.0, 1.0, 1.0])
    for make in (lambda **more: data.load("iris", **more), lambda **more: data.load(arrays, **more)):
        one, raw = make(), make(standardize=False)
        assert one == make() == data.load(raw, standardize=True) == pickle.loads(pickle.dumps(one))
        assert hash(one) == hash(make())
        assert one != raw == data.load(raw)
    with pytest.raises(ValueError, match="read-only"):
        one.X[0, 0] = 7
    assert one != data.load((arrays[0], [0.0, 1.0, 0.0]))
    told = (problems.softmax_regression, problems.softmax_regression(), "softmax_regression:data=(source=iris)")
    for problem in ("iris", data.load("iris"), {"source": "iris", "standardize": True}):
        assert told[0](problem) == told[1] == notation.problem(told[2])
        assert told[0](problem).label == "softmax_regression"


def test_shipped_sets_are_there_with_their_sizes():
    shapes = {name: data.load(name).X.shape for name in data.SHIPPED}
    assert shapes == {"diabetes": (442, 10), "breast_cancer": (569, 30), "iris": (150, 4), "digits": (1797, 61)}
    for name in data.SHIPPED:
        made = data.load(name)
        assert len(made.features) == made.X.shape[1]
        assert (np.ptp(made.X, axis=0) > 0).all()
    text = CliRunner().invoke(app, ["list", "data"]).stdout
    assert all(word in text for word in ("digits", "1797", "61", "ten classes", "malignant"))


def test_labels_of_any_kind():
    X = np.arange(8.0)[:, None]
    signs = problems.logistic_regression((X, [-1, 1] * 4))
    text = problems.logistic_regression((X, ["no", "yes"] * 4))
    np.testing.assert_array_equal(signs.y, text.y)
    np.testing.assert_array_equal(signs.y, np.arange(8) % 2)
    assert problems.softmax_regression((X, [3, 5, 4, 3, 5, 4, 3, 5])).data.classes == ("3", "4", "5")
    virginica = problems.logistic_regression(data="iris", positive="virginica")
    np.testing.assert_array_equal(virginica.y, data.load("iris").y == 2)
    days = problems.softmax_regression((X, [20200101, 20200102, 20200103, 20200101] * 2))
    assert days.data.classes == ("20200101", "20200102", "20200103")
    for positive in (0.1234568, "0.1234568"):
        near = problems.logistic_regression((X, [0.1234567, 0.1234568] * 4), positive=positive)
        np.testing.assert_array_equal(near.y, np.arange(8) % 2)
    for positive in (20200102, 20200102.0):
        day = problems.logistic_regression((X, [20200101, 20200102] * 4), positive=positive)
        np.testing.assert_array_equal(day.y, np.arange(8) % 2)


def test_a_file_given_on_the_command_line_is_swept(tmp_path):
    (tmp_path / "t.csv").write_text("size,price\n1,2\n2,3.8\n3,5.9\n4,7.8\n")
    options = ["--data", str(tmp_path / "t.csv"), "--target", "price", "--optimizer", "gd", "--backend", "numpy"]
    out = ["--out", str(tmp_path / "x.zarr")]
    done = CliRunner().invoke(app, ["sweep", "--problem", "linear_regression", *options, *out, "--lr", "0.01"])
    assert done.exit_code == 0, done.stderr
    result = xarray.open_zarr(tmp_path / "x.zarr")
    sizes, prices = [1.0, 2.0, 3.0, 4.0], [2.0, 3.8, 5.9, 7.8]
    expected = [np.mean(prices), np.polyfit((np.array(sizes) - 2.5) / np.std(sizes), prices, 1)[0]]
    np.testing.assert_allclose(json.loads(result.attrs["minima"])[0][1:], expected, rtol=1e-12)
    for change, word in (
        (["--problem", "quartic"], "data must be given with"),
        (["--problem", "ridge_regression:data=iris"], "twice"),
    ):
        done = CliRunner().invoke(app, ["sweep", *change, *options, "--out", str(tmp_path / "y.zarr")])
        assert done.exit_code == 2
        assert word in done.stderr
    assert not (tmp_path / "y.zarr").exists()
    assert read("data/t.csv") == "data/t.csv"
    assert read("1/2/3") == (1, 2, 3)


# Bad data.

FEATURES = np.random.default_rng(4).normal(size=(6, 2))


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: problems.ridge_regression(data="diabtes"), ValueError, ["'diabtes'", "did you mean diabetes"]),
        (lambda: problems.ridge_regression(data.load("none.csv", "y")), ValueError, ["none.csv", "not a file"]),
        (lambda: problems.ridge_regression(data=3), TypeError, ["data", "3"]),
        (lambda: problems.ridge_regression(FEATURES), TypeError, ["ridge_regression: data", "(X, y)"]),
        (lambda: problems.ridge_regression(None), TypeError, ["data", "None"]),
        (lambda: problems.ridge_regression("t.csv"), ValueError, ["data", "t.csv is not a file"]),
        (lambda: problems.ridge_regression({"source": "iris", "taget": "y"}), ValueError, ["did you mean target"]),
        (lambda: problems.ridge_regression({"target": "y"}), ValueError, ["source"]),
        (lambda: data.load("diabetes", target="y"), ValueError, ["target", "its own"]),
        (lambda: data.load((FEATURES, np.ones(6)), header=True), ValueError, ["header", "CSV file"]),
        (lambda: problems.ridge_regression((FEATURES, FEATURES)), ValueError, ["y", "(m,)", "(6, 2)"]),
        (lambda: problems.softmax_regression((FEATURES, FEATURES)), ValueError, ["y", "(m,)", "(6, 2)"]),
        (lambda: problems.ridge_regression(alpha=-1.0), ValueError, ["alpha", "-1"]),
        (lambda: problems.ridge_regression(data="iris"), ValueError, ["'class' of iris", "setosa", "number"]),
        (lambda: problems.ridge_regression((FEATURES, [1, 2])), ValueError, ["(6, 2)", "(2,)"]),
        (lambda: problems.ridge_regression((FEATURES * np.inf, np.ones(6))), ValueError, ["X[0, 0]", "inf", "finite"]),
        (lambda: problems.ridge_regression((np.ones((6, 2)), np.ones(6))), ValueError, ["'w0', 'w1'", "constant"]),
        (lambda: problems.ridge_regression((FEATURES, np.arange(6) * 1e200)), ValueError, ["'y'", "5e+200", "1e+150"]),
        (
            lambda: problems.ridge_regression(data.load((FEATURES * 1e200, np.arange(6)), standardize=False)),
            ValueError,
            ["'w0'", "e+200", "unit"],
        ),
        (lambda: data.load("iris", standardize=1), TypeError, ["standardize", "1"]),
        (lambda: problems.linear_regression(batch_size=5), ValueError, ["batch_size", "at most 4", "not 5"]),
        (lambda: problems.linear_regression(batch_size=0), ValueError, ["batch_size", "0"]),
        (lambda: problems.linear_regression(batch_size=2.0), TypeError, ["batch_size", "2.0"]),
        (lambda: problems.linear_regression(seed=-1), ValueError, ["seed", "-1"]),
        (lambda: problems.logistic_regression(data="iris"), ValueError, ["3 classes", "two", "softmax_regression"]),
        (lambda: problems.logistic_regression((FEATURES, np.ones(6))), ValueError, ["1 in every row", "two classes"]),
        (
            lambda: problems.logistic_regression(data="iris", positive="virginca"),
            ValueError,
            ["'virginca'", "did you mean virginica"],
        ),
        (
            lambda: problems.softmax_regression((FEATURES, FEATURES[:, 0])),
            ValueError,
            ["6 different values", "no class"],
        ),
        (lambda: problems.linear_regression(([[1.0, 2.0]], [3.0])), ValueError, ["has one row", "two or more"]),
        (
            lambda: problems.softmax_regression((FEATURES, [0.5, 1.5, 2.5, 0.5, 1.5, 2.5])),
            ValueError,
            ["3 different values", "no class"],
        ),
        (
            lambda: problems.linear_regression((FEATURES, 1e-200 * np.arange(6))),
            ValueError,
            ["'y'", "at most 5e-200", "at least 1e-154"],
        ),
        (
            lambda: problems.softmax_regression(data="diabetes"),
            ValueError,
            ["214 different", "no class"],
        ),
        (lambda: draw_batches(4, 5, 10), ValueError, ["batch_size", "4", "5"]),
        (lambda: data.load("wine"), ValueError, ["'wine'"]),
    ],
)
def test_what_cannot_be_done_with_data_is_said(call, kind, words):
    cases.refused(call, kind, *words)


@pytest.mark.parametrize(
    ("text", "target", "words"),
    [
        ("", "y", ["is empty"]),
        ("a,y\n", "y", ["header but no rows"]),
        ("y\n1\n2\n", "y", ["'y' only"]),
        ("a,y\n1,2\n,3\n", "y", ["line 3", "'a'", "no value"]),
        ("a,y\n1,2\n2,NA\n3,\n", "y", ["line 3", "'y'", "1 more"]),
        ("a,y\n1,2\noops,3\n", "y", ["line 3", "'a'", "'oops'", "numbers"]),
        ("a,y\n1,2\ninf,3\n", "y", ["line 3", "'a'", "inf", "finite"]),
        ("a,y\n1,2\n2,-inf\n", "y", ["line 3", "'y'", "-inf"]),
        ("price,size\n1,2\n2,3\n", "pirce", ["target 'pirce'", "did you mean price"]),
        ("a,y\n1,2,3\n4,5,6\n", "y", ["more values", "header"]),
        ("a,y\n1,2\n1,2,3\n", "y", ["CSV", "line 3"]),
        ('a,y\n"1,2\n', "y", ["CSV"]),
        ("a,b,y\n1,7,2\n2,7,3\n", "y", ["'b'", "constant"]),
        ("a,y\n1,high\n2,low\n", "y", ["'y'", "high", "class"]),
    ],
)
def test_a_bad_file_gets_one_sentence(tmp_path, text, target, words):
    file = tmp_path / "t.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match="linear_regression") as error:
        problems.linear_regression({"source": file, "target": target})
    assert all(word in str(error.value) for word in words), str(error.value)
    assert "\n" not in str(error.value)


def test_numbers_and_names_of_any_size_are_read(tmp_path):
    (tmp_path / "t.csv").write_text('1, "b b" ,flag\n123456789012345678901234567890,0.5,True\n7,-1e-3,False\n')
    read = data.load(tmp_path / "t.csv", "1")
    np.testing.assert_array_equal(read.X, [[0.5, 1], [-1e-3, 0]])
    np.testing.assert_array_equal(data.load(tmp_path / "t.csv", "flag").X[:, 0], [123456789012345678901234567890.0, 7])


def test_a_file_that_is_no_text_gets_one_sentence(tmp_path):
    (tmp_path / "t.csv").write_bytes(bytes(range(256)) * 10)
    for place in (tmp_path / "t.csv", tmp_path):
        with pytest.raises(ValueError, match="data"):
            data.load(place, "y")
