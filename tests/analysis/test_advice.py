"""What sentences say of results: against results of which every end was put in by hand."""

import numpy as np
import pytest

import gdfast
from gdfast import analysis, measures
from gdfast.tiles.outcomes import Outcome

G, L, U, W, D = (Outcome[name] for name in ("global_minimum", "local_minimum", "unfinished", "worse", "diverged"))


def result(outcomes, losses=None, rates=(0.001, 0.01, 0.1), **settings):
    """A result of ends, and losses, of gd and adam, ``[optimizer][rate][start]``; none is at a minimum's place."""
    outcomes = np.asarray(outcomes)
    o, k, m = outcomes.shape
    sweep = gdfast.Sweep("quartic", ["gd", "adam"][:o], rates[:k], np.linspace(-1, 1, m)[:, None], 1000, **settings)
    made = gdfast.run(sweep, backend="numpy", progress=False)
    made.outcome[:], made.basin[:], made.steps[:] = outcomes, -1, 1000
    if losses is not None:
        made.loss[:] = losses
    return made


def test_the_rate_that_came_lowest_is_told_by_its_place():
    losses = [[3, 5, 9], [4, 4, 4], [6, 7, 8]]  # medians 5, 4 and 7, whereas the lowest loss is at the first rate
    for order, rate, words in (([0, 1, 2], 0.01, "rate 0.01"), ([1, 0, 2], 0.001, "the smallest rate")):
        table = analysis.advice(result(np.full((1, 3, 3), U), [np.take(losses, order, 0)]))
        assert table.loc["gd", "lowest rate"] == rate
        assert table.loc["gd", "median loss"] == 4
        assert table.loc["gd", "advice"] == f"{words} came lowest, and needs more steps"
    one = analysis.advice(result(np.full((1, 1, 3), U), [[[1, 2, 3]]]))
    assert one.loc["gd", "advice"] == "rate 0.001 came lowest, and needs more steps"


def test_rates_in_units_are_told_as_the_optimizer_takes_them():
    sweep = gdfast.Sweep("quartic", "gd|unit=0.01", [0.1, 1.0, 10.0], [[-3.0], [3.0]], 3)
    made = gdfast.run(sweep, backend="numpy", progress=False)
    made.outcome[:], made.loss[:] = U, np.array([5.0, 1.0, 9.0])[:, None]
    row = analysis.advice(made).iloc[0]
    assert (row["lowest rate"], row["advice"]) == (0.01, "rate 0.01 came lowest, and needs more steps")


def test_where_all_diverge_the_smallest_rate_is_named_whatever_the_order():
    for rates in ([0.1, 1.0, 10.0], [10.0, 1.0, 0.1], [1.0, 0.1, 10.0]):
        made = result(np.full((1, 3, 2), D), rates=rates)
        assert analysis.advice(made).advice.item().startswith("the smallest rate came lowest")


def test_losses_that_diverged_or_are_no_numbers_are_not_low():
    table = analysis.advice(result([[[U, U], [U, U], [D, D]]], [[[2, 2], [np.nan, 1], [-1e9, -1e9]]]))
    assert table.loc["gd", ["lowest rate", "median loss"]].tolist() == [0.001, 2]
    unit = gdfast.problems.quartic()
    assert table.loc["gd", "median excess"] == pytest.approx((2 - unit.lowest) / unit.loss_scale)
    twofold = result([[[U, U]]], [[[2, 2]]]).assign_coords(unit=("optimizer", [3.0]))
    assert analysis.advice(twofold).loc["gd", "lowest rate"] == pytest.approx(0.003)


def test_nothing_is_advised_where_half_of_the_starts_reach_at_any_rate():
    losses = [[[1, 1, 1, 1], [2, 2, 2, 2]]]  # lowest at the first rate, while the second one reaches
    for second in ([G, G, L, L], [G, G, G, L]):
        assert analysis.advice(result([[[L, L, U, L], second]], losses)).loc["gd", "advice"] == ""
    less = analysis.advice(result([[[L, L, U, L], [G, L, L, L]]], losses)).loc["gd", "advice"]
    assert less.startswith("the smallest rate came lowest, and is at a higher minimum")


@pytest.mark.sampled(1)
@pytest.mark.parametrize("outcome", Outcome)
def test_every_end_but_the_lowest_has_an_advice_which_is_that_of_most(outcome):
    alone = analysis.advice(result(np.full((1, 1, 3), outcome))).loc["gd", "advice"]
    assert bool(alone) == (outcome is not G)
    other = W if outcome is U else U
    if outcome is not G:
        assert analysis.advice(result([[[other, outcome, outcome]]])).loc["gd", "advice"] == alone
        assert analysis.advice(result([[[other, other, outcome]]])).loc["gd", "advice"] != alone


def test_an_account_has_all_shares_and_the_best_rate():
    made = result(
        [[[L, L, L], [G, L, L], [G, G, L], [D, D, D]], [[L, L, L], [L, L, L], [L, L, L], [U, U, L]]],
        [[[3] * 3, [2] * 3, [1] * 3, [9] * 3], [[4] * 3, [3] * 3, [2] * 3, [1] * 3]],
        (0.001, 0.01, 0.1, 1.0),
    )
    made.steps[0, 2] = [20, 40, 9000]
    assert analysis.account(made) == [
        "gd: 25 % global minimum, 50 % local minimum, 25 % diverged; best rate 0.1: 67 % of the starts, 30 steps",
        "adam: 83 % local minimum, 17 % unfinished; none reach the lowest minimum; "
        "the largest rate came lowest, and needs more steps",
    ]
    assert analysis.account(made.drop_vars("basin")) == analysis.account(made)
    edge = made.isel(optimizer=[0], learning_rate=[2, 3], start=[1])
    assert analysis.account(edge) == [
        "gd: 50 % global minimum, 50 % diverged; best rate 0.1, an end of the grid: 100 % of the starts, 40 steps"
    ]


def test_an_account_tells_what_leaves_again_and_until_which_excess_steps_are_counted():
    sweep = gdfast.Sweep("quartic", "gd rmsprop", [0.001], [1.0, 2.0, -1.5, -2.0], 3000)
    stays, leaves = analysis.account(gdfast.run(sweep))
    assert "leave" not in stays
    assert "50 % global minimum, 50 % local minimum; 50 % leave their minimum again; best rate" in leaves
    counted = gdfast.run(sweep.replace(measure=measures.steps_to_reach(0.01)))
    steps = np.median(counted.measure.values[0, 0, 2:])
    assert analysis.account(counted)[0].endswith(f"50 % of the starts, {steps:,.0f} steps to an excess of 0.01")


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("of", "words"),
    [(1, "< 1 %"), (2, "< 1 %"), (3, "1 %"), (397, "99 %"), (398, "> 99 %"), (399, "> 99 %"), (400, "100 %")],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(of, words):
    ends = np.where(np.arange(400) < of, G, L)[None, None]
    assert f"gd: {words} global minimum" in analysis.account(result(ends))[0]
