"""Hyperparameters as axes: of sweeps, of results and of maps."""

import cases
import numpy as np
import pytest
from typer.testing import CliRunner

import gdfast
from gdfast import optimizers, plot, problems, schedules, store, theory
from gdfast.cli import app
from gdfast.kernels.fuse import step_kernel
from gdfast.plot.panels import panels
from gdfast.tiles.outcomes import Outcome

QUADRATIC = cases.least_squares([[1.0]], [1.0])  # ½(x − 1)²
QUARTIC = problems.quartic()


def test_a_grid_is_the_product_of_its_axes_the_last_fastest():
    made = optimizers.grid(optimizers.adam, beta1=[0.5, 0.9], eps=1e-4, beta2=np.array([0.8, 0.95, 0.99]))
    assert [(o.parameters["beta1"], o.parameters["beta2"]) for o in made] == [
        (a, b) for a in (0.5, 0.9) for b in (0.8, 0.95, 0.99)
    ]
    assert {o.parameters["eps"] for o in made} == {1e-4}
    flags = optimizers.grid(optimizers.adam, amsgrad=np.array([False, True]))
    assert [o.parameters["amsgrad"] for o in flags] == [False, True]
    assert [o.label for o in optimizers.grid(optimizers.gd)] == ["gd"]
    whole = optimizers.grid(optimizers.ademamix, warmup=range(0, 20, 10))
    assert [o.parameters["warmup"] for o in whole] == [0.0, 10.0]


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: optimizers.grid("momentum", momentum=[0.5]), TypeError, ["grid: factory", "'momentum'"]),
        (lambda: optimizers.grid(optimizers.Optimizer), TypeError, ["grid: factory", "Optimizer"]),
        (lambda: optimizers.grid(schedules.step, gamma=[0.1]), TypeError, ["grid: factory", "schedule step"]),
        (lambda: optimizers.grid(optimizers.momentum, momentum=[]), ValueError, ["grid: momentum", "at least one"]),
        (lambda: optimizers.grid(optimizers.momentum, momentum=np.ones((2, 2))), ValueError, ["(n,)", "(2, 2)"]),
        (lambda: optimizers.grid(optimizers.momentum, momentum=[0.5, 1.0]), ValueError, ["momentum", "[0, 1)", "1"]),
        (lambda: optimizers.grid(optimizers.momentum, momentun=[0.5]), ValueError, ["'momentun'", "did you mean"]),
    ],
)
def test_bad_grids_are_refused_in_one_sentence(call, kind, words):
    cases.refused(call, kind, *words)


def test_variants_of_one_rule_share_one_kernel():
    made = optimizers.grid(optimizers.momentum, momentum=np.linspace(0, 0.99, 256))
    assert len({id(step_kernel(QUARTIC, optimizer)) for optimizer in made}) == 1


def test_a_result_has_a_coordinate_for_each_hyperparameter_in_which_its_optimizers_differ(tmp_path):
    chosen = [
        optimizers.gd(),
        *optimizers.grid(optimizers.momentum, momentum=[0.5, 0.8]),
        optimizers.rmsprop(eps=1e-3, centered=True),
        optimizers.rmsprop().scheduled(schedules.cosine()),
    ]
    sweep = gdfast.Sweep(QUARTIC, chosen, [0.01, 0.1], [[1.0]], 20)
    result = gdfast.run(sweep)
    for got in (result, gdfast.run(sweep, store=tmp_path / "run.zarr")):
        assert {name for name, c in got.coords.items() if c.dims == ("optimizer",)} == {
            *("optimizer", "rule", "momentum", "eps", "centered", "schedule")
        }
        assert got.rule.values.tolist() == ["gd", "momentum", "momentum", "rmsprop", "rmsprop"]
        np.testing.assert_array_equal(got.momentum, [np.nan, 0.5, 0.8, 0, 0])
        np.testing.assert_array_equal(got.eps, [np.nan, np.nan, np.nan, 1e-3, 1e-8])
        np.testing.assert_array_equal(got.centered, [np.nan, np.nan, np.nan, 1, 0])
        assert got.schedule.values.tolist() == ["", "", "", "", "cosine"]
        assert got.momentum.dtype == np.float64
        assert got.to_dataframe().query("momentum == 0.8").rule.unique().tolist() == ["momentum"]
        cases.assert_same(got, result)


def test_a_hyperparameter_named_like_a_variable_hides_nothing():
    def rule(theta, grad, lr, loss_, start, steps):
        return theta - lr * grad * steps * start

    @optimizers.named()
    def mine(start: float = 1.0, steps: float = 1.0) -> optimizers.Optimizer:
        return optimizers.Optimizer(rule, learning_rate=0.1, step_table=lambda t: {"loss_": t})

    chosen = optimizers.grid(mine, start=[0.5, 1.0], steps=[1.0, 2.0])
    result = gdfast.run(gdfast.Sweep(QUARTIC, chosen, [0.01], [[1.0]], 5), backend="numpy")
    assert result.optimizer_start.values.tolist() == [0.5, 0.5, 1, 1]
    assert result.optimizer_steps.values.tolist() == [1, 2, 1, 2]
    assert result.steps.dims == ("optimizer", "learning_rate", "start")


def test_the_heavy_balls_map_of_a_quadratic_has_the_edge_that_theory_says():
    h, beta = np.linspace(0.02, 4, 200), np.linspace(0, 0.99, 100)
    sweep = gdfast.Sweep(
        QUADRATIC, optimizers.grid(optimizers.momentum, momentum=beta), h, [[2.0]], 3000, divergence_limit=1e6
    )
    (panel,) = panels(gdfast.run(sweep), y="momentum")
    np.testing.assert_array_equal(panel.x.values, h)
    np.testing.assert_array_equal(panel.y.values, beta)
    diverged = panel.outcome == Outcome.diverged
    edge = theory.heavy_ball(1.0, beta)
    assert diverged[h[:, None] > edge + 0.02].all()
    assert not diverged[h[:, None] < edge - 0.02].any()
    assert diverged.any(axis=0).tolist() == (edge < 4).tolist()


RATES = np.geomspace(1e-3, 1, 12)


@pytest.fixture(scope="module")
def result():
    made = [*optimizers.grid(optimizers.adam, beta2=[0.9, 0.5, 0.99], beta1=np.linspace(0, 0.8, 5)), optimizers.gd()]
    return gdfast.run(gdfast.Sweep(QUARTIC, made, RATES, QUARTIC.grid(7), 100))


def most_frequent(outcomes):
    counts = [(np.sum(outcomes == o), int(o)) for o in Outcome]
    return max(counts)[1]


def test_a_map_shows_the_most_frequent_outcome_and_its_median_steps(result):
    shown = panels(result, y="beta1")
    assert [panel.title for panel in shown] == ["adam:beta2=0.9", "adam:beta2=0.5", "adam:beta2=0.99"]
    np.testing.assert_array_equal(shown[0].y.values, np.linspace(0, 0.8, 5))
    ties = 0
    for panel, beta2 in zip(shown, [0.9, 0.5, 0.99], strict=True):
        assert panel.trajectories == 7
        for j, beta1 in enumerate(panel.y.values):
            row = result.isel(optimizer=np.flatnonzero((result.beta1 == beta1) & (result.beta2 == beta2)))
            assert row.sizes["optimizer"] == 1
            for i in range(len(RATES)):
                cell = row.isel(optimizer=0, learning_rate=i)
                expected = most_frequent(cell.outcome.values)
                assert panel.outcome[i, j] == expected
                steps = np.sort(cell.steps.values[cell.outcome.values == expected])
                assert panel.steps[i, j] == steps[(len(steps) - 1) // 2]
                ties += np.sum([np.sum(cell.outcome.values == o) == len(steps) for o in Outcome]) > 1
    assert ties > 0


def test_both_axes_may_be_hyperparameters_at_a_chosen_rate_and_start(result):
    chosen = result.isel(learning_rate=6, start=2)
    (panel,) = panels(chosen, x="beta1", y="beta2")
    assert (panel.title, panel.trajectories) == ("adam", 1)
    assert panel.y.values.tolist() == [0.5, 0.9, 0.99]
    for i, beta1 in enumerate(panel.x.values):
        for j, beta2 in enumerate(panel.y.values):
            (cell,) = np.flatnonzero((result.beta1.values == beta1) & (result.beta2.values == beta2))
            assert panel.outcome[i, j] == chosen.outcome.values[cell]
            assert panel.steps[i, j] == chosen.steps.values[cell]
    turned = panels(chosen, x="beta2", y="beta1")[0]
    np.testing.assert_array_equal(turned.outcome, panel.outcome.T)
    whole = panels(result)
    assert len(whole) == 16
    np.testing.assert_array_equal(whole[-1].outcome, result.outcome.values[-1])
    np.testing.assert_array_equal(panels(result, x="start", y="learning_rate")[-1].outcome, whole[-1].outcome.T)


def test_what_is_missing_in_a_product_is_left_white(result):
    holes = result.isel(optimizer=[0, 1, 5])
    (panel,) = panels(holes, x="beta1", y="beta2")
    assert (panel.outcome == Outcome.not_run).tolist() == [[False, False], [True, False]]
    assert plot.outcome_image(holes, x="beta1", y="beta2").shape == (2, 2, 3)


def test_axes_are_logarithmic_where_their_values_are():
    made = optimizers.grid(optimizers.adam, eps=np.geomspace(1e-8, 1e-2, 7), beta1=[0.5, 0.8])
    result = gdfast.run(gdfast.Sweep(QUARTIC, made, np.linspace(0.01, 0.1, 5), [[1.0]], 20))
    first, _ = panels(result, y="eps")
    assert (first.x.logarithmic, first.y.logarithmic) == (False, True)
    assert panels(result, y="beta1")[0].y.logarithmic is False
    figure = plot.maps(result, y="eps", limits={"adam:beta1=0.5": [0.05, lambda eps: 0.02 + eps]})
    lines = figure.axes[0].lines
    np.testing.assert_allclose(lines[0].get_xdata(), [0.05, 0.05])
    np.testing.assert_allclose(lines[2].get_xdata(), 0.02 + np.geomspace(1e-8, 1e-2, 7))
    np.testing.assert_allclose(lines[2].get_ydata(), np.arange(-8, -1))


def test_panels_of_different_axes_are_not_drawn_on_shared_ones():
    made = [
        *optimizers.grid(optimizers.momentum, momentum=np.linspace(0, 0.9, 4)),
        *optimizers.grid(optimizers.nesterov, momentum=np.geomspace(0.01, 0.5, 5)),
    ]
    result = gdfast.run(gdfast.Sweep(QUARTIC, made, RATES, [[1.0]], 20))
    linear, logarithmic = plot.maps(result, y="momentum").axes
    np.testing.assert_allclose(linear.get_ylim(), [-0.15, 1.05])
    np.testing.assert_allclose(np.mean(logarithmic.get_ylim()), np.log10(0.01 * 0.5) / 2)


@pytest.mark.slow
@pytest.mark.parametrize("quantity", ["outcome", "steps"])
def test_every_column_of_panels_has_its_labels(result, quantity):
    figure = plot.maps(result.isel(optimizer=range(4)), quantity)
    shown = [(ax.xaxis.label.get_visible(), ax.yaxis.label.get_visible()) for ax in figure.axes[:4]]
    assert shown == [(False, True), (True, False), (True, False), (True, True)]


def variants(n):
    made = optimizers.grid(optimizers.momentum, momentum=np.linspace(0, 0.9, n))
    return gdfast.run(gdfast.Sweep(QUARTIC, made, [0.1], [[1.0]], 2))


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda r: plot.maps(r, y="beta"), ["y 'beta'", "did you mean", "learning_rate, start, beta1, beta2"]),
        (lambda r: plot.maps(r, x="start"), ["two axes", "start twice"]),
        (lambda r: plot.outcome_map(r, y="beta1"), ["optimizer must be one of adam:beta2=0.9"]),
        (lambda r: plot.outcome_map(r, "gd", y="beta1"), ["optimizer 'gd'", "adam:beta2=0.5"]),
        (lambda r: plot.maps(variants(145)), ["at most 144 panels, not 145", "x or y"]),
        (lambda r: plot.maps(r.isel(optimizer=[0, 0, 1]), y="beta1"), ["several optimizers 'adam:beta2=0.9'"]),
    ],
)
def test_maps_refuse_in_one_sentence(result, call, words):
    with pytest.raises(ValueError, match=r"^[^\n]+$") as error:
        call(result)
    assert all(word in str(error.value) for word in words), str(error.value)


def test_an_axis_goes_through_the_command_line(tmp_path):
    def gdfast_command(*arguments):
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        return done.exit_code, done.output

    rest = ["--problem", "quartic", "--lr", "linear:0.01:0.3:9", "--start", "log:0.5:2:3", "--max-steps", 50]
    rules = ["--optimizer", "momentum:momentum=0:0.96:4,dampening=0.5/0.1", "--optimizer", "adam:eps=log:1e-8:1e-2:3"]
    code, output = gdfast_command("sweep", *rest, *rules, "--out", tmp_path / "run.zarr")
    assert code == 0, output
    chosen = [
        *optimizers.grid(optimizers.momentum, momentum=np.linspace(0, 0.96, 4), dampening=[0.5, 0.1]),
        *optimizers.grid(optimizers.adam, eps=np.geomspace(1e-8, 1e-2, 3)),
    ]
    sweep = gdfast.Sweep(QUARTIC, chosen, np.linspace(0.01, 0.3, 9), np.geomspace(0.5, 2, 3)[:, None], 50)
    expected, got = gdfast.run(sweep), store.read(tmp_path / "run.zarr")
    cases.assert_same(got, expected)
    assert got.optimizer.values.tolist() == expected.optimizer.values.tolist()
    picture = tmp_path / "map.png"
    shown = ["--x", "learning_rate", "--y", "momentum", "--at", "start=1", "--optimizer", "momentum:dampening=0.1"]
    code, output = gdfast_command("map", tmp_path / "run.zarr", *shown, "-o", picture)
    assert code == 0, output
    assert picture.stat().st_size > 5000
    for wrong, words in (
        (["--y", "momentun"], "did you mean momentum"),
        (["--y", "momentum", "--at", "beta=1"], "at 'beta'"),
        (["--y", "momentum", "--at", "start=x"], "at: start"),
    ):
        code, output = gdfast_command("map", tmp_path / "run.zarr", *wrong, "-o", picture)
        assert (code, words in output, output.count("\n")) == (2, True, 1), output
    code, output = gdfast_command("sweep", *rest, "--optimizer", "momentum:momentum=0:1:4", "--out", tmp_path / "x")
    assert (code, "momentum: momentum must be a number in [0, 1)" in output) == (2, True), output
    code, output = gdfast_command("sweep", *rest, "--optimizer", "momentum:momentum=0:1", "--out", tmp_path / "x")
    assert (code, "low:high:count" in output) == (2, True), output
