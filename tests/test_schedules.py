"""Multipliers of the learning rate: their shapes, their use in sweeps, bad parameters."""

import cases
import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems, schedules

BY_STEP = [make for make in schedules.CATALOGUE.values() if make is not schedules.reduce_on_plateau]


@pytest.mark.parametrize("factory", BY_STEP, ids=lambda f: f.__name__)
@pytest.mark.parametrize("max_steps", [1, 7, 300])
def test_multipliers_are_finite_and_not_negative(factory, max_steps):
    got = factory().multipliers(max_steps)
    assert got.shape == (max_steps + 1,)
    assert np.isfinite(got).all()
    assert (got >= 0).all()
    assert (got <= 1 + 1e-12).all()


def test_shapes():
    m = schedules.warmup_stable_decay(rise=0.1, fall=0.4, end=0.2).multipliers(100)
    np.testing.assert_allclose(m[[0, 5, 10, 60, 80, 100]], [0, 0.5, 1, 1, 0.6, 0.2])
    m = schedules.inverse_sqrt(warmup=4).multipliers(100)
    np.testing.assert_allclose(m[[0, 3, 15, 99]], [0.25, 1.0, 0.5, 0.2])
    m = schedules.warmup(steps=10, then=schedules.linear()).multipliers(110)
    np.testing.assert_allclose(m[[0, 5, 10, 60, 110]], [0, 0.5, 1, 0.5, 0])
    m = schedules.cosine(total=10).multipliers(30)
    assert (m[10:] == 0).all()


SCHEDULES = [
    schedules.cosine(),
    schedules.warmup(steps=20, then=schedules.step(every=50, gamma=0.5)),
    schedules.constant(0.5),
    schedules.reduce_on_plateau(factor=0.5, patience=3, cooldown=2, least=0.01),
]


@pytest.mark.parametrize("problem", [problems.rosenbrock(), problems.quadratic(dimension=9)], ids=lambda p: p.name)
def test_kernel_and_reference_agree_to_the_bit(problem):
    rules = [optimizers.adam(), optimizers.lamb(), optimizers.polyak_sgd()]
    chosen = [rule.scheduled(schedule) for rule in rules for schedule in SCHEDULES]
    sweep = gdfast.Sweep(problem, chosen, np.logspace(-4, 0, 20), problem.random(25), 200)
    got = cases.agree(sweep)
    assert "adam|warmup:steps=20,then=(step:every=50,gamma=0.5)" in got.optimizer.values


def test_a_constant_schedule_scales_the_learning_rate():
    half = optimizers.momentum().scheduled(schedules.constant(0.5))
    got = gdfast.trajectory(problems.quartic(), half, [1.5], 0.02, 100)
    expected = gdfast.trajectory(problems.quartic(), optimizers.momentum(), [1.5], 0.01, 100)
    np.testing.assert_array_equal(got.theta.values, expected.theta.values)


def plateau(losses, factor, patience, threshold, cooldown, least, absolute):
    """The multipliers that follow each loss, as torch's documentation describes them."""
    multiplier, best, bad, rest, out = 1.0, np.inf, 0, 0, []
    for loss in losses:
        if loss < (best - threshold if absolute else best * (1 - threshold)):
            best, bad = loss, 0
        else:
            bad += 1
        if rest > 0:
            rest, bad = rest - 1, 0
        if bad > patience:
            multiplier, rest, bad = max(multiplier * factor, least), cooldown, 0
        out.append(multiplier)
    return out


PLATEAUS = [
    {"factor": 0.5, "patience": 2, "threshold": 1e-3, "cooldown": 0, "least": 0.0, "absolute": False},
    {"factor": 0.1, "patience": 4, "threshold": 0.1, "cooldown": 3, "least": 0.02, "absolute": False},
    {"factor": 0.7, "patience": 0, "threshold": 0.2, "cooldown": 1, "least": 0.0, "absolute": True},
]


def on_plateau(parameters, steps=300):
    """A path of gradient descent that oscillates until its rate is cut."""
    rule = optimizers.gd().scheduled(schedules.reduce_on_plateau(**parameters))
    return gdfast.trajectory(problems.rosenbrock(), rule, [-1.2, 1.0], 0.0035, steps)


@pytest.mark.parametrize("parameters", PLATEAUS, ids=str)
def test_reduce_on_plateau_cuts_where_its_description_says(parameters):
    path = on_plateau(parameters)
    multipliers = [1.0, *plateau(path.loss.values, **parameters)]
    assert len(set(multipliers)) > 1
    x, gradient = path.theta.values, problems.rosenbrock().gradient
    for t in range(len(x) - 1):
        expected = x[t] - 0.0035 * multipliers[t] * gradient(x[t][:, None])[:, 0]
        np.testing.assert_allclose(x[t + 1], expected, rtol=1e-13)


@pytest.mark.parametrize("parameters", PLATEAUS, ids=str)
def test_reduce_on_plateau_is_torchs(parameters):
    torch = pytest.importorskip("torch", reason="torch is not installed (extra parity)")
    options = {**parameters, "threshold_mode": "abs" if parameters["absolute"] else "rel", "eps": 0.0}
    options["min_lr"] = 0.0035 * options.pop("least")
    del options["absolute"]
    point = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([point], lr=0.0035)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    path = on_plateau(parameters)
    for expected in path.theta.values:
        np.testing.assert_allclose(point.detach().numpy(), expected, rtol=1e-10)
        optimizer.zero_grad()
        loss = (1 - point[0]) ** 2 + 100 * (point[1] - point[0] ** 2) ** 2
        loss.backward()
        optimizer.step()
        schedule.step(loss.item())


def schedule_free(gradient, start, learning_rates, momentum):
    """Schedule-free gradient descent under any learning rates, with the average x in place of y's recursion."""
    x = z = start
    path, total, largest = [start], 0.0, 0.0
    for t, lr in enumerate(learning_rates):
        y = momentum * x + (1 - momentum) * z
        z = z - lr * gradient(y)
        largest = max(largest, lr)
        total += largest**2
        if t == len(learning_rates) - 1:
            break
        share = largest**2 / total if total > 0 else 0.0
        x = (1 - share) * x + share * z
        path.append(momentum * x + (1 - momentum) * z)
    return np.array(path)


@pytest.mark.parametrize(
    "schedule",
    [
        None,
        schedules.constant(3.0),
        schedules.cosine(),
        schedules.warmup(steps=9, then=schedules.cosine()),
        schedules.cyclical(up=7),
    ],
    ids=lambda s: s.label if s else "none",
)
def test_schedule_free_averages_by_the_largest_rate_so_far(schedule):
    problem, rate, steps = problems.quartic(), 0.01, 100
    rule = optimizers.schedule_free_sgd(momentum=0.8)
    got = gdfast.trajectory(problem, rule.scheduled(schedule) if schedule else rule, [1.0], rate, steps)
    multipliers = schedule.multipliers(steps) if schedule else np.ones(steps + 1)
    expected = schedule_free(lambda x: 4 * x**3 - 10 * x + 3, 1.0, rate * multipliers, 0.8)
    np.testing.assert_allclose(got.theta.values[:, 0], expected, rtol=1e-11)


def test_decay_lets_gd_settle_where_a_constant_rate_oscillates():
    # Just above 2/f'' of the worse minimum the constant rate ends in a two-cycle around it.
    path = {
        name: gdfast.trajectory(problems.quartic(), rule, [1.3], 0.16, 3000)
        for name, rule in (
            ("constant", optimizers.gd()),
            ("decay", optimizers.gd().scheduled(schedules.linear(end=0.5))),
        )
    }
    assert path["constant"].attrs["outcome"] == "oscillating"
    assert path["decay"].attrs["outcome"] == "local_minimum"


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: schedules.step(every=0), ValueError, ["step: every", "0"]),
        (lambda: schedules.cosine(end=2.0), ValueError, ["cosine: end", "[0, 1]"]),
        (lambda: schedules.exponential(gamma=0.0), ValueError, ["gamma", "> 0"]),
        (lambda: schedules.warmup(then="cosine"), TypeError, ["warmup: then", "'cosine'"]),
        (lambda: schedules.warmup_stable_decay(rise=0.6, fall=0.6), ValueError, ["rise + fall", "1.2"]),
        (lambda: optimizers.gd().scheduled("cosine"), TypeError, ["schedule", "'cosine'"]),
    ],
)
def test_bad_schedules_are_refused(call, kind, words):
    cases.refused(call, kind, *words)
