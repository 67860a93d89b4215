"""Transforms of the point, and of parts of networks: other libraries, loops, known optima, bits of the kernels."""

import itertools
from fractions import Fraction

import cases
import numpy as np
import pytest
from scipy import optimize

import gdfast
from gdfast import notation, problems, theory, transforms
from gdfast.arguments import POSITIVE
from gdfast.formulas.elementary import select
from gdfast.tiles.outcomes import Outcome

START, STEPS = [-1.2, 1.0], 100
NETWORK = problems.mlp((3, 4, 2), points=9, activation="relu")
WEIGHTS = NETWORK.starts("he_normal", seeds=3, bias=0.1).points[0]
_rng = np.random.default_rng(7)
DESIGN, TARGET = _rng.normal(size=(40, 6)), _rng.normal(size=40)
REGRESSION = cases.least_squares(DESIGN, TARGET)
STEEPEST = np.linalg.eigvalsh(DESIGN.T @ DESIGN / 40)[-1]
ROSENBROCK = problems.rosenbrock()


def path_of(text, problem=ROSENBROCK, start=START, rate=0.01, steps=STEPS):
    (rule,) = notation.optimizers(text)
    assert notation.optimizers(rule.label) == [rule]
    return gdfast.trajectory(problem, rule, start, rate, steps, gradient_tolerance=0.0).theta.values


def slope(x):
    return ROSENBROCK.gradient(np.asarray(x)[:, None])[:, 0]


def arrays(theta):
    """The network's parameters as arrays, matrices with a row an output, as torch has them."""
    ends = np.cumsum([12, 4, 8])
    first, bias, second, other = np.split(theta, ends)
    return [first.reshape(3, 4).T, bias, second.reshape(4, 2).T, other]


def path_by_torch(make, before=lambda parts: None, after=lambda parts: None, rate=0.05):
    torch = pytest.importorskip("torch", reason="torch is not installed (extra parity)")
    parts = [torch.tensor(part.copy(), requires_grad=True) for part in arrays(WEIGHTS)]
    optimizer = make(torch, parts, rate)
    points = [WEIGHTS]
    for _ in range(STEPS):
        grad = NETWORK.gradient(points[-1][:, None])[:, 0]
        for part, gradient in zip(parts, arrays(grad), strict=True):
            part.grad = torch.from_numpy(gradient.copy())
        before(parts)
        optimizer.step()
        with torch.no_grad():
            after(parts)
        points.append(np.concatenate([part.detach().numpy().T.ravel() for part in parts]))
    return np.array(points)


def adam_of(torch, parts, rate):
    return torch.optim.Adam(parts, lr=rate)


class TestLookahead:
    def test_fast_weights_return_to_slow_ones(self):
        x, slow, velocity, expected = np.array(START), np.array(START), 0.0, [START]
        for t in range(1, STEPS + 1):
            velocity = 0.9 * velocity + slope(x)
            x = x - 1e-4 * velocity
            if t % 3 == 0:
                x = slow = slow + 0.8 * (x - slow)
            expected.append(x)
        got = path_of("momentum|lookahead:k=3,alpha=0.8", rate=1e-4)
        np.testing.assert_allclose(got, expected, rtol=1e-10)

    @pytest.mark.filterwarnings("ignore")
    def test_it_is_pytorch_optimizers(self):
        peers = pytest.importorskip("pytorch_optimizer", reason="it is not installed (extra parity)")
        expected = path_by_torch(
            lambda torch, parts, rate: peers.Lookahead(adam_of(torch, parts, rate), k=4, alpha=0.3)
        )
        np.testing.assert_allclose(
            path_of("adam|lookahead:k=4,alpha=0.3", NETWORK, WEIGHTS, 0.05), expected, rtol=1e-9, atol=1e-12
        )

    def test_it_is_optaxs(self):
        optax = pytest.importorskip("optax", reason="optax is not installed (extra parity)")
        import jax

        jax.config.update("jax_enable_x64", True)
        optimizer = optax.lookahead(optax.adam(0.01), sync_period=5, slow_step_size=0.5)
        params = optax.LookaheadParams.init_synced(np.array(START))
        state = optimizer.init(params)
        for point in path_of("adam|lookahead", steps=30):
            np.testing.assert_allclose(point, params.fast, rtol=1e-10)
            updates, state = optimizer.update(slope(params.fast), state, params)
            params = optax.apply_updates(params, updates)

    def test_with_all_of_the_way_or_at_every_step_it_is_known(self):
        np.testing.assert_allclose(path_of("adam|lookahead:alpha=1"), path_of("adam"), rtol=1e-12)
        np.testing.assert_allclose(path_of("gd|lookahead:k=1", rate=1e-3), path_of("gd", rate=5e-4), rtol=1e-9)


def cautious_loop(update, rate, decay=0.0):
    """As the authors have it, with an update of gradient and step."""
    x, points = np.array(START), [START]
    for t in range(1, STEPS + 1):
        g = slope(x)
        u = update(g, t)
        mask = u * g > 0
        x = x - rate * u * mask / max(mask.mean(), 1e-3) - rate * decay * x
        points.append(x)
    return points


class Moments:
    """The updates of momentum, Adam and Lion."""

    m = v = 0.0

    def momentum(self, g, t):
        self.m = 0.9 * self.m + g
        return self.m

    def adam(self, g, t):
        self.m, self.v = 0.9 * self.m + 0.1 * g, 0.999 * self.v + 0.001 * g * g
        return self.m / (1 - 0.9**t) / (np.sqrt(self.v / (1 - 0.999**t)) + 1e-8)

    def lion(self, g, t):
        u = np.sign(0.9 * self.m + 0.1 * g)
        self.m = 0.99 * self.m + 0.01 * g
        return u


@pytest.mark.parametrize(("name", "rate"), [("momentum", 1e-4), ("adam", 0.05), ("lion", 0.01)])
def test_caution_is_the_authors_around_any_rule(name, rate):
    expected = cautious_loop(getattr(Moments(), name), rate, decay=0.3)
    np.testing.assert_allclose(path_of(f"{name}|cautious|weight_decay=0.3", rate=rate), expected, rtol=1e-8)
    assert not np.allclose(expected, path_of(f"{name}|weight_decay=0.3", rate=rate))


class TestMechanic:
    def test_it_is_the_published_loop(self):
        x = start = np.array(START)
        beta, s = 1 - 0.1 ** np.arange(1, 7), np.full(6, 1e-6)
        r, m, v, points = np.zeros(6), np.zeros(6), np.zeros(6), [START]
        for _ in range(40):
            g, scale = slope(x), s.sum()
            gone = (start - x) / (scale + 1e-8)
            h = (g + 0.1 * scale * np.linalg.norm(g) / (np.linalg.norm(x) + 1e-8) * x) @ gone
            r = beta * r + s * np.clip(h, -m, m)
            m, v = np.maximum(beta * m, abs(h) + 1e-8), beta**2 * v + h**2
            s = (1e-6 / 6 * m + np.maximum(r, 0)) / (np.sqrt(v) + 1e-8)
            x = start - s.sum() * (gone + 0.5 * g)
            points.append(x)
        got = path_of("gd|mechanic=0.1", rate=0.5, steps=40)
        np.testing.assert_allclose(got, points, rtol=1e-12)
        assert np.linalg.norm(got[-1] - got[0]) > 0.01

    def test_it_is_optaxs(self):
        optax = pytest.importorskip("optax", reason="optax is not installed (extra parity)")
        import jax

        jax.config.update("jax_enable_x64", True)
        optimizer, x = optax.contrib.mechanize(optax.adam(1.0)), np.array(START)
        state, update = optimizer.init(x), jax.jit(optimizer.update)
        for point in path_of("adam|mechanic", rate=1.0, steps=40):
            np.testing.assert_allclose(point, x, rtol=1e-11)
            updates, state = update(slope(x), state, x)
            x = np.asarray(x + updates)


class TestParts:
    """Of networks: by matrices, arrays and units, as torch's groups and functions of arrays."""

    @pytest.mark.parametrize("decay", ["weight_decay", "l2"])
    def test_biases_do_not_decay(self, decay):
        def grouped(torch, parts, rate):
            groups = [
                {"params": [part for part in parts if part.ndim == n], "weight_decay": weight}
                for n, weight in ((2, 0.3), (1, 0.0))
            ]
            make = torch.optim.AdamW if decay == "weight_decay" else torch.optim.Adam
            return make(groups, lr=rate)

        got = path_of(f"adam|{decay}:weight=0.3,of=matrices", NETWORK, WEIGHTS, 0.05)
        np.testing.assert_allclose(got, path_by_torch(grouped), rtol=1e-8, atol=1e-11)

    def test_norms_of_arrays_are_torchs(self):
        def clip(parts):
            for part in parts:
                torch.nn.utils.clip_grad_norm_([part], 0.1)

        torch = pytest.importorskip("torch", reason="torch is not installed (extra parity)")
        expected = path_by_torch(adam_of, before=clip)
        got = path_of("adam|clip_norm:max_norm=0.1,over=arrays", NETWORK, WEIGHTS, 0.05)
        np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-11)
        assert not np.allclose(got, path_of("adam|clip_norm=0.1", NETWORK, WEIGHTS, 0.05))

    def test_balls_of_units_are_torchs(self):
        def bound(parts):
            for part in parts[::2]:
                part.copy_(torch.renorm(part, 2, 0, 0.7))

        torch = pytest.importorskip("torch", reason="torch is not installed (extra parity)")
        expected = path_by_torch(lambda _, parts, rate: torch.optim.SGD(parts, lr=rate), after=bound)
        got = path_of("gd|ball:radius=0.7,over=units", NETWORK, WEIGHTS, 0.05)
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)  # torch divides by the norm + 1e-7

    @pytest.mark.filterwarnings("ignore")
    def test_centralization_is_pytorch_optimizers_and_optaxs(self):
        gradients = pytest.importorskip("pytorch_optimizer.optimizer.gradient_centralization")
        expected = path_by_torch(adam_of, before=lambda parts: [gradients.centralize_gradient(p.grad) for p in parts])
        got = path_of("adam|centralize", NETWORK, WEIGHTS, 0.05)
        np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-11)
        optax = pytest.importorskip("optax", reason="optax is not installed (extra parity)")
        grad = NETWORK.gradient(WEIGHTS[:, None])[:, 0]
        centred, _ = optax.centralize().update(arrays(grad), None)
        step = arrays(path_of("gd|centralize", NETWORK, WEIGHTS, 1.0, 1)[1] - WEIGHTS)
        for got, expected in zip(step[::2], centred[::2], strict=True):
            np.testing.assert_allclose(-got, expected, rtol=1e-5, atol=1e-6)  # which are of float32

    def test_what_has_no_matrices_is_refused(self):
        for text in ("gd|centralize", "gd|l2:of=matrices", "gd|ball:over=units"):
            cases.refused(
                lambda text=text: gdfast.Sweep("rosenbrock", text), ValueError, "matrices", "rosenbrock", text
            )


class TestOptima:
    """Where a known problem has a known optimum, the trajectory ends at it."""

    def end(self, text, problem=REGRESSION, steps=3000):
        return path_of(text, problem, np.zeros(problem.dimension), 1 / STEEPEST, steps)[-1]

    @pytest.mark.slow
    @pytest.mark.parametrize("weight", [0.1, 0.2])
    def test_soft_threshold_is_the_lasso(self, weight):
        linear_model = pytest.importorskip("sklearn.linear_model", reason="needs scikit-learn")
        lasso = linear_model.Lasso(alpha=weight, fit_intercept=False, tol=1e-14, max_iter=10**6).fit(DESIGN, TARGET)
        got = self.end(f"gd|soft_threshold={weight}")
        np.testing.assert_allclose(got, lasso.coef_, atol=1e-9)
        assert (got == 0).sum() == (lasso.coef_ == 0).sum() > 0

    @pytest.mark.slow
    def test_box(self):
        expected = optimize.lsq_linear(DESIGN, TARGET, (-0.05, 0.1), tol=1e-14, method="bvls").x
        np.testing.assert_allclose(self.end("gd|box:low=-0.05,high=0.1"), expected, atol=1e-12)

    @pytest.mark.slow
    def test_ball(self):
        bend, pull = DESIGN.T @ DESIGN / 40, DESIGN.T @ TARGET / 40

        def held(weight):
            return np.linalg.solve(bend + weight * np.eye(6), pull)

        weight = optimize.brentq(lambda w: np.linalg.norm(held(w)) - 0.1, 0, 100, xtol=1e-15, rtol=1e-14)
        np.testing.assert_allclose(self.end("gd|ball=0.1"), held(weight), rtol=1e-10)

    @pytest.mark.slow
    def test_l1_ball_is_the_lasso_in_its_first_form(self):
        linear_model = pytest.importorskip("sklearn.linear_model", reason="needs scikit-learn")
        lasso = linear_model.Lasso(alpha=0.1, fit_intercept=False, tol=1e-14, max_iter=10**6).fit(DESIGN, TARGET)
        got = self.end(f"gd|l1_ball={float(np.abs(lasso.coef_).sum())!r}")
        np.testing.assert_allclose(got, lasso.coef_, atol=1e-9)
        assert (got == 0).sum() == (lasso.coef_ == 0).sum() > 0

    @pytest.mark.slow
    def test_simplex(self):
        found = optimize.minimize(
            lambda w: 0.5 * ((DESIGN @ w - TARGET) ** 2).mean(),
            np.full(6, 1 / 6),
            jac=lambda w: DESIGN.T @ (DESIGN @ w - TARGET) / 40,
            bounds=[(0, None)] * 6,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(6)},
            method="SLSQP",
            options={"ftol": 1e-15},
        )
        np.testing.assert_allclose(self.end("gd|simplex"), found.x, atol=1e-6)

    def test_projections_are_optaxs(self):
        projections = pytest.importorskip("optax.projections", reason="optax is not installed (extra parity)")
        there = problems.from_expression("x + 2*y", domain=[(-2, 2)] * 2)
        for x in _rng.normal(size=(5, 2)):
            far = x - [1.0, 2.0]
            for text, expected in (
                ("gd|box:low=-0.4,high=0.3", projections.projection_box(far, -0.4, 0.3)),
                ("gd|box:low=0,high=1e300", projections.projection_non_negative(far)),
                ("gd|ball=0.8", projections.projection_l2_ball(far, 0.8)),
                ("gd|simplex=0.8", projections.projection_simplex(far, 0.8)),
                ("gd|l1_ball=0.8", projections.projection_l1_ball(far, 0.8)),
            ):
                np.testing.assert_allclose(path_of(text, there, x, 1.0, 1)[1], expected, rtol=1e-6, atol=1e-7)


def on_simplex(values, radius):
    """The projection by all sets of coordinates that may be above the threshold, in fractions."""
    values = [Fraction(value) for value in values]
    for count in range(1, len(values) + 1):
        for those in itertools.combinations(range(len(values)), count):
            threshold = (sum(values[i] for i in those) - Fraction(radius)) / count
            if all((value > threshold) == (i in those) for i, value in enumerate(values)):
                return np.array([float(max(value - threshold, 0)) for value in values])
    raise AssertionError("there is a projection")


def in_l1_ball(values, radius):
    inside = sum(Fraction(abs(value)) for value in values) <= Fraction(radius)
    return np.array(values) if inside else np.sign(values) * on_simplex(np.abs(values), radius)


class TestThreshold:
    """What is found in rounds is the projection, however far off the point is, to the last bits of the radius."""

    def projected(self, text, points):
        points = np.asarray(points, dtype=np.float64)
        problem = problems.quadratic(dimension=points.shape[1])
        sweep = gdfast.Sweep(problem, text, [1e-300], points, 1, gradient_tolerance=0.0)
        return cases.agree(sweep).theta.values.reshape(points.shape)

    @pytest.mark.slow
    @pytest.mark.parametrize("scale", [1e-4, 0.3, 1.0, 30.0, 1e10])
    @pytest.mark.parametrize("shift", [0.0, 3.0, -3.0])
    @pytest.mark.parametrize("d", [1, 2, 5])
    def test_it_is_that_of_fractions(self, d, shift, scale):
        points = scale * (np.random.default_rng(d).normal(size=(20, d)) + shift)
        points[:5] = points[:5, :1]  # ties
        points[5:10, -1] = 0.0
        for text, expected in (("gd|simplex=0.7", on_simplex), ("gd|l1_ball=0.7", in_l1_ball)):
            wanted = np.array([expected(point.tolist(), 0.7) for point in points])
            # A number in the place of the largest negative one is off by its rounding.
            near = 4e-16 * scale if text == "gd|simplex=0.7" else 0.0
            np.testing.assert_allclose(self.projected(text, points), wanted, rtol=0, atol=1e-15 + near)

    @pytest.mark.slow
    def test_one_coordinate_a_round(self):
        # Each number alone is below the threshold that it and those before it call for.
        chain, gap = [10.0], 1e-9
        while len(chain) < 12:
            gap *= len(chain) + 1
            chain.append((sum(chain) - 1) / len(chain) - gap)
        assert min(chain) > 0
        expected = np.array([1.0] + [0.0] * 11)
        np.testing.assert_array_equal(self.projected("gd|simplex", [chain]), [expected])
        np.testing.assert_array_equal(self.projected("gd|l1_ball", [-np.array(chain)]), [-expected])

    def test_it_is_optaxs(self):
        projections = pytest.importorskip("optax.projections", reason="optax is not installed (extra parity)")
        import jax

        jax.config.update("jax_enable_x64", True)
        points = np.random.default_rng(3).normal(size=(20, 40)) * np.logspace(-3, 2, 20)[:, None]
        for text, project in (
            ("gd|simplex=0.7", projections.projection_simplex),
            ("gd|l1_ball=0.7", projections.projection_l1_ball),
        ):
            expected = np.array([project(point, 0.7) for point in points])
            np.testing.assert_allclose(self.projected(text, points), expected, rtol=1e-12, atol=1e-13)

    def test_units_have_their_own(self):
        got = path_of("gd|simplex=0.7,over=units", NETWORK, WEIGHTS, 1e-300, 1)[1]
        for before, after in zip(arrays(WEIGHTS)[::2], arrays(got)[::2], strict=True):
            for unit, projected in zip(before, after, strict=True):
                np.testing.assert_allclose(projected, on_simplex(unit.tolist(), 0.7), rtol=0, atol=1e-15)
        np.testing.assert_array_equal(arrays(got)[1], arrays(WEIGHTS)[1])


def bounded(theta, grad, before, slow, total, lr, size, share, limit):
    """An own one, with a slot and a scalar: at most so far in all."""
    total = total + size
    slow = slow + share * (theta - slow)
    return select(total > limit, slow, theta), slow, total


def way(theta, grad, before, slow, total, lr, share, limit):
    return theta - before


@gdfast.optimizers.named(share=POSITIVE, limit=POSITIVE)
def own(share=0.1, limit=3.0):
    initial = {"slow": transforms.THE_START}
    return transforms.Transform(bounded, after=True, initial=initial, scalars=("total",), norms=("size",), entries=way)


CHAINS = (
    "adam|clip_norm|weight_decay=0.1|soft_threshold=0.05|box:low=-1.5,high=1.5|ball=1.4|cautious|lookahead:k=3",
    "momentum|cosine|noise=0.1|lookahead|cautious|weight_decay=0.1|reduce_on_plateau:patience=3",
    "adam|l1_ball=2|lookahead:k=3 momentum|simplex|weight_decay=0.1",
)


@pytest.mark.slow
@pytest.mark.parametrize("problem", [ROSENBROCK, problems.quadratic(dimension=9)], ids=cases.label)
def test_kernel_and_reference_agree_to_the_bit_on_landscapes(problem):
    rules = [rule.transformed(own()) for text in CHAINS for rule in notation.optimizers(text)]
    rules += notation.optimizers("lamb|lookahead:k=2|cautious dog|ball=2|mechanic sam|lookahead|weight_decay")
    starts, rates = problem.random(40, seed=1), np.logspace(-3, 0.5, 9)
    expected = cases.agree(gdfast.Sweep(problem, rules, rates, starts, 60))
    tiled = gdfast.Sweep(problem, rules, rates, starts, 60, tile_size=77)
    cases.assert_same(gdfast.run(tiled, keep_theta=True, workers=3), expected)


@pytest.mark.slow
def test_kernel_and_reference_agree_to_the_bit_in_single_precision():
    rules = [rule.transformed(own()) for rule in notation.optimizers(CHAINS[0])]
    cases.agree(gdfast.Sweep(ROSENBROCK, rules, np.logspace(-3, 0.5, 9), max_steps=60, dtype="float32"))


@pytest.mark.slow
def test_kernel_and_reference_agree_to_the_bit_on_networks():
    parts = "clip_norm:over=units|centralize|l1:weight=0.1,of=matrices"
    later = "weight_decay:weight=0.3,of=matrices|l1_ball:radius=3,over=arrays|cautious:over=arrays"
    later += "|ball:radius=0.7,over=units|lookahead:k=3"
    texts = [f"{rule}|{parts}|{later}" for rule in ("adam", "lamb", "muon", "extragradient")]
    rules = [rule.transformed(own()) for rule in notation.optimizers(" ".join(texts))]
    rules += notation.optimizers("adam|simplex:over=units gd|l1_ball=2")
    rates = np.geomspace(1e-3, 1, 8)
    cases.agree(gdfast.Sweep(NETWORK, rules, rates, max_steps=60))
    layers = np.stack([rates, rates[::-1]], axis=1)
    cases.agree(gdfast.Sweep(NETWORK.replace(layer_rates=True), rules[:3], layers, max_steps=60))


def test_a_projection_holds_a_point_where_it_is_frozen():
    result = gdfast.sweep("quartic", "gd|box:low=0.2,high=1", [0.01], [[0.5]], max_steps=500, keep_theta=True)
    assert result.theta.values.item() == 1.0
    assert result.outcome.values.item() == Outcome.frozen


class TestTheory:
    def test_a_projection_around_a_minimum_changes_nothing_there(self):
        quartic = problems.quartic()
        table = theory.limits(quartic, notation.optimizers("gd gd|box:low=-3,high=3|ball=5 gd|box:low=0,high=1"))
        np.testing.assert_allclose(table.iloc[1], table.iloc[0], rtol=1e-6)  # found, not by a formula
        assert table.iloc[2].isna().all()

    @pytest.mark.slow
    def test_caution_is_seen_to_die_out_or_not(self):
        (rule,) = notation.optimizers("momentum:momentum=0.5|cautious")
        limit, bowl = theory.limit(rule, 1.0), cases.least_squares([[1.0]], [0.0])
        rates = limit * np.array([0.5, 0.99, 1.01, 2.0])
        sweep = gdfast.Sweep(bowl, rule, rates, [[1e-24]], 20_000, settle=False)
        left = np.abs(gdfast.run(sweep, keep_theta=True).theta.values.ravel())
        assert (left[:2] < 1e-24).all()
        assert (left[2:] > 1e-15).all()

    def test_what_remembers_points_is_not_told(self):
        (rule,) = notation.optimizers("gd|lookahead")
        assert theory.limit(rule, 1.0) is None
        assert theory.edge(rule) is None
        assert np.isnan(theory.spectral_radius(rule, [0.1], 1.0)).all()


def without_before(theta, grad, lr):
    return theta


def differing(theta, grad, before, total, lr):
    return theta, total + grad


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: transforms.box(low=1.0, high=0.0), ["box: low", "0", "1"]),
        (lambda: transforms.ball(0.0), ["ball: radius", "> 0"]),
        (lambda: transforms.simplex(-1.0), ["simplex: radius", "> 0"]),
        (lambda: transforms.l1_ball(over="layers"), ["l1_ball: over", "'layers'", "arrays"]),
        (lambda: transforms.Transform(without_before, rounds=True), ["rounds", "sums"]),
        (lambda: transforms.lookahead(k=0), ["lookahead: k", "from 1", "0"]),
        (lambda: transforms.lookahead(alpha=2.0), ["lookahead: alpha", "[0, 1]", "2"]),
        (lambda: transforms.weight_decay(of="biases"), ["weight_decay: of", "'biases'", "matrices"]),
        (lambda: transforms.cautious(over="layers"), ["cautious: over", "'layers'", "arrays"]),
        (lambda: transforms.Transform(without_before, after=True), ["without_before", "before, lr"]),
        (lambda: transforms.Transform(differing, after=True, scalars=("total",)), ["scalar total", "grad"]),
        (lambda: transforms.Transform(differing, scalars=("total",)), ["scalars", "after the update", "total"]),
        (lambda: own().replace(limit=-1.0), ["own: limit", "-1"]),
        (lambda: transforms.Transform(way, after=True, initial={"fast": 1.0}), ["way"]),
    ],
)
def test_bad_input(call, words):
    cases.refused(call, ValueError, *words)
