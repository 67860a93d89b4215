"""A small sweep of many blocks, what child processes do with stores of it, and how stores are compared."""

import itertools
import json
import multiprocessing
import os
import resource
import threading
import time

import numpy as np
import pytest

import gdfast
from gdfast import executors, optimizers, problems, store
from gdfast.storing import write as writer
from gdfast.storing.contents import LOCK
from gdfast.storing.journal import JOURNAL
from gdfast.storing.result import OF_THE_RUN
from gdfast.tiles import tile

RATES = np.geomspace(1e-3, 1, 6)
OF_THE_GROUP = {".zattrs", ".zmetadata", JOURNAL, LOCK}


def small_blocks(trajectories, patch=None):
    """Let stores of this process have blocks of so few trajectories, for good or as long as a `MonkeyPatch` lasts."""
    for name in ("_SMALLEST_BLOCK", "_LARGEST_BLOCK"):
        (patch.setattr if patch else setattr)(writer, name, trajectories)


def landscape(**changed):
    """Several blocks where `small_blocks` were asked for, and optimizers that differ in a hyperparameter."""
    rules = optimizers.grid(optimizers.momentum, momentum=np.array([0.3, 0.8]))
    arguments = {"learning_rates": RATES, "starts": np.linspace(-4, 4, 10)[:, None], "max_steps": 200}
    return gdfast.Sweep(problems.quartic(), rules, **{**arguments, **changed})


def sweep(**changed):
    """2 × 48 × 40 trajectories, some tenths of a second of work."""
    settings = {
        "problem": problems.quartic(),
        "optimizers": [optimizers.gd(), optimizers.momentum(momentum=0.8)],
        "learning_rates": np.geomspace(1e-6, 1, 48),
        "starts": np.linspace(-4, 4, 40)[:, None],
        "max_steps": 60_000,
        "tile_size": 50,
    }
    return gdfast.Sweep(**{**settings, **changed})


def interrupt(path, subject, after, workers=1, keep_theta=False):
    """Interrupt a run when so many trajectories are done, as Ctrl-C does.

    However busy the machine is, not all are done then: soon after those, threads wait until the run is stopped, but for
    the caller's, which may run tiles itself and is to tell of them. All batches under way are less than an eighth.
    """
    begun, run_tile, caller = itertools.count(), tile.run_tile, threading.current_thread()
    last = after // subject.tile_size + max(subject.size // 8 // subject.tile_size, 3)

    def progress(done, _):
        if done >= after:
            raise KeyboardInterrupt

    def run_or_wait(prepared, part, stop):
        waits, deadline = next(begun) >= last and threading.current_thread() is not caller, time.monotonic() + 60
        while waits and not stop[0] and time.monotonic() < deadline:
            time.sleep(0.001)
        return run_tile(prepared, part, stop)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tile, "run_tile", run_or_wait)
        with pytest.raises(KeyboardInterrupt):
            gdfast.run(subject, store=path, workers=workers, progress=progress, keep_theta=keep_theta)


def context():
    """Processes that start in some milliseconds, everything imported."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["stored", "gdfast.tiles.tile", "gdfast.running.run", "xarray", "zarr"])
    return found


def write(path, workers=1):
    small_blocks(130)
    gdfast.run(sweep(), store=path, keep_theta=True, workers=workers, progress=False)


def hold(path, ready):
    """Keep a store open for writing until killed."""
    small_blocks(130)
    with writer.writing(path, sweep(), "numba", True, False):
        ready.set()
        time.sleep(600)


def write_with_files_limited(path, size, told):
    """Write a store while no file can grow beyond a size."""
    small_blocks(130)
    with writer.writing(path, sweep(), "numba", True, False):
        pass
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        gdfast.run(sweep(), store=path, keep_theta=True, progress=False)
    except OSError as error:
        told.put(error.strerror)


def pool_until_killed(told):
    """Start worker processes, tell who they are, and wait to be killed."""
    with executors.Processes(2) as pool:
        list(pool.map(abs, range(4)))
        told.put(list(pool._processes))
        time.sleep(600)


def contents(path):
    """All that must be the same in two stores of one sweep: every file, and the attributes but for times."""
    files = {
        str(file.relative_to(path)): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and file.relative_to(path).as_posix() not in OF_THE_GROUP
    }
    metadata = json.loads((path / ".zmetadata").read_text())
    attributes = json.loads((path / ".zattrs").read_text())
    assert metadata["metadata"].pop(".zattrs") == attributes
    return files, metadata, {name: value for name, value in attributes.items() if name not in OF_THE_RUN}


def read_as_nobody(path, told):
    """Read a store as a user who may write nowhere."""
    store.read(path).load()  # imports what may be installed where others may not read
    os.setgid(65534)
    os.setuid(65534)
    found = store.status(path, whole=True)
    told.put((found.summary["state"], float(store.read(path).steps.sum())))


def write_netcdf_with_files_limited(path, told):
    """Write a netCDF file while no file can grow beyond a size."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
    try:
        gdfast.run(sweep(max_steps=100), store=path, progress=False)
    except OSError as error:
        told.put(error.strerror)
