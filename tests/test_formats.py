"""Formats of fewer bits: their rounding against NumPy's, PyTorch's and ml_dtypes', and where training in them stops."""

import cases
import numpy as np
import pytest

import gdfast
from gdfast import formats, optimizers, problems, transforms
from gdfast.formulas.arrays import computed
from gdfast.tiles.ending import Ending
from gdfast.tiles.outcomes import Outcome


def numbers_of(name):
    """All finite numbers of a format that are not negative, ascending."""
    digits, lowest, highest = formats.FORMATS[name]
    normal = 2.0 ** np.arange(lowest, highest + 1)[:, None] * (1 + np.arange(2 ** (digits - 1)) * 2.0 ** (1 - digits))
    return np.concatenate([np.arange(2 ** (digits - 1)) * 2.0 ** (lowest + 1 - digits), normal.ravel()])


def values_for(name, real):
    """Numbers of all sizes, all of the format, and the middles between them."""
    rng, own = np.random.default_rng(0), numbers_of(name)
    wide = rng.normal(size=4000) * 10.0 ** rng.uniform(-44, 37, 4000)
    near = rng.normal(size=4000) * 10.0 ** rng.uniform(-9, 6, 4000)
    beyond = [own[-1] * (1 + 1e-3), own[-1] + (own[-1] - own[-2]) / 2, np.inf, np.nan, 1e-300, 0.0]
    values = np.concatenate([wide, near, own, (own[1:] + own[:-1]) / 2, beyond])
    with np.errstate(over="ignore"):
        return np.concatenate([values, -values]).astype(real)


def rounding(transform, values, chance=None):
    """What a transform makes of numbers."""
    given = [values.dtype.type(value) for value in transform.columns(1)[0]]
    given = given if chance is None else [chance[None], *given[:-3]]
    with np.errstate(all="ignore"):
        return computed(transform.rule, 1, *[values[None]] * 4, *given)[0][0]


def bfloat16_of(values):
    """Of float32, by their bits: half a unit is added, less one where the last bit that stays is 0."""
    bits = values.view(np.uint32)
    cut = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)
    return np.where(np.isnan(values), values, cut)


@pytest.mark.parametrize("real", [np.float64, np.float32])
@pytest.mark.parametrize("name", formats.FORMATS)
def test_rounding_to_the_nearest_is_that_of_casts(name, real):
    values = values_for(name, real)
    got = rounding(transforms.rounded(name), values)
    expected = []
    with np.errstate(all="ignore"):
        if name == "float16":
            expected.append(values.astype(np.float16).astype(real))
        if name == "bfloat16" and real == np.float32:
            expected.append(bfloat16_of(values))
            torch = pytest.importorskip("torch")
            expected.append(torch.from_numpy(values).to(torch.bfloat16).to(torch.float32).numpy())
        if not expected or name.startswith("float8"):
            kind = getattr(pytest.importorskip("ml_dtypes"), name)
            expected.append(values.astype(kind).astype(real))
    for one in expected:
        np.testing.assert_array_equal(got, one)
        known = ~np.isnan(one)
        np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(one[known]))


@pytest.mark.parametrize("real", [np.float64, np.float32])
@pytest.mark.parametrize("name", formats.FORMATS)
def test_rounding_by_chance_goes_to_either_neighbour_and_keeps_the_mean(name, real):
    rng, own = np.random.default_rng(1), numbers_of(name)
    place = rng.integers(0, len(own) - 1, 40)
    values = (own[place] + rng.uniform(0.02, 0.98, 40) * (own[place + 1] - own[place])).astype(real)
    chance = ((rng.permutation(4000) + 0.5) / 4000).astype(real)  # evenly spread
    many, rule = np.repeat(values, 4000), transforms.rounded(name, stochastic=True)
    got = rounding(rule, many, np.tile(chance, 40)).reshape(40, 4000)
    low, high = own[place][:, None], own[place + 1][:, None]
    assert ((got == low) | (got == high)).all()
    shares = (got == high).mean(axis=1)
    np.testing.assert_allclose(shares, ((values - low[:, 0]) / (high - low)[:, 0]), atol=1 / 2000)
    np.testing.assert_array_equal(rounding(rule, -many, np.tile(chance, 40)), -got.ravel())
    exact = np.concatenate([own, -own, [np.inf, np.nan]]).astype(real)
    np.testing.assert_array_equal(rounding(rule, exact, np.full(exact.shape, 1e-30, real)), exact)


ALL_OF_IT = "adam|rounded:gradient=True,stochastic=True|clip_norm=2|rounded=float16"


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "problem",
    [
        problems.rosenbrock(),
        cases.DATA_PROBLEMS[1],
        problems.mlp((2, 6, 1), "relu"),
    ],
    ids=cases.label,
)
def test_kernels_round_as_the_reference_does(problem, dtype):
    starts = problem.random(8, seed=1)
    rules = ["gd|rounded", "momentum|rounded:stochastic=True,seed=5|cosine", ALL_OF_IT]
    got = cases.agree(gdfast.Sweep(problem, rules, np.geomspace(1e-3, 1, 6), starts, 100, dtype=dtype))
    live = got.steps.isel(optimizer=0).values > 0
    ends = np.moveaxis(got.theta.isel(optimizer=0).values, -1, 0)[:, live]
    np.testing.assert_array_equal(ends, bfloat16_of(ends.astype(np.float32)))


@pytest.mark.slow
def test_updates_below_half_a_unit_vanish_and_by_chance_go_on():
    bowl, rate = problems.quadratic(condition=1.0, dimension=1), 2.0**-10
    starts = np.full(1000, 1.5)  # where neighbours in bfloat16 are 2⁻⁷ apart: an update is 1.5 · 2⁻¹⁰
    rules = ["gd|rounded", "gd|rounded:stochastic=True", "gd"]
    result = gdfast.run(gdfast.Sweep(bowl, rules, [rate], starts, 700, settle=False), keep_theta=True)
    stopped, going, exact = (result.isel(optimizer=i, learning_rate=0) for i in range(3))
    assert (stopped.theta == 1.5).all()
    assert (stopped.ending == Ending.fixed).all()
    assert (stopped.outcome == Outcome.frozen).all()
    ends = going.theta.values[:, 0]
    margin = 5 * ends.std() / np.sqrt(len(ends))
    assert ends.mean() == pytest.approx(exact.theta.values[0, 0], abs=margin)  # the mean is that of the exact rule
    assert margin < 0.03


def test_what_is_no_format_is_refused():
    cases.refused(lambda: transforms.rounded("float12"), ValueError, "rounded: format", "'float12'", "bfloat16")
    cases.refused(lambda: transforms.rounded(gradient="loss"), TypeError, "rounded: gradient", "'loss'")
    cases.refused(lambda: transforms.rounded(stochastic="yes"), TypeError, "rounded: stochastic", "'yes'")
    cases.refused(lambda: transforms.rounded(seed=-1), ValueError, "rounded: seed", "-1")
    cases.refused(
        lambda: optimizers.averaged(of=optimizers.gd()).transformed(transforms.rounded()), ValueError, "the average"
    )
