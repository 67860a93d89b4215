"""The driver compiled by a process of its own, while a command still imports what it needs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gdfast
from gdfast.kernels import folder
from gdfast.tiles import ahead

CODE = """
import sys
from gdfast.kernels import compiling
made, machine_code = [], compiling.machine_code
compiling.machine_code = lambda *of: made.append(of) or machine_code(*of)
if {broken}:
    sys.executable = "nothing"
from gdfast.__main__ import main
sys.argv[1:] = "sweep --problem quartic --optimizer gd --lr 0.01:0.1:2 --max-steps 5 -o out.zarr".split()
try:
    main()
finally:
    print("compiled", len(made))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package without kernels."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(Path(gdfast.__file__).parent, folder / "gdfast", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("is_broken", "count"), [(False, 1), (True, 2)])
def test_a_command_compiles_but_the_step_while_another_process_compiles_the_driver(copy, tmp_path, is_broken, count):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kernels"), "PYTHONPATH": str(copy)}
    (tmp_path / "kernels" / "gdfast").mkdir(parents=True)
    told = subprocess.run(
        [sys.executable, "-c", CODE.format(broken=is_broken)],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.splitlines()[-1] == f"compiled {count}"
    assert not told.stderr
    assert len([*(tmp_path / "kernels").rglob("drive-*.kernel")]) == 1
    assert (tmp_path / "out.zarr").is_dir()


def test_nothing_is_begun_where_there_is_a_driver_or_no_place_for_one(tmp_path, monkeypatch):
    places = [tmp_path / "first", tmp_path / "second"]
    monkeypatch.setattr(folder, "folders", lambda: iter(places))
    monkeypatch.setattr(ahead, "ahead", lambda call: pytest.fail("begun"))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert not folder.lacks("drive")
    ahead.begin()
    monkeypatch.setattr(os, "access", lambda path, mode: path == places[1])
    places[1].mkdir()
    assert folder.lacks("drive")
    (places[1] / "step-0.kernel").touch()
    assert folder.lacks("drive")
    (places[1] / "drive-0.kernel").touch()
    assert not folder.lacks("drive")
    ahead.begin()


def test_what_has_begun_is_waited_for_once(monkeypatch):
    waited = []
    monkeypatch.setattr(folder, "lacks", lambda kind: True)
    monkeypatch.setattr(ahead, "ahead", lambda call: lambda: waited.append(call))
    ahead.begin()
    ahead.begin()
    ahead.finish()
    ahead.finish()
    assert waited == [(ahead._compile, ())]
