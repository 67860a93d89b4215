"""Conjugate gradients that are cut short: truncated Newton, Steihaug's trust regions, Gauss and Newton's method."""

import cases
import numpy as np
import pytest
import textbook

import gdfast
from gdfast import optimizers, problems
from gdfast.formulas.vectors import gauss_newton_product, hessian_product
from gdfast.optimizers import Optimizer

ROSENBROCK = problems.rosenbrock()


@pytest.mark.parametrize("start", [[-1.2, 1.0], [0.0, 3.0]])
@pytest.mark.parametrize("problem", [ROSENBROCK, problems.beale()], ids=cases.label)
def test_trust_regions_are_scipys(problem, start):
    from scipy.optimize import minimize

    points = [np.array(start)]
    minimize(
        lambda x: float(problem.loss(x[:, None])[0]),
        points[0],
        method="trust-ncg",
        jac=lambda x: problem.gradient(x[:, None])[:, 0],
        hess=lambda x: problem.hessian(x[:, None])[..., 0],
        callback=lambda x: points.append(x.copy()),
        options={"maxiter": 20, "gtol": 1e-300},
    )
    got = gdfast.trajectory(problem, "trust_region_cg", start, 1.0, 20).theta.values
    np.testing.assert_allclose(got[: len(points)], points, rtol=1e-10, atol=1e-10)


def test_newton_cg_comes_to_scipys_minimum_in_about_as_many_steps():
    from scipy.optimize import minimize

    told = minimize(
        lambda x: float(ROSENBROCK.loss(x[:, None])[0]),
        [-1.2, 1.0],
        method="Newton-CG",
        jac=lambda x: ROSENBROCK.gradient(x[:, None])[:, 0],
        hess=lambda x: ROSENBROCK.hessian(x[:, None])[..., 0],
    )
    got = gdfast.trajectory(ROSENBROCK, optimizers.newton_cg(search="backtracking"), [-1.2, 1.0], 1.0, 200)
    np.testing.assert_allclose(got.theta.values[-1], told.x, atol=1e-4)
    assert got.attrs["outcome"] == "global_minimum"
    assert len(got.theta) <= 2 * told.nit


SEARCHED = optimizers.newton_cg(search="backtracking")
GAUSS_NEWTON = [
    optimizers.newton_cg(matrix="gauss_newton", damping=0.1, search="fixed", rounds=3),
    optimizers.levenberg_marquardt(matrix="gauss_newton"),
]


@pytest.mark.slow
def test_lanes_and_reference_have_the_same_rounds_on_landscapes():
    rules = [SEARCHED, optimizers.trust_region_cg()]
    sweep = gdfast.Sweep("rosenbrock", rules, [0.5, 1.0], ROSENBROCK.grid(5), 40)
    asked = cases.agree(sweep).evaluations
    backward = gdfast.run(sweep, backend="numpy").evaluations
    np.testing.assert_array_equal(asked, backward)


@pytest.mark.slow
@pytest.mark.parametrize(
    "problem",
    [
        problems.rosenbrock(dimension=12),
        problems.linear_regression(data="diabetes", batch_size=30),
        cases.MODELS[1],
        problems.mlp((3, 6, 2), ("relu",), points=30, batch_size=20, batch_norm=True),
    ],
    ids=cases.label,
)
def test_lanes_and_reference_have_the_same_rounds(problem):
    rules = [SEARCHED, optimizers.trust_region_cg(), *(GAUSS_NEWTON if problem.batch_size else [])]
    starts = problem.starts(seeds=range(5)) if problem.name == "mlp" else problem.random(5, seed=1)
    sweep = gdfast.Sweep(problem, rules, [0.5, 1.0], starts, 12)
    expected = gdfast.run(sweep, backend="numpy")
    np.testing.assert_array_equal(cases.agree(sweep).evaluations, expected.evaluations)


@pytest.mark.slow
def test_rounds_are_counted():
    bowl = problems.quadratic(dimension=9, condition=1e4)
    rule = optimizers.newton_cg(search="fixed", rounds=3, tolerance=1e-9)
    counted = gdfast.run(gdfast.Sweep(bowl, rule, [0.01], [np.ones(9)], 10)).evaluations.values
    assert counted.ravel().tolist() == [10 * (1 + 3)]
    assert rule.cost == "1 gradient, 1 Hessian product a round"
    assert GAUSS_NEWTON[1].cost == "1 gradient, 2 losses, 1 Gauss-Newton product a round"


def test_on_a_quadratic_as_many_rounds_as_coordinates_are_newtons_step():
    bowl = problems.quadratic(dimension=9, condition=100.0, rotation=3)
    rule = optimizers.newton_cg(search="fixed", tolerance=1e-13, rounds=30)
    path = gdfast.trajectory(bowl, rule, bowl.random(1, seed=1)[0], 1.0, 1).theta.values
    assert np.abs(path[1]).max() <= 1e-9 * np.abs(path[0]).max()


def test_negative_curvature_is_followed_to_the_radius_or_left():
    saddle = problems.from_expression("y**2 - x**2 + x**4/4", [(-2, 2)] * 2)
    start = [0.1, 0.5]
    step = gdfast.trajectory(saddle, "trust_region_cg", start, 0.25, 1).theta.values[1] - start
    assert np.linalg.norm(step) == pytest.approx(0.25, rel=1e-14)
    for rule in ("trust_region_cg", "newton_cg"):
        path = gdfast.trajectory(saddle, rule, start, 1.0, 40)
        assert path.attrs["outcome"] == "global_minimum"
        assert (np.diff(path.loss) <= 0).all()
    ridge = [0.1, 0.0]  # where −g has negative curvature at once
    slope, fixed = saddle.gradient(np.array(ridge)[:, None])[:, 0], optimizers.newton_cg(search="fixed")
    got = gdfast.trajectory(saddle, fixed, ridge, 0.5, 1).theta.values[1]
    np.testing.assert_allclose(got, ridge - 0.5 * slope, rtol=1e-15)


def dense(problem, theta, t, product):
    """The matrix whose products a problem tells, at a point."""
    d = problem.dimension
    return getattr(problem, product)(np.repeat(theta[:, None], d, axis=1), np.eye(d), t)


@pytest.mark.parametrize(
    "problem",
    [
        problems.mlp((3, 4, 2), "tanh", points=15, batch_size=10),
        problems.logistic_regression(data="iris", positive="virginica", l2=0.01, batch_size=30),
        cases.MODELS[0],
    ],
    ids=cases.label,
)
@pytest.mark.parametrize(("matrix", "product"), [("hessian", "step_product"), ("gauss_newton", "step_gauss_newton")])
def test_steps_on_data_are_those_of_a_textbook_loop_with_the_whole_matrix(problem, matrix, product):
    theta = np.asarray(problem.starts() if problem.name == "mlp" else problem.random(1, seed=4))[0]
    rule = optimizers.newton_cg(matrix=matrix, damping=0.05, rounds=6, tolerance=0.2, search="fixed")
    got = gdfast.trajectory(problem, rule, theta, 0.5, 8, gradient_tolerance=0.0).theta.values
    for t in range(8):
        gradient = problem.step_gradient(theta[:, None], t)[:, 0]
        bend = dense(problem, theta, t, product) + 0.05 * np.eye(len(theta))
        tolerance = min(0.2, np.sqrt(np.linalg.norm(gradient)))
        theta = theta + 0.5 * textbook.steihaug(bend, gradient, None, 6, tolerance)
        np.testing.assert_allclose(got[t + 1], theta, rtol=1e-10, atol=1e-10)


def test_levenberg_marquardt_fits_what_scipys_least_squares_do():
    from scipy.optimize import least_squares

    x = np.linspace(0.1, 4, 40)
    y = 2.5 * np.exp(-1.3 * x) + 0.4 + 0.01 * np.sin(17 * x)
    problem = problems.from_model("a*exp(-k*x) + c", data=(x, y))
    rule = optimizers.levenberg_marquardt(matrix="gauss_newton", tolerance=1e-8)
    result = gdfast.trajectory(problem, rule, [1.0, 1.0, 0.0], 1.0, 40)
    assert result.attrs["outcome"] == "global_minimum"
    names = list(problem.coordinates)
    told = least_squares(lambda p: p[0] * np.exp(-p[1] * x) + p[2] - y, [1.0, 1.0, 0.0], xtol=1e-15, ftol=1e-15).x
    got = dict(zip(names, result.theta.values[-1], strict=True))
    np.testing.assert_allclose([got[name] for name in ("a", "k", "c")], told, rtol=1e-6)


def of_both(theta, grad, lr):
    return theta - lr * hessian_product(grad) - lr * gauss_newton_product(grad)


def test_what_truncated_newton_is_refused_for():
    rule = optimizers.newton_cg(matrix="gauss_newton")
    cases.refused(lambda: gdfast.Sweep("rosenbrock", rule), ValueError, "needs a matrix of Gauss and Newton", "models")
    cases.refused(lambda: optimizers.newton_cg(rounds=0), ValueError, "newton_cg: rounds", "0")
    cases.refused(lambda: optimizers.newton_cg(matrix="fisher"), ValueError, "matrix", "gauss_newton", "fisher")
    cases.refused(lambda: optimizers.trust_region_cg(tolerance=1.0), ValueError, "trust_region_cg: tolerance", "not 1")
    cases.refused(lambda: Optimizer(of_both, 1.0), ValueError, "of_both", "not for several", "gauss_newton_product")
    cases.refused(
        lambda: ROSENBROCK.step_gauss_newton([1.0, 1.0], [[1.0], [1.0]], 0), NotImplementedError, "rosenbrock", "Gauss"
    )
