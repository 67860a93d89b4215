"""The chapter at the edge: what its tables say of runs, and that it can be built."""

import numpy as np
import pandas as pd
import pytest
import xarray

from gdfast import optimizers, report
from gdfast.report.chapters.edge_maps import every_optimizer
from gdfast.report.lab import Lab
from gdfast.report.sharpening import MARGINS, at_edge, network, standardized


def trainings(sharpness, last=0.5):
    """Trainings of gd at the rate 1 that had these sharpnesses."""
    sharpness = np.array(sharpness, dtype=float)
    k = sharpness.shape[1]
    loss = np.ones_like(sharpness)
    loss[:, -1] = last
    axes = ("optimizer", "learning_rate", "start", "recorded_step")
    told = {"history_preconditioned_sharpness": sharpness, "history_loss": loss}
    return xarray.Dataset(
        {name: (axes, values[None, :, None]) for name, values in told.items()},
        {"optimizer": ["gd"], "learning_rate": np.ones(len(sharpness)), "recorded_step": np.arange(k)},
        {"edge": 2.0},
    )


def test_only_what_reached_the_edge_in_time_has_a_verdict():
    held, fell, late, began_beyond = (
        [0.5, 1.2, 2.0, 2.1, 2.0, 2.0],
        [0.5, 1.9, 1.9, 1.0, 1.0, 1.0],
        [0.5, 0.6, 0.7, 1.8, 2.0, 2.0],
        [5.0, 1.0, 1.2, 1.3, 1.4, 1.5],
    )
    table = at_edge(trainings([held, fell, late, began_beyond]), "mine")
    assert table["verdict"].tolist() == ["met", "not met", "", ""]
    assert table["reached at step"].tolist()[:3] == [2, 1, 4]
    assert at_edge(trainings([held], np.inf), "mine")["verdict"].tolist() == [""]


def test_margins_are_those_of_the_papers_edges():
    assert MARGINS["gd"] == (1.9, 2.2)
    for label, edge in (("momentum", 3.8), ("nesterov", 3.8 / 2.8), ("adam", 38.0)):
        assert np.mean(MARGINS[label]) == pytest.approx(edge)


def test_sets_are_standardized_and_networks_fit_them():
    X, y = standardized("digits", 100)
    np.testing.assert_allclose([*X.mean(axis=0), y.mean()], 0, atol=1e-12)
    np.testing.assert_allclose([*X.std(axis=0), y.std()], 1)
    assert network("digits", (4,), rows=100).loss_scale == pytest.approx(1.0)
    assert network("diabetes", (4,), loss="cross_entropy").has_classes


@pytest.mark.slow
def test_the_chapter_is_built_where_it_is_named(tmp_path):
    made, failures = report.build(tmp_path, True, ["at-the-edge"], chosen=[optimizers.gd(), optimizers.adam()])
    assert failures == []
    assert "At the edge" in made.read_text()
    table = pd.read_csv(tmp_path / "every-optimizer.csv")
    np.testing.assert_allclose(table["edge"], [2, 38], rtol=1e-6)
    assert (table["beyond it"] <= table["within 25 % of the edge"]).all()
    table = pd.read_csv(tmp_path / "mini-batches.csv")
    assert (np.diff(table["sharpness × η of all rows"]) < 0).all()


def test_optimizers_that_need_what_no_network_has_are_left_out_of_the_maps_and_named():
    (section,) = every_optimizer(Lab(quick=True, chosen=(optimizers.gd(), optimizers.newton())))
    assert section.table["optimizer"].tolist() == ["gd"]
    assert any("newton" in str(text) for text in section.text)
