"""How results are written, piece by piece: the thread of the journal, what is left to run, what is told of a store."""

import os
import platform
import stat
import threading
from pathlib import Path

import cases
import numpy as np
import pytest
from stored import interrupt, landscape, small_blocks

import gdfast
from gdfast import measures, optimizers, problems, starts, store
from gdfast.outputs import PART
from gdfast.storing import columns, contents, files, result, write
from gdfast.storing.journal import JOURNAL, Journal, line
from gdfast.storing.layout import Array
from gdfast.storing.reuse import Earlier
from gdfast.storing.store import StoreError
from gdfast.tiles.outcomes import Outcome
from gdfast.tiles.sweep import Tile

pytestmark = pytest.mark.skipif(os.name != "posix", reason="uses locks and modes of POSIX systems")

FIRST, SECOND, THIRD = ({"session": {"compile_seconds": n}} for n in (1, 2, 3))


def _array(*shape):
    return Array(shape, shape, np.dtype("float64"), ("a", "b", "c", "d")[: len(shape)], {})


@pytest.fixture
def journal(tmp_path):
    """The file of a journal that ends in a line which was not written whole."""
    (tmp_path / JOURNAL).write_bytes(line(FIRST) + b"half a li")
    return tmp_path / JOURNAL


def test_lines_are_added_in_order_after_what_is_whole(journal):
    lines = write._Lines(journal.parent, len(line(FIRST)), {})
    assert journal.read_bytes().endswith(b"half a li")  # until something is added
    lines.add(SECOND)
    lines.wait()
    assert journal.read_bytes() == line(FIRST) + line(SECOND)
    lines.add(THIRD)
    lines.close()
    assert journal.read_bytes() == line(FIRST) + line(SECOND) + line(THIRD)
    write._Lines(journal.parent, 3, {}).close()  # nothing was added: nothing is cut
    assert journal.read_bytes() == line(FIRST) + line(SECOND) + line(THIRD)


def test_what_is_being_written_is_waited_for_and_what_waits_meanwhile_is_written_before_the_end(journal, monkeypatch):
    go, is_in = threading.Event(), threading.Event()

    def slow(root, names):
        is_in.set()
        assert go.wait(60)

    monkeypatch.setattr(files, "sync_all", slow)
    lines = write._Lines(journal.parent, 0, {})
    lines.add(FIRST)
    assert is_in.wait(60)
    threading.Timer(0.05, go.set).start()
    lines.wait()
    assert journal.read_bytes() == line(FIRST)
    go.clear()
    is_in.clear()
    lines.add(SECOND)
    assert is_in.wait(60)
    lines.add(THIRD)
    threading.Timer(0.05, go.set).start()
    lines.close()
    assert journal.read_bytes() == line(FIRST) + line(SECOND) + line(THIRD)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError("No space")])
def test_a_line_that_cannot_be_written_is_cut_off_and_told_ever_after(journal, monkeypatch, error):
    lines = write._Lines(journal.parent, len(line(FIRST)), {})
    lines.add(SECOND)
    lines.wait()
    append = files.append

    def full(file, data):
        append(file, data[:5])
        raise error

    monkeypatch.setattr(files, "append", full)
    lines.add(THIRD)
    for _ in range(2):
        with pytest.raises(type(error), match="No space"):
            lines.wait()
        with pytest.raises(type(error), match="No space"):
            lines.add(THIRD)
    lines.close()
    assert journal.read_bytes() == line(FIRST) + line(SECOND)


def test_chunks_are_on_the_disk_before_the_line_that_names_them(journal, monkeypatch):
    synced = []
    monkeypatch.setattr(files, "sync_all", lambda root, names: synced.append((root, names, journal.read_bytes())))
    lines = write._Lines(journal.parent, 0, {"loss": _array(1, 2, 3), "theta": _array(1, 2, 3, 4)})
    lines.add({"block": "0.1.0", "files": {"loss": [1, 2], "theta": [3, 4]}})
    lines.close()
    assert synced == [(journal.parent, ["loss/0.1.0", "theta/0.1.0.0"], b"")]


def test_a_store_says_what_was_in_it_and_runs_the_rest(tmp_path, monkeypatch):
    small_blocks(30, monkeypatch)
    path, whole = tmp_path / "run.zarr", landscape(tile_size=10)

    def opened():
        return write.writing(path, whole, "numba", False, False)

    with opened() as new:
        assert (new.resumed, new.missing, new.done) == ("", True, 0)
        cells = sorted((tile.optimizer, n) for tile in new.tiles for n in range(tile.first, tile.last))
        assert cells == [(i, n) for i in range(2) for n in range(60)]
        assert max(tile.last - tile.first for tile in new.tiles) <= 10
    interrupt(path, whole, 50)
    with opened() as some:
        assert 0 < some.done < 120
        assert some.done % 30 == 0
        assert some.resumed == f"{path} has {some.done} of 120 trajectories; running the others"
        assert sum(tile.last - tile.first for tile in some.tiles) == 120 - some.done
    gdfast.run(whole, store=path, progress=False)
    (path / "loss" / "0.0.0").unlink()
    with opened() as damaged:
        assert damaged.resumed == f"{path} has 90 of 120 trajectories; running the others, 1 damage repaired"
        assert damaged.tiles == [Tile(0, a, a + 10) for a in (0, 10, 20)]
        assert damaged.block == (1, 3, 10)
    small_blocks(60, monkeypatch)
    (path / "loss" / "1.1.0").unlink()
    with opened() as damaged:  # whose blocks are those that it was begun with
        assert damaged.block == (1, 3, 10)
        assert damaged.resumed == f"{path} has 60 of 120 trajectories; running the others, 1 damage repaired"
    gdfast.run(whole, store=path, progress=False)
    for name in ("momentum", "start"):
        (path / name / "0").unlink()
    with opened() as complete:
        assert complete.resumed == f"{path} is complete: 120 trajectories, 2 damages repaired"
        assert not complete.missing
        assert complete.tiles == []


def test_a_complete_store_stays_as_it_is(tmp_path):
    def state():
        return {
            file: (file.stat().st_ino, file.stat().st_mtime_ns)
            for file in (tmp_path / "run.zarr").rglob("*")
            if file.is_file() and file.name != contents.LOCK
        }

    gdfast.run(landscape(), store=tmp_path / "run.zarr", progress=False)
    before = state()
    gdfast.run(landscape(), store=tmp_path / "run.zarr", progress=False)
    assert state() == before


def test_one_that_looks_whether_a_store_is_written_to_is_not_taken_for_one_that_writes(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    gdfast.run(landscape(max_steps=2), store=tmp_path / "run.zarr", progress=False)
    for lock, is_busy in ((fcntl.LOCK_SH, False), (fcntl.LOCK_EX, True)):
        with open(tmp_path / "run.zarr" / contents.LOCK, "rb+") as file:
            fcntl.flock(file, lock)
            assert contents.is_busy(tmp_path / "run.zarr") == is_busy
    assert not contents.is_busy(tmp_path / "run.zarr")


def test_the_rest_of_a_block_that_is_larger_than_the_grid_is_nothing(tmp_path, monkeypatch):
    small_blocks(30, monkeypatch)
    gdfast.run(landscape(), store=tmp_path / "run.zarr", progress=False, keep_theta=True)
    subject = landscape(learning_rates=[0.01, 0.02, 0.03, 0.04], max_steps=3)  # blocks of 3 rates and of 1
    path = tmp_path / "run2.zarr"
    gdfast.run(subject, store=path, progress=False)
    import zarr

    assert zarr.open_group(path, mode="r")["loss"].chunks == (1, 3, 10)
    from numcodecs import Blosc

    last = np.frombuffer(Blosc().decode((path / "loss" / "1.1.0").read_bytes())).reshape(3, 10)
    assert (last[0] != 0).any()
    assert (last[1:] == 0).all()


def test_a_block_is_some_seconds_of_work_of_the_problem(tmp_path):
    network = problems.mlp((2, 8, 1))
    assert network.step_work > 10
    rates = np.geomspace(1e-3, 1, 5000)
    subject = gdfast.Sweep(network, "gd", rates, network.starts(seeds=[1]), max_steps=2**18 // network.step_work)
    for keep_theta in (False, True):
        path = tmp_path / f"{keep_theta}.zarr"
        with write.writing(path, subject, "numba", keep_theta, False) as new:
            assert new.block == (1, 4096, 1) or new.block[1] == 2**30 // (subject.max_steps * network.step_work)
            assert 4000 < new.block[1] < 5000


def test_what_a_killed_process_was_writing_is_removed_by_the_next_one(tmp_path):
    path = tmp_path / "run.zarr"
    gdfast.run(landscape(max_steps=2), store=path, progress=False)
    (path / f"{PART}0").write_bytes(b"half")
    (path / f"{PART}1").mkdir()
    (path / f"{PART}2").symlink_to(tmp_path / "nothing")
    gdfast.run(landscape(max_steps=2), store=path, progress=False)
    assert sorted(file.name[-1] for file in path.glob(f"{PART}*")) == ["1", "2"]


def test_status_tells_how_far_a_store_is(tmp_path, monkeypatch):
    small_blocks(30, monkeypatch)
    path, whole = tmp_path / "run.zarr", landscape(tile_size=10)
    interrupt(path, whole, 50)
    half = store.status(path)
    assert (half.trajectories, half.blocks, half.busy, half.damages) == (120, 4, False, {})
    summary = half.summary
    assert summary["state"] == "incomplete"
    assert summary["trajectories"].startswith(
        f"{half.done} of 120 done ({100 * half.done // 120} %), {120 - half.done} m"
    )
    assert summary["blocks"] == f"{half.done // 30} of 4 done, of (1, 3, 10) each"
    with write.writing(path, whole, "numba", False, False):
        assert store.status(path).summary["state"] == "incomplete, being written"
        with pytest.raises(StoreError, match="is being written by another process"):
            gdfast.run(whole, store=path, progress=False)
    gdfast.run(whole, store=path, progress=False)
    found = store.status(path)
    assert found.summary["state"] == "complete"
    assert found.summary["trajectories"] == "120 of 120 done (100 %), 0 missing"
    assert found.summary["grid"] == "2 optimizers × 6 learning rates × 10 starts"
    assert found.summary["optimizers"] == "2: momentum"
    assert found.summary["format"] == f"3, written by gdfast {gdfast.__version__}"
    assert found.summary["sessions"].startswith("2, ")
    sizes = [file.stat().st_size for name in result.FIELDS for file in (path / name).glob("*.*.*")]
    assert found.bytes == sum(sizes)
    assert found.summary["machine"] == found.attributes["processor"]


def test_a_store_is_locked_for_one_writer_and_looked_at_without_one(tmp_path):
    assert not contents.is_busy(tmp_path)
    with contents.locked(tmp_path):
        assert contents.is_busy(tmp_path)
        with pytest.raises(StoreError, match="is being written by another process"), contents.locked(tmp_path):
            pass
    assert not contents.is_busy(tmp_path)
    with contents.locked(tmp_path):
        pass
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / contents.LOCK).stat().st_mode) == 0o666 & ~umask
    assert stat.S_IMODE(files.write(tmp_path, b"x").stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("name", ["run.zarr", "run.nc"])
def test_what_is_not_there_does_not_exist(tmp_path, name):
    for look in (store.status, store.read):
        with pytest.raises(StoreError, match=f"{name} does not exist"):
            look(tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(StoreError):
        store.read(tmp_path / name)


def test_status_is_of_zarr_stores(tmp_path):
    gdfast.run(landscape(max_steps=2), store=tmp_path / "run.nc", progress=False).close()
    with pytest.raises(StoreError, match=r"run.nc is a netCDF file, .* status is of Zarr stores"):
        store.status(tmp_path / "run.nc")


def test_columns_of_a_result_lie_in_one_piece_of_memory_aligned_and_apart():
    shapes = {
        "a": ((3,), np.dtype("i1")),
        "b": ((2, 3), np.dtype("f8")),
        "c": ((0,), np.dtype("i4")),
        "d": ((5,), np.dtype("i2")),
    }
    arrays = columns._together(shapes)
    begins = []
    for number, (name, (shape, dtype)) in enumerate(shapes.items()):
        assert (arrays[name].shape, arrays[name].dtype) == (shape, dtype)
        assert arrays[name].flags.aligned
        arrays[name][...] = number + 1
        begins.append(arrays[name].__array_interface__["data"][0])
    assert [int(arrays[name].sum()) for name in "abd"] == [3, 12, 20]
    assert np.diff(begins[:2]).tolist() == [64]
    assert begins[3] - begins[1] == 64


def test_a_result_says_what_it_is():
    points = starts.Starts(problems.quartic().grid(3), {"seed": [4, 5, 6]})
    rules = [optimizers.gd(), optimizers.momentum(momentum=0.5), optimizers.adam()]
    subject = gdfast.Sweep(problems.quartic(), rules, [0.01, 0.1], points, 5, measure=measures.convergence())
    got = gdfast.run(subject, backend="numpy", keep_theta=True)
    assert {name: got[name].dtype for name in result.FIELDS} == {n: np.dtype(k) for n, k in result.FIELDS.items()}
    assert (got.measure.dtype, got.theta.dtype) == (np.float64, np.float64)
    assert columns.bytes_of_a_cell(subject, True) == 1 + 1 + 4 + 8 + 8 + 2 + 1 + 8 + 8
    plane = gdfast.Sweep(problems.himmelblau(), "gd", [0.1], [[0.0, 1]], 5)
    assert columns.bytes_of_a_cell(plane, True) - columns.bytes_of_a_cell(plane, False) == 16
    assert got.rule.values.tolist() == ["gd", "momentum", "adam"]
    assert got.seed.values.tolist() == [4, 5, 6]
    assert got.parameter.values.tolist() == ["x"]
    assert got.start.values.tolist() == [0, 1, 2]
    assert got.attrs["title"] == f"gdfast sweep of {problems.quartic().label}"
    assert got.attrs["gdfast"] == gdfast.__version__
    told = got.outcome.attrs
    assert dict(zip(told["flag_meanings"].split(), told["flag_values"], strict=True)) == {
        o.name: int(o) for o in Outcome
    }


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="Linux tells the processor")
def test_a_result_names_the_processor():
    told = result.machine()
    models = [
        text.partition(":")[2].strip()
        for text in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in text
    ]
    assert told["processor"].startswith(models[0] if models else platform.machine())
    assert told["processor"].endswith(f"{os.cpu_count()} cores")
    assert told["python"] == platform.python_version()


def test_the_useful_share_is_one_at_most():
    assert [result.useful_share(*pair) for pair in ((3, 4), (4, 4), (5, 4), (0, 0))] == [0.75, 1, 1, 0]


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """A result of 3 rates and 5 starts, of which some settled."""
    path = tmp_path_factory.mktemp("earlier") / "run.zarr"
    subject = gdfast.Sweep(
        problems.quartic(), ["gd", "momentum"], [0.05, 0.1, 0.2], [[1.0], [2.0], [3.0], [4.0], [5.0]], 60
    )
    gdfast.run(subject, store=path, backend="numpy", progress=False)
    return path, subject


def taken(earlier, **changed):
    path, subject = earlier
    return Earlier(path, store.read(path), subject.replace(**changed), "numpy", False)


@pytest.mark.slow
def test_what_an_earlier_result_has_is_found_wherever_it_stands(earlier):
    old = store.read(earlier[0])
    got = taken(
        earlier, optimizers=["adam", "momentum"], learning_rates=[0.3, 0.2, 0.05], starts=[[7.0], [5.0], [1.0], [6.0]]
    )
    row = Tile(1, 0, 12)
    final = [[False] * 4, [False, True, True, False], [False, True, True, False]]
    assert got.final(row).tolist() == np.ravel(final).tolist()
    values = got.values("loss", row).reshape(3, 4)
    for i, rate in enumerate([0.3, 0.2, 0.05]):
        for j, start in enumerate([7.0, 5.0, 1.0, 6.0]):
            if final[i][j]:
                at = old.loss.values[1, [0.05, 0.1, 0.2].index(rate), int(start) - 1]
                np.testing.assert_array_equal(values[i, j], at)
    assert not got.final(Tile(0, 0, 12)).any()
    assert got.final(Tile(1, 5, 7)).tolist() == [True, True]
    assert got.final(Tile(1, 6, 8)).tolist() == [True, False]
    assert got.final(Tile(1, 4, 12)).tolist() == np.ravel(final[1:]).tolist()


def test_within_another_budget_only_what_settled_before_either_is_taken(earlier):
    old = store.read(earlier[0])
    for budget in (20, 300):
        got = taken(earlier, max_steps=budget).final(Tile(0, 0, 15))
        np.testing.assert_array_equal(got, old.steps.values[0].ravel() < min(budget, 60))
        assert 0 < got.sum() < 15
    assert taken(earlier).final(Tile(0, 0, 15)).all()


def test_what_is_missing_is_run_in_pieces_that_are_worth_it(earlier):
    wanted = {"starts": [[1.0], [9.0], [2.0], [8.0], [7.0]], "learning_rates": [0.1]}
    (piece,) = taken(earlier, **wanted).missing(Tile(0, 0, 5))
    assert piece == Tile(0, 1, 5)  # sixty steps of one trajectory cost less than one more tile
    long = Earlier.__new__(Earlier)
    long.__dict__.update(taken(earlier, **wanted).__dict__, _sweep=earlier[1].replace(**wanted, max_steps=10**6))
    long._budget = 10**6
    assert long.missing(Tile(0, 0, 5)) == [Tile(0, 1, 2), Tile(0, 3, 5)]
    assert taken(earlier).missing(Tile(0, 0, 15)) == []
    assert taken(earlier, optimizers=["adam", "gd"]).missing(Tile(0, 0, 15)) == [Tile(0, 0, 15)]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"learning_rates": [0.3]}, "it has no trajectory of this sweep"),
        ({"starts": [[9.0]]}, "it has no trajectory of this sweep"),
        ({"optimizers": "adam"}, "it has no trajectory of this sweep"),
        ({"gradient_tolerance": 1e-3}, "gradient_tolerance was 1e-08, asked for is 0.001"),
    ],
)
def test_a_result_without_any_of_it_is_refused(earlier, changed, words):
    with pytest.raises(StoreError, match=f"reuse: nothing of .* can be taken over: {words}"):
        taken(earlier, **changed)


def test_a_journal_of_the_earlier_result_is_left_as_it_is(earlier):
    assert Journal.read(earlier[0]).damages == []


def test_a_store_that_another_began_in_the_same_moment_is_completed(tmp_path, monkeypatch):
    sweep, path = gdfast.Sweep("quartic", "gd", [0.01, 0.1], [-2.0, 1.5], 20), tmp_path / "same.zarr"
    expected = gdfast.run(sweep, backend="numpy", store=path).load()
    exists = os.path.lexists
    asked = iter([False])
    monkeypatch.setattr(os.path, "lexists", lambda name: next(asked, True) if name == path else exists(name))
    cases.assert_same(gdfast.run(sweep, backend="numpy", store=path, progress=False), expected)
    assert next(asked, None) is None
