"""The tuning of data: its losses against a plain loop, edges, ties, what is recognized, what is refused."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import gdfast
from gdfast import data, optimizers, problems
from gdfast.optimizers import Optimizer

RNG = np.random.default_rng(5)
X = RNG.normal(size=(60, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.3 * RNG.normal(size=60)
TABLE = pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=Y)
SMALL = {"batch_sizes": [0], "seeds": 2, "max_steps": 64}


def slow_rule(theta, grad, lr):
    """Gradient descent with a rate in small units."""
    return theta - lr * 1e-6 * grad


@pytest.fixture(scope="module")
def found():
    return gdfast.tune(TABLE, "y", optimizers=["gd", "momentum", "adam"], **SMALL)


def test_the_loss_is_that_of_a_plain_loop_over_steps_that_double(found):
    best = found.table.set_index("optimizer").loc["gd"]
    curves = []
    for seed in range(2):
        problem = problems.linear_regression(TABLE, target="y", validation=0.25, seed=seed)
        (inner, targets), (held, expected) = (problem.X, problem.y), problem.held_out
        w, losses = np.zeros(inner.shape[1]), []
        for _ in range(65):
            losses.append(np.mean((held @ w - expected) ** 2))
            w = w - best["learning rate"] * inner.T @ (inner @ w - targets) / len(inner)
        curves.append([np.mean(losses[step : 2 * step + 1]) for step in found.steps])
    mean = np.mean(curves, axis=0)
    # What has settled, its gradient 1e-8 of the ordinary one, is not run on.
    np.testing.assert_allclose(found.curves["gd", 0], mean, rtol=1e-7)
    assert best["held-out loss"] == pytest.approx(mean.min(), rel=1e-9)
    at = int(mean.argmin())
    error = np.std([curve[at] for curve in curves], ddof=1) / np.sqrt(2)
    assert best["standard error"] == pytest.approx(error, rel=1e-6)
    assert best["gradients"] == best["steps"] * 45


@pytest.mark.slow
def test_a_step_counts_as_all_the_gradients_that_it_takes():
    found = gdfast.tune(TABLE, "y", optimizers=["gd", "sam"], **SMALL)
    rows = found.table.set_index("optimizer")
    each = rows["gradients"] / rows["steps"] / 45
    assert each.to_dict() == {"gd": 1.0, "sam": 2.0}


def test_every_time_it_is_the_same(found, capsys):
    again = gdfast.tune(TABLE, "y", optimizers=["gd", "momentum", "adam"], **SMALL)
    pd.testing.assert_frame_equal(again.table, found.table)
    pd.testing.assert_frame_equal(again.rates, found.rates)
    assert again.line == found.line
    assert capsys.readouterr() == ("", "")
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.notes = ()


def test_the_chosen_is_the_cheapest_of_those_that_are_as_good(found):
    table = found.table
    assert table.index.tolist() == [0, 1, 2]
    assert table["tied"].iloc[0]
    assert table["gradients"].iloc[0] == table.loc[table["tied"], "gradients"].min()
    assert table.loc[table["held-out loss"].idxmin(), "tied"]
    assert found.best == dict(zip(table.columns, table.iloc[0].tolist(), strict=True))
    others = table.loc[table["tied"], "optimizer"].tolist()[1:]
    assert all(name in found.line for name in others)


def test_the_line_says_what_the_table_does(found):
    row = {
        "optimizer": "gd",
        "batch size": 0,
        "learning rate": 0.125,
        "held-out loss": 0.5,
        "standard error": 0.25,
        "held-out accuracy": 0.75,
        "steps": 1000,
        "gradients": 45_000,
        "tied": True,
        "at the edge": False,
        "still falling": False,
    }
    others = [{**row, "optimizer": f"rule{i}", "batch size": 8} for i in range(6)]

    def line(*rows):
        return dataclasses.replace(found, table=pd.DataFrame(rows)).line

    accuracy = "gd, learning rate 0.125, all rows a step: held-out loss 0.5 ± 0.25, accuracy 0.75, after "
    assert line(row) == line(row, {**others[0], "tied": False}) == accuracy + "1,000 steps (45,000 gradients of a row)"
    few = {**row, "standard error": np.nan, "batch size": 8, "steps": 1, "gradients": 8, "still falling": True}
    del few["held-out accuracy"]
    assert line(few) == (
        "gd, learning rate 0.125, batches of 8: held-out loss 0.5, after 1 step (8 gradients of a row), "
        "still falling at the end of the budget"
    )
    assert line({**row, "at the edge": True}).endswith("(45,000 gradients of a row), at the edge of the rates tried")
    assert line(row, *others[:4]).endswith(
        "; as good, but dearer: " + ", ".join(f"rule{i} with batches of 8" for i in range(4))
    )
    assert line(row, *others).endswith("rule3 with batches of 8 and 2 more")


def test_rates_beyond_the_first_are_tried_where_the_best_is_the_outermost():
    rule = Optimizer(slow_rule, learning_rate=0.1)  # which needs rates of about 1e5
    found = gdfast.tune(TABLE, "y", optimizers=[rule], **SMALL)
    assert found.rates["learning rate"].max() > 1e5
    assert not found.best["at the edge"]
    assert 1e5 < found.best["learning rate"] < 3e6
    assert "at the edge" not in found.line
    far = Optimizer(slow_rule, learning_rate=1e-8)  # from which it is too far
    found = gdfast.tune(TABLE, "y", optimizers=[far], **SMALL)
    assert found.best["at the edge"]
    assert "at the edge of the rates tried" in found.line


def test_classes_have_an_accuracy_and_batches_cost_their_rows():
    found = gdfast.tune("iris", optimizers="gd", batch_sizes=[10, 0], seeds=1, max_steps=50)
    assert found.problem.name == "softmax_regression"
    assert found.notes == ("the target 'class' has 3 classes: softmax_regression",)
    rows = found.table.set_index("batch size")
    assert rows.loc[10, "gradients"] == 10 * rows.loc[10, "steps"]
    assert rows.loc[0, "gradients"] == len(found.problem.X) * rows.loc[0, "steps"]
    assert (rows["held-out accuracy"] > 0.8).all()
    assert rows["standard error"].isna().all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("m", "sizes"),
    [
        (60, [8, 0]),  # of which 45 are not held out,
        (85, [8, 32, 0]),  # and 64, of which 32 are half
        (84, [8, 0]),
        (5462, [8, 32, 128, 512, 0]),
        (5463, [8, 32, 128, 512]),  # more than 4096, too many for all a step
    ],
)
def test_batches_up_to_half_of_the_rows_are_compared_and_all_of_them(m, sizes):
    rows = np.linspace(-1, 1, m)[:, None], np.linspace(0, 1, m)
    found = gdfast.tune(rows, optimizers="gd", seeds=1, max_steps=2)
    assert sorted(found.table["batch size"]) == sorted(sizes)
    assert any("rows a step are not tried" in note for note in found.notes) == (0 not in sizes)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (["no", "yes", "no", "yes"] * 3, "logistic_regression"),
        ([0, 1, 1, 0] * 3, "logistic_regression"),
        (["a", "b", "c", "a"] * 3, "softmax_regression"),
        ([1.5, 2.0, 2.5, 7.0] * 3, "linear_regression"),
    ],
)
def test_the_problem_is_recognized_from_the_target(target, name):
    from gdfast.problems.recognized import recognized

    made = data.load((RNG.normal(size=(12, 2)), target))
    assert recognized(made)[0] == name
    assert name in recognized(made)[1]


def test_a_network_and_a_problem_of_ones_own_can_be_tuned():
    how = {"optimizers": "gd", "batch_sizes": [0], "seeds": 1, "max_steps": 20}
    network = gdfast.tune(TABLE, "y", problem="mlp:widths=3/2/1", **how)
    assert network.problem.label.startswith("mlp:widths=3/2/1")
    ridge = problems.ridge_regression(TABLE, target="y", alpha=2.0, validation=0.5)
    assert gdfast.tune(ridge, **how).problem == ridge
    assert gdfast.tune(TABLE, "y", problem=problems.ridge_regression, **how).problem.parameters["validation"] == 0.25


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: gdfast.tune(problems.quartic()), ValueError, "problem must be one with data"),
        (
            lambda: gdfast.tune(TABLE, "y", problem="quartic"),
            ValueError,
            "problem must be one with data, .* not quartic",
        ),
        (lambda: gdfast.tune(TABLE), ValueError, "target must be given"),
        (lambda: gdfast.tune(TABLE, "y", problem=3), TypeError, "problem must be a text"),
        (lambda: gdfast.tune(problems.linear_regression(), "y"), ValueError, "beside a problem"),
        (lambda: gdfast.tune(TABLE, "y", batch_sizes=[61]), ValueError, "batch_sizes must be"),
        (lambda: gdfast.tune(TABLE, "y", seeds=0), ValueError, "seeds must be"),
        (lambda: gdfast.tune(TABLE, "y", validation=1.0), ValueError, "validation must be"),
        (lambda: gdfast.tune(TABLE, "y", max_steps=1), ValueError, "max_steps must be"),
        (lambda: gdfast.tune(TABLE, "y", optimizers=optimizers.CATALOGUE), TypeError, "optimizers must be"),
        (lambda: gdfast.tune(TABLE, "y", problem="quartic"), ValueError, "data"),
    ],
)
def test_what_cannot_be_tuned_is_refused(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
