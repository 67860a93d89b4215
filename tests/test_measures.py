"""Measures of the history of losses: against stored histories, in kernels, references, tiles and stores."""

import pickle

import cases
import numpy as np
import pytest
import stored

import gdfast
from gdfast import analysis, measures, optimizers, problems, schedules, transforms

QUARTIC = problems.quartic()
NINE = problems.quadratic(dimension=9)  # with a lane kernel
NETWORK = problems.trainability_network(width=3)
PLATEAU = schedules.reduce_on_plateau(patience=3)


def measured(problem, optimizer, floor=0.0, n=24, max_steps=90, **settings):
    return cases.sweep_of(problem, optimizer, n, max_steps, measure=measures.convergence(floor=floor), **settings)


def convergence(losses, window=20, clip=1e6, floor=0.0):
    """The measure of a whole history, as the paper's notebook has it."""
    with np.errstate(all="ignore"):
        v = (np.array(losses) - floor) / (losses[0] - floor)
        v = np.where(np.isfinite(v), np.minimum(v, clip), clip)
        return -v.sum() if v[-window:].mean() < 1 else (1 / v).sum()


def gradient_descent(problem, start, rates, steps):
    """The loss before each update of a plain loop that stops for nothing."""
    theta, losses = start[:, None].copy(), []
    with np.errstate(all="ignore"):
        for t in range(steps):
            losses.append(problem.step_objective(theta, t)[0])
            theta = theta - rates * problem.step_gradient(theta, t)
    return losses


CLIPPED = optimizers.polyak_sgd().transformed(transforms.clip_norm(1.0)).scheduled(schedules.cosine())


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    "optimizer", [optimizers.gd(), optimizers.momentum().scheduled(PLATEAU), CLIPPED], ids=cases.label
)
@pytest.mark.parametrize("problem", [QUARTIC, NINE], ids=cases.label)
def test_kernel_and_reference_agree_to_the_bit(problem, optimizer):
    sweep = measured(problem, optimizer, problem.minima[0].loss)
    got = cases.agree(sweep)
    assert optimizer is CLIPPED or (got.outcome == gdfast.outcomes.Outcome.diverged).any()


@pytest.mark.slow
@pytest.mark.parametrize("problem", [QUARTIC, NINE], ids=cases.label)
def test_a_measure_changes_nothing_else(problem):
    sweep = measured(problem, [optimizers.gd(), optimizers.momentum().scheduled(PLATEAU)])
    plain = gdfast.Sweep(problem, sweep.optimizers, sweep.learning_rates, sweep.starts, sweep.max_steps)
    cases.assert_same(gdfast.run(sweep).drop_vars("measure"), gdfast.run(plain))
    assert "measure" not in plain.specification


@pytest.mark.sampled(1)
@pytest.mark.parametrize("steps", [1, 7, 20, 33, 150])
def test_the_sums_are_those_of_the_stored_history(steps):
    floor = QUARTIC.minima[0].loss
    sweep = measured(QUARTIC, optimizers.gd(), floor, 16, steps)
    got = gdfast.run(sweep).measure.values[0]
    expected = [
        [convergence(gradient_descent(QUARTIC, start, rate, steps), floor=floor) for start in sweep.starts]
        for rate in sweep.learning_rates
    ]
    assert 0.1 < np.mean(got < 0) < 0.9 or steps == 1
    np.testing.assert_allclose(got, expected, rtol=1e-9)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("window", "clip"), [(1, 1e6), (3, 1.5), (40, 1.01), (200, 2.0)])
def test_the_window_and_the_largest_loss_are_those_that_were_asked_for(window, clip):
    floor = QUARTIC.minima[0].loss - 1
    measure = measures.convergence(window=window, clip=clip, floor=floor)
    sweep = cases.sweep_of(QUARTIC, optimizers.gd(), n=9, max_steps=40).replace(measure=measure)
    expected = [
        [convergence(gradient_descent(QUARTIC, start, rate, 40), window, clip, floor) for start in sweep.starts]
        for rate in sweep.learning_rates
    ]
    got = gdfast.run(sweep, backend="numpy").measure.values[0]
    assert 0.1 < np.mean(got < 0) < 0.9
    np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_losses_below_the_floor_count_as_nothing():
    # The quartic goes below 0 from here: v is 1 at first, then 0, and 1/v without bound.
    falls = gdfast.Sweep(QUARTIC, optimizers.gd(), [0.05], [[2.0]], 6, measure=measures.convergence(window=1))
    path = gdfast.trajectory(QUARTIC, optimizers.gd(), [2.0], 0.05, 6).loss.values
    v = np.clip(path[:6] / path[0], 0.0, None)
    assert (v == 0).sum() == 5
    got = gdfast.run(falls, backend="numpy").measure.item()
    assert got == -v.sum() == -1


def test_what_a_name_alone_stands_for():
    # Labels leave these values out, also those of stores that were written long ago.
    assert measures.convergence() == measures.convergence(window=20, clip=1e6, floor=0.0)
    assert measures.convergence().label == "convergence"


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [None, 5])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_network_is_measured_by_the_losses_of_its_steps(activation, batch_size):
    problem = problems.trainability_network(width=3, activation=activation, batch_size=batch_size)
    rates = np.stack(np.meshgrid(np.geomspace(1e-3, 1e5, 9), np.geomspace(1e-3, 1e5, 9)), axis=-1).reshape(-1, 2)
    start = problem.starts("normal").points
    sweep = gdfast.Sweep(problem, optimizers.gd(), rates, start, 40, measure=measures.convergence())
    got = gdfast.run(sweep).measure.values[0, :, 0]
    histories = [gradient_descent(problem, start[0], rate[problem.group][:, None], 40) for rate in rates]
    np.testing.assert_allclose(got, [convergence(losses) for losses in histories], rtol=1e-6)
    assert 0.1 < np.mean(got < 0) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("problem", "rule"),
    [(QUARTIC, optimizers.gd()), (NINE, optimizers.gd()), (NETWORK, optimizers.gd()), (QUARTIC, optimizers.momentum())],
    ids=cases.label,
)
def test_settling_early_changes_nothing(problem, rule):
    # It does where what is settled would not stay: RMSprop and its kin, at too large a rate, leave a minimum again.
    floor = problem.minima[0].loss
    early = gdfast.run(measured(problem, rule, floor, 32, 400, gradient_tolerance=1e-6, divergence_limit=1e9))
    late = gdfast.run(measured(problem, rule, floor, 32, 400, gradient_tolerance=0.0, divergence_limit=1e300))
    np.testing.assert_array_equal(early.measure < 0, late.measure < 0)
    np.testing.assert_allclose(early.measure, late.measure, rtol=1e-6)
    assert (early.steps < late.steps).any()


def test_results_depend_on_neither_workers_nor_tiles():
    rules = [optimizers.gd(), optimizers.momentum().scheduled(PLATEAU)]
    expected = gdfast.run(measured(QUARTIC, rules), workers=1)
    cases.assert_same(gdfast.run(measured(QUARTIC, rules, tile_size=77), workers=3), expected)


def test_a_start_at_the_floor_does_not_converge():
    sweep = gdfast.Sweep(NINE, optimizers.gd(), [0.1], np.zeros((1, 9)), 30, measure=measures.convergence())
    for backend in ("numba", "numpy"):
        assert gdfast.run(sweep, backend=backend).measure.item() == pytest.approx(30e-6)


def test_a_store_holds_the_measure_and_is_of_one_measure(tmp_path):
    sweep = measured(QUARTIC, optimizers.gd())
    expected = gdfast.run(sweep)
    cases.assert_same(gdfast.run(sweep, store=tmp_path / "run.zarr", progress=False), expected)
    cases.assert_same(gdfast.run(sweep, store=tmp_path / "run.nc", progress=False), expected)
    with pytest.raises(gdfast.store.StoreError, match=r"measure.*floor was 0.0, asked for is -12.0"):
        gdfast.run(measured(QUARTIC, optimizers.gd(), floor=-12.0), store=tmp_path / "run.zarr", progress=False)


def test_a_sweep_with_a_measure_survives_pickling():
    sweep = measured(QUARTIC, optimizers.gd())
    again = pickle.loads(pickle.dumps(sweep))
    assert again.specification == sweep.specification
    cases.assert_same(gdfast.run(again), gdfast.run(sweep))


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: measures.convergence(window=0), ValueError, ["convergence: window", "0"]),
        (lambda: measures.convergence(clip=0.0), ValueError, ["convergence: clip", "> 0"]),
        (lambda: gdfast.Sweep(QUARTIC, optimizers.gd(), 0.1, [[1.0]], measure=20), TypeError, ["measure", "20"]),
    ],
)
def test_bad_measures_are_refused(call, kind, words):
    cases.refused(call, kind, *words)


class TestStepsToReach:
    @pytest.mark.slow
    @pytest.mark.parametrize("tolerance", [1.0, 1e-3, 1e-6])
    @pytest.mark.parametrize("what", ["quartic", "rosenbrock", "linear_regression", "mlp:widths=2/3/1"])
    def test_it_is_the_first_point_of_the_path_whose_excess_is_within_the_tolerance(self, what, tolerance):
        problem, steps = gdfast.notation.problem(what), 200
        measure = measures.steps_to_reach(tolerance)
        sweep = gdfast.Sweep(problem, optimizers.momentum(), [0.003, 0.03], problem.random(4, seed=3), steps)
        got = gdfast.run(sweep.replace(measure=measure), backend="numpy").measure.values[0]
        for k, rate in enumerate(sweep.learning_rates):
            for m, start in enumerate(sweep.starts):
                path = gdfast.trajectory(problem, optimizers.momentum(), start, rate, steps)
                within = path.loss.values <= problem.lowest + tolerance * problem.loss_scale
                expected = int(np.argmax(within)) if within.any() else np.nan
                assert np.isnan(got[k, m]) if not expected < steps else got[k, m] == expected

    @pytest.mark.slow
    def test_kernel_and_reference_agree_and_nothing_else_changes(self):
        plain = cases.sweep_of(QUARTIC, [optimizers.gd(), optimizers.adam().scheduled(PLATEAU)], 16, 90)
        sweep = plain.replace(measure=measures.steps_to_reach())
        got = gdfast.run(sweep)
        cases.assert_same(got, gdfast.run(sweep, backend="numpy"))
        cases.assert_same(got.drop_vars("measure"), gdfast.run(plain))

    def test_it_is_the_cost_of_what_reached(self):
        sweep = gdfast.Sweep("quartic", "gd adam", "1e-3:1:32", "-4:4:16")
        plain = gdfast.run(sweep)
        asked = gdfast.run(sweep.replace(measure=measures.steps_to_reach(1e-3)))
        for function in (analysis.best_rates, analysis.summary):
            assert (function(asked).iloc[:, -2:-1] <= function(plain).iloc[:, -2:-1]).all(axis=None)
        assert analysis.best_rates(asked).steps.max() < analysis.best_rates(plain).steps.min() + 100
        (steps, share), (before, _) = (analysis.steps_ecdf(result)["gd"] for result in (asked, plain))
        assert steps[0] < before[0]
        assert share[-1] <= 1
        tries = [analysis.best_of_k(result).groupby("optimizer")["expected steps"].sum() for result in (asked, plain)]
        assert (tries[0] < tries[1]).all()

    @pytest.mark.slow
    def test_several_tolerances_are_as_many_measures(self, tmp_path):
        tolerances = (1e-2, 1e-8, 1e-4)
        plain = gdfast.Sweep("himmelblau", "gd lion", np.geomspace(1e-4, 0.1, 8), ["-5:5:4", "-5:5:4"], 300)
        sweep = plain.replace(measure=measures.steps_to_reach(tolerances))
        result = cases.agree(sweep).drop_vars("theta")
        assert result.measure.dims == (*result.outcome.dims, "loss_tolerance")
        assert tuple(result.loss_tolerance.values) == tolerances
        cases.assert_same(result.drop_vars(["measure", "loss_tolerance"]), gdfast.run(plain))
        for tolerance in tolerances:
            one = gdfast.run(plain.replace(measure=measures.steps_to_reach(tolerance)))
            chosen = result.sel(loss_tolerance=tolerance)
            np.testing.assert_array_equal(chosen.measure, one.measure)
            assert np.isfinite(one.measure).any()
            assert analysis.account(chosen) == analysis.account(one)
            assert analysis.best_rates(chosen).attrs == {"tolerance": tolerance}
        assert analysis.summary(result).attrs == {"tolerance": 1e-8}
        assert analysis.best_rates(gdfast.run(plain)).attrs == {"tolerance": None}
        assert all("to an excess of 1e-08" in line for line in analysis.account(result))
        cases.refused(lambda: gdfast.plot.maps(result, "measure"), ValueError, "sel(loss_tolerance=0.01)")
        cases.assert_same(gdfast.run(sweep, store=tmp_path / "a.nc"), result)

    @pytest.mark.slow
    @pytest.mark.parametrize("count", [1, 2])
    def test_several_tolerances_are_stored_resumed_and_taken_over(self, tmp_path, monkeypatch, count):
        stored.small_blocks(12, monkeypatch)
        sweep = stored.landscape(measure=measures.steps_to_reach((1e-2, 1e-5)[:count]))
        expected, path = gdfast.run(sweep), tmp_path / "a.zarr"
        cases.assert_same(gdfast.run(sweep, store=path), expected)
        assert not gdfast.storing.store.status(path, whole=True).damages
        whole = stored.contents(path)
        chunk = path / "measure" / "1.0.0.0"
        chunk.write_bytes(chunk.read_bytes()[:-1])
        cases.refused(lambda: gdfast.run(sweep, reuse=path), ValueError, "measure/1.0.0.0")
        gdfast.run(sweep, store=path, progress=False).close()
        assert stored.contents(path) == whole
        wider = sweep.replace(learning_rates=np.append(stored.RATES, 0.3))
        cases.assert_same(gdfast.run(wider, reuse=path), gdfast.run(wider))
        gdfast.run(wider, store=path, overwrite=True).close()
        assert not gdfast.storing.store.status(path, whole=True).damages

    @pytest.mark.parametrize("wrong", [[], [1, 1], [-1], "x", None, [[1]], True, range(20), float("nan"), [1e-2, "x"]])
    def test_what_is_no_tolerance_is_refused(self, wrong):
        cases.refused(lambda: measures.steps_to_reach(wrong), (TypeError, ValueError), "steps_to_reach: tolerance")

    def test_it_needs_a_known_minimum(self):
        with pytest.raises(ValueError, match="measure: steps_to_reach needs the loss of the lowest minimum"):
            gdfast.Sweep("saddle", "gd", [0.1], [[1.0, 1.0]], measure=measures.steps_to_reach())
