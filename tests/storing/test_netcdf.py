"""Results as netCDF files, and stores and files of format 1: whole, checked, and never the end of the process."""

import os
import threading
import zipfile
from pathlib import Path

import cases
import pytest
import stored
from stored import landscape

import gdfast
from gdfast import store
from gdfast.storing import files
from gdfast.storing.store import StoreError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="uses links, FIFOs and limits of POSIX systems")


@pytest.fixture(autouse=True)
def blocks(monkeypatch):
    stored.small_blocks(30, monkeypatch)


def run(path, **options):
    result = gdfast.run(landscape(), store=path, progress=False, **options)
    result.close()
    return result


@pytest.fixture(scope="module")
def expected():
    return gdfast.run(landscape())


@pytest.fixture(params=[1, 2])
def old(request, tmp_path):
    """A store and a netCDF file written by gdfast as it was in that format, whose outcomes were judged otherwise."""
    with zipfile.ZipFile(Path(__file__).with_name(f"format{request.param}.zip")) as archive:
        archive.extractall(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_any_damage_of_a_netcdf_file_is_seen_before_hdf5_reads_it(tmp_path):
    path = tmp_path / "run.nc"
    run(path)
    data = path.read_bytes()
    for i in range(0, len(data), len(data) // 9):
        for changed in (data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :], data[:i], data[:i] + b"x" + data[i:]):
            path.write_bytes(changed)
            with pytest.raises(StoreError, match=r"cannot be read as a netCDF file|checksum") as error:
                store.read(path)
            assert "\n" not in str(error.value)
            if i == 0:
                for overwrite in (False, True):
                    with pytest.raises(StoreError):
                        run(path, overwrite=overwrite)
            assert path.read_bytes() == changed


def test_no_space_for_a_netcdf_file_is_a_sentence(tmp_path, monkeypatch):
    path = tmp_path / "run.nc"

    def full(file, data):
        os.write(file, data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "append", full)
    with pytest.raises(OSError, match=r"run.nc cannot be written: No space left on device"):
        run(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_netcdf_file_that_cannot_grow_leaves_the_process_alive(tmp_path):
    context = stored.context()
    told = context.Queue()
    child = context.Process(target=stored.write_netcdf_with_files_limited, args=(tmp_path / "run.nc", told))
    child.start()
    assert "cannot be written: File too large" in told.get(timeout=60)
    child.join()
    assert child.exitcode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_of_two_writers_of_a_netcdf_file_one_wins_whole(tmp_path, expected):
    path, errors = tmp_path / "run.nc", []

    def work():
        try:
            run(path)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [file.name for file in tmp_path.iterdir()] == ["run.nc"]
    with store.read(path) as got:
        cases.assert_same(got, expected)


def test_what_is_no_netcdf_result_is_left_alone(tmp_path):
    outside, path = tmp_path / "outside", tmp_path / "run.nc"
    outside.write_text("mine")
    for make in (
        lambda: path.write_text("mine"),
        lambda: os.mkfifo(path),
        path.mkdir,
        lambda: path.symlink_to(outside),
    ):
        make()
        for overwrite in (False, True):
            with pytest.raises(StoreError):
                run(path, overwrite=overwrite)
        with pytest.raises(StoreError):
            store.read(path)
        path.rmdir() if path.is_dir() else path.unlink()
    assert outside.read_text() == "mine"


def test_a_name_placed_beforehand_is_not_written_through(tmp_path, expected):
    outside = tmp_path / "outside"
    outside.write_text("mine")
    for name in (".run.nc.part", "run.nc.part", ".gdfast-part.0"):
        (tmp_path / name).symlink_to(outside)
    run(tmp_path / "run.nc")
    assert outside.read_text() == "mine"


@pytest.mark.sampled(1)
def test_older_formats_are_read_and_say_what_they_lack(old, expected):
    path = old / "run.zarr"
    with store.read(old / "run.nc") as one:
        for got in (one, store.read(path)):
            assert set(expected.data_vars) - set(got.data_vars) == {"ending"}
            assert not set(got.data_vars) - set(expected.data_vars)
            for name in expected.coords:
                assert got[name].values.tolist() == expected[name].values.tolist()
            settled = (got.steps < 200) & (expected.steps < 200)
            assert settled.mean() > 0.3
            assert (got.outcome == expected.outcome).where(settled, True).all()
            assert gdfast.analysis.summary(got) is not None
    found = store.status(path, whole=True)
    assert found.damages == {}
    version = store.read(path).attrs["gdfast_format"]
    assert found.summary["format"].startswith(f"{version}, ")
    assert ("its metadata and coordinates have no checksums" in found.summary["format"]) == (version == 1)
    (path / "learning_rate" / "0").unlink()
    with pytest.raises(StoreError, match="learning_rate/0 is missing"):
        store.read(path)


@pytest.mark.parametrize("name", ["learning_rate/0", "momentum/0", "optimizer/0"])
def test_a_coordinate_that_is_missing_is_a_damage_in_older_formats_too(old, name):
    (old / "run.zarr" / name).unlink()
    assert [*store.status(old / "run.zarr").damages] == [name]


@pytest.mark.slow
def test_older_formats_are_not_mixed_with_what_is_judged_otherwise(old, tmp_path, expected):
    path = old / "run.zarr"
    before = stored.contents(path)
    for options in ({"store": path}, {"store": old / "run.nc"}, {"reuse": path}, {"reuse": old / "run.nc"}):
        with pytest.raises(StoreError, match=r"loss_tolerance was not there, asked for is 1e-06"):
            gdfast.run(landscape(), progress=False, **options)
    assert stored.contents(path) == before
    cases.assert_same(gdfast.run(landscape(), store=path, overwrite=True, progress=False), expected)
    assert store.status(path, whole=True).summary["format"].startswith("3, ")


@pytest.mark.slow
def test_a_damaged_netcdf_file_of_an_older_format_does_not_end_the_process(old):
    path = old / "run.nc"
    data = path.read_bytes()
    for i in range(500, len(data), len(data) // 6):
        path.write_bytes(data[:i] + bytes(200) + data[i + 200 :])
        try:
            store.read(path).load().close()
        except StoreError as error:
            assert "netCDF" in str(error) or "attributes" in str(error)  # noqa: PT017
