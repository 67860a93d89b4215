"""Figures of histories show what was recorded."""

import cases
import numpy as np
import pytest
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

import gdfast
from gdfast import analysis, plot, problems

RATES = np.geomspace(1e-3, 1, 12)


@pytest.fixture(scope="module")
def result():
    history = "loss,lowest_loss,gradient_norm,distance,sharpness,theta:16"
    sweep = gdfast.Sweep("quartic", ["gd", "momentum"], RATES, np.linspace(-3, 3, 9), 200, history=history)
    return gdfast.run(sweep, backend="numpy", progress=False)


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.mark.parametrize("rates", ["best", "default", "random"])
def test_curves_are_medians_and_quantiles_by_optimizer(result, ax, rates):
    defaults = {"gd": 0.01, "momentum": 0.001}
    assert plot.history_curves(result, ax, quantity="loss", rates=rates, defaults=defaults) is ax
    for line, (label, panel) in zip(ax.lines, analysis.at_rates(result, rates, defaults), strict=True):
        values = panel.history_loss.values.reshape(-1, 16)
        np.testing.assert_array_equal(line.get_xdata(), result.recorded_step)
        expected = np.quantile(values, 0.5, axis=0, method="lower")
        np.testing.assert_array_equal(line.get_ydata(), np.where(np.isfinite(expected), expected, np.nan))
        assert line.get_label() == label
    assert len(ax.collections) == 2


def test_the_excess_is_drawn_on_a_logarithmic_axis(result, ax):
    plot.history_curves(result, ax, quantity="excess")
    ((_, panel), *_) = analysis.at_rates(result, "best")
    lowest, unit = (result.attrs[name] for name in ("lowest_loss", "loss_scale"))
    middle = np.median(panel.history_loss.values[0], axis=0)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.maximum((middle - lowest) / unit, 1e-17), rtol=1e-12)
    assert ax.get_yscale() == "log"


def test_sharpness_stands_beside_the_edge_of_its_learning_rate(result, ax):
    plot.history_curves(result, ax, quantity="sharpness")
    dotted = [line for line in ax.lines if line.get_linestyle() == ":"]
    best = analysis.best_rates(result)["best rate"]
    assert [line.get_ydata()[0] for line in dotted] == [2 / best["gd"], 3.8 / best["momentum"]]
    plot.history_curves(result, other := Figure().subplots(), quantity="sharpness", rates="random")
    assert not [line for line in other.lines if line.get_linestyle() == ":"]


@pytest.mark.parametrize("quantity", ["excess", "loss", "distance", "sharpness"])
def test_an_image_has_the_medians_of_what_did_not_diverge(result, ax, quantity):
    shuffled = result.isel(learning_rate=np.random.default_rng(0).permutation(len(RATES)))
    assert plot.history_map(shuffled, "gd", ax, quantity=quantity) is ax
    (mesh,) = ax.collections
    image = np.ma.filled(mesh.get_array(), np.nan)
    assert image.shape == (len(RATES), 16)
    stays = result.outcome.values[0] != 6
    if quantity != "excess":
        for row, values, of_rate in zip(image, result[f"history_{quantity}"].values[0], stays, strict=True):
            expected = np.quantile(values[of_rate], 0.5, axis=0, method="lower") if of_rate.mean() >= 0.5 else np.nan
            np.testing.assert_array_equal(row, np.broadcast_to(expected, row.shape))
    assert np.isnan(image).all(axis=1).any()
    assert isinstance(mesh.norm, LogNorm) or quantity in ("loss", "sharpness")


def test_maps_show_what_was_recorded_at_the_nearest_step(result):
    figure = plot.maps(result, "loss at step 3")
    (image,) = figure.axes[0].images[1:]
    number = int(np.flatnonzero(result.recorded_step.values == 3)[0])
    expected = result.history_loss.values[0, :, :, number].T
    shown = image.get_array()
    np.testing.assert_array_equal(shown[~shown.mask], expected[~shown.mask])
    labels = [ax.get_ylabel() for ax in plot.maps(result, "excess at step 1000").axes]
    assert any("after 200 steps" in label for label in labels)


def test_ends_of_rows_held_out_are_maps():
    problem = problems.softmax_regression(validation=0.3)
    sweep = gdfast.Sweep(
        problem, "gd", np.geomspace(1e-2, 10, 5), problem.random(4), 20, history="validation_accuracy:4"
    )
    result = gdfast.run(sweep, backend="numpy", progress=False)
    for quantity in ("accuracy", "validation_loss", "validation_accuracy", "validation_accuracy at step 20"):
        assert plot.maps(result, quantity).axes
    ax = plot.history_curves(result, Figure().subplots(), quantity="validation_accuracy", rates="random")
    assert ax.get_yscale() == "linear"
    ax = plot.lr_sensitivity(result, Figure().subplots(), quantity="validation_accuracy")
    np.testing.assert_array_equal(
        ax.lines[0].get_ydata(), np.quantile(result.validation_accuracy[0], 0.5, 1, method="lower")
    )


def test_what_was_not_recorded_is_refused_in_a_sentence(result, ax):
    for draw in (plot.history_curves, plot.history_map):
        cases.refused(lambda draw=draw: draw(result, ax=ax, quantity="nix"), ValueError, "quantity", "nix")
        cases.refused(lambda draw=draw: draw(result, ax=ax, quantity="theta"), ValueError, "quantity", "theta")
        cases.refused(lambda draw=draw: draw(result, ax=ax, quantity="accuracy"), ValueError, "history='accuracy'")
    cases.refused(lambda: plot.history_map(result, ax=ax), ValueError, "optimizer", "gd, momentum")
    bare = result.drop_dims("recorded_step")
    cases.refused(lambda: plot.maps(bare, "loss at step 3"), ValueError, "history_loss", "history='loss'")
