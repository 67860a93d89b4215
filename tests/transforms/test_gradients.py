"""Transforms: formulas against plain loops and torch, bits of kernel and reference, noise by counting, penalties."""

import cases
import numpy as np
import pytest
from scipy import stats

import gdfast
from gdfast import optimizers, problems, transforms
from gdfast.formulas import noise
from gdfast.tiles.ending import Ending
from gdfast.tiles.outcomes import Outcome

_rng = np.random.default_rng(5)
REGRESSION = cases.least_squares(_rng.normal(size=(17, 5)), _rng.normal(size=17))
CHAINS = {
    "each once": (
        transforms.l2(0.1),
        transforms.noise(0.1, gamma=0.55, seed=3),
        transforms.clip_norm(0.7, eps=0.0),
        transforms.weight_decay(0.01),
        transforms.l1(0.05),
        transforms.clip_value(0.3),
        transforms.normalize(),
    ),
    "norms and noise twice": (
        transforms.clip_norm(2.0),
        transforms.noise(0.1),
        transforms.noise(0.2, seed=1),
        transforms.clip_norm(1.0),
    ),
}
START = np.array([-1.2, 1.0])


def path(*chain, rule=None, rate=1e-3, steps=200, number=0):
    rule = (rule or optimizers.gd()).transformed(*chain)
    return gdfast.trajectory(problems.rosenbrock(), rule, START, rate, steps, number=number).theta.values


def plain(change, rate=1e-3, steps=200, decay=0.0):
    """Gradient descent in a plain loop with a function of point and gradient in between."""
    gradient = problems.rosenbrock().gradient
    points = [START]
    for t in range(steps):
        x = points[-1]
        g = change(x, gradient(x[:, None])[:, 0], t)
        points.append(x * (1 - rate * decay) - rate * g)
    return np.array(points)


def clipped(g, limit, eps=1e-6):
    return g * min(1.0, limit / (np.linalg.norm(g) + eps))


def drawn(seed, number, t, i):
    """The random number of a seed, trajectory, step t = 0, 1, … and coordinate."""
    (key,) = noise.keys(seed, np.array([t + 1.0]))
    return noise.standard_normal(key, number, i)


FORMULAS = [
    (transforms.clip_value(5.0), lambda x, g, t: np.clip(g, -5, 5)),
    (transforms.clip_norm(3.0), lambda x, g, t: clipped(g, 3.0)),
    (transforms.clip_norm(3.0, eps=0.0), lambda x, g, t: clipped(g, 3.0, 0.0)),
    (transforms.normalize(), lambda x, g, t: g / np.linalg.norm(g)),
    (transforms.l2(0.3), lambda x, g, t: g + 0.3 * x),
    (transforms.l1(0.3), lambda x, g, t: g + 0.3 * np.sign(x)),
    (
        transforms.noise(0.5, gamma=0.55, seed=9),
        lambda x, g, t: g + 0.5 * (1 + t) ** -0.275 * np.array([drawn(9, 0, t, i) for i in (0, 1)]),
    ),
]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("transform", "formula"), FORMULAS, ids=lambda f: getattr(f, "label", ""))
@pytest.mark.filterwarnings("ignore:overflow")
def test_formulas(transform, formula):
    np.testing.assert_allclose(path(transform), plain(formula), rtol=1e-9)


def test_decoupled_decay_acts_on_the_parameter_whatever_the_gradient():
    np.testing.assert_allclose(path(transforms.weight_decay(0.4)), plain(lambda x, g, t: g, decay=0.4), rtol=1e-12)
    adamw = path(rule=optimizers.adamw(weight_decay=0.4), rate=0.05)
    np.testing.assert_allclose(path(transforms.weight_decay(0.4), rule=optimizers.adam(), rate=0.05), adamw, rtol=1e-12)


def test_order_matters():
    first = path(transforms.l2(1.0), transforms.clip_norm(1.0))
    np.testing.assert_allclose(first, plain(lambda x, g, t: clipped(g + x, 1.0)), rtol=1e-9)
    second = path(transforms.clip_norm(1.0), transforms.l2(1.0))
    np.testing.assert_allclose(second, plain(lambda x, g, t: clipped(g, 1.0) + x), rtol=1e-9)
    assert not np.allclose(first, second)
    again = optimizers.gd().transformed(transforms.clip_norm(1.0)).transformed(transforms.l2(1.0))
    np.testing.assert_array_equal(path(rule=again), second)


@pytest.mark.parametrize("kind", ["norm", "value", "coupled"])
def test_torch_does_the_same(kind):
    torch = pytest.importorskip("torch", reason="torch is not installed (extra parity)")
    point = torch.tensor(START, requires_grad=True)
    optimizer = torch.optim.Adam([point], lr=0.02, weight_decay=0.2 if kind == "coupled" else 0.0)
    chain = {
        "norm": transforms.clip_norm(2.0),
        "value": transforms.clip_value(2.0),
        "coupled": transforms.l2(0.2),
    }
    got = path(chain[kind], rule=optimizers.adam(), rate=0.02, steps=300)
    for expected in got:
        np.testing.assert_allclose(point.detach().numpy(), expected, rtol=1e-10)
        optimizer.zero_grad()
        ((1 - point[0]) ** 2 + 100 * (point[1] - point[0] ** 2) ** 2).backward()
        if kind == "norm":
            torch.nn.utils.clip_grad_norm_([point], 2.0)
        if kind == "value":
            torch.nn.utils.clip_grad_value_([point], 2.0)
        optimizer.step()


@pytest.mark.slow
@pytest.mark.parametrize("problem", [problems.rosenbrock(), problems.quadratic(dimension=9)], ids=cases.label)
@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_kernel_and_reference_agree_to_the_bit_for_any_tiles(problem, chain):
    rules = [
        rule.transformed(*chain) for rule in (optimizers.gd().scheduled(gdfast.schedules.cosine()), optimizers.lamb())
    ]
    starts = problem.random(40, seed=1)
    sweep = gdfast.Sweep(problem, rules, np.logspace(-3, 0.5, 13), starts, 150)
    expected = cases.agree(sweep)
    tiled = gdfast.Sweep(problem, rules, np.logspace(-3, 0.5, 13), starts, 150, tile_size=77)
    cases.assert_same(gdfast.run(tiled, keep_theta=True, workers=3), expected)


class TestNoise:
    def test_it_is_normal(self):
        z = drawn(0, np.arange(200_000), 3, 1)
        assert stats.kstest(z, "norm").pvalue > 1e-3
        assert abs(np.mean(z**4) - 3) < 0.05

    def test_neighbours_are_independent(self):
        number = np.arange(100_000)
        z = [drawn(s, n, t, i) for s, n, t, i in _neighbours(number)]
        correlation = np.corrcoef(z) - np.eye(len(z))
        assert np.abs(correlation).max() < 5 / np.sqrt(len(number))

    def test_it_is_normal_where_counters_are_0_or_around_powers_of_two(self):
        seeds, numbers, steps, coordinates = (_corners(bits) for bits in (63, 40, 31, 20))
        alone = [
            [drawn(seed, 0, 0, 0) for seed in seeds],
            drawn(0, np.array(numbers), 0, 0),
            [drawn(0, 0, t, 0) for t in steps],
            drawn(0, 0, 0, np.array(coordinates)),
        ]
        some, number, coordinate = seeds[::16], np.array(numbers[::5])[:, None], np.array(coordinates[::5])
        together = np.array([drawn(seed, number, t, coordinate) for seed in some for t in steps[::5]]).ravel()
        for z in (*alone, together):
            assert len(np.unique(z)) == len(z)
            assert stats.kstest(z, "norm").pvalue > 1e-3
            assert np.abs(z).max() < stats.norm.isf(1e-4 / len(z))

    def test_every_seed_is_another(self):
        seeds = _corners(64)
        for t in (1.0, 2.0, 2.0**31):
            assert len({tuple(noise.keys(seed, np.array([t]))[0]) for seed in seeds}) == len(seeds)

    @pytest.mark.sampled(2)
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("backend", ["numba", "numpy"])
    @pytest.mark.parametrize("seed", [2**24, 2**53, 2**63 - 2])
    def test_seeds_are_not_rounded(self, backend, dtype, seed):
        rules = optimizers.grid(
            lambda seed: optimizers.gd().transformed(transforms.noise(seed=seed)), seed=[seed, seed + 1]
        )
        sweep = gdfast.Sweep(problems.quartic(), rules, [0.01], [[1.0]], 10, dtype=dtype)
        result = gdfast.run(sweep, backend=backend, keep_theta=True)
        one, other = result.theta.values.ravel()
        assert one != other
        assert result.noise_seed.values.tolist() == [seed, seed + 1]
        assert [f"gd|noise:seed={s}" for s in (seed, seed + 1)] == result.optimizer.values.tolist()

    def test_quantile(self):
        u = np.concatenate([_rng.uniform(size=10_000), 2.0 ** -np.arange(1, 54), 1 - 2.0 ** -np.arange(2, 53)])
        np.testing.assert_allclose(noise.quantile(u), stats.norm.ppf(u), rtol=2e-7, atol=1e-12)


def _neighbours(number):
    return [(0, number, 0, 0), (0, number + 1, 0, 0), (0, number, 1, 0), (0, number, 0, 1), (1, number, 0, 0)]


def _corners(bits):
    """0, and the powers of two below 2**bits with the numbers on both sides."""
    return sorted({0, 2**bits - 1, *(2**k + side for k in range(bits) for side in (-1, 0, 1))})


class TestPenalties:
    def test_where_a_penalty_holds_a_point_off_the_minimum_it_is_frozen(self):
        # x⁴ − 5x² + 3x + ½λx² has its minima nearer to 0.
        rule = optimizers.gd().transformed(transforms.l2(2.0))
        sweep = gdfast.Sweep(problems.quartic(), rule, [0.01], [[-3.0], [3.0]])
        result = gdfast.run(sweep, keep_theta=True)
        assert (result.outcome == Outcome.frozen).all()
        assert (result.ending == Ending.fixed).all()
        roots = np.roots([4, 0, -10 + 2, 3])
        np.testing.assert_allclose(np.sort(result.theta.values.ravel()), np.sort(roots)[[0, 2]], rtol=1e-6)

    def test_ridge_regression(self):
        rule = optimizers.gd().transformed(transforms.l2(0.5))
        result = gdfast.run(gdfast.Sweep(REGRESSION, rule, [0.1], [np.ones(5)], 5000), keep_theta=True)
        X, y = REGRESSION.X, REGRESSION.y
        expected = np.linalg.solve(X.T @ X / 17 + 0.5 * np.eye(5), X.T @ y / 17)
        np.testing.assert_allclose(result.theta.values.ravel(), expected, atol=1e-7)
        assert result.outcome.values.item() == Outcome.frozen

    @pytest.mark.parametrize("make", [transforms.l2, transforms.weight_decay])
    def test_coupled_and_decoupled_decay_are_judged_alike_and_by_the_loss_alone(self, make):
        problem = problems.booth()
        rules = [optimizers.gd().transformed(make(weight)) for weight in (0.01, 10.0)]
        result = gdfast.run(gdfast.Sweep(problem, rules, [0.01], [[0.0, 0.0]], 5000))
        assert result.outcome.values.ravel().tolist() == [Outcome.global_minimum, Outcome.frozen]
        loss = result.loss.values.ravel()
        assert 0 < loss[0] < 1e-6 * problem.loss_scale < loss[1]


def test_clipping_turns_diverging_cells_into_converging_ones():
    problem = problems.quartic()
    outcomes = [
        gdfast.run(gdfast.Sweep(problem, rule, [0.07], [[-4.0], [4.0], [3.5]])).outcome.values.ravel()
        for rule in (optimizers.gd(), optimizers.gd().transformed(transforms.clip_value(10.0)))
    ]
    assert (outcomes[0] == Outcome.diverged).all()
    assert np.isin(outcomes[1], [Outcome.global_minimum, Outcome.local_minimum]).all()


def test_labels_coordinates_and_pickling():
    import pickle

    rules = [optimizers.adam().transformed(transforms.clip_norm(c), transforms.normalize()) for c in (1.0, 2.0)]
    assert [rule.label for rule in rules] == ["adam|clip_norm|normalize", "adam|clip_norm:max_norm=2|normalize"]
    again = pickle.loads(pickle.dumps(rules[1].scheduled(gdfast.schedules.reduce_on_plateau())))
    assert again.label == "adam|reduce_on_plateau|clip_norm:max_norm=2|normalize"
    result = gdfast.run(gdfast.Sweep(problems.quartic(), rules, [0.1], [[1.0]], 5))
    assert result.clip_norm_max_norm.values.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: transforms.clip_norm(0.0), ValueError, ["clip_norm: max_norm", "> 0", "0"]),
        (lambda: transforms.l2(-1.0), ValueError, ["l2: weight", ">= 0", "-1"]),
        (lambda: transforms.noise(seed=-1), ValueError, ["noise: seed", "-1"]),
        (lambda: transforms.noise(seed=2**63), ValueError, ["noise: seed", str(2**63)]),
        (lambda: transforms.noise(seed=1.5), TypeError, ["noise: seed", "1.5"]),
        (lambda: optimizers.gd().transformed("clip"), TypeError, ["transforms", "'clip'"]),
    ],
)
def test_bad_input(call, kind, words):
    cases.refused(call, kind, *words)
