"""What a newcomer does with rules that find their rate, and with optimizers of other libraries: a test a task."""

import numpy as np
import pytest
from typer.testing import CliRunner

import gdfast
from gdfast import optimizers
from gdfast.cli import app
from gdfast.optimizers import Optimizer


def typed(line):
    done = CliRunner().invoke(app, line.split())
    assert done.exit_code == 0, done.output
    return done.output


def test_what_is_that_optimizer_of_my_library_here():
    rows = {row["library"] + "." + row["its optimizer"]: row for row in optimizers.libraries()}
    assert rows["optax.adamaxw"]["gdfast's"] == "adamax|weight_decay:weight=0.0001"
    assert rows["torch.optim.Muon"]["gdfast's"] == "muon"
    assert not rows["optax.contrib.dpsgd"]["gdfast's"]
    assert "clips" in rows["optax.contrib.dpsgd"]["note"]
    printed = typed("list optimizers --libraries")
    assert "dadapt_adamw" in printed
    assert "LBFGS" in printed


def test_which_rules_need_no_rate():
    lines = [line for line in typed("list optimizers").splitlines() if "rates of their own" in line]
    assert {line.split()[0] for line in lines} >= {"dog", "dowg", "prodigy", "dadapt_adamw", "momo", "cocob", "adgd"}


@pytest.mark.slow
def test_a_map_of_no_rate_to_tune():
    sweep = gdfast.Sweep(
        "quadratic", "gd prodigy momo", "1e-3:1e3:7", [[1.0, 1.0], [-0.5, 2.0]], 3000, loss_tolerance=1e-6
    )
    result = gdfast.run(sweep, backend="numpy", progress=False)
    arrived = (result.outcome == "global_minimum").mean("start").max("learning_rate")
    assert arrived.sel(optimizer="momo").item() == 1.0
    high = result.outcome.sel(learning_rate=1e3, method="nearest")
    assert (high.sel(optimizer="gd") == "diverged").all()
    assert (high.sel(optimizer="momo") == "global_minimum").all()  # the rate is only an upper bound


def rule(theta, grad, total, lr, square):  # total is one number of the trajectory
    total = total + square
    return theta - lr / (1 + total) * grad, total


def terms(theta, grad, total, lr):
    return grad * grad


def test_a_rule_of_ones_own_with_a_number_of_the_whole_trajectory():
    own = Optimizer(rule, learning_rate=1.0, scalars=("total",), sums=("square",), terms=terms)
    got = gdfast.trajectory(gdfast.problems.matyas(), own, [1.0, -2.0], 0.5, 2, gradient_tolerance=0.0).theta.values
    problem = gdfast.problems.matyas()
    g = [problem.gradient(got[k][:, None])[:, 0] for k in (0, 1)]
    np.testing.assert_allclose(got[1], got[0] - 0.5 / (1 + g[0] @ g[0]) * g[0])
    np.testing.assert_allclose(got[2], got[1] - 0.5 / (1 + g[0] @ g[0] + g[1] @ g[1]) * g[1])
