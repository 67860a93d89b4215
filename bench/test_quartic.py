"""The quartic's grid by every contender, checked against each other, then timed; and the ratios of one run."""

import statistics
import time

import numpy as np
import pytest

from bench.contenders import CONTENDERS, Grid, gdfast_all_cores, textbook_loop

REQUIRED = {("gd", "numpy_compacting"): 20, ("gd", "prange"): 15, ("adam", "prange"): 4}


@pytest.fixture(scope="session", params=["gd", "adam"])
def grid(request):
    """The standard 512 × 512 grid, with every kernel compiled."""
    whole = Grid.square(request.param)
    for contender in CONTENDERS.values():
        contender(Grid.square(request.param, n=16))
    return whole


@pytest.fixture(scope="session")
def expected(grid):
    return gdfast_all_cores(grid)


@pytest.mark.parametrize("name", CONTENDERS)
def test_sweep(benchmark, grid, expected, name):
    benchmark.group = f"quartic × {grid.optimizer}, 512 × 512, at most 1000 steps"
    benchmark.extra_info.update(
        problem="quartic",
        optimizer=grid.optimizer,
        cells=expected.steps.size,
        steps=int(expected.steps.sum()),
    )
    ends = benchmark.pedantic(CONTENDERS[name], (grid,), rounds=5, iterations=1, warmup_rounds=1)
    np.testing.assert_array_equal(ends.steps, expected.steps)
    np.testing.assert_array_equal(ends.theta, expected.theta)
    np.testing.assert_array_equal(ends.settled, expected.settled)
    if benchmark.stats:
        benchmark.extra_info["steps_per_second"] = float(expected.steps.sum()) / benchmark.stats.stats.median


def test_textbook_loop_on_a_part_of_the_grid(benchmark, grid):
    benchmark.group = f"quartic × {grid.optimizer}, 16 × 16 of it, plain Python"
    part = Grid(grid.optimizer, grid.learning_rates[16::32], grid.starts[16::32], grid.max_steps)
    ends = benchmark.pedantic(textbook_loop, (part,), rounds=3, iterations=1)
    other = gdfast_all_cores(part)
    # Its order of roundings is the textbook's: chaotic trajectories come apart, most do not.
    assert np.mean(np.isclose(ends.theta, other.theta, rtol=1e-6)) > 0.95


@pytest.mark.parametrize("name", ["numpy_compacting", "prange"])
def test_ratio_in_one_run(benchmark, grid, name):
    """Alternate the two, so that the machine's drift cancels, and report the median ratio."""
    benchmark.group = "gdfast on all cores against others, alternating"
    ratios = []

    def pair():
        times = []
        for contender in (CONTENDERS[name], gdfast_all_cores):
            began = time.perf_counter()
            contender(grid)
            times.append(time.perf_counter() - began)
        ratios.append(times[0] / times[1])

    benchmark.pedantic(pair, rounds=9, iterations=1, warmup_rounds=1)
    ratio = statistics.median(ratios)
    required = REQUIRED.get((grid.optimizer, name))
    benchmark.extra_info.update(ratio=ratio, required=required)
    print(
        f"\nquartic × {grid.optimizer}: gdfast is {ratio:.1f} × {name}" + (f" (wanted: {required})" if required else "")
    )
