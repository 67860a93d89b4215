"""The diagonal of Gauss and Newton by targets that are drawn, and Sophia-G, which goes by it."""

import cases
import numpy as np
import pytest
from networks import EXACT, NETWORKS, points_of, torch_outputs

import gdfast
from gdfast import optimizers, problems, theory
from gdfast.formulas.noise import KEY, keys, quantile, uniform, uniform_of
from gdfast.formulas.vectors import fisher_diagonal, hessian_diagonal
from gdfast.kernels.evaluation import product_kernel
from gdfast.kernels.signatures import Pair
from gdfast.optimizers import Optimizer
from gdfast.problems import mlp

SOPHIA_G = optimizers.sophia(gamma=0.05, estimator="gauss_newton_bartlett")
REGRESSIONS = [
    problems.linear_regression(data="diabetes", batch_size=7, seed=3),
    problems.ridge_regression(alpha=3.0),
    problems.logistic_regression(data="iris", positive="virginica"),
    problems.softmax_regression(),
    problems.softmax_regression(batch_size=10),
]
CLASSES = mlp((4, 6, 3), "tanh", loss="cross_entropy", data="iris", batch_size=16)


def seeds_of(t, numbers, seed=0):
    """The number that the draws of a step's rows are by, of each trajectory."""
    with np.errstate(over="ignore"):
        return uniform(*keys(2**63 + seed, np.array([t]))[0], np.asarray(numbers), 0)


def chances_of(seed, count):
    with np.errstate(over="ignore"):
        return uniform_of(np.float64(seed), np.arange(count))


def draw(shares, chance):
    """A class by its probability."""
    return min(int(np.searchsorted(np.cumsum(shares), chance)), len(shares) - 1)


def diagonal_of_gauss_newton(problem, theta, t):
    """Without penalties."""
    bend = np.stack([problem.step_gauss_newton(theta, way[:, None], t)[:, 0] for way in np.eye(len(theta))])
    if hasattr(problem, "penalty"):
        return np.diag(bend) - problem.penalty
    rest = np.zeros(len(theta))
    for layer in problem.layers:
        rest[layer.weights] = problem.parameters["l2"]
    return np.diag(bend) - rest


@pytest.mark.sampled(6)
@pytest.mark.parametrize(
    "problem",
    [
        *REGRESSIONS,
        CLASSES,
        mlp((3, 5, 2), "tanh", points=12),
        mlp((3, 4, 3), "gelu", loss="cross_entropy", points=20, batch_norm=True, fan_in_scaling=True, gain=1.3, l2=0.1),
    ],
    ids=cases.label,
)
def test_the_mean_of_the_estimates_is_the_diagonal_of_gauss_and_newton(problem):
    theta = problem.random(1, seed=1).T if hasattr(problem, "penalty") else points_of(problem, 1, spread=0.5)
    theta = 0.1 * theta if problem.name == "linear_regression" else theta
    draws = 4000
    seeds = np.random.default_rng(0).uniform(size=draws)
    got = problem.step_fisher(np.repeat(theta, draws, axis=1), seeds, 2)
    expected = diagonal_of_gauss_newton(problem, theta, 2)
    error = got.std(axis=1) / np.sqrt(draws) + 1e-12 * expected.max()
    assert (np.abs(got.mean(axis=1) - expected) < 5 * error).all()
    assert (got >= 0).all()


def in_lanes(problem, theta, seeds, t):
    real = theta.dtype
    kernel = product_kernel(problem.lane_kernel, real.name, "fisher")
    data, layout = problem.lane_data(10)
    pair = Pair(0, 0, 0, problem.group, problem.arrays, data.astype(real), layout)
    work = np.full((problem.lane_kernel.work_rows, theta.shape[1]), np.nan, real)
    way, out = np.full_like(theta, np.nan), np.full_like(theta, np.nan)
    way[0] = seeds
    kernel(pair, theta, way, out, work, theta.shape[1], t)
    return out


@pytest.mark.slow
@pytest.mark.parametrize("real", ["float64", "float32"])
def test_lanes_and_reference_have_the_same_estimates(real):
    """To the bit where no exponential occurs, else within 128 units in the last place of the largest entry's root.

    Functions of lanes are off by 2, of which batch normalization of 41 rows makes 70 in single precision.
    """
    vector = 8 if real == "float64" else 16
    seeds = np.random.default_rng(5).uniform(size=64).astype(real)
    for problem in [*NETWORKS, *REGRESSIONS]:
        for lanes in (64, vector):
            theta = points_of(problem, lanes).astype(real)
            got, expected = in_lanes(problem, theta, seeds[:lanes], 3), problem.step_fisher(theta, seeds[:lanes], 3)
            assert expected.dtype == real
            if problem in EXACT or problem in REGRESSIONS[:2]:
                np.testing.assert_array_equal(got, expected, err_msg=problem.label)
            else:
                got, expected = np.sqrt(got), np.sqrt(expected)
                assert np.abs(got - expected).max() <= 128 * np.finfo(real).eps * expected.max(), problem.label


def sophia_g(slope, drawn_slope, rows, theta, rate, steps, number, gamma=0.05, interval=10):
    """The authors' loop, of gradients and of those with drawn targets, with a look at every tenth step."""
    m = h = np.zeros_like(theta)
    points = [theta]
    for t in range(1, steps + 1):
        m = 0.965 * m + (1 - 0.965) * slope(theta, t - 1)
        if (t - 1) % interval == 0:
            g = drawn_slope(theta, t - 1, seeds_of(t, number))
            h = 0.99 * h + (1 - 0.99) * rows * g * g
        theta = theta - rate * np.clip(m / np.maximum(gamma * h, 1e-12), -1.0, 1.0)
        points.append(theta)
    return np.array(points)


def path_of(problem, rate, start, steps=300):
    return gdfast.trajectory(problem, SOPHIA_G, start, rate, steps, gradient_tolerance=0.0).theta.values


@pytest.mark.parametrize("problem", [CLASSES, mlp((3, 5, 2), "tanh", points=12)], ids=cases.label)
def test_on_a_network_it_is_the_authors_loop_with_torchs_gradients(problem):
    torch = pytest.importorskip("torch")
    start = np.asarray(problem.starts(seeds=1))[0]

    def drawn_slope(theta, t, seed):
        rows = slice(None) if problem.batch_size is None else problem.rows(t)
        point = torch.tensor(theta, requires_grad=True)
        output, _ = torch_outputs(problem, point, rows)
        if problem.parameters["loss"] == "squared":
            noise = quantile(chances_of(seed, output.numel())).reshape(output.shape)
            target = output.detach() + torch.tensor(np.sqrt(output.shape[1] / 2) * noise)
            loss = torch.nn.functional.mse_loss(output, target)
        else:
            shares = torch.softmax(output.detach(), dim=1).numpy()
            chances = chances_of(seed, len(shares))
            labels = [draw(one, chance) for one, chance in zip(shares, chances, strict=True)]
            loss = torch.nn.functional.cross_entropy(output, torch.tensor(labels))
        return torch.autograd.grad(loss, point)[0].numpy()

    def slope(theta, t):
        return problem.step_gradient(theta[:, None], t)[:, 0]

    expected = sophia_g(slope, drawn_slope, problem.rows_each_step, start, 0.01, 300, 0)
    got = path_of(problem, 0.01, start)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10)
    assert problem.loss(got[-1][:, None]) < 0.7 * problem.loss(start[:, None])


@pytest.mark.slow
def test_on_a_softmax_regression_it_is_the_authors_loop_in_numpy():
    problem, start = problems.softmax_regression(l2=0.0), np.zeros(15)
    X, y = problem.X, np.eye(3)[problem.y.astype(int)]

    def shares_at(theta):
        powers = np.exp(X @ theta.reshape(3, 5).T)
        return powers / powers.sum(axis=1, keepdims=True)

    def slope_of(shares, targets):
        return ((shares - targets).T @ X / len(X)).ravel()

    def drawn_slope(theta, _, seed):
        shares = shares_at(theta)
        labels = [draw(one, chance) for one, chance in zip(shares, chances_of(seed, len(X)), strict=True)]
        return slope_of(shares, np.eye(3)[labels])

    expected = sophia_g(lambda theta, _: slope_of(shares_at(theta), y), drawn_slope, 150, start, 0.005, 300, 0)
    np.testing.assert_allclose(path_of(problem, 0.005, start), expected, rtol=0, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("real", ["float64", "float32"])
def test_it_is_the_same_in_both_backends_and_counts_its_looks(real):
    problem = mlp((3, 7, 5, 2), ("relu", "leaky_relu"), batch_norm=True, l2=0.3, gain=1.3, batch_size=20)
    rule = SOPHIA_G.replace(interval=3)
    starts = problem.starts("he_normal", range(5))
    result = cases.agree(gdfast.Sweep(problem, rule, np.geomspace(1e-3, 1, 4), starts, 30, dtype=real))
    assert set(result.evaluations.values.ravel()) == {40}
    assert rule.cost == "1 gradient, 1 gradient of drawn targets where it is due"


@pytest.mark.slow
def test_targets_depend_on_seed_trajectory_and_step_alone():
    def seen(theta, grad, lr, due, low, middle, high):
        return fisher_diagonal(due, low, middle, high)

    def looks(seed):
        def table(t):
            return {"due": np.ones_like(t), **dict(zip(KEY, keys(seed, t).T, strict=True))}

        rule = Optimizer(seen, 1.0, step_table=table)
        sweep = gdfast.Sweep("softmax_regression", rule, [1.0], np.zeros((8, 15)), 1)
        whole = gdfast.run(sweep, keep_theta=True).theta.values
        tiled = gdfast.run(sweep.replace(tile_size=3), keep_theta=True, workers=2).theta.values
        np.testing.assert_array_equal(tiled, whole)
        return whole.reshape(8, 15)

    first, other = looks(1), looks(2)
    assert len({tuple(look) for look in [*first, *other]}) == 16


def of_both(theta, grad, lr, due, low, middle, high):
    return theta - lr * hessian_diagonal(due, low, middle, high) - lr * fisher_diagonal(due, low, middle, high)


def test_what_has_no_likelihood_is_refused():
    for problem in (problems.rosenbrock(), problems.from_model(), problems.quadratic(dimension=9)):
        cases.refused(
            lambda problem=problem: gdfast.Sweep(problem, SOPHIA_G),
            ValueError,
            "needs a likelihood to draw targets from",
            problem.label,
        )
    cases.refused(lambda: problems.rosenbrock().step_fisher([1.0, 1.0], [0.5], 0), NotImplementedError, "likelihood")
    cases.refused(lambda: REGRESSIONS[3].step_fisher(np.zeros(15), [1.5], 0), ValueError, "seeds", "(0, 1)", "1.5")
    cases.refused(lambda: optimizers.sophia(estimator="fisher"), ValueError, "estimator", "hutchinson", "fisher")
    cases.refused(lambda: Optimizer(of_both, 1.0), ValueError, "of_both", "not for several", "fisher_diagonal")


@pytest.mark.slow
def test_theory_takes_the_diagonal_of_the_hessian():
    rates = np.array([0.01, 0.5])
    expected = theory.spectral_radius(optimizers.sophia(gamma=0.05), rates, 1.0)
    np.testing.assert_array_equal(theory.spectral_radius(SOPHIA_G, rates, 1.0), expected)
