"""What is computed from results, against counts and loops that a reader can check."""

import itertools

import numpy as np
import pandas as pd
import pytest

import gdfast
from gdfast import analysis, optimizers, problems
from gdfast.tiles.outcomes import Outcome

G, L, D = Outcome.global_minimum, Outcome.local_minimum, Outcome.diverged


def result(outcomes, steps, rates=None, budget=10):
    """A result with given outcomes and steps, ``[optimizer][rate][start]``."""
    outcomes, steps = np.asarray(outcomes), np.asarray(steps)
    o, k, m = outcomes.shape
    sweep = gdfast.Sweep(
        problems.quartic(),
        [optimizers.gd(), optimizers.adam(), optimizers.lion()][:o],
        np.geomspace(1e-3, 10.0 ** (k - 4), k) if rates is None else rates,
        np.linspace(-1, 1, m)[:, None],
        budget,
    )
    made = gdfast.run(sweep, backend="numpy", progress=False)
    made.outcome[:], made.steps[:] = outcomes, steps
    return made


@pytest.fixture
def small():
    """Two optimizers, four rates a decade apart, three starts."""
    return result(
        [[[L, L, L], [G, L, L], [G, G, L], [D, D, D]], [[G, G, G], [G, G, L], [L, L, L], [G, G, G]]],
        [[[9, 9, 9], [5, 9, 9], [2, 4, 9], [1, 1, 1]], [[8, 8, 8], [1, 1, 9], [9, 9, 9], [3, 5, 5]]],
    )


def test_shares_add_up(small):
    shares = analysis.outcome_shares(small)
    assert shares.sum(axis=1).tolist() == pytest.approx([1, 1])
    assert shares.loc["gd", ["global_minimum", "local_minimum", "diverged"]].tolist() == [0.25, 0.5, 0.25]


def test_tolerance_counts_the_working_rates_without_the_gaps(small):
    half = analysis.lr_tolerance(small)
    assert half["decades"].tolist() == pytest.approx([1, 3])
    assert half["cut off"].tolist() == [False, True]
    assert half.loc["gd", ["lowest", "highest"]].tolist() == pytest.approx([0.1, 0.1])
    every = analysis.lr_tolerance(small, 1.0)
    assert every["decades"].tolist() == pytest.approx([0, 2])
    assert np.isnan(every.loc["gd", "lowest"])


def test_rates_in_any_order_and_at_any_distance_count_by_their_part_of_the_axis(small):
    mixed = small.isel(learning_rate=[2, 0, 3, 1])
    pd.testing.assert_frame_equal(analysis.lr_tolerance(mixed), analysis.lr_tolerance(small))
    pd.testing.assert_frame_equal(
        analysis.best_rates(mixed).drop(columns="index"), analysis.best_rates(small).drop(columns="index")
    )
    uneven = small.assign_coords(learning_rate=[0.001, 0.01, 1.0, 1000.0])
    assert analysis.lr_tolerance(uneven)["decades"].tolist() == pytest.approx([2.5, 1 + 1.5 + 3])


def test_tolerance_asks_for_a_share(small):
    with pytest.raises(ValueError, match="share must be"):
        analysis.lr_tolerance(small, 0)


def test_the_best_rate_has_most_starts_then_fewest_steps_and_is_marked_at_the_edge(small):
    best = analysis.best_rates(small)
    assert best["best rate"].tolist() == pytest.approx([0.1, 1.0])
    assert best["share"].tolist() == pytest.approx([2 / 3, 1])
    assert best["steps"].tolist() == [3, 5]
    assert best["at edge"].tolist() == [False, True]
    summary = analysis.summary(small)
    assert summary.loc["adam", "share of the grid"] == pytest.approx(8 / 12)
    assert summary.loc["adam", "median steps there"] == 5


def test_no_rate_is_best_where_none_reaches():
    best = analysis.best_rates(result([[[L, L], [D, D]]], [[[9, 9], [1, 1]]]))
    assert np.isnan(best.loc["gd", "best rate"])
    assert not best.loc["gd", "at edge"]


@pytest.mark.parametrize("k", [1, 2, 3])
def test_best_of_k_is_the_mean_over_all_draws(small, k):
    table = analysis.best_of_k(small, [k]).set_index("optimizer")
    for i, label in enumerate(["gd", "adam"]):
        good = small.outcome.values[i].ravel() == G
        cost = np.where(good, small.steps.values[i].ravel(), 10)
        draws = [min(draw) for draw in itertools.product(cost, repeat=k)]
        assert table.loc[label, "expected steps"] == pytest.approx(np.mean(draws))
        hit = [any(draw) for draw in itertools.product(good, repeat=k)]
        assert table.loc[label, "probability"] == pytest.approx(np.mean(hit))


def test_tries_must_be_positive(small):
    with pytest.raises(ValueError, match="tries"):
        analysis.best_of_k(small, [0])


def test_distribution_of_steps_at_best_default_and_random_rates(small):
    steps, share = analysis.steps_ecdf(small, "best")["gd"]
    assert (steps.tolist(), share.tolist()) == ([2, 4], pytest.approx([1 / 3, 2 / 3]))
    steps, share = analysis.steps_ecdf(small, "default", {"gd": 0.02, "adam": 1e-3})["gd"]
    assert (steps.tolist(), share.tolist()) == ([5], pytest.approx([1 / 3]))
    steps, share = analysis.steps_ecdf(small, "random")["adam"]
    assert (steps.tolist(), share[-1]) == ([1, 3, 5, 8], pytest.approx(8 / 12))
    with pytest.raises(ValueError, match="adam is missing"):
        analysis.steps_ecdf(small, "default", {"gd": 0.02})
    with pytest.raises(ValueError, match="rates 'worst'"):
        analysis.steps_ecdf(small, "worst")


def test_performance_profile_of_the_paper_by_hand():
    costs = pd.DataFrame({"a": [1, 4, np.nan, 6], "b": [2, 2, 5, np.nan], "c": [np.nan] * 4})
    profile = analysis.performance_profile(costs)
    assert profile.index.tolist() == [1, 2]
    assert profile["a"].tolist() == [0.5, 0.75]
    assert profile["b"].tolist() == [0.5, 0.75]
    assert profile["c"].tolist() == [0, 0]
    with pytest.raises(ValueError, match="at least 0"):
        analysis.performance_profile(-costs)
    with pytest.raises(ValueError, match="at least one instance"):
        analysis.performance_profile(costs.iloc[:0])


def test_costs_stack_the_starts_of_problems(small):
    costs = analysis.costs({"one": small, "two": small})
    assert costs.index.tolist() == ["one"] * 3 + ["two"] * 3
    assert costs["gd"].tolist()[:2] == [2, 4]
    assert np.isnan(costs["gd"].iloc[2])


def test_delta_counts_rescued_and_broken_cells(small):
    one = small.isel(optimizer=[0])
    difference = analysis.delta(one, small)
    counts = analysis.change_counts(difference)
    assert counts.loc["gd"].tolist()[:4] == [0, 0, 3, 9]
    assert counts.loc["adam"].tolist() == [7, 2, 1, 2, -4]
    assert difference.change.attrs["flag_meanings"].split() == [c.name for c in analysis.Change]
    table = analysis.transitions(one, small.isel(optimizer=[1]))
    assert table.loc["diverged", "global_minimum"] == 3
    assert table.to_numpy().sum() == 12
    assert "stalled" not in table.index


def test_delta_of_networks_compares_the_seeds_where_starts_cannot_be(small):
    bare = small.drop_vars("start_point")
    assert analysis.change_counts(analysis.delta(bare, small))["rescued"].sum() == 0


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda r: r.isel(learning_rate=slice(3)), "4 and 3 learning rates"),
        (lambda r: r.isel(start=slice(2)), "3 and 2 starts"),
        (lambda r: r.assign_coords(learning_rate=r.learning_rate * 2), "their learning rates differ"),
        (lambda r: r.assign_coords(start_point=r.start_point + 1), "their starts differ"),
        (lambda r: r.isel(optimizer=[0]), "same optimizers, or before just one, not gd, adam and gd"),
    ],
)
def test_delta_refuses_other_grids_and_says_why(small, other, words):
    with pytest.raises(ValueError, match=words):
        analysis.delta(small, other(small))
