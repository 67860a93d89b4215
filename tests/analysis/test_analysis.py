"""What is computed from results, against counts and loops that a reader can check."""

import itertools

import cases
import numpy as np
import pandas as pd
import pytest
import xarray

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
    for share in (0, -0.5, 1.5, np.nan):
        with pytest.raises(ValueError, match="share must be"):
            analysis.lr_tolerance(small, share)


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


def test_where_none_reaches_figures_are_of_the_rate_that_came_lowest():
    sweep = gdfast.Sweep("rosenbrock", "gd momentum", "1e-5:1e-1:9", [[-1.5, 2.0]], 20, history="loss")
    result = gdfast.run(sweep, backend="numpy", progress=False)
    assert (result.outcome != Outcome.global_minimum).all()
    lowest = analysis.advice(result)["lowest rate"]
    assert (lowest > result.learning_rate.values[0]).all()
    best = analysis.best_rates(result)
    assert best["best rate"].isna().all()
    np.testing.assert_array_equal(result.learning_rate.values[best["index"]], lowest)
    at = {label: panel.learning_rate.item() for label, panel in analysis.at_rates(result, "best")}
    assert at == dict(lowest)
    assert [*analysis.paths(result)] == [f"{label}, η = {rate:.3g}" for label, rate in lowest.items()]


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
    usual = {"gd": optimizers.gd().learning_rate, "adam": optimizers.adam().learning_rate}
    for told in ({}, None, {"gd": usual["gd"]}):
        for label, (steps, share) in analysis.steps_ecdf(small, "default", told).items():
            expected = analysis.steps_ecdf(small, "default", usual)[label]
            np.testing.assert_array_equal(steps, expected[0])
            np.testing.assert_array_equal(share, expected[1])
    own = small.assign_coords(optimizer=["gd", "mine.py:rule"])
    with pytest.raises(ValueError, match=r"optimizer of one's own, but mine.py:rule is missing"):
        analysis.steps_ecdf(own, "default", {"gd": 0.02})
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


def test_costs_by_evaluations_by_hand(small):
    # gd asks at 3 points a step: quicker by steps at its best rate, it is dearer by evaluations.
    asked = small.assign(evaluations=small.steps * np.array([3.0, 1.0])[:, None, None])
    best = analysis.best_rates(asked, of="evaluations")
    assert best["evaluations"].tolist() == [9, 5]
    assert best["index"].tolist() == analysis.best_rates(asked)["index"].tolist() == [2, 3]
    assert analysis.summary(asked, of="evaluations")["median evaluations there"].tolist() == [9, 5]
    assert analysis.steps_ecdf(asked, of="evaluations")["gd"][0].tolist() == [6, 12]
    costs = analysis.costs({"one": asked}, of="evaluations")
    assert costs["gd"].tolist()[:2] == [6, 12]
    assert costs["adam"].tolist() == [3, 5, 5]
    by_chance = analysis.best_of_k(asked, [1], of="evaluations").set_index("optimizer")["expected evaluations"]
    assert by_chance.tolist() == pytest.approx([(15 + 6 + 12 + 9 * 30) / 12, (24 + 1 + 1 + 3 + 5 + 5 + 4 * 10) / 12])
    difference = analysis.delta(asked.isel(optimizer=[1]), asked.isel(optimizer=[0]), of="evaluations")
    # Only from the first start at the second rate do both reach.
    assert analysis.change_counts(difference)["median change of evaluations"].tolist() == [15 - 1]
    # Where a result does not tell evaluations they are the steps, one for one.
    pd.testing.assert_frame_equal(
        analysis.costs({"one": small}, of="evaluations"), analysis.costs({"one": small}, of="steps")
    )
    with pytest.raises(ValueError, match="of 'time'"):
        analysis.best_rates(small, of="time")


@pytest.mark.slow
def test_costs_until_the_loss_was_good_enough_by_evaluations():
    rules = "gd sam lbfgs"
    measure = gdfast.measures.steps_to_reach(1e-2)
    result = gdfast.run(
        gdfast.Sweep("quadratic", rules, [0.01], [[1.5, 1.0], [-2.0, 0.1]], measure=measure), backend="numpy"
    )
    steps = analysis.costs({"a": result})
    spent = analysis.costs({"a": result}, of="evaluations")
    np.testing.assert_array_equal(spent[["gd", "sam"]], steps[["gd", "sam"]] * [1, 2])
    each = (result.evaluations / result.steps).sel(optimizer="lbfgs").values.ravel()
    np.testing.assert_allclose(spent["lbfgs"], steps["lbfgs"] * each)
    assert (each > 1).all()


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
        (
            lambda r: r.isel(optimizer=[0]),
            "same optimizers, but for schedules and transforms, or before just one, not gd, adam and gd",
        ),
    ],
)
def test_delta_refuses_other_grids_and_says_why(small, other, words):
    with pytest.raises(ValueError, match=words):
        analysis.delta(small, other(small))


@pytest.mark.slow
def test_groups_with_rates_of_their_own_have_no_best_rate_but_a_best_place():
    network = gdfast.problems.mlp((2, 2, 1), points=4, layer_rates=True)
    rates = np.array([[0.1, 0.2], [0.03, 0.4], [50.0, 80.0]])
    result = gdfast.run(gdfast.Sweep(network, "gd adam", rates, network.starts(seeds=range(4)), 40), progress=False)
    best, told = analysis.best_rates(result), analysis.advice(result)
    assert best["best rate"].isna().all()
    assert not best["at edge"].any()
    assert told["lowest rate"].isna().all()
    result.outcome[0, 1] = Outcome.global_minimum
    assert analysis.best_rates(result)["index"].tolist()[0] == 1
    gd, adam = analysis.account(result)
    assert "best rates 0.03, 0.4: 100 % of the starts" in gd
    assert "the combination of rates " in adam
    one = analysis.attracting(result.isel(learning_rate=1))
    xarray.testing.assert_equal(one, analysis.attracting(result).isel(learning_rate=[1]))
    other = result.assign_coords(group_rate=result.group_rate * 2)
    for compare in (analysis.delta, analysis.transitions):
        cases.refused(lambda compare=compare: compare(result, other), ValueError, "their rates differ")


def test_a_result_of_one_selected_value_is_that_part_of_the_table(small):
    for i, label in enumerate(["gd", "adam"]):
        row = analysis.summary(small.isel(optimizer=i))
        pd.testing.assert_frame_equal(row, analysis.summary(small).loc[[label]])
    for name in ("learning_rate", "start"):
        part = small.isel({name: 1})
        pd.testing.assert_frame_equal(analysis.best_rates(part), analysis.best_rates(small.isel({name: [1]})))
        assert analysis.reached(part).dims == tuple(d for d in small.outcome.dims if d != name)


def test_reached_by_other_tolerances_is_told_by_the_losses():
    small = gdfast.run(gdfast.Sweep("quartic", "gd adam", "1e-3:1:16", "-4:4:16", 200), backend="numpy")
    excess = analysis.excess(small).values
    for tolerance in (1e-9, 1e-2, 0.5):
        within = (excess <= tolerance) & (small.outcome.values != Outcome.diverged)
        assert 0 < within.mean() < 1
        np.testing.assert_array_equal(analysis.reached(small, tolerance), within)
    several = analysis.reached(small, [1e-9, 0.5])
    assert several.dims == (*small.outcome.dims, "loss_tolerance")
    np.testing.assert_array_equal(several.sel(loss_tolerance=0.5), within)
    for wrong in ([], -1, "x", [[1.0]]):
        cases.refused(lambda wrong=wrong: analysis.reached(small, wrong), (TypeError, ValueError), "tolerance")
    turned = small.transpose("start", "optimizer", "learning_rate", ...)
    pd.testing.assert_frame_equal(analysis.summary(turned), analysis.summary(small))
    pd.testing.assert_frame_equal(analysis.best_of_k(turned), analysis.best_of_k(small))


def changed(name, value):
    """A result of which a variable has another value somewhere."""

    def change(result):
        result = result.copy(deep=True)
        result[name].values.flat[5] = value
        return result

    return change


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda r: r.outcome, TypeError, "an xarray.Dataset"),
        (lambda r: r.drop_vars("steps"), ValueError, "must have steps, but has basin, ending, .*, loss, outcome"),
        (lambda r: r.drop_vars(list(r.data_vars)), ValueError, "no variable"),
        (lambda r: r.assign(steps=r.steps * 0.5), ValueError, "steps must hold numbers as results of gdfast do"),
        (lambda r: r.assign(outcome=r.outcome == 1), ValueError, "outcome must hold numbers as results of gdfast do"),
        (lambda r: r.isel(start=0).drop_vars("start"), ValueError, "is over optimizer, learning_rate$"),
        (lambda r: r.isel(start=slice(0)), ValueError, "at least one trajectory, but start is empty"),
        (lambda r: r.drop_vars("optimizer"), ValueError, "must have the coordinate optimizer"),
        (lambda r: r.expand_dims(budget=2), ValueError, "dimension budget beside .*isel\\(budget=0\\)"),
        (lambda r: r.assign_coords(learning_rate=[1, 2, 3, np.inf]), ValueError, "must be finite numbers"),
        (lambda r: r.assign_coords(learning_rate=list("abcd")), ValueError, "must be finite numbers"),
        (changed("outcome", 9), ValueError, "outcome must hold 0 to 8, but is up to 9"),
        (changed("outcome", -1), ValueError, "outcome must hold 0 to 8"),
    ],
)
def test_what_is_no_result_is_refused_and_the_sentence_says_why(small, change, kind, words):
    for function in (analysis.best_rates, analysis.best_of_k, analysis.steps_ecdf):
        with pytest.raises(kind, match=words):
            function(change(small))
    with pytest.raises(kind, match=words.replace("result must", "before must")):
        analysis.delta(change(small), small)


def test_outcomes_of_every_kind_are_accepted(small):
    for outcome in Outcome:
        small.outcome[:] = outcome
        shares = analysis.outcome_shares(small)
        assert shares.to_numpy().sum() == (0 if outcome is Outcome.not_run else 2)
        assert list(shares.columns) == [each.name for each in Outcome][1:]


def test_learning_rates_on_a_logarithmic_axis_are_positive(small):
    for rates in ([0.0, 1, 2, 3], [-1.0, 1, 2, 3]):
        with pytest.raises(ValueError, match=f"learning rates must be positive, not {rates[0]:g}"):
            analysis.lr_tolerance(small.assign_coords(learning_rate=rates))
        with pytest.raises(ValueError, match="learning rates must be positive"):
            analysis.nearest_rates(small.assign_coords(learning_rate=rates), {"gd": 1.0})


def test_groups_with_rates_of_their_own_have_no_one_axis():
    network = problems.trainability_network(width=2)
    rates = [[0.1, 0.2], [0.3, 0.1]]
    sweep = gdfast.Sweep(network, optimizers.gd(), rates, network.starts("normal").points, 3)
    grouped = gdfast.run(sweep, backend="numpy")
    table = analysis.lr_tolerance(grouped)
    assert table.loc["gd"].isna().tolist() == [True, True, True, False]
    assert not table.loc["gd", "cut off"]
    with pytest.raises(ValueError, match="one learning rate for all coordinates"):
        analysis.nearest_rates(grouped, {"gd": 1.0})


def test_the_budget_is_told_by_the_result_or_not_at_all(small):
    def sweep(budget):
        return gdfast.Sweep(problems.quartic(), optimizers.gd(), [0.1], [[1.0]], budget)

    assert analysis.budget(small) == 10
    several = gdfast.run_over({"budget": [3, 4]}, sweep, backend="numpy")
    with pytest.raises(ValueError, match=r"of sweeps with one max_steps, not \[3, 4\]"):
        analysis.budget(several)
    same = gdfast.run_over({"seed": [1, 2]}, lambda seed: sweep(7), backend="numpy")
    assert analysis.budget(same) == 7
    for attributes in ({}, {"specification": "{}"}, {"specification": "x"}, {"specification": 3}):
        small.attrs = attributes
        with pytest.raises(ValueError, match="attribute specification"):
            analysis.budget(small)
        with pytest.raises(ValueError, match="attribute specification"):
            analysis.best_of_k(small)


def test_a_rate_works_if_just_the_share_of_its_starts_reach():
    # Of four starts 1, 2, 3 and 4 reach.
    made = result([[[G, L, L, L], [G, G, L, L], [G, G, G, L], [G, G, G, G]]], np.ones((1, 4, 4), dtype=int))
    for share, working in ((0.25, 4), (0.26, 3), (0.5, 3), (0.75, 2), (1.0, 1)):
        table = analysis.lr_tolerance(made, share)
        assert table.loc["gd", "decades"] == pytest.approx(working)
        assert table.loc["gd", "lowest"] == made.learning_rate.values[4 - working]
        assert table.loc["gd", "highest"] == made.learning_rate.values[3]
        assert analysis.summary(made, share).loc["gd", "decades that work"] == pytest.approx(working)
    assert analysis.summary(made).loc["gd", "decades that work"] == pytest.approx(3)
    lowest = analysis.lr_tolerance(made.isel(learning_rate=[3, 2, 1, 0]).assign_coords(learning_rate=[1, 2, 4, 8.0]))
    assert lowest.loc["gd", ["lowest", "highest", "cut off"]].tolist() == [1, 4, True]


def test_a_grid_of_one_rate_has_no_width_and_rates_given_twice_share_theirs():
    one = result([[[G, G]]], [[[1, 1]]], rates=[0.1])
    assert analysis.lr_tolerance(one).loc["gd"].tolist() == [0, 0.1, 0.1, True]
    twice = result([[[G], [G], [L], [G]]], np.ones((1, 4, 1), dtype=int), rates=[0.1, 1.0, 10.0, 0.1])
    assert analysis.lr_tolerance(twice).loc["gd", "decades"] == pytest.approx(2)
    assert analysis.lr_tolerance(twice.isel(learning_rate=[0, 1, 2])).loc["gd", "decades"] == pytest.approx(2)


def test_of_rates_that_reach_alike_the_quickest_is_best_and_then_the_lowest():
    ends = [[[G, G], [G, G], [G, G], [G, L]]]
    best = analysis.best_rates(result(ends, [[[5, 5], [3, 3], [3, 3], [1, 9]]]).isel(learning_rate=[3, 2, 1, 0]))
    assert best.loc["gd", ["best rate", "index", "share", "steps"]].tolist() == pytest.approx([0.01, 2, 1, 3])
    assert not best.loc["gd", "at edge"]
    for rates in ([0, 1, 2, 3], [3, 1, 2, 0]):  # an end of the grid, wherever it stands
        first = result(ends, [[[1, 1], [3, 3], [3, 3], [1, 9]]]).isel(learning_rate=rates)
        assert analysis.best_rates(first).loc["gd", "at edge"]


def test_the_cost_of_what_does_not_reach_is_the_budget():
    never = result([[[L, D]]], [[[3, 1]]], rates=[0.1])
    table = analysis.best_of_k(never)
    assert table["tries"].tolist() == [1, 2, 4, 8, 16, 32, 64]
    assert (table["expected steps"] == 10).all()
    assert (table["probability"] == 0).all()
    at_once = analysis.best_of_k(result([[[G, G]]], [[[0, 0]]], rates=[0.1]))
    assert (at_once["expected steps"] == 0).all()
    assert (at_once["probability"] == 1).all()


def test_the_nearest_rate_is_so_by_its_logarithm(small):
    got = analysis.nearest_rates(small, {"a": 0.05, "b": 0.0032, "c": 1e9, "d": 1e-9, "e": 0.031})
    assert got == {"a": 2, "b": 1, "c": 3, "d": 0, "e": 1}
    with pytest.raises(ValueError, match="wanted"):
        analysis.nearest_rates(small, {"a": 0.0})


def test_panels_of_rates_are_those_that_count(small):
    for rates, places in (("best", [[2], [3]]), ("random", [range(4)] * 2), ("default", [[1], [0]])):
        defaults = {"gd": 0.02, "adam": 1e-9, "other": 1.0} if rates == "default" else None
        panels = list(analysis.at_rates(small, rates, defaults))
        assert [label for label, _ in panels] == ["gd", "adam"]
        for i, (_, panel) in enumerate(panels):
            np.testing.assert_array_equal(panel.outcome, small.outcome.values[i, places[i]])
    costs = analysis.costs({"one": small}, "random")
    assert costs["adam"].notna().sum() == 8
    assert costs["gd"].tolist()[9:] == pytest.approx([np.nan] * 3, nan_ok=True)


def test_profiles_count_instances_where_all_fail_and_costs_of_nothing():
    costs = pd.DataFrame({"a": [0, 3, np.nan, 8.0], "b": [2, 1, np.nan, 8.0]})
    profile = analysis.performance_profile(costs)
    assert profile.index.tolist() == [1, 2, 3]
    assert profile["a"].tolist() == [0.5, 0.5, 0.75]
    assert profile["b"].tolist() == [0.5, 0.75, 0.75]
    late = analysis.performance_profile(pd.DataFrame({"a": [10.0], "b": [40.0]}))
    assert (late.index.tolist(), late["b"].tolist()) == ([1, 4], [0, 1])
    with pytest.raises(TypeError, match="column 'b'"):
        analysis.performance_profile(pd.DataFrame({"a": [1], "b": ["x"]}))
    with pytest.raises(ValueError, match="at least one"):
        analysis.performance_profile(pd.DataFrame(index=[0, 1]))


def test_several_results_are_at_least_one(small):
    with pytest.raises(ValueError, match="results must have at least one"):
        analysis.costs({})
    with pytest.raises(ValueError, match=r"results\['b'\] must have steps"):
        analysis.costs({"a": small, "b": small.drop_vars("steps")})


def test_changes_of_steps_are_of_cells_that_reach_before_and_after(small):
    difference = analysis.delta(small.isel(optimizer=[0]), small)
    both = (small.outcome.values[0] == G) & (small.outcome.values == G)
    np.testing.assert_array_equal(difference.steps, np.where(both, small.steps - small.steps.values[0], 0))
    assert difference.steps.dtype == np.int32
    assert difference.change.attrs["flag_values"] == [0, 1, 2, 3]
    assert list(analysis.CHANGES) == list(analysis.Change)
    never = analysis.delta(small, small.assign(outcome=small.outcome * 0 + L))
    assert analysis.change_counts(never)["median change of steps"].isna().all()


def test_starts_are_compared_where_both_results_tell_them(small):
    bare = small.drop_vars("start_point")
    for before, after in ((bare, small), (small, bare), (bare, bare)):
        assert analysis.change_counts(analysis.delta(before, after))["both_reach"].sum() == 3 + 8


def test_transitions_leave_out_what_does_not_occur(small):
    table = analysis.transitions(small, small)
    assert table.index.tolist() == table.columns.tolist() == ["global_minimum", "local_minimum", "diverged"]
    assert np.diag(table).tolist() == [11, 10, 3]
    assert table.to_numpy().sum() == 24
    with pytest.raises(ValueError, match="before and after must have the same optimizers"):
        analysis.transitions(small, small.isel(optimizer=[1, 0]))
