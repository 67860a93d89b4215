"""What all figures share: what pyplot and notebooks know of them, their titles, sizes and colours."""

import gc
import inspect

import cases
import matplotlib
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

import gdfast
from gdfast import plot
from gdfast.plot.look import Drawing, apart


@pytest.fixture(autouse=True)
def _closed():
    plt.close("all")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def result():
    sweep = gdfast.Sweep("quartic", "gd momentum", [0.01, 0.1], [-1.0, 0.5, 2.0], 50, history="loss:4")
    return gdfast.run(sweep, backend="numpy", keep_theta=True, progress=False)


def test_every_figure_takes_the_same_arguments():
    for name in plot.__all__:
        figure = getattr(plot, name)
        if inspect.isfunction(figure) and name not in ("outcome_image", "outcome_legend"):
            assert {"title", "size", "palette", "legend"} <= {*inspect.signature(figure).parameters}, name


@pytest.mark.slow
def test_those_that_nobody_waits_for_are_given_up_and_released(result):
    refs = [plot.lr_sensitivity(result).figure.number for _ in range(25)]
    assert plt.get_fignums() == refs[-8:]
    mine = plt.figure()
    for _ in range(25):
        plot.maps(result)
    assert mine.number in plt.get_fignums()  # what is not of gdfast stays
    gc.collect()
    assert sum(issubclass(type(each), Drawing) for each in gc.get_objects()) <= 10  # isinstance asks lazy modules


@pytest.mark.slow
def test_where_figures_can_be_shown_those_not_saved_wait(result, monkeypatch, tmp_path):
    monkeypatch.setattr(matplotlib, "get_backend", lambda: "qtagg")
    waiting = [plot.ecdf(result).figure for _ in range(3)]
    for i in range(20):
        plot.ecdf(result).figure.savefig(tmp_path / f"{i}.png", dpi=10)
    assert {figure.number for figure in waiting} < {*plt.get_fignums()}
    assert len(plt.get_fignums()) <= 3 + 8


def test_a_notebook_shows_the_value_of_a_cell_once(result, monkeypatch):
    figure = plot.maps(result)
    figure._repr_mimebundle_(include=None, exclude=None)
    assert plt.get_fignums() == [figure.number]  # no notebook
    monkeypatch.setattr(matplotlib, "get_backend", lambda: "module://matplotlib_inline.backend_inline")
    assert figure._repr_mimebundle_(include=None, exclude=None) == {}  # as the backend draws it
    assert plt.get_fignums() == []  # so that the end of the cell does not show it again


@pytest.mark.slow
def test_what_is_only_written_is_unknown_to_pyplot(result):
    with apart():
        assert type(plot.maps(result)) is Figure
        plot.ecdf(result)
    assert plt.get_fignums() == []


def test_titles_stand_above_all_and_are_no_formulas(result):
    assert plot.ecdf(result, title="a$b$c_").get_title() == r"a\$b\$c_"
    assert plot.maps(result, title="all").get_suptitle() == "all"
    of_several = plot.maps(result, title="all", x="learning_rate", y="x")
    assert of_several.get_suptitle() == "all"
    assert plot.maps(result.isel(start=[0, 1]).assign_coords(start=[0, 1]), x="start", y="x").get_suptitle()


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"size": (1, 2, 3)}, ["size", "(width, height)"]),
        ({"size": (-1, 2)}, ["size", "above 0"]),
        ({"palette": "viridiss"}, ["palette 'viridiss'", "did you mean viridis"]),
        ({"palette": ["red", "nix"]}, ["palette", "'nix'"]),
        ({"palette": {"gd": "red", "nix": "blue"}}, ["palette 'nix'", "gd"]),
        ({"colour": "red"}, ["argument 'colour'", "palette"]),
    ],
)
def test_what_is_not_accepted_is_said(result, wanted, words):
    cases.refused(lambda: plot.ecdf(result, **wanted), ValueError, *words)


def test_given_axes_have_a_size_and_panels_of_their_own(result):
    _, axes = plt.subplots(1, 3)
    cases.refused(lambda: plot.ecdf(result, axes[0], size=(3, 3)), ValueError, "size", "ax")
    cases.refused(lambda: plot.maps(result, ax=axes), ValueError, "ax must be", "2", "not 3")
    assert plot.maps(result, "loss", ax=list(axes[:2])) is axes[0].figure
    assert plot.maps(result, optimizers=["gd"], ax=axes[2]) is axes[0].figure


def test_every_line_and_image_has_the_palette(result):
    colours = [line.get_color() for line in plot.history_curves(result, palette="tab10", rates="random").lines]
    assert colours == [matplotlib.colormaps["tab10"](0), matplotlib.colormaps["tab10"](1)]
    assert plot.ecdf(result, palette={"gd": "red"}).lines[0].get_color() == "red"
    assert plot.maps(result, "loss", palette="magma").axes[0].images[1].get_cmap().name == "magma"
    image = plot.outcome_map(result, "gd", palette={"global_minimum": "red"}).images[0]
    assert image.get_cmap()(1) == (1.0, 0.0, 0.0, 1.0)
