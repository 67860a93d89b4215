"""Schedules together, of hyperparameters, and those that theory tells."""

import pickle

import numpy as np
import pytest
from cases import agree, refused

import gdfast
from gdfast import notation, optimizers, problems, schedules, transforms
from gdfast.schedules import chained, constant, cosine, exponential, linear, reduce_on_plateau, sequence, warmup

TEXTS = [
    "adam|warmup:steps=100|reduce_on_plateau:after=100",
    "adam:beta1=(linear:start=0.5,end=0.9)|cosine",
    "momentum:momentum=(constant:factor=0.5|cosine)",
    "nesterov:momentum=(nesterov_momentum:recursive=True)",
    "gd|clip_norm:max_norm=(linear:start=3,end=1)",
    "gd|sequence:schedules=(constant:factor=0.1)/(cosine),milestones=20/",
    "gd|warmup:steps=5,then=(cosine|exponential:gamma=0.5)",
]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_read_and_written(text):
    (rule,) = notation.optimizers(text)
    assert rule.label == text
    assert pickle.loads(pickle.dumps(rule)) == rule
    assert gdfast.Sweep("quartic", rule, [0.1]).hyperparameters == {}


def test_several_schedules_of_a_hyperparameter_are_an_axis():
    rules = notation.optimizers("momentum:momentum=(linear:start=0.5,end=0.9)/0.8")
    assert [rule.parameters["momentum"] for rule in rules] == [linear(0.5, 0.9), 0.8]
    told = gdfast.Sweep("quartic", rules, [0.1]).hyperparameters["momentum"]
    assert told == ["linear:start=0.5,end=0.9", "0.8"]


@pytest.mark.slow
def test_chains_and_sequences_are_torchs():
    torch = pytest.importorskip("torch")
    lr = torch.optim.lr_scheduler

    def rates(make):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        plan, got = make(optimizer), []
        for _ in range(40):
            got.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            plan.step()
        return np.array(got)

    first, second = (lambda o: lr.ConstantLR(o, 0.1, 100)), (lambda o: lr.ExponentialLR(o, 0.9))
    expected = rates(lambda o: lr.SequentialLR(o, [first(o), second(o)], [20]))
    got = sequence([constant(0.1), exponential(0.9)], [20]).multipliers(39)
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    expected = rates(lambda o: lr.ChainedScheduler([lr.LinearLR(o, 0.25, 1.0, 8), lr.StepLR(o, 10, 0.5)]))
    got = chained(warmup(steps=8, start=0.25), schedules.step(every=10, gamma=0.5)).multipliers(39)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_a_warm_up_then_a_plateau_is_a_plain_loop():
    rule = optimizers.gd().scheduled(warmup(steps=5, start=0.2), reduce_on_plateau(patience=1, factor=0.5, after=5))
    rates, starts = np.array([0.02, 0.09, 0.15]), np.array([-2.0, 0.7, 2.5])
    sweep = gdfast.Sweep("quartic", rule, rates, starts, max_steps=40, settle=False)
    result = agree(sweep)
    problem = problems.quartic()
    for i, rate in enumerate(rates):
        for j, start in enumerate(starts):
            theta, factor, best, bad = np.array([start]), 1.0, np.inf, 0
            for t in range(40):
                loss, now = problem.loss(theta[:, None])[0], factor
                if t >= 5:
                    bad = 0 if loss < best * (1 - 1e-4) else bad + 1
                    best = loss if bad == 0 else best
                    if bad > 1:
                        factor, bad = factor * 0.5, 0
                theta = theta - (0.2 + 0.8 * min(t / 5, 1)) * now * rate * problem.gradient(theta[:, None])[:, 0]
            assert abs(result.theta.values[0, i, j] - theta) <= 1e-9 * (1 + abs(theta))


def test_a_momentum_and_a_limit_that_depend_on_the_step_are_a_plain_loop():
    steps, rates, starts = 30, np.array([0.01, 0.03]), np.array([-2.5, 0.7])
    rule = optimizers.momentum(momentum=linear(0.5, 0.95)).transformed(
        transforms.clip_value(limit=chained(constant(2.0), exponential(0.9)))
    )
    sweep = gdfast.Sweep("quartic", rule, rates, starts, max_steps=steps, settle=False)
    result = agree(sweep)
    problem = problems.quartic()
    for i, rate in enumerate(rates):
        for j, start in enumerate(starts):
            theta, buffer = np.array([start]), 0.0
            for t in range(steps):
                grad = np.clip(problem.gradient(theta[:, None])[:, 0], -2 * 0.9**t, 2 * 0.9**t)
                buffer = (0.5 + 0.45 * t / steps) * buffer + grad
                theta = theta - rate * buffer
            np.testing.assert_allclose(result.theta.values[0, i, j], theta, rtol=1e-12)


@pytest.mark.slow
def test_betas_that_depend_on_the_step_are_torchs():
    torch = pytest.importorskip("torch")
    rule = optimizers.adam(beta1=linear(0.5, 0.95, total=50), beta2=lambda t: 0.9 + 0.001 * t)
    path = gdfast.trajectory("rosenbrock", rule, [-1.0, 1.5], 0.01, 60, gradient_tolerance=0.0).theta.values
    theta = torch.tensor([-1.0, 1.5], dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([theta], lr=0.01)
    for t in range(60):
        np.testing.assert_allclose(path[t], theta.detach().numpy(), rtol=1e-12)
        adam.param_groups[0]["betas"] = 0.5 + 0.45 * min(t / 50, 1), 0.9 + 0.001 * t
        adam.zero_grad()
        ((1 - theta[0]) ** 2 + 100 * (theta[1] - theta[0] ** 2) ** 2).backward()
        adam.step()


@pytest.mark.parametrize("recursive", [False, True])
def test_nesterovs_momentum_is_his_method(recursive):
    rule = optimizers.nesterov(momentum=schedules.nesterov_momentum(recursive=recursive))
    (path,) = [gdfast.trajectory("rosenbrock", rule, [-1.0, 1.5], 5e-4, 50, gradient_tolerance=0.0).theta.values]
    problem, x, y, a = problems.rosenbrock(), np.array([-1.0, 1.5]), np.array([-1.0, 1.5]), 1.0
    for t in range(1, 51):
        np.testing.assert_allclose(path[t - 1], y, rtol=1e-11)
        after = y - 5e-4 * problem.gradient(y[:, None])[:, 0]
        later = (1 + np.sqrt(1 + 4 * a * a)) / 2
        y = after + ((a - 1) / later if recursive else (t - 1) / (t + 2)) * (after - x)
        x, a = after, later


def test_chebyshev_steps_make_the_largest_error_as_small_as_a_polynomial_can():
    for total in (1, 2, 7, 8, 64, 100):
        steps = schedules.chebyshev(mu=0.02, largest=3.0, total=total).multipliers(2 * total)
        np.testing.assert_array_equal(steps[:total], steps[total : 2 * total])
        curvatures = np.linspace(0.02, 3.0, 5001)
        error = np.ones_like(curvatures)
        for step in steps[:total]:
            error = error * (1 - step * curvatures)
            assert np.abs(error).max() < 1e6  # never so large that rounding would remain
        least = 1 / np.cosh(total * np.arccosh(3.02 / 2.98))
        np.testing.assert_allclose(np.abs(error).max(), least, rtol=1e-6)


def test_silver_steps_are_made_of_themselves_and_hedge():
    steps, ratio = [np.sqrt(2.0)], 1 + np.sqrt(2.0)
    for k in range(1, 6):
        steps = [*steps, 1 + ratio ** (k - 1), *steps]
    np.testing.assert_allclose(schedules.silver().multipliers(62), steps, rtol=1e-12)
    # Of the loss of Huber, whose slope is 1 beyond a place, constant steps need n times as long as of the parabola.
    for place in np.geomspace(0.01, 1, 20):
        x = 1.0
        for step in steps:
            x = x - step * np.clip(x, -place, place)
        loss = x * x / 2 if abs(x) < place else place * (abs(x) - place / 2)
        assert loss <= 1 / (1 + np.sqrt(4 * ratio ** (2 * np.log2(len(steps) + 1)) - 3))  # theorem 1.1


def test_what_is_no_chain_or_no_value_at_some_step_is_refused():
    late = sequence([constant(0.5), constant(1.5)], [50])
    refused(lambda: gdfast.Sweep("quartic", optimizers.momentum(momentum=late), [0.1]), ValueError, "at step 50", "1.5")
    refused(lambda: chained(reduce_on_plateau(), reduce_on_plateau()), ValueError, "one that looks at losses at most")
    refused(lambda: optimizers.momentum(momentum=reduce_on_plateau()), TypeError, "momentum", "step alone")
    refused(lambda: optimizers.prodigy(d0=linear(0.1, 0.2)), ValueError, "prodigy", "d0", "numbers")
    refused(lambda: sequence([cosine(), cosine()], [5, 3]), ValueError, "milestones")
    refused(lambda: optimizers.adam(amsgrad=linear()), TypeError, "amsgrad")
