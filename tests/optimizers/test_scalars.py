"""Running numbers of a whole trajectory beside a rule's slots: what they become, and what is refused."""

import cases
import numpy as np
import pytest

import gdfast
from gdfast import measures, optimizers, problems, schedules, transforms
from gdfast.formulas.elementary import maximum, sqrt
from gdfast.optimizers import Optimizer

BOWL = problems.quadratic(condition=30.0, dimension=3, rotation=1)


def rule(theta, grad, m, longest, count, lr, size, loss, beta):
    m = beta * m + (1 - beta) * grad
    longest = maximum(longest, size)
    count = count + 1
    theta = theta - lr / (1 + sqrt(longest * count) + loss) * m
    return theta, m, longest, count


def entries(theta, grad, m, longest, count, lr, beta):
    return beta * m + (1 - beta) * grad


OWN = Optimizer(
    rule,
    learning_rate=0.1,
    initial={"longest": 0.5},
    scalars=("longest", "count"),
    norms=("size",),
    entries=entries,
    parameters={"beta": 0.7},
)


def test_scalars_are_those_of_a_plain_loop():
    x = np.array([1.0, -2.0, 0.5])
    m, longest = np.zeros(3), 0.5
    path = [x]
    for t in range(1, 31):
        m = 0.7 * m + 0.3 * (BOWL.matrix @ x)
        longest = max(longest, float(np.linalg.norm(m)))
        x = x - 0.4 / (1 + np.sqrt(longest * t) + 0.5 * x @ BOWL.matrix @ x) * m
        path.append(x)
    got = gdfast.trajectory(BOWL, OWN, path[0], 0.4, 30, gradient_tolerance=0.0).theta.values
    np.testing.assert_allclose(got, path, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("problem", [problems.rosenbrock(), problems.quadratic(dimension=9)], ids=cases.label)
def test_scalars_lie_beside_the_memory_of_a_schedule_and_of_a_measure(problem):
    chain = transforms.clip_norm(1.0), transforms.weight_decay(0.01)
    rule = optimizers.prodigy(d0=1e-3).transformed(*chain).scheduled(schedules.reduce_on_plateau(patience=3))
    cases.agree(cases.sweep_of(problem, rule, 12, 80, measure=measures.convergence()))


@pytest.mark.parametrize("name", ["dog", "dowg"])
def test_the_rate_is_distance_over_gradients_so_far(name):
    problem = problems.rosenbrock()
    path = gdfast.trajectory(
        problem, optimizers.CATALOGUE[name](), [-1.2, 1.0], 1.0, 60, gradient_tolerance=0.0
    ).theta.values
    grads = problem.gradient(path.T).T
    for t in range(1, 60):
        far = np.linalg.norm(path[: t + 1] - path[0], axis=1).max()
        if name == "dog":
            rate = max(far, 1e-6 * (1 + np.linalg.norm(path[0]))) / np.sqrt((grads[: t + 1] ** 2).sum() + 1e-8)
        else:
            squares = [max(((path[: k + 1] - path[0]) ** 2).sum(axis=1).max(), 1e-4) for k in range(t + 1)]
            rate = squares[-1] / (np.sqrt((squares * (grads[: t + 1] ** 2).sum(axis=1)).sum()) + 1e-4)
        np.testing.assert_allclose(path[t + 1], path[t] - rate * grads[t], rtol=1e-10)


def depends(theta, grad, m, s, lr):
    m = m + grad
    u = m * lr
    s = s + u
    return theta - s * grad, m, s


def early(theta, grad, s, m, lr):
    return theta - lr * s * grad, s, m + grad


def swept(theta, grad, m, s, lr):
    u = grad
    u = lr
    return theta - u * grad, m, s + u


def test_scalars_that_differ_between_coordinates_are_refused():
    cases.refused(lambda: Optimizer(depends, 0.1, scalars=("s",), parameters={}), ValueError, "scalar s", "not of m")
    cases.refused(lambda: Optimizer(early, 0.1, scalars=("s",), parameters={}), ValueError, "right before lr", "s, m")
    cases.refused(lambda: Optimizer(early, 0.1, scalars=3, parameters={}), TypeError, "scalars")
    assert Optimizer(swept, 0.1, scalars=("s",), parameters={}).scalars == ("s",)  # u is another by then
