"""Nothing that a figure says leaves it, and no legend covers lines or the numbers along the axes."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.cbook import STEP_LOOKUP_MAP
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path

import gdfast
from gdfast import plot
from gdfast.plot.room import broken

LONG = "adam:beta1=0.8765,beta2=0.98765,eps=1.234e-07|clip_norm:max_norm=1.2345|cosine:end=0.123"
LABELS = {
    "short": "rule {}".format,
    "long": (LONG + " {}").format,
    "without a place to break": ("x" * 120 + "{}").format,
}


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def swept():
    sweep = gdfast.Sweep("quartic", ["gd", "momentum", "adam"], "1e-3:1:9", "-3:3:7", 60, history="loss:8")
    return gdfast.run(sweep, backend="numpy", progress=False)


def several(result, labels):
    """A result of as many optimizers as labels: those of another, over and over."""
    places = [i % result.sizes["optimizer"] for i in range(len(labels))]
    return result.isel(optimizer=places).assign_coords(optimizer=labels)


def paths(labels):
    runs = [gdfast.trajectory("quartic", "momentum", 1.5, rate, 20) for rate in (0.01, 0.05, 0.1)]
    return dict(zip(labels, itertools.cycle(runs), strict=False))


LINES = {
    "sensitivity": lambda result, labels, **look: plot.lr_sensitivity(several(result, labels), **look),
    "of losses": lambda result, labels, **look: plot.lr_sensitivity(several(result, labels), quantity="loss", **look),
    "ecdf": lambda result, labels, **look: plot.ecdf(several(result, labels), **look),
    "profile": lambda result, labels, **look: plot.profile({"quartic": several(result, labels)}, **look),
    "history": lambda result, labels, **look: plot.history_curves(several(result, labels), rates="random", **look),
    "curves": lambda result, labels, **look: plot.loss_curves(paths(labels), **look),
    "paths": lambda result, labels, **look: plot.trajectory(paths(labels), gdfast.problems.quartic(), **look),
}
MAPS = {
    "maps": plot.maps,
    "of a history": lambda result, **look: plot.maps(result, "excess at step 50", **look),
    "of one": lambda result, **look: plot.maps(result.isel(optimizer=[0]), "excess at step 50", **look),
    "outcomes": lambda result, **look: plot.outcome_map(result.isel(optimizer=[0]), **look),
    "steps": lambda result, **look: plot.steps_map(result.isel(optimizer=[0]), **look),
    "basins": lambda result, **look: plot.basin_map(result.isel(optimizer=[0]), **look),
    "history map": lambda result, **look: plot.history_map(result.isel(optimizer=[0]), **look),
    "delta": lambda result, **look: plot.delta_maps(gdfast.analysis.delta(result, result), **look),
}


def numbers(axis):
    """The labels of the ticks that are drawn."""
    low, high = sorted(axis.get_view_interval())
    margin = 1e-9 * (high - low)
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    shown = [tick.label1 for tick in ticks if low - margin <= tick.get_loc() <= high + margin]
    return [text for text in shown if text.get_text() and text.get_visible()]


def within(inner, outer):
    """Whether a box is in another, but for a pixel."""
    outer = outer.padded(1)
    return outer.x0 <= inner.x0 and inner.x1 <= outer.x1 and outer.y0 <= inner.y0 and inner.y1 <= outer.y1


def check(figure, high):
    """Hold boxes apart, inside the figure, and the axes higher than so many inches."""
    figure.draw_without_rendering()
    for ax in figure.axes:
        words = [text for text in (ax.title, ax.xaxis.label, ax.yaxis.label) if text.get_text() and text.get_visible()]
        words += [*numbers(ax.xaxis), *numbers(ax.yaxis)]
        inner = [ax.get_legend()] if ax.get_legend() else []
        for each in [*words, *figure.legends, *inner]:
            assert within(each.get_window_extent(), figure.bbox), each
        for legend in [*figure.legends, *inner]:
            box = legend.get_window_extent()
            assert not [text for text in words if box.overlaps(text.get_window_extent())]
            assert within(box, ax.bbox) if legend in inner else not box.overlaps(ax.bbox)
        for line in ax.lines if inner else []:
            drawn = np.column_stack(STEP_LOOKUP_MAP[line.get_drawstyle()](*line.get_xydata().T))  # with its steps
            path = line.get_transform().transform_path(Path(drawn))
            assert not path.intersects_bbox(inner[0].get_window_extent(), filled=False), line
        assert ax.bbox.height / figure.dpi >= high
    if figure.get_suptitle():
        box = figure._suptitle.get_window_extent()
        assert within(box, figure.bbox)
        assert not any(box.overlaps(ax.title.get_window_extent()) for ax in figure.axes if ax.get_title())


@pytest.mark.sampled(1)
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("number", [1, 3, 9, 20, 40])
@pytest.mark.parametrize("name", LINES)
def test_legends_of_lines_have_room(swept, name, number, labels):
    drawn = LINES[name](swept, [LABELS[labels](i) for i in range(number)])
    assert len({line.get_label() for line in drawn.lines if not line.get_label().startswith("_")}) == number
    check(drawn.figure, 2.4)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("look", [{}, {"title": "many words $ of a title " * 13}, {"title": "x" * 500}])
@pytest.mark.parametrize("name", MAPS)
def test_titles_and_labels_of_maps_have_room(swept, name, look):
    result = swept.assign_coords(optimizer=["gd", LONG, LONG[:50]])
    drawn = MAPS[name](result, **look)
    check(getattr(drawn, "figure", drawn), 1.5)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("size", [(2, 2), (3, 6), (9, 2.5)])
@pytest.mark.parametrize("name", sorted({*LINES, *MAPS} - {"of a history"}))  # three panels and a scale
def test_small_figures_have_room(swept, name, size):
    draw = LINES.get(name)
    drawn = MAPS[name](swept, size=size) if draw is None else draw(swept, ["gd", "momentum", "adam"], size=size)
    figure = getattr(drawn, "figure", drawn)
    assert figure.get_figwidth() == size[0]
    assert figure.get_figheight() >= size[1]
    check(figure, 0.25)


def test_the_size_that_is_asked_for_is_kept_where_it_does(swept):
    labels = [f"a longer rule {i}" for i in range(20)]
    figure = LINES["sensitivity"](swept, labels, size=(8, 6)).figure
    assert tuple(figure.get_size_inches()) == (8, 6)
    check(figure, 3)


def test_texts_are_broken_where_they_can_be():
    font, wide = FontProperties(size=10), 100.0
    assert broken("short", font, wide) == "short"
    assert broken("two\nlines", font, wide) == "two\nlines"
    rows = broken(LONG, font, 200.0).split("\n")
    assert "".join(rows) == LONG
    assert all(row[-1] in ",|:" for row in rows[:-1])
    money = broken(r"\$" * 30, font, wide)
    assert money.replace("\n", "") == r"\$" * 30
    cut = broken("word " * 100, font, wide)
    assert cut.endswith("…")
    assert len(cut.split("\n")) == 4


def test_a_legend_on_given_axes_stays_in_columns_inside(swept):
    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    plot.ecdf(several(swept, [f"rule {i}" for i in range(20)]), axes[0])
    legend = axes[0].get_legend()
    figure.draw_without_rendering()
    assert within(legend.get_window_extent(), axes[0].bbox)
    assert legend.get_frame_on()
    np.testing.assert_allclose(figure.get_size_inches(), (10, 4))


@pytest.mark.slow
def test_films_have_room(swept):
    check(plot.race(paths([f"a longer rule {i}" for i in range(20)]), gdfast.problems.quartic(), frames=2).figure, 2.4)
    result = swept.assign_coords(rule=("optimizer", [0, 1, 2]))
    check(plot.animate_map(result, "learning_rate", "excess at step 50", x="x", y="rule").figure, 1.5)
