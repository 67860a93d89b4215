"""What goes into a report, and that it says nothing its data does not; what it looks like is in `test_page`."""

import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from gdfast import optimizers, problems, report
from gdfast.cli import app
from gdfast.report.chapters import CHAPTERS, landscape, mitigations, speed
from gdfast.report.lab import Lab
from gdfast.report.page import Around, write
from gdfast.report.section import Section, name_of
from gdfast.report.words import listed, number, percent, power_of_ten


def test_wrong_names_are_refused_with_a_suggestion(tmp_path):
    for arguments, words in (
        (["--only", "landscap"], ["only 'landscap'", "did you mean landscape"]),
        (["--only", "bifurcatoin"], ["did you mean bifurcation"]),
        (["--problem", "quartc"], ["problem 'quartc'", "did you mean quartic"]),
        (["--optimizer", "adma"], ["optimizer 'adma'", "did you mean adam"]),
        (["--only", "basins", "--problem", "quartic"], ["leave nothing to show"]),
    ):
        done = CliRunner().invoke(app, ["report", *arguments, "--out", str(tmp_path / "r")])
        assert done.exit_code == 2
        assert all(word in done.stderr for word in words), done.stderr
        assert "Traceback" not in done.stderr
        assert sum(line.startswith("gdfast: ") for line in done.stderr.splitlines()) == 1
    assert not (tmp_path / "r" / "index.html").exists()


@pytest.mark.slow
def test_problems_and_optimizers_can_be_chosen(tmp_path):
    made, failures = report.build(
        tmp_path, True, ["rates", "summary", "double-well"], [problems.flat_quartic()], [optimizers.gd()]
    )
    assert failures == []
    table = pd.read_csv(tmp_path / "summary.csv")
    assert table["problem"].tolist() == ["flat_quartic"]
    assert table["optimizer"].tolist() == ["gd"]
    assert not (tmp_path / "double-well.csv").exists()  # it is about the quartic
    assert "gdfast report --only rates --quick --problem flat_quartic --optimizer gd" in made.read_text()


@pytest.mark.slow
def test_what_hardly_arrives_is_told(tmp_path):
    # Lion moves by the rate, whatever the gradient: at a thousand steps few of its trajectories come near enough.
    chosen = [problems.himmelblau()], [optimizers.adam(), optimizers.lion()]
    made, _ = report.build(tmp_path, True, ["rates", "summary"], *chosen)
    (line,) = [text for text in made.read_text().split("<") if "lion: " in text and "oscillating" in text]
    assert "% of the starts" in line
    assert "came lowest" in line
    assert "adam: " not in line
    table = pd.read_csv(tmp_path / "summary.csv").set_index("optimizer")
    assert 0 < table.loc["lion", "share there"] < 0.5
    assert table.loc["lion", "median steps there"] < 1000  # not the budget, though it never rests


@pytest.mark.slow
@pytest.mark.parametrize("quick", [True, False])
def test_no_grid_of_starts_has_a_lowest_minimum(quick):
    lab = Lab(quick=quick)
    for make in problems.CATALOGUE.values():
        problem = make()
        if problem.rows_each_step or problem.dimension > 8:
            continue
        starts, width = lab.starts(problem), np.ptp(problem.domain, axis=1)
        for point in problem.minima:
            if point.loss > problem.lowest + 1e-9 * problem.loss_scale:
                continue
            apart = (np.abs(starts - np.array(point.point)) / width).max(axis=1)
            assert apart.min() > 1e-3, (problem.name, point.point)


def broken(lab):
    """An experiment whose figure fails."""
    yield Section("Broken", draw=fail, table=pd.DataFrame({"n": [1]}))


def fail():
    """Draw nothing."""
    raise RuntimeError("no ink")


@pytest.mark.slow
def test_a_figure_that_fails_loses_no_data_and_no_other_figure(tmp_path, monkeypatch):
    chapter = landscape.CHAPTER.__class__("broken", "Broken", "", (broken, landscape.double_well))
    monkeypatch.setitem(CHAPTERS, "broken", chapter)
    made, failures = report.build(tmp_path, True, ["broken"])
    assert failures == ["the figure broken could not be drawn: RuntimeError: no ink"]
    assert (tmp_path / "broken.parquet").exists()
    assert (tmp_path / "double-well.png").exists()
    assert failures[0] in made.read_text()


@pytest.mark.slow
def test_tables_of_the_benchmarks_are_shown_as_they_are_or_said_to_be_missing(tmp_path):
    (section,) = speed.peers(Lab(out=tmp_path))
    assert section.table is None
    assert "python -m bench peers" in section.sentences
    (tmp_path / "roofline.csv").write_text("pair,share\nquartic × gd,0.50\n")
    made, _ = report.build(tmp_path, True, ["roofline"])
    assert "quartic × gd" in made.read_text()
    assert (tmp_path / "roofline.csv").read_text() == "pair,share\nquartic × gd,0.50\n"


QUICK = [e for chapter in CHAPTERS.values() if not (chapter.apart or chapter.timed) for e in chapter.experiments]


@pytest.mark.slow
@pytest.mark.parametrize("experiment", QUICK, ids=name_of)
def test_what_is_said_on_coarse_grids_has_its_numbers(experiment, quick_lab):
    for section in experiment(quick_lab):
        words = " ".join([section.sentences, *(claim.evidence for claim in section.findings)])
        assert not re.search(r"\bnan\b", words), words


@pytest.fixture(scope="module")
def quick_lab():
    return Lab(quick=True)


def test_a_page_tells_only_of_files_that_are_there(tmp_path):
    chapter = landscape.CHAPTER.__class__("bare", "Bare", "", (bare,))
    around = Around("Bare", "", str, {}, outcomes=False, few=True)
    made, _ = write(tmp_path / "r", Lab(), [chapter], around)
    assert "<code>data</code>" not in made.read_text()
    assert "<code>live</code>" not in made.read_text()
    assert {path.name for path in (tmp_path / "r").iterdir() if path.is_dir()} == set()


def bare(lab):
    """An experiment that leaves no results."""
    yield Section("Bare", table=pd.DataFrame({"n": [1]}))


def test_names_of_chapters_and_experiments_are_distinct():
    names = [*CHAPTERS, *(name_of(e) for chapter in CHAPTERS.values() for e in chapter.experiments)]
    assert len(set(names)) == len(names)
    assert list(CHAPTERS) == [
        "stored",
        "landscape",
        "learning-rate",
        "numbers",
        "mitigations",
        "optimizers",
        "speed",
        "known",
        "at-the-edge",
        "on-data",
    ]


def test_a_statement_that_the_data_does_not_support_is_not_made():
    counts = pd.DataFrame({"rescued": [0], "broken": [0], "both_reach": [5], "neither_reaches": [5]}, index=["adam"])
    assert mitigations._most_rescued(counts) is None
    assert mitigations._always_breaks(counts) is None
    counts.loc["adam"] = [0, 2, 3, 5]
    assert mitigations._always_breaks(counts) == "adam breaks more cells than rescued."
    shares = pd.Series({"local_minimum": 0.0, "global_minimum": 1.0}, name="gd")
    assert landscape._trapped(problems.six_hump_camel(), shares) is None
    shares["local_minimum"] = 0.25
    assert "25%" in landscape._trapped(problems.six_hump_camel(), shares).evidence


def test_verdicts_follow_the_numbers():
    def claim(plain, noisy):
        return mitigations._noise_leaves(
            pd.DataFrame({"distance from the axis": [0.1, 1e-9], "steps of gd": plain, "steps of gd with noise": noisy})
        )

    assert claim([40, 400], [30, 90]).verdict == "shown"
    assert claim([40, 400], [50, 90]).verdict == "bounded"
    assert claim([40, 400], [50, 500]) is None


@pytest.mark.slow
def test_the_essays_limits_are_found():
    (section,) = landscape.ravine(Lab(quick=True))
    (claim,) = section.findings
    assert claim.verdict == "shown"
    gd = section.table[section.table["optimizer"] == "gd"]
    product = gd["largest working rate"] * gd["condition number"]
    step = 10 ** (5 / 200)
    assert ((product < 2) & (product > 2 / step**2)).all()


def test_numbers_are_written_for_readers():
    assert [percent(s) for s in (0, 1, 0.5, 0.00123, 0.9999)] == ["0%", "100%", "50%", "0.123%", "100%"]
    assert [number(v) for v in (1234.0, 0.07920, -1.5)] == ["1,234", "0.0792", "−1.5"]
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert power_of_ten(-24.2) == "10⁻²⁴·²"
