"""Planes of one's own: which pixel is which trajectory, and what is blue."""

import cases
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import gdfast
from gdfast import measures, optimizers, problems
from gdfast.boundary.own import plane
from gdfast.boundary.planes import zoom
from gdfast.cli import app
from gdfast.tiles.outcomes import Outcome

QUARTIC, BOWL = problems.quartic(), problems.himmelblau()
MOMENTUM, ADAM = optimizers.momentum(), optimizers.adam()
PLANES = [
    (QUARTIC, MOMENTUM, {"y": "x=-3:3"}),
    (QUARTIC, MOMENTUM, {"y": "momentum=0:1", "start": [1.5]}),
    (QUARTIC, MOMENTUM, {"x": "momentum=0:1", "y": "x"}),
    (BOWL, MOMENTUM, {"x": "x", "y": "y", "learning_rate": 0.02}),
    (BOWL, MOMENTUM, {"x": "y=-1:1", "y": "learning_rate=linear:0.001:0.05", "start": [1.0, 2.0]}),
    (QUARTIC, ADAM, {"x": "beta1=0:1", "y": "eps=log:1e-8:1", "start": [1.5], "learning_rate": 0.3}),
]


@pytest.mark.parametrize(("problem", "optimizer", "told"), PLANES)
def test_a_pixel_is_the_trajectory_at_its_place(problem, optimizer, told):
    mine = plane(problem, criterion="bounded", **told)
    view = mine.view(6)
    x, y = mine.axes(view)
    result = gdfast.run(mine.sweep(optimizer, view, max_steps=20), backend="numpy", progress=False)
    image = mine.image(result, 6)
    for row, column in ((0, 5), (2, 1), (5, 3)):
        at = dict(zip(mine.names, (x[column], y[row]), strict=True))
        rate = at.pop("learning_rate", mine.learning_rate or optimizer.learning_rate)
        start = [at.pop(name, value) for name, value in zip(problem.coordinates, mine.start, strict=True)]
        path = gdfast.trajectory(problem, optimizer.replace(**at), start, rate, 20)
        sign = 1 if path.attrs["outcome"] == "diverged" else -1
        assert image[row, column] == sign * (path.attrs["steps"] + 1)


def test_criteria_are_outcomes_and_measures():
    def image(criterion, **more):
        mine = plane(QUARTIC, criterion=criterion, **more)
        sweep = mine.sweep(optimizers.gd(), mine.view(8), max_steps=30)
        result = gdfast.run(sweep, backend="numpy", progress=False)
        return mine.image(result, 8), result

    got, result = image("reached")
    np.testing.assert_array_equal(got < 0, Outcome.global_minimum == result.outcome.values[0].T)
    assert (got < 0).any()
    got, result = image("steps_to_reach:tolerance=0.1", threshold=12)
    told = result.measure.values[0].T
    np.testing.assert_array_equal(got < 0, told < 12)
    assert (got < 0).any()
    assert np.isinf(got[np.isnan(told)]).all()
    got, result = image(measures.convergence(window=5, floor=QUARTIC.lowest))
    np.testing.assert_array_equal(got, result.measure.values[0].T)


def test_what_is_not_told_has_a_default():
    mine = plane(QUARTIC)
    assert (mine.names, mine.criterion) == (("learning_rate", "x"), "convergence")
    assert (mine.x.low, mine.x.high, mine.y.low, mine.y.high) == (-3, 1, -4, 4)
    without = problems.from_expression("x + y**2")
    assert plane(without).criterion == "bounded"
    cases.refused(lambda: plane(without, criterion="reached"), ValueError, "criterion", "no minimum")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"y": "z"}, ["y must be learning_rate, x", "momentum=0:1"]),
        ({"y": "x=3:1"}, ["y", "low below high"]),
        ({"y": "x=a:b"}, ["y: x", "low:high"]),
        ({"y": "learning_rate"}, ["two axes", "learning_rate"]),
        ({"start": [1.0, 2.0]}, ["start must have 1 coordinates"]),
        ({"criterion": "nix"}, ["criterion", "bounded", "convergence", "nix"]),
        ({"learning_rate": 0.0}, ["learning_rate"]),
    ],
)
def test_what_is_no_plane_is_said(told, words):
    cases.refused(lambda: plane(QUARTIC, **told), ValueError, *words)


def test_a_hyperparameter_must_be_the_optimizer_s():
    mine = plane(QUARTIC, y="beta1=0:1")
    cases.refused(lambda: next(zoom(mine, optimizers.gd(), mine.view(64))), ValueError, "beta1", "learning_rate")
    outside = plane(QUARTIC, y="momentum=0:2")
    cases.refused(lambda: next(zoom(outside, MOMENTUM, outside.view(64))), ValueError, "momentum")


def boundary(*arguments):
    return CliRunner().invoke(app, ["boundary", "--resolution", "64", "--max-steps", "20", *map(str, arguments)])


@pytest.mark.slow
def test_the_command_line_looks_at_a_loss_of_ones_own(tmp_path):
    done = boundary(
        "--loss", "x**4 - x**2 + y**2", "--y", "y=-2:2", "--start", "x=0.5", "--start", "y=0", "--out", tmp_path
    )
    assert done.exit_code == 0, done.stderr
    assert {"own-gd.png", "own-gd-000.png", "dimensions.csv"} <= {path.name for path in tmp_path.iterdir()}
    (row,) = pd.read_csv(tmp_path / "frames.csv").itertuples()
    assert (row.condition, row.height) == ("own", 4.0)
    assert 0 < row.converged < 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--y", "x"], "y must be given with"),
        (["--problem", "quartic", "--y", "z"], "y must be"),
        (["--problem", "quartic", "--start", "1:2:3"], "start must be one point"),
        (
            [
                "--problem",
                "quartic",
                "--optimizer",
                "adam",
                "--x",
                "beta1=0:1",
                "--y",
                "beta2=0:1",
                "--resolution",
                "200",
            ],
            "128",
        ),
    ],
)
def test_wrong_planes_get_one_sentence_and_leave_nothing(arguments, word, tmp_path):
    done = CliRunner().invoke(app, ["boundary", *arguments, "--out", str(tmp_path / "b")])
    assert done.exit_code == 2
    assert word in done.stderr
    assert list(tmp_path.iterdir()) == []
