"""Gradients taken elsewhere: sharpness-aware minimization of any rule, transforms of one's own, what they cost."""

import cases
import numpy as np
import pytest

import gdfast
from gdfast import notation, optimizers, problems, schedules, theory, transforms
from gdfast.theory.attracting import Attraction, attractions, minimum_of
from gdfast.transforms import Transform

START, STEPS = [-1.2, 1.0], 300
ROSENBROCK = problems.rosenbrock()
BATCHES = problems.linear_regression(data="diabetes", batch_size=7, seed=3)
NETWORK = problems.mlp((3, 4, 2), points=9, activation="relu")
WEIGHTS = NETWORK.starts("he_normal", seeds=3, bias=0.1).points[0]
BESIDE = {
    "registers": (ROSENBROCK, "momentum|l2=0.1|noise=0.01|sam=0.1|clip_norm=2|weight_decay=0.01"),
    "one coordinate": (problems.quartic(), "adam|sam:adaptive=True|reduce_on_plateau:patience=3"),
    "memory": (BATCHES, "adam|l2=0.1|noise=0.01|sam=0.1|clip_norm=2|lookahead"),
    "a rule with norms and sums": (BATCHES, "lamb|sam|clip_norm"),
    "a rule that sees the loss": (ROSENBROCK, "polyak_sgd|sam"),
    "a rule of vectors in registers": (ROSENBROCK, "extragradient|l2|sam=0.1"),
    "a rule of vectors in memory": (BATCHES, "extragradient|l2|sam=0.1|clip_value"),
    "an average": (BATCHES, "averaged:of=(adam|sam=0.1),decay=0.9"),
}


def ahead(theta, grad, lr):
    return theta - lr * grad


AHEAD = Transform(ahead, elsewhere=True)


def path_of(text, problem=ROSENBROCK, start=START, rate=0.01, steps=STEPS):
    (rule,) = notation.optimizers(text)
    assert notation.optimizers(rule.label) == [rule]
    return gdfast.trajectory(problem, rule, start, rate, steps, gradient_tolerance=0.0).theta.values


def slope(x):
    return ROSENBROCK.gradient(np.asarray(x)[:, None])[:, 0]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("where", BESIDE)
def test_kernel_and_reference_agree_to_the_bit(where):
    problem, text = BESIDE[where]
    cases.agree(cases.sweep_of(problem, notation.optimizers(text), 8, 60))


@pytest.mark.slow
def test_they_do_in_single_precision_too():
    cases.agree(
        cases.sweep_of(ROSENBROCK, notation.optimizers("adam|l2=0.1|sam=0.1|clip_norm"), 8, 60, dtype="float32")
    )


@pytest.mark.slow
@pytest.mark.parametrize("problem", [ROSENBROCK, BATCHES], ids=cases.label)
def test_around_gradient_descent_it_is_the_rule_of_this_name(problem):
    sweep = cases.sweep_of(problem, notation.optimizers("gd|sam=0.1 sam:rho=0.1"), 8, 60)
    result = gdfast.run(sweep, keep_theta=True)
    np.testing.assert_array_equal(result.theta[0], result.theta[1])
    np.testing.assert_array_equal(result.evaluations, 2.0 * result.steps)
    np.testing.assert_array_equal(result.evaluations[0], result.evaluations[1])


@pytest.mark.sampled(1)
@pytest.mark.parametrize("adaptive", [False, True])
def test_it_is_the_authors_loop_between_what_stands_before_and_behind_it(adaptive):
    x, m, v, expected = np.array(START), 0.0, 0.0, [START]
    for t in range(1, STEPS + 1):
        g = slope(x) + 0.1 * x
        scale = np.abs(x) if adaptive else 1.0
        there = x + scale**2 * g * (0.3 / np.linalg.norm(scale * g))
        g = slope(there) + 0.1 * there + 0.2 * x
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        x = x - 0.01 * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        expected.append(x)
    got = path_of(f"adam|l2=0.1|sam:rho=0.3,adaptive={adaptive}|l2=0.2")
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def test_the_second_gradient_is_of_the_same_rows():
    x, expected = np.zeros(BATCHES.dimension), []
    for t in range(30):
        g = BATCHES.step_gradient(x[:, None], t)[:, 0]
        there = x + 0.5 * g / np.linalg.norm(g)
        x = x - 0.05 * BATCHES.step_gradient(there[:, None], t)[:, 0]
        expected.append(x)
    got = path_of("gd|sam=0.5", BATCHES, np.zeros(BATCHES.dimension), 0.05, 30)
    np.testing.assert_allclose(got[1:], expected, rtol=1e-10, atol=1e-12)


def parts_of(problem, over, of="all"):
    """The places of the coordinates that a norm is over, one after the other."""
    arrays, first = problem.arrays, 0
    while first < len(arrays):
        size, rows, columns = arrays[first]
        count = columns if over == "units" else 1
        if (rows or over == "arrays") and (rows or of == "all"):
            yield from (np.arange(first + k, first + size, count) for k in range(count))
        first += size


def near(theta, grad, lr, size):
    return theta + 0.2 * grad / (size + 1e-12)


def entries(theta, grad, lr):
    return grad


@pytest.mark.slow
@pytest.mark.parametrize(("over", "of"), [("arrays", "all"), ("arrays", "matrices"), ("units", "all")])
def test_of_a_network_the_ball_is_that_of_arrays_or_units(over, of):
    change = Transform(near, norms=("size",), entries=entries, over=over, of=of, elsewhere=True)
    rule = optimizers.momentum().transformed(change)
    cases.agree(cases.sweep_of(NETWORK, rule, 6, 30))
    x, velocity = WEIGHTS, 0.0
    for _ in range(20):
        g, there = NETWORK.gradient(x[:, None])[:, 0], x.copy()
        for places in parts_of(NETWORK, over, of):
            there[places] += 0.2 * g[places] / (np.linalg.norm(g[places]) + 1e-12)
        velocity = 0.9 * velocity + NETWORK.gradient(there[:, None])[:, 0]
        x = x - 0.01 * velocity
    got = gdfast.trajectory(NETWORK, rule, WEIGHTS, 0.01, 20, gradient_tolerance=0.0).theta.values[-1]
    np.testing.assert_allclose(got, x, rtol=1e-9, atol=1e-12)


def test_rules_of_matrices_take_the_gradient_elsewhere_too():
    plain, sharp = (path_of(text, NETWORK, WEIGHTS, 0.01, 20) for text in ("muon", "muon|sam=1e-9"))
    np.testing.assert_allclose(sharp, plain, rtol=1e-4, atol=1e-6)
    assert not np.allclose(path_of("muon|sam=0.5", NETWORK, WEIGHTS, 0.01, 20), plain, rtol=1e-2)


def test_a_transform_of_ones_own_makes_any_rule_one_with_a_gradient_ahead():
    rule = optimizers.gd().transformed(AHEAD)
    got, expected = (
        gdfast.trajectory(ROSENBROCK, each, START, 1e-3, STEPS, gradient_tolerance=0.0).theta.values
        for each in (rule, optimizers.extragradient())
    )
    np.testing.assert_array_equal(got, expected)
    rates = np.array([0.1, 0.5, 1.0, 1.5])
    np.testing.assert_allclose(theory.spectral_radius(rule, rates, 1.0), 1 - rates + rates**2, rtol=1e-9)
    with_l2 = optimizers.extragradient().transformed(transforms.l2(0.25))
    np.testing.assert_allclose(theory.spectral_radius(with_l2, rates, 0.75), 1 - rates + rates**2, rtol=1e-9)


def test_a_ball_of_one_size_lets_no_minimum_attract():
    minimum = minimum_of(problems.quartic(), 1, 1e-3)
    told = attractions(notation.optimizers("gd|sam")[0], np.array([[0.01]]), minimum, np.ones(100))
    assert told.codes.tolist() == [Attraction.repels]


def test_what_a_step_costs_is_told():
    for text, cost, points in [
        ("adam|sam", "2 gradients", 2),
        ("extragradient|sam", "4 gradients", 4),
        ("momo|sam", "2 gradients, 1 loss", 2),
    ]:
        (rule,) = notation.optimizers(text)
        assert (rule.cost, rule.points) == (cost, points)


def test_its_radius_may_be_a_schedule():
    shrinking = transforms.sam(rho=schedules.linear(start=0.2, end=0.0, total=40))
    cases.agree(cases.sweep_of(ROSENBROCK, optimizers.adam().transformed(shrinking), 8, 60))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: notation.optimizers("lbfgs|sam"), "sam would change gradients, but not what lbfgs holds against them"),
        (lambda: notation.optimizers("newton|sam"), "sam would change gradients, but not what newton holds"),
        (
            lambda: notation.optimizers("gd|sam|sam=0.1"),
            "one may take gradients at another point, not both sam and sam",
        ),
        (lambda: optimizers.gd().transformed(AHEAD).transformed(AHEAD), "not both <ahead> and <ahead>"),
        (
            lambda: Transform(ahead_after, after=True, elsewhere=True),
            "elsewhere must be of a transform of the gradient",
        ),
        (lambda: Transform(ahead, elsewhere=1), "elsewhere must be True or False, not 1"),
        (lambda: transforms.sam(rho=-1.0), "sam: rho must be"),
        (lambda: transforms.sam(adaptive=2), "sam: adaptive must be True or False"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(make, words):
    with pytest.raises((TypeError, ValueError)) as error:
        make()
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def ahead_after(theta, grad, before, lr):
    return theta - lr * grad
