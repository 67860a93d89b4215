"""Workers that are not there, are other ones, end or fail: one sentence, nothing left behind, nothing lost."""

import importlib
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path

import cases
import numpy as np
import pytest
import stored

import gdfast
from gdfast import executors, optimizers, problems
from gdfast.tiles import environment, workers
from gdfast.tiles.executors import WorkersDifferError, WorkersError, WorkersLostError

SWEEP = stored.sweep(max_steps=100)
ROOT = Path(gdfast.__file__).parents[1]
POSIX = pytest.mark.skipif(os.name != "posix", reason="sends signals, and looks for processes as POSIX systems do")


class Faulty(Executor):
    """Runs a number of calls at once, and fails at all others in a way that a function says."""

    def __init__(self, fault, sound=3):
        self.fault, self.left = fault, sound

    def submit(self, fn, /, *args, **kwargs):
        self.left -= 1
        future = Future()
        if self.left < 0:
            return self.fault(future)
        future.set_result(fn(*args, **kwargs))
        return future


def _shut_down(future):
    raise RuntimeError("cannot schedule new futures after shutdown")


def _raises(future):
    future.set_exception(OSError("the machine has left\nthe network"))
    return future


def _exits(future):
    future.set_exception(EOFError())
    return future


def _cancelled(future):
    future.cancel()
    future.set_running_or_notify_cancel()
    return future


def _answers(value):
    def fault(future):
        future.set_result(value)
        return future

    return fault


FAULTS = {
    "shut down": (_shut_down, "after shutdown"),
    "raises": (_raises, "OSError: the machine has left$"),
    "ends": (_exits, "EOFError"),
    "cancelled": (_cancelled, "CancelledError"),
    "no future": (lambda future: "later", "no concurrent.futures.Future, but 'later'"),
    "no answer": (_answers(None), "something else than it was to run: None"),
    "a text": (_answers("cells"), "something else"),
    "no cells": (_answers([]), "something else"),
    "wrong cells": (_answers([1] * 1000), "something else"),
}


@pytest.mark.sampled(1)
@pytest.mark.parametrize("sound", [0, 40])
@pytest.mark.parametrize("fault", FAULTS)
def test_an_executor_that_fails_is_told_in_one_sentence_and_resumed(tmp_path, fault, sound):
    fails, sentence = FAULTS[fault]
    threads = set(threading.enumerate())
    with pytest.raises(WorkersLostError, match=sentence) as told:
        gdfast.run(SWEEP, executor=Faulty(fails, sound), keep_theta=True)
    assert "\n" not in str(told.value)
    assert told.value.__suppress_context__ or told.value.__context__ is None  # no traceback of another error
    path = tmp_path / "run.zarr"
    with pytest.raises(WorkersLostError, match="the same call again completes"):
        gdfast.run(SWEEP, executor=Faulty(fails, sound), keep_theta=True, store=path, progress=False)
    assert set(threading.enumerate()) - threads <= {
        t for t in threading.enumerate() if t.name.startswith(("zarr", "asyncio"))
    }
    with ThreadPoolExecutor(2) as executor:
        got = gdfast.run(SWEEP, executor=executor, keep_theta=True, store=path, progress=False)
    cases.assert_same(got, gdfast.run(SWEEP, keep_theta=True))


def test_an_executor_that_was_shut_down_is_told():
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(WorkersLostError, match="cannot schedule new futures after shutdown"):
        gdfast.run(SWEEP, executor=executor)


def test_an_error_of_the_sweep_itself_is_raised_as_it_is(monkeypatch):
    def fail(*arguments):
        raise ZeroDivisionError("in a tile")

    monkeypatch.setattr(executors, "cells_of", fail)
    with ThreadPoolExecutor(1) as executor, pytest.raises(ZeroDivisionError, match="in a tile"):
        gdfast.run(SWEEP, executor=executor)


def test_tiles_in_flight_are_bounded():
    class Counting(Executor):
        def __init__(self):
            self.futures = []

        def submit(self, fn, /, *args, **kwargs):
            self.futures.append(Future())
            if len(self.futures) == 2 * 32:
                raise MemoryError("as many as there may be")
            return self.futures[-1]

    executor = Counting()
    with pytest.raises(WorkersLostError, match="as many as there may be"):
        gdfast.run(SWEEP, executor=executor)
    assert all(future.cancelled() for future in executor.futures[:-1])


def test_a_sweep_that_cannot_travel_is_refused_before_anything_is_made(tmp_path):
    local = problems.Landscape(lambda x: x * x, lambda x: 2 * x, domain=(-1, 1))
    sweep = gdfast.Sweep(local, optimizers.gd(), [0.1], [[1.0]])
    with ThreadPoolExecutor(1) as executor, pytest.raises(TypeError, match="executor: the sweep cannot travel"):
        gdfast.run(sweep, executor=executor, store=tmp_path / "run.zarr")
    assert not list(tmp_path.iterdir())


RULES = """
from gdfast.optimizers import Optimizer, named
from gdfast.problems import Landscape
import more_rules

SCALE = 2.0

def slope(x):
    return SCALE * x

def helped(x):
    return more_rules.half(slope(x))

class Kept:
    FACTOR = 3.0

    def of(self, x):
        return self.FACTOR * x

@named()
def plain(momentum: float = 0.5):
    def rule(theta, grad, v, lr, momentum):
        v = momentum * v + grad
        return theta - lr * v, v
    return Optimizer(rule, 0.1)

def loss(x):
    return x * x

def grad(x):
    return 2.0 * x

bowl = Landscape(loss, grad, domain=(-1, 1), near=[[0.0]])
"""
MORE_RULES = "def half(x):\n    return 0.5 * x\n"
EDITS = [  # what is replaced, by what, and whose digest must see it
    ("SCALE = 2.0", "SCALE = 3.0", ["slope", "helped"]),
    ("SCALE * x", "SCALE + x", ["slope", "helped"]),
    ("more_rules.half(slope(x))", "more_rules.half(x)", ["helped"]),
    ("FACTOR = 3.0", "FACTOR = 4.0", ["Kept"]),
    ("self.FACTOR * x", "self.FACTOR - x", ["Kept"]),
    ("momentum * v + grad", "momentum * v - grad", ["plain"]),
    ("momentum: float = 0.5", "momentum: float = 0.6", ["plain"]),
    ("0.5 * x", "0.25 * x", ["helped"]),
    ("def slope(x):", "# a remark\n\ndef slope(x):", []),
]


@pytest.fixture
def digests(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def made(old="", new=""):
        for name, text in (("user_rules", RULES), ("more_rules", MORE_RULES)):
            sys.modules.pop(name, None)
            (tmp_path / f"{name}.py").write_text(text.replace(old, new) if old else text)
        importlib.invalidate_caches()
        module = importlib.import_module("user_rules")
        return {name: environment.digest(getattr(module, name)) for name in ("slope", "helped", "Kept", "plain")}

    yield made
    for name in ("user_rules", "more_rules"):
        sys.modules.pop(name, None)


def test_a_digest_sees_every_change_of_code_that_is_used_and_no_other(digests):
    before = digests()
    assert digests() == before
    for old, new, seen in EDITS:
        after = digests(old, new)
        assert [name for name in before if after[name] != before[name]] == seen, old


class Elsewhere(Executor):
    """Runs calls one by one in another process, which imports from the folders that it is given."""

    def __init__(self, *folders):
        loop = """
            import pickle, sys
            while True:
                try:
                    function, arguments = pickle.load(sys.stdin.buffer)
                except EOFError:
                    break
                try:
                    answer = True, function(*arguments)
                except Exception as error:
                    answer = False, error
                pickle.dump(answer, sys.stdout.buffer)
                sys.stdout.buffer.flush()
        """
        path = os.pathsep.join(map(str, folders))
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(loop)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folders[0],
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        )

    def submit(self, fn, /, *args, **kwargs):
        pickle.dump((fn, args), self.process.stdin)
        self.process.stdin.flush()
        sound, answer = pickle.load(self.process.stdout)
        future = Future()
        (future.set_result if sound else future.set_exception)(answer)
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


def _other_version(folder):
    shutil.copytree(ROOT / "gdfast", folder / "gdfast", ignore=shutil.ignore_patterns("__pycache__", "report"))
    text = (folder / "gdfast/__init__.py").read_text()
    (folder / "gdfast/__init__.py").write_text(text.replace('__version__ = "', '__version__ = "9.'))


def _no_gdfast(folder):
    (folder / "gdfast").mkdir()
    (folder / "gdfast/__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'gdfast'\")")


def _no_rules(folder):
    (folder / "user_rules.py").unlink()


def _same(folder):
    pass


def _other_rules(folder):
    (folder / "user_rules.py").write_text(RULES.replace("return 2.0 * x", "return 2.0 * x + 0.0"))


def _other_helper(folder):
    (folder / "user_rules.py").write_text(RULES.replace("momentum * v + grad", "grad + v * momentum"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_same, None),
        (_other_version, r"gdfast is 9\.\S+ there and \S+ here, the text of gdfast is \w+ there and \w+ here"),
        (_no_gdfast, "a worker does not find what it is to run .*No module named 'gdfast'"),
        (_no_rules, "does not have what the sweep is made of: ModuleNotFoundError: No module named 'user_rules'"),
        (_other_rules, r"not run the same code: user_rules\.grad is \w+ there and \w+ here$"),
        (_other_helper, r"not run the same code: user_rules\.plain is \w+ there and \w+ here$"),
    ],
)
def test_a_worker_runs_the_code_of_this_process_or_refuses(digests, tmp_path, change, sentence):
    digests()
    rules = importlib.import_module("user_rules")
    there = tmp_path / "there"
    there.mkdir()
    (there / "user_rules.py").write_text(RULES)
    (there / "more_rules.py").write_text(MORE_RULES)
    change(there)
    sweep = gdfast.Sweep(rules.bowl, rules.plain(), np.geomspace(1e-3, 1, 5), [[1.0], [0.5]], 50)
    with Elsewhere(there, ROOT) as executor:
        if sentence is None:
            got = gdfast.run(sweep, executor=executor, backend="numpy")
            cases.assert_same(got, gdfast.run(sweep, backend="numpy"))
        else:
            with pytest.raises(WorkersDifferError, match=sentence) as told:
                gdfast.run(sweep, executor=executor, backend="numpy")
            assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "address",
    [
        *("", "tcp://", "localhost", "tcp://localhost", "tcp://127.0.0.1:99999", "tcp://127.0.0.1:0", "foo://h:8786"),
        *("127.0.0.1", "tcp://:8786", "tcp://a b:8786", "tcp://127.0.0.1:-1", "tcp://127.0.0.1:٣", "inproc://"),
        *("http://127.0.0.1:8786", "tcp://127.0.0.1:8786/x", "x" * 5000, "\0", "tcp://user@host:8786", "\n"),
    ],
)
def test_what_is_no_address_of_a_scheduler_is_refused_at_once(address):
    with pytest.raises(ValueError, match=r"^scheduler must be an address such as tcp://") as told:
        workers.check_address(address)
    assert len(str(told.value)) < 200
    assert "\n" not in str(told.value)


def test_addresses_of_every_kind_are_accepted():
    for address in ("tcp://127.0.0.1:8786", "tls://host.example.org:1", "127.0.0.1:65535", "tcp://[::1]:8786"):
        assert workers.check_address(address) == address
    for nothing in (None, 8786, b"tcp://127.0.0.1:8786"):
        with pytest.raises(TypeError, match="scheduler must be an address"):
            workers.check_address(nothing)


def test_what_answers_but_is_no_scheduler_is_told():
    pytest.importorskip("distributed", reason="Dask is not installed; pip install 'gdfast[dask]'")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with (
            pytest.raises(ConnectionError, match=f"scheduler: {address} cannot be reached: nothing answers"),
            executors.dask(address, timeout=0.3),
        ):
            pass


def test_a_cluster_without_workers_is_waited_for_aloud_and_given_up(tmp_path, capsys):
    distributed = pytest.importorskip("distributed", reason="Dask is not installed; pip install 'gdfast[dask]'")
    path = tmp_path / "run.zarr"
    with distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=None, silence_logs=50) as cluster:
        with (
            executors.dask(cluster.scheduler_address, patience=1.5) as executor,
            pytest.raises(WorkersLostError, match=r"no worker is connected .* for 1\.5 s; the same call again"),
        ):
            gdfast.run(SWEEP, executor=executor, store=path)
        assert "gdfast: waiting: no worker is connected to the Dask scheduler at" in capsys.readouterr().err
    cases.assert_same(gdfast.run(SWEEP, store=path, progress=False), gdfast.run(SWEEP))


def python(code, *arguments, **settings):
    return subprocess.run(
        [sys.executable, *arguments],
        input=code,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        **settings,
    )


SCRIPT = """
import numpy as np, gdfast
from gdfast.tiles.executors import Processes
sweep = gdfast.Sweep(gdfast.problems.quartic(), gdfast.optimizers.gd(), [0.1, 0.2], [[1.0]], 50)
with Processes(2) as pool:
    print(gdfast.run(sweep, executor=pool, backend="numpy").sizes["learning_rate"])
"""


@pytest.mark.slow
def test_a_script_that_workers_cannot_import_is_told(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    got = python("", script)
    assert got.returncode == 1
    assert "bootstrapping" not in got.stderr
    assert "BrokenProcessPool" not in got.stderr
    assert got.stderr.count("Traceback") == 1
    last = got.stderr.strip().splitlines()[-1]
    assert "ended before they began" in last
    assert 'under `if __name__ == "__main__":`' in last


@pytest.mark.slow
def test_processes_work_wherever_code_comes_from_or_say_why_not(tmp_path):
    guarded = SCRIPT.replace("with Proc", 'if __name__ == "__main__":\n  with Proc').replace("    print", "      print")
    (tmp_path / "guarded.py").write_text(guarded)
    (tmp_path / "ends.py").write_text('if __name__ != "__main__": raise SystemExit(3)\n' + SCRIPT)
    assert python("", tmp_path / "guarded.py").stdout == "2\n"
    assert python("", "-m", "guarded", cwd=tmp_path).stdout == "2\n"
    assert python("", "-c", SCRIPT).stdout == "2\n"
    assert "2\n" in python(SCRIPT + "\n\n", "-i", "-c", "pass").stdout
    assert "save it as one" in python(SCRIPT, "-").stderr.strip().splitlines()[-1]
    assert "ended before they began" in python("", tmp_path / "ends.py").stderr.strip().splitlines()[-1]


def children(pid, patience=5.0):
    """Processes that descend from one and are still alive after some seconds: to end takes each a moment."""
    until = time.monotonic() + patience
    while True:
        listed = subprocess.run(["ps", "-eo", "pid=,pgid=,stat=,args="], capture_output=True, text=True, check=True)
        rows = [line.split(maxsplit=3) for line in listed.stdout.splitlines()]
        alive = [row for row in rows if row[1] == str(pid) and row[2][0] not in "ZX"]
        if not alive or time.monotonic() > until:
            return alive
        time.sleep(0.05)


class Machines:
    """A scheduler and its workers, as processes of their own."""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.folder, self.processes = folder, []
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.scheduler = self.start("dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port))

    def start(self, what, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.{what}", *arguments, "--no-dashboard"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        nothing = subprocess.DEVNULL
        self.processes.append(
            subprocess.Popen(command, stdout=nothing, stderr=nothing, cwd=self.folder, env=environment)
        )
        return self.processes[-1]

    def worker(self):
        folder = str(self.folder)
        return self.start("dask_worker", self.address, "--nthreads", "1", "--no-nanny", "--local-directory", folder)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for process in self.processes:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


LONG = ["sweep", "--problem", "quartic", "--optimizer", "gd", "--lr", "1e-12:1e-11:64", "--start", "-4:4:64"]
LONG += ["--max-steps", "2000000000"]


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "delay"),
    [
        *(("threads", delay) for delay in (0.5, 3)),
        *(("processes", delay) for delay in (0.5, 1.5, 5)),
        *(("scheduler", delay) for delay in (0.5, 3)),
    ],
)
def test_ctrl_c_leaves_nothing_behind(tmp_path, kind, delay):
    pytest.importorskip("distributed", reason="Dask is not installed; pip install 'gdfast[dask]'")
    with Machines(tmp_path) as machines:
        more = {"threads": [], "processes": ["--processes", "2"], "scheduler": ["--scheduler", machines.address]}[kind]
        if kind == "scheduler":
            machines.worker()
        child = subprocess.Popen(
            [sys.executable, "-m", "gdfast", *LONG, "--out", tmp_path / "x.zarr", *more],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        for _ in range(600):
            if (tmp_path / "x.zarr").exists():
                break
            time.sleep(0.1)
        time.sleep(delay)
        os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to all processes of the command
        _, errors = child.communicate(timeout=20)
    assert child.returncode in (130, -signal.SIGINT)
    assert errors.endswith(f"gdfast: interrupted; the same command again completes {tmp_path / 'x.zarr'}\n")
    assert "Traceback" not in errors
    assert not children(child.pid)


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize("fault", ["scheduler killed", "scheduler stopped", "workers killed one by one"])
def test_a_cluster_that_is_lost_is_told_and_the_store_resumed(tmp_path, fault, capsys):
    pytest.importorskip("distributed", reason="Dask is not installed; pip install 'gdfast[dask]'")
    sweep = stored.sweep(max_steps=400_000)
    path = tmp_path / "run.zarr"
    with Machines(tmp_path) as machines:
        workers = [machines.worker(), machines.worker()]
        threads = set(threading.enumerate())

        def lose():
            if fault == "workers killed one by one":
                for worker in workers:
                    worker.kill()
                    time.sleep(0.1)
            else:
                machines.scheduler.send_signal(signal.SIGKILL if "killed" in fault else signal.SIGSTOP)

        def progress(done, total):
            if done and not lost:
                lost.append(threading.Thread(target=lose))
                lost[0].start()

        lost = []
        with executors.dask(machines.address, timeout=20, patience=3) as executor:
            while executor.trouble():
                time.sleep(0.1)
            with pytest.raises(WorkersError, match=r"does not answer|no worker is connected|KilledWorker"):
                gdfast.run(sweep, executor=executor, store=path, progress=progress, keep_theta=True)
        lost[0].join()
    left = [t.name for t in set(threading.enumerate()) - threads if t.is_alive() and not t.daemon]
    assert not [name for name in left if not name.startswith(("zarr", "asyncio"))]
    assert "Traceback" not in capsys.readouterr().err
    got = gdfast.run(sweep, store=path, progress=False, keep_theta=True)
    cases.assert_same(got, gdfast.run(sweep, keep_theta=True))


@pytest.mark.slow
def test_two_runs_on_one_pool_do_not_stop_each_other():
    expected = gdfast.run(SWEEP)
    with executors.Processes(2) as pool, ThreadPoolExecutor(4) as threads:
        for got in threads.map(lambda _: gdfast.run(SWEEP, executor=pool), range(4)):
            cases.assert_same(got, expected)
