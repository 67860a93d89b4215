"""What newcomers ask of a report and of a tuning: their own loss, table, rule and stored sweeps, as one page."""

import re

import pandas as pd
import pytest
from typer.testing import CliRunner

from gdfast.cli import app

POINTS = "size;age;price\n" + "".join(f"{i},5;{i * i % 7};{3 * i + i * i % 5},{i + 10}\n" for i in range(1, 25))


@pytest.fixture
def points(tmp_path):
    (tmp_path / "points.csv").write_text(POINTS)
    return str(tmp_path / "points.csv")


def run(*words):
    done = CliRunner().invoke(app, [*map(str, words)])
    assert done.exit_code == 0, done.stderr
    return done


def told(folder):
    """The words of a page, without tables, scripts and pictures."""
    text = (folder / "index.html").read_text()
    text = re.sub(r"<script.*?</script>|<style.*?</style>|<table.*?</table>|<title.*?</title>", "", text, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_tune_a_table(points, tmp_path):
    quick = ["--optimizer", "gd", "--optimizer", "adam", "--batch-size", "0", "--seeds", "2", "--max-steps", "200"]
    done = run("tune", points, "--target", "price", *quick, "--out", tmp_path / "t")
    assert re.fullmatch(
        r"(gd|adam), learning rate \S+, all rows a step: held-out loss \S+ ± \S+, after \S+ steps? \(\S+ gradients of "
        r"a row\).* → .*index.html\n",
        done.stdout,
    )
    assert "gdfast: data: the target 'price' has 24 numbers: linear_regression\n" in done.stderr
    assert "decimal commas" in done.stderr
    table = pd.read_csv(tmp_path / "t" / "answer.csv")
    assert set(table["optimizer"]) == {"gd", "adam"}
    page = told(tmp_path / "t")
    assert done.stdout.split(" → ")[0] in page
    assert f"gdfast tune {points} --target price --optimizer gd --optimizer adam --batch-size 0" in page
    assert len(list((tmp_path / "t").glob("*.png"))) == 3


@pytest.mark.slow
def test_tune_by_another_model(points, tmp_path):
    quick = ["--optimizer", "gd", "--batch-size", "8", "--seeds", "1", "--max-steps", "50", "--out", tmp_path / "t"]
    done = run("tune", points, "--target", "price", "--model", "mlp:widths=2/3/1", *quick)
    assert "batches of 8" in done.stdout
    assert "Tuning mlp on points.csv" in told(tmp_path / "t")


@pytest.mark.slow
def test_tune_a_formula_of_ones_own(points, tmp_path):
    quick = ["--optimizer", "gd", "--batch-size", "0", "--seeds", "1", "--max-steps", "50", "--out", tmp_path / "t"]
    done = run("tune", points, "--target", "price", "--model", "a + b*size", "--model-loss", "huber", *quick)
    assert "held-out loss" in done.stdout
    assert "decimal commas" in done.stderr
    assert "Tuning from_model on points.csv" in told(tmp_path / "t")
    assert "--model 'a + b*size' --model-loss huber" in told(tmp_path / "t").replace("&#39;", "'")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "target (--target) must be given"),
        (["--target", "prize"], "did you mean price"),
        (["--target", "price", "--model", "quartic"], "data"),
        (["--target", "price", "--batch-size", "25"], "batch_sizes must be a whole number from 0 to 18"),
        (["--target", "price", "--optimizer", "adma"], "did you mean adam"),
        (["--target", "price", "--model", "a + b*+"], "cannot be read"),
        (["--target", "price", "--model", "mlp", "--problem", "mlp"], "not both"),
        (["--target", "price", "--model-loss", "huber"], "with a model that is a formula"),
    ],
)
def test_what_cannot_be_tuned_is_said_in_one_sentence(points, tmp_path, options, words):
    done = CliRunner().invoke(app, ["tune", points, *options, "--out", str(tmp_path / "t")])
    assert done.exit_code == 2
    assert words in done.stderr.splitlines()[-1]
    assert not (tmp_path / "t").exists()


def test_a_sweep_of_a_table_needs_no_problem(points, tmp_path):
    line = ["sweep", "--data", points, "--target", "price", "--optimizer", "gd", "--lr", "0.1", "--max-steps", "5"]
    done = run(*line, "--backend", "numpy", "--out", tmp_path / "x.zarr")
    assert "problem: the target 'price' has 24 numbers: linear_regression" in done.stderr


@pytest.mark.slow
def test_report_on_a_loss_of_ones_own(tmp_path):
    rules = ["--optimizer", "gd", "--optimizer", "momentum", "--quick", "--only", "rates", "--only", "summary"]
    start = ["--start", "x=-2:2:3", "--start", "y=-1:1:3"]
    run("report", "--loss", "x**2 + 3*y**2", *start, *rules, "--out", tmp_path / "r")
    page = told(tmp_path / "r")
    assert "Gradient descent: x**2 + 3*y**2" in page
    assert "quartic" not in page
    assert "Are the rules what they say they are" not in page
    assert (tmp_path / "r" / "summary.csv").exists()


@pytest.mark.slow
def test_report_on_a_table_says_nothing_of_other_problems(points, tmp_path):
    rules = ["--optimizer", "gd", "--quick", "--only", "learning-rate", "--only", "mitigations"]
    done = run("report", "--data", points, "--target", "price", *rules, "--out", tmp_path / "r")
    assert "decimal commas" in done.stderr
    page = told(tmp_path / "r")
    assert "linear_regression on points.csv" in page
    assert "four points" not in page  # the catalogue's own regression is another problem
    assert "every landscape" not in page


@pytest.mark.slow
def test_report_on_stored_sweeps(points, tmp_path):
    base = ["sweep", "--data", points, "--target", "price", "--lr", "1e-3:10:16", "--max-steps", "50"]
    base += ["--backend", "numpy"]
    run(*base, "--optimizer", "gd", "--history", "loss:8", "--out", tmp_path / "a.zarr")
    run(*base, "--optimizer", "gd", "--optimizer", "momentum", "--out", tmp_path / "b.zarr")
    run("report", tmp_path / "a.zarr", tmp_path / "b.zarr", "--out", tmp_path / "r")
    names = {path.stem for path in (tmp_path / "r").glob("*.png")}
    assert names == {"ends-a", "ends-b", "best-a", "best-b", "recorded-a", "compared-b"}
    page = told(tmp_path / "r")
    assert page.startswith("Stored sweeps: ")
    shares = pd.read_csv(tmp_path / "r" / "ends-b.csv")
    assert shares["optimizer"].tolist() == ["gd", "momentum"]
    assert shares.drop(columns="optimizer").sum(axis=1).tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--loss", "x**2", "--problem", "quartic"], "one of them"),
        (["--start", "0:1:2"], "start must be given with a loss"),
        (["--target", "y"], "target must be given with a CSV file"),
        (["--data", "iris", "--problem", "softmax_regression", "--problem", "quartic"], "problem must be given once"),
        (["nowhere.zarr"], "nowhere.zarr"),
    ],
)
def test_what_cannot_be_reported_is_said_in_one_sentence(tmp_path, options, words):
    done = CliRunner().invoke(app, ["report", *options, "--out", str(tmp_path / "r")])
    assert done.exit_code == 2
    assert words in done.stderr.splitlines()[-1]
    assert not (tmp_path / "r").exists()
