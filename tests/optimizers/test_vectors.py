"""Rules that call functions of whole vectors: gradients and losses elsewhere, what they are refused for."""

import cases
import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems, schedules, theory, transforms
from gdfast.formulas.elementary import maximum, minimum, select
from gdfast.formulas.vectors import dot, gradient_at, loss_at, norm
from gdfast.optimizers import Optimizer

ROSENBROCK, NINE = problems.rosenbrock(), problems.quadratic(dimension=9)
BOWL = problems.quadratic(condition=30.0, dimension=3, rotation=1)


def rule(theta, grad, m, furthest, lr, loss, beta):
    m = beta * m + (1 - beta) * grad
    ahead = theta - lr * m
    there = gradient_at(ahead)
    lower = loss_at(ahead) < loss
    turn = dot(there - grad, m + there) / (1 + norm(there) * norm(m))
    share = select(lower & (turn > 0), 1.0, 0.5)
    furthest = maximum(furthest, minimum(turn, 10.0))
    theta = select((there > 0) | lower, theta - share * lr * there, ahead)
    return theta, m, furthest


OWN = Optimizer(rule, learning_rate=0.1, scalars=("furthest",), initial={"furthest": 0.25}, parameters={"beta": 0.7})


@pytest.mark.slow
def test_vectors_and_numbers_are_those_of_a_plain_loop():
    x, m, furthest = np.array([1.0, -2.0, 0.5]), np.zeros(3), 0.25
    path = [x]
    for _ in range(30):
        g = BOWL.matrix @ x
        m = 0.7 * m + 0.3 * g
        ahead = x - 0.05 * m
        there = BOWL.matrix @ ahead
        lower = ahead @ BOWL.matrix @ ahead < x @ BOWL.matrix @ x
        turn = (there - g) @ (m + there) / (1 + np.linalg.norm(there) * np.linalg.norm(m))
        furthest = max(furthest, min(turn, 10.0))
        x = np.where((there > 0) | lower, x - (1.0 if lower and turn > 0 else 0.5) * 0.05 * there, ahead)
        path.append(x)
    got = gdfast.trajectory(BOWL, OWN, path[0], 0.05, 30, gradient_tolerance=0.0).theta.values
    np.testing.assert_allclose(got, path, rtol=1e-11, atol=1e-14)


CHAIN = transforms.clip_norm(1.0), transforms.l2(0.1), transforms.noise(sigma=0.01)
BESIDE = {
    "registers": (ROSENBROCK, OWN.transformed(transforms.weight_decay(0.01))),
    "memory": (NINE, optimizers.extragradient().transformed(*CHAIN)),
}


@pytest.mark.slow
@pytest.mark.parametrize("where", BESIDE)
def test_they_lie_beside_schedules_transforms_and_measures(where):
    problem, own = BESIDE[where]
    own = own.scheduled(schedules.reduce_on_plateau(patience=3))
    cases.agree(cases.sweep_of(problem, own, 12, 80, measure=gdfast.measures.convergence()))


@pytest.mark.slow
@pytest.mark.parametrize("problem", cases.EXACT, ids=cases.label)
def test_they_agree_to_the_bit_on_every_problem(problem):
    cases.agree(cases.sweep_of(problem, [OWN, optimizers.sam()], 16))
    if problem.lane_kernel is None:
        cases.agree(cases.sweep_of(problem, OWN, 16, dtype="float32"))


def test_a_gradient_elsewhere_is_of_the_same_mini_batch_and_transformed():
    batches = problems.linear_regression(data="diabetes", batch_size=7, seed=3)
    cases.agree(cases.sweep_of(batches, optimizers.sam(rho=0.1), 8, 60))
    x, lr = np.array([1.0, -2.0, 0.5]), 0.02
    clipped = optimizers.extragradient().transformed(transforms.clip_value(1.0))
    got = gdfast.trajectory(BOWL, clipped, x, lr, 20, gradient_tolerance=0.0).theta.values
    path = [x]
    for _ in range(20):
        ahead = x - lr * np.clip(BOWL.matrix @ x, -1, 1)
        x = x - lr * np.clip(BOWL.matrix @ ahead, -1, 1)
        path.append(x)
    np.testing.assert_allclose(got, path, rtol=1e-12, atol=1e-15)


def test_theory_knows_of_gradients_elsewhere():
    rates = np.array([0.1, 0.5, 1.0, 1.5])
    got = theory.spectral_radius(optimizers.extragradient(), rates, 1.0)
    np.testing.assert_allclose(got, 1 - rates + rates**2, rtol=1e-9)


def test_what_a_step_costs_is_told():
    assert optimizers.gd().cost == "1 gradient"
    assert OWN.cost == "2 gradients, 2 losses"
    assert (optimizers.gd().points, optimizers.sam().points, OWN.points) == (1, 2, 2)
    assert Optimizer(of_two_steps, 0.1).points == 3  # two of one text, at which a name is of two values


def of_two_steps(theta, grad, lr):
    ahead = theta - lr * grad
    ahead = ahead - lr * gradient_at(ahead)
    return ahead - lr * gradient_at(ahead)


def number_for_a_vector(theta, grad, lr):
    return theta - dot(theta, lr)


def vector_for_a_number(theta, grad, count, lr):
    return theta - dot(grad, grad) * grad, grad


def with_sums(theta, grad, lr, total):
    return theta - lr * dot(grad, grad) * total


def terms(theta, grad, lr):
    return grad


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: Optimizer(number_for_a_vector, 0.1), ["dot takes a vector and a vector", "lr is a number"]),
        (lambda: Optimizer(vector_for_a_number, 0.1, scalars=("count",)), ["count must be a number, not a vector"]),
        (lambda: Optimizer(with_sums, 0.1, sums=("total",), terms=terms), ["norms and sums", "calls dot"]),
        (lambda: OWN.transformed(transforms.clip_norm(1.0)), ["clip_norm", "losses or the Hessian"]),
        (
            lambda: gdfast.Sweep(problems.mlp(widths=(2, 3, 1), layer_rates=True), "sam", [[0.1, 0.2]]),
            ["learning_rates: sam takes one learning rate"],
        ),
        (lambda: problems.Landscape(lambda x, y: norm(x), domain=[(0, 1)] * 2), ["norm() is of whole vectors"]),
    ],
)
def test_what_does_not_fit_is_refused(made, words):
    cases.refused(made, ValueError, *words)
