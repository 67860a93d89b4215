"""A sweep by every contender, checked against each other, then timed; and the ratios of one run.

The grids are small; the table of ``python -m bench peers`` has all contenders at 512 × 512.
"""

import numpy as np
import pytest

from bench.contenders.common import Grid
from bench.contenders.in_numpy import textbook_loop
from bench.registry import PROBLEMS_AND_OPTIMIZERS, SWEEPS
from bench.required import RATIOS
from bench.timing import alternating

AGREEING = 0.97  # of the trajectories settle in the same way, where rounding differs; the others are chaotic


@pytest.fixture(scope="module", params=[*PROBLEMS_AND_OPTIMIZERS, ("quartic", "adam")], ids=" ".join)
def grid(request):
    """A grid of 128 × 128, which a slow contender takes a second for."""
    return Grid.square(*request.param, n=128)


@pytest.fixture(scope="module")
def expected(grid):
    return SWEEPS["gdfast_all_cores"].on(grid)()


def contender_of(grid, name):
    """The contender, its kernels compiled, if it can run here."""
    contender = SWEEPS[name]
    if not contender.does(grid.optimizer):
        pytest.skip(f"{name} is not for {grid.optimizer}")
    if contender.lacking:
        pytest.skip(f"for want of {', '.join(contender.lacking)}")
    return contender


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of other libraries, within themselves
@pytest.mark.parametrize("name", SWEEPS)
def test_sweep(benchmark, grid, expected, name):
    contender = contender_of(grid, name)
    benchmark.group = f"{grid.name}, 128 × 128, at most 1000 steps"
    benchmark.extra_info.update(
        problem=grid.problem,
        optimizer=grid.optimizer,
        cells=expected.steps.size,
        steps=int(expected.steps.sum()),
    )
    ends = benchmark.pedantic(contender.on(grid), rounds=3, iterations=1, warmup_rounds=1)
    if contender.exact:
        np.testing.assert_array_equal(ends.steps, expected.steps)
        np.testing.assert_array_equal(ends.theta, expected.theta)
        np.testing.assert_array_equal(ends.settled, expected.settled)
    else:
        assert np.mean(ends.settled == expected.settled) > AGREEING
    if benchmark.stats:
        benchmark.extra_info["steps_per_second"] = float(expected.steps.sum()) / benchmark.stats.stats.median


@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_textbook_loop_on_a_part_of_the_grid(benchmark, optimizer):
    benchmark.group = f"quartic × {optimizer}, 16 × 16, plain Python"
    part = Grid.square("quartic", optimizer, n=16)
    ends = benchmark.pedantic(textbook_loop, (part,), rounds=3, iterations=1)
    other = SWEEPS["gdfast_all_cores"].on(part)()
    # Its order of roundings is the textbook's: chaotic trajectories come apart, most do not.
    assert np.mean(np.isclose(ends.theta, other.theta, rtol=1e-6)) > 0.95


@pytest.mark.parametrize("name", ["numpy_compacting", "prange"])
def test_ratio_in_one_run(benchmark, grid, name):
    """Alternate the two, so that the machine's drift cancels, and report the median ratio."""
    contender, grid = contender_of(grid, name), Grid.square(grid.problem, grid.optimizer, n=256)
    other, own = contender.on(grid), SWEEPS["gdfast_all_cores"].on(grid)
    own()
    other()
    benchmark.group = "gdfast on all cores against others, alternating"
    pair = benchmark.pedantic(
        alternating,
        (other, own),
        {"rounds": 1 if benchmark.disabled else 5},
        rounds=1,
        iterations=1,
    )
    wanted = RATIOS.get((grid.name, name))
    benchmark.extra_info.update(ratio=pair.ratio, wanted=wanted)
    asked = f" (wanted at 512 × 512: {wanted})" if wanted else ""
    print(f"\n{grid.name}: gdfast is {pair.ratio:.1f} × {name}{asked}")
