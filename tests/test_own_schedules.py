"""Functions of the step as schedules, and what a store tells of functions of one's own."""

import copy
import functools
import math
import pickle

import cases
import numpy as np
import pytest

import gdfast
from gdfast import notation, optimizers, problems, schedules
from gdfast.formulas.reach import full_text
from gdfast.optimizers import Optimizer

GAMMA = 0.97


def fading(t):
    return GAMMA**t


def until_the_end(t, budget):
    return 1 - t / budget


def test_a_function_of_the_step_is_the_schedule_of_its_values():
    own = optimizers.gd().scheduled(fading)
    usual = optimizers.gd().scheduled(schedules.exponential(GAMMA))
    np.testing.assert_allclose(own.multipliers(50), usual.multipliers(50), rtol=1e-14)
    np.testing.assert_array_equal(optimizers.adam().scheduled(until_the_end).multipliers(4), [1, 0.75, 0.5, 0.25, 0])
    result = cases.agree(gdfast.Sweep("quartic", [own, usual], [0.01, 0.05], [-2.0, 1.5], 100))
    np.testing.assert_array_equal(result.optimizer, ["gd|<fading>", "gd|exponential:gamma=0.97"])
    warm = schedules.warmup(2, then=schedules.of_step(fading))
    np.testing.assert_allclose(warm.multipliers(4), [0, 0.5, 1, GAMMA, GAMMA**2])
    assert pickle.loads(pickle.dumps(own)) == own


def of_size(size, t):
    return size**t


def test_one_with_its_arguments_filled_in_is_what_it_is_made_of():
    half, again, third = (optimizers.gd().scheduled(functools.partial(of_size, size)) for size in (0.5, 0.5, 1 / 3))
    assert half == again == pickle.loads(pickle.dumps(half)) == copy.deepcopy(half) != third
    assert hash(half) == hash(again)
    assert half.specification == again.specification != third.specification
    np.testing.assert_array_equal(third.multipliers(2), [1, 1 / 3, (1 / 3) ** 2])


def test_its_values_which_are_kept_cannot_be_changed():
    factors = schedules.of_step(fading).at(np.arange(3.0), 5)
    with pytest.raises(ValueError, match="read-only"):
        factors[0] = 2.0


def test_each_step_is_asked_for_once():
    asked = []

    def counted(t):
        asked.append(t)
        return 1.0

    optimizer = optimizers.gd().scheduled(counted)
    asked.clear()
    gdfast.run(gdfast.Sweep("quartic", optimizer, [0.01], [-2.0, 1.5], 10), backend="numpy")
    assert asked == list(range(11))


@pytest.mark.parametrize(
    ("function", "kind", "words"),
    [
        (lambda t: "half", TypeError, ["schedule", "step 0", "'half'"]),
        (lambda t: math.nan, ValueError, ["schedule", "lambda t: math.nan", "step 0"]),
        (lambda t: 1 / t, ValueError, ["step 0", "ZeroDivisionError"]),
        (0.5, TypeError, ["schedule", "function of the step", "0.5"]),
        (optimizers.adam, TypeError, ["schedule", "adam"]),
    ],
)
def test_what_is_no_schedule_is_refused_in_a_sentence(function, kind, words):
    cases.refused(lambda: optimizers.gd().scheduled(function), kind, *words)


def test_a_function_that_fails_later_is_refused_by_the_sweep():
    own = optimizers.gd().scheduled(lambda t: 1 / (7 - t))
    cases.refused(lambda: gdfast.Sweep("quartic", own, max_steps=9), ValueError, "step 7", "ZeroDivisionError")
    gdfast.Sweep("quartic", own, max_steps=6)


def test_labels_of_functions_are_read_by_people_only():
    label = optimizers.gd().scheduled(lambda t: 0.5 ** (t // 100)).label
    assert label == "gd|<lambda t: 0.5 ** (t // 100)>"
    cases.refused(lambda: notation.optimizers(label.replace(" ", "")), ValueError, "one's own", "Python")


def test_a_lambda_and_processes_are_told_apart(tmp_path):
    own = optimizers.gd().scheduled(lambda t: 0.5)
    sweep = gdfast.Sweep("quartic", own, [0.01], [1.0])
    with gdfast.executors.Processes(1) as executor:
        cases.refused(lambda: gdfast.run(sweep, executor=executor), TypeError, "sweep", "lambda")


SHIFT = np.array([1.0, 2.0])


def helper(x):
    return x * SHIFT[0]


def made(size):
    def rule(theta, grad, lr):
        return theta - lr * grad * size

    return rule


def uses_helper(t):
    return helper(t) * GAMMA * math.cos(0) * np.float64(1)


def test_what_a_function_uses_is_told_with_it(monkeypatch):
    text = full_text(uses_helper)
    assert text.startswith("def uses_helper")
    assert "def helper(x)" in text
    assert "GAMMA = 0.97" in text
    assert "SHIFT = array (2,)" in text
    assert "math" not in text.replace("math.cos", "")
    assert full_text(made(2.0)) != full_text(made(3.0))
    assert full_text(fading) == full_text(fading)
    before = full_text(uses_helper)
    monkeypatch.setitem(globals(), "SHIFT", np.array([1.0, 3.0]))
    assert full_text(uses_helper) != before


def test_a_store_of_another_number_is_not_completed(tmp_path):
    def sweep(size):
        return gdfast.Sweep("quartic", Optimizer(made(size), 0.1), [0.01], [1.0], 20)

    gdfast.run(sweep(1.0), backend="numpy", store=tmp_path / "a.zarr")
    gdfast.run(sweep(1.0), backend="numpy", store=tmp_path / "a.zarr")
    cases.refused(
        lambda: gdfast.run(sweep(0.5), backend="numpy", store=tmp_path / "a.zarr"), ValueError, "store", "optimizers"
    )


def test_lambdas_of_losses_are_told_by_their_text():
    problem = problems.Landscape(lambda x: (x - GAMMA) ** 2, domain=(-1, 1))
    assert "GAMMA = 0.97" in problem.specification["parameters"]["loss"]
