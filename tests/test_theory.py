"""Stability limits: from the rules' own texts, run on symbols, and by bisection over trajectories."""

import cases
import numpy as np
import pytest
import sympy

import gdfast
from gdfast import optimizers, problems, schedules, theory
from gdfast.formulas.formula import Formula
from gdfast.optimizers.adam import rule as adam_rule
from gdfast.parts import step_table
from gdfast.tiles.outcomes import Outcome

ON_SYMBOLS = {
    "sqrt": sympy.sqrt,
    "absolute": sympy.Abs,
    "maximum": sympy.Max,
    "minimum": sympy.Min,
    "sign": sympy.sign,
    "select": lambda condition, yes, no: sympy.Piecewise((yes, condition), (no, True)),
}
x, lr, curvature, v = sympy.symbols("x eta lambda v", positive=True)
beta, beta1, nu, eps, dampening = sympy.symbols("beta beta_1 nu epsilon delta", positive=True)


def linearized(optimizer, coefficients, frozen=()):
    """The matrix of an optimizer's rule at the minimum of ½ λ x², over x and the state slots that are not frozen."""
    rule = Formula.of(optimizer.rule, 1 + len(optimizer.state)).on(ON_SYMBOLS)
    state = sympy.symbols([f"slot_{name}" for name in optimizer.state])
    new = rule(x, curvature * x, *state, lr, *(coefficients[name] for name in optimizer.coefficients))
    variables = [x, *state]
    matrix = sympy.Matrix(new if isinstance(new, tuple) else [new]).jacobian(variables)
    at_minimum = {s: v if name in frozen else 0 for name, s in zip(optimizer.state, state, strict=True)} | {x: 0}
    matrix = matrix.subs(at_minimum)
    for name in frozen:  # it stays as it is, and nothing depends on it to first order
        i = 1 + optimizer.state.index(name)
        column = sympy.Matrix([1 if k == i else 0 for k in range(len(variables))])
        assert sympy.simplify(matrix[:, i] - column).is_zero_matrix
        assert sympy.simplify(matrix[i, :] - column.T).is_zero_matrix
        matrix.row_del(i)
        matrix.col_del(i)
    return matrix


CASES = {
    "gd": (optimizers.gd(), {}, (), theory.gd(curvature)),
    "heavy ball": (
        optimizers.momentum(),
        {"momentum": beta, "gain": 1},
        (),
        theory.heavy_ball(curvature, beta),
    ),
    "dampened momentum": (
        optimizers.momentum(),
        {"momentum": beta, "gain": 1 - dampening},
        (),
        theory.heavy_ball(curvature, beta) / (1 - dampening),
    ),
    "EMA momentum": (
        optimizers.momentum(),
        {"momentum": beta, "gain": 1 - beta},
        (),
        theory.ema_momentum(curvature, beta),
    ),
    "nesterov": (optimizers.nesterov(), {"momentum": beta}, (), theory.nesterov(curvature, beta)),
    "qhm": (optimizers.qhm(), {"momentum": beta, "nu": nu}, (), theory.qhm(curvature, beta, nu)),
    "adam": (
        optimizers.adam(),
        {"beta1": beta1, "beta2": 1, "eps": eps, "rate": 1, "debias": 1},
        ("v",),
        theory.adam_frozen(curvature / (sympy.sqrt(v) + eps), beta1),
    ),
    "adamw": (
        optimizers.adamw(),
        {"beta1": beta1, "beta2": 1, "eps": eps, "weight_decay": 0, "rate": 1, "debias": 1},
        ("v",),
        theory.adam_frozen(curvature / (sympy.sqrt(v) + eps), beta1),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_at_the_limit_the_rule_on_symbols_turns_over_without_growing(name):
    optimizer, coefficients, frozen, limit = CASES[name]
    matrix = linearized(optimizer, coefficients, frozen)
    z = sympy.symbols("z")
    characteristic = matrix.charpoly(z).as_expr()
    # An eigenvalue of −1, whatever the curvature and the hyperparameters.
    at_limit = sympy.nsimplify(characteristic.subs({z: -1, lr: limit}))
    assert sympy.simplify(at_limit) == 0
    radius = sympy.lambdify([lr, curvature, v, beta, beta1, nu, eps, dampening], matrix)
    limit_of = sympy.lambdify([curvature, v, beta, beta1, nu, eps, dampening], limit)
    rng = np.random.default_rng(11)
    for point in rng.uniform(0, 1, (200, 7)) * [100, 1, 0.99, 0.99, 1, 1, 0.99] + [1e-3, 1e-3, 0, 0, 0, 0, 0]:
        # Every rate below the limit is stable, none just above it.
        for share in (1e-4, 0.1, 0.3, 0.5, 0.7, 0.9, 1 - 1e-6, 1 + 1e-6, 1.5):
            eigenvalues = np.linalg.eigvals(np.array(radius(share * limit_of(*point), *point), dtype=float))
            assert (np.abs(eigenvalues).max() < 1) == (share < 1), (point, share)


def test_the_coefficients_on_symbols_are_those_of_late_steps():
    problem = problems.linear_regression()
    for optimizer, expected in (
        (optimizers.momentum(momentum=0.7, dampening=0.2), {"momentum": 0.7, "gain": 0.8}),
        (optimizers.adam(beta1=0.7, beta2=0.9), {"beta1": 0.7, "beta2": 0.9, "eps": 1e-8, "rate": 1, "debias": 1}),
    ):
        late = step_table(optimizer, None, problem, 1000)[-1]
        np.testing.assert_allclose(late, [expected[name] for name in optimizer.coefficients], rtol=1e-14)


@optimizers.named()
def adam_from(second_moment: float = 4.0, beta1: float = 0.9) -> optimizers.Optimizer:
    """Adam's own rule from a second moment that stays: β₂ is the number next to 1, and nothing debiases v."""
    return optimizers.Optimizer(
        adam_rule,
        learning_rate=0.001,
        step_table=lambda t: {
            "rate": 1 / (1 - beta1**t),
            "debias": 1.0,
            "beta2": np.nextafter(1.0, 0.0),
            "eps": 0.0,
        },
        initial={"v": second_moment},
    )


def stable(optimizer, rate):
    """Whether a small disturbance of the one-dimensional quadratic ½ x² dies out."""
    problem = cases.least_squares([[1.0]], [0.0])
    # Adam's debiasing lets a disturbance grow 10¹⁷-fold in the first steps, at β₁ = 0.9 and rates at the limit.
    sweep = gdfast.Sweep(problem, optimizer, [rate], [[1e-24]], 100_000, gradient_tolerance=0.0, divergence_limit=1.0)
    return gdfast.run(sweep).outcome.item() != Outcome.diverged


def found_by_bisection(optimizer, low, high):
    assert stable(optimizer, low)
    assert not stable(optimizer, high)
    while high - low > 2e-4 * low:
        middle = (low + high) / 2
        low, high = (middle, high) if stable(optimizer, middle) else (low, middle)
    return low


@pytest.mark.parametrize(
    ("optimizer", "limit"),
    [
        (optimizers.gd(), theory.gd(1.0)),
        (optimizers.momentum(momentum=0.9), theory.heavy_ball(1.0, 0.9)),
        (optimizers.momentum(momentum=0.5), theory.heavy_ball(1.0, 0.5)),
        (optimizers.nesterov(momentum=0.9), theory.nesterov(1.0, 0.9)),
        (optimizers.momentum(momentum=0.9, dampening=0.9), theory.ema_momentum(1.0, 0.9)),
        (optimizers.qhm(momentum=0.9, nu=1.0), theory.ema_momentum(1.0, 0.9)),
        (optimizers.qhm(momentum=0.9, nu=0.7), theory.qhm(1.0, 0.9, 0.7)),
    ],
    ids=cases.label,
)
def test_stability_limits_are_found_by_bisection(optimizer, limit):
    assert theory.limit(optimizer, 1.0) == pytest.approx(limit, rel=1e-12)
    assert theory.limit(optimizer.scheduled(schedules.cosine()), 1.0) is None
    assert found_by_bisection(optimizer, 0.5 * limit, 2 * limit) == pytest.approx(limit, rel=1e-3)


@pytest.mark.parametrize(
    ("optimizer", "preconditioner"),
    [
        # An ε far above every gradient is the whole preconditioner.
        (optimizers.adam(eps=1e8), 1e8),
        (optimizers.adam(beta1=0.5, eps=1e8), 1e8),
        (optimizers.adam(beta1=0.0, eps=1e8), 1e8),
        (adam_from(second_moment=4.0), 2.0),
        (adam_from(second_moment=0.25, beta1=0.7), 0.5),
    ],
    ids=cases.label,
)
def test_adams_limit_with_a_frozen_preconditioner_is_found_by_bisection(optimizer, preconditioner):
    limit = theory.adam_frozen(1 / preconditioner, optimizer.parameters["beta1"])
    assert found_by_bisection(optimizer, 0.5 * limit, 2 * limit) == pytest.approx(limit, rel=1e-3)


def test_adams_limit_is_38_at_the_default_momentum():
    assert theory.adam_frozen(1.0, 0.9) == pytest.approx(38, rel=1e-12)
