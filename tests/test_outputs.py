"""What is left on disk, how errors are told, and what is refused for its size."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import gdfast
from gdfast import analysis, arguments, endings, memory, optimizers, outputs, plot, problems, store
from gdfast.cli import app


def test_a_file_is_written_whole_or_stays_what_it_was(tmp_path):
    place = tmp_path / "deep" / "picture.png"
    with outputs.beside(place) as part:
        part.write_text("new")
        assert not place.exists()
    assert place.read_text() == "new"
    with pytest.raises(OSError, match="cannot be written: No space"):
        write_half(place)
    assert place.read_text() == "new"
    assert [item.name for item in place.parent.iterdir()] == ["picture.png"]
    with pytest.raises(KeyboardInterrupt), outputs.beside(tmp_path / "other" / "p.png"):
        raise KeyboardInterrupt
    assert not (tmp_path / "other").exists()


def write_half(place):
    with outputs.beside(place) as part:
        part.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "file.png").write_text("old")
    (tmp_path / "link.png").symlink_to(tmp_path / "file.png")
    with outputs.beside(tmp_path / "link.png") as part:
        part.write_text("new")
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "file.png").read_text() == "new"


def test_a_folder_gets_all_or_nothing(tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "mine").write_text("mine")
    for fails in (True, False):
        try:
            with outputs.folder_beside(tmp_path / "report") as part:
                (part / "data").mkdir()
                (part / "data" / "a").write_text("a")
                (part / "index.html").write_text("page")
                if fails:
                    raise OSError(errno.ENOSPC, "No space left on device")
        except OSError:
            assert os.listdir(tmp_path / "report") == ["mine"]
    assert sorted(os.listdir(tmp_path / "report")) == ["data", "index.html", "mine"]
    assert (tmp_path / "report" / "data" / "a").read_text() == "a"


@pytest.mark.parametrize("kind", ["EISDIR", "ENAMETOOLONG", "EACCES", "ENOENT", "ELOOP"])
def test_what_the_user_can_mend_has_code_2(kind, capsys):
    check(OSError(getattr(errno, kind), "reason", "place"), 2, "place: reason", capsys)


@pytest.mark.parametrize("kind", ["ENOSPC", "EIO", "EMFILE"])
def test_what_the_machine_did_has_code_1(kind, capsys):
    check(OSError(getattr(errno, kind), "reason"), 1, "reason", capsys)


def test_other_errors_have_a_sentence_too(capsys):
    check(ValueError("x must be\n\x1b[31m1"), 2, "x must be \\x1b[31m1", capsys)
    check(MemoryError(), 1, "there is not enough memory", capsys)
    check(OverflowError("int too large"), 2, "a number is too large: int too large", capsys)
    check(AttributeError("no x"), 1, "a fault of gdfast, to be reported: AttributeError: no x", capsys)


def check(error, code, words, capsys):
    with pytest.raises(SystemExit) as end, endings.told():
        raise error
    assert end.value.code == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"gdfast: {words}")


def test_long_words_are_cut_and_short_ones_are_not():
    assert len(endings.sentence("a " + "b" * 5000)) < 300
    assert endings.sentence("a\tb\nc") == "a b c"
    assert len(arguments.shown(["x" * 5000] * 100)) < 1000
    assert arguments.shown(10**5000) == "10**5000"
    assert arguments.harmless("é\x1b\u202e$") == "é\\x1b\\u202e$"


@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.grid(optimizers.momentum, momentum=range(10**12)),
        lambda: problems.mlp((2, 10**6, 10**6, 1)),
        lambda: problems.mlp(points=2**31 - 1),
        lambda: problems.mlp().starts(seeds=range(10**12)),
        lambda: problems.quartic().random(2**31 - 1),
        lambda: problems.quadratic(dimension=4).grid(200),
        lambda: gdfast.Sweep(problems.quartic(), optimizers.adam(), [0.1], [[1.0]], max_steps=2**31 - 1),
        lambda: gdfast.Sweep(
            problems.linear_regression(batch_size=2), optimizers.gd(), [0.1], [[1.0, 1.0]], max_steps=2**31 - 1
        ),
        lambda: gdfast.run(gdfast.Sweep(problems.quartic(), optimizers.gd(), np.full(10**5, 0.1), np.ones((10**5, 1)))),
    ],
)
def test_what_does_not_fit_is_refused_by_its_size_before_it_is_made(make, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 4e9)
    with pytest.raises(ValueError, match=r"would need .*[GTPE]B of memory, but 4\.0 GB are free"):
        make()


def test_what_is_free_is_no_more_than_the_machine_has():
    assert 0 < memory.available() < 2**50
    assert [memory.shown(size) for size in (0, 999, 4.2e9, 1e30)] == [
        "0 bytes",
        "999 bytes",
        "4.2 GB",
        "1000000000000.0 EB",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process's own size")
def test_a_limit_of_the_process_counts():
    code = "import resource as r; r.setrlimit(r.RLIMIT_AS, (2**30, 2**30)); "
    code += "from gdfast import memory; print(memory.available())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 <= float(done.stdout) < 2**30


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """A store of one optimizer on a line of starts."""
    place = tmp_path_factory.mktemp("stores") / "x.zarr"
    sweep = gdfast.Sweep(problems.quartic(), optimizers.gd(), [0.001, 0.01, 0.1], [[-4.0], [-1.0], [1.4], [3.0]], 50)
    gdfast.run(sweep, store=place)
    return place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("start=1.5", {"start": 2}),
        ("start=-100", {"start": 0}),
        ("start=#3", {"start": 3}),
        ("learning_rate=0.09", {"learning_rate": 2}),
        (["learning_rate=#0", "start=2.9"], {"learning_rate": 0, "start": 3}),
        ([], {}),
    ],
)
def test_a_place_is_the_nearest_in_value_or_of_a_number(grid, text, place):
    result = store.read(grid)
    assert analysis.nearest(result, text).identical(result.isel({axis: [number] for axis, number in place.items()}))


@pytest.mark.slow
def test_names_of_columns_are_drawn_and_printed_as_they_are(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("a$b$ \\frac,\x1b[31mred,y$\n1,2,1\n2,5,3\n4,1,5\n")
    call = [
        "sweep",
        "--problem",
        "linear_regression:bias=false",
        "--data",
        table,
        "--target",
        "y$",
        "--optimizer",
        "gd",
    ]
    call += [
        "--start",
        "-1:1:3",
        "--start",
        "-1:1:3",
        "--lr",
        "0.1:1:3",
        "--max-steps",
        "5",
        "--out",
        tmp_path / "x.zarr",
    ]
    done = CliRunner().invoke(app, [str(word) for word in call])
    assert done.exit_code == 0, done.stderr
    for name in ("a$b$ \\frac", "\x1b[31mred"):
        out = tmp_path / "m.svg"
        done = CliRunner().invoke(app, ["map", str(tmp_path / "x.zarr"), "-o", str(out), "--y", name])
        assert done.exit_code == 0, done.stderr
        assert "\x1b" not in out.read_text()
    done = CliRunner().invoke(app, ["map", str(tmp_path / "x.zarr"), "-o", str(out), "--y", "\x1b[2J"])
    assert done.exit_code == 2
    assert "\x1b" not in done.stderr
    assert plot.style.literal("a$b\x1b") == r"a\$b\x1b"
