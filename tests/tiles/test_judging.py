"""What becomes of trajectories is judged by the loss, in the problem's own units: inputs whose right label is known."""

import itertools

import cases
import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems, schedules, transforms
from gdfast.tiles.ending import Ending, Trend, sampled_steps, trend_of
from gdfast.tiles.outcomes import Judge, Outcome

GD = optimizers.gd()
BOWL = problems.from_expression("(x-1)**2/2 + 2*(y+0.5)**2")
POLE = ("x**2 + 1/x", {"x": (-3, 3)})
WELLS = "(x**2-1)**2/4"
SEPARATED = np.array([[-2.0], [-1.0], [1.0], [3.0]]), [0, 0, 1, 1]
XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0.0, 1.0, 1.0, 0.0])

# problem (an expression, with its domain, or a problem), optimizer, start, rate, steps, outcome, ending
HARD = [
    # Minima are told by the loss, whatever the units.
    ("1e-12*x**2", GD, 2.0, 1e11, 500, "global_minimum", "stationary"),
    ("1e12*x**2", GD, 1.0, 1e-13, 500, "global_minimum", "stationary"),
    ("1e-12*(x**2-1)**2", GD, 0.5, 1e11, 500, "global_minimum", "stationary"),
    ("1e8*(x**2-1)**2", GD, 0.5, 1e-9, 500, "global_minimum", "stationary"),
    ("x**10", GD, 1.0, 0.01, 5000, "global_minimum", "stationary"),
    ("x**2", GD, 1.0, 1e-4, 1000, "unfinished", "moving"),
    ("x**2 + 1e12", GD, 1.0, 0.1, 500, "global_minimum", "stationary"),
    ("100 + 1e-12*x**2", GD, 2.0, 1e11, 500, "global_minimum", "stationary"),
    ("1e-300*x**2", GD, 1.0, 1e299, 500, "global_minimum", "stationary"),
    ("1e300*x**2", GD, 1.0, 1e-301, 500, "global_minimum", "stationary"),
    ("1e12*(x**4-5*x**2+3*x)", GD, 2.0, 1e-14, 500, "local_minimum", "stationary"),
    ("1e-12*(x**4-5*x**2+3*x)", GD, -2.0, 1e10, 500, "global_minimum", "stationary"),
    (("x*sin(x)", {"x": (0, 10)}), GD, 4.0, 0.1, 500, "global_minimum", "stationary"),
    (("x*sin(x)", {"x": (0, 10)}), GD, 9.9, 0.1, 500, "local_minimum", "stationary"),  # at 11.09, outside
    (("(6*x-2)**2*sin(12*x-4)", {"x": (0, 1)}), GD, 0.7, 1e-3, 500, "global_minimum", "stationary"),
    (("(x-10)**2", {"x": (-2, 2)}), GD, 1.0, 0.1, 500, "local_minimum", "stationary"),  # outside
    (problems.from_expression("x**2", [[-2, 2]], minimum=-5.0), GD, 1.0, 0.01, 500, "local_minimum", "moving"),
    # Minima that are lines, curves, flats or kinks are minima.
    ("(x+y-1)**2", GD, [1.0, 2.0], 0.1, 500, "global_minimum", "stationary"),
    ("(x-y)**2", GD, [1.0, 2.0], 0.1, 500, "global_minimum", "stationary"),
    ("x**2*y**2", GD, [1.0, 1.5], 0.01, 5000, "global_minimum", "stationary"),
    ("(w1*w2-1)**2", GD, [1.0, 2.0], 0.05, 500, "global_minimum", "stationary"),
    ("max(0,1-x)**2", GD, -2.0, 0.1, 500, "global_minimum", "stationary"),
    ("max(0,1-x)**2", GD, 2.0, 0.1, 500, "global_minimum", "stationary"),
    ("abs(x)", GD, 1.0, 0.25, 500, "global_minimum", "stationary"),
    ("abs(x-1) + abs(y)", optimizers.adagrad(), [0.3, 0.7], 0.5, 5000, "global_minimum unfinished", "moving fixed"),
    ("(x**2+y**2-1)**2", GD, [0.5, 0.2], 0.05, 500, "global_minimum", "stationary"),
    ("x**2 + 0*y", GD, [1.0, 2.0], 0.1, 500, "global_minimum", "stationary"),
    ("max(0,1-x)", GD, -2.0, 0.1, 500, "global_minimum", "stationary"),
    ("abs(x)+(x-2)**2", GD, 4.0, 0.1, 500, "global_minimum", "stationary"),
    ("abs(x)+(x-0.2)**2", GD, 4.0, 0.1, 500, "oscillating", "cycling"),
    ("min((x-1)**2,(x+1)**2+0.5)", GD, -2.0, 0.1, 500, "local_minimum", "stationary"),
    (("log(x)**2", {"x": (0.1, 10)}), GD, 5.0, 0.1, 1000, "global_minimum", "stationary"),
    # Valleys: along them it takes long, across them it swings.
    ("rosenbrock", GD, [-1.2, 1.0], 1e-3, 1000, "unfinished", "moving"),
    ("100*x**2 + 0.01*y**2", GD, [1.0, 5.0], 4e-3, 1000, "unfinished", "moving"),
    ("1000*(x-y)**2 + 0.001*(x+y)**2", GD, [1.0, 0.9], 5.01e-4, 1000, "worse", "moving"),
    ("1000*(x-y)**2 + 0.001*(x+y)**2", GD, [1.0, 0.9], 6e-4, 1000, "diverged", "moving diverged"),
    # Rules that never rest reach it all the same.
    (BOWL, optimizers.lion(), [1.9, 1.0], 1e-3, 5000, "global_minimum", "moving cycling"),
    (BOWL, optimizers.signsgd(), [1.9, 1.0], 1e-3, 5000, "global_minimum", "moving cycling"),
    (BOWL, optimizers.adamw(), [1.9, 1.0], 1e-2, 5000, "global_minimum", "moving cycling fixed"),
    (BOWL, optimizers.lion(), [1.9, 1.0], 0.5, 5000, "oscillating", "moving cycling"),
    # What does not move any more is frozen, unless it is at a minimum.
    ("quartic", GD, 1.0, 1e-17, 500, "frozen", "fixed"),
    ("quartic", GD.scheduled(schedules.cosine(total=50)), 1.0, 1e-5, 500, "frozen", "fixed"),
    ("booth", GD.transformed(transforms.l2(10.0)), [0.0, 0.0], 0.01, 2000, "frozen", "fixed"),
    ("booth", GD.transformed(transforms.weight_decay(10.0)), [0.0, 0.0], 0.01, 2000, "frozen", "fixed"),
    ("sigmoid", GD, 19.5, 1e-3, 1000, "unfinished", "moving"),  # the loss is the same, rounding aside
    ("booth", GD, [0.0, 0.0], 1e-30, 100, "frozen", "moving"),  # by nothing, though by something beside its place
    # A budget of few steps is enough to tell where it is, and whether it came lower.
    ("booth", GD, [0.0, 0.0], 1e-3, 1, "unfinished", "moving"),
    ("booth", GD, [0.0, 0.0], 1.0, 1, "worse", "moving"),
    ("booth", GD, [1.0, 3.0], 1e-3, 1, "global_minimum", "stationary"),
    # Cycles of any length, and chaos, stay within bounds and come no lower.
    (WELLS, GD, 0.5, 1.05, 1000, "oscillating", "cycling"),
    (WELLS, GD, 0.5, 1.3, 1000, "oscillating", "cycling moving"),
    (WELLS, GD, 0.5, 1.4, 1000, "oscillating", "moving"),
    (WELLS, GD, 0.5, 1.5, 1000, "oscillating", "moving"),
    ("abs(x)", GD, 1.0, 0.3, 500, "oscillating", "cycling"),
    ("x**2", GD, 2.0, 1.0, 1000, "oscillating", "cycling"),
    ("x**3/3 - x**2/2", GD, 0.3, 2.5, 1000, "oscillating", "cycling"),  # the logistic map: of period 4,
    ("x**3/3 - x**2/2", GD, 0.3, 2.5695, 1000, "oscillating", "moving"),  # of period 32, and chaos
    ("x**3/3 - x**2/2", GD, 0.3, 2.9, 1000, "oscillating", "moving"),
    ("max(x,-2*x)", GD, 1.0, 0.1, 500, "oscillating", "cycling"),
    ("x**2 + y**2", optimizers.normalized_gd(), [1.0, 0.3], 0.05, 500, "oscillating", "cycling"),
    ("x**2", GD.transformed(transforms.noise(1.0)), 2.0, 0.1, 1000, "oscillating", "moving"),
    ("x**2", GD.transformed(transforms.noise(0.01)), 5.0, 1e-4, 1000, "unfinished", "moving"),
    # What climbs is worse than its start, or has diverged.
    ("x**2", GD, 1.0, 1.001, 1000, "worse", "moving"),
    ("x**2", GD, 1.0, 1.01, 1000, "diverged", "moving"),
    ("x**2", GD, 1.0, 2.0, 1000, "diverged", "diverged"),
    ("x**4", GD.transformed(transforms.clip_norm(1.0)), 1e80, 0.1, 100, "diverged", "diverged"),
    # What falls without bound has diverged too; what comes nearer to a limit has not.
    ("x**3", GD, -0.1, 0.01, 500, "diverged", "diverged"),
    ("-log(1+x**2)", GD, 1.0, 0.1, 1000, "diverged", "moving"),
    ("-sqrt(1+x**2)", GD, 1.0, 0.1, 1000, "diverged", "moving"),
    ("x", GD, 1.0, 0.1, 1000, "diverged", "moving"),
    (("exp(-x)", {"x": (-1, 1)}), GD, 1.0, 0.5, 1000, "unfinished", "moving"),
    (("1/(1+x**2)", {"x": (-1, 1)}), GD, 0.5, 0.5, 1000, "unfinished", "moving"),
    (("log(x)", {"x": (0.1, 10)}), GD, 1.0, 0.1, 1000, "worse", "moving"),  # over the pole, and up
    (("1e-4*sqrt(1000-x)", {"x": (-1, 1)}), GD, 0.5, 1e5, 100, "unfinished", "moving"),  # as far as there is a loss
    ("x**2 - y**2", GD, [1.0, 1e-3], 0.1, 30, "unfinished", "moving"),  # not far enough to be told
    ("x**2 - y**2", GD, [1.0, 1e-3], 0.1, 500, "diverged", "moving diverged"),
    ("x**3 - x", GD, 0.0, 0.1, 500, "global_minimum", "stationary"),  # the only minimum there is
    # A pole is no minimum either: what falls into it has diverged, what leaps over it, or only comes lower, has not.
    (POLE, GD, 2.0, 0.01, 1000, "global_minimum", "stationary"),
    (POLE, GD, -1.0, 0.01, 1000, "global_minimum", "stationary"),
    (POLE, optimizers.fromage(), -1.0, 0.01, 1000, "diverged", "moving"),
    (POLE, optimizers.fromage(), -1.0, 0.001, 1000, "unfinished", "moving"),
    (("log(abs(x))+x**2", {"x": (-3, 3)}), optimizers.levenberg_marquardt(), 1.0, 0.1, 1000, "diverged", "moving"),
    (("abs(x)**0.1-x", {"x": (-3, 3)}), optimizers.fromage(), -0.1, 0.02, 1000, "unfinished", "moving"),  # to a kink
    # A limit is no minimum, even where rounding makes the loss the same: it is not taken for one from any start.
    (("exp(-x)", {"x": (-1000, 1000)}), GD, 800.0, 0.5, 500, "stalled", "stationary"),
    (("exp(-x)", {"x": (-1000, 1000)}), GD, 5.0, 0.5, 500, "unfinished", "moving"),
    (("exp(-x) + y**2", {"x": (-1000, 1000), "y": (-2, 2)}), GD, [800.0, 1.0], 0.1, 500, "stalled", "stationary"),
    (("tanh(x)", {"x": (-100, 100)}), GD, -90.0, 0.1, 500, "stalled", "stationary"),
    (("softplus(x)", {"x": (-1000, 1000)}), GD, -900.0, 0.1, 500, "stalled", "stationary"),
    (("x**2/(1+x**2)", {"x": (-1000, 1000)}), GD, 900.0, 0.1, 500, "unfinished", "moving"),
    (("1-exp(-1e6*(x-0.3)**2)", {"x": (-5, 5)}), GD, 0.2727, 0.1, 500, "stalled", "stationary"),
    # Stationary, and no minimum.
    ("x**2 - y**2", GD, [1.0, 0.0], 0.1, 500, "stalled", "stationary"),
    ("strict_saddle", GD, [0.0, 1.0], 0.1, 500, "stalled", "stationary"),
    ("strict_saddle", GD, [1e-12, 1.0], 0.1, 1000, "global_minimum", "stationary"),
    ("monkey_saddle", GD, [0.0, 0.0], 0.1, 100, "stalled", "stationary"),
    ("(w1*w2-1)**2", GD, [1.0, -1.0], 0.05, 500, "stalled", "stationary"),  # to the saddle,
    ("(w1*w2-1)**2", GD, [1.0, -1.0000001], 0.05, 1000, "global_minimum", "stationary"),  # and past it
    ("x**3", GD, 0.0, 0.01, 100, "stalled", "stationary"),
    ("cos(x)", GD, 0.0, 0.1, 100, "stalled", "stationary"),
    ("x**3*(x-1)", GD, -1.0, 0.01, 5000, "unfinished", "moving"),  # beside an inflection
    ("quartic", GD, problems.quartic().stationary_points[-1].point[0], 0.01, 10, "stalled", "stationary"),
    ("sigmoid", GD, 25.0, 0.05, 100, "stalled", "stationary"),
    # Classes that a line separates have no minimum, with a penalty they have; units die.
    (problems.logistic_regression(SEPARATED, l2=0.0), GD, [0.0, 0.0], 1.0, 500, "unfinished", "moving"),
    (problems.logistic_regression(SEPARATED, l2=0.0), GD, [0.0, 0.0], 1e5, 500, "stalled", "stationary"),
    (problems.logistic_regression(SEPARATED, l2=0.1), GD, [0.0, 0.0], 0.5, 1000, "global_minimum", "stationary"),
    (problems.mlp((2, 2, 1), "tanh", data=XOR), GD, np.zeros(9), 0.1, 1000, "stalled", "stationary"),
    (problems.mlp((2, 2, 1), "relu", data=XOR), GD, np.full(9, -1.0), 0.1, 1000, "stalled", "stationary"),
]


def problem_of(what):
    if isinstance(what, str):
        return what if what.isidentifier() and what != "x" else problems.from_expression(what)
    return problems.from_expression(*what) if isinstance(what, tuple) else what


@pytest.mark.sampled(4)
@pytest.mark.parametrize("case", HARD, ids=lambda case: f"{case[0]}-{case[3]}")
def test_hard_cases_have_their_labels(case):
    what, optimizer, start, rate, steps, outcome, endings = case
    sweep = gdfast.Sweep(problem_of(what), optimizer, [rate], [np.atleast_1d(start)], steps)
    result = gdfast.run(sweep, backend="numpy", progress=False)
    assert Outcome(result.outcome.values.item()).name in outcome.split()
    assert Ending(result.ending.values.item()).name in endings.split()


@pytest.mark.slow
@pytest.mark.parametrize("power", [-120, -7, 3, 90])
@pytest.mark.parametrize("text", ["x**4 - 5*x**2 + 3*x", "(x**2-1)**2/4", "abs(x) + x**2", "x - 10*sqrt(1+x**2)"])
def test_units_of_loss_and_coordinates_change_no_outcome(text, power):
    rates, starts = np.logspace(-3, 0.3, 40), np.linspace(-1.9, 1.9, 24)
    optimizer, scale = optimizers.momentum(momentum=0.5), 2.0**power

    def ends(expression, rates, starts, width):
        problem = problems.from_expression(expression, {"x": (-2 * width, 2 * width)})
        return gdfast.run(gdfast.Sweep(problem, optimizer, rates, starts, 300), backend="numpy")

    expected = ends(text, rates, starts, 1.0)
    of_loss = ends(f"{scale!r}*({text})", rates / scale, starts, 1.0)
    of_place = ends(text.replace("x", f"(x*{1 / scale!r})"), rates * scale**2, starts * scale, scale)
    for got in (of_loss, of_place):
        for name in ("outcome", "ending", "steps", "basin", "period"):
            np.testing.assert_array_equal(got[name].values, expected[name].values, err_msg=name)


@pytest.mark.parametrize("max_steps", [1, 5, 31, 32, 33, 40, 64, 100, 1000])
def test_samples_are_of_the_middle_and_of_the_end(max_steps):
    middle, end = sampled_steps(max_steps)
    assert end[-1] <= max_steps
    assert all(0 <= step < end[0] for step in middle)
    assert bool(len(middle)) == (max_steps > 32)
    if max_steps >= 1000:
        assert (len(middle), len(end)) == (9, 9)
        assert abs(middle[0] - max_steps / 2) < 32


@pytest.mark.parametrize("max_steps", [40, 100, 1000])
def test_trends_are_told_from_noise(max_steps):
    steps = np.array([*sampled_steps(max_steps)[0], *sampled_steps(max_steps)[1]], dtype=float)[:, None]
    noise = np.random.default_rng(0).normal(size=(len(steps), 2000))
    for slow in (1e-9, 1e-3, 1.0):
        assert trend_of(5 - slow * steps, max_steps).tolist() == [-1]
        assert trend_of(5 + slow * steps, max_steps).tolist() == [1]
    swings = np.sin(steps * 0.7) ** 2
    assert trend_of(swings * np.exp(-8 * steps / max_steps), max_steps).tolist() == [-1]
    assert trend_of(swings * np.exp(8 * steps / max_steps), max_steps).tolist() == [1]
    assert trend_of(np.full_like(steps, 3.0), max_steps).tolist() == [Trend.level]
    if max_steps == 40:  # too few to tell
        return
    assert np.mean(trend_of(noise, max_steps) != 0) < 0.02
    assert np.mean(trend_of(noise - 30 * steps / max_steps, max_steps) == -1) > 0.95


def test_the_objective_is_noted_at_every_fourth_of_some_thirty_steps_in_the_middle_and_at_the_end():
    for max_steps, middle, end in (
        (400, range(184, 217, 4), range(368, 401, 4)),
        (40, range(4, 8, 4), range(8, 41, 4)),
        (20, range(0), range(0, 21, 4)),
    ):
        assert sampled_steps(max_steps) == (middle, end)


@pytest.mark.parametrize(("units", "trend"), [(16, Trend.level), (17, Trend.neither)])
def test_what_is_within_16_units_of_its_last_place_is_level(units, trend):
    samples = 1 + units * 2.0**-52 * (-1.0) ** np.arange(sum(map(len, sampled_steps(400))))
    samples[-1] = 1
    assert trend_of(samples[:, None], 400).tolist() == [trend]


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**40])
def test_what_ends_are_compared_with_is_in_the_units_of_the_problem(scale):
    def limits(text, domain):
        problem = problems.from_expression(text, [[-domain, domain]])
        return Judge(gdfast.Sweep(problem, "gd", [1.0], [[domain / 3], [domain / 2]])).limits

    plain = limits("x**4 - 5*x**2 + 3*x", 3)
    higher = limits(f"{scale!r}*(x**4 - 5*x**2 + 3*x)", 3)
    wider = limits(f"(x/{scale!r})**4 - 5*(x/{scale!r})**2 + 3*x/{scale!r}", 3 * scale)
    for name in ("before", "heights", "slack", "low", "highest", "creeping", "unknown", "losses"):
        np.testing.assert_allclose(getattr(higher, name), scale * getattr(plain, name), rtol=1e-9, err_msg=name)
    for name in ("points", "reach", "around"):
        np.testing.assert_allclose(getattr(wider, name), scale * getattr(plain, name), rtol=1e-6, err_msg=name)
    np.testing.assert_allclose(wider.creeping, plain.creeping / scale)


def test_bad_data_points_and_mini_batches_have_a_border_between_success_and_failure():
    problem = problems.linear_regression(batch_size=2)
    result = gdfast.run(gdfast.Sweep(problem, GD, np.logspace(-6, 1, 24), problem.random(8, seed=1), 2000))
    share = (result.outcome == Outcome.global_minimum).mean("start").values[0]
    assert share.max() == 1
    assert share[0] == share[-1] == 0
    assert (result.outcome.values[0, -1] == Outcome.diverged).all()


def test_what_descends_by_mini_batches_is_told_from_what_swings_about_the_minimum():
    # From one batch to another the loss changes more than from one step to the next.
    problem = problems.linear_regression("diabetes", batch_size=8, seed=1)
    sweep = gdfast.Sweep(problem, GD, [1e-5, 1e-4, 1e-3, 0.1], problem.random(8), 1000, loss_tolerance=1e-9)
    result = cases.agree(sweep)
    before = problem.loss(sweep.starts.T)
    assert (result.loss.values[0, :3] < before).all()
    assert (result.outcome.values[0, :3] == Outcome.unfinished).all()
    assert (result.outcome.values[0, 3] == Outcome.oscillating).mean() > 0.7  # some are lower by chance


@pytest.mark.slow
@pytest.mark.parametrize(
    ("problem", "optimizer", "seeds", "steps"),
    [
        (problems.mlp((2, 5, 2), "tanh", loss="cross_entropy", data=(XOR[0], [0, 1, 1, 0])), "adam", 8, 1000),
        (problems.mlp((61, 16, 10), "relu", loss="cross_entropy", data="digits", batch_size=32), "gd", 2, 600),
        (problems.logistic_regression("breast_cancer", batch_size=32, seed=1), "adam", 4, 1000),
    ],
    ids=["xor", "digits", "breast_cancer"],
)
def test_learning_has_a_border_between_success_and_failure_and_a_best_rate(problem, optimizer, seeds, steps):
    measure = gdfast.measures.steps_to_reach(problem.loss_tolerance)
    starts = problem.starts("he_normal", seeds=range(seeds)) if hasattr(problem, "starts") else problem.random(seeds)
    result = gdfast.run(gdfast.Sweep(problem, optimizer, "1e-4:10:16", starts, steps, measure=measure))
    share = (result.outcome == Outcome.global_minimum).mean("start").values[0]
    assert share[0] == 0 < share.max()
    best = gdfast.analysis.best_rates(result).iloc[0]
    assert best["share"] == share.max() >= 0.5
    assert 1e-3 < best["best rate"] < 10
    assert not best["at edge"]
    reached = result.outcome.values == Outcome.global_minimum
    assert np.isfinite(result.measure.values[reached]).all()
    assert best["steps"] < steps


@pytest.mark.slow
def test_a_looser_tolerance_only_adds_successes():
    sweep = gdfast.Sweep("himmelblau", [GD, optimizers.adam(), optimizers.lion()], "1e-3:1:16", ["-5:5:8", "-5:5:8"])
    good = [
        gdfast.run(sweep.replace(loss_tolerance=tolerance)).outcome.values == Outcome.global_minimum
        for tolerance in (0.0, 1e-9, 1e-6, 1e-3)
    ]
    for tight, loose in itertools.pairwise(good):
        assert (loose | ~tight).all()
        assert loose.sum() > tight.sum()


@pytest.mark.slow
@pytest.mark.parametrize("max_steps", [3, 33, 50, 200])
@pytest.mark.parametrize("what", ["quartic", "rosenbrock", "linear_regression:batch_size=2"])
def test_backends_agree_on_how_everything_ends(what, max_steps):
    problem = gdfast.notation.problem(what)
    rules = [GD, optimizers.lion(), optimizers.momentum(), GD.transformed(transforms.l2(0.1))]
    sweep = gdfast.Sweep(problem, rules, np.logspace(-3, 0.5, 12), problem.random(11, seed=2), max_steps)
    expected = gdfast.run(sweep, backend="numpy")
    for whole_or_parts in (sweep, sweep.replace(tile_size=50)):
        cases.assert_same(gdfast.run(whole_or_parts), expected)


@pytest.mark.slow
def test_each_optimizer_shows_its_successes_at_its_defaults():
    rules = [make() for make in optimizers.CATALOGUE.values()]
    for problem, starts in ((BOWL, BOWL.random(4, seed=1)), (problems.quartic(), [[-2.2], [-1.1]])):
        result = gdfast.run(gdfast.Sweep(problem, rules, np.logspace(-4, 0, 17), starts, 20_000))
        lowest = (result.loss.min(["learning_rate", "start"]) - problem.lowest) / problem.loss_scale
        reached = (result.outcome == Outcome.global_minimum).any(["learning_rate", "start"])
        assert reached.values.tolist() == (lowest <= 1e-6).values.tolist()
        assert [str(name) for name in result.optimizer.values[~reached.values]] == []
