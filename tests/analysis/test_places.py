"""Axes in any order and at any distances: pictures and tables show what the sorted result shows."""

import cases
import matplotlib as mpl
import numpy as np
import pytest

import gdfast
from gdfast import optimizers, plot, problems, schedules, transforms
from gdfast.plot.panels import borders, panels, regular

QUARTIC = problems.quartic()
RATES, POINTS = np.geomspace(1e-3, 1, 24), np.linspace(-4, 4, 15)[:, None]
_rng = np.random.default_rng(3)
MIXED = _rng.permutation(len(RATES)), _rng.permutation(len(POINTS))


def run(rules, rates=RATES, points=POINTS):
    return gdfast.run(gdfast.Sweep(QUARTIC, rules, rates, points, 60), backend="numpy", progress=False)


@pytest.fixture(scope="module")
def pair():
    """A result, and the same of rates and starts in another order."""
    rules = [optimizers.gd(), optimizers.momentum()]
    return run(rules), run(rules, RATES[MIXED[0]], POINTS[MIXED[1]])


def shown_at(ax, x, y):
    """The number that is drawn at a place, of an image or of a mesh."""
    (drawn,) = [*ax.images, *(c for c in ax.collections if isinstance(c, mpl.collections.QuadMesh))]
    values = np.asarray(drawn.get_array())
    if ax.images:
        left, right, bottom, top = drawn.get_extent()
        i, j = (y - bottom) / (top - bottom) * len(values), (x - left) / (right - left) * values.shape[1]
        return values[int(i), int(j)]
    edges = drawn.get_coordinates()
    i, j = np.searchsorted(edges[:, 0, 1], y) - 1, np.searchsorted(edges[0, :, 0], x) - 1
    return values.reshape(len(edges) - 1, -1)[i, j]


@pytest.mark.slow
def test_every_cell_of_a_map_is_where_its_rate_and_start_are():
    drawn = [
        (RATES[MIXED[0]], POINTS[MIXED[1]]),
        ([0.1, 0.01, 1.0], [[1.5], [-1.0], [3.0]]),
        ([0.03, 0.001, 0.003, 0.01], QUARTIC.random(40)),
        (np.linspace(0.3, 0.01, 30), [[2.0], [-2.0]]),
        ([0.01, 0.02, 0.9, 0.05], [[1.0]]),
    ]
    for rates, points in drawn:
        result = run(optimizers.gd(), rates, points)
        ax = plot.outcome_map(result, ax=mpl.figure.Figure().subplots())
        logarithmic = panels(result)[0].x.logarithmic
        for k, rate in enumerate(np.log10(rates) if logarithmic else rates):
            for m, (point,) in enumerate(np.asarray(points)):
                assert shown_at(ax, rate, point) == result.outcome.values[0, k, m]


def test_figures_of_a_result_in_another_order_are_the_same(pair):
    sorted_, mixed = pair
    for left, right in zip(panels(sorted_), panels(mixed), strict=True):
        np.testing.assert_array_equal(left.outcome, right.outcome)
        np.testing.assert_array_equal(left.steps, right.steps)
    np.testing.assert_array_equal(
        plot.outcome_image(sorted_, "gd", x="start", y="learning_rate"),
        plot.outcome_image(mixed, "gd", x="start", y="learning_rate"),
    )
    for draw in (plot.lr_sensitivity, plot.ecdf):
        lines = [draw(result, mpl.figure.Figure().subplots()).lines for result in pair]
        for left, right in zip(*lines, strict=True):
            np.testing.assert_array_equal(left.get_xydata(), right.get_xydata())


def test_a_start_that_is_given_twice_shares_its_pixel():
    (panel,) = panels(run(optimizers.gd(), [0.1, 0.01], [[1.0], [2.0], [1.0]]))
    assert panel.y.values.tolist() == [1, 2]
    assert panel.trajectories == 2


def test_where_no_start_is_there_is_no_basin():
    plane = problems.himmelblau()
    sweep = gdfast.Sweep(plane, optimizers.gd(), [0.01], plane.random(6), 100)
    ax = plot.basin_map(gdfast.run(sweep, backend="numpy"), ax=mpl.figure.Figure().subplots())
    (mesh,) = ax.collections
    assert np.count_nonzero(mesh.get_array()) == 6


def test_steps_are_equal_but_for_rounding_at_any_scale():
    assert regular(np.linspace(1, 1 + 1e-9, 50))
    assert regular(np.linspace(-3e-12, 5e-12, 50))
    assert not regular(np.array([0.0, 1e-9, 3e-9]))
    assert not regular(np.array([3.0, 2.0, 1.0]))
    assert borders(np.array([0.0, 1.0, 3.0])).tolist() == [-0.5, 0.5, 2.0, 4.0]


@pytest.mark.parametrize(
    ("rules", "axis", "values", "title"),
    [
        (
            [optimizers.gd().transformed(transforms.clip_norm(c)) for c in (0.1, 1.0, 10.0)],
            "clip_norm_max_norm",
            [0.1, 1, 10],
            "gd|clip_norm",
        ),
        (
            [optimizers.gd().transformed(transforms.clip_norm(2.0), transforms.clip_norm(c)) for c in (3.0, 1.0)],
            "clip_norm2_max_norm",
            [1, 3],
            "gd|clip_norm:max_norm=2|clip_norm",
        ),
        ([optimizers.gd().scheduled(schedules.step(every=n)) for n in (5, 10)], "step_every", [5, 10], "gd|step"),
        (
            [optimizers.gd().scheduled(schedules.warmup(5, then=schedules.cosine(end=e))) for e in (0.0, 0.5)],
            "warmup_cosine_end",
            [0, 0.5],
            "gd|warmup:steps=5,then=(cosine)",
        ),
    ],
)
def test_whatever_optimizers_differ_in_is_an_axis(rules, axis, values, title):
    result = run(rules, [0.01, 0.1], [[1.0]])
    (panel,) = panels(result, y=axis)
    assert (panel.title, panel.y.values.tolist()) == (title, values)
    for i, value in enumerate(result[axis].values):
        np.testing.assert_array_equal(panel.outcome[:, values.index(value)], result.outcome.values[i, :, 0])


def test_places_are_the_nearest_on_an_axis_or_told_by_number():
    plane = problems.himmelblau()
    rates, points = [0.001, 0.01, 0.02], [[0.0, 0.0], [0.0, 4.0], [3.0, 3.0]]
    result = gdfast.run(gdfast.Sweep(plane, "gd", rates, points, 1), backend="numpy")
    for text, place in (
        ("learning_rate=0.014", 1),
        ("learning_rate=0.016", 2),
        ("learning_rate = 1e9", 2),
        ("learning_rate=#0", 0),
        ("learning_rate=#2", 2),
        ("start=0,3", 1),
        ("start=2,2", 2),  # the largest difference of a coordinate counts
        ("start=#1", 1),
    ):
        axis = text.partition("=")[0].strip()
        cases.assert_same(gdfast.analysis.nearest(result, text), result.isel({axis: [place]}))
    for text, words in (
        ("rate=1", "at 'rate'"),
        ("start", "at must be start=value, or start=# and a number from 0, not 'start'"),
        ("start=1", "at: start must be 2 finite numbers, x,y"),
        ("start=#3", "whole number from 0 to 2, not '3'"),
        ("start=#", "whole number from 0 to 2"),
        ("start=#-1", "whole number from 0 to 2"),
        ("start=#²", "whole number from 0 to 2"),
        ("start=#" + "9" * 5000, "whole number from 0 to 2"),
    ):
        with pytest.raises(ValueError, match=words):
            gdfast.analysis.nearest(result, text)
    network = problems.trainability_network(width=2)
    grouped = gdfast.Sweep(network, "gd", [[0.1, 0.2], [0.3, 0.1]], network.starts("normal").points, 1)
    result = gdfast.run(grouped, backend="numpy")
    cases.assert_same(gdfast.analysis.nearest(result, "learning_rate=0.3,0.2"), result.isel(learning_rate=[1]))
