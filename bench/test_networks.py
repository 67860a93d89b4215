"""Two networks by every contender, checked against each other, then timed; and the ratios of one run.

JAX takes part where it is installed (the extra ``parity``). The times of gdfast include the judgement of end points by
all rows, in compiled lanes too, which the others do not do: 0.7 ms an end point of the classifier, as much as some 80
steps. ``GDFAST_BENCH=full`` takes the full grids: 512 × 512 rates for the trainability network, 1,024 rates × 32 seeds
and 1,000 steps for the classifier. The latter ran to its end once, on two cores shared with other work: 557 s, 58,900
trajectory-steps a second.

A step of the classifier is 310,000 operations, products and sums in equal parts. Zen 4 does 16 of them a cycle, 58·10⁹
a second at 3.6 GHz, so that no lane can take less than 5.3 µs on one core; of 8 to 9 µs measured, 6.2 are products (50
to 54·10⁹ a second), the rest softmax, activations and reading and writing of parameters and gradients in the second
cache.
"""

import importlib.util
import os
import statistics
import time

import numpy as np
import pytest

from bench.networks import CONTENDERS, classifier, gdfast_all_cores, jax_scan, trainability

WITH_JAX = importlib.util.find_spec("jax") is not None
ALL = {**CONTENDERS, **({"jax_scan": jax_scan} if WITH_JAX else {})}
FULL = os.environ.get("GDFAST_BENCH") == "full"
TASKS = {
    "trainability network, width 8, 72 points, 100 steps": (
        lambda: trainability(k=512 if FULL else 64),
        {"jax_scan": 3},
    ),
    "61–32–10 relu network on digits, mini-batches of 32": (
        lambda: classifier(1024, 32, 1000) if FULL else classifier(),
        {"numpy_batched": 5},
    ),
}


@pytest.fixture(scope="session", params=TASKS)
def task(request):
    """One of the tasks, its name and required ratios, with every kernel compiled."""
    make, required = TASKS[request.param]
    whole = make()
    expected = gdfast_all_cores(whole)
    return whole, request.param, required, expected


@pytest.mark.parametrize("name", ALL)
def test_training(benchmark, task, name):
    whole, label, _, expected = task
    benchmark.group = f"{label}, {len(whole.rates):,} rates × {len(whole.starts)} starts, {whole.steps} steps"
    ends = benchmark.pedantic(ALL[name], (whole,), rounds=3, iterations=1, warmup_rounds=1)
    # Rates beyond the limit of stability magnify rounding until nothing of it agrees.
    same = np.isclose(ends, expected, rtol=1e-6, atol=1e-9).all(axis=1)
    assert same.mean() > 0.6
    benchmark.extra_info.update(trajectory_steps=whole.trajectory_steps, agreeing=float(same.mean()))
    if benchmark.stats:
        benchmark.extra_info["trajectory_steps_per_second"] = whole.trajectory_steps / benchmark.stats.stats.median


@pytest.mark.parametrize("name", [name for name in ALL if not name.startswith("gdfast")])
def test_ratio_in_one_run(benchmark, task, name):
    """Alternate the two, so that the machine's drift cancels, and report the median ratio."""
    whole, label, required, _ = task
    benchmark.group = "networks: gdfast on all cores against others, alternating"
    times: dict[str, list[float]] = {"other": [], "gdfast": []}

    def pair():
        for who, contender in (("other", ALL[name]), ("gdfast", gdfast_all_cores)):
            began = time.perf_counter()
            contender(whole)
            times[who].append(time.perf_counter() - began)

    benchmark.pedantic(pair, rounds=5, iterations=1, warmup_rounds=1)
    ratio = statistics.median(o / g for o, g in zip(times["other"], times["gdfast"], strict=True))
    speed = whole.trajectory_steps / statistics.median(times["gdfast"])
    wanted = required.get(name)
    benchmark.extra_info.update(ratio=ratio, required=wanted, trajectory_steps_per_second=speed)
    print(
        f"\n{label}: gdfast {speed:,.0f} trajectory-steps a second, {ratio:.1f} × {name}"
        + (f" (wanted: {wanted})" if wanted else "")
    )
