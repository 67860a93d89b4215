"""Learning rates in units of each optimizer's own."""

import numpy as np
import pytest

import gdfast
from gdfast import analysis, notation, optimizers

MULTIPLES = np.geomspace(0.1, 100, 7)
STARTS = [-2.0, 1.0]


def swept(rules, rates, **more):
    return gdfast.Sweep("quartic", rules, rates, STARTS, 200, **more)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_multiples_of_the_default_are_those_rates_to_the_bit(backend, dtype):
    told = gdfast.run(swept("gd adam|cosine", "default:0.1:100:7", dtype=dtype), backend=backend, keep_theta=True)
    assert np.array_equal(told.unit, [0.01, 0.001])
    for i, (rule, unit) in enumerate([("gd", 0.01), ("adam|cosine", 0.001)]):
        plain = gdfast.run(swept(rule, MULTIPLES * unit, dtype=dtype), backend=backend, keep_theta=True)
        for name in ("theta", "outcome", "steps", "loss"):
            assert np.array_equal(told[name][i], plain[name][0], equal_nan=True), (rule, name)


def test_tables_tell_the_rates_themselves():
    told, plain = (gdfast.run(swept("gd", rates), backend="numpy") for rates in ("default:0.1:100:7", MULTIPLES * 0.01))
    for table in (analysis.best_rates, analysis.lr_tolerance, analysis.advice):
        one, other = table(told).reset_index(drop=True), table(plain).reset_index(drop=True)
        assert one.equals(other), table.__name__
    assert np.array_equal(analysis.attracting(told).spectral_radius, analysis.attracting(plain).spectral_radius)
    near, other = (analysis.nearest_rates(result, {result.optimizer.item(): 0.1}) for result in (told, plain))
    assert [*near.values()] == [*other.values()]


def test_a_unit_is_part_of_the_value():
    adam = optimizers.adam().in_units()
    assert adam.label == "adam|unit=0.001"
    assert notation.optimizers(adam.label) == [adam] != [optimizers.adam()]
    assert adam.replace(beta1=0.8) == optimizers.adam(beta1=0.8).in_units(0.001)
    assert adam.replace(unit=1.0) == optimizers.adam()
    assert swept("adam", "default:1:2:2") == swept(adam, [1.0, 2.0])
    assert swept("adam|unit=0.5", "default:1:2:2").optimizers[0].unit == 0.5


@pytest.mark.parametrize("unit", [0.0, -1.0, np.nan, np.inf])
def test_a_unit_is_positive(unit):
    with pytest.raises(ValueError, match="rate must be"):
        optimizers.adam().in_units(unit)
    with pytest.raises(ValueError, match="unit must be"):
        optimizers.adam().replace(unit=unit)
    with pytest.raises(ValueError, match=r"unit|rate"):
        notation.optimizers(f"adam|unit={unit}")


def test_one_trajectory_is_the_sweep_s():
    adam = optimizers.adam().in_units()
    path = gdfast.trajectory(gdfast.problems.quartic(), adam, [1.0], 3.0, 50)
    plain = gdfast.trajectory(gdfast.problems.quartic(), optimizers.adam(), [1.0], 3.0 * 0.001, 50)
    assert np.array_equal(path.theta, plain.theta)
