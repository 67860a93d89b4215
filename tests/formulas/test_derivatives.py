"""Derived gradients and Hessians: against those written by hand, against mpmath, and in sweeps."""

import pickle

import cases
import mpmath
import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems
from gdfast.formulas.derivatives import NoDerivativeError, gradient_of, hessian_of
from gdfast.formulas.elementary import (
    absolute,
    cos,
    cube_root,
    erf,
    exp,
    exponent,
    log,
    log1p,
    maximum,
    minimum,
    power,
    select,
    sigmoid,
    sign,
    sin,
    softplus,
    sqrt,
    tanh,
)
from gdfast.formulas.formula import Formula, from_text, source_of
from gdfast.formulas.grammar import GrammarError
from gdfast.formulas.operations import Counter

LANDSCAPES = [
    *(make() for name, make in problems.CATALOGUE.items() if name in {"quartic", "sigmoid", "rosenbrock"}),
    *(problem for problem in cases.LANDSCAPES if isinstance(problem, problems.Landscape) and not problem.params),
]
EXACTLY = {
    "absolute": abs,
    "maximum": max,
    "minimum": min,
    "power": lambda x, p: x**p,
    "select": lambda condition, yes, no: yes if condition else no,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    **{name: getattr(mpmath, name) for name in ("cos", "erf", "exp", "log", "log1p", "sign", "sin", "sqrt", "tanh")},
}


def values(formula, results, theta):
    """Of a formula, every result at each point, ``float64[..., n]``."""
    with np.errstate(all="ignore"):
        parts = Formula.of(formula, results).reading("float64")(*theta)

    def filled(part):
        if isinstance(part, tuple):
            return np.stack([filled(inner) for inner in part])
        return np.broadcast_to(np.asarray(part, np.float64), theta.shape[1:])

    return filled(parts)


def assert_exact(loss, theta, tolerance):
    """Compare derived gradient and Hessian with differences in 60 digits, in shares of their largest entry."""
    d, n = theta.shape
    exact = Formula.of(loss, 1).on(EXACTLY)
    gradient = gradient_of(loss)
    slope = values(gradient, d, theta).reshape(d, n)
    bend = values(hessian_of(gradient, d), d, theta).reshape(d, d, n)
    with mpmath.workdps(60):
        for k in range(n):
            at = tuple(map(mpmath.mpf, theta[:, k]))
            rows = np.eye(d, dtype=int).tolist()
            by_one = [float(mpmath.diff(exact, at, tuple(row))) for row in rows]
            by_two = [
                [float(mpmath.diff(exact, at, tuple(i + j for i, j in zip(one, other, strict=True)))) for other in rows]
                for one in rows
            ]
            np.testing.assert_allclose(slope[:, k], by_one, rtol=0, atol=tolerance * (1 + np.abs(by_one).max()))
            np.testing.assert_allclose(bend[..., k], by_two, rtol=0, atol=tolerance * (1 + np.abs(by_two).max()))


@pytest.mark.parametrize("problem", LANDSCAPES, ids=cases.label)
def test_derived_gradients_are_those_written_by_hand(problem):
    theta = problem.random(200).T
    expected = problem.gradient(theta)
    got = values(gradient_of(problem.loss_formula), problem.dimension, theta).reshape(expected.shape)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-14 * np.abs(expected).max())


@pytest.mark.sampled(20)
@pytest.mark.parametrize("problem", [q for q in LANDSCAPES if q.dimension <= 3], ids=cases.label)
def test_derived_gradients_and_hessians_are_exact_to_rounding(problem):
    assert_exact(problem.loss_formula, problem.random(2, seed=1).T, 1e-12)


def choices(x, y):
    inside = (x > 0) & (y < 1)
    outside = (x * x > 2) | (y >= x * 3)
    return (
        select(inside, x * y * x, sin(x) * y) + (x <= y) * 3 * y * y + select(outside, x / y, 2 * inside * x) - outside
    )


def several(x, y):
    larger = maximum(x * x, 2 * y)
    return larger * absolute(x - y) + minimum(x, y) * sign(x) * y + select(x == y, 1, 0) + (x != 0.5)


def functions(x, y):
    r = sqrt(1 + x * x + y * y)
    return exp(-r) + log(r) * tanh(x * y) + cos(r) * sin(y) + log1p(x * x) + erf(x) * sigmoid(y) + softplus(x - y)


def products(x, y):
    return -(x * 2 * y * x) * (y * x * -3) / 7 + x * x * x * x * x - 0.5 * (x * y) * (x * y) + (+x) * True


def unused(x, y):
    z = x * y
    z = z + 1
    return 3 - z + z


@pytest.mark.parametrize("loss", [choices, several, functions, products, unused], ids=lambda loss: loss.__name__)
def test_whatever_the_grammar_has_is_differentiated(loss):
    assert_exact(loss, np.random.default_rng(0).uniform(-2, 2, (2, 12)), 1e-13)


def test_one_side_of_a_choice_does_no_harm_to_the_other():
    def loss(x):
        return select(x > 0, x * sqrt(x), x * x)

    slope = values(gradient_of(loss), 1, np.array([[-2.0, -0.5, 4.0]]))
    np.testing.assert_allclose(slope, [-4.0, -1.0, 3.0], rtol=1e-15)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("return x + cube_root(x)", r"derivative of cube_root\(\) is not known"),
        ("return exponent(x)", r"derivative of exponent\(\) is not known"),
        ("return x / (2 - 2)", "2|0"),
        ("return 1e200 * 1e200 * x", "1e.200"),
        ("\n    ".join([*["x = sin(x) * cos(x)"] * 900, "return x"]), "operations"),
    ],
)
def test_what_cannot_be_differentiated_is_said_in_a_sentence(lines, words):
    loss = from_text(f"def loss(x):\n    {lines}\n")
    with pytest.raises(NoDerivativeError, match=words):
        gradient_of(loss)
    with pytest.raises(
        ValueError, match=r"mine: the loss cannot be differentiated, since .*; give its gradient"
    ) as error:
        problems.Landscape(loss, domain=(-1, 1), name="mine")
    assert "\n" not in str(error.value)


def test_a_loss_that_is_no_formula_is_refused_when_the_landscape_is_made():
    with pytest.raises(GrammarError, match="power"):
        problems.Landscape(from_text("def loss(x): return x**x"), domain=(-1, 1))


def tilted(x, y):
    a = x * x + y - 11
    b = x + y * y - 7
    return a * a + b * b + 3 * select(x > y, x, y)


@pytest.mark.slow
@pytest.mark.parametrize("real", ["float64", "float32"])
def test_a_landscape_of_a_loss_alone_is_swept(real):
    problem = problems.Landscape(tilted, domain=[[-6, 6], [-6, 6]])
    assert gdfast.check_gradient(problem)
    assert problem.label == "landscape"
    rules = [optimizers.gd(), optimizers.adam()]
    sweep = gdfast.Sweep(problem, rules, [1e-3, 0.01, 0.1], problem.grid(6), 500, dtype=real)
    got, expected = gdfast.run(sweep, keep_theta=True), gdfast.run(sweep, backend="numpy", keep_theta=True)
    cases.assert_same(got, expected)
    assert (got.outcome == gdfast.outcomes.Outcome.global_minimum).any()
    again = pickle.loads(pickle.dumps(problem))
    assert again == problem
    assert hash(again) == hash(problem)
    assert again.specification == problem.specification
    assert "def tilted" in problem.specification["parameters"]["loss"]
    assert problem == problems.Landscape(tilted, domain=[[-6, 6], [-6, 6]])
    assert problem.replace(name="other").name == "other"
    np.testing.assert_array_equal(again.gradient(problem.grid(3).T), problem.gradient(problem.grid(3).T))
    assert again.stationary_points == problem.stationary_points


def test_where_a_derived_hessian_is_no_number_differences_take_its_place():
    wave = problems.drop_wave()
    bend = wave.hessian(np.array([[0.0, 1.0], [0.0, 0.0]]))
    np.testing.assert_allclose(bend[..., 0], 72.5 * np.eye(2), atol=1e-6)
    root = problems.Landscape(from_text("def loss(x): return exponent(x * x + 1) * x"), exponent_alone, domain=(-1, 1))
    np.testing.assert_allclose(root.hessian(np.array([0.3])), [[[0.0]]], atol=1e-9)


def exponent_alone(x):
    return exponent(x * x + 1) + 0 * cube_root(x)


def operations(formula, dimension):
    counter = Counter()
    counter.call(Formula.of(formula, dimension), *(counter.value(i) for i in range(dimension)))
    return sum(counter.operations.values())


GOLDSTEIN_PRICE = (
    "(1 + (x + y + 1)**2*(19 - 14*x + 3*x**2 - 14*y + 6*x*y + 3*y**2))"
    "*(30 + (2*x - 3*y)**2*(18 - 32*x + 12*x**2 + 48*y - 36*x*y + 27*y**2))"
)


def test_common_factors_are_taken_out_of_a_gradient():
    typed, ours = problems.from_expression(GOLDSTEIN_PRICE, [(-2, 2), (-2, 2)]), problems.goldstein_price()
    assert operations(typed.gradient_formula, 2) == 62  # 74 with each product by itself
    theta = ours.random(200).T
    expected = ours.gradient(theta)
    np.testing.assert_allclose(typed.gradient(theta), expected, rtol=0, atol=1e-14 * np.abs(expected).max())
    assert_exact(typed.loss_formula, theta[:, :3], 1e-12)


def test_factors_are_left_where_taking_them_out_saves_nothing():
    gradient = source_of(problems.from_expression("x**4 - 5*x**2 + 3*x").gradient_formula)
    assert gradient == "def gradient(x):\n    return (3 + (((4 * (x * x)) - 10) * x))\n"


# Schwefel's by hand knows that x² is |x|², which no rule of derivatives says.
@pytest.mark.parametrize("problem", [q for q in LANDSCAPES if q.name != "schwefel"], ids=cases.label)
def test_derived_gradients_take_few_operations_more_than_those_written_by_hand(problem):
    by_hand = operations(problem.gradient_formula, problem.dimension)
    assert operations(gradient_of(problem.loss_formula), problem.dimension) <= 1.1 * by_hand + 5


def with_powers(x, y):
    a = power(1 + x * x, 0.3) * power(2 + sin(y), 1.7)
    return a + power(3 + x * y, absolute(x) + 0.5)


def test_powers_have_derivatives_by_base_and_exponent():
    theta = np.array([[0.3, -0.7, 0.9, -0.4], [1.1, 0.2, -0.8, -1.3]])
    assert_exact(with_powers, theta, 1e-13)


def test_a_power_has_its_slope_at_nothing_too():
    slope = values(gradient_of(from_text("def loss(x): return power(x, 1.5) + power(x, 1)")), 1, np.array([[0.0, 4.0]]))
    np.testing.assert_array_equal(slope, [1.0, 4.0])


@pytest.mark.slow
def test_a_landscape_of_powers_is_swept_to_the_bit():
    problem = problems.Landscape(with_powers, domain=[[-0.9, 0.9], [-0.9, 0.9]])
    assert gdfast.check_gradient(problem)
    plain = problems.Landscape(from_text("def loss(x): return power(1 + x * x, 0.3)"), domain=(-1, 1))
    cases.agree(cases.sweep_of(plain, optimizers.adam(), 16, 100))
