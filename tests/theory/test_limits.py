"""Stability limits: from the rules' own texts, run on symbols, and by bisection over trajectories."""

import cases
import numpy as np
import pandas
import pytest
import sympy

import gdfast
from gdfast import optimizers, problems, schedules, theory, transforms
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
    "nesterov": (optimizers.nesterov(), {"momentum": beta, "ahead": beta}, (), theory.nesterov(curvature, beta)),
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


@pytest.mark.sampled(2)
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


@pytest.mark.slow
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


@pytest.mark.slow
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


WITHOUT_FORMULA = {
    # At rest, where the second moment is nothing, ε alone is below the fraction.
    "rmsprop": 2 * 1e-8,
    "adam": 38 * 1e-8,
    "adamw": 38 * 1e-8,
    "adamax": 38 * 1e-8,
    "radam": 38 * 1e-8,
    "nadam": 2 * 1.9 / 2.8 * 1e-8 * 10,  # of 1/10 of the gradient, and m: as Nesterov's of an averaged gradient
    "padam": 38 * 1e-4,
    "adopt": 38 * 1e-6,
    "adabelief": 38 * np.sqrt(1e-16 / 0.001),
    "schedule_free_adamw": 20 * 1e-8,
    "adadelta": 2.0,
    "schedule_free_sgd": 20.0,
    "polyak_sgd": 2.0,  # where 1/(2λ) is above its bound, 1
    # Steps that do not vanish with the gradient.
    **dict.fromkeys(["signsgd", "signum", "lion", "tiger", "normalized_gd", "rprop"], 0.0),
    # A memory that grows until it holds, and the curvature itself.
    **dict.fromkeys(["amsgrad", "adagrad", "yogi", "barzilai_borwein"], np.inf),
    "adgd": None,  # its rate grows as long as the gradient stays the same
    **dict.fromkeys(["dog", "dowg", "dadapt_adamw", "prodigy"], None),  # their rate is what the trajectory has made it
    "cocob": None,  # likewise
    "pnm": None,  # its momenta take turns
    "classical_momentum": 2 * 1.9,
    "aggmo": 2 * 3 / (1 + 1 / 1.9 + 1 / 1.99),
    "adam_eps_hat": 38 * 1e-7,
    "adam_eps_root": 38 * (np.sqrt(1e-8) + 1e-8),
    "laprop": 38 * 1e-15,
    "stable_adamw": 38 * 1e-8,
    "novograd": 3.8 * 1e-6,
    "optimistic_gd": 2 / 3,
    "optimistic_adam": 2 * 1e-8 / (3 * (0.9 * 0.1 / 1.9 + 0.1)),  # NAdam's direction, three times over
    "acprop": 2 * np.sqrt(1e-16 / 0.001),
    "simplified_ademamix": 2 * 1.99 * 1e-8,
    "mars": 2 * 1e-8 * 1.95 / (0.05 * (1 + 2 * 0.025 * 19)),
    "adai": 2 * 1.999 / 0.001,  # all inertia that it may have
    **dict.fromkeys(["sm3", "ftrl"], np.inf),  # as AdaGrad's
    "adabound": np.inf,  # its rate is at most 0.1
    **dict.fromkeys(["momo", "momo_adam"], np.inf),  # Polyak's step is at most that of the curvature
    "madgrad": None,  # its steps grow for ever
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", WITHOUT_FORMULA)
def test_rules_without_a_formula_have_the_limit_of_what_is_left_at_rest(name):
    optimizer, expected = optimizers.CATALOGUE[name](), WITHOUT_FORMULA[name]
    got = theory.limit(optimizer, 0.25)
    assert got == (expected if expected is None else pytest.approx(expected / 0.25, rel=1e-4))


@pytest.mark.parametrize("optimizer", [case[0] for name, case in CASES.items() if name in ("gd", "nesterov", "qhm")])
def test_limits_of_several_coordinates_are_those_of_the_largest_curvature(optimizer):
    problem = problems.booth()
    assert problem.curvatures == pytest.approx([2.0, 18.0])
    got = theory.limits(problem, optimizer)
    assert got.index.tolist() == [optimizer.label]
    assert got.loc[optimizer.label, 0] == pytest.approx(theory.limit(optimizer, 18.0), rel=1e-5)


@pytest.mark.slow
def test_a_penalty_moves_the_minimum_and_adds_to_the_curvature():
    ridge = optimizers.gd().transformed(transforms.l2(weight=1e-4))
    got = theory.limits(problems.quartic(), [ridge, optimizers.gd(), optimizers.gd().transformed(transforms.l2(1.0))])
    bend = problems.quartic().curvatures[-1]
    assert got.iloc[0, 0] == pytest.approx(2 / (bend + 1e-4), rel=1e-6)
    assert got.iloc[1, 0] == pytest.approx(2 / bend, rel=1e-6)
    assert got.iloc[2].isna().all()  # it is not at the minimum any more


@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", [name for name in CASES if name != "EMA momentum"])
def test_the_rule_on_tiny_disturbances_grows_as_its_matrix_on_symbols_does(name):
    optimizer, coefficients, frozen, _ = CASES[name]
    values = {beta: 0.9, beta1: 0.9, nu: 0.7, eps: 1e-8, dampening: 0.25, v: 4.0}
    changed = {"momentum": {"momentum": 0.9, "dampening": 0.25 if "dampened" in name else 0.0}}.get(optimizer.name)
    changed = {"nu": 0.7, "momentum": 0.9} if optimizer.name == "qhm" else changed
    changed = {"weight_decay": 0.0} if optimizer.name == "adamw" else changed
    optimizer = optimizer.replace(**changed) if changed else optimizer
    matrix = linearized(optimizer, coefficients, frozen)
    rates = np.geomspace(1e-3, 100, 40)
    for bend in (0.5, 7.0):
        told = [np.array(matrix.subs({**values, lr: rate, curvature: bend}), dtype=float) for rate in rates]
        expected = [np.abs(np.linalg.eigvals(one)).max() for one in told]
        got = theory.spectral_radius(optimizer, rates, bend, dict.fromkeys(frozen, 4.0 / 0.999))  # a step later 4
        np.testing.assert_allclose(got, expected, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "optimizer",
    [
        optimizers.rmsprop(eps=1e-2),
        optimizers.nadam(eps=1e-2, momentum_schedule=False),
        optimizers.adan(eps=1e-2),
        optimizers.ademamix(eps=1e-2, beta3=0.99),
        optimizers.qhadam(eps=1e-2, beta1=0.9),
    ],
    ids=cases.label,
)
def test_limits_of_rules_without_a_formula_tell_which_disturbances_die_out(optimizer):
    limit = theory.limit(optimizer, 1.0)
    problem = cases.least_squares([[1.0]], [0.0])
    rates = limit * np.array([0.5, 0.9, 0.99, 1.01, 1.1, 2.0])
    sweep = gdfast.Sweep(problem, optimizer, rates, [[1e-24]], 20_000, settle=False)
    left = np.abs(gdfast.run(sweep, keep_theta=True).theta.values.ravel())
    assert (left[:3] < 1e-24).all()
    assert (left[3:] > 1e-15).all()


def test_a_flat_minimum_has_no_limit():
    flat = theory.limits(problems.from_expression("x**4"), [optimizers.gd(), optimizers.adam()])
    assert flat.shape == (2, 1)
    assert flat.isna().all(axis=None)


def test_what_depends_on_chance_or_a_schedule_has_no_limit():
    noisy = optimizers.gd().transformed(transforms.noise())
    assert theory.limit(noisy, 1.0) is None
    assert np.isnan(theory.spectral_radius(noisy, [0.1], 1.0)).all()
    assert theory.limits(problems.quartic(), [optimizers.adam().scheduled(schedules.cosine())]).isna().all(axis=None)
    assert theory.limits(problems.mlp((2, 2, 1), points=4), optimizers.gd()).isna().all(axis=None)


@pytest.mark.slow
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_the_edge_of_stability_is_as_published(beta):
    """Cohen et al. (2021), appendix B, and (2022), section 3 and appendix B."""
    averaged = (2 + 2 * beta) / (1 - beta)
    published = {
        optimizers.gd(): 2.0,
        optimizers.momentum(momentum=beta): 2 + 2 * beta,
        optimizers.nesterov(momentum=beta): (2 + 2 * beta) / (1 + 2 * beta),
        optimizers.rmsprop(alpha=0.9): 2.0,
        optimizers.rmsprop(centered=True, momentum=beta): 2 + 2 * beta,
        optimizers.adagrad(): 2.0,
        optimizers.adam(beta1=beta): averaged,
        optimizers.adamw(beta1=beta, amsgrad=True): averaged,
        optimizers.nadam(beta1=beta, momentum_schedule=False): averaged / (1 + 2 * beta),
        optimizers.yogi(beta1=beta): averaged,
        optimizers.adam_eps_hat(beta1=beta): averaged,
        optimizers.adam_eps_root(beta1=beta): averaged,
        optimizers.adamax(beta1=beta): averaged,
        optimizers.radam(beta1=beta): averaged,
        optimizers.laprop(beta1=beta): averaged,
    }
    for optimizer, expected in published.items():
        assert theory.edge(optimizer) == pytest.approx(expected, rel=1e-5), optimizer


def test_what_has_no_limit_has_no_edge():
    for rule in (
        optimizers.signsgd(),
        optimizers.lars(),
        optimizers.novograd(),
        optimizers.adadelta(),
        optimizers.acprop(),
        optimizers.lbfgs(),
    ):
        assert theory.edge(rule) is None
    assert theory.edge(optimizers.gd().scheduled(schedules.cosine())) is None


def test_the_edge_of_an_average_is_that_of_its_points():
    for base in (optimizers.momentum(), optimizers.adam()):
        assert theory.edge(optimizers.averaged(of=base)) == theory.edge(base)


def test_theory_takes_what_sweeps_take():
    rules = [optimizers.gd(), *optimizers.grid(optimizers.momentum, momentum=[0.5, 0.9])]
    expected = theory.limits(problems.quartic(), rules)
    for given in ("gd momentum:momentum=0.5/0.9", [optimizers.gd, "momentum:momentum=0.5", rules[2]]):
        pandas.testing.assert_frame_equal(theory.limits("quartic", given), expected)
    assert theory.limits(problems.quartic, "gd").loc["gd", 0] == expected.loc["gd", 0]
    assert theory.edge("momentum") == theory.edge(rules[2])
    assert theory.limit("momentum:momentum=0.5", 4.0) == theory.limit(rules[1], 4.0)
    assert theory.spectral_radius("gd", 0.5, 3.0) == theory.spectral_radius(rules[0], 0.5, 3.0)
    cases.refused(lambda: theory.edge("gd adam"), ValueError, "optimizer must be one, not the 2 of 'gd adam'")
    cases.refused(lambda: theory.limits("quartic", [3]), TypeError, "optimizers", "3")
    cases.refused(lambda: theory.limits("quartik", "gd"), ValueError, "problem 'quartik'", "quartic")


def grams_step(u, m, g, lr):
    return u - lr * np.abs(m) / 1e-6 * np.sign(g)


def lamb_step(u, m, g, lr):
    return u - lr * np.abs(u) * np.sign(m)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "step"), [("grams", grams_step), ("lamb", lamb_step)])
def test_of_windows_of_growth_the_limit_is_where_the_first_begins(name, step):
    """By loops of the rules where ε is all that they divide by; both grow, decay and grow again as rates grow."""
    limit = theory.limit(name, 4.0)
    rates = limit * np.array([*np.geomspace(0.1, 0.98, 60), 1.02])
    u, total = np.random.default_rng(3).normal(size=(8, len(rates))), 0.0
    m = np.zeros_like(u)
    for t in range(4000):
        g = 4.0 * u
        m = 0.9 * m + 0.1 * g
        u = step(u, m, g, rates)
        size = np.maximum(np.abs(u), np.abs(m))
        total = total + (np.log(size) if t >= 2000 else 0.0)
        u, m = u / size, m / size
    growth = total.max(axis=0)
    assert (growth[:-1] < 0).all()
    assert growth[-1] > 0
    beyond = theory.spectral_radius(name, limit * np.geomspace(1.0, 2.0, 200), 4.0)
    assert beyond[-1] > 1
    assert (beyond < 1).any()


def test_a_rate_that_falls_for_ever_has_no_limit():
    for alpha in (0.1, 0.5, 0.75, 1.0, 2.0):
        assert theory.limit(optimizers.asgd(alpha=alpha), 4.0) is None
    assert theory.limit(optimizers.asgd(alpha=0.0), 4.0) == pytest.approx(2 / (4 + 1e-4), rel=1e-6)
