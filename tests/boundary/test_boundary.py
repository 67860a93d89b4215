"""Boundaries of convergence: their extraction, their dimension, the planes they lie in, and the command."""

import itertools
import signal
import subprocess
import sys
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas
import pytest
from matplotlib.figure import Figure
from PIL import Image
from typer.testing import CliRunner

import gdfast
from gdfast import optimizers
from gdfast.boundary import figures
from gdfast.boundary import report as boundaries
from gdfast.boundary.dimension import BoxCounts, boundary, box_counts, dimension
from gdfast.boundary.figures import animate, box_counting, colour_scale, equalized, pixels
from gdfast.boundary.planes import CONDITIONS, PUBLISHED, View, zoom
from gdfast.cli import app

GD = optimizers.gd()
SMALL = {"width": 4, "max_steps": 30}


# Sets of known dimension.


def carpet(depth):
    """Sierpinski's."""
    cells = np.ones((1, 1), dtype=bool)
    for _ in range(depth):
        cells = np.block([[cells, cells, cells], [cells, np.zeros_like(cells), cells], [cells, cells, cells]])
    return cells


def koch(n, depth=8):
    """Koch's curve, from edge to edge of n × n cells."""
    points = np.array([0, 1], dtype=complex)
    for _ in range(depth):
        third = np.diff(points) / 3
        corners = np.stack([points[:-1] + third * turn for turn in (0, 1, 1 + np.exp(1j * np.pi / 3), 2)], axis=1)
        points = np.append(corners.ravel(), 1)
    steps = np.linspace(0, 1, 9)
    points = (points[:-1, None] + np.diff(points)[:, None] * steps).ravel()
    cells = np.zeros((n, n), dtype=bool)
    cells[(n * (0.36 + points.imag)).astype(int), np.minimum(n * points.real, n - 1).astype(int)] = True
    return cells


def line(n, slope=0.37):
    x = np.arange(4 * n) / 4
    cells = np.zeros((n, n), dtype=bool)
    cells[(slope * x).astype(int), x.astype(int)] = True
    return cells


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (line(511), 1.0),
        (np.ones((511, 511), dtype=bool), 2.0),
        (carpet(6), np.log(8) / np.log(3)),
        (koch(1023), np.log(4) / np.log(3)),
        (koch(729), np.log(4) / np.log(3)),
    ],
    ids=["line", "square", "carpet", "koch", "small koch"],
)
def test_box_counting_finds_known_dimensions(cells, expected):
    counts = box_counts(cells)
    assert dimension([counts]).median == pytest.approx(expected, abs=0.03)
    slope, error = counts.fit
    assert slope == pytest.approx(expected, abs=0.03)
    assert error < 0.03


def test_boxes_are_counted_at_every_place_of_the_grid():
    cells = np.random.default_rng(3).random((70, 65)) < 0.02
    counts = box_counts(cells)
    for size, count in zip(counts.sizes, counts.counts, strict=True):
        rows, columns = (n - size + 1 for n in cells.shape)
        entered = [cells[i : i + size, j : j + size].any() for i in range(rows) for j in range(columns)]
        assert count == pytest.approx(np.mean(entered) * cells.size / size**2, rel=1e-12)


def test_the_fit_is_that_of_least_squares():
    counts = box_counts(np.random.default_rng(1).random((300, 300)) < 0.05)
    (slope, _), covariance = np.polyfit(np.log(counts.sizes), np.log(counts.counts), 1, cov=True)
    assert counts.fit == pytest.approx((-slope, np.sqrt(covariance[0, 0])))


def test_the_dimension_is_the_median_of_all_slopes():
    images = [
        box_counts(cells) for cells in (line(511), np.ones((200, 200), dtype=bool), np.zeros((99, 99), dtype=bool))
    ]
    found = dimension(images)
    slopes = np.concatenate([images[0].slopes, images[1].slopes])
    assert found == pytest.approx((np.median(slopes), *np.percentile(slopes, [25, 75]), 2))
    assert np.isnan(dimension(images[2:]).median)
    assert np.isnan(images[2].fit).all()
    small = box_counts(line(63))  # two scales, through whose counts any line goes
    assert dimension([*images, small]) == found
    assert np.isnan(dimension([small]).median)


@pytest.mark.parametrize(
    ("size", "value", "words"),
    [
        (64, 1.0, "too few scales to fit a line; take more pixels"),
        (128, 1.0, "0.98 (0.98 to 0.99), 1 image"),
        (128, 0.0, "no boundary"),
    ],
)
def test_what_is_told_of_a_boundary_is_what_its_figure_says(size, value, words):
    counts = box_counts(value * line(size - 1) > 0)
    told = boundaries._told(*dimension([counts]), [[counts]])
    assert told == words
    label = box_counting(Figure().subplots(), [counts], ["whole"]).get_legend().get_texts()[0].get_text()
    assert label.startswith("whole: " + words.split(";")[0].split(" (")[0])


def test_a_boundary_is_where_signs_meet():
    image = np.random.default_rng(0).normal(size=(9, 7)) + 1
    image[3, 3] = 0.0
    got = boundary(image)
    for i in range(8):
        for j in range(6):
            four = image[i : i + 2, j : j + 2]
            assert got[i, j] == ((four < 0).any() and (four > 0).any())


def test_a_legend_says_why_no_line_is_fitted():
    few, none = (BoxCounts(np.array([2, 4]), np.array(counts)) for counts in ([20.0, 9.0], [0.0, 0.0]))
    ax = figures.box_counting(plt.figure().add_subplot(), [few, none], ["few", "none"])
    told = [text.get_text() for text in ax.get_legend().get_texts()]
    assert told == ["few: too few scales to fit a line", "none: no boundary"]
    plt.close("all")


def test_counts_have_an_axis_that_can_be_read_with_a_boundary_or_without():
    none = box_counts(np.zeros((127, 127), dtype=bool))
    some = box_counts(np.random.default_rng(0).random((127, 127)) > 0.99)
    for counts, scale in (([none], "linear"), ([some, none], "log")):
        ax = figures.box_counting(plt.figure().add_subplot(), counts, ["a", "b"][: len(counts)])
        ax.figure.canvas.draw()
        assert ax.get_yscale() == scale
        labels = [*ax.yaxis.get_ticklabels(), *ax.yaxis.get_ticklabels(minor=True)]
        low, high = ax.get_ylim()
        assert any(each.get_text() and low <= each.get_position()[1] <= high for each in labels)
        assert [each.get_text() for each in ax.xaxis.get_ticklabels()] == [str(size) for size in counts[0].sizes]
    plt.close("all")


def test_too_small_images_are_refused():
    with pytest.raises(ValueError, match="at least 64 a side"):
        box_counts(np.ones((50, 90), dtype=bool))


# Colours.


def test_colours_keep_the_sign_and_spread_the_ranks():
    image = np.array([[-90.0, -3.0, -1.0], [1.0, 5.0, 1e6]])
    np.testing.assert_allclose(equalized(image), [[1, 0.625, 0.25], [-0.25, -0.625, -1]])
    assert equalized(image[:1]).min() > 0
    np.testing.assert_array_equal(equalized(np.array([[-3.0, -3.0, 7.0, 7.0]])), [[1, 1, -1, -1]])  # blue, red
    for colours in pixels(np.array([[7.0, 7.0]]))[0].astype(int):
        assert colours[0] > 2 * max(colours[1:])
    quick, slow = pixels(np.array([[-1.0, -90.0]]))[0].astype(int)
    assert slow[2] > slow[0]
    assert quick[1] > quick[0]


def test_the_scale_has_the_colours_of_the_image():
    ax = Figure().subplots()
    image = np.array([[-9.0, -2.0, -1.0, 1.0, 2.0, 9.0]])
    bar = colour_scale(ax, CONDITIONS["quartic"])
    assert [text.get_text() for text in bar.ax.get_yticklabels()] == ["slowest", "quickest", "slowest"]
    got = bar.mappable.to_rgba(np.array([1.0, 1e-9, -1e-9, -1.0]), bytes=True)[:, :3]
    np.testing.assert_array_equal(got, pixels(image)[0][[0, 2, 3, 5]])


def test_an_animation_goes_from_each_image_to_the_next(tmp_path):
    views = [View((0.0, 0.0), (8.0, 8.0), 64), View((1.0, -1.5), (2.0, 2.0), 64), View((1.9, -2.4), (0.5, 0.5), 64)]
    image = np.fromfunction(lambda i, j: np.where(i < j, -1.0 - j, 1.0 + i), (64, 64))
    animate([(view, image) for view in views], tmp_path / "zoom.gif", between=4)
    with Image.open(tmp_path / "zoom.gif") as shown:
        assert shown.n_frames == 9


# Planes.


@pytest.mark.slow
@pytest.mark.parametrize("name", CONDITIONS)
def test_a_pixel_is_the_training_it_says(name):
    condition = CONDITIONS[name]
    view = condition.view(6, zoom=1.5)
    result = gdfast.run(condition.sweep(GD, view, **SMALL))
    image = condition.image(result, 6)
    i, j = 4, 2
    x, y = view.places(0)[j], view.places(1)[i]
    assert condition.x.low < x < condition.x.high
    problem = condition.problem(4, 0)
    if condition.starts is None:
        rates, starts = [[10**x, 10**y]], problem.starts("normal").points
    else:
        rates, starts = [10**x], condition.starts(problem, 0, np.array([y]))
    measure = gdfast.measures.convergence(floor=problem.minima[0].loss)
    one = gdfast.Sweep(problem, GD, rates, starts, 30, gradient_tolerance=0.0, measure=measure)
    assert gdfast.run(one).measure.item() == image[i, j]


def test_the_published_conditions_are_those_of_the_paper():
    assert PUBLISHED == ["tanh", "relu", "identity", "minibatch", "single_point", "initialization"]
    rows = {name: CONDITIONS[name].problem(8, 0).X.shape[0] for name in PUBLISHED}
    assert rows == {"tanh": 72, "relu": 72, "identity": 8, "minibatch": 72, "single_point": 1, "initialization": 72}


def test_the_limit_of_divergence_changes_no_class():
    condition = CONDITIONS["tanh"]
    sweep = condition.sweep(GD, condition.view(48), **SMALL)
    settings = {"gradient_tolerance": 0.0, "divergence_limit": 1e300, "measure": sweep.measure}
    late = gdfast.Sweep(sweep.problem, GD, sweep.learning_rates, sweep.starts, 30, **settings)
    np.testing.assert_array_equal(gdfast.run(sweep).measure < 0, gdfast.run(late).measure < 0)


@pytest.mark.parametrize("follow", ["drawn", "densest"])
def test_a_zoom_stays_on_the_boundary_and_inside(follow):
    condition = CONDITIONS["quartic"]
    frames = list(zoom(condition, GD, condition.view(64), 6, 10.0, seed=5, follow=follow, max_steps=100))
    assert len(frames) == 6
    for frame, closer in itertools.pairwise(frames):
        for side in (0, 1):
            assert closer.view.span[side] == pytest.approx(frame.view.span[side] / 10)
            reach = (frame.view.span[side] - closer.view.span[side]) / 2
            assert abs(closer.view.center[side] - frame.view.center[side]) <= reach * (1 + 1e-9)
        middle = boundary(closer.image)[20:43, 20:43]
        assert middle.any()


def test_the_densest_place_is_where_most_of_the_boundary_is():
    condition = CONDITIONS["quartic"]
    first = next(zoom(condition, GD, condition.view(64), follow="densest"))
    _, view = (frame.view for frame in zoom(condition, GD, first.view, 2, 8.0, follow="densest"))
    cells = np.argwhere(boundary(first.image))
    near = [(np.abs(cells - cell).max(axis=1) <= 3).sum() for cell in cells]
    places = [first.view.places(side) for side in (0, 1)]
    row, column = (int(np.searchsorted(places[side], view.center[side])) - 1 for side in (1, 0))
    assert (np.abs(cells - (row, column)).max(axis=1) <= 3).sum() == max(near)


def test_a_zoom_ends_where_float64_does():
    condition = CONDITIONS["quartic"]
    frames = list(zoom(condition, GD, condition.view(64), 30, 10.0, max_steps=60))
    assert 13 <= len(frames) <= 16  # 64 pixels of 4 decades at 10^-14 of them are some 2 ulp wide
    view = frames[-1].view
    condition.sweep(GD, view)
    with pytest.raises(ValueError, match="differ in float64"):
        condition.sweep(GD, View(view.center, (view.span[0] / 10, view.span[1] / 10), 64))


@pytest.mark.slow
def test_a_zoom_is_stored_and_read_again(tmp_path):
    condition = CONDITIONS["identity"]
    settings = {"seed": 2, "store": tmp_path, "progress": False, **SMALL}
    first = list(zoom(condition, GD, condition.view(64), 2, **settings))
    dates = [frame.result.attrs["date"] for frame in first]
    again = list(zoom(condition, GD, condition.view(64), 3, **settings))
    assert [frame.result.attrs["date"] for frame in again[:2]] == dates
    for frame, other in zip(first, again[:2], strict=True):
        np.testing.assert_array_equal(frame.image, other.image)


# The command.


def command(*arguments):
    done = CliRunner().invoke(app, ["boundary", *map(str, arguments)])
    return done.exit_code, done.output


@pytest.mark.slow
def test_the_command_writes_images_and_tables(tmp_path):
    arguments = ["--condition", "identity", "--condition", "quartic", "--resolution", 128, "--width", 3]
    arguments += ["--max-steps", 30, "--frames", 2, "--seeds", 2, "--out", tmp_path]
    code, text = command(*arguments)
    assert code == 0, text
    names = ["identity-gd", "quartic-gd"]
    suffixes = [".png", ".gif", "-000.png", "-001.png"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "frames.csv",
        "dimensions.csv",
        *(name + suffix for name in names for suffix in suffixes),
    }
    with Image.open(tmp_path / "quartic-gd-000.png") as image:
        assert image.size == (128, 128)
    frames, table = (pandas.read_csv(tmp_path / name) for name in ("frames.csv", "dimensions.csv"))
    assert len(frames) == 2 * 2 * 2
    assert list(table.images) == [4, 4]
    assert (table.low <= table.dimension).all()
    assert (table.dimension <= table.high).all()
    assert list(table.published.fillna(0)) == [1.17, 0]


@pytest.mark.slow
def test_an_interrupted_command_is_completed_by_the_same_one(tmp_path):
    arguments = ["--condition", "tanh", "--resolution", "64", "--frames", "2", "--width", "4", "--workers", "1"]
    code, text = command(*arguments, "--out", tmp_path / "whole", "--store", tmp_path / "expected")
    assert code == 0, text
    arguments += ["--out", str(tmp_path / "out"), "--store", str(tmp_path / "got")]
    running = subprocess.Popen([sys.executable, "-m", "gdfast", "boundary", *arguments], stderr=subprocess.DEVNULL)
    while running.poll() is None and not (tmp_path / "got/tanh-gd-0/000.zarr/.zmetadata").exists():
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    code, text = command(*arguments)
    assert code == 0, text
    for name in ("tanh-gd-000.png", "tanh-gd-001.png", "dimensions.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--condition", "tan"], ["condition 'tan'", "tanh"]),
        (["--resolution", "10"], ["resolution", "from 64"]),
        (["--center", "3"], ["center", "x,y", "'3'"]),
        (["--frames", "0"], ["frames", "from 1"]),
        (["--factor", "1"], ["factor", "> 1"]),
        (["--follow", "me"], ["follow 'me'", "drawn, densest"]),
        (["--zoom", "1e16", "--condition", "quartic"], ["zoom", "differ in float64"]),
    ],
)
def test_bad_arguments_are_refused(tmp_path, arguments, words):
    code, text = command(*arguments, "--out", tmp_path)
    assert code == 2, text
    assert all(word in text for word in words), text
    assert "Traceback" not in text
