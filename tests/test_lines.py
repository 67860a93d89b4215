"""Wrong and random command lines: a result, or one sentence; never a traceback, and nothing is left behind."""

import os
import re
import shutil

import cases
import lines
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from gdfast.cli import app

GRID = ["--lr", "0.01:0.1:3", "--start", "-1:1:4", "--max-steps", "5"]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """What the words in capitals stand for."""
    root = tmp_path_factory.mktemp("lines")
    (root / "folder").mkdir()
    (root / "folder" / "treasure").write_text("mine")
    (root / "file").write_text("no store\n")
    (root / "table.csv").write_text("a,y\n1,2\n2,3\n3,5\n")
    (root / "link.png").symlink_to(root / "nowhere" / "m.png")
    os.mkfifo(root / "fifo")
    (root / "out").mkdir()
    for name, problem in (("store", "quartic"), ("other", "booth")):
        start = GRID[3:4] * (2 if problem == "booth" else 1)
        grid = [*GRID[:2], *(word for value in start for word in ("--start", value)), *GRID[4:]]
        call = ["sweep", "--problem", problem, "--optimizer", "gd", *grid, "--out", str(root / f"{name}.zarr")]
        assert CliRunner().invoke(app, call).exit_code == 0
    return {
        "LINK.png": root / "link.png", "TABLE": root / "table.csv", "STORE": root / "store.zarr", "FIFO": root / "fifo",
        "OTHER": root / "other.zarr", "FOLDER": root / "folder", "FILE": root / "file", "OUT": root / "out",
        "LONG": "l" * 5000,
    }  # fmt: skip


def laid_out(line, places):
    """The line with what its words in capitals stand for."""
    pattern = re.compile("|".join(map(re.escape, places)))
    return [pattern.sub(lambda word: str(places[word[0]]), word) for word in line]


def tree(places):
    """All that is there, with the sizes of files."""
    root = places["OUT"].parent
    return {str(place): place.lstat().st_size for place in sorted(root.rglob("*")) if not place.is_dir()} | {
        str(place): "folder" for place in root.rglob("*") if place.is_dir()
    }


def complaint(done, before, places):
    """What is wrong with how a refused command ended; nothing if all is well."""
    told = [text for text in done.stderr.splitlines() if not text.startswith("gdfast report: ")]
    faults = {
        f"exit code {done.exit_code}": done.exit_code not in (1, 2),
        f"{len(told)} lines: {told}": len(told) != 1,
        f"no sentence: {told[:1]}": not all(text.startswith("gdfast: ") for text in told),
        f"a fault: {told[:1]}": any("a fault of gdfast" in text or "Traceback" in text for text in told),
        f"{len(done.stderr)} characters": len(done.stderr) > 2000,
        "control characters": any(not c.isprintable() and c != "\n" for c in done.stderr),
        f"left: {sorted(set(tree(places).items()) ^ set(before.items()))}": tree(places) != before,
    }
    return [fault for fault, is_so in faults.items() if is_so]


WRONG = lines.wrong()


def test_there_are_many_wrong_command_lines():
    assert len({tuple(line) for line in WRONG}) == len(WRONG) >= 400


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_each_wrong_command_line_gets_one_sentence_and_leaves_nothing(places, part, monkeypatch):
    check(WRONG[part::8], places, monkeypatch)


def test_some_wrong_command_lines_get_one_sentence_and_leave_nothing(places, monkeypatch):
    check(WRONG[::24], places, monkeypatch)


# Of what a valid command line is made, and what a typist or a script puts in its place.
OF_TABLE = "linear_regression:data=(source=TABLE,target=y)"
VALID = [
    ["sweep", "--problem", "quartic", "--optimizer", "gd", *GRID, "--out", "OUT/x.zarr"],
    ["sweep", "--problem", "quartic", "--optimizer", "gd", *GRID, "--out", "OUT/x.nc", "--keep-theta"],
    ["sweep", "--loss", "x**2", "--optimizer", "gd", *GRID, "--out", "OUT/x.zarr", "--backend", "numpy"],
    ["sweep", "--problem", "quartic", "--optimizer", "gd", "--transform", "clip_norm=1", *GRID, "--out", "OUT/x.zarr"],
    ["sweep", "--problem", "quartic", "--optimizer", "gd", "--schedule", "cosine", *GRID, "--out", "OUT/x.zarr"],
    ["sweep", "--problem", OF_TABLE, "--optimizer", "gd", *GRID, "--out", "OUT/x.zarr"],
    ["map", "STORE", "-o", "OUT/m.png", "--quantity", "steps", "--at", "start=0.5"],
    ["map", "STORE", "-o", "OUT/m.svg", "--x", "learning_rate", "--y", "start", "--optimizer", "gd"],
    ["compare", "STORE", "STORE", "-o", "OUT/c.png"],
    ["plot", "sensitivity", "STORE", "-o", "OUT/m.html", "--size", "4x3", "--palette", "viridis"],
    ["table", "STORE", "-o", "OUT/t.csv", "--at", "start=0.5"],
    ["status", "STORE", "--verify"],
    ["list", "optimizers", "--parity"],
    ["list", "optimizers", "--libraries"],
    ["list", "transforms"],
    ["report", "--only", "nix", "--out", "OUT/r"],
    ["boundary", "--condition", "nix", "--out", "OUT/b"],
    ["--version"],
]
NASTY = st.one_of(
    st.sampled_from(lines.NASTY),
    st.text(max_size=20),
    st.floats().map(str),
    st.integers().map(str),
)
INSERTED = st.sampled_from(lines.INSERTED)


@st.composite
def mutated(draw):
    """A valid command line with up to three words replaced, left out, repeated or damaged."""
    line = list(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(line) - 1))
        word = line[place]
        cut = draw(st.integers(0, len(word)))
        line[place : place + 1] = draw(
            st.one_of(
                NASTY.map(lambda new: [new]),
                NASTY.map(lambda new, word=word: [word, new]),
                st.sampled_from([[], [word, word], [word[:cut]], [word[cut:]]]),
                INSERTED.map(lambda new, word=word, cut=cut: [word[:cut] + new + word[cut:]]),
            )
        )
        if not line:
            return ["status"]
    return line


def harmless_to_try(line):
    """Whether a line, if it is valid after all, takes a moment only and writes nowhere but into its folder."""
    counts = [int(digits) for word in line for digits in re.findall(r"\d+", word) if len(digits) < 15]
    is_long = max(counts, default=0) > 10_000 or (line[0] in ("report", "boundary") and "nix" not in line[2:3])
    is_elsewhere = any(re.search(r"(^|[^T])/[^d]", word) for word in line)
    return not (is_long or is_elsewhere or any("processes" in word or "scheduler" in word for word in line))


def try_out(line, places):
    """Run a line in a folder that is empty before, and say what is wrong with how it ended."""
    before = tree(places)
    done = CliRunner().invoke(app, laid_out(line, places))
    if done.exit_code:
        found = complaint(done, before, places)
    else:
        after = tree(places)
        lost = [name for name in before if after.get(name) != before[name]]
        halves = [name for name in after if ".gdfast-part" in name]
        found = [text for text in (lost and f"changed: {lost}", halves and f"half: {halves}") if text]
    for place in places["OUT"].iterdir():
        shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
    return found


def fuzz(places, examples):
    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(mutated().filter(harmless_to_try))
    def try_one(line):
        assert not try_out(line, places), line

    try_one()


@pytest.mark.slow
def test_random_command_lines_end_well(places, monkeypatch):
    monkeypatch.chdir(places["OUT"])
    fuzz(places, 40)


@pytest.mark.slow
def test_many_random_command_lines_end_well(places, monkeypatch):
    monkeypatch.chdir(places["OUT"])
    fuzz(places, cases.examples(500))


def check(several, places, monkeypatch):
    monkeypatch.chdir(places["OUT"])
    before, faults = tree(places), {}
    for line in several:
        done = CliRunner().invoke(app, laid_out(line, places))
        found = complaint(done, before, places)
        if found:
            faults[" ".join(word[:80] for word in line)] = found
            before = tree(places)
    assert not faults, "\n".join(f"{line!r}: {found}" for line, found in faults.items())
