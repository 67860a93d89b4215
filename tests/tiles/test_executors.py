"""Workers of every kind give the same result; lost ones lose nothing that is stored."""

import os
import pickle
import signal
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import cases
import numpy as np
import pytest
import stored

import gdfast
from gdfast import executors, optimizers, store
from gdfast.tiles.executors import Processes, WorkersLostError
from gdfast.tiles.sweep import Tile

SWEEP = stored.sweep(max_steps=300)


class Pickling(Executor):
    """Runs everything at once, from its pickled form, and counts the bytes."""

    def __init__(self):
        self.bytes = []

    def submit(self, fn, /, *args, **kwargs):
        parcel = pickle.dumps((fn, args, kwargs))
        self.bytes.append(len(parcel))
        fn, args, kwargs = pickle.loads(parcel)
        future = Future()
        try:
            future.set_result(pickle.loads(pickle.dumps(fn(*args, **kwargs))))
        except BaseException as error:
            future.set_exception(error)
        return future


def test_a_sweep_travels_once_to_a_worker():
    starts = np.random.default_rng(1).normal(size=(20_000, 5))
    sweep = gdfast.Sweep(
        next(p for p in cases.PROBLEMS if p.dimension == 5), optimizers.gd(), np.geomspace(1e-3, 1e-1, 20), starts, 3
    )
    executors._known.clear()
    executor = Pickling()
    got = gdfast.run(sweep, executor=executor)
    cases.assert_same(got, gdfast.run(sweep))
    large = [n for n in executor.bytes if n > starts.nbytes]
    assert 1 <= len(large) <= 64  # those submitted before the first answer
    small = [n for n in executor.bytes if n <= starts.nbytes]
    assert max(small) < 1000
    executor.bytes.clear()
    gdfast.run(sweep, executor=executor)
    assert max(executor.bytes) < 1000


@pytest.mark.parametrize("problem", cases.PROBLEMS, ids=cases.label)
def test_what_was_used_travels_in_the_same_bytes(problem):
    sweep = gdfast.Sweep(problem, optimizers.gd(), [0.01], problem.random(2), 3)
    before = pickle.dumps(sweep)
    gdfast.run(sweep, backend="numpy")
    assert pickle.dumps(sweep) == before
    assert pickle.loads(before) == sweep
    assert pickle.dumps(pickle.loads(before)) == before


def test_any_executor_gives_the_same_result():
    expected = gdfast.run(SWEEP, keep_theta=True)
    with ThreadPoolExecutor(3) as executor:
        cases.assert_same(gdfast.run(SWEEP, executor=executor, keep_theta=True), expected)
        cases.assert_same(
            gdfast.run(SWEEP, executor=executor, keep_theta=True, backend="numpy"),
            gdfast.run(SWEEP, keep_theta=True, backend="numpy"),
        )


def test_batches_hold_every_tile_once_in_order():
    tiles = [Tile(0, i, i + n) for i, n in enumerate([1, 5, 4096, 1, 1, 9000, 3])]
    for workers in (1, 2, 64):
        for most in (1, 100, 10_000, 10**9):
            found = executors.in_batches(tiles, workers, most)
            assert [tile for batch in found for tile in batch] == tiles
            for batch in found:
                assert len(batch) == 1 or sum(tile.last - tile.first for tile in batch) <= most
    many = [Tile(o, 0, 5) for o in range(4096)]
    assert 32 <= len(executors.in_batches(many, 2, 4096)) <= 64
    assert executors.in_batches([], 2, 10) == []


@pytest.mark.parametrize("takes_part", [False, True])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_threads_work_on_every_item_once(workers, takes_part):
    def work(item, stop):
        ran.append(threading.get_ident())
        return item

    for n in (0, 1, 3, 100):
        ran = []
        with executors.each_on_threads(work, range(n), workers, takes_part) as finished:
            assert sorted(finished) == [*range(n)]
        assert len(ran) == n
        if n >= 1 and workers == 1:
            assert {*ran} == {threading.get_ident()} if takes_part else threading.get_ident() not in ran


@pytest.mark.parametrize("takes_part", [False, True])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_errors_of_threads_reach_the_caller(workers, takes_part):
    def work(item, stop):
        if item == 3:
            raise ZeroDivisionError("three")
        working.append(item)
        while item > 3 and not stop[0]:  # what still runs is stopped, and has ended when the error comes
            time.sleep(0.001)
        working.remove(item)
        return item

    working = []
    with (
        pytest.raises(ZeroDivisionError, match="three"),
        executors.each_on_threads(work, range(100), workers, takes_part) as finished,
    ):
        list(finished)
    assert working == []


def test_a_thread_that_cannot_start_ends_the_others(monkeypatch):
    def start(*given):
        if started:
            raise RuntimeError("can't start new thread")
        started.append(start_thread(*given))

    def work(item, stop):
        working.append(item)
        while not stop[0]:
            time.sleep(0.001)
        working.remove(item)

    started, working, start_thread = [], [], executors._thread.start_new_thread
    monkeypatch.setattr(executors._thread, "start_new_thread", start)
    with pytest.raises(RuntimeError, match="new thread"), executors.each_on_threads(work, range(9), 3):
        pass
    assert len(started) == 1
    assert working == []


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="looks for processes in /proc")
def test_a_lost_worker_is_told_and_the_store_resumed(tmp_path, monkeypatch):
    stored.small_blocks(130, monkeypatch)
    path, sweep = tmp_path / "run.zarr", stored.sweep(max_steps=400_000)

    def progress(done, total):
        if done >= 600 and not killed:
            killed.append(next(iter(pool._processes)))
            os.kill(killed[0], signal.SIGKILL)

    killed = []
    with pytest.raises(WorkersLostError, match="ended before its tiles did"), Processes(2) as pool:
        gdfast.run(sweep, store=path, executor=pool, progress=progress, keep_theta=True)
    assert 0 < store.status(path).done < 3840
    got = gdfast.run(sweep, store=path, keep_theta=True, progress=False)
    cases.assert_same(got, gdfast.run(sweep, keep_theta=True))


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="looks for processes in /proc")
def test_workers_end_with_a_killed_parent():
    context = stored.context()
    told = context.Queue()
    child = context.Process(target=stored.pool_until_killed, args=(told,))
    child.start()
    workers = told.get(timeout=60)
    child.kill()
    child.join()
    deadline = time.monotonic() + 10
    while not all(gone(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert all(gone(pid) for pid in workers)


def test_a_dask_cluster_that_loses_a_worker_gives_the_same_store(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="Dask is not installed; pip install 'gdfast[dask]'")
    stored.small_blocks(130, monkeypatch)
    expected = tmp_path / "expected.zarr"
    gdfast.run(stored.sweep(), store=expected, keep_theta=True)
    killed = []
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        pids = [worker.pid for worker in cluster.workers.values()]

        def progress(done, total):
            if done >= 600 and not killed:
                killed.append(pids[0])
                os.kill(pids[0], signal.SIGKILL)

        with executors.dask(cluster.scheduler_address) as executor:
            path = tmp_path / "run.zarr"
            gdfast.run(stored.sweep(), store=path, executor=executor, progress=progress, keep_theta=True)
    assert killed
    assert stored.contents(path) == stored.contents(expected)


def test_a_scheduler_that_does_not_answer_is_told():
    pytest.importorskip("distributed", reason="Dask is not installed; pip install 'gdfast[dask]'")
    with (
        pytest.raises(ConnectionError, match=r"scheduler: tcp://127\.0\.0\.1:1 cannot be reached"),
        executors.dask("tcp://127.0.0.1:1", timeout=0.5),
    ):
        pass
