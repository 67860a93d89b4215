"""Films: what their frames show, and what is written of them."""

import itertools
import os
import sys

import cases
import numpy as np
import pytest
from PIL import Image

import gdfast
from gdfast import optimizers, plot, problems


@pytest.fixture(scope="module")
def paths():
    rules = optimizers.gd(), optimizers.adam()
    return [gdfast.trajectory(problems.himmelblau(), rule, [0.0, 0.0], 0.01, 30) for rule in rules]


@pytest.fixture(scope="module")
def result():
    rules = optimizers.grid(optimizers.momentum, momentum=[0.9, 0.0, 0.5])
    sweep = gdfast.Sweep("quartic", rules, "1e-2:1:5", "-2:2:6", 30, history="loss:0/10/30")
    return gdfast.run(sweep, backend="numpy", progress=False)


def test_a_race_goes_to_the_end_of_each_path(paths):
    film = plot.race(paths, problems.himmelblau(), frames=5)
    pictures = list(film.pictures())
    assert len(pictures) == len(film) == 5
    assert all((a != b).any() for a, b in itertools.pairwise(pictures))
    left, right = film.figure.axes
    heads = [line.get_data() for line in left.lines if line.get_marker() == "o"]
    for (x, y), path in zip(heads, paths, strict=True):
        np.testing.assert_array_equal([*x, *y], path.theta.values[-1])
    assert right.texts[0].get_text() == "step 30"
    (trail, *_) = [line for line in left.lines if line.get_label() == "gd"]
    np.testing.assert_array_equal(trail.get_xdata(), paths[0].theta.values[:, 0])


def test_a_gif_has_all_frames_and_repeats(paths, tmp_path):
    plot.race(paths, problems.himmelblau(), frames=6, size=(4, 2)).save(tmp_path / "race.gif")
    with Image.open(tmp_path / "race.gif") as picture:
        assert (picture.n_frames, picture.size, picture.info["loop"]) == (6, (400, 200), 0)
        assert picture.info["duration"] == 50


def test_paths_that_leave_are_drawn_as_far_as_they_can_be():
    away = gdfast.trajectory(problems.quartic(), optimizers.gd(), 3.0, 1.0, 20)
    assert away.attrs["outcome"] == "diverged"
    assert len(list(plot.race(away, problems.quartic(), frames=3).pictures())) == 3


@pytest.mark.slow
def test_a_map_moves_along_what_it_is_told(result):
    film = plot.animate_map(result, "momentum")
    pictures = list(film.pictures())
    assert len(pictures) == 3
    assert film.figure.texts[0].get_text() == "momentum = 0.9"  # they ascend, whatever the order of the optimizers
    (ax,) = film.figure.axes
    np.testing.assert_array_equal(np.asarray(ax.images[0].get_array()), result.outcome.values[0].T)
    assert ax.get_title() == "momentum"


@pytest.mark.sampled(1)
@pytest.mark.parametrize(("over", "x", "count"), [("learning_rate", "momentum", 5), ("step", "learning_rate", 3)])
def test_films_of_numbers_have_one_scale(result, over, x, count):
    part = result if over == "learning_rate" else result.isel(optimizer=[0])
    film = plot.animate_map(part, over, "loss", x=x, y="start", rate=2)
    ends = set()
    for _ in film.pictures():
        ends.add([*film.figure.axes[0].images, *film.figure.axes[0].collections][-1].get_clim())
    assert len(film) == count
    assert len(ends) == 1


def test_a_dimension_of_several_sweeps_moves(result):
    one = gdfast.sweep_of(result.isel(optimizer=[0])).replace(history=None)
    stacked = gdfast.run_over({"budget": [5, 20]}, lambda budget: one.replace(max_steps=int(budget)), backend="numpy")
    assert len(plot.animate_map(stacked, "budget")) == 2


def test_what_cannot_move_is_said(result, paths):
    one = result.isel(optimizer=[0])
    cases.refused(lambda: plot.animate_map(one, "momentum"), ValueError, "over", "several values")
    cases.refused(lambda: plot.animate_map(result, "beta1"), ValueError, "over 'beta1'", "momentum")
    cases.refused(lambda: plot.race([], problems.quartic()), ValueError, "paths")
    cases.refused(lambda: plot.race(paths, problems.quartic()), ValueError, "paths[")
    cases.refused(lambda: plot.race(paths, problems.himmelblau(), frames=601), ValueError, "frames", "600")


def test_mp4_is_made_by_ffmpeg_or_refused(paths, tmp_path, monkeypatch):
    film = plot.race(paths, problems.himmelblau(), frames=3, size=(2, 1))
    monkeypatch.setenv("PATH", str(tmp_path))
    cases.refused(lambda: film.save(tmp_path / "a.mp4"), ValueError, "ffmpeg", "a.gif")
    assert list(tmp_path.iterdir()) == []
    fake = tmp_path / "ffmpeg"
    fake.write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[-1], 'wb').write(sys.stdin.buffer.read())\n")
    fake.chmod(0o755)
    film.save(tmp_path / "a.mp4")
    assert os.path.getsize(tmp_path / "a.mp4") == 3 * 200 * 100 * 3
    fake.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('no codec')\n")
    with pytest.raises(OSError, match="no codec"):
        film.save(tmp_path / "b.mp4")
    assert not (tmp_path / "b.mp4").exists()


def test_a_notebook_shows_a_film(paths):
    film = plot.race(paths, problems.himmelblau(), frames=2, size=(2, 1))
    assert film._repr_html_().startswith('<img src="data:image/gif;base64,')
    assert repr(film) == "<film of 2 frames, 0.1 s>"


@pytest.mark.slow
def test_many_that_race_are_told_apart_and_no_word_stands_on_a_line():
    rules = [optimizers.momentum(momentum=k / 10) for k in range(9)]
    paths = [gdfast.trajectory(problems.himmelblau(), rule, [0.0, 0.0], 0.01, 30) for rule in rules]
    left, right = plot.race(paths, problems.himmelblau(), frames=2).figure.axes
    trails = [line for line in left.lines if "momentum" in line.get_label() or line.get_label() == "gd"]
    looks = [(line.get_color(), line.get_linestyle()) for line in trails]
    assert len(set(looks)) == len(rules)
    assert looks == [(line.get_color(), line.get_linestyle()) for line in right.lines if line.get_marker() != "o"]
    assert right.texts[0].get_position()[1] > 1
    over = plot.trajectory(paths, problems.himmelblau())
    lines = [line for line in over.lines if not line.get_label().startswith("_")]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == len(rules)


@pytest.mark.slow
def test_a_map_that_moves_has_the_titles_and_the_hatching_of_one_that_does_not():
    rules = [f"adam:beta1={b},beta2={c},eps=0.0001|cosine:end=0.01" for b in (0.5, 0.9) for c in (0.95, 0.99, 0.9999)]
    result = gdfast.sweep("quartic", rules, "1e-3:1:8", "-3:3:8", max_steps=50, backend="numpy")
    still, film = plot.maps(result), plot.animate_map(result, "beta1")
    list(film.pictures())
    for figure in (still, film.figure):
        assert "leaves again" in {text.get_text() for text in figure.legends[0].get_texts()}
        assert any(len(ax.images) > 1 for ax in figure.axes)  # the hatching
        for ax in figure.axes:
            assert ax.title.get_window_extent().width <= 1.02 * ax.get_window_extent().width
