"""Averages of points: those of torch's and optax's, their attraction, and schedule-free rules judged at them."""

import cases
import numpy as np
import pytest

import gdfast
from gdfast import notation, optimizers, schedules, theory, transforms

START, RATE, STEPS = [-1.0, 1.5], 0.01, 60


def path_of(rule):
    return gdfast.trajectory("rosenbrock", rule, START, RATE, STEPS, gradient_tolerance=0.0).theta.values


def test_kernel_and_reference_agree_and_the_iterate_is_the_optimizers():
    plans = schedules.cosine(), transforms.clip_value(5.0)
    base = optimizers.adam(beta2=schedules.linear(0.9, 0.99)).scheduled(plans[0]).transformed(plans[1])
    rule = optimizers.averaged(of=base, decay=0.9)
    assert rule.label == "averaged:of=(adam:beta2=(linear:start=0.9,end=0.99)|cosine|clip_value:limit=5),decay=0.9"
    assert notation.optimizers(rule.label) == [rule]
    cases.agree(gdfast.Sweep("rosenbrock", rule, np.geomspace(1e-4, 1e-2, 4), max_steps=50))
    plain, points = path_of(base), path_of(rule)
    weights = 0.9 ** np.arange(STEPS)
    for t in range(1, STEPS + 1):
        expected = (weights[:t, None] * plain[t:0:-1]).sum(axis=0) / weights[:t].sum()
        np.testing.assert_allclose(points[t], expected, rtol=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("decay", [0.9, 1.0])
def test_averages_are_torchs(decay):
    torch = pytest.importorskip("torch")
    swa = torch.optim.swa_utils
    rule = optimizers.averaged(of=optimizers.adam(), decay=decay, debias=decay == 1)
    model = torch.nn.Linear(2, 1, bias=False).double()
    model.weight.data[:] = torch.tensor([START])
    average = swa.AveragedModel(model, avg_fn=swa.get_ema_avg_fn(decay) if decay < 1 else None)
    adam = torch.optim.Adam(model.parameters(), lr=RATE)
    for point in path_of(rule)[1:]:
        x = model.weight[0]
        adam.zero_grad()
        ((1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2).backward()
        adam.step()
        average.update_parameters(model)
        np.testing.assert_allclose(point, average.module.weight[0].detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize(("alpha", "t0"), [(0.75, 0), (0.6, 10), (1.3, 40)])
def test_the_average_of_asgd_is_torchs_from_its_first_step_on(alpha, t0, request):
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # in which it keeps its rate
    request.addfinalizer(lambda: torch.set_default_dtype(before))
    theta = torch.tensor(np.array(START), requires_grad=True)
    sgd = torch.optim.ASGD([theta], lr=1e-3, lambd=0.5, alpha=alpha, t0=t0)
    expected = []
    for _ in range(100):
        x = theta.detach().numpy().copy()
        theta.grad = torch.from_numpy(gdfast.problems.rosenbrock().gradient(x[:, None])[:, 0])
        sgd.step()
        expected.append(sgd.state[theta]["ax"].numpy().copy())
    rule = optimizers.averaged(of=optimizers.asgd(lambd=0.5, alpha=alpha), start=1 + t0)
    got = gdfast.trajectory("rosenbrock", rule, START, 1e-3, 100, gradient_tolerance=0.0).theta.values
    np.testing.assert_allclose(got[1:], expected, rtol=1e-10)


@pytest.mark.parametrize(("name", "beta"), [("schedule_free_sgd", "momentum"), ("schedule_free_adamw", "beta1")])
def test_schedule_free_rules_at_their_average_take_gradients_at_the_same_points(name, beta):
    make = optimizers.CATALOGUE[name]
    rates = {"schedule_free_sgd": 1e-3, "schedule_free_adamw": 0.02}
    y, x = (
        gdfast.trajectory("rosenbrock", rule, START, rates[name], STEPS, gradient_tolerance=0.0).theta.values
        for rule in (make(**{beta: 0.8}), make(**{beta: 0.8}, average=True))
    )
    z = np.array(START)
    for t in range(1, STEPS + 1):  # x after t steps is the mean of what z has been
        z = t * x[t] - (t - 1) * x[t - 1]
        np.testing.assert_allclose(0.8 * x[t] + 0.2 * z, y[t], rtol=1e-9)


def test_a_minimum_attracts_an_average_where_it_attracts_the_points():
    rates = [0.1, 1.0, 3.0]
    expected = theory.spectral_radius(optimizers.momentum(), rates, 1.0)
    np.testing.assert_array_equal(
        theory.spectral_radius(optimizers.averaged(of=optimizers.momentum()), rates, 1.0), expected
    )


def with_a_slot_of_that_name(x, g, theta, lr):
    return x - lr * g, theta


def test_the_names_of_a_rule_are_its_own():
    names = gdfast.optimizers.Optimizer(with_a_slot_of_that_name, learning_rate=0.1)
    one, other = (path_of(optimizers.averaged(of=of, decay=0.9)) for of in (names, optimizers.gd()))
    np.testing.assert_array_equal(one, other)


def test_what_has_no_average_is_refused():
    cases.refused(lambda: optimizers.averaged(of=3), TypeError, "averaged: of", "3")
    cases.refused(lambda: optimizers.averaged(of=optimizers.lamb()), ValueError, "averaged: of", "norms", "lamb")
    cases.refused(lambda: optimizers.averaged(of=optimizers.lbfgs()), ValueError, "averaged: of", "lbfgs")
    cases.refused(lambda: optimizers.averaged(of=optimizers.newton()), ValueError, "averaged: of", "hessian_solve")
    decayed = optimizers.gd().transformed(transforms.weight_decay())
    cases.refused(lambda: optimizers.averaged(of=decayed), ValueError, "averaged: of", "weight_decay")
    cases.refused(
        lambda: notation.optimizers("averaged|weight_decay"), ValueError, "transforms: weight_decay", "averaged"
    )
    course = schedules.linear(1.0, 5.0)
    cases.refused(
        lambda: notation.optimizers("averaged:of=(gd|cosine)|warmup"), ValueError, "schedules: averaged", "gd|cosine"
    )
    cases.refused(lambda: optimizers.averaged(start=course), ValueError, "averaged: start", "must be numbers")
