"""Rules that see how the loss bends: trust regions, and the Hessian's products."""

import cases
import numpy as np
import pytest
import textbook
from hypothesis import given, settings
from hypothesis import strategies as st

import gdfast
from gdfast import optimizers, problems
from gdfast.formulas.vectors import trust_region_step
from gdfast.optimizers import Optimizer

ROSENBROCK, BEALE = problems.rosenbrock(), problems.beale()


def one_step(theta, grad, lr):
    return theta + trust_region_step(grad, lr)


def of_one_step(matrix, slope, radius):
    """The step of a trust region on ½ xᵀ matrix x + slopeᵀ x, from 0."""
    names = [f"x{i}" for i in range(len(slope))]
    terms = [
        f"{0.5 * a!r}*{x}*{y}" for x, row in zip(names, matrix, strict=True) for y, a in zip(names, row, strict=True)
    ]
    terms += [f"{b!r}*{x}" for x, b in zip(names, slope, strict=True)]
    problem = problems.from_expression(" + ".join(terms), [(-1, 1)] * len(names))
    sweep = gdfast.Sweep(problem, Optimizer(one_step, 1.0), [radius], [[0.0] * len(names)], 1)
    return gdfast.run(sweep, backend="numpy", keep_theta=True).theta.values[0, 0, 0]


@given(seed=st.integers(0, 2**32), dimension=st.integers(1, 6))
@settings(max_examples=25)
def test_steps_of_a_trust_region_satisfy_the_conditions_that_make_them_least(seed, dimension):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(dimension, dimension)) * 10.0 ** rng.uniform(-2, 2)
    matrix = 0.5 * (matrix + matrix.T) if rng.integers(2) else matrix @ matrix.T
    slope, radius = rng.normal(size=dimension) * 10.0 ** rng.uniform(-2, 2), 10.0 ** rng.uniform(-2, 1)
    p = of_one_step(matrix.tolist(), slope.tolist(), radius)
    # Nocedal & Wright, theorem 4.1: (H + μ I) p = −g with H + μ I ≥ 0, μ ≥ 0, and μ > 0 only at the radius.
    shift = -(p @ (matrix @ p + slope)) / (p @ p)
    size = np.abs(matrix).sum(axis=1).max()
    assert np.linalg.norm(p) <= radius * (1 + 1e-12)
    assert np.abs(matrix @ p + shift * p + slope).max() <= 1e-10 * (size * np.abs(p).max() + np.abs(slope).max())
    assert shift >= -1e-10 * size
    assert shift + np.linalg.eigvalsh(matrix)[0] >= -1e-9 * size
    assert shift <= 1e-10 * size or np.linalg.norm(p) >= radius * (1 - 1e-12)


def test_in_the_hard_case_a_step_reaches_the_radius_along_the_lowest_curvature():
    p = of_one_step([[-1.0, 0.0], [0.0, 2.0]], [0.0, 1.0], 2.0)
    np.testing.assert_allclose(np.abs(p), [np.sqrt(4 - 1 / 9), 1 / 3], rtol=1e-14)
    assert p[1] < 0
    saddle = [0.5, 0.0]  # the gradient has no part down the hill
    ends = [gdfast.trajectory(problems.strict_saddle(), rule, saddle, 0.5, 60) for rule in ("newton", "trust_region")]
    assert [end.attrs["outcome"] for end in ends] == ["stalled", "global_minimum"]


@pytest.mark.parametrize("start", [[-1.2, 1.0], [0.0, 3.0]])
@pytest.mark.parametrize("problem", [ROSENBROCK, BEALE], ids=cases.label)
def test_trust_regions_are_scipys_with_steps_that_are_solved_for_to_rounding(problem, start):
    from scipy.optimize import _trustregion

    class Exact(_trustregion.BaseQuadraticSubproblem):  # SciPy's own ends at a tenth of the radius, and before
        def solve(self, radius):
            p = textbook.least_within(self.hess, self.jac, radius)
            return p, np.linalg.norm(p) > 0.999 * radius

    points = [np.array(start)]
    _trustregion._minimize_trust_region(
        lambda x: float(problem.loss(x[:, None])[0]),
        points[0],
        jac=lambda x: problem.gradient(x[:, None])[:, 0],
        hess=lambda x: problem.hessian(x[:, None])[..., 0],
        subproblem=Exact,
        callback=lambda found: points.append(found.x),
        maxiter=12,
    )
    got = gdfast.trajectory(problem, "trust_region", start, 1.0, 12).theta.values
    np.testing.assert_allclose(got, points, rtol=1e-8, atol=1e-9)


def test_what_a_trust_region_costs_and_is_refused_for():
    rule = optimizers.trust_region()
    assert (rule.cost, rule.points) == ("1 gradient, 2 losses, 1 Hessian", 2)
    cases.refused(lambda: gdfast.Sweep("mlp", rule), ValueError, "trust_region needs the Hessian", "mlp")
    cases.refused(lambda: optimizers.trust_region(least=0.25), ValueError, "trust_region: least", "0.25")
