"""Several values of a number of a loss: one command, one folder of stores, one map."""

import json

import cases
import numpy as np
import pytest
from typer.testing import CliRunner

import gdfast
from gdfast import analysis, plot, problems
from gdfast.cli import app
from gdfast.running.run_over import problem_at
from gdfast.storing import several, store


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def typed(line, *more):
    return CliRunner().invoke(app, [*line.split(), *more])


LINE = "--optimizer gd --optimizer momentum --lr 0.01:4:9 --start 1.5 --max-steps 400 --backend numpy --out a.zarr"


def curved(a):
    problem = problems.from_expression("a*x**2/2 + a", domain=(-3.5, 6.5), params={"a": a})
    return gdfast.Sweep(problem, "gd momentum", "0.01:4:9", [1.5], 400)


@pytest.mark.slow
def test_learning_rate_by_curvature_is_one_command_and_one_map(tmp_path):
    done = typed(f"sweep {LINE} --param a=log:0.1:10:5 --loss", "a*x^2/2 + a")
    assert done.exit_code == 0, done.output
    assert "90 trajectories" in done.stdout
    result = store.read(tmp_path / "a.zarr")
    values = np.geomspace(0.1, 10, 5)
    np.testing.assert_allclose(result.a, np.repeat(values, 2))
    assert list(result.optimizer.values[:2]) == ["gd:a=0.1", "momentum:a=0.1"]
    np.testing.assert_allclose(result.lowest_loss, result.a)  # each value's own
    reached = (result.outcome == "global_minimum").sel(optimizer=result.rule == "gd").values[..., 0]
    with np.errstate(over="ignore"):
        excess = values[:, None] * (1.5 * (1 - result.learning_rate.values * values[:, None]) ** 400) ** 2 / 2
    np.testing.assert_array_equal(reached, excess <= 1e-6 * result.loss_scale.values[::2, None])
    for more in ("", " --quantity excess", " --quantity steps --optimizer gd"):
        done = typed(f"map a.zarr -o a.png --x learning_rate --y a{more}")
        assert done.exit_code == 0, done.output
    done = typed("summary a.zarr")
    assert done.exit_code == 0, done.output
    assert "gd:a=10" in done.stdout
    figure = plot.maps(result, y="a")
    assert [axes.get_title() for axes in figure.axes if axes.get_title()] == ["gd", "momentum"]
    assert (analysis.excess(result) >= -1e-9).all()


@pytest.mark.slow
def test_the_same_line_completes_it_and_others_are_refused(tmp_path):
    loss = ("--loss", "a*x^2/2 + a")
    assert typed(f"sweep {LINE} --param a=1/2", *loss).exit_code == 0
    inside = {path.name for path in (tmp_path / "a.zarr").iterdir()}
    assert inside == {"sweeps.json", "0000.zarr", "0001.zarr"}
    assert typed(f"sweep {LINE} --param a=1/2", *loss).exit_code == 0
    for line, words in (
        (f"sweep {LINE} --param a=1/3", ["a.zarr", "other values of a"]),
        (f"sweep {LINE} --param a=1/2/3", ["a of 2 values", "a of 3 values"]),
        (f"sweep {LINE} --param a=1", ["a.zarr", "store"]),
        (f"sweep {LINE} --param a=1/2 --reuse b.zarr", ["reuse"]),
        (f"sweep {LINE} --param a", ["param", "'a'"]),
        (f"sweep {LINE} --param a=1:2", ["param a", "low:high:count"]),
        (f"sweep {LINE} --param a=1 --param a=2", ["param a", "once"]),
        (f"sweep {LINE} --param b=1/2", ["params", "'b'"]),
        ("status a.zarr", ["several sweeps", "0000.zarr"]),
    ):
        done = typed(line, *(loss if line.startswith("sweep") else ()))
        assert done.exit_code == 2, (line, done.output)
        assert all(word in done.stderr for word in words), done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert typed("status a.zarr/0001.zarr").exit_code == 0
    (tmp_path / "a.zarr" / "sweeps.json").write_text("{}")
    assert "damaged" in typed("summary a.zarr").stderr


def test_what_is_missing_is_run(tmp_path):
    values = {"a": [0.5, 2.0]}
    whole = gdfast.run_over(values, curved, backend="numpy", progress=False)
    gdfast.run_over(values, curved, backend="numpy", progress=False, store="b.zarr")
    (tmp_path / "b.zarr" / "0001.zarr").rename(tmp_path / "away")
    cases.refused(lambda: store.read(tmp_path / "b.zarr"), ValueError, "lacks the sweep of a=2")
    again = gdfast.run_over(values, curved, backend="numpy", progress=False, store=tmp_path / "b.zarr")
    assert again.outcome.dims == ("a", "optimizer", "learning_rate", "start")
    cases.assert_same(again.load(), whole)
    flat = store.read(tmp_path / "b.zarr")
    np.testing.assert_array_equal(flat.outcome[2:], whole.outcome[1])


@pytest.mark.slow
def test_one_value_and_parameters_of_a_problem(tmp_path):
    done = typed(f"sweep {LINE.replace('a.zarr', 'c.zarr')} --param a=2 --loss", "a*x^2/2 + a")
    assert done.exit_code == 0, done.output
    assert store.read(tmp_path / "c.zarr").sizes["optimizer"] == 2
    line = LINE.replace("--start 1.5", "--start 1 --start 1")
    done = typed(f"sweep {line} --problem quadratic --param condition=1/10/100")
    assert done.exit_code == 0, done.output
    np.testing.assert_array_equal(np.unique(store.read(tmp_path / "a.zarr").condition), [1, 10, 100])


@pytest.mark.slow
def test_numbers_of_a_loss_of_a_file(tmp_path):
    (tmp_path / "mine.py").write_text("def bowl(x, a=1.0, b=0.0):\n    return a * (x - b)**2\n")
    done = typed(f"sweep {LINE} --problem mine.py:bowl:b=0.5 --param a=1/4")
    assert done.exit_code == 0, done.output
    result = store.read(tmp_path / "a.zarr")
    np.testing.assert_array_equal(result.a, [1, 1, 4, 4])


def test_problems_at_other_values():
    problem = problems.from_expression("a*x**2 + b", params={"a": 1, "b": 2})
    assert problem_at(problem, {"b": 3}).params == {"a": 1, "b": 3}
    assert problem_at(problems.quadratic(), {"condition": 7.0}) == problems.quadratic(condition=7.0)
    cases.refused(lambda: problem_at(problem, {"c": 3}), ValueError, "c")


def test_sweeps_from_different_starts_have_no_common_store():
    def make(a):
        return curved(a).replace(starts=[a])

    cases.refused(lambda: gdfast.run_over({"a": [1.0, 2.0]}, make, store="d.zarr"), ValueError, "store", "starts")


def test_folders_of_others_are_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("dear")
    cases.refused(lambda: several.begin(tmp_path / "mine", {"a": [1]}), ValueError, "store", "mine")
    gdfast.run_over({"a": [1.0]}, curved, backend="numpy", progress=False, store="e.zarr")
    assert json.loads((tmp_path / "e.zarr" / "sweeps.json").read_text()) == {"axes": {"a": [1.0]}}
