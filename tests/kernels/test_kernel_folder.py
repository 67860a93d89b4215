"""The folder of compiled kernels: whatever happens to it, the right kernel runs, and it stays within its size."""

import ast
import gc
import os
import shutil
import subprocess
import sys
import textwrap
import weakref
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numba.core.event
import numpy as np
import pytest

import gdfast
from gdfast import measures, optimizers, problems, schedules, transforms
from gdfast.kernels import apart, compiling, digest, folder, fuse
from gdfast.kernels.evaluation import evaluation_kernel
from gdfast.kernels.loops import scopes

SIGNATURE = numba.types.int64(numba.types.int64[::1])


def kernel():
    """The smallest kernel there can be."""

    def first(x):
        return x[0]

    return compiling.compiled(SIGNATURE)(first)


def works():
    return kernel()(np.array([7])) == 7


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of kernels, and the only one, with a single kernel in it."""
    monkeypatch.setattr(folder, "folders", lambda: [tmp_path / "kernels"])
    folder._warn.cache_clear()
    assert works()
    return tmp_path / "kernels"


@pytest.fixture
def compilations(monkeypatch):
    """The kernels that have been compiled and kept."""
    compiled, write = [], folder.write
    monkeypatch.setattr(folder, "write", lambda name, code: compiled.append(name) or write(name, code))
    return compiled


def the_file(place):
    (file,) = place.iterdir()
    return file


def test_a_kernel_is_compiled_once(place, compilations):
    assert works()
    assert works()
    assert not compilations


def damaged(content):
    """The content with each of its regions damaged in turn: emptied, cut, lengthened, a bit flipped."""
    step = max(len(content) // 40, 1)
    places = sorted({*range(0, len(content), step), *range(80), len(content) - 1})
    yield b""
    yield content + b"\0"
    for at in places:
        yield content[:at]
        yield content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    yield bytes(len(content))
    yield content.replace(b"kernel 1", b"kernel 2")


def test_no_damage_is_ever_read(place):
    file = the_file(place)
    content, name = file.read_bytes(), file.name.removesuffix(".kernel")
    assert folder.read(name) is not None
    for version in damaged(content):
        file.write_bytes(version)
        assert folder.read(name) is None
    file.rename(file.with_name("another.kernel"))
    assert folder.read("another") is None


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "removed", "folder removed", "link to nothing"])
def test_damage_is_mended_by_compiling(place, compilations, damage):
    file = the_file(place)
    content = file.read_bytes()
    match damage:
        case "empty":
            file.write_bytes(b"")
        case "cut":
            file.write_bytes(content[: len(content) // 2])
        case "flipped":
            file.write_bytes(content[:400] + bytes([content[400] ^ 4]) + content[401:])
        case "removed":
            file.unlink()
        case "folder removed":
            shutil.rmtree(place)
        case "link to nothing":
            file.unlink()
            file.symlink_to(place / "nothing")
    assert works()
    assert len(compilations) == 1
    assert folder.read(the_file(place).name.removesuffix(".kernel")) is not None
    assert works()
    assert len(compilations) == 1


@pytest.mark.parametrize("obstacle", ["directory", "pipe", "endless"])
@pytest.mark.filterwarnings("ignore:no folder for compiled kernels")
def test_what_is_no_plain_file_is_not_waited_for(place, obstacle):
    file = the_file(place)
    file.unlink()
    match obstacle:
        case "directory":
            (file / "inside").mkdir(parents=True)
        case "pipe":
            os.mkfifo(file)
        case "endless":
            file.symlink_to("/dev/zero")
    assert works()


@pytest.mark.parametrize("reason", ["a file", "full", "nowhere"])
def test_where_no_folder_can_be_written_there_is_one_warning_and_a_result(tmp_path, monkeypatch, reason):
    (tmp_path / "file").touch()
    chosen = {"a file": [tmp_path / "file" / "kernels"], "full": [tmp_path / "full"], "nowhere": []}[reason]
    monkeypatch.setattr(folder, "folders", lambda: chosen)
    if reason == "full":

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(folder.os, "replace", full)
    folder._warn.cache_clear()
    with pytest.warns(UserWarning, match="NUMBA_CACHE_DIR") as caught:
        assert works()
        assert works()
    assert len(caught) == 1
    assert not [*tmp_path.rglob("*.unfinished")]


def test_a_folder_that_cannot_be_written_is_read_and_the_next_one_written(place, tmp_path, monkeypatch, compilations):
    (tmp_path / "file").touch()
    monkeypatch.setattr(folder, "folders", lambda: [tmp_path / "file" / "kernels", place])
    assert works()
    assert not compilations
    the_file(place).unlink()
    assert works()
    assert the_file(place).is_file()


def test_the_folder_is_trimmed_to_its_size_least_recently_used_first(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "folders", lambda: [tmp_path])
    code = bytes(2**18)
    monkeypatch.setenv("GDFAST_KERNELS_MIB", "1")
    for k in range(8):
        folder.write(f"k{k}", code)
    assert len([*tmp_path.iterdir()]) == 8  # of this minute: some process may be about to read them
    for k in range(8):
        os.utime(tmp_path / f"k{k}.kernel", (1e9 + k, 1e9 + k))
    (tmp_path / "notes.txt").write_text("mine")
    assert folder.read("k1") == code
    folder.write("k8", code)
    assert {f.name for f in tmp_path.iterdir()} == {"k1.kernel", "k8.kernel", "k7.kernel", "notes.txt"}


@pytest.mark.slow
def test_the_kernels_in_memory_are_bounded_and_released(place, monkeypatch):
    monkeypatch.setattr(compiling, "_kernels", OrderedDict())
    monkeypatch.setattr(compiling, "MOST_IN_MEMORY", 3)
    alive = [weakref.ref(compiling.remembered(k, kernel, (int, ()))) for k in range(5)]
    gc.collect()
    assert [*compiling._kernels] == [2, 3, 4]
    assert [each() is not None for each in alive] == [False, False, True, True, True]


class Points(NamedTuple):
    count: Any
    values: Any


def test_a_kernel_refuses_arrays_of_other_types(place):
    def last(p, first):
        return p.values[p.count - 1] + first[0]

    numbers = numba.types.int64[::1]
    points = numba.types.NamedTuple((numba.types.int64, numbers), Points)
    last_of = compiling.compiled(numba.types.int64(points, numbers))(last)
    good = np.array([3, 7])
    assert last_of(Points(2, good), good) == 10
    for wrong in (np.zeros(2), np.zeros((2, 2), np.int64), np.zeros(4, np.int64)[::2]):
        for given in ((Points(2, wrong), good), (Points(2, good), wrong)):
            with pytest.raises(TypeError, match="a kernel takes a contiguous int64 array of 1 dimensions"):
                last_of(*given)


QUARTIC, MANY = problems.quartic(), problems.quadratic(dimension=20)
NOISY = optimizers.gd().transformed(transforms.noise(0.1), transforms.clip_norm(1.0))
NORMED = optimizers.normalized_gd().transformed(transforms.normalize(), transforms.weight_decay())
PLATEAU = optimizers.gd().scheduled(schedules.reduce_on_plateau())


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    "compile_",
    [
        pytest.param(lambda: fuse.step_kernel(QUARTIC, NOISY), id="noisy"),
        pytest.param(lambda: fuse.step_kernel(QUARTIC, NORMED, dtype=np.float32), id="normed"),
        pytest.param(lambda: fuse.step_kernel(QUARTIC, PLATEAU, measures.convergence()), id="plateau, measured"),
        pytest.param(lambda: fuse.step_kernel(MANY, NOISY), id="rows"),
        pytest.param(lambda: evaluation_kernel(MANY.lane_kernel), id="evaluation"),
        pytest.param(lambda: evaluation_kernel(problems.mlp().lane_kernel), id="network", marks=pytest.mark.slow),
    ],
)
def test_every_function_that_is_compiled_for_a_kernel_is_in_its_digest(monkeypatch, place, compile_):
    codes, original, read, tree_of = set(), compiling.digest, [], scopes.tree_of

    def recording(function, *others):
        codes.update(f.__code__ for f in digest.functions(function))
        return original(function, *others)

    monkeypatch.setattr(compiling, "digest", recording)
    monkeypatch.setattr(compiling, "_kernels", OrderedDict())
    monkeypatch.setattr(scopes, "tree_of", lambda function: read.append(function) or tree_of(function))
    with numba.core.event.install_recorder("numba:compile") as recorder:
        compile_()
    functions = {event.data["dispatcher"].py_func for _, event in recorder.buffer}.union(read)
    files = {str(path) for path in digest.foundations()}
    assert any(f.__code__ in codes and f.__code__.co_filename not in files for f in functions)
    for function in functions:
        by_version = function.__module__.split(".")[0] in digest._TOOLS
        assert by_version or function.__code__ in codes or function.__code__.co_filename in files, function


RUN = """
import gdfast
from gdfast import optimizers, problems, transforms
from gdfast.kernels import folder
from gdfast.kernels.evaluation import evaluation_kernel
from gdfast.kernels.fuse import step_kernel
compiled, write = [], folder.write
folder.write = lambda name, code: compiled.append(name) or write(name, code)
noisy = optimizers.gd().transformed(transforms.noise(0.1), transforms.clip_norm(1.0))
step_kernel(problems.rosenbrock(), noisy)
evaluation_kernel(problems.quadratic(dimension=20).lane_kernel)
print(len(compiled))
"""


def in_copy(folder, code=RUN):
    environment = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "cache")}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def edited(text):
    """The text of a module with another first statement in every function, and the same meaning."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            documented = isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
            node.body.insert(int(documented), ast.parse("_edited = 1").body[0])
    return ast.unparse(tree)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package with its kernels, which a second process does not compile again."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(Path(gdfast.__file__).parent, copy / "gdfast", ignore=shutil.ignore_patterns("__pycache__"))
    assert int(in_copy(copy)) > 0
    assert int(in_copy(copy)) == 0
    return copy


def compiled_after_an_edit_of(package, *names):
    """How much is compiled while files have another text; then they have their own again, and its kernels."""
    paths = [package / "gdfast" / name for name in names]
    texts = [path.read_text() for path in paths]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text + "# edited\n" if "kernels" in path.parts else edited(text))
    try:
        return int(in_copy(package))
    finally:
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "formulas/noise.py",
        "transforms/gradients.py",
        "formulas/elementary.py",
        "optimizers/gd.py",
        "problems/quadratic.py",
        "kernels/settling.py",
        "kernels/lane_math/logarithm.py",
    ],
)
def test_an_edit_of_a_file_compiles_anew_what_reaches_it(package, name):
    assert compiled_after_an_edit_of(package, name) > 0


@pytest.mark.slow
def test_an_edit_of_other_files_compiles_nothing_anew(package):
    assert compiled_after_an_edit_of(package, "problems/booth.py", "optimizers/lion.py", "arguments.py") == 0


@pytest.mark.slow
def test_two_processes_compile_into_one_folder(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    code = "import gdfast as g; g.run(g.Sweep(g.problems.from_expression('x*x*2.0625'), 'gd', [0.01], [[1.0]], 20))"
    both = [subprocess.Popen([sys.executable, "-c", code], env=environment) for _ in range(2)]
    assert [each.wait(300) for each in both] == [0, 0]
    assert len([*tmp_path.rglob("step*.kernel")]) == 1
    assert not [*tmp_path.rglob("*.unfinished")]


@pytest.mark.slow
def test_after_a_number_of_kernels_others_are_compiled_in_a_process_that_ends(tmp_path, monkeypatch, compilations):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(apart, "MOST_HERE", 1)
    monkeypatch.setattr(compiling, "elsewhere", child := apart.Elsewhere())
    pairs = [(problems.from_expression(f"x**2*{k}.25 + x**4"), optimizers.gd()) for k in range(3)]
    for pair in pairs:
        assert fuse.step_kernel(*pair).address
    assert len(compilations) == 1
    first = child._child
    assert fuse.step_kernel(problems.from_expression("x**2*9.25 + x**4"), optimizers.gd()).address
    assert child._child is not first, "a child that has compiled so many is to be replaced"
    child.end()
    assert child._child is None


def test_what_a_child_cannot_compile_this_process_compiles(tmp_path, monkeypatch, compilations):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(apart, "MOST_HERE", 1)
    monkeypatch.setattr(compiling, "elsewhere", child := apart.Elsewhere())
    child.count = 1
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    assert fuse.step_kernel(problems.from_expression("x**2*7.25 + x**4"), optimizers.gd()).address
    assert len(compilations) == 1
    child.end()
