"""What reaches a minimum that attracts is there after 20,000 steps, and what reaches one that repels has left it."""

import cases
import numpy as np
import pytest

import gdfast
from gdfast import analysis, optimizers, problems, theory
from gdfast.formulas.elementary import absolute, minimum, select
from gdfast.measures import Measure
from gdfast.theory import Attraction
from gdfast.tiles.ending import Ending

QUARTIC = problems.quartic()
SIX = [
    optimizers.gd(),
    optimizers.momentum(),
    optimizers.amsgrad(),
    optimizers.adam(),
    optimizers.nadam(),
    optimizers.rmsprop(),
]


def _away(loss, last, t, first, second, level):
    height = minimum(absolute(loss - first), absolute(loss - second))
    return select(height <= level, last, t)


def last_step_away():
    """The last step at which the loss was not that of one of the quartic's minima."""
    return Measure(
        _away,
        {"last": -1.0},
        lambda t, budget: {"t": t},
        lambda memory, counts, budget, diverged: np.where(diverged, budget, memory[0]),
        {"first": QUARTIC.minima[0].loss, "second": QUARTIC.minima[1].loss, "level": 1e-11 * QUARTIC.loss_scale},
    )


def experiment(rules, rates, starts, budget=20_000):
    """What 1000 steps reach, what `attracting` says of it, and what became of it after the budget, not stopped.

    Returns, each over (optimizer, rate, start): the codes, −1 at the edge and where no minimum is reached; whether it
    has left the minimum again by then; and whether its gradient is zero to the bit.

    The edge: the learning rate is within five per cent of the limit, or what is left, 500 steps before the end, of the
    second moment of two ordinary gradients still holds the minimum, by five per cent: it is not yet at rest.
    """
    sweep = gdfast.Sweep(QUARTIC, rules, rates, QUARTIC.default_starts(starts), 1000)
    reached = gdfast.run(sweep)
    after = gdfast.run(sweep.replace(max_steps=budget, settle=False, measure=last_step_away()))
    told = analysis.attracting(reached)
    basin = reached.basin.values
    at = np.maximum(basin, 0)
    codes = np.take_along_axis(told.attracting.values, at, 2)
    codes = np.where((reached.ending.values == Ending.stationary) & (basin >= 0), codes, -1)
    limits = np.take_along_axis(theory.limits(QUARTIC, rules).values[:, None, :] + 0 * rates[:, None], at, 2)
    codes[np.abs(rates[:, None] / limits - 1) < 0.05] = -1
    for i, rule in enumerate(rules):
        if "v" not in rule.state or "largest" in rule.state:
            continue
        beta = rule.parameters.get("beta2", rule.parameters.get("alpha"))
        left = (1 - beta**2) * QUARTIC.gradient_scale**2 * beta ** (budget - 1500)
        bends = [QUARTIC.hessian(np.array(one.point))[..., 0] for one in QUARTIC.minima]
        late = np.stack([theory.spectral_radius(rule, rates, bend, {"v": left}) for bend in bends], axis=1)
        codes[i][np.take_along_axis(late, at[i], 1) < 1.05] = -1
    return codes, after.measure.values > reached.steps.values + 1, after.gradient_norm.values == 0


def agreement(codes, has_left):
    """The share of cells, of each optimizer, in which what has left is what repels; and how many cells."""
    told = (codes == Attraction.attracts) | (codes == Attraction.repels)
    right = (codes == Attraction.repels) == has_left
    return np.array([right[i][told[i]].mean() for i in range(len(codes))]), told.sum(axis=(1, 2))


def test_what_repels_is_left_and_what_attracts_is_not():
    codes, has_left, is_zero = experiment(SIX[-1:] + SIX[:1], np.geomspace(1e-3, 1, 7), 12, 4000)
    share, cells = agreement(codes, has_left)
    assert (share == 1).all()
    assert (cells >= 15).all()
    held = codes == Attraction.held
    assert held.any()
    assert (has_left | is_zero)[held].all()


@pytest.mark.slow
def test_what_attracting_says_is_where_unstopped_trajectories_end():
    codes, has_left, is_zero = experiment(SIX, np.geomspace(1e-4, 1, 65), 64)
    share, cells = agreement(codes, has_left)
    assert (share >= 0.99).all()
    assert (cells >= 500).all()
    held = codes == Attraction.held
    assert (has_left | is_zero)[held].all()
    assert is_zero[held].mean() > 0.8


@pytest.mark.slow
def test_what_is_at_a_minimum_that_repels_leaves():
    sweep = gdfast.Sweep("quartic", ["gd", "rmsprop", "signsgd"], [0.001, 0.05], "-3:3:16", 1000)
    result = gdfast.run(sweep)
    leaves = analysis.leaves(result)
    assert leaves.dims == result.outcome.dims
    expected = (result.basin == 1) & (result.rule == "rmsprop")
    assert expected.any()
    np.testing.assert_array_equal(leaves, expected)


def test_a_selection_of_a_result_is_told_alike():
    sweep = gdfast.Sweep("quartic", ["gd", "adam:beta2=0.9", "adam:beta2=0.9"], [0.001, 0.1, 0.01], "-3:3:8", 500)
    result = gdfast.run(sweep)
    whole = analysis.attracting(result)
    assert whole.attracting.dims == ("optimizer", "learning_rate", "minimum")
    part = analysis.attracting(result.isel(optimizer=[2], learning_rate=[1]))
    np.testing.assert_array_equal(part.attracting, whole.attracting.isel(optimizer=[2], learning_rate=[1]))
    np.testing.assert_array_equal(analysis.attracting(result, sweep).attracting, whole.attracting)


def test_what_is_ones_own_is_told_if_the_sweep_is_given():
    rule = optimizers.Optimizer(optimizers.gd().rule, learning_rate=0.1)
    sweep = gdfast.Sweep("quartic", rule, [0.01], "-3:3:8", 1000)
    result = gdfast.run(sweep)
    assert (analysis.attracting(result).attracting == Attraction.not_told).all()
    assert (analysis.attracting(result, sweep).attracting == Attraction.attracts).all()
    assert not analysis.leaves(result).any()
    cases.refused(
        lambda: analysis.attracting(result, gdfast.Sweep("quartic", "adam", [0.01], "-3:3:8")),
        ValueError,
        "sweep must be that of the result",
    )


@pytest.mark.slow
def test_of_many_minima_the_first_are_told_and_of_many_coordinates_none():
    many = gdfast.Sweep("eggholder", "gd adam", [0.1, 10.0], [[1.0, 2.0]], 10)
    assert len(many.problem.minima) > 64
    told = analysis.attracting(gdfast.run(many, backend="numpy"))
    assert told.attracting.shape == (2, 2, 64)
    for dimension, count in ((16, 2), (17, 0)):
        sweep = gdfast.Sweep(f"rosenbrock:dimension={dimension}", "gd", [1e-4], [np.zeros(dimension)], 10)
        result = gdfast.run(sweep, backend="numpy")
        for given in (None, sweep):
            told = analysis.attracting(result, given)
            assert (told.attracting == Attraction.attracts).sum() == count
            assert not analysis.leaves(result, given).any()
