"""Axes of maps: which values stand on them, how they are spaced, and what shares a panel or a pixel."""

import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems, schedules, starts, transforms
from gdfast.plot.panels import Axis, borders, panels, pixels, regular

QUARTIC = problems.quartic()


def run(rules=None, rates=(0.01, 0.1), points=((1.0,), (2.0,)), problem=QUARTIC):
    return gdfast.run(gdfast.Sweep(problem, rules or optimizers.gd(), rates, points, 3), backend="numpy")


@pytest.mark.parametrize(
    ("values", "is_regular"),
    [
        ([], True),
        ([3.0], True),
        ([1.0, 2.0], True),
        ([2.0, 1.0], False),
        ([1.0, 1.0], False),
        ([0, 1, 2 + 5e-7], True),
        ([0, 1, 2 + 5e-6], False),
        ([-1e9, -1e9 + 1e-6, -1e9 + 2.1e-6], True),  # equal but for rounding
        ([-1e9, -1e9 + 1e-5, -1e9 + 4e-5], False),
    ],
)
def test_values_ascend_in_equal_steps_or_do_not(values, is_regular):
    assert regular(np.array(values)) is is_regular


def test_cells_end_halfway_to_their_neighbours_and_as_far_outwards():
    assert borders(np.array([5.0])).tolist() == [4.5, 5.5]
    assert borders(np.array([1.0, 2.0])).tolist() == [0.5, 1.5, 2.5]
    assert borders(np.array([0.0, 4.0, 6.0])).tolist() == [-2, 2, 5, 7]


@pytest.mark.parametrize("logarithmic", [False, True])
def test_a_coarser_axis_has_the_middles_of_its_cells(logarithmic):
    def axis(*places):
        return Axis("x", 10 ** np.array(places) if logarithmic else np.array(places), logarithmic)

    for fine, cells, middles in (
        (axis(1.0, 2, 3, 4, 5, 6), 3, [2, 5]),
        (axis(1.0, 2, 3, 4, 5), 2, [1.5, 3.5, 5.5]),  # the last as wide as the others
        (axis(0.0, 1, 4, 9, 16), 2, [0.5, 6.5, 16]),
        (axis(0.0, 1, 4), 1, [0, 1, 4]),
    ):
        coarse = fine.coarser(cells)
        np.testing.assert_allclose(coarse.place(coarse.values), middles)
        assert coarse[::2] == ("x", logarithmic)


def test_learning_rates_are_drawn_by_their_logarithm_unless_they_are_evenly_spaced():
    for rates, logarithmic in (
        ([0.01, 0.1, 1.0], True),
        ([0.01, 0.02, 0.5], True),
        ([0.1, 0.2], True),  # two are spaced in any way
        ([0.1, 0.2, 0.3], False),
        ([0.1], True),
    ):
        (panel,) = panels(run(rates=rates))
        assert (panel.x.label, panel.x.logarithmic) == ("learning rate η", logarithmic)
        assert panel.x.values.tolist() == rates
    shifted = run().assign_coords(learning_rate=[0.0, 1.0])
    assert not panels(shifted)[0].x.logarithmic


def test_hyperparameters_are_drawn_by_their_logarithm_where_that_is_evenly_spaced():
    for values, logarithmic in (
        ([1e-4, 1e-3, 1e-2], True),
        ([1e-4, 1e-3, 0.5], False),
        ([0.1, 0.2, 0.3], False),
        ([0.1, 0.2], False),
    ):
        (panel,) = panels(run(optimizers.grid(optimizers.adam, eps=values)), y="eps")
        assert (panel.y.label, panel.y.logarithmic, panel.title) == ("eps", logarithmic, "adam")
        assert panel.y.values.tolist() == values


def test_starts_of_several_coordinates_stand_on_a_line_or_are_numbered():
    line = np.linspace([1.0, -2.0], [1.0, 2.0], 5)
    (panel,) = panels(run(points=line, problem=problems.himmelblau()))
    assert (panel.y.label, panel.y.values.tolist()) == ("start on a line, y shown", [-2, -1, 0, 1, 2])
    for points in ([[0.0, 0], [1, 1], [3, 2]], [[0.0, 0], [1, 1], [2, 3]], [[1.0, 1], [1, 1]], [[1.0, 1], [0, 0]]):
        (panel,) = panels(run(points=points, problem=problems.himmelblau()))
        assert (panel.y.label, panel.y.values.tolist()) == ("start number", list(range(len(points))))
    bare = run(points=line, problem=problems.himmelblau()).drop_vars("start_point")
    assert panels(bare)[0].y.label == "start number"
    with pytest.raises(ValueError, match="y 'x'"):
        panels(bare, y="x")


def test_rates_of_groups_are_numbered():
    network = problems.trainability_network(width=2)
    grouped = run(rates=[[0.1, 0.2], [0.3, 0.1]], points=network.starts("normal").points, problem=network)
    (panel,) = panels(grouped)
    assert (panel.x.label, panel.x.values.tolist()) == ("number of the learning rates", [0, 1])


def test_panels_are_those_asked_for_in_their_order():
    result = run([optimizers.gd(), optimizers.momentum(), optimizers.adam()])
    assert [panel.title for panel in panels(result)] == ["gd", "momentum", "adam"]
    some = panels(result, titles=["adam", "gd"])
    assert [panel.title for panel in some] == ["adam", "gd"]
    np.testing.assert_array_equal(some[0].outcome, result.outcome.values[2])
    assert (some[0].steps == result.steps.values[2]).all()
    for wrong in (["adma"], "adam", 3):
        with pytest.raises((TypeError, ValueError), match="rules"):
            panels(result, titles=wrong, argument="rules")
    with pytest.raises(ValueError, match="x and y must be two axes, not start twice"):
        panels(result, "start", "start")
    with pytest.raises(ValueError, match="x 'stat'"):
        panels(result, "stat")


def test_what_lacks_the_hyperparameter_of_an_axis_is_left_out():
    rules = [*optimizers.grid(optimizers.momentum, momentum=[0.9, 0.5], dampening=[0.0, 0.1]), optimizers.gd()]
    result = run(rules)
    both = panels(result, y="momentum")
    assert [panel.title for panel in both] == ["momentum", "momentum:dampening=0.1"]
    assert both[0].trajectories == 2  # two starts
    for panel, places in zip(both, ([2, 0], [3, 1]), strict=True):
        np.testing.assert_array_equal(panel.y.values, [0.5, 0.9])
        np.testing.assert_array_equal(panel.outcome, result.outcome.values[places].max(axis=2).T)
    (plane,) = panels(result, "dampening", "momentum")
    assert (plane.title, plane.trajectories, plane.outcome.shape) == ("momentum", 4, (2, 2))
    with pytest.raises(ValueError, match="result must have an optimizer with momentum, but has none"):
        panels(result.isel(optimizer=[4]), y="momentum")
    same = result.isel(optimizer=slice(4)).assign_coords(
        optimizer=[f"momentum:momentum={m}" for m in (0.9, 0.9, 0.5, 0.5)]
    )
    with pytest.raises(ValueError, match="several optimizers 'momentum' at one learning_rate and momentum"):
        panels(same, y="momentum")


@pytest.mark.parametrize(
    ("rules", "axis", "title"),
    [
        (optimizers.grid(optimizers.adam, beta1=[0.5, 0.8], eps=[1e-3]), "beta1", "adam:eps=0.001"),
        (
            [optimizers.adam(beta1=0.5).scheduled(schedules.warmup(n, then=schedules.step(9, 0.5))) for n in (3, 4)],
            "warmup_steps",
            "adam:beta1=0.5|warmup:then=(step:every=9,gamma=0.5)",
        ),
        (
            [optimizers.gd().scheduled(schedules.warmup(3, then=schedules.step(n, 0.5))) for n in (3, 4)],
            "warmup_step_every",
            "gd|warmup:steps=3,then=(step:gamma=0.5)",
        ),
        (
            [optimizers.gd().transformed(transforms.l2(0.5), transforms.l1(w), transforms.l2(0.1)) for w in (0.1, 0.3)],
            "l1_weight",
            "gd|l2:weight=0.5|l1|l2:weight=0.1",
        ),
        (
            [
                optimizers.gd().scheduled(schedules.warmup(3, then=schedules.step(9))).transformed(transforms.l2(w))
                for w in (0.1, 0.3)
            ],
            "l2_weight",
            "gd|warmup:steps=3,then=(step:every=9)|l2",
        ),
        (
            [optimizers.gd().transformed(transforms.l2(0.5), transforms.l2(w)) for w in (0.1, 0.3)],
            "l22_weight",
            "gd|l2:weight=0.5|l2",
        ),
    ],
)
def test_a_panel_is_called_what_its_optimizers_share(rules, axis, title):
    (panel,) = panels(run(rules), y=axis)
    assert panel.title == title


def test_a_pixel_of_several_is_told_how_many_it_stands_for():
    points = starts.Starts(np.array([[1.0], [2.0], [3.0], [1.0]]), {"seed": [5, 5, 7, 5]})
    result = run(rates=[0.01, 0.1, 0.2], points=points)
    assert [panels(result, y=y)[0].trajectories for y in ("start", "seed", "x")] == [2, 3, 2]
    assert panels(result, "x", "seed")[0].trajectories == 3 * 2  # the rates, and start 1.0 twice
    assert panels(result, "seed", "start")[0].trajectories == 3 * 2
    assert panels(result, most=2)[0].trajectories == 2 * 3  # rates two by two, and starts 1, 1, 2


def test_values_on_pixels_are_those_of_the_only_trajectory_there():
    plane = np.array([[0.0, 0], [1, 0], [0, 2]])
    result = run(rates=[0.01], points=plane, problem=problems.himmelblau())
    result.basin[0, 0] = [3, 1, 2]
    assert pixels(result, "basin", "x", "y").tolist() == [[3, 2], [1, -1]]
    assert pixels(result, "basin", "learning_rate", "start").tolist() == [[3, 1, 2]]
    with pytest.raises(ValueError, match="result has 3 trajectories on 2 pixels over learning_rate and x, several on"):
        pixels(result, "basin", "learning_rate", "x")
