"""Scores against plain loops, the same bits again, profiles by hand, and a folder that goes on where it was."""

import dataclasses

import cases
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import gdfast
from gdfast import cli, optimizers
from gdfast.report import scored
from gdfast.scoring import COLUMNS, LATEST, SUITES, Suite, Task, left_out, profile_bands, reached_bands, score, shipped

SMALL = Suite(
    "small",
    (Task("quadratic:condition=10,dimension=2", 60), Task("quartic", 40)),
    (1e-1, 1e-3),
    3,
    (0.1, 1.0, 10.0),
)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setitem(SUITES, "small", SMALL)


def by_a_loop(optimizer, task, start, multiple, target):
    """Steps until the excess is within the target, one trajectory at a time."""
    problem = task.made()
    rate = multiple * optimizer.learning_rate
    path = gdfast.trajectory(problem, optimizer, start, rate, task.budget)
    excess = (path.loss.values - problem.lowest) / problem.loss_scale
    reached = excess <= target
    return float(np.argmax(reached)) if reached.any() else np.nan


@pytest.mark.slow
def test_scores_are_those_of_a_loop_and_the_same_again():
    optimizer = optimizers.gd()
    table = score(optimizer, "small")
    pd.testing.assert_frame_equal(table, score(optimizer, "small"), check_exact=True)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 2 * 2 * 3 * 2
    for task in SMALL.tasks:
        starts = SMALL.starts_of(task.made())
        tried = {
            m: [[by_a_loop(optimizer, task, s, m, t) for t in SMALL.targets] for s in starts[:3]]
            for m in SMALL.multiples
        }
        counts = {m: np.isfinite(values).sum() for m, values in tried.items()}
        of_task = table[table.task == task.problem]
        chosen = set(of_task[of_task.rate == "tuned"].multiple)
        assert len(chosen) == 1
        assert counts[chosen.pop()] == max(counts.values())
        assert set(of_task[of_task.rate == "default"].multiple) == {1.0}
        for row in of_task.itertuples():
            expected = by_a_loop(optimizer, task, starts[3 + row.start], row.multiple, row.target)
            np.testing.assert_equal(row.steps, expected)


def test_the_rate_is_not_chosen_on_the_starts_that_are_scored():
    points = SUITES[LATEST].starts_of(SUITES[LATEST].tasks[0].made())
    assert len(np.unique(points, axis=0)) == len(points) == 2 * SUITES[LATEST].starts


def made_up(steps):
    """A table of scores: by optimizer, steps of one task's starts to one target."""
    return pd.DataFrame(
        [
            ("1", name, "tuned", "quartic", start, 0.1, 1.0, value)
            for name, values in steps.items()
            for start, value in enumerate(values)
        ],
        columns=COLUMNS,
    )


def test_profiles_by_hand():
    # Steps 9, 99, never against 0, 199, never: ratios (steps + 1) 10, 1 and 1, 2.
    table = made_up({"a": [9, 99, np.nan], "b": [0, 199, np.nan]})
    profile = profile_bands(table, points=4)  # τ = 1, 10, 100, 1000
    np.testing.assert_allclose(profile["a"].x, [1, 10, 100, 1000])
    np.testing.assert_allclose(profile["a"].share, [1 / 3, 2 / 3, 2 / 3, 2 / 3])
    np.testing.assert_allclose(profile["b"].share, [1 / 3, 2 / 3, 2 / 3, 2 / 3])
    assert (profile["a"].low <= profile["a"].share).all()
    assert (profile["a"].high >= profile["a"].share).all()
    over = reached_bands(table, points=2001)["b"]
    assert over.share[over.x < 199].max() == pytest.approx(1 / 3)
    assert over.share[-1] == pytest.approx(2 / 3)


def test_profiles_of_one_target_are_those_of_analysis():
    rng = np.random.default_rng(3)
    steps = {name: np.where(rng.random(30) < 0.2, np.nan, rng.integers(0, 900, 30)) for name in "abc"}
    costs = pd.DataFrame(steps, index=pd.Index(["quartic"] * 30, name="problem")) + 1  # no cost is 0
    expected = gdfast.analysis.performance_profile(costs)
    for name, band in profile_bands(made_up(steps), points=50).items():
        shares = [expected[name].to_numpy()[expected.index.to_numpy() <= x * (1 + 1e-12)].max() for x in band.x]
        np.testing.assert_allclose(band.share, shares)


def test_bands_cover_the_share_as_often_as_they_say():
    # Of 40 starts each reached with probability ½, the band of 95 % covers ½ in most repetitions.
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(60):
        values = np.where(rng.random(40) < 0.5, 5.0, np.nan)
        band = reached_bands(made_up({"a": values}), points=3)["a"]
        covered += band.low[-1] <= 0.5 <= band.high[-1]
    assert covered >= 50


def test_a_folder_goes_on_where_it_was(tmp_path, monkeypatch):
    told = []
    first = scored.table_of(optimizers.gd(), "small", tmp_path, told.append)

    def refuse(*arguments):
        raise AssertionError("scored again")

    monkeypatch.setattr(scored, "score", refuse)
    again = scored.table_of(optimizers.gd(), "small", tmp_path, told.append)
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert "kept" in told[-1]
    with pytest.raises(AssertionError, match="scored again"):
        scored.table_of(optimizers.gd(), LATEST, tmp_path, told.append)


@pytest.mark.slow
def test_an_own_rule_is_scored_by_the_command_and_again_when_it_has_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "def rule(theta, grad, lr):\n    theta = theta - {} * lr * grad\n    return theta\n"
    steps = []
    for factor in ("1", "2"):
        (tmp_path / "mine.py").write_text(text.format(factor))
        line = ["score", "--optimizer", "mine.py:rule", "--suite", "small", "-o", "out"]
        result = CliRunner().invoke(cli.app, line, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        (file,) = (tmp_path / "out" / "tables").glob("*.csv")
        steps.append(pd.read_csv(file).steps.sum())
    assert steps[0] != steps[1]
    page = (tmp_path / "out" / "page" / "index.html").read_text()
    for words in ("Performance profiles", "Targets reached over steps", "mine.py:rule", "quartic"):
        assert words in page
    table = pd.read_csv(tmp_path / "out" / "shipped.csv.gz")
    assert tuple(table.columns) == COLUMNS


def test_an_optimizer_that_cannot_work_on_a_task_is_told_with_it():
    assert dataclasses.replace(SMALL, tasks=(Task("quartic", 40),)).lacks(optimizers.newton()) is None
    lack = SUITES[LATEST].lacks(optimizers.newton())
    assert lack.startswith("needs the Hessian of a landscape")
    assert lack.endswith(": quadratic:condition=100,dimension=10 has none")
    assert SUITES[LATEST].lacks(optimizers.lbfgs()) is None


NO_PART = {"newton", "damped_newton", "saddle_free_newton", "levenberg_marquardt", "trust_region"}  # need a Hessian
NOT_YET: set[str] = set()  # whose scores are still to be made, and ship with the next table


@pytest.mark.slow
def test_every_optimizer_of_the_catalogue_ships_its_scores_or_cannot_take_part():
    labels = {make().label for make in optimizers.CATALOGUE.values()}
    assert set(left_out()) == NO_PART
    assert all(told.startswith("needs ") and told.endswith(" has none") for told in left_out().values())
    told = "`gdfast score --all -o scores` makes what is missing"
    assert labels - set(shipped().optimizer) == NO_PART | NOT_YET, told
    assert set(shipped().optimizer) <= labels


def test_what_ships_is_of_the_latest_suite():
    table, suite = shipped(), SUITES[LATEST]
    each = table.groupby("optimizer").size()
    assert set(each) == {2 * len(suite.tasks) * suite.starts * len(suite.targets)}
    assert set(table.task) == {task.problem for task in suite.tasks}


@pytest.mark.slow
def test_what_ships_is_what_is_scored(monkeypatch):
    # Of the tasks three with + - * / alone, whose bits are the same on all machines.
    suite = SUITES[LATEST]
    tasks = tuple(task for task in suite.tasks if task.problem in {"trid:dimension=8", "rosenbrock", "beale"})
    monkeypatch.setitem(SUITES, LATEST, dataclasses.replace(suite, tasks=tasks))
    table = score(optimizers.gd())
    expected = shipped().query("optimizer == 'gd'")
    expected = expected[expected.task.isin([task.problem for task in tasks])].reset_index(drop=True)
    pd.testing.assert_frame_equal(table, expected, check_exact=True)


def test_bad_arguments_get_one_sentence():
    cases.refused(lambda: score("nix"), ValueError, "optimizer", "'nix'")
    cases.refused(lambda: score(3), TypeError, "optimizer")
    cases.refused(lambda: score(optimizers.gd(), "0"), ValueError, "suite", "'0'")
    for call in (shipped, left_out):
        cases.refused(lambda call=call: call("nix"), ValueError, "suite", "'nix'")
    table = made_up({"a": [1.0]})
    for bands in (profile_bands, reached_bands):
        cases.refused(lambda bands=bands: bands(table, "best"), ValueError, "rate", "'best'", "tuned")
        cases.refused(lambda bands=bands: bands(table, points=1), ValueError, "points")
        cases.refused(lambda bands=bands: bands(table[["steps"]]), TypeError, "table", "optimizer")
        cases.refused(lambda bands=bands: bands(None), TypeError, "table")


def test_the_figure_of_tasks_says_what_its_colours_and_shares_are():
    there = shipped()
    suite = SUITES[LATEST]
    table = scored.by_task(there[there["optimizer"].isin(["gd", "adam"])], "adam", suite)
    ax, bar = scored.draw_tasks(table, suite).axes
    assert ax.images[0].norm(np.array([1.0, 10.0, 100.0])).tolist() == pytest.approx([0, 0.5, 1])
    assert [text.get_text() for text in bar.get_yticklabels()] == ["1×", "10×", "100×"]
    assert "times the least" in bar.get_ylabel()
    assert "share of starts and targets reached" in ax.get_ylabel()
