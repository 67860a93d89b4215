"""Histories in stores: written block by block, killed and resumed, damaged, in netCDF files, taken over."""

import json
import os
import random

import cases
import numpy as np
import pytest
import stored
import xarray

import gdfast
from gdfast import problems, store
from gdfast.storing.contents import StoreError
from gdfast.storing.journal import Journal
from gdfast.storing.layout import METADATA
from gdfast.tiles.executors import Processes

pytestmark = pytest.mark.skipif(os.name != "posix", reason="uses locks and modes of POSIX systems")
HISTORY = "loss,lowest_loss,sharpness,theta:16"
CLASSES = problems.softmax_regression(validation=0.3)
KEEPING = "accuracy,validation_loss,theta:5"


@pytest.fixture(autouse=True)
def blocks(monkeypatch):
    stored.small_blocks(130, monkeypatch)


def sweep(**changed):
    return stored.sweep(history=HISTORY, max_steps=20_000, **changed)


def classes():
    """Rows held out, and histories of them: 2 × 4 × 9 trajectories."""
    return gdfast.Sweep(CLASSES, ["gd", "adam"], np.geomspace(1e-2, 10, 4), CLASSES.random(9), 30, history=KEEPING)


def write(path, workers=1):
    stored.small_blocks(130)
    gdfast.run(sweep(), store=path, workers=workers, progress=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "run.zarr"
    with pytest.MonkeyPatch.context() as patch:
        stored.small_blocks(130, patch)
        gdfast.run(sweep(), store=path, progress=False)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("make", [sweep, classes])
def test_a_store_holds_what_was_recorded_and_opens_with_xarray(tmp_path, make):
    expected = gdfast.run(make())
    gdfast.run(make(), store=tmp_path / "run.zarr", progress=False).close()
    got = xarray.open_zarr(tmp_path / "run.zarr")
    cases.assert_same(got, expected)
    for name in [*expected.data_vars, *expected.coords]:
        assert got[name].dims == expected[name].dims
        assert {**got[name].attrs} == {**expected[name].attrs}
    assert got.history_loss.dims[-1] == "recorded_step" if make is sweep else "history_accuracy" in got
    assert store.status(tmp_path / "run.zarr", whole=True).damages == {}


@pytest.mark.slow
def test_a_killed_run_is_resumed_to_the_same_bytes(tmp_path, whole):
    rng, done = random.Random(5), []
    for i in range(4):
        path = tmp_path / f"{i}.zarr"
        child = stored.context().Process(target=write, args=(path, 1 + i % 2))
        child.start()
        while child.is_alive() and not (path.is_dir() and Journal.read(path).blocks):
            child.join(0.001)
        child.join(rng.uniform(0, 0.05))
        child.kill()
        child.join()
        done.append(store.status(path).done if (path / METADATA).exists() else 0)
        gdfast.run(sweep(), store=path, progress=False).close()
        assert stored.contents(path) == stored.contents(whole)
    assert any(0 < n < 3840 for n in done), done


@pytest.mark.slow
@pytest.mark.parametrize("tile_size", [7, 130])
def test_stores_depend_on_neither_tiles_nor_workers(tmp_path, whole, tile_size):
    gdfast.run(sweep(tile_size=tile_size), store=tmp_path / "run.zarr", workers=3, progress=False)
    assert stored.contents(tmp_path / "run.zarr") == stored.contents(whole)


@pytest.mark.slow
def test_processes_write_the_same_store(tmp_path, whole):
    with Processes(2) as executor:
        gdfast.run(sweep(), store=tmp_path / "run.zarr", executor=executor, progress=False)
    assert stored.contents(tmp_path / "run.zarr") == stored.contents(whole)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", ["history_loss", "history_theta"])
def test_a_damaged_chunk_is_seen_and_repaired(tmp_path, name):
    path = tmp_path / "run.zarr"
    gdfast.run(classes().replace(history="loss,theta:5"), store=path, progress=False).close()
    before = stored.contents(path)
    chunk = next(file for file in (path / name).iterdir() if file.name[0] != ".")
    data = bytearray(chunk.read_bytes())
    data[-1] ^= 1
    chunk.write_bytes(data)
    assert [*store.status(path, whole=True).damages] == [f"{name}/{chunk.name}"]
    with pytest.raises(StoreError, match="checksum"):
        store.read(path)[name].load()
    gdfast.run(classes().replace(history="loss,theta:5"), store=path, progress=False).close()
    assert stored.contents(path) == before


def test_metadata_that_contradict_the_specification_are_refused(tmp_path):
    path = tmp_path / "run.zarr"
    gdfast.run(classes(), store=path, progress=False).close()
    journal = path / ".gdfast-journal"
    metadata = json.loads((path / METADATA).read_text())
    metadata["metadata"]["history_theta/.zarray"]["chunks"][3] = 2
    text = json.dumps(metadata).encode()
    (path / METADATA).write_bytes(text)
    with pytest.raises(StoreError, match="damaged"):
        store.read(path)
    assert journal.exists()


def test_another_history_is_another_sweep(tmp_path):
    path = tmp_path / "run.zarr"
    gdfast.run(classes(), store=path, progress=False).close()
    for history in (None, "accuracy", KEEPING.replace("5", "6")):
        other = classes().replace(history=history)
        cases.refused(lambda other=other: gdfast.run(other, store=path), StoreError, "holds another sweep: history")


def test_a_netcdf_file_holds_what_was_recorded(tmp_path):
    pytest.importorskip("h5netcdf")
    gdfast.run(classes(), store=tmp_path / "run.nc", progress=False).close()
    with store.read(tmp_path / "run.nc") as got:
        cases.assert_same(got, gdfast.run(classes()))


def test_histories_of_several_sweeps_stand_side_by_side():
    def make(batch_size, steps="0/3/9", **changed):
        return gdfast.Sweep(
            problems.softmax_regression(batch_size=batch_size),
            "gd",
            [0.1, 1.0],
            CLASSES.random(3),
            30,
            history=f"loss:{steps}",
        ).replace(**changed)

    result = gdfast.run_over({"batch_size": [8, 32]}, make)
    assert result.history_loss.dims == ("batch_size", "optimizer", "learning_rate", "start", "recorded_step")
    np.testing.assert_array_equal(result.history_loss[1], gdfast.run(make(32)).history_loss)
    cases.refused(
        lambda: gdfast.run_over({"max_steps": [10, 30]}, lambda max_steps: make(8, 4, max_steps=max_steps)),
        ValueError,
        "make",
        "history",
    )


def test_a_map_is_not_refined_with_a_history():
    cases.refused(lambda: gdfast.refine(sweep()), ValueError, "sweep", "history")
