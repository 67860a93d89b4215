"""What a newcomer does with results and figures, as typed, and what comes out: a test a task."""

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import gdfast
from gdfast import optimizers, plot, problems


@pytest.fixture(scope="module")
def result():
    sweep = gdfast.Sweep("quartic", "gd momentum", "1e-3:1:8", "-3:3:5", 200, history="loss:16")
    return gdfast.run(sweep, backend="numpy", keep_theta=True, progress=False)


@pytest.fixture(scope="module")
def store(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "quartic.zarr"
    gdfast.run(gdfast.sweep_of(result), backend="numpy", keep_theta=True, progress=False, store=path)
    return path


def typed(line, folder):
    """What a command line prints, and how it ends."""
    done = subprocess.run([sys.executable, "-m", "gdfast", *line.split()], capture_output=True, text=True, cwd=folder)
    return done.returncode, done.stdout + done.stderr


# Tables


def test_which_trajectories_reached_the_lowest_minimum(result):
    assert (result.outcome == "global_minimum").sum().item() > 0
    with pytest.raises(ValueError, match="did you mean global_minimum"):
        result.outcome == "global_minimun"  # noqa: B015


def test_a_table_with_a_row_a_trajectory(result):
    table = result.to_dataframe()
    assert len(table) == 2 * 8 * 5
    assert (table.outcome == "diverged").sum() == (result.outcome == "diverged").sum()
    assert table.groupby("optimizer", observed=True).loss.min().notna().all()
    assert {"start_x", "theta_x", "learning_rate"} <= {*table.columns}


def test_one_optimizer_at_one_rate(result):
    one = result.sel(optimizer="gd")
    assert len(gdfast.analysis.summary(one)) == 1
    assert len(gdfast.tidy(one.sel(learning_rate=0.01, method="nearest"))) == 5


@pytest.mark.slow
def test_a_store_as_a_spreadsheet(store, tmp_path):
    code, said = typed(f"table {store} -o cells.csv", tmp_path)
    assert (code, said) == (0, "80 rows → cells.csv\n")
    assert "global_minimum" in set(pd.read_csv(tmp_path / "cells.csv").outcome)
    code, said = typed(f"table {store} -o cells.xlsx", tmp_path)
    assert code == 2
    assert ".csv" in said


def test_the_same_sweep_again_with_more_steps(store):
    sweep = gdfast.sweep_of(gdfast.load(store)).replace(max_steps=400)
    assert (sweep.shape, sweep.max_steps) == ((2, 8, 5), 400)


# Figures


def test_figures_are_pyplot_s(result):
    plt.close("all")
    plot.maps(result)
    plot.ecdf(result, title="how soon")
    assert len(plt.get_fignums()) == 2
    assert plt.gca().get_title() == "how soon"
    plt.close("all")


@pytest.mark.slow
def test_hundreds_of_figures_do_not_pile_up(result):
    for _ in range(30):  # more than matplotlib warns of, and warnings are errors here
        plot.outcome_map(result, "gd")
    assert len(plt.get_fignums()) <= 8
    plt.close("all")


def test_a_map_on_my_axes_has_a_legend(result):
    figure, axes = plt.subplots(1, 2)
    plot.outcome_map(result, "gd", ax=axes[0])
    assert "global minimum" in [text.get_text() for text in axes[0].get_legend().get_texts()]
    plot.outcome_map(result, "gd", ax=axes[1], legend=False)
    assert axes[1].get_legend() is None
    plot.maps(result, ax=axes)
    assert [ax.get_title() for ax in axes] == ["gd", "momentum"]
    plt.close(figure)


def test_two_trajectories_beside_each_other():
    a, b = (gdfast.trajectory(problems.quartic(), optimizers.gd(), x, 0.01, 50) for x in (1.0, -1.0))
    ax = plot.loss_curves([a, b])
    assert [line.get_label() for line in ax.lines] == ["start 1", "start -1"]
    ax = plot.trajectory([a, b], problems.quartic())
    plt.close("all")


def test_colours_and_size_of_my_own(result):
    figure = plot.maps(result, size=(4, 2), palette={"diverged": "red"})
    assert figure.get_size_inches().tolist() == [4, 2]
    assert "red" in [patch.get_facecolor() == (1, 0, 0, 1) and "red" for patch in figure.legends[0].get_patches()]
    lines = plot.lr_sensitivity(result, palette=["black", "orange"]).lines
    assert [line.get_color() for line in lines] == ["black", "orange"]
    with pytest.raises(ValueError, match="did you mean diverged"):
        plot.maps(result, palette={"diverge": "red"})
    plt.close("all")


@pytest.mark.slow
def test_dark_figures(result):
    with plt.style.context("dark_background"):
        figure = plot.maps(result)
    assert np.array(figure.get_facecolor())[:3].max() == 0
    plt.close("all")


@pytest.mark.slow
def test_every_kind_of_figure_from_the_command_line(store, tmp_path):
    code, said = typed("plot --help", tmp_path)
    assert code == 0
    assert all(
        kind in said for kind in ("maps", "basins", "sensitivity", "ecdf", "delta", "paths", "curves", "history")
    )
    code, said = typed(f"plot history {store} -o h.svg --title Along --size 6x3 --dark --palette gd=orange", tmp_path)
    assert (code, said) == (0, f"{store} → h.svg\n")
    assert "Along" in (tmp_path / "h.svg").read_text()
    code, said = typed(f"plot ecdf {store} -o e.bmp", tmp_path)
    assert code == 2
    assert ".html" in said


@pytest.mark.slow
def test_a_page_that_is_read_out_and_zoomed(store, tmp_path):
    assert typed(f"plot maps {store} -o map.html --title Mine", tmp_path)[0] == 0
    page = (tmp_path / "map.html").read_text()
    assert page.count('class="spot"') == 2
    assert "<h1>Mine</h1>" in page
    assert "https://" not in page


@pytest.mark.slow
def test_optimizers_race_in_a_film(tmp_path):
    line = "animate race --problem himmelblau --optimizer gd --optimizer adam --lr 0.01 --start 0 --start 0 --frames 4"
    assert typed(f"{line} -o race.gif", tmp_path) == (0, "4 pictures, 0.2 s → race.gif\n")
    code, said = typed(f"{line} -o race.mpg", tmp_path)
    assert code == 2
    assert ".gif" in said


@pytest.mark.slow
def test_a_map_moves_along_a_hyperparameter(tmp_path):
    grid = "--lr 1e-3:1:6 --start -2:2:6 --max-steps 20 --backend numpy --out m.zarr"
    assert typed(f"sweep --problem quartic --optimizer momentum:momentum=0:0.9:3 {grid}", tmp_path)[0] == 0
    assert typed("animate map m.zarr --over momentum -o m.gif", tmp_path) == (0, "3 pictures, 0.5 s → m.gif\n")


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    "draw",
    [
        lambda r: plot.maps(r),
        lambda r: plot.outcome_map(r),
        lambda r: plot.steps_map(r),
        lambda r: plot.lr_sensitivity(r),
        lambda r: plot.ecdf(r),
        lambda r: plot.profile({"quartic": r}),
        lambda r: plot.bifurcation(r),
        lambda r: plot.history_curves(r),
        lambda r: plot.history_map(r),
        lambda r: plot.basin_map(r),
        lambda r: gdfast.analysis.advice(r),
        lambda r: gdfast.analysis.best_of_k(r, [1, 2]),
        lambda r: gdfast.analysis.excess(r),
        lambda r: gdfast.analysis.delta(r, r),
        lambda r: gdfast.analysis.attracting(r),
        lambda r: gdfast.analysis.lr_tolerance(r),
        lambda r: gdfast.analysis.outcome_shares(r),
        lambda r: gdfast.analysis.reached(r),
        lambda r: gdfast.analysis.account(r),
    ],
)
def test_what_is_selected_goes_into_everything(result, draw):
    one = result.sel(optimizer="gd")
    for part in (one, one.isel(start=[1, 2]), one.isel(start=1), one.sel(learning_rate=0.01, method="nearest")):
        draw(part)
    plt.close("all")


# The shell


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "list optimizers adam",
            ["m ← β₁ m", "arXiv 1412.6980", "beta1", "[0, 1)", "def rule(", "learning rate: 0.001"],
        ),
        ("list problems booth", ["(x + 2y − 7)²", "def loss(x, y):", "0 at (1, 3)"]),
        ("list schedules cosine", ["cos(π t/total)", "arXiv 1608.03983", "end"]),
        ("list transforms clip_norm", ["max_norm", "Pascanu", "def _clipped_by_norm("]),
        ("list measures convergence", ["window"]),
    ],
)
def test_what_one_of_them_is(line, words, tmp_path):
    code, said = typed(line, tmp_path)
    assert code == 0
    for word in words:
        assert word in said


@pytest.mark.slow
def test_one_that_there_is_not(tmp_path):
    code, said = typed("list optimizers adma", tmp_path)
    assert code == 2
    assert "did you mean" in said


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("gdfast sweep --problem qua", ["quadratic", "quartic"]),
        ("gdfast sweep --optimizer adam|clip", ["adam|clip_norm", "adam|clip_value"]),
        ("gdfast plot hi", ["history", "history-map"]),
        ("gdfast list problems ro", ["rosenbrock"]),
        ("gdfast animate race --optimizer qh", ["qhadam", "qhm"]),
    ],
)
def test_the_shell_completes_names(line, expected, monkeypatch, capsys):
    from gdfast.cli import app

    monkeypatch.setenv("_GDFAST_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
    with pytest.raises(SystemExit):
        app(prog_name="gdfast")
    assert sorted(capsys.readouterr().out.split()) == expected
