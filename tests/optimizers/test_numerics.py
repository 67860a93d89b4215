"""Rules and transforms at the ends of the range of numbers: rates of 0, gradients that are 0, tiny or huge."""

import cases
import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems, schedules, transforms
from gdfast.tiles.outcomes import Outcome

BOWL, NINE = problems.quadratic(), problems.quadratic(dimension=9)
IN_REGISTERS = problems.matyas()  # a quadratic too, with its minimum at 0
FROM_ZERO = [
    schedules.warmup(steps=5),
    schedules.warmup_stable_decay(),
    schedules.linear(start=0.0, end=1.0, total=7),
    schedules.linear(start=0.0, end=0.0),
]
TO_ZERO = [
    schedules.linear(),
    schedules.polynomial(total=9),
    schedules.cosine(total=9),
    schedules.exponential(gamma=1e-60),
    schedules.step(every=1, gamma=1e-200),
]


def whole(problem, optimizer, *starts, **options):
    """The reference's result from starts of coordinates that repeat, without tolerances; the kernel's is the same."""
    points = np.resize(np.array(starts).T, (problem.dimension, len(starts))).T
    settings = {"learning_rates": [0.01, 0.3], "max_steps": 20, "gradient_tolerance": 0.0, "divergence_limit": 1e300}
    sweep = gdfast.Sweep(problem, optimizer, starts=points, **settings | options)
    return sweep, gdfast.run(sweep, backend="numpy", keep_theta=True)


def assert_finite_on_schedules(name, kernel):
    factory = optimizers.CATALOGUE[name]
    more = [factory(centered=True, momentum=m) for m in (0.0, 0.5)] if name == "rmsprop" else []
    for make in (factory(), *more):
        rules = [make.scheduled(schedule) for schedule in FROM_ZERO + TO_ZERO]
        starts = [1.0, -2.0], [0.0, 0.0], [0.0, 1.0], [5e-324, -5e-324], [1e-200, 0.0]
        bowl = cases.one_of_each_template(make, IN_REGISTERS)
        sweep, result = whole(bowl, rules, *starts)
        assert np.isfinite(result.theta).all()
        assert (result.outcome != Outcome.diverged).all()
        if kernel:
            cases.assert_same(gdfast.run(sweep, keep_theta=True), result)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", optimizers.CATALOGUE)
def test_schedules_that_start_or_end_at_0_leave_every_rule_finite(name):
    assert_finite_on_schedules(name, kernel=name in {"adgd", "normalized_gd"})


@pytest.mark.slow
@pytest.mark.parametrize("name", optimizers.CATALOGUE)
def test_kernels_are_finite_too_under_schedules_that_start_or_end_at_0(name):
    assert_finite_on_schedules(name, kernel=True)


def test_adgd_starts_with_the_first_rate_that_is_not_0():
    warm = optimizers.adgd().scheduled(schedules.warmup(steps=4))
    got = gdfast.trajectory(BOWL, warm, [1.0, -2.0], 0.01, 30).theta.values
    expected = gdfast.trajectory(BOWL, optimizers.adgd(), [1.0, -2.0], 0.01 / 4, 30).theta.values
    np.testing.assert_array_equal(got[0], got[1])
    np.testing.assert_array_equal(got[1:], expected[: len(got) - 1])


def test_a_constant_gradient_leaves_the_centered_variance_positive():
    slope = problems.from_expression("0.3*x", [(-1, 1)])
    _, result = whole(slope, optimizers.rmsprop(centered=True, alpha=0.9), [1.0], max_steps=400, dtype="float32")
    assert np.isfinite(result.theta).all()


GD = optimizers.gd()
OF_NO_SCALE = {  # with what a rate is multiplied where the start is
    "adgd": (optimizers.adgd(), False),
    "barzilai_borwein": (optimizers.barzilai_borwein(), False),
    "short": (optimizers.barzilai_borwein(short=True), False),
    "lars": (optimizers.lars(trust_coefficient=0.1), False),
    "normalized_gd": (optimizers.normalized_gd(), True),
    "normalize": (GD.transformed(transforms.normalize()), True),
}


def assert_scales(problem, name, dtype, powers):
    """On a quadratic the path from 2ᵏ θ is 2ᵏ times that from θ, to the bit, whatever the squares of gradients do."""
    rule, scaled = OF_NO_SCALE[name]
    factors = np.ldexp(1.0, powers)
    rates = 0.01 * factors if scaled else [0.01] * len(powers)
    limits = {"divergence_limit": 1e300 if dtype == "float64" else 1e37}
    starts = [factor * np.array([1.0, -2.0]) for factor in factors]
    sweep, result = whole(problem, rule, *starts, learning_rates=rates, max_steps=25, dtype=dtype, **limits)
    cases.assert_same(gdfast.run(sweep, keep_theta=True), result)
    at = range(len(powers))
    paths = result.theta.values[0, at, at] / factors[:, None]
    assert not np.array_equal(paths[0], sweep.starts[list(powers).index(0)])
    np.testing.assert_array_equal(paths, np.broadcast_to(paths[list(powers).index(0)], paths.shape))


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_NO_SCALE)
def test_norms_neither_overflow_nor_underflow(name):
    assert_scales(NINE, name, "float64", [-900, -500, 0, 400, 900])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["normalize", "lars"])
def test_norms_in_registers_neither_overflow_nor_underflow(name):
    assert_scales(IN_REGISTERS, name, "float64", [-900, -500, 0, 400, 900])
    assert_scales(IN_REGISTERS, name, "float32", [-80, -45, 0, 40, 90])


def test_polyaks_step_does_not_depend_on_the_scale_while_losses_are_numbers():
    starts = [np.ldexp(1.0, k) * np.array([1.0, -2.0]) for k in (-480, 0, 480)]
    sweep, result = whole(NINE, optimizers.polyak_sgd(), *starts, max_steps=25)
    cases.assert_same(gdfast.run(sweep, keep_theta=True), result)
    ends = result.theta.values[0, 0] / np.ldexp(1.0, (-480, 0, 480))[:, None]
    np.testing.assert_array_equal(ends, np.broadcast_to(ends[1], ends.shape))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("problem", [problems.quartic(), NINE], ids=cases.label)
def test_a_gradient_beyond_the_limit_has_diverged_before_it_is_clipped(problem, backend):
    chains = transforms.clip_norm(1.0), transforms.normalize(), transforms.clip_value(1.0)
    rules = [GD.transformed(chain) for chain in chains]
    starts = np.outer([1.0, 1e20, 1e80, 1e100, 1e300], np.ones(problem.dimension))
    result = gdfast.run(gdfast.Sweep(problem, rules, [0.1], starts, 30), backend=backend)
    assert (result.outcome[:, :, 0] != Outcome.diverged).all()
    assert (result.outcome[:, :, 1:] == Outcome.diverged).all()
    assert (result.steps[:, :, 1:] == 0).all()


def test_gradients_of_layers_have_norms_at_any_scale():
    network = problems.mlp((2, 3, 1), "identity", data=([[1.0, 2.0], [3.0, -1.0]], [1.0, 2.0]))
    points = network.starts(seeds=range(2)).points
    expected = gdfast.gradient_flow(network, points).norm
    grad = network.gradient
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(network), "gradient", lambda self, theta: np.ldexp(grad(theta), 900))
        np.testing.assert_array_equal(gdfast.gradient_flow(network, points).norm, np.ldexp(expected, 900))
