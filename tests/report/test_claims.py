"""Claims that people make about mitigations, by experiment, with margins."""

import functools

import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems, transforms


def steps_to_leave(rule, distance, number=0):
    """Steps until a trajectory that starts beside the strict saddle's stable axis is halfway to a minimum."""
    path = gdfast.trajectory(problems.strict_saddle(), rule, [distance, 1.0], 0.05, 400, number=number)
    return int(np.argmax(np.abs(path.theta.values[:, 0]) > 0.5))


@pytest.mark.slow
@pytest.mark.parametrize("distance", [1e-4, 1e-8])
def test_momentum_and_noise_leave_a_strict_saddle_sooner(distance):
    plain = steps_to_leave(optimizers.gd(), distance)
    # The distance grows by 1 + η a step: theory's count, to the nonlinear last part.
    assert plain == pytest.approx(np.log(0.5 / distance) / np.log(1.05), abs=8)
    for rule in (optimizers.momentum(momentum=0.9), optimizers.nesterov(momentum=0.9)):
        assert steps_to_leave(rule, distance) < plain / 3
    noisy = optimizers.gd().transformed(transforms.noise(0.1))
    assert np.median([steps_to_leave(noisy, distance, number) for number in range(9)]) < 0.75 * plain


@pytest.mark.slow
def test_noise_leaves_the_saddle_from_where_plain_gradient_descent_never_does():
    noisy = optimizers.gd().transformed(transforms.noise(0.1))
    assert steps_to_leave(optimizers.gd(), 0.0) == 0  # never
    assert all(steps_to_leave(noisy, 0.0, number) > 0 for number in range(5))


# Mini-batches. An even target on inputs that lie symmetrically: with output weights 0, a network of odd activations
# without biases in its way has no gradient but the output bias's, since what the rows ask for cancels in pairs.
X = np.linspace(-2.0, 2.0, 33)[:, None]


@functools.cache
def end_losses(init, batch_size, seeds=32):
    """Losses over all rows, as shares of the best constant's, after training from output weights 0, and outcomes."""
    problem = problems.mlp((1, 8, 1), "tanh", data=(X, X**2), batch_size=batch_size, seed=3)
    points = problem.starts(init, range(seeds)).points.copy()
    points[:, problem.layers[-1].weight : problem.layers[-1].bias] = 0.0
    result = gdfast.run(gdfast.Sweep(problem, optimizers.gd(), [0.05], points, 4000), progress=False)
    return result.loss.values.ravel() / np.var(X**2), result.outcome.values.ravel()


def test_mini_batches_escape_where_full_batch_stalls():
    full, outcome = end_losses("xavier_normal", None)
    np.testing.assert_allclose(full, 1.0, rtol=1e-9)  # no better than a constant, for every seed
    assert (outcome == gdfast.outcomes.Outcome.stalled).all()
    for batch_size in (4, 16):
        noisy, _ = end_losses("xavier_normal", batch_size)
        assert np.mean(noisy < 0.05) > 0.8  # the others have not left yet
    assert end_losses("xavier_normal", 4)[0].max() < 0.05


def test_mini_batches_do_not_escape_where_each_row_keeps_the_symmetry():
    for batch_size in (4, 16):
        # Hidden weights 0 too: no row moves a weight.
        assert end_losses("zeros", batch_size, seeds=1)[0].min() > 0.99
        # Hidden units alike: they leave the saddle, but stay alike, and one unit fits no parabola.
        assert 0.5 < end_losses("constant", batch_size, seeds=1)[0].item() < 0.8


# Adam scales each coordinate by itself: on a bowl along the axes it does not see the condition number.


def best_loss(optimizer, rates, condition, rotation):
    """Median loss over starts after 1000 steps at the best of the rates."""
    problem = problems.quadratic(condition=condition, dimension=20, rotation=rotation)
    sweep = gdfast.Sweep(problem, optimizer, rates, problem.random(24, seed=1), 1000, gradient_tolerance=0.0)
    return float(gdfast.run(sweep, progress=False).loss.squeeze().median("start").min())


@pytest.mark.slow
def test_rotating_an_ill_conditioned_bowl_takes_most_of_adams_advantage():
    def of_gd(rotation, condition=1e4):
        return best_loss(optimizers.gd(), np.geomspace(0.05, 2, 48) / condition, condition, rotation)

    def of_adam(rotation, condition=1e4):
        return best_loss(optimizers.adam(), np.geomspace(1e-3, 3, 48), condition, rotation)

    plain, adam = of_gd(None), of_adam(None)
    assert adam < 1e-15 * plain
    for rotation in range(3):
        assert of_gd(rotation) == pytest.approx(plain, rel=0.3)
        assert of_adam(rotation) > 1e10 * adam
        # Most, not all: momentum and steps of one size remain, enough for a condition number of 1000.
        assert of_adam(rotation) < 0.01 * of_gd(rotation)
    assert of_adam(0, condition=1e3) < 1e-10 * of_gd(0, condition=1e3)
