"""What newcomers do with tables: real shapes of CSV files, and tables of pandas, each swept with one option at most."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest
import xarray
from typer.testing import CliRunner

import gdfast
from gdfast import data, problems
from gdfast.cli import app

ROWS = [(1.0, 0.5, 3.1), (2.0, -1.5, 2.4), (3.0, 2.5, 8.7), (4.5, 0.0, 8.9), (5.0, 1.0, 11.2), (6.5, -0.5, 12.6)]
X, Y = np.array(ROWS)[:, :2], np.array(ROWS)[:, 2]
PLAIN = "\n".join(["size,age,price", *(",".join(map(str, row)) for row in ROWS)]) + "\n"
COLOURS = ["red", "blue", "red", "green", "blue", "red"]


def lines(separator, names="size age price", decimal=".", rows=ROWS):
    """A table as text."""
    body = [separator.join(str(v).replace(".", decimal) for v in row) for row in rows]
    return "\n".join([separator.join(names.split()), *body]) + "\n"


def with_column(name, values):
    """The table with a column of other values in front."""
    head, *rest = PLAIN.splitlines()
    return "\n".join([f"{name},{head}", *(f"{v},{row}" for v, row in zip(values, rest, strict=True))]) + "\n"


GAPS = PLAIN.replace("2.0,-1.5", "2.0,").replace("4.5,0.0", ",0.0")
IDS = [f"C-{i:03d}" for i in (7, 3, 12, 4, 1, 9)]
DATES = [f"2024-0{i}-15" for i in range(1, 7)]

SHAPES = {
    "plain": (PLAIN, [], []),
    "European": (lines(";", decimal=","), [], ["separated by semicolons", "decimal commas"]),
    "European, grouped": (
        lines(";", rows=ROWS).replace(".", ",").replace("6,5;", "1.006,5;"),
        [],
        ["decimal commas, and points as marks of thousands"],
    ),
    "European, some whole": (lines(";", decimal=",").replace("5,0;1,0", "5;1"), [], ["decimal commas"]),
    "tab": (lines("\t"), [], ["separated by tabs"]),
    "pipe": (lines("|"), [], ["separated by pipes"]),
    "blanks": (lines("   "), [], ["separated by blanks"]),
    "latin-1": (lines(",", "größe alter price").encode("latin-1"), [], ["read as cp1252", "not UTF-8"]),
    "UTF-16": (PLAIN.encode("utf-16"), [], ["read as utf-16"]),
    "UTF-8 with a mark": (b"\xef\xbb\xbf" + PLAIN.encode(), [], []),
    "index": (
        pd.DataFrame(ROWS, columns=["size", "age", "price"]).to_csv(),
        [],
        ["column 1 left out, which counts the rows"],
    ),
    "names of rows": (
        "\n".join(["size,age,price", *(f'"house {j}",' + row for j, row in enumerate(PLAIN.splitlines()[1:]))]),
        [],
        ["names the row"],
    ),
    "without names": (PLAIN.split("\n", 1)[1], ["--no-header"], []),
    "identifiers": (with_column("customer", IDS), ["--drop", "customer"], ["left out as asked: customer"]),
    "dates": (with_column("sold", DATES), ["--drop", "sold"], ["left out as asked: sold"]),
    "categories": (with_column("colour", COLOURS), [], ["one-hot: 'colour' as colour_green, colour_red"]),
    "missing": (GAPS, ["--missing", "drop"], ["2 of 6", "'size' (1), 'age' (1)"]),
    "missing, filled": (
        GAPS,
        ["--missing", "median"],
        ["1 of 'size' by its median, 3", "1 of 'age' by its median, 0.5"],
    ),
    "missing, marked": (GAPS.replace(",\n", ",?\n"), ["--missing", "mean"], ["1 of 'size' by its mean, 3.5"]),
    "compressed": (gzip.compress(PLAIN.encode()), [], ["unpacked from gzip"]),
    "comments and blank lines": (
        "# measured in May\n\n" + PLAIN.replace("3.0", "# sensor replaced\n3.0") + "\n\n  \n",
        [],
        ["2 lines above the table left out", "1 comment line left out", "blank line"],
    ),
    "names in a comment": ("# size,age,price\n" + PLAIN.split("\n", 1)[1], [], ["from the comment"]),
    "marks of thousands": (PLAIN.replace("6.5", '"1,006.5"'), [], ["marks of thousands"]),
    "more than numbers": (with_column("note", [f"seen by {n}" for n in IDS]), ["--features", "size,age"], ["note"]),
    "a line for Excel": ("sep=;\n" + lines(";"), [], ["separator read from the line sep="]),
    "a column too many": (PLAIN.replace("\n", ",\n"), [], ["column 4 left out, which has neither name nor values"]),
}


@pytest.mark.sampled(1)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_table_is_swept_and_told_with_one_option_at_most(tmp_path, shape):
    content, option, words = SHAPES[shape]
    assert len(option) <= 2
    (tmp_path / "points.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    target = "3" if shape == "without names" else "price"
    line = ["sweep", "--problem", "linear_regression", "--data", str(tmp_path / "points.csv"), "--target", target]
    line += [*option, "--optimizer", "gd", "--lr", "0.1", "--max-steps", "5"]
    line += ["--backend", "numpy", "--out", str(tmp_path / "x.zarr")]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.stderr
    for word in words:
        assert word in done.stderr
    if not words:
        assert done.stderr == ""
    result = xarray.open_zarr(tmp_path / "x.zarr")
    kept = json.loads(result.attrs["specification"])["problem"]["parameters"]["data"]
    assert kept.get("notes", []) == [note.removeprefix("gdfast: data: ") for note in done.stderr.splitlines()]


@pytest.mark.sampled(6)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_table_holds_the_numbers_that_were_written(tmp_path, shape):
    content, option, _ = SHAPES[shape]
    (tmp_path / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    names = {"--drop": "drop", "--features": "features", "--missing": "missing"}
    told = {names[option[0]]: option[1]} if option and option[0] in names else {}
    if shape == "without names":
        told = {"header": False}
    made = data.load(tmp_path / "t.csv", "3" if shape == "without names" else "price", **told)
    assert made == data.load(made.told) == data.load(tmp_path / "t.csv", **{"target": made.target, **told})
    x, y = X.copy(), Y
    if shape in ("marks of thousands", "European, grouped"):
        x[5, 0] = 1006.5
    if shape.startswith("missing"):
        x[1, 1] = x[3, 0] = np.nan
        how = told["missing"]
        rows = ~np.isnan(x).any(axis=1)
        if how == "drop":
            x, y = x[rows], y[rows]
        else:
            x = np.where(np.isnan(x), getattr(np, f"nan{how}")(x, axis=0), x)
    if shape == "categories":
        x = np.column_stack([[c == "green" for c in COLOURS], [c == "red" for c in COLOURS], x])
    np.testing.assert_allclose(made.X, x, rtol=1e-15)
    np.testing.assert_array_equal(made.y, y)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (with_column("customer", IDS), ["'customer'", "another text in each row", "--drop customer"]),
        (with_column("sold", DATES), ["'sold'", "dates, such as '2024-01-15' in line 2", "--drop sold"]),
        (
            with_column("sold", [f"{d} 10:30" for d in DATES]).replace("size,", "size,"),
            ["'sold'", "dates", "--drop sold"],
        ),
        (GAPS, ["no value in line 3", "'age'", "--missing drop", "median"]),
        (PLAIN.replace("3.0", "three"), ["'three' in line 4", "'size'", "--drop size"]),
        (PLAIN.split("\n", 1)[1], ["numbers", "--no-header"]),
        (with_column("", ["a", "b", "a", "b", "a", "b"]), ["column 1", "no name", "--drop 1"]),
        (with_column("kind", ["a"] * 6), ["'kind'", "same in every row", "--drop kind"]),
        (with_column("empty", [""] * 6), ["'empty'", "no values", "--drop empty"]),
    ],
)
def test_what_is_no_feature_is_refused_by_a_sentence_that_says_what_to_type(tmp_path, text, words):
    (tmp_path / "t.csv").write_text(text)
    line = ["sweep", "--problem", "linear_regression", "--data", str(tmp_path / "t.csv"), "--target", "price"]
    done = CliRunner().invoke(app, [*line, "--optimizer", "gd", "--out", str(tmp_path / "x.zarr")])
    assert done.exit_code == 2
    (told,) = done.stderr.splitlines()
    assert all(word in told for word in words), told


def test_all_columns_that_are_no_features_are_told_at_once(tmp_path):
    text = with_column("customer", IDS).splitlines()
    text = [f"{a},{b}" for a, b in zip(["sold", *DATES], text, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(text))
    with pytest.raises(ValueError, match=r"\(--drop sold,customer\)"):
        data.load(tmp_path / "t.csv", "price")
    assert data.load(tmp_path / "t.csv", "price", drop="sold,customer").features == ("size", "age")


def test_how_a_file_is_written_can_be_told(tmp_path):
    text = PLAIN.replace(",", "~").replace(".", ",").replace("size", "größe")
    (tmp_path / "t.csv").write_bytes(text.encode("cp437"))
    base = ["sweep", "--problem", "linear_regression", "--data", str(tmp_path / "t.csv"), "--target", "price"]
    base += ["--optimizer", "gd", "--lr", "0.1", "--max-steps", "3", "--backend", "numpy"]
    told = ["--csv", "separator=~,decimal=comma,encoding=cp437"]
    done = CliRunner().invoke(app, [*base, *told, "--out", str(tmp_path / "x.zarr")])
    assert done.exit_code == 0, done.stderr
    made = data.load(tmp_path / "t.csv", "price", csv={"separator": "~", "decimal": "comma", "encoding": "cp437"})
    assert made.features == ("größe", "age")
    np.testing.assert_array_equal(made.X, X)
    assert data.load(made.told) == made
    for wrong, words in (
        ("separator=tabb", "separator must be comma, semicolon, tab"),
        ("separater=tab", "'separater' is not known: did you mean separator"),
        ("encoding=klingon", "'klingon'"),
    ):
        done = CliRunner().invoke(app, [*base, "--csv", wrong, "--out", str(tmp_path / "y.zarr")])
        assert done.exit_code == 2
        assert words in done.stderr


def test_colours_are_no_comments(tmp_path):
    (tmp_path / "t.csv").write_text("colour,y\n#ff0000,1\n#00ff00,2\n#ff0000,3\n#00ff00,4.5\n")
    made = data.load(tmp_path / "t.csv", "y")
    assert made.features == ("colour_#ff0000",)
    np.testing.assert_array_equal(made.y, [1, 2, 3, 4.5])


def test_a_parquet_file_is_read(tmp_path):
    table = pd.DataFrame(np.column_stack([X, Y]), columns=["size", "age", "price"])
    table.to_parquet(tmp_path / "t.parquet")
    made = data.load(tmp_path / "t.parquet", "price")
    np.testing.assert_array_equal(made.X, X)
    assert made.notes == ("read as Parquet",)


class TestTablesOfPandas:
    def test_with_the_name_of_the_target(self):
        table = pd.DataFrame({"size": X[:, 0], "colour": COLOURS, "price": Y})
        made = data.load(table, target="price")
        assert made.features == ("size", "colour_green", "colour_red")
        assert problems.linear_regression(made).coordinates == ("bias", *made.features)
        assert (
            problems.linear_regression({"source": table, "target": "price"}).data
            == problems.linear_regression(made).data
        )
        with pytest.raises(ValueError, match="target must be given with a table"):
            problems.linear_regression(table)
        with pytest.raises(ValueError, match="did you mean price"):
            data.load(table, target="prize")

    def test_features_and_target_apart_run_into_a_store(self, tmp_path):
        features, target = pd.DataFrame(X, columns=["size", "age"]), pd.Series(Y, name="price")
        problem = problems.linear_regression((features, target))
        assert problem.coordinates == ("bias", "size", "age")
        sweep = gdfast.Sweep(problem, "gd", [0.1, 0.2], problem.random(2), 5)
        result = gdfast.run(sweep, backend="numpy", store=tmp_path / "x.zarr")
        assert result.sizes == {"optimizer": 1, "learning_rate": 2, "start": 2, "parameter": 3}
        assert result.parameter.values.tolist() == ["bias", "size", "age"]

    @pytest.mark.parametrize("kind", [list, np.array, pd.Series, lambda v: pd.Series(v, dtype="category")])
    def test_targets_may_be_texts_or_categories(self, kind):
        labels = ["low", "high", "low", "mid", "high", "low"]
        made = data.load((pd.DataFrame(X), kind(labels)))
        assert made.classes == ("high", "low", "mid")
        assert [made.classes[int(k)] for k in made.y] == labels
        assert problems.softmax_regression(made).products == 3

    def test_columns_of_every_kind_of_number(self):
        table = pd.DataFrame(
            {
                "whole": pd.array([1, 2, 3, 4], dtype="Int64"),
                "float": pd.array([0.5, 1, 2, 1], dtype="Float32"),
                "flag": [True, False, True, True],
                "object": pd.Series([1, 2.5, 3, 1], dtype=object),
                "code": pd.Categorical([10, 20, 10, 30]),
                "text": ["1", "2.5", "7", "1"],
                "y": [1.0, 2, 3, 5],
            }
        )
        made = data.load(table, "y")
        expected = [[1, 0.5, 1, 1, 10, 1], [2, 1, 0, 2.5, 20, 2.5], [3, 2, 1, 3, 10, 7], [4, 1, 1, 1, 30, 1]]
        np.testing.assert_array_equal(made.X, expected)
        assert made.features == ("whole", "float", "flag", "object", "code", "text")

    def test_missing_values_are_dropped_or_filled_as_asked(self):
        table = pd.DataFrame({"a": [1.0, None, 3, 8], "k": ["x", "y", None, "y"], "y": [1.0, 2, None, 4]})
        with pytest.raises(ValueError, match=r"no value in row 1, column 'a' \(2 more are missing\)"):
            data.load(table, "y")
        assert data.load(table, "y", missing="drop").X.tolist() == [[1, 0], [8, 1]]
        filled = data.load(table, "y", missing="mean")  # the row without a target is left out first
        assert filled.X.tolist() == [[1, 0], [4.5, 1], [8, 1]]
        assert data.load(table, "y", missing="most_frequent").X.tolist() == [[1, 0], [1, 1], [8, 1]]
        with pytest.raises(ValueError, match="missing 'zero' is not known"):
            data.load(table, "y", missing="zero")

    def test_several_targets_of_a_network(self):
        targets = pd.DataFrame({"u": Y, "v": -Y})
        made = data.load((pd.DataFrame(X), targets))
        np.testing.assert_array_equal(made.y, np.column_stack([Y, -Y]))
        assert problems.mlp((2, 3, 2), data=made).y.shape == (6, 2)

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (lambda: data.load((pd.DataFrame(X), Y[:3])), "as many rows"),
            (lambda: data.load((pd.DataFrame(X), pd.Series(Y)[::-1])), "same order"),
            (lambda: data.load(pd.DataFrame({"a": pd.date_range("2024", periods=4), "y": 1.0}), "y"), "'a': dates"),
            (lambda: data.load(pd.DataFrame({"a": [1, 2], "y": [1j, 2]}), "y"), "complex"),
            (lambda: data.load(pd.DataFrame({"a": [np.inf, 2], "y": [1, 2]}), "y"), "must be finite"),
            (lambda: data.load(pd.DataFrame(), "y"), "a row and a column"),
            (lambda: data.load(pd.DataFrame([[1, 2]], columns=["a", "a"]), "a"), "same name"),
            (lambda: data.load(pd.DataFrame({"a": [1.0, 2], "y": [1, 2]}), "y", header=True), "CSV file"),
        ],
    )
    def test_what_cannot_be_used_is_said_in_one_sentence(self, call, words):
        with pytest.raises(ValueError, match=words) as error:
            call()
        assert str(error.value).startswith(("data: ", "target "))
        assert str(error.value).isprintable()
