"""Tables from files: what is written is what is read, or one sentence; files that are damaged, too large or none."""

import bz2
import gzip
import io
import lzma
import os
import zipfile

import cases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from gdfast import data, problems
from gdfast.cli import app
from gdfast.data import tables
from gdfast.data import text as texts

GOOD = b"a,y\n1,2\n2,3.5\n3,1\n"
X, Y = np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 3.5, 1.0])


def zipped(*contents):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for k, content in enumerate(contents):
            archive.writestr(f"{k}.csv", content)
    return file.getvalue()


COMPRESSED = {"none": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zip": zipped}


def refused(path, target="y", **options):
    """The one sentence with which a file is refused."""
    with pytest.raises(ValueError, match=r"data|target") as error:
        data.load(path, target, **options)
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 1000
    return message


@pytest.mark.sampled(9)
@pytest.mark.parametrize("compress", COMPRESSED.values(), ids=COMPRESSED)
@pytest.mark.parametrize("content", [GOOD, b"\xef\xbb\xbf" + GOOD, GOOD.replace(b"\n", b"\r\n"), GOOD + b"\n\n"])
def test_a_file_may_be_compressed(tmp_path, compress, content):
    (tmp_path / "t").write_bytes(compress(content))
    got = data.load(tmp_path / "t", "y")
    np.testing.assert_array_equal(got.X, X)
    np.testing.assert_array_equal(got.y, Y)
    assert got.features == ("a",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,y\n1,2,3\n4,5\n6,7,8,9\n", "line 4 has 4 values, where those above have 3"),
        (
            "# by hand\n\n\na,b,y\n1,2,3\n4,5,1,2\n",
            "line 6 has 4 values, where those above have 3",
        ),
        ('a,b,y\n1,2,3\n"4,5,2\n6,7,8\n', "line 3 has a quotation mark that no other closes"),
    ],
    ids=["longer", "longer-below-comments", "quotation"],
)
def test_what_cannot_be_cut_into_values_is_told_by_its_line(tmp_path, text, words):
    (tmp_path / "table.csv").write_text(text)
    cases.refused(lambda: data.load(tmp_path / "table.csv", target="y"), ValueError, "CSV", words)


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz", "zip"])
def test_a_compressed_file_that_is_cut_is_refused(tmp_path, name):
    content = COMPRESSED[name](GOOD)
    for end in range(8, len(content) - 1, 7):
        (tmp_path / "t.csv").write_bytes(content[:end])
        refused(tmp_path / "t.csv")


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"17.592,6.1\n1,2\n2,3\n", ["numbers only", "17.592", "--no-header"]),
        (b"a,y,y\n1,2,3\n2,3,4\n", ["columns 2 and 3", "'y'", "differ"]),
        (b",a,y\n5,2,3\n2,3,4\n", ["column 1", "no name", "--drop 1"]),
        (b"a,y\n1,\x002\n", ["bytes of 0", "UTF-8"]),
        ("a,y\n1,2\n".encode("utf-16")[:-1], ["encoding 'utf-16'"]),
        ("ä,y\n1,\x02\n".encode("latin-1"), ["not UTF-8", "control character", "x02"]),
        (b"a" * 5000 + b",y\n1,2\n", ["5000 characters"]),
        (b"a,y\n" + b"z" * 5000 + b",2\n", ["line 2", "'zzz", "numbers"]),
        (b"a,y\n9007199254740992,1\n9007199254740993,2\n", ["whole numbers", "'a'", "float64"]),
        (b"a,y\n1,1e400\n", ["line 2", "'y'", "finite"]),
        (b",".join(b"%d" % j for j in range(10_001)) + b"\n1\n", ["10001 columns", "at most 10000"]),
        (b"a,y\n" + b"9" * 2**21 + b",1\n", ["line of", "at most 1048576"]),
        (zipped(GOOD, GOOD), ["2 files", "one"]),
        (zipped(), ["0 files", "one"]),
        (b"# only\n# comments\n", ["comments only"]),
        (b"PAR1 is no Parquet", ["as Parquet"]),
        (b"\x28\xb5\x2f\xfd1234", ["zstandard"]),
        (gzip.compress(bytes(2**20)), ["bytes of 0", "UTF-8"]),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value[0],
)
def test_what_cannot_be_read_is_said(tmp_path, content, words):
    (tmp_path / "t.csv").write_bytes(content)
    message = refused(tmp_path / "t.csv")
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("text", "target", "make"),
    [
        ('"a\nb",y\n1,2\n2,3\n', "z", problems.linear_regression),
        ('"a\nb",y\n1,2\n1,3\n', "y", problems.linear_regression),
        ('"a\nb",y\n1,2\nx,3\n', "y", problems.linear_regression),
        ('a,"y\nz"\n1,2\n1,3\n', "y", problems.linear_regression),
        ('a,y\n1,"2\n2"\n2,3\n', "y", problems.linear_regression),
        ('a,y\n1,"2\n2"\n2,"2\n2"\n', "y", problems.logistic_regression),
        ('a,y\n1,"2\n2"\n2,b\n3,c\n', "y", problems.logistic_regression),
        ("a,y\n1,2\n2,5\n3,9\n", "y", problems.softmax_regression),
    ],
)
def test_names_labels_and_paths_of_two_lines_are_told_on_one(tmp_path, text, target, make):
    path = tmp_path / "t\nu.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"data|target") as error:
        make(data.load(path, target))
    assert str(error.value).isprintable()


@pytest.mark.parametrize("name", ["gzip", "xz", "zip", "none"])
def test_no_more_is_read_than_may_be(tmp_path, monkeypatch, name):
    monkeypatch.setattr(texts, "LARGEST_FILE", 2**20)
    (tmp_path / "t.csv").write_bytes(COMPRESSED[name](b"a,y\n" + b"1,2\n" * 2**18))
    assert "more than 1 MiB" in refused(tmp_path / "t.csv")


def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "fifo.csv")
    (tmp_path / "endless.csv").symlink_to("/dev/zero")
    for path in (tmp_path, tmp_path / "fifo.csv", tmp_path / "endless.csv", "x" * 5000 + ".csv", "a\0.csv", "none.csv"):
        assert "is not a file" in refused(path)
    with pytest.raises(ValueError, match="is not known"):
        problems.linear_regression("x" * 5000)


class TestHeader:
    def test_the_first_line_is_data_where_that_is_said(self, tmp_path):
        (tmp_path / "t.csv").write_text("17.592,6\n1,2\n2,3\n")
        bare = data.load(tmp_path / "t.csv", "1", header=False)
        np.testing.assert_array_equal(bare.y, [17.592, 1, 2])
        np.testing.assert_array_equal(bare.X, [[6], [2], [3]])
        assert bare.features == ("2",)
        assert "line 1, column '2'" in refused_text(tmp_path, "1,x\n2,3\n", "1", header=False)
        named = data.load(tmp_path / "t.csv", "17.592", header=True)
        np.testing.assert_array_equal(named.X, [[2], [3]])
        with pytest.raises(TypeError, match="header must be True or False"):
            data.load(tmp_path / "t.csv", "1", header="no")

    def test_on_the_command_line(self, tmp_path):
        (tmp_path / "t.csv").write_text("17.592,6\n1,2\n2,3\n")
        base = ["sweep", "--problem", "linear_regression", "--data", str(tmp_path / "t.csv"), "--optimizer", "gd"]
        base += ["--lr", "0.1", "--max-steps", "3", "--backend", "numpy", "--out", str(tmp_path / "x.zarr")]
        for more, word in ((["--target", "1"], "--no-header"), (["--no-header"], "--target")):
            done = CliRunner().invoke(app, [*base, *more])
            assert done.exit_code == 2
            assert word in done.stderr
            assert not (tmp_path / "x.zarr").exists()
        done = CliRunner().invoke(app, [*base, "--target", "1", "--no-header"])
        assert done.exit_code == 0, done.stderr


def refused_text(folder, text, target, **options):
    (folder / "u.csv").write_text(text)
    return refused(folder / "u.csv", target, **options)


@pytest.mark.parametrize("column", [[1e308, -1e308, 1e307, 1.0], [5e-324, 1e-323, 0.0, 3e-320], [1e-200, 2e-200, 0, 1]])
def test_columns_at_the_ends_of_the_range_are_standardized_right(column):
    expected = np.array(column) / np.ldexp(1.0, np.frexp(np.abs(column).max())[1] - 1)
    expected = (expected - expected.mean()) / expected.std()
    got = problems.linear_regression((np.array(column)[:, None], [1, 2, 3, 5]), bias=False).X[:, 0]
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


# Random tables, whole and damaged.

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\n\0", exclude_categories=("Cs", "Zs")), min_size=1, max_size=6
).filter(str.strip)
KINDS = st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**53), 2**53), st.booleans()
LABELS = st.sampled_from(["low", "high, but", 'the "best"', "ä"])


def quoted(value):
    """A value as RFC 4180 writes it."""
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n\r') else text


@st.composite
def written(draw):
    """A table with the bytes of its file, features, target and classes."""
    names = draw(st.lists(NAMES, min_size=2, max_size=4, unique=True).filter(lambda n: not all(map(is_number, n))))
    m = draw(st.integers(1, 5))
    values = [draw(st.sampled_from(KINDS).flatmap(lambda k: st.lists(k, min_size=m, max_size=m))) for _ in names]
    place = draw(st.integers(0, len(names) - 1))
    labels = draw(st.booleans())
    if labels:
        values[place] = draw(st.lists(LABELS, min_size=m, max_size=m))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    space = draw(st.sampled_from(["", " "]))
    lines = [("," + space).join(map(quoted, row)) for row in (names, *zip(*values, strict=True))]
    text = end.join(lines) + draw(st.sampled_from(["", end, end + end]))
    raw = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()
    features = [column for j, column in enumerate(values) if j != place]
    return raw, names, place, np.array(features, dtype=np.float64).T, values[place], labels


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


@st.composite
def damaged(draw):
    """The bytes of a file with something cut, put in, exchanged or compressed."""
    raw, names, place, *_ = draw(written())
    raw = draw(st.sampled_from([*COMPRESSED.values()]))(raw)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw)))
        match draw(st.sampled_from(["cut", "put", "remove", "separator", "encode"])):
            case "cut":
                raw = raw[:at]
            case "put":
                bits = st.sampled_from(
                    [b"\0", b'"', b",", b"\n", b"\r", b"\n\n", b";", b"\xff", b"nan", b"1e999", b"'"]
                )
                raw = raw[:at] + draw(bits) + raw[at:]
            case "remove":
                raw = raw[:at] + raw[at + draw(st.integers(1, 9)) :]
            case "separator":
                raw = raw.replace(b",", draw(st.sampled_from([b";", b"\t", b"", b",,"])))
            case "encode":
                raw = raw.decode("utf-8", "replace").encode(draw(st.sampled_from(["utf-16", "utf-8", "utf-7"])))
    return raw, names[place]


def check_that_a_table_is_read_as_written(file, table):
    raw, names, place, features, target, labels = table
    file.write_bytes(raw)
    try:
        got = data.load(file, names[place])
    except ValueError as error:
        told = str(error)
        assert told.startswith(("data: ", "target ")), told
        # What may be refused in a table of numbers: names that lose spaces or quotes, or are numbers.
        assert any(
            word in told for word in ("no name", "same name", "is not known", "numbers only", "numbers among")
        ), told
        return
    np.testing.assert_array_equal(got.X, features)
    assert got.features == tuple(name for j, name in enumerate(names) if j != place)
    if labels:
        assert [got.classes[int(k)] for k in got.y] == target
    else:
        np.testing.assert_array_equal(got.y, np.array(target, dtype=np.float64))


def check_that_damage_is_read_or_refused(file, damage):
    raw, target = damage
    file.write_bytes(raw)
    try:
        got = data.load(file, target)
    except ValueError as error:
        told = str(error)
        assert told.startswith(("data: ", "target ")), told
        assert "\n" not in told
        assert len(told) < 1500
        return
    assert got.X.shape == (len(got.y), len(got.features))
    assert got.X.size
    assert np.isfinite(got.X).all()
    assert np.isfinite(got.y).all()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("tables") / "t.csv"


def test_a_point_behind_a_zero_is_no_mark_of_thousands(tmp_path):
    (tmp_path / "t.csv").write_text("a;b;y\n" + "".join(f"0.{100 + i};1.{100 + i},50;{i}\n" for i in range(9)))
    cases.refused(lambda: tables.read(tmp_path / "t.csv"), ValueError, "points before decimals in column 'a'", "in 'b'")
    (tmp_path / "u.csv").write_text("a,y\n" + "".join(f'"0,{100 + i}",{i}\n' for i in range(9)))
    assert tables.read(tmp_path / "u.csv").frame.a.astype(str).iloc[0] != "100"


class TestRandomTables:
    @pytest.mark.slow
    @given(table=written())
    @settings(max_examples=60)
    def test_what_is_written_is_read(self, file, table):
        check_that_a_table_is_read_as_written(file, table)

    @pytest.mark.slow
    @given(damage=damaged())
    @settings(max_examples=120)
    def test_damage_is_read_or_refused(self, file, damage):
        check_that_damage_is_read_or_refused(file, damage)

    @pytest.mark.slow
    @given(table=written(), damage=damaged())
    @settings(max_examples=cases.examples(2000))
    def test_many(self, file, table, damage):
        check_that_a_table_is_read_as_written(file, table)
        check_that_damage_is_read_or_refused(file, damage)
