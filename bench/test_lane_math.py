"""Elementary functions in compiled lanes against NumPy's vectorized ones, on one core, in cache.

`gdfast.formulas.elementary` is both contenders: called on an array it is NumPy (SciPy for erf), compiled into a lane
loop it is the lane form. Before the two are timed they are checked against each other.
"""

import statistics
import time

import numba
import numpy as np
import pytest

from bench.required import LANE_MATH
from bench.throughput import rows
from gdfast.formulas import elementary
from gdfast.kernels import lane_math  # noqa: F401, registers the compiled forms
from gdfast.kernels.options import JIT, wide

SIZE, CALLS = 65 * 64, 50
REAL = ["erf", "exp", "sigmoid", "softplus", "tanh", "sin", "cos"]
POSITIVE = ["log", "log1p"]
# What a user of NumPy calls, where `elementary` does more than that; `out` is used where the function has it.
NUMPY = {"exp": np.exp, "tanh": np.tanh, "log": np.log, "log1p": np.log1p, "sin": np.sin, "cos": np.cos}


@pytest.fixture(scope="module", params=REAL + POSITIVE)
def pair(request):
    """Name, the lanes' call and NumPy's call, checked to agree."""
    function = getattr(elementary, request.param)

    @numba.njit("void(float64[::1], float64[::1])", **JIT)
    def loop(x, out):
        wide()
        for lane in range(len(x)):
            out[lane] = function(x[lane])

    values = np.random.default_rng(0).normal(0.0, 3.0, SIZE)
    x, out = rows(2, SIZE)
    x[:] = np.abs(values) + 1e-3 if request.param in POSITIVE else values
    loop(x, out)
    np.testing.assert_array_max_ulp(out, function(x), 4)
    of_numpy = NUMPY.get(request.param)
    return (
        request.param,
        lambda: loop(x, out),
        (lambda: of_numpy(x, out=out)) if of_numpy else (lambda: function(x)),
    )


@pytest.mark.parametrize("contender", ["lanes", "numpy"])
def test_lane_math(benchmark, pair, contender):
    name, lanes, of_numpy = pair
    benchmark.group = f"{name}, {SIZE} numbers"
    benchmark.extra_info.update(function=name, size=SIZE)
    benchmark.pedantic(lanes if contender == "lanes" else of_numpy, rounds=100, iterations=CALLS, warmup_rounds=5)


def test_lane_math_ratio_in_one_run(benchmark, pair):
    """Alternate the two, so that the machine's drift cancels, and report the median ratio."""
    name, lanes, of_numpy = pair
    benchmark.group = "time of the lanes, alternating with NumPy"
    ratios, nanoseconds = [], []

    def both():
        times = []
        for contender in (lanes, of_numpy):
            began = time.perf_counter()
            for _ in range(CALLS):
                contender()
            times.append(time.perf_counter() - began)
        ratios.append(times[0] / times[1])
        nanoseconds.append(times[0] / CALLS / SIZE * 1e9)

    benchmark.pedantic(both, rounds=60, iterations=1, warmup_rounds=2)
    ratio = statistics.median(ratios)
    benchmark.extra_info.update(ratio=ratio, required=LANE_MATH)
    print(
        f"\n{name}: {statistics.median(nanoseconds):.2f} ns a number, {ratio:.2f} × NumPy's time "
        f"(wanted: at most {LANE_MATH})"
    )
