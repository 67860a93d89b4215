"""Rules for the matrices of a network: their functions, the cut into stages, kernels beside the reference."""

import cases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gdfast
import gdfast.theory
from gdfast import optimizers, problems
from gdfast.formulas import matrices
from gdfast.formulas.formula import from_text
from gdfast.formulas.staged import staged

A, B, C = 3.4445, -4.775, 2.0315
MATRIX_RULES = [make for make in optimizers.CATALOGUE.values() if make().matrix_rule]
EXACT = problems.mlp((3, 5, 2), "relu", points=9)
NETWORKS = [
    EXACT,
    problems.mlp((5, 3, 4, 1), "leaky_relu", batch_norm=True, points=7, batch_size=4, layer_rates=True),
    problems.mlp((1, 6, 6, 1), "relu", bias=False, fan_in_scaling=True, gain=1.5, l2=0.01),
]
"""Wide, tall and square matrices, a row or a column alone; mini-batches, batch normalization, scaling."""


def rule_of_means(theta, grad, m, v, lr, rows, columns, beta):
    m = beta * m + (1 - beta) * matrices.row_mean(grad * grad)
    v = beta * v + (1 - beta) * matrices.column_mean(grad * grad)
    direction = grad / (matrices.mean(m) + m * v / rows + columns)
    theta = theta - lr * (direction - matrices.mean(direction))
    return theta, m, v


def plain(theta, grad, m, v, lr, square, dimension):
    return theta - lr * grad / (1 + square / dimension), m, v


def of_squares(theta, grad, m, v, lr, dimension):
    return grad * grad


MEANS = optimizers.Optimizer(
    plain, 0.1, sums=("square",), terms=of_squares, matrix_rule=rule_of_means, parameters={"beta": 0.7}
)


@pytest.mark.parametrize("problem", NETWORKS, ids=cases.label)
def test_kernel_and_reference_agree_to_the_bit(problem):
    starts = problem.starts(seeds=range(3))
    rates = np.geomspace(1e-4, 3.0, 5)
    cases.agree(gdfast.Sweep(problem, [MEANS, *(make() for make in MATRIX_RULES)], rates, starts, 40))


@pytest.mark.parametrize("make", MATRIX_RULES, ids=lambda make: make.__name__)
@given(data=st.data())
@settings(max_examples=4)
def test_kernel_and_reference_agree_for_random_hyperparameters_on_a_network(make, data):
    optimizer = data.draw(cases.made_by(make))
    cases.agree(gdfast.Sweep(EXACT, optimizer, np.geomspace(1e-3, 1.0, 4), EXACT.starts(seeds=range(2)), 30))


def test_transforms_schedules_and_measures_go_with_a_rule_for_matrices():
    chosen = "muon|cosine|clip_norm=0.1|weight_decay:weight=0.1"
    sweep = gdfast.Sweep(EXACT, chosen, [0.01, 0.1], EXACT.starts(seeds=range(3)), 40, measure="steps_to_reach")
    cases.agree(sweep)


def test_a_rule_for_matrices_is_one_formula_on_whole_arrays():
    path = gdfast.trajectory(EXACT, MEANS, EXACT.starts().points[0], 0.1, 5, gradient_tolerance=0.0).theta.values
    theta = path[0].copy()
    state = {0: [0.0, 0.0], 1: [0.0, 0.0]}
    for expected in path[1:]:
        grad = EXACT.gradient(theta[:, None])[:, 0]
        for k, layer in enumerate(EXACT.layers):
            G = grad[layer.weights].reshape(layer.fan_in, layer.fan_out)
            m, v = state[k]
            m = 0.7 * m + 0.3 * (G * G).mean(axis=1, keepdims=True)
            v = 0.7 * v + 0.3 * (G * G).mean(axis=0, keepdims=True)
            D = G / (m.mean() + m * v / layer.fan_in + layer.fan_out)
            theta[layer.weights] -= 0.1 * (D - D.mean()).ravel()
            bias = slice(layer.bias, layer.end)
            theta[bias] -= 0.1 * grad[bias] / (1 + np.mean(grad[bias] ** 2))
            state[k] = m, v
        np.testing.assert_allclose(theta, expected, rtol=1e-12)


@given(rows=st.integers(1, 7), columns=st.integers(1, 7), seed=st.integers(0, 2**32), size=st.floats(-100, 100))
@settings(max_examples=60)
def test_newton_schulz_keeps_singular_vectors_and_brings_values_near_one(rows, columns, seed, size):
    rng = np.random.default_rng(seed)
    k = min(rows, columns)
    left, right = (np.linalg.qr(rng.normal(size=(n, k)))[0] for n in (rows, columns))
    values = rng.uniform(0.2, 1, k)
    X = (left * values) @ right.T * 10.0**size
    got = matrices.orthogonalized(X[..., None], A, B, C, 0.0, 5)[..., 0]
    near_one = left.T @ got @ right
    np.testing.assert_allclose(got, left @ near_one @ right.T, atol=1e-9)
    np.testing.assert_allclose(near_one, np.diag(np.diag(near_one)), atol=1e-9)
    assert np.all((np.diag(near_one) > 0.6) & (np.diag(near_one) < 1.3))


def with_a_name_like_a_result(theta, grad, lr):
    row_mean_0 = 2 * grad
    return theta - lr * matrices.row_mean(grad) * row_mean_0


def test_results_of_functions_of_matrices_take_no_name_of_the_rule():
    (stage,), last = staged(with_a_name_like_a_result)
    assert stage.function == "row_mean"
    assert last(1.0, 3.0, 1.0, 5.0) == 1.0 - 5.0 * 6.0


def test_muon_of_a_landscape_is_adam():
    expected, got = (
        gdfast.run(gdfast.Sweep("rosenbrock", name, [0.001, 0.01, 0.1], [[-1.2, 1.0]], 300), keep_theta=True)
        for name in ("adam", "muon")
    )
    np.testing.assert_array_equal(got.outcome, expected.outcome)
    np.testing.assert_allclose(got.theta, expected.theta, rtol=1e-8)


def test_the_limits_of_a_landscape_are_those_of_the_rule_for_what_is_no_matrix():
    assert gdfast.theory.limit(optimizers.muon(), 0.25) == pytest.approx(gdfast.theory.limit(optimizers.adam(), 0.25))
    assert gdfast.theory.limit(optimizers.adafactor(), 0.25) is not None


def test_a_rule_is_cut_where_it_calls_a_function_of_matrices():
    cut = staged(rule_of_means)
    assert [stage.function for stage in cut.stages] == ["row_mean", "column_mean", "mean", "mean"]
    assert cut.stages[1].value.__text__.endswith("    return grad * grad")  # what it does not need is left out


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (
            "theta, grad, m, v, lr): return theta - lr * orthogonalized(grad), m, v",
            ValueError,
            ("a, b, c, eps, steps",),
        ),
        ("theta, grad, m, v, lr, s): return theta - mean(grad, s), m, v", ValueError, ("mean takes the entry",)),
        ("theta, grad, m, lr): return theta - lr * grad, m", ValueError, ("theta, grad, m, v, lr first", "not theta")),
        ("theta, grad, m, v, lr): return theta - lr * grad", ValueError, ("must return 3",)),
        ("theta, grad, m, v, lr, foreign): return theta - foreign, m, v", ValueError, ("foreign has no value",)),
    ],
)
def test_a_rule_for_matrices_that_does_not_fit_is_refused(text, kind, words):
    scope = {name: getattr(matrices, name) for name in matrices.__all__}
    exec(f"def other({text}", scope)
    scope["other"].__text__ = f"def other({text}"
    make = lambda: optimizers.Optimizer(  # noqa: E731
        plain, 0.1, sums=("square",), terms=of_squares, matrix_rule=scope["other"], parameters={"beta": 0.7}
    )
    cases.refused(make, kind, *words)


@pytest.mark.parametrize(("steps", "kind"), [(-1, ValueError), (100, ValueError), (2.5, TypeError), (True, TypeError)])
def test_rounds_of_the_iteration_are_a_whole_number(steps, kind):
    cases.refused(lambda: optimizers.muon(steps=steps), kind, "muon: steps", "from 0 to 99")


def test_a_rule_beside_one_for_matrices_has_no_norms():
    rule = from_text("def rule(theta, grad, lr, loss): return theta - lr * grad * loss")
    of_matrices = from_text("def of_matrices(theta, grad, lr): return theta - lr * grad")
    cases.refused(
        lambda: optimizers.Optimizer(rule, 0.1, matrix_rule=of_matrices), ValueError, "scalars, norms nor loss"
    )


def test_the_arrays_of_a_network_are_those_of_its_layers():
    arrays, at, shapes = NETWORKS[1].arrays, 0, []
    while at < len(arrays):
        size, *shape = arrays[at].tolist()
        assert (arrays[at : at + size] == arrays[at]).all()
        shapes.append(tuple(shape))
        at += size
    assert [shape for shape in shapes if shape != (0, 0)] == [(5, 3), (3, 4), (4, 1)]
    assert not problems.rosenbrock().has_matrices
