"""All that ships is translated: nothing of it waits for numba's types, which would take three times as long."""

import functools

import cases
import pytest

from gdfast import problems
from gdfast.kernels import compiling, evaluation, fuse, templates
from gdfast.kernels.loops.kernel import text_of
from gdfast.tiles import driver

WITH_LANES = [
    *cases.DATA_PROBLEMS,
    *cases.MODELS,
    *(problem for problem in (*cases.PROBLEMS, *cases.LANDSCAPES) if problem.lane_kernel),
    problems.mlp(),
    problems.mlp((2, 3, 1), arithmetic="fused"),
    problems.in_turn(["x**2", "(x - 1)**2"]),
    problems.phases([problems.mlp(), problems.mlp(seed=1)], 10),
]


@pytest.fixture(autouse=True)
def texts(monkeypatch):
    """The texts of what would be compiled."""
    made = []

    def compiled(signature, may_be_anything=False):
        return lambda function: made.append(text_of(function, signature)) or made[-1]

    for module in (evaluation, templates, driver):
        monkeypatch.setattr(module, "compiled", compiled)
    monkeypatch.setattr(compiling, "_kernels", type(compiling._kernels)())
    return made


@pytest.mark.sampled(2)
@pytest.mark.parametrize("real", ["float64", "float32"])
@pytest.mark.parametrize("problem", WITH_LANES, ids=cases.label)
def test_lanes_of_problems(problem, real, texts):
    if real == "float32" and not problem.lane_kernel.single:
        pytest.skip("it has no single precision")
    evaluation.evaluation_kernel(problem.lane_kernel, real)
    if problem.lane_kernel.product:
        evaluation.product_kernel(problem.lane_kernel, real)
    assert all("gdfast.called" in text for text in texts)
    assert texts


@pytest.mark.sampled(4)
@pytest.mark.parametrize("real", ["float64", "float32"])
@pytest.mark.parametrize("optimizer", cases.ALL_OPTIMIZERS, ids=cases.label)
def test_steps(optimizer, real, texts):
    for problem in (problems.rosenbrock(), problems.quadratic(dimension=20), problems.mlp()):
        if not problem.lane_kernel or "hessian" not in optimizer.needs:
            fuse.step_kernel(problem, optimizer, dtype=real)
    assert texts


@pytest.mark.parametrize("real", ["float64", "float32"])
def test_the_driver(real, texts):
    inspected = functools.cache(driver.driver.__wrapped__)
    inspected(real)
    assert len(texts) == 1
