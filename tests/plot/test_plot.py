"""Every kind of figure draws what the result says, onto the axes that it is given."""

import numpy as np
import pytest
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.figure import Figure

import gdfast
from gdfast import analysis, optimizers, plot, problems
from gdfast.plot.panels import panels, pixels
from gdfast.plot.style import BASIN_COLOURS
from gdfast.tiles.outcomes import Outcome


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(scope="module")
def result():
    sweep = gdfast.Sweep(
        problems.quartic(),
        [optimizers.gd(), optimizers.momentum(momentum=0.9)],
        np.geomspace(1e-3, 1, 20),
        np.linspace(-4, 4, 15)[:, None],
        300,
    )
    return gdfast.run(sweep, backend="numpy", keep_theta=True, progress=False)


@pytest.fixture(scope="module")
def plane():
    problem = problems.himmelblau()
    sweep = gdfast.Sweep(problem, optimizers.gd(), [0.005], problem.grid(9), 500)
    return gdfast.run(sweep, backend="numpy", progress=False)


def paths(problem, start, rate):
    return {o.label: gdfast.trajectory(problem, o, start, rate, 50) for o in (optimizers.gd(), optimizers.momentum())}


def test_each_kind_returns_the_axes_that_it_was_given(result, plane, ax):
    one = result.isel(optimizer=[0])
    drawn = [
        plot.outcome_map(one, ax=ax),
        plot.steps_map(one, ax=ax, colorbar=False),
        plot.basin_map(plane, ax=ax),
        plot.delta_map(analysis.delta(one, one), ax=ax),
        plot.trajectory(paths(problems.quartic(), 1.5, 0.05), problems.quartic(), ax),
        plot.loss_curves(paths(problems.quartic(), 1.5, 0.05), ax),
        plot.ecdf(result, ax),
        plot.profile({"quartic": result}, ax),
        plot.lr_sensitivity(result, ax),
        plot.bifurcation(one, ax),
    ]
    assert all(each is ax for each in drawn)


@pytest.mark.parametrize("above", [None, 0.0])
def test_what_diverges_hides_nothing_of_what_does_not(above, ax):
    rates = {"slow": 0.01, "far": 1.2}
    runs = {name: gdfast.trajectory(problems.quadratic(), "gd", [1.0, 1.0], rate, 60) for name, rate in rates.items()}
    assert runs["far"].attrs["outcome"] == "diverged"
    bottom, top = plot.loss_curves(runs, ax, above=above).get_ylim()
    loss = runs["slow"].loss.values
    assert bottom <= loss.min() < loss.max() <= top
    assert top < 20 * loss.max()
    bottom, top = plot.loss_curves({"far": runs["far"]}, Figure().subplots(), above=above).get_ylim()
    assert top > runs["far"].loss.values[np.isfinite(runs["far"].loss.values)].max() / 2  # there is nothing else
    film = plot.race([*runs.values()], problems.from_expression("x + 0*y", (-2, 2)), frames=2)
    assert film.figure.axes[1].get_ylim()[1] < 20 * loss.max()


def test_losses_are_drawn_in_whatever_units_they_have(ax):
    path = gdfast.trajectory(problems.from_expression("1e-20*x**2"), "gd", [1.0], 2e19, 20)
    drawn = plot.loss_curves(path, ax, above=0.0).lines[0].get_ydata()
    np.testing.assert_array_equal(drawn, path.loss.values)


def test_what_arrives_at_the_end_of_the_budget_is_within_the_axes(result, ax):
    plot.ecdf(result, ax)
    assert ax.get_xlim()[1] > 300


@pytest.mark.parametrize("rates", [[0.02], [0.02, 0.02]])
def test_what_is_known_at_one_rate_alone_is_seen(rates, ax):
    result = gdfast.sweep("quartic", "gd", rates, [-2.0, -1.0], max_steps=200, backend="numpy")
    (line,) = plot.lr_sensitivity(result, ax).lines
    assert line.get_marker() != "None"
    assert line.get_markevery() == [*range(len(rates))]


def test_a_map_alone_tells_of_which_optimizer_it_is(result, plane, ax):
    one = result.isel(optimizer=[1])
    change = analysis.delta(one, one)
    for drawn in (plot.outcome_map(one), plot.steps_map(one), plot.delta_map(change)):
        assert drawn.get_title() == "momentum"
    for drawn in (plot.outcome_map(one, ax=ax), plot.steps_map(one, ax=ax), plot.delta_map(change, ax=ax)):
        assert drawn.get_title() == ""  # whoever has axes of their own titles them


def test_coordinates_of_the_starts_are_axes(plane):
    (panel,) = panels(plane, "x", "y")
    assert (panel.x.label, panel.y.label) == ("start x", "start y")
    assert panel.trajectories == 1
    for i, j in ((0, 0), (3, 7), (8, 2)):
        at = (plane.start_point.values == [panel.x.values[i], panel.y.values[j]]).all(axis=1)
        assert panel.outcome[i, j] == plane.outcome.values[0, 0, at][0]
    with pytest.raises(ValueError, match="x 'z'"):
        panels(plane, "z", "y")


def test_numeric_labels_of_starts_are_axes():
    problem = problems.mlp((2, 3, 1))
    starts = problem.starts(init="he_normal", seeds=[3, 5, 9])
    network = gdfast.run(gdfast.Sweep(problem, optimizers.gd(), [0.01, 0.1], starts, 5), backend="numpy")
    (panel,) = panels(network, y="seed")
    assert panel.y.values.tolist() == [3, 5, 9]


def test_a_basin_map_shows_the_minimum_of_each_start(plane, ax):
    plot.basin_map(plane, ax=ax)
    image = ax.images[0]
    shown = image.cmap(image.norm(image.get_array()))[..., :3]
    basin = pixels(plane, "basin", "x", "y").T
    assert set(np.unique(basin)) >= {0, 1, 2, 3}
    for j, i in np.argwhere(basin >= 0):
        assert shown[j, i] == pytest.approx(to_rgb(BASIN_COLOURS[basin[j, i]]))


def test_a_basin_map_asks_for_one_trajectory_a_pixel(result):
    with pytest.raises(ValueError, match="select one"):
        pixels(result, "basin", "learning_rate", "start")


def test_a_delta_map_shows_the_changes(result, ax):
    difference = analysis.delta(result.isel(optimizer=[0]), result.isel(optimizer=[1]))
    plot.delta_map(difference, ax=ax)
    np.testing.assert_array_equal(ax.images[0].get_array(), difference.change.values[0].T)
    assert {1, 2} <= set(np.unique(difference.change))  # some are rescued, some broken
    titles = [axes.get_title() for axes in plot.delta_maps(analysis.delta(result, result)).axes]
    assert titles == ["gd", "momentum"]


@pytest.mark.slow
def test_trajectories_are_drawn_over_curve_and_contours(ax):
    plot.trajectory(paths(problems.quartic(), 1.5, 0.05), problems.quartic(), ax)
    curve, path = ax.lines[0], ax.lines[1]
    np.testing.assert_allclose(curve.get_ydata(), problems.quartic().loss(np.array([curve.get_xdata()])))
    assert path.get_xdata()[0] == 1.5
    other = Figure().subplots()
    plot.trajectory(paths(problems.himmelblau(), [0.0, 0.0], 0.01), problems.himmelblau(), other)
    stars = [line for line in other.lines if line.get_marker() == "*"]
    assert len(stars) == 4
    with pytest.raises(ValueError, match="one or two coordinates"):
        plot.trajectory({}, problems.rosenbrock(dimension=3), ax)


def test_paths_are_labelled_by_what_they_differ_in(ax):
    def path(rule, start, rate):
        return gdfast.trajectory("quartic", rule, start, rate, 5)

    a, faster, other = path("gd", 1.0, 0.01), path("gd", 1.0, 0.02), path("adam", -1.0, 0.01)
    for paths, labels in (
        ([a], ["gd"]),
        ([a, faster], ["η = 0.01", "η = 0.02"]),
        ([a, other], ["gd, start 1", "adam, start -1"]),
        ([a, a, faster, a], ["η = 0.01", "η = 0.01 #2", "η = 0.02", "η = 0.01 #3"]),
    ):
        ax.clear()
        plot.loss_curves(paths, ax=ax)
        assert [line.get_label() for line in ax.lines] == labels


def test_sensitivity_is_the_share_that_reaches(result, ax):
    plot.lr_sensitivity(result, ax)
    share = (result.outcome == int(Outcome.global_minimum)).mean("start").values
    for line, expected in zip(ax.lines, share, strict=True):
        np.testing.assert_allclose(line.get_ydata(), expected)


@pytest.mark.parametrize("quantity", ["loss", "steps"])
def test_sensitivity_of_loss_and_steps_is_a_median(result, ax, quantity):
    plot.lr_sensitivity(result, ax, quantity=quantity)
    good = (result.outcome == int(Outcome.global_minimum)).values
    values = np.where(good if quantity == "steps" else np.isfinite(result.loss), result[quantity], np.nan)
    got = ax.lines[0].get_ydata()
    for row, drawn in zip(values[0], got, strict=True):
        if np.isfinite(drawn) and np.isfinite(row).all():
            assert drawn == np.sort(row)[len(row) // 2]
    assert np.isfinite(got).any()
    with pytest.raises(ValueError, match="quantity 'speed'"):
        plot.lr_sensitivity(result, ax, quantity="speed")


def test_an_ecdf_ends_at_the_share_that_reaches(result, ax):
    plot.ecdf(result, ax, rates="random")
    share = (result.outcome == int(Outcome.global_minimum)).mean(("learning_rate", "start")).values
    assert [line.get_ydata()[-1] for line in ax.lines] == pytest.approx(share.tolist())


def test_a_bifurcation_diagram_has_the_orbits(ax):
    rates = np.linspace(0.13, 0.17, 9)

    def sweep(budget):
        return gdfast.Sweep(problems.quartic(), optimizers.gd(), rates, [[1.5]], budget)

    orbit = gdfast.run_over({"budget": range(1500, 1504)}, sweep, backend="numpy", keep_theta=True)
    plot.bifurcation(orbit, ax)
    x, y = ax.lines[0].get_data()
    counts = {float(rate): len(np.unique(np.round(y[x == rate], 6))) for rate in rates}
    limit = gdfast.theory.gd(13.5796)
    assert all(counts[r] == (1 if r < limit else 2) for r in counts)
    with pytest.raises(ValueError, match="keep_theta"):
        plot.bifurcation(orbit.drop_vars("theta"), ax)
    with pytest.raises(ValueError, match="optimizer 'adma'"):
        plot.bifurcation(orbit, ax, optimizer="adma")


@pytest.mark.sampled(1)
@pytest.mark.parametrize("quantity", ["loss", "excess", "gradient_norm", "period", "measure"])
def test_maps_of_numbers_show_medians_and_one_scale(quantity):
    measure = gdfast.measures.steps_to_reach(1e-2) if quantity == "measure" else None
    rules = [optimizers.gd(), *optimizers.grid(optimizers.momentum, momentum=[0.3, 0.9])]
    sweep = gdfast.Sweep("quartic", rules, np.geomspace(1e-3, 1, 17), np.linspace(-4, 4, 9), 200, measure=measure)
    result = gdfast.run(sweep, backend="numpy", progress=False)
    values = analysis.excess(result) if quantity == "excess" else result[quantity]
    *drawn_on, bar = plot.maps(result, quantity).axes
    assert len(drawn_on) == 3
    assert bar.get_ylabel().endswith("(grey: dark diverged)")
    for i, ax in enumerate(drawn_on):
        image = ax.images[-1]
        assert image.norm is drawn_on[0].images[-1].norm
        drawn, expected = image.get_array().T, values.values[i]
        shown = (result.outcome.values[i] != Outcome.diverged) & np.isfinite(expected)
        np.testing.assert_array_equal(~np.ma.getmaskarray(drawn), shown)
        least = image.norm.vmin if isinstance(image.norm, LogNorm) else -np.inf
        np.testing.assert_allclose(drawn[shown], np.maximum(expected, least)[shown])
    few = result.isel(start=slice(3))
    image = plot.maps(few, quantity, y="momentum", optimizers=["momentum"]).axes[0].images[-1]
    middle = np.sort(values.values[1:, :, :3], axis=2)
    finite = np.isfinite(middle).all(axis=2) & ~np.ma.getmaskarray(image.get_array())
    least = image.norm.vmin if isinstance(image.norm, LogNorm) else -np.inf
    np.testing.assert_allclose(image.get_array()[finite], np.maximum(middle[..., 1], least)[finite])


def test_maps_of_excess_need_a_known_minimum():
    result = gdfast.run(gdfast.Sweep("saddle", "gd", [0.1], [[1.0, 1.0]], 5), backend="numpy")
    with pytest.raises(ValueError, match="lowest_loss and loss_scale"):
        plot.maps(result, "excess")
    with pytest.raises(ValueError, match="result must have measure"):
        plot.maps(result, "measure")


@pytest.mark.slow
def test_maps_hatch_what_leaves_again(ax, tmp_path):
    rates, starts = np.geomspace(1e-3, 0.1, 5), np.linspace(-2, 2, 9)
    sweep = gdfast.Sweep("quartic", ["gd", "rmsprop"], rates, starts, 500)
    result = gdfast.run(sweep, progress=False)
    leaves = analysis.leaves(result).values
    assert leaves[1].any()
    figure = plot.maps(result)
    assert [len(ax.images) for ax in figure.axes] == [1, 2]
    hatching = figure.axes[1].images[1].get_array()
    ny, nx = (size // len(axis) for size, axis in zip(hatching.shape[:2], (starts, rates), strict=True))
    dark = hatching[..., 3].reshape(len(starts), ny, len(rates), nx).max(axis=(1, 3)) > 0
    np.testing.assert_array_equal(dark.T, leaves[1])
    assert [text.get_text() for text in figure.legends[0].get_texts()][-1] == "leaves again"
    uneven = gdfast.run(sweep.replace(learning_rates=[1e-3, 2e-3, 0.05]), progress=False)
    plot.outcome_map(uneven, "rmsprop", ax)
    assert len(ax.collections) == 2
    ax.get_figure().savefig(tmp_path / "map.png")
    assert not plot.maps(result.isel(optimizer=[0])).axes[0].images[1:]


def test_what_diverged_has_no_end_in_a_bifurcation_diagram(result, ax):
    one = result.isel(optimizer=[0])
    plot.bifurcation(one, ax)
    ends = one.theta.values[0, :, :, 0][one.outcome.values[0] != Outcome.diverged]
    assert sorted(ax.lines[0].get_ydata()) == sorted(ends)
    assert np.abs(one.theta.values[np.isfinite(one.theta.values)]).max() > 10 * np.abs(ends).max()


def test_points_that_have_no_neighbour_are_marked(result, ax):
    plot.lr_sensitivity(result.isel(learning_rate=[7]), ax)
    assert [line.get_markevery() for line in ax.lines] == [[0], [0]]
    assert len({line.get_marker() for line in ax.lines}) == 2
    assert [text.get_text() for text in ax.get_xticklabels()] == [f"{float(result.learning_rate[7]):.3g}"]
    other = Figure().subplots()
    plot.lr_sensitivity(result, other)
    assert [line.get_marker() for line in other.lines] == ["None", "None"]
    assert other.get_ylim() == ax.get_ylim() == (-0.02, 1.02)


def test_the_band_of_a_point_without_neighbours_is_a_line(ax):
    loss = [[[1.0, 2.0, 3.0], [1.0, 2.0, np.inf], [np.inf] * 3, [4.0, 5.0, 6.0]]]
    sweep = gdfast.Sweep("quartic", "gd", [0.01, 0.02, 0.03, 0.04], [0.5, 1.0, 1.5], 5)
    result = gdfast.run(sweep, backend="numpy", progress=False)
    plot.lr_sensitivity(result.assign(loss=result.loss.copy(data=loss)), ax, quantity="loss")
    assert ax.lines[0].get_markevery() == [3]
    (band,) = ax.collections[1].get_segments()
    np.testing.assert_allclose(band, [[0.04, 4.0], [0.04, 5.0]])


def test_few_values_have_a_tick_each(ax):
    def ticks(starts, rates):
        ax.clear()
        result = gdfast.sweep("quartic", "gd", rates, starts, max_steps=5, backend="numpy")
        plot.outcome_map(result, ax=ax)
        return ax.get_yticks().tolist(), [text.get_text() for text in ax.get_yticklabels()]

    assert ticks([1.0], [0.1, 0.2]) == ([1.0], ["1"])
    assert ticks([-4.0, 4.0], [0.1]) == ([-4.0, 4.0], ["−4", "4"])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0.1"]
    assert len(ticks(np.linspace(-1, 1, 5), [0.1])[0]) > 5  # those of matplotlib
    assert ticks([0.0, 0.01, 4.0], [0.1])[0] != [0.0, 0.01, 4.0]  # two of which would stand upon each other


@pytest.mark.parametrize(
    ("rates", "words"), [("best", "best rate"), ("default", "default rate"), ("random", "all rates")]
)
def test_figures_of_some_rates_say_of_which(result, ax, rates, words):
    for draw in (plot.ecdf, lambda result, ax, **of: plot.profile({"quartic": result}, ax, **of)):
        ax.clear()
        assert words in draw(result, ax, rates=rates).get_xlabel()
    recorded = gdfast.sweep("quartic", "gd", "0.01:0.1:3", [1.0], max_steps=9, backend="numpy", history="loss:4")
    assert words in plot.history_curves(recorded, rates=rates).get_xlabel()


def test_a_basin_map_of_its_own_tells_optimizer_and_rate(plane, result, ax):
    assert plot.basin_map(plane).get_title() == "gd, rate 0.005"
    assert plot.basin_map(result, "gd").get_title() == "gd"  # the rate is an axis
    assert plot.basin_map(plane, title="mine").get_title() == "mine"
    assert plot.basin_map(plane, ax=ax).get_title() == ""


def test_curves_leave_the_range_of_axes_that_hold_something():
    def run(rate):
        return gdfast.trajectory("quartic", "gd", 1.0, rate, 20)

    ax = Figure().subplots()
    ax.set_yscale("log")
    plot.loss_curves([run(0.01)], ax=ax)
    ax.plot([0, 20], [1.0, 1e30])
    before = ax.get_ylim()
    plot.loss_curves([run(0.01), run(0.5)], ax=ax)
    assert ax.get_ylim()[1] >= before[1]
    alone = plot.loss_curves([run(0.01), run(0.5)], ax=Figure().subplots())
    assert alone.get_ylim()[1] < 1e3
