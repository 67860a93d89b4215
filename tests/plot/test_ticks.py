"""Powers of ten as text: the numbers that matplotlib writes as mathematics, at the same ticks."""

import re
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import gdfast
from gdfast import plot
from gdfast.plot.ticks import plain_powers
from gdfast.report.writing import picture_of

DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def drawn(scale: str, ends: tuple[float, float], **options: Any) -> Figure:
    figure = Figure(layout="constrained")
    ax = figure.subplots()
    ax.plot(ends, ends)
    ax.set_yscale(scale, **options)
    ax.set_ylim(ends)
    return figure


def labels(figure: Figure) -> list[tuple[float, str]]:
    axis = figure.axes[0].yaxis
    return [(text.get_position()[1], text.get_text()) for text in axis.get_ticklabels(which="both")]


def value(text: str) -> float:
    """The number that a label is, in either form."""
    inner = re.sub(r"^\$\\mathdefault\{(.*)\}\$$", r"\1", text)
    found = re.fullmatch(r"([-−]?)(?:(\d+)(?:\\times|×))?10(?:\^\{(-?\d+)\}|([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))", inner)
    if found is None:
        return float(inner)
    sign, times, mathematics, superscripts = found.groups()
    return float(f"{'-' * len(sign)}{times or 1}e{mathematics or superscripts.translate(DIGITS)}")


@pytest.mark.parametrize(
    ("scale", "ends"),
    [
        ("log", (1e-12, 1e3)),
        ("log", (0.3, 5.0)),
        ("log", (2.0, 70.0)),
        ("log", (1e-200, 1e200)),
        ("symlog", (-1e4, 1e4)),
        ("symlog", (-3.0, 1e-2)),
    ],
)
def test_labels_are_the_same_numbers_at_the_same_ticks(scale, ends):
    mathematics, text = drawn(scale, ends), drawn(scale, ends)
    plain_powers(text)
    wanted, got = labels(mathematics), labels(text)
    assert any("$" in label for _, label in wanted)
    assert not any("$" in label for _, label in got)
    assert [place for place, _ in got] == [place for place, _ in wanted]
    assert [label and value(label) for _, label in got] == [label and value(label) for _, label in wanted]


@pytest.mark.parametrize(
    ("ends", "wanted"),
    [
        ((0.3, 2.5), ["0.3", "0.4", "0.6", "1", "2"]),
        ((20.0, 1500.0), ["10²", "10³"]),
        ((2e5, 9e5), ["2×10⁵", "3×10⁵", "4×10⁵", "6×10⁵"]),
        ((0.5, 60.0), ["10⁰", "10¹"]),
    ],
)
def test_axes_with_one_power_of_ten_have_ordinary_numbers(ends, wanted):
    figure = drawn("log", ends)
    plain_powers(figure)
    told = sorted((place, label) for place, label in labels(figure) if label and ends[0] <= place <= ends[1])
    assert [label for _, label in told] == wanted


@pytest.mark.parametrize(("scale", "options"), [("linear", {}), ("log", {"base": 2}), ("symlog", {"base": 2})])
def test_other_axes_are_left_alone(scale, options):
    before, after = drawn(scale, (0.5, 100.0), **options), drawn(scale, (0.5, 100.0), **options)
    plain_powers(after)
    assert labels(after) == labels(before)


def test_what_tex_is_to_write_is_left_to_it():
    figure = drawn("log", (1.0, 100.0))
    with matplotlib.rc_context({"text.usetex": True}):
        plain_powers(figure)
    assert all("$" in label for _, label in labels(figure) if label)


def test_figures_and_pages_have_no_mathematics_at_their_axes():
    sweep = gdfast.Sweep("quartic", ["gd", "adam"], np.geomspace(1e-3, 0.1, 5), [-2.0, 1.5], 50)
    result = gdfast.run(sweep, backend="numpy", progress=False)
    alone = plot.lr_sensitivity(result)
    beside = plot.lr_sensitivity(result, ax=Figure().subplots())
    picture_of(beside.figure)
    for ax in (alone, beside):
        texts = [text.get_text() for axis in (ax.xaxis, ax.yaxis) for text in axis.get_ticklabels(which="both")]
        assert any("10" in text for text in texts)
        assert not any("$" in text for text in texts)
    plt.close("all")


@pytest.mark.parametrize("top", [False, True])
def test_pages_leave_titles_where_they_were_laid_out(top):
    figure = drawn("log", (1e-3, 1.0))
    ax = figure.axes[0]
    ax.set_title("what is shown", fontsize=9, color="#112233")
    if top:
        ax.xaxis.tick_top()
    plain_powers(figure)
    figure.draw_without_rendering()
    before = ax.title.get_window_extent().bounds
    picture_of(figure, dpi=figure.dpi)
    figure.draw_without_rendering()
    assert ax.title.get_window_extent().bounds == pytest.approx(before, abs=1.0)
    assert (ax.get_title(), ax.title.get_fontsize(), ax.title.get_color()) == ("what is shown", 9, "#112233")
