"""Claims that people make about mitigations, by experiment, with margins."""

import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems, transforms


def steps_to_leave(rule, distance, number=0):
    """Steps until a trajectory that starts beside the strict saddle's stable axis is halfway to a minimum."""
    path = gdfast.trajectory(problems.strict_saddle(), rule, [distance, 1.0], 0.05, 400, number=number)
    return int(np.argmax(np.abs(path.theta.values[:, 0]) > 0.5))


@pytest.mark.parametrize("distance", [1e-4, 1e-8])
def test_momentum_and_noise_leave_a_strict_saddle_sooner(distance):
    plain = steps_to_leave(optimizers.gd(), distance)
    # The distance grows by 1 + η a step: theory's count, to the nonlinear last part.
    assert plain == pytest.approx(np.log(0.5 / distance) / np.log(1.05), abs=8)
    for rule in (optimizers.momentum(momentum=0.9), optimizers.nesterov(momentum=0.9)):
        assert steps_to_leave(rule, distance) < plain / 3
    noisy = optimizers.gd().transformed(transforms.noise(0.1))
    assert np.median([steps_to_leave(noisy, distance, number) for number in range(9)]) < 0.75 * plain


def test_noise_leaves_the_saddle_from_where_plain_gradient_descent_never_does():
    noisy = optimizers.gd().transformed(transforms.noise(0.1))
    assert steps_to_leave(optimizers.gd(), 0.0) == 0  # never
    assert all(steps_to_leave(noisy, 0.0, number) > 0 for number in range(5))
