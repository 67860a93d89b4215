"""Refined maps: against a plain loop over blocks that a reader can check."""

import functools
import itertools

import numpy as np
import pytest

import gdfast
from gdfast import memory, optimizers, problems, transforms
from gdfast.running import refine as module
from gdfast.tiles import tile

QUARTIC = problems.quartic()
RULES = [optimizers.gd(), optimizers.momentum()]
RATES, POINTS = np.geomspace(1e-3, 1, 24), np.linspace(-4, 4, 15)[:, None]
_rng = np.random.default_rng(3)
MIXED = _rng.permutation(len(RATES)), _rng.permutation(len(POINTS))


def sweep(rates=23, starts=30):
    points = np.linspace(-4, 4, starts)[:, None]
    return gdfast.Sweep(QUARTIC, RULES, np.geomspace(1e-3, 1, rates), points, 60)


@functools.cache
def whole(shape):
    return gdfast.run(sweep(*shape), backend="numpy").outcome.values


def blocks_of(full, side, picture=None, wanted=None):
    """The middle cells of all blocks, or of those wanted, in a picture of blocks; and which cells these are."""
    shape = [-(-n // side) for n in full.shape]
    picture = np.zeros(shape, dtype=int) if picture is None else picture
    run = set()
    for i, j in itertools.product(*map(range, shape)):
        if wanted is None or wanted(i, j):
            cell = tuple(min(k * side + side // 2, n - 1) for k, n in zip((i, j), full.shape, strict=True))
            picture[i, j] = full[cell]
            run.add(cell)
    return picture, run


def differs(picture, i, j):
    """Whether one of the eight blocks around a block is of another kind."""
    around = picture[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
    return (around != picture[i, j]).any()


def refined(full, side):
    """The picture of one optimizer, and which cells were run, as the module describes it."""
    picture, run = blocks_of(full, side)
    while side > 1:
        factor = 4 if side % 4 == 0 else side
        side //= factor
        coarse, before = picture, side * factor
        odd = {(i // before, j // before) for i, j in run if full[i, j] != coarse[i // before, j // before]}
        split = [
            [(i, j) in odd or differs(coarse, i, j) for j in range(coarse.shape[1])] for i in range(coarse.shape[0])
        ]
        shape = [-(-n // side) for n in full.shape]
        picture = np.array([[coarse[i // factor, j // factor] for j in range(shape[1])] for i in range(shape[0])])
        picture, more = blocks_of(full, side, picture, lambda i, j: split[i // factor][j // factor])  # noqa: B023
        run |= more
    assert all(picture[cell] == full[cell] for cell in run)
    computed = np.zeros(full.shape, dtype=bool)
    computed[tuple(zip(*run, strict=True))] = True
    return picture, computed


@pytest.mark.sampled(1)
@pytest.mark.parametrize("shape", [(23, 30), (16, 8), (1, 40), (5, 1), (45, 61)])
@pytest.mark.parametrize("coarse", [1, 2, 3, 4, 8, 12, 16, 64])
def test_blocks_are_split_where_a_neighbour_differs(shape, coarse, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", 37)
    full = whole(shape)
    got = gdfast.refine(sweep(*shape), coarse=coarse, backend="numpy", workers=1)
    for i in range(len(RULES)):
        outcome, computed = refined(full[i], coarse)
        np.testing.assert_array_equal(got.outcome.values[i], outcome)
        np.testing.assert_array_equal(got.computed.values[i], computed)
        np.testing.assert_array_equal(got.outcome.values[i][computed], full[i][computed])
    assert got.attrs["computed_share"] == got.computed.values.mean()


def test_a_refined_map_is_a_result_of_blocks_of_eight():
    got, expected = gdfast.refine(sweep(), backend="numpy"), gdfast.run(sweep(), backend="numpy")
    np.testing.assert_array_equal(got.computed, gdfast.refine(sweep(), coarse=8, backend="numpy").computed)
    for name in expected.coords:
        np.testing.assert_array_equal(got[name].values, expected[name].values)
    assert got.outcome.attrs == expected.outcome.attrs
    for name in ("specification", "digest", "backend"):
        assert got.attrs[name] == expected.attrs[name]
    assert got.attrs["run_seconds"] > 0
    assert got.attrs["compile_seconds"] >= 0


def test_maps_that_do_not_fit_into_memory_are_refused_before_anything_is_run(monkeypatch):
    large = sweep(1000, 1000)  # of two optimizers
    monkeypatch.setattr(memory, "_SMALL", 0)
    monkeypatch.setattr(memory, "available", lambda: 15e6)
    monkeypatch.setattr(module, "prepare", lambda *_: pytest.fail("it began"))
    with pytest.raises(ValueError, match=r"the map of 2,000,000 trajectories would need 16.0 MB .* 15.0 MB are free"):
        gdfast.refine(large)


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"sweep": 3}, TypeError, "sweep must be a gdfast.Sweep, not 3"),
        ({"coarse": 0}, ValueError, "coarse"),
        ({"coarse": 1.5}, TypeError, "coarse"),
        ({"workers": 0}, ValueError, "workers"),
        ({"backend": "cuda"}, ValueError, "backend 'cuda'"),
    ],
)
def test_what_cannot_be_refined_is_refused(arguments, kind, words):
    with pytest.raises(kind, match=words):
        gdfast.refine(**{"sweep": sweep(), **arguments})


@pytest.mark.slow
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


def test_what_is_compiled_is_so_beforehand(monkeypatch):
    asked = []
    monkeypatch.setattr(tile, "prepare", asked.append)
    small = gdfast.Sweep(QUARTIC, "gd", [0.01], [[1.0]], 5)
    gdfast.refine(small, backend="numpy")
    assert asked == []
    gdfast.refine(small)
    assert asked == [small]


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
