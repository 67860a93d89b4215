"""What a store is made of, piece by piece: blocks, names, lines of the journal, chunks, metadata."""

import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdfast.storing import files
from gdfast.storing.contents import check_file, differences
from gdfast.storing.files import Unsound
from gdfast.storing.journal import JOURNAL, Journal, check_of, grid, line
from gdfast.storing.write import block_shape


@pytest.mark.parametrize(
    ("shape", "work", "bytes_each", "block"),
    [
        ((3, 100, 100), 1000, 32, (3, 100, 100)),  # all of it at once
        ((7, 16, 32), 2**19, 24, (4, 16, 32)),  # 2048 trajectories are some seconds: whole optimizers
        ((7, 16, 64), 2**20, 24, (1, 16, 64)),
        ((3, 100, 100), 2**30, 32, (1, 10, 100)),  # whole rows, of a thousand trajectories at least
        ((3, 5, 2000), 2**30, 32, (1, 1, 1024)),
        ((1, 10**4, 10**4), 2**30, 32, (1, 2, 10**4)),  # about 4096 blocks at most
        ((1, 2**16, 2**20), 2**30, 24, (1, 1, 2**20)),  # a million trajectories at most
        ((2, 2**11, 2**11), 1, 24, (1, 2**9, 2**11)),
        ((1, 10, 10**4), 1, 2**20, (1, 1, 32)),  # 32 MiB at most
        ((1, 1, 10), 1, 2**40, (1, 1, 1)),
    ],
)
def test_blocks_by_hand(shape, work, bytes_each, block):
    assert block_shape(shape, work, bytes_each) == block


SIZES = st.tuples(st.integers(1, 50), st.integers(1, 3000), st.integers(1, 100_000))


@given(SIZES, st.integers(1, 2**40), st.integers(24, 2**22))
def test_blocks_are_whole_rows_or_whole_optimizers_within_their_bounds(shape, work, bytes_each):
    optimizers, rates, starts = block = block_shape(shape, work, bytes_each)
    assert all(1 <= c <= n for c, n in zip(block, shape, strict=True))
    assert rates == 1 or starts == shape[2]
    assert optimizers == 1 or (rates, starts) == shape[1:]
    assert math.prod(block) <= 2**20
    assert all(type(n) is int for n in block)
    assert math.prod(block) * bytes_each <= 2**25


def test_the_blocks_of_a_grid_have_its_trajectories():
    shape, block = (2, 7, 10), (1, 3, 10)
    keys = [f"{i}.{j}.0" for i in range(2) for j in range(3)]
    assert [grid(shape, block, key) for key in keys] == 2 * [(1, 3, 10), (1, 3, 10), (1, 1, 10)]
    for key in ("2.0.0", "0.3.0", "0.0.1", "0.0", "0.0.0.0", "00.0.0", "0.-1.0", "0.0.0\n", "x", ""):
        assert grid(shape, block, key) is None


@pytest.mark.parametrize(
    ("name", "is_plain"),
    [
        ("loss", True),
        (".zattrs", True),
        ("a b", True),
        ("a" * 200, True),
        ("a" * 201, False),
        ("é" * 100, True),
        ("é" * 101, False),
        *(
            (name, False)
            for name in ("", ".", "..", "a/b", "a\\b", "a:b", "a\nb", "\x1f", "\x00", "a*", "a?", '"', "<")
        ),
    ],
)
def test_names_of_files_lead_nowhere(name, is_plain):
    assert files.is_plain(name) is is_plain


def test_a_file_is_read_whole_or_not_at_all(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    assert files.read(tmp_path, "file", 5) == b"12345"
    with pytest.raises(Unsound, match="5 bytes, more than the 4"):
        files.read(tmp_path, "file", 4)
    (tmp_path / "empty").touch()
    assert files.read(tmp_path, "empty", 0) == b""


def test_what_became_a_link_or_a_fifo_meanwhile_is_neither_followed_nor_waited_for(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "fifo")
    monkeypatch.setattr(files, "size", lambda root, name: 5)
    with pytest.raises(OSError, match="symbolic links"):
        files.read(tmp_path, "link", 10)
    with pytest.raises(Unsound, match="fifo is no ordinary file"):
        files.read(tmp_path, "fifo", 10)
    with pytest.raises(OSError, match="symbolic links"):
        files.sync(tmp_path / "link")


def test_folders_are_made_once_and_not_where_something_else_is(tmp_path):
    files.make_folder(tmp_path / "a")
    files.make_folder(tmp_path / "a")
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    for name in ("file", "link"):
        with pytest.raises(NotADirectoryError):
            files.make_folder(tmp_path / name)


def test_a_file_takes_a_name_that_is_free_or_replaces_what_has_it(tmp_path):
    files.put(tmp_path / "x", b"one", is_new=True)
    with pytest.raises(FileExistsError):
        files.put(tmp_path / "x", b"two", is_new=True)
    assert (tmp_path / "x").read_bytes() == b"one"
    files.put(tmp_path / "x", b"tw", b"o")
    assert (tmp_path / "x").read_bytes() == b"two"
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


HEADER = {
    "digest": "0" * 64,
    "shape": [2, 6, 10],
    "block": [1, 3, 10],
    "begun": {"date": "today"},
    "files": {".zattrs": [3, 4]},
}
BLOCK = {"block": "0.1.0", "trajectories": 30, "steps": 5, "lane_steps": 6, "seconds": 2.0, "files": {"loss": [3, 4]}}
SESSION = {"session": {"compile_seconds": 0.5}}
FINISHED = {"finished": {"facts": {}, "files": {".zattrs": [5, 6]}}}


def journal(path, *entries):
    (path / JOURNAL).write_bytes(b"".join(line(entry) for entry in entries))
    return Journal.read(path)


def test_a_journal_says_what_was_done(tmp_path):
    other = {**BLOCK, "block": "1.1.0", "seconds": 3.0}
    first = journal(tmp_path, {"store": HEADER}, SESSION, BLOCK, other, SESSION, {**BLOCK, "seconds": 4}, FINISHED)
    assert first.damages == []
    assert (first.format, first.length) == (2, (tmp_path / JOURNAL).stat().st_size)
    assert first.header == {**HEADER, "files": {".zattrs": (3, 4)}}
    assert first.finished["files"] == {".zattrs": (5, 6)}
    assert (sorted(first.blocks), first.blocks["0.1.0"]["seconds"]) == (["0.1.0", "1.1.0"], 4)
    assert (first.sessions, first.seconds, first.compile_seconds) == (2, 7.0, 1.0)
    assert first.files == {".zattrs": ((5, 6), (3, 4))}  # as finished, or as begun


def test_a_last_line_without_its_end_is_not_there(tmp_path):
    journal(tmp_path, {"store": HEADER}, SESSION, BLOCK)
    whole = (tmp_path / JOURNAL).read_bytes()
    last = len(line(BLOCK))
    for lost in (1, 5, last - 1):
        (tmp_path / JOURNAL).write_bytes(whole[:-lost])
        got = Journal.read(tmp_path)
        assert (got.blocks, got.damages, got.length) == ({}, [], len(whole) - last)
    (tmp_path / JOURNAL).write_bytes(b"")
    got = Journal.read(tmp_path)
    assert (got.entries, got.damages, got.length, got.format) == ([], [], 0, 0)


@pytest.mark.parametrize(
    "entry",
    [
        {"store": {**HEADER, "digest": "0" * 63}},
        {"store": {**HEADER, "digest": 64 * "g"}},
        {"store": {**HEADER, "shape": [2, 6]}},
        {"store": {**HEADER, "shape": [2, 6, 10.0]}},
        {"store": {**HEADER, "shape": [2, 2, 10]}},  # less than a block
        {"store": {**HEADER, "block": [1, 0, 10]}},
        {"store": {**HEADER, "shape": [2, 6, 2**40 + 1]}},
        {"store": {**HEADER, "begun": 3}},
        {"store": {**HEADER, "files": {"../x": [3, 4]}}},
        {"store": {**HEADER, "files": {"a/b/c": [3, 4]}}},
        {"store": {**HEADER, "files": {JOURNAL: [3, 4]}}},
        {"store": {**HEADER, "files": {"loss": [3]}}},
        {"store": {**HEADER, "files": {"loss": [-1, 4]}}},
        {"store": {**HEADER, "files": {"loss": [2**31, 4]}}},
        {"store": {**HEADER, "files": {"loss": [3, 2**32]}}},
        {"store": {**HEADER, "files": {"loss": [3, -1]}}},
        {"store": {**HEADER, "files": {"loss": [3, 4.0]}}},
        {"session": {"compile_seconds": math.inf}},
        {"session": {"compile_seconds": "1"}},
        {"session": {}},
        {"finished": 3},
        {**BLOCK, "block": "0.1"},
        {**BLOCK, "block": "0.01.0"},
        {**BLOCK, "seconds": math.inf},
        {**BLOCK, "steps": 5.0},
        {**BLOCK, "trajectories": None},
        {},
    ],
)
def test_lines_that_gdfast_does_not_write_are_damages(tmp_path, entry):
    lines = [{"store": HEADER}, entry] if "store" not in entry else [entry]
    assert len(journal(tmp_path, *lines).damages) == 1


def test_the_largest_store_that_a_journal_tells_of(tmp_path):
    most = {**HEADER, "shape": [2, 6, 2**40], "block": [2, 6, 2**40], "files": {"loss": [2**31 - 1, 2**32 - 1]}}
    assert journal(tmp_path, {"store": most}).damages == []
    assert journal(tmp_path, {"store": {**HEADER, "files": {"loss": [0, 0]}}}, SESSION).damages == []


def test_lines_have_a_length_that_is_bounded(tmp_path, monkeypatch):
    for most, damages in ((len(line(SESSION)) - 1, 0), (len(line(SESSION)) - 2, 1)):  # less the end of the line
        monkeypatch.setattr("gdfast.storing.journal.LARGEST_TEXT", most)
        (tmp_path / JOURNAL).write_bytes(line(SESSION))
        assert [d for d in Journal.read(tmp_path).damages if "not readable" in d] == [
            "line 1 of its journal is not readable"
        ] * damages


def test_the_first_line_of_a_journal_is_its_first_and_its_only_one(tmp_path):
    for entries in ([SESSION], [SESSION, {"store": HEADER}], [{"store": HEADER}, {"store": HEADER}]):
        assert journal(tmp_path, *entries).damages


def test_a_file_is_one_of_those_that_are_accepted():
    one, two = b"some", b"others"
    for data in (one, two):
        check_file("x", data, (check_of(one), check_of(two)))
        check_file("x", data, ())  # none is known
    with pytest.raises(Unsound, match="x has 5 bytes instead of 4"):
        check_file("x", b"other", (check_of(one), check_of(two)))
    with pytest.raises(Unsound, match="x has another checksum"):
        check_file("x", b"same", (check_of(one), check_of(two)))
    with pytest.raises(Unsound, match="x has another checksum"):
        check_file("x", one, ((4, 0), (6, check_of(one)[1])))


@pytest.mark.parametrize(
    ("was", "asked", "words"),
    [
        ({"a": 1, "b": {"c": [1, 2]}}, {"a": 1, "b": {"c": [1, 2]}}, []),
        ({"a": 1}, {"a": 2}, ["a was 1, asked for is 2"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "c": 4}}, ["a.b was 1, asked for is 3", "a.c was 2, asked for is 4"]),
        ({"a": 1}, {"b": 2}, ["a was 1, asked for is none", "b was not there, asked for is 2"]),
        ({"a": [1, 2]}, {"a": [1, 3]}, ["a[1] was 2, asked for is 3"]),
        ({"a": [1, 2]}, {"a": [1]}, ["a had length 2, asked for is 1"]),
        ({"a": [1, 2]}, {"a": "x"}, ["a was a list of 2, asked for is x"]),
        ({"a": "x"}, {"a": [1, 2, 3]}, ["a was x, asked for is a list of 3"]),
        ({"a": {"b": 1}}, {"a": 1}, ["a was {'b': 1}, asked for is 1"]),
        (
            {"a": {"shape": [2, 3], "sha256": "0123456789"}},
            {"a": {"shape": [2, 4], "sha256": "9876543210"}},
            ["a was an array (2, 3) of digest 01234567, asked for is an array (2, 4) of digest 98765432"],
        ),
    ],
)
def test_differences_name_each_place_in_words(was, asked, words):
    assert list(differences("", was, asked)) == words
