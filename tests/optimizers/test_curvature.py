"""Rules that see how the loss bends: trust regions, and the Hessian's products."""

import cases
import numpy as np
import pytest
import textbook
from hypothesis import given, settings
from hypothesis import strategies as st

import gdfast
from gdfast import optimizers, problems, theory
from gdfast.formulas.noise import KEY, keys
from gdfast.formulas.vectors import hessian_diagonal, trust_region_step
from gdfast.optimizers import Optimizer

ROSENBROCK, BEALE = problems.rosenbrock(), problems.beale()


def one_step(theta, grad, lr):
    return theta + trust_region_step(grad, lr)


def of_one_step(matrix, slope, radius):
    """The step of a trust region on ½ xᵀ matrix x + slopeᵀ x, from 0."""
    names = [f"x{i}" for i in range(len(slope))]
    terms = [
        f"{0.5 * a!r}*{x}*{y}" for x, row in zip(names, matrix, strict=True) for y, a in zip(names, row, strict=True)
    ]
    terms += [f"{b!r}*{x}" for x, b in zip(names, slope, strict=True)]
    problem = problems.from_expression(" + ".join(terms), [(-1, 1)] * len(names))
    sweep = gdfast.Sweep(problem, Optimizer(one_step, 1.0), [radius], [[0.0] * len(names)], 1)
    return gdfast.run(sweep, backend="numpy", keep_theta=True).theta.values[0, 0, 0]


@pytest.mark.slow
@given(seed=st.integers(0, 2**32), dimension=st.integers(1, 6))
@settings(max_examples=25)
def test_steps_of_a_trust_region_satisfy_the_conditions_that_make_them_least(seed, dimension):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(dimension, dimension)) * 10.0 ** rng.uniform(-2, 2)
    matrix = 0.5 * (matrix + matrix.T) if rng.integers(2) else matrix @ matrix.T
    slope, radius = rng.normal(size=dimension) * 10.0 ** rng.uniform(-2, 2), 10.0 ** rng.uniform(-2, 1)
    p = of_one_step(matrix.tolist(), slope.tolist(), radius)
    # Nocedal & Wright, theorem 4.1: (H + μ I) p = −g with H + μ I ≥ 0, μ ≥ 0, and μ > 0 only at the radius.
    shift = -(p @ (matrix @ p + slope)) / (p @ p)
    size = np.abs(matrix).sum(axis=1).max()
    assert np.linalg.norm(p) <= radius * (1 + 1e-12)
    assert np.abs(matrix @ p + shift * p + slope).max() <= 1e-10 * (size * np.abs(p).max() + np.abs(slope).max())
    assert shift >= -1e-10 * size
    assert shift + np.linalg.eigvalsh(matrix)[0] >= -1e-9 * size
    assert shift <= 1e-10 * size or np.linalg.norm(p) >= radius * (1 - 1e-12)


def test_in_the_hard_case_a_step_reaches_the_radius_along_the_lowest_curvature():
    p = of_one_step([[-1.0, 0.0], [0.0, 2.0]], [0.0, 1.0], 2.0)
    np.testing.assert_allclose(np.abs(p), [np.sqrt(4 - 1 / 9), 1 / 3], rtol=1e-14)
    assert p[1] < 0
    saddle = [0.5, 0.0]  # the gradient has no part down the hill
    ends = [gdfast.trajectory(problems.strict_saddle(), rule, saddle, 0.5, 60) for rule in ("newton", "trust_region")]
    assert [end.attrs["outcome"] for end in ends] == ["stalled", "global_minimum"]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("start", [[-1.2, 1.0], [0.0, 3.0]])
@pytest.mark.parametrize("problem", [ROSENBROCK, BEALE], ids=cases.label)
def test_trust_regions_are_scipys_with_steps_that_are_solved_for_to_rounding(problem, start):
    from scipy.optimize import _trustregion

    class Exact(_trustregion.BaseQuadraticSubproblem):  # SciPy's own ends at a tenth of the radius, and before
        def solve(self, radius):
            p = textbook.least_within(self.hess, self.jac, radius)
            return p, np.linalg.norm(p) > 0.999 * radius

    points = [np.array(start)]
    _trustregion._minimize_trust_region(
        lambda x: float(problem.loss(x[:, None])[0]),
        points[0],
        jac=lambda x: problem.gradient(x[:, None])[:, 0],
        hess=lambda x: problem.hessian(x[:, None])[..., 0],
        subproblem=Exact,
        callback=lambda found: points.append(found.x),
        maxiter=12,
    )
    got = gdfast.trajectory(problem, "trust_region", start, 1.0, 12).theta.values
    np.testing.assert_allclose(got, points, rtol=1e-8, atol=1e-9)


OF_PRODUCTS = [
    problems.quadratic(dimension=9, rotation=1),
    problems.rastrigin(dimension=12),
    problems.rosenbrock(dimension=12),
    problems.from_expression(
        "sin(a*x1)*x2**2 + " + " + ".join(f"x{i}**4" for i in range(1, 11)), [(-1, 1)] * 10, {"a": 2}
    ),
    *cases.DATA_PROBLEMS,
    *cases.MODELS,
]
OF_PRODUCTS = [problem for problem in OF_PRODUCTS if "hessian_product" in problem.provides]


@pytest.mark.parametrize("problem", [p for p in OF_PRODUCTS if p.batch_size is None], ids=cases.label)
def test_products_with_the_hessian_are_those_of_its_entries(problem):
    theta = problem.random(3, seed=1).T
    way = np.random.default_rng(0).normal(size=theta.shape)
    expected = np.einsum("ijn,jn->in", problem.hessian(theta), way)
    got = problem.step_product(theta, way, 0)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("problem", cases.MODELS, ids=cases.label)
def test_matrices_of_gauss_and_newton_are_of_the_outputs_slopes(problem):
    theta, t = problem.random(3, seed=1).T, 2
    way = np.random.default_rng(0).normal(size=theta.shape)
    rows = np.arange(len(problem.y)) if problem.batch_size is None else problem.rows(t)
    slopes = cases.differences(problem.predict, theta, 1e-6)[:, rows]  # (d, rows, n)
    residuals = problem.predict(theta)[rows] - problem.y[rows, None]
    bend = 2.0 if problem.fit.loss == "squared" else (np.abs(residuals) <= problem.fit.delta)
    expected = np.einsum("irn,rn->in", slopes, bend * np.einsum("irn,in->rn", slopes, way)) / len(rows)
    got = problem.step_gauss_newton(theta, way, t)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-8 * np.abs(expected).max())


ADAPTIVE = [optimizers.adahessian(eps=0.1), optimizers.sophia(interval=3)]


@pytest.mark.slow
@pytest.mark.parametrize("problem", OF_PRODUCTS, ids=cases.label)
def test_kernels_and_reference_have_the_same_products(problem):
    at = OF_PRODUCTS.index(problem)
    rules = ADAPTIVE if at <= 4 else [ADAPTIVE[at % 2]]  # products are the problem's, whichever rule asks for them
    if problem in cases.EXACT or problem in OF_PRODUCTS[::2][:2]:
        cases.agree(cases.sweep_of(problem, rules, 12, 40))
        return
    sweep = cases.sweep_of(problem, rules, 12, 4)  # functions of lanes are others by some 1e-15
    got, expected = (gdfast.run(sweep, backend=backend, keep_theta=True).theta for backend in ("numba", "numpy"))
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


def seen(theta, grad, lr, due, low, middle, high):
    return theta + hessian_diagonal(due, low, middle, high)


@pytest.mark.slow
def test_estimates_of_the_diagonal_have_its_mean_and_are_there_when_due():
    problem = problems.linear_regression(data="diabetes")
    rule = Optimizer(seen, 1.0, step_table=lambda t: {"due": t % 2, **dict(zip(KEY, keys(7, t).T, strict=True))})
    start, n = problem.default_starts(1)[0], 2000
    sweep = gdfast.Sweep(problem, rule, np.linspace(0.1, 0.2, n), [start], 1)
    drawn = gdfast.run(sweep, keep_theta=True).theta.values[0, :, 0] - start
    matrix = problem.hessian(start[:, None])[..., 0]
    deviation = np.sqrt((matrix**2).sum(axis=1) - np.diag(matrix) ** 2)
    assert (np.abs(drawn.mean(axis=0) - np.diag(matrix)) <= 5 * deviation / np.sqrt(n) + 1e-12).all()
    assert len(np.unique(drawn[:, 1])) > n / 4
    path = gdfast.trajectory(problem, rule, start, 1.0, 4, gradient_tolerance=0.0).theta.values
    np.testing.assert_array_equal(path[[1, 3]], path[[2, 4]])
    exact = gdfast.trajectory("rosenbrock", rule, [0.5, 2.0], 1.0, 1).theta.values[-1]
    np.testing.assert_array_equal(exact, [0.5 + 2 + 1200 * 0.25 - 800, 2.0 + 200])


@pytest.mark.slow
def test_products_are_counted():
    rules = [optimizers.sophia(interval=7), optimizers.adahessian(), optimizers.gd()]
    sweep = gdfast.Sweep(problems.quadratic(dimension=9), rules, [1e-4], [np.ones(9)], 50)
    for backend in ("numba", "numpy"):
        counted = gdfast.run(sweep, backend=backend).evaluations.values.ravel().tolist()
        assert counted == [50 + 8, 100, 50]
    assert optimizers.adahessian().cost == "1 gradient, 1 Hessian product where it is due"


def test_theory_takes_the_diagonal_as_seen_at_every_step():
    rates = np.array([0.5, 2.0, 40.0])
    got = theory.spectral_radius(optimizers.adahessian(interval=7), rates, 1.0)
    steps = [np.array([[1 - 0.1 * r, -0.9 * r], [0.1, 0.9]]) for r in rates / (1 + 1e-4)]
    np.testing.assert_allclose(got, [np.abs(np.linalg.eigvals(step)).max() for step in steps], rtol=1e-6)


class Own(problems.Problem):
    """One that does not tell how its Hessian multiplies."""

    domain = np.array([[-1.0, 1.0]])

    def loss(self, theta):
        return theta[0] ** 2

    def gradient(self, theta):
        return 2 * theta

    def hessian(self, theta):
        return np.full((1, 1, theta.shape[1]), 2.0)


def test_problems_without_products_are_refused():
    cases.refused(
        lambda: gdfast.Sweep(Own(), optimizers.sophia()), ValueError, "sophia needs products of the Hessian", "Own"
    )
    cases.refused(lambda: optimizers.sophia(interval=0), ValueError, "sophia: interval", "0")
    cases.refused(lambda: optimizers.adahessian(seed=-1), ValueError, "adahessian: seed", "-1")
    regression = problems.linear_regression()
    cases.refused(lambda: regression.step_product([0.0, 1.0], [1.0], 0), ValueError, "way", "(2, 1)")


def test_what_a_trust_region_costs_and_is_refused_for():
    rule = optimizers.trust_region()
    assert (rule.cost, rule.points) == ("1 gradient, 2 losses, 1 Hessian", 2)
    cases.refused(lambda: gdfast.Sweep("mlp", rule), ValueError, "trust_region needs the Hessian", "mlp")
    cases.refused(lambda: optimizers.trust_region(least=0.25), ValueError, "trust_region: least", "0.25")
