"""Loss of power: every moment of a run, with what was not synced lost or torn, is a store that is resumed rightly.

The file operations of a run are recorded. A prefix of them, less what the disk may have lost, is laid out as a folder:
file systems keep what was synced, and of all else anything, names and contents each for themselves.
"""

import os
import random
import shutil
import threading
from pathlib import Path

import cases
import numpy as np
import pytest
import stored

import gdfast
from gdfast import optimizers, problems, store
from gdfast.outputs import PART
from gdfast.storing import files
from gdfast.storing.contents import LOCK
from gdfast.storing.store import StoreError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="tells files by their descriptors as Linux does")


@pytest.fixture(autouse=True)
def blocks(monkeypatch):
    stored.small_blocks(30, monkeypatch)


def run(path, **options):
    sweep = gdfast.Sweep(
        problems.quartic(), optimizers.gd(), np.geomspace(1e-3, 1, 6), np.linspace(-4, 4, 10)[:, None], 100
    )
    return gdfast.run(sweep, store=path, progress=False, **options)


def recorded(monkeypatch, work):
    """The file operations of some work, in the order in which they ended: names with their arguments."""
    operations, guard = [], threading.Lock()

    def recording(name):
        real = getattr(files, name)

        def call(*arguments, **options):
            result = real(*arguments, **options)
            place = (
                Path(os.readlink(f"/proc/self/fd/{arguments[0]}")) if isinstance(arguments[0], int) else arguments[0]
            )
            if name == "write":
                arguments = result, b"".join(arguments[1:])
            elif not place.name.startswith(PART) or name in ("move", "sync"):  # else inside of `write`
                arguments = place, *arguments[1:]
            else:
                return result
            with guard:
                operations.append((name, *arguments))
            return result

        return call

    with monkeypatch.context() as patch:
        for name in ("make_folder", "write", "move", "append", "cut", "remove", "sync", "sync_open", "sync_folder"):
            patch.setattr(files, name, recording(name))
        work()
    return operations


class Disk:
    """What a system shows of files, and what is surely on its disk."""

    def __init__(self):
        self.shown, self.synced = {}, {}  # names to numbers of files
        self.contents, self.kept = [], []  # of files by number

    def do(self, name, place, *arguments):
        match name:
            case "write":
                self.shown[place] = len(self.contents)
                self.contents.append(arguments[0])
                self.kept.append(b"")
            case "move":
                self.shown[arguments[0]] = self.shown.pop(place)
            case "append":
                self.contents[self.shown[place]] += arguments[0]
            case "cut":
                self.contents[self.shown[place]] = self.contents[self.shown[place]][: arguments[0]]
            case "remove":
                self.shown.pop(place, None)
            case "sync" | "sync_open" if place in self.shown:
                self.kept[self.shown[place]] = self.contents[self.shown[place]]
            case "sync" | "sync_folder":
                here = {name for name in {*self.shown, *self.synced} if name.parent == place}
                self.synced = {name: file for name, file in self.synced.items() if name not in here}
                self.synced.update({name: self.shown[name] for name in here if name in self.shown})

    def lay_out(self, folder, root, loss, rng):
        """Make a folder as it is found when the power is back, or, where nothing is lost, after a kill."""
        for name in {*self.shown, *self.synced}:
            is_shown = {"nothing": True, "all": False, "contents": True}.get(loss, rng.random() < 0.5)
            number = (self.shown if is_shown else self.synced).get(name)
            if number is None:
                continue
            new, old = self.contents[number], self.kept[number]
            torn = new[: rng.randint(min(len(old), len(new)), len(new))]
            zeros = torn + bytes(len(new) - len(torn))
            data = {"nothing": new, "all": old, "contents": old}.get(loss, rng.choice([new, old, torn, zeros]))
            place = folder / name.relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        folder.mkdir(exist_ok=True)
        (folder / LOCK).touch()


def as_found(operations, root, folder, loss, seed):
    """Lay a folder out as it is after some operations and a loss; returns its files."""
    disk = Disk()
    for operation in operations:
        disk.do(*operation)
    shutil.rmtree(folder, ignore_errors=True)
    disk.lay_out(folder, root, loss, random.Random(seed))
    return frozenset((file, file.read_bytes()) for file in folder.rglob("*") if file.is_file())


def survives(folder, loss, expected, whole):
    try:
        found = store.status(folder, whole=True)
    except StoreError:
        pass  # it was being made; nothing counts
    else:
        counted = {f"{name}/{key}" for key, entry in found.contents.blocks.items() for name in entry["files"]}
        assert not counted & {*found.damages}, "a block counts that is not on the disk"
        if loss in ("nothing", "all") and found.done:
            assert found.damages == {}
    cases.assert_same(run(folder), expected)
    assert stored.contents(folder) == stored.contents(whole)
    assert store.status(folder, whole=True).damages == {}


LOSSES = ("nothing", "all", "contents", "some")


@pytest.fixture
def record(tmp_path, monkeypatch):
    path = tmp_path / "run.zarr"
    operations = recorded(monkeypatch, lambda: run(path, workers=1))
    assert {operation[0] for operation in operations} >= {"make_folder", "write", "move", "append", "sync_open"}
    return operations, path, run(path).load()


@pytest.mark.slow
def test_some_moments_survive_a_loss_of_power(record, tmp_path):
    operations, path, expected = record
    rng = random.Random(1)
    for i in range(16):
        moment = operations[: rng.randrange(len(operations) + 1)]
        as_found(moment, path, tmp_path / "after.zarr", LOSSES[i % 4], i)
        survives(tmp_path / "after.zarr", LOSSES[i % 4], expected, path)


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_every_moment_survives_a_loss_of_power(record, tmp_path, loss):
    operations, path, expected = record
    folder, tried = tmp_path / "after.zarr", set()
    for n in range(len(operations) + 1):
        found = as_found(operations[:n], path, folder, loss, n)
        if found not in tried:  # what reaches no file, or not its disk, leaves the folder of the moment before
            tried.add(found)
            survives(folder, loss, expected, path)
    assert len(tried) > 20


def test_what_was_complete_stays_complete(record, tmp_path):
    operations, path, expected = record
    disk = Disk()
    for operation in operations:
        disk.do(*operation)
    disk.lay_out(tmp_path / "after.zarr", path, "all", random.Random(0))
    found = store.status(tmp_path / "after.zarr", whole=True)
    assert (found.done, found.damages) == (found.trajectories, {})
    cases.assert_same(store.read(tmp_path / "after.zarr"), expected)
