"""Kernels reach no place outside of their arrays: translated so that they tell it, they run in all their parts."""

import functools
from collections import OrderedDict

import cases
import numpy as np
import pytest
from numba import types

import gdfast
from gdfast import measures, optimizers, problems, schedules
from gdfast.kernels import compiling
from gdfast.kernels.compiling import compiled
from gdfast.kernels.evaluation import GRADIENT, OBJECTIVE, evaluation_kernel
from gdfast.kernels.loops.kernel import text_of
from gdfast.kernels.signatures import Pair
from gdfast.tiles import driver

WITH_LANES = [
    *cases.DATA_PROBLEMS[1::4],
    cases.MODELS[1],
    problems.quadratic(dimension=20),
    problems.rosenbrock(dimension=12),
    problems.mlp((2, 5, 3), "gelu", loss="cross_entropy", batch_norm=True, batch_size=5, l2=0.1, layer_rates=True),
    problems.mlp((2, 3, 1), batch_size=7),
    problems.in_turn(["x**2", "(x - 1)**2"]),
]


@pytest.fixture(scope="module", autouse=True)
def _checked():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "text_of", functools.partial(text_of, is_checked=True))
        patch.setattr(compiling.folder, "folders", list)
        patch.setattr(compiling.folder, "_warn", lambda: None)
        patch.setattr(compiling, "_kernels", OrderedDict())
        driver.driver.cache_clear()
        yield
    driver.driver.cache_clear()


def _beyond(values, at):
    return values[at] + values[at : at + 2][0]


def test_a_place_outside_is_told():
    kernel = compiled(types.int64(types.int64[::1], types.int64))(_beyond)
    values = np.arange(9)
    assert kernel(values[:3], 1) == 2
    for wrong in (2, 3, -1):  # 2: of the slice
        with pytest.raises(IndexError, match="a place outside of an array"):
            kernel(values[:3], wrong)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("real", ["float64", "float32"])
@pytest.mark.parametrize("problem", WITH_LANES, ids=cases.label)
def test_evaluations(problem, real):
    kernel = evaluation_kernel(problem.lane_kernel, real)
    data, layout = problem.lane_data(10)
    theta = problem.random(128, seed=1).T.astype(real)
    for n in (64, 128):
        pair = Pair(0, 0, 0, problem.group, problem.arrays, data.astype(real), layout)
        point = np.ascontiguousarray(theta[:, :n])
        grad, out = np.empty_like(point), np.empty(n, real)
        work = np.empty((problem.lane_kernel.work_rows, n), real)
        kernel(pair, GRADIENT + OBJECTIVE, point, grad, out, work, n, 3)
        kernel(pair, GRADIENT, point, grad, out[:0], work, n, 3)
        kernel(pair, OBJECTIVE, point, np.empty((0, 0), real), out, work, n, 3)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", cases.OPTIMIZERS, ids=cases.label)
def test_whole_sweeps(optimizer):
    for problem in (problems.rosenbrock(), WITH_LANES[-2]):
        with np.errstate(all="ignore"):
            starts = problem.random(9, seed=2)
        sweep = gdfast.Sweep(problem, optimizer, np.logspace(-3, 0.5, 8), starts, 130)
        gdfast.run(sweep, workers=1, progress=False)


@pytest.mark.slow
def test_whole_sweeps_of_all_kinds():
    problem = problems.mlp((2, 3, 1), validation=0.25)
    for optimizer in ("lbfgs", "muon", "soap", "sophia", "prodigy", "adam|clip_norm=1|lookahead"):
        more = {"history": "loss,theta:16"} if optimizer == "prodigy" else {}
        gdfast.run(gdfast.Sweep(problem, optimizer, [0.01, 1.0], problem.random(5), 60, **more), workers=1)
    planned = optimizers.gd().scheduled(schedules.reduce_on_plateau())
    sweep = gdfast.Sweep(problems.quartic(), planned, [0.01, 1.0], [[2.0]], 300, measure=measures.convergence())
    gdfast.run(sweep, workers=1)
