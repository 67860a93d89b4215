"""Problems of a user's own: from an expression, from formulas, with a gradient that is wrong."""

import importlib
import pickle
import subprocess
import sys

import cases
import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import gdfast
from gdfast import optimizers, problems, store
from gdfast.cli import app
from gdfast.formulas.formula import Formula, source_of

expression = importlib.import_module("gdfast.problems.expression")
QUARTIC = "x**4 - 5*x**2 + 3*x"


@pytest.mark.slow
def test_the_quartic_by_its_expression_has_the_map_of_the_quartic():
    ours, theirs = problems.quartic(), gdfast.problems.Problem.from_expression(QUARTIC, domain=(-4, 4))
    for known, found in zip(ours.stationary_points, theirs.stationary_points, strict=True):
        assert found.kind == known.kind
        np.testing.assert_allclose((*found.point, found.loss), (*known.point, known.loss), rtol=1e-12)
    results = [
        gdfast.run(
            gdfast.Sweep(
                problem, [optimizers.gd(), optimizers.adam()], np.logspace(-4, 0, 64), np.linspace(-4, 4, 64)[:, None]
            )
        )
        for problem in (ours, theirs)
    ]
    np.testing.assert_array_equal(results[1].outcome, results[0].outcome)
    np.testing.assert_array_equal(results[1].basin, results[0].basin)
    np.testing.assert_allclose(results[1].loss, results[0].loss, rtol=1e-9)


@pytest.mark.slow
def test_rosenbrock_by_its_expression_is_rosenbrock():
    ours = problems.rosenbrock()
    theirs = problems.from_expression("(1-x)**2 + 100*(y-x**2)**2", domain=ours.domain)
    theta = ours.random(100).T
    for name in ("loss", "gradient", "hessian"):
        np.testing.assert_allclose(getattr(theirs, name)(theta), getattr(ours, name)(theta), rtol=1e-10, atol=1e-9)
    assert [q.point for q in theirs.stationary_points] == [(1.0, 1.0)]


EXPRESSIONS = [
    "sqrt(x**2 + y**2 + 1e-3)*exp(-x*y/3)",
    "log(1 + x**2)/(2 + cos(3*y)) - tanh(x*y)",
    "(x**2 + 1)**2.5 + (y**2 + 2)**0.3 - (x**2 + y**2 + 1)**(-1.5)",
    "(1 + x**2)**y + e**(x/2) + 2**x + pi*y - 1/(3 + sin(x))",
    "abs(x - y)*x + max(x, y, 0.5)*min(x, 2*y) + sign(x)*y**3",
    "sigmoid(x*y) + softplus(x - y) + log1p(x**2)*abs(-3) + max(1, 2)",
    "x**17/1e5 - x**7*y**5/1e3 + 1/3*x**64/1e40",
    "tan(x/4)*atan(y) + asin(x/4)*acos(y/5) + sinh(x)*cosh(y)",
    "log10(x)*log2(y + x) + ln(x)/cosh(y)",
    "a*b*c + cos(a)*sin(b)*exp(c/5) + (a - b + c)**6/100",
]
MEANING = {
    "log10": lambda x: sympy.log(x, 10),
    "log2": lambda x: sympy.log(x, 2),
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
    "log1p": lambda x: sympy.log(1 + x),
    "abs": sympy.Abs,
    "max": sympy.Max,
    "min": sympy.Min,
}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("text", EXPRESSIONS)
def test_loss_gradient_and_hessian_of_an_expression(text):
    problem = problems.from_expression(text)
    names = problem.coordinates
    symbols = sympy.symbols(names, real=True)
    loss = sympy.sympify(text, {**MEANING, "e": sympy.E, **dict(zip(names, symbols, strict=True))})  # our own texts
    theta = np.random.default_rng(0).uniform(0.3, 3, (len(names), 40))  # off the kinks
    value = sympy.lambdify(symbols, loss, "numpy")(*theta)
    np.testing.assert_allclose(problem.loss(theta), value, rtol=1e-12)
    gradient = [loss.diff(s) for s in symbols]
    smooth = "sign" not in text
    for i, slope in enumerate(gradient):
        expected = sympy.lambdify(symbols, slope, "numpy")(*theta) if smooth else problem.gradient(theta)[i]
        np.testing.assert_allclose(problem.gradient(theta)[i], expected, rtol=1e-9, atol=1e-12)
    assert gdfast.check_gradient(problem, theta.T)
    h = 1e-5
    for i in range(len(names)):
        step = h * np.eye(len(names))[:, i : i + 1]
        differences = (problem.gradient(theta + step) - problem.gradient(theta - step)) / (2 * h)
        scale = 1 + np.abs(differences).max()
        np.testing.assert_allclose(problem.hessian(theta)[i], differences, atol=1e-7 * scale)
    Formula.of(problem.loss_formula, 1)
    Formula.of(problem.gradient_formula, len(names))
    again = pickle.loads(pickle.dumps(problem))
    np.testing.assert_array_equal(again.gradient(theta), problem.gradient(theta))
    assert again.specification == problem.specification


def trees():
    leaves = st.sampled_from(["x", "y", "2", "0.5", "3", "pi"])

    def grown(inner):
        pairs = st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
        calls = st.tuples(st.sampled_from(["sin", "cos", "tanh", "sigmoid"]), inner).map(lambda t: f"{t[0]}({t[1]})")
        powers = st.tuples(inner, st.sampled_from(["2", "3"])).map(lambda t: f"({t[0]})**{t[1]}")
        return pairs | calls | powers

    return st.recursive(leaves, grown, max_leaves=6)


@given(text=trees())
@settings(max_examples=40)
def test_any_expression_means_what_python_means(text):
    try:
        problem = problems.from_expression(f"x*y + {text}")
    except ValueError as refusal:
        assert "is not a real number" in str(refusal)  # noqa: PT017
        return
    x, y = theta = np.random.default_rng(1).uniform(-1, 1, (2, 20))
    names = {"sin": np.sin, "cos": np.cos, "tanh": np.tanh, "sigmoid": lambda v: 1 / (1 + np.exp(-v)), "pi": np.pi}
    expected = eval(f"x*y + {text}", {**names, "x": x, "y": y})
    np.testing.assert_allclose(problem.loss(theta), expected, rtol=1e-9, atol=1e-9)
    assert gdfast.check_gradient(problem, theta.T)


def test_powers_are_products_and_what_is_common_is_computed_once():
    source = source_of(problems.from_expression("sin(x*y)**2 + sin(x*y)*(x + y)**16").loss_formula)
    assert source.count("sin(") == 1
    assert "**" not in source
    assert source.count("*") < 12


def test_coordinates_are_in_alphabetical_order_or_in_the_domains():
    assert problems.from_expression("b*a + 2*c").coordinates == ("a", "b", "c")
    named = problems.from_expression("b*a + 2*c", domain={"c": (0, 1), "a": (2, 3), "b": (-1, 1)})
    assert named.coordinates == ("c", "a", "b")
    np.testing.assert_array_equal(named.domain, [[0, 1], [2, 3], [-1, 1]])
    np.testing.assert_array_equal(problems.from_expression("x + y**2").domain, [[-5, 5]] * 2)


HOSTILE = [
    "__import__('os').system('true')", "x.__class__", "(lambda: 1)()", "[x for x in y]", "x if y else z", "'a'",
    "f'{x}'", "x @ y", "x // y", "x % y", "x < y", "x and y", "not x", "~x", "(x := 3)", "9**9**9",
    "x**(9**9)",
    "2**64**64", "1e-400*x", "1e200*1e200*x", "1e-200*1e-200*x",
    "0**-1*x", "(-2)**x", "(-8)**0.5*x", "x/0", "max(x, x/(1-1))",
    "1e999", "9" * 1500, "x" * 5000, "(" * 300 + "x" + ")" * 300,
    "-" * 1500 + "x", "exp(exp(exp(exp(5))))*x", "open('f')", "eval('1')", "sqrt(x, y)",
    "max(x)", "exp(x=3)", "sqrt(-1)*x", "log(0)*x", "x + 1j", "True + x", "None", "...", "1/0*x", "5", "", " ", "x\n+y",
    "x; y", "import os", "x\x00y", "abs", "_x", "exp*2", "S(1)", "x!", "sin(x)(y)", "*x",
    "exp(*x)", "x**-65", "x/(1e-300)**2", "max(" + ",".join(f"x{i % 8}*{i}" for i in range(160)) + ")",
    "*".join(f"(x+{i})" for i in range(200)), "+".join(f"x{i}" for i in range(400)), "y" * 50,
    "x**y" + "**y" * 70, "select(x, y, 1)", "yield x", "await x", "{x: y}", "{x}", "x, y", "maximum + x", "\ud800",
    "x[-1]", "x[0] + x", "x[0] + x0", "x[0][1]", "x[0:2]", "x[y]", "x[0, 1]", "x[True]", "pi[0]", "x[999999999]",
    "x < y & y < 2", "(x < y) & y", "~x*y", "where(x < 1, 2)", "where(x < 1 < y in z, 1, x)", "x is y", "not x + 1",
    "np.random.rand()*x", "os.getcwd()", "np.pi.real*x", "x.sin()", "np.linalg.norm(x)", "np + np.x", "sum(x)",
    "piecewise((x, x < 0))", "piecewise(x < 0, x)", "piecewise((x, x < 0), x, (1, True))", "piecewise()",
    "+".join(f"x[{i}]" for i in range(101)), "ln", "where + x", "relu(x, y)", "pow(x)",
    "nan*x**2", "x**2 - inf", "Inf*x",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:20].encode("ascii", "backslashreplace").decode())
def test_what_is_not_mathematics_is_refused_with_one_sentence(text):
    with pytest.raises(ValueError, match="expression") as error:
        problems.from_expression(text)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


WAYS = {
    "x^2 + y^-2": "x**2 + y**-2",
    "-x^2": "-x**2",
    "np.sin(x)*numpy.exp(y) + math.pi*np.e": "sin(x)*exp(y) + pi*e",
    "ln(x) + np.log(x) + math.log10(x)*log2(y)": "2*log(x) + log10(x)*log2(y)",
    "arctan(x) + np.arcsin(x/3)*arccos(y/3)": "atan(x) + asin(x/3)*acos(y/3)",
    "relu(x - 1) + np.maximum(x, y)": "max(0, x - 1) + max(x, y)",
    "where(x < 1, x*y, y)": "x*y if x < 1 else y",
    "np.where((x < 1) & (y < 2), x, y)": "x if x < 1 and y < 2 else y",
    "select(0.5 < x < 1, x, y)": "where(x > 0.5, where(x < 1, x, y), y)",
    "x if not x < 1 or y >= 2 else -y": "where(x >= 1, x, where(y >= 2, x, -y))",
    "(x < 1)*x**2 + (x >= 1)*y": "where(x < 1, x**2, 0) + where(x >= 1, y, 0)",
    "piecewise((x, x < 1), (y, x < 2), (x*y, True))": "where(x < 1, x, where(x < 2, y, x*y))",
    "piecewise(x < 1, x, x < 2, y, x*y)": "where(x < 1, x, where(x < 2, y, x*y))",
    "Piecewise((x < 1, x), (x < 2, y), x*y)": "where(x < 1, x, where(x < 2, y, x*y))",
    "pow(x, 3) + np.power(2, y) + square(x) + exp2(x)": "x**3 + 2**y + x**2 + 2**x",
    "np.clip(x, 0.7, y)": "min(max(x, 0.7), y)",
    "x² − 3·y³ + π": "x**2 - 3*y**3 + pi",
    "fabs(x - y) + expit(x)": "abs(x - y) + sigmoid(x)",
}


@pytest.mark.parametrize("text", WAYS)
def test_what_can_mean_only_one_thing_is_understood(text):
    got, expected = problems.from_expression(text), problems.from_expression(WAYS[text])
    assert got.coordinates == expected.coordinates
    theta = np.random.default_rng(2).uniform(0.5, 2.5, (len(got.coordinates), 200))
    for name in ("loss", "gradient"):
        np.testing.assert_allclose(getattr(got, name)(theta), getattr(expected, name)(theta), rtol=1e-12)
    assert gdfast.check_gradient(got, theta[:, :20].T)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3x", "'3*x'"),
        ("2(x+1)", "'2*(x+1)'"),
        ("1/2x + sin(x)y", "'1/2*x + sin(x)*y'"),
        ("(x+1)(x-1)", "'(x+1)*(x-1)'"),
        ("x(y+1)", "x*(…)"),
        ("2 x y", "'2*x*y'"),
        ("y = x**2", "right-hand side"),
        ("f(x) = x**2", "right-hand side"),
        ("|x|", "abs(x)"),
        ("(x + 1", "1 ( and 0 )"),
        ("x < 1", "true or false"),
        ("where(x < 1 & y < 2, x, y)", "in parentheses, (x < 1) & (y < 2)"),
        ("where(x, 1, y)", "condition such as x < 1"),
        ("sin*x", "'sin' is a function, sin(…)"),
        ("x[1] + x[2]", "x[0] is missing"),
        ("x[0] + x", "different names"),
        ("foo(x)", "'foo' is not a function"),
    ],
)
def test_what_is_meant_otherwise_is_told_how_to_be_written(text, words):
    cases.refused(lambda: problems.from_expression(text), ValueError, "expression", words)


def test_places_of_a_vector_are_coordinates():
    problem = problems.from_expression("theta[0]^2 + theta[10] + sum_ + " + "+".join(f"theta[{i}]" for i in range(10)))
    assert problem.coordinates == ("sum_", *(f"theta{i}" for i in range(11)))
    two = problems.from_expression("x[0]**2 + x[1]", domain={"x[1]": (0, 1), "x[0]": (2, 3)})
    assert two.coordinates == ("x1", "x0")
    np.testing.assert_array_equal(problems.from_expression("x[0]*x[1]", (0, 2)).domain, [[0, 2]] * 2)


def chained(x1, x2, x3, x4, x5, x6, x7, x8, x9, x10):
    return (
        (x1 - 1) ** 2 + (x2 - x1) ** 2 + (x3 - x2) ** 2 + (x4 - x3) ** 2 + (x5 - x4) ** 2 + (x6 - x5) ** 2
        + (x7 - x6) ** 2 + (x8 - x7) ** 2 + (x9 - x8) ** 2 + (x10 - x9) ** 2 + (x10 - 1) ** 2
    )  # fmt: skip


@pytest.mark.slow
def test_ten_coordinates_of_a_formula():
    text = "(x1-1)^2 + " + "+".join(f"(x{i + 1}-x{i})^2" for i in range(1, 9)) + "+ (x10-x9)^2 + (x10-1)^2"
    typed = problems.from_expression(text, domain=(-3, 3))
    written = problems.Landscape(chained, domain=[[-3, 3]] * 10)
    assert typed.coordinates == written.coordinates == tuple(f"x{i}" for i in range(1, 11))
    theta = typed.random(20).T
    np.testing.assert_allclose(typed.gradient(theta), written.gradient(theta), rtol=1e-12)
    (only,) = typed.minima
    np.testing.assert_allclose(only.point, 1, atol=1e-6)
    result = cases.agree(gdfast.Sweep(typed, ["gd"], [0.05, 0.2], typed.random(4), 1500))
    assert (result.outcome == gdfast.outcomes.Outcome.global_minimum).all()
    assert pickle.loads(pickle.dumps(typed)) == typed


def test_points_of_one_coordinate_need_no_brackets():
    problem = problems.from_expression("x^4 - 2*x")
    assert problem.loss(1.0) == problem.loss([1.0]) == -1
    assert problem.gradient([0.0])[0, 0] == -2
    assert problem.hessian([0.0]).shape == (1, 1, 1)


FACTORED = {
    "(x-3)**6": lambda x: (x - 3) ** 6,
    "(x-10)**8": lambda x: (x - 10) ** 8,
    "(x-20)**10": lambda x: (x - 20) ** 10,
    "1e9*(x-1.1)**2": lambda x: 1e9 * (x - mpmath.mpf(1.1)) ** 2,
    "sqrt((x-3)**2)": lambda x: abs(x - 3),
    "((x-0.5)**2)**2.5": lambda x: abs(x - 0.5) ** 5,
    "(2*(x-3))**5 + 2*(x-3)": lambda x: (2 * (x - 3)) ** 5 + 2 * (x - 3),
    "tanh(x-2)": lambda x: mpmath.tanh(x - 2),
    "sigmoid(x-2) + softplus(x)": lambda x: 1 / (1 + mpmath.exp(2 - x)) + mpmath.log1p(mpmath.exp(x)),
    "softplus(-x)": lambda x: mpmath.log1p(mpmath.exp(-x)),
    "atan(x-2)": lambda x: mpmath.atan(x - 2),
    "cosh(x/4)": lambda x: mpmath.cosh(x / 4),
    "asin(x/41)": lambda x: mpmath.asin(x / 41),
}


@pytest.mark.sampled(7)
@pytest.mark.parametrize("text", FACTORED)
def test_loss_and_gradient_are_within_a_few_ulp_of_the_exact_value_everywhere(text):
    problem, exact = problems.from_expression(text, domain=(-40, 40)), FACTORED[text]
    roots = np.array([-2.0, 0.5, 1.0, 1.1, 2.0, 3.0, 10.0, 20.0])
    beside = np.concatenate([[-h, h] for h in np.geomspace(1e-9, 0.3, 12)])
    x = np.concatenate([np.linspace(-40, 40, 101) + 0.003, (roots[:, None] + beside).ravel()])
    loss, slope = problem.loss(x[None]), problem.gradient(x[None])[0]
    with mpmath.workdps(120):
        for got, derivative in ((loss, 0), (slope, 1)):
            for at, value in zip(x, got, strict=True):
                expected = mpmath.diff(exact, mpmath.mpf(at), derivative, h=mpmath.mpf(10) ** -45)
                error = abs(mpmath.mpf(value) - expected)
                # An exponential multiplies the relative error of its argument by the argument.
                allowed = 24 * 2.0**-53 * abs(expected) * (1 if "*" in text else 1 + abs(at))
                assert error <= allowed, (at, value, float(expected))


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("text", "domain", "point", "start"),
    [
        ("(x-3)**6", None, (3,), 3.5),
        ("(x-10)**8", None, (10,), 10.5),
        ("(x-20)**10", (15, 25), (20,), 20.5),
        ("1e9*(x-1.1)**2", None, (1.1,), 1.5),
        ("(x-3)**6 + 1", None, (3,), 3.5),
        ("x**16", None, (0,), 0.5),
        ("((x+1)**16+1)**16", None, (-1,), -0.9),
        ("(x-3)**6 + (y-2)**8", None, (3, 2), 3.5),
        ("(x+y-5)**6 + (x-y)**8", None, (2.5, 2.5), 3),
        ("((x-3)**2 + (y-1)**2)**3", None, (3, 1), 3.5),
        ("(x-1)**10 + (y+2)**2 + (z-x)**4", None, (1, -2, 1), 1.2),
    ],
)
def test_a_power_has_one_minimum(text, domain, point, start):
    problem = problems.from_expression(text, domain)
    (only,) = problem.stationary_points
    assert only.kind == "minimum"
    np.testing.assert_allclose(only.point, point, atol=1e-4)
    assert (problem.gradient(np.full((len(point), 1), float(start))) != 0).any()
    assert gdfast.check_gradient(problem)


def test_plain_powers_are_told_from_lines_of_minima():
    (line,) = problems.from_expression("(x+y-1)**2").stationary_points
    assert (line.kind, round(sum(line.point), 6)) == ("minimum", 1)
    kinds = [point.kind for point in problems.from_expression("(x-3)**7").stationary_points]
    assert kinds == ["degenerate"]


def test_gradient_descent_on_a_high_power_goes_on_where_the_slope_is_small():
    problem = problems.from_expression("(x-20)**10", domain=(15, 25))
    path = gdfast.trajectory(problem, optimizers.gd(), [20.5], 1.0, 200, gradient_tolerance=0.0)
    assert (np.diff(path.theta.values[:, 0]) < 0).all()
    assert (path.loss.values > 0).all()


def test_what_is_no_text_is_refused():
    with pytest.raises(TypeError, match="expression must be a text"):
        problems.from_expression(3)


def test_importing_gdfast_and_its_problems_does_not_load_sympy():
    code = "import sys, gdfast; gdfast.problems.rosenbrock().stationary_points; print('sympy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


def invoke(*arguments):
    return CliRunner().invoke(app, ["sweep", "--optimizer", "gd", "--lr", "1e-3:1:8", "--max-steps", "300", *arguments])


@pytest.mark.slow
def test_a_loss_on_the_command_line(tmp_path):
    done = invoke("--loss", QUARTIC, "--start", "x=-4:4:9", "--out", str(tmp_path / "a.zarr"))
    assert done.exit_code == 0, done.output
    done = invoke("--problem", "quartic", "--start", "x=-4:4:9", "--out", str(tmp_path / "b.zarr"))
    assert done.exit_code == 0, done.output
    a, b = store.read(tmp_path / "a.zarr"), store.read(tmp_path / "b.zarr")
    np.testing.assert_array_equal(a.outcome, b.outcome)
    np.testing.assert_array_equal(a.start_point, b.start_point)


@pytest.mark.slow
def test_starts_by_name_in_any_order(tmp_path):
    done = invoke("--problem", "rosenbrock", "--start", "y=0:1:2", "--start", "x=5", "--out", str(tmp_path / "r.zarr"))
    assert done.exit_code == 0, done.output
    np.testing.assert_array_equal(store.read(tmp_path / "r.zarr").start_point, [[5, 0], [5, 1]])
    done = invoke("--loss", "x**2 + y**4", "--start", "y=0:1:2", "--start", "x=5", "--out", str(tmp_path / "l.zarr"))
    assert done.exit_code == 0, done.output
    result = store.read(tmp_path / "l.zarr")
    np.testing.assert_array_equal(result.start_point, [[0, 5], [1, 5]])
    assert list(result.parameter.values) == ["y", "x"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["problem, loss or model must be given"]),
        (["--problem", "quartic", "--loss", "x**2"], ["problem, loss or model must be given"]),
        (["--loss", "__import__('os')"], ["__import__", "not"]),
        (["--loss", "himmelblau"], ["himmelblau", "--problem himmelblau"]),
        (["--loss", "x**2 + y", "--start", "x=0:1:2"], ["domain", "x, y", "not for x"]),
        (["--loss", "x**2", "--start", "0:1:2", "--start", "0:1:2"], ["domain", "(2, 2)"]),
        (["--problem", "rosenbrock", "--start", "x=0:1:2", "--start", "0:1:2"], ["start", "each coordinate"]),
        (["--problem", "rosenbrock", "--start", "x=0:1:2", "--start", "x=0:1:2"], ["start", "once"]),
        (["--problem", "rosenbrock", "--start", "x=0:1:2", "--start", "z=0:1:2"], ["start", "'z'", "x, y"]),
        (["--problem", "rosenbrock", "--start", "x=0:1:2"], ["start", "2 times", "not 1"]),
    ],
)
def test_bad_problems_on_the_command_line(arguments, words, tmp_path):
    done = invoke(*arguments, "--out", str(tmp_path / "x.zarr"))
    assert done.exit_code == 2
    assert all(word in done.stderr for word in words), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


# A user's own problem, as short as can be.
def himmelblau_loss(x, y):
    return (x * x + y - 11) * (x * x + y - 11) + (x + y * y - 7) * (x + y * y - 7)


def himmelblau_gradient(x, y):
    return 4 * x * (x * x + y - 11) + 2 * (x + y * y - 7), 2 * (x * x + y - 11) + 4 * y * (x + y * y - 7)


def mistaken_gradient(x, y):
    return 4 * x * (x * x + y - 11) + 2 * (x + y * y - 7), 2 * (x * x + y - 11) + 3 * y * (x + y * y - 7)


def test_a_problem_of_loss_and_gradient_finds_its_stationary_points_itself():
    problem = problems.Landscape(himmelblau_loss, himmelblau_gradient, domain=[[-6, 6], [-6, 6]])
    known = problems.himmelblau().stationary_points
    assert [p.kind for p in problem.minima] == ["minimum"] * 4
    assert len(problem.stationary_points) == len(known)
    for point in known:
        (same,) = (q for q in problem.stationary_points if np.allclose(q.point, point.point, atol=1e-7))
        assert same.kind == point.kind
        assert same.flattest == pytest.approx(point.flattest, rel=1e-6)
    sweep = gdfast.Sweep(problem, optimizers.gd(), [0.01], problem.grid(5))
    assert (gdfast.run(sweep).outcome == gdfast.outcomes.Outcome.global_minimum).all()
    assert "def himmelblau_loss" in problem.specification["parameters"]["loss"]
    again = pickle.loads(pickle.dumps(problem))
    assert again.specification == problem.specification
    assert gdfast.check_gradient(problem)


def test_a_wrong_gradient_is_pointed_out():
    problem = problems.Landscape(himmelblau_loss, mistaken_gradient, domain=[[-6, 6], [-6, 6]], name="mine")
    found = gdfast.check_gradient(problem, [[1.0, 2.0], [3.0, 0.0]])
    assert not found
    np.testing.assert_array_equal(found.wrong, [[False, True], [False, False]])
    assert found.gradient[0, 1] == -28
    assert found.differences[0, 1] == pytest.approx(-32, rel=1e-9)
    assert found.largest_error == pytest.approx(4 / 32)
    for words in ("mine", "entry 1, for y", "1 of 2 points", "x=1, y=2", "-28", "-32"):
        assert words in str(found)
    assert "y" in str(gdfast.check_gradient(problem))


@pytest.mark.sampled(11)
@pytest.mark.parametrize("make", problems.CATALOGUE.values(), ids=lambda make: make.__name__)
def test_every_gradient_passes_and_none_does_with_one_entry_slightly_off(make):
    problem = make()
    assert gdfast.check_gradient(problem, 32), str(gdfast.check_gradient(problem, 32))

    class Wrong(type(problem)):
        def gradient(self, theta):
            slope = problem.gradient(theta)
            slope[-1] = slope[-1] * (1 + 1e-5)
            return slope

    wrong = object.__new__(Wrong)
    wrong.__dict__.update(problem.__dict__)
    # Where the slope is lost in the rounding of the loss, differences say nothing: all the others are noticed.
    noticed = gdfast.check_gradient(wrong, 32).wrong[:, -1].mean()
    assert noticed > (
        0.9 if problem.name not in {"cross_in_tray", "easom", "michalewicz", "plateau", "sigmoid"} else 0.2
    )


def test_a_check_where_the_loss_is_no_number():
    problem = problems.from_expression("sqrt(x)")
    found = gdfast.check_gradient(problem, [[-1.0], [4.0]])
    assert found
    assert "at 1 of 2 points" in str(found)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: problems.Landscape(himmelblau_loss, himmelblau_gradient), ValueError, ["domain", "x, y"]),
        (lambda: problems.Landscape(himmelblau_loss, 3, domain=[[0, 1]] * 2), TypeError, ["gradient_formula", "3"]),
        (
            lambda: problems.Landscape(himmelblau_loss, himmelblau_gradient, domain=[[0, 1]]),
            ValueError,
            ["(2, 2)", "(1, 2)"],
        ),
        (
            lambda: problems.Landscape(himmelblau_loss, himmelblau_gradient, domain=[[0, 1], [1, 1]]),
            ValueError,
            ["y is 1 to 1"],
        ),
        (
            lambda: problems.Landscape(himmelblau_loss, himmelblau_gradient, domain={"x": (0, 1), "z": (0, 1)}),
            ValueError,
            ["x, y", "x, z"],
        ),
        (lambda: gdfast.check_gradient("quartic"), TypeError, ["problem", "'quartic'"]),
        (lambda: gdfast.check_gradient(problems.quartic(), [[1.0, 2.0]]), ValueError, ["points", "(n, 1)", "(1, 2)"]),
        (lambda: gdfast.check_gradient(problems.quartic(), tolerance=0), ValueError, ["tolerance", "0"]),
    ],
)
def test_bad_problems_are_refused(call, kind, words):
    cases.refused(call, kind, *words)


GRIEWANK = "1+(x**2+y**2)/4000-cos(x)*cos(y/sqrt(2))"
ACKLEY = "-20*exp(-0.2*sqrt((x**2+y**2)/2))-exp((cos(2*pi*x)+cos(2*pi*y))/2)+20+e"
SCHWEFEL = "837.9658-x*sin(sqrt(abs(x)))-y*sin(sqrt(abs(y)))"
EGGHOLDER = "-(y+47)*sin(sqrt(abs(x/2+y+47)))-x*sin(sqrt(abs(x-(y+47))))"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "width", "point", "loss"),
    [
        (GRIEWANK, 100, [0, 0], 0.0),
        (GRIEWANK, 600, [0, 0], 0.0),
        (ACKLEY, 32, [0, 0], 0.0),
        (SCHWEFEL, 500, [420.9687, 420.9687], 0.0),
        (EGGHOLDER, 512, [482.3533, 432.8790], -956.9182),  # lower only at the border, at (512, 404.23)
        ("x*sin(x)", (0, 10), [4.9132], -4.8145),
        ("(6*x-2)**2*sin(12*x-4)", (0, 1), [0.757249], -6.020740),
        ("-cos(x)*cos(y)*exp(-((x-pi)**2+(y-pi)**2))", 100, [np.pi, np.pi], -1.0),
        ("abs(x-1)+abs(y+2)", 4, [1, -2], 0.0),
        ("max(abs(x),abs(y))", 3, [0, 0], 0.0),
    ],
)
def test_the_lowest_minimum_inside_the_domain_is_known(text, width, point, loss):
    domain = [width if isinstance(width, tuple) else (-width, width)] * len(point)
    problem = problems.from_expression(text, domain)
    np.testing.assert_allclose(problem.minima[0].point, point, atol=1e-3)
    assert problem.lowest == pytest.approx(loss, abs=1e-3)


@pytest.mark.parametrize("text", ["x", "x**3", "-log(1+x**2)", "-sqrt(1+x**2)", "x**2-y**2", "exp(-x)", "x*y"])
def test_what_is_lowest_at_the_border_has_no_minimum_inside(text):
    assert problems.from_expression(text).minima == ()


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    "text", ["(x+y-1)**2", "(x-y)**2", "x**2*y**2", "(w1*w2-1)**2", "max(0,1-x)**2", "(x**2+y**2-1)**2"]
)
def test_lines_curves_and_flats_of_minima_are_one_minimum(text):
    problem = problems.from_expression(text)
    assert problem.lowest == pytest.approx(0, abs=1e-20)
    assert len([p for p in problem.minima if p.loss < 1e-12]) == 1
