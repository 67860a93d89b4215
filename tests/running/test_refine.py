"""Refinement: the picture of the full grid from a part of its trajectories."""

import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems, transforms

QUARTIC = problems.quartic()
RATES, POINTS = np.geomspace(1e-3, 1, 24), np.linspace(-4, 4, 15)[:, None]
_rng = np.random.default_rng(3)
MIXED = _rng.permutation(len(RATES)), _rng.permutation(len(POINTS))


def test_refinement_gives_the_picture_of_the_full_grid():
    n = 256
    sweep = gdfast.Sweep(
        problems.quartic(), optimizers.gd(), np.geomspace(1e-4, 1, n), np.linspace(-4, 4, n + 3)[:, None], 1000
    )
    full, got = gdfast.run(sweep), gdfast.refine(sweep, coarse=4)
    computed = got.computed.values
    np.testing.assert_array_equal(got.outcome.values[computed], full.outcome.values[computed])
    assert got.attrs["computed_share"] == computed.mean() < 0.45
    assert np.mean(got.outcome.values != full.outcome.values) < 0.002
    assert (gdfast.refine(sweep, coarse=1).outcome == full.outcome).all()
    one = gdfast.refine(sweep, coarse=4, workers=1, backend="numpy")
    np.testing.assert_array_equal(one.outcome, got.outcome)
    assert gdfast.plot.maps(got) is not None  # of outcomes only


def test_a_refined_map_does_not_depend_on_the_order():
    full, mixed = (
        gdfast.refine(gdfast.Sweep(QUARTIC, optimizers.gd(), rates, points, 60), backend="numpy")
        for rates, points in ((RATES, POINTS), (RATES[MIXED[0]], POINTS[MIXED[1]]))
    )
    for name in ("outcome", "computed"):
        np.testing.assert_array_equal(full[name].values[:, MIXED[0]][:, :, MIXED[1]], mixed[name].values)
    noisy = optimizers.gd().transformed(transforms.noise())
    with pytest.raises(ValueError, match="without gradient noise"):
        gdfast.refine(gdfast.Sweep(QUARTIC, noisy, RATES, POINTS))
