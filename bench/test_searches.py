"""L-BFGS with its strong Wolfe search: a sweep of starts on one core against SciPy, which takes one after the other."""

import numpy as np
from scipy.optimize import minimize

import gdfast
from bench.required import L_BFGS
from bench.timing import alternating

ROSENBROCK = gdfast.problems.rosenbrock()
STARTS = ROSENBROCK.random(100, seed=1)


def _loss(p):
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


def _gradient(p):
    across = p[1] - p[0] ** 2
    return np.array([-2 * (1 - p[0]) - 400 * p[0] * across, 200 * across])


def by_scipy():
    """The end points of SciPy's."""
    options = {"gtol": 1e-8, "ftol": 0}
    return np.array([minimize(_loss, start, jac=_gradient, method="L-BFGS-B", options=options).x for start in STARTS])


def test_l_bfgs_on_rosenbrock(benchmark):
    """Alternate the two, over the same starts, and report the median ratio of their times."""
    sweep = gdfast.Sweep(ROSENBROCK, "lbfgs", [1.0], STARTS, 300)
    got = gdfast.run(sweep, workers=1, keep_theta=True).theta.values.reshape(STARTS.shape)
    np.testing.assert_allclose(got, by_scipy(), atol=1e-4)
    benchmark.group = "L-BFGS on Rosenbrock's valley against SciPy, alternating"
    rounds = {"rounds": 1 if benchmark.disabled else 5}
    pair = benchmark.pedantic(
        alternating, (by_scipy, lambda: gdfast.run(sweep, workers=1)), rounds, rounds=1, iterations=1
    )
    benchmark.extra_info.update(ratio=pair.ratio, wanted=L_BFGS)
    print(f"\nL-BFGS on Rosenbrock's valley: {pair.ratio:.0f} × SciPy's (wanted at least: {L_BFGS})")
