"""Multipliers of the learning rate: their shapes, their use in sweeps, bad parameters."""

import inspect

import cases
import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems, schedules

LARGER = schedules.silver, schedules.chebyshev  # than 1
OTHERS = schedules.reduce_on_plateau, *LARGER
BY_STEP = [make for make in schedules.CATALOGUE.values() if make not in OTHERS]


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


AT_STEPS = [
    (schedules.step(every=4, gamma=0.5), 20, {0: 1, 3: 1, 4: 0.5, 7: 0.5, 8: 0.25, 20: 2.0**-5}),
    (schedules.multi_step([6, 3], gamma=0.1), 9, {0: 1, 2: 1, 3: 0.1, 5: 0.1, 6: 0.01, 9: 0.01}),
    (schedules.exponential(gamma=0.5), 8, {0: 1, 1: 0.5, 8: 2.0**-8}),
    (schedules.linear(start=0.5, end=0.9), 8, {0: 0.5, 2: 0.6, 4: 0.7, 8: 0.9}),
    (schedules.polynomial(power=3.0, end=0.2, total=4), 8, {0: 1, 2: 0.3, 4: 0.2, 8: 0.2}),
    (schedules.inverse_sqrt(), 99, {0: 1, 3: 0.5, 99: 0.1}),
    (schedules.cosine(end=0.2), 6, {0: 1, 2: 0.8, 3: 0.6, 4: 0.4, 6: 0.2}),
    # Of lengths 2, 6 and 18.
    (schedules.cosine_warm_restarts(period=2, factor=3.0), 27, {0: 1, 1: 0.5, 2: 1, 5: 0.5, 8: 1, 17: 0.5, 26: 1}),
    (schedules.warmup(steps=4, start=0.2), 9, {0: 0.2, 1: 0.4, 3: 0.8, 4: 1, 9: 1}),
    # What follows is counted from the end of the rise, and stretched over what is left of the budget.
    (
        schedules.warmup(steps=5, start=0.5, then=schedules.linear(start=0.8)),
        13,
        {0: 0.5, 4: 0.9, 5: 0.8, 9: 0.4, 13: 0},
    ),
    (schedules.warmup(steps=5, then=schedules.linear()), 3, {0: 0, 3: 0.6}),
    # The top is at step 0.5 · 9 − 1, the end at step 8.
    (
        schedules.one_cycle(rise=0.5, start_divisor=4.0, end_divisor=5.0, total=10),
        12,
        {0: 0.25, 2: 0.625, 4: 1, 9: 0.05, 12: 0.05},
    ),
    (schedules.one_cycle(rise=0.5, start_divisor=4.0, end_divisor=5.0, total=4), 5, {0: 0.25, 1: 1, 3: 0.05, 5: 0.05}),
    (schedules.one_cycle(rise=0.25, start_divisor=4.0, end_divisor=5.0), 4, {0: 1, 3: 0.05}),  # no step to rise
    (schedules.cyclical(low=0.2, up=4), 20, {0: 0.2, 1: 0.4, 4: 1, 6: 0.6, 8: 0.2, 12: 1, 15: 0.4, 20: 1}),
    (schedules.cyclical(low=0.2, up=2, down=4), 12, {0: 0.2, 1: 0.6, 2: 1, 4: 0.6, 6: 0.2, 8: 1, 12: 0.2}),
    (schedules.warmup_stable_decay(rise=0.5, fall=0.5, end=0.1), 8, {0: 0, 2: 0.5, 4: 1, 6: 0.55, 8: 0.1}),
    (schedules.warmup_stable_decay(rise=0.0, fall=0.5), 8, {0: 1, 4: 1, 6: 0.5, 8: 0}),
    (schedules.warmup_stable_decay(rise=0.5, fall=0.0), 8, {0: 0, 3: 0.75, 4: 1, 8: 1}),
    (schedules.constant(2.5), 3, {0: 2.5, 3: 2.5}),
]
"""Schedules, a budget, and the multipliers of some steps, worked out by hand from what each says of itself."""


@pytest.mark.parametrize(("schedule", "budget", "expected"), AT_STEPS, ids=cases.label)
def test_multipliers_of_steps_by_hand(schedule, budget, expected):
    got = schedule.multipliers(budget)
    np.testing.assert_allclose(got[list(expected)], list(expected.values()), rtol=1e-12, atol=1e-15)
    some = [budget, budget // 2]
    np.testing.assert_array_equal(schedule.at(np.array(some, dtype=np.float64), budget), got[some])


STRETCHED = [make for make in BY_STEP if "total" in inspect.signature(make).parameters]


@pytest.mark.parametrize("factory", STRETCHED, ids=lambda f: f.__name__)
def test_without_a_total_a_schedule_is_stretched_over_the_budget_and_stays_after_a_total(factory):
    got = factory(total=40).multipliers(100)
    np.testing.assert_array_equal(got[:41], factory().multipliers(40))
    assert (got[40:] == got[40]).all()
    assert len({*factory(total=0).multipliers(5)}) == 1  # at its end at once
    with pytest.raises(ValueError, match="total"):
        factory(total=-1)


def test_what_a_name_alone_stands_for():
    # Labels leave these values out, also those of stores that were written long ago.
    written = {
        "constant": "factor=1.0",
        "step": "every=30,gamma=0.1",
        "multi_step": "milestones=(30, 80),gamma=0.1",
        "exponential": "gamma=0.99",
        "linear": "start=1.0,end=0.0,total=None",
        "polynomial": "power=2.0,end=0.0,total=None",
        "inverse_sqrt": "warmup=1",
        "cosine": "end=0.0,total=None",
        "cosine_warm_restarts": "period=50,factor=1.0,end=0.0",
        "warmup": "steps=10,start=0.0,then=None",
        "sequence": "schedules=(),milestones=()",
        "silver": "",
        "chebyshev": "mu=0.1,largest=1.0,total=None",
        "nesterov_momentum": "recursive=False",
        "one_cycle": "rise=0.3,start_divisor=25.0,end_divisor=10000.0,total=None",
        "cyclical": "low=0.1,up=50,down=None",
        "warmup_stable_decay": "rise=0.1,fall=0.2,end=0.0,total=None",
        "reduce_on_plateau": "factor=0.1,patience=10,threshold=0.0001,cooldown=0,least=0.0,absolute=False,after=0",
    }
    for name, factory in schedules.CATALOGUE.items():
        defaults = (f"{each.name}={each.default}" for each in inspect.signature(factory).parameters.values())
        assert ",".join(defaults) == written[name]


SCHEDULES = [
    schedules.cosine(),
    schedules.warmup(steps=20, then=schedules.step(every=50, gamma=0.5)),
    schedules.constant(0.5),
    schedules.reduce_on_plateau(factor=0.5, patience=3, cooldown=2, least=0.01),
]


@pytest.mark.slow
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


@pytest.mark.slow
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
        (lambda: schedules.linear(start=-0.1), ValueError, ["linear: start", ">= 0"]),
        (lambda: schedules.cosine_warm_restarts(factor=0.9), ValueError, ["cosine_warm_restarts: factor", "0.9"]),
        (lambda: schedules.cosine_warm_restarts(period=0), ValueError, ["cosine_warm_restarts: period", "0"]),
        (lambda: schedules.multi_step(milestones=[-1]), ValueError, ["multi_step: milestones", "-1"]),
        (lambda: schedules.inverse_sqrt(warmup=0), ValueError, ["inverse_sqrt: warmup", "0"]),
        (lambda: schedules.warmup(steps=-1), ValueError, ["warmup: steps", "-1"]),
        (lambda: schedules.warmup(start=1.1), ValueError, ["warmup: start", "[0, 1]"]),
        (lambda: schedules.cyclical(up=0), ValueError, ["cyclical: up", "0"]),
        (lambda: schedules.cyclical(down=0), ValueError, ["cyclical: down", "0"]),
        *(
            (lambda rise=rise: schedules.one_cycle(rise=rise), ValueError, ["one_cycle: rise", "(0, 1)"])
            for rise in (0.0, -0.5, 1.0)
        ),
        *(
            (lambda factor=factor: schedules.reduce_on_plateau(factor), ValueError, ["factor", "(0, 1)"])
            for factor in (0.0, -0.5, 1.0)
        ),
        (
            lambda: schedules.Schedule(lambda t, budget: np.ones(3)),
            ValueError,
            ["a factor for each of 2 steps", "(3,)"],
        ),
        (lambda: schedules.Schedule(3), TypeError, ["multiplier", "3"]),
        (lambda: schedules.warmup(then="cosine"), TypeError, ["warmup: then", "'cosine'"]),
        (lambda: schedules.warmup_stable_decay(rise=0.6, fall=0.6), ValueError, ["rise + fall", "1.2"]),
        (lambda: optimizers.gd().scheduled("cosine"), TypeError, ["schedule", "'cosine'"]),
    ],
)
def test_bad_schedules_are_refused(call, kind, words):
    cases.refused(call, kind, *words)
