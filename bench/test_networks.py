"""Two networks by every contender, one by Muon too, checked against each other, then timed; and ratios of one run.

JAX takes part where it is installed (the extra ``peers``). The times of gdfast include the judgement of end points by
all rows, in compiled lanes too, which the others do not do: as much as some 70 steps of the classifier.
``GDFAST_BENCH=full`` takes the full grids: 512 × 512 rates for the trainability network, 1,024 rates × 32 seeds and
1,000 steps for the classifier. The latter takes 90 s on two cores of Zen 5, 366,000 trajectory-steps a second; 16 × 16
of them are 5.0 to 5.4 times as fast as by NumPy in blocks of 32 to 128.

A step of the classifier is 310,000 operations, products and sums in equal parts. It takes 4.9 µs on one of these cores,
of which the gradient is 4.1, 75·10⁹ operations a second; the rest reads and writes parameters and gradients in the
second cache.
"""

import os

import numpy as np
import pytest

from bench.networks import classifier, classifier_by_muon, gdfast_one_core, single_fused, trainability
from bench.registry import NETWORKS
from bench.required import RATIOS, SINGLE_FUSED
from bench.timing import alternating

ALL = [name for name, contender in NETWORKS.items() if not contender.lacking]
FULL = os.environ.get("GDFAST_BENCH") == "full"
TASKS = {
    "trainability network": lambda: trainability(k=512 if FULL else 32),
    "digits network": lambda: classifier(1024, 32, 1000) if FULL else classifier(16, 16, 400),
    "digits network by Muon": classifier_by_muon,
}


@pytest.fixture(scope="module", params=TASKS)
def task(request):
    """One of the tasks, its name, and what gdfast makes of it, with every kernel compiled."""
    whole = TASKS[request.param]()
    return whole, request.param, NETWORKS["gdfast_all_cores"].on(whole)()


def contender_of(label, name):
    """The contender, if it does this task."""
    if not NETWORKS[name].does(label):
        pytest.skip(f"{name} is not for the {label}")
    return NETWORKS[name]


@pytest.mark.parametrize("name", ALL)
def test_training(benchmark, task, name):
    whole, label, expected = task
    benchmark.group = f"{label}, {len(whole.rates):,} rates × {len(whole.starts)} starts, {whole.steps} steps"
    ends = benchmark.pedantic(contender_of(label, name).on(whole), rounds=3, iterations=1, warmup_rounds=1)
    # Rates beyond the limit of stability magnify rounding until nothing of it agrees.
    same = np.isclose(ends, expected, rtol=1e-6, atol=1e-9).all(axis=1)
    assert same.mean() > 0.6
    benchmark.extra_info.update(trajectory_steps=whole.trajectory_steps, agreeing=float(same.mean()))
    if benchmark.stats:
        benchmark.extra_info["trajectory_steps_per_second"] = whole.trajectory_steps / benchmark.stats.stats.median


def test_single_precision_in_one_run(benchmark):
    """Alternate float64 and float32 with fused multiply-add, on one core, and report the median ratio."""
    exact = TASKS["digits network"]()
    quick = single_fused(exact)
    near = np.isclose(gdfast_one_core(quick), gdfast_one_core(exact), rtol=1e-2, atol=1e-3).all(axis=1)
    assert near.mean() > 0.6
    benchmark.group = "networks: single precision and fused multiply-add against double, alternating"
    pair = benchmark.pedantic(
        alternating,
        (lambda: gdfast_one_core(exact), lambda: gdfast_one_core(quick)),
        {"rounds": 1 if benchmark.disabled else 5},
        rounds=1,
        iterations=1,
    )
    benchmark.extra_info.update(ratio=pair.ratio, wanted=SINGLE_FUSED)
    print(f"\ndigits network: float32 fused {pair.ratio:.2f} × float64 exact (wanted: {SINGLE_FUSED})")


@pytest.mark.parametrize("name", [name for name in ALL if not name.startswith("gdfast")])
def test_ratio_in_one_run(benchmark, task, name):
    """Alternate the two, so that the machine's drift cancels, and report the median ratio."""
    whole, label, _ = task
    other, own = contender_of(label, name).on(whole), NETWORKS["gdfast_all_cores"].on(whole)
    other()
    benchmark.group = "networks: gdfast on all cores against others, alternating"
    pair = benchmark.pedantic(
        alternating,
        (other, own),
        {"rounds": 1 if benchmark.disabled else 5},
        rounds=1,
        iterations=1,
    )
    wanted = RATIOS.get((label, name))
    speed = whole.trajectory_steps / pair.second
    benchmark.extra_info.update(ratio=pair.ratio, wanted=wanted, trajectory_steps_per_second=speed)
    print(
        f"\n{label}: gdfast {speed:,.0f} trajectory-steps a second, {pair.ratio:.1f} × {name}"
        + (f" (wanted: {wanted})" if wanted else "")
    )
