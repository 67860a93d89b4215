"""Bad input gets one sentence: which argument, what it was, what is accepted."""

import tracemalloc

import cases
import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems
from gdfast.parts import step_table

GOOD = {
    "problem": problems.quartic(),
    "optimizers": [optimizers.gd()],
    "learning_rates": [0.1],
    "starts": [[1.0]],
}


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"problem": 4}, TypeError, ["problem", "4", "gdfast.problems"]),
        ({"optimizers": []}, ValueError, ["optimizers", "at least one"]),
        ({"optimizers": [problems.quartic]}, TypeError, ["optimizers", "function"]),
        ({"learning_rates": [0.1, np.nan]}, ValueError, ["learning_rates[1]", "nan", "positive"]),
        ({"learning_rates": [0.1, 0.0]}, ValueError, ["learning_rates[1]", "0", "positive"]),
        ({"learning_rates": [-1.0]}, ValueError, ["learning_rates[0]", "-1"]),
        ({"learning_rates": []}, ValueError, ["learning_rates", "(0,)", "k >= 1"]),
        ({"learning_rates": "fast"}, ValueError, ["learning_rates", "'fast'"]),
        ({"starts": 1.0}, ValueError, ["starts", "()", "(m, 1)"]),
        ({"starts": [[1.0, 2.0]]}, ValueError, ["starts", "(1, 2)", "(m, 1)"]),
        ({"starts": [[np.inf]]}, ValueError, ["starts[0, 0]", "inf", "finite"]),
        ({"max_steps": 0}, ValueError, ["max_steps", "0", "from 1"]),
        ({"max_steps": 10.5}, TypeError, ["max_steps", "10.5", "whole number"]),
        ({"gradient_tolerance": -1e-9}, ValueError, ["gradient_tolerance", "-1e-09", ">= 0"]),
        ({"divergence_limit": np.inf}, ValueError, ["divergence_limit", "inf", "finite"]),
        ({"tile_size": 0}, ValueError, ["tile_size", "0"]),
    ],
)
def test_a_sweep_refuses(change, kind, words):
    cases.refused(lambda: gdfast.Sweep(**{**GOOD, **change}), kind, *words)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: optimizers.adam(beta1=1.0), ValueError, ["adam: beta1", "[0, 1)", "not 1"]),
        (lambda: optimizers.adam(eps=float("nan")), ValueError, ["adam: eps", "nan"]),
        (lambda: optimizers.adam(amsgrad=1), TypeError, ["amsgrad", "True or False"]),
        (lambda: optimizers.adam(beta=0.9), ValueError, ["'beta'", "beta1", "beta2"]),
        (lambda: optimizers.momentum("0.9"), TypeError, ["momentum", "'0.9'"]),
        (lambda: optimizers.asgd(alpha=-0.6), ValueError, ["asgd: alpha", ">= 0", "-0.6"]),
        (lambda: optimizers.padam(partial=1.3), ValueError, ["padam: partial", "[0, 1]", "1.3"]),
        (lambda: optimizers.padam(partial="1/8"), TypeError, ["padam: partial", "[0, 1]", "'1/8'"]),
        (lambda: optimizers.gd(0.1), TypeError, ["gd", "gd()"]),
        (
            lambda: problems.linear_regression(([[1.0]], [1.0, 2.0])),
            ValueError,
            ["X and y", "(1, 1)", "(2,)"],
        ),
        (lambda: problems.linear_regression(([[np.nan]], [1.0])), ValueError, ["X[0, 0]", "nan"]),
        (lambda: problems.linear_regression(([["a"]], [1.0])), TypeError, ["X", "numbers"]),
        (lambda: problems.quartic().grid(0), ValueError, ["grid: n", "0"]),
        (lambda: problems.quartic().random(3, seed=-1), ValueError, ["seed", "-1"]),
        (lambda: gdfast.run("sweep"), TypeError, ["sweep", "'sweep'"]),
        (
            lambda: gdfast.run(gdfast.Sweep(**GOOD), backend="nmba"),
            ValueError,
            ["backend 'nmba'", "did you mean numba"],
        ),
        (lambda: gdfast.run(gdfast.Sweep(**GOOD), workers=0), ValueError, ["workers", "0"]),
        (lambda: gdfast.run(gdfast.Sweep(**GOOD), executor=3), TypeError, ["executor", "3"]),
        (
            lambda: gdfast.trajectory(problems.quartic(), optimizers.gd(), [1.0], -0.1),
            ValueError,
            ["learning_rates[0]", "-0.1"],
        ),
        (lambda: gdfast.nothing, AttributeError, ["nothing"]),
    ],
)
def test_other_calls_refuse(call, kind, words):
    cases.refused(call, kind, *words)


def test_numbers_that_are_the_same_at_every_step_take_no_memory():
    tracemalloc.start()
    try:
        assert step_table(optimizers.gd(), None, problems.quartic(), 2**31 - 1).shape == (2**31, 0)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_an_array_that_is_stored_once_but_is_huge_is_refused():
    with pytest.raises(ValueError, match="starts: an array of 1,125,899,906,842,624 numbers does not fit into memory"):
        gdfast.Sweep(**{**GOOD, "starts": np.broadcast_to(1.0, (2**50, 1))})


def test_nothing_a_trajectory_does_raises():
    sweep = gdfast.Sweep(
        problems.quartic(), [optimizers.gd(), optimizers.adam()], [1e-300, 1e300], [[1e300], [-1e-300], [0.0]]
    )
    for backend in ("numba", "numpy"):
        result = gdfast.run(sweep, backend=backend)
        assert (result.outcome > 0).all()
