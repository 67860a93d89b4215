"""Where trajectories of networks begin: schemes and their variances, labels, biases, starts by name."""

import math

import cases
import numpy as np
import pytest

import gdfast
from gdfast.problems import mlp
from gdfast.starts import ALIASES, SCHEMES, Starts

DEVIATION = {
    "zeros": lambda i, o: 0.0,
    "constant": lambda i, o: 0.0,
    "normal": lambda i, o: 1.0,
    "uniform": lambda i, o: math.sqrt(1 / 3),
    "xavier_normal": lambda i, o: math.sqrt(2 / (i + o)),
    "xavier_uniform": lambda i, o: math.sqrt(2 / (i + o)),
    "he_normal": lambda i, o: math.sqrt(2 / i),
    "he_uniform": lambda i, o: math.sqrt(2 / i),
    "lecun_normal": lambda i, o: math.sqrt(1 / i),
    "lecun_uniform": lambda i, o: math.sqrt(1 / i),
    "orthogonal": lambda i, o: math.sqrt(1 / max(i, o)),
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_schemes_have_their_variance(scheme):
    problem = mlp((60, 30, 90), "relu", batch_norm=True, points=2)
    points = problem.starts(scheme, seeds=[1, 2], gain=[1.0, 3.0]).points
    np.testing.assert_allclose(points[2:, :1800], 3 * points[:2, :1800], rtol=1e-12)
    for layer in problem.layers:
        weights = points[0, layer.weight : layer.weight + layer.fan_in * layer.fan_out]
        expected = DEVIATION[scheme](layer.fan_in, layer.fan_out)
        assert weights.std() == pytest.approx(expected, rel=0.07, abs=1e-15)
        if scheme.endswith("uniform"):
            assert np.abs(weights).max() == pytest.approx(math.sqrt(3) * expected, rel=0.01)
        if scheme == "orthogonal":
            matrix = weights.reshape(layer.fan_in, layer.fan_out)
            small = matrix.T @ matrix if layer.fan_in >= layer.fan_out else matrix @ matrix.T
            np.testing.assert_allclose(small, np.eye(len(small)), atol=1e-13)
    hidden = problem.layers[0]
    assert (points[:, hidden.bias : hidden.bias + 30] == 0).all()
    assert (points[:, hidden.norm : hidden.norm + 30] == 1).all()
    assert (points[:, hidden.norm + 30 : hidden.norm + 60] == 0).all()


def test_starts_are_labelled_in_order():
    problem = mlp()
    starts = problem.starts(["he_normal", "glorot_uniform"], seeds=[4, 7], gain=[1.0, 2.0])
    assert isinstance(starts, Starts)
    assert list(starts.labels["init"]) == ["he_normal"] * 4 + ["glorot_uniform"] * 4
    assert list(starts.labels["gain"]) == [1.0, 1.0, 2.0, 2.0] * 2
    assert list(starts.labels["seed"]) == [4, 7] * 4
    for i in (0, 3, 5):
        scheme, gain, seed = (starts.labels[name][i] for name in ("init", "gain", "seed"))
        np.testing.assert_array_equal(problem.starts(scheme, seed, gain).points[0], starts.points[i])
    for alias, name in ALIASES.items():
        np.testing.assert_array_equal(problem.starts(alias).points, problem.starts(name).points)


def test_biases_begin_with_what_is_asked_for():
    problem = mlp((2, 3, 2), points=4)
    starts = problem.starts(["he_normal", "zeros"], seeds=[4, 7], gain=[1.0, 2.0], bias=[0.0, 0.1])
    assert list(starts.labels) == ["init", "gain", "bias", "seed"]
    assert list(starts.labels["bias"][:8]) == [0.0, 0.0, 0.1, 0.1] * 2
    is_bias = np.array(["bias" in name for name in problem.coordinates])
    for i in range(len(starts)):
        scheme, gain, bias, seed = (starts.labels[name][i] for name in starts.labels)
        expected = problem.starts(scheme, seed, gain).points[0]
        np.testing.assert_array_equal(starts.points[i], np.where(is_bias, bias, expected))
    normed = mlp((2, 3, 2), points=4, batch_norm=True)  # a layer's shift is no bias
    assert sorted(set(normed.starts("zeros", bias=0.5).points[0])) == [0.0, 0.5, 1.0]
    assert normed.starts("zeros", bias=0.5).points[0].tolist().count(0.5) == 5
    cases.refused(lambda: mlp(bias=False).starts(bias=0.1), ValueError, "bias", "has none")


def test_starts_of_a_network_are_named_by_their_initialization():
    problem = mlp((2, 3, 2), points=4)
    got = gdfast.Sweep(problem, "gd", [0.1], ["init=he_normal/zeros", "gain=0.5:2:4", "bias=0/0.1", "seed=3:5:3"])
    expected = problem.starts(["he_normal", "zeros"], range(3, 6), np.linspace(0.5, 2, 4), [0, 0.1])
    np.testing.assert_array_equal(got.starts, expected.points)
    assert list(got.start_labels) == list(expected.labels)
    by_coordinate = gdfast.Sweep(problem, "gd", [0.1], [f"{name}={i}" for i, name in enumerate(problem.coordinates)])
    np.testing.assert_array_equal(by_coordinate.starts, [np.arange(problem.dimension)])
    for starts, words in (
        (["init=he_norml"], ["did you mean he_normal"]),
        (["init=zeros", "gian=1"], ["'gian'", "did you mean gain"]),
        (["seed=0:1:3"], ["seeds", "whole number", "0.5"]),
        (["0:1:3"], ["init=he_normal/zeros"]),
    ):
        with pytest.raises((TypeError, ValueError)) as error:
            gdfast.Sweep(problem, "gd", [0.1], starts)
        assert all(word in str(error.value) for word in words), error.value
