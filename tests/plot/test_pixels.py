"""Maps of results larger than memory: every trajectory is counted, whatever the slabs."""

import statistics
import sys

import numpy as np
import pytest
import stored
import xarray

import gdfast
from gdfast import optimizers, plot, problems
from gdfast.plot import pixels
from gdfast.plot.panels import panels

RNG = np.random.default_rng(8)
MADE = [*optimizers.grid(optimizers.momentum, momentum=np.linspace(0, 0.9, 5), dampening=[0.0, 0.5, 0.7])]


@pytest.fixture(scope="module")
def result():
    """Random outcomes and steps."""
    sweep = gdfast.Sweep(problems.quartic(), MADE, np.geomspace(1e-3, 1, 23), np.linspace(-4, 4, 17)[:, None], 2)
    made = gdfast.run(sweep)
    made.outcome.values[:] = RNG.integers(0, 7, made.outcome.shape)
    made.steps.values[:] = RNG.integers(0, 1000, made.steps.shape)
    return made


def expected(result, x, y, most):
    """Pixel by pixel, as the definition says."""
    kept = {name: np.unique(result[name]) for name in (x, y)}
    cells = {name: -(-len(values) // most) for name, values in kept.items()}
    found = {}
    table = result[["outcome", "steps"]].to_dataframe()
    for _, row in table.assign(outcome=table.outcome.cat.codes).iterrows():
        pixel = tuple(int(np.searchsorted(kept[name], row[name])) // cells[name] for name in (x, y))
        found.setdefault(pixel, []).append((row.outcome, row.steps))
    outcome = np.zeros(np.max(list(found), axis=0) + 1, dtype=int)
    steps = outcome.copy()
    for pixel, ends in found.items():
        kinds = [kind for kind, _ in ends]
        outcome[pixel] = max(kinds, key=lambda kind: (kinds.count(kind), kind))
        steps[pixel] = statistics.median_low([n for kind, n in ends if kind == outcome[pixel]])
    return outcome, steps


@pytest.mark.slow
@pytest.mark.parametrize("slab", [1, 60, 700, 10**6])
@pytest.mark.parametrize(
    ("x", "y"),
    [("learning_rate", "start"), ("start", "learning_rate"), ("momentum", "start"), ("learning_rate", "momentum")],
)
def test_pixels_are_the_most_frequent_outcome_and_its_median_steps(result, monkeypatch, x, y, slab):
    monkeypatch.setattr(pixels, "_SLAB", slab)
    for most in (4, 100):
        found = panels(result, x, y, most=most)
        some = result.isel(optimizer=[result.optimizer.values.tolist().index(found[1].title)])
        if "momentum" in (x, y):
            some = result.isel(optimizer=np.flatnonzero(result.dampening.values == 0.5))
        outcome, steps = expected(some, x, y, most)
        np.testing.assert_array_equal(found[1].outcome, outcome)
        np.testing.assert_array_equal(found[1].steps, steps)


def test_two_hyperparameters_in_slabs(result, monkeypatch):
    monkeypatch.setattr(pixels, "_SLAB", 500)
    (found,) = panels(result, "dampening", "momentum", most=3)
    outcome, steps = expected(result, "dampening", "momentum", 3)
    np.testing.assert_array_equal(found.outcome, outcome)
    np.testing.assert_array_equal(found.steps, steps)


def test_shared_pixels_stand_in_the_middle_of_their_cells(result):
    panel = panels(result, most=6)[0]
    rates = np.log10(result.learning_rate.values)
    np.testing.assert_allclose(np.log10(panel.x.values[:5]), [rates[4 * i : 4 * i + 4].mean() for i in range(5)])
    np.testing.assert_allclose(np.diff(np.log10(panel.x.values)), 4 * (rates[1] - rates[0]))
    assert panel.trajectories == 4 * 3


def test_the_quickest_share_is_the_quantile(result, monkeypatch):
    monkeypatch.setattr(pixels, "_SLAB", 600)
    settled = np.array([1, 2, 3], dtype=np.int8)
    steps = result.steps.values[np.isin(result.outcome.values, settled)]
    for share in (0.001, 0.1, 0.5):
        assert pixels.quickest(result, settled, share) == int(np.quantile(steps, share))
    assert pixels.quickest(result, np.array([99], dtype=np.int8), 0.5) == 1


@pytest.mark.slow
def test_maps_of_stores_are_those_of_results_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["gdfast.plot.figures"], "MOST_PIXELS", 16)
    monkeypatch.setattr(pixels, "_SLAB", 500)
    sweep = stored.sweep(max_steps=100)
    for kind in ("outcome", "steps"):
        pictures = []
        for result in (gdfast.run(sweep), gdfast.run(sweep, store=tmp_path / "run.zarr")):
            plot.maps(result, kind).savefig(tmp_path / "map.png")
            pictures.append((tmp_path / "map.png").read_bytes())
        assert pictures[0] == pictures[1]
    assert isinstance(result, xarray.Dataset)


def test_a_map_of_a_single_trajectory_has_its_rate_on_the_axis():
    alone = gdfast.run(gdfast.Sweep(problems.quartic(), optimizers.gd(), [0.02], [[1.5]], 10))
    figure = plot.maps(alone)
    figure.canvas.draw()
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["0.02"]


def by_hand(outcomes, steps):
    """A result of one optimizer and one rate, and the outcomes and steps of its starts."""
    starts = np.linspace(-1, 1, len(outcomes))[:, None]
    made = gdfast.run(gdfast.Sweep(problems.quartic(), "gd", [0.1], starts, 2), backend="numpy")
    made.outcome[0, 0], made.steps[0, 0] = outcomes, steps
    return made


def test_of_outcomes_as_frequent_the_later_is_shown_with_the_lower_median():
    # Pixels of the starts: the first twice, the second four times, the third not at all, the fourth thrice.
    made = by_hand([1, 2, 6, 1, 6, 1, 3, 3, 3], [5, 7, 9, 4, 2, 1, 30, 10, 20])
    x = pixels.Along("learning_rate", np.array([0]), 1)
    y = pixels.Along("start", np.array([0, 0, 1, 1, 1, 1, 3, 3, 3]), 4)
    outcome, steps = pixels.reduce(made, x, y, True)
    assert outcome.tolist() == [[2, 6, 0, 3]]
    assert steps.tolist() == [[7, 2, 0, 20]]
    assert (outcome.dtype, steps.dtype) == (np.int8, np.int32)
    outcome, steps = pixels.reduce(made, y, x, False)
    assert outcome.tolist() == [[2], [6], [0], [3]]
    assert not steps.any()


def test_long_runs_have_their_median_too():
    made = by_hand([1, 1, 1, 2], [2**31 - 1, 2**31 - 2, 0, 5])
    x, y = pixels.Along("start", np.array([0, 0, 0, 1]), 2), pixels.Along("learning_rate", np.array([0]), 1)
    assert pixels.reduce(made, x, y, True)[1].tolist() == [[2**31 - 2], [5]]


@pytest.mark.parametrize(
    ("steps", "share", "expected"),
    [
        ([10, 20, 30], 0.5, 20),
        ([10, 20, 30], 1.0, 30),
        ([10, 20, 30], 0.0, 10),
        ([10, 20], 0.5, 15),
        ([10, 21], 0.25, 12),  # 12.75
        ([0, 0, 0], 0.9, 0),
        ([3, 2**30], 1.0, 2**20),  # longer budgets than that are not told apart
    ],
)
def test_the_quickest_share_by_hand(steps, share, expected):
    made = by_hand([1] * len(steps) + [6], [*steps, 7])
    assert pixels.quickest(made, np.array([1], dtype=np.int8), share) == expected


def test_a_slab_holds_whole_pixels_and_is_small_where_pixels_are(result, monkeypatch):
    monkeypatch.setattr(pixels, "_SLAB", 60)
    sizes = dict(zip(result.outcome.dims, result.outcome.shape, strict=True))
    x = pixels.Along("learning_rate", np.arange(23) // 4, 6)
    y = pixels.Along("optimizer", np.arange(15)[::-1] // 2, 8)
    seen = np.zeros(result.outcome.shape, dtype=int)
    cells = []
    for places in pixels._slabs(sizes, x, y):
        seen[np.ix_(*places.values())] += 1
        cells.append(seen[np.ix_(*places.values())].size)
        for along in (x, y):
            inside = set(along.pixel[places[along.dimension]])
            assert [i for i, p in enumerate(along.pixel) if p in inside] == list(places[along.dimension])
    assert (seen == 1).all()
    assert max(cells) == 4 * 2 * 17  # one pixel: 4 rates, 2 optimizers, all starts
    monkeypatch.setattr(pixels, "_SLAB", 10**6)
    (whole,) = pixels._slabs(sizes, x, y)
    assert [len(places) for places in whole.values()] == [15, 23, 17]
