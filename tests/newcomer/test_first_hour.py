"""What a newcomer types in the first hour, and what comes out: a test a task."""

import subprocess
import sys

import numpy as np
import pytest

import gdfast
from gdfast import analysis, optimizers, problems


def typed(line, folder):
    """What a command line prints, and how it ends."""
    done = subprocess.run([sys.executable, "-m", "gdfast", *line.split()], capture_output=True, text=True, cwd=folder)
    return done.returncode, done.stdout + done.stderr


def swept(*arguments, **settings):
    return gdfast.sweep(*arguments, max_steps=100, backend="numpy", progress=False, **settings)


def test_a_sweep_in_one_line():
    result = swept("quartic", "gd adam:beta1=0.8", "1e-4:1:8", "-3:3:4", keep_theta=True)
    assert dict(result.outcome.sizes) == {"optimizer": 2, "learning_rate": 8, "start": 4}
    assert "theta" in result


def test_factories_do_as_well_as_things():
    assert gdfast.Sweep(problems.quartic, [optimizers.gd, "adam"]) == gdfast.Sweep("quartic", "gd adam")
    sweep = gdfast.Sweep("quartic", "gd", measure=gdfast.measures.convergence)
    assert sweep == gdfast.Sweep("quartic", "gd", measure="convergence")


def test_starts_in_one_dimension_are_a_list_of_numbers():
    assert swept("quartic", "gd", [0.01, 0.02], [-1.0, 1.0]).sizes["start"] == 2
    with pytest.raises(ValueError, match=r"\(m, 2\)"):
        gdfast.Sweep("himmelblau", "gd", 0.01, [-1.0, 1.0])


def test_budgets_are_written_as_floats():
    assert gdfast.Sweep("quartic", "gd", max_steps=1e4).max_steps == 10_000
    with pytest.raises((TypeError, ValueError), match="max_steps must be a whole number"):
        gdfast.Sweep("quartic", "gd", max_steps=1.5)


@pytest.mark.slow
def test_values_of_rates_and_starts_with_slashes(tmp_path):
    sweep = gdfast.Sweep("quartic", "gd", "0.001/0.01/0.1", "-1/0/1")
    np.testing.assert_array_equal(sweep.learning_rates, [0.001, 0.01, 0.1])
    np.testing.assert_array_equal(sweep.starts[:, 0], [-1, 0, 1])
    code, said = typed("sweep --problem quartic --optimizer gd --lr 0.001/0.01 --start -1/1 -o a.zarr", tmp_path)
    assert code == 0, said
    for wrong in ("0.1/", "0.1/x", "/", "1:2", "1:2:3:4", "-1/0.1"):
        with pytest.raises(ValueError, match="learning_rates must be"):
            gdfast.Sweep("quartic", "gd", wrong)


def test_uneven_rates_are_summarized_too():
    for rates in ([0.001, 0.003, 0.01, 0.03], np.linspace(0.001, 0.05, 6)):
        assert len(analysis.summary(swept("quartic", "gd", rates, "-3:3:5"))) == 1


def test_a_rate_given_to_the_optimizer_is_told_where_it_goes():
    with pytest.raises(TypeError, match=r"learning rates are given to the sweep.*learning_rates="):
        optimizers.adam(lr=1e-3)


def test_a_rule_is_told_how_it_becomes_an_optimizer():
    def rule(theta, grad, lr):
        return theta - lr * grad

    with pytest.raises(TypeError, match=r"gdfast.optimizers.Optimizer\(rule, learning_rate="):
        gdfast.Sweep("quartic", [rule])
    optimizer = optimizers.Optimizer(rule, learning_rate=0.1)
    assert (swept("quartic", optimizer, [0.01], [1.0]).loss == swept("quartic", "gd", [0.01], [1.0]).loss).all()


def test_no_warm_up_is_a_warm_up_of_no_steps():
    np.testing.assert_array_equal(gdfast.schedules.warmup(steps=0).multipliers(5), 1)


def test_each_optimizer_about_its_own_default():
    result = swept("quartic", "gd adam", "default:0.01:100:5", "-3:3:4")
    np.testing.assert_array_equal(result.unit, [0.01, 0.001])


def test_a_wrong_name_is_told_the_right_one():
    with pytest.raises(ValueError, match="did you mean learning_rates"):
        gdfast.sweep("quartic", "gd", rates="1e-3:1:4")
    with pytest.raises(ValueError, match="did you mean quartic"):
        gdfast.Sweep("quartik", "gd")


@pytest.mark.slow
def test_all_weights_of_a_network_at_zero(tmp_path):
    code, said = typed("sweep --problem mlp --optimizer gd --start 0 --lr 0.1 --max-steps 5 -o a.zarr", tmp_path)
    assert code == 0, said
    assert not gdfast.Sweep("mlp", "gd", 0.1, "0").starts.any()
    with pytest.raises(ValueError, match="once a coordinate"):
        gdfast.Sweep("himmelblau", "gd", 0.1, "-1:1:5")


def test_the_same_optimizers_clipped():
    before, after = (
        swept("quartic", rules, "1e-3:1:8", "-3:3:5") for rules in ("gd adam", "gd|clip_norm adam|clip_norm=0.5")
    )
    assert analysis.delta(before, after).optimizer.values.tolist() == ["gd|clip_norm", "adam|clip_norm:max_norm=0.5"]
    for others, what in (("gd momentum", "same optimizers"), ("gd adam|unit=0.1", "other units")):
        with pytest.raises(ValueError, match=what):
            analysis.delta(before, swept("quartic", others, "1e-3:1:8", "-3:3:5"))


@pytest.mark.slow
def test_steps_to_a_tolerance_from_the_command_line(tmp_path):
    line = (
        "sweep --problem quartic --optimizer gd --lr 0.01 --start=-1 --measure steps_to_reach:tolerance=0.01 -o a.zarr"
    )
    code, said = typed(line, tmp_path)
    assert code == 0, said
    assert "to an excess of 0.01" in said
