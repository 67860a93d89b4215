"""A larger sweep takes over what a smaller one has, and is the same to the bit as if all of it were run."""

import json

import cases
import numpy as np
import pytest
import stored

import gdfast
from gdfast import data, measures, optimizers, problems, schedules, store, transforms
from gdfast.storing.store import StoreError

RATES, POINTS = np.geomspace(1e-3, 1, 13), np.linspace(-4, 4, 15)[:, None]


@pytest.fixture(autouse=True)
def blocks(monkeypatch):
    stored.small_blocks(70, monkeypatch)


def sweep(**changed):
    settings = {
        "problem": problems.quartic(),
        "optimizers": [optimizers.gd(), optimizers.momentum()],
        "learning_rates": RATES[::3],
        "starts": POINTS[::2],
        "max_steps": 100,
    }
    return gdfast.Sweep(**{**settings, **changed})


FADING = [optimizers.gd().scheduled(schedules.cosine(end=0.5)), optimizers.gd()]
LARGER = {
    "rates": ({}, {"learning_rates": RATES}),
    "starts": ({}, {"starts": POINTS}),
    "other orders": ({}, {"learning_rates": RATES[::-1], "starts": POINTS[::-1]}),
    "optimizers": ({}, {"optimizers": [optimizers.adam(), optimizers.momentum(), optimizers.gd()]}),
    "steps": ({}, {"max_steps": 400}),
    "fewer steps": ({}, {"max_steps": 40}),
    "all": ({}, {"learning_rates": RATES, "starts": POINTS, "max_steps": 300}),
    "less": ({"learning_rates": RATES, "starts": POINTS}, {"starts": POINTS[3:9], "optimizers": optimizers.gd()}),
    "checks": ({"check_every": 7}, {"check_every": 7, "max_steps": 300}),
    "single": ({"dtype": "float32"}, {"dtype": "float32", "max_steps": 300, "learning_rates": RATES}),
    "noise": (
        {"optimizers": optimizers.gd().transformed(transforms.noise(0.3))},
        {"optimizers": optimizers.gd().transformed(transforms.noise(0.3)), "learning_rates": RATES},
    ),
    "noise of the same numbers": (
        {"optimizers": optimizers.gd().transformed(transforms.noise(0.3)), "learning_rates": RATES[:4]},
        {"optimizers": optimizers.gd().transformed(transforms.noise(0.3)), "learning_rates": RATES},
    ),
    "a schedule of its own length": (
        {"optimizers": optimizers.gd().scheduled(schedules.cosine(total=60))},
        {"optimizers": optimizers.gd().scheduled(schedules.cosine(total=60)), "max_steps": 300},
    ),
    **{
        f"a schedule of the budget's length, {words}": (
            {"optimizers": FADING},
            {"optimizers": FADING, "max_steps": steps},
        )
        for words, steps in (("more", 300), ("fewer", 40))
    },
    "a history": ({"history": "loss,sharpness,theta"}, {"history": "loss,sharpness,theta", "learning_rates": RATES}),
    "a history of told steps": ({"history": "loss:0/9/40"}, {"history": "loss:0/9/40", "max_steps": 300}),
    "a measure": (
        {"measure": measures.convergence(floor=-12.0)},
        {"measure": measures.convergence(floor=-12.0), "learning_rates": RATES, "starts": POINTS},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "work"), [*((name, 70) for name in LARGER), ("starts", 6), ("less", 6)])
def test_a_result_made_of_an_earlier_one_is_the_same_to_the_bit(tmp_path, monkeypatch, name, work):
    stored.small_blocks(work, monkeypatch)  # 6 of them are a part of a row
    small, large = (sweep(**changed) for changed in LARGER[name])
    options = {"progress": False, "keep_theta": True}
    gdfast.run(small, store=tmp_path / "small.zarr", **options)
    before = stored.contents(tmp_path / "small.zarr")
    told = []
    got = gdfast.run(large, store=tmp_path / "large.zarr", reuse=tmp_path / "small.zarr", **options)
    expected = gdfast.run(large, store=tmp_path / "fresh.zarr", **options)
    cases.assert_same(got, expected)
    assert stored.contents(tmp_path / "large.zarr") == stored.contents(tmp_path / "fresh.zarr")
    assert stored.contents(tmp_path / "small.zarr") == before
    assert store.status(tmp_path / "large.zarr", whole=True).damages == {}
    options["progress"] = lambda done, _: told.append(done)
    cases.assert_same(gdfast.run(large, reuse=tmp_path / "small.zarr", **options), expected)
    assert not told or 0 <= told[0] <= large.size
    assert told[-1:] in ([], [large.size])


def test_little_is_run_again(tmp_path):
    calls = []

    def done(change):
        calls.clear()
        gdfast.run(sweep(**change), reuse=tmp_path / "small.zarr", progress=lambda *state: calls.append(state))
        return calls

    gdfast.run(sweep(learning_rates=RATES, starts=POINTS, tile_size=8), store=tmp_path / "small.zarr", progress=False)
    assert done({}) == []
    assert done({"learning_rates": RATES[:3]}) == []


@pytest.mark.slow
def test_of_starts_between_others_only_the_others_are_run(tmp_path):
    long = {"max_steps": 400_000, "learning_rates": RATES}
    gdfast.run(sweep(**long), store=tmp_path / "small.zarr", progress=False)
    got = gdfast.run(
        sweep(starts=POINTS, **long), store=tmp_path / "x.zarr", reuse=tmp_path / "small.zarr", progress=False
    )
    cases.assert_same(got, gdfast.run(sweep(starts=POINTS, **long)))
    run = sum(entry["steps"] for entry in store.status(tmp_path / "x.zarr").contents.blocks.values())
    assert run == int(got.steps[:, :, 1::2].sum())


@pytest.mark.slow
def test_the_batches_and_labels_of_data_are_the_same(tmp_path):
    problem = problems.linear_regression(data="diabetes", batch_size=7)
    starts, options = problem.random(6), {"progress": False}
    for budget in (30, 80):
        small = gdfast.Sweep(problem, optimizers.gd(), RATES[:6], starts, 50)
        large = gdfast.Sweep(problem, optimizers.gd(), RATES, starts, budget)
        gdfast.run(small, store=tmp_path / f"{budget}.zarr", **options)
        cases.assert_same(gdfast.run(large, reuse=tmp_path / f"{budget}.zarr", **options), gdfast.run(large))


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"problem": problems.sigmoid()}, "problem.name was quartic, asked for is sigmoid"),
        ({"gradient_tolerance": 1e-3}, "gradient_tolerance was 1e-08, asked for is 0.001"),
        ({"dtype": "float32"}, "dtype|gradient_tolerance"),
        ({"optimizers": optimizers.adam()}, "no trajectory of this sweep"),
        ({"learning_rates": [0.77]}, "no trajectory of this sweep"),
        ({"measure": measures.convergence()}, "measure was not there"),
    ],
)
def test_what_has_nothing_in_common_is_refused_and_nothing_is_made(tmp_path, changed, words):
    gdfast.run(sweep(), store=tmp_path / "small.zarr", progress=False)
    with pytest.raises(StoreError, match=words):
        gdfast.run(sweep(**changed), store=tmp_path / "x.zarr", reuse=tmp_path / "small.zarr")
    with pytest.raises(StoreError, match="backend was numba"):
        gdfast.run(sweep(), store=tmp_path / "x.zarr", reuse=tmp_path / "small.zarr", backend="numpy")
    with pytest.raises(StoreError, match="it has no end points"):
        gdfast.run(sweep(), store=tmp_path / "x.zarr", reuse=tmp_path / "small.zarr", keep_theta=True)
    with pytest.raises(ValueError, match="reuse must be another result"):
        gdfast.run(sweep(), store=tmp_path / "small.zarr", reuse=tmp_path / "small.zarr")
    with pytest.raises(StoreError, match=r"none.zarr does not exist"):
        gdfast.run(sweep(), store=tmp_path / "x.zarr", reuse=tmp_path / "none.zarr")
    assert not (tmp_path / "x.zarr").exists()


@pytest.mark.slow
def test_an_unfinished_store_and_a_netcdf_file_are_taken_from_too(tmp_path):
    small, large = sweep(learning_rates=RATES, tile_size=20), sweep(learning_rates=RATES, starts=POINTS)
    stored.interrupt(tmp_path / "small.zarr", small, 100)
    assert 0 < store.status(tmp_path / "small.zarr").done < small.size
    gdfast.run(small, store=tmp_path / "small.nc", progress=False).close()
    expected = gdfast.run(large)
    for name in ("small.zarr", "small.nc"):
        for out in ("large.zarr", "large.nc"):
            got = gdfast.run(
                large, store=tmp_path / out, overwrite=(tmp_path / out).exists(), reuse=tmp_path / name, progress=False
            )
            cases.assert_same(got, expected)
            got.close()


def test_data_are_the_same_by_their_rows_wherever_they_are_from(tmp_path):
    X, y = np.random.default_rng(5).normal(size=(17, 2)), np.random.default_rng(6).normal(size=17)
    path = tmp_path / "table.csv"
    np.savetxt(path, np.column_stack([X, y]), fmt="%.17g", delimiter=",", header="a,b,c", comments="")
    here, there = (
        problems.ridge_regression(data.load(*source), alpha=3.0, batch_size=7) for source in (((X, y),), (path, "c"))
    )

    def asked(of, rates):
        return gdfast.Sweep(of, optimizers.gd(), np.geomspace(1e-3, 1, rates), here.random(2, seed=1), 40)

    runs = []
    options = {"store": tmp_path / "run.zarr", "progress": lambda *state: runs.append(state)}
    gdfast.run(asked(here, 3), **options)
    with pytest.raises(StoreError, match=r"problem\.parameters\.seed was 0, asked for is 5"):
        gdfast.run(asked(there.replace(seed=5), 3), **options)
    runs.clear()
    got = gdfast.run(asked(there, 3), **options)
    assert not runs
    cases.assert_same(got, gdfast.run(asked(there, 3)))
    larger = gdfast.run(asked(there, 5), reuse=options["store"])
    cases.assert_same(larger, gdfast.run(asked(there, 5)))
    assert store.status(options["store"], whole=True).damages == {}
    assert got.attrs["specification"] == json.dumps(asked(there, 3).specification)
