"""What the driver tells of ends is what NumPy tells of them."""

import cases
import numpy as np
import pytest
import surveys

import gdfast
from gdfast import problems
from gdfast.tiles import tile as tiles
from gdfast.tiles.ending import Ending
from gdfast.tiles.outcomes import Judge, Outcome
from gdfast.tiles.prepared import Prepared
from gdfast.tiles.sweep import Tile
from gdfast.tiles.tile import run_tile

SURVEYED = {"bukin6", "griewank", "scalar_factorization"}  # of those in surveys, which would each compile a kernel
LANDSCAPES = [
    name
    for name, make in problems.CATALOGUE.items()
    if isinstance(make(), problems.Landscape) and (name not in surveys.PUBLISHED or name in SURVEYED)
]
SETTINGS = [{}, {"max_steps": 3}, {"settle": False}, {"loss_tolerance": 1e-2, "max_steps": 60}]  # of one kernel


def judged_both_ways(sweep):
    """What driver and NumPy tell of ends, and NumPy alone; and how many the driver left to it."""
    prepared = Prepared(sweep)
    total = sweep.shape[1] * sweep.shape[2]
    for number in range(len(sweep.optimizers)):
        tile = Tile(number, 0, total)
        endings, again = (run_tile(prepared, tile, np.zeros(1, dtype=np.int64)) for _ in range(2))
        left = np.count_nonzero(endings.untold)
        again.untold[:], again.basin[:] = 1, -1
        again.outcome, again.near = Judge(sweep).elsewhere(again, np.arange(total) % len(sweep.starts))
        yield prepared.judge.cells(endings, 0), Judge(sweep).cells(again, 0), left, total


def assert_same(sweep):
    for told, numpy, *_ in judged_both_ways(sweep):
        for what in ("outcome", "basin", "lower"):
            np.testing.assert_array_equal(getattr(told, what), getattr(numpy, what), err_msg=f"{sweep} {what}")


@pytest.mark.slow
@pytest.mark.parametrize("name", LANDSCAPES)
def test_ends_are_what_numpy_says(name):
    problem = problems.CATALOGUE[name]()
    rates, starts = np.geomspace(1e-7, 10, 9) / problem.gradient_scale, problem.random(24, seed=3)
    for setting in SETTINGS:
        assert_same(gdfast.Sweep(problem, "gd", rates, starts, **{"max_steps": 300, **setting}))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ends_of_rules_that_rest_anywhere_too(dtype):
    for problem in (problems.quartic(), problems.himmelblau()):
        assert_same(gdfast.Sweep(problem, "adam signsgd", "1e-4:1:9", problem.random(24), 300, dtype=dtype))


def test_ends_are_told_where_a_saddle_is_known_and_of_the_minimum_only_its_loss():
    saddle = problems.from_expression("x**2 - y**2", [[-2, 2], [-2, 2]], minimum=-4.0)
    assert [point.kind for point in saddle.stationary_points] == ["saddle"]
    for max_steps in (10, 60):
        sweep = gdfast.Sweep(
            saddle, "gd", "1e-3:1e-1:9", saddle.random(24, seed=3), max_steps=max_steps, loss_tolerance=0.3
        )
        assert_same(sweep)
        assert (gdfast.run(sweep).outcome == Outcome.global_minimum).any()


def test_ends_are_told_where_a_lower_minimum_is_outside_of_the_domain():
    wells = problems.from_expression("(x**3 - 4*x)**2/8 + 0.3*x", [[-1, 3]])
    inside, higher, outside = (point.loss for point in wells.minima)
    assert outside < inside < higher
    for max_steps in (20, 60, 200):
        sweep = gdfast.Sweep(wells, "gd", "1e-3:0.3:9", wells.random(24, seed=3), max_steps, loss_tolerance=1e-2)
        assert_same(sweep)
        at_higher = gdfast.run(sweep).where(lambda result: result.basin == 1)
        assert (at_higher.ending == Ending.moving).any()


def test_what_moves_by_nothing_is_frozen():
    sweep = gdfast.Sweep("booth", "gd", [1e-30, 1e-3], [[0.0, 0.0], [1.0, 1.0]], 100)
    assert_same(sweep)
    result = gdfast.run(sweep).isel(optimizer=0, learning_rate=0, start=0)
    assert (result.ending, result.outcome) == (Ending.moving, Outcome.frozen)


def test_ends_in_every_block_of_every_tile_are_compared_with_their_own_starts():
    rates, starts = np.geomspace(1e-6, 0.3, 1000), [-3.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0]
    sweep = gdfast.Sweep("quartic", "gd", rates, starts, 40, tile_size=2500)
    cases.assert_same(gdfast.run(sweep), gdfast.run(sweep, backend="numpy"))


def test_most_ends_are_told_by_the_driver():
    sweep = gdfast.Sweep("quartic", "gd adam", "1e-4:1:64", "-4:4:64", 400)
    for *_, left, total in judged_both_ways(sweep):
        assert left < total / 50


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("problem", "optimizer", "max_steps"),
    [
        *((problems.trainability_network(width=3), "gd", max_steps) for max_steps in (2, 10, 33, 61, 150)),
        (problems.mlp((3, 4, 2), "tanh", loss="cross_entropy", batch_size=5), "adam|clip_norm=1", 70),
        (problems.mlp((3, 4, 2), "tanh", l2=0.1), "muon", 45),
    ],
)
def test_steps_tell_the_objective_that_a_pass_of_its_own_tells(problem, optimizer, max_steps, monkeypatch):
    """Of networks both take one pass; it is so in the middle of the budget, at its end, and beside a history."""
    rates = [0.01, 0.5] if len(problem.groups) == 1 else [[0.01, 0.1], [0.5, 0.2]]
    starts = problem.random(9, seed=3)
    sweep = gdfast.Sweep(problem, optimizer, rates, starts, max_steps, history="loss", gradient_tolerance=0.0)
    asked, samples = [], tiles.Samples

    def ends(with_steps):
        def made(*values):
            asked.append(values[-1])
            return samples(*values[:-1], with_steps)

        monkeypatch.setattr(tiles, "Samples", made)
        return run_tile(Prepared(sweep), Tile(0, 0, 18), np.zeros(1, dtype=np.int64))

    found, wanted = ends(True), ends(False)
    assert asked == [True, True]
    assert np.count_nonzero(wanted.recent) == 18
    for name in ("trend", "recent", "theta", "loss", "steps", "outcome"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), err_msg=name)
    np.testing.assert_array_equal(found.record.loss, wanted.record.loss)
