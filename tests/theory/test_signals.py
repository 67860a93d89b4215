"""Mean-field theory of signals in wide tanh networks, against integrals of SciPy and a network that is wide."""

import cases
import numpy as np
import pytest
from scipy import integrate

from gdfast import problems, theory
from gdfast.report.chapters.signals import drawn


def gaussian(function):
    """The integral over the standard normal measure."""
    value, _ = integrate.quad(lambda z: np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * function(z), -12, 12, epsabs=1e-13)
    return value


@pytest.mark.parametrize(("weights", "biases"), [(0.5, 0.1), (1.5, 0.0), (1.76, 0.05), (4.0, 0.3)])
def test_the_fixed_point_and_its_slope_are_those_of_the_integrals(weights, biases):
    q, slope = theory.mean_field(weights, biases)
    assert q == pytest.approx(weights * gaussian(lambda z: np.tanh(np.sqrt(q) * z) ** 2) + biases, rel=1e-8)
    assert slope == pytest.approx(weights * gaussian(lambda z: np.cosh(np.sqrt(q) * z) ** -4.0), rel=1e-8)
    assert theory.next_variance(0.7, weights, biases) == pytest.approx(
        weights * gaussian(lambda z: np.tanh(np.sqrt(0.7) * z) ** 2) + biases, rel=1e-8
    )


def test_the_critical_line_is_as_published():
    """Schoenholz et al. (2017), figure 4: σ_b² = 0.05 has its critical σ_w² at 1.76; without biases it is 1."""
    assert theory.critical_weights(0.05) == pytest.approx(1.76, abs=0.005)
    assert theory.critical_weights(0.0) == 1.0
    for biases in (0.01, 0.2):
        assert theory.mean_field(theory.critical_weights(biases), biases)[1] == pytest.approx(1.0, abs=1e-9)


def test_a_wide_network_has_the_variances_that_theory_tells():
    """Within 10 %, which is five deviations of a mean square over 512 units and 8 rows that are alike."""
    problem = problems.mlp((512,) * 5, "tanh", points=8)
    (signal,) = problem.layer_signals(drawn(problem, [(1.76, 0.05)]).points.T)[0].T
    expected = [1.76 * np.mean(problem.X**2) + 0.05]
    for _ in range(2):
        expected.append(theory.next_variance(expected[-1], 1.76, 0.05))
    np.testing.assert_allclose(signal[:3] ** 2, expected, rtol=0.1)


def test_variances_whose_sum_is_none_are_refused():
    cases.refused(lambda: theory.mean_field(1e308, 1e308), ValueError, "finite sum, not 1e+308 and 1e+308")
    assert theory.mean_field(1e308, 0.0)[0] == pytest.approx(1e308, rel=0.01)
