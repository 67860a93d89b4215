"""Models of one's own on rows of data."""

import functools
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import optimize
from sklearn import linear_model

import gdfast
from gdfast import notation, problems
from gdfast.formulas.formula import Formula
from gdfast.kernels.evaluation import GRADIENT, OBJECTIVE, evaluation_kernel
from gdfast.kernels.signatures import Pair
from gdfast.problems.models.stages import staged
from tests import cases

RNG = np.random.default_rng(7)
M = 60
COLUMNS = {"x": RNG.uniform(0.5, 4, M), "petal length": RNG.normal(size=M), "z": RNG.normal(size=M)}
COLUMNS["y"] = 2 * np.exp(-0.7 * COLUMNS["x"]) + 0.5 + 0.3 * COLUMNS["z"] + 0.05 * RNG.normal(size=M)
COLUMNS["kind"] = np.where(COLUMNS["x"] + RNG.normal(size=M) > 2, 1.0, 0.0)
COLUMNS["count"] = np.round(np.exp(0.5 * COLUMNS["x"]))
LINES = np.stack([COLUMNS["x"], COLUMNS["z"], np.ones(M)])
LINE = "a*x + b*z + c"


def model(text, target="y", **how):
    """A model on the columns x, z, `petal length` and a target."""
    names = ["x", "petal length", "z", target]
    return problems.from_model(text, {name: COLUMNS[name] for name in names}, target=target, **how)


# What it computes.


def losses_by_hand(z, loss, target):
    r, margin = z - target, (1 - 2 * target) * z
    return {
        "squared": r**2,
        "absolute": abs(r),
        "huber": np.where(abs(r) <= 0.3, r**2 / 2, 0.3 * (abs(r) - 0.15)),
        "logistic": np.logaddexp(0, margin),
        "poisson": np.exp(z) - target * z,
        "hinge": np.maximum(0, 1 + margin),
    }[loss]


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("loss", "target"),
    [
        ("squared", "y"),
        ("absolute", "y"),
        ("huber", "y"),
        ("logistic", "kind"),
        ("poisson", "count"),
        ("hinge", "kind"),
    ],
)
def test_every_loss_is_the_one_written_by_hand_with_its_gradient(loss, target):
    text = "a*exp(-b*x) + tanh(c)*z*log(x) + sigmoid(d*x)"
    problem = model(text, target, loss=loss, delta=0.3, l2=0.1, domain=dict.fromkeys("abcd", (-1, 1)))
    theta = problem.random(5).T
    a, b, c, d = theta
    x, z = (COLUMNS[name][:, None] for name in "xz")
    value = a * np.exp(-b * x) + np.tanh(c) * z * np.log(x) + 1 / (1 + np.exp(-d * x))
    expected = losses_by_hand(value, loss, COLUMNS[target][:, None]).mean(axis=0) + 0.05 * (theta**2).sum(axis=0)
    np.testing.assert_allclose(problem.loss(theta), expected, rtol=1e-13)
    assert gdfast.check_gradient(problem), gdfast.check_gradient(problem)
    if loss not in ("absolute", "hinge", "huber"):
        differences = cases.differences(problem.gradient, theta, 1e-5)
        np.testing.assert_allclose(problem.hessian(theta), differences, rtol=1e-6, atol=1e-8)


@pytest.mark.slow
def test_on_ten_points_it_is_the_formula_spelled_out():
    x, y = COLUMNS["x"][:10], COLUMNS["y"][:10]
    domain = {"a": (0.0, 4.0), "b": (0.0, 2.0), "c": (-1.0, 1.0)}
    ours = problems.from_model("a*exp(-b*x) + c", (x, y), domain=domain)
    rows = (f"(a*exp(-b*{u!r}) + c - {v!r})**2" for u, v in zip(x.tolist(), y.tolist(), strict=True))
    theirs = problems.from_expression(f"({' + '.join(rows)})/10", domain)
    assert ours.coordinates == theirs.coordinates
    theta = ours.random(50).T
    for name in ("loss", "gradient", "hessian"):
        got, expected = getattr(ours, name)(theta), getattr(theirs, name)(theta)
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())
    np.testing.assert_allclose(ours.optimum, theirs.minima[0].point, rtol=1e-7)
    make = functools.partial(gdfast.Sweep, optimizers=["gd", "adam"], learning_rates=np.geomspace(1e-3, 0.03, 5))
    got, expected = (
        gdfast.run(make(problem, starts=ours.grid(3), max_steps=400), keep_theta=True) for problem in (ours, theirs)
    )
    np.testing.assert_allclose(got.theta, expected.theta, rtol=1e-6, atol=1e-8)
    assert len(np.unique(np.round(got.theta, 3))) > 100


@pytest.mark.slow
@pytest.mark.parametrize(
    "problem",
    [
        cases.MODELS[1],
        model("(a*x + b)/(2 + c*c*z*z) + log(x)*b", l2=0.2, validation=0.3, seed=3),
        model("a*x + b*z", "kind", loss="hinge", batch_size=11),
        model("a*x + b*sqrt(c*c + x)", loss="absolute"),
    ],
    ids=["huber", "squared", "hinge", "absolute"],
)
def test_kernels_and_reference_agree_to_the_bit(problem):
    starts = problem.random(11, seed=2)
    cases.agree(gdfast.Sweep(problem, ["gd", "adam"], np.geomspace(1e-3, 10, 9), starts, 120), workers=2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "target", "loss"),
    [
        ("a*exp(-b*x) + c*tanh(z*b)", "y", "squared"),
        ("a*x + b*sin(c*z)", "kind", "logistic"),
        ("a*x + b*abs(z) + c", "count", "poisson"),
    ],
)
def test_where_functions_occur_they_agree_up_to_rounding(text, target, loss):
    problem = model(text, target, loss=loss, batch_size=7, l2=0.1, domain=dict.fromkeys("abc", (-1, 1)))
    n, width = 64, 192
    theta = problem.random(width).T.copy()
    grad, out = np.full_like(theta, np.nan), np.zeros(width)
    work = np.full((problem.lane_kernel.work_rows, width), np.nan)
    pair = Pair(0, 0, 0, problem.group, problem.arrays, *problem.lane_data(50))
    evaluation_kernel(problem.lane_kernel)(pair, GRADIENT + OBJECTIVE, theta, grad, out, work, n, 41)
    expected = problem.step_gradient(theta[:, :n], 41)
    bound = 100 * np.finfo(float).eps * np.abs(expected).max(axis=1, keepdims=True)
    assert (np.abs(grad[:, :n] - expected) <= bound).all()
    np.testing.assert_allclose(out[:n], problem.step_objective(theta[:, :n], 41), rtol=1e-14)


@pytest.mark.slow
def test_a_formula_in_stages_computes_the_same():
    (formula,) = [model("a*exp(-b*x)*tanh(exp(c*z)) + a")._sums._gradient]
    stages = staged(formula)
    assert len(stages) == 4
    given = [0.3, -0.2, 0.5, *RNG.normal(size=len(formula.arguments) - 3)]
    for stage in stages[:-1]:
        given.append(Formula.of(stage.function, 1)(*given))
    assert stages[-1](*given) == formula(*given[: len(formula.arguments)])


def test_what_depends_on_columns_alone_is_computed_once_a_row():
    plain, written_out = model("a*x + b"), model("a*(exp(log(x)*1) + 0*z) + b")
    assert written_out.fit.model.parameters == ("a", "b")
    assert plain._sums._gradient.source == written_out._sums._gradient.source
    assert plain.lane_kernel is written_out.lane_kernel


# Where the loss is lowest.


def test_the_optimum_of_published_data():
    oxygen = problems.from_model()  # Bates & Watts 1988, chapter 2
    np.testing.assert_allclose(oxygen.optimum, [19.143, 0.5311], rtol=1e-4)
    assert 6 * oxygen.lowest == pytest.approx(25.99, abs=0.005)
    concentration = np.repeat([0.02, 0.06, 0.11, 0.22, 0.56, 1.10], 2)
    velocity = [76.0, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200]
    enzyme = problems.from_model("vmax*x/(k + x)", (concentration, velocity))  # the same, A1.3
    np.testing.assert_allclose(enzyme.optimum, [0.06412, 212.68], rtol=1e-4)
    assert not enzyme.is_convex


def loss_of(loss, target):
    return lambda w: losses_by_hand(w @ LINES, loss, COLUMNS[target]).mean()


def lowest_of_line(loss, target):
    """The lowest loss of a line, by other libraries."""
    y = COLUMNS[target]
    match loss:
        case "squared":
            return loss_of(loss, target)(np.linalg.lstsq(LINES.T, y, rcond=None)[0])
        case "huber":
            return optimize.minimize(loss_of(loss, target), np.zeros(3), tol=1e-14, method="BFGS").fun
        case "logistic":
            fit = linear_model.LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000, fit_intercept=False)
            return loss_of(loss, target)(fit.fit(LINES.T, y).coef_[0])
        case "poisson":
            fit = linear_model.PoissonRegressor(alpha=0, tol=1e-12, max_iter=10_000, fit_intercept=False)
            return loss_of(loss, target)(fit.fit(LINES.T, y).coef_)
    # Linear programs: of the parameters, and what each row's loss is at least.
    s = 1 - 2 * y
    rows = [LINES.T, -LINES.T] if loss == "absolute" else [s[:, None] * LINES.T]
    bounds = [y, -y] if loss == "absolute" else [-np.ones(M)]
    least = np.hstack([np.vstack(rows), np.tile(-np.eye(M), (len(rows), 1))])
    cost = np.r_[np.zeros(3), np.full(M, 1 / M)]
    free = [(None, None)] * 3 + [(0, None)] * M
    return optimize.linprog(cost, A_ub=least, b_ub=np.concatenate(bounds), bounds=free).fun


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("loss", "target"),
    [
        ("squared", "y"),
        ("huber", "y"),
        ("absolute", "y"),
        ("logistic", "kind"),
        ("hinge", "kind"),
        ("poisson", "count"),
    ],
)
def test_the_lowest_loss_of_a_line_is_that_of_other_libraries(loss, target):
    problem = model(LINE, target, loss=loss, delta=0.3)
    assert problem.is_convex
    expected = lowest_of_line(loss, target)
    assert problem.lowest == pytest.approx(expected, abs=1e-7 * problem.loss_scale)
    assert (problem.domain[:, 0] <= -np.abs(problem.optimum)).all()
    assert (problem.domain[:, 1] >= np.abs(problem.optimum)).all()


@pytest.mark.slow
def test_the_lowest_of_several_minima_is_found():
    x = np.linspace(0, 6, 50)
    problem = problems.from_model("sin(w*x)", (x, np.sin(2.3 * x)), domain={"w": (0, 8)})
    assert problem.optimum == pytest.approx([2.3], abs=1e-9)
    assert len(problem.minima) > 1
    result = gdfast.run(gdfast.Sweep(problem, "gd", [0.01], problem.grid(15), 2000))
    assert set(result.outcome.values.ravel().tolist()) == {1, 2}


def test_where_there_is_no_optimum_none_is_told():
    separable = problems.from_model("a*x", ([-1.0, -2.0, 3.0], [0, 0, 1]), loss="logistic")
    assert separable.optimum is None
    assert separable.lowest == -np.inf
    growing = problems.from_model("a*exp(-b*x) + c", ([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 3.0]))  # a line at infinity
    assert growing.optimum is None


def test_redundant_parameters_have_one_of_their_optima():
    problem = model("(a + b)*x + c")
    expected = np.linalg.lstsq(LINES[[0, 2]].T, COLUMNS["y"], rcond=None)
    assert problem.lowest * M == pytest.approx(expected[1][0], rel=1e-12)
    assert problem.optimum[:2].sum() == pytest.approx(expected[0][0], rel=1e-9)


def test_outcomes_do_not_depend_on_the_units_of_the_target():
    sweeps = []
    for unit in (1.0, 2.0**40):
        columns = {"x": COLUMNS["x"], "y": COLUMNS["y"] * unit}
        problem = problems.from_model("a*x + c", columns, target="y")
        starts = np.array([[0.0, 1.0], [2.0, -1.0]]) * unit
        sweeps.append(gdfast.run(gdfast.Sweep(problem, "gd", np.geomspace(1e-3, 1, 12), starts, 300)))
    np.testing.assert_array_equal(sweeps[0].outcome, sweeps[1].outcome)
    assert len(np.unique(sweeps[0].outcome)) >= 3


# What it takes and tells.


def test_columns_by_any_kind_of_table(tmp_path):
    frame = pd.DataFrame({name: COLUMNS[name] for name in ("x", "petal length", "y")})
    frame.to_csv(tmp_path / "t.csv", index=False)
    text = "a*`petal length` + b*x + c"
    expected = problems.from_model(text, {name: frame[name].to_numpy() for name in frame}, target="y")
    for got in (
        problems.from_model(text, frame.to_dict("list"), target="y"),
        problems.from_model(text, tmp_path / "t.csv", target="y"),
        problems.from_model(text, {"source": tmp_path / "t.csv", "target": "y"}),
    ):
        assert got.coordinates == ("a", "b", "c")
        np.testing.assert_allclose(got.optimum, expected.optimum, rtol=1e-12)
    arrays = problems.from_model("a*x1 + b*x0 + c", (frame[["x", "petal length"]].to_numpy(), frame.y.to_numpy()))
    np.testing.assert_allclose(arrays.optimum, expected.optimum, rtol=1e-12)


@pytest.mark.slow
def test_a_model_of_a_file_is_a_value_with_a_text(tmp_path):
    pd.DataFrame({name: COLUMNS[name] for name in ("x", "petal length", "y")}).to_csv(tmp_path / "t.csv", index=False)
    make = problems.from_model
    problem = make(
        "a*exp(b*x) + `petal length`*c", tmp_path / "t.csv", target="y", loss="huber", delta=0.5, domain={"b": (-1, 0)}
    )
    assert problem.coordinates == ("b", "a", "c")
    assert problem.domain[0].tolist() == [-1, 0]
    assert notation.problem(notation.written(problem)) == problem
    again = pickle.loads(pickle.dumps(problem))
    assert again == problem
    assert again.specification == problem.specification
    assert again.lane_kernel is problem.lane_kernel
    assert problem.replace(loss="squared").loss(np.zeros(3)) != problem.loss(np.zeros(3))
    kernel = pickle.loads(pickle.dumps(problem.lane_kernel))
    assert kernel is problem.lane_kernel


def test_rows_that_are_new_are_predicted_in_their_own_units():
    plain, scaled = (model("a*x + b*z + c", standardize=standardize) for standardize in (False, True))
    new = {"x": [1.0, 2.0], "z": [0.5, -0.5]}
    expected = plain.optimum @ np.array([[1.0, 2.0], [0.5, -0.5], [1.0, 1.0]])
    assert not np.allclose(scaled.optimum, plain.optimum)
    for problem in (plain, scaled):
        np.testing.assert_allclose(problem.predict(problem.optimum, new)[:, 0], expected)
        rows = [[1.0, 9.0, 0.5], [2.0, 9.0, -0.5]]  # every column in its place, used or not
        np.testing.assert_allclose(problem.predict(problem.optimum, rows)[:, 0], expected)
        np.testing.assert_allclose(
            problem.predict(problem.optimum), problem.predict(problem.optimum, {n: COLUMNS[n] for n in "xz"})
        )


def test_classes_are_predicted_and_counted():
    problem = model(LINE, "kind", loss="logistic", validation=0.25)
    theta = problem.optimum
    z = problem.outputs(theta)
    np.testing.assert_array_equal(problem.predict(theta), z > 0)
    assert problem.accuracy(theta) == pytest.approx(np.mean((z[:, 0] > 0) == problem.y))
    counts = model("a*x + c", "count", loss="poisson")
    np.testing.assert_allclose(counts.predict(counts.optimum), np.exp(counts.outputs(counts.optimum)))
    sweep = gdfast.Sweep(problem, "gd", [0.1], problem.random(4), 20)
    result = gdfast.run(sweep, backend="numpy", keep_theta=True).isel(optimizer=0, learning_rate=0)
    ends = result.theta.values.T
    np.testing.assert_array_equal(result.validation_loss, problem.validation_loss(ends))
    np.testing.assert_array_equal(result.validation_accuracy, problem.validation_accuracy(ends))
    np.testing.assert_array_equal(result.accuracy, problem.accuracy(ends))


def test_of_many_classes_one_is_told_from_the_others():
    problem = problems.from_model(
        "a*`petal length (cm)` + b", "iris", loss="logistic", positive="setosa", l2=1e-3, standardize=True
    )
    assert problem.accuracy(problem.optimum) == 1


# What is refused.


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: model("a*petal length + b"), ["model 'a*petal length + b' cannot be read", "`petal length`"]),
        (lambda: model("a*`petal lenth` + b"), ["'petal lenth'", "did you mean petal length"]),
        (lambda: model("a*`petal length + b"), ["backtick that is not closed"]),
        (lambda: model("a*X + b"), ["'X' is no column, but 'x' is", "x, `petal length`, z"]),
        (lambda: model("a*x + y"), ["'y' is the target"]),
        (lambda: model("a + b"), ["must name a column", "x, `petal length`, z"]),
        (lambda: model("x + z"), ["1 to 64 parameters", "none"]),
        (lambda: model("a*foo(x)"), ["model: 'foo' is not a function"]),
        (lambda: model("a*log(z)"), ["columns alone must be finite", "row"]),
        (lambda: model("a*x", loss="hubr"), ["did you mean huber"]),
        (lambda: model("a*x", loss="logistic"), ["'y'", "no class"]),
        (lambda: model("a*x", loss="poisson", target="z"), ["'z' must not be negative for poisson"]),
        (lambda: model("a*x", positive="1"), ["positive", "hinge or logistic"]),
        (
            lambda: problems.from_model("a*x", COLUMNS, target="w"),
            ["target 'w' is not known; accepted: x, petal length"],
        ),
        (lambda: model("a*x", domain={"c": (0, 1)}), ["domain: parameter 'c'", "accepted: a"]),
        (lambda: model("a*x", domain={"a": (1, 0)}), ["lowest first"]),
        (lambda: model("a*x", batch_size=61), ["batch_size", "60"]),
        (lambda: problems.from_model("a*x", "iris", loss="hinge"), ["setosa", "positive='setosa'"]),
        (lambda: problems.from_model("a*x", "iris"), ["is a class", "for squared", "logistic and hinge"]),
        (lambda: problems.from_model("a*e + b", {"e": [1.0, 2.0], "y": [1.0, 2.0]}, target="y"), ["`e`"]),
        (lambda: problems.from_model("a*x", {"x": [1.0, 2.0], "y": [1.0, 2.0]}), ["target must be given"]),
        (lambda: problems.from_model("a*x", {"x": [1.0, 2.0], "y": [1.0]}, target="y"), ["(2,), (1,)"]),
        (lambda: model("a*x").predict([1.0], [[1.0, 2.0]]), ["predict: X must have shape (rows, 3), not (1, 2)"]),
        (lambda: model("a*x").predict([1.0], {"z": [1.0]}), ["must have the column 'x'"]),
        (lambda: model("a*log(x)").predict([1.0], {"x": [-1.0]}), ["must be finite"]),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(call, words):
    cases.refused(call, ValueError, *words)
