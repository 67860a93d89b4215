"""Whether minima attract: penalties, schedules, memories, numbers where the computed gradient is zero."""

import numpy as np
import pytest

from gdfast import optimizers, problems, schedules, transforms
from gdfast.theory.attracting import Attraction, Minimum, attractions, is_exact, lasting, minimum_of

RATES = np.array([1e-3, 1e-2, 0.05, 0.5])
QUARTIC = problems.quartic()


def told(optimizer, basin=1, budget=1000, problem=QUARTIC):
    minimum = minimum_of(problem, basin, problem.loss_tolerance)
    rates = np.tile(RATES, (problem.dimension, 1))
    return attractions(optimizer, rates, minimum, optimizer.multipliers(budget))


def test_a_schedule_that_ends_at_nothing_leaves_everything_where_it_is():
    for schedule in (schedules.cosine(), schedules.linear(), schedules.reduce_on_plateau()):
        assert (told(optimizers.adam().scheduled(schedule)).codes == Attraction.attracts).all()


def test_a_schedule_counts_by_its_last_multiplier():
    tenth = told(optimizers.gd().scheduled(schedules.cosine(end=0.1)))
    np.testing.assert_allclose(tenth.radii, np.abs(1 - 0.1 * RATES * QUARTIC.hessian([1.4017712478412976])[0, 0, 0]))
    late = told(optimizers.gd().scheduled(schedules.warmup(steps=10)))
    np.testing.assert_array_equal(late.radii, told(optimizers.gd()).radii)
    plateau = told(optimizers.gd().scheduled(schedules.reduce_on_plateau(least=0.5)))
    np.testing.assert_allclose(plateau.radii[0], 1 - 0.5 * RATES[0] * 13.579551575294582, rtol=1e-9)


@pytest.mark.parametrize(
    "optimizer",
    [
        optimizers.gd().scheduled(schedules.cyclical()),
        optimizers.gd().scheduled(schedules.cosine_warm_restarts()),
        optimizers.gd().transformed(transforms.noise()),
        optimizers.adgd(),
        optimizers.lars(weight_decay=0.1),
    ],
)
def test_what_cannot_be_told_is_not(optimizer):
    got = told(optimizer)
    assert (got.codes == Attraction.not_told).all()
    assert np.isnan(got.radii).all()


def test_flat_minima_mini_batches_and_networks_are_not_told():
    rates = np.full((1, 1), 0.1)
    flat = Minimum(np.zeros(1), np.zeros((1, 1)))
    assert attractions(optimizers.gd(), rates, flat, np.ones(2)).codes == Attraction.not_told
    assert minimum_of(problems.linear_regression(data="diabetes", batch_size=7), 0, 1e-2) is None
    assert minimum_of(problems.mlp((2, 2, 1), points=4), 0, 1e-2) is None


def test_clipping_changes_nothing_where_the_gradient_is_small():
    for clip in (transforms.clip_norm(0.1), transforms.clip_value(0.1)):
        np.testing.assert_array_equal(
            told(optimizers.momentum().transformed(clip)).radii, told(optimizers.momentum()).radii
        )


def test_normalized_gradients_never_rest():
    assert (told(optimizers.gd().transformed(transforms.normalize())).radii == np.inf).all()


@pytest.mark.parametrize("rule", [optimizers.lars(), optimizers.lamb()], ids=lambda rule: rule.name)
def test_steps_in_proportion_to_the_parameters_rest_at_the_origin_only(rule):
    bowl = problems.from_expression("x**2 + 2*y**2")
    assert (told(rule).radii == np.inf).all()
    assert (told(rule, 0, problem=bowl).codes == Attraction.attracts).all()


@pytest.mark.parametrize(
    "rule",
    [optimizers.amsgrad(), optimizers.amsgrad(debias_first=True), optimizers.adam(amsgrad=True), optimizers.adagrad()],
    ids=lambda rule: rule.label,
)
def test_a_memory_that_does_not_decay_holds_what_adam_leaves(rule):
    assert (told(rule).codes == Attraction.attracts).all()
    assert (told(optimizers.adam()).codes == Attraction.repels).all()


def test_decoupled_weight_decay_is_balanced_by_a_gradient_that_is_almost_nothing():
    got, plain = told(optimizers.adamw()), told(optimizers.adam())
    assert (got.codes == Attraction.repels).all()
    np.testing.assert_allclose(got.radii, plain.radii, rtol=0.05)
    decay = optimizers.gd().transformed(transforms.weight_decay(1e-3))
    np.testing.assert_allclose(told(decay).radii, np.abs(1 - RATES * (13.579551575294582 + 1e-3)), rtol=1e-9)


def test_what_the_second_moment_holds_as_long_as_it_lasts():
    def lasts(rule, basin=0):
        return lasting(rule, RATES[None], minimum_of(QUARTIC, basin, 1e-6), np.ones(2))

    for rule in (optimizers.adam(), optimizers.rmsprop(), optimizers.adamax(), optimizers.nadam()):
        assert lasts(rule).all()
    assert lasts(optimizers.gd()).tolist() == [True, True, True, False]
    assert not lasts(optimizers.signsgd()).any()
    assert not lasts(optimizers.adamw()).any()  # whose steps are not zero where the gradient is


def test_rounding_holds_what_lands_on_a_zero_of_the_computed_gradient():
    for expression, point, exact in (
        ("exp(x) - x", [0.0], True),  # exp x is 1 for all that are smaller than its last place
        ("x**2/2", [0.0], False),  # numbers are as fine as they come around 0
        ("(x - 1)**2 + (y + 3)**2", [1.0, -3.0], True),
    ):
        problem = problems.from_expression(expression)
        assert is_exact(problem.gradient, np.array(point), 4.0, "float64") == exact
    ends = [np.array(minimum.point) for minimum in QUARTIC.minima]
    assert [is_exact(QUARTIC.gradient, end, 8.0, "float64") for end in ends] == [True, False]
    assert not is_exact(QUARTIC.gradient, np.array([1.0]), 8.0, "float64")
