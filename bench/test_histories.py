"""What a history costs: a sweep that records 64 losses, or sharpnesses, beside the same one that does not."""

import numpy as np
import pytest

import gdfast
from bench.required import HISTORY, SHARPNESS
from bench.timing import alternating

PROBLEMS = {
    "rosenbrock": gdfast.problems.rosenbrock(),
    "rosenbrock in ten dimensions": gdfast.problems.rosenbrock(dimension=10),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_64_losses_of_1000_steps(benchmark, name):
    """Alternate the two, with rates so small that all steps are taken, and report the median ratio."""
    problem = PROBLEMS[name]
    without = gdfast.Sweep(problem, "adam", np.geomspace(1e-5, 1e-3, 128), problem.random(128), 1000)
    along = without.replace(history="loss:64")
    gdfast.run(without)
    assert gdfast.run(along).sizes["recorded_step"] == 64
    benchmark.group = "a sweep with a history against the same without, alternating"
    rounds = {"rounds": 1 if benchmark.disabled else 7}
    pair = benchmark.pedantic(
        alternating, (lambda: gdfast.run(along), lambda: gdfast.run(without)), rounds, rounds=1, iterations=1
    )
    benchmark.extra_info.update(ratio=pair.ratio, wanted=HISTORY)
    print(f"\n{name}: with a history {pair.ratio:.2f} × the time without (wanted at most: {HISTORY})")


NETWORKS = {
    "iris, 4-16-3": gdfast.problems.mlp([4, 16, 3], loss="cross_entropy", data="iris"),
    "diabetes, 10-16-16-1": gdfast.problems.mlp([10, 16, 16, 1], data="diabetes"),
    "breast_cancer, 30-12-2": gdfast.problems.mlp([30, 12, 2], loss="cross_entropy", data="breast_cancer"),
}


@pytest.mark.parametrize(("quantity", "steps"), [("sharpness", 1000), ("preconditioned_sharpness", 2000)])
@pytest.mark.parametrize("name", NETWORKS)
def test_64_sharpnesses_of_a_training(benchmark, name, quantity, steps):
    """Alternate the two, over eight rates so small that all steps are taken, and report the median ratio."""
    problem = NETWORKS[name]
    without = gdfast.Sweep(problem, "adam", np.geomspace(1e-4, 1e-3, 8), problem.default_starts(1), steps, settle=False)
    along = without.replace(history=f"{quantity}:64")
    gdfast.run(without)
    assert np.isfinite(gdfast.run(along)[f"history_{quantity}"][..., 1:]).all()
    benchmark.group = "a sweep with a history against the same without, alternating"
    rounds = {"rounds": 1 if benchmark.disabled else 5}
    pair = benchmark.pedantic(
        alternating, (lambda: gdfast.run(along), lambda: gdfast.run(without)), rounds, rounds=1, iterations=1
    )
    benchmark.extra_info.update(ratio=pair.ratio, wanted=SHARPNESS)
    print(f"\n{name}, {steps} steps: with {quantity} {pair.ratio:.2f} × the time without (wanted at most: {SHARPNESS})")
