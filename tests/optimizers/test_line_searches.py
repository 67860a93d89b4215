"""Line searches: their conditions, and the methods that they make of quadratics."""

import functools
import itertools

import cases
import numpy as np
import pytest
import textbook
from hypothesis import given, settings
from hypothesis import strategies as st

import gdfast
from gdfast import optimizers, problems
from gdfast.formulas.vectors import line_search
from gdfast.optimizers import Optimizer
from gdfast.optimizers._search import Search
from gdfast.optimizers._searches import SEARCHES
from gdfast.optimizers.conjugate_gradients import RULES

SEARCHING = [optimizers.lbfgs, optimizers.conjugate_gradients, optimizers.steepest_descent, optimizers.damped_newton]
GROUNDS = [problems.rosenbrock(), problems.himmelblau(), problems.styblinski_tang(), problems.rosenbrock(dimension=4)]


def steps_of(problem, rule, start, steps):
    """Each step as a function φ of the share of it that is taken, with its value and slope, away from rounding."""
    path = gdfast.trajectory(problem, rule, start, 1.0, steps).theta.values
    for before, after in itertools.pairwise(path):
        way = after - before
        height = float(problem.loss(before[:, None])[0])
        slope = float(problem.gradient(before[:, None])[:, 0] @ way)
        if -slope > 1e-6 * max(abs(height), 1):
            yield height, slope, after, way


@pytest.mark.slow
@given(data=st.data(), seed=st.integers(0, 2**32))
@settings(max_examples=30)
def test_accepted_steps_satisfy_the_conditions(data, seed):
    make, problem = data.draw(st.sampled_from(SEARCHING)), data.draw(st.sampled_from(GROUNDS))
    search = data.draw(st.sampled_from(["backtracking", "strong_wolfe", "zoom"]))
    sufficient, curvature = data.draw(st.floats(1e-4, 0.1)), data.draw(st.floats(0.15, 0.9))
    rule = make(search=search, sufficient=sufficient, curvature=curvature)
    for height, slope, after, way in steps_of(problem, rule, problem.random(1, seed=seed)[0], 30):
        there = float(problem.loss(after[:, None])[0])
        left = float(problem.gradient(after[:, None])[:, 0] @ way)
        falls = there <= height + sufficient * slope + 1e-9 * abs(height)
        if search == "zoom":
            falls |= (there <= height * (1 + 2e-6)) & (left <= (2 * sufficient - 1) * slope * (1 - 1e-6))
        assert falls
        if search != "backtracking":
            assert abs(left) <= -curvature * slope * (1 + 1e-6)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("dimension", [2, 5, 8])
def test_on_quadratics_with_exact_searches_all_are_conjugate_gradients(dimension):
    from scipy.sparse.linalg import cg

    bowl = problems.quadratic(condition=30.0, dimension=dimension, rotation=dimension)
    start = np.linspace(-1.5, 1.0, dimension)
    expected = [start]  # its norm is of the right-hand side, which must not be 0
    cg(bowl.matrix, -bowl.matrix @ start, rtol=1e-13, callback=lambda way: expected.append(start + way))
    rules = [optimizers.conjugate_gradients(beta=beta, search="exact") for beta in RULES]
    rules.append(optimizers.lbfgs(search="exact"))  # Nazareth (1979)
    for rule in rules:
        got = gdfast.trajectory(bowl, rule, start, 1.0, dimension, gradient_tolerance=0.0).theta.values
        np.testing.assert_allclose(got, expected[: len(got)], rtol=0, atol=1e-8)
        assert np.abs(got[-1]).max() < 1e-8  # after as many steps as there are coordinates


@pytest.mark.slow
@given(seed=st.integers(0, 2**32), dimension=st.integers(1, 8))
@settings(max_examples=20)
def test_a_newton_step_ends_at_the_minimum_of_a_quadratic(seed, dimension):
    bowl = problems.quadratic(condition=1e3, dimension=dimension, rotation=seed)
    matrix = bowl.matrix if dimension > 1 else np.array([[1e3]])
    start = np.random.default_rng(seed).uniform(-2, 2, dimension)
    for rule in (optimizers.newton(), optimizers.damped_newton(), optimizers.saddle_free_newton(damping=0.0)):
        got = gdfast.trajectory(cases.bowl(matrix.tolist()), rule, start, 1.0, 1).theta.values[-1]
        assert np.abs(got).max() < 1e-11


def test_saddle_free_newton_leaves_the_saddle_that_newton_goes_to():
    saddle, start = problems.strict_saddle(), [0.3, 1e-3]
    rules = optimizers.newton(), optimizers.saddle_free_newton()
    ends = [gdfast.trajectory(saddle, rule, start, 1.0, 60) for rule in rules]
    assert [end.attrs["outcome"] for end in ends] == ["stalled", "global_minimum"]


def path_by_optax(problem, start, steps):
    """The points of optax.lbfgs with its own search, to which losses and gradients are those of the problem."""
    optax = pytest.importorskip("optax", reason="optax is not installed (extra parity)")
    import jax

    jax.config.update("jax_enable_x64", True)

    def loss_at(x):
        return np.float64(problem.loss(np.asarray(x)[:, None])[0])

    def gradient_at(x):
        return problem.gradient(np.asarray(x)[:, None])[:, 0]

    loss = jax.custom_vjp(lambda x: jax.pure_callback(loss_at, jax.ShapeDtypeStruct((), np.float64), x))
    loss.defvjp(
        lambda x: (loss(x), x),
        lambda x, change: (change * jax.pure_callback(gradient_at, jax.ShapeDtypeStruct(x.shape, np.float64), x),),
    )
    optimizer = optax.lbfgs()
    update = jax.jit(functools.partial(optimizer.update, value_fn=loss))
    path, state = [np.array(start)], optimizer.init(np.array(start))
    for _ in range(steps):
        x, slope = path[-1], gradient_at(path[-1])
        updates, state = update(slope, state, x, value=loss_at(x), grad=slope)
        path.append(np.asarray(optax.apply_updates(x, updates)))
    return np.array(path)


OPTAXS = "lbfgs:search=zoom,least=0,euclidean=True"


@pytest.mark.parametrize(
    ("problem", "start", "steps"),
    [
        (problems.quadratic(condition=30.0, dimension=5, rotation=2), [0.05, 1.8, -1.4, 1.8, -0.75], 40),
        (problems.rosenbrock(), [-1.2, 1.0], 40),
        (problems.beale(), [-1.7, -0.7], 18),
        (problems.himmelblau(), [0.1, 5.4], 20),
        (problems.quartic(), [3.6], 12),
    ],
    ids=lambda value: value.label if isinstance(value, problems.Problem) else "",
)
def test_zoom_is_optaxs_until_it_arrives(problem, start, steps):
    expected = path_by_optax(problem, start, steps)
    got = gdfast.trajectory(problem, OPTAXS, start, 1.0, steps, gradient_tolerance=0.0).theta.values
    got = got[np.minimum(np.arange(steps + 1), len(got) - 1)]
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10)
    assert np.abs(problem.gradient(got[-1][:, None])).max() < 1e-11


@pytest.mark.slow
def test_l_bfgs_reaches_what_scipy_reaches():
    from scipy.optimize import minimize

    rosenbrock = problems.rosenbrock(dimension=6)
    for start in rosenbrock.random(5, seed=3):
        expected = minimize(
            lambda x: rosenbrock.loss(x[:, None])[0],
            start,
            jac=lambda x: rosenbrock.gradient(x[:, None])[:, 0],
            method="L-BFGS-B",
            options={"gtol": 1e-8, "ftol": 0},
        )
        got = gdfast.trajectory(rosenbrock, "lbfgs", start, 1.0, 300)
        assert got.loss.values[-1] <= expected.fun + 1e-12
        assert got.attrs["steps"] <= 2 * expected.nit


@pytest.mark.parametrize("beta", RULES)
@pytest.mark.parametrize("search", ["strong_wolfe", "backtracking"])
def test_conjugate_gradients_are_those_of_a_plain_loop(beta, search):
    rule = optimizers.conjugate_gradients(beta=beta, search=search)

    def loss(p):
        return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2

    def gradient(p):
        return [-2 * (1 - p[0]) - 400 * p[0] * (p[1] - p[0] ** 2), 200 * (p[1] - p[0] ** 2)]

    expected = textbook.conjugate_gradients(gradient, [-1.2, 1.0], 1.0, 6, loss, **rule.parameters)
    got = gdfast.trajectory(problems.rosenbrock(), rule, [-1.2, 1.0], 1.0, 6).theta.values
    np.testing.assert_allclose(got, expected, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("search", SEARCHES)
def test_searches_agree_to_the_bit(search):
    # In registers and in rows of lanes, each search with one rule here and with the other there.
    rules = [optimizers.lbfgs(history=2, search=search), optimizers.conjugate_gradients(search=search)]
    grounds = [problems.rosenbrock(), problems.linear_regression(data="diabetes")]
    for problem, rule in zip(grounds[:: 1 - 2 * (list(SEARCHES).index(search) % 2)], rules, strict=True):
        cases.agree(cases.sweep_of(problem, rule, 12, 60))


@pytest.mark.slow
def test_evaluations_are_counted(tmp_path):
    rules = ["gd", "sam", "lbfgs:search=backtracking", "conjugate_gradients"]
    sweep = gdfast.Sweep("rosenbrock", rules, [0.5, 1.0], [[-1.2, 1.0], [1.0, 1.0]], 60, measure="convergence")
    result = gdfast.run(sweep, store=tmp_path / "result.zarr")
    cases.assert_same(result.load(), gdfast.run(sweep, backend="numpy"))
    steps, counted = result.steps.values, result.evaluations.values
    np.testing.assert_array_equal(counted[:2], steps[:2] * np.array([1.0, 2.0])[:, None, None])
    assert (counted[2:, :, 0] > 2 * steps[2:, :, 0]).all()
    seen, problem = [], problems.rosenbrock()

    def loss(p):
        seen.append(p)
        return float(problem.loss(np.array(p)[:, None])[0])

    def gradient(p):
        return problem.gradient(np.array(p)[:, None])[:, 0].tolist()

    rule = optimizers.steepest_descent()
    textbook.steepest_descent(gradient, [-1.2, 1.0], 1.0, 6, loss, **rule.parameters)
    got = gdfast.run(gdfast.Sweep("rosenbrock", rule, [1.0], [[-1.2, 1.0]], 6))
    assert float(got.evaluations.item()) == len(seen)  # one at each point, and the trials


@pytest.mark.slow
def test_evaluations_of_what_settled_do_not_count_its_last_search():
    sweep = gdfast.Sweep(problems.quadratic(condition=30.0), "conjugate_gradients:search=exact", [1.0], [[1.0, 2.0]])
    for backend in ("numba", "numpy"):
        result = gdfast.run(sweep, backend=backend)
        assert result.evaluations.item() == 2 * result.steps.item()


def half(step, value, loss):
    return 0.5 * step, value < loss


def of_one_name(theta, grad, lr):
    s = 2.0 * lr
    s = line_search(-s * grad, 0.5)
    return theta - s * lr * grad


@pytest.mark.slow
def test_a_length_may_have_the_name_of_a_number_in_its_direction():
    rule = Optimizer(of_one_name, 0.1, search=Search(half, most=5))
    cases.agree(cases.sweep_of(problems.linear_regression(), rule, 8, 20))


def one_argument(step):
    return step, 1.0


def memory_elsewhere(step, value, memory):
    return step, memory, 1.0


def searches_not(theta, grad, lr):
    return theta - lr * grad


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: optimizers.lbfgs(search="wolfe"), ["search", "strong_wolfe"]),
        (lambda: optimizers.lbfgs(history=0), ["lbfgs: history", "0"]),
        (lambda: optimizers.conjugate_gradients(beta="daniel"), ["beta", "polak_ribiere"]),
        (lambda: Optimizer(searches_not, 0.1, search=Search(one_argument)), ["line_search", "searches_not"]),
        (lambda: Search(memory_elsewhere, {"memory": 0.0}), ["slots memory after step"]),
        (
            lambda: gdfast.Sweep("rosenbrock:dimension=9", "newton"),
            ["newton needs the Hessian of a landscape", "at most 8 coordinates", "rosenbrock:dimension=9"],
        ),
        (lambda: gdfast.Sweep("mlp", "damped_newton"), ["damped_newton needs the Hessian", "mlp"]),
        (lambda: gdfast.Sweep("rosenbrock", "lbfgs|clip_norm"), ["clip_norm", "gradients", "lbfgs"]),
    ],
)
def test_what_does_not_fit_is_refused(made, words):
    cases.refused(made, ValueError, *words)


def test_what_is_no_search_is_refused():
    cases.refused(lambda: Optimizer(of_one_name, 0.1, search="exact"), TypeError, "search must be", "'exact'")
    cases.refused(lambda: Search(half, 3), TypeError, "search: initial", "3")
    cases.refused(lambda: Search(memory_elsewhere, {"memory": "x"}), TypeError, "search: initial: memory", "'x'")
