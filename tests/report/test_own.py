"""What a report says of what is one's own: stored sweeps, tables, formulas; the pages are in `tests/newcomer`."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

import gdfast
from gdfast import optimizers, problems
from gdfast.report.chapters import learning_rate, mitigations, stored, tuning
from gdfast.report.chapters import optimizers as chapter
from gdfast.report.lab import Lab
from gdfast.report.words import called

RNG = np.random.default_rng(2)
X = RNG.normal(size=(40, 2))
DATA = gdfast.data.load((X, X @ [2.0, -1.0] + 0.1 * RNG.normal(size=40)))
RULES = [optimizers.gd(), optimizers.momentum()]


@pytest.fixture(scope="module")
def results():
    problem = problems.linear_regression(DATA, validation=0.25)
    sweep = gdfast.Sweep(problem, RULES, "1e-3:10:12", problem.random(3), 40, history="loss,validation_loss:8")
    first = gdfast.run(sweep, backend="numpy", progress=False)
    clipped = [rule.transformed(gdfast.transforms.clip_norm(1.0)) for rule in RULES]
    other = gdfast.run(sweep.replace(optimizers=clipped), backend="numpy", progress=False)
    elsewhere = gdfast.run(sweep.replace(learning_rates=[0.1, 0.2]), backend="numpy", progress=False)
    return {"runs/a.zarr": first, "old/a.zarr": other, "b.zarr": elsewhere}


def test_stored_sweeps_are_shown_as_they_are(results):
    lab = Lab(stored=results)
    sections = list(stored.ends(lab))
    assert [section.part for section in sections] == ["a-1", "a-2", "b"]  # two files of one name
    shares = sections[0].table.set_index("optimizer")
    expected = gdfast.analysis.outcome_shares(results["runs/a.zarr"])
    np.testing.assert_array_equal(shares, expected)
    assert [section.title for section in stored.recorded(lab)] == [f"Along the way: {name}" for name in results]
    for experiment in (stored.ends, stored.best, stored.recorded, stored.compared):
        for section in experiment(lab):
            assert isinstance(section.draw(), Figure)


def test_stored_sweeps_are_compared_where_they_can_be(results):
    sections = list(stored.compared(Lab(stored=results)))
    assert [section.part for section in sections] == ["a-2"]  # b is over another grid
    difference = gdfast.analysis.delta(results["runs/a.zarr"], results["old/a.zarr"])
    counts = gdfast.analysis.change_counts(difference)
    np.testing.assert_array_equal(sections[0].table["rescued"], counts["rescued"])
    assert list(stored.compared(Lab())) == []


def test_what_is_about_the_catalogue_is_not_said_of_a_problem_of_its_name():
    own = problems.linear_regression(DATA)
    assert not Lab(problems=[own]).covers("linear_regression")
    assert Lab(problems=[problems.linear_regression()]).covers("linear_regression")
    assert Lab().covers("linear_regression")
    assert list(learning_rate.regression(Lab(problems=[own]))) == []
    assert list(mitigations.landscapes(Lab(problems=[own], chosen=RULES))) == []


def test_grids_are_made_for_the_problem():
    steep = problems.from_expression("5e4*x**2 + y**2", [(-2, 2), (-2, 2)])  # 2/λ = 2e-5
    rates = Lab(quick=True, problems=[steep]).rates(steep)
    assert rates[0] <= 1e-7
    assert rates[-1] >= 10
    assert Lab().moderate(steep, optimizers.gd()) < 2e-5
    rows = problems.linear_regression((RNG.normal(size=(20_000, 5)), RNG.normal(size=20_000)))
    assert len(Lab(problems=[rows]).starts(rows)) == 2  # since a step takes long
    assert len(Lab(problems=[own := problems.linear_regression(DATA)]).starts(own)) == 64


@pytest.mark.slow
def test_one_problem_has_sentences_of_one():
    own = problems.from_expression("x**2 + 3*y**2", [(-1, 1), (-2, 2)])
    lab = Lab(quick=True, problems=[own], chosen=RULES)
    (section,) = chapter.summary(lab)
    assert section.title == "Every optimizer"
    assert set(section.table["problem"]) == {"x**2 + 3*y**2"}
    (section,) = chapter.ecdfs(lab)
    assert "Averaged" not in section.sentences


@pytest.mark.parametrize(
    ("problem", "name"),
    [
        (problems.quartic(), "quartic"),
        (problems.from_expression("x**2", (-1, 1)), "x**2"),
        (problems.from_expression("+".join(["x**2"] * 40)), "+".join(["x**2"] * 40)[:48] + "…"),
    ],
)
def test_problems_have_names_that_can_be_read(problem, name):
    assert called(problem) == name


@pytest.mark.slow
def test_what_a_tuning_found_is_drawn_and_said():
    found = gdfast.tune(DATA, optimizers=["gd", "momentum"], batch_sizes=[0, 8], seeds=2, max_steps=40)
    lab = Lab(tuning=found)
    sections = [section for experiment in tuning.CHAPTER.experiments for section in experiment(lab)]
    assert found.line in sections[0].sentences
    assert sections[0].table["batch size"].isin(["8", "all rows"]).all()
    assert ("at the end of the budget" in sections[0].sentences) == found.table["still falling"].any()
    figures = [section.draw() for section in sections]
    assert all(isinstance(figure, Figure) for figure in figures)
    # Losses over decades are drawn so that each decade is seen.
    wide = dataclasses.replace(
        found,
        rates=found.rates.assign(**{"held-out loss": np.geomspace(1e-4, 1e2, len(found.rates))}),
        curves={pair: np.geomspace(1.0, 1e-4, len(found.steps)) for pair in found.curves},
    )
    for section in (*tuning.rates(Lab(tuning=wide)), *tuning.along(Lab(tuning=wide))):
        assert {ax.get_yscale() for ax in section.draw().axes} == {"log"}
        assert all(0 < ax.get_ylim()[0] <= 1e-4 for ax in section.draw().axes)
