"""Stores: written block by block, resumed after whatever ended the run, and never taken for more than they are."""

import errno
import os
import random
import shutil
import time
from pathlib import Path

import cases
import numpy as np
import pytest
import stored
import xarray

import gdfast
from gdfast import optimizers, problems, store
from gdfast.storing import files
from gdfast.storing.journal import JOURNAL
from gdfast.storing.layout import METADATA
from gdfast.storing.store import StoreError
from gdfast.tiles.executors import Processes

pytestmark = pytest.mark.skipif(os.name != "posix", reason="uses signals, limits and forks of POSIX systems")


@pytest.fixture(autouse=True)
def blocks(monkeypatch):
    stored.small_blocks(130, monkeypatch)


@pytest.fixture(scope="module")
def context():
    return stored.context()


@pytest.fixture(scope="module")
def whole(tmp_path_factory, context):
    """A store made without interruption."""
    path = tmp_path_factory.mktemp("whole") / "run.zarr"
    child = context.Process(target=stored.write, args=(path,))
    child.start()
    child.join()
    assert child.exitcode == 0
    assert store.status(path, whole=True).damages == {}
    return path


@pytest.fixture
def copy(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "copy.zarr"))


def resume(path, **options):
    return gdfast.run(stored.sweep(), store=path, keep_theta=True, **{"progress": False, **options})


def interrupt(path, after):
    stored.interrupt(path, stored.sweep(), after, workers=2, keep_theta=True)


def assert_whole(path, whole):
    assert stored.contents(path) == stored.contents(whole)
    found = store.status(path, whole=True)
    assert (found.done, found.busy, found.damages) == (3840, False, {})


def test_a_store_holds_the_result_and_opens_lazily(whole):
    expected = gdfast.run(stored.sweep(), keep_theta=True)
    got = xarray.open_zarr(whole)
    cases.assert_same(got, expected)
    for name in [*expected.data_vars, *expected.coords]:
        assert got[name].dims == expected[name].dims
        assert got[name].dtype.kind == expected[name].dtype.kind or got[name].dtype.kind in "TU"
        assert {**got[name].attrs} == {**expected[name].attrs}
    assert {name: got.attrs[name] for name in ("specification", "digest")} == {
        name: expected.attrs[name] for name in ("specification", "digest")
    }
    assert got.attrs["gdfast_format"] == store.FORMAT
    assert 0 < got.attrs["useful_share"] <= 1
    assert got.attrs["run_seconds"] > 0
    assert not store.read(whole).outcome._in_memory


def killed_and_resumed(path, whole, context, rng, begun):
    """Kill a run at a random moment, resume it, and return how many trajectories were done when it was killed.

    The moment is one of its first half second, or, with `begun`, one soon after its first blocks.
    """
    child = context.Process(target=stored.write, args=(path, rng.choice([1, 2])))
    child.start()
    journal = path / JOURNAL
    while begun and child.is_alive() and not (journal.exists() and journal.stat().st_size > 2000):
        time.sleep(0.001)
    child.join(rng.uniform(0, 0.06 if begun else 0.5))
    child.kill()
    child.join()
    done = store.status(path).done if (path / METADATA).exists() else 0
    resume(path)
    assert_whole(path, whole)
    return done


def test_a_killed_run_is_resumed_to_the_same_bytes(tmp_path, whole, context):
    rng = random.Random(3)
    done = [killed_and_resumed(tmp_path / f"{i}.zarr", whole, context, rng, begun=i % 3 > 0) for i in range(6)]
    assert any(0 < n < 3840 for n in done), done


@pytest.mark.slow
def test_many_killed_runs_are_resumed_to_the_same_bytes(tmp_path, whole, context):
    rng = random.Random(4)
    done = [
        killed_and_resumed(tmp_path / f"{i}.zarr", whole, context, rng, begun=i % 4 > 0)
        for i in range(cases.examples(40))
    ]
    assert sum(0 < n < 3840 for n in done) >= len(done) / 2, done


@pytest.mark.slow
def test_a_run_killed_again_and_again_comes_to_its_end(tmp_path, whole, context):
    path, done = tmp_path / "run.zarr", []
    for delay in (0.5, 0.6, 0.5, 0.6, 30):
        child = context.Process(target=stored.write, args=(path, 2))
        child.start()
        child.join(delay)
        child.kill()
        child.join()
        done.append(store.status(path).done if (path / METADATA).exists() else 0)
    assert done == sorted(done)
    assert_whole(path, whole)


def test_only_what_is_missing_is_run(tmp_path, whole, capsys):
    path = tmp_path / "run.zarr"
    interrupt(path, 2000)
    done = store.status(path).done
    assert 0 < done < 3840
    calls = []
    resume(path, progress=lambda *state: calls.append(state))
    assert calls[0][0] > done
    assert calls[-1] == (3840, 3840)
    assert (
        sum(b - a for a, b in zip([done, *(d for d, _ in calls)], (d for d, _ in calls), strict=False)) == 3840 - done
    )
    assert_whole(path, whole)
    calls.clear()
    capsys.readouterr()
    resume(path, progress=lambda *state: calls.append(state))
    resume(path, progress=None)
    assert calls == []
    assert "complete: 3,840 trajectories" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("tile_size", [None, 7, 130])
def test_stores_depend_on_neither_tiles_nor_workers(tmp_path, whole, tile_size):
    gdfast.run(stored.sweep(tile_size=tile_size), store=tmp_path / "run.zarr", keep_theta=True, workers=3)
    assert stored.contents(tmp_path / "run.zarr") == stored.contents(whole)


@pytest.mark.slow
def test_processes_write_the_same_store(tmp_path, whole):
    with Processes(2) as executor:
        resume(tmp_path / "run.zarr", executor=executor)
    assert_whole(tmp_path / "run.zarr", whole)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 5, 7), (3, 2, 200), (7, 2, 11), (2, 30, 50), (1, 1, 300), (200, 1, 3)])
def test_grids_of_every_shape_are_stored(tmp_path, shape):
    sweep = gdfast.Sweep(
        problems.quartic(),
        optimizers.grid(optimizers.momentum, momentum=np.linspace(0, 0.9, shape[0])),
        np.geomspace(1e-3, 1, shape[1]),
        np.linspace(-4, 4, shape[2])[:, None],
        30,
    )
    cases.assert_same(gdfast.run(sweep, store=tmp_path / "run.zarr"), gdfast.run(sweep))
    found = store.status(tmp_path / "run.zarr")
    assert found.done == found.trajectories == sweep.size
    assert len(found.contents.blocks) == found.blocks


def test_a_full_disk_is_told_and_resumed(tmp_path, whole, monkeypatch):
    written, path = [], tmp_path / "run.zarr"
    append = files.append

    def full(file, data):
        written.append(file)
        is_journal = os.readlink(f"/proc/self/fd/{file}").endswith(JOURNAL)  # whose lines still fit into its last page
        if len(written) > 150 and not is_journal:
            append(file, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        append(file, data)

    with monkeypatch.context() as patched:
        patched.setattr(files, "append", full)
        with pytest.raises(OSError, match=r"run.zarr cannot be written: No space left on device; .* resumes it"):
            resume(path)
    assert 0 < store.status(path).done < 3840
    assert store.status(path, whole=True).damages == {}
    resume(path)
    assert_whole(path, whole)


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, 300, 1500, 3000, 4500])
def test_files_that_cannot_grow_are_told_and_resumed(tmp_path, whole, context, size):
    path, told = tmp_path / "run.zarr", context.Queue()
    child = context.Process(target=stored.write_with_files_limited, args=(path, size, told))
    child.start()
    assert "cannot be written: File too large" in told.get(timeout=30)
    child.join()
    assert store.status(path).done < 3840
    resume(path)
    assert_whole(path, whole)


def test_a_second_process_is_refused_and_a_killed_one_leaves_no_lock(tmp_path, whole, context):
    path, ready = tmp_path / "run.zarr", context.Event()
    child = context.Process(target=stored.hold, args=(path, ready))
    child.start()
    assert ready.wait(30)
    with pytest.raises(StoreError, match="is being written by another process"):
        resume(path)
    with pytest.raises(StoreError, match="is being written by another process"):
        resume(path, overwrite=True)
    assert store.status(path).busy
    child.kill()
    child.join()
    resume(path)
    assert_whole(path, whole)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"max_steps": 2000}, "max_steps was 60000, asked for is 2000"),
        ({"starts": [[1.0]]}, "starts had length 40, asked for is 1"),
        ({"learning_rates": np.geomspace(1e-6, 2, 48)}, r"learning_rates\[1\] was 1.34.*, asked for is 1.36"),
        ({"problem": problems.sigmoid()}, "problem.name was quartic, asked for is sigmoid"),
        (
            {"optimizers": [optimizers.gd(), optimizers.momentum(momentum=0.7)]},
            r"optimizers\[1\].parameters.momentum was 0.8, asked for is 0.7",
        ),
        ({"starts": np.linspace(-4, 4, 20000)[:, None]}, "starts was a list of 40, asked for is an array"),
    ],
)
def test_another_sweep_is_refused_by_what_differs(copy, changed, words):
    before = stored.contents(copy)
    with pytest.raises(StoreError, match=words):
        gdfast.run(stored.sweep(**changed), store=copy, keep_theta=True)
    assert stored.contents(copy) == before


def test_another_backend_or_other_variables_are_refused(copy):
    with pytest.raises(StoreError, match="backend was numba, asked for is numpy"):
        resume(copy, backend="numpy")
    with pytest.raises(StoreError, match="keep_theta was True, asked for is False"):
        gdfast.run(stored.sweep(), store=copy)


def test_overwriting_replaces_a_store_but_no_other_folder(copy, tmp_path):
    result = gdfast.run(stored.sweep(max_steps=20), store=copy, overwrite=True)
    cases.assert_same(result, gdfast.run(stored.sweep(max_steps=20)))
    treasure = tmp_path / "folder" / "treasure"
    treasure.parent.mkdir()
    treasure.write_text("mine")
    with pytest.raises(StoreError, match="is not a store of gdfast"):
        resume(treasure.parent, overwrite=True)
    assert treasure.read_text() == "mine"


def truncate(path):
    chunk = path / "loss" / "1.2.0"
    chunk.write_bytes(chunk.read_bytes()[:-20])


def corrupt(path):
    chunk = path / "theta" / "0.5.0.0"
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.write_bytes(data)


def test_a_damaged_chunk_is_told_and_run_again(copy, whole, capsys):
    truncate(copy)
    (copy / "basin" / "1.3.0").unlink()
    with pytest.raises(StoreError, match=r"is damaged: (loss/1.2.0 has \d+ bytes|basin/1.3.0 is missing)"):
        store.read(copy)
    assert set(store.status(copy).damages) == {"loss/1.2.0", "basin/1.3.0"}
    corrupt(copy)
    assert set(store.status(copy, whole=True).damages) == {"loss/1.2.0", "basin/1.3.0", "theta/0.5.0.0"}
    resume(copy, progress=None)
    assert "3 damages repaired" in capsys.readouterr().err
    assert_whole(copy, whole)


def test_a_store_of_a_newer_format_is_refused(copy):
    for name in (".zattrs", ".zmetadata"):
        text = (copy / name).read_text()
        (copy / name).write_text(text.replace('"gdfast_format": 3', '"gdfast_format": 4'))
    before = stored.contents(copy)
    for look in (store.status, store.read, resume):
        with pytest.raises(StoreError, match=r"has format 4, .* reads formats up to 3"):
            look(copy)
    assert stored.contents(copy) == before


def test_a_journal_line_half_written_is_dropped(tmp_path, whole):
    path = tmp_path / "run.zarr"
    interrupt(path, 2000)
    done = store.status(path).done
    journal = path / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-40])
    found = store.status(path, whole=True)
    assert (found.done, found.damages) == (done - 120, {})
    resume(path)
    assert_whole(path, whole)


def test_netcdf_keeps_the_result(tmp_path):
    path = tmp_path / "run.nc"
    expected = gdfast.run(stored.sweep(), keep_theta=True)
    resume(path)
    again = resume(path)
    cases.assert_same(again, expected)
    for name in expected.data_vars:
        assert again[name].dtype == expected[name].dtype
    assert again.optimizer.values.tolist() == expected.optimizer.values.tolist()
    assert again.attrs["digest"] == expected.attrs["digest"]
    again.close()
    with pytest.raises(StoreError, match="max_steps was 60000, asked for is 10"):
        gdfast.run(stored.sweep(max_steps=10), store=path, keep_theta=True)
    gdfast.run(stored.sweep(max_steps=10), store=path, overwrite=True)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(StoreError, match="cannot be read as a netCDF file"):
        store.read(path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.nc"]
