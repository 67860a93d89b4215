"""Outcomes are compared by name, and a result is a table with a row a trajectory, whole or in pieces."""

import subprocess
import sys

import cases
import numpy as np
import pandas as pd
import pytest

import gdfast
from gdfast import optimizers, problems
from gdfast.storing.dataset import Codes, Result
from gdfast.tiles.outcomes import Outcome


@pytest.fixture(scope="module")
def sweep():
    problem = problems.himmelblau()
    rules = [optimizers.momentum(momentum=0.5), optimizers.momentum(momentum=0.9)]
    return gdfast.Sweep(problem, rules, [1e-4, 1e-2, 1.0], problem.grid(3), 40, history="loss:0/20/40")


@pytest.fixture(scope="module")
def result(sweep):
    return gdfast.run(sweep, backend="numpy", keep_theta=True, progress=False)


@pytest.fixture(scope="module")
def store(sweep, tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "plane.zarr"
    gdfast.run(sweep, backend="numpy", keep_theta=True, progress=False, store=path)
    return path


def test_names_stand_for_codes(result):
    diverged = result.outcome.values == Outcome.diverged
    assert diverged.any()
    np.testing.assert_array_equal(result.outcome == "diverged", diverged)
    np.testing.assert_array_equal(result["outcome"] != "diverged", ~diverged)
    np.testing.assert_array_equal("diverged" == result.outcome, diverged)  # noqa: SIM300
    np.testing.assert_array_equal(result.outcome.isin(["diverged", "worse"]), np.isin(result.outcome, [6, 8]))
    np.testing.assert_array_equal(result.outcome == 6, diverged)
    assert (result.sel(learning_rate=1.0).outcome == "diverged").mean().item() > 0
    assert (result.ending == "moving").dtype == bool
    assert ((result.outcome == "diverged") == True).equals(result.outcome == "diverged")  # noqa: E712


@pytest.mark.parametrize("change", [lambda r: r, lambda r: r.isel(optimizer=0), lambda r: r.assign(two=r.loss)])
def test_a_name_that_there_is_not_is_refused(result, change):
    changed = change(result)
    assert isinstance(changed, Result)
    assert isinstance(changed.outcome, Codes)
    cases.refused(lambda: changed.outcome == "global", ValueError, "outcome 'global'", "global_minimum")
    cases.refused(lambda: changed.outcome != "converged", ValueError, "outcome 'converged'")
    cases.refused(lambda: changed.outcome.isin(["nix"]), ValueError, "outcome 'nix'")
    cases.refused(lambda: changed.outcome == ["diverged"], TypeError, "isin")
    cases.refused(lambda: changed.outcome.drop_attrs() == "diverged", ValueError, "outcome")


@pytest.mark.slow
def test_what_comes_from_anywhere_compares_by_name(result, store, sweep):
    for found in (
        gdfast.load(store),
        gdfast.refine(sweep.replace(history=None), backend="numpy"),
        gdfast.run_over({"a": [1, 2]}, lambda a: sweep, backend="numpy"),
    ):
        assert (found.outcome == "diverged").any()
        cases.refused(lambda found=found: found.outcome == "nix", ValueError, "outcome 'nix'")
    difference = gdfast.analysis.delta(result, result)
    assert not (difference.change == "broken").any()


def test_a_row_is_a_trajectory(result):
    table = gdfast.tidy(result)
    assert len(table) == result.outcome.size
    assert not table[["optimizer", "learning_rate", "start"]].duplicated().any()
    row = table.iloc[2 * 9 + 4]
    cell = result.isel(optimizer=0, learning_rate=2, start=4)
    assert (row.optimizer, row.rule, row.momentum) == ("momentum:momentum=0.5", "momentum", 0.5)
    assert (row.learning_rate, row.start) == (1.0, 4)
    assert (row.start_x, row.start_y) == tuple(cell.start_point.values)
    np.testing.assert_array_equal([row.theta_x, row.theta_y], cell.theta.values)
    assert (row.outcome, row.loss) == (Outcome(int(cell.outcome)).name, cell.loss)
    assert list(table.outcome.cat.categories) == [o.name for o in Outcome]
    assert not {"parameter", "history_loss"} & {*table.columns}
    assert table.groupby("optimizer", observed=True).outcome.value_counts().sum() == len(table)


def test_what_was_selected_stays_in_the_table(result):
    table = gdfast.tidy(result.sel(optimizer="momentum", learning_rate=1e-2))
    assert len(table) == 9
    assert set(table.optimizer) == {"momentum"}
    assert set(table.learning_rate) == {1e-2}
    assert len(gdfast.tidy(result.isel(optimizer=0, learning_rate=0, start=0))) == 1


def test_histories_are_rows_where_they_are_asked_for(result):
    table = gdfast.tidy(result, history=True)
    assert len(table) == 3 * result.outcome.size
    np.testing.assert_array_equal(table.history_loss, result.history_loss.values.ravel())
    np.testing.assert_array_equal(table.loss, np.repeat(result.loss.values.ravel(), 3))
    assert table.recorded_step[:3].tolist() == [0, 20, 40]
    bare = result.drop_dims("recorded_step")
    cases.refused(lambda: gdfast.tidy(bare, history=True), ValueError, "history must be False")


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 5, 9, 18, 30, 10**6])
@pytest.mark.parametrize("history", [False, True])
def test_pieces_are_the_table(result, store, rows, history):
    expected = gdfast.tidy(result, history=history)
    pieces = list(gdfast.tidy_pieces(gdfast.load(store), rows, history=history))
    pd.testing.assert_frame_equal(pd.concat(pieces), expected)
    assert max(map(len, pieces)) <= max(rows, 3 if history else 1)


def test_a_table_that_does_not_fit_is_refused_by_its_size(result, monkeypatch):
    monkeypatch.setattr("gdfast.memory._SMALL", 0)
    monkeypatch.setattr("gdfast.memory.available", lambda: 1000.0)
    cases.refused(lambda: gdfast.tidy(result), ValueError, "54 rows", "tidy_pieces")
    assert len(next(gdfast.tidy_pieces(result, rows=1))) == 1


def test_other_dimensions_and_tolerances_and_groups_have_columns():
    measure = gdfast.measures.steps_to_reach([1e-1, 1e-3])

    def sweep(budget):
        return gdfast.Sweep("quartic", "gd", [0.01], [1.0, -2.0], budget, measure=measure)

    table = gdfast.tidy(gdfast.run_over({"budget": [5, 50]}, sweep, backend="numpy"))
    assert table.budget.tolist() == [5, 5, 50, 50]
    assert {"measure_0.1", "measure_0.001"} <= {*table.columns}
    network = problems.mlp((2, 2, 1), points=4, layer_rates=True)
    starts = network.starts(init=["he_normal", "zeros"], seeds=[0])
    table = gdfast.tidy(
        gdfast.run(gdfast.Sweep(network, "gd", [[0.1, 0.2], [0.3, 0.4]], starts, 3), backend="numpy", progress=False)
    )
    assert table[["learning_rate_layer1", "learning_rate_layer2"]].values[2].tolist() == [0.3, 0.4]
    assert table.init.tolist() == ["he_normal", "zeros"] * 2
    assert "start_layer1.weight[0,1]" in table


def test_codes_below_zero_have_their_names():
    result = gdfast.run(gdfast.Sweep("quartic", "gd adam", [0.01, 0.9], [1.0], 50), backend="numpy", progress=False)
    told = gdfast.analysis.attracting(result).attracting
    told[0, 0, :] = -1
    names = dict(zip(told.attrs["flag_values"], told.attrs["flag_meanings"].split(), strict=True))
    table = gdfast.tidy(result.assign(attracting=told))
    keys = table.optimizer.astype(str), table.learning_rate, table["minimum"]
    for label, rate, minimum, name in zip(*keys, table.attracting, strict=True):
        assert names[int(told.sel(optimizer=label, learning_rate=rate, minimum=minimum))] == name
    assert "not_told" in set(table.attracting)


def test_to_dataframe_is_the_same_table(result):
    pd.testing.assert_frame_equal(result.to_dataframe(), gdfast.tidy(result))
    assert len(result.to_dataframe(["optimizer", "learning_rate", "start", "parameter", "recorded_step"])) == 54 * 6


@pytest.mark.slow
@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet"])
def test_the_command_line_writes_the_table(store, result, tmp_path, name):
    line = [sys.executable, "-m", "gdfast", "table", store, "-o", tmp_path / name, "--at", "learning_rate=0.02"]
    done = subprocess.run([*map(str, line)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("18 rows")
    got = (
        pd.read_parquet(tmp_path / name)
        if name.endswith("parquet")
        else pd.read_csv(tmp_path / name, **cases.TO_THE_LAST_BIT)
    )
    expected = gdfast.tidy(result.isel(learning_rate=[1]))
    assert list(got.columns) == list(expected.columns)
    assert got.outcome.astype(str).tolist() == expected.outcome.astype(str).tolist()
    np.testing.assert_array_equal(got.loss, expected.loss)
